"""Places in a workbook and how formulas name them: ``C7``, ``Inputs!$B$5``, ``F6:F9``."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from derivations.language.errors import Mismatch

PLAIN_SHEET = re.compile(r"[A-Za-z_][A-Za-z_]*")
POSITION = re.compile(r"([A-Z]+)(\d+)")
LIKE_AN_ADDRESS = re.compile(r"[a-z]{1,3}\d+|[rc]\d*|r\d*c\d*|true|false", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Place:
    """A cell; row and column count from 0."""

    sheet: str
    row: int
    column: int

    def down(self, rows: int) -> Place:
        """The cell some rows below."""
        return Place(self.sheet, self.row + rows, self.column)


def letters_of(column: int) -> str:
    """The letters of a column: A, B, … Z, AA."""
    found, column = "", column + 1
    while column:
        column, rest = divmod(column - 1, 26)
        found = chr(ord("A") + rest) + found
    return found


def address(place: Place, sheet: str) -> str:
    """A cell as a formula on a sheet names it; on another sheet with dollars, so that copies keep it."""
    if place.sheet == sheet:
        return f"{letters_of(place.column)}{place.row + 1}"
    return f"{_prefix(place.sheet)}${letters_of(place.column)}${place.row + 1}"


def span(first: Place, last: Place, sheet: str) -> str:
    """The range from one cell to another of the same sheet."""
    return f"{address(first, sheet)}:{address(last, sheet).rpartition('!')[2]}"


def _prefix(sheet: str) -> str:
    if PLAIN_SHEET.fullmatch(sheet):
        return f"{sheet}!"
    return "'" + sheet.replace("'", "''") + "'!"


def cells_of(text: str, sheet: str) -> list[Place]:
    """The cells that a formula on a sheet means by ``C7``, ``Inputs!$B$5`` or ``F6:F9``, row by row.

    Raises `Mismatch` for what names none.
    """
    other, mark, inside = text.rpartition("!")
    if mark:
        sheet = other[1:-1].replace("''", "'") if other.startswith("'") else other
    ends = [_position(end) for end in inside.replace("$", "").split(":")]
    (row, column), (last, end) = ends[0], ends[-1]
    return [Place(sheet, r, c) for r in range(row, last + 1) for c in range(column, end + 1)]


def _position(text: str) -> tuple[int, int]:
    found, column = POSITION.fullmatch(text), 0
    if found is None:
        raise Mismatch(f"{text!r} names no cell")
    for letter in found[1]:
        column = 26 * column + ord(letter) - ord("A") + 1
    return int(found[2]) - 1, column - 1


def is_line(places: Sequence[Place]) -> bool:
    """Whether cells stand one directly after the other, down a column or along a row."""
    if len(places) < 2 or len({place.sheet for place in places}) > 1:
        return False
    steps = {(b.row - a.row, b.column - a.column) for a, b in itertools.pairwise(places)}
    return steps in ({(1, 0)}, {(0, 1)})


def cell_name(name: str, taken: set[str]) -> str:
    """A name for a cell: the quantity's own, with ``_`` behind it where a spreadsheet would misread it."""
    found = name
    while LIKE_AN_ADDRESS.fullmatch(found) or found.casefold() in taken:
        found += "_"
    taken.add(found.casefold())
    return found
