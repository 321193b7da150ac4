"""The LaTeX formats: an article that compiles by itself with pdflatex, and a fragment for \\input."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from markupsafe import Markup

from derivations.document.blocks import Document
from derivations.formats.latex import setting as latex_set
from derivations.formats.latex.held import hold_latex
from derivations.formats.latex.read import read_latex
from derivations.formats.latex.setting import PAGE, Setter
from derivations.formats.latex.text import LANGUAGE, escape
from derivations.formats.press import Press, Printer, audited
from derivations.formats.render import render
from derivations.layout.paper import pairs, row_parts, sticking
from derivations.layout.widths import Sheet, row_heights
from derivations.notation.breaking import ARTICLE as A4

SECTIONS = {1: r"\section*", 2: r"\subsection*", 3: r"\subsubsection*"}
NARROW = 32.5  # em on a line of the article class as it is


ROW = 45.0  # em of a row of a table; what is higher goes on in a further row
LEFT = Markup("\n\n" r"\par\noindent\begin{minipage}[t]{0.48\linewidth}" "\n")
RIGHT = Markup("\n" r"\hfill\begin{minipage}[t]{0.48\linewidth}" "\n")
END = Markup("\n\\end{minipage}")


def filters(setter: Setter, document: Document) -> Mapping[str, Callable[..., Any]]:
    """What the templates of LaTeX call."""
    symbols, beside = setter.symbols, pairs(document.blocks)
    stuck = sticking(document.blocks)
    before = {id(run[0]): mark for both in beside for run, mark in zip(both, (LEFT, RIGHT), strict=True)}
    after = {
        id(run[-1]): mark for both in beside for run, mark in zip(both, (END, END + "\\par"), strict=True)
    }
    return {
        **LANGUAGE,
        "figure": lambda figure: latex_set.figure_latex(figure, symbols),
        "words": setter.words,
        "display": setter.display,
        "sheets": setter.sheets,
        "breaks": lambda sheet: _breaks(sheet, setter),
        "table_start": latex_set.start,
        "table_end": latex_set.end,
        "header_row": setter.header,
        "row": setter.row,
        "parts": lambda row, sheet: row_parts(row, sheet, symbols, ROW),
        "before": lambda block: before.get(id(block), Markup("\n\n")),
        "after": lambda block: after.get(id(block), ""),
        "stands_beside": lambda block: id(block) in before,
        "loose": lambda block: setter.loose(block.words),
        "sticks": lambda block: id(block) in stuck,
        "sectioning": lambda level: Markup(SECTIONS[level]),
        "verbatim": lambda text: Markup(text.rstrip("\n").replace("\\end{lstlisting}", "")),
    }


def _breaks(sheet: Sheet, setter: Setter) -> bool:
    return sum(row_heights(sheet, setter.symbols)) > PAGE


def _printer(template: str, width: float) -> Printer:
    def write(press: Press) -> str:
        return render(press.document, template, escape, filters(Setter(press.symbols, width), press.document))

    def check(page: str, press: Press) -> None:
        hold_latex(page, press, write)
        audited(read_latex, escape, latex_set.check_figure)(page, press)

    return Printer(write, check)


ARTICLE = _printer("latex/page.tex.j2", A4)
FRAGMENT = _printer("latex/fragment.tex.j2", NARROW)
