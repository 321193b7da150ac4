"""Many runs of one structure against torch, all of them as one batch.

The variants have an axis of their own in every tensor: one forward and one backward pass of torch a step
serve them all, and the real ``torch.optim`` optimizer makes one step for all of them, with a parameter group
a variant where their hyper-parameters differ. What may differ is read off `FLOAT64_ARRAYS`, as for a single
run it is off `FLOAT64`. Torch's own layers are asked for a single run only (`derivations.witnesses.verify`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from flint import arb

from derivations.language.names import adjoint, after
from derivations.model.example import Example
from derivations.model.update import kept_shape, shape_of_state
from derivations.numbers.scaled import Scaled
from derivations.numbers.systems import fraction, precision
from derivations.numbers.tape import Entry
from derivations.numbers.variants import FLOAT64_ARRAYS, Enclosures, enclosed, floats
from derivations.programs.optimizer import arguments, filled, reads_second
from derivations.run.columns import Columns, ColumnStep
from derivations.run.many import Group
from derivations.witnesses.author import Pass
from derivations.witnesses.check import NARROW, VANISHING
from derivations.witnesses.lines import Line, assignments, read_lines
from derivations.witnesses.optimizer import default_type, lacking_optimizer, without_cast
from derivations.witnesses.quick_start import without_compiler
from derivations.witnesses.torch_library import keywords
from derivations.witnesses.torch_rows import resolve

Agreed = Any  # numpy.ndarray of bool, one a variant


def can_be_batched(example: Example) -> bool:
    """Whether torch takes many variants at once: no schedule, clipping, look-ahead or curvature."""
    rule = example.rule
    if not example.updates:
        return True
    known = bool(rule.row.torch) and not lacking_optimizer(example)
    return known and not (rule.pace or rule.clip or rule.row.at or reads_second(example))


def confirmed(group: Group) -> list[bool]:
    """Which runs of a group torch confirms as one batch; none where it takes them one by one only."""
    columns = group.columns
    if not group.steps or not can_be_batched(columns.first):
        return [False] * columns.count
    return [bool(ok) for ok in agreed(columns, group.steps)]


def agreed(columns: Columns, steps: Sequence[ColumnStep]) -> Agreed:
    """Which variants torch confirms, in every value, adjoint, parameter and state of every step."""
    example = columns.first
    lines = read_lines(example.spec.model.equations)
    found = np.ones(columns.count, dtype=bool)
    with precision(max(step.bits for step in steps)), without_compiler(), np.errstate(all="ignore"):
        update = _Update(columns) if example.updates else None
        for step in steps:
            found &= _step(_Together(step), example, lines, update)
    return found


def _step(together: _Together, example: Example, lines: tuple[Line, ...], update: _Update | None) -> Agreed:
    """One pass of torch over all variants of a step, and the optimizer's step."""
    tensors = together.tensors(example)
    for name in example.start:
        tensors[name].requires_grad_()
    kept = {name for name, tensor in tensors.items() if tensor.dim() > len(together.shapes[name])}
    numbers = {example.sample: together.step.samples} if example.sample else {}
    forward = Pass(dict(tensors), dict(together.sizes), variants=together.count, varied=kept, numbers=numbers)
    forward.run_all(lines)
    forward.tensors[example.loss].sum().backward()  # type: ignore[no-untyped-call]
    found = np.ones(together.count, dtype=bool)
    for name in dict.fromkeys(line.target for line in lines):
        for at, value, slope in _entries(forward, name):
            found &= together.holds((name, at), value)
            if slope is not None and name != example.loss:
                found &= together.holds((adjoint(example.loss, name), at), slope)
    for name in example.start:
        found &= together.all_hold(adjoint(example.loss, name), tensors[name].grad)
    return found & update.stepped(together, tensors) if update else found


def _entries(forward: Pass, name: str) -> Iterator[tuple[tuple[int, ...], torch.Tensor, torch.Tensor | None]]:
    """Every entry of a quantity, a vector over the variants, with its slopes."""
    if name in forward.cells:
        yield from ((at, value.detach(), value.grad) for at, value in forward.cells[name].items())
        return
    whole = forward.tensors[name]
    for at in np.ndindex(*whole.shape[1:]):
        slope = None if whole.grad is None else whole.grad[(slice(None), *at)]
        yield tuple(k + 1 for k in at), whole.detach()[(slice(None), *at)], slope


@dataclass(frozen=True)
class _Together:
    """The same step of all variants."""

    step: ColumnStep

    @property
    def count(self) -> int:
        return self.step.count

    @property
    def sizes(self) -> Mapping[str, int]:
        return self.step.layout.sizes

    @cached_property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        return dict(self.step.layout.tape.inputs)  # the last position of each array is its shape

    @cached_property
    def bounds(self) -> list[Enclosures]:
        """What float64 may make of every slot."""
        tape = self.step.layout.tape
        return tape.bind(FLOAT64_ARRAYS)(list(map(enclosed, self.step.memory[: len(tape.inputs)])))

    def tensors(self, example: Example) -> dict[str, torch.Tensor]:
        """The inputs of the step, with an axis for the variants in front where they differ, or are learnt."""
        numbers: dict[str, list[Any]] = {}
        for slot, (name, _) in enumerate(self.step.layout.tape.inputs):
            if name not in (*example.hyper, *example.rule.clock, example.sample):
                numbers.setdefault(name, []).append(np.atleast_1d(floats(self.step.memory[slot])))
        found = {}
        for name, columns in numbers.items():
            varied = name in example.kept or any(len(column) > 1 for column in columns)
            wide = [np.broadcast_to(column, self.count if varied else 1) for column in columns]
            shape = (self.count, *self.shapes[name]) if varied else self.shapes[name]
            found[name] = torch.tensor(np.stack(wide, -1).reshape(shape))
        return found

    def holds(self, entry: Entry, theirs: torch.Tensor) -> Agreed:
        """Whether torch's values and ours lie in the intervals of an entry; what we do not have must be 0."""
        slot = self.step.layout.tape.slots.get(entry)
        found = theirs.detach().numpy()
        if slot is None:
            return found == 0
        ours = floats(self.step.memory[slot], _is_narrow)
        return self.bounds[slot].holds(found) & self.bounds[slot].holds(ours)

    def all_hold(self, name: str, theirs: torch.Tensor | None) -> Agreed:
        """The same for every entry of an array."""
        found = np.ones(self.count, dtype=bool)
        for at in np.ndindex(*theirs.shape[1:]) if theirs is not None else ():
            found &= self.holds((name, tuple(k + 1 for k in at)), theirs[(slice(None), *at)])  # type: ignore[index]
        return found


def _is_narrow(value: Any) -> bool:
    """Whether a value is known well enough to be compared."""
    return not isinstance(value, arb) or bool(value.rad() <= abs(value.mid()) * NARROW + VANISHING)


def _has_states_of_entries(example: Example) -> bool:
    """Whether every state has the entries of its parameter; torch keeps some as one number a tensor."""
    rule = example.rule
    return all(
        shape_of_state(rule, state, name, (2,)) == (2,)
        for name in example.start
        for state in rule.states(name)
    )


def _owners(columns: Columns, rates: Mapping[str, Scaled]) -> Iterator[Example]:
    """The first example with the hyper-parameters of each variant."""
    example = columns.first
    for place in range(columns.count):
        own = {name: fraction(column.at(place)) for name, column in rates.items()}
        groups = tuple(
            replace(
                group,
                values={name: own.get(group.named(name), value) for name, value in group.values.items()},
            )
            for group in example.rule.groups
        )
        yield replace(example, rule=replace(example.rule, groups=groups))


class _Update:
    """The real optimizer over all variants: one leaf a parameter, or one a parameter and variant.

    One leaf does where all have the same hyper-parameters and the row treats every entry alike.
    """

    def __init__(self, columns: Columns) -> None:
        self.example, self.row = columns.first, columns.first.rule.row
        rates = {name: column for name, (column, *_) in columns.given.items() if name in self.example.hyper}
        entrywise = not self.row.matrix and not any(line.indices for line in assignments(self.row.equations))
        self.whole = not rates and entrywise and _has_states_of_entries(self.example)
        self.owners = [self.example] if self.whole else [*_owners(columns, rates)]
        front = (columns.count,) if self.whole else ()
        self.leaves = {
            name: [torch.zeros((*front, *array.shape), dtype=torch.float64) for _ in self.owners]
            for name, array in self.example.start.items()
        }
        with default_type(torch.float64):
            first = arguments(self.row, self.example.rule.groups[0].values)
            self.torch: Any = resolve(self.row.torch)(list(self._groups()), **keywords(", ".join(first)))

    def _groups(self) -> Iterator[dict[str, Any]]:
        for place, owner in enumerate(self.owners):
            for group in filled(owner):
                leaves = [self.leaves[name][place] for name in group.parameters]
                yield {"params": leaves, **keywords(", ".join(arguments(self.row, group.values)))}

    def parts(self, tensor: torch.Tensor) -> Sequence[torch.Tensor]:
        """A tensor over the variants as the leaves have it."""
        return [tensor] if self.whole else tensor.unbind(0)

    def stepped(self, together: _Together, tensors: Mapping[str, torch.Tensor]) -> Agreed:
        """Torch's step from our values on autograd's gradients: parameters and states compared."""
        for name, leaves in self.leaves.items():
            slopes = tensors[name].grad
            assert slopes is not None
            for leaf, value, slope in zip(
                leaves, *map(self.parts, (tensors[name].detach(), slopes)), strict=True
            ):
                leaf.copy_(value)
                leaf.grad = slope.clone()
        self._load(together, tensors)
        with default_type(torch.float64), without_cast(self.row.casts):
            self.torch.step()
        found = np.ones(together.count, dtype=bool)
        for name, leaves in self.leaves.items():
            found &= together.all_hold(after(name), self._joined(leaves, self.example.start[name].shape))
            for state in self.example.rule.states(name):
                own = self.example.rule.name(state, name)
                theirs = [self.torch.state[leaf][self.row.states[state]] for leaf in leaves]
                found &= together.all_hold(
                    after(own), self._joined(theirs, self.example.states[own].start.shape)
                )
        return found

    def _joined(self, leaves: list[torch.Tensor], shape: tuple[int, ...]) -> torch.Tensor:
        return (leaves[0] if self.whole else torch.stack(leaves)).reshape(-1, *shape)

    def _load(self, together: _Together, tensors: Mapping[str, torch.Tensor]) -> None:
        """Our states in torch's place; before its first step torch itself makes them."""
        rule, number = self.example.rule, together.step.number
        if number == 1 and rule.first == 1:
            return
        for name, leaves in self.leaves.items():
            ours = {state: self._states(name, state, tensors) for state in rule.states(name)}
            for place, leaf in enumerate(leaves):
                kept = self.torch.state[leaf]
                if number == 1 and self.row.counter:
                    kept[self.row.counter] = torch.tensor(float(rule.first - 1))
                kept |= {self.row.states[state]: values[place] for state, values in ours.items()}

    def _states(self, name: str, state: str, tensors: Mapping[str, torch.Tensor]) -> Sequence[torch.Tensor]:
        """A state of a parameter as torch keeps it, for each leaf."""
        rule = self.example.rule
        shape = kept_shape(rule, state, name, self.example.start[name].shape)
        whole = tensors[rule.name(state, name)]
        return self.parts(whole.reshape(len(whole), *shape).clone())
