"""Formulas, sentences, tables and figures of a document as LaTeX, for the article and for Beamer alike.

Lines come from `derivations.notation.breaking`, tables fitted to the width from `derivations.layout.widths`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from markupsafe import Markup

from derivations.audit.items import Item
from derivations.document.blocks import Code, Figure, Inline, Table, Words, lone_number
from derivations.figures.tikz import check_tikz, tikz_of
from derivations.formats.latex.text import escape
from derivations.formats.press import Press
from derivations.layout.widths import LARGE, Sheet, chain_width, head_width, sheets
from derivations.notation.boxes import Box
from derivations.notation.breaking import Line, lines
from derivations.notation.chain import Formula
from derivations.notation.latex import latex_of
from derivations.notation.locales import Marks
from derivations.notation.symbols import Symbols
from derivations.notation.typeset import COMMA

MARKS = {"": "", "beside": "% further columns\n", "below": "% further rows\n"}
TURNED = "% turned\n"
SIZES = {1.0: "", 0.91: "\\small", 0.82: "\\footnotesize"}
PAGE = 30.0  # a table that is higher, in em, may break across pages


@dataclass(frozen=True)
class Setter:
    """How a document is set: its symbols, and how many em fit on a line."""

    symbols: Symbols
    width: float

    def lines(self, formula: Formula, width: float | None = None) -> tuple[Line, ...]:
        """A chain in lines."""
        return lines(formula.sides, self.symbols, width or self.width)

    def display(self, formula: Formula) -> Markup:
        """A displayed chain; it is set smaller where nothing more can be cut."""
        found = self.lines(formula)
        if is_within(found, self.width):
            return Markup(displayed(found, self.symbols.marks))
        return Markup(f"\\[\n{smaller(self.block(formula), self.width)}\n\\]")

    def words(self, words: Words, width: float | None = None) -> Markup:
        """A sentence or a cell."""
        return Markup("".join(self.inline(word, width or self.width) for word in words))

    def inline(self, word: Inline, width: float) -> str:
        """A part of a sentence; a formula stands on one line, though TeX may break it, if it fits on one."""
        if isinstance(word, Formula):
            return f"${self.whole(word)}$" if self.wide(word) <= width else self.cell_block(word, width)
        if isinstance(word, Code):
            return f"\\texttt{{{escape(word.text)}}}"
        return escape(str(word))

    def loose(self, words: Words) -> bool:
        """Whether a formula in a sentence is so long that TeX must be free to leave room beside it."""
        return any(isinstance(word, Formula) and self.wide(word) > self.width / 4 for word in words)

    def wide(self, formula: Formula) -> float:
        """The width of a chain on one line."""
        return chain_width(formula, self.symbols)

    def whole(self, formula: Formula) -> str:
        """A chain on one line."""
        (line,) = self.lines(formula, float("inf"))
        return row(line.parts, self.symbols.marks)

    def block(self, formula: Formula, width: float | None = None, stands: str = "t") -> str:
        """A chain in lines that are aligned."""
        found = self.lines(formula, width)
        marks = self.symbols.marks
        if len(found) == 1:
            return f"$\\displaystyle {row((*found[0].before, *found[0].parts), marks)}$"
        return f"$\\begin{{aligned}}[{stands}] {' '.join(aligned(found, marks))} \\end{{aligned}}$"

    def cell_block(self, formula: Formula, width: float, stands: str = "t") -> str:
        """A chain in a cell, broken to its width; it is set smaller where nothing more can be cut."""
        shown = self.block(formula, width, stands)
        return shown if is_within(self.lines(formula, width), width) else smaller(shown, width)

    # --- tables

    def sheets(self, table: Table) -> tuple[Sheet, ...]:
        """A table fitted to the width; one of few rows may be turned."""
        return sheets(table, self.symbols, self.width, turns=True)

    def header(self, sheet: Sheet) -> Markup:
        """Headings; above a column of decimals they are protected by braces."""
        cells = zip(sheet.table.header, sheet.table.align, sheet.widths, strict=True)
        return Markup(" & ".join(self.heading(*cell) for cell in cells))

    def heading(self, words: Words, letter: str, width: float | None) -> str:
        """A heading; a formula that is wider than its column should be is broken."""
        shown = self.words(words, width)
        if len(words) == 1 and isinstance(words[0], Formula):
            most = width or head_width(letter)
            if self.wide(words[0]) > most:
                shown = Markup((self.block if width is None else self.cell_block)(words[0], most, "b"))
        return f"{{{shown}}}" if letter == "d" else shown

    def row(self, cells: tuple[Words, ...], sheet: Sheet) -> Markup:
        """A row; numbers in decimal columns are left to siunitx, formulas of a derivation are set large."""
        columns = zip(cells, sheet.table.align, sheet.widths, strict=True)
        return Markup(" & ".join(self.cell(*column, sheet.table.kind in LARGE) for column in columns))

    def cell(self, words: Words, letter: str, width: float | None, large: bool) -> str:
        """A cell; a formula alone in a column that wraps is broken to its width."""
        number = lone_number(words) if letter == "d" else None
        if number is not None and number.text:
            return ("\\approx " if _about(words) else "") + number.text
        if letter != "d" and len(words) == 1 and isinstance(words[0], Formula):
            most = width or float("inf")
            if large or self.wide(words[0]) > most:
                return self.cell_block(words[0], most)
        shown = self.words(words, width)
        protected = letter == "d" or shown.startswith(("(", "["))  # a rule above would read it as its own
        return f"{{{shown}}}" if protected and shown else shown


def is_within(found: tuple[Line, ...], width: float) -> bool:
    """Whether no line is wider."""
    return max(line.size.width for line in found) <= width + 0.01


def smaller(shown: str, width: float) -> str:
    """Mathematics that is set smaller to be within a width."""
    return f"\\adjustbox{{max width={width:.2f}em}}{{{shown}}}"


def row(parts: Iterable[Box], marks: Marks) -> str:
    """Boxes side by side; a comma between arguments may stand alone here."""
    shown = (marks.separator if part == COMMA else latex_of(part, marks) for part in parts)
    return " ".join(shown).replace(f" {marks.separator} ", f"{marks.separator} ")


def displayed(found: tuple[Line, ...], marks: Marks) -> str:
    """Lines as a display; several are aligned."""
    if len(found) == 1 and not found[0].indent:
        return f"\\[\n{row((*found[0].before, *found[0].parts), marks)}\n\\]"
    return in_display("\n".join(aligned(found, marks)))


def in_display(rows: str) -> str:
    """Aligned rows as a display."""
    return f"\\[\n\\begin{{aligned}}\n{rows}\n\\end{{aligned}}\n\\]"


def aligned(found: tuple[Line, ...], marks: Marks) -> list[str]:
    """Lines with the mark at which they are aligned and what ends them."""
    ends = [r" \\"] * (len(found) - 1) + [""]
    return [
        f"{row(line.before, marks)} &{space(line.indent)}{row(line.parts, marks)}".lstrip() + end
        for line, end in zip(found, ends, strict=True)
    ]


def space(indent: float) -> str:
    """An indent of whole em."""
    doubles, single = divmod(round(indent), 2)
    return "\\qquad " * doubles + "\\quad " * single


def start(sheet: Sheet, breaks: bool) -> Markup:
    """The start of a table in one piece, or of one that may break across pages."""
    name = "longtable" if breaks else "tabular"
    opened = f"\\begin{{{name}}}{columns(sheet)}"
    size = SIZES[sheet.scale]
    around = f"\\begingroup{size}\n" if breaks else f"\\begin{{center}}{size}\n"
    mark = TURNED if sheet.turned else MARKS[sheet.continues]
    return Markup(f"{mark}{around}{opened}")


def end(breaks: bool) -> Markup:
    """The end that belongs to `start`."""
    return Markup("\\end{longtable}\n\\endgroup" if breaks else "\\end{tabular}\n\\end{center}")


def columns(sheet: Sheet) -> str:
    """The types of the columns: decimals aligned at the mark by siunitx, paragraphs, words."""
    found = []
    for place, (letter, width) in enumerate(zip(sheet.table.align, sheet.widths, strict=True)):
        if width is not None:
            found.append(f">{{\\raggedright\\arraybackslash}}p{{{width:.2f}em}}")
        else:
            cells = [row[place] for row in sheet.table.rows]
            found.append(_decimal_column(cells) if letter == "d" else letter)
    return "{" + "".join(found) + "}"


def _decimal_column(cells: list[Words]) -> str:
    numbers = [n for cell in cells for n in [lone_number(cell)] if n is not None]
    texts = [n.text for n in numbers]
    if not numbers or not all(texts):
        return "r"
    mantissas = [text.partition("e")[0].lstrip("-") for text in texts]
    whole = max(len(m.partition(".")[0]) for m in mantissas)
    places = max(len(m.partition(".")[2]) for m in mantissas)
    exponents = [text.partition("e")[2] for text in texts if "e" in text]
    sign = "-" if any(text.startswith("-") for text in texts) else ""
    power = f"e-{max(len(e.lstrip('-')) for e in exponents)}" if exponents else ""
    about = r"\approx" if any(_about(cell) for cell in cells) else ""
    return f"S[table-format={about}{sign}{whole}.{places}{power}]"


def _about(cell: Words) -> bool:
    return any(isinstance(word, Formula) and word.sides[0].relation == "≈" for word in cell)


def figure_latex(figure: Figure, symbols: Symbols) -> Markup:
    """A figure as a TikZ picture, set smaller if it is too wide."""
    shown = tikz_of(figure.drawing, symbols, escape)
    return Markup(
        f"\\nopagebreak\n\\begin{{adjustbox}}{{max width=\\linewidth,center}}\n{shown}\n\\end{{adjustbox}}"
    )


def check_figure(item: Item, figure: Figure, press: Press) -> None:
    """Raise `CheckFailed` unless a TikZ picture shows the drawing of a figure."""
    check_tikz(item.text, figure.drawing, press.symbols, escape)
