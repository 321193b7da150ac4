"""Exact rationals of many variants at once: whole numbers over one denominator that all of them share.

A value is ``above/below``; ``above`` is a whole number, or an array of them, one a variant. They stay in
64 bits as long as the bound ``most`` says that nothing can overflow, and become Python's integers after
that. What has no such form (a root, an exponential) raises `NotScaled`, and the caller works in another
number system, `derivations.numbers.variants.over_arrays`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from math import gcd, lcm
from typing import Any, TypeAlias

import numpy as np
from flint import arb, fmpq

from derivations.language.errors import ArithmeticFault
from derivations.numbers.systems import MAX_EXPONENT, NumberSystem, Unary, fraction

Whole: TypeAlias = Any  # int, or numpy.ndarray of int64 or of Python's integers
ROOM = 2**62
SMALL = 2**53  # whole numbers up to here are float64 themselves, and their quotient is rounded once


class NotScaled(ArithmeticError):
    """A value that is no whole number over a denominator that all variants share."""


@dataclass(frozen=True, slots=True)
class Scaled:
    """``above/below`` for every variant; no ``above`` is larger in size than ``most``."""

    above: Whole
    below: int
    most: int

    @property
    def is_shared(self) -> bool:
        """Whether it is one value for all variants."""
        return isinstance(self.above, int)

    def at(self, place: int) -> Any:
        """The value of one variant, an ``fmpq``."""
        return fmpq(int(self.above if self.is_shared else self.above[place]), self.below)

    def taken(self, places: Any) -> Scaled:
        """The values of some variants."""
        return self if self.is_shared else Scaled(self.above[places], self.below, self.most)

    def values(self, count: int) -> list[Any]:
        """The value of every variant, an ``fmpq``."""
        if self.is_shared:
            return [fmpq(self.above, self.below)] * count
        return [fmpq(each, self.below) for each in self.above.tolist()]

    def floats(self) -> Any:
        """The float64 nearest to each value."""
        if self.is_shared:
            return np.float64(self.above / self.below)
        if self.most < SMALL and self.below < SMALL:
            return self.above / float(self.below)
        return np.array([each / self.below for each in self.above.tolist()])

    def has_decimals(self, places: int) -> Any:
        """Which values are decimals of at most so many places."""
        shared = gcd(10**places, self.below)
        least = self.below // shared  # what a numerator must be a multiple of
        return self.above % least == 0 if least < ROOM else np.array(self.above, dtype=object) % least == 0


def scaled(value: Fraction) -> Scaled:
    """One value that all variants share."""
    return Scaled(value.numerator, value.denominator, abs(value.numerator))


def scaled_all(values: Sequence[Fraction]) -> Scaled:
    """A value for each variant, over their common denominator."""
    below = lcm(*(value.denominator for value in values))
    above = [value.numerator * (below // value.denominator) for value in values]
    if len(set(above)) == 1:
        return scaled(values[0])
    most = max(map(abs, above))
    return Scaled(np.array(above, dtype=np.int64 if most < ROOM else object), below, most)


# --- the operations ------------------------------------------------------------------------------------


def tight(value: Scaled) -> Scaled:
    """The same values over the least denominator and with the least bound, in 64 bits if they fit."""
    if value.is_shared:
        common = gcd(value.above, value.below)
        return Scaled(value.above // common, value.below // common, abs(value.above) // common)
    common = gcd(value.below, int(reduce(gcd, value.above.tolist())))
    above = value.above // common if common > 1 else value.above
    most = max(map(abs, (int(above.max()), int(above.min()))))
    return Scaled(above.astype(np.int64) if most < ROOM else above, value.below // common, most)


def _large(above: Whole) -> Whole:
    return above if isinstance(above, int) else above.astype(object)


def _worked(operation: Callable[[Any, Any], Any], a: Whole, b: Whole, most: int) -> Whole:
    """An operation of whole numbers, of Python's where the result may be too large for 64 bits."""
    return operation(a, b) if most < ROOM else operation(_large(a), _large(b))


def _over(value: Scaled, below: int) -> Scaled:
    """The value over another denominator, a multiple of its own."""
    factor = below // value.below
    if factor == 1:
        return value
    most = value.most * factor
    return Scaled(_worked(operator.mul, value.above, factor, max(most, factor)), below, most)


def _alike(a: Scaled, b: Scaled) -> tuple[Scaled, Scaled]:
    below = lcm(a.below, b.below)
    return _over(a, below), _over(b, below)


def _sum(operation: Callable[[Any, Any], Any]) -> Callable[[Scaled, Scaled], Scaled]:
    def work(a: Scaled, b: Scaled) -> Scaled:
        below = lcm(a.below, b.below)
        if a.most * (below // a.below) + b.most * (below // b.below) >= ROOM:
            a, b = tight(a), tight(b)
        a, b = _alike(a, b)
        most = a.most + b.most
        return Scaled(_worked(operation, a.above, b.above, most), a.below, most)

    return work


def multiply(a: Scaled, b: Scaled) -> Scaled:
    """``a*b``."""
    if a.most * b.most >= ROOM or a.below * b.below >= ROOM:
        a, b = tight(a), tight(b)
    most = a.most * b.most
    return Scaled(_worked(operator.mul, a.above, b.above, most), a.below * b.below, most)


def divide(a: Scaled, b: Scaled) -> Scaled:
    """``a/b``: by one number, or by some whose least common multiple is small."""
    return multiply(a, _reciprocal(tight(b)))


def _reciprocal(value: Scaled) -> Scaled:
    if value.is_shared:
        if value.above == 0:
            raise ArithmeticFault("division by zero")
        return scaled(Fraction(value.below, value.above))
    known = set(value.above.tolist())
    if 0 in known:
        raise ArithmeticFault("division by zero")
    below = lcm(*known)
    if below * value.below >= ROOM:
        raise NotScaled("denominators that have no small common multiple")
    above = (below // value.above) * value.below
    return Scaled(above, below, int(abs(above).max()))


def power(a: Scaled, b: Scaled) -> Scaled:
    """A whole power, by multiplication."""
    if not b.is_shared or b.above % b.below or abs(b.above // b.below) > MAX_EXPONENT:
        raise NotScaled("a power that is not whole")
    exponent = b.above // b.below
    if exponent < 0:
        return divide(scaled(Fraction(1)), power(a, scaled(Fraction(-exponent))))
    found = scaled(Fraction(1))
    for bit in bin(exponent)[2:]:
        found = multiply(found, found)
        found = multiply(found, a) if bit == "1" else found
    return found


# --- functions -----------------------------------------------------------------------------------------


def _sign(a: Scaled) -> Scaled:
    return Scaled(_signs(a.above), 1, 1)


def _signs(above: Whole) -> Whole:
    return (above > 0) - (above < 0) if isinstance(above, int) else np.sign(above).astype(np.int64)


def _step(a: Scaled) -> Scaled:
    return Scaled(int(a.above > 0) if a.is_shared else (a.above > 0).astype(np.int64), 1, 1)


def _floor(a: Scaled) -> Scaled:
    return Scaled(a.above // a.below, 1, a.most // a.below + 1)


def _pick(operation: Callable[[Any, Any], Any], array: Callable[[Any, Any], Any]) -> Callable[..., Scaled]:
    def work(a: Scaled, b: Scaled) -> Scaled:
        a, b = _alike(a, b)
        shared = a.is_shared and b.is_shared
        found = operation(a.above, b.above) if shared else array(a.above, b.above)
        return Scaled(found, a.below, max(a.most, b.most))

    return work


FUNCTIONS: dict[str, Callable[..., Scaled]] = {
    "sign": _sign,
    "step": _step,
    "floor": _floor,
    "max": _pick(max, np.maximum),
    "min": _pick(min, np.minimum),
}


def lift(name: str, function: Unary) -> Callable[..., Scaled]:
    """A function of exact values over all variants; one whose values are not all rational is not scaled."""
    if name in FUNCTIONS:
        return FUNCTIONS[name]

    def work(*given: Scaled) -> Scaled:
        if all(each.is_shared for each in given):
            return scaled(_rational(function(*(each.at(0) for each in given))))
        count = next(len(each.above) for each in given if not each.is_shared)
        rows = zip(*(each.values(count) for each in given), strict=True)
        return scaled_all([_rational(function(*row)) for row in rows])

    return work


def _rational(value: Any) -> Fraction:
    if isinstance(value, arb):
        raise NotScaled("a value that is not rational")
    return fraction(value)


SCALED = NumberSystem(
    "exact over one denominator",
    scaled,
    _sum(operator.add),
    _sum(operator.sub),
    multiply,
    divide,
    power,
    lift,
)
