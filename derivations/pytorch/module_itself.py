"""The witness of a page that was made from a module: the module itself, run in float64.

At every step our parameters are loaded into the module. Its own output, its loss and the gradients of
its own parameters must be ours, and so must the value of every traced operation that became an equation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction

import torch

from derivations.language.errors import CheckFailed
from derivations.language.names import adjoint
from derivations.numbers.float64 import FLOAT64, Enclosure, enclose, nearest_float
from derivations.numbers.systems import EXACT, precision
from derivations.pytorch.from_module import LOSS, Translation
from derivations.pytorch.graph import VALUE, Graph
from derivations.run.training import Step, Trace
from derivations.witnesses.check import MODULE, Check, compare
from derivations.witnesses.quick_start import without_compiler


def module_witness(translation: Translation) -> Callable[[Trace], tuple[Check, ...]]:
    """What compares a run with the module that it was translated from."""

    def witness(trace: Trace) -> tuple[Check, ...]:
        runs: dict[int, Callable[..., list[Enclosure]]] = {}
        found: list[Check] = []
        with precision(trace.bits), without_compiler():
            for step in trace.steps:
                tape = step.layout.tape
                run = runs.setdefault(id(tape), tape.bind(FLOAT64))
                bounds = run([enclose(value) for value in step.memory[: len(tape.inputs)]])
                found += _step(translation, step, bounds)
        return tuple(found)

    return witness


def _step(translation: Translation, step: Step, bounds: list[Enclosure]) -> Iterator[Check]:
    _load(translation, step)
    inputs, targets = (
        _tensors(step, given, translation) for given in (translation.inputs, translation.targets)
    )
    output = translation.module(*inputs)
    loss = translation.loss(output, *targets)
    translation.module.zero_grad()
    loss.backward()
    graphs = translation.graphs(inputs, targets)
    _same_output(graphs[0], output)
    values = {(graph.title, node.name): node.meta[VALUE] for graph in graphs for node in graph.nodes}
    for name, node in translation.nodes.items():
        theirs = loss if name == LOSS else values[node]
        yield from _compared(step, name, theirs.detach(), bounds)
    for name, parameter in translation.parameters.items():
        grad = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        yield from _compared(step, adjoint(LOSS, name), grad, bounds, name)


def _same_output(graph: Graph, output: torch.Tensor) -> None:
    """What was traced is what the module does: the traced output is the module's, bit for bit."""
    if not torch.equal(graph.output.meta[VALUE], output):
        raise CheckFailed("not verified: the module's output is not what torch.fx traced")


def _positions(step: Step, name: str) -> list[tuple[int, ...]]:
    return sorted(at for known, at in step.layout.tape.slots if known == name)


def _tensor(step: Step, name: str, like: torch.Tensor, samples: int | None = None) -> torch.Tensor:
    values = [nearest_float(step.at(name, at)) for at in _positions(step, name)]
    shape = like.shape if samples is None else (samples, *like.shape[1:])
    return torch.tensor(values, dtype=torch.float64).reshape(shape)


def _tensors(step: Step, given: Mapping[str, torch.Tensor], translation: Translation) -> list[torch.Tensor]:
    """The data of a step as the module takes them: with all axes, positions counted from 0."""
    found = []
    for name, like in given.items():
        sampled = name in translation.sampled
        tensor = _tensor(step, name, like, len(step.samples) if sampled else None)
        found.append((tensor - 1 if name in translation.positions else tensor).to(like.dtype))
    return found


def _load(translation: Translation, step: Step) -> None:
    with torch.no_grad():
        for name, parameter in translation.parameters.items():
            parameter.copy_(_tensor(step, name, parameter))


def _compared(
    step: Step, name: str, tensor: torch.Tensor, bounds: list[Enclosure], like: str = ""
) -> Iterator[Check]:
    """Entry by entry: both have them in the same order; an adjoint of ours that is missing is 0."""
    slots = step.layout.tape.slots
    for at, theirs in zip(_positions(step, like or name), tensor.flatten().tolist(), strict=True):
        slot = slots.get((name, at))
        quantity = step.layout.label((name, at), step.samples)
        zero = enclose(EXACT.number(Fraction(0)))
        ours, bound = (zero.ball, zero) if slot is None else (step.memory[slot], bounds[slot])
        yield compare(quantity, step.number, MODULE, ours, theirs, bound)
