"""A drawing: strokes, boxes, discs and labels at exact places. Every format draws it in its own way.

Places are pixels from the upper left corner, to a tenth. A ``kind`` says how a shape looks, in
`STYLES`; kinds differ in dashes, widths and shapes as well as in colour, for grey paper and for eyes
that do not tell colours apart. The colours are those of Okabe and Ito (2008).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, TypeAlias

from derivations.language.tree import Expr

Said: TypeAlias = tuple[str | Expr, ...]  # words and formulas of a label
Point: TypeAlias = tuple[Fraction, Fraction]
Anchor: TypeAlias = Literal["start", "middle", "end"]

INK, GREY, PALE, WHITE = "222222", "767676", "d9d9d9", "ffffff"
DEEP = "a83f00"  # vermillion for letters, also on a light ground
BLUE, LIGHT, VERMILLION, SKY, ORANGE, GREEN = "0072b2", "2f8fc4", "c04a00", "d6ecf8", "fff3d6", "00785a"


@dataclass(frozen=True, slots=True)
class Style:
    """How a kind of shape looks: colours of line and filling, width, dashes; the size of letters."""

    line: str = ""
    fill: str = ""
    width: str = "1"
    dash: tuple[int, ...] = ()
    size: int = 11


STYLES = {
    "axis": Style(INK),
    "grid": Style(PALE, width="0.8"),
    "tick": Style(fill=INK),
    "title": Style(fill=INK, size=12),
    "curve": Style(BLUE, width="1.8"),
    "point": Style(WHITE, BLUE),
    "sample": Style(INK, WHITE, width="1.4"),
    "contour": Style("86a9c0", width="0.9"),
    "path": Style(VERMILLION, width="1.6"),
    "path-head": Style(VERMILLION, VERMILLION, width="0.6"),
    "stop": Style(WHITE, VERMILLION, width="0.8"),
    "start": Style(VERMILLION, WHITE, width="1.6"),
    "minimum": Style(INK, width="2"),
    "tick-words": Style(fill=INK),
    "line-start": Style(GREY, width="1.6", dash=(2, 3)),
    "line-1": Style(LIGHT, width="1.6", dash=(8, 3)),
    "line-2": Style(GREEN, width="1.6", dash=(8, 3, 2, 3)),
    "line-3": Style(VERMILLION, width="1.6", dash=(5, 2)),
    "line-last": Style(BLUE, width="2.2"),
    "edge": Style(GREY, width="0.9"),
    "unit": Style(INK, SKY, width="1.2"),
    "data-unit": Style(INK, WHITE, width="1.2"),
    "ground": Style(fill=WHITE),
    "symbol": Style(fill=INK, size=12),
    "bias": Style(fill=INK, size=10),
    "weight": Style(fill=INK, size=10),
    "arrow": Style(GREY),
    "back": Style(GREY, dash=(3, 2)),
    "head": Style(GREY, GREY, width="0.6"),
    "data": Style(INK, WHITE),
    "parameter": Style(INK, ORANGE, width="2.2"),
    "quantity": Style(INK, SKY),
    "loss": Style(BLUE, BLUE),
    "name": Style(fill=INK, size=13),
    "name-of-loss": Style(fill=WHITE, size=13),
    "value": Style(fill=INK),
    "value-of-loss": Style(fill=WHITE),
    "adjoint": Style(fill=DEEP),
    "contribution": Style(fill=DEEP),
}


@dataclass(frozen=True, slots=True)
class Stroke:
    """A line through points, or a chain of cubic curves (``curved``: end, then 3 points each)."""

    kind: str
    points: tuple[Point, ...]
    about: str = ""
    closed: bool = False
    curved: bool = False


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle by its upper left corner, with rounded corners."""

    kind: str
    at: Point
    size: Point
    radius: Fraction = Fraction(0)
    about: str = ""


@dataclass(frozen=True, slots=True)
class Disc:
    """A disc or a ring around a point."""

    kind: str
    at: Point
    radius: Fraction
    about: str = ""


@dataclass(frozen=True, slots=True)
class Label:
    """Words and formulas on a line; ``at`` is on the line on which letters stand."""

    kind: str
    at: Point
    said: Said
    anchor: Anchor = "middle"


Shape: TypeAlias = Stroke | Box | Disc | Label


@dataclass(frozen=True, slots=True)
class Drawing:
    """Shapes, the first behind all others; the title and the description are for who cannot see them."""

    title: str
    description: str
    size: Point
    shapes: tuple[Shape, ...]

    def of_kind(self, *kinds: str) -> list[Shape]:
        """The shapes of some kinds, in their order."""
        return [shape for shape in self.shapes if shape.kind in kinds]


def tenth(value: Fraction | int) -> Fraction:
    """A coordinate to a tenth of a pixel, halves upwards."""
    return Fraction((Fraction(value) * 10 + Fraction(1, 2)).__floor__(), 10)


def point(x: Fraction | int, y: Fraction | int) -> Point:
    """A place to a tenth of a pixel."""
    return tenth(x), tenth(y)


def decimal(value: Fraction) -> str:
    """A coordinate as it is written: ``12.5``, ``-3``."""
    whole, rest = divmod(abs(value.numerator * 10 // value.denominator), 10)
    return ("-" if value < 0 else "") + (f"{whole}.{rest}" if rest else str(whole))


def arrow_head(kind: str, start: Point, tip: Point, length: int = 7) -> Stroke:
    """The triangle at the end of an arrow that comes from the direction of ``start``."""
    dx, dy = float(tip[0] - start[0]), float(tip[1] - start[1])
    far = (dx * dx + dy * dy) ** 0.5 or 1.0
    ux, uy = Fraction(round(dx / far * 1000), 1000), Fraction(round(dy / far * 1000), 1000)
    foot = tip[0] - length * ux, tip[1] - length * uy
    half = Fraction(length * 2, 5)
    sides = (point(foot[0] + s * half * uy, foot[1] - s * half * ux) for s in (1, -1))
    return Stroke(kind, (point(*tip), *sides), closed=True)
