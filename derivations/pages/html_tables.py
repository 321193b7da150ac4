"""Tables in HTML: which cells are headings, where decimals stand, and what a narrow screen makes of them.

On a phone a table that is too wide is turned: its headings stand on the left and its rows side by side, as
many as there is room for. The style sheet does it; what is written here is how many rows fit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from derivations.notation.measure import measure, text_width
from derivations.notation.typeset import typeset
from derivations.pages.blocks import Formula, Table, Words, lone_number, message
from derivations.pages.translate import text_of

PHONE, TURNED, GAP, LABEL = 21.0, 24.2, 0.8, 5.0
CAPTIONS = {
    "data": message("The data"),
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


def form(table: Table, setter: Any) -> Form:
    """How a table is written."""
    rows = tuple(_rows(table, setter))
    caption = text_of(CAPTIONS.get(table.kind, OTHER), setter.language)
    if table.kind == "derivation":
        return Form("table large lines", caption, (rows,), False)
    if table.kind == "checks":
        return Form("table checks", caption, (rows,), False)
    large = " large" if table.kind in ("quantities", "matrix") else ""
    widths = _column_widths(table, setter)
    if sum(widths) + GAP * len(widths) <= PHONE and not large:
        return Form("table", caption, (rows,), False)
    count = 1 if large else _beside(table, setter, widths)
    chunks = tuple(rows[at : at + count] for at in range(0, len(rows), count))
    kind = "table turn" if len(chunks) == 1 else "table turn cut"
    return Form(kind + large, caption, chunks, len(chunks) > 1)


def _beside(table: Table, setter: Any, widths: list[float]) -> int:
    """How many rows fit side by side once the table is turned."""
    label = min(LABEL, max(_width(cell, setter) for cell in table.header))
    return max(1, int((TURNED - label - GAP) // (max(_cell_widths(table, setter)) + GAP)))


def _cell_widths(table: Table, setter: Any) -> Iterator[float]:
    return (_width(cell, setter) for row in table.rows for cell in row)


def _column_widths(table: Table, setter: Any) -> list[float]:
    found = []
    for place, head in enumerate(table.header):
        words = [text_width(word) for part in head if isinstance(part, str) for word in part.split()]
        least = max(words, default=min(LABEL, _width(head, setter)))
        found.append(max([least, *(_width(row[place], setter) for row in table.rows)]))
    return found


def _width(words: Words, setter: Any) -> float:
    return sum(_word_width(word, setter) for word in words)


def _word_width(word: Any, setter: Any) -> float:
    if not isinstance(word, Formula):
        return text_width(word if isinstance(word, str) else word.text)
    relations = sum(1.4 for side in word.sides if side.relation)
    return relations + sum(measure(typeset(side.expr, setter.symbols)).width for side in word.sides)


def _rows(table: Table, setter: Any) -> Iterator[Line]:
    numeric = table.kind not in ("quantities", "derivation", "matrix")
    places = [_places(table, column) if letter == "d" else None for column, letter in enumerate(table.align)]
    for at, row in enumerate(table.rows):
        last = table.total and at == len(table.rows) - 1
        cells = tuple(
            _cell(
                words, "th" if numeric and not column else "td", table.align[column], places[column], setter
            )
            for column, words in enumerate(row)
        )
        yield Line(Markup(' class="total"' if last else ""), cells)


def _places(table: Table, column: int) -> int:
    numbers = [lone_number(row[column]) for row in table.rows]
    return max((_decimals(n.text) for n in numbers if n is not None), default=0)


def _decimals(text: str) -> int:
    return 0 if "e" in text else len(text.partition(".")[2])


def _cell(words: Words, name: str, letter: str, places: int | None, setter: Any) -> Cell:
    number = lone_number(words) if letter == "d" else None
    signed = any(isinstance(word, Formula) and word.sides[0].relation for word in words)
    attributes = ' scope="row"' if name == "th" else ""
    if number is None or not number.text or "e" in number.text or signed:
        kind = ' class="d"' if letter in "dr" and name == "td" else ""
        return Cell(Markup(f"{name}{attributes}{kind}"), name, setter.words(words))
    digits = setter.symbols.marks.numeral(number.text.removeprefix("-"))
    sign = "−" if number.text.startswith("-") else ""
    missing = (places or 0) - _decimals(number.text)
    point = " p" if missing and not _decimals(number.text) else ""
    kind = f' class="d{point}"' + (f' style="--p:{missing}"' if missing else "")
    return Cell(Markup(f"{name}{kind}"), name, Markup(f"{sign}{digits}"))
