"""What the letters and numbers between brackets mean, asked a second time, of the equations themselves.

The writer numbers samples by the layout of the tape and letters by the table of symbols. Here the axis of the
samples is where the sample's letter stands in the equations, and a letter is what the page prints.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

from derivations.language.errors import Mismatch
from derivations.language.program import Equation
from derivations.language.tree import REDUCTIONS, Expr, Number, Ref, refs, walk
from derivations.model.example import Example
from derivations.notation.chain import Side
from derivations.notation.symbols import Symbol, Symbols
from derivations.run.training import Step

CLOCK = "t"  # the number of the step in the rows of optimizers


@dataclass(frozen=True)
class SampleNumbers:
    """Where the equations of an example have the letter of the samples."""

    example: Example

    def check(self, sides: tuple[Side, ...], step: Step) -> None:
        """Every number on the axis of the samples, also inside a lookup, is that of a sample of the step.

        Where nothing runs over the samples, it is the sample that the first side is about. Raises `Mismatch`.
        """
        own = set(self.numbers(sides[0].expr))
        shown = {found for side in sides for found in self.numbers(side.expr)}
        if step.samples and not shown <= set(step.samples):
            raise Mismatch(f"there is no sample {min(shown - set(step.samples))} in this step")
        if len(own) == 1 and shown != own and getattr(sides[0].expr, "name", "") in self.within:
            raise Mismatch(f"what is about sample {min(own)} reads another sample")

    @cached_property
    def equations(self) -> tuple[Equation, ...]:
        """Those of the forward and the backward pass."""
        return (*self.example.forward, *self.example.backward)

    @cached_property
    def axes(self) -> frozenset[tuple[str, int]]:
        """Each quantity with the axis at which the letter of the samples stands in some equation."""
        nodes = (node for eq in self.equations for part in (eq.target, eq.body) for node in walk(part))
        return frozenset(
            (node.name, axis)
            for node in nodes
            if isinstance(node, Ref)
            for axis, part in enumerate(node.indices)
            if part == Ref(self.example.sample or "")
        )

    @cached_property
    def within(self) -> frozenset[str]:
        """The quantities whose equations read every entry at the letter of the samples alone."""
        others = {eq.target.name for eq in self.equations if not self.is_within(eq)}
        return frozenset(eq.target.name for eq in self.equations) - others

    def is_within(self, eq: Equation) -> bool:
        """Whether an equation has the samples' axis at their letter only, which it does not sum over."""
        nodes, letter = list(walk(eq.body)), Ref(self.example.sample or "")
        reads = (node for node in nodes if isinstance(node, Ref))
        parts = [
            part for ref in reads for axis, part in enumerate(ref.indices) if (ref.name, axis) in self.axes
        ]
        bound = any(isinstance(node, REDUCTIONS) and node.index == letter.name for node in nodes)
        return not bound and all(part == letter for part in parts)

    def numbers(self, expr: Expr) -> Iterator[int]:
        """The numbers on the axis of the samples in a formula."""
        for node in walk(expr):
            for axis, part in enumerate(node.indices if isinstance(node, Ref) else ()):
                if isinstance(part, Number) and isinstance(node, Ref) and (node.name, axis) in self.axes:
                    yield int(part.value)


def letter_faults(example: Example, symbols: Symbols) -> Iterator[str]:
    """Letters that stand for two things, and a number of the step that is not ``t``."""
    programs = example.forward, example.backward, example.update
    names = sorted({name[0] for program in programs for name in program.indices} - {CLOCK})
    letters = {f"the index {name}": Symbol(symbols.letter(name)) for name in names}
    quantities = {name: symbols.of(name) for name, rank in symbols.ranks.items() if not rank}
    if any(ref.name == CLOCK and not ref.indices for eq in example.update for ref in refs(eq.body)):
        letters["the number of the step"] = symbols.of(CLOCK)
        if symbols.of(CLOCK) != Symbol(CLOCK):
            yield f"the number of the step is called {symbols.of(CLOCK).stem}"
    for (one, a), (other, b) in combinations((letters | quantities).items(), 2):
        if a == b:
            yield f"{one} and {other} are both called {a.stem}"
