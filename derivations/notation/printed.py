"""The tree as it reads once it is printed: what a reader of the page finds in it."""

from __future__ import annotations

from dataclasses import replace

from derivations.language.tree import (
    ONE,
    Add,
    Count,
    Div,
    Expr,
    Mean,
    Mul,
    Neg,
    Number,
    Ref,
    Sum,
    children,
    number,
    rebuild,
)


def as_printed(expr: Expr) -> Expr:
    """The expression as it reads once printed: means as ``1/n Σ``, ``-2`` as one number."""
    if isinstance(expr, Mean):
        return as_printed(Mul((Div(ONE, Count(expr.index)), Sum(expr.body, expr.index))))
    if isinstance(expr, Ref) and expr.padded:  # what is outside its array is 0: the page says so in words
        expr = replace(expr, padded=False)
    if isinstance(expr, Add):  # "a - 2" keeps its minus, "-2 + a" starts with a number
        first, *rest = expr.terms
        return Add((as_printed(first), *(_later_term(part) for part in rest)))
    found = rebuild(expr, tuple(as_printed(part) for part in children(expr)))
    if isinstance(found, Neg) and isinstance(found.argument, Number):
        return turned(found.argument)
    if isinstance(found, Number) and found.value.denominator != 1 and not found.text:
        return as_printed(Div(number(found.value.numerator), number(found.value.denominator)))
    if isinstance(expr, Mul) and isinstance(expr.factors[-1], Mean) and isinstance(found, Mul):
        *before, mean = found.factors
        assert isinstance(mean, Mul)
        return Mul((*before, *mean.factors))  # "1/2 · 1/n Σ" reads as one product
    return found


def turned(plain: Number) -> Number:
    """The number with the other sign, in the same digits."""
    text = plain.text.removeprefix("-") if plain.value < 0 else f"-{plain.text}"
    return Number(-plain.value, text if plain.text else "")


def _later_term(part: Expr) -> Expr:
    return Neg(as_printed(part.argument)) if isinstance(part, Neg) else as_printed(part)
