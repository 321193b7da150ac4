"""Reading an .xlsx file back: the text, number or formula of every cell, and the named cells."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from xml.etree import ElementTree

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
