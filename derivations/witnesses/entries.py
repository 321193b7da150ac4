"""What a witness has, entry by entry, against the values of a step."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

import torch

from derivations.examples.training import Step
from derivations.numbers.float64 import Enclosure, enclose, nearest_float
from derivations.witnesses.check import Check, compare


def as_tensor(step: Step, name: str, shape: tuple[int, ...]) -> torch.Tensor:
    """An input of a step rounded to float64."""
    entries = [nearest_float(step.at(*entry)) for entry in step.layout.tape.inputs if entry[0] == name]
    return torch.tensor(entries, dtype=torch.float64).reshape(shape)


def entry_checks(
    step: Step,
    name: str,
    found: Iterable[tuple[tuple[int, ...], float]],
    bounds: list[Enclosure],
    witness: str,
) -> Iterator[Check]:
    """Every entry that a witness found against ours; what we do not have must be 0."""
    slots = step.layout.tape.slots
    for at, theirs in found:
        slot = slots.get((name, at))
        quantity = step.layout.label((name, at), step.samples)
        if slot is not None:
            yield compare(quantity, step.number, witness, step.memory[slot], theirs, bounds[slot])
        elif theirs != 0:
            zero = enclose(step.memory[0] - step.memory[0])
            yield compare(quantity, step.number, witness, zero.ball, theirs, zero)


def tensor_checks(
    step: Step, name: str, tensor: torch.Tensor, bounds: list[Enclosure], witness: str
) -> Iterator[Check]:
    """Every entry of a tensor against ours."""
    places = itertools.product(*(range(size) for size in tensor.shape))
    found = ((tuple(k + 1 for k in at), float(tensor[at])) for at in places)
    yield from entry_checks(step, name, found, bounds, witness)
