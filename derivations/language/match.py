"""Recognizing a formula: which quantities play which part, proved equal by SymPy.

``mean((a[i] - b[i])**2, i)`` is found in ``sum((y[k] - p[k])**2, k)/count(k)`` with ``a`` as
``y``, because the two are equal as mathematics, in whatever order they are written.
"""

from __future__ import annotations

from collections.abc import Iterator

from derivations.language.program import Term, normal_form
from derivations.language.ranges import is_letter
from derivations.language.symbolic import Atoms, to_sympy
from derivations.language.tree import (
    Add,
    Count,
    Expr,
    Number,
    Ref,
    refs,
    substitute,
    transform,
    values,
)
from derivations.language.vanishing import is_zero


def match(pattern: Expr, expr: Expr) -> dict[str, Ref] | None:
    """The entry that each name of the pattern stands for, or None if the formulas differ: see `matches`."""
    return next(matches(pattern, expr), None)


def matches(pattern: Expr, expr: Expr) -> Iterator[dict[str, Ref]]:
    """Every way in which entries stand for the names of the pattern; none if the formulas differ.

    The first names of the pattern are tried on the first entries of the expression first, so
    that in symmetric formulas the order in which they are written decides.
    """
    theirs, ours = normal_form(pattern), normal_form(expr)
    if [len(t.over) for t in theirs] != [len(t.over) for t in ours]:
        return
    names, candidates = refs(pattern_body(theirs)), refs(pattern_body(ours))
    if len(names) != len(candidates):
        return
    for chosen in _bindings(names, candidates):
        if all(_same(a, b, chosen) for a, b in zip(theirs, ours, strict=True)):
            yield {ref.name: found for ref, found in chosen.items()}


def pattern_body(terms: tuple[Term, ...]) -> Expr:
    """All bodies side by side, to list what they read."""
    return Add(tuple(term.pointwise for term in terms))


def _bindings(names: list[Ref], candidates: list[Ref]) -> Iterator[dict[Ref, Ref]]:
    if not names:
        yield {}
        return
    first, *rest = names
    for found in candidates:
        if (
            len(found.indices) == len(first.indices)
            and not found.padded
            and all(map(is_letter, found.indices))
        ):
            for tail in _bindings(rest, [other for other in candidates if other != found]):
                yield {first: found, **tail}


def _same(theirs: Term, ours: Term, chosen: dict[Ref, Ref]) -> bool:
    indices = {a: b for p, e in chosen.items() for a, b in zip(p.indices, e.indices, strict=True)}
    bound = {a: Ref(b) for a, b in zip(theirs.over, ours.over, strict=True)}
    known = {a.name: b for a, b in indices.items() if isinstance(a, Ref)} | bound
    if not _one_to_one(theirs, ours, chosen):
        return False
    pattern = _rename_counts(substitute(theirs.pointwise, dict(chosen.items())), known)
    if not _alike(pattern, ours.pointwise):
        return False
    atoms = Atoms(pattern, ours.pointwise)
    return is_zero(to_sympy(pattern, atoms) - to_sympy(ours.pointwise, atoms))


def _one_to_one(theirs: Term, ours: Term, chosen: dict[Ref, Ref]) -> bool:
    """Whether each letter of the pattern stands for one letter: ``W[j, k]*x[k]`` is not ``V[k, j]*x[k]``."""
    read = set(refs(theirs.pointwise))
    pairs = {pair for p, e in chosen.items() if p in read for pair in zip(p.indices, e.indices, strict=True)}
    pairs |= {(Ref(a), Ref(b)) for a, b in zip(theirs.over, ours.over, strict=True)}
    return len({a for a, _ in pairs}) == len(pairs) == len({b for _, b in pairs})


def _rename_counts(expr: Expr, known: dict[str, Expr]) -> Expr:
    def rule(node: Expr) -> Expr | None:
        if isinstance(node, Count) and isinstance(new := known.get(node.index), Ref):
            return Count(new.name)
        return None

    return transform(expr, rule)


def _alike(a: Expr, b: Expr) -> bool:
    """A cheap test before SymPy is asked: the same entries and a nearby number of nodes."""
    if set(refs(a)) != set(refs(b)):
        return False
    sizes = [sum(not isinstance(node, Number) for node in values(expr)) for expr in (a, b)]
    return max(sizes) <= 3 * min(sizes)
