"""Chains: the sides of a formula and the signs between them."""

from __future__ import annotations

from dataclasses import dataclass

from derivations.language.tree import (
    Expr,
)
from derivations.notation.locales import phrase as phrase
from derivations.notation.locales import phrases as phrases


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a chain, with the relation that stands before it."""

    relation: str
    expr: Expr


@dataclass(frozen=True, slots=True)
class Formula:
    """A chain ``a = b ≈ c``, or a single expression."""

    sides: tuple[Side, ...]


def formula(*sides: Expr | tuple[str, Expr]) -> Formula:
    """A formula from sides; a pair gives the relation that stands before a side (default ``=``)."""
    found = []
    for place, side in enumerate(sides):
        relation, expr = side if isinstance(side, tuple) else ("=" if place else "", side)
        found.append(Side(relation, expr))
    return Formula(tuple(found))
