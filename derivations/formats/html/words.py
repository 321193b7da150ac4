"""Sentences and formulas in HTML, on pages and on slides: MathML that a browser may break into lines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape as escaped
from typing import Any

from markupsafe import Markup

from derivations.document.blocks import Code, Words
from derivations.notation.boxes import Box, Sign
from derivations.notation.chain import Formula
from derivations.notation.mathml import mathml_of
from derivations.notation.mathml_pieces import NEST, Leaf, Pieces, leaves, pieces
from derivations.notation.measure import measure, measure_row, text_width
from derivations.notation.spoken.speaker import spoken_chain
from derivations.notation.symbols import Symbols
from derivations.notation.typeset import typeset

PHONE, PAGE, CELL, HEAD, RELATION = 14.0, 38.0, 5.0, 3.0, 1.4  # in em
CLOSING = re.compile(r"[.,;:!?)\]’”]+")


def plain(text: str) -> str:
    """Text without control characters, which HTML cannot hold."""
    return re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+", " ", text)


def escape(text: str) -> str:
    """Text as literal text."""
    return escaped(plain(text))


@dataclass(frozen=True)
class Setter:
    """Formulas and sentences of one document as HTML."""

    symbols: Symbols
    language: str

    def spoken(self, formula: Formula) -> str:
        """The name of a formula for those who hear the page."""
        return spoken_chain(formula.sides, self.symbols, self.language)

    def formula(self, formula: Formula, fits: float = PHONE) -> Markup:
        """A formula in a line of text or in a cell; a long one may break."""
        boxes = _boxes(formula, self.symbols)
        name = escaped(self.spoken(formula))
        if measure_row(boxes).width <= fits:
            inside = "".join(mathml_of(box, self.symbols.marks) for box in boxes)
            return Markup(f'<math aria-label="{name}">{inside}</math>')
        shown = "".join(_html(part) for part in self.sides(formula, fits))
        return Markup(f'<span class="f" role="math" aria-label="{name}">{shown}</span>')

    def sides(self, formula: Formula, fits: float) -> Iterator[Pieces]:
        """The sides of a chain in pieces, each with its relation."""
        for side in formula.sides:
            room = fits - RELATION if side.relation else fits
            found = pieces(typeset(side.expr, self.symbols), room, self.symbols.marks)
            yield found if not side.relation else _related(f"<mo>{side.relation}</mo>", found)

    def display(self, formula: Formula) -> Markup:
        """A formula on lines of its own: a long chain has every side on its own line."""
        wide = measure_row(_boxes(formula, self.symbols)).width
        head = measure(typeset(formula.sides[0].expr, self.symbols)).width
        short = head <= HEAD and not formula.sides[0].relation
        fits = PHONE - head * short
        found = [f'<span class="s">{_html(part)}</span>' for part in self.sides(formula, fits)]
        kind = "chain" + " narrow" * (wide > PHONE) + " short" * short + " wide" * (wide > PAGE)
        if not formula.sides[0].relation and len(found) > 1:
            found = [found[0], f'<span class="r">{"".join(found[1:])}</span>']
        named = f'role="math" aria-label="{escaped(self.spoken(formula))}"'
        return Markup(f'<div class="display"><div class="{kind}" {named}>{"".join(found)}</div></div>')

    def words(self, words: Iterable[Any], fits: float = PHONE) -> Markup:
        """A sentence or a cell; no line begins with the comma after a formula."""
        found: list[str] = []
        for word in words:
            if isinstance(word, Formula):
                found.append(self.formula(word, fits))
            elif isinstance(word, Code):
                found.append(f"<code>{escape(word.text)}</code>")
            elif found and found[-1].startswith("<math") and (mark := CLOSING.match(word)):
                found[-1] = f'<span class="n">{found[-1]}{escape(mark[0])}</span>'
                found.append(escape(word[mark.end() :]))
            else:
                found.append(escape(word))
        return Markup("".join(found))

    def least(self, words: Words) -> float:
        """The width of a heading of a column where it is broken wherever it may be, in em."""
        formulas = [word for word in words if isinstance(word, Formula)]
        texts = [word for word in words if isinstance(word, str)]
        parts = [leaf.width for one in formulas for side in self.sides(one, CELL) for leaf in leaves(side)]
        return max([*(part + NEST * (len(parts) > 1) for part in parts), *map(text_width, texts), 0.0])

    def head(self, words: Words) -> Markup:
        """The heading of a column, whose formula may break anywhere."""
        if len(words) == 1 and isinstance(words[0], Formula):
            return self.formula(words[0], CELL)
        return self.words(words)


def _boxes(formula: Formula, symbols: Symbols) -> tuple[Box, ...]:
    sides = [(side.relation, typeset(side.expr, symbols)) for side in formula.sides]
    return tuple(part for relation, box in sides for part in ((Sign(relation),) if relation else ()) + (box,))


def _related(relation: str, found: Pieces) -> Pieces:
    """A side with its relation."""
    if isinstance(found, Leaf):
        return Leaf(relation + found.shown, found.width + RELATION)
    first, *rest = found
    return (_related(relation, first), *rest)


def _html(found: Pieces) -> str:
    """Pieces as elements: a browser breaks between those that stand side by side."""
    if isinstance(found, Leaf):
        return f'<math aria-hidden="true">{found.shown}</math>'
    if len(found) == 1:
        return _html(found[0])
    return f'<span class="g">{"".join(map(_html, found))}</span>'


def verbatim(text: str) -> Markup:
    """Code as it is."""
    return Markup(escaped(text.rstrip("\n"), quote=False))
