"""The HTML page as a browser has it: widths, contrast, the accessibility tree, numbers as they are shown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from derivations.document.blocks import Display, Table, Words
from derivations.notation.boxes import Numeral, walk
from derivations.notation.chain import Formula
from derivations.notation.spoken.speaker import spoken_chain
from derivations.notation.typeset import typeset
from derivations.page import Page
from derivations.spec import gallery
from tests.browser import BEYOND, OVERLAP, chromium, opened, violations
from tests.built import page

pytestmark = [pytest.mark.debian("chromium"), pytest.mark.xdist_group("browser")]
FEW = ["linear-regression", "lstm-step"]
PAIR = ["linear-regression", pytest.param("two-two-two-network", marks=pytest.mark.slow)]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as found:
        yield found


@pytest.fixture
def file(tmp_path: Path) -> Any:
    def write(name: str) -> Path:
        path = tmp_path / f"{name}.html"
        path.write_text(page(name)["html"], encoding="utf-8")
        return path

    return write


ALL = [pytest.param(name, marks=[] if name in FEW else pytest.mark.slow) for name in gallery.names()]


@pytest.mark.slow
@pytest.mark.parametrize("name", ALL)
def test_nothing_is_beyond_the_edge_of_a_screen(name: str, browser: Any, file: Any) -> None:
    path = file(name)
    for width in (320, 360, 390, 700, 1000, 1400):
        with opened(browser, path, width) as shown:
            assert shown.evaluate(BEYOND, "main, main *") == [], width
            assert shown.evaluate(OVERLAP) == [], width


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1000, pytest.param(1400, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", PAIR)
def test_axe_finds_nothing(name: str, width: int, scheme: str, browser: Any, file: Any) -> None:
    with opened(browser, file(name), width, color_scheme=scheme) as shown:
        assert violations(shown) == []
        shown.check("#swap")
        assert violations(shown) == []


@pytest.mark.slow
def test_the_switch_turns_the_colours_and_paper_is_white(browser: Any, file: Any) -> None:
    paper = "getComputedStyle(document.documentElement).backgroundColor"
    seen = {}
    for scheme in ("light", "dark"):
        with opened(browser, file("linear-regression"), color_scheme=scheme) as shown:
            before = shown.evaluate(paper)
            shown.check("#swap")
            seen[scheme] = before, shown.evaluate(paper)
            shown.emulate_media(media="print")
            assert sum(map(int, re.findall(r"\d+", shown.evaluate(paper)))) > 700
    assert seen["light"] == seen["dark"][::-1]
    assert seen["light"][0] != seen["light"][1]


@pytest.mark.slow
@pytest.mark.parametrize("name", PAIR)
def test_every_formula_has_a_spoken_name_in_the_accessibility_tree(
    name: str, browser: Any, file: Any
) -> None:
    for width in (360, 1000):
        with opened(browser, file(name), width) as shown:
            session = shown.context.new_cdp_session(shown)
            nodes = session.send("Accessibility.getFullAXTree")["nodes"]
            named = [node["name"]["value"] for node in nodes if _is_formula(node)]
            assert all(named)
            document = page(name).press.document
            for block in document.blocks:
                if isinstance(block, Display):
                    assert spoken_chain(block.formula.sides, page(name).press.symbols) in named
            assert "table" in {node["role"]["value"] for node in nodes}
            assert {"rowheader", "columnheader"} <= {node["role"]["value"] for node in nodes}


def _is_formula(node: dict[str, Any]) -> bool:
    return not node["ignored"] and node["role"]["value"] in ("math", "MathMLMath")


@pytest.mark.slow
def test_the_numbers_that_a_reader_sees_are_those_of_the_trace(browser: Any, file: Any) -> None:
    shown_page = page("linear-regression")
    with opened(browser, file("linear-regression")) as shown:
        rows = shown.evaluate(
            "[...[...document.querySelectorAll('table')].find(t => t.caption.innerText == 'All steps').rows]"
            ".map(row => [...row.cells].map(cell => cell.innerText.trim()))"
        )
        names = ["w", "b", "L", "dL/dw", "dL/db", "w'", "b'"]
        for row, step in zip(rows[1:], shown_page.trace.steps, strict=True):
            assert row[0] == str(step.number)
            for name, cell in zip(names, row[1:], strict=True):
                assert abs(float(cell.replace("−", "-")) - float(step[name])) < 5.1e-7
        displays = shown.evaluate("[...document.querySelectorAll('.display')].map(one => one.innerText)")
        blocks = [block for block in shown_page.press.document.blocks if isinstance(block, Display)]
        assert len(displays) == len(blocks)
        losses = [re.findall(r"[\d.]+", text)[-1] for text in displays if "254.25" in text]
        assert losses == ["127.125"]


def test_the_font_is_the_one_inside(browser: Any, file: Any) -> None:
    with opened(browser, file("linear-regression")) as shown:
        assert shown.evaluate("document.fonts.check('16px \"Derivations Math\"')")
        assert shown.evaluate("[...document.fonts].map(font => font.status)") == ["loaded"]


def test_a_printed_page_has_no_empty_page_and_fits_the_paper(browser: Any, file: Any) -> None:
    with opened(browser, file("linear-regression")) as shown:
        shown.emulate_media(media="print")
        shown.set_viewport_size({"width": 642, "height": 900})  # A4 less its margins
        assert shown.evaluate(BEYOND, "main *") == []
        pages = shown.pdf(prefer_css_page_size=True).count(b"/Type /Page\n")
    assert 3 <= pages <= 9


@pytest.mark.slow
def test_a_formula_is_broken_only_where_it_does_not_fit(browser: Any, file: Any) -> None:
    rows = """[...document.querySelectorAll(".display .g")].filter((group) => {
      const boxes = [...group.children].map((one) => one.getBoundingClientRect());
      const width = boxes.reduce((sum, box) => sum + box.width, 0);
      return boxes.at(-1).top > boxes[0].bottom - 5 && width < 500;
    }).length"""
    with opened(browser, file("linear-regression"), 1000) as shown:
        assert shown.evaluate(rows) == 0
    with opened(browser, file("linear-regression"), 240) as shown:
        assert shown.evaluate(rows) > 0


NUMBERS = r"""() => [...document.querySelectorAll("main .display, main td, main tbody th")].map((place) => {
  const seen = [...place.querySelectorAll("mn")].filter((one) => one.getClientRects().length);
  if (place.querySelector("math")) return seen.map((one) => one.textContent);
  return place.getClientRects().length ? place.innerText.match(/\d[\d.,]*\d|\d/g) ?? [] : [];
})"""


def numerals(formula: Formula, shown: Page) -> list[str]:
    """The numbers of a formula in the order in which they are printed."""
    boxes = (typeset(side.expr, shown.press.symbols) for side in formula.sides)
    marks = shown.press.symbols.marks
    return [marks.numeral(box.text) for whole in boxes for box in walk(whole) if isinstance(box, Numeral)]


def in_cell(words: Words, shown: Page) -> list[str]:
    """The numbers of a cell: those of its formulas, or of its text."""
    formulas = [word for word in words if isinstance(word, Formula)]
    if formulas:
        return [number for formula in formulas for number in numerals(formula, shown)]
    return re.findall(r"\d[\d.,]*\d|\d", "".join(word for word in words if isinstance(word, str)))


@pytest.mark.few(1)
@pytest.mark.parametrize("name", ALL)
def test_the_numbers_of_every_formula_are_seen_in_the_browser(name: str, browser: Any, file: Any) -> None:
    """Displays and cells, in their order; a cell may hold a number as text."""
    found = page(name)
    with opened(browser, file(name), java_script_enabled=False) as shown:
        seen = [place for place in shown.evaluate(NUMBERS) if place]
    wanted = []
    for block in found.press.document.blocks:
        if isinstance(block, Display):
            wanted.append(numerals(block.formula, found))
        elif isinstance(block, Table):
            wanted += [in_cell(cell, found) for row in block.rows for cell in row]
    assert sorted(map(sorted, seen)) == sorted(map(sorted, filter(None, wanted)))
