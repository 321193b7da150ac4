"""Derivations line by line: a table of rules, each naming itself, applied one at a time.

A `Chain` is ``subject = line = line = …``. Every rule turns the first derivative that is not yet
worked out into something simpler and says why; the last line is the slope that SymPy found and the
programs use. The lines are claims: `derivations.language.prover` decides each of them.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

from derivations.language.backward import Contribution, contributions, instance
from derivations.language.contributions import reduce
from derivations.language.names import adjoint
from derivations.language.products import is_coefficient, product, total
from derivations.language.program import Equation, Program, fresh_bounds, rewrite_reductions
from derivations.language.rules import Reason, differentiate, raw_product
from derivations.language.shortcuts import Found
from derivations.language.tree import (
    BINDERS,
    ONE,
    Add,
    Call,
    Derivative,
    Div,
    Expr,
    Mul,
    Neg,
    Number,
    Ref,
    Sum,
    children,
    rebuild,
    refs,
    rename_index,
    substitute,
    values,
    walk,
)
from derivations.language.ways import Fits, Way, fits_by_letters, is_plain, way_to

T = TypeVar("T")


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


def grouped(items: Iterable[T], key: Callable[[T], str]) -> dict[str, list[T]]:
    """Things by a key, each group in order."""
    found: dict[str, list[T]] = {}
    for item in items:
        found.setdefault(key(item), []).append(item)
    return found


def slope_lines(
    definition: Expr, by: Ref, final: Expr, named: Equation | None = None
) -> Iterator[tuple[Expr, Reason]]:
    """The lines from ``d definition/d by`` to the slope that the programs use.

    There a value of a function may stand by its name, that of the equation ``named``.
    """
    now: Expr = Derivative(definition, by)
    yield now, Reason("definition", (named.target,) if named else ())
    while (node := _first_derivative(now)) is not None:
        new, reason = differentiate(node)
        now = _flatten(_replace_first(now, node, new))
        yield now, reason
    if named is not None and isinstance(named.body, Call) and named.target in refs(final):
        before, now = now, substitute(now, {_flatten(named.body): named.target})
        if now != before:
            whole = final if rearranged(now, final) else now
            yield whole, Reason("called", (named.body, named.target))
            now = whole
    if now != final:
        yield final, tidying(now, final)


# --- What a line does that differentiates nothing ------------------------------------------------------


def tidying(now: Expr, final: Expr) -> Reason:
    """How a line that is worked out becomes the one that the programs use."""
    if unlettered(now) == unlettered(final):
        return Reason("letter")
    if rule := rearranged(now, final):
        return Reason(rule)
    moved = _key(_merged(now)) != _key(_merged(final)) and _key(_pulled(now)) == _key(_pulled(final))
    return Reason("front" if moved else "simplify" if _size(final) < _size(now) else "rewrite")


def rearranged(now: Expr, final: Expr) -> str:
    """``order``, ``sign`` or ``collect`` where nothing else has changed, else nothing."""
    if _key(now) == _key(final):
        return "order"
    if _key(_merged(now)) != _key(_merged(final)):
        return ""
    if _constants(now) > _constants(final):
        return "collect"
    return "sign" if _signs(now) == _signs(final) > 0 else ""


def _key(expr: Expr) -> str:
    """An expression up to the order of its factors and terms."""
    whole = _flatten(expr) if isinstance(expr, Mul) else expr
    parts = [_key(part) for part in children(whole)]
    if isinstance(expr, Number):
        return str(expr.value)
    said = (getattr(expr, what, "") for what in ("name", "padded", "function", "index"))
    kept = sorted(parts) if isinstance(expr, (Add, Mul)) else parts
    return f"{type(expr).__name__} {' '.join(map(str, said))} {kept}"


def _merged(expr: Expr) -> Expr:
    """Numbers worked together in every product, and signs in front."""
    match expr:
        case Add(parts):
            return total(*map(_merged, parts))
        case Mul(parts):
            return product(*map(_merged, parts))
        case Neg(a):
            return product(Neg(_merged(a)))
        case Sum(a, bound):
            return Sum(_merged(a), bound)
        case Div(Neg(a), b):
            return Neg(Div(a, b))
        case Div(a, b) if is_coefficient(b) and not is_coefficient(a):
            return product(Div(ONE, b), _merged(a))
    return expr


def _pulled(expr: Expr) -> Expr:
    """Everything that does not depend on the index of a sum in front of it."""
    if isinstance(expr, Sum):
        return reduce(_pulled(expr.body), (expr.index,))
    parts = tuple(map(_pulled, children(expr))) if isinstance(expr, (Add, Mul, Neg)) else ()
    return _merged(rebuild(expr, parts)) if parts else expr


def _constants(expr: Expr) -> int:
    """How many parts are made of numbers and counts only, each as large as it can be, but for 1 and −1."""
    if expr in (ONE, Neg(ONE)):
        return 0
    if is_coefficient(expr) and not isinstance(expr, Mul):
        return 1
    return 0 if isinstance(expr, Ref) else sum(map(_constants, children(expr)))


def _size(expr: Expr) -> int:
    """Of how many parts an expression is made; the sign of a part is no part."""
    return sum(not isinstance(node, Neg) for node in walk(expr))


def _signs(expr: Expr) -> int:
    return sum(isinstance(node, Neg) for node in values(expr))


def unlettered(expr: Expr, depth: int = 0) -> Expr:
    """The expression with bound letters that only tell how deep they are."""
    if isinstance(expr, BINDERS):
        expr = replace(expr, body=rename_index(expr.body, {expr.index: Ref(f"{depth}")}), index=f"{depth}")
        depth += 1
    return rebuild(expr, tuple(unlettered(part, depth) for part in children(expr)))


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


def derive(
    program: Program,
    adjoints: Program,
    loss: str,
    parameters: tuple[str, ...],
    fits: Fits | None = None,
    stated: Iterable[Found] = (),
) -> tuple[Chain, ...]:
    """The whole derivation: local slopes first, then every adjoint by the chain rule.

    The adjoints that a short cut states are told in one line, and what it steps over is not told.

    ``adjoints`` is the backward program that is used for the numbers; the last line of each
    adjoint's chain is its equation there, letter for letter.
    """
    fits = fits or fits_by_letters(program)
    book = _Book(program, loss, adjoints, contributions(program, loss, parameters))
    words = {each.equation.target.name: each.row.rule for each in stated}
    over = {name for each in stated for name in each.between}
    for name in [*program.targets, *parameters]:
        if name in over:
            continue
        own = book.paths.get(name, [])
        for equation in book.equations.get(adjoint(loss, name), ()) if own else ():
            target = Ref(name, equation.target.indices)
            found = (way_to(part, target, program, fits) for part in own)
            ways = [way for way in found if way is not None]
            if equation.target.name in words:
                book.chain(
                    equation.target,
                    iter([(equation.body, Reason("shortcut", words=words[equation.target.name]))]),
                )
                book.results[equation.target] = book.number
            else:
                book.adjoint(name, ways, equation)
    return tuple(book.chains)


class _Book:
    """The chains so far, with the numbers of the lines in which results stand."""

    def __init__(self, program: Program, loss: str, adjoints: Program, paths: list[Contribution]) -> None:
        self.program, self.loss = program, loss
        self.names = {*program.indices, *program.targets, *program.inputs}
        self.equations = grouped(adjoints, lambda eq: eq.target.name)
        self.paths = grouped(paths, lambda path: path.by.name)
        self.chains: list[Chain] = []
        self.results: dict[Expr, int] = {}
        self.number = 0

    def equation(self, target: Ref) -> Equation:
        """The adjoint's equation, as the programs have it."""
        own = self.equations[target.name]
        return next(eq for eq in own if _numbers(eq.target) == _numbers(target))

    def adjoint(self, name: str, ways: list[Way], equation: Equation) -> None:
        way = ways[0]
        plain = not way.gates and not way.solved and not way.along
        if len(ways) == 1 and way.path.outer == ONE and plain:
            lines = self.local(Derivative(Ref(self.loss), way.path.by), way.path, equation.body)
            self.chain(equation.target, lines)
        else:
            used = [self.slope(way.path) for way in ways]
            self.chain(equation.target, self.chain_rule(name, ways, equation, used))
        self.results[equation.target] = self.number

    def chain(self, subject: Expr, lines: Iterator[tuple[Expr, Reason]]) -> None:
        found = []
        for expr, reason in lines:
            self.number += 1
            found.append(Line(self.number, expr, reason))
        self.chains.append(Chain(subject, tuple(found)))

    def local(self, subject: Derivative, path: Contribution, final: Expr) -> Iterator[tuple[Expr, Reason]]:
        """The lines below a subject; one that is written out already needs no definition."""
        if subject.body not in (path.through.target, Ref(self.loss)):  # a term, even the h of h + h**2
            return itertools.islice(slope_lines(subject.body, path.by, final), 1, None)
        written = fresh_bounds(path.through.body, self.taken(path))
        return slope_lines(written, path.by, final, path.through)

    def taken(self, path: Contribution) -> set[str]:
        """Every letter and name of the program: a fresh letter has one meaning only."""
        return self.names

    def subject(self, path: Contribution) -> Derivative:
        """What a path's local slope is the slope of, as it is written."""
        return local_subject(path, self.paths[path.by.name], self.names)

    def slope(self, path: Contribution) -> int:
        """The chain of a path's local slope; the number of its last line."""
        subject = self.subject(path)
        if subject not in self.results:
            self.chain(subject, self.local(subject, path, path.local))
            self.results[subject] = self.number
        return self.results[subject]

    def chain_rule(
        self, name: str, ways: list[Way], equation: Equation, used: list[int]
    ) -> Iterator[tuple[Expr, Reason]]:
        yield (
            total(*map(self.unworked, ways)),
            Reason("chain", (Ref(name, equation.target.indices), *map(self.acting, ways))),
        )
        kept = refs(equation.body)
        outers = [way.path.outer for way in ways if isinstance(way.path.outer, Ref) and way.outer not in kept]
        numbers = (self.results[self.equation(outer).target] for outer in outers if self.is_derived(outer))
        lines = tuple(dict.fromkeys((*numbers, *used)))
        raw = total(*(self.put_in(way, equation) for way in ways))
        if _key(raw) != _key(equation.body):
            yield raw, Reason("put_in", (), lines)
            yield equation.body, tidying(raw, equation.body)
        else:
            yield equation.body, Reason("put_in", (), lines)

    def acting(self, way: Way) -> Expr:
        """The entry through which a way goes, as its adjoint has it, with the gates that pick it."""
        if way.path.outer == ONE:
            return Ref(self.loss)
        return raw_product(*way.gates, way.renamed(way.path.through.target))

    def is_derived(self, outer: Ref) -> bool:
        """Whether the chain of an adjoint stands above; that of a recurrence may come later."""
        return self.equation(outer).target in self.results

    def put_in(self, way: Way, equation: Equation) -> Expr:
        """A way with its slope, and the adjoint that the final equation does not keep, put in."""
        outer = way.outer
        if isinstance(outer, Ref) and not outer.padded and outer not in refs(equation.body):
            outer = instance(self.equation(outer), outer)
        result = raw_product(*way.gates, outer, way.renamed(way.path.local))
        return _summed(result, way.along)

    def unworked(self, way: Way) -> Expr:
        slope = way.renamed(self.subject(way.path))
        result = slope if way.outer == ONE and not way.gates else Mul((*way.gates, way.outer, slope))
        result = Mul((*way.gates, slope)) if way.outer == ONE and way.gates else result
        return _summed(result, way.along)


def local_subject(path: Contribution, paths: list[Contribution], taken: set[str]) -> Derivative:
    """``∂target/∂by``, or ``∂/∂by`` of the term alone where that symbol means something else.

    ``∂L/∂w`` is the whole gradient: where the loss reads ``w`` beside other ways from ``w`` to the
    loss, and where an equation reads a quantity in several terms, each term is written out.
    """
    same = [other for other in paths if other.through == path.through]
    if len(same) > 1 or (path.outer == ONE and (len(paths) > 1 or not is_plain(path.by))):
        return Derivative(fresh_bounds(rewrite_reductions(path.term), taken), path.by)
    return Derivative(path.through.target, path.by)


def _numbers(ref: Ref) -> list[Expr | None]:
    """The whole numbers among the indices of an entry, each at its place."""
    return [part if isinstance(part, Number) else None for part in ref.indices]


def _summed(expr: Expr, over: tuple[str, ...]) -> Expr:
    for bound in reversed(over):
        expr = Sum(expr, bound)
    return expr


def local_slopes(
    program: Program, loss: str, parameters: Iterable[str]
) -> list[tuple[Equation, Derivative, Expr]]:
    """Every local slope with its equation and the way it is written: ``∂ŷ_i/∂w = x_i``."""
    paths = contributions(program, loss, parameters)
    taken = {*program.indices, *program.targets, *program.inputs}
    own = grouped(paths, lambda path: path.by.name)
    return [(path.through, local_subject(path, own[path.by.name], taken), path.local) for path in paths]


# --- A shorter telling of a derivation: a slope that linearity alone gives is one line, not four ---

TIDY = {"letter", "order", "sign", "collect", "front", "simplify", "rewrite"}
LINEAR = {"definition", "sum", "sum_own", "sum_terms", "constant_factor", *TIDY}


def condense(chains: Iterable[Chain]) -> tuple[Chain, ...]:
    """The chains with each linear slope told in one line, numbered anew."""
    found: list[Chain] = []
    numbers: dict[int, int] = {}  # of a line now, by its number before
    count = 0
    for chain in chains:
        kept = _one_line(chain)
        before, count = count, count + len(kept.lines)
        for place, line in enumerate(chain.lines):
            numbers[line.number] = min(before + place + 1, count)
        lines = [_renumbered(line, number, numbers) for number, line in enumerate(kept.lines, before + 1)]
        found.append(Chain(chain.subject, tuple(lines)))
    return tuple(found)


def _one_line(chain: Chain) -> Chain:
    subject, last = chain.subject, chain.lines[-1]
    if not isinstance(subject, Derivative) or not {line.reason.rule for line in chain.lines} <= LINEAR:
        return chain
    return Chain(subject, (replace(last, reason=Reason("linear", (subject.by,))),))


def _renumbered(line: Line, number: int, numbers: dict[int, int]) -> Line:
    lines = tuple(dict.fromkeys(numbers[old] for old in line.reason.lines))
    return Line(number, line.expr, replace(line.reason, lines=lines))
