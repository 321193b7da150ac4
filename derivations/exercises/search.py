"""The search for nice numbers: variants in which every value of every step is a decimal of few places.

Candidates are drawn by lot, a thousand at a time, and worked together step by step (`run/columns.py`);
those with a long value in a step go no further. Where a value is irrational nothing is nice, and every
candidate does. What is found is put in an order in which the values of every domain come equally often.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from derivations.catalogue import functions
from derivations.exercises.domains import Domain, size
from derivations.language.errors import ArithmeticFault
from derivations.language.parser import parse
from derivations.model.example import Example
from derivations.numbers.scaled import SCALED, NotScaled, Scaled, scaled
from derivations.run.columns import Columns, ColumnStep, Walk
from derivations.run.training import FIRST_BITS
from derivations.spec.arrays import compiled

AT_ONCE, TRIES, POOL = 1_024, 200, 4  # candidates worked together; draws of them; survivors for each wanted

Row = tuple[int, ...]  # for every domain the place of a value


@dataclass(frozen=True)
class Found:
    """Variants by the places of their values in the domains.

    ``seen`` candidates were worked; ``complete`` says that these were all that there are; ``exact`` is false
    where values are irrational.
    """

    rows: tuple[Row, ...]
    seen: int
    complete: bool
    exact: bool = True


def columns_at(example: Example, domains: Sequence[Domain], rows: Any) -> Columns:
    """The variants that have these places in the domains (an array, a variant a row) as columns."""
    arrays = {**example.data, **example.kept}
    given: dict[str, list[Scaled]] = {}
    for at, domain in enumerate(domains):
        if domain.name in arrays and domain.name not in given:
            entries = arrays[domain.name].entries
            given[domain.name] = [Scaled(v.numerator, v.denominator, abs(v.numerator)) for v in entries]
        own = given.setdefault(domain.name, [Scaled(0, 1, 0)])
        for place, column in zip(domain.places, domain.columns, strict=True):
            own[place] = column.taken(rows[:, at])
    return Columns(example, len(rows), _followed(example, {name: tuple(own) for name, own in given.items()}))


def _followed(example: Example, given: dict[str, tuple[Scaled, ...]]) -> dict[str, tuple[Scaled, ...]]:
    """With the data that the spec gives as expressions in other data, where these vary."""
    for table, arrays in ((example.spec.data, example.data), (example.spec.parameters, example.start)):
        for name, text in table.items():
            if not isinstance(text, str) or name in given:
                continue
            ready = compiled(parse(text, functions.NAMES), arrays)
            if not given.keys().isdisjoint(ready.names):
                own = [given.get(read) or tuple(map(scaled, arrays[read].entries)) for read in ready.names]
                inputs = [column for columns in own for column in columns]
                given[name] = tuple(ready.entries(inputs, SCALED))
    return given


def search(
    example: Example, domains: Sequence[Domain], wanted: int, decimals: int, seed: int, steps: int
) -> Found:
    """Nice variants, more than are wanted where there are, the same for the same seed on every machine."""
    dice = random.Random(seed)
    kept: dict[Row, None] = {}
    seen, exact = 0, True
    for rows in _drawn(domains, dice):
        seen += len(rows)
        try:
            nice = _nice(columns_at(example, domains, np.array(rows)), decimals, steps)
        except NotScaled:
            nice, exact = np.arange(len(rows)), False
        kept |= dict.fromkeys(rows[place] for place in nice.tolist())
        if len(kept) >= POOL * wanted:
            break
    return Found(tuple(kept), seen, seen == size(domains), exact)


def _drawn(domains: Sequence[Domain], dice: random.Random) -> Iterator[list[Row]]:
    """Candidates, each once: all of them in any order where they are few, else by lot."""
    ranges = [range(len(domain.rows)) for domain in domains]
    if size(domains) <= AT_ONCE * TRIES:
        rows = list(product(*ranges))
        dice.shuffle(rows)
        yield from (rows[at : at + AT_ONCE] for at in range(0, len(rows), AT_ONCE))
        return
    known: set[Row] = set()
    for _ in range(TRIES):
        drawn = (tuple(dice.randrange(len(each)) for each in ranges) for _ in range(AT_ONCE))
        new = [row for row in dict.fromkeys(drawn) if row not in known]
        known.update(new)
        yield new


def _nice(columns: Columns, decimals: int, steps: int) -> Any:
    """The places of the variants in which every value of every step has few decimals."""
    left = np.arange(columns.count)
    walk = Walk(columns, FIRST_BITS)
    for _ in range(steps):
        try:
            step = walk.next()
        except ArithmeticFault:
            return left[:0]
        good = np.flatnonzero(_is_nice(step, decimals))
        left = left[good]
        if not len(left):
            break
        walk = walk.taken(good.tolist())
    return left


def _is_nice(step: ColumnStep, decimals: int) -> Any:
    found = np.ones(step.count, dtype=bool)
    for column in dict.fromkeys(step.layout.tape.slots.values()):
        found &= step.memory[column].has_decimals(decimals)
    return found


def spread(rows: Sequence[Row], wanted: int) -> list[Row]:
    """So many of the rows, every next one with the values that have come least often so far."""
    counts: Counter[tuple[int, int]] = Counter()
    left, chosen = list(rows), list[Row]()
    while left and len(chosen) < wanted:
        best = min(range(len(left)), key=lambda k: (sum(counts[pair] for pair in enumerate(left[k])), k))
        row = left.pop(best)
        counts.update(enumerate(row))
        chosen.append(row)
    return chosen
