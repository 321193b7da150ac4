"""Numbers of a spec, of Python and of NumPy as exact fractions."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

from derivations.numbers.real import Real


def exact(value: Any) -> Any:
    """Numbers to fractions, lists to tuples; texts (expressions) and tables stay as they are."""
    if isinstance(value, bool):
        raise ValueError("expected a number, found true or false")
    if isinstance(value, Decimal):
        if not value.is_finite() or abs(value.adjusted()) > 400:
            raise ValueError("expected a finite number of at most 400 digits")
        return Fraction(value)
    if isinstance(value, int):
        if abs(value) >= 10**400:
            raise ValueError("expected a finite number of at most 400 digits")
        return Fraction(value)
    if isinstance(value, Real):
        return Fraction(value)
    if isinstance(value, float):
        return exact(Decimal(float.__repr__(value)))
    return tuple(exact(part) for part in value) if isinstance(value, (list, tuple)) else value
