"""Printed numbers as trees: decimals, signs, powers of ten."""

from __future__ import annotations

from fractions import Fraction

from derivations.language.tree import Expr, Mul, Neg, Number, Pow
from derivations.notation.printed import turned


class Unreadable(ValueError):
    """A formula that is not in the notation of these pages."""


def decimal(text: str) -> Number:
    """A printed decimal as an exact number that remembers its digits."""
    return Number(Fraction(text), text)


def negated(expr: Expr) -> Expr:
    """A sign before an expression; that of a number belongs to it."""
    return turned(expr) if isinstance(expr, Number) and expr.value >= 0 else Neg(expr)


def scientific(parts: list[Expr]) -> Expr:
    r"""Factors to a product, with ``1.2 \cdot 10^{-7}`` as one number."""
    if not parts:
        raise Unreadable("an empty term")
    found: list[Expr] = []
    for part in parts:
        before = found[-1] if found else None
        match part, before:
            case Pow(Number(Fraction(numerator=10, denominator=1), _), Number(e, _)), Number(m, text):
                found[-1] = Number(m * Fraction(10) ** int(e), f"{text}e{e}")
            case _:
                found.append(part)
    return found[0] if len(found) == 1 else Mul(tuple(found))
