"""Many runs of one structure: one pass of the tape a step works all variants, exactly as each alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from derivations.language.errors import ArithmeticFault
from derivations.model.example import Example, check_values
from derivations.numbers.systems import EXACT, Undecided, rounded
from derivations.run.columns import Columns, ColumnStep, columns_of, run_columns
from derivations.run.training import FIRST_BITS, Trace, train


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


@dataclass(frozen=True)
class Group:
    """Examples of one structure and their runs: worked together, or, where that failed, each alone.

    ``places`` are those of the examples among all; ``steps`` is empty where each was worked alone.
    """

    places: tuple[int, ...]
    columns: Columns
    steps: tuple[ColumnStep, ...] = field(repr=False)
    traces: tuple[Trace, ...] = field(repr=False)


def train_many(examples: Sequence[Example], bits: int = FIRST_BITS) -> list[Trace]:
    """The run of each example: what `train` gives for it, worked together where they are alike.

    Raises `ArithmeticFault` naming the first variant whose run does not exist or diverges.
    """
    pairs = (zip(group.places, group.traces, strict=True) for group in groups(examples, bits))
    found = dict(pair for own in pairs for pair in own)
    return [found[place] for place in range(len(examples))]


def groups(examples: Sequence[Example], bits: int = FIRST_BITS) -> Iterator[Group]:
    """The examples by their structure, with their runs; raises `ArithmeticFault` as `train_many` does."""
    for places in alike(examples):
        yield _group(places, [examples[place] for place in places], bits)


def _group(places: list[int], examples: list[Example], bits: int) -> Group:
    """One structure; where a variant needs more bits or is at fault, each is worked alone."""
    for example in examples:
        check_values(example)
    columns, carry = columns_of(examples), examples[0].spec.training.carry
    try:
        exact = run_columns(columns, EXACT, bits)
        carried = run_columns(columns, rounded(carry), bits) if carry is not None else ()
    except (ArithmeticFault, Undecided):
        alone = tuple(
            _alone(place + 1, example, bits) for place, example in zip(places, examples, strict=True)
        )
        return Group(tuple(places), columns, (), alone)
    rows = zip(examples, _each(columns, exact), _each(columns, carried), strict=True)
    traces = tuple(Trace(example, steps, bits, rough) for example, steps, rough in rows)
    return Group(tuple(places), columns, exact, traces)


def _each(columns: Columns, steps: tuple[ColumnStep, ...]) -> Iterable[tuple[Any, ...]]:
    """The steps of each variant."""
    return zip(*(step.steps() for step in steps), strict=True) if steps else [()] * columns.count


def _alone(number: int, example: Example, bits: int) -> Trace:
    try:
        return train(example, bits)
    except ArithmeticFault as fault:
        raise fault.about("", f"variant {number}: ") from None
