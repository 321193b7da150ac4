"""The HTML format: one file that needs no network and no JavaScript, formulas in MathML with their font."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from html import escape as escaped
from typing import Any

from markupsafe import Markup

from derivations.notation.layout import Box, Sign
from derivations.notation.mathml import Pieces, mathml_of, pieces, width
from derivations.notation.speech import spoken_chain
from derivations.notation.symbols import Symbols
from derivations.notation.typeset import typeset
from derivations.pages.blocks import Code, Formula, Words
from derivations.pages.finished_html import read_html, tree
from derivations.pages.html_audit import Frame
from derivations.pages.html_tables import CAPTIONS, form
from derivations.pages.press import Press, Printer, audited
from derivations.pages.render import environment, templates_folder, tidied

POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; font-src data:; img-src data:; "
    "base-uri 'none'; form-action 'none'"
)
FONT = "html/font/derivations-math.woff2"
PHONE, PAGE, CELL, HEAD = 15.0, 38.0, 5.0, 3.0
CLOSING = re.compile(r"[.,;:!?)\]’”]+")


@dataclass(frozen=True)
class Interface:
    """The words of the page that are not the document's."""

    contents: str = "Contents"
    skip: str = "Skip to the content"
    colours: str = "other colours"


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
    language: str = "en"

    def spoken(self, formula: Formula) -> str:
        """The name of a formula for those who hear the page."""
        return spoken_chain(formula.sides, self.symbols, self.language)

    def formula(self, formula: Formula, fits: float = PHONE) -> Markup:
        """A formula in a line of text or in a cell; a long one may break."""
        boxes = _boxes(formula, self.symbols)
        name = escaped(self.spoken(formula))
        if width(boxes) <= fits:
            inside = "".join(mathml_of(box, self.symbols.marks) for box in boxes)
            return Markup(f'<math aria-label="{name}">{inside}</math>')
        shown = "".join(_html(part) for part in self.sides(formula, fits))
        return Markup(f'<span class="f" role="math" aria-label="{name}">{shown}</span>')

    def sides(self, formula: Formula, fits: float) -> Iterator[Pieces]:
        """The sides of a chain in pieces, each with its relation."""
        for side in formula.sides:
            found = pieces(typeset(side.expr, self.symbols), fits, self.symbols.marks)
            yield _glue(f"<mo>{side.relation}</mo>" if side.relation else "", found)

    def display(self, formula: Formula) -> Markup:
        """A formula on lines of its own: a long chain has every side on its own line."""
        wide = width(_boxes(formula, self.symbols))
        head = width(typeset(formula.sides[0].expr, self.symbols))
        short = head <= HEAD and not formula.sides[0].relation
        fits = PHONE - head * short
        found = [f'<span class="s">{_html(part)}</span>' for part in self.sides(formula, fits)]
        kind = "chain" + " narrow" * (wide > PHONE) + " short" * short + " wide" * (wide > PAGE)
        if not formula.sides[0].relation and len(found) > 1:
            found = [found[0], f'<span class="r">{"".join(found[1:])}</span>']
        named = f'role="math" aria-label="{escaped(self.spoken(formula))}"'
        return Markup(f'<div class="display"><div class="{kind}" {named}>{"".join(found)}</div></div>')

    def words(self, words: Words) -> Markup:
        """A sentence or a cell; no line begins with the comma after a formula."""
        found: list[str] = []
        for word in words:
            if isinstance(word, Formula):
                found.append(self.formula(word))
            elif isinstance(word, Code):
                found.append(f"<code>{escape(word.text)}</code>")
            elif found and found[-1].startswith("<math") and (mark := CLOSING.match(word)):
                found[-1] = f'<span class="n">{found[-1]}{escape(mark[0])}</span>'
                found.append(escape(word[mark.end() :]))
            else:
                found.append(escape(word))
        return Markup("".join(found))

    def head(self, words: Words) -> Markup:
        """The heading of a column, whose formula may break anywhere."""
        if len(words) == 1 and isinstance(words[0], Formula):
            return self.formula(words[0], CELL)
        return self.words(words)


def _boxes(formula: Formula, symbols: Symbols) -> tuple[Box, ...]:
    sides = [(side.relation, typeset(side.expr, symbols)) for side in formula.sides]
    return tuple(part for relation, box in sides for part in ((Sign(relation),) if relation else ()) + (box,))


def _glue(before: str, found: Pieces) -> Pieces:
    if isinstance(found, str):
        return before + found
    first, *rest = found
    return (_glue(before, first), *rest)


def _html(found: Pieces) -> str:
    """Pieces as elements: a browser breaks between those that stand side by side."""
    if isinstance(found, str):
        return f'<math aria-hidden="true">{found}</math>'
    return f'<span class="g">{"".join(map(_html, found))}</span>'


def _verbatim(text: str) -> Markup:
    return Markup(escaped(text.rstrip("\n"), quote=False))


@cache
def font() -> str:
    """The mathematics font, in base64."""
    return b64encode((templates_folder() / FONT).read_bytes()).decode()


@cache
def stylesheet(name: str) -> str:
    """A style sheet with the font inside."""
    sheet = (templates_folder() / "html" / name).read_text(encoding="utf-8")
    return sheet.replace("FONT", f"data:font/woff2;base64,{font()}", 1).strip()


def _filters(press: Press) -> Mapping[str, Callable[..., Any]]:
    setter = Setter(press.symbols)
    blocks = press.document.blocks
    return {
        "words": setter.words,
        "head": setter.head,
        "display": setter.display,
        "form": lambda table: form(table, setter),
        "place": lambda block: next(at for at, other in enumerate(blocks, 1) if other is block),
        "verbatim": _verbatim,
    }


def write(press: Press) -> str:
    """The page as HTML."""
    template = environment(escape, _filters(press)).get_template("html/page.html.j2")
    return tidied(
        template.render(
            document=press.document,
            language="en",
            policy=Markup(POLICY),
            words=Interface(),
            stylesheet=Markup(stylesheet("page.css")),
        )
    )


def check(page: str, press: Press) -> None:
    """Raise `CheckFailed` unless a finished page is what was verified."""
    marks = press.symbols.marks
    audited(lambda text: read_html(text, marks), plain)(page, press)
    words = vars(Interface()).values()
    frame = Frame(
        plain(press.document.title),
        "en",
        POLICY,
        stylesheet("page.css"),
        words,
        CAPTIONS.values(),
        press.symbols,
    )
    frame.require(tree(page))


PRINTER = Printer(write, check)
