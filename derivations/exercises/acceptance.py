"""Which answers of a student are accepted: computed, not guessed.

The smallest interval that holds every value that a student can reach by rounding each line to the stated
places, half up or half to even, or by keeping it (`derivations.exercises.students`). It is held against the
values to which slips lead: one that is not certainly outside is not told apart, and the question must ask for
more places, or the variant is dropped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from flint import arb

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


def reachable(
    steps: Step | Sequence[Step], name: str, positions: tuple[int, ...] = (), *, places: int
) -> Reach:
    """What a student can reach who works a step, or some that follow one another, and is asked for an entry.

    ``positions`` are those inside the batch, as in `Step.at`. The first of the steps begins with what the run
    has there; a later one, with what the student has left behind. Raises `ArithmeticFault` where nothing can
    be reached, or where there is no bound to it.
    """
    run = _run(steps)
    plan = working(run, name, positions)
    memory = {place: run[number].memory[slot] for place, (number, slot) in plan.slots.items()}
    if all(is_short(memory[place], places) for place in plan.written):
        value = fraction(memory[plan.target])
        return Reach(value, value)
    return _bounded(plan, memory, places, run[0].bits)


def _run(steps: Step | Sequence[Step]) -> tuple[Step, ...]:
    return (steps,) if isinstance(steps, Step) else tuple(steps)


def _bounded(plan: Working, memory: Mapping[int, Value], places: int, bits: int) -> Reach:
    """With more bits, if it takes them to see that a divisor is not 0."""
    for enough in (bits, 4 * bits):
        try:
            with precision(enough):
                return Reach(*map(fraction, reached(plan, memory, places)))
        except Undecided as fault:
            why = str(fault)
    raise ArithmeticFault(f"there is no bound to what rounding to {places} places can reach: {why}")


def accepted(
    steps: Step | Sequence[Step],
    name: str,
    positions: tuple[int, ...] = (),
    *,
    places: int,
    finer: int = 0,
) -> Reach:
    """The interval for marking: what can be reached, and the value itself rounded to the stated places.

    With ``finer`` also the value rounded to 1, 2 … so many places more, which a student may hand in who
    carries more digits than asked for.
    """
    run = _run(steps)
    found = reachable(run, name, positions, places=places)
    value = outward(run[-1].at(name, positions))
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
    steps: Step | Sequence[Step],
    name: str,
    positions: tuple[int, ...] = (),
    *,
    slips: Iterable[Value | Fraction | Reach],
    least: int = 0,
    most: int = 6,
) -> int | None:
    """The fewest places with which no slip's value is accepted, rounded or not; None if ``most`` are too few.

    Then nothing tells the slip apart, and the variant is dropped.
    """
    values = list(slips)
    for places in range(least, most + 1):
        try:
            if decided(accepted(steps, name, positions, places=places), values, places):
                return places
        except ArithmeticFault:  # rounded so roughly, a divisor may become 0
            continue
    return None


def too_long(
    steps: Step | Sequence[Step],
    name: str,
    positions: tuple[int, ...] = (),
    *,
    digits: int,
    places: int | None = None,
) -> tuple[str, ...]:
    """The entries behind an answer that take more than so many digits, so that nobody works them by hand.

    A value that has more than ``places`` is counted as it is rounded; without them, it has no last digit
    unless it is a decimal. Leading zeros do not count.
    """
    run = _run(steps)
    found: dict[str, None] = {}
    plan = working(run, name, positions)
    for place in plan.written:
        number, slot = plan.slots[place]
        count = _digits(run[number].memory[slot], places)
        if count is None or count > digits:
            found[run[number].layout.tape.owner(slot)] = None
    return tuple(found)


def _digits(value: Value, places: int | None) -> int | None:
    """How many digits a value has from the first that is not 0; None if there is no last one."""
    if places is not None and not is_short(value, places):
        value = max(map(abs, ends(grid(outward(value), places))))
    if isinstance(value, arb):
        return None
    after = next((k for k in range(value.q.bit_length() + 1) if is_short(value, k)), None)
    return None if after is None else len(str(abs(int(value.p) * 10**after // int(value.q))))
