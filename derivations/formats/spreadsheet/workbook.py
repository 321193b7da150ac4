"""A workbook before it is a file: sheets of cells, each with its text, number or formula and its value."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from flint import arb

from derivations.formats.spreadsheet.cells import Place, address
from derivations.numbers.float64 import nearest_float
from derivations.numbers.systems import Value, fraction

At: TypeAlias = tuple[int, int]

MOST_WORDS = 2_000
LETTERS = 11  # of a column's head that fit on one line
UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
DIGITS = 15  # of a number that XlsxWriter prints and every spreadsheet shows


def shortened(words: str) -> str:
    """At most as many characters as a cell shows without trouble."""
    return words if len(words) <= MOST_WORDS else f"{words[: MOST_WORDS - 1]}…"


@dataclass(frozen=True, slots=True)
class Text:
    """Words; never a formula, whatever they begin with. ``link`` leads to another cell.

    What no XML file can hold is shown as ``\ufffd``, and very long words are cut.
    """

    words: str
    style: str = "text"
    link: Place | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "words", UNPRINTABLE.sub("\ufffd", shortened(self.words)))


@dataclass(frozen=True, slots=True)
class Input:
    """A number that the reader may change."""

    value: Value


@dataclass(frozen=True, slots=True)
class Formula:
    """A live formula with the value that the run has for it; ``style`` may mark a result."""

    formula: str
    value: Value
    style: str = "number"
    form: str = "plain"


Cell: TypeAlias = Text | Input | Formula


@dataclass
class Sheet:
    """Cells by row and column, from 0; ``breaks`` are rows that begin a printed page,
    ``heads`` the lines of text that the rows of column heads need."""

    name: str
    cells: dict[At, Cell] = field(default_factory=dict)
    breaks: list[int] = field(default_factory=list)
    heads: dict[int, int] = field(default_factory=dict)
    frozen: At = (0, 0)
    row: int = 0

    def put(self, column: int, cell: Cell) -> Place:
        """Write a cell of the row at hand."""
        self.cells[self.row, column] = cell
        if isinstance(cell, Text) and cell.style == "head":
            self.heads[self.row] = max(self.heads.get(self.row, 1), -(-len(cell.words) // LETTERS))
        return Place(self.name, self.row, column)

    def gap(self) -> None:
        """An empty row, unless the one before is empty or a heading, or there is none."""
        before = self.cells.get((self.row - 1, 0))
        self.row += before is not None and not (isinstance(before, Text) and before.style == "section")

    def line(self, words: str, style: str = "text") -> None:
        """A row of words."""
        self.put(0, Text(words, style))
        self.row += 1


@dataclass(frozen=True)
class Chart:
    """A line over cells: labels and values in two columns of one sheet."""

    title: str
    down: str
    across: str
    labels: tuple[Place, Place]
    values: tuple[Place, Place]


@dataclass(frozen=True)
class Workbook:
    """Sheets in order, the names of cells, and the picture that every ``charted`` sheet shows."""

    title: str
    sheets: tuple[Sheet, ...]
    names: Mapping[str, Place]
    chart: Chart | None
    charted: tuple[Place, ...]


def literal(value: Value) -> str:
    """A given number as the file holds it: a decimal, or a formula where that would be rounded."""
    shown = repr(nearest_float(value))
    if isinstance(value, arb) or float(f"{float(shown):.{DIGITS}G}") != float(shown):
        exact = fraction(value.mid().fmpq() if isinstance(value, arb) else value)
        return f"={exact.numerator}/{exact.denominator}"
    return shown


def fixed(place: Place) -> str:
    """A cell as every sheet can name it."""
    return address(place, "")
