"""Training by hand: the three programs run over the mini-batches, every value kept.

`train` is the hand calculation. It is exact as long as it is rational and small and goes on in
balls with proved error bounds after that; with ``carry`` it also keeps the run of a student who
rounds every intermediate value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from typing import Any, TypeVar

from flint import arb, fmpq

from derivations.language.content import Content
from derivations.language.errors import ArithmeticFault
from derivations.language.names import after, of_adjoint, unprimed
from derivations.language.program import Program
from derivations.language.ranges import sizes_of
from derivations.language.tree import Call, Chosen, Expr, Ref, walk
from derivations.model.example import Example, check_values, sample_axes
from derivations.model.numbered import at_places, numbered_letters
from derivations.numbers.compile import compile_program
from derivations.numbers.float64 import LARGEST
from derivations.numbers.real import Real
from derivations.numbers.systems import (
    EXACT,
    NumberSystem,
    Undecided,
    Value,
    ball,
    precision,
    rounded,
)
from derivations.numbers.tape import Tape, label
from derivations.numbers.walker import Direct, Entry, Place, Walker, evaluated
from derivations.run.entries import Entries, gathered, stacked, unknown
from derivations.run.showing import MOST, Rows, frame, html_table, markdown_table, run_rows, step_rows
from derivations.spec.arrays import Array

MAX_HEIGHT = 4_096  # bits of an exact parameter before the run goes on in balls
FIRST_BITS, LAST_BITS = 128, 8_192
LAYOUTS = 16  # compiled batches that are remembered
LIMIT = fmpq(int(LARGEST))
T = TypeVar("T")


@dataclass(frozen=True)
class Layout:
    """What the steps of one batch size share: the tape and the labels of its entries."""

    tape: Tape = field(repr=False)
    dims: Mapping[str, tuple[str, ...]]
    sizes: Mapping[str, int]
    sample: str | None
    lookups: frozenset[str] = frozenset()
    numbered: frozenset[str] = frozenset()

    def label(self, entry: Entry, samples: tuple[int, ...]) -> str:
        """The name of an entry with samples numbered as in the data set: ``yhat[3]``."""
        name, at = entry
        dims = self.dims.get(name, ())
        pairs = zip(at, dims, strict=False)
        shown = [samples[p - 1] if dim == self.sample and samples else p for p, dim in pairs]
        return label(name, [*shown, *at[len(dims) :]])


@dataclass(frozen=True)
class Step:
    """One mini-batch: which samples, and the value of every entry before, during and after it.

    Where a value is not exact it is a ball, worked with ``bits``.
    """

    number: int
    epoch: int
    samples: tuple[int, ...]
    layout: Layout = field(repr=False)
    memory: tuple[Value, ...] = field(repr=False)
    bits: int = FIRST_BITS

    def __getitem__(self, name: str) -> Any:
        """What has this name in the spec: a `Real`, ``step["dL/dw"]``, or an array, ``step["W1"]``."""
        return self.array(name) if self._slot(name) is None else self.value(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self.labelled)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._slot(name) is not None

    def _slot(self, label: str) -> int | None:
        """Where the entry with this label is kept."""
        slots, quantity = self.layout.tape.slots, label.partition("[")[0]
        if quantity == label:
            return slots.get((label, ()))
        own = (entry for entry in slots if entry[0] == quantity)
        return next((slots[entry] for entry in own if self.layout.label(entry, self.samples) == label), None)

    @property
    def values(self) -> dict[str, Real]:
        """Every value of the step by its label."""
        return {name: Real(value) for name, value in self.labelled.items()}

    def value(self, name: str) -> Real:
        """The value of one entry: ``step.value("yhat[3]")``; raises `UnknownName`."""
        slot = self._slot(name)
        if slot is None:
            raise unknown(name, self.labelled, f"step {self.number}")
        return Real(self.memory[slot])

    def array(self, name: str) -> Entries:
        """All entries of a quantity, those of the samples of this step; raises `UnknownName`."""
        slots = self.layout.tape.slots
        own = {entry: slot for entry, slot in slots.items() if entry[0] == name}
        if not own:
            raise unknown(name, self.labelled, f"step {self.number}")
        label = self.layout.label
        return gathered(
            name, {e[1]: (label(e, self.samples), Real(self.memory[slot])) for e, slot in own.items()}
        )

    def named(self, names: Sequence[str] = ()) -> dict[str, Real]:
        """The values of some quantities and entries, or of all, each entry by its label."""
        if not names:
            return self.values
        found = [self[name] for name in names]
        pairs = zip(names, found, strict=True)
        parts = ({name: each} if isinstance(each, Real) else each.labelled for name, each in pairs)
        return {label: value for part in parts for label, value in part.items()}

    @property
    def labelled(self) -> dict[str, Value]:
        """Every value by its label, as the run itself holds it."""
        slots = self.layout.tape.slots
        return {self.layout.label(entry, self.samples): self.memory[slot] for entry, slot in slots.items()}

    def at(self, name: str, positions: tuple[int, ...] = ()) -> Value:
        """The value of an entry by its positions inside the batch, as the run itself holds it."""
        return self.memory[self.layout.tape.slots[name, positions]]

    def _repr_html_(self) -> str:
        return html_table(step_rows(self.labelled))

    def _repr_markdown_(self) -> str:
        return markdown_table(step_rows(self.labelled))


@dataclass(frozen=True, repr=False)
class Trace:
    """A run: the example and its steps, worked with balls of ``bits`` where not exact."""

    example: Example
    steps: tuple[Step, ...]
    bits: int
    carried: tuple[Step, ...] = ()

    @property
    def shown(self) -> tuple[Step, ...]:
        """The steps that a page prints: the carried run if there is one, else the exact one."""
        return self.carried or self.steps

    @property
    def system(self) -> NumberSystem:
        """The arithmetic of the steps that a page prints: exact, or rounded as a calculator does."""
        places = self.example.spec.training.carry
        return EXACT if places is None else rounded(places)

    def __getitem__(self, name: str) -> Entries:
        """A quantity or entry in every step, ``trace["L"]``, ``trace["W1"]``: the first axis is the steps'.

        Raises `UnknownName`, also for what has another shape in another step, or is not in every step.
        """
        return stacked(name, [step[name] for step in self.steps])

    def rows(self, *names: str) -> list[dict[str, Any]]:
        """A dictionary a step: its number, epoch and samples, and the values of some quantities or of all."""
        return [
            {"step": step.number, "epoch": step.epoch, "samples": step.samples, **step.named(names)}
            for step in self.steps
        ]

    def frame(self, *names: str, exact: bool = False) -> Any:
        """The rows as a data frame of pandas, in float64 or, if so wished, of exact values.

        Raises ImportError where there is no pandas.
        """
        return frame(self.rows(*names), exact)

    def __repr__(self) -> str:
        return f"Trace({self.example.spec.title!r}, steps={len(self.steps)}, bits={self.bits})"

    def _repr_html_(self) -> str:
        return html_table(self._rows())

    def _repr_markdown_(self) -> str:
        return markdown_table(self._rows())

    def _rows(self) -> Rows:
        """The loss and the numbers that are learnt, step by step."""
        learnt = [name for name, array in self.example.start.items() if not array.shape]
        steps = [(step.samples, step.labelled) for step in self.shown[:MOST]]
        return run_rows([self.example.loss, *learnt], steps)


def layout_of(example: Example, samples: tuple[int, ...]) -> Layout:
    """The three programs compiled for a batch, once for batches that have the same shapes and lookups."""
    whole = looked_up(example, samples)
    shapes = shapes_at(example, len(samples))
    programs = example.forward, example.backward, example.update
    key = (
        programs,
        tuple(shapes.items()),
        tuple(whole.items()),
        tuple(example.spec.model.ranges.items()),
        (example.loss, example.sample, example.lookups, tuple(example.data)),
    )
    return _compiled(Content(key, (example, shapes, whole)))


@lru_cache(maxsize=LAYOUTS)
def _compiled(asked: Content[tuple[Example, Mapping[str, tuple[int, ...]], Mapping[Entry, int]]]) -> Layout:
    example, shapes, whole = asked.of
    program = example.forward + example.backward + example.update
    sizes = _sizes(program, shapes, example)
    letters = sample_numbers(example)
    tape = compile_program(program, shapes, sizes, whole, letters)
    dims = _dims(example)
    return Layout(tape, dims, sizes, example.sample, frozenset(example.lookups), frozenset(letters))


def sample_numbers(example: Example) -> dict[str, str]:
    """The letters that are read as the number of a sample, each with the input that holds these numbers."""
    program = example.forward + example.backward
    found = numbered_letters(program, sample_axes(example), example.sample)
    return dict.fromkeys(sorted(found), example.sample or "")


def numbers_of(example: Example, samples: tuple[int, ...]) -> list[Fraction]:
    """The last inputs of a step: the numbers of its samples, where a letter is read as one."""
    return [Fraction(sample) for sample in samples] if sample_numbers(example) else []


def shapes_at(example: Example, size: int) -> dict[str, tuple[int, ...]]:
    """The shapes of everything that a step is given, for a batch of some size."""
    axes = sample_axes(example)
    shapes: dict[str, tuple[int, ...]] = {}
    for name, array in example.data.items():
        shape = list(array.shape)
        if name in axes:
            shape[axes[name]] = size
        shapes[name] = tuple(shape)
    shapes |= {name: array.shape for name, array in example.kept.items()}
    shapes |= dict.fromkeys((*example.hyper, *example.rule.clock), ())
    return shapes | dict.fromkeys(sample_numbers(example).values(), (size,))


def sizes_at(example: Example, size: int) -> dict[str, int]:
    """How many values each index takes in a batch of some size."""
    return _sizes(example.forward + example.backward + example.update, shapes_at(example, size), example)


def _sizes(program: Program, shapes: Mapping[str, tuple[int, ...]], example: Example) -> dict[str, int]:
    """The ranges of the model's letters are those of the model alone: its adjoints read ``y[t + 1]`` too."""
    own = sizes_of(example.forward, shapes, example.spec.model.ranges)
    sizes = sizes_of(program, shapes, own)
    known = {(name, axis): extent for name, shape in shapes.items() for axis, extent in enumerate(shape)}
    for eq in example.forward:
        known |= {(eq.target.name, at): own[part] for at, part in enumerate(_names(eq.target)) if part in own}
    adjoints: dict[str, int] = {}  # their letters run along the whole array, however they are read
    for eq in program:
        name = unprimed(of_adjoint(eq.target.name, example.loss))
        for axis, part in enumerate(_names(eq.target)):
            if part and part not in own and (name, axis) in known:
                adjoints.setdefault(part, known[name, axis])
    sizes |= adjoints
    for eq in program:
        for node in walk(eq.body):  # a letter that was renamed inside a maximum runs as far as the chosen one
            if isinstance(node, Chosen) and isinstance(node.at, Ref) and node.at.name in sizes:
                sizes.setdefault(node.index, sizes[node.at.name])
    return sizes


def _names(target: Ref) -> tuple[str, ...]:
    """The letters of a left-hand side, empty for whole numbers."""
    return tuple(getattr(part, "name", "") for part in target.indices)


def _dims(example: Example) -> dict[str, tuple[str, ...]]:
    """The index names of each quantity, to know which position is a sample."""
    found: dict[str, tuple[str, ...]] = {}
    for eq in (*example.forward, *example.backward):
        found.setdefault(eq.target.name, _names(eq.target))
    found |= {name: (name,) for name in sample_numbers(example).values()}
    for name, axis in sample_axes(example).items():
        rank = len(example.data[name].shape)
        found[name] = tuple((example.sample or "") if at == axis else "" for at in range(rank))
    return found


def looked_up(example: Example, samples: tuple[int, ...]) -> dict[Entry, int]:
    """The entries of a batch that are used as indices, which are whole numbers."""
    axes, found = sample_axes(example), dict[Entry, int]()
    for name in set(sample_numbers(example).values()):
        found |= {(name, (place,)): sample for place, sample in enumerate(samples, 1)}
    for name in example.lookups:
        array = example.data[name]
        shape = [len(samples) if at == axes.get(name) else n for at, n in enumerate(array.shape)]
        places = Array(tuple(shape), ()).positions()
        found |= {
            (name, at): int(v) for at, v in zip(places, array.take(samples, axes.get(name)), strict=True)
        }
    return found


class _Run:
    """The state that goes from step to step: parameters, optimizer state, counted steps."""

    def __init__(self, example: Example, system: NumberSystem, bits: int) -> None:
        self.example, self.system, self.bits = example, system, bits
        self.layouts: dict[object, tuple[Layout, Callable[..., list[Value]]]] = {}
        self.axes = sample_axes(example)
        number = system.number
        self.now: dict[str, list[Value]] = {
            name: [number(value) for value in array.entries] for name, array in example.kept.items()
        }
        self.hyper = [number(value) for value in example.hyper.values()]

    def inputs(self, samples: tuple[int, ...], number: int, epoch: int) -> list[Value]:
        """The input values of a step in the order of the tape: data, parameters, state, knobs, clock."""
        convert = self.system.number
        data = [
            convert(value)
            for name, array in self.example.data.items()
            for value in array.take(samples, self.axes.get(name))
        ]
        state = [value for values in self.now.values() for value in values]
        clock = (number + self.example.rule.first - 1, epoch)
        counted = [convert(Fraction(n)) for n, _ in zip(clock, self.example.rule.clock, strict=False)]
        return [*data, *state, *self.hyper, *counted, *map(convert, numbers_of(self.example, samples))]

    def compiled(self, samples: tuple[int, ...]) -> tuple[Layout, Callable[..., list[Value]]]:
        whole = looked_up(self.example, samples)
        key = len(samples), tuple(whole.values())
        if key not in self.layouts:
            layout = layout_of(self.example, samples)
            self.layouts[key] = layout, layout.tape.bind(self.system)
        return self.layouts[key]

    def step(self, number: int, epoch: int, samples: tuple[int, ...]) -> Step:
        layout, run = self.compiled(samples)
        memory = tuple(run(self.inputs(samples, number, epoch)))
        step = Step(number, epoch, samples, layout, memory, self.bits)
        slots = layout.tape.slots
        for name, array in self.example.kept.items() if self.example.updates else ():
            new = [step.memory[slots[after(name), at]] for at in array.positions()]
            self.now[name] = [settled(value, name, step) for value in new]
        return step


def settled(value: Value, name: str, step: Step) -> Value:
    """The value that goes into the next step: a ball once the digits outgrow `MAX_HEIGHT`."""
    found = ball(value) if isinstance(value, fmpq) and value.height_bits() > MAX_HEIGHT else value
    if isinstance(found, arb) and not found.is_finite():
        raise Undecided("a value")
    if abs(found) > LIMIT:
        raise ArithmeticFault(
            f"step {step.number}: the run diverges: '{name}' is beyond the largest number of float64",
            hint="Use a smaller learning rate, or fewer epochs.",
        )
    return found


def schedule(example: Example) -> Iterator[tuple[int, int, tuple[int, ...]]]:
    """Step number, epoch and samples of every step, all from 1."""
    number = 0
    for epoch, batches in enumerate(example.batches, 1):
        for samples in batches:
            number += 1
            yield number, epoch, samples


def train(example: Example, bits: int = FIRST_BITS) -> Trace:
    """Work the whole run by hand, with balls of ``bits`` where it is not exact.

    The bits are doubled until every comparison is decided. Raises `ArithmeticFault` where a value does not
    exist or the run diverges, and `LanguageError` for values that its programs were not made for.
    """
    check_values(example)
    return certified(lambda enough: _trained(example, enough), bits)


def _trained(example: Example, bits: int) -> Trace:
    places = example.spec.training.carry
    steps = _steps(example, EXACT, bits)
    carried = _steps(example, rounded(places), bits) if places is not None else ()
    return Trace(example, steps, bits, carried)


def _steps(example: Example, system: NumberSystem, bits: int) -> tuple[Step, ...]:
    run = _Run(example, system, bits)
    found = []
    for number, epoch, samples in schedule(example):
        try:
            found.append(run.step(number, epoch, samples))
        except ArithmeticFault as fault:
            where = "" if fault.message.startswith("step") else f"step {number}: "
            raise fault.about("", where) from None
    return tuple(found)


def certified(work: Callable[[int], T], first: int = FIRST_BITS) -> T:
    """Do the work with more and more bits until every comparison and digit is decided."""
    bits = first
    while True:
        try:
            with precision(bits):
                return work(bits)
        except Undecided as fault:
            if bits >= LAST_BITS:
                raise ArithmeticFault(f"{fault}: not decided with {bits} bits") from None
            bits *= 2


# --- Working one expression of a step ---------------------------------------------------------------


def worked(expr: Expr, env: Mapping[str, int], step: Step, system: NumberSystem = EXACT) -> Value:
    """The value of an expression in a step; ``env`` gives positions of free indices in the batch."""
    with precision(step.bits):
        return evaluated(expr, _place(step, system), system, env)


def is_closed(expr: Expr, env: Mapping[str, int], step: Step) -> bool:
    """Whether an expression is 0 whatever the data: a closed gate, or a read outside its array."""
    return Walker(Direct(EXACT), _place(step, EXACT)).closed(expr, env)


def _place(step: Step, system: NumberSystem) -> Place[Value]:
    """What an expression reads in a step; outside an array it is 0 (the tape refused what must not be)."""
    layout, memory = step.layout, step.memory
    slots = layout.tape.slots

    def read(_: Ref, entry: Entry) -> Value:
        return memory[slots[entry]] if entry in slots else system.number(Fraction(0))

    def whole(entry: Entry) -> int | None:
        value = memory[slots[entry]] if entry in slots else None
        return int(value.p) if isinstance(value, fmpq) and value.q == 1 else None

    numbered = dict.fromkeys(layout.numbered, layout.sample or "")
    return Place(layout.sizes, read, whole, layout.lookups, lambda _, entry: entry not in slots, numbered)


def is_decided(gate: Expr, env: Mapping[str, int], step: Step) -> bool:
    """Whether a comparison is one of indices, which closes or opens a term whatever the numbers are."""
    walker = Walker(Direct(EXACT), _place(step, EXACT))
    return isinstance(gate, Call) and walker.is_index(env, *gate.arguments)


def at_entry(expr: Expr, env: Mapping[str, int], step: Step) -> Expr:
    """An expression at places of its letters in a step: ``a + 3*b`` for the third sample's ``a + i*b``."""
    return at_places(expr, env, step.layout.numbered, step.samples)


def size_of(step: Step, index: str) -> int:
    """How many values an index takes in this step."""
    return step.layout.sizes[index]


def numbered(step: Step, entry: Entry) -> list[int]:
    """The indices of an entry, samples by their numbers in the data set."""
    name, at = entry
    dims = step.layout.dims.get(name, ("",) * len(at))
    pairs = zip(at, dims, strict=True)
    return [step.samples[p - 1] if dim == step.layout.sample and step.samples else p for p, dim in pairs]
