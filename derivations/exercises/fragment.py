"""Blocks as a piece of HTML whose formulas are TeX, for learning systems that set formulas themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from html import escape as escaped
from typing import Any

from markupsafe import Markup

from derivations.document.blocks import Block, Code, Document, Message, Words
from derivations.document.languages import text_of, translated
from derivations.exercises.bank import Item
from derivations.formats.render import render
from derivations.notation.chain import Formula
from derivations.notation.latex import math
from derivations.notation.symbols import Symbols


def escape(text: str) -> str:
    """Text as literal text: nothing in it is HTML, and no bracket of it begins a formula."""
    return escaped(text).replace("\\", "&#92;").replace("$", "&#36;")


def html_of(blocks: Iterable[Block], item: Item) -> str:
    """Some blocks of a variant as HTML, in the language of its page."""
    whole = item.evidence.composed
    document = translated(Document(whole.title, tuple(blocks), whole.language, whole.own))
    return render(document, "exercise/fragment.html.j2", escape, _filters(item.evidence.symbols)).strip()


def said(message: Message, item: Item) -> str:
    """A sentence in the language of the page, as plain text."""
    return text_of(message, item.evidence.composed.wording)


def _filters(symbols: Symbols) -> Mapping[str, Callable[..., Any]]:
    def tex(formula: Formula) -> str:
        return escaped(math(formula, symbols), quote=False)

    def inline(word: Any) -> str:
        if isinstance(word, Formula):
            return rf"\({tex(word)}\)"
        return f"<code>{escape(word.text)}</code>" if isinstance(word, Code) else escape(word)

    def words(parts: Words) -> Markup:
        return Markup("".join(map(inline, parts)))

    return {"words": words, "display": lambda formula: Markup(rf"\[{tex(formula)}\]")}
