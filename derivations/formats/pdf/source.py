"""The Typst format: the source of the PDF, which stands by itself and can be edited.

Every formula and figure carries its spoken text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from markupsafe import Markup

from derivations.document.blocks import Code, Document, Figure, Inline, Table, Words, lone_number
from derivations.figures.drawing import decimal
from derivations.figures.svg import svg_of
from derivations.formats.pdf.text import code, escape, fonts, shown, verbatim
from derivations.formats.press import Press
from derivations.formats.render import render
from derivations.layout.paper import Paper, on_paper, pairs, sticking
from derivations.layout.widths import LARGE, SPACED, Sheet, chain_width, head_width, row_heights
from derivations.notation.boxes import Box, Sign
from derivations.notation.breaking import Line, lines
from derivations.notation.chain import Formula
from derivations.notation.locales import Marks
from derivations.notation.measure import TEXT, measure_row
from derivations.notation.spoken.speaker import spoken_chain
from derivations.notation.symbols import Symbols
from derivations.notation.typeset import typeset
from derivations.notation.typst import quoted, typst_of

# --- Columns of decimals aligned at the mark, in a format whose digits all have one width -----


@dataclass(frozen=True, slots=True)
class Decimals:
    """How many places a column of decimals has after the mark, and its longest power of ten."""

    places: int
    exponent: str
    marks: Marks

    @classmethod
    def of(cls, cells: Sequence[Words], marks: Marks) -> Decimals:
        """The column of some cells."""
        texts = [number.text for cell in cells for number in [lone_number(cell)] if number and number.text]
        places = max((len(_mantissa(text).partition(".")[2]) for text in texts), default=0)
        exponents = [text.partition("e")[2] for text in texts]
        return cls(places, max(exponents, key=len, default=""), marks)

    def cell(self, formula: Formula, text: str, mathematics: Callable[[Formula], str]) -> str:
        """A number in Typst, with the room after it that aligns the marks."""
        sign = f"{formula.sides[0].relation} " if formula.sides[0].relation else ""
        whole, _, places = _mantissa(text).partition(".")
        missing = "0" * (self.places - len(places))
        if missing and not places:
            missing = self.marks.decimal + missing
        room = f"#hide[{missing}]" if missing else ""
        if "e" in text:
            return mathematics(formula) + room
        digits = self.marks.numeral(f"{whole}.{places}" if places else whole)
        power = f" · 10{self.exponent}" if self.exponent else ""
        room = f"#hide[{missing}{power}]" if missing or power else ""
        return f"{sign}{'−' if text.startswith('-') else ''}{digits}{room}"


def _mantissa(text: str) -> str:
    return text.partition("e")[0].lstrip("-")


TEMPLATE = "typst/page.typ.j2"
WHOLE = 14.0  # a formula of a sentence up to this width, in em, is kept on one line
LINE = 44.0  # the width of the text, in em
POINTS = Fraction(7, 10)  # of a pixel of a figure
SIDES = 1.1  # em beside a cell
TALLEST = 30.0  # a row that is higher, in em, may break across pages


def is_plain_number(words: Words, table: Table, place: int) -> bool:
    """Whether a cell is a decimal in a column of decimals, which is text and can be read aloud as it is."""
    number = lone_number(words) if table.align[place] == "d" else None
    return number is not None and bool(number.text) and "e" not in number.text


class Setter:
    """Writes words, formulas and cells of one page, with the symbols and the language of its press."""

    def __init__(self, symbols: Symbols, language: str) -> None:
        self.symbols, self.language = symbols, language

    @property
    def marks(self) -> Marks:
        """How the language writes decimals."""
        return self.symbols.marks

    def alt(self, formula: Formula) -> str:
        """The spoken text of a formula, as a string of Typst."""
        return quoted(spoken_chain(formula.sides, self.symbols, self.language))

    def inline(self, formula: Formula) -> str:
        """A formula within a sentence or a cell."""
        boxes = [typeset(side.expr, self.symbols) for side in formula.sides]
        signs = [Sign(side.relation) for side in formula.sides]
        run = [part for pair in zip(signs, boxes, strict=True) for part in pair if part != Sign("")]
        name = "formula" if measure_row(run, TEXT).width <= WHOLE else "flowing"
        return f"#{name}({self.alt(formula)}, ${self._run(run)}$);"

    def words(self, words: Words) -> Markup:
        """A sentence or a cell."""
        return Markup("".join(map(self._word, words)))

    def _word(self, word: Inline) -> str:
        if isinstance(word, Formula):
            return self.inline(word)
        if isinstance(word, Code):
            return f"#raw({quoted(shown(word.text, self.language))});"
        return escape(str(word), self.language)

    def display(self, formula: Formula, width: float = LINE) -> Markup:
        """A chain on lines of its own, broken where it would not fit."""
        found = lines(formula.sides, self.symbols, width)
        body = (
            " \\\n  ".join(map(self._line, found))
            if len(found) > 1
            else self._run((*found[0].before, *found[0].parts))
        )
        return Markup(f"#display({self.alt(formula)}, $ {body} $)")

    def _line(self, line: Line) -> str:
        indent = f"#h({line.indent:g}em) " if line.indent else ""
        return f"{self._run(line.before)} & {indent}{self._run(line.parts)}".lstrip()

    def _run(self, run: Sequence[Box]) -> str:
        return " ".join(typst_of(box, self.marks) for box in run)

    def cell(self, words: Words, sheet: Sheet, place: int) -> Markup:
        """A cell: a decimal aligned at its mark, a formula broken to its column, or words."""
        table, width = sheet.table, sheet.widths[place]
        number = lone_number(words) if table.align[place] == "d" else None
        if number is not None and number.text:
            column = Decimals.of([row[place] for row in table.rows], self.marks)
            assert isinstance(words[0], Formula)
            return Markup(column.cell(words[0], number.text, self.inline))
        return self.fitted(words, broken_width(words, sheet, width, self.symbols))

    def heading(self, words: Words, sheet: Sheet, place: int) -> Markup:
        """The heading of a column; a formula that is wider than its column should be is broken."""
        width = sheet.widths[place] or head_width(sheet.table.align[place])
        return self.fitted(words, heading_width(words, width, self.symbols))

    def fitted(self, words: Words, width: float | None) -> Markup:
        """Words, or a formula that is broken to a width."""
        return self.words(words) if width is None else self.display(words[0], width)  # type: ignore[arg-type]


def broken_width(words: Words, sheet: Sheet, width: float | None, symbols: Symbols) -> float | None:
    """The width to which the formula of a cell is broken; None if it stands in a line of words."""
    if len(words) != 1 or not isinstance(words[0], Formula):
        return None
    if sheet.table.kind in LARGE:
        return width or float("inf")
    return width if width and chain_width(words[0], symbols) > width else None


def heading_width(words: Words, width: float, symbols: Symbols) -> float | None:
    """The width to which a heading is broken; None if it stands in a line."""
    lone = words[0] if len(words) == 1 else None
    return width if isinstance(lone, Formula) and chain_width(lone, symbols) > width else None


# --- columns of a table -------------------------------------------------------------------------------


def columns(sheet: Sheet) -> Markup:
    """The widths of the columns."""
    found = ("auto" if width is None else f"{width + SIDES:.2f}em" for width in sheet.widths)
    return Markup(f"({', '.join(found)},)")


def alignment(table: Table) -> Markup:
    """Where the cells of each column stand."""
    names = {"l": "left", "r": "right", "c": "center", "d": "right"}
    vertical = " + horizon" if table.kind in (*SPACED, "checks") else ""
    return Markup(f"({', '.join(names[letter] + vertical for letter in table.align)},)")


def shape(sheet: Sheet, symbols: Symbols) -> Markup:
    """How a table is set: the space above and below a cell, its type, where it may break, a row of sums."""
    space = {"quantities": 0.5, "checks": 0.38}.get(
        sheet.table.kind, 0.42 if sheet.table.kind in LARGE else 0.4
    )
    breaks = max(row_heights(sheet, symbols)) > TALLEST
    yes = {False: "false", True: "true"}
    return Markup(
        f"(space: {space}em, scale: {sheet.scale}, breaks: {yes[breaks]}, total: {yes[sheet.table.total]})"
    )


def beside(document: Document) -> tuple[dict[int, str], dict[int, str]]:
    """What stands before and after the blocks of small figures that stand beside each other."""
    before, after = dict[int, str](), dict[int, str]()
    for left, right in pairs(document.blocks):
        before |= {id(left[0]): "#beside([\n", id(right[0]): "], [\n"}
        after[id(right[-1])] = "\n])"
    return before, after


def svg_of_figure(figure: Figure, symbols: Symbols, language: str) -> str:
    """A figure as SVG, with the letters of the page."""
    drawn = svg_of(figure.drawing, symbols, figure.name)
    return drawn.replace('font-family="sans-serif"', f'font-family="{", ".join(fonts(language))}"', 1)


def filters(setter: Setter, paper: Paper) -> Mapping[str, Callable[..., Any]]:
    """What the template may call."""
    before, after = beside(paper.document)
    stuck = sticking(paper.document.blocks)
    return {
        "sticks": lambda block: id(block) in stuck,
        "before": lambda block: Markup(before.get(id(block), "")),
        "after": lambda block: Markup(after.get(id(block), "")),
        "quoted": lambda text: Markup(quoted(shown(text, setter.language))),
        "words": setter.words,
        "display": setter.display,
        "cell": lambda words, table, place: setter.cell(words, paper.sheet(table), place),
        "heading": lambda words, table, place: setter.heading(words, paper.sheet(table), place),
        "columns": lambda table: columns(paper.sheet(table)),
        "alignment": alignment,
        "shape": lambda table: shape(paper.sheet(table), setter.symbols),
        "svg": lambda figure: Markup(quoted(svg_of_figure(figure, setter.symbols, setter.language))),
        "points": lambda figure: Markup(f"{decimal(figure.drawing.size[0] * POINTS)}pt"),
        "verbatim": lambda text: Markup(verbatim(text, setter.language)),
    }


def source_of(document: Document, symbols: Symbols) -> str:
    """A document as Typst."""
    family = Markup("".join(f"{quoted(name)}, " for name in fonts(document.language)))
    paper = on_paper(document, symbols, LINE)
    work = filters(Setter(symbols, document.language), paper)
    return render(paper.document, TEMPLATE, escape, work, fonts=family, language=code(document.language))


def write(press: Press) -> str:
    """The page as Typst."""
    return source_of(press.document, press.symbols)
