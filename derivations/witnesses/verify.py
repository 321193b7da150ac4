"""All witnesses over a trace.

1. autograd through the author's equations, for every intermediate value and adjoint;
2. torch's own layers and losses, where the catalogue knows them, with their gradients;
3. the real ``torch.optim`` optimizer and its state;
4. ``sympy.diff`` of the fully expanded loss at a tiny size (`derivations.witnesses.expansion`).

Every step starts from our own values rounded to float64, so that what may differ is one step's
rounding, and how much that is follows from the enclosures of `derivations.numbers.float64`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import torch

from derivations.examples.arrays import Array
from derivations.examples.example import Example
from derivations.examples.listing import optimizer_arguments
from derivations.examples.recognize import Recognized, recognize, unmatched
from derivations.examples.training import Step, Trace
from derivations.examples.update import after, states_of
from derivations.language.backward import adjoint
from derivations.numbers.float64 import FLOAT64, Enclosure, enclose, nearest_float
from derivations.numbers.systems import precision
from derivations.witnesses.author import Pass, resolve
from derivations.witnesses.check import Check, Report, compare
from derivations.witnesses.expansion import expansion
from derivations.witnesses.library import keywords, library_pass
from derivations.witnesses.lines import Line, read_lines
from derivations.witnesses.quick_start import without_compiler


def verify(trace: Trace) -> Report:
    """Ask every witness about every step. Nothing is raised: see `Report.require`."""
    example = trace.example
    found = {name: row for name, row in recognize(example).items() if row.torch}
    proofs, too_large = expansion(example)
    absent = list(too_large)
    missing = unmatched(example, found)
    if missing:
        absent.append(f"torch has no layer or loss of its own for {', '.join(missing)}")
    with precision(trace.bits), without_compiler():
        checks = tuple(_torch_checks(trace, found))
    return Report(checks, proofs, tuple(absent))


def _torch_checks(trace: Trace, found: Mapping[str, Recognized]) -> Iterator[Check]:
    example = trace.example
    lines = read_lines(example.spec.model.equations)
    optimizer = _Optimizer(example) if example.updates else None
    runs: dict[int, Callable[..., list[Enclosure]]] = {}
    for step in trace.steps:
        tape = step.layout.tape
        run = runs.setdefault(id(tape), tape.bind(FLOAT64))
        bounds = run([enclose(value) for value in step.memory[: len(tape.inputs)]])
        shapes = dict(tape.inputs)  # the last position of each array is its shape
        floats = {name: _tensor(step, name, shape) for name, shape in shapes.items()}
        yield from _forward_and_back(step, example, bounds, floats, lines, "autograd", Pass.run_all, optimizer)
        if optimizer:
            yield from optimizer.checks(step, bounds)
        if found:
            work = library_pass(found)
            yield from _forward_and_back(step, example, bounds, floats, lines, "library", work, None)


def _tensor(step: Step, name: str, shape: tuple[int, ...]) -> torch.Tensor:
    entries = [nearest_float(step.at(*entry)) for entry in step.layout.tape.inputs if entry[0] == name]
    return torch.tensor(entries, dtype=torch.float64).reshape(shape)


def _forward_and_back(
    step: Step,
    example: Example,
    bounds: list[Enclosure],
    floats: Mapping[str, torch.Tensor],
    lines: tuple[Line, ...],
    witness: str,
    work: Callable[[Pass, tuple[Line, ...]], Any],
    optimizer: _Optimizer | None,
) -> Iterator[Check]:
    """One forward and backward pass in torch; every value and adjoint that torch has, compared."""
    tensors = dict(floats)
    for name in example.start:
        tensors[name] = optimizer.load(name, floats[name]) if optimizer else floats[name].requires_grad_()
        tensors[name].grad = None
    forward = Pass(tensors, dict(step.layout.sizes))
    work(forward, lines)
    forward.tensors[example.loss].backward()  # type: ignore[no-untyped-call]
    for name in dict.fromkeys(line.target for line in lines):
        found = ((at, float(value.detach())) for at, value, _ in forward.entries(name))
        yield from _entries(step, name, found, bounds, witness)
    for name in dict.fromkeys([*(line.target for line in lines), *example.start]):
        slopes = [(at, float(grad)) for at, _, grad in forward.entries(name) if grad is not None]
        if name != example.loss:
            yield from _entries(step, adjoint(example.loss, name), slopes, bounds, witness)


def _entries(
    step: Step, name: str, found: Iterable[tuple[tuple[int, ...], float]], bounds: list[Enclosure], witness: str
) -> Iterator[Check]:
    slots = step.layout.tape.slots
    for at, theirs in found:
        slot = slots.get((name, at))
        if slot is not None:
            quantity = step.layout.label((name, at), step.samples)
            yield compare(quantity, step.number, witness, step.memory[slot], theirs, bounds[slot])
        elif theirs != 0:
            quantity = step.layout.label((name, at), step.samples)
            zero = enclose(step.memory[0] - step.memory[0])
            yield compare(quantity, step.number, witness, zero.ball, theirs, zero)


def _tensor_entries(tensor: torch.Tensor) -> Iterator[tuple[tuple[int, ...], float]]:
    for at in Array(tuple(tensor.shape), ()).positions():
        yield at, float(tensor[tuple(p - 1 for p in at)])


class _Optimizer:
    """The real optimizer of torch, on float64 copies of our parameters."""

    def __init__(self, example: Example) -> None:
        self.example, self.row = example, example.optimizer
        self.states = {state: self.row.states[state] for state in states_of(self.row)}
        self.leaves = {
            name: torch.zeros(array.shape, dtype=torch.float64).requires_grad_()
            for name, array in example.start.items()
        }
        arguments = keywords(optimizer_arguments(example))
        self.torch = resolve(self.row.torch)(list(self.leaves.values()), **arguments)

    def load(self, name: str, value: torch.Tensor) -> torch.Tensor:
        """Our start value of a step, as the parameter that the optimizer owns."""
        leaf = self.leaves[name]
        with torch.no_grad():
            leaf.copy_(value)
        return leaf

    def checks(self, step: Step, bounds: list[Enclosure]) -> Iterator[Check]:
        """Load our state, let torch step on autograd's gradients, compare parameters and state."""
        for name, leaf in self.leaves.items():
            for state, key in self.states.items():
                if key in self.torch.state[leaf]:
                    ours = _tensor(step, f"{state}_{name}", tuple(leaf.shape))
                    self.torch.state[leaf][key].copy_(ours)
        self.torch.step()
        for name, leaf in self.leaves.items():
            yield from _entries(step, after(name), _tensor_entries(leaf.detach()), bounds, "optimizer")
            for state, key in self.states.items():
                new = after(f"{state}_{name}")
                yield from _entries(step, new, _tensor_entries(self.torch.state[leaf][key]), bounds, "optimizer")
