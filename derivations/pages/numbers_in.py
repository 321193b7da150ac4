"""Symbols = numbers put in = value: the chains of a worked step.

Numbers stand where the letters stood, in the same order. ``=`` is printed only where it is literally
true of the printed numbers, ``≈`` where something was rounded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from derivations.examples.training import Step
from derivations.examples.walk import size_of, worked
from derivations.language.products import factors
from derivations.language.tree import (
    Add,
    Count,
    Div,
    Expr,
    Mul,
    Neg,
    Number,
    Pow,
    Ref,
    Sum,
    has_reduction,
    rename_index,
    transform,
)
from derivations.language.tree import (
    number as whole,
)
from derivations.notation.latex import DOTS, as_printed
from derivations.notation.read import Side
from derivations.numbers.digits import Printed, Rounding
from derivations.numbers.systems import NumberSystem, Value
from derivations.pages.blocks import Formula

LONG_SUM, HEAD, TAIL = 6, 3, 1














@dataclass(frozen=True)
class Writer:
    """Writes the chains of one step with a rounding policy and an arithmetic."""

    step: Step
    rounding: Rounding
    system: NumberSystem

    def value(self, expr: Expr, env: Mapping[str, int]) -> Printed:
        """The printed value of an expression."""
        return self.rounding(worked(expr, env, self.step, self.system))

    def chain(
        self, target: Expr, body: Expr, env: Mapping[str, int], known: frozenset[Expr] = frozenset()
    ) -> Formula:
        """``target = symbols = numbers (= collected) = value`` for one entry.

        ``known`` are the expressions that stand in the table beside it, whose values are put in whole.
        """
        labels = {name: whole(at) for name, at in env.items()}
        sides = [Side("", rename_index(target, labels)), Side("=", rename_index(body, labels))]
        exact: list[bool] = []
        body = as_printed(body)
        numbers = self.put_in(body, env, known, exact)
        value = self.rounding(self.final(target, env))
        result = leaf(value)
        if not isinstance(body, Ref) or has_reduction(body):
            sides.append(Side("=" if all(exact) else "≈", numbers))
        for collected in self.collected(body, env):
            sides.append(Side(relation(sides[-1].expr, collected, all(exact)), collected))
        if sides[-1].expr != result:
            sides.append(Side(relation(sides[-1].expr, result, all(exact) and value.exact), result))
        return Formula(tuple(sides))

    def final(self, target: Expr, env: Mapping[str, int]) -> Value:
        assert isinstance(target, Ref)
        return worked(target, env, self.step, self.system)

    def put_in(self, expr: Expr, env: Mapping[str, int], known: frozenset[Expr], exact: list[bool]) -> Expr:
        """The expression with numbers in the place of letters; ``exact`` collects what is whole."""

        def rule(node: Expr, env: Mapping[str, int]) -> Expr | None:
            if isinstance(node, (Ref, Count)) or (node in known and node is not expr):
                printed = self.value(node, env)
                exact.append(printed.exact)
                return leaf(printed)
            if isinstance(node, Sum):
                return self.expanded(node, env, rule)
            return None

        return transform(expr, lambda node: rule(node, env))

    def expanded(self, node, env, rule):  # type: ignore[no-untyped-def]
        """A sum written out term by term, shortened in the middle where it is long."""
        size = size_of(self.step, node.index)
        places = [{**env, node.index: k} for k in range(1, size + 1)]
        parts = [transform(node.body, lambda n, at=at: rule(n, at)) for at in places]
        if size > LONG_SUM:
            parts = [*parts[:HEAD], DOTS, *parts[-TAIL:]]
        written = parts[0] if len(parts) == 1 else Add(tuple(parts))
        return written

    def collected(self, body: Expr, env: Mapping[str, int]) -> list[Expr]:
        """``1/2 * 254.25``: the coefficient times the sum that stands in the last row of the table."""
        parts = factors(body)
        sums = [part for part in parts if isinstance(part, Sum)]
        if len(sums) != 1 or len(parts) == 1 or size_of(self.step, sums[0].index) == 1:
            return []
        if any(has_reduction(part) for part in parts if part is not sums[0]):
            return []
        return [self.put_in(Mul(parts), env, frozenset(sums), [])]


def leaf(printed: Printed) -> Number:
    """A printed number as a leaf of the tree, with its digits."""
    return Number(printed.value, printed.text)


def relation(before: Expr, after: Expr, exact: bool) -> str:
    """``=`` if two sides of numbers are literally equal as printed, else ``≈``."""
    left, right = plain_value(before), plain_value(after)
    if left is None or right is None:
        return "=" if exact else "≈"
    return "=" if left == right else "≈"


def plain_value(expr: Expr) -> Fraction | None:
    """The exact value of an expression of printed numbers; None with letters, dots or functions in it."""
    match expr:
        case Number(value, _):
            return value
        case Neg(a):
            value = plain_value(a)
            return None if value is None else -value
        case Add(parts) | Mul(parts):
            found = [plain_value(part) for part in parts]
            if any(value is None for value in found):
                return None
            total, product = Fraction(0), Fraction(1)
            for value in found:
                total, product = total + (value or 0), product * (value or 0)
            return total if isinstance(expr, Add) else product
        case Div(a, b):
            above, below = plain_value(a), plain_value(b)
            return None if above is None or not below else above / below
        case Pow(a, b):
            base, exponent = plain_value(a), plain_value(b)
            if base is None or exponent is None or exponent.denominator != 1 or abs(exponent) > 50:
                return None
            return None if base == 0 and exponent < 0 else base ** int(exponent)
    return None
