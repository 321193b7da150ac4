"""The expression tree: ordered, unevaluated, immutable.

Everything else in the package reads this tree. ``w*x[i] + b`` stays ``w*x[i] + b``: nothing is
sorted, merged or evaluated here, because the order in which an author wrote a formula is the
order on the page. Sums and products are n-ary, differences are sums with a `Neg` term.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Number:
    """An exact rational; ``text`` is how it was written, and does not count for equality."""

    value: Fraction
    text: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Ref:
    """A quantity, or one entry of it: ``w``, ``x[i]``, ``W[j, k]``, ``x[i + 1]``.

    A ``padded`` read is 0 outside the array: ``pad(x[t + k - 2])``. ``at`` is the offset in the source
    text, for error messages; it does not count for equality.
    """

    name: str
    indices: tuple[Expr, ...] = ()
    at: int = field(default=-1, compare=False, repr=False)
    padded: bool = False


@dataclass(frozen=True, slots=True)
class Neg:
    """``-a``"""

    argument: Expr


@dataclass(frozen=True, slots=True)
class Add:
    """``a + b - c``; the difference is ``Add((a, b, Neg(c)))``."""

    terms: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Mul:
    """``a*b*c``"""

    factors: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Div:
    """``a/b``"""

    numerator: Expr
    denominator: Expr


@dataclass(frozen=True, slots=True)
class Pow:
    """``a**b``"""

    base: Expr
    exponent: Expr


@dataclass(frozen=True, slots=True)
class Call:
    """``sigmoid(z)``: a function of the catalogue."""

    function: str
    arguments: tuple[Expr, ...]
    at: int = field(default=-1, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Sum:
    """``sum(a, i)``: the sum of ``a`` over every value of the index ``i``."""

    body: Expr
    index: str


@dataclass(frozen=True, slots=True)
class Mean:
    """``mean(a, i)``: the sum of ``a`` over ``i``, divided by the number of values of ``i``."""

    body: Expr
    index: str


@dataclass(frozen=True, slots=True)
class Largest:
    """``largest(a, i)``: the largest value of ``a`` over every value of the index ``i``.

    A padded read outside its array takes no part. Among equal values the first is the chosen one.
    """

    body: Expr
    index: str


@dataclass(frozen=True, slots=True)
class Chosen:
    """1 where ``at`` is the value of ``index`` at which ``body`` is largest, the first of equals; else 0.

    The local slope of `Largest`: it passes its adjoint on to the chosen entry. It is never differentiated.
    """

    body: Expr
    index: str
    at: Expr


@dataclass(frozen=True, slots=True)
class Count:
    """``count(i)``: how many values the index ``i`` takes (the ``n`` in ``1/n``)."""

    index: str


@dataclass(frozen=True, slots=True)
class Derivative:
    """The derivative of ``body`` by the entry ``by``, not yet worked out (a line of a derivation)."""

    body: Expr
    by: Ref


Expr: TypeAlias = (
    Number | Ref | Neg | Add | Mul | Div | Pow | Call | Sum | Mean | Largest | Chosen | Count | Derivative
)
REDUCTIONS = (Sum, Mean, Largest)
BINDERS = (*REDUCTIONS, Chosen)

ONE = Number(Fraction(1))
ZERO = Number(Fraction(0))


def number(value: int | Fraction) -> Number:
    """The tree of an exact number."""
    return Number(Fraction(value))


def index(name: str) -> Ref:
    """The tree of an index variable, as it stands between the brackets of ``x[i]``."""
    return Ref(name)


def children(expr: Expr) -> tuple[Expr, ...]:
    """The direct parts of an expression, in the order in which they are written."""
    match expr:
        case Neg(a):
            return (a,)
        case Add(parts) | Mul(parts) | Call(_, parts):
            return parts
        case Div(a, b) | Pow(a, b):
            return (a, b)
        case Sum(a, _) | Mean(a, _) | Largest(a, _):
            return (a,)
        case Chosen(a, _, at):
            return (a, at)
        case Derivative(a, by):
            return (a, by)
        case Ref(_, indices):
            return indices
    return ()


def rebuild(expr: Expr, parts: tuple[Expr, ...]) -> Expr:
    """The same node over other parts: the inverse of `children`."""
    match expr:
        case Neg():
            return Neg(*parts)
        case Add():
            return Add(parts)
        case Mul():
            return Mul(parts)
        case Div():
            return Div(*parts)
        case Pow():
            return Pow(*parts)
        case Call():
            return replace(expr, arguments=parts)
        case Sum() | Mean() | Largest():
            return replace(expr, body=parts[0])
        case Chosen():
            return replace(expr, body=parts[0], at=parts[1])
        case Derivative():
            body, by = parts
            return Derivative(body, by) if isinstance(by, Ref) else expr
        case Ref():
            return replace(expr, indices=parts)
    return expr


def transform(expr: Expr, rule: Callable[[Expr], Expr | None]) -> Expr:
    """Rewrite from the top: where ``rule`` gives a tree it replaces the node, else descend."""
    found = rule(expr)
    if found is not None:
        return found
    parts = children(expr)
    new = tuple(transform(part, rule) for part in parts)
    return expr if all(a is b for a, b in zip(parts, new, strict=True)) else rebuild(expr, new)


def walk(expr: Expr) -> Iterator[Expr]:
    """The node and everything below it, from the left, parents first."""
    yield expr
    for part in children(expr):
        yield from walk(part)


def values(expr: Expr) -> Iterator[Expr]:
    """Like `walk`, but not into the brackets of a `Ref` or a `Chosen`: what is read as a number."""
    yield expr
    if not isinstance(expr, (Ref, Chosen)):
        for part in children(expr):
            yield from values(part)


def refs(expr: Expr) -> list[Ref]:
    """The entries that an expression reads, each once, in the order of first appearance."""
    return list(dict.fromkeys(node for node in values(expr) if isinstance(node, Ref)))


def has_reduction(expr: Expr) -> bool:
    """Whether a sum, a mean or a largest value over an index occurs in the expression."""
    return any(isinstance(node, REDUCTIONS) for node in values(expr))


def free_indices(expr: Expr, indices: frozenset[str] | set[str]) -> list[str]:
    """Those of ``indices`` that the expression uses and no sum or mean in it binds, in order."""
    match expr:
        case Ref(name, ()) if name in indices:
            return [name]
        case Sum(body, bound) | Mean(body, bound) | Largest(body, bound):
            return [name for name in free_indices(body, indices) if name != bound]
        case Chosen(body, bound, at):
            inside = [name for name in free_indices(body, indices) if name != bound]
            return list(dict.fromkeys([*inside, *free_indices(at, indices)]))
    found = [name for part in children(expr) for name in free_indices(part, indices)]
    return list(dict.fromkeys(found))


def rename_index(expr: Expr, names: Mapping[str, Expr]) -> Expr:
    """Put other index expressions in the place of free index variables; no name is captured."""

    def rule(node: Expr) -> Expr | None:
        if isinstance(node, Ref) and not node.indices:
            return names.get(node.name)
        return _rename_below(node, names) if isinstance(node, BINDERS) else None

    return transform(expr, rule) if names else expr


def _rename_below(node: Sum | Mean | Largest | Chosen, names: Mapping[str, Expr]) -> Expr:
    """A node that binds an index, with other indices renamed in it."""
    if isinstance(node, Chosen):
        node = replace(node, at=rename_index(node.at, names))
    inner = {name: new for name, new in names.items() if name != node.index}
    taken = {ref.name for new in inner.values() for ref in walk(new) if isinstance(ref, Ref)}
    if node.index in taken:
        other = twin_index(node.index, taken | {r.name for r in walk(node.body) if isinstance(r, Ref)})
        body = rename_index(node.body, {node.index: index(other)})
        return replace(node, body=rename_index(body, inner), index=other)
    return replace(node, body=rename_index(node.body, inner)) if inner else node


FRESH = "jrsuvpqabcdefghiotABCDEFGHIJKMOPQRSTUVW"  # n is the number of samples


def fresh_index(like: str, taken: set[str]) -> str:
    """An index name that is not taken, near the given one in the alphabet: ``k`` for ``i``."""
    nearby = {"i": "klm", "j": "lm", "k": "lm", "t": "suv"}.get(like, "klm")
    found = next((name for name in nearby + FRESH if name not in taken), None)
    if found is None:
        raise ValueError(f"no free index name near {like}")
    return found


def twin_index(like: str, taken: set[str]) -> str:
    """Another name for an index with the same range: ``p1`` for ``p``."""
    names = (f"{like[0]}{count}" for count in range(1, 1_000))
    return next(name for name in names if name not in taken)


def substitute(expr: Expr, mapping: Mapping[Expr, Expr]) -> Expr:
    """Replace whole subtrees; what was put in is not searched again."""
    return transform(expr, mapping.get)
