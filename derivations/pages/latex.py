"""The LaTeX formats: an article that compiles by itself with pdflatex, and a fragment for \\input."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from markupsafe import Markup

from derivations.notation.breaking import ARTICLE as A4
from derivations.pages import latex_set
from derivations.pages.finished_latex import read_latex
from derivations.pages.latex_set import PAGE, Setter
from derivations.pages.latex_text import escape
from derivations.pages.press import Press, Printer, audited
from derivations.pages.render import render
from derivations.pages.sheets import Sheet, row_heights

SECTIONS = {1: r"\section*", 2: r"\subsection*", 3: r"\subsubsection*"}
NARROW = 32.5  # em on a line of the article class as it is


def filters(setter: Setter) -> Mapping[str, Callable[..., Any]]:
    """What the templates of LaTeX call."""
    symbols = setter.symbols
    return {
        "figure": lambda figure: latex_set.figure_latex(figure, symbols),
        "words": setter.words,
        "display": setter.display,
        "sheets": setter.sheets,
        "breaks": lambda sheet: _breaks(sheet, setter),
        "table_start": latex_set.start,
        "table_end": latex_set.end,
        "header_row": setter.header,
        "row": setter.row,
        "sectioning": lambda level: Markup(SECTIONS[level]),
        "verbatim": lambda text: Markup(text.rstrip("\n").replace("\\end{lstlisting}", "")),
    }


def _breaks(sheet: Sheet, setter: Setter) -> bool:
    return sum(row_heights(sheet, setter.symbols)) > PAGE


def _printer(template: str, width: float) -> Printer:
    def write(press: Press) -> str:
        return render(press.document, template, escape, filters(Setter(press.symbols, width)))

    return Printer(write, audited(read_latex, escape, latex_set.check_figure))


ARTICLE = _printer("latex/page.tex.j2", A4)
FRAGMENT = _printer("latex/fragment.tex.j2", NARROW)
