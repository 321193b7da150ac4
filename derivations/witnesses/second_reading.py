"""The row of an update read a second time, as it stands in the catalogue, and worked in torch.

Flags and neutral hyper-parameters are worked too. Python's own parser reads the text and whole tensors
are computed with; neither our tree nor the equations that were made shorter for the page are seen.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import torch

from derivations.language.names import after, shifted
from derivations.model.example import Example
from derivations.model.pace import CURRENT, Group
from derivations.model.update import gradient, shape_of_state
from derivations.numbers.float64 import Enclosure, nearest_float
from derivations.programs.optimizer import filled
from derivations.run.training import Step
from derivations.witnesses.author import Pass
from derivations.witnesses.check import Check
from derivations.witnesses.entries import as_tensor, entries_of, entry_checks
from derivations.witnesses.lines import Line, assignments

ROW = "row"


def value_of(step: Step, name: str) -> float:
    """The float64 nearest to a single value of a step."""
    return nearest_float(step.at(name))


# --- where the gradient is taken -------------------------------------------------------------------------


def shift_parameters(example: Example, forward: Pass) -> None:
    """The parameters where the gradient is taken, by the row's own text on whole tensors."""
    rule = example.rule
    if not rule.row.at:
        return
    (line,) = assignments(f"at = {rule.row.at}")
    for name in example.start:
        known = {state: forward.tensors[rule.name(state, name)] for state in rule.states(name)}
        known |= _numbers(rule.group(name).values) | {"theta": forward.tensors[name]}
        forward.keep(shifted(name), Pass(known).value(line.body)[0])


def read_ahead(example: Example, lines: tuple[Line, ...]) -> tuple[Line, ...]:
    """The author's lines, reading the shifted parameters if the rule shifts them."""
    if not example.rule.row.at:
        return lines
    rename = _Shifted(set(example.start))
    return tuple(replace(line, body=rename.visit(copy.deepcopy(line.body))) for line in lines)


class _Shifted(ast.NodeTransformer):
    """Other names for the parameters."""

    def __init__(self, names: set[str]) -> None:
        self.names = names

    def visit_Name(self, node: ast.Name) -> ast.Name:
        return ast.Name(shifted(node.id), node.ctx) if node.id in self.names else node


# --- the second reading ------------------------------------------------------------------------------


def second_reading(
    example: Example,
    step: Step,
    bounds: list[Enclosure],
    leaves: Mapping[str, torch.Tensor],
    curvature: Mapping[str, torch.Tensor],
) -> Iterator[Check]:
    """The texts of clipping, schedule and row worked on tensors, every quantity compared with ours."""
    found: dict[str, torch.Tensor] = {}
    gradients = {name: leaf.grad.detach() for name, leaf in leaves.items() if leaf.grad is not None}
    if example.rule.clip:
        gradients = _clipped(example, gradients, found)
    for group in filled(example):
        knobs = _numbers({**group.values, "t": value_of(step, "t")})
        if example.rule.pace:
            knobs["lr"] = _rate(example, step, group, found)
        for name in group.parameters:
            own = {"theta": leaves[name].detach().clone(), "g": gradients[name]}
            own |= {"h": curvature[name]} if name in curvature else {}
            _row(example, step, name, {**knobs, **own}, found)
    for name, value in found.items():
        if name in example.update.targets:
            yield from entry_checks(step, name, entries_of(value), bounds, ROW)


def _numbers(values: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    return {name: torch.tensor(float(value), dtype=torch.float64) for name, value in values.items()}


def _clipped(
    example: Example, gradients: dict[str, torch.Tensor], found: dict[str, torch.Tensor]
) -> dict[str, torch.Tensor]:
    """The clipped gradients, and what their equations compute on the way."""
    rule = example.rule
    assert rule.clip is not None
    shared = _numbers({"clip": rule.limit})
    shared["gsquares"] = torch.stack([(g * g).sum() for g in gradients.values()]).sum()
    for name, own in gradients.items():
        work = Pass({**shared, "g": own})
        for line in assignments(rule.clip.equations):
            work.keep(line.target, work.value(line.body)[0])
        found |= work.tensors | {gradient(rule, name): work.tensors["gbar"]}
        gradients = {**gradients, name: work.tensors["gbar"]}
    return gradients


def _rate(example: Example, step: Step, group: Group, found: dict[str, torch.Tensor]) -> torch.Tensor:
    """The learning rate of a group in a step, by the schedule's text."""
    pace = example.rule.pace
    assert pace is not None
    work = Pass(_numbers({**pace.values, "lr": group.values["lr"], "s": _behind(step, pace.every)}))
    for name, numbers in pace.lists.items():
        work.tensors[name] = torch.tensor([float(number) for number in numbers], dtype=torch.float64)
    for line in assignments(pace.row.equations):
        work.keep(line.target, work.value(line.body)[0])
        suffix = group.suffix if f"{line.target}{group.suffix}" in example.update.targets else ""
        found[f"{line.target}{suffix}"] = work.tensors[line.target]
    return work.tensors[CURRENT]


def _behind(step: Step, every: str) -> float:
    return value_of(step, "epoch" if every == "epoch" else "t") - 1


def _row(
    example: Example, step: Step, name: str, tensors: dict[str, torch.Tensor], found: dict[str, torch.Tensor]
) -> None:
    """The row's text for one parameter, whole: what has no influence on the page is worked too."""
    rule, shape = example.rule, tuple(example.start[name].shape)
    equations = rule.row.again or rule.row.equations
    lines = assignments(rule.row.matrix if len(shape) == 2 and rule.row.matrix else equations)
    named = any(line.indices for line in lines)
    for state in dict.fromkeys(line.target for line in lines if line.target not in tensors):
        if state in rule.states(name):
            own = shape_of_state(rule, state, name, shape)
            tensors[state] = as_tensor(step, rule.name(state, name), own)
        else:  # not on the page, for nothing comes of it
            tensors[state] = torch.zeros(shape, dtype=torch.float64)
    if named and not shape:  # a single number as a list of one
        listed = {"g", *(line.target for line in lines if line.indices)}
        tensors |= {key: tensors[key].reshape(1) for key in listed}
    work = Pass(tensors)
    for line in lines:
        if named:
            work.run(line)
        else:
            work.keep(line.target, work.value(line.body)[0])
        full = rule.name(line.target, name)
        kept = line.target == "theta" or line.target in rule.states(name)
        value = work.tensors[line.target]
        found[after(full) if kept else full] = value if shape else value.reshape(())
