"""Which sign may stand between two sides of printed numbers, read a second time from their digits alone.

It shares nothing with the writer of a chain: fractions are reckoned here as a reader does it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from math import isqrt

from derivations.language.tree import Add, Call, Div, Expr, Mul, Neg, Number, Pow

SMALL = 64  # powers beyond are not reckoned by hand


def signs_between(before: Expr, after: Expr) -> str:
    """``=`` where both sides are one number, ``≈`` where they are two; both where they are not read."""
    left, right = reckoned(before), reckoned(after)
    if left is None or right is None:
        return "=≈"
    return "=" if left == right else "≈"


def reckoned(expr: Expr) -> Fraction | None:
    """What printed numbers come to by the four operations, whole powers and functions; None if it is open."""
    match expr:
        case Number(value):
            return value
        case Neg(argument):
            found = reckoned(argument)
            return None if found is None else -found
        case Pow(base, power):
            return _power(reckoned(base), reckoned(power))
        case Div(numerator, denominator):
            above, below = reckoned(numerator), reckoned(denominator)
            return None if above is None or not below else above / below
        case Add(parts):
            found_all = [reckoned(part) for part in parts]
            return None if None in found_all else sum((found for found in found_all if found), Fraction(0))
        case Mul(parts):
            return _product([reckoned(part) for part in parts])
        case Call(name, parts):
            return _value(name, [reckoned(part) for part in parts])
    return None


def _product(parts: list[Fraction | None]) -> Fraction | None:
    """A product; 0 times whatever is 0."""
    if Fraction(0) in parts:
        return Fraction(0)
    found = Fraction(1)
    for part in parts:
        if part is None:
            return None
        found *= part
    return found


def _power(base: Fraction | None, power: Fraction | None) -> Fraction | None:
    if (
        base is None
        or power is None
        or power.denominator != 1
        or abs(power) > SMALL
        or (power < 0 and not base)
    ):
        return None
    return base ** int(power)


def _value(name: str, given: list[Fraction | None]) -> Fraction | None:
    """The value of a function where everybody knows it: at 0 and 1, of squares, the larger of two numbers."""
    known = [each for each in given if each is not None]
    if len(known) < len(given) or not known:
        return None
    first = known[0]
    if name == "sqrt" and first >= 0:
        above, below = isqrt(first.numerator), isqrt(first.denominator)
        return Fraction(above, below) if Fraction(above, below) ** 2 == first else None
    if name in CHOICES:
        return Fraction(CHOICES[name](*known)) if len(known) > 1 or name == "abs" else None
    return AT.get((name, first)) if len(known) == 1 else None


CHOICES: Mapping[str, Callable[..., Fraction]] = {"max": max, "min": min, "abs": abs}
AT: Mapping[tuple[str, Fraction], Fraction] = {
    ("exp", Fraction(0)): Fraction(1),
    ("log", Fraction(1)): Fraction(0),
    ("tanh", Fraction(0)): Fraction(0),
    ("sin", Fraction(0)): Fraction(0),
    ("cos", Fraction(0)): Fraction(1),
}
