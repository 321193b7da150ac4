"""Symbols = numbers put in = value: the chains of a worked step.

Numbers stand where the letters stood, in the same order. ``=`` is printed only where it is literally
true of the printed numbers, ``≈`` where something was rounded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce

from flint import arb

from derivations.language.errors import ArithmeticFault, LanguageError
from derivations.language.products import factors
from derivations.language.tree import (
    ONE,
    Add,
    Call,
    Chosen,
    Count,
    Derivative,
    Expr,
    Largest,
    Mean,
    Mul,
    Neg,
    Number,
    Ref,
    Sum,
    children,
    has_reduction,
    refs,
    transform,
    walk,
)
from derivations.notation.chain import Formula, Side
from derivations.notation.printed import as_printed
from derivations.notation.typeset import DOTS
from derivations.numbers.digits import Printed, Rounding
from derivations.numbers.systems import EXACT, NumberSystem, Undecided, Value, ball, fraction, rational
from derivations.numbers.walker import NOWHERE, evaluated
from derivations.run.training import Step, at_entry, is_closed, is_decided, size_of, worked

LONG_SUM, HEAD, TAIL = 6, 3, 1
GIVEN, FULL = 15, 40  # the places that a given number is printed with, and those of one that ends


@dataclass(frozen=True)
class Writer:
    """Writes the chains of one step with a rounding policy and an arithmetic."""

    step: Step
    rounding: Rounding
    system: NumberSystem
    is_named: Callable[[Ref], bool] = lambda ref: False

    def value(self, expr: Expr, env: Mapping[str, int]) -> Printed:
        """The printed value of an expression."""
        return self.rounding(worked(expr, env, self.step, self.system))

    def chain(self, target: Expr, body: Expr, known: frozenset[Expr] = frozenset()) -> Formula:
        """``target = symbols = numbers (= collected) = value`` for one entry.

        ``known`` are the expressions that stand in the table beside it, whose values are put in whole.
        """
        sides = [Side("", target), Side("=", self.written(body))]
        exact: list[bool] = []
        body = as_printed(body)
        numbers = self.put_in(body, {}, known, exact)
        value = self.value(target, {})
        repeated = numbers == sides[-1].expr or alike(numbers, leaf(value))
        if (not isinstance(body, Ref) or has_reduction(body)) and not repeated:
            sides.append(Side("=" if all(exact) else "≈", numbers))
        collected = self.collected(body, exact)
        if collected is not None:
            sides.append(Side(relation(sides[-1].expr, collected, all(exact)), collected))
        if not alike(sides[-1].expr, leaf(value)):
            sides.append(Side(relation(sides[-1].expr, leaf(value), all(exact) and value.exact), leaf(value)))
        return Formula(tuple(sides))

    def would_be(self, found: Formula) -> Printed | None:
        """What the rounded numbers of a chain would give, if they have too few digits to give its value.

        That is more than a unit of the last digit, and more than a hundredth, beside the value.
        """
        value = found.sides[-1].expr
        if self.system is not EXACT or not isinstance(value, Number) or not value.text:
            return None
        for side in found.sides[1:-1]:
            worked_ = _value_of_numbers(side.expr)
            if worked_ is None:
                continue
            apart, last = (
                abs(ball(worked_) - ball(rational(value.value))),
                ball(rational(unit_of(value.text))),
            )
            if apart > last and 100 * apart > abs(ball(rational(value.value))):
                return self.rounding(worked_)
        return None

    def put_in(self, expr: Expr, env: Mapping[str, int], known: frozenset[Expr], exact: list[bool]) -> Expr:
        """The expression with numbers in the place of letters; ``exact`` collects what is whole."""

        def rule(node: Expr) -> Expr | None:
            if isinstance(node, (Ref, Count, Chosen)) or is_gate(node) or node in known:
                printed = self.value(node, env)
                exact.append(printed.exact)
                return leaf(printed)
            if isinstance(node, Add):
                parts = (self.put_in(term, env, known, exact) for term in node.terms)
                return joined(zip(node.terms, parts, strict=True))
            if isinstance(node, Largest):
                parts = (self.put_in(body, at, known, exact) for body, at in candidates(node, env, self.step))
                return Call("max", tuple(parts))
            return self.expanded(node, env, known, exact) if isinstance(node, Sum) else None

        return transform(expr, rule)

    def expanded(self, node: Sum, env: Mapping[str, int], known: frozenset[Expr], exact: list[bool]) -> Expr:
        """A sum written out term by term, shortened in the middle where it is long."""
        parts = [self.put_in(body, at, known, exact) for body, at in open_terms(node, env, self.step)]
        if len(parts) > LONG_SUM:
            parts = [*parts[:HEAD], DOTS, *parts[-TAIL:]]
        return ZERO_PRINTED if not parts else parts[0] if len(parts) == 1 else Add(tuple(parts))

    def written(self, expr: Expr) -> Expr:
        """The expression with its short sums over named entries written out: ``w_1 x_1 + w_2 x_2 + b``."""

        def rule(node: Expr) -> Expr | None:
            if isinstance(node, Add):
                return joined((term, self.written(term)) for term in node.terms)
            if not isinstance(node, Sum) or not 1 < (size := size_of(self.step, node.index)) <= LONG_SUM:
                return None
            parts = tuple(at_entry(node.body, {node.index: k}, self.step) for k in range(1, size + 1))
            named = any(self.is_named(ref) for part in parts for ref in refs(part))
            return Add(tuple(map(self.written, parts))) if named else None

        return transform(expr, rule)

    def collected(self, body: Expr, exact: list[bool]) -> Expr | None:
        """``1/2 * 254.25``: the coefficient times the sum that stands in the last row of the table."""
        parts = factors(body)
        sums = [part for part in parts if isinstance(part, Sum)]
        if len(sums) != 1 or len(parts) == 1 or size_of(self.step, sums[0].index) == 1:
            return None
        if any(has_reduction(part) for part in parts if part is not sums[0]):
            return None
        return self.put_in(Mul(parts), {}, frozenset(sums), exact)


ZERO_PRINTED = Number(Fraction(0), "0")


def open_terms(node: Sum, env: Mapping[str, int], step: Step) -> list[tuple[Expr, Mapping[str, int]]]:
    """The terms of a sum that are not 0 whatever the data, without the gates that are open."""
    places = ({**env, node.index: k} for k in range(1, size_of(step, node.index) + 1))
    return [(without_gates(node.body, at, step), at) for at in places if not is_closed(node.body, at, step)]


def without_gates(expr: Expr, env: Mapping[str, int], step: Step) -> Expr:
    """A product without the factors that compare indices; they are 1 in an open term.

    A comparison with a number of the data that is no index, ``[k = y]``, is a factor like any other.
    """
    if not isinstance(expr, Mul) or not any(map(is_gate, expr.factors)):
        return expr
    kept = tuple(part for part in expr.factors if not (is_gate(part) and is_decided(part, env, step)))
    return kept[0] if len(kept) == 1 else Mul(kept) if kept else ONE


def candidates(node: Expr, env: Mapping[str, int], step: Step) -> list[tuple[Expr, Mapping[str, int]]]:
    """What a largest value is chosen from: the body at every value of its indices inside its array."""
    if isinstance(node, Largest):
        places = ({**env, node.index: k} for k in range(1, size_of(step, node.index) + 1))
        return [found for at in places for found in candidates(node.body, at, step)]
    return [] if is_closed(node, env, step) else [(node, env)]


def is_gate(expr: Expr) -> bool:
    """Whether an expression compares indices: ``[s = token[i]]``, which is 1 or 0."""
    return isinstance(expr, Call) and expr.function == "same"


def joined(terms: Iterable[tuple[Expr, Expr]]) -> Expr:
    """A sum of terms and what stands in their place; a sum that was written out joins the terms around it."""
    parts: list[Expr] = []
    for term, new in terms:
        parts += new.terms if isinstance(term, Sum) and isinstance(new, Add) else [new]
    return Add(tuple(parts))


def leaf(printed: Printed) -> Number:
    """A printed number as a leaf of the tree, with its digits."""
    return Number(printed.value, printed.text)


def given(value: Fraction, rounding: Rounding) -> tuple[str, Expr]:
    """A number that the spec gives, and the sign before it: in full if it is short, else rounded.

    A parameter of a trained network has 24 or 53 binary digits, which is no number for a page.
    """
    policies = Rounding(GIVEN), Rounding(GIVEN, significant=GIVEN), rounding
    found = [policy(rational(value)) for policy in policies]
    if exact := next((printed for printed in found if printed.exact), None):
        return "=", leaf(exact)
    if len(str(value)) <= GIVEN and not Rounding(FULL)(rational(value)).exact:
        return "=", Neg(Number(-value)) if value < 0 else Number(value)
    return "≈", leaf(found[-1])


def relation(before: Expr, after: Expr, exact: bool) -> str:
    """``=`` if two sides of numbers are literally equal as printed, else ``≈``."""
    left, right = plain_value(before), plain_value(after)
    if left is None or right is None:
        return "=" if exact else "≈"
    return "=" if left == right else "≈"


def alike(a: Expr, b: Expr) -> bool:
    """Whether two sides are one printed number: ``-4``, written as a number or as a sign and a number."""
    first, second = (
        Number(-side.argument.value) if isinstance(side, Neg) and isinstance(side.argument, Number) else side
        for side in (a, b)
    )
    return first == second


def plain_value(expr: Expr) -> Fraction | None:
    """The exact value of an expression of printed numbers; None with letters or dots, or if it is irrational.

    A root of a square, the larger of two numbers, 0 times whatever: all that is rational is found.
    """
    if isinstance(expr, Number):
        return expr.value
    found = _value_of_numbers(expr)
    return None if found is None or isinstance(found, arb) else fraction(found)


def _value_of_numbers(expr: Expr) -> Value | None:
    """The value of an expression that is made of numbers; None for one number, or where there is none."""
    if not children(expr) or any(isinstance(node, LETTERS) for node in walk(expr)):
        return None
    try:
        return evaluated(transform(expr, _in_pairs), NOWHERE, EXACT)
    except (ArithmeticFault, LanguageError, Undecided):
        return None


def unit_of(digits: str) -> Fraction:
    """One of the last digit of a printed number."""
    mantissa, _, power = digits.partition("e")
    return Fraction(10) ** (int(power or 0) - len(mantissa.partition(".")[2]))


LETTERS = (Ref, Count, Chosen, Sum, Mean, Largest, Derivative)


def _in_pairs(node: Expr) -> Expr | None:
    """The largest of many as the larger of two, again and again."""
    if not isinstance(node, Call) or node.function != "max" or len(node.arguments) < 3:
        return None
    return reduce(lambda a, b: Call("max", (a, b)), (transform(part, _in_pairs) for part in node.arguments))
