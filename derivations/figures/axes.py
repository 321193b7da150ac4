"""Axes: from values to places and back, round numbers at the ticks, linear or by powers of ten."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from flint import arb

from derivations.figures.drawing import Drawing, Label, Point, Said, Shape, Stroke, point
from derivations.figures.lettering import width
from derivations.language.tree import Expr, Number, Pow, number
from derivations.notation.symbols import Symbols
from derivations.numbers.digits import LARGE, Rounding, magnitude_of
from derivations.numbers.systems import Value, ball, fraction, rational

DECADES = 3  # a positive axis over more powers of ten is logarithmic
TICKS, TICK_LENGTH, LONGEST, LETTER = 5, 4, 13, 8
SHORT, WHOLE = Rounding(significant=4), Rounding(digits=40)
TOLERANCE = Fraction(3, 10)  # of a pixel: what rounding to tenths at two ticks and a point may make


def middle(value: Value) -> Fraction:
    """A value as a fraction; of a ball its middle."""
    return fraction(value.mid().fmpq()) if isinstance(value, arb) else fraction(value)


@dataclass(frozen=True)
class Scale:
    """Values from ``low`` to ``high`` along pixels from ``start`` to ``end``."""

    low: Fraction
    high: Fraction
    start: int
    end: int
    powers: bool = False

    def place(self, value: Fraction) -> Fraction:
        """Where a value stands."""
        low, high, at = (self.linear(number) for number in (self.low, self.high, value))
        return self.start + (at - low) / (high - low) * (self.end - self.start)

    def value(self, share: Fraction) -> Fraction:
        """The value at a share of the way along an even axis."""
        return self.low + (self.high - self.low) * share

    def along(self, count: int) -> list[Fraction]:
        """Values evenly apart from one end to the other."""
        return [self.value(Fraction(k, count)) for k in range(count + 1)]

    def linear(self, value: Fraction) -> Fraction:
        """The value, or its power of ten, along which the axis is even."""
        return power_of(value) if self.powers else value

    @property
    def ticks(self) -> list[tuple[Fraction, Expr]]:
        """Round values inside the axis, each with how it is printed."""
        if self.powers:
            return [(Fraction(10) ** k, Pow(number(10), number(k))) for k in self._exponents()]
        step = round_step(self.high - self.low, TICKS)
        first = -(-self.low // step)
        values = [step * k for k in range(first, first + 12) if step * k <= self.high]
        return [(value, printed(value)) for value in values]

    def _exponents(self) -> list[int]:
        low, high = round(power_of(self.low)), round(power_of(self.high))
        every = max(1, -(-(high - low) // TICKS))
        return list(range(low, high + 1, every))


def power_of(value: Fraction) -> Fraction:
    """The decimal logarithm of a positive value."""
    return middle(ball(rational(value)).log() / arb(10).log()) if value != 1 else Fraction(0)


def printed(value: Fraction) -> Number:
    """A round value as it is printed: in full if that is short."""
    shown = WHOLE(rational(value))
    short = shown if abs(value) < LARGE and len(shown.text) <= LONGEST else SHORT(rational(value))
    return Number(short.value, short.text)


def round_step(extent: Fraction, count: int) -> Fraction:
    """1, 2 or 5 times a power of ten, so that an extent has about this many steps."""
    raw = extent / count
    decade = Fraction(10) ** magnitude_of(rational(raw))
    return next((decade * k for k in (1, 2, 5) if decade * k >= raw), decade * 10)


def scale(
    values: Sequence[Fraction], start: int, end: int, *, zero: bool = False, powers: bool = True
) -> Scale:
    """An axis that holds the values and ends at round numbers; from 0 if wanted and none is negative.

    Positive values over more than three powers of ten get an axis of powers.
    """
    low, high = min(values), max(values)
    if powers and low > 0 and high / low > 10**DECADES:
        ends = magnitude_of(rational(low)), magnitude_of(rational(high))
        above = ends[1] + (Fraction(10) ** ends[1] < high)
        return Scale(Fraction(10) ** ends[0], Fraction(10) ** above, start, end, powers=True)
    if zero and low >= 0:
        low = Fraction(0)
    if low == high:
        half = abs(low) / 2 or Fraction(1, 2)
        low, high = low - half, high + half
    step = round_step(high - low, TICKS)
    return Scale(low // step * step, -(-high // step) * step, start, end)


@dataclass(frozen=True)
class Frame:
    """Two axes with what they measure in words."""

    across: Scale
    down: Scale
    across_said: Said
    down_said: Said

    def at(self, x: Fraction, y: Fraction) -> Point:
        """The place of a pair of values."""
        return point(self.across.place(x), self.down.place(y))

    @property
    def readable(self) -> bool:
        """Whether no two ticks of an axis say the same, as they do where it is far from 0 and short."""
        said = [[str(expr) for _, expr in axis.ticks] for axis in (self.across, self.down)]
        return all(len(set(texts)) == len(texts) > 1 for texts in said)

    def _below(self, whole: bool) -> list[tuple[Fraction, Expr]]:
        """The ticks of the level axis, fewer where their numbers are long."""
        ticks = [tick for tick in self.across.ticks if not whole or tick[0].denominator == 1]
        longest = max((len(getattr(expr, "text", "")) for _, expr in ticks), default=1)
        room = (self.across.end - self.across.start) // (LETTER * (longest + 1))
        return ticks[:: max(1, -(-len(ticks) // max(room, 2)))]

    def shapes(self, whole: bool = False, grid: bool = True) -> Iterator[Shape]:
        """Grid lines, axes, ticks and their numbers; ``whole``: only whole numbers across."""
        left, right, low, high = self.across.start, self.across.end, self.down.start, self.down.end
        for value, expr in self.down.ticks:
            _, y = self.at(self.across.low, value)
            mark = ("grid", right) if grid else ("axis", left - TICK_LENGTH)
            yield Stroke(mark[0], (point(left, y), point(mark[1], y)))
            yield Label("tick", point(left - 6, y + 4), (expr,), "end")
        for value, expr in self._below(whole):
            x, _ = self.at(value, self.down.low)
            yield Stroke("axis", (point(x, low), point(x, low + TICK_LENGTH)))
            yield Label("tick", point(x, low + 16), (expr,))
        yield Stroke("axis", (point(left, high), point(left, low), point(right, low)))
        yield Label("title", point(Fraction(left + right, 2), low + 33), self.across_said)
        yield Label("title", point(left, high - 9), self.down_said, "start")


def margin(values: Scale, symbols: Symbols) -> int:
    """The room that the numbers of an upright axis need on its left."""
    return 10 + max(-(-width((expr,), symbols, 11) // 1) for _, expr in values.ticks)


# --- reading back -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Reading:
    """How a person reads an axis: from its ticks alone."""

    ticks: tuple[tuple[Fraction, Fraction], ...]  # value, place
    powers: bool

    def place(self, value: Fraction) -> Fraction:
        """Where a value must stand, by the first and the last tick."""
        (low, start), (high, end) = self.ticks[0], self.ticks[-1]
        a, b, at = (power_of(v) if self.powers else v for v in (low, high, value))
        return start + (at - a) / (b - a) * (end - start)

    def value(self, place: Fraction) -> Fraction:
        """The value at a place of an even axis."""
        (low, start), (high, end) = self.ticks[0], self.ticks[-1]
        return low + (high - low) * (place - start) / (end - start)

    def shows(self, value: Fraction, place: Fraction) -> bool:
        """Whether a place is that of the value, to the resolution of the drawing."""
        start, end = self.ticks[0][1], self.ticks[-1][1]
        far = abs(self.place(value) - start) / abs(end - start)
        return abs(self.place(value) - place) <= TOLERANCE * max(far, Fraction(1))


def readings(drawing: Drawing) -> tuple[Reading, Reading]:
    """The axes of a drawing: across, and upwards."""
    labels = [shape for shape in drawing.of_kind("tick") if isinstance(shape, Label)]
    across = [(_value(label), label.at[0]) for label in labels if label.anchor == "middle"]
    upright = [(_value(label), label.at[1] - 4) for label in labels if label.anchor == "end"]
    powers = [
        any(isinstance(label.said[0], Pow) for label in labels if label.anchor == a)
        for a in ("middle", "end")
    ]
    return Reading(tuple(across), powers[0]), Reading(tuple(upright), powers[1])


def _value(label: Label) -> Fraction:
    match label.said:
        case (Number(value),):
            return value
        case (Pow(Number(base), Number(exponent)),):
            return base ** int(exponent)
    raise ValueError("a tick without a number")


def uneven(reading: Reading) -> bool:
    """Whether a tick stands where its axis does not have it."""
    ends = len(reading.ticks) < 2 or reading.ticks[0][0] == reading.ticks[-1][0]
    return ends or not all(reading.shows(value, at) for value, at in reading.ticks)
