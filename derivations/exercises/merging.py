"""Wrong answers to one question: none is the right one, no two are the same, each says what leads to it.

Exact numbers are equal or they are not. Of balls it is certain only that they differ: whatever is not
certainly another number than the key is left out, and slips whose numbers are not certainly different
share an option.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from flint import arb

from derivations.document.blocks import Message, message, phrase, series
from derivations.exercises.slips import Slipped
from derivations.numbers.systems import Undecided, Value, ball, precise, round_half_up

JOINT = phrase("More than one slip gives this number. {}")
CHAIN = phrase("Several slips together give this number. {}")


@dataclass(frozen=True)
class Option:
    """A wrong number, and everything that leads to it."""

    value: Value
    slips: tuple[Slipped, ...]

    @property
    def explanation(self) -> Message:
        """What is said to a student who gives this number; all slips that give it, each once."""
        said = tuple(dict.fromkeys(explained(each) for each in self.slips))
        return said[0] if len(said) == 1 else message(JOINT, series(said, ""))


def explained(each: Slipped) -> Message:
    """The explanation of a slip, or of those of a chain, in their order."""
    said = tuple(dict.fromkeys(message(slip.explanation) for slip in each.slips))
    return said[0] if len(said) == 1 else message(CHAIN, series(said, ""))


def options(
    key: Value, wrong: Iterable[tuple[Slipped, Value | None]], places: int | None = None
) -> tuple[Option, ...]:
    """The options beside the right value, in the order in which their first slips are given.

    With ``places``, numbers count as the same too if they are when they are rounded to so many decimal
    places, as students see them. Without a value, where a slip's run does not exist, there is no option.
    """
    found: list[Option] = []
    for each, value in wrong:
        if value is None or not different(value, key, places):
            continue
        same = [place for place, one in enumerate(found) if not different(value, one.value, places)]
        slips = tuple(one for place in same for one in found[place].slips)
        if not same:
            found.append(Option(value, (each,)))
        else:
            found[same[0]] = Option(found[same[0]].value, (*slips, each))
            found = [option for place, option in enumerate(found) if place not in same[1:]]
    return tuple(found)


def different(one: Value, other: Value, places: int | None = None) -> bool:
    """Whether two numbers are certainly not the same, nor, with ``places``, once they are rounded."""
    if isinstance(one, arb) or isinstance(other, arb):
        with precise(one), precise(other):
            apart = not (ball(one) - ball(other)).contains(0)
    else:
        apart = bool(one != other)
    return apart and (places is None or _differently_rounded(one, other, places))


def _differently_rounded(one: Value, other: Value, places: int) -> bool:
    try:
        return bool(round_half_up(one, places) != round_half_up(other, places))
    except Undecided:
        return False
