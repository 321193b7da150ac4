"""The witnesses of an update: the real ``torch.optim`` optimizer, and the row read a second time.

Both start every step from our values rounded to float64.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from fractions import Fraction
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from derivations.language.names import after, second
from derivations.model.example import Example
from derivations.model.pace import group_rate
from derivations.model.update import gradient, kept_shape
from derivations.numbers.float64 import Enclosure
from derivations.programs.optimizer import (
    arguments,
    filled,
    is_written_out,
    reads_second,
    schedule_arguments,
)
from derivations.run.training import Step
from derivations.spec.spec import Source
from derivations.witnesses.author import Pass
from derivations.witnesses.check import Check
from derivations.witnesses.entries import as_tensor, entries_of, entry_checks
from derivations.witnesses.second_reading import second_reading, value_of
from derivations.witnesses.torch_library import keywords
from derivations.witnesses.torch_rows import lacking, resolve

TORCH, SCHEDULER = "optimizer", "scheduler"


@contextmanager
def default_type(dtype: torch.dtype) -> Iterator[None]:
    """Inside the block torch's default type is this; optimizers keep their single numbers in it."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


class _WithoutCast(TorchFunctionMode):
    """The mode of `without_cast`."""

    def __init__(self, cast: str) -> None:
        super().__init__()
        self.cast = getattr(torch.Tensor, cast) if cast else None

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return args[0].clone() if func is self.cast else func(*args, **(kwargs or {}))


def without_cast(cast: str) -> TorchFunctionMode:
    """Inside the block a cast to the given type is left out; torch's code runs on in float64."""
    return _WithoutCast(cast)


class UpdateWitness:
    """What torch says about every update of a run, on float64 copies of our parameters."""

    def __init__(self, example: Example) -> None:
        self.example, self.rule, self.row = example, example.rule, example.rule.row
        self.leaves = {
            name: torch.zeros(array.shape, dtype=torch.float64).requires_grad_()
            for name, array in example.start.items()
        }
        self.curvature: dict[str, torch.Tensor] = {}
        with default_type(torch.float64):
            known = self.row.torch and not lacking_optimizer(example)
            self.torch: Any = _optimizer(example, self.leaves) if known else None
            self.scheduler = _scheduler(example, self.torch)

    def load(self, name: str, value: torch.Tensor) -> torch.Tensor:
        """Our start value of a step, as the parameter that the optimizer owns."""
        leaf = self.leaves[name]
        with torch.no_grad():
            leaf.copy_(value)
        return leaf

    def checks(self, step: Step, bounds: list[Enclosure]) -> Iterator[Check]:
        """After a backward pass: torch's clipping, rate, update and state, and the second reading.

        What torch and the second reading agree about is said once, by torch.
        """
        if not self.example.updates:
            return
        for name, value in self.curvature.items():
            yield from entry_checks(step, second(name), entries_of(value), bounds, "autograd")
        again = list(second_reading(self.example, step, bounds, self.leaves, self.curvature))
        found: list[Check] = []
        if self.torch is not None:
            with default_type(torch.float64):
                found = list(self.stepped(step, bounds))
        heard = {check.quantity for check in found}
        yield from found
        yield from (check for check in again if check.quantity not in heard or not check.ok)

    def see(self, forward: Pass) -> None:
        """The second derivatives of the loss, where the row reads them, by differentiating twice."""
        if not reads_second(self.example):
            return
        for name, leaf in self.leaves.items():
            (slope,) = torch.autograd.grad(forward.tensors[self.example.loss], leaf, create_graph=True)
            (twice,) = torch.autograd.grad(slope, leaf, retain_graph=True)
            self.curvature[name] = twice.detach()
        for tensor in forward.tensors.values():
            tensor.grad = None  # what was kept on the way is no part of the first derivatives

    def stepped(self, step: Step, bounds: list[Enclosure]) -> Iterator[Check]:
        """Let torch step from our state on autograd's gradients, compare parameters and state."""
        yield from self.rates(step, bounds)
        if self.rule.clip:
            resolve(self.rule.clip.torch)(list(self.leaves.values()), float(self.rule.limit))
            for name, leaf in self.leaves.items():
                assert leaf.grad is not None
                yield from entry_checks(step, gradient(self.rule, name), entries_of(leaf.grad), bounds, TORCH)
        self.load_states(step)
        with without_cast(self.row.casts):
            self.torch.step()
        self.next_rate(step)
        for name, leaf in self.leaves.items():
            yield from entry_checks(step, after(name), entries_of(leaf.detach()), bounds, TORCH)
            for state in self.rule.states(name):
                own = self.rule.name(state, name)
                shape = self.example.states[own].start.shape
                theirs = self.torch.state[leaf][self.row.states[state]].reshape(shape)
                yield from entry_checks(step, after(own), entries_of(theirs), bounds, TORCH)

    def load_states(self, step: Step) -> None:
        """Our state in torch's place; before its first step torch itself makes one."""
        for name, leaf in self.leaves.items():
            kept = self.torch.state[leaf]
            if step.number == 1 and self.rule.first == 1:
                continue
            if step.number == 1 and self.row.counter:
                kept[self.row.counter] = torch.tensor(float(self.rule.first - 1))
            for state in self.rule.states(name):
                own = self.rule.name(state, name)
                ours = as_tensor(step, own, kept_shape(self.rule, state, name, tuple(leaf.shape)))
                kept[self.row.states[state]] = ours

    def rates(self, step: Step, bounds: list[Enclosure]) -> Iterator[Check]:
        """The scheduler's learning rates against ours; the step goes on from ours."""
        if self.scheduler is None:
            return
        for group, theirs in zip(filled(self.example), self.torch.param_groups, strict=True):
            name = group_rate(self.rule.pace, group)
            rate = torch.tensor(float(theirs["lr"]), dtype=torch.float64)
            yield from entry_checks(step, name, entries_of(rate), bounds, SCHEDULER)
            theirs["lr"] = value_of(step, name)

    def next_rate(self, step: Step) -> None:
        """The scheduler's step, after every step or at the end of an epoch."""
        pace = self.rule.pace
        if self.scheduler is None or pace is None:
            return
        ends, number = set[int](), 0
        for batches in self.example.batches:
            number += len(batches)
            ends.add(number)
        if pace.every == "step" or step.number in ends:
            self.scheduler.step()


def _literal(value: Fraction) -> str:
    return str(value) if value.denominator == 1 else repr(float(value))


def _keywords(parts: list[str]) -> dict[str, Any]:
    return keywords(", ".join(parts))


def lacking_optimizer(example: Example) -> str:
    """What this torch is too old to have of the optimizer with these hyper-parameters, or nothing."""
    row = example.rule.row
    groups = (_keywords(arguments(row, group.values)) for group in filled(example))
    missing = (lacking(row.torch, given) for given in groups if row.torch)
    return next((name for name in missing if name), "")


def check_optimizer(example: Example, source: Source) -> None:
    """Raise `SpecError` at an optimizer that the program of the page needs and this torch lacks."""
    missing = lacking_optimizer(example)
    if missing and not is_written_out(example):
        hint = "Install a newer torch, or choose another optimizer."
        message = f"torch {torch.__version__} has no {missing}"
        raise source.error(message, "training", "optimizer", "name", hint=hint)


def _optimizer(example: Example, leaves: Mapping[str, torch.Tensor]) -> Any:
    """torch's optimizer with its groups."""
    row, groups = example.rule.row, filled(example)
    given = [
        {"params": [leaves[name] for name in group.parameters], **_keywords(arguments(row, group.values))}
        for group in groups
    ]
    return resolve(row.torch)(given, **_keywords(arguments(row, example.rule.groups[0].values)))


def _scheduler(example: Example, optimizer: Any) -> Any:
    """torch's scheduler, taken to the first step of the run."""
    pace = example.rule.pace
    if pace is None or optimizer is None:
        return None
    found = resolve(pace.row.torch)(optimizer, **keywords(schedule_arguments(pace.row, example, _literal)))
    before = example.rule.first - 1 if pace.every == "step" else 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch expects a step of the optimizer before that of a scheduler
        for _ in range(before):
            found.step()
    return found
