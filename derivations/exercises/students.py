"""What a student can reach who works the lines of a step one by one.

Each operation of a step gives one value. A student keeps it, or rounds it to the stated places, half up or
half to even, and reads what was written down wherever the value is read. `reached` goes through all these
choices at once: values that depend on one another are kept together, as rows of what they can be together,
and a value that nothing reads any more is forgotten. Where the rows become too many, neighbours are taken
together as intervals, which hold all of them and may hold more; it is said when that was done.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from flint import fmpq

from derivations.exercises.lines import Work, Working
from derivations.language.errors import ArithmeticFault
from derivations.numbers.affine import affine, range_of, sources_of
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
from derivations.numbers.systems import Binary, Undecided, Value
from derivations.numbers.walker import operation_of

MOST = 600  # rows of values that depend on one another
CELLS = 60  # how many of them are left when they have become more
FEW = 16  # values of one number on which nothing else depends, and rows once the work has become too much
ROOT = 50  # rows of each of two groups that meet, where all pairs would be too many
ENOUGH = 15_000  # rows that are worked with so much care
GRID = 3  # multiples of the last place that one interval may be rounded to, each for itself
SHORT = 24  # operations that are gone through at once, before one pass is asked for bounds
TRIED = 200  # operations of which each choice is tried the other way
ALIKE = fmpq(1, 2**64)  # what two irrational ends may differ by that are the same
NOTHING = None  # no value: a quotient by what was rounded to 0; times 0 it is 0, since nobody works it out


class Bounds(NamedTuple):
    """Between which two numbers an entry surely is, and at most how much wider that is than need be."""

    low: Any
    high: Any
    slack: Any


def reached(plan: Working, memory: Mapping[int, Value], places: int) -> Bounds:
    """What an entry can be; ``memory`` has what is given.

    Raises `ArithmeticFault` where nothing can be reached, `Undecided` where there is no bound.
    """
    early = _met(plan, memory, places) if len(plan.operations) > SHORT else None
    if early and not early.slack:
        return early
    found = _gone_through(plan, memory, places)
    late = (early or _met(plan, memory, places)) if found.slack else None
    if not late:
        return found
    low, high = max(found.low, late.low), min(found.high, late.high)
    slack = late.slack - (low - late.low) - (late.high - high)
    return Bounds(low, high, slack if slack > ALIKE else fmpq(0))


def _gone_through(plan: Working, memory: Mapping[int, Value], places: int) -> Bounds:
    """All choices at once, by rows."""
    run = _Choosing(plan, places)
    for place in plan.given:
        run.give(place, outward(memory[place]))
    for number, work in enumerate(plan.operations):
        run.work(number, work)
    found = [row for row in run.rows(plan.target) if row.values[0] is not NOTHING]
    if not found:
        raise ArithmeticFault(f"rounded to {places} places, the value does not exist")
    around = _around(found)
    low, high = ends(around.values[0])
    return Bounds(low, high, fmpq(0) if around.real else high - low)


# --- One pass, and the two students who go as far as it lets them ------------------------------------------


def _met(plan: Working, memory: Mapping[int, Value], places: int) -> Bounds | None:
    """The bounds of one pass over affine forms, if there are any, and how near two students come to them.

    The form of the entry says which way each rounding moves it, and so what these two choose.
    """
    try:
        target, sources = in_one_pass(plan, memory, places)
    except (ArithmeticFault, Undecided):
        return None
    low, high = ends(range_of(target))
    parts = sources_of(target)
    ways = {place: parts.get(source, fmpq(0)) > 0 for place, source in sources.items()}
    pairs = (low, False), (high, True)
    least, most = (_furthest(_Student(plan, memory, places, up), ways, end) for end, up in pairs)
    slack = high - low if least is None or most is None else (least - low) + (high - most)
    return Bounds(low, high, slack if slack > ALIKE else fmpq(0))


def in_one_pass(plan: Working, memory: Mapping[int, Value], places: int) -> tuple[Value, dict[int, int]]:
    """The affine form that holds all that can be reached, and the source of what is rounded at each place."""
    system = affine(places)
    known = {place: outward(memory[place]) for place in plan.given}
    known |= {place: system.add(known[place], fmpq(0)) for place in plan.state}
    for work in plan.operations:
        a, b = (known[place] for place in work.reads)
        known[work.place] = operation_of(work.name, system)(a, b)
    return known[plan.target], {place: max(sources_of(known[place]), default=-1) for place in plan.written}


@dataclass(frozen=True)
class _Student:
    """One student, who wants the entry to be as large as can be, or as small."""

    plan: Working
    memory: Mapping[int, Value]
    places: int
    up: bool

    def __call__(self, ways: Mapping[int, bool]) -> Any:
        """What is reached, taking at each place the larger of all choices or the smaller; None if nothing."""
        known = {place: outward(self.memory[place]) for place in self.plan.given}
        known |= {place: self.chosen(known[place], ways[place]) for place in self.plan.state}
        try:
            for work in self.plan.operations:
                a, b = (known[place] for place in work.reads)
                value = outward(operation_of(work.name, BETWEEN)(a, b))
                known[work.place] = self.chosen(value, ways[work.place])
        except (ArithmeticFault, Undecided):
            return None
        return ends(known[self.plan.target])[self.up]

    def chosen(self, value: Value, rising: bool) -> Value:
        pick = max if rising == self.up else min
        return pick(choices(value, self.places), key=ends)

    def better(self, one: Any, other: Any) -> bool:
        """Whether one result is further than another."""
        return one is not None and (other is None or (one > other if self.up else one < other))


def _furthest(student: _Student, ways: Mapping[int, bool], end: Any) -> Any:
    """How far a student comes who tries once, at each place, what the other choice would do."""
    best, chosen = student(ways), dict(ways)
    for place in ways if len(ways) <= TRIED else ():
        if best is not None and abs(best - end) <= ALIKE:
            return best
        other = {**chosen, place: not chosen[place]}
        if student.better(found := student(other), best):
            best, chosen = found, other
    return best


# --- All choices at once -----------------------------------------------------------------------------------


class Row(NamedTuple):
    """What some places can be together.

    ``real``: not a bound only; where it has an interval, both ends can be reached.
    """

    values: tuple[Value, ...]
    real: bool = True


@dataclass(frozen=True)
class Group:
    """Places whose values depend on one another, and the rows of what they can be together."""

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


class _Choosing:
    """The state while a student works: what has one value, what may differ, and how much was done."""

    def __init__(self, plan: Working, places: int) -> None:
        self.plan, self.places, self.done = plan, places, 0
        self.known: dict[int, Row] = {}
        self.groups: dict[int, Group] = {}
        names = {work.name for work in plan.operations}
        self.functions: dict[str, Binary] = {name: operation_of(name, BETWEEN) for name in names}

    def give(self, place: int, value: Value) -> None:
        """Put in a value that is given; one that was carried here may have been rounded."""
        found = choices(value, self.places) if place in self.plan.state else [value]
        self.keep(Group((place,), [Row((each,)) for each in found]))

    def rows(self, place: int) -> list[Row]:
        """What a place can be."""
        if place in self.known:
            return [self.known[place]]
        group = self.groups[place]
        at = group.places.index(place)
        return [Row((row.values[at],), row.real) for row in group.rows]

    def keep(self, group: Group) -> None:
        """Remember a group; what has one value only is known."""
        if len(group.rows) > 1:
            self.groups |= dict.fromkeys(group.places, group)
            return
        ((values, real),) = group.rows
        for place, value in zip(group.places, values, strict=True):
            self.known[place] = Row((value,), real)

    def work(self, number: int, work: Work) -> None:
        """All that one operation can give, with all that its operands can be."""
        groups = list({id(g): g for g in map(self.groups.get, work.reads) if g is not None}.values())
        if len(groups) > 1 and len(groups[0].rows) * len(groups[1].rows) > MOST * GRID:
            groups = [self.fewer(group, ROOT) for group in groups]
        before = tuple(itertools.chain.from_iterable(group.places for group in groups))
        for place in before:
            del self.groups[place]
        kept = [k for k, place in enumerate(before) if self.plan.last[place] > number]
        found = self.worked(work, before, kept, groups)
        group = Group((*(before[k] for k in kept), work.place), found)
        self.keep(self.fewer(group, MOST if self.done < ENOUGH else FEW))

    def worked(
        self, work: Work, before: Sequence[int], kept: Sequence[int], groups: list[Group]
    ) -> list[Row]:
        """The rows after an operation."""
        (a, b), found = (self.reading(place, before) for place in work.reads), dict[Any, Row]()
        for parts in itertools.product(*(group.rows for group in groups)):
            row = tuple(itertools.chain.from_iterable(part.values for part in parts))
            (x, first), (y, second) = a(row), b(row)
            real = first and second and all(part.real for part in parts)
            rest = tuple(row[k] for k in kept)
            for each, sure in self.results(work.name, x, y):
                new = Row((*rest, each), real and sure)
                key = tuple(map(_key, new.values))
                if new.real or key not in found:
                    found[key] = new
        self.done += len(found)
        return list(found.values())

    def results(self, name: str, x: Value, y: Value) -> list[tuple[Value, bool]]:
        """What a student may write down for one operation, and whether it is more than a bound."""
        if x is NOTHING or y is NOTHING:
            return [(fmpq(0) if name == "mul" and 0 in (x, y) else NOTHING, True)]
        try:
            value = outward(self.functions[name](x, y))
        except ArithmeticFault:
            return [(NOTHING, True)]
        return [(each, attained(value)) for each in choices(value, self.places)]

    def reading(self, place: int, before: Sequence[int]) -> Callable[[Sequence[Value]], tuple[Value, bool]]:
        """How an operand is read in a row."""
        if place in self.known:
            (value,), real = self.known[place]
            return lambda _: (value, real)
        at = before.index(place)
        return lambda row: (row[at], True)

    def fewer(self, group: Group, most: int) -> Group:
        """A group with fewer rows, if it has too many: nothing is lost where one way alone leads on."""
        lone = len(group.places) == 1 and group.places[0] in self.plan.lone
        if lone and len(group.rows) > FEW:
            return Group(group.places, [_around(own) for own in _kinds(group.rows)])
        if len(group.rows) <= most:
            return group
        return Group(group.places, list(cells(group.rows, min(most, CELLS))))


def _key(value: Value) -> Any:
    """What tells values apart, quicker than their own hash."""
    if isinstance(value, Between):
        return value.low.p, value.low.q, value.high.p, value.high.q
    return value if value is NOTHING else (value.p, value.q)


# --- Rows taken together -----------------------------------------------------------------------------------


def cells(rows: Sequence[Row], count: int) -> Iterator[Row]:
    """Intervals that hold rows, about so many for each kind of row, each around neighbours.

    The rows at the ends of each column stay as they are.
    """
    for own in _kinds(rows):
        keys = _keys(own)
        columns = zip(*keys, strict=True)
        kept = {pick(range(len(own)), key=column.__getitem__) for column in columns for pick in (min, max)}
        yield from (own[k] for k in kept)
        rest = [k for k in range(len(own)) if k not in kept]
        for near in _cut(rest, keys, max(count - len(kept), 1)) if rest else ():
            yield _around([own[k] for k in near])


def _kinds(rows: Sequence[Row]) -> list[list[Row]]:
    """The rows by the places that have a value at all."""
    kinds: dict[tuple[bool, ...], list[Row]] = {}
    for row in rows:
        kinds.setdefault(tuple(value is NOTHING for value in row.values), []).append(row)
    return list(kinds.values())


def _around(rows: Sequence[Row]) -> Row:
    """The row that holds rows of one kind; it is real if there is one place, whose ends are real."""
    if len(rows) == 1:
        return rows[0]
    columns = list(zip(*(row.values for row in rows), strict=True))
    values = tuple(column[0] if column[0] is NOTHING else hull(column) for column in columns)
    if len(values) > 1 or values[0] is NOTHING:
        return Row(values, values[0] is NOTHING)
    own = [ends(row.values[0]) for row in rows if row.real]
    low, high = ends(values[0])
    return Row(values, any(pair[0] == low for pair in own) and any(pair[1] == high for pair in own))


def _keys(rows: Sequence[Row]) -> list[tuple[int, ...]]:
    """Where each row lies in each column."""
    columns = zip(*(row.values for row in rows), strict=True)
    return list(zip(*map(_scaled, columns), strict=True))


def _scaled(column: Sequence[Value]) -> list[int]:
    """Where each value of a column lies between the least and the greatest, as a whole number."""
    if column[0] is NOTHING:
        return [0] * len(column)
    pairs = list(map(ends, column))
    low, high = min(low for low, _ in pairs), max(high for _, high in pairs)
    scale = 2**32 / (high - low) if high > low else fmpq(1)
    return [int(((least + most) / 2 - low) * scale) for least, most in pairs]


def _cut(own: list[int], keys: Sequence[tuple[int, ...]], count: int) -> list[list[int]]:
    """Numbers of rows in parts of neighbours, cut across the widest column again and again."""
    columns = list(enumerate(zip(*(keys[k] for k in own), strict=True)))
    axis, column = max(columns, key=lambda pair: max(pair[1]) - min(pair[1]))
    if count == 1 or min(column) == max(column):
        return [own]
    own = sorted(own, key=lambda k: keys[k][axis])
    half = len(own) // 2
    return [*_cut(own[:half], keys, count // 2), *_cut(own[half:], keys, count - count // 2)]
