"""Which sign may stand between two sides of printed numbers, read a second time from their digits alone.

It shares nothing with the writer of a chain: fractions are reckoned here as a reader does it.
"""

from __future__ import annotations

from fractions import Fraction

from derivations.language.tree import Add, Div, Expr, Mul, Neg, Number, Pow

SMALL = 64  # powers beyond are not reckoned by hand


def signs_between(before: Expr, after: Expr) -> str:
    """``=`` where both sides are one number, ``≈`` where they are two; both where they are not read."""
    left, right = reckoned(before), reckoned(after)
    if left is None or right is None:
        return "=≈"
    return "=" if left == right else "≈"


def reckoned(expr: Expr) -> Fraction | None:
    """What printed numbers come to by the four operations and whole powers; None for anything else."""
    match expr:
        case Number(value):
            return value
        case Neg(argument):
            found = reckoned(argument)
            return None if found is None else -found
        case Pow(base, Number(power)) if power.denominator == 1 and 0 <= power <= SMALL:
            found = reckoned(base)
            return None if found is None else found ** int(power)
        case Div(numerator, denominator):
            above, below = reckoned(numerator), reckoned(denominator)
            return None if above is None or not below else above / below
        case Add(parts) | Mul(parts):
            return _joined(parts, is_sum=isinstance(expr, Add))
    return None


def _joined(parts: tuple[Expr, ...], is_sum: bool) -> Fraction | None:
    total = Fraction(0) if is_sum else Fraction(1)
    for part in parts:
        found = reckoned(part)
        if found is None:
            return None
        total = total + found if is_sum else total * found
    return total
