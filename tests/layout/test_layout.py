"""How pages lie on paper, on slides and on a phone: nothing alone, nothing too small, nothing thin."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from itertools import groupby, pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from derivations.document.blocks import Display, Heading, Prose, Table, Words
from derivations.document.signposts import WALL
from derivations.formats.latex.write import ARTICLE as LATEX
from derivations.formats.pdf.glyphs import read
from derivations.formats.pdf.source import LINE
from derivations.language.errors import CheckFailed
from derivations.language.tree import Number, Ref
from derivations.layout.frames import frames
from derivations.layout.paper import on_paper, row_parts
from derivations.layout.pieces import LEAD, Slide, merged_words, single_words
from derivations.layout.widths import FLOOR, Sheet, chain_width, sheets, side_by_side, turned, words_height
from derivations.notation.breaking import ARTICLE, lines
from derivations.notation.chain import Formula, formula
from derivations.notation.symbols import Symbols
from derivations.numbers.systems import precision
from derivations.page import Page
from tests.browser import BEYOND, OVERLAP, chromium, opened
from tests.built import GALLERY, page

SYMBOLS = Symbols({}, "L", None)
STRESS = sorted((Path(__file__).parents[1] / "stress").glob("*.toml"))
PAGES = [*GALLERY, *(pytest.param(path, marks=pytest.mark.slow, id=path.stem) for path in STRESS)]
FEW = ("linear-regression", "rnn-two-steps", "attention")


# --- tables -------------------------------------------------------------------------------------------


def table_of(rows: int, columns: int) -> Table:
    header = (("step",), *((formula(Ref(f"quantity_{k}")),) for k in range(columns)))
    body = tuple(
        ((str(at),), *((formula(Number(Fraction(k, 8) + at, f"{at}.{k:06}")),) for k in range(columns)))
        for at in range(rows)
    )
    return Table("summary", "r" + "d" * columns, header, body)


@given(st.integers(1, 12), st.integers(1, 30))
def test_the_sheets_of_a_table_hold_all_of_it(rows: int, columns: int) -> None:
    table = table_of(rows, columns)
    found = sheets(table, SYMBOLS, ARTICLE, turns=True)
    if found[0].turned:
        assert len(found) == 1
        whole = turned(found[0].table)
    else:
        whole = side_by_side([sheet.table for sheet in found])
    assert (whole.header, whole.rows) == (table.header, table.rows)


def test_a_table_of_few_rows_that_does_not_fit_is_turned() -> None:
    assert [sheet.turned for sheet in sheets(table_of(2, 12), SYMBOLS, ARTICLE, turns=True)] == [True]
    assert not any(sheet.turned for sheet in sheets(table_of(2, 3), SYMBOLS, ARTICLE, turns=True))
    assert not any(sheet.turned for sheet in sheets(table_of(12, 12), SYMBOLS, ARTICLE, turns=True))


def require(text: str, shown: Page) -> None:
    with precision(shown.trace.bits):
        LATEX.check(text, shown.press)


def test_a_turned_table_is_read_back_digit_by_digit() -> None:
    shown = page("rnn-two-steps")
    text = shown["tex"]
    start = text.index("% turned\n")
    stop = text.index("\\bottomrule", start)
    require(text, shown)
    places = [found.start() for found in re.finditer(r"\d(?=\d*\$)", text[start:stop])]
    assert len(places) > 5
    for at in places[:: max(1, len(places) // 6)]:
        here = start + at
        other = text[:here] + str((int(text[here]) + 1) % 10) + text[here + 1 :]
        with pytest.raises(CheckFailed):
            require(other, shown)
    with pytest.raises(CheckFailed):  # rows for columns
        require(text.replace("% turned\n", "", 1), shown)


@given(st.lists(st.integers(1, 12), min_size=2, max_size=60), st.floats(5, 20))
def test_a_row_that_is_too_high_goes_on_in_further_rows(words: list[int], most: float) -> None:
    cell: Words = (" ".join("x" * length for length in words),)
    table = Table("quantities", "ll", (("node",), ("slopes",)), (((("a"),), cell),))
    parts = row_parts(table.rows[0], Sheet(table, (None, 12.0)), SYMBOLS, most)
    joined = merged_words(tuple(word for part in parts for word in (" ", *part[1]))[1:])
    assert joined == cell
    assert [part[0] for part in parts] == [("a",), *[()] * (len(parts) - 1)]
    for part in parts:
        single = len(list(single_words(part[1]))) == 1
        assert single or words_height(part[1], SYMBOLS, 12.0) <= most


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("width", [ARTICLE, LINE])
def test_no_formula_of_a_table_is_set_too_small(name: str, width: float) -> None:
    press = page(name).press
    for sheet in on_paper(press.document, press.symbols, width).held.values():
        for row in sheet.table.rows:
            for cell, room in zip(row, sheet.widths, strict=True):
                for word in cell:
                    if room and isinstance(word, Formula) and chain_width(word, press.symbols) > room:
                        found = lines(word.sides, press.symbols, room)
                        widest = max(line.size.width for line in found)
                        assert sheet.scale * min(1, room / widest) >= FLOOR - 0.01


# --- pages of the PDF ---------------------------------------------------------------------------------


def feet(file: bytes) -> Iterator[tuple[str, float]]:
    """The last line of every page but the last, and the white below it as a share of the page."""
    glyphs = [glyph for glyph in read(file).glyphs if not glyph.artifact]
    pages = [list(own) for _, own in groupby(glyphs, key=lambda glyph: glyph.page)]
    for own in pages[:-1]:
        foot = min(glyph.height for glyph in own)
        yield "".join(g.letter for g in own if g.height < foot + 2), (foot - 60) / 842


@pytest.mark.few(1)
@pytest.mark.parametrize("name", GALLERY)
def test_no_page_ends_with_a_heading_or_what_introduces_the_next(name: str) -> None:
    shown = page(name)
    heads = {
        "".join(word for word in block.words if isinstance(word, str)).replace(" ", "")
        for block in shown.press.document.blocks
        if isinstance(block, Heading)
    }
    for line, white in feet(shown.file("pdf")):
        assert not line.endswith(":"), line
        assert line not in heads
        assert white < 0.45


def test_linear_regression_has_five_full_pages() -> None:
    found = list(feet(page("linear-regression").file("pdf")))
    assert len(found) == 4
    assert all(white < 1 / 3 for _, white in found)


# --- heads and slides ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", GALLERY)
def test_a_long_step_has_heads_and_a_short_one_has_none(name: str) -> None:
    blocks = page(name).press.document.blocks
    starts = [at for at, block in enumerate(blocks) if isinstance(block, Heading) and block.level == 2]
    for start, stop in pairwise([*starts, len(blocks)]):
        if blocks[start].part == "steps":  # type: ignore[union-attr]
            inside = blocks[start + 1 : stop]
            heads = [block for block in inside if isinstance(block, Heading)]
            assert bool(heads) == (sum(isinstance(block, Display) for block in inside) > WALL)


@pytest.mark.parametrize("name", ["linear-regression", "logistic-regression", "newton"])
def test_a_sentence_stands_on_the_frame_of_its_figure(name: str) -> None:
    press = page(name).press
    slide = Slide()
    for frame, after in pairwise(frames(press.document, press.symbols, slide)):
        if [type(piece.block).__name__ for piece in after.pieces] == ["Figure"]:
            lead = frame.pieces[-1].block
            assert isinstance(lead, Prose)
            assert words_height(lead.words, press.symbols, slide.width) > LEAD


def test_short_chains_on_one_thought_share_a_frame() -> None:
    press = page("attention").press
    found = frames(press.document, press.symbols, Slide())
    counts = [sum(isinstance(piece.block, Display) for piece in frame.pieces) for frame in found]
    assert sum(count > 1 for count in counts) > sum(count == 1 for count in counts)


@pytest.mark.parametrize("name", FEW)
def test_prose_and_formulas_of_all_frames_are_those_of_the_document(name: str) -> None:
    press = page(name).press
    found = frames(press.document, press.symbols, Slide())
    shown = sum(isinstance(p.block, Display) and not p.continues for frame in found for p in frame.pieces)
    assert shown == sum(isinstance(block, Display) for block in press.document.blocks)
    assert any(isinstance(p.block, Prose) for frame in found for p in frame.pieces)


# --- a phone ------------------------------------------------------------------------------------------

BROKEN = """() => [...document.querySelectorAll("td.d")].filter(cell => {
  const range = document.createRange();
  range.selectNodeContents(cell);
  const tops = [...range.getClientRects()].filter(box => box.width).map(box => Math.round(box.top));
  return !cell.querySelector("math") && Math.max(...tops) - Math.min(...tops) > 3;
}).map(cell => cell.textContent)"""


@pytest.mark.slow
@pytest.mark.debian("chromium")
@pytest.mark.xdist_group("browser")
def test_no_number_is_broken_on_a_phone(tmp_path: Path) -> None:
    with chromium() as browser:
        for name in FEW:
            path = tmp_path / f"{name}.html"
            path.write_text(page(name)["html"], encoding="utf-8")
            for width in (320, 360, 390):
                with opened(browser, path, width) as shown:
                    assert shown.evaluate(BROKEN) == [], (name, width)
                    assert shown.evaluate(BEYOND, "main, main *") == [], (name, width)
                    assert shown.evaluate(OVERLAP) == [], (name, width)
