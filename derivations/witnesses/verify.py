"""All witnesses over a trace.

1. autograd through the author's equations, for every intermediate value and adjoint;
2. torch's own layers and losses, where the catalogue knows them, with their gradients;
3. the real ``torch.optim`` optimizer and its state;
4. ``sympy.diff`` of the fully expanded loss at a tiny size (`derivations.witnesses.expansion`).

Every step starts from our own values rounded to float64, so that what may differ is one step's
rounding, and how much that is follows from the enclosures of `derivations.numbers.float64`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch

from derivations.language.names import adjoint
from derivations.model.example import Example
from derivations.model.recognize import Recognized, recognize, unmatched
from derivations.numbers.float64 import FLOAT64, Enclosure, enclose
from derivations.numbers.systems import precision
from derivations.run.training import Step, Trace
from derivations.witnesses.author import Pass
from derivations.witnesses.check import Absent, Check, Report
from derivations.witnesses.entries import as_tensor, entry_checks
from derivations.witnesses.expansion import expansion
from derivations.witnesses.lines import Line, read_lines
from derivations.witnesses.optimizer import UpdateWitness, lacking_optimizer
from derivations.witnesses.quick_start import without_compiler
from derivations.witnesses.second_reading import read_ahead, shift_parameters
from derivations.witnesses.torch_library import library_pass
from derivations.witnesses.torch_rows import lacking


def verify(trace: Trace) -> Report:
    """Ask every witness about every step. Nothing is raised: see `Report.require`."""
    example = trace.example
    found = {name: row for name, row in recognize(example).items() if row.torch or row.placed}
    proofs, too_large = expansion(example)
    absent = list(too_large)
    too_old = {row.torch: name for name, row in found.items() if row.torch and lacking(row.torch)}
    found = {name: row for name, row in found.items() if row.torch not in too_old}
    if missing := [*too_old, *filter(None, [lacking_optimizer(example)])]:
        version = torch.__version__.partition("+")[0]
        absent.append(Absent("torch {} is too old to have {}", (version, ", ".join(missing))))
    if unknown := unmatched(example, found):
        absent.append(Absent("a layer or loss of torch's was not found for {}", (", ".join(unknown),)))
    with precision(trace.bits), without_compiler():
        checks = tuple(_torch_checks(trace, found))
    return Report(checks, proofs, tuple(absent))


def _torch_checks(trace: Trace, found: Mapping[str, Recognized]) -> Iterator[Check]:
    example = trace.example
    lines = read_ahead(example, read_lines(example.spec.model.equations))
    optimizer = UpdateWitness(example) if example.updates else None
    runs: dict[int, Callable[..., list[Enclosure]]] = {}
    for step in trace.steps:
        tape = step.layout.tape
        run = runs.setdefault(id(tape), tape.bind(FLOAT64))
        bounds = run([enclose(value) for value in step.memory[: len(tape.inputs)]])
        shapes = dict(tape.inputs)  # the last position of each array is its shape
        read = {
            name: shape
            for name, shape in shapes.items()
            if name not in (*example.hyper, *example.rule.clock, example.sample)
        }
        floats = {name: as_tensor(step, name, shape) for name, shape in read.items()}
        yield from _forward_and_back(
            step, example, bounds, floats, lines, "autograd", Pass.run_all, optimizer
        )
        if optimizer:
            yield from optimizer.checks(step, bounds)
        if found:
            work = library_pass(found)
            yield from _forward_and_back(step, example, bounds, floats, lines, "library", work, None)


def _forward_and_back(
    step: Step,
    example: Example,
    bounds: list[Enclosure],
    floats: Mapping[str, torch.Tensor],
    lines: tuple[Line, ...],
    witness: str,
    work: Callable[[Pass, tuple[Line, ...]], Any],
    optimizer: UpdateWitness | None,
) -> Iterator[Check]:
    """One forward and backward pass in torch; every value and adjoint that torch has, compared."""
    tensors = dict(floats)
    for name in example.start:
        tensors[name] = optimizer.load(name, floats[name]) if optimizer else floats[name].requires_grad_()
        tensors[name].grad = None
    numbers = {example.sample: step.samples} if example.sample else {}
    forward = Pass(tensors, dict(step.layout.sizes), numbers=numbers)
    shift_parameters(example, forward)
    work(forward, lines)
    if optimizer:
        optimizer.see(forward)
    forward.tensors[example.loss].backward()  # type: ignore[no-untyped-call]
    named = [*(eq.target.name for eq in example.rule.ahead), *dict.fromkeys(line.target for line in lines)]
    computed = [name for name in named if name in forward.tensors or name in forward.cells]
    for name in computed:
        found = ((at, float(value.detach())) for at, value, _ in forward.entries(name))
        yield from entry_checks(step, name, found, bounds, witness)
    for name in [*computed, *example.start]:
        slopes = [(at, float(grad)) for at, _, grad in forward.entries(name) if grad is not None]
        if name != example.loss:
            yield from entry_checks(step, adjoint(example.loss, name), slopes, bounds, witness)
