"""Drawing quantities on a sheet: a number beside its name, a row, a matrix with its indices around it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeAlias

from derivations.formats.spreadsheet.cells import Place
from derivations.formats.spreadsheet.words import Wording
from derivations.formats.spreadsheet.workbook import Cell, Sheet, Text
from derivations.language.tree import Expr
from derivations.numbers.tape import Entry

At: TypeAlias = tuple[int, ...]

MOST_COLUMNS = 10  # of a table, so that it can be read on paper


def draw(
    sheet: Sheet,
    name: str,
    letters: Sequence[str],
    positions: Sequence[At],
    cell: Callable[[Entry], Cell],
    words: Wording,
    captions: Iterable[str] = (),
) -> dict[Entry, Place]:
    """Draw the entries of a quantity and move below them; where each entry stands.

    A number stands beside its name with its formula in words behind it, anything else below them: the
    last index runs to the right, the others down. Where entries of a matrix have names of their own, each
    stands beside its name.
    """
    if positions == [()]:
        sheet.put(0, Text(name, "label"))
        for caption in captions:
            sheet.put(2, Text(caption, "beside"))
        place = sheet.put(1, cell((name, ())))
        sheet.row += 1
        return {(name, ()): place}
    sheet.gap()
    for caption in captions:
        sheet.line(caption, "words")
    if len(positions[0]) > 1 and any(words.called((name, at)) for at in positions):
        return _list(sheet, [(name, at) for at in sorted(positions)], cell, words)
    return _grid(sheet, name, letters, positions, cell, words)


def _list(
    sheet: Sheet, entries: Sequence[Entry], cell: Callable[[Entry], Cell], words: Wording
) -> dict[Entry, Place]:
    found: dict[Entry, Place] = {}
    for entry in entries:
        sheet.put(0, Text(words.entry(entry), "label"))
        found[entry] = sheet.put(1, cell(entry))
        sheet.row += 1
    return found


def _grid(
    sheet: Sheet,
    name: str,
    letters: Sequence[str],
    positions: Sequence[At],
    cell: Callable[[Entry], Cell],
    words: Wording,
) -> dict[Entry, Place]:
    known = set(positions)
    columns = sorted({at[-1] for at in positions})
    rows = list(dict.fromkeys(at[:-1] for at in sorted(positions)))
    sheet.put(0, Text(_named(name, letters), "head-left"))
    for place, last in enumerate(columns, 1):
        own = words.called((name, (last,)))
        sheet.put(place, Text(own or f"{letters[-1]} = {last}", "head"))
    sheet.row += 1
    found: dict[Entry, Place] = {}
    for first in rows:
        sheet.put(0, Text(_row_label(name, letters, first), "label"))
        for place, last in enumerate(columns, 1):
            if (*first, last) in known:
                entry = name, (*first, last)
                found[entry] = sheet.put(place, cell(entry))
        sheet.row += 1
    return found


def _named(name: str, letters: Sequence[str]) -> str:
    return f"{name}[{', '.join(letters)}]"


def _row_label(name: str, letters: Sequence[str], first: At) -> str:
    if not first:
        return name
    return ", ".join(f"{letter} = {place}" for letter, place in zip(letters, first, strict=False))


def side_by_side(groups: list[list[Expr]]) -> Iterator[list[Expr]]:
    """Groups of columns as they share tables: as many as fit; a wide one stays whole, so that ranges do."""
    held: list[Expr] = []
    for group in groups:
        if held and len(held) + len(group) > MOST_COLUMNS:
            yield held
            held = []
        held = held + group
    if held:
        yield held
