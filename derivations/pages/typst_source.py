"""The Typst format: the source of the PDF, which stands by itself and can be edited.

Text is escaped letter by letter; a letter that the fonts of the wheel ``typst`` lack is shown as its
code point, for a missing glyph must never be silent. Every formula carries its spoken text.
"""

from __future__ import annotations

import re
import unicodedata
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
from derivations.pages.render import environment, tidied

TEMPLATE = "typst/page.typ.j2"
WHOLE = 14.0  # a formula of a sentence up to this width, in em, is kept on one line
LINE = 42.0  # the width of the text, in em
POINTS = Fraction(4, 5)  # of a pixel of a figure
CELLS = {"derivation": 22.5, "matrix": 19.0}  # that of a cell with a formula set large
MARKUP = frozenset("\\#$*_`<>@[]~{}")
JOINING = frozenset("-+=/")  # markup at the start of a line or beside their like
REPERTOIRE = re.compile(
    "[\u0020-\u007e\u00a1-\u00ac\u00ae-\u02ff\u0384-\u038a\u038c\u038e-\u03a1\u03a3-\u03ff\u0400-\u0482"
    "\u048a-\u04ff\u1e00-\u1eff\u2010-\u2015\u2018-\u2022\u2026\u2030-\u2033\u2039\u203a\u2070\u2074-\u208e"
    "\u20a0-\u20bf\u2190-\u2199\u2200-\u2209\u220f-\u2213\u2218-\u221e\u2227-\u222b\u2248\u2260-\u2265"
    "\u2295-\u2299\u22a4\u22a5\u22c5]"
)


def shown(text: str) -> str:
    """The letters that a page shows for a text: blanks for controls, code points for what the fonts lack."""
    text = re.sub(r"[\s\x00-\x1f\x7f-\x9f]+", " ", unicodedata.normalize("NFC", text))
    return "".join(map(_letter, text))


def _letter(letter: str) -> str:
    return letter if REPERTOIRE.fullmatch(letter) else f"[U+{ord(letter):04X}]"


def escape(text: str) -> str:
    """Text as literal text of Typst's markup."""
    text = shown(text)
    return "".join(_escaped(text, at) for at in range(len(text)))


def _escaped(text: str, at: int) -> str:
    letter, before, after = text[at], text[at - 1 : at], text[at + 1 : at + 2]
    if letter == ".":  # dots in a row are an ellipsis, a number before a dot may open a list
        special = "." in (before, after) or text[:at].strip().isdigit()
    else:
        special = letter in MARKUP or (letter in JOINING and not (before.isalpha() and after.isalpha()))
    return f"\\{letter}" if special else letter


def verbatim(text: str) -> str:
    """A listing as a string of Typst, line by line."""
    lines = (line.replace("\t", "    ") for line in text.rstrip("\n").split("\n"))
    return quoted("\n".join("".join(map(_letter, line)) for line in lines))


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
            return f"#raw({quoted(shown(word.text))});"
        return escape(str(word))

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


def svg_of_figure(figure: Figure, symbols: Symbols) -> str:
    """A figure as SVG, with the letters of the page."""
    shown = svg_of(figure.drawing, symbols, figure.name)
    return shown.replace('font-family="sans-serif"', 'font-family="New Computer Modern"', 1)


def filters(setter: Setter) -> Mapping[str, Callable[..., Any]]:
    """What the template may call."""
    return {
        "quoted": lambda text: Markup(quoted(shown(text))),
        "words": setter.words,
        "display": setter.display,
        "cell": setter.cell,
        "columns": columns,
        "least": lambda table: columns(table, least=True),
        "alignment": alignment,
        "is_tall": lambda table: table.kind in TALL,
        "svg": lambda figure: Markup(quoted(svg_of_figure(figure, setter.symbols))),
        "points": lambda figure: Markup(f"{decimal(figure.drawing.size[0] * POINTS)}pt"),
        "verbatim": lambda text: Markup(verbatim(text)),
    }


def source_of(document: Document, symbols: Symbols) -> str:
    """A document as Typst."""
    template = environment(escape, filters(Setter(symbols, document.language))).get_template(TEMPLATE)
    return tidied(template.render(document=document))


def write(press: Press) -> str:
    """The page as Typst."""
    return source_of(press.document, press.symbols)
