"""Marking in reverse: from a wrong number to the shortest chain of slips that gives exactly it.

again(example, Asked(1, "w'"), "0.5575")    the factor 2 forgotten, in the equation of dL/dw
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from derivations.catalogue.slip import Rounded, Slip
from derivations.catalogue.slips import SLIPS
from derivations.document.blocks import Message
from derivations.exercises.merging import different, explained
from derivations.exercises.slips import Asked, Slipped, answer
from derivations.exercises.ways import Way, ways_of
from derivations.language.names import after
from derivations.language.tree import refs
from derivations.model.example import Example
from derivations.numbers.systems import Undecided, Value, precise, rational, round_half_up

LONGEST = 2


@dataclass(frozen=True)
class Traced:
    """A chain of slips that gives a number, and the quantities on its way in whose equations they happen."""

    chain: Slipped
    where: tuple[str, ...]
    value: Value

    @property
    def explanation(self) -> Message:
        """What is said to the student."""
        return explained(self.chain)


def again(
    example: Example,
    asked: Asked,
    given: str,
    places: int | None = None,
    slips: Sequence[Slip] = SLIPS,
    longest: int = LONGEST,
) -> tuple[Traced, ...]:
    """The shortest chains of slips that give a wrong number, several if it does not tell them apart.

    ``given`` is a decimal as the student wrote it. It is met by a value that rounds to it, to as many places
    as it has, or to ``places`` where the exercise says to how many. Empty where it is the right number, or
    no chain gives it. Chains of two are made of slips of which each alone changes the number.
    """
    number, kept = Fraction(given), _places(given) if places is None else places
    cut = _until(example, asked)
    key = answer(cut, asked)
    if key is None or is_met(key, number, kept):
        return ()
    search = _Search(example, asked, key)
    chains: Iterable[tuple[Way, ...]] = ((way,) for slip in slips for way in ways_of(example, slip))
    for length in range(1, longest + 1):
        found = [each for each in search.tried(chains) if is_met(each.value, number, kept)]
        if found:
            return tuple(found)
        chains = _longer(search.changing, length + 1)
    return ()


def is_met(value: Value, number: Fraction, places: int) -> bool:
    """Whether a value is a number, once it is rounded to so many decimal places."""
    try:
        with precise(value):
            return bool(round_half_up(value, places) == rational(number))
    except Undecided:
        return False


def _places(given: str) -> int:
    """How many decimal places a number was written with."""
    mantissa, _, exponent = given.lower().partition("e")
    return max(len(mantissa.partition(".")[2]) - int(exponent or 0), 0)


def _until(example: Example, asked: Asked) -> Example:
    """The example up to the step that is asked for."""
    left, found = asked.step, []
    for epoch in example.batches:
        found.append(epoch[:left])
        left -= len(found[-1])
    return replace(example, batches=tuple(epoch for epoch in found if epoch))


def _longer(ways: Sequence[Way], length: int) -> Iterator[tuple[Way, ...]]:
    """Chains of slips that do not happen in the same place."""
    for chain in itertools.combinations(ways, length):
        rows = {(way.slip.name, name) for way in chain for name in way.targets}
        if len(rows) == sum(len(way.targets) for way in chain):
            yield chain


class _Search:
    """The chains that were tried; those that change a number in the same equations are tried once."""

    def __init__(self, example: Example, asked: Asked, key: Value) -> None:
        self.example, self.asked, self.key = example, asked, key
        self.changing: list[Way] = []
        self.seen = {self.way_to(_until(example, asked))}

    def tried(self, chains: Iterable[tuple[Way, ...]]) -> Iterator[Traced]:
        """The numbers that chains give."""
        for chain in chains:
            if any(
                isinstance(way.change, Rounded) and way.targets == (self.asked.quantity,) for way in chain
            ):
                continue
            slipped = Slipped(self.example, chain)
            cut = _until(slipped.example, self.asked)
            way = self.way_to(cut)
            if way in self.seen:
                continue
            self.seen.add(way)
            value = answer(cut, self.asked)
            if value is None or not different(value, self.key):
                continue
            if len(chain) == 1:
                self.changing += chain
            names = self.leading(cut)
            yield Traced(slipped, tuple(name for name in slipped.targets if name in names), value)

    def leading(self, example: Example) -> set[str]:
        """The quantities on which the number depends."""
        wanted, before = {self.asked.quantity}, set[str]()
        programs = example.forward + example.backward + example.update
        steps = self.asked.step > 1
        while wanted != before:
            before = set(wanted)
            wanted |= {ref.name for eq in programs if eq.target.name in wanted for ref in refs(eq.body)}
            wanted |= {after(name) for name in example.kept if name in wanted and steps}
        return wanted

    def way_to(self, example: Example) -> tuple[object, ...]:
        """The equations that lead to the number, and the samples of the steps."""
        names = self.leading(example)
        programs = example.forward + example.backward + example.update
        return tuple(eq for eq in programs if eq.target.name in names), example.batches
