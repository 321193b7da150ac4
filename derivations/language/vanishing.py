"""Whether an expression of SymPy's vanishes: refuted by a number, quickly; proved by algebra alone."""

from __future__ import annotations

from typing import Any

import sympy as sp

SHORT = 120  # operations; the numerator of a longer fraction may have too many terms


def is_zero(expr: Any) -> bool:
    """Whether SymPy proves that an expression vanishes.

    A number can only refute it, quickly; that it vanishes is decided by algebra alone.
    """
    if expr == 0 or sp.expand(plain := _opaque(expr)) == 0:
        return True
    if _is_refuted(expr):
        return False
    if sp.count_ops(plain) <= SHORT and sp.expand(sp.numer(sp.together(plain))) == 0:
        return True
    if sp.expand(expr) == 0:
        return True
    if sp.cancel(sp.together(expr)) == 0:
        return True
    return bool(sp.simplify(expr.rewrite(sp.exp)) == 0)


def _opaque(expr: Any) -> Any:
    """A symbol in the place of every value of a function: what vanishes for all values vanishes for these."""
    symbols: dict[Any, Any] = {}

    def symbol(value: Any) -> Any:
        if isinstance(value, sp.exp) and value.args[0].could_extract_minus_sign():
            return 1 / symbol(sp.exp(-value.args[0]))
        return symbols.setdefault(value, sp.Dummy())

    return expr.replace(lambda part: isinstance(part, sp.Function), symbol)


def _at(expr: Any, known: dict[Any, Any]) -> Any:
    """The value at a point to some 30 digits; every part is worked once, however often it occurs."""
    if expr not in known:
        parts = [_at(part, known) for part in expr.args]
        known[expr] = expr.func(*parts).evalf(30) if parts else expr
    return known[expr]


def _is_refuted(expr: Any) -> bool:
    """Whether the expression is plainly not zero at one point; doubtful values refute nothing."""
    symbols = sorted(expr.free_symbols, key=lambda symbol: str(symbol.name))
    point = {symbol: sp.Rational(2 * place + 3, 2 * place + 7) for place, symbol in enumerate(symbols)}
    try:
        value = _at(expr, point)
    except (ValueError, TypeError, NotImplementedError, LookupError, AttributeError):
        return False  # a function that SymPy has no numbers for
    return bool(value.is_Number and value.is_finite and abs(value) > sp.Float("1e-12"))
