"""The HTML format: one file that needs no network and no JavaScript, formulas in MathML with their font."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from html import escape as escaped
from typing import Any

from markupsafe import Markup

from derivations.figures.svg import check_svg, svg_of
from derivations.notation.layout import Box, Sign
from derivations.notation.mathml import Pieces, mathml_of, pieces
from derivations.notation.measure import measure, measure_row
from derivations.notation.speech import spoken_chain
from derivations.notation.symbols import Symbols
from derivations.notation.typeset import typeset
from derivations.pages.blocks import Code, Figure, Formula, Words, message
from derivations.pages.finished import Item
from derivations.pages.finished_html import read_html, tree
from derivations.pages.html_audit import Frame
from derivations.pages.html_tables import CAPTIONS, OTHER, form
from derivations.pages.press import Press, Printer, audited
from derivations.pages.render import environment, templates_folder, tidied
from derivations.pages.translate import text_of

POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; font-src data:; img-src data:; "
    "base-uri 'none'; form-action 'none'"
)
FONT = "html/font/derivations-math.woff2"
PHONE, PAGE, CELL, HEAD, RELATION = 15.0, 38.0, 5.0, 3.0, 1.4
CLOSING = re.compile(r"[.,;:!?)\]’”]+")


INTERFACE = {
    "contents": message("Contents"),
    "skip": message("Skip to the content"),
    "colours": message("Other colours"),
}


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
            yield _glue(f"<mo>{side.relation}</mo>" if side.relation else "", found)

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

    def words(self, words: Iterable[Any]) -> Markup:
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
    setter = Setter(press.symbols, press.document.language)
    blocks = press.document.blocks
    return {
        "words": setter.words,
        "head": setter.head,
        "display": setter.display,
        "form": lambda table: form(table, setter),
        "place": lambda block: next(at for at, other in enumerate(blocks, 1) if other is block),
        "picture": lambda figure: Markup(_picture(figure, press)),
        "verbatim": _verbatim,
    }


def write(press: Press) -> str:
    """The page as HTML."""
    template = environment(escape, _filters(press)).get_template("html/page.html.j2")
    return tidied(
        template.render(
            document=press.document,
            language=press.document.language,
            policy=Markup(POLICY),
            words=interface(press),
            stylesheet=Markup(stylesheet("page.css")),
        )
    )


def _picture(figure: Figure, press: Press) -> str:
    return svg_of(figure.drawing, press.symbols, figure.name).strip()


def _same_picture(item: Item, figure: Figure, press: Press) -> None:
    check_svg(item.text, figure.drawing, press.symbols)
    if item.text != _picture(figure, press):
        raise ValueError(f"the picture {figure.name} is not the one that was drawn")


def interface(press: Press) -> dict[str, str]:
    """The words of the page that are not the document's, in its language."""
    return {name: text_of(said, press.document.language) for name, said in INTERFACE.items()}


def check(page: str, press: Press) -> None:
    """Raise `CheckFailed` unless a finished page is what was verified."""
    marks, language = press.symbols.marks, press.document.language
    audited(lambda text: read_html(text, marks), plain, _same_picture)(page, press)
    captions = [text_of(said, language) for said in (*CAPTIONS.values(), OTHER)]
    words = interface(press).values()
    sheet = stylesheet("page.css")
    Frame(plain(press.document.title), language, POLICY, sheet, words, captions, press.symbols).require(
        tree(page)
    )


PRINTER = Printer(write, check)
