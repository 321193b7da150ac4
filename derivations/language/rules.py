"""The rules of differentiation as a table: each rewrites one derivative and says which rule it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from derivations.catalogue import functions
from derivations.language.errors import LanguageError
from derivations.language.parser import parse
from derivations.language.products import factors, product, total
from derivations.language.tree import (
    ONE,
    ZERO,
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
    free_indices,
    number,
    refs,
    rename_index,
    substitute,
    walk,
)


@dataclass(frozen=True, slots=True)
class Reason:
    """The rule behind a line: its name, and what it says about quantities (kept as trees).

    ``words`` are those of a row of the catalogue that states the line.
    """

    rule: str
    parts: tuple[Expr, ...] = ()
    lines: tuple[int, ...] = ()
    words: str = ""


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
    """The derivative, worked out at once where it is 0 or 1; another entry is another quantity."""
    if isinstance(body, Ref):
        return ONE if body == by else ZERO
    return Derivative(body, by) if _depends(body, by) else ZERO


def _sum_rule_index(body: Expr, by: Ref) -> tuple[Expr, Reason] | None:
    if isinstance(body, Largest):
        own = _own_term(body.body, body.index, by)
        at = Ref(body.index) if own is None else own
        chosen = Chosen(body.body, body.index, at)
        passed = raw_product(chosen, _derivative(rename_index(body.body, {body.index: at}), by))
        return passed if own is not None else Sum(passed, body.index), Reason("largest")
    if not isinstance(body, (Sum, Mean)):
        return None
    inside = body.body
    count: tuple[Expr, ...] = (Div(ONE, Count(body.index)),) if isinstance(body, Mean) else ()
    own = _own_term(inside, body.index, by)
    if own is not None:
        term = rename_index(inside, {body.index: own})
        return raw_product(*count, _derivative(term, by)), Reason("sum_own", (Ref(body.index), own, by))
    summed = Sum(_derivative(inside, by), body.index)
    return raw_product(*count, summed), Reason("sum_terms")


def _own_term(body: Expr, bound: str, by: Ref) -> Expr | None:
    """The value of the bound index at which the body reads ``by``, if every read is at that value.

    A read without the bound index, ``z[i, y[i]]`` beside ``z[i, k]``, is another entry in every term;
    where that is ``by`` itself, every term depends on it.
    """
    own_reads = [ref for ref in refs(body) if ref.name == by.name]
    reads = [ref for ref in own_reads if any(Ref(bound) in walk(part) for part in ref.indices)]
    if by in own_reads and by not in reads:
        return None
    letters = [node for part in by.indices for node in walk(part) if isinstance(node, (Ref, Number))]
    places = set()
    for ref in reads:
        pairs = list(zip(ref.indices, by.indices, strict=True))
        moved = [(theirs, mine) for theirs, mine in pairs if free_indices(theirs, {bound})]
        own = [at for at in letters if moved and all(rename_index(a, {bound: at}) == b for a, b in moved)]
        aligned = [mine for theirs, mine in zip(ref.indices, by.indices, strict=True) if theirs == Ref(bound)]
        places.add((own or aligned or [None])[0])
    return places.pop() if len(places) == 1 else None


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
        found = raw_product(*constant, _derivative(varying[0], by))
        return found, Reason("constant_factor", (raw_product(*constant),))
    sums = []
    for place, part in enumerate(varying):
        others = [other for at, other in enumerate(varying) if at != place]
        sums.append(raw_product(*constant, *others, _derivative(part, by)))
    return total(*sums), Reason("product")


def _quotient_rule(body: Expr, by: Ref) -> tuple[Expr, Reason] | None:
    if not isinstance(body, Div):
        return None
    above, below = body.numerator, body.denominator
    if not _depends(below, by):
        factor = Div(ONE, below)
        return raw_product(factor, _derivative(above, by)), Reason("constant_factor", (factor,))
    first = raw_product(_derivative(above, by), below)
    second = raw_product(above, _derivative(below, by))
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
        return raw_product(exponent, power), Reason("power")
    return raw_product(exponent, power, _derivative(base, by)), Reason("power_chain")


def _function_rule(body: Expr, by: Ref) -> tuple[Expr, Reason] | None:
    """``f'(inner) · d inner/d by``, summed over the arguments that depend on ``by``."""
    if not isinstance(body, Call):
        return None
    row = functions.BY_NAME[body.function]
    given: dict[Expr, Expr] = {Ref(a): part for a, part in zip(row.arguments, body.arguments, strict=True)}
    parts, chained = [], False
    for argument, inner in zip(row.arguments, body.arguments, strict=True):
        if _depends(inner, by):
            outer = substitute(parse(row.all_slopes[argument], functions.NAMES), given)
            parts.append(raw_product(outer, _derivative(inner, by)))
            chained = chained or inner != by
    return total(*parts), Reason("function_chain" if chained else "function", (Call(row.name, tuple(given)),))


def raw_product(*parts: Expr) -> Expr:
    """A product that keeps every factor visible, but for ones beside other factors."""
    flat = [factor for part in parts for factor in factors(part)]
    if any(part == ZERO for part in flat):
        return ZERO
    kept = [part for part in flat if part != ONE] or [ONE]
    return kept[0] if len(kept) == 1 else Mul(tuple(kept))


def _itself(body: Expr, by: Ref) -> tuple[Expr, Reason] | None:
    return (ONE, Reason("itself")) if body == by else None


RULES: tuple[Callable[[Expr, Ref], tuple[Expr, Reason] | None], ...] = (
    _itself,
    _sum_rule_index,
    _sum_rule,
    _product_rule,
    _quotient_rule,
    _power_rule,
    _function_rule,
)
