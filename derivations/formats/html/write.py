"""The HTML format: one file that needs no network and no JavaScript, formulas in MathML with their font."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from markupsafe import Markup

from derivations.audit.items import Item
from derivations.document.blocks import Figure, message
from derivations.document.languages import text_of
from derivations.figures.svg import check_svg, svg_of
from derivations.formats.html.read import read_html, tree
from derivations.formats.html.surroundings import Frame
from derivations.formats.html.tables import CAPTIONS, OTHER, Cell, Form, Line, form, side
from derivations.formats.html.words import Setter, escape, plain, verbatim
from derivations.formats.play.write import policy, script
from derivations.formats.press import Press, Printer, audited
from derivations.formats.render import render, templates_folder
from derivations.language.errors import Mismatch

POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; font-src data:; img-src data:; "
    "base-uri 'none'; form-action 'none'"
)
FONT = "html/font/derivations-math.woff2"


INTERFACE = {
    "contents": message("Contents"),
    "skip": message("Skip to the content"),
    "colours": message("Other colours"),
}


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
        "side": lambda letter: Markup(side(letter)),
        "display": setter.display,
        "form": lambda table: form(table, setter),
        "place": lambda block: next(at for at, other in enumerate(blocks, 1) if other is block),
        "picture": lambda figure: Markup(picture(figure, press)),
        "verbatim": verbatim,
    }


def write(press: Press) -> str:
    """The page as HTML."""
    found = script(press)
    return render(
        press.document,
        "html/page.html.j2",
        escape,
        _filters(press),
        (Form, Line, Cell),
        language=press.document.language,
        policy=Markup(_policy(found)),
        script=Markup(found),
        words=interface(press),
        stylesheet=Markup(stylesheet("page.css")),
    )


def _policy(found: str) -> str:
    """What the page may load and run: its own script, if it has one."""
    return f"{POLICY}; script-src {policy(found)}" if found else POLICY


def picture(figure: Figure, press: Press) -> str:
    """A figure as SVG inside the file."""
    return svg_of(figure.drawing, press.symbols, figure.name).strip()


def same_picture(item: Item, figure: Figure, press: Press) -> None:
    """Raise `CheckFailed` or `Mismatch` unless an item is the picture of a figure."""
    check_svg(item.text, figure.drawing, press.symbols)
    if item.text != picture(figure, press):
        raise Mismatch(f"the picture {figure.name} is not the one that was drawn")


def interface(press: Press) -> dict[str, str]:
    """The words of the page that are not the document's, in its language."""
    return {name: text_of(said, press.document.language) for name, said in INTERFACE.items()}


def captions(press: Press) -> list[str]:
    """What tables may be said to be about."""
    return [text_of(said, press.document.language) for said in (*CAPTIONS.values(), OTHER)]


def check(page: str, press: Press) -> None:
    """Raise `CheckFailed` unless a finished page is what was verified."""
    marks, language = press.symbols.marks, press.document.language
    audited(lambda text: read_html(text, marks), plain, same_picture)(page, press)
    title, sheet, words = plain(press.document.title), stylesheet("page.css"), interface(press).values()
    found = script(press)
    around = Frame(title, language, _policy(found), sheet, words, captions(press), press.symbols, found)
    around.require(tree(page))


PRINTER = Printer(write, check)
