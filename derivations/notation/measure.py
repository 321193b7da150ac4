"""How wide and how high boxes are, in em, as Latin Modern sets them; rounded up rather than down.

A table of advance widths and TeX's rules for fractions, scripts, operators and brackets: enough to
break lines and to fill frames, the same in every format and on every machine.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from unicodedata import east_asian_width

from derivations.notation.boxes import (
    Box,
    Delimiter,
    Fenced,
    Fraction,
    Letter,
    Numeral,
    Operator,
    Root,
    Row,
    Scripts,
    Sign,
    Stack,
)

DISPLAY, TEXT, SCRIPT, SMALLEST = range(4)  # TeX's styles
SCALE, WIDTHS = (1, 1, 0.7, 0.5), (1, 1, 0.8, 0.7)  # small letters are wider for their height
HUNDREDTHS = {  # advance widths with the italic correction
    "italic": """a53 b43 c44 d53 e47 f60 g52 h58 i35 j47 k56 l32 m88 n61 o49 p51 q49 r48 s47 t37 u58 v53 w75
        x58 y53 z51 A75 B81 C79 D86 E80 F79 G79 H92 I52 J66 K93 L69 M108 N92 O80 P79 Q80 R77 S68 T73 U80 V81
        W109 X91 Y81 Z76 α65 β62 γ58 δ49 ϵ41 ζ52 η54 θ50 ι36 κ58 λ59 μ61 ν56 ξ49 π61 ρ52 σ61 τ56 υ58 ϕ60 χ63
        ψ69 ω66 Γ63 Δ84 Θ78 Λ70 Ξ67 Π75 Σ73 Φ73 Ψ78 Ω73 ε47""",
    "upright": """a52 b56 c45 d56 e45 f39 g52 h57 i28 j31 k54 l29 m85 n57 o50 p56 q56 r40 s40 t39 u57 v54 w74
        x55 y54 z45 A75 B71 C73 D77 E69 F66 G79 H75 I37 J52 K78 L63 M92 N75 O78 P69 Q78 R76 S56 T73 U75 V76
        W104 X76 Y77 Z62 .28""",
}
ADVANCE = {
    style: {found[0]: int(found[1:]) / 100 for found in table.split()} for style, table in HUNDREDTHS.items()
}
DIGIT, MARK, WIDE = 0.5, 0.28, 0.8
SIGNS = {
    "·": 0.28,
    ",": 0.28,
    "=": 0.78,
    "≈": 0.78,
    "←": 1.0,
    "∂": 0.59,
    "∇": 0.84,
    "⊤": 0.78,
    "…": 1.34,
    "′": 0.28,
}
THIN, MEDIUM, THICK = 1 / 6, 2 / 9, 5 / 18  # what stands beside commas, + and relations
BESIDE = dict.fromkeys("+−·⊙⊘", 2 * MEDIUM) | dict.fromkeys("=≈←", 2 * THICK) | {",": THIN, "…": THIN}
BRACKETS = ((1.0, 0.39), (1.2, 0.46), (1.8, 0.6), (2.4, 0.74), (3.0, 0.8))  # height and width of a bracket
AXIS, STRUT_ABOVE, STRUT_BELOW = 0.25, 0.7, 0.22


@dataclass(frozen=True, slots=True)
class Size:
    """Width, and height above and below the line on which letters stand."""

    width: float
    above: float = STRUT_ABOVE
    below: float = STRUT_BELOW

    def scaled(self, by: float) -> Size:
        """The size at another size of type."""
        return Size(self.width * by, self.above * by, self.below * by)

    @property
    def height(self) -> float:
        """The whole height."""
        return self.above + self.below


def measure(box: Box, style: int = DISPLAY) -> Size:
    """The size of a box in em of the line's type."""
    scale = SCALE[style]
    match box:
        case Letter() | Numeral() | Sign():
            high = STRUT_ABOVE + (0.2 if getattr(box, "accent", "") else 0)
            return Size(_letters(box) * WIDTHS[style], high * scale, STRUT_BELOW * scale)
        case Row(parts, role):
            return measure_row(parts, style, role)
        case Fraction(above, below):
            return _fraction(measure(above, _inner(style)), measure(below, _inner(style)), style)
        case Scripts():
            return _scripts(box, style)
        case Root(body):
            inside = measure(body, style)
            wider, higher = (0.85, 0.25) if inside.height < 1.1 else (1.02, 0.45)
            return Size(inside.width + wider * scale, inside.above + higher * scale, inside.below)
        case Fenced(kind, body, tall):
            size = _fenced(measure(body, style), tall, scale)
            return Size(size.width + (0.24 if kind == "‖" else 0), size.above, size.below)
        case Delimiter(_, height):
            half = height / 2
            return Size(bracket_width(height), half + AXIS, half - AXIS).scaled(scale)
        case Operator():
            return _operator(box, style)
        case Stack(rows):
            found = [measure(row, max(style, TEXT)) for row in rows]
            half = sum(max(1.2, size.height + 0.1) for size in found) / 2
            return Size(max(size.width for size in found), half + AXIS, half - AXIS)


def measure_row(parts: Iterable[Box], style: int = DISPLAY, role: str = "product") -> Size:
    """The size of boxes side by side, with the space that signs have."""
    sizes = [measure(part, style) for part in parts]
    signs = 0.0 if role in ("sign", "indices") else sum(_beside(part, style) for part in parts)
    high = max((size.above for size in sizes), default=0), max((size.below for size in sizes), default=0)
    return Size(sum(size.width for size in sizes) + signs, *high)


def height_of_bracket(size: Size) -> float:
    """The least height of a bracket around something of this size."""
    wanted = 0.9 * 2 * max(size.above - AXIS, size.below + AXIS)
    return next((height for height, _ in BRACKETS if height >= wanted), math.ceil(wanted / 0.6) * 0.6)


def delimiters(box: Fenced) -> tuple[Delimiter, Delimiter]:
    """The two brackets of a box that is cut between them: both of the height of the whole."""
    height = max(1.2, height_of_bracket(measure(box.body))) if box.tall else 1.0
    return Delimiter(box.open, height), Delimiter(box.close, height, closes=True)


def bracket_width(height: float) -> float:
    """The width of a bracket of a height."""
    return next((width for most, width in BRACKETS if most >= height), 0.9)


def _inner(style: int) -> int:
    return min(style + 1, SMALLEST)


def _beside(part: Box, style: int) -> float:
    """The space on both sides of a box, which scripts lack."""
    match part:
        case Sign(text):
            return BESIDE.get(text, 0) if style <= TEXT else 0
        case Operator():
            return 2 * THIN
        case Letter(_, "function") | Fenced(_, _, True):
            return THIN
    return 0


def _letters(box: Letter | Numeral | Sign) -> float:
    match box:
        case Sign(text):
            return SIGNS.get(text, 0.78)
        case Numeral(text):
            return sum(DIGIT if letter.isdigit() else MARK for letter in text)
        case Letter(text, kind):
            known = ADVANCE["italic" if kind == "italic" else "upright"]
            wider = 1.17 if kind == "bold" else 1
            return sum(known.get(letter, _unknown(letter)) for letter in text) * wider


def _unknown(letter: str) -> float:
    if letter.isdigit():
        return DIGIT
    return 1.0 if east_asian_width(letter) in "WF" else WIDE


def _fraction(above: Size, below: Size, style: int) -> Size:
    scale = SCALE[style]
    up, down = (0.68, 0.69) if style == DISPLAY else (0.4 * scale, 0.35 * scale)
    high = max(up + above.above, AXIS + 0.1 + above.height)
    low = max(down + below.below, 0.1 - AXIS + below.height)
    return Size(max(above.width, below.width) + 0.24, high, low)


def _scripts(box: Scripts, style: int) -> Size:
    under = box.base
    inside = isinstance(under, Scripts) and getattr(under.base, "style", "") == "upright"  # \mathrm{h_t}
    if isinstance(under, Scripts) and under.above is None and box.below is None and not inside:
        box = replace(under, above=box.above)  # one above the other
    base, inner = measure(box.base, style), SCRIPT if style <= TEXT else SMALLEST
    none = Size(0, 0, 0)
    below = measure(box.below, inner) if box.below is not None else none
    above = measure(box.above, inner) if box.above is not None else none
    primes = 0.28 * box.primes * WIDTHS[inner]
    up = base.above + 0.1 * bool(primes)
    if box.above is not None:
        up = base.above - 0.3 * SCALE[style] + above.above
    down = 0.15 * SCALE[style] + below.height - 0.2 if box.below is not None else base.below
    wider = max(below.width, above.width + primes) + 0.05
    return Size(base.width + wider, max(base.above, up), max(base.below, down))


def _fenced(inside: Size, tall: bool, scale: float) -> Size:
    height = height_of_bracket(inside.scaled(1 / scale)) if tall else 1.0
    edge = bracket_width(height) * scale
    half = height / 2 * scale
    axis = AXIS * scale
    return Size(inside.width + 2 * edge, max(inside.above, half + axis), max(inside.below, half - axis))


def _operator(box: Operator, style: int) -> Size:
    scale = SCALE[style]
    widths = {"∑": 1.45 if style == DISPLAY else 1.06, "max": 1.92, "arg max": 3.5}
    own = widths[box.text] * scale
    below = measure(box.below, SCRIPT if style <= TEXT else SMALLEST)
    if style != DISPLAY:
        return Size(own + below.width + 0.05, 0.75 * scale, 0.25 * scale + below.height / 2)
    low = 0.78 if box.text == "∑" else 0.1
    high = 1.05 if box.text == "∑" else STRUT_ABOVE
    return Size(max(own, below.width), high, low + below.height)


def text_width(text: str) -> float:
    """The width of words in the upright letters of the line, blanks included."""
    words = re.sub(r"\s+", " ", text)
    return sum(
        0.34 if letter == " " else ADVANCE["upright"].get(letter, _unknown(letter)) for letter in words
    )
