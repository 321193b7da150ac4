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
from derivations.language.errors import CheckFailed
from derivations.numbers.float64 import nearest_float
from derivations.numbers.systems import EXACT, Value, ball

# --- Reading an .xlsx file back: the text, number or formula of every cell, and the named cells ---

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
LINK = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
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
    """The cells of a file; raises ValueError or KeyError for one that cannot be read."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as file:
            strings = list(_strings(file))
            book = ElementTree.fromstring(file.read("xl/workbook.xml"))
            targets = _targets(file)
            sheets = {
                sheet.attrib["name"]: dict(_cells(file.read(f"xl/{targets[sheet.attrib[LINK]]}"), strings))
                for sheet in book.iter(f"{MAIN}sheet")
            }
    except (zipfile.BadZipFile, ElementTree.ParseError) as fault:
        raise ValueError(f"not a workbook: {fault}") from None
    names = {name.attrib["name"]: name.text or "" for name in book.iter(f"{MAIN}definedName")}
    return ReadWorkbook(sheets, names)


def _targets(file: zipfile.ZipFile) -> dict[str, str]:
    relations = ElementTree.fromstring(file.read("xl/_rels/workbook.xml.rels"))
    return {relation.attrib["Id"]: relation.attrib["Target"] for relation in relations}


def _strings(file: zipfile.ZipFile) -> Iterator[str]:
    if "xl/sharedStrings.xml" in file.namelist():
        for item in ElementTree.fromstring(file.read("xl/sharedStrings.xml")):
            text = "".join(part.text or "" for part in item.iter(f"{MAIN}t"))
            yield ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)


def _cells(content: bytes, strings: list[str]) -> Iterator[tuple[str, Read]]:
    for cell in ElementTree.fromstring(content).iter(f"{MAIN}c"):
        value, formula = cell.find(f"{MAIN}v"), cell.find(f"{MAIN}f")
        text = value.text if value is not None else None
        if text is None:
            continue
        kind = cell.attrib.get("t", "n")
        if kind == "s":
            yield cell.attrib["r"], Read(strings[int(text)], None)
        elif kind == "n":
            shown = "" if formula is None else f"={formula.text or ''}"
            yield cell.attrib["r"], Read(None, float(text), shown)
        else:
            yield cell.attrib["r"], Read(text, None)


Known: TypeAlias = Mapping[Place | str, Value]

ROUNDED = 1e-14  # what long constants lose that a formula holds with the digits of float64


def audit(content: bytes, book: Workbook) -> None:
    """Every cell as planned, every formula worked again.

    A formula is worked exactly, over the run's own values of the cells that it reads, and must give the
    run's value of its cell. Raises `CheckFailed` at the first cell that is not as verified.
    """
    try:
        read = read_workbook(content)
    except (ValueError, KeyError, IndexError) as fault:
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
        return [known[text]] if text in known else [known[place] for place in cells_of(text, where.sheet)]

    try:
        found = worked(formula, cells, EXACT)
    except (KeyError, ValueError, IndexError) as fault:
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
