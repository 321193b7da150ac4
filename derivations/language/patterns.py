"""Patterns of formulas: where one fits, and what is written in its place.

    a**2 -> a**2/2        sqrt(a) + eps -> sqrt(a + eps)        W[j, k] -> W[k, j]

A pattern is a formula of the language whose names stand for something: `Standing` says what a name may
stand for. A name that is bound twice stands for the same thing. The terms of a sum and the factors of a
product may stand in any order; the first name among them that stands for whole expressions (`WHOLE`)
takes all that the others leave. Nothing is evaluated, and the inside of brackets ``x[t - 1]`` is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from derivations.catalogue import functions
from derivations.language.names import after, is_after, unprimed
from derivations.language.parser import parse
from derivations.language.products import product, total
from derivations.language.program import Equation
from derivations.language.tree import (
    REDUCTIONS,
    Add,
    Call,
    Chosen,
    Count,
    Expr,
    Mul,
    Number,
    Ref,
    children,
    rebuild,
    transform,
)

Standing: TypeAlias = Callable[[str, Expr], bool]
Bindings: TypeAlias = Mapping[str, Expr]
WHOLE = frozenset({"a", "b", "x", "yhat", "g"})  # names that stand for expressions, not for one entry
ANY = "f"  # a function that stands for others, of its first argument


@dataclass(frozen=True)
class Pattern:
    """``old -> new``, and what the names of ``old`` may stand for."""

    old: Expr
    new: Expr
    standing: Standing


def read(text: str) -> Expr:
    """A pattern from its text, in which ``f(a)`` is a call of any function that may stand there."""
    word = f"{ANY}("
    if not re.search(rf"\b{re.escape(word)}", text):
        return parse(text, functions.NAMES)
    stand_in = next(name for name in sorted(functions.NAMES) if len(functions.BY_NAME[name].arguments) == 1)

    def rule(node: Expr) -> Expr | None:
        if not isinstance(node, Call) or node.function != stand_in:
            return None
        return Call(ANY, tuple(transform(part, rule) for part in node.arguments))

    return transform(parse(re.sub(rf"\b{re.escape(word)}", f"{stand_in}(", text), functions.NAMES), rule)


def count_of(pattern: Pattern, equations: tuple[Equation, ...]) -> int:
    """In how many places of some equations a pattern fits."""
    counting = _Rewriting(pattern, -1)
    for eq in equations:
        counting.rewritten(eq.body)
    return counting.met


def rewritten_at(
    pattern: Pattern, equations: tuple[Equation, ...], place: int | None
) -> tuple[Equation, ...]:
    """The equations with what stands in the place, counted from 0 as they are read; everywhere for None."""
    rewriting = _Rewriting(pattern, place)
    return tuple(replace(eq, body=rewriting.rewritten(eq.body)) for eq in equations)


class _Rewriting:
    """One pass over equations: the places that were met so far."""

    def __init__(self, pattern: Pattern, place: int | None) -> None:
        self.pattern, self.place, self.met = pattern, place, 0

    def rewritten(self, expr: Expr) -> Expr:
        if self.place is None:  # what is inside first, so that a place in a place is one too
            inner = self.inside(expr)
            found = self.put_in(inner)
            return inner if found is None else found
        found = self.put_in(expr)
        self.met += found is not None
        return found if found is not None and self.met - 1 == self.place else self.inside(expr)

    def inside(self, expr: Expr) -> Expr:
        """The node over rewritten parts; what stands between brackets is left alone."""
        parts = () if isinstance(expr, (Ref, Chosen)) else children(expr)
        new = tuple(self.rewritten(part) for part in parts)
        if all(a is b for a, b in zip(parts, new, strict=True)):
            return expr
        return product(*new) if isinstance(expr, Mul) else rebuild(expr, new)

    def put_in(self, expr: Expr) -> Expr | None:
        """What stands in the place of a node, if the pattern fits it."""
        old, new, standing = self.pattern.old, self.pattern.new, self.pattern.standing
        if isinstance(old, (Add, Mul)) and type(old) is type(expr):
            found = next(_chosen(type(old), _rest_last(children(old)), children(expr), {}, standing), None)
            if found is None:
                return None
            whole = total if isinstance(expr, Add) else product
            return whole(filled(new, found[0]), *found[1])
        bound = next(fits(old, expr, {}, standing), None)
        return None if bound is None else filled(new, bound)


def fits(old: Expr, expr: Expr, bound: Bindings, standing: Standing) -> Iterator[Bindings]:
    """Every way in which the names of a pattern stand for parts of an expression."""
    match old:
        case Ref(name, ()):
            if name in bound:
                yield from [bound] if bound[name] == expr else []
            elif standing(name, expr):
                yield {**bound, name: expr}
        case Ref(name, indices):
            if isinstance(expr, Ref) and len(expr.indices) == len(indices) and standing(name, expr):
                letters = zip(
                    (part.name for part in indices if isinstance(part, Ref)), expr.indices, strict=True
                )
                yield {**bound, name: Ref(expr.name), **dict(letters)}
        case Number():
            yield from [bound] if old == expr else []
        case Count(letter):
            yield from [{**bound, letter: Ref(expr.index)}] if isinstance(expr, Count) else []
        case Add() | Mul():
            if type(old) is type(expr):
                found = _chosen(type(old), _rest_last(children(old)), children(expr), bound, standing)
                yield from (each for each, rest in found if not rest)
        case Call(function, (argument,)) if function == ANY:
            if isinstance(expr, Call) and expr.arguments and standing(ANY, expr):
                call = replace(expr, arguments=expr.arguments[1:])
                known = {**bound, ANY: call} if bound.get(ANY, call) == call else None
                yield from fits(argument, expr.arguments[0], known, standing) if known else ()
        case _ if type(old) is type(expr) and len(children(old)) == len(children(expr)):
            yield from _by_parts(old, expr, bound, standing)


def _by_parts(old: Expr, expr: Expr, bound: Bindings, standing: Standing) -> Iterator[Bindings]:
    """A node of the same kind: its parts from the left."""
    if isinstance(old, Call) and isinstance(expr, Call) and old.function != expr.function:
        return
    if isinstance(old, REDUCTIONS) and isinstance(expr, REDUCTIONS):
        bound = {**bound, old.index: Ref(expr.index)}
    found = [bound]
    for mine, theirs in zip(children(old), children(expr), strict=True):
        found = [more for each in found for more in fits(mine, theirs, each, standing)]
    yield from found


def _rest_last(parts: tuple[Expr, ...]) -> tuple[Expr, ...]:
    """The terms of a pattern, behind them the name that takes what the others leave."""
    whole = next((part for part in parts if isinstance(part, Ref) and part.name in WHOLE), None)
    return parts if whole is None else (*(part for part in parts if part is not whole), whole)


def _chosen(
    kind: type[Add] | type[Mul],
    wanted: tuple[Expr, ...],
    items: tuple[Expr, ...],
    bound: Bindings,
    standing: Standing,
) -> Iterator[tuple[Bindings, tuple[Expr, ...]]]:
    """Terms or factors for those of a pattern, and what is left over."""
    if not wanted:
        yield bound, items
        return
    first, rest = wanted[0], wanted[1:]
    if not rest and isinstance(first, Ref) and first.name in WHOLE:
        own = items[0] if len(items) == 1 else kind(items)
        yield from ((each, ()) for each in (fits(first, own, bound, standing) if items else ()))
        return
    for place, item in enumerate(items):
        for each in fits(first, item, bound, standing):
            yield from _chosen(kind, rest, items[:place] + items[place + 1 :], each, standing)


def filled(new: Expr, bound: Bindings) -> Expr:
    """What is written in the place of a pattern; ``theta'`` is what ``theta`` is after the update."""

    def named(name: str) -> str:
        found = bound.get(unprimed(name))
        own = found.name if isinstance(found, Ref) else name
        return after(own) if is_after(name) and found is not None else own

    def rule(node: Expr) -> Expr | None:
        match node:
            case Ref(name, ()) if name in bound:
                return bound[name]
            case Ref(name, ()) if isinstance(found := bound.get(unprimed(name)), Ref):
                return replace(found, name=after(found.name))
            case Ref(name, ()) if isinstance(found := bound.get(after(name)), Ref):
                return replace(found, name=unprimed(found.name))
            case Ref(name, indices):
                return Ref(named(name), tuple(transform(part, rule) for part in indices))
            case Count(letter):
                return Count(named(letter))
            case Call(function, arguments) if isinstance(call := bound.get(function), Call):
                own = (transform(part, rule) for part in arguments)
                return replace(call, arguments=(*own, *call.arguments))
        if isinstance(node, REDUCTIONS):
            return replace(node, body=transform(node.body, rule), index=named(node.index))
        return None

    return transform(new, rule)
