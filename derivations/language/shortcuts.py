"""Textbook short cuts put to use: recognized by their formulas, proved, and then stated as one line."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from derivations.catalogue import functions
from derivations.catalogue.shortcuts import SHORTCUTS, Shortcut
from derivations.language.names import adjoint
from derivations.language.parser import Assignment, parse, parse_program
from derivations.language.program import Equation, Program, Term, normal_form
from derivations.language.ranges import is_letter
from derivations.language.symbolic import Atoms, is_zero, to_sympy
from derivations.language.tree import (
    REDUCTIONS,
    Add,
    Count,
    Expr,
    Mean,
    Number,
    Ref,
    Sum,
    index,
    refs,
    rename_index,
    substitute,
    transform,
    values,
)

# --- Recognizing a formula: which quantities play which part, proved equal by SymPy -----------


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


EPS, OWN, FRESH = Ref("eps"), "own ", "klmjpqrsuvabcdefghio"


@dataclass(frozen=True)
class Found:
    """A row that a model fits: the equation that it states, and what must hold of the data."""

    row: Shortcut
    equation: Equation
    condition: tuple[Expr, Expr] | None
    between: frozenset[str]  # the quantities that it steps over, whose adjoints need not be told


@dataclass(frozen=True)
class _Form:
    """A row with its formulas as trees."""

    row: Shortcut
    lines: tuple[Assignment, ...]
    of: Ref
    slope: Expr


@dataclass(frozen=True)
class _Fit:
    """What the names and the letters of a row stand for, and which equations it covers."""

    names: Mapping[str, str]
    letters: Mapping[str, str]
    covered: tuple[str, ...]
    eps: Expr = EPS


def find(program: Program, loss: str, letters: set[str]) -> list[Found]:
    """The short cuts of a model, at most one for each quantity. New letters are added to ``letters``."""
    found: dict[str, Found] = {}
    fresh: dict[str, str] = {letter: letter for letter in letters}
    for row in SHORTCUTS:
        for form in _forms(row):
            for fit in _fits(form, program, loss):
                stated = _stated(form, fit, program, loss, fresh)
                found.setdefault(stated.equation.target.name, stated)
    letters |= set(fresh.values())
    return list(found.values())


def _forms(row: Shortcut) -> Iterator[_Form]:
    """The row as trees, with no, one, two or three indices in the place of its leading letter."""
    lines = tuple(parse_program(text, functions.NAMES)[0] for text in row.equations)
    of, slope = parse(row.of), parse(row.slope, functions.NAMES)
    for lead in ("", "i", "ih", "ihg") if row.lead else (None,):

        def rule(node: Expr, lead: str | None = lead) -> Expr | None:
            if (
                lead is None
                or not isinstance(node, Ref)
                or not node.indices
                or node.indices[0] != Ref(row.lead)
            ):
                return None
            return Ref(node.name, (*map(Ref, lead), *node.indices[1:]))

        moved = tuple(_moved(line, rule) for line in lines)
        target = transform(of, rule)
        assert isinstance(target, Ref)
        yield _Form(row, moved, target, transform(slope, rule))


def _moved(line: Assignment, rule: Callable[[Expr], Expr | None]) -> Assignment:
    target = transform(line.target, rule)
    assert isinstance(target, Ref)
    return Assignment(target, transform(line.body, rule))


def _fits(form: _Form, program: Program, loss: str) -> Iterator[_Fit]:
    lines = form.lines
    last = lines[-1]
    for eq in program:
        if last.target.name == "L" and eq.target.name != loss:
            continue
        for eps in _numbers_for_eps(last.body, eq.body):
            body = substitute(last.body, {EPS: eps})
            fit = _extended(_Fit({}, {}, (), eps), Assignment(last.target, body), eq)
            fit = _all(fit, lines[:-1], program) if fit else None
            if fit and _is_closed(form, fit, program):
                yield fit


def _numbers_for_eps(pattern: Expr, body: Expr) -> Iterator[Expr]:
    """``eps`` as a quantity of the author's, or as a number written in its place."""
    yield EPS
    if EPS in refs(pattern):
        yield from dict.fromkeys(node for node in values(body) if isinstance(node, Number))


def _all(fit: _Fit, lines: tuple[Assignment, ...], program: Program) -> _Fit | None:
    """The fit extended to the other equations of a row, from the last to the first."""
    for line in reversed(lines):
        own = [eq for eq in program if eq.target.name == fit.names.get(line.target.name)]
        extended = _extended(fit, line, own[0]) if len(own) == 1 else None
        if extended is None:
            return None
        fit = extended
    return fit


def _extended(fit: _Fit, line: Assignment, eq: Equation) -> _Fit | None:
    """The fit with one more equation of the row, if the formulas and all names and letters agree."""
    if len(line.target.indices) != len(eq.target.indices) or not all(map(is_letter, eq.target.indices)):
        return None
    parts = match(line.body, eq.body)
    if parts is None:
        return None
    reads = {ref.name: ref for ref in refs(line.body)}
    pairs = [(line.target, eq.target), *((reads[name], ref) for name, ref in parts.items())]
    names, letters = dict(fit.names), dict(fit.letters)
    bound = {node.index for node in values(line.body) if isinstance(node, REDUCTIONS)}
    for mine, theirs in pairs:
        if names.setdefault(mine.name, theirs.name) != theirs.name:
            return None
        for a, b in zip(mine.indices, theirs.indices, strict=True):
            assert isinstance(a, Ref)
            assert isinstance(b, Ref)
            if a.name not in bound and letters.setdefault(a.name, b.name) != b.name:
                return None
    return _Fit(names, letters, (*fit.covered, eq.target.name), fit.eps)


def _is_closed(form: _Form, fit: _Fit, program: Program) -> bool:
    """Whether ``of`` and what lies between act on the loss through the covered equations only."""
    outer = {fit.names[name] for name in form.row.adjoints.values()}
    inside = {fit.names[form.of.name], *fit.covered} - outer
    readers = {eq.target.name for eq in program if any(ref.name in inside for ref in refs(eq.body))}
    return readers <= set(fit.covered)


def _stated(form: _Form, fit: _Fit, program: Program, loss: str, fresh: dict[str, str]) -> Found:
    row = form.row
    target = _renamed(form.of, fit, row, loss)
    assert isinstance(target, Ref)
    slope = _fresh_bounds(_renamed(_own_bounds(form.slope), fit, row, loss), fit, program, fresh)
    condition = None
    if row.condition:
        left, _, right = row.condition.partition("=")
        condition = _renamed(parse(left), fit, row, loss), parse(right)
    between = {*fit.covered, loss} - {fit.names[name] for name in row.adjoints.values()}
    stated = Equation(Ref(adjoint(loss, target.name), target.indices), slope)
    return Found(row, stated, condition, frozenset(between))


def _own_bounds(expr: Expr) -> Expr:
    """The sums of a row over names that no model has."""

    def rule(node: Expr) -> Expr | None:
        if not isinstance(node, REDUCTIONS):
            return None
        own = f"{OWN}{node.index}"
        return type(node)(transform(rename_index(node.body, {node.index: index(own)}), rule), own)

    return transform(expr, rule)


def _fresh_bounds(expr: Expr, fit: _Fit, program: Program, fresh: dict[str, str]) -> Expr:
    """Sums over letters that stand for nothing else; their ranges are those of the arrays that they read.

    Rows that fit the same letters of the model, as those of several layers, share their new ones.
    """
    taken = {*program.targets, *program.inputs, *program.indices}

    def rule(node: Expr) -> Expr | None:
        if not isinstance(node, REDUCTIONS) or not node.index.startswith(OWN):
            return None
        key = " ".join([node.index, *sorted(f"{mine}{theirs}" for mine, theirs in fit.letters.items())])
        if key not in fresh:
            fresh[key] = next(other for other in FRESH if other not in taken | set(fresh.values()))
        body = rename_index(node.body, {node.index: index(fresh[key])})
        return type(node)(transform(body, rule), fresh[key])

    return transform(expr, rule)


def _renamed(expr: Expr, fit: _Fit, row: Shortcut, loss: str) -> Expr:
    """A formula of the row in the names and letters of the model."""

    def known(name: str) -> str:
        return (
            adjoint(loss, fit.names[row.adjoints[name]])
            if name in row.adjoints
            else fit.names.get(name, name)
        )

    def rule(node: Expr) -> Expr | None:
        match node:
            case Ref("eps", ()) if isinstance(fit.eps, Number):
                return fit.eps
            case Ref(name, ()) if name in fit.letters:
                return index(fit.letters[name])
            case Ref(name, indices):
                return Ref(known(name), tuple(transform(part, rule) for part in indices))
            case Count(name):
                return Count(fit.letters.get(name, name))
            case Sum(body, bound) | Mean(body, bound):
                return type(node)(transform(body, rule), fit.letters.get(bound, bound))
        return None

    return transform(expr, rule)


def state(adjoints: Program, found: list[Found], letters: set[str]) -> Program:
    """The backward program with the stated equations in the place of those that they shorten."""
    stated = {each.equation.target.name: each.equation for each in found}
    equations = tuple(stated.get(eq.target.name, eq) for eq in adjoints)
    return Program(equations, frozenset(adjoints.indices | letters))
