"""Certified digits: how a value is printed, and whether the print is exact.

`Rounding` is the policy of a page: ``digits`` places after the decimal mark, or ``significant``
digits. A terminating decimal that fits is printed as it is and is exact; anything else is rounded
half away from zero and is not. A ball whose digits are not certain raises `Undecided`, and the
caller works with more precision.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from flint import arb, fmpq

from derivations.numbers.systems import Undecided, Value, fraction, precise, rational, round_half_up

LARGE, LEAST_DIGITS, BEYOND = 10**9, 3, 20


@dataclass(frozen=True, slots=True)
class Printed:
    """A decimal as text (``-10.5``, ``1.23e-7``), its value, and whether that is the whole value."""

    text: str
    value: Fraction
    exact: bool


@dataclass(frozen=True, slots=True)
class Rounding:
    """How numbers are printed: decimal places, or significant digits if given."""

    digits: int = 6
    significant: int | None = None

    def __call__(self, value: Value) -> Printed:
        """The print of a value; scientific where plain decimals would lose its digits.

        It is the same whatever precision the caller works with.
        """
        if not isinstance(value, arb):
            return self._printed(value)
        with precise(value):
            return self._printed(value)

    def _printed(self, value: Value) -> Printed:
        if self._vanishes(value):
            return Printed("0", Fraction(0), exact=False)
        places = self.places(value)
        kept = round_half_up(value, places) if places >= 0 else rational(_coarse(value, places))
        rounded, exact = fraction(kept), not isinstance(value, arb) and bool(kept == value)
        if self.significant is not None and rounded != 0:  # 99.96 has become 100, not 100.0
            places = self.significant - 1 - magnitude_of(rational(rounded))
        scientific = rounded != 0 and self._scientific(rounded, places)
        text = _scientific(rounded, places, exact) if scientific else _plain(rounded, places, exact)
        return Printed(text, rounded, exact)

    def _vanishes(self, value: Value) -> bool:
        """Whether a ball around zero is so narrow that no digit of its value could ever be printed."""
        if not isinstance(value, arb) or not value.contains(0):
            return False
        least = Fraction(10) ** -(max(self.digits, self.significant or 0) + BEYOND)
        return bool(value.abs_upper() < arb(least.numerator) / arb(least.denominator))

    def places(self, value: Value) -> int:
        """How many decimal places the policy keeps of this value."""
        if value == 0:
            return self.significant or self.digits
        magnitude = magnitude_of(value)
        if self.significant is not None:
            return self.significant - 1 - magnitude
        if magnitude >= 9 and not _is_short(value):
            return self.digits - magnitude
        return max(self.digits, LEAST_DIGITS - 1 - magnitude)

    def _scientific(self, rounded: Fraction, places: int) -> bool:
        least = self.significant + 3 if self.significant else self.digits
        return (abs(rounded) >= LARGE and rounded % 10 == 0) or places > max(least, 6)


def _is_short(value: Value) -> bool:
    return isinstance(value, fmpq) and value.q == 1 and abs(value) < 10**12


def magnitude_of(value: Value) -> int:
    """The decimal exponent of the leading digit: 0 for 1 to 9.99, -3 for 0.001.

    That of the smaller end for a ball around a power of ten, whose digits rounding then decides.
    """
    if isinstance(value, arb):
        lower, upper = _bounds(value)
        low, high = magnitude_of(lower), magnitude_of(upper)
        if high - low > 1:
            raise Undecided("a digit")
        return low
    above, below = abs(int(value.p)), int(value.q)  # not a Fraction, which looks for common factors
    guess = (above.bit_length() - below.bit_length()) * 30103 // 100000
    while not _reaches(above, below, guess):
        guess -= 1
    while _reaches(above, below, guess + 1):
        guess += 1
    return guess


def _reaches(above: int, below: int, exponent: int) -> bool:
    """Whether ``above/below`` is at least ten to the exponent."""
    up, down = max(-exponent, 0), max(exponent, 0)
    return bool(above * 10**up >= below * 10**down)


def _bounds(value: Any) -> tuple[Any, Any]:
    if value.contains(0):
        raise Undecided("a digit")
    return tuple(part.mid().fmpq() for part in (abs(value).lower(), abs(value).upper()))


def _power_of_ten(exponent: int) -> Fraction:
    return Fraction(10) ** exponent


def _coarse(value: Value, places: int) -> Fraction:
    scale = _power_of_ten(-places)
    return fraction(round_half_up(value / rational(scale), 0)) * scale


def _plain(value: Fraction, places: int, exact: bool) -> str:
    places = max(places, 0)
    digits = str(int(abs(value) * 10**places)).rjust(places + 1, "0")
    whole, rest = (digits[:-places], digits[-places:]) if places else (digits, "")
    rest = rest.rstrip("0") if exact else rest
    return ("-" if value < 0 else "") + whole + ("." + rest if rest else "")


def _scientific(value: Fraction, places: int, exact: bool) -> str:
    exponent = magnitude_of(rational(value))
    mantissa = value / _power_of_ten(exponent)
    return f"{_plain(mantissa, max(places + exponent, 0), exact)}e{exponent}"
