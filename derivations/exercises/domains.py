"""What varies in an exercise, entry by entry, each with the values that it may take."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import lcm, prod
from typing import Any

import numpy as np

from derivations.language.errors import SpecError, nearest
from derivations.model.example import Example
from derivations.numbers.scaled import ROOM, Scaled
from derivations.spec.spec import Source, flat, shape_of

STEPS = 4  # a start value that varies by itself goes so many half-units to either side


@dataclass(frozen=True)
class Domain:
    """Something that varies: entries of one array, or a hyper-parameter, and the rows of values for them.

    A number that varies by itself has rows of one value; an array that varies as a whole has rows of all its
    entries.
    """

    name: str
    places: tuple[int, ...]
    rows: tuple[tuple[Fraction, ...], ...]

    @cached_property
    def columns(self) -> tuple[Scaled, ...]:
        """For each entry its value in every row, over one denominator."""
        found = []
        for values in zip(*self.rows, strict=True):
            below = lcm(*(value.denominator for value in values))
            above = [int(value * below) for value in values]
            most = max(map(abs, above))
            found.append(Scaled(np.array(above, dtype=np.int64 if most < ROOM else object), below, most))
        return tuple(found)


def size(domains: Sequence[Domain]) -> int:
    """How many variants there are."""
    return prod(len(domain.rows) for domain in domains)


def domains_of(example: Example, source: Source) -> tuple[Domain, ...]:
    """What ``[exercise]`` lets vary; where it names nothing, what a lecturer would change.

    Raises `SpecError` for what cannot vary, or for values that do not fit.
    """
    table = example.spec.exercise
    if table is None or not table.vary:
        return tuple(_usual(example))
    return tuple(part for name, rows in table.vary.items() for part in _wanted(example, source, name, rows))


def _wanted(example: Example, source: Source, name: str, rows: Sequence[Any]) -> Iterator[Domain]:
    where = "exercise", "vary", name
    if name in example.hyper:
        if any(not isinstance(row, Fraction) for row in rows):
            raise source.error(f"'{name}' is one number, and varies over numbers", *where)
        yield Domain(name, (0,), tuple((row,) for row in rows))
        return
    array = {**example.data, **example.start}.get(name)
    if array is None:
        known = [*example.data, *example.start, *example.hyper]
        raise source.error(f"nothing is called '{name}' here", *where, hint=nearest(name, known, "names"))
    if name in example.lookups:
        raise source.error(f"'{name}' is used as an index and cannot vary", *where)
    if all(isinstance(row, Fraction) for row in rows):
        yield from (Domain(name, (k,), tuple((row,) for row in rows)) for k in range(len(array.entries)))
        return
    try:
        fits = all(isinstance(row, tuple) and shape_of(row) == array.shape for row in rows)
    except ValueError:
        fits = False
    if not fits:
        hint = f"Write numbers for each entry, or whole arrays of the shape {array.shape}."
        raise source.error(f"the values of '{name}' do not fit", *where, hint=hint)
    yield Domain(name, tuple(range(len(array.entries))), tuple(map(flat, rows)))


def _usual(example: Example) -> Iterator[Domain]:
    """Start values by halves around those of the spec, data one up and down; labels and expressions stay."""
    for name, array in example.start.items():
        for k, value in enumerate(array.entries):
            near = tuple((value + Fraction(n, 2),) for n in range(-STEPS, STEPS + 1))
            yield Domain(name, (k,), near)
    for name, array in example.data.items():
        follows = isinstance(example.spec.data[name], str)
        if follows or name in example.lookups or set(array.entries) <= {0, 1}:
            continue
        for k, value in enumerate(array.entries):
            yield Domain(name, (k,), tuple((value + n,) for n in (-1, 0, 1)))


def check_count(domains: Sequence[Domain], wanted: int, source: Source) -> None:
    """Raise `SpecError` where the domains have fewer variants than are asked for, whatever they are like."""
    if size(domains) < wanted:
        raise too_few(size(domains), wanted, source)


def too_few(found: int, wanted: int, source: Source, hint: str = "") -> SpecError:
    """There are fewer variants than were asked for."""
    hint = hint or "Give something more values in [exercise] vary, or ask for fewer."
    return source.error(f"there are only {found} variants, not {wanted}", "exercise", "vary", hint=hint)
