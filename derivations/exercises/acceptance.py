"""Which answers of a student are accepted: computed, not guessed.

The smallest interval that holds every value that a student can reach by rounding each line to the stated
places, half up or half to even, or by keeping it (`derivations.exercises.students`). It is held against the
values to which slips lead: one that is not certainly outside is not told apart, and the question must ask for
more places, or the variant is dropped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property

from flint import arb, fmpq

from derivations.exercises.lines import Working, working
from derivations.exercises.students import reached
from derivations.language.errors import ArithmeticFault
from derivations.numbers.between import ends, grid, hull, interval, is_short, outward
from derivations.numbers.systems import Undecided, Value, fraction, precision, rational
from derivations.run.training import Step


@dataclass(frozen=True)
class Reach:
    """The interval of what a student can reach.

    ``slack``: at most by how much it is wider than the smallest one. Where it is 0 both ends can be reached
    (where they are irrational, up to the precision of the run); else the interval surely holds all that can.
    """

    low: Fraction
    high: Fraction
    slack: Fraction = Fraction(0)

    @property
    def whole(self) -> bool:
        """Whether it is the smallest interval."""
        return not self.slack

    def __contains__(self, answer: Fraction) -> bool:
        return self.low <= answer <= self.high

    @property
    def width(self) -> Fraction:
        """``high - low``."""
        return self.high - self.low


@dataclass(frozen=True)
class Task:
    """What a student is asked for: an entry of the last of some steps that are worked one after another.

    ``positions`` are those inside the batch, as in `Step.at`. The first of the steps begins with what the run
    has there, which may have been rounded already if it is not the first of the run; the others, with what
    the student has left behind. Who works in ``decimals`` alone may also round what is given as a fraction
    that is none, such as 1/3 in the data or 2/n before a sum; else these stay as they are.
    """

    steps: tuple[Step, ...]
    name: str
    positions: tuple[int, ...] = ()
    decimals: bool = False

    @cached_property
    def value(self) -> Value:
        """The value itself."""
        return self.steps[-1].at(self.name, self.positions)

    @cached_property
    def plan(self) -> Working:
        """The operations behind the entry."""
        found = working(self.steps, self.name, self.positions)
        if not self.decimals:
            return found
        fractions = (place for place in found.given if not _is_decimal(self.memory_of(found)[place]))
        return replace(found, state=found.state.union(fractions))

    @cached_property
    def memory(self) -> Mapping[int, Value]:
        """What the run has at the places of the plan."""
        return self.memory_of(self.plan)

    def memory_of(self, plan: Working) -> Mapping[int, Value]:
        """What the run has at the places of a plan."""
        return {place: self.steps[number].memory[slot] for place, (number, slot) in plan.slots.items()}


def _is_decimal(value: Value) -> bool:
    return isinstance(value, fmpq) and is_short(value, value.q.bit_length())


def reachable(asked: Task, places: int) -> Reach:
    """What a student can reach who rounds every value to some places, or keeps it.

    Raises `ArithmeticFault` where nothing can be reached, or where there is no bound to it.
    """
    if all(is_short(asked.memory[place], places) for place in asked.plan.written):
        return Reach(fraction(asked.value), fraction(asked.value))
    bits = asked.steps[0].bits
    for enough in (bits, 4 * bits):  # it may take more to see that a divisor is not 0
        try:
            with precision(enough):
                return Reach(*map(fraction, reached(asked.plan, asked.memory, places)))
        except Undecided as fault:
            why = str(fault)
    raise ArithmeticFault(f"there is no bound to what rounding to {places} places can reach: {why}")


def accepted(asked: Task, places: int, finer: int = 0) -> Reach:
    """The interval for marking: what can be reached, which holds the value itself and its roundings.

    With ``finer`` also the value rounded to 1, 2 … so many places more, which a student may hand in who
    carries more digits than asked for.
    """
    found, value = reachable(asked, places), outward(asked.value)
    rounded = [grid(value, places + more) for more in range(finer + 1)]
    low, high = ends(hull([value, *rounded, *map(rational, (found.low, found.high))]))
    return Reach(fraction(low), fraction(high), found.slack)


def inside(
    reach: Reach, values: Iterable[Value | Fraction | Reach], places: int | None = None
) -> tuple[int, ...]:
    """The places, from 0, of the values that are not proved to lie outside; a ball, by all that it holds.

    With ``places`` a value is also taken as it is handed in: rounded half up or half to even.
    """
    found = []
    for at, value in enumerate(values):
        low, high = _ends(value)
        ways = [(low, high)] if places is None else [(low, high), _rounded(low, high, places)]
        if any(least <= reach.high and most >= reach.low for least, most in ways):
            found.append(at)
    return tuple(found)


def decided(reach: Reach, values: Iterable[Value | Fraction | Reach], places: int | None = None) -> bool:
    """Whether an interval is proved to hold none of the values to which slips lead."""
    return not inside(reach, values, places)


def _rounded(low: Fraction, high: Fraction, places: int) -> tuple[Fraction, Fraction]:
    least, most = ends(grid(interval(rational(low), rational(high)), places))
    return fraction(least), fraction(most)


def _ends(value: Value | Fraction | Reach) -> tuple[Fraction, Fraction]:
    if isinstance(value, Reach):
        return value.low, value.high
    if isinstance(value, Fraction):
        return value, value
    low, high = ends(value)
    return fraction(low), fraction(high)


def places_needed(
    asked: Task, slips: Iterable[Value | Fraction | Reach], least: int = 0, most: int = 6
) -> int | None:
    """The fewest places with which no slip's value is accepted, rounded or not; None if ``most`` are too few.

    Then nothing tells the slip apart, and the variant is dropped.
    """
    values = list(slips)
    for places in range(least, most + 1):
        try:
            if decided(accepted(asked, places), values, places):
                return places
        except ArithmeticFault:  # rounded so roughly, a divisor may become 0
            continue
    return None


def too_long(asked: Task, digits: int, places: int | None = None) -> tuple[str, ...]:
    """The entries behind an answer that take more than so many digits, so that nobody works them by hand.

    A value that has more than ``places`` is counted as it is rounded; without them, it has no last digit
    unless it is a decimal. Leading zeros do not count.
    """
    found: dict[str, None] = {}
    for place in asked.plan.written:
        number, slot = asked.plan.slots[place]
        count = _digits(asked.memory[place], places)
        if count is None or count > digits:
            found[asked.steps[number].layout.tape.owner(slot)] = None
    return tuple(found)


def _digits(value: Value, places: int | None) -> int | None:
    """How many digits a value has from the first that is not 0; None if there is no last one."""
    if places is not None and not is_short(value, places):
        value = max(map(abs, ends(grid(outward(value), places))))
    if isinstance(value, arb):
        return None
    after = next((k for k in range(value.q.bit_length() + 1) if is_short(value, k)), None)
    return None if after is None else len(str(abs(int(value.p) * 10**after // int(value.q))))
