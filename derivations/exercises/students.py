"""What a student can reach who works the lines of a step one by one.

Each operation of a step gives one value. A student keeps it, or rounds it to the stated places, half up or
half to even, and reads what was written down wherever the value is read. `reached` goes through all these
choices at once: values that depend on one another are kept together, as rows of what they can be together,
and a value that nothing reads any more is forgotten. Where the rows become too many, neighbours are taken
together as intervals, which hold all of them and may hold more; it is said when that was done.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, TypeAlias

from flint import fmpq

from derivations.language.content import Content
from derivations.language.errors import ArithmeticFault
from derivations.language.names import after
from derivations.language.program import Equation
from derivations.numbers.between import (
    BETWEEN,
    Between,
    attained,
    ends,
    grid,
    hull,
    is_short,
    outward,
    roundings,
)
from derivations.numbers.systems import Binary, Value
from derivations.numbers.tape import Tape
from derivations.numbers.walker import Entry, operation_of
from derivations.run.training import Step

Row: TypeAlias = tuple[Value, ...]
MOST = 1_000  # rows of values that depend on one another
CELLS = 128  # and how many of them are left when they have become more
FEW = 16  # values of one number that nothing else depends on
GRID = 3  # multiples of the last place that one interval may be rounded to, each for itself
REMEMBERED = 64
NOTHING = None  # no value: a quotient by what was rounded to 0; times 0 it is 0, since nobody works it out


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
        number = next(k for k, base in enumerate(self.bases[1:]) if place < base)
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


# --- All choices at once -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Group:
    """Places whose values depend on one another: each row is what they can be together."""

    places: tuple[int, ...]
    rows: Sequence[Row]


def choices(value: Value, places: int) -> list[Value]:
    """A value as a student may write it down: as it is, or rounded half up or half to even."""
    if value is NOTHING or is_short(value, places):
        return [value]
    if not isinstance(value, Between):
        return [value, *roundings(value, places)]
    rounded = grid(value, places)
    low, high = ends(rounded)
    steps = int((high - low) * 10**places)
    if steps >= GRID:
        return [value, rounded]
    return [value, *(low + fmpq(k, 10**places) for k in range(steps + 1))]


def reached(plan: Working, memory: Mapping[int, Value], places: int) -> tuple[list[Value], bool]:
    """What an entry can be, and whether it is no more than that; ``memory`` has what is given.

    The values are numbers, or intervals between two of them; where it is more, some may not be reachable.
    Raises `ArithmeticFault` where nothing can be reached, `Undecided` where there is no bound.
    """
    run = _Choosing(plan, places)
    for place in plan.given:
        run.give(place, outward(memory[place]))
    for number, work in enumerate(plan.operations):
        run.work(number, work)
    found = [value for value in run.values(plan.target) if value is not NOTHING]
    if not found:
        raise ArithmeticFault(f"rounded to {places} places, the value does not exist")
    return found, run.whole


class _Choosing:
    """The state while a student works: what is known, and the groups of what may differ."""

    def __init__(self, plan: Working, places: int) -> None:
        self.plan, self.places, self.whole = plan, places, True
        self.known: dict[int, Value] = {}
        self.groups: dict[int, Group] = {}
        names = {work.name for work in plan.operations}
        self.functions: dict[str, Binary] = {name: operation_of(name, BETWEEN) for name in names}

    def give(self, place: int, value: Value) -> None:
        """Put in a value that is given; one that was carried here may have been rounded."""
        found = choices(value, self.places) if place in self.plan.state else [value]
        self.keep(Group((place,), [(each,) for each in found]))

    def keep(self, group: Group) -> None:
        """Remember a group; a place that has one value is known."""
        if len(group.rows) == 1:
            self.known |= zip(group.places, group.rows[0], strict=True)
            for place in group.places:
                self.groups.pop(place, None)
        else:
            self.groups |= dict.fromkeys(group.places, self.fewer(group))

    def values(self, place: int) -> list[Value]:
        """All values of a place."""
        if place in self.known:
            return [self.known[place]]
        group = self.groups[place]
        at = group.places.index(place)
        return [row[at] for row in group.rows]

    def work(self, number: int, work: Work) -> None:
        """All that one operation can give, with all that its operands can be."""
        groups = {id(g): g for g in map(self.groups.get, work.reads) if g is not None}
        before = tuple(itertools.chain.from_iterable(group.places for group in groups.values()))
        kept = [k for k, place in enumerate(before) if self.plan.last[place] > number]
        rows = self.rows(work, before, kept, list(groups.values()))
        for place in before:
            del self.groups[place]
        self.keep(Group((*(before[k] for k in kept), work.place), rows))

    def rows(self, work: Work, before: Sequence[int], kept: Sequence[int], groups: list[Group]) -> list[Row]:
        """The rows after an operation."""
        a, b = (self.reading(place, before) for place in work.reads)
        found: dict[Any, Row] = {}
        for parts in itertools.product(*(group.rows for group in groups)):
            row = tuple(itertools.chain.from_iterable(parts))
            rest = tuple(row[k] for k in kept)
            for each in self.results(work.name, a(row), b(row)):
                new = (*rest, each)
                found[tuple(map(_key, new))] = new
        return list(found.values())

    def results(self, name: str, x: Value, y: Value) -> list[Value]:
        """What a student may write down for one operation."""
        if x is NOTHING or y is NOTHING:
            return [fmpq(0) if name == "mul" and 0 in (x, y) else NOTHING]
        try:
            value = outward(self.functions[name](x, y))
        except ArithmeticFault:
            return [NOTHING]
        self.whole &= attained(value)
        return choices(value, self.places)

    def reading(self, place: int, before: Sequence[int]) -> Callable[[Row], Value]:
        """How an operand is read in a row."""
        if place in self.known:
            value = self.known[place]
            return lambda _: value
        at = before.index(place)
        return lambda row: row[at]

    def fewer(self, group: Group) -> Group:
        """A group with fewer rows, if it has too many: nothing is lost where one way alone leads on."""
        lone = len(group.places) == 1 and group.places[0] in self.plan.lone
        if lone and len(group.rows) > FEW:
            return Group(group.places, list(cells(group.rows, 1)))
        if len(group.rows) <= MOST:
            return group
        self.whole = False
        return Group(group.places, list(cells(group.rows, CELLS)))


def _exists(value: Value) -> bool:
    return value is not NOTHING


def _key(value: Value) -> Any:
    """What tells values apart, quicker than their own hash."""
    if value is NOTHING:
        return value
    if isinstance(value, Between):
        return value.low.p, value.low.q, value.high.p, value.high.q
    return value.p, value.q


def cells(rows: Sequence[Row], count: int) -> Iterator[Row]:
    """Intervals that hold rows, at most so many for each kind of row, each around neighbours.

    Rows are of one kind in which the same places have a value at all.
    """
    kinds: dict[Row, list[Row]] = {}
    for row in rows:
        kinds.setdefault(tuple(map(_exists, row)), []).append(row)
    for own in kinds.values():
        columns = list(zip(*own, strict=True))
        keys = list(zip(*map(_scaled, columns), strict=True))
        for near in _cut(list(range(len(own))), keys, count):
            yield tuple(_around([column[k] for k in near]) for column in columns)


def _around(values: list[Value]) -> Value:
    return values[0] if values[0] is NOTHING else hull(values)


def _scaled(column: Sequence[Value]) -> list[int]:
    """Where each value of a column lies between the least and the greatest, as a whole number."""
    if column[0] is NOTHING:
        return [0] * len(column)
    pairs = list(map(ends, column))
    low, high = min(low for low, _ in pairs), max(high for _, high in pairs)
    scale = 2**32 / (high - low) if high > low else fmpq(1)
    return [int(((least + most) / 2 - low) * scale) for least, most in pairs]


def _cut(own: list[int], keys: Sequence[tuple[int, ...]], count: int) -> Iterable[list[int]]:
    """Numbers of rows in parts of neighbours, cut across the widest column again and again."""
    axis, width = max(
        ((at, max(column) - min(column)) for at, column in enumerate(zip(*(keys[k] for k in own), strict=True))),
        key=lambda pair: pair[1],
    )
    if count == 1 or width == 0:
        return [own]
    own = sorted(own, key=lambda k: keys[k][axis])
    half = len(own) // 2
    return [*_cut(own[:half], keys, count // 2), *_cut(own[half:], keys, count - count // 2)]
