"""Printer of the tree as plain text, in the syntax that the parser reads.

``parse(text(e)) == e`` for every tree that the parser can make.
"""

from __future__ import annotations

from fractions import Fraction

from derivations.language.tree import (
    Add,
    Call,
    Chosen,
    Count,
    Derivative,
    Div,
    Expr,
    Largest,
    Mean,
    Mul,
    Neg,
    Number,
    Pow,
    Ref,
    Sum,
)

SUM, PRODUCT, SIGN, POWER, ATOM = range(5)


def text(expr: Expr) -> str:
    """The expression as text: ``2/count(i)*sum(x[i]*(yhat[i] - y[i]), i)``."""
    return _print(expr)[0]


def _print(expr: Expr) -> tuple[str, int]:
    match expr:
        case Number(value, written):
            return written or str(value), _level_of(value, written)
        case Ref(name, indices):
            read = f"{name}[{', '.join(map(text, indices))}]" if indices else name
            return (f"pad({read})" if expr.padded else read), ATOM
        case Neg(a):
            return f"-{_within(a, PRODUCT)}", SIGN
        case Add(parts):
            return _sum(parts), SUM
        case Mul(parts):
            return _product(parts), PRODUCT
        case Div(a, b):
            return f"{_within(a, PRODUCT, SIGN)}/{_within(b, POWER)}", PRODUCT
        case Pow(a, b):
            return f"{_within(a, ATOM)}**{_within(b, POWER)}", POWER
        case Call(name, parts):
            return (f"{name}({', '.join(map(text, parts))})" if parts else name), ATOM
        case Sum(a, i):
            return f"sum({text(a)}, {i})", ATOM
        case Mean(a, i):
            return f"mean({text(a)}, {i})", ATOM
        case Largest(a, i):
            return f"largest({text(a)}, {i})", ATOM
        case Chosen(a, i, at):
            return f"chosen({text(a)}, {i}, {text(at)})", ATOM
        case Count(i):
            return f"count({i})", ATOM
        case Derivative(a, by):
            return f"d({text(a)})/d({text(by)})", PRODUCT


def _within(expr: Expr, least: int, *never: int) -> str:
    shown, level = _print(expr)
    return f"({shown})" if level < least or level in never else shown


def _sum(parts: tuple[Expr, ...]) -> str:
    shown = _within(parts[0], PRODUCT)
    for part in parts[1:]:
        if isinstance(part, Neg):
            shown += f" - {_within(part.argument, PRODUCT)}"
        else:
            shown += f" + {_within(part, PRODUCT, SIGN)}"
    return shown


def _product(parts: tuple[Expr, ...]) -> str:
    first = parts[0]
    head = _within(first, POWER) if isinstance(first, Mul) else _within(first, PRODUCT, SIGN)
    return "*".join([head, *(_within(part, POWER) for part in parts[1:])])


def _level_of(value: Fraction, written: str) -> int:
    if value < 0:
        return SIGN
    return ATOM if value.denominator == 1 or written else PRODUCT
