"""The xlsx format: a workbook whose cells are live formulas, each with the verified value beside it.

A viewer that does not recalculate shows the verified numbers; one that does gets them from the formulas,
which `check` works again from the finished file.
"""

from __future__ import annotations

import io
from datetime import datetime
from typing import Any

from derivations.formats.press import Press, Printer
from derivations.formats.spreadsheet.book import workbook
from derivations.formats.spreadsheet.cells import Place
from derivations.formats.spreadsheet.read import audit
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
from derivations.numbers.float64 import nearest_float

CREATED = datetime(2000, 1, 1)  # files say when they were made; ours do not
FIRST_WIDTH, WIDTH, LINE = 16, 13, 15
FORMS = {"plain": "General", "places": "0.000000", "power": "0.00000E+00"}
GREY, BLUE = "#595959", "#1F3864"
INPUT = {"bg_color": "#FFF2CC", "border": 1, "border_color": "#BF9000", "font_color": "#1F3FBF"}
STYLES: dict[str, dict[str, Any]] = {
    "text": {},
    "title": {"bold": True, "font_size": 16, "font_color": BLUE},
    "step": {"bold": True, "font_size": 14, "font_color": BLUE},
    "section": {"bold": True, "font_size": 12, "font_color": BLUE},
    "words": {"italic": True, "font_color": GREY},
    "beside": {"italic": True, "font_color": GREY, "indent": 1},
    "label": {"bold": True},
    "head": {"bold": True, "align": "right", "bottom": 1, "text_wrap": True, "valign": "bottom"},
    "head-left": {"bold": True, "bottom": 1, "valign": "bottom"},
    "index": {"align": "left"},
    "right": {"align": "right"},
    "link": {"font_color": "#0563C1", "underline": 1},
    "input": INPUT,
    "input-left": {**INPUT, "align": "left"},
    "number": {},
    "result": {"bold": True, "bg_color": "#E2EFDA"},
}


def write(press: Press) -> bytes:
    """The bytes of the workbook."""
    from xlsxwriter import Workbook as File  # not needed for other formats

    stream, book = io.BytesIO(), workbook(press.run.trace, press.document.language)
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    file = File(stream, options)
    file.set_properties({"title": Text(book.title).words, "created": CREATED})
    file.set_calc_mode("auto")
    _write(file, book)
    file.close()
    return stream.getvalue()


def _write(file: Any, book: Workbook) -> None:
    formats: dict[tuple[str, str], Any] = {}

    def style(name: str, form: str = "plain") -> Any:
        if (name, form) not in formats:
            formats[name, form] = file.add_format({**STYLES[name], "num_format": FORMS[form]})
        return formats[name, form]

    pages = {sheet.name: file.add_worksheet(sheet.name) for sheet in book.sheets}
    for sheet in book.sheets:
        _sheet(pages[sheet.name], sheet, style)
    for name, place in book.names.items():
        file.define_name(name, f"={fixed(place)}")
    for place in book.charted:
        pages[place.sheet].insert_chart(place.row, place.column, _chart(file, book))


def _sheet(page: Any, sheet: Sheet, style: Any) -> None:
    last = max(column for _, column in sheet.cells)
    page.set_column(0, 0, FIRST_WIDTH)
    page.set_column(1, max(last, 1), WIDTH)
    page.freeze_panes(*sheet.frozen)
    page.set_landscape()
    page.set_paper(9)
    page.fit_to_pages(1, 0)
    page.set_footer("&L&A&RPage &P of &N")
    page.set_h_pagebreaks(sheet.breaks[1:])
    page.hide_gridlines(2)
    for row, lines in sheet.heads.items():
        page.set_row(row, LINE * lines)
    for (row, column), cell in sheet.cells.items():
        _cell(page, row, column, cell, style)


def _cell(page: Any, row: int, column: int, cell: Cell, style: Any) -> None:
    match cell:
        case Text(words, name, None):
            page.write_string(row, column, words, style(name))
        case Text(words, name, Place() as place):
            page.write_url(row, column, f"internal:{fixed(place)}", style(name), words)
        case Input(value):
            text, name = literal(value), "input" if column else "input-left"
            if text.startswith("="):
                page.write_formula(row, column, text, style(name), nearest_float(value))
            else:
                page.write_number(row, column, float(text), style(name))
        case Formula(formula, value, name, form):
            page.write_formula(row, column, formula, style(name, form), nearest_float(value))


def _chart(file: Any, book: Workbook) -> Any:
    assert book.chart
    found = file.add_chart({"type": "line"})
    across, values = (
        [ends[0].sheet, ends[0].row, ends[0].column, ends[1].row, ends[1].column]
        for ends in (book.chart.labels, book.chart.values)
    )
    marker = {"type": "circle", "size": 5} if _is_few(values) else {"type": "none"}
    line = {"color": BLUE, "width": 2}
    cells = {"categories": across, "values": values}
    found.add_series({"name": book.chart.down, **cells, "marker": marker, "line": line})
    found.set_title({"name": book.chart.title, "name_font": {"size": 12}})
    found.set_legend({"none": True})
    found.set_x_axis({"name": book.chart.across})
    found.set_y_axis(
        {"name": book.chart.down, "major_gridlines": {"visible": True, "line": {"color": "#D9D9D9"}}}
    )
    return found


def _is_few(values: list[Any]) -> bool:
    return bool(values[3] - values[1] < 60)


def check(content: bytes, press: Press) -> None:
    """Read the finished file back, every cell; raises `CheckFailed`."""
    audit(content, workbook(press.run.trace, press.document.language))


PRINTER = Printer(write, check)
