"""Derivations line by line: a table of rules, each naming itself, applied one at a time.

A `Chain` is ``subject = line = line = …``. Every rule turns the first derivative that is not yet
worked out into something simpler and says why; the last line is the slope that SymPy found and the
programs use. The lines are claims: `derivations.language.proof` decides each of them.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from derivations.language.backward import Contribution, adjoint, contributions, instance
from derivations.language.products import factors, total
from derivations.language.program import Equation, Program, fresh_bounds, rewrite_reductions
from derivations.language.rules import Reason, differentiate, raw_product
from derivations.language.tree import (
    ONE,
    Derivative,
    Expr,
    Mul,
    Ref,
    Sum,
    children,
    free_indices,
    rebuild,
    refs,
    rename_index,
    substitute,
    values,
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a derivation, numbered through the page."""

    number: int
    expr: Expr
    reason: Reason


@dataclass(frozen=True, slots=True)
class Chain:
    """``subject = line = line = …``; all sides are equal."""

    subject: Expr
    lines: tuple[Line, ...]


def slope_lines(definition: Expr, by: Ref, final: Expr) -> Iterator[tuple[Expr, Reason]]:
    """The lines from ``d definition/d by`` to the slope that the programs use."""
    now: Expr = Derivative(definition, by)
    yield now, Reason("definition")
    while (node := _first_derivative(now)) is not None:
        new, reason = differentiate(node)
        now = _flatten(_replace_first(now, node, new))
        yield now, reason
    if now != final:
        yield final, Reason("collect")


def _first_derivative(expr: Expr) -> Derivative | None:
    return next((node for node in values(expr) if isinstance(node, Derivative)), None)


def _replace_first(expr: Expr, old: Derivative, new: Expr) -> Expr:
    return substitute(expr, {old: new})


def _flatten(expr: Expr) -> Expr:
    """Products inside products written flat, so that a factor drops into its place."""
    if isinstance(expr, Mul):
        return raw_product(*(_flatten(part) for part in expr.factors))
    if isinstance(expr, Ref):
        return expr
    return rebuild(expr, tuple(_flatten(part) for part in children(expr)))


def derive(program: Program, adjoints: Program, loss: str, parameters: tuple[str, ...]) -> tuple[Chain, ...]:
    """The whole derivation: local slopes first, then every adjoint by the chain rule.

    ``adjoints`` is the backward program that is used for the numbers; the last line of each
    adjoint's chain is its equation there, letter for letter.
    """
    paths = contributions(program, loss, parameters)
    book = _Book(program, loss, adjoints.targets, paths)
    for name in [*program.targets, *parameters]:
        own = [part for part in paths if part.by.name == name]
        if own:
            book.adjoint(name, own, adjoints.targets[adjoint(loss, name)])
    return tuple(book.chains)


class _Book:
    """The chains so far, with the numbers of the lines in which results stand."""

    def __init__(
        self, program: Program, loss: str, adjoints: dict[str, Equation], paths: list[Contribution]
    ) -> None:
        self.program, self.loss, self.adjoints, self.paths = program, loss, adjoints, paths
        self.chains: list[Chain] = []
        self.results: dict[str, int] = {}
        self.number = 0

    def adjoint(self, name: str, paths: list[Contribution], equation: Equation) -> None:
        if len(paths) == 1 and paths[0].outer == ONE:
            self.chain(
                equation.target, self.local(Derivative(Ref(self.loss), paths[0].by), paths[0], equation.body)
            )
        else:
            used = [self.slope(path) for path in paths]
            self.chain(equation.target, self.chain_rule(name, paths, equation, used))
        self.results[equation.target.name] = self.number

    def chain(self, subject: Expr, lines: Iterator[tuple[Expr, Reason]]) -> None:
        found = []
        for expr, reason in lines:
            self.number += 1
            found.append(Line(self.number, expr, reason))
        self.chains.append(Chain(subject, tuple(found)))

    def local(self, subject: Derivative, path: Contribution, final: Expr) -> Iterator[tuple[Expr, Reason]]:
        """The lines below a subject; one that is written out already needs no definition."""
        if not isinstance(subject.body, Ref):
            return itertools.islice(slope_lines(subject.body, path.by, final), 1, None)
        return slope_lines(fresh_bounds(path.through.body, self.taken(path)), path.by, final)

    def taken(self, path: Contribution) -> set[str]:
        parts = (*path.by.indices, *path.through.target.indices)
        return {name for part in parts for name in free_indices(part, self.program.indices)}

    def subject(self, path: Contribution) -> Derivative:
        """What a path's local slope is the slope of, as it is written."""
        return local_subject(path, self.paths, self.taken(path))

    def slope(self, path: Contribution) -> int:
        """The chain of a path's local slope; the number of its last line."""
        subject = self.subject(path)
        if all(chain.subject != subject for chain in self.chains):
            self.chain(subject, self.local(subject, path, path.local))
            self.results[str(subject)] = self.number
        return self.results[str(subject)]

    def chain_rule(
        self, name: str, paths: list[Contribution], equation: Equation, used: list[int]
    ) -> Iterator[tuple[Expr, Reason]]:
        through = tuple(path.through.target for path in paths)
        yield (
            total(*(self.unworked(path, equation.target) for path in paths)),
            Reason("chain", (Ref(name), *through)),
        )
        kept = refs(equation.body)
        outers = [path.outer for path in paths if isinstance(path.outer, Ref) and path.outer not in kept]
        lines = tuple(dict.fromkeys((*(self.results[outer.name] for outer in outers), *used)))
        raw = total(*(self.put_in(path, equation) for path in paths))
        if not _same_factors(raw, equation.body):
            yield raw, Reason("put_in", (), lines)
            yield equation.body, Reason("front")
        else:
            yield equation.body, Reason("put_in", (), lines)

    def put_in(self, path: Contribution, equation: Equation) -> Expr:
        """A path with its slope, and the adjoint that the final equation does not keep, put in."""
        outer = path.outer
        new = _renaming(path, equation.target)
        if isinstance(outer, Ref) and rename_index(outer, new) not in refs(equation.body):
            outer = instance(self.adjoints[outer.name], outer)
        result = rename_index(raw_product(outer, path.local), new)
        return _summed(result, path.along)

    def unworked(self, path: Contribution, target: Ref) -> Expr:
        new = _renaming(path, target)
        slope: Expr = self.subject(path)
        result = slope if path.outer == ONE else Mul((path.outer, slope))
        return _summed(rename_index(result, new), path.along)


def local_subject(path: Contribution, paths: list[Contribution], taken: set[str]) -> Derivative:
    """``∂target/∂by``, or ``∂/∂by`` of the term alone where that symbol means something else.

    ``∂L/∂w`` is the whole gradient: where the loss reads ``w`` beside other ways from ``w`` to the
    loss, and where an equation reads a quantity in several terms, each term is written out.
    """
    others = [other for other in paths if other.by.name == path.by.name]
    same = [other for other in others if other.through == path.through]
    if len(same) > 1 or (path.outer == ONE and len(others) > 1):
        return Derivative(fresh_bounds(rewrite_reductions(path.term), taken), path.by)
    return Derivative(path.through.target, path.by)


def _summed(expr: Expr, over: tuple[str, ...]) -> Expr:
    for bound in reversed(over):
        expr = Sum(expr, bound)
    return expr


def _same_factors(a: Expr, b: Expr) -> bool:
    """Whether two products under the same sums differ in the order of their factors only."""
    while isinstance(a, Sum) and isinstance(b, Sum) and a.index == b.index:
        a, b = a.body, b.body
    return sorted(map(repr, factors(a))) == sorted(map(repr, factors(b)))


def _renaming(path: Contribution, target: Ref) -> dict[str, Expr]:
    pairs = zip(path.by.indices, target.indices, strict=True)
    return {a.name: b for a, b in pairs if isinstance(a, Ref)}


def local_slopes(
    program: Program, loss: str, parameters: Iterable[str]
) -> list[tuple[Equation, Derivative, Expr]]:
    """Every local slope with its equation and the way it is written: ``∂ŷ_i/∂w = x_i``."""
    paths = contributions(program, loss, parameters)
    found = []
    for path in paths:
        parts = (*path.by.indices, *path.through.target.indices)
        taken = {name for part in parts for name in free_indices(part, program.indices)}
        found.append((path.through, local_subject(path, paths, taken), path.local))
    return found
