"""What of a formula can be seen in a finished page: its glyphs in order, and which stand above which.

A printed page has no tree, only glyphs at places. From the same boxes that are printed follows what a
reader must find: numerator before denominator, a base before its scripts, what is raised before what is
lowered; and a numerator stands above its denominator, an exponent above the line, an index below it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

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
    merged,
    parts,
)
from derivations.notation.locales import Marks

COMBINING = {"hat": "\u0302", "bar": "\u0304", "tilde": "\u0303"}
Span: TypeAlias = tuple[int, int]


@dataclass
class Glyphs:
    """The glyphs of a text without its blanks, and pairs of spans of which the first stands above.

    ``wholly`` are those of which every glyph does: the two parts of a fraction.
    """

    text: str = ""
    above: list[tuple[Span, Span]] = field(default_factory=list)
    wholly: list[tuple[Span, Span]] = field(default_factory=list)

    def write(self, text: str) -> Span:
        """Append plain text."""
        start = len(self.text)
        self.text += "".join(text.split())
        return start, len(self.text)

    def box(self, box: Box, marks: Marks, *, index: bool = False) -> Span:
        """Append a box; ``index`` for the inside of a subscript, whose commas are commas."""
        start = len(self.text)
        match box:
            case Letter(text, _, accent):
                self.write(text + COMBINING.get(accent, ""))
            case Numeral(text):
                self.write(marks.numeral(text))
            case Sign(text):
                self.write(marks.separator if text == "," and not index else text)
            case Fraction(above, below):
                self.wholly.append((self.box(above, marks), self.box(below, marks)))
            case Scripts():
                self._scripts(box, marks)
            case Operator(text, below):
                self.above.append((self.write(text), self.box(below, marks)))
            case Root(body):
                self.write("√")
                self.box(body, marks)
            case Fenced(opened, body):
                self.write(opened)
                self.box(body, marks)
                self.write(box.close)
            case Delimiter(text):
                self.write(text)
            case Row() | Stack():
                for part in parts(box):
                    self.box(part, marks, index=isinstance(box, Row) and box.role == "indices")
        return start, len(self.text)

    def _scripts(self, box: Scripts, marks: Marks) -> None:
        box = merged(box)
        start, end = self.box(box.base, marks)
        first = start, min(start + 1, end)
        self.write("′" * box.primes)
        if box.above is not None:
            self.above.append((self.box(box.above, marks), first))
        if box.below is not None:
            self.above.append((first, self.box(box.below, marks)))

    def misplaced(self, heights: Sequence[float]) -> str:
        """The first glyphs that do not stand above what they must, by the heights of all; else empty."""
        for (start, end), (low, below) in self.above:
            if start < end and max(heights[start:end]) <= min(heights[low:below]):
                return f"'{self.text[start:end]}' does not stand above '{self.text[low:below]}'"
        for (start, end), (low, below) in self.wholly:
            if start < end and min(heights[start:end]) <= max(heights[low:below]):
                return f"'{self.text[start:end]}' does not stand over '{self.text[low:below]}'"
        return ""
