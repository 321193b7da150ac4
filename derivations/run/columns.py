"""Many variants of one structure, worked together: every slot of a tape holds a column, a value a variant.

A column is exact over one denominator (`derivations.numbers.scaled`) as long as every value has that form,
else an array of exact values and balls; what all variants share is one value. `run_columns` is `train` for
all of them: the same programs, the same tape, the same numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np

from derivations.language.errors import ArithmeticFault
from derivations.language.names import after
from derivations.model.example import Example, sample_axes
from derivations.numbers.scaled import SCALED, NotScaled, Scaled, scaled, scaled_all, tight
from derivations.numbers.systems import EXACT, NumberSystem, Value, precision
from derivations.numbers.variants import over_arrays
from derivations.run.training import (
    LIMIT,
    MAX_HEIGHT,
    Layout,
    Step,
    layout_of,
    numbers_of,
    schedule,
    settled,
)
from derivations.spec.arrays import Array

Column: TypeAlias = Any  # Scaled, an array of exact values and balls, or one value that all variants share


@dataclass(frozen=True)
class Columns:
    """Variants of one structure: the first of them, how many there are, and where they differ from it.

    ``given`` holds a column for every entry of an array of the data, of what is learnt or kept, and for a
    hyper-parameter; what it does not hold is as in the first.
    """

    first: Example
    count: int
    given: Mapping[str, tuple[Scaled, ...]] = field(default_factory=dict, repr=False)

    def entries(self, name: str, array: Array) -> tuple[Scaled, ...]:
        """The columns of an array's entries."""
        return self.given.get(name) or tuple(map(scaled, array.entries))

    def taken(self, places: Sequence[int]) -> Columns:
        """Some of the variants; the first example stays that of the structure."""
        chosen = np.asarray(places, dtype=np.intp)
        given = {name: tuple(each.taken(chosen) for each in own) for name, own in self.given.items()}
        return Columns(self.first, len(places), given)


def columns_of(examples: Sequence[Example]) -> Columns:
    """The columns of examples of one structure (`derivations.run.many.alike`)."""
    first, given = examples[0], dict[str, tuple[Scaled, ...]]()
    for name in (*first.data, *first.kept):
        arrays = [each.data[name] if name in first.data else each.kept[name] for each in examples]
        if any(array is not arrays[0] for array in arrays):
            given[name] = tuple(map(scaled_all, zip(*(array.entries for array in arrays), strict=True)))
    for name in first.hyper:
        values = [each.hyper[name] for each in examples]
        if len(set(values)) > 1:
            given[name] = (scaled_all(values),)
    return Columns(first, len(examples), given)


@dataclass(frozen=True)
class ColumnStep:
    """A step of all variants: what `Step` is for one, with a column in every slot."""

    number: int
    epoch: int
    samples: tuple[int, ...]
    layout: Layout = field(repr=False)
    memory: tuple[Column, ...] = field(repr=False)
    count: int
    bits: int

    def column(self, name: str, positions: tuple[int, ...] = ()) -> Column:
        """The column of an entry by its positions inside the batch."""
        return self.memory[self.layout.tape.slots[name, positions]]

    def steps(self) -> list[Step]:
        """The step of each variant alone."""
        columns = [values_of(column, self.count) for column in self.memory]
        rows = zip(*columns, strict=True) if columns else [()] * self.count
        return [Step(self.number, self.epoch, self.samples, self.layout, row, self.bits) for row in rows]

    def step(self, place: int) -> Step:
        """The step of one variant."""
        row = tuple(value_at(column, place) for column in self.memory)
        return Step(self.number, self.epoch, self.samples, self.layout, row, self.bits)


def values_of(column: Column, count: int) -> Sequence[Value]:
    """The value of every variant."""
    if isinstance(column, Scaled):
        return column.values(count)
    return column.tolist() if isinstance(column, np.ndarray) and column.ndim else [column] * count


def value_at(column: Column, place: int) -> Value:
    """The value of one variant."""
    if isinstance(column, Scaled):
        return column.at(place)
    return column[place] if isinstance(column, np.ndarray) and column.ndim else column


def run_columns(columns: Columns, system: NumberSystem, bits: int) -> tuple[ColumnStep, ...]:
    """Every step of all variants, exactly or in another arithmetic, with balls of ``bits``.

    Raises `ArithmeticFault` or `Undecided` where a variant has no such run; which one, the caller finds out.
    """
    with precision(bits):
        if system is EXACT:
            try:
                return tuple(Walk(columns, bits).steps())
            except NotScaled:
                pass
        return tuple(_Entrywise(columns, bits, system).steps())


class Walk:
    """All variants on their way from step to step, over one denominator each; raises `NotScaled`."""

    def __init__(self, columns: Columns, bits: int, system: NumberSystem = SCALED) -> None:
        self.columns, self.bits, self.example, self.system = columns, bits, columns.first, system
        self.axes = sample_axes(self.example)
        self.runs: dict[int, Callable[[Sequence[Any]], list[Any]]] = {}
        self.left = schedule(self.example)
        kept = self.example.kept.items()
        self.now = {name: list(map(self.own, columns.entries(name, array))) for name, array in kept}
        self.hyper = [
            self.own(columns.given.get(name, (scaled(value),))[0])
            for name, value in self.example.hyper.items()
        ]

    def own(self, column: Scaled) -> Column:
        """A given column in the arithmetic of the run."""
        return column

    def taken(self, places: Sequence[int]) -> Walk:
        """Some of the variants, at the step where all of them are."""
        found = Walk(self.columns.taken(places), self.bits)
        found.runs, found.left, chosen = self.runs, self.left, np.asarray(places, dtype=np.intp)
        found.now = {name: [column.taken(chosen) for column in own] for name, own in self.now.items()}
        return found

    def next(self) -> ColumnStep:
        """The next step."""
        return self.step(*next(self.left))

    def steps(self) -> Iterable[ColumnStep]:
        """The steps in their order."""
        return (self.step(*place) for place in self.left)

    def inputs(self, number: int, epoch: int, samples: tuple[int, ...]) -> list[Column]:
        """The input columns of a step in the order of the tape."""
        data: list[Column] = []
        for name, array in self.example.data.items():
            own = self.columns.entries(name, array)
            places = Array(array.shape, tuple(range(len(own)))).take(samples, self.axes.get(name))  # type: ignore[arg-type]
            data += [self.own(own[int(place)]) for place in places]
        state = [value for values in self.now.values() for value in values]
        clock = zip((number + self.example.rule.first - 1, epoch), self.example.rule.clock, strict=False)
        counted = [Fraction(n) for n, _ in clock]
        numbers = numbers_of(self.example, samples)
        return [*data, *state, *self.hyper, *(self.own(scaled(n)) for n in (*counted, *numbers))]

    def step(self, number: int, epoch: int, samples: tuple[int, ...]) -> ColumnStep:
        """One step of all variants."""
        layout = layout_of(self.example, samples)
        if id(layout) not in self.runs:
            self.runs[id(layout)] = layout.tape.bind(self.system)
        memory = tuple(self.runs[id(layout)](self.inputs(number, epoch, samples)))
        found = ColumnStep(number, epoch, samples, layout, memory, self.columns.count, self.bits)
        for name, array in self.example.kept.items() if self.example.updates else ():
            new = [found.column(after(name), at) for at in array.positions()]
            self.now[name] = [self.settled(column, name, found) for column in new]
        return found

    def settled(self, column: Column, name: str, step: ColumnStep) -> Column:
        """What goes into the next step, over its least denominator; what outgrows that goes on in balls."""
        found = tight(column)
        if found.below.bit_length() > MAX_HEIGHT or found.most.bit_length() > MAX_HEIGHT:
            raise NotScaled("a denominator that is too large")
        if found.most > int(LIMIT) * found.below:
            raise ArithmeticFault(f"step {step.number}: the run diverges")
        return found


class _Entrywise(Walk):
    """The same in arrays of exact values and balls, variant by variant."""

    def __init__(self, columns: Columns, bits: int, system: NumberSystem) -> None:
        self.numbers = system
        super().__init__(columns, bits, over_arrays(system))

    def own(self, column: Scaled) -> Column:
        if column.is_shared:
            return self.numbers.number(Fraction(column.above, column.below))
        return _array([self.numbers.number(Fraction(each, column.below)) for each in column.above.tolist()])

    def settled(self, column: Column, name: str, step: ColumnStep) -> Column:
        one = Step(step.number, step.epoch, step.samples, step.layout, (), step.bits)
        return _array([settled(value, name, one) for value in values_of(column, step.count)])


def _array(values: Sequence[Value]) -> Any:
    found = np.empty(len(values), dtype=object)
    found[:] = values
    return found
