"""The witness of a page that was made from a module: the user's own ``loss(module(x), y).backward()``.

At every step our parameters are loaded into the user's own objects, which work in float64 meanwhile.
Output, loss and the gradients of all parameters must be ours, and so must the value of every traced
operation that became an equation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction

import torch

from derivations.language.errors import CheckFailed
from derivations.language.names import adjoint
from derivations.numbers.float64 import FLOAT64, Enclosure, enclose, nearest_float
from derivations.numbers.systems import EXACT, precision
from derivations.pytorch.borrowing import tensors_of
from derivations.pytorch.from_module import LOSS, MODEL, Translation
from derivations.pytorch.graph import VALUE, Graph, misfit
from derivations.pytorch.own_backward import other_backward
from derivations.run.training import Step, Trace
from derivations.witnesses.check import MODULE, Check, compare
from derivations.witnesses.quick_start import without_compiler

OTHER = "What torch runs backwards is perhaps not the derivative of what runs forwards: see"
CHANGES = "It draws at random, or remembers something from call to call."


def module_witness(translation: Translation) -> Callable[[Trace], tuple[Check, ...]]:
    """What compares a run with the module that it was translated from."""

    def witness(trace: Trace) -> tuple[Check, ...]:
        runs: dict[int, Callable[..., list[Enclosure]]] = {}
        found: list[Check] = []
        with precision(trace.bits), without_compiler(), translation.borrowed:
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
    learnt = _learnt(translation)
    output, loss = _run(translation, learnt, inputs, targets)
    graphs = translation.graphs(inputs, targets)
    _same(graphs[0], output)
    _same(graphs[1], loss)
    _all_read(translation, learnt)
    values = {(graph.title, node.name): node.meta[VALUE] for graph in graphs for node in graph.nodes}
    for name, node in translation.nodes.items():
        theirs = loss if name == LOSS else values[node]
        yield from _compared(step, name, theirs.detach(), bounds)
    for name, parameter in translation.parameters.items():
        grad = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        for check in _compared(step, adjoint(LOSS, name), grad, bounds, name):
            if not check.ok and (other := other_backward((translation.module, translation.loss), loss)):
                raise CheckFailed(f"not verified: {check}", hint=f"{OTHER} {other}.")
            yield check


def _run(
    translation: Translation,
    learnt: Sequence[tuple[str, torch.Tensor]],
    inputs: Sequence[torch.Tensor],
    targets: Sequence[torch.Tensor],
) -> tuple[torch.Tensor, torch.Tensor]:
    """Output and loss of the user's own code, which leaves the gradients in the parameters."""
    for _, parameter in learnt:
        parameter.grad = None
    try:
        output = translation.module(*inputs)
        loss = translation.loss(output, *targets)
        loss.backward()
    except Exception as fault:  # whatever the user's own code raises belongs to its line
        raise misfit(fault, MODEL) from None
    return output, loss


def _learnt(translation: Translation) -> list[tuple[str, torch.Tensor]]:
    """Everything of the user's objects that gets a gradient, with its path."""
    roots = (translation.module, translation.loss)
    own = [pair for root in roots if isinstance(root, torch.nn.Module) for pair in tensors_of(root)]
    pairs = [*own, *translation.parameters.items()]
    return [(path, tensor) for path, tensor in pairs if tensor.requires_grad and tensor.is_leaf]


def _same(graph: Graph, value: torch.Tensor) -> None:
    """What was traced is what the user's own code does, bit for bit."""
    if not torch.equal(graph.output.meta[VALUE], value):
        what = "module's output" if graph.title == MODEL else "loss"
        raise CheckFailed(f"not verified: the {what} is not what torch.fx traced", hint=CHANGES)


def _all_read(translation: Translation, learnt: Sequence[tuple[str, torch.Tensor]]) -> None:
    """No parameter gets a gradient that no equation reads."""
    read = {id(parameter) for parameter in translation.parameters.values()}
    for path, tensor in learnt:
        if tensor.grad is not None and tensor.grad.any() and id(tensor) not in read:
            raise CheckFailed(f"not verified: torch has a gradient for '{path}', which no equation reads")


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
