"""How a line is written, as a value that can be compared: what counts as the same, and what does not.

`written` forgets brackets, factors of 1 and the names of bound letters. What else may differ is asked
for by name, from `ORDERED`, which keeps the order of factors and terms, to `PULLED`, which takes what is
free of the index out of a sum. Nothing here knows how a derivation is made.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

from derivations.language.ranges import affine
from derivations.language.tree import (
    BINDERS,
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
    children,
    free_indices,
    index,
    rebuild,
    rename_index,
    values,
    walk,
)

Shape: TypeAlias = Hashable
UNIT, NOTHING = Number(Fraction(1)), Number(Fraction(0))
MINUS, ZERO = ("number", Fraction(-1)), ("number", Fraction(0))
ONES = (("number", Fraction(1)), ("below", ("number", Fraction(1))))


@dataclass(frozen=True)
class Freedom:
    """What may differ between two lines that count as the same."""

    order: bool = True
    constants: bool = False
    pulled: bool = False


ORDERED, BAGS = Freedom(order=False), Freedom()
CONSTANTS = Freedom(constants=True)
PULLED = Freedom(constants=True, pulled=True)


def same(a: Expr, b: Expr, free: Freedom = BAGS) -> bool:
    """Whether two expressions are written alike up to a freedom."""
    return written(a, free) == written(b, free)


def written(expr: Expr, free: Freedom = BAGS) -> Shape:
    """The shape of an expression up to a freedom."""
    return _shape(pulled(expr) if free.pulled else expr, free)


def _shape(expr: Expr, free: Freedom) -> Shape:
    match expr:
        case Number(value, _):
            return ("number", value)
        case Count(name):
            return ("count", name)
        case Ref(name, indices, _, padded):
            return ("entry", name, padded, *map(_place, indices))
        case Add():
            return _sum([_shape(part, free) for part in terms(expr)], free)
        case Pow(a, b) if (exponent := affine(b)) is not None and set(exponent) <= {""}:
            power = exponent.get("", Fraction(0))
            return _shape(a, free) if power == 1 else ("power", _shape(a, free), power)
        case Sum(a, bound):
            return ("sum", _under(a, bound, free))
        case Mul() | Neg() | Div() | Mean():
            return _product([_factor(part, free) for part in factors(expr)], free)
        case Largest(a, bound):
            return ("largest", _under(a, bound, free))
        case Chosen(a, bound, at):
            return ("chosen", _under(a, bound, free), _shape(at, free))
    kind = expr.function if isinstance(expr, Call) else type(expr).__name__
    return (kind, *(_shape(part, free) for part in children(expr)))


def _place(part: Expr) -> Shape:
    """An index, whatever the order in which ``2*t + k - 1`` is written."""
    form = affine(part)
    if form is None:
        return _shape(part, BAGS)
    return frozenset((name, value) for name, value in form.items() if value)


def _under(body: Expr, bound: str, free: Freedom) -> Shape:
    """What a letter is bound in, with a name in its place that only tells how deep it is."""
    depth = sum(isinstance(node, BINDERS) for node in walk(body))
    return _shape(rename_index(body, {bound: index(f"bound {depth}")}), free)


def _factor(part: Expr, free: Freedom) -> Shape:
    """A factor as its bag keeps it; one below the bar is marked."""
    if isinstance(part, Div):
        return ("below", _shape(part.denominator, free))
    return MINUS if part == Neg(UNIT) else _shape(part, free)


def _sum(parts: list[Shape], free: Freedom) -> Shape:
    flat = [inner for part in parts for inner in _inner_terms(part)]
    kept = [part for part in flat if part != ZERO]
    if len(kept) < 2:
        return kept[0] if kept else ZERO
    return _together("terms", kept, free)


def _inner_terms(part: Shape) -> list[Shape]:
    """The terms of a bracket that stands in a sum, as ``1 (a + b) + c`` has it."""
    if not isinstance(part, tuple) or part[0] != "terms":
        return [part]
    inner = part[1]
    if isinstance(inner, frozenset):
        return [shape for shape, times in inner for _ in range(times)]
    return list(inner)


def _product(parts: list[Shape], free: Freedom) -> Shape:
    if ZERO in parts:
        return ZERO
    kept = [part for part in parts if part not in ONES]
    if free.constants:
        kept = _merged(kept)
    if len(kept) == 1:
        return kept[0]
    return _together("factors", kept, free) if kept else ("number", Fraction(1))


def _merged(parts: list[Shape]) -> list[Shape]:
    """Numbers worked together, and counts that stand above and below cancelled."""
    value, counts, rest = Fraction(1), Counter[Shape](), list[Shape]()
    for part in parts:
        assert isinstance(part, tuple)
        below = part[0] == "below"
        inner = part[1] if below else part
        if inner[0] == "number" and inner[1]:
            value = value / inner[1] if below else value * inner[1]
        elif inner[0] == "count":
            counts[inner] += -1 if below else 1
        else:
            rest.append(part)
    head: list[Shape] = [] if value == 1 else [("number", value)]
    return [*head, *(pair for pair in counts.items() if pair[1]), *rest]


def _together(kind: str, parts: Iterable[Shape], free: Freedom) -> Shape:
    return (kind, frozenset(Counter(parts).items()) if free.order else tuple(parts))


def terms(expr: Expr) -> Iterator[Expr]:
    """The terms of a sum without its inner brackets."""
    match expr:
        case Add(parts):
            for part in parts:
                yield from terms(part)
        case _:
            yield expr


def factors(expr: Expr) -> list[Expr]:
    """The factors of a product without its brackets: what stands below the bar as ``1/f``, a sign as −1."""
    match expr:
        case Mul(parts):
            return [found for part in parts for found in factors(part)]
        case Neg(a):
            return [Neg(UNIT), *(found for found in factors(a) if found != UNIT)]
        case Div(a, b):
            below = [_turned(part) for part in factors(b)]
            return [*(found for found in factors(a) if found != UNIT), *below]
        case Mean(a, bound):
            return [Div(UNIT, Count(bound)), *factors(Sum(a, bound))]
        case Pow(a, b) if affine(b) == {"": Fraction(1)}:
            return factors(a)
    return [expr]


def _turned(part: Expr) -> Expr:
    """``1/f`` as a factor; −1 stays, and what is below twice is above."""
    if part == Neg(UNIT):
        return part
    return part.denominator if isinstance(part, Div) else Div(UNIT, part)


def pulled(expr: Expr) -> Expr:
    """The expression with all that is free of the index of a sum in front of it."""
    if isinstance(expr, (Ref, Derivative)):
        return expr
    plain = rebuild(expr, tuple(map(pulled, children(expr))))
    if isinstance(plain, Mean):
        plain = Mul((Div(UNIT, Count(plain.index)), Sum(plain.body, plain.index)))
        return Mul((plain.factors[0], pulled(plain.factors[1])))
    if not isinstance(plain, Sum):
        return plain
    inside = [part for part in factors(plain.body) if free_indices(part, {plain.index})]
    outside = [part for part in factors(plain.body) if not free_indices(part, {plain.index})]
    if not inside or not outside:
        return plain
    return Mul((*outside, Sum(multiplied(inside), plain.index)))


def derivatives(expr: Expr) -> list[Derivative]:
    """The derivatives in an expression that are not worked out yet, each once."""
    return list(dict.fromkeys(node for node in values(expr) if isinstance(node, Derivative)))


def mentions(expr: Expr, name: str) -> bool:
    """Whether an entry of a quantity is read."""
    return any(isinstance(node, Ref) and node.name == name for node in walk(expr))


def settled(expr: Expr) -> Expr:
    """The derivative of an entry by itself is 1, that of what does not read it 0; signs stand before it."""
    match expr:
        case Derivative(Ref() as body, by):
            return UNIT if same(body, by) else NOTHING
        case Derivative(Neg(body), by):
            return Neg(settled(Derivative(body, by)))
        case Derivative(body, by):
            return expr if mentions(body, by.name) else NOTHING
        case Ref():
            return expr
        case Add(parts):
            return added([settled(part) for part in parts])
    return rebuild(expr, tuple(map(settled, children(expr))))


def added(parts: list[Expr]) -> Expr:
    """The sum of what is not written 0."""
    kept = tuple(part for part in parts if written(part) != ZERO)
    return Add(kept) if len(kept) > 1 else kept[0] if kept else NOTHING


def multiplied(parts: list[Expr]) -> Expr:
    """The product of some factors, a sign in front of it."""
    if Neg(UNIT) in parts:
        at = parts.index(Neg(UNIT))
        return Neg(multiplied(parts[:at] + parts[at + 1 :]))
    return Mul(tuple(parts)) if len(parts) > 1 else parts[0] if parts else UNIT
