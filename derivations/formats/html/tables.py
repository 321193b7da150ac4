"""Tables in HTML: which cells are headings, where decimals stand, and what a narrow screen makes of them.

On a phone a table that is too wide is turned: its headings stand on the left and its rows side by side, as
many as there is room for. The style sheet does it; what is written here is how many rows fit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from derivations.document.blocks import Table, Words, lone_number, message
from derivations.document.languages import text_of
from derivations.formats.html.words import PHONE as PHONE_LINE
from derivations.formats.html.words import Setter
from derivations.notation.chain import Formula
from derivations.notation.measure import measure, text_width
from derivations.notation.typeset import typeset

PHONE, TURNED, GAP, LABEL, NARROW = 20.0, 23.4, 0.8, 6.0, 11.5  # in em
MOST = 5  # columns of a table of checks that stand side by side on a phone
CAPTIONS = {
    "data": message("The data"),
    "names": message("The names of entries"),
    "quantities": message("The quantities"),
    "derivation": message("The derivation, line by line"),
    "matrix": message("The equations in matrix form"),
    "forward": message("The forward pass"),
    "backward": message("The backward pass"),
    "summary": message("All steps"),
    "checks": message("Comparison with torch"),
}
OTHER = message("Values")


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell: its start tag without brackets, the name that ends it, what it shows."""

    tag: Markup
    name: str
    shown: Markup


@dataclass(frozen=True, slots=True)
class Line:
    """A row of a table."""

    attributes: Markup
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Form:
    """A table as it is written: rows in chunks that fit a phone side by side."""

    classes: str
    caption: str
    chunks: tuple[tuple[Line, ...], ...]
    again: bool


def caption(table: Table, setter: Setter) -> str:
    """What a table is about, for those who hear it."""
    return text_of(CAPTIONS.get(table.kind, OTHER), setter.language)


def side(letter: str) -> str:
    """The attribute of a heading by the letter of its column: above numbers it stands right."""
    return ' class="right"' if letter in "rd" else ""


def form(table: Table, setter: Setter) -> Form:
    """How a table is written."""
    turned = [NARROW] * len(table.align) if table.kind in ("quantities", "matrix") else ()
    lines, says = tuple(rows(table, setter, turned)), caption(table, setter)
    if table.kind == "derivation":
        return Form("table large lines", says, (lines,), False)
    if table.kind == "checks" and len(table.align) <= MOST:
        return Form("table checks", says, (lines,), False)
    large = " large" if table.kind in ("quantities", "matrix") else ""
    widths = _column_widths(table, setter)
    if sum(widths) + GAP * len(widths) <= PHONE and not large:
        return Form("table", says, (lines,), False)
    count = 1 if large else _beside(table, setter, widths)
    chunks = tuple(lines[at : at + count] for at in range(0, len(lines), count))
    kind = "table turn" if len(chunks) == 1 else "table turn cut"
    return Form(kind + large, says, chunks, len(chunks) > 1)


def _beside(table: Table, setter: Setter, widths: list[float]) -> int:
    """How many rows fit side by side once the table is turned."""
    label = max(map(setter.least, table.header))
    return max(1, int((TURNED - label - GAP) // (max(_cell_widths(table, setter)) + GAP)))


def _cell_widths(table: Table, setter: Setter) -> Iterator[float]:
    return (_width(cell, setter) for row in table.rows for cell in row)


def _column_widths(table: Table, setter: Setter) -> list[float]:
    found = []
    for place, head in enumerate(table.header):
        words = [text_width(word) for part in head if isinstance(part, str) for word in part.split()]
        least = max(words, default=min(LABEL, _width(head, setter)))
        found.append(max([least, *(_width(row[place], setter) for row in table.rows)]))
    return found


def _width(words: Words, setter: Setter) -> float:
    return sum(_word_width(word, setter) for word in words)


def _word_width(word: Any, setter: Setter) -> float:
    if not isinstance(word, Formula):
        return text_width(word if isinstance(word, str) else word.text)
    relations = sum(1.4 for side in word.sides if side.relation)
    return relations + sum(measure(typeset(side.expr, setter.symbols)).width for side in word.sides)


def rows(table: Table, setter: Setter, room: Sequence[float] = ()) -> Iterator[Line]:
    """The rows of a table; formulas may break where they are wider than the room of their column."""
    numeric = table.kind not in ("quantities", "derivation", "matrix")
    room = room or [PHONE_LINE] * len(table.align)
    places = [_places(table, column) if letter == "d" else 0 for column, letter in enumerate(table.align)]
    names = ["th" if numeric and not column else "td" for column in range(len(table.align))]
    for at, row in enumerate(table.rows):
        columns = zip(row, names, table.align, places, room, strict=True)
        cells = tuple(_cell(*column, setter) for column in columns)
        last = table.total and at == len(table.rows) - 1
        yield Line(Markup(' class="total"' if last else ""), cells)


def _places(table: Table, column: int) -> int:
    numbers = [lone_number(row[column]) for row in table.rows]
    return max((_decimals(n.text) for n in numbers if n is not None), default=0)


def _decimals(text: str) -> int:
    return 0 if "e" in text else len(text.partition(".")[2])


def _cell(words: Words, name: str, letter: str, places: int, room: float, setter: Setter) -> Cell:
    number = lone_number(words) if letter == "d" else None
    signed = any(isinstance(word, Formula) and word.sides[0].relation for word in words)
    attributes = ' scope="row"' if name == "th" else ""
    if number is None or not number.text or "e" in number.text or signed:
        kind = ' class="d"' if letter in "dr" and name == "td" else ""
        return Cell(Markup(f"{name}{attributes}{kind}"), name, setter.words(words, room))
    digits = setter.symbols.marks.numeral(number.text.removeprefix("-"))
    sign = "−" if number.text.startswith("-") else ""
    missing = places - _decimals(number.text)
    point = " p" if missing and not _decimals(number.text) else ""
    kind = f' class="d{point}"' + (f' style="--p:{missing}"' if missing else "")
    return Cell(Markup(f"{name}{kind}"), name, Markup(f"{sign}{digits}"))
