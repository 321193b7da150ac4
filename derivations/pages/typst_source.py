"""The Typst format: the source of the PDF, which stands by itself and can be edited.

Every formula and figure carries its spoken text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from markupsafe import Markup

from derivations.figures.drawing import decimal
from derivations.figures.svg import svg_of
from derivations.notation.breaking import Line, lines
from derivations.notation.layout import Box, Sign
from derivations.notation.marks import Marks
from derivations.notation.measure import TEXT, measure_row
from derivations.notation.speech import spoken_chain
from derivations.notation.symbols import Symbols
from derivations.notation.typeset import typeset
from derivations.notation.typst import quoted, typst_of
from derivations.pages.blocks import Code, Document, Figure, Formula, Inline, Table, Words, lone_number
from derivations.pages.decimals import Decimals
from derivations.pages.press import Press
from derivations.pages.render import environment, filled
from derivations.pages.typst_text import code, escape, fonts, shown, verbatim

TEMPLATE = "typst/page.typ.j2"
WHOLE = 14.0  # a formula of a sentence up to this width, in em, is kept on one line
LINE = 42.0  # the width of the text, in em
POINTS = Fraction(4, 5)  # of a pixel of a figure
CELLS = {"derivation": 22.5, "matrix": 19.0}  # that of a cell with a formula set large


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
        body = " \\\n  ".join(map(self._line, found)) if len(found) > 1 else self._run(found[0].parts)
        return Markup(f"#display({self.alt(formula)}, $ {body} $)")

    def _line(self, line: Line) -> str:
        indent = f"#h({line.indent:g}em) " if line.indent else ""
        return f"{self._run(line.before)} & {indent}{self._run(line.parts)}".lstrip()

    def _run(self, run: Sequence[Box]) -> str:
        return " ".join(typst_of(box, self.marks) for box in run)

    def cell(self, words: Words, table: Table, place: int) -> Markup:
        """A cell: a decimal aligned at its mark, a line of a derivation set large, or words."""
        number = lone_number(words) if table.align[place] == "d" else None
        if number is not None and number.text:
            column = Decimals.of([row[place] for row in table.rows], self.marks)
            assert isinstance(words[0], Formula)
            return Markup(column.cell(words[0], number.text, self.inline))
        if table.kind in CELLS and len(words) == 1 and isinstance(words[0], Formula):
            return self.display(words[0], CELLS[table.kind])
        return self.words(words)


# --- columns of a table -------------------------------------------------------------------------------

WRAPPED = {"derivation": {1: "3fr", 2: "2fr"}, "matrix": {0: "1fr", 1: "1fr"}}
TALL = ("quantities", "checks")  # tables with fractions in their lines
LEAST = {"derivation": "15em", "matrix": "14em"}


def columns(table: Table, least: bool = False) -> Markup:
    """The widths of the columns; ``least`` are those below which the text is set smaller."""
    wrapped = WRAPPED.get(table.kind, {})
    found = (wrapped.get(place, "auto") for place in range(len(table.align)))
    return Markup(f"({', '.join(LEAST[table.kind] if least and w != 'auto' else w for w in found)},)")


def alignment(table: Table) -> Markup:
    """Where the cells of each column stand."""
    names = {"l": "left", "r": "right", "c": "center", "d": "right"}
    vertical = " + horizon" if table.kind in (*CELLS, *TALL) else ""
    return Markup(f"({', '.join(names[letter] + vertical for letter in table.align)},)")


def svg_of_figure(figure: Figure, symbols: Symbols, language: str) -> str:
    """A figure as SVG, with the letters of the page."""
    drawn = svg_of(figure.drawing, symbols, figure.name)
    return drawn.replace('font-family="sans-serif"', f'font-family="{", ".join(fonts(language))}"', 1)


def filters(setter: Setter) -> Mapping[str, Callable[..., Any]]:
    """What the template may call."""
    return {
        "quoted": lambda text: Markup(quoted(shown(text, setter.language))),
        "words": setter.words,
        "display": setter.display,
        "cell": setter.cell,
        "columns": columns,
        "least": lambda table: columns(table, least=True),
        "alignment": alignment,
        "is_tall": lambda table: table.kind in TALL,
        "svg": lambda figure: Markup(quoted(svg_of_figure(figure, setter.symbols, setter.language))),
        "points": lambda figure: Markup(f"{decimal(figure.drawing.size[0] * POINTS)}pt"),
        "verbatim": lambda text: Markup(verbatim(text, setter.language)),
    }


def source_of(document: Document, symbols: Symbols) -> str:
    """A document as Typst."""
    family = Markup("".join(f"{quoted(name)}, " for name in fonts(document.language)))
    jinja = environment(escape, filters(Setter(symbols, document.language)), document.templates)
    return filled(jinja, TEMPLATE, document=document, fonts=family, language=code(document.language))


def write(press: Press) -> str:
    """The page as Typst."""
    return source_of(press.document, press.symbols)
