"""Blocks as a piece of XHTML whose formulas are MathML that can be spoken, for players that set no TeX."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from markupsafe import Markup

from derivations.document.blocks import Block, Code, Document, Words
from derivations.document.languages import translated
from derivations.exercises.bank import Item
from derivations.formats.html.words import escape
from derivations.formats.render import render
from derivations.notation.boxes import Box, Sign
from derivations.notation.chain import Formula
from derivations.notation.mathml import mathml_of
from derivations.notation.spoken.speaker import spoken_chain
from derivations.notation.symbols import Symbols
from derivations.notation.typeset import typeset

NAMESPACE = "http://www.w3.org/1998/Math/MathML"


def xhtml_of(blocks: Iterable[Block], item: Item) -> str:
    """Some blocks of a variant as well-formed XHTML, in the language of its page."""
    whole = item.evidence.composed
    document = translated(Document(whole.title, tuple(blocks), whole.language, whole.own))
    filters = _filters(item.evidence.symbols, whole.language)
    return render(document, "exercise/fragment.html.j2", escape, filters).strip()


def spoken(formula: Formula, item: Item) -> str:
    """A formula of a variant in words."""
    return spoken_chain(formula.sides, item.evidence.symbols, item.evidence.composed.language)


def math(formula: Formula, symbols: Symbols, language: str, display: str = "inline") -> Markup:
    """A formula as a ``<math>`` with its words in ``alttext``."""
    inside = "".join(mathml_of(box, symbols.marks) for box in _boxes(formula, symbols))
    name = escape(spoken_chain(formula.sides, symbols, language))
    return Markup(f'<math xmlns="{NAMESPACE}" display="{display}" alttext="{name}">{inside}</math>')


def _boxes(formula: Formula, symbols: Symbols) -> Iterable[Box]:
    for side in formula.sides:
        if side.relation:
            yield Sign(side.relation)
        yield typeset(side.expr, symbols)


def _filters(symbols: Symbols, language: str) -> Mapping[str, Callable[..., Any]]:
    def inline(word: Any) -> str:
        if isinstance(word, Formula):
            return math(word, symbols, language)
        return f"<code>{escape(word.text)}</code>" if isinstance(word, Code) else escape(word)

    def words(parts: Words) -> Markup:
        return Markup("".join(map(inline, parts)))

    return {"words": words, "display": lambda formula: math(formula, symbols, language, "block")}
