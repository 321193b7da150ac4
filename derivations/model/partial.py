"""Rows worked as far as their given numbers allow: what is 0 or 1 vanishes, and so does what it alone fed.

``theta = theta - lr*(g + lam*theta)`` with ``lam`` 0 is ``theta = theta - lr*g``, letter for letter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction

from derivations.language.errors import LanguageError
from derivations.language.parser import Assignment
from derivations.language.products import product, total
from derivations.language.tree import (
    ONE,
    ZERO,
    Add,
    Div,
    Expr,
    Mul,
    Neg,
    Number,
    Pow,
    Ref,
    Sum,
    children,
    number,
    rebuild,
    refs,
    rename_index,
    substitute,
    transform,
)


def put_in(lines: Iterable[Assignment], given: Mapping[str, Fraction]) -> list[Assignment]:
    """The lines with numbers in the place of some names, simplified where these stood."""
    return [Assignment(line.target, _simplified(line.body, given)) for line in lines]


def _simplified(expr: Expr, given: Mapping[str, Fraction]) -> Expr:
    if isinstance(expr, Ref):
        return number(given[expr.name]) if expr.name in given else expr
    parts = tuple(_simplified(part, given) for part in children(expr))
    if all(a is b for a, b in zip(children(expr), parts, strict=True)):
        return expr
    return _tidy(rebuild(expr, parts))


def _tidy(expr: Expr) -> Expr:
    """One node whose parts have become numbers: 0, 1 and sums of numbers are gone."""
    match expr:
        case Add(parts):
            kept = [part for part in parts if part not in (ZERO, Neg(ZERO))]
            values = [_value(part) for part in kept]
            known = [value for value in values if value is not None]
            return _signed(sum(known, Fraction(0))) if len(known) == len(kept) else total(*kept)
        case Neg(a):
            return ZERO if a == ZERO else product(Neg(a))
        case Mul(parts):
            return product(*parts)
        case Div(a, b):
            return ZERO if a == ZERO else a if b == ONE else expr
        case Pow(a, b):
            return ONE if b == ZERO else a if b == ONE else expr
        case Sum(a, _) if a == ZERO:
            return ZERO
    return expr


def _value(expr: Expr) -> Fraction | None:
    if isinstance(expr, Neg):
        inside = _value(expr.argument)
        return None if inside is None else -inside
    return expr.value if isinstance(expr, Number) else None


def _signed(value: Fraction) -> Expr:
    return Neg(number(-value)) if value < 0 else number(value)


def listed(line: Assignment, lists: Mapping[str, tuple[Fraction, ...]]) -> Assignment:
    """A sum over the entries of a list of numbers written out: ``step(s - 2) + step(s - 4)``."""

    def rule(node: Expr) -> Expr | None:
        if not isinstance(node, Sum):
            return None
        found = [ref for ref in refs(node.body) if ref.name in lists]
        if not found:
            return None
        entries = enumerate(lists[found[0].name], 1)
        return total(*(_entry(node, found[0].name, place, value) for place, value in entries))

    return Assignment(line.target, transform(line.body, rule))


def _entry(node: Sum, name: str, place: int, value: Fraction) -> Expr:
    body = rename_index(node.body, {node.index: number(place)})
    return _folded(substitute(body, {Ref(name, (number(place),)): number(value)}))


def _folded(expr: Expr) -> Expr:
    """Plain numbers of a sum added up: ``s + 1 - 2`` is ``s - 1``."""
    parts = tuple(_folded(part) for part in children(expr))
    expr = rebuild(expr, parts) if parts else expr
    if not isinstance(expr, Add):
        return expr
    numbers = sum((value for part in expr.terms if (value := _value(part)) is not None), Fraction(0))
    others = [part for part in expr.terms if _value(part) is None]
    return total(*others, _signed(numbers)) if numbers else total(*others)


def shortened(lines: list[Assignment], wanted: Iterable[str]) -> list[Assignment]:
    """The lines without plain second names (``u = v``) and without what feeds nothing that is wanted."""
    wanted = set(wanted)
    return _alive(_without_second_names(_alive(lines, wanted), wanted), wanted)


def _without_second_names(lines: list[Assignment], wanted: set[str]) -> list[Assignment]:
    """A line ``u = v`` is left out and ``v`` read in the place of ``u``, unless ``u`` is state."""
    same: dict[Expr, Expr] = {}
    found = []
    kept = wanted | set(states_of(lines, frozenset()))
    for place, line in enumerate(lines, 1):
        body = substitute(line.body, same)
        later = {other.target.name for other in lines[place:]}
        if isinstance(body, Ref) and line.target.name not in kept and body.name not in later - {"theta"}:
            same[line.target] = body
        else:
            found.append(Assignment(line.target, body))
    return found


def _alive(lines: list[Assignment], wanted: set[str]) -> list[Assignment]:
    """The lines on which something wanted depends, in this step or in a later one."""
    needed, before = set(wanted), set[str]()
    while needed != before:
        before = set(needed)
        for line in lines:
            if line.target.name in needed:
                needed |= {ref.name for ref in refs(line.body)}
    return [line for line in lines if line.target.name in needed]


def states_of(lines: Iterable[Assignment], given: frozenset[str]) -> tuple[str, ...]:
    """What is written, and read before that: the state. ``given`` are the names that are no state."""
    lines = tuple(lines)
    targets = {line.target.name for line in lines}
    written: set[str] = set()
    found: dict[str, None] = {}
    for line in lines:
        unwritten = [ref.name for ref in refs(line.body) if ref.name not in written | given]
        found |= dict.fromkeys(name for name in unwritten if name in targets and name != "theta")
        written.add(line.target.name)
    return tuple(found)


def without_indices(lines: Iterable[Assignment], dropped: frozenset[str]) -> list[Assignment]:
    """The lines for a parameter that lacks some indices: ``mean(theta[r]**2, r)`` is ``theta**2``."""

    gone: set[Expr] = {Ref(name) for name in dropped}

    def rule(node: Expr) -> Expr | None:
        match node:
            case Ref(name, indices) if gone & set(indices):
                return Ref(name, tuple(part for part in indices if part not in gone))
        bound = getattr(node, "index", None)
        if bound in dropped:
            (body,) = children(node) or (ONE,)
            return transform(body, rule)
        return None

    def plain(expr: Expr) -> Expr:
        return transform(expr, rule)

    found = [(plain(line.target), plain(line.body)) for line in lines]
    if not all(isinstance(target, Ref) for target, _ in found):
        raise LanguageError("an equation starts with a name")
    return [Assignment(target, body) for target, body in found if isinstance(target, Ref)]
