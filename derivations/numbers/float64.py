"""What float64 may make of a computation: a number system of enclosures.

Every value is a ball that contains the result of *any* reasonable float64 evaluation of the same
formula: each operation may err by `UNIT` relative to its result (twice the half-ulp that IEEE 754
allows, because a library may round once more, as ``sum/n`` and ``(1/n)*sum`` do), inputs and
constants are rounded to nearest, and a sum of m terms may be added in any order, which costs
(m - 1) UNIT Σ|terms| (Higham, Accuracy and Stability of Numerical Algorithms, section 4.2).
What a witness is allowed to differ is read off these balls: computed, not guessed.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from typing import Any

from flint import arb

from derivations.catalogue import functions
from derivations.numbers.systems import NumberSystem, Unary, Value, ball, divide, power, rational
from derivations.numbers.walker import formula_of

UNIT = 2.0**-52
TINY = 2.0**-1060
LIBRARY_UNITS = 4  # exp, log, tanh … of a mathematical library may be some units off
LARGEST_WHOLE = 2.0**53
LARGEST = 1.7976931348623157e308


@dataclass(frozen=True, slots=True)
class Enclosure:
    """A ball, with the sum of magnitudes and the number of the terms added so far.

    ``whole``: made of whole numbers by sums and products, which float64 works without any rounding.
    """

    ball: Any
    mass: float
    count: int = 1
    whole: bool = False

    def settled(self) -> Any:
        """The ball, widened by what the order of summation may cost."""
        if self.count == 1 or self.mass == 0 or (self.whole and self.mass < LARGEST_WHOLE):
            return self.ball
        return self.ball + arb(0, (self.count - 1) * UNIT * self.mass + TINY)


def _around(value: Any, units: float) -> Enclosure:
    if value.is_zero():  # nothing to round, and no underflow either
        return Enclosure(value, 0.0)
    size = float(value.abs_upper())
    return Enclosure(value + arb(0, units * UNIT * size + TINY), size)


def enclose(value: Value) -> Enclosure:
    """The enclosure of an exact value (or ball) after rounding to float64."""
    if not isinstance(value, arb):
        return _number(Fraction(int(value.p), int(value.q)), UNIT / 2)
    exact = ball(value)
    size = float(exact.abs_upper())
    return Enclosure(exact + arb(0, size * UNIT / 2), size)


def _number(value: Fraction, room: float = 2 * UNIT) -> Enclosure:
    """A constant; several operations may have been folded into one that is not a float64 itself."""
    exact = ball(rational(value))
    if math.isfinite(size := float(exact.abs_upper())) and Fraction(float(value)) == value:
        return Enclosure(exact, size, whole=value.denominator == 1)
    return Enclosure(exact + arb(0, size * room + TINY), size)


def _add(a: Enclosure, b: Enclosure) -> Enclosure:
    return Enclosure(a.ball + b.ball, a.mass + b.mass, a.count + b.count, a.whole and b.whole)


def _sub(a: Enclosure, b: Enclosure) -> Enclosure:
    return Enclosure(a.ball - b.ball, a.mass + b.mass, a.count + b.count, a.whole and b.whole)


def _mul(a: Enclosure, b: Enclosure) -> Enclosure:
    if a.whole and b.whole and a.mass * b.mass < LARGEST_WHOLE:
        return Enclosure(a.ball * b.ball, a.mass * b.mass, whole=True)
    return _around(a.settled() * b.settled(), 1)


def _div(a: Enclosure, b: Enclosure) -> Enclosure:
    return _around(divide(a.settled(), b.settled()), 1)


def _power(a: Enclosure, b: Enclosure) -> Enclosure:
    exponent = b.settled()
    found = power(a.settled(), exponent.fmpq() if exponent.is_exact() else exponent)
    return _around(ball(found), LIBRARY_UNITS)


def _lift(name: str, function: Unary) -> Unary:
    row = functions.BY_NAME[name]
    if name in BINARY:
        return BINARY[name]
    if name == "floor":
        return _floor
    if not row.arguments:
        return lambda _: _around(ball(function(None)), 1)
    if row.cancels:  # a formula such as 1 + erf(x), which loses digits in any evaluation
        formula = formula_of(name, FLOAT64)  # step by step in float64
        return lambda a: _around(formula(a).settled(), LIBRARY_UNITS)
    least = [rational(Fraction(0))] if row.domain == "x >= 0" else []  # below it float64 has no number either
    kinks = [*(rational(Fraction(kink)) for kink in row.kinks), *least]

    def work(a: Enclosure) -> Enclosure:
        argument = a.settled()
        near = [ball(kink) for kink in kinks if argument.overlaps(ball(kink))]
        if not near or argument.is_exact():
            return _around(ball(function(argument)), LIBRARY_UNITS)
        ends = [end.fmpq() for end in (argument.lower().mid(), argument.upper().mid())]
        return _around(_hull(ball(function(max(at, *least, at))) for at in (*ends, *kinks)), LIBRARY_UNITS)

    return work


def _larger(a: Enclosure, b: Enclosure) -> Enclosure:
    """The larger of two, exactly as float64 has it: a ball that reaches from the larger lower end."""
    x, y = a.settled(), b.settled()
    found = x if x > y else y if y > x else x.max(y)
    return Enclosure(found, float(found.abs_upper()))


def _smaller(a: Enclosure, b: Enclosure) -> Enclosure:
    x, y = a.settled(), b.settled()
    found = x if x < y else y if y < x else x.min(y)
    return Enclosure(found, float(found.abs_upper()))


def _floor(a: Enclosure, _: Enclosure | None = None) -> Enclosure:
    """The whole number below; a quotient of whole numbers that is one itself is exact in float64."""
    argument = a.settled()
    found = _hull([argument.floor()]) if argument.rad() > 1e-6 else argument.upper().floor()
    return Enclosure(found, float(found.abs_upper()))


BINARY = {"max": _larger, "min": _smaller}


def _hull(values: Iterable[Any]) -> Any:
    """A ball around all values: float64 may land on either side of a kink, and the pieces are monotone."""
    return reduce(lambda a, b: a.union(b), values)


FLOAT64 = NumberSystem("float64", _number, _add, _sub, _mul, _div, _power, _lift)


def nearest_float(value: Value) -> float:
    """The float64 nearest to an exact value or to the middle of a ball; raises OverflowError."""
    if isinstance(value, arb):
        return float(value.mid())
    return int(value.p) / int(value.q)  # Python divides whole numbers to the nearest float64


def double(value: Value) -> Value:
    """The float64 nearest to a value, as a rational."""
    return rational(Fraction(nearest_float(value)))


def _rounding(operation: Callable[..., Value]) -> Callable[..., Value]:
    return lambda *operands: double(operation(*operands))


# float64 itself, each operation rounded to nearest as IEEE 754 has it, in the order of the tape
DOUBLE = NumberSystem(
    "double",
    lambda value: double(rational(value)),
    _rounding(operator.add),
    _rounding(operator.sub),
    _rounding(operator.mul),
    _rounding(divide),
    _rounding(power),
    lambda _, function: _rounding(function),
)


def ulps_between(a: float, b: float) -> int:
    """How many float64 numbers lie between two: 0 when they are the same, 1 for neighbours."""
    return abs(_ordinal(a) - _ordinal(b))


def _ordinal(x: float) -> int:
    mantissa, exponent = math.frexp(abs(x))
    place = max(exponent, -1021) + 1021
    whole = int(math.ldexp(mantissa, 53 + min(0, exponent + 1021)))
    index = whole + place * 2**52 if whole >= 2**52 else whole
    return -index if x < 0 else index
