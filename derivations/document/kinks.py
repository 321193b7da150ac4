"""Values that sit on a kink, where a function has no derivative and torch's choice is taken.

Every call of the forward pass is looked at in the step: its argument against the kinks of the row, at
every value of the indices, and maxima over an index for entries that share the largest value.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property, reduce

from flint import arb

from derivations.catalogue import functions
from derivations.claims.samples import with_samples
from derivations.claims.writer import Writer, leaf
from derivations.document.blocks import Digits, Prose, Words, counted, phrase, phrases, say
from derivations.language.contributions import active, needed
from derivations.language.errors import ArithmeticFault
from derivations.language.parser import parse
from derivations.language.products import total
from derivations.language.tree import (
    Call,
    Expr,
    Largest,
    Mean,
    Neg,
    Ref,
    Sum,
    children,
    refs,
    substitute,
)
from derivations.model.example import Example
from derivations.notation.chain import formula
from derivations.numbers.float64 import DOUBLE, double
from derivations.numbers.systems import EXACT, NumberSystem, sign
from derivations.run.training import Step, at_entry, size_of, worked
from derivations.spec.arrays import positions

SHOWN = 4
ELSEWHERE = phrase(
    "Rounding in float64 brings {} to another side of a kink: PyTorch takes the slope of that side, so that "
    "its numbers and those of the program differ from the ones worked here."
)


@dataclass(frozen=True)
class Kinks:
    """The kinks of one step, with the numbers as the writer of the step prints them."""

    example: Example
    writer: Writer

    def blocks(self) -> Iterator[Prose]:
        """A sentence for each value on a kink, the first ones if there are many."""
        found = list(dict.fromkeys(self.sentences()))
        yield from (Prose(words, kink=True) for words in found[:SHOWN])
        if len(found) > SHOWN:
            forms = phrases(
                "So does {} more value of this step, on a kink of its own.",
                "So do {} more values of this step, on kinks of their own.",
            )
            yield Prose((counted(*forms, len(found) - SHOWN),), kink=True)

    def sentences(self) -> Iterator[Words]:
        """In the order of the forward pass, where a derivative is asked for."""
        program = self.example.forward
        learnt, wanted = active(program, self.example.parameters), needed(program, self.example.loss)
        for eq in (eq for eq in program if eq.target.name in wanted):
            letters = [part.name for part in eq.target.indices if isinstance(part, Ref)]
            for node, bound in _kinked(eq.body):
                if not any(ref.name in learnt for ref in refs(node)):
                    continue
                for entry in self.instances(node, [*letters, *bound]):
                    yield from self.largest(entry) if isinstance(entry, Largest) else self.call(entry)

    def instances(self, node: Expr, letters: list[str]) -> Iterator[Expr]:
        """The node at every value of its indices."""
        step = self.writer.step
        ranges = [range(1, size_of(step, letter) + 1) for letter in letters]
        for at in itertools.product(*ranges):
            yield at_entry(node, dict(zip(letters, at, strict=True)), step)

    @cached_property
    def floats(self) -> Step | None:
        """The step as float64 works it; None where the page does not work it exactly, or float64 cannot."""
        step, tape = self.writer.step, self.writer.step.layout.tape
        if self.writer.system is not EXACT:
            return None
        try:
            return replace(
                step, memory=tuple(tape.bind(DOUBLE)(list(map(double, step.memory[: len(tape.inputs)]))))
            )
        except (ArithmeticError, ArithmeticFault, ValueError):
            return None

    def moves(self, expr: Expr) -> bool:
        """Whether an expression has another sign in float64."""
        if self.floats is None:
            return False
        exact = sign(worked(expr, {}, self.writer.step, EXACT))
        return bool(exact != sign(worked(expr, {}, self.floats, DOUBLE)))

    def is_zero(self, expr: Expr) -> bool:
        """Whether an expression is exactly 0 in this step."""
        value = worked(expr, {}, self.writer.step, self.writer.system)
        return bool(value.is_zero() if isinstance(value, arb) else value == 0)

    def call(self, node: Expr) -> Iterator[Words]:
        """``z_2 = 0`` in ``ReLU(z_2)``."""
        assert isinstance(node, Call)
        row = functions.BY_NAME[node.function]
        given: dict[Expr, Expr] = dict(zip(map(Ref, row.arguments), node.arguments, strict=True))

        def at_arguments(text: str) -> Expr:
            return substitute(parse(text, functions.NAMES), given)

        argument = node.arguments[0]
        if row.smooth and self.is_zero(at_arguments(row.smooth)):
            return
        step = self.writer.step
        beside = [total(argument, Neg(at_arguments(kink))) for kink in row.kinks]
        if any(map(self.is_zero, beside)):
            on = with_samples(formula(argument, ("=", leaf(self.writer.value(argument, {})))), step)
            slope = self.writer.value(at_arguments(row.slope), {}).text
            yield say(
                "In {} the value {} sits on a kink, where the slope is taken as {}, as torch does.",
                with_samples(formula(node), step),
                on,
                Digits(slope),
            )
        if any(map(self.moves, beside)):
            yield say(ELSEWHERE, with_samples(formula(node), step))

    def largest(self, node: Largest) -> Iterator[Words]:
        """A maximum over indices that several entries share."""
        body: Expr = node
        letters = []
        while isinstance(body, Largest):
            letters.append(body.index)
            body = body.body
        entries = [entry for entry in self.instances(body, letters) if self.exists(entry)]
        if sum(self.is_zero(total(entry, Neg(node))) for entry in entries) > 1:
            yield say(
                "{} stands more than once among its entries; the derivative goes to the first, "
                "as torch does.",
                with_samples(formula(node), self.writer.step),
            )
        if self.floats is not None and entries:
            exact = self.chosen(entries, self.writer.step, EXACT)
            if exact != self.chosen(entries, self.floats, DOUBLE):
                yield say(ELSEWHERE, with_samples(formula(node), self.writer.step))

    def chosen(self, entries: list[Expr], step: Step, system: NumberSystem) -> int:
        """The place of the first of the largest entries."""
        values = [worked(entry, {}, step, system) for entry in entries]
        return reduce(lambda best, k: k if sign(values[k] - values[best]) > 0 else best, range(len(values)))

    def exists(self, entry: Expr) -> bool:
        """Whether an entry is one of its array, and no padding."""
        if not isinstance(entry, Ref) or not entry.padded:
            return True
        return (entry.name, positions(entry)) in self.writer.step.layout.tape.slots


def _kinked(expr: Expr, bound: tuple[str, ...] = ()) -> Iterator[tuple[Expr, tuple[str, ...]]]:
    """The calls with kinks and the maxima of a body, each with the indices that are summed around it."""
    if isinstance(expr, Largest) or (isinstance(expr, Call) and functions.BY_NAME[expr.function].kinks):
        yield expr, bound
    inner = (*bound, expr.index) if isinstance(expr, (Sum, Mean)) else bound
    for part in () if isinstance(expr, (Ref, Largest)) else children(expr):
        yield from _kinked(part, inner)
