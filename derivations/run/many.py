"""Many runs of one structure: one pass of the tape a step works all variants, exactly as each alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from derivations.language.errors import ArithmeticFault
from derivations.language.names import after
from derivations.model.example import Example, check_values, sample_axes
from derivations.numbers.systems import EXACT, NumberSystem, Undecided, Value, precision, rounded
from derivations.numbers.variants import over_arrays
from derivations.run.training import FIRST_BITS, Step, Trace, layout_of, numbers_of, schedule, settled, train


def alike(examples: Iterable[Example]) -> list[list[int]]:
    """The places of examples that have the same programs, batches and lookups, and so the same tapes."""
    found: dict[Any, list[int]] = {}
    for place, example in enumerate(examples):
        programs = example.forward, example.backward, example.update
        shapes = tuple((name, array.shape) for name, array in {**example.data, **example.kept}.items())
        looked = tuple(example.data[name] for name in example.lookups)
        training = example.batches, example.spec.training.carry, example.rule.first, tuple(example.hyper)
        letters = example.sample, tuple(example.spec.model.ranges.items()), example.rule.clock
        key = programs, shapes, looked, training, letters
        found.setdefault(key, []).append(place)
    return list(found.values())


def train_many(examples: Sequence[Example], bits: int = FIRST_BITS) -> list[Trace]:
    """The run of each example: what `train` gives for it, worked together where they are alike.

    Raises `ArithmeticFault` naming the first variant whose run does not exist or diverges.
    """
    found: dict[int, Trace] = {}
    for places in alike(examples):
        group = [examples[place] for place in places]
        found |= zip(places, _together(group, bits), strict=True)
    return [found[place] for place in range(len(examples))]


def _together(examples: list[Example], bits: int) -> list[Trace]:
    """One structure; where a variant needs more bits or is at fault, each is worked alone."""
    for example in examples:
        check_values(example)
    places = examples[0].spec.training.carry
    try:
        with precision(bits):
            exact = _steps(examples, EXACT, bits)
            carried = _steps(examples, rounded(places), bits) if places is not None else [()] * len(examples)
    except (ArithmeticFault, Undecided):
        return [_alone(number, example, bits) for number, example in enumerate(examples, 1)]
    pairs = zip(examples, exact, carried, strict=True)
    return [Trace(example, steps, bits, rough) for example, steps, rough in pairs]


def _alone(number: int, example: Example, bits: int) -> Trace:
    try:
        return train(example, bits)
    except ArithmeticFault as fault:
        raise fault.about("", f"variant {number}: ") from None


def _steps(examples: list[Example], system: NumberSystem, bits: int) -> list[tuple[Step, ...]]:
    run = _Runs(examples, system, bits)
    columns = [run.step(*place) for place in schedule(examples[0])]
    return list(zip(*columns, strict=True))


class _Runs:
    """The state that goes from step to step, of all variants."""

    def __init__(self, examples: list[Example], system: NumberSystem, bits: int) -> None:
        self.examples, self.bits, self.first = examples, bits, examples[0]
        self.system, self.arrays, self.axes = system, over_arrays(system), sample_axes(examples[0])
        self.runs: dict[int, Callable[[Sequence[Any]], list[Any]]] = {}
        self.now = {
            name: self._given([each.kept[name].entries for each in examples]) for name in self.first.kept
        }
        self.hyper = self._given([tuple(each.hyper.values()) for each in examples])

    def _given(self, rows: list[tuple[Any, ...]]) -> list[Any]:
        """The entries of an array over the variants; what they share is one value."""
        number = self.system.number
        if all(row is rows[0] for row in rows) or len(set(rows)) == 1:
            return [number(value) for value in rows[0]]
        return [_array([number(value) for value in column]) for column in zip(*rows, strict=True)]

    def inputs(self, number: int, epoch: int, samples: tuple[int, ...]) -> list[Any]:
        """The input values of a step in the order of the tape."""
        data: list[Any] = []
        for name, axis in ((name, self.axes.get(name)) for name in self.first.data):
            arrays = [each.data[name] for each in self.examples]
            shared = all(array is arrays[0] for array in arrays)
            data += self._given([array.take(samples, axis) for array in arrays[: 1 if shared else None]])
        clock = zip((number + self.first.rule.first - 1, epoch), self.first.rule.clock, strict=False)
        counted = [self.system.number(Fraction(n)) for n, _ in clock]
        state = [value for values in self.now.values() for value in values]
        numbers = map(self.system.number, numbers_of(self.first, samples))
        return [*data, *state, *self.hyper, *counted, *numbers]

    def step(self, number: int, epoch: int, samples: tuple[int, ...]) -> list[Step]:
        """One step of all variants."""
        layout = layout_of(self.first, samples)
        if id(layout) not in self.runs:
            self.runs[id(layout)] = layout.tape.bind(self.arrays)
        memory = self.runs[id(layout)](self.inputs(number, epoch, samples))
        columns = [_column(value, len(self.examples)) for value in memory]
        steps = [Step(number, epoch, samples, layout, own, self.bits) for own in zip(*columns, strict=True)]
        for name, array in self.first.kept.items() if self.first.updates else ():
            slots = [layout.tape.slots[after(name), at] for at in array.positions()]
            self.now[name] = [
                _array([settled(step.memory[slot], name, step) for step in steps]) for slot in slots
            ]
        return steps


def _array(values: list[Value]) -> Any:
    found = np.empty(len(values), dtype=object)
    found[:] = values
    return found


def _column(value: Any, count: int) -> Sequence[Value]:
    """The values of a slot for each variant."""
    return value.tolist() if isinstance(value, np.ndarray) and value.ndim else [value] * count
