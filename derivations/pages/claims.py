"""What a page may claim in symbols, and whether numbers are put in for symbols correctly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from derivations.examples.example import Example
from derivations.examples.training import Step
from derivations.examples.walk import size_of, worked
from derivations.language.backward import contributions
from derivations.language.steps import Chain
from derivations.language.tree import (
    Add,
    Call,
    Count,
    Derivative,
    Expr,
    Neg,
    Number,
    Ref,
    Sum,
    children,
    rename_index,
    transform,
)
from derivations.notation.latex import DOTS, as_printed
from derivations.notation.read import Side
from derivations.numbers.digits import Rounding
from derivations.numbers.systems import NumberSystem
from derivations.pages.columns import data_value
from derivations.pages.numbers_in import LONG_SUM


@dataclass(frozen=True)
class Claims:
    """Everything that was proved or defined about an example in symbols."""

    example: Example
    derivation: tuple[Chain, ...]

    @cached_property
    def equations(self) -> list[tuple[Expr, Expr]]:
        """``left = right`` for definitions, updates and local slopes."""
        example = self.example
        found = [(eq.target, eq.body) for eq in (*example.forward, *example.backward, *example.update)]
        for eq in example.update:
            name = eq.target.name.rstrip("'")
            found.append((Ref(name, eq.target.indices), eq.body))
        for path in contributions(example.forward, example.loss, example.parameters):
            found.append((Derivative(path.through.target, path.by), path.slope))
            if path.through.target.name == example.loss:
                found.append((Ref(f"d{example.loss}/d{path.by.name}", path.by.indices), path.slope))
        return found

    @cached_property
    def known(self) -> set[tuple[Expr, Expr]]:
        return {(as_printed(a), as_printed(b)) for a, b in self.equations}

    @cached_property
    def lines(self) -> dict[str, tuple[Expr, Expr, bool]]:
        """Each line of the derivation by its label: subject, expression, whether it is the first."""
        return {
            f"({line.number})": (as_printed(chain.subject), as_printed(line.expr), place == 0)
            for chain in self.derivation
            for place, line in enumerate(chain.lines)
        }

    def require(self, sides: tuple[Side, ...]) -> None:
        """Raise ValueError unless every side of a symbolic chain is a known equal of the first."""
        first = as_printed(sides[0].expr)
        for side in sides[1:]:
            pair = (first, as_printed(side.expr))
            if (
                isinstance(first, Ref)
                and not first.indices
                and isinstance(pair[1], Ref)
                and not pair[1].indices
            ):
                continue  # two index letters: "k = i"
            if pair not in self.known and not self._instance(pair):
                raise ValueError("a formula that nobody proved")

    def _instance(self, pair: tuple[Expr, Expr]) -> bool:
        """Whether a pair is a known equation at whole-number indices: ``z[i, 1] = …``."""
        target, body = pair
        if not isinstance(target, Ref):
            return False
        for left, right in self.known:
            if (
                isinstance(left, Ref)
                and left.name == target.name
                and len(left.indices) == len(target.indices)
            ):
                new = {
                    a.name: b for a, b in zip(left.indices, target.indices, strict=True) if isinstance(a, Ref)
                }
                if as_printed(rename_index(right, new)) == body:
                    return True
        return False

    def line(self, sides: tuple[Side, ...], label: str) -> None:
        """Raise ValueError unless a line of the derivation stands as it was proved, at its number."""
        subject, expr, first = self.lines[label]
        shown = [as_printed(side.expr) for side in sides]
        if shown != ([subject, expr] if first else [expr]) or sides[-1].relation != "=":
            raise ValueError(f"line {label} is not the line that was proved")

    def body(self, target: Ref, sizes: Mapping[str, int]) -> Expr:
        """The right-hand side of the program's equation for one entry."""
        example = self.example
        for eq in (*example.forward, *example.backward, *example.update):
            if eq.target.name == target.name:
                pairs = zip(eq.target.indices, target.indices, strict=True)
                return rename_index(eq.body, {a.name: b for a, b in pairs if isinstance(a, Ref)})
        raise ValueError(f"nothing computes {target.name}")

    def given(self, target: Ref, example: Example) -> Fraction:
        """A number that the spec gives: a start value, a hyper-parameter, a datum."""
        if target.name in example.hyper:
            return example.hyper[target.name]
        array = example.start.get(target.name) or example.data[target.name]
        at = tuple(int(part.value) for part in target.indices if isinstance(part, Number))
        return dict(zip(array.positions(), array.entries, strict=True))[at]

    def datum(self, target: Ref, sample: int, example: Example) -> Fraction:
        """The entry of the data set under a heading, for one sample."""
        return data_value(example, target, sample)


def instantiates(
    symbols: Expr,
    numbers: Expr,
    env: Mapping[str, int],
    step: Step,
    system: NumberSystem,
    rounding: Rounding,
    exact: list[bool],
) -> bool:
    """Whether ``numbers`` is ``symbols`` with printed values in the place of some of its parts.

    A printed number may stand for any part: a letter, a bracket, a whole sum. It must be the
    rounded value of that part in this step. Long sums may be shortened by dots. ``exact`` collects
    whether each printed number is the whole value.
    """

    def same(a: Expr, b: Expr, env: Mapping[str, int]) -> bool:
        if isinstance(b, Number):
            return leaf(a, b, env)
        if isinstance(a, Sum):
            return expanded(a, b, env)
        if isinstance(a, Neg) and isinstance(b, Neg):
            return same(a.argument, b.argument, env)
        if type(a) is not type(b) or isinstance(a, Ref):
            return False
        if isinstance(a, Call) and isinstance(b, Call) and a.function != b.function:
            return False
        return all_same(children(a), children(b), env)

    def all_same(left: tuple[Expr, ...], right: tuple[Expr, ...], env: Mapping[str, int]) -> bool:
        return len(left) == len(right) and all(same(a, b, env) for a, b in zip(left, right, strict=True))

    def leaf(a: Expr, b: Number, env: Mapping[str, int]) -> bool:
        value = worked(a, env, step, system)
        if isinstance(a, Number):
            return a.value == b.value
        printed = rounding(value)
        exact.append(printed.exact)
        return printed.value == b.value and (printed.text == b.text or isinstance(a, Count))

    def expanded(a: Sum, b: Expr, env: Mapping[str, int]) -> bool:
        size = size_of(step, a.index)
        terms = b.terms if isinstance(b, Add) and size > 1 else (b,)
        places = list(range(1, size + 1))
        if DOTS in terms:
            if size <= LONG_SUM:
                return False
            cut = terms.index(DOTS)
            tail = len(terms) - cut - 1
            exact.extend(_hidden(a, env, places[cut : size - tail]))
            places = places[:cut] + places[size - tail :]
            terms = terms[:cut] + terms[cut + 1 :]
        return len(places) == len(terms) and all(
            same(a.body, term, {**env, a.index: k}) for k, term in zip(places, terms, strict=True)
        )

    def _hidden(a: Sum, env: Mapping[str, int], places: list[int]) -> list[bool]:
        return [
            rounding(worked(node, {**env, a.index: k}, step, system)).exact
            for k in places
            for node in _leaves(a.body)
        ]

    return same(as_printed(symbols), as_printed(numbers), env)


def _leaves(expr: Expr) -> list[Expr]:
    found: list[Expr] = []

    def rule(node: Expr) -> Expr | None:
        if isinstance(node, Ref):
            found.append(node)
            return node
        return None

    transform(expr, rule)
    return found
