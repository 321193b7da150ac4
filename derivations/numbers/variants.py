"""Number systems over arrays: one operation of a tape works all variants of a step.

`over_arrays` works any number system entry by entry: exactly over arrays of ``fmpq``, or as a calculator
rounds. `FLOAT64_ARRAYS` is `derivations.numbers.float64` over arrays: for every variant an interval, middle
and radius, that contains what any reasonable float64 evaluation of the same formula gives. Memory grows with
the number of variants times that of the slots.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from flint import arb, fmpq

from derivations.catalogue import functions
from derivations.numbers.float64 import (
    FLOAT64,
    LARGEST_WHOLE,
    LIBRARY_UNITS,
    TINY,
    UNIT,
    Enclosure,
    nearest_float,
)
from derivations.numbers.scaled import Scaled, tight
from derivations.numbers.systems import MAX_EXPONENT, NumberSystem, Unary, Undecided, Value

Floats = Any  # numpy.ndarray of float64, or one number that all variants share
OWN = 2.0**-53  # what rounding to nearest may cost ourselves
WIDER = 1 + 2.0**-40  # more than the sums and products of a radius can lose


def over_arrays(system: NumberSystem) -> NumberSystem:
    """A number system entry by entry over arrays of its values; what all variants share may stay a value."""

    def each(operation: Callable[..., Value], operands: int = 2) -> Callable[..., Any]:
        found: Callable[..., Any] = np.frompyfunc(operation, operands, 1)
        return found

    def lift(name: str, function: Unary) -> Unary:
        return each(system.lift(name, function), max(1, len(functions.BY_NAME[name].arguments)))

    return NumberSystem(
        f"{system.name} over arrays",
        system.number,
        each(system.add),
        each(system.sub),
        each(system.mul),
        each(system.div),
        each(system.power),
        lift,
    )


# --- What float64 may make of all variants ------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Enclosures:
    """An interval for each variant; the sum of magnitudes and the number of the terms added so far.

    ``whole``: made of whole numbers by sums and products in every variant, which float64 works exactly.
    """

    middle: Floats
    radius: Floats
    mass: Floats
    count: int = 1
    whole: bool = False

    @property
    def room(self) -> Floats:
        """The radius, with what the order of summation may cost."""
        if self.count == 1 or (self.whole and np.max(self.mass) < LARGEST_WHOLE):
            return self.radius
        wider = self.radius + (self.count - 1) * UNIT * self.mass + TINY
        return np.where(self.mass == 0, self.radius, wider * WIDER)

    def holds(self, values: Floats) -> Any:
        """Which values lie in the intervals, or might: the nearest float64 of a value is as good as it."""
        finite = np.isfinite(values) & np.isfinite(self.middle) & np.isfinite(self.room)
        gap = np.abs(np.where(finite, values - self.middle, 0))
        return finite & (gap <= self.room * WIDER + 2 * OWN * np.abs(np.where(finite, values, 0)) + TINY)


def enclose_all(values: Sequence[Value]) -> Enclosures:
    """The enclosures of exact values (or balls), one for each variant, after rounding to float64."""
    middle = np.array([nearest_float(value) for value in values])
    exact = all(
        isinstance(value, fmpq) and _is_float(value, at) for value, at in zip(values, middle, strict=True)
    )
    whole = exact and all(value.q == 1 for value in values)
    size = np.abs(middle)
    return Enclosures(middle, 0.0 * size if exact else size * UNIT + TINY, size, whole=whole)


def enclosed(column: Any) -> Enclosures:
    """The enclosures of a column (`derivations.run.columns`) after rounding to float64."""
    if not isinstance(column, Scaled):
        return enclose_all(column.tolist() if isinstance(column, np.ndarray) and column.ndim else [column])
    least = tight(column)
    middle = np.atleast_1d(least.floats())
    size = np.abs(middle)
    if least.below & (least.below - 1) == 0 and least.most < LARGEST_WHOLE:  # a float64 itself, each of them
        return Enclosures(middle, 0.0 * size, size, whole=least.below == 1)
    return Enclosures(middle, size * UNIT + TINY, size)


def floats(column: Any, known: Callable[[Value], bool] = lambda _: True) -> Floats:
    """The float64 nearest to each value of a column; no number for a value that is not known well enough."""
    if isinstance(column, Scaled):
        return column.floats()
    values = column.tolist() if isinstance(column, np.ndarray) and column.ndim else [column]
    return np.array([nearest_float(value) if known(value) else np.nan for value in values])


def _is_float(value: Value, at: float) -> bool:
    return isinstance(value, fmpq) and float(at).as_integer_ratio() == (int(value.p), int(value.q))


def _number(value: Fraction) -> Enclosures:
    """A constant; several operations may have been folded into one that is not a float64 itself."""
    middle = float(value)
    exact = Fraction(middle) == value
    radius = 0.0 if exact else abs(middle) * 3 * UNIT + TINY
    return Enclosures(
        np.float64(middle), np.float64(radius), np.float64(abs(middle)), 1, exact and value.denominator == 1
    )


def _around(middle: Floats, radius: Floats, units: float) -> Enclosures:
    """What an operation gives that may err by so many units, and our own rounding."""
    size = (np.abs(middle) + radius) * WIDER
    wider = (radius + (units * UNIT + OWN) * size + TINY) * WIDER
    return Enclosures(middle, np.where(size == 0, 0.0, wider), size)


def _sum(a: Enclosures, b: Enclosures, middle: Floats) -> Enclosures:
    whole, mass = a.whole and b.whole, a.mass + b.mass
    if whole and np.max(mass) < LARGEST_WHOLE:
        return Enclosures(middle, a.radius + b.radius, mass, a.count + b.count, whole)
    radius = (a.radius + b.radius + OWN * np.abs(middle)) * WIDER
    return Enclosures(middle, radius, mass * WIDER, a.count + b.count)


def _add(a: Enclosures, b: Enclosures) -> Enclosures:
    return _sum(a, b, a.middle + b.middle)


def _sub(a: Enclosures, b: Enclosures) -> Enclosures:
    return _sum(a, b, a.middle - b.middle)


def _mul(a: Enclosures, b: Enclosures) -> Enclosures:
    middle = a.middle * b.middle
    if a.whole and b.whole and np.max(a.mass * b.mass) < LARGEST_WHOLE:
        return Enclosures(middle, 0.0 * middle, a.mass * b.mass, whole=True)
    x, y = a.room, b.room
    return _around(middle, (np.abs(a.middle) * y + np.abs(b.middle) * x + x * y) * WIDER, 1)


def _div(a: Enclosures, b: Enclosures) -> Enclosures:
    x, y = a.room, b.room
    least = (np.abs(b.middle) - y) / WIDER
    if np.any(least <= 0):
        raise Undecided("division by a number that may be zero")
    middle = a.middle / b.middle
    return _around(middle, (x + np.abs(middle) * y) / least * WIDER, 1)


def _power(a: Enclosures, b: Enclosures) -> Enclosures:
    """A small whole power by products, everything else in balls."""
    exponent = float(b.middle) if np.ndim(b.middle) == 0 and not b.radius else 0.5
    if exponent.is_integer() and 0 < exponent <= MAX_EXPONENT:
        found = a
        for bit in bin(int(exponent))[3:]:
            found = _mul(found, found)
            found = _mul(found, a) if bit == "1" else found
        return _around(found.middle, found.room, LIBRARY_UNITS)
    return _in_balls(FLOAT64.power)(a, b)


def _lift(name: str, function: Unary) -> Unary:
    return _in_balls(FLOAT64.lift(name, function))


def _in_balls(function: Callable[..., Enclosure]) -> Callable[..., Enclosures]:
    """A function of float64 enclosures for each variant: kinks, domains and monotony are known there."""

    def work(*given: Enclosures) -> Enclosures:
        balls = [each.ravel() for part in given for each in np.broadcast_arrays(part.middle, part.room)]
        arrays = np.broadcast_arrays(*balls)
        found = [_middle_and_radius(function(*_balls(row))) for row in zip(*arrays, strict=True)]
        shape = np.broadcast_shapes(*(np.shape(part.middle) for part in given))
        middle, radius = (np.array(part).reshape(shape) for part in zip(*found, strict=True))
        return Enclosures(middle, radius, (np.abs(middle) + radius) * WIDER)

    return work


def _balls(row: Sequence[float]) -> list[Enclosure]:
    pairs = zip(row[::2], row[1::2], strict=True)
    return [
        Enclosure(arb(float(middle), float(radius)), abs(float(middle)) + float(radius))
        for middle, radius in pairs
    ]


def _middle_and_radius(found: Enclosure) -> tuple[float, float]:
    settled = found.settled()
    middle = float(settled.mid())
    return middle, float((settled - middle).abs_upper()) * WIDER


FLOAT64_ARRAYS = NumberSystem("float64 over arrays", _number, _add, _sub, _mul, _div, _power, _lift)
