"""Tensors against the values of a step, entry by entry."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import torch

from derivations.numbers.float64 import Enclosure, enclose, nearest_float
from derivations.run.training import Step
from derivations.spec.arrays import Array
from derivations.witnesses.check import Check, compare


def as_tensor(step: Step, name: str, shape: tuple[int, ...]) -> torch.Tensor:
    """An input of a step rounded to float64."""
    entries = [nearest_float(step.at(*entry)) for entry in step.layout.tape.inputs if entry[0] == name]
    return torch.tensor(entries, dtype=torch.float64).reshape(shape)


def entries_of(tensor: torch.Tensor) -> Iterator[tuple[tuple[int, ...], float]]:
    """Every entry of a tensor by its position, which counts from 1."""
    for at in Array(tuple(tensor.shape), ()).positions():
        yield at, float(tensor[tuple(p - 1 for p in at)])


def entry_checks(
    step: Step,
    name: str,
    found: Iterable[tuple[tuple[int, ...], float]],
    bounds: list[Enclosure],
    witness: str,
) -> Iterator[Check]:
    """Every entry of a witness's quantity against ours; what we do not have must be 0."""
    slots = step.layout.tape.slots
    for at, theirs in found:
        slot = slots.get((name, at))
        quantity = step.layout.label((name, at), step.samples)
        if slot is not None:
            yield compare(quantity, step.number, witness, step.memory[slot], theirs, bounds[slot])
        elif theirs != 0:
            zero = enclose(step.memory[0] - step.memory[0])
            yield compare(quantity, step.number, witness, zero.ball, theirs, zero)
