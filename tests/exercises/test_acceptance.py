"""What a student can reach, against students who try every choice, in code that shares nothing with it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal, localcontext
from fractions import Fraction
from typing import Any

import pytest
from flint import arb, fmpq

import derivations
from derivations.exercises.acceptance import (
    Reach,
    accepted,
    decided,
    inside,
    places_needed,
    reachable,
    too_long,
)
from derivations.exercises.lines import lines_of
from derivations.language.errors import ArithmeticFault
from derivations.language.names import after
from derivations.model.example import prepare
from derivations.numbers.between import ends, freely_rounded
from derivations.numbers.systems import EXACT, NumberSystem, Undecided, fraction, precision, rational
from derivations.page import opened
from derivations.run.training import Step, Trace, train

Keep = Callable[[Any], Any]


def regression(**values: Any) -> Trace:
    """Some steps of a linear regression, worked without any witness."""
    session = derivations.Session(*opened("linear-regression"))
    return train(session._variant(values).example)


def thirds(*numerators: int) -> list[Fraction]:
    return [Fraction(k, 3) for k in numerators]


# --- students who try everything ---------------------------------------------------------------------------


def half_up(value: Fraction, places: int) -> Fraction:
    """As pupils round, in text: halves away from zero."""
    scaled = abs(value) * 10**places
    whole = scaled.numerator // scaled.denominator
    return Fraction(whole + (scaled - whole >= Fraction(1, 2)), 10**places) * (-1 if value < 0 else 1)


def options(value: Fraction, places: int) -> list[Fraction]:
    return list(dict.fromkeys((value, half_up(value, places), round(value, places))))


def outcomes(work: Callable[[Keep], Any], written: Callable[[Any], list[Any]]) -> Iterator[Any]:
    """What a piece of work gives with every choice at every value that is written down."""
    chosen: list[int] = []
    while True:
        counts: list[int] = []

        def keep(value: Any, counts: list[int] = counts) -> Any:
            found = written(value)
            counts.append(len(found))
            if len(counts) > len(chosen):
                chosen.append(0)
            return found[chosen[len(counts) - 1]]

        yield work(keep)
        while chosen and chosen[-1] + 1 == counts[len(chosen) - 1]:
            chosen.pop()
        if not chosen:
            return
        chosen[-1] += 1


def by_hand(asked: str, x: Sequence[Any], y: Sequence[Any], w: Any, b: Any, lr: Any) -> Callable[[Keep], Any]:
    """One step of a linear regression, as on the page: only the lines that are needed."""
    n = Fraction(len(x))

    def total(keep: Keep, parts: list[Any]) -> Any:
        found = parts[0]
        for part in parts[1:]:
            found = keep(found + part)
        return found

    def scaled(keep: Keep, factor: Fraction, value: Any) -> Any:
        return value if factor == 1 else keep(factor * value)

    def work(keep: Keep) -> Any:
        residuals = [keep(keep(keep(w * a) + b) - c) for a, c in zip(x, y, strict=True)]
        if asked == "L":
            return scaled(keep, 1 / n, total(keep, [keep(r * r) for r in residuals]))
        parts = [keep(a * r) for a, r in zip(x, residuals, strict=True)] if "w" in asked else residuals
        slope = scaled(keep, 2 / n, total(keep, parts))
        return slope if asked.startswith("d") else keep((w if "w" in asked else b) - keep(lr * slope))

    return work


AWKWARD = (
    {"lr": 0.03},
    {"lr": 0.03, "w": 0.125, "b": -0.375},
    {"lr": Fraction(1, 30), "x": thirds(1, -2, 4, 5, 7, 8)},
    {"lr": 0.03, "x": [0.5, 2.5, 3.5, 4, 5, 6], "y": [-0.125, -0.375, 1, 2, 3, 4]},
)


@pytest.mark.parametrize("asked", ["L", "dL/dw", "dL/db", "w'", "b'"])
@pytest.mark.parametrize("places", [0, 1, 2])
@pytest.mark.parametrize("values", AWKWARD, ids=range(len(AWKWARD)))
def test_it_is_what_trying_everything_gives(values: dict[str, Any], places: int, asked: str) -> None:
    step = regression(**values).steps[0]
    x, y = ([Fraction(v) for v in step.array(name).tolist()] for name in ("x", "y"))
    w, b, lr = (fraction(step.at(name)) for name in ("w", "b", "lr"))
    found = set(outcomes(by_hand(asked, x, y, w, b, lr), lambda value: options(value, places)))
    reach = reachable(step, asked, places=places)
    assert reach == Reach(min(found), max(found), True)
    exact = fraction(step.at(asked))
    assert accepted(step, asked, places=places) == reach
    assert {exact, half_up(exact, places), round(exact, places)} <= found
