"""The author's names of entries and letters of indices in the spreadsheet."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import openpyxl
import pytest

from derivations.formats.press import printer
from derivations.language.errors import CheckFailed
from derivations.page import Page, build
from tests import built

SPEC = """
title = "Names"
[model]
equations = \"\"\"
z[i, k] = sum(W[k, j]*x[i, j], j) + b[k]
yhat[i] = sum(z[i, k], k)
L = mean((yhat[i] - y[i])**2, i)
\"\"\"
[data]
x = [[1, 2], [0, 1], [3, -1]]
y = [1, 2, 3]
[parameters]
W = [[1, 0.5], [-1, 2]]
b = [0.5, -1]
[training]
optimizer = { name = "SGD", lr = 0.1 }
[page.names]
"b[2]" = "bias_2"
"x[i, 1]" = "size"
"z[i, 2]" = "net_h2"
"W[2, 1]" = "w21"
[page.notation]
symbols = { i = "s", k = "u" }
"""


def cells(page: Page) -> dict[str, list[list[Any]]]:
    """The cells of every sheet that hold something, row by row."""
    book = openpyxl.load_workbook(io.BytesIO(page.file("xlsx")))
    return {
        sheet.title: [[cell for cell in row if cell is not None] for row in sheet.iter_rows(values_only=True)]
        for sheet in book
    }


def test_entries_stand_by_the_names_of_the_author() -> None:
    found = cells(built.page("two-two-two-network"))
    inputs, steps = found["Inputs"], found["Steps"]
    assert [row for row in inputs if row and str(row[0]).startswith("w")] == [
        [f"w{place}", value] for place, value in enumerate((0.2, 0.4, -0.6, 0.1, 0.5, -0.3, 0.8, 0.2), 1)
    ]
    heads = {row[0] for row in steps if row}
    assert {f"w{place}{mark}" for place in range(1, 9) for mark in ("", "'")} <= heads
    assert {f"dE/dw{place}" for place in range(1, 9)} <= heads
    assert not any(str(head).startswith("W[") for head in heads)


def test_heads_of_columns_have_names_and_letters() -> None:
    made = build(SPEC, ("xlsx",))
    found = cells(made)
    words = {cell for rows in found.values() for row in rows for cell in row if isinstance(cell, str)}
    assert {"s", "size[s]", "x[s, 2]", "z[s, 1]", "net_h2[s]", "bias_2", "w21", "W[1, 1]"} <= words
    assert {"dL/dbias_2", "bias_2'", "dL/dw21", "w21'", "dL/dnet_h2[s]"} <= words
    assert "z[s, u] = sum(W[u, j]*x[s, j], j) + b[u]" in words
    assert not any("[i" in word or "k = " in word or "z[i, 2]" in word for word in words)
    assert made["csv"] == build(SPEC.partition("[page.notation]")[0], ("csv",))["csv"]


@pytest.mark.parametrize(
    ("old", "new"), [("w21<", "w22<"), ("net_h2[s]<", "net_h1[s]<"), ("bias_2<", "bias_1<")]
)
def test_another_name_is_noticed(old: str, new: str) -> None:
    made = build(SPEC, ("xlsx",))
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(made.file("xlsx"))) as file, zipfile.ZipFile(stream, "w") as other:
        for name in file.namelist():
            content = file.read(name)
            if name == "xl/sharedStrings.xml":
                assert old.encode() in content
                content = content.replace(old.encode(), new.encode())
            other.writestr(name, content)
    printer("xlsx").check(made.file("xlsx"), made.press)
    with pytest.raises(CheckFailed):
        printer("xlsx").check(stream.getvalue(), made.press)
