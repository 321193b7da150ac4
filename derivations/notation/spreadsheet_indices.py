"""Index expressions of a formula: which are known before the sheet is worked, and which a cell decides."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import TypeAlias

from derivations.language.tree import Add, Expr, Mul, Neg, Number, Ref, walk

Env: TypeAlias = Mapping[str, int]


def static(expr: Expr, env: Env) -> Fraction | None:
    """The value of an expression of letters and numbers alone."""
    match expr:
        case Number(value, _):
            return value
        case Ref(name, ()) if name in env:
            return Fraction(env[name])
        case Neg(a):
            return None if (inner := static(a, env)) is None else -inner
        case Add(parts):
            known = [static(part, env) for part in parts]
            return None if None in known else sum((v for v in known if v is not None), Fraction(0))
        case Mul((a, b)):
            x, y = static(a, env), static(b, env)
            return None if x is None or y is None else x * y
    return None


def is_looked_up(part: Expr, env: Env) -> bool:
    """Whether an index expression reads a cell."""
    if isinstance(part, Number) or (isinstance(part, Ref) and not part.indices):
        return isinstance(part, Ref) and part.name not in env
    return any(isinstance(node, Ref) and (node.indices or node.name not in env) for node in walk(part))
