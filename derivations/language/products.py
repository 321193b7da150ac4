"""Products and sums that read well: flat, signs in front, one coefficient, nothing else evaluated."""

from __future__ import annotations

from fractions import Fraction

from derivations.language.tree import (
    ONE,
    ZERO,
    Add,
    Call,
    Chosen,
    Derivative,
    Div,
    Expr,
    Largest,
    Mean,
    Mul,
    Neg,
    Number,
    Ref,
    Sum,
    number,
    values,
)


def factors(expr: Expr) -> tuple[Expr, ...]:
    """The factors of a product, or the expression as its only factor."""
    return expr.factors if isinstance(expr, Mul) else (expr,)


def terms(expr: Expr) -> tuple[Expr, ...]:
    """The terms of a sum, or the expression as its only term."""
    return expr.terms if isinstance(expr, Add) else (expr,)


def _signs_out(parts: tuple[Expr, ...]) -> tuple[bool, list[Expr]]:
    negative, plain = False, list[Expr]()
    for part in parts:
        while isinstance(part, Neg):
            negative, part = not negative, part.argument
        plain.extend(factors(part))
    return negative, plain


def product(*parts: Expr) -> Expr:
    """The product as it is written: flat, signs in front, ones left out, nothing else evaluated.

    A single coefficient in front absorbs further plain numbers: ``1/n * 2`` gives ``2/n``.
    """
    negative, plain = _signs_out(parts)
    if any(part == ZERO for part in plain):
        return ZERO
    coefficients = [part for part in plain if is_coefficient(part)]
    rest = [part for part in plain if not is_coefficient(part)]
    head = merge_coefficients(coefficients)
    kept = ([] if head == ONE and rest else [head]) + rest
    result = kept[0] if len(kept) == 1 else Mul(tuple(kept))
    return Neg(result) if negative else result


def is_coefficient(expr: Expr) -> bool:
    """Whether an expression is made of numbers and counts only: ``2``, ``1/n``, ``2/n``."""
    return not any(
        isinstance(node, (Ref, Call, Sum, Mean, Largest, Chosen, Derivative)) for node in values(expr)
    )


def merge_coefficients(parts: list[Expr]) -> Expr:
    """One coefficient from several: numbers multiplied, counts kept, as ``2/(3*n)``."""
    parts = [part for part in parts if part != ONE] or parts[:1]
    if len(parts) == 1:
        return parts[0]
    value, above, below = Fraction(1), list[Expr](), list[Expr]()
    for part in parts:
        top, bottom = (part.numerator, part.denominator) if isinstance(part, Div) else (part, ONE)
        for side, rest in ((top, above), (bottom, below)):
            for factor in factors(side):
                if not isinstance(factor, Number):
                    rest.append(factor)
                else:
                    value = value * factor.value if rest is above else value / factor.value
    upper = _flat([number(value.numerator), *above])
    lower = _flat([number(value.denominator), *below])
    return upper if lower == ONE else Div(upper, lower)


def _flat(parts: list[Expr]) -> Expr:
    kept = [part for part in parts if part != ONE] or [ONE]
    return kept[0] if len(kept) == 1 else Mul(tuple(kept))


def total(*parts: Expr) -> Expr:
    """The sum as it is written: flat, zeros left out."""
    flat = [term for part in parts for term in terms(part) if term != ZERO]
    if not flat:
        return ZERO
    return flat[0] if len(flat) == 1 else Add(tuple(flat))
