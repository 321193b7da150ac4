"""The PyTorch program of a page in cells, cut at the steps of the derivation, with checks of every number.

A cell works what the page has just worked by hand and holds torch's numbers against those of the trace:
the forward pass, the backward pass with the adjoints in between, the update.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from derivations.language.contributions import active
from derivations.language.names import adjoint, after
from derivations.language.tree import Number
from derivations.model.example import Example, needed_adjoints
from derivations.numbers.digits import Rounding
from derivations.programs.code import variable
from derivations.programs.listing import ROWS, Parts, all_batches, parts, shown_steps
from derivations.programs.loops import in_order, is_looped
from derivations.run.training import Step, Trace
from derivations.witnesses.run_listing import free_run

WRITTEN = Rounding(significant=10)
CLOSE, LEAST = 9, 12  # powers of ten: of the relative tolerance, of the smallest absolute one
KINKED = Fraction(1, 10**6)
CHECK = '''

def check(value, by_hand):
    """The numbers of torch are those that were worked by hand."""
    by_hand = torch.tensor(by_hand, dtype=torch.float64).reshape(value.shape)
    assert_close(value.detach(), by_hand, rtol=1e-{}, atol=1e-{})
'''


@dataclass(frozen=True)
class StepCells:
    """The code of one step; ``before`` works the steps that the page leaves out, if there are any."""

    before: str
    forward: str
    backward: str
    update: str


@dataclass(frozen=True)
class Cells:
    """The cells of a run."""

    trace: Trace

    @cached_property
    def program(self) -> Parts:
        """The program that is cut."""
        return parts(self.example)

    @property
    def example(self) -> Example:
        """What is worked."""
        return self.trace.example

    def setup(self) -> str:
        """Imports, data, model, optimizer, and what a check is."""
        head, *rest = self.program.setup
        text = "\n".join([head, *rest]).replace("\n\n", "\nfrom torch.testing import assert_close\n\n", 1)
        return text + CHECK.format(CLOSE, self.places())

    def steps(self) -> Iterator[StepCells]:
        """The steps that the page shows."""
        done = 0
        for number in shown_steps(self.example):
            step = self.trace.steps[number - 1]
            yield StepCells(
                self.skipped(done + 1, number - 1), self.forward(step), self.backward(step), self.update(step)
            )
            done = number

    def skipped(self, first: int, last: int) -> str:
        """The steps between those shown, in a loop."""
        if first > last:
            return ""
        body = [f"    {line}" for line in self.program.step]
        if not self.example.sample:
            return "\n".join([f"for step in range({first}, {last + 1}):", *body])
        head = f"for step, batch in enumerate(({all_batches(self.example)})[{first - 1}:{last}], {first}):"
        return "\n".join([head, f"    {ROWS}", *body])

    def forward(self, step: Step) -> str:
        """The forward pass of a step, and its quantities."""
        opening = [f"step = {step.number}"]
        if self.example.sample:
            opening = [f"step, batch = {step.number}, {list(step.samples)}", ROWS]
        checks = [self.check(variable(name), name, step) for name in self.quantities()]
        return "\n".join([*opening, *self.program.forward, *checks])

    def backward(self, step: Step) -> str:
        """The backward pass, and every adjoint that torch can hold on to."""
        inner = list(self.inner())
        kept = [f"{variable(name)}.retain_grad()" for name in inner]
        checks = [
            self.check(f"{variable(name)}.grad", adjoint(self.example.loss, name), step) for name in inner
        ]
        checks += [
            self.check(f"{call}.grad", adjoint(self.example.loss, name), step)
            for name, call in self.program.calls.items()
        ]
        return "\n".join([*kept, *self.program.backward, *checks])

    def update(self, step: Step) -> str:
        """The update, the new parameters, and the line that the program prints."""
        new = after if self.example.updates else str
        checks = [
            self.check(call, new(name), step)
            for name, call in self.program.calls.items()
            if self.example.updates
        ]
        return "\n".join([*self.program.update, *checks, *self.program.prints])

    def quantities(self) -> Iterator[str]:
        """What the program computes under its own name and as a whole array."""
        assigned = {line.partition(" = ")[0] for line in self.program.forward}
        for eq in self.example.forward:
            is_whole = not any(isinstance(part, Number) for part in eq.target.indices)
            if is_whole and variable(eq.target.name) in assigned:
                yield eq.target.name

    def inner(self) -> Iterator[str]:
        """The quantities between parameters and loss whose adjoints torch can hold on to."""
        alive = active(self.example.forward, self.example.parameters)
        wanted = {eq.target.name for eq in needed_adjoints(self.example)}
        plain = {group[0].target.name for group in in_order(self.example.forward) if not is_looped(group)}
        for name in self.quantities():
            if name in alive & plain and adjoint(self.example.loss, name) in wanted:
                yield name

    def check(self, code: str, name: str, step: Step) -> str:
        """``check(L, 127.125)``"""
        return f"check({code}, {_nested(name, step)})"

    def places(self) -> int:
        """The places to which absolute values agree: fewer where float64 has cancelled digits away."""
        names = {*self.quantities(), *self.example.backward.targets, *self.example.update.targets}
        worst = Fraction(1, 10**LEAST)
        for step, memory in free_run(self.trace, set(shown_steps(self.example))):
            own = [slot for (name, _), slot in step.layout.tape.slots.items() if name in names]
            for slot in own:
                room = Fraction(float(memory[slot].settled().rad())) * 2
                if room > KINKED:  # float64 may stand on either side of a kink; the run itself decides
                    continue
                worst = max(worst, room - abs(Fraction(float(step.memory[slot]))) / 10 ** (CLOSE + 1))
        return next(n for n in range(LEAST, -1, -1) if Fraction(1, 10**n) >= worst)


def _nested(name: str, step: Step) -> str:
    """The entries of a quantity in a step as a nested list."""
    entries = {at: slot for (own, at), slot in step.layout.tape.slots.items() if own == name}
    shape = [max(at[axis] for at in entries) for axis in range(len(next(iter(entries))))]

    def inside(at: tuple[int, ...]) -> str:
        if len(at) == len(shape):
            return WRITTEN(step.memory[entries[at]]).text
        return f"[{', '.join(inside((*at, k)) for k in range(1, shape[len(at)] + 1))}]"

    return inside(())
