"""Line breaking: every formula of the gallery at three widths, nothing lost, nothing too wide."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from derivations.document.blocks import Display, Table
from derivations.notation.breaking import ARTICLE, PHONE, SLIDE, Line, lines
from derivations.notation.chain import Formula
from derivations.notation.latex import latex_of
from derivations.notation.measure import Size, measure_row
from derivations.notation.read import chain
from derivations.notation.symbols import Symbols
from derivations.spec import gallery
from tests.built import GALLERY, page

WIDTHS = (ARTICLE, SLIDE, PHONE)
CELLS = (14.0, 9.0, 3.0)  # columns of tables, and one in which hardly anything fits


@cache
def formulas(name: str) -> tuple[tuple[Formula, ...], Symbols]:
    """The formulas of a page, displayed or in a table, and the page's symbols."""
    press = page(name).press
    found: list[Formula] = []
    for block in press.document.blocks:
        if isinstance(block, Display):
            found.append(block.formula)
        if isinstance(block, Table):
            cells = (cell for row in (block.header, *block.rows) for cell in row)
            found += [word for cell in cells for word in cell if isinstance(word, Formula)]
    return tuple(dict.fromkeys(found)), press.symbols


def source(broken: tuple[Line, ...]) -> str:
    return " ".join(latex_of(box) for line in broken for box in (*line.before, *line.parts))


def cases(
    name: str, widths: tuple[float, ...] = WIDTHS
) -> Iterator[tuple[Formula, float, Symbols, tuple[Line, ...]]]:
    found, symbols = formulas(name)
    for formula in found:
        for width in widths:
            yield formula, width, symbols, lines(formula.sides, symbols, width)


@pytest.mark.few(2)
@pytest.mark.parametrize("name", GALLERY)
def test_lines_read_back_as_the_chain(name: str) -> None:
    for formula, _, symbols, broken in cases(name, (*WIDTHS, *CELLS)):
        (whole,) = lines(formula.sides, symbols, 1e9)
        assert chain(source(broken), symbols) == chain(source((whole,)), symbols)


@pytest.mark.parametrize("name", GALLERY)
def test_no_line_is_wider_than_asked_for(name: str) -> None:
    for _, width, _, broken in cases(name):
        for line in broken:
            assert line.size.width <= width, source(broken)


@pytest.mark.parametrize("name", GALLERY)
def test_roles_and_signs_agree(name: str) -> None:
    for formula, _, _, broken in cases(name):
        assert broken[0].role == ("relation" if formula.sides[0].relation else "head")
        for line in broken[1:]:
            first = line.parts[0]
            assert not line.before
            assert (getattr(first, "text", "") in ("=", "≈", "←")) == (line.role == "relation")


# --- the table of widths against TeX ------------------------------------------------------------------

MEASURED = r"""\documentclass[10pt]{article}
\usepackage[T1]{fontenc}
\usepackage{lmodern,amsmath,amssymb}
\newsavebox\measured
\def\size#1{\sbox\measured{$\displaystyle #1$}%
  \typeout{SIZE \the\wd\measured\space\the\ht\measured\space\the\dp\measured}}
\begin{document}
"""


def tex_sizes(sources: list[str], folder: Path) -> Iterator[tuple[float, float, float]]:
    """Width, height and depth of formulas in em, as pdflatex sets them."""
    lines = "\n".join(f"\\size{{{line}}}" for line in sources)
    (folder / "sizes.tex").write_text(f"{MEASURED}{lines}\n\\end{{document}}\n")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "sizes.tex"]
    run = subprocess.run(command, cwd=folder, capture_output=True, check=False, text=True)
    assert run.returncode == 0, run.stdout[-2000:]
    for found in re.findall(r"SIZE ([\d.]+)pt ([\d.]+)pt ([\d.]+)pt", run.stdout):
        width, above, below = (float(length) / 10.00002 for length in found)
        yield width, above, below


@pytest.mark.debian("pdflatex")
@pytest.mark.slow
def test_estimates_are_those_of_latex_or_a_little_more(tmp_path: Path) -> None:
    """Never smaller by more than 2 %, seldom much larger; heights alike, so that frames can be filled."""
    boxes: dict[str, Size] = {}
    for name in gallery.names():
        for _, _, _, broken in cases(name):
            for line in broken:
                run = (*line.before, *line.parts)
                boxes[" ".join(map(latex_of, run))] = measure_row(run)
    found = list(tex_sizes(list(boxes), tmp_path))
    assert len(found) == len(boxes)
    for (shown, own), (width, above, below) in zip(boxes.items(), found, strict=True):
        assert 0.98 * width - 0.02 <= own.width <= 1.1 * width + 0.6, (shown, own.width, width)
        assert 0.95 * above <= own.above <= above + 0.95, (shown, own.above, above)
        assert 0.95 * below - 0.2 <= own.below <= below + 0.95, (shown, own.below, below)
