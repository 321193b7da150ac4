"""Holding a finished workbook against the run: words, numbers, formulas, and what each formula gives."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias
from xml.etree import ElementTree

from flint import arb

from derivations.formats.spreadsheet.cells import Place, address, cells_of
from derivations.formats.spreadsheet.workbook import (
    Cell,
    Formula,
    Input,
    Sheet,
    Text,
    Workbook,
    fixed,
    literal,
)
from derivations.formats.spreadsheet.working import worked
from derivations.language.errors import CheckFailed, Mismatch
from derivations.numbers.float64 import nearest_float
from derivations.numbers.systems import EXACT, Value, ball

# --- Reading an .xlsx file back: the text, number or formula of every cell, and the named cells ---

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
LINK = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
NUMBER = re.compile(r"[+-]?\d+(\.\d*)?([Ee][+-]?\d+)?")
ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")


@dataclass(frozen=True, slots=True)
class Read:
    """A cell: its words, or the number that is kept for it, and its formula if it has one."""

    words: str | None
    number: float | None
    formula: str = ""


@dataclass(frozen=True)
class ReadWorkbook:
    """Cells by sheet and address, and where each name points."""

    sheets: Mapping[str, Mapping[str, Read]]
    names: Mapping[str, str]


def read_workbook(content: bytes) -> ReadWorkbook:
    """The cells of a file; raises `Mismatch` for one that cannot be read."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as file:
            parts = {name: file.read(name) for name in file.namelist()}
    except zipfile.BadZipFile as fault:
        raise Mismatch(f"not a workbook: {fault}") from None
    strings, targets = list(_strings(parts)), _targets(parts)
    book, sheets = _tree(parts, "xl/workbook.xml"), dict[str, Mapping[str, Read]]()
    for sheet in book.iter(f"{MAIN}sheet"):
        name, link = _attribute(sheet, "name"), _attribute(sheet, LINK)
        if link not in targets or name in sheets:
            raise Mismatch(f"there is no sheet of its own for {name}")
        sheets[name] = dict(_cells(_tree(parts, f"xl/{targets[link]}"), strings))
    names = {_attribute(name, "name"): name.text or "" for name in book.iter(f"{MAIN}definedName")}
    return ReadWorkbook(sheets, names)


def _tree(parts: Mapping[str, bytes], name: str) -> ElementTree.Element:
    """A part of the file as a tree of XML."""
    if name not in parts:
        raise Mismatch(f"there is no {name}")
    try:
        return ElementTree.fromstring(parts[name])
    except ElementTree.ParseError as fault:
        raise Mismatch(f"{name}: {fault}") from None


def _attribute(element: ElementTree.Element, name: str) -> str:
    found = element.get(name)
    if found is None:
        raise Mismatch(f"a <{element.tag.rpartition('}')[2]}> without {name.rpartition('}')[2]}")
    return found


def _targets(parts: Mapping[str, bytes]) -> dict[str, str]:
    relations = _tree(parts, "xl/_rels/workbook.xml.rels")
    return {_attribute(relation, "Id"): _attribute(relation, "Target") for relation in relations}


def _strings(parts: Mapping[str, bytes]) -> Iterator[str]:
    if "xl/sharedStrings.xml" in parts:
        for item in _tree(parts, "xl/sharedStrings.xml"):
            text = "".join(part.text or "" for part in item.iter(f"{MAIN}t"))
            yield ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)


def _cells(sheet: ElementTree.Element, strings: list[str]) -> Iterator[tuple[str, Read]]:
    for cell in sheet.iter(f"{MAIN}c"):
        value, formula = cell.find(f"{MAIN}v"), cell.find(f"{MAIN}f")
        text = value.text if value is not None else None
        if text is None:
            continue
        where, kind = _attribute(cell, "r"), cell.get("t", "n")
        if kind == "s":
            yield where, Read(_shared(text, strings), None)
        elif kind == "n":
            shown = "" if formula is None else f"={formula.text or ''}"
            yield where, Read(None, _number(text), shown)
        else:
            yield where, Read(text, None)


def _shared(text: str, strings: list[str]) -> str:
    """The words that a cell names by their place."""
    if not text.isdecimal() or int(text) >= len(strings):
        raise Mismatch(f"there are no words {text}")
    return strings[int(text)]


def _number(text: str) -> float:
    if not NUMBER.fullmatch(text):
        raise Mismatch(f"{text!r} is not a number")
    return float(text)


Known: TypeAlias = Mapping[Place | str, Value]

ROUNDED = 1e-14  # what long constants lose that a formula holds with the digits of float64


def audit(content: bytes, book: Workbook) -> None:
    """Every cell as planned, every formula worked again.

    A formula is worked exactly, over the run's own values of the cells that it reads, and must give the
    run's value of its cell. Raises `CheckFailed` at the first cell that is not as verified.
    """
    try:
        read = read_workbook(content)
    except Mismatch as fault:
        raise CheckFailed(f"the finished workbook does not read back: {fault}") from None
    _check_frame(read, book)
    known: dict[Place | str, Value] = dict(_values(book))
    known |= {name: known[place] for name, place in book.names.items()}
    for sheet in book.sheets:
        _check_sheet(sheet, read.sheets[sheet.name], known)


def _check_frame(read: ReadWorkbook, book: Workbook) -> None:
    names = {name: target.lstrip("=") for name, target in read.names.items()}
    if names != {name: fixed(place) for name, place in book.names.items()}:
        raise CheckFailed("the finished workbook names other cells")
    if list(read.sheets) != [sheet.name for sheet in book.sheets]:
        raise CheckFailed("the finished workbook has other sheets")


def _values(book: Workbook) -> Iterator[tuple[Place, Value]]:
    for sheet in book.sheets:
        for (row, column), cell in sheet.cells.items():
            if not isinstance(cell, Text):
                yield Place(sheet.name, row, column), cell.value


def _check_sheet(sheet: Sheet, read: Mapping[str, Read], known: Known) -> None:
    planned = {address(Place(sheet.name, *at), sheet.name): (at, cell) for at, cell in sheet.cells.items()}
    if set(read) != set(planned):
        raise CheckFailed(f"the sheet {sheet.name} of the finished workbook has other cells")
    for name, found in read.items():
        at, cell = planned[name]
        if not _is_as_planned(found, cell):
            raise CheckFailed(f"{sheet.name}!{name} of the finished workbook is not as verified: {found}")
        if found.formula:
            _check_formula(found.formula, Place(sheet.name, *at), known)


def _is_as_planned(found: Read, cell: Cell) -> bool:
    match cell:
        case Text(words):
            return found == Read(words, None)
        case Input(value):
            shown = literal(value)
            return found == Read(None, nearest_float(value), shown if shown.startswith("=") else "")
        case Formula(formula, value):
            return found == Read(None, nearest_float(value), formula)


def _check_formula(formula: str, where: Place, known: Known) -> None:
    def cells(text: str) -> list[Value]:
        places = [text] if text in known else cells_of(text, where.sheet)
        if unknown := next((place for place in places if place not in known), None):
            raise Mismatch(f"{unknown} has no number")
        return [known[place] for place in places]

    try:
        found = worked(formula, cells, EXACT)
    except Mismatch as fault:
        raise CheckFailed(
            f"{fixed(where)} of the finished workbook: {formula} does not work: {fault}"
        ) from None
    if not _same(found, known[where]):
        raise CheckFailed(f"{fixed(where)} of the finished workbook is not what the run has: {formula}")


def _same(found: Value, wanted: Value) -> bool:
    if not isinstance(found, arb) and not isinstance(wanted, arb) and found == wanted:
        return True
    a, b = ball(found), ball(wanted)
    return bool(a.overlaps(b)) or bool(abs(a - b) <= ROUNDED * abs(b))
