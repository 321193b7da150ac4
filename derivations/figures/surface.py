"""The loss of all samples as a function of one or two numbers: for the path of the parameters on it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TypeAlias

from derivations.figures.axes import middle
from derivations.figures.scene import Scene
from derivations.language.errors import ArithmeticFault
from derivations.language.names import after
from derivations.language.ranges import sizes_of
from derivations.language.tree import Ref
from derivations.notation.locales import phrase
from derivations.numbers.compile import compile_program
from derivations.numbers.systems import EXACT, Undecided, Value, rational
from derivations.run.training import Step, Trace, looked_up, sample_numbers
from derivations.spec.arrays import Array, positions

ON_LOSS = phrase("The path of the parameters on the loss:")
ON_ALL = phrase("The path of the parameters on the loss of all samples:")
LARGEST = Fraction(10) ** 300
Place: TypeAlias = tuple[Fraction, ...]


@dataclass(frozen=True)
class Surface:
    """The loss over the entries of the parameters, the forward pass worked with all samples."""

    trace: Trace

    @cached_property
    def entries(self) -> tuple[Ref, ...]:
        """The entries of the parameters."""
        return tuple(ref for name, array in self.trace.example.start.items() for ref in array.refs(name))

    @cached_property
    def _work(self) -> tuple[Callable[[list[Value]], list[Value]], list[Value], list[int], int]:
        """The bound tape, its inputs with 0 for the parameters and states, where those are, and the loss."""
        example = self.trace.example
        shapes = {name: array.shape for name, array in {**example.data, **example.kept}.items()}
        shapes |= dict.fromkeys((*example.hyper, *example.rule.clock), ())
        shapes |= dict.fromkeys(sample_numbers(example).values(), (example.samples,))
        samples = tuple(range(1, example.samples + 1))
        sizes = sizes_of(example.forward, shapes, example.spec.model.ranges)
        letters = sample_numbers(example)
        tape = compile_program(example.forward, shapes, sizes, looked_up(example, samples), letters)
        data = {(name, at): v for name, a in example.data.items() for at, v in _entries(a)}
        data |= {(name, (k,)): Fraction(k) for name in letters.values() for k in samples}
        inputs = [rational(data.get(entry, Fraction(0))) for entry in tape.inputs]
        slots = [tape.slots[ref.name, positions(ref)] for ref in self.entries]
        return tape.bind(EXACT), inputs, slots, tape.slots[example.loss, ()]

    def __call__(self, place: Place) -> Value | None:
        """The loss at a place; None where it has no value, or none that is certain."""
        run, inputs, slots, loss = self._work
        values = list(inputs)
        for slot, value in zip(slots, place, strict=True):
            values[slot] = rational(value)
        try:
            return run(values)[loss]
        except (ArithmeticFault, Undecided):
            return None

    def height(self, place: Place) -> Fraction | None:
        """The loss as a fraction; of a ball its middle."""
        found = self(place)
        return None if found is None else middle(found)

    def roughly(self, place: Place) -> float | None:
        """The loss as a float, for grids; None also where it is beyond all floats."""
        found = self.height(place)
        return None if found is None or abs(found) > LARGEST else float(found)

    @cached_property
    def path(self) -> list[Place]:
        """The parameters at the start and after every step."""
        first, steps = self.trace.shown[0], self.trace.shown
        start = tuple(middle(first.at(ref.name, positions(ref))) for ref in self.entries)
        if not self.trace.example.updates:
            return [start]
        return [start, *(tuple(_new(step, ref) for ref in self.entries) for step in steps)]


def _new(step: Step, ref: Ref) -> Fraction:
    return middle(step.at(after(ref.name), positions(ref)))


def _entries(array: Array) -> Iterable[tuple[tuple[int, ...], Fraction]]:
    return zip(array.positions(), array.entries, strict=True)


def lead_of_path(scene: Scene) -> str:
    """The sentence above a path on the loss: of all samples, where there are samples."""
    return ON_LOSS if scene.example.sample is None else ON_ALL


def is_bottom(surface: Surface, at: Place, pixel: Fraction) -> bool:
    """Whether nothing around a place is lower and the loss does not jump there, as pictures show it."""
    here = surface.height(at)
    near = [surface.height((at[0] + shift * pixel, *at[1:])) for shift in (-2, 2)]
    close = [surface.height((at[0] + shift * pixel / 10, *at[1:])) for shift in (-1, 1)]
    found = [(height, by) for pair, by in ((near, 1), (close, 10)) for height in pair if height is not None]
    if here is None or len(found) < 4 or any(height < here for height, _ in found):
        return False
    rise = max(height - here for height, by in found if by == 1)
    return all(height - here <= rise / 2 for height, by in found if by > 1)
