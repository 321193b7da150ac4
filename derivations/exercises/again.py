"""Marking in reverse: from a wrong number to the shortest chain of slips that gives exactly it.

    again(example, Sought(1, "w'"), "0.6725")

finds that the factor 2 was forgotten, in the equation of ``dL/dw``.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Literal

from derivations.catalogue.slip import Slip
from derivations.catalogue.slips import SLIPS
from derivations.document.blocks import Message
from derivations.exercises.merging import different, explained
from derivations.exercises.slips import Slipped, Sought, answer, distinct, leading
from derivations.exercises.ways import Way
from derivations.model.example import Example
from derivations.numbers.systems import Undecided, Value, precise, rational, round_half_up


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
    asked: Sought,
    given: str,
    places: int | None = None,
    slips: Sequence[Slip] = SLIPS,
    longest: Literal[1, 2] = 2,
) -> tuple[Traced, ...]:
    """The shortest chains of slips that give a wrong number, several if it does not tell them apart.

    ``given`` is a decimal as the student wrote it. It is met by a value that rounds to it, to as many places
    as it has, or to ``places`` where the exercise says to how many. Empty where it is the right number, or
    no chain gives it. Where many students answer, `WrongNumbers` works the numbers once for all.
    """
    return WrongNumbers(example, asked, slips).again(given, places, longest)


class WrongNumbers:
    """The wrong numbers of one question: those of single slips, and of chains of two when they are wanted.

    Chains that change the number in the same equations are worked once, with the first of them as its
    cause. Chains of two are made of slips of which each alone changes the number.
    """

    def __init__(self, example: Example, asked: Sought, slips: Sequence[Slip] = SLIPS) -> None:
        self.example, self.asked, self.slips = example, asked, slips
        self.key = answer(example, asked)
        self.seen = {leading(example, asked)[1]}

    def again(self, given: str, places: int | None = None, longest: Literal[1, 2] = 2) -> tuple[Traced, ...]:
        """The shortest chains that give a number, as `derivations.exercises.again.again` does."""
        number, kept = Fraction(given), _places(given) if places is None else places
        if self.key is None or is_met(self.key, number, kept):
            return ()
        for length in range(1, longest + 1):
            known = self.single if length == 1 else self.double
            found = tuple(each for each in known if is_met(each.value, number, kept))
            if found:
                return found
        return ()

    @cached_property
    def single(self) -> tuple[Traced, ...]:
        """The numbers of single slips that are certainly wrong."""
        return tuple(self._traced(each.ways for each in distinct(self.example, self.asked, self.slips)))

    @cached_property
    def double(self) -> tuple[Traced, ...]:
        """The numbers of two slips together that are certainly wrong."""
        ways = [way for each in self.single for way in each.chain.ways]
        pairs = (pair for pair in itertools.combinations(ways, 2) if _apart(*pair))
        return tuple(self._traced(pairs))

    def _traced(self, chains: Iterable[tuple[Way, ...]]) -> Iterator[Traced]:
        for chain in chains:
            slipped = Slipped(self.example, chain)
            names, equations = leading(slipped.example, self.asked)
            if equations in self.seen:
                continue
            self.seen.add(equations)
            value = answer(slipped, self.asked)
            if value is not None and different(value, self.key):
                yield Traced(slipped, tuple(name for name in slipped.targets if name in names), value)


def _apart(one: Way, other: Way) -> bool:
    """Whether two slips are not the same one in the same place."""
    return one.slip != other.slip or not {*one.targets} & {*other.targets}


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
