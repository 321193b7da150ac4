"""The lines of a step, and the operations behind an entry of it, as a student works them one by one."""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from derivations.language.content import Content
from derivations.language.names import after
from derivations.language.program import Equation
from derivations.numbers.systems import Value
from derivations.numbers.tape import Tape
from derivations.numbers.walker import Entry
from derivations.run.training import Step

REMEMBERED = 64


@dataclass(frozen=True)
class Line:
    """One line of a step: an entry, the equations that add up to it, and its value."""

    label: str
    entry: Entry
    equations: tuple[Equation, ...]
    value: Value


def lines_of(step: Step) -> tuple[Line, ...]:
    """The lines of a step in the order in which they are worked."""
    tape, label = step.layout.tape, step.layout.label
    entries = sorted(tape.plan, key=lambda entry: tape.slots[entry])
    return tuple(
        Line(label(at, step.samples), at, tuple(eq for eq, _ in tape.plan[at]), step.memory[tape.slots[at]])
        for at in entries
    )


# --- Which operations an entry depends on ------------------------------------------------------------------


@dataclass(frozen=True)
class Work:
    """One operation: the place that its result has, its name, and the places that it reads."""

    place: int
    name: str
    reads: tuple[int, int]


@dataclass(frozen=True)
class Working:
    """The operations that an entry depends on, each after those that it reads, over one or several steps.

    ``slots`` says which slot of which step each place is; ``given`` are those that nothing works out.
    ``last`` is the number of the operation that reads a place last; ``lone`` are the places from which one
    way alone leads to the entry; ``state`` are those that a student who begins with a later step has carried
    there.
    """

    target: int
    operations: tuple[Work, ...]
    slots: Mapping[int, tuple[int, int]] = field(repr=False)
    given: tuple[int, ...] = field(repr=False)
    last: Mapping[int, int] = field(repr=False)
    lone: frozenset[int] = field(repr=False)
    state: frozenset[int] = field(repr=False)

    @cached_property
    def written(self) -> tuple[int, ...]:
        """The places of what a student writes down, and so may round."""
        return (*sorted(self.state), *(work.place for work in self.operations))


def working(steps: Sequence[Step], name: str, positions: tuple[int, ...] = ()) -> Working:
    """The operations behind an entry of the last of some steps that follow one another."""
    tapes, entry, late = tuple(step.layout.tape for step in steps), (name, positions), steps[0].number > 1
    return _working(Content((tuple(map(id, tapes)), entry, late), (tapes, entry, late)))


@lru_cache(maxsize=REMEMBERED)
def _working(asked: Content[tuple[tuple[Tape, ...], Entry, bool]]) -> Working:
    tapes, entry, late = asked.of
    joined = _Joined(tapes)
    target = joined.place(len(tapes) - 1, tapes[-1].slots[entry])
    operations = tuple(_in_order(joined, target))
    readers: dict[int, list[int]] = {}
    for number, work in enumerate(operations):
        for place in set(work.reads):
            readers.setdefault(place, []).append(number)
    lone = {target}
    for work in reversed(operations):
        for place in work.reads:
            if work.place in lone and len(readers[place]) == 1:
                lone.add(place)
    slots = {place: joined.slot(place) for place in (*readers, target)}
    given = tuple(sorted(slots.keys() - {work.place for work in operations}))
    state = frozenset(place for place in given if late and joined.is_state(*slots[place]))
    last = {place: numbers[-1] for place, numbers in readers.items()}
    return Working(target, operations, slots, given, last, frozenset(lone), state)


class _Joined:
    """The tapes of steps that follow one another; what one leaves behind the next reads."""

    def __init__(self, tapes: Sequence[Tape]) -> None:
        self.tapes = tapes
        self.leaves = [len(tape.inputs) + len(tape.constants) for tape in tapes]
        sizes = (n + len(tape.operations) for n, tape in zip(self.leaves, tapes, strict=True))
        self.bases = list(itertools.accumulate(sizes, initial=0))

    def is_state(self, number: int, slot: int) -> bool:
        """Whether a slot is an input that goes from step to step."""
        tape = self.tapes[number]
        return slot < len(tape.inputs) and _new(tape.inputs[slot]) in tape.slots

    def place(self, number: int, slot: int) -> int:
        """The place of a slot, in the step that works it."""
        while number and self.is_state(number, slot):
            new = _new(self.tapes[number].inputs[slot])
            number -= 1
            slot = self.tapes[number].slots[new]
        return self.bases[number] + slot

    def slot(self, place: int) -> tuple[int, int]:
        """The step and the slot of a place."""
        number = bisect_right(self.bases, place) - 1
        return number, place - self.bases[number]

    def work(self, place: int) -> Work | None:
        """The operation that gives a place; None for what is given."""
        number, slot = self.slot(place)
        if slot < self.leaves[number]:
            return None
        name, a, b = self.tapes[number].operations[slot - self.leaves[number]]
        return Work(place, name, (self.place(number, a), self.place(number, b)))


def _new(entry: Entry) -> Entry:
    return after(entry[0]), entry[1]


def _in_order(joined: _Joined, target: int) -> Iterator[Work]:
    """The operations behind a place, what is read first before it; what is near stays near."""
    waiting, done = [(target, False)], set[int]()
    while waiting:
        place, ready = waiting.pop()
        work = joined.work(place)
        if work is None or place in done:
            continue
        if ready:
            done.add(place)
            yield work
        else:
            waiting += [(place, True), *((read, False) for read in reversed(work.reads))]
