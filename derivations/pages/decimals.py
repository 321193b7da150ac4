"""Columns of decimals aligned at the mark, in a format whose digits all have one width."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from derivations.document.blocks import Formula, Words, lone_number
from derivations.notation.locales import Marks


@dataclass(frozen=True, slots=True)
class Decimals:
    """How many places a column of decimals has after the mark, and its longest power of ten."""

    places: int
    exponent: str
    marks: Marks

    @classmethod
    def of(cls, cells: Sequence[Words], marks: Marks) -> Decimals:
        """The column of some cells."""
        texts = [number.text for cell in cells for number in [lone_number(cell)] if number and number.text]
        places = max((len(_mantissa(text).partition(".")[2]) for text in texts), default=0)
        exponents = [text.partition("e")[2] for text in texts]
        return cls(places, max(exponents, key=len, default=""), marks)

    def cell(self, formula: Formula, text: str, mathematics: Callable[[Formula], str]) -> str:
        """A number in Typst, with the room after it that aligns the marks."""
        sign = f"{formula.sides[0].relation} " if formula.sides[0].relation else ""
        whole, _, places = _mantissa(text).partition(".")
        missing = "0" * (self.places - len(places))
        if missing and not places:
            missing = self.marks.decimal + missing
        room = f"#hide[{missing}]" if missing else ""
        if "e" in text:
            return mathematics(formula) + room
        digits = self.marks.numeral(f"{whole}.{places}" if places else whole)
        power = f" · 10{self.exponent}" if self.exponent else ""
        room = f"#hide[{missing}{power}]" if missing or power else ""
        return f"{sign}{'−' if text.startswith('-') else ''}{digits}{room}"


def _mantissa(text: str) -> str:
    return text.partition("e")[0].lstrip("-")
