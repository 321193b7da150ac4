"""How far every index of a model runs, asked of the arrays that are read with it.

The run takes the range of an index from the bounds of what is between brackets. Here its meaning is asked:
every entry that the model reads is there, and with one more value of the index some entry would not be.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from derivations.audit.indices import SampleNumbers
from derivations.claims.standing import Env, Reckoned
from derivations.language.tree import Ref, walk
from derivations.model.example import Example
from derivations.run.training import Step, Trace


def range_faults(trace: Trace) -> Iterator[str]:
    """Indices of the model that run less far, or farther, than the arrays of a step."""
    several = {tuple(step.layout.sizes.items()): step for step in trace.steps}
    for step in several.values():
        yield from (fault for fault in Ranges(trace.example, step).faults())


@dataclass(frozen=True)
class Ranges:
    """The indices of the forward pass in one step."""

    example: Example
    step: Step

    def faults(self) -> Iterator[str]:
        """What is said of the first index that does not run as far as it must."""
        stated = self.example.spec.model.ranges
        for letter in sorted(self.letters):
            size = self.step.layout.sizes[letter]
            if letter in stated:
                if size != stated[letter]:
                    yield f"step {self.step.number}: the index {letter} runs to {size}, not as stated"
            elif (reads := self.reads(letter)) and not self.is_full(letter, size, reads):
                yield f"step {self.step.number}: the index {letter} does not run as far as its arrays"

    @cached_property
    def of_samples(self) -> SampleNumbers:
        """Which axes are those of the samples."""
        return SampleNumbers(self.example)

    @cached_property
    def letters(self) -> set[str]:
        """The letters that stand between brackets in the model."""
        return {name for ref in self.everything for name in self.letters_in(ref)}

    @cached_property
    def everything(self) -> list[Ref]:
        """Every read of an entry, those between the brackets of others too, but for what may lie outside."""
        nodes = (node for eq in self.example.forward for node in walk(eq.body))
        return [node for node in nodes if isinstance(node, Ref) and node.indices and not node.padded]

    def letters_in(self, ref: Ref) -> set[str]:
        """The indices by which a read moves."""
        nodes = (node for part in ref.indices for node in walk(part))
        sizes = self.step.layout.sizes
        return {node.name for node in nodes if isinstance(node, Ref) and not node.indices} & {*sizes}

    def reads(self, letter: str) -> list[Ref]:
        """The reads that say how far a letter runs: not those of what is computed for this letter itself."""
        found = (ref for ref in self.everything if letter in self.letters_in(ref))
        return [ref for ref in found if not self.is_own(letter, ref)]

    def is_own(self, letter: str, ref: Ref) -> bool:
        """Whether an entry is computed at every value of a letter, on the axis where it is read with it."""
        targets = [eq.target for eq in self.example.forward if eq.target.name == ref.name]
        pairs = (zip(ref.indices, target.indices, strict=True) for target in targets)
        return any(own == Ref(letter) and own in walk(part) for each in pairs for part, own in each)

    def is_full(self, letter: str, size: int, reads: list[Ref]) -> bool:
        """Whether all is there as far as a letter runs, and something is not one farther."""
        return all(self.is_there(ref, {letter: size}) for ref in reads) and not all(
            self.is_there(ref, {letter: size + 1}) for ref in reads
        )

    def is_there(self, ref: Ref, fixed: Env) -> bool:
        """Whether an array has the entries of a read, at both ends of every other letter."""
        others = sorted(self.letters_in(ref) - {*fixed})
        ends = [{1, self.step.layout.sizes[name]} for name in others]
        places = ({**fixed, **dict(zip(others, at, strict=True))} for at in itertools.product(*ends))
        return all(self.has(ref, env) for env in places)

    def has(self, ref: Ref, env: Env) -> bool:
        """Whether an entry exists: of what is given by its shape, of what is computed in the step."""
        at = Reckoned(env, self.step).positions(ref)
        array = self.example.data.get(ref.name) or self.example.start.get(ref.name)
        if at is None or array is None:
            return at is None or (ref.name, at) in self.step.layout.tape.slots
        sizes = (
            len(self.step.samples) if (ref.name, axis) in self.of_samples.axes else extent
            for axis, extent in enumerate(array.shape)
        )
        return all(1 <= place <= extent for place, extent in zip(at, sizes, strict=True))
