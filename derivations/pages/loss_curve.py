"""The loss by step as a picture: exact values, coordinates to a tenth of a pixel."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from flint import arb

from derivations.language.errors import CheckFailed
from derivations.numbers.digits import Rounding
from derivations.numbers.systems import Value, fraction, rational
from derivations.pages.press import Press

LEFT, RIGHT, TOP, BOTTOM = 64, 304, 22, 150
LABEL, TENTH, MANY = Rounding(significant=4), Rounding(digits=1), 60


@dataclass(frozen=True)
class Point:
    """One step: where it stands, and its loss in words."""

    step: int
    x: str
    y: str
    words: str


@dataclass(frozen=True)
class Curve:
    """The points from left to right, and the labels of the ends of both axes."""

    loss: str
    points: tuple[Point, ...]
    low: str
    high: str

    @property
    def markers(self) -> tuple[Point, ...]:
        """Every point, or none where they would run into each other."""
        return self.points if len(self.points) <= MANY else ()

    @property
    def line(self) -> str:
        """The points of the polyline."""
        return " ".join(f"{point.x},{point.y}" for point in self.points)


def curve(press: Press) -> Curve:
    """The loss of every step; the axis starts at 0 unless the loss is negative somewhere."""
    name = press.run.example.loss
    losses = [step[name] for step in press.run.trace.shown]
    middles = [_middle(value) for value in losses]
    low, high = _ends(middles)
    said = [_words(name, value, press.rounding) for value in losses]
    points = tuple(
        Point(place + 1, _across(place, len(losses)), _down(at, low, high), words)
        for place, (at, words) in enumerate(zip(middles, said, strict=True))
    )
    return Curve(name, points, _label(low), _label(high))


def check_curve(text: str, press: Press) -> None:
    """Every point of a finished picture stands, to a tenth of a pixel, where its loss belongs."""
    name = press.run.example.loss
    shown = re.findall(r'<circle cx="([\d.]+)" cy="([\d.]+)" r="3"><title>step (\d+): (.*?)</title>', text)
    line = re.findall(r"<polyline[^>]* points=\"(.*?)\"", text)
    places = [tuple(pair.split(",")) for pair in " ".join(line).split()]
    losses = [step[name] for step in press.run.trace.shown]
    low, high = _ends([_middle(value) for value in losses])
    if len(places) != len(losses) or (len(losses) <= MANY and [at[:2] for at in shown] != places):
        raise CheckFailed("the picture has not one point for every step")
    for value, (_, y) in zip(losses, places, strict=True):
        read = high - (high - low) * (Fraction(y) - TOP) / (BOTTOM - TOP)
        if abs(read - _middle(value)) > (high - low) / (BOTTOM - TOP) / 19:
            raise CheckFailed(f"the picture shows {LABEL(rational(read)).text} for {LABEL(value).text}")


def _middle(value: Value) -> Fraction:
    return fraction(value.mid().fmpq()) if isinstance(value, arb) else fraction(value)


def _ends(values: list[Fraction]) -> tuple[Fraction, Fraction]:
    low, high = min(*values, Fraction(0)), max(values)
    return (low, high) if low < high else (low, low + 1)


def _across(place: int, count: int) -> str:
    return TENTH(rational(LEFT + Fraction(place * (RIGHT - LEFT), count - 1))).text


def _down(value: Fraction, low: Fraction, high: Fraction) -> str:
    return TENTH(rational(TOP + (high - value) / (high - low) * (BOTTOM - TOP))).text


def _label(value: Fraction) -> str:
    return LABEL(rational(value)).text.replace("-", "−")


def _words(name: str, value: Value, rounding: Rounding) -> str:
    printed = rounding(value)
    return f"{name} {'=' if printed.exact else '≈'} {printed.text.replace('-', '−')}"
