"""How high the powers in a formula may become: a bound on the size of what SymPy has to expand."""

from __future__ import annotations

from collections.abc import Mapping

from derivations.language.program import Program
from derivations.language.tree import Add, Call, Div, Expr, Largest, Mean, Mul, Neg, Number, Pow, Ref, Sum

HUGE = 10**9


def degree(expr: Expr, known: Mapping[str, int]) -> int:
    """The degree in the entries that it reads, quotients counted like products.

    ``known`` gives the degree of a quantity in earlier ones; others count as 1. A power of numbers
    counts by its exponent, so that ``9**9**9`` is as high as it looks.
    """
    match expr:
        case Ref(name, _):
            return known.get(name, 1)
        case Add(parts):
            return max(degree(part, known) for part in parts)
        case Mul(parts):
            return min(HUGE, sum(degree(part, known) for part in parts))
        case Div(a, b):
            return min(HUGE, degree(a, known) + degree(b, known))
        case Neg(a) | Sum(a, _) | Mean(a, _) | Largest(a, _):
            return degree(a, known)
        case Call(_, parts):
            return max((degree(part, known) for part in parts), default=0)
        case Pow(a, b):
            return min(HUGE, max(1, degree(a, known)) * _exponent(b))
    return 0


def _exponent(expr: Expr) -> int:
    match expr:
        case Number(value, _):
            return min(HUGE, abs(int(value)) + 1)
        case Neg(a):
            return _exponent(a)
        case Pow(a, b):
            base, exponent = _exponent(a), _exponent(b)
            return HUGE if exponent > 20 else min(HUGE, base**exponent)
        case Add(parts) | Mul(parts):
            highest: int = max(_exponent(part) for part in parts) ** len(parts)
            return min(HUGE, max(1, len(parts)) * highest)
    return 1


def program_degree(program: Program) -> int:
    """The highest degree of any quantity of a program in its inputs."""
    known: dict[str, int] = {}
    for eq in program:
        known[eq.target.name] = degree(eq.body, known)
    return max(known.values(), default=0)
