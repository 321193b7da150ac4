"""Slips at work: the programs of a student who makes one, or several, and the wrong numbers that follow.

    for each in slipped(example, BY_NAME["factor-2-forgotten"]):
        train(each.example).steps[0]["w'"]

What a slip changes are equations, so that the error is carried forward by itself. Which ways there are
depends on the structure of an example, never on its numbers: `Slipped.of` puts the same slip into any other
example of the structure, and `answers` works all of them at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from derivations.catalogue.slip import OtherBatch, Rounded, Slip
from derivations.catalogue.slips import SLIPS
from derivations.document.blocks import Message, message
from derivations.exercises.ways import Way, other_batches, ways_of
from derivations.exercises.worked import memories, with_memories, worked
from derivations.language.errors import ArithmeticFault
from derivations.language.names import after
from derivations.language.tree import refs
from derivations.model.example import Example
from derivations.numbers.systems import Value
from derivations.run.columns import Columns
from derivations.run.entries import unknown
from derivations.run.many import train_many
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
class Sought:
    """One number of a run: the step, the quantity, and its positions inside the batch."""

    step: int
    quantity: str
    at: tuple[int, ...] = ()

    def in_trace(self, trace: Trace) -> Value | None:
        """The value in a run, as the run holds it; None if the run does not have it."""
        entry = self.quantity, self.at
        step = trace.steps[self.step - 1] if self.step <= len(trace.steps) else None
        return (
            step.memory[step.layout.tape.slots[entry]] if step and entry in step.layout.tape.slots else None
        )

    def until(self, example: Example) -> Example:
        """The example up to the step that is asked for, which is all that has to be worked."""
        left, found = self.step, []
        for epoch in example.batches:
            found.append(epoch[:left])
            left -= len(found[-1])
        return replace(example, batches=tuple(epoch for epoch in found if epoch))


def asked_by(step: Step, label: str) -> Sought:
    """What has this label in a step, ``yhat[3]``, samples by their numbers; raises `UnknownName`."""
    for quantity, at in step.layout.tape.slots:
        if step.layout.label((quantity, at), step.samples) == label:
            return Sought(step.number, quantity, at)
    raise unknown(label, step.labelled, f"step {step.number}")


def leading(example: Example, asked: Sought) -> tuple[set[str], tuple[object, ...]]:
    """The quantities on which a number depends, and their equations with the samples of the steps.

    Where these are the same, so is the number, whatever the values.
    """
    wanted, before = {asked.quantity}, set[str]()
    programs = example.forward + example.backward + example.update
    while wanted != before:
        before = set(wanted)
        wanted |= {ref.name for eq in programs if eq.target.name in wanted for ref in refs(eq.body)}
        wanted |= {after(name) for name in example.kept if name in wanted and asked.step > 1}
    equations = tuple(eq for eq in programs if eq.target.name in wanted)
    return wanted, (equations, asked.until(example).batches)


def distinct(example: Example, asked: Sought, slips: Iterable[Slip] = SLIPS) -> tuple[Slipped, ...]:
    """The ways of slips that change a number, of those that do it by the same equations the first.

    It is read off the equations, so that it holds for every example of the structure. What only rounds the
    answer itself is left out, which is not too early.
    """
    seen, found = {leading(example, asked)[1]}, list[Slipped]()
    for each in (each for slip in slips for each in slipped(example, slip)):
        equations = leading(each.example, asked)[1]
        if equations not in seen and not _rounds_the_end(each, asked):
            seen.add(equations)
            found.append(each)
    return tuple(found)


def _rounds_the_end(each: Slipped, asked: Sought) -> bool:
    return any(isinstance(way.change, Rounded) and way.targets == (asked.quantity,) for way in each.ways)


def answer(each: Example | Slipped, asked: Sought) -> Value | None:
    """The number that follows, right or with slips; None where the run does not exist or lacks it."""
    example = each.example if isinstance(each, Slipped) else each
    try:
        return asked.in_trace(train(asked.until(example)))
    except ArithmeticFault:
        return None


def answers(variants: Sequence[Example], asked: Sought, each: Slipped | None = None) -> list[Value | None]:
    """`answer` for many examples of one structure, right or all with the same slips, worked together."""
    examples = [each.of(variant) for variant in variants] if each else list(variants)
    cut = [asked.until(example) for example in examples]
    try:
        return [asked.in_trace(trace) for trace in train_many(cut)]
    except ArithmeticFault:  # of one of them: the others have numbers
        return [answer(example, asked) for example in examples]
