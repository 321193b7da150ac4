"""The spreadsheet: its formulas mean what the programs mean, and LibreOffice works them alike."""

from __future__ import annotations

import io
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import openpyxl
import pytest

from derivations.examples.arrays import Array
from derivations.examples.example import Example, prepare
from derivations.examples.gallery import names, path
from derivations.examples.spec import read_spec
from derivations.examples.training import Trace, certified, train
from derivations.language.errors import ArithmeticFault
from derivations.notation.cells import Place, address
from derivations.numbers.float64 import nearest_float
from derivations.pages import spreadsheet
from derivations.pages.sheet_book import workbook
from derivations.pages.workbook import Input, Text, Workbook


def run_of(example: Example) -> Trace:
    return certified(lambda bits: train(example, bits))


def example_of(name: str) -> Example:
    return prepare(*read_spec(path(name)))


def press_of(trace: Trace) -> Any:
    """As much of a press as the format reads, without the witnesses of the whole page."""
    return SimpleNamespace(run=SimpleNamespace(trace=trace), document=SimpleNamespace(language="en"))


def changed(example: Example, part: Fraction) -> Example:
    """The same programs over other numbers: data that are no indices, start values, learning rate."""

    def other(array: Array, place: int) -> Array:
        moved = (value * (1 + part) + part / (2 + place) for value in array.entries)
        return Array(array.shape, tuple(moved))

    data = {
        name: array if name in example.lookups else other(array, place)
        for place, (name, array) in enumerate(example.data.items())
    }
    start = {name: other(array, 3 + place) for place, (name, array) in enumerate(example.start.items())}
    groups = tuple(
        replace(
            group,
            values={key: v * (1 - part) if key.startswith("lr") else v for key, v in group.values.items()},
        )
        for group in example.rule.groups
    )
    return replace(example, data=data, start=start, rule=replace(example.rule, groups=groups))


def runnable(example: Example) -> tuple[Example, Trace]:
    """An example over changed numbers that has a run: small changes where large ones leave the domain."""
    for part in (Fraction(1, 8), Fraction(-1, 16), Fraction(1, 128)):
        found = changed(example, part)
        try:
            return found, run_of(found)
        except ArithmeticFault:
            continue
    raise AssertionError("no change has a run")


@dataclass(frozen=True)
class Case:
    name: str
    book: Workbook
    file: Path


def numbers_of(book: Workbook) -> Iterator[tuple[str, str, float]]:
    """Sheet, address and value of every number of a workbook."""
    for sheet in book.sheets:
        for (row, column), cell in sheet.cells.items():
            if not isinstance(cell, Text):
                where = address(Place(sheet.name, row, column), sheet.name)
                yield sheet.name, where, nearest_float(cell.value)


@pytest.mark.debian("soffice")
def test_libreoffice_finds_every_number_of_the_gallery_with_other_inputs(tmp_path: Path) -> None:
    """Inputs are changed in the file, what was kept is dropped, LibreOffice recalculates, our run decides."""
    cases = list(changed_files(tmp_path))
    recalculate(tmp_path, [case.file for case in cases])
    wrong: dict[str, Any] = {}
    for case in cases:
        read = openpyxl.load_workbook(tmp_path / "done" / case.file.name, data_only=True)
        wanted = list(numbers_of(case.book))
        for sheet, where, value in wanted:
            found = read[sheet][where].value
            if not isinstance(found, (int, float)) or not close(float(found), value):
                wrong[f"{case.name} {sheet}!{where}"] = (found, value)
    assert len(cases) == len(names())
    assert wrong == {}


def changed_files(folder: Path) -> Iterator[Case]:
    for name in names():
        example = example_of(name)
        content = spreadsheet.write(press_of(run_of(example)))
        _, other = runnable(example)
        book = workbook(other)
        file = openpyxl.load_workbook(io.BytesIO(content))
        inputs = book.sheets[0]
        for (row, column), cell in inputs.cells.items():
            if isinstance(cell, Input):
                where = address(Place(inputs.name, row, column), inputs.name)
                file[inputs.name][where] = nearest_float(cell.value)
        file.save(folder / f"{name}.xlsx")  # openpyxl keeps formulas only, so that nothing is known yet
        yield Case(name, book, folder / f"{name}.xlsx")


def recalculate(folder: Path, files: list[Path]) -> None:
    options = ["--headless", f"-env:UserInstallation={(folder / 'profile').as_uri()}"]
    call = ["soffice", *options, "--convert-to", "xlsx", "--outdir", str(folder / "done"), *map(str, files)]
    subprocess.run(call, check=True, capture_output=True, timeout=600)


def close(found: float, wanted: float) -> bool:
    return abs(found - wanted) <= 1e-9 * max(abs(wanted), 1e-3)
