"""Slips at work: the programs of a student who makes one, or several, and the wrong numbers that follow.

    for each in slipped(example, BY_NAME["factor-2-forgotten"]):
        train(each.example).steps[0]["w'"]

What a slip changes are equations, so that the error is carried forward by itself. Which ways there are
depends on the structure of an example, never on its numbers: `Slipped.of` puts the same slip into any other
example of the structure, and `train_many` works all of them at once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from derivations.catalogue.slip import OtherBatch, Slip
from derivations.document.blocks import Message, message
from derivations.exercises.ways import Way, other_batches, ways_of
from derivations.exercises.worked import memories, with_memories, worked
from derivations.language.errors import ArithmeticFault
from derivations.model.example import Example
from derivations.numbers.systems import Value
from derivations.run.columns import Columns
from derivations.run.training import Step, Trace, train


@dataclass(frozen=True)
class Slipped:
    """An example as somebody works it who makes slips: one, or a chain of several."""

    base: Example
    ways: tuple[Way, ...]

    @cached_property
    def example(self) -> Example:
        """The rewritten example: ``train`` gives the student's numbers."""
        return worked(self.base, self.ways)

    @property
    def targets(self) -> tuple[str, ...]:
        """The quantities in whose equations it happens, in the order in which the slips were made."""
        return tuple(dict.fromkeys(name for way in self.ways for name in way.targets))

    @property
    def slips(self) -> tuple[Slip, ...]:
        """The rows."""
        return tuple(way.slip for way in self.ways)

    def of(self, variant: Example) -> Example:
        """Another example of the same structure with the same slips in it."""
        own, base = self.example, self.base
        if (variant.forward, variant.backward, variant.update) != (base.forward, base.backward, base.update):
            return worked(variant, self.ways)
        by = sum(way.change.by for way in self.ways if isinstance(way.change, OtherBatch))
        return replace(
            variant,
            forward=own.forward,
            backward=own.backward,
            update=own.update,
            states=with_memories(variant, self.ways),
            batches=other_batches(variant.batches, by),
        )

    def columns(self, variants: Columns) -> Columns:
        """The same slips in many variants of the structure at once; a memory starts as its parameter does."""
        starts = memories(self.base, self.ways)
        given = {name: variants.given[own] for name, own in starts.items() if own in variants.given}
        return Columns(self.example, variants.count, {**variants.given, **given})


def slipped(example: Example | Slipped, slip: Slip) -> tuple[Slipped, ...]:
    """Every way in which a slip can be made; empty where there is none, and `why_not` says why.

    Where it can happen in several places, in all of them at once comes first. For what is slipped already
    the answers are chains of one slip more.
    """
    if isinstance(example, Example):
        return tuple(Slipped(example, (way,)) for way in ways_of(example, slip))
    longer = (Slipped(example.base, (*example.ways, way)) for way in ways_of(example.base, slip))
    return tuple(each for each in longer if _differs(each.example, example.example))


def _differs(one: Example, other: Example) -> bool:
    def what(example: Example) -> tuple[object, ...]:
        return example.forward, example.backward, example.update, example.batches

    return what(one) != what(other)


def why_not(example: Example, slip: Slip) -> Message | None:
    """Why a slip cannot be made in an example, in words; None if it can."""
    return None if ways_of(example, slip) else message(slip.absent)


@dataclass(frozen=True, slots=True)
class Asked:
    """One number of a run: the step, the quantity, and its positions inside the batch."""

    step: int
    quantity: str
    at: tuple[int, ...] = ()

    def in_trace(self, trace: Trace) -> Value | None:
        """The value in a run, as the run holds it; None if the run does not have it."""
        return self.in_step(trace.steps[self.step - 1]) if self.step <= len(trace.steps) else None

    def in_step(self, step: Step) -> Value | None:
        """The value in a step."""
        slots = step.layout.tape.slots
        entry = self.quantity, self.at
        return step.memory[slots[entry]] if entry in slots else None


def answer(each: Example | Slipped, asked: Asked) -> Value | None:
    """The number that follows, right or with slips; None where the run does not exist or lacks it."""
    example = each.example if isinstance(each, Slipped) else each
    try:
        return asked.in_trace(train(example))
    except ArithmeticFault:
        return None
