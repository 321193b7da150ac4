"""Derivations line by line: a table of rules, each naming itself, applied one at a time.

A `Chain` is ``subject = line = line = …``. Every rule turns the first derivative that is not yet
worked out into something simpler and says why; the last line is the slope that SymPy found and the
programs use. The lines are claims: `derivations.language.proof` decides each of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from derivations.catalogue import functions
from derivations.language.backward import Contribution, adjoint, contributions
from derivations.language.errors import LanguageError
from derivations.language.parser import parse
from derivations.language.program import Equation, Program, fresh_bounds
from derivations.language.tree import (
    ONE,
    ZERO,
    Add,
    Call,
    Count,
    Derivative,
    Div,
    Expr,
    Mean,
    Mul,
    Neg,
    Number,
    Pow,
    Ref,
    Sum,
    children,
    factors,
    free_indices,
    is_coefficient,
    number,
    product,
    rebuild,
    refs,
    rename_index,
    substitute,
    terms,
    total,
    values,
)


@dataclass(frozen=True, slots=True)
class Reason:
    """The rule behind a line: its name, and what it says about quantities (kept as trees)."""

    rule: str
    parts: tuple[Expr, ...] = ()
    lines: tuple[int, ...] = ()


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


# --- the rules ------------------------------------------------------------------------------------


def differentiate(node: Derivative) -> tuple[Expr, Reason]:
    """Apply the rule that fits the outermost operation of the body."""
    body, by = node.body, node.by
    for rule in RULES:
        found = rule(body, by)
        if found is not None:
            return found
    raise LanguageError(f"no rule of differentiation for {body}")


def _depends(expr: Expr, by: Ref) -> bool:
    """Whether the entry ``by`` may occur, under a bound index too."""
    return any(ref.name == by.name for ref in refs(expr))


def _derivative(body: Expr, by: Ref) -> Expr:
    """The derivative, worked out at once where it is 0 or 1."""
    if body == by:
        return ONE
    return Derivative(body, by) if _depends(body, by) else ZERO


def _sum_rule_index(body: Expr, by: Ref) -> tuple[Expr, Reason] | None:
    if not isinstance(body, (Sum, Mean)):
        return None
    inside = body.body
    count: tuple[Expr, ...] = (Div(ONE, Count(body.index)),) if isinstance(body, Mean) else ()
    own = _own_term(inside, body.index, by)
    if own is not None:
        term = rename_index(inside, {body.index: own})
        return _raw_product(*count, _derivative(term, by)), Reason("sum_own", (Ref(body.index), own, by))
    summed = Sum(_derivative(inside, by), body.index)
    return _raw_product(*count, summed), Reason("sum_terms")


def _own_term(body: Expr, bound: str, by: Ref) -> Expr | None:
    """The value of the bound index at which the body reads ``by``, if every read is at that value."""
    reads = [ref for ref in refs(body) if ref.name == by.name]
    places = {
        mine
        for ref in reads
        for theirs, mine in zip(ref.indices, by.indices, strict=True)
        if theirs == Ref(bound)
    }
    return places.pop() if len(places) == 1 and all(Ref(bound) in ref.indices for ref in reads) else None


def _sum_rule(body: Expr, by: Ref) -> tuple[Expr, Reason] | None:
    if isinstance(body, Neg):
        return product(Neg(ONE), _derivative(body.argument, by)), Reason("constant_factor", (Neg(ONE),))
    if not isinstance(body, Add):
        return None
    constant = [_unsigned(part) for part in body.terms if not _depends(part, by)]
    parts = [_signed_derivative(part, by) for part in body.terms if _depends(part, by)]
    return total(*parts), Reason("sum", (by, *constant))


def _unsigned(expr: Expr) -> Expr:
    return expr.argument if isinstance(expr, Neg) else expr


def _signed_derivative(part: Expr, by: Ref) -> Expr:
    if isinstance(part, Neg):
        return Neg(_derivative(part.argument, by))
    return _derivative(part, by)


def _product_rule(body: Expr, by: Ref) -> tuple[Expr, Reason] | None:
    if not isinstance(body, Mul):
        return None
    constant = [part for part in body.factors if not _depends(part, by)]
    varying = [part for part in body.factors if _depends(part, by)]
    if len(varying) == 1:
        found = _raw_product(*constant, _derivative(varying[0], by))
        return found, Reason("constant_factor", (_raw_product(*constant),))
    sums = []
    for place, part in enumerate(varying):
        others = [other for at, other in enumerate(varying) if at != place]
        sums.append(_raw_product(*constant, *others, _derivative(part, by)))
    return total(*sums), Reason("product")


def _quotient_rule(body: Expr, by: Ref) -> tuple[Expr, Reason] | None:
    if not isinstance(body, Div):
        return None
    above, below = body.numerator, body.denominator
    if not _depends(below, by):
        factor = Div(ONE, below)
        return _raw_product(factor, _derivative(above, by)), Reason("constant_factor", (factor,))
    first = _raw_product(_derivative(above, by), below)
    second = _raw_product(above, _derivative(below, by))
    top = total(first, Neg(second))
    return Div(top, Pow(below, number(2))), Reason("quotient")


def _power_rule(body: Expr, by: Ref) -> tuple[Expr, Reason] | None:
    if not isinstance(body, Pow) or _depends(body.exponent, by):
        return None
    base, exponent = body.base, body.exponent
    lowered: Expr = total(exponent, Neg(ONE))
    if isinstance(exponent, Number):
        lowered = number(exponent.value - 1)
    power = base if lowered == ONE else Pow(base, lowered)
    if base == by:
        return _raw_product(exponent, power), Reason("power")
    return _raw_product(exponent, power, _derivative(base, by)), Reason("power_chain")


def _function_rule(body: Expr, by: Ref) -> tuple[Expr, Reason] | None:
    if not isinstance(body, Call):
        return None
    row = functions.BY_NAME[body.function]
    inner = body.arguments[0]
    outer = substitute(parse(row.slope, functions.NAMES), {Ref("x"): inner})
    if inner == by:
        return outer, Reason("function", (Call(row.name, (Ref("x"),)),))
    return _raw_product(outer, _derivative(inner, by)), Reason(
        "function_chain", (Call(row.name, (Ref("x"),)),)
    )


def _raw_product(*parts: Expr) -> Expr:
    """A product that keeps every factor visible, but for ones beside other factors."""
    flat = [factor for part in parts for factor in factors(part)]
    if any(part == ZERO for part in flat):
        return ZERO
    kept = [part for part in flat if part != ONE] or [ONE]
    return kept[0] if len(kept) == 1 else Mul(tuple(kept))


RULES: tuple[Callable[[Expr, Ref], tuple[Expr, Reason] | None], ...] = (
    _sum_rule_index,
    _sum_rule,
    _product_rule,
    _quotient_rule,
    _power_rule,
    _function_rule,
)


# --- chains -----------------------------------------------------------------------------------------


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
        return _raw_product(*(_flatten(part) for part in expr.factors))
    if isinstance(expr, Ref):
        return expr
    return rebuild(expr, tuple(_flatten(part) for part in children(expr)))


def derive(program: Program, adjoints: Program, loss: str, parameters: tuple[str, ...]) -> tuple[Chain, ...]:
    """The whole derivation: local slopes first, then every adjoint by the chain rule.

    ``adjoints`` is the backward program that is used for the numbers; the last line of each
    adjoint's chain is its equation there, letter for letter.
    """
    book = _Book(program, loss, adjoints.targets)
    paths = contributions(program, loss, parameters)
    for name in [*program.targets, *parameters]:
        own = [part for part in paths if part.by.name == name]
        if own:
            book.adjoint(name, own, adjoints.targets[adjoint(loss, name)])
    return tuple(book.chains)


class _Book:
    """The chains so far, with the numbers of the lines in which results stand."""

    def __init__(self, program: Program, loss: str, adjoints: dict[str, Equation]) -> None:
        self.program, self.loss, self.adjoints = program, loss, adjoints
        self.chains: list[Chain] = []
        self.results: dict[str, int] = {}
        self.number = 0

    def adjoint(self, name: str, paths: list[Contribution], equation: Equation) -> None:
        direct = len(paths) == 1 and paths[0].outer == ONE and not paths[0].over
        if direct:
            self.chain(equation.target, self.local(paths[0], equation.body))
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

    def local(self, path: Contribution, final: Expr) -> Iterator[tuple[Expr, Reason]]:
        taken = {n for part in path.by.indices for n in free_indices(part, self.program.indices)}
        taken |= {n for part in path.through.target.indices for n in free_indices(part, self.program.indices)}
        definition = fresh_bounds(path.through.body, taken)
        return slope_lines(definition, path.by, final)

    def slope(self, path: Contribution) -> int:
        """The chain of ``∂target/∂by``; the number of its last line."""
        subject = Derivative(path.through.target, path.by)
        if all(chain.subject != subject for chain in self.chains):
            self.chain(subject, self.local(path, path.slope))
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
            outer = self.adjoints[outer.name].body
        result = rename_index(_raw_product(outer, path.slope), new)
        for bound in reversed(path.over):
            result = Sum(result, bound)
        return result

    def unworked(self, path: Contribution, target: Ref) -> Expr:
        new = _renaming(path, target)
        slope: Expr = Derivative(path.through.target, path.by)
        result = slope if path.outer == ONE else Mul((path.outer, slope))
        result = rename_index(result, new)
        for bound in reversed(path.over):
            result = Sum(result, bound)
        return result


def _same_factors(a: Expr, b: Expr) -> bool:
    """Whether two products under the same sums differ in the order of their factors only."""
    while isinstance(a, Sum) and isinstance(b, Sum) and a.index == b.index:
        a, b = a.body, b.body
    return sorted(map(repr, factors(a))) == sorted(map(repr, factors(b)))


def _renaming(path: Contribution, target: Ref) -> dict[str, Expr]:
    pairs = zip(path.by.indices, target.indices, strict=True)
    return {a.name: b for a, b in pairs if isinstance(a, Ref)}


__all__ = ["Chain", "Line", "Reason", "derive", "differentiate", "is_coefficient", "slope_lines", "terms"]
