"""How many values each index takes, and affine index expressions such as ``2*t + k - 1``.

An index that some array is read with, alone between the brackets, runs along that axis. One that
stands only inside affine expressions takes as many values as keep every read inside its array: the
output of a convolution, ``h[t] = sum(w[k]*x[t + k - 1], k)``. What is said outright comes first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction

from derivations.language.errors import LanguageError
from derivations.language.products import product, total
from derivations.language.program import Program
from derivations.language.tree import (
    BINDERS,
    Add,
    Call,
    Expr,
    Mul,
    Neg,
    Number,
    Ref,
    number,
    transform,
    walk,
)


def affine(expr: Expr) -> dict[str, Fraction] | None:
    """The coefficient of each index in an index expression, its constant under ``""``; None if not affine."""
    match expr:
        case Number(value, _):
            return {"": value}
        case Ref(name, ()):
            return {name: Fraction(1)}
        case Neg(a):
            return None if (inner := affine(a)) is None else {k: -v for k, v in inner.items()}
        case Add(parts):
            return _added([affine(part) for part in parts])
        case Mul((Number(value, _), other)) | Mul((other, Number(value, _))):
            return None if (inner := affine(other)) is None else {k: value * v for k, v in inner.items()}
    return None


def whole_number(expr: Expr, env: Mapping[str, int], entry: Callable[[Ref], int | None]) -> int:
    """The whole number that an index expression is; ``entry`` gives that of a datum looked up there."""
    match expr:
        case Number(value, _) if value.denominator == 1:
            return int(value)
        case Ref(name, ()) if name in env:
            return env[name]
        case Neg(a):
            return -whole_number(a, env, entry)
        case Add(parts):
            return sum(whole_number(part, env, entry) for part in parts)
        case Mul((a, b)):
            return whole_number(a, env, entry) * whole_number(b, env, entry)
        case Ref() if (found := entry(expr)) is not None:
            return found
    raise LanguageError("an index must be a whole number", at=getattr(expr, "at", -1))


def _added(parts: list[dict[str, Fraction] | None]) -> dict[str, Fraction] | None:
    found: dict[str, Fraction] = {}
    for part in parts:
        if part is None:
            return None
        for name, value in part.items():
            found[name] = found.get(name, Fraction(0)) + value
    return found


def scaled(value: Fraction, name: str) -> Expr:
    """``value*name`` as an index expression; a number alone where there is no name."""
    size = number(abs(value))
    part = product(size, Ref(name)) if name else size
    return Neg(part) if value < 0 else part


def short(part: Expr) -> Expr:
    """An index expression as short as it can be: ``t`` for ``(t + 1) - 1``, ``3`` for ``2*2 - 1``."""
    form = affine(part)
    if form is None:
        return settled(part)
    letters = [scaled(value, name) for name, value in form.items() if name and value]
    constant = form.get("", Fraction(0))
    return total(*letters, *([scaled(constant, "")] if constant or not letters else []))


def settled(expr: Expr) -> Expr:
    """An expression whose reads have short index expressions."""

    def rule(node: Expr) -> Expr | None:
        if not isinstance(node, Ref) or all(map(is_letter, node.indices)):
            return None
        return replace(node, indices=tuple(map(short, node.indices)))

    return transform(expr, rule)


def extremes(form: Mapping[str, Fraction], sizes: Mapping[str, int]) -> tuple[Fraction, Fraction]:
    """The least and the greatest value of an affine form over the ranges of its indices."""
    low = high = Fraction(0)
    for name, value in form.items():
        ends = [value, value * sizes[name]] if name else [value, value]
        low, high = low + min(ends), high + max(ends)
    return low, high


def moving_letters(program: Program) -> set[str]:
    """The letters that stand inside index expressions: ``t`` and ``k`` of ``x[2*t + k - 1]``."""
    parts = [part for eq in program for ref in _refs(eq.body) for part in ref.indices]
    forms = [form for part in parts if not is_letter(part) and (form := affine(part)) is not None]
    return {name for form in forms for name in form if name}


def is_letter(part: Expr) -> bool:
    """Whether an index is a single letter."""
    return isinstance(part, Ref) and not part.indices


def sizes_of(
    program: Program, shapes: Mapping[str, tuple[int, ...]], given: Mapping[str, int] | None = None
) -> dict[str, int]:
    """How many values each index takes, from the shapes of the arrays that it runs along.

    ``given`` are ranges that the author states. An index without any range is left out; a twin, ``p1``,
    has the range of its index ``p``.
    """
    sizes, known = dict(given or {}), dict(shapes)
    moving = moving_letters(program) - set(sizes)
    twins = {name for name in moving | _bound(program) if name != twin_of(name)}
    moving -= twins
    own = {(eq.target.name, axis): part for eq in program for axis, part in enumerate(eq.target.indices)}
    before = (-1, -1)
    while before != (len(sizes), len(known)):
        before = (len(sizes), len(known))
        for eq in program:
            for part, extent in _plain_reads(eq.body, known):
                if part not in moving | twins:
                    sizes.setdefault(part, extent)
            _shape(eq.target, sizes, known)
        bounds = {name: _bounds(name, program, known, sizes, own) for name in sorted(moving - set(sizes))}
        closed = {name: min(found) for name, (found, open_) in bounds.items() if found and not open_}
        some = {name: min(found) for name, (found, _) in bounds.items() if found}
        sizes |= dict([*closed.items(), *some.items()][:1])  # what is sure first, then what an array says
        sizes |= {name: sizes[twin_of(name)] for name in twins if twin_of(name) in sizes}
    return sizes


def twin_of(name: str) -> str:
    """The index whose range another one has (`twin_index`); itself for one that is no twin."""
    return name[0]


def _bound(program: Program) -> set[str]:
    """The letters that something in a program binds."""
    return {node.index for eq in program for node in walk(eq.body) if isinstance(node, BINDERS)}


def _refs(body: Expr) -> Iterator[Ref]:
    return (node for node in walk(body) if isinstance(node, Ref) and node.indices)


def _plain_reads(body: Expr, known: Mapping[str, tuple[int, ...]]) -> Iterator[tuple[str, int]]:
    for ref in _refs(body):
        for part, extent in zip(ref.indices, known.get(ref.name, ()), strict=False):
            if isinstance(part, Ref) and not part.indices:
                yield part.name, extent


def _bounds(
    name: str,
    program: Program,
    known: Mapping[str, tuple[int, ...]],
    sizes: Mapping[str, int],
    own: Mapping[tuple[str, int], Expr],
) -> tuple[list[int], bool]:
    """How far an index may go in each read of it, and whether that is open for some read yet."""
    found: list[int] = []
    open_ = False
    for ref in (ref for eq in program for ref in _refs(eq.body)):
        for axis, part in enumerate(ref.indices):
            form = affine(part) or {}
            if ref.padded or form.get(name, 0) <= 0 or own.get((ref.name, axis)) == Ref(name):
                continue
            others = {key: value for key, value in form.items() if key != name}
            if ref.name not in known or any(key and key not in sizes for key in others):
                open_ = True
                continue
            found.append(int((known[ref.name][axis] - extremes(others, sizes)[1]) // form[name]))
    return found, open_


def _shape(target: Ref, sizes: Mapping[str, int], known: dict[str, tuple[int, ...]]) -> None:
    """The shape of a computed quantity, once the range of each of its indices is known."""
    extents = [sizes.get(part.name) for part in target.indices if isinstance(part, Ref)]
    plain = [extent for extent in extents if extent is not None]
    if len(plain) == len(target.indices):
        known.setdefault(target.name, tuple(plain))


def computed_shapes(program: Program, sizes: Mapping[str, int]) -> dict[str, tuple[int, ...]]:
    """The shapes of the quantities that one equation computes for every value of its indices."""
    found: dict[str, tuple[int, ...]] = {}
    names = [eq.target.name for eq in program]
    for target in (eq.target for eq in program if names.count(eq.target.name) == 1):
        _shape(target, sizes, found)
    return found


def looked_up(program: Program) -> set[str]:
    """The quantities that stand inside the brackets of others: ``token`` in ``E[token[i], k]``."""
    reads = [node for eq in program for node in walk(eq.body) if isinstance(node, Ref)]
    inside = [node for ref in reads for part in ref.indices for node in walk(part)]
    return {node.name for node in inside if isinstance(node, Ref)}


def compared(program: Program) -> set[str]:
    """The quantities that are compared with an index: ``y`` in ``same(k, y[i])``."""
    pairs = [node.arguments for eq in program for node in walk(eq.body) if isinstance(node, Call)]
    letters = {Ref(name) for name in program.indices}
    gates = [pair for pair in pairs if not letters.isdisjoint(pair)]
    return {part.name for pair in gates for part in pair if isinstance(part, Ref) and part.indices}
