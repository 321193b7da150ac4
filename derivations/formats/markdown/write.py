"""The Markdown format: GitHub, MyST and Pandoc alike."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from markupsafe import Markup

from derivations.audit.items import Item
from derivations.document.blocks import Code, Document, Figure, Words, lone_number
from derivations.document.regions import Region, regions
from derivations.formats.markdown.held import hold_markdown
from derivations.formats.markdown.read import read_markdown
from derivations.formats.pictures import svg_files
from derivations.formats.press import Press, Printer, audited
from derivations.formats.render import render
from derivations.language.errors import CheckFailed, Mismatch
from derivations.layout.widths import chain_width
from derivations.notation.chain import Formula, Side
from derivations.notation.latex import math
from derivations.notation.symbols import Symbols

LONG = 52.0  # em on a line
SPECIAL = re.compile(r"([\\`*_\[\]|$~^#@])")


def escape(text: str) -> str:
    """Text as literal text: nothing in it is Markdown, HTML or mathematics."""
    text = re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+", " ", text)
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = SPECIAL.sub(r"\\\1", text)
    text = re.sub(r"(?<=\{)([{%])", r"\\\1", text)  # no tag of Liquid, no substitution of MyST
    return re.sub(r"^(\s*)([-+=]|\d+(?=[.)]))", r"\1\\\2", text) if not text[:1].isdigit() else text


def lines(formula: Formula, symbols: Symbols) -> Iterator[Formula]:
    """A chain cut before relations so that no line is long."""
    held: list[Side] = []
    used = 0.0
    for side in formula.sides:
        wide = chain_width(Formula((side,)), symbols)
        if len(held) > 1 and used + wide > LONG:
            yield Formula(tuple(held))
            held, used = [], 0.0
        held.append(side)
        used += wide
    yield Formula(tuple(held))


def words_markdown(words: Words, symbols: Symbols) -> Markup:
    """A sentence or a cell."""
    return Markup("".join(_inline(word, symbols) for word in words))


def cell_markdown(words: Words, letter: str, symbols: Symbols) -> Markup:
    """A cell; in a column of decimals a number alone needs no mathematics."""
    number = lone_number(words) if letter == "d" else None
    if number is not None and number.text and "e" not in number.text and not _has_sign(words):
        marked = symbols.marks.numeral(number.text.removeprefix("-"))
        return Markup(f"−{marked}" if number.text.startswith("-") else marked)
    return words_markdown(words, symbols)


def _inline(word: Any, symbols: Symbols) -> str:
    if isinstance(word, Formula):
        return f"${math(word, symbols)}$"
    if isinstance(word, Code):
        return f"`{word.text.replace('`', ' ')}`"
    return escape(word)


def _has_sign(words: Words) -> bool:
    """Whether a relation sign stands before a formula, as in ``≈ 0.33``."""
    return any(isinstance(word, Formula) and word.sides[0].relation for word in words)


def _verbatim(text: str) -> Markup:
    return Markup(text.rstrip("\n").replace("```", "` ` `"))


def file_of(name: str, press: Press) -> str:
    """The file that a figure of a page stands in."""
    return quote(f"{press.stem}-{name}.svg")


def _picture(figure: Figure, press: Press) -> Markup:
    return Markup(f"![{escape(figure.drawing.description)}]({file_of(figure.name, press)})")


def check_picture(item: Item, figure: Figure, press: Press) -> None:
    """Raise `Mismatch` unless an item is the picture of a figure: its file and its description."""
    if item.text != file_of(figure.name, press) or item.pieces != (figure.drawing.description,):
        raise Mismatch(f"'{item.text}' is not the picture of {figure.name}")


def _filters(press: Press) -> Mapping[str, Callable[..., Any]]:
    symbols = press.symbols
    return {
        "figure": lambda figure: _picture(figure, press),
        "words": lambda words: words_markdown(words, symbols),
        "cell": lambda words, letter: cell_markdown(words, letter, symbols),
        "math": lambda formula: Markup(math(formula, symbols)),
        "lines": lambda formula: list(lines(formula, symbols)),
        "verbatim": _verbatim,
    }


def open_github(region: Region, press: Press) -> str:
    """What stands before a region in GitHub's Markdown, where a solution can be folded."""
    if region.kind != "solution":
        return ""
    title = html.escape(region.title(press.document.wording))
    return f"<details>\n<summary>{title}</summary>"


def close_github(region: Region, press: Press) -> str:
    """What stands after a region."""
    return "</details>" if region.kind == "solution" else ""


@dataclass(frozen=True)
class Dialect:
    """A dialect of Markdown: its template, and what it sets around regions and before the page."""

    template: str
    open: Callable[[Region, Press], str]
    close: Callable[[Region, Press], str]
    front: Callable[[Press], str] = lambda press: ""


GITHUB = Dialect("markdown/page.md.j2", open_github, close_github)


def written(document: Document, press: Press, dialect: Dialect = GITHUB) -> str:
    """A document, or a part of the page's, as Markdown."""
    around = {
        "open": lambda region: Markup(dialect.open(region, press)),
        "close": lambda region: Markup(dialect.close(region, press)),
    }
    filters = {**_filters(press), **around}
    found, front = list(regions(document)), Markup(dialect.front(press))
    return render(document, dialect.template, escape, filters, regions=found, front=front)


def bare(text: str, press: Press, dialect: Dialect = GITHUB) -> str:
    """A finished page without what its dialect sets around regions.

    Raises `CheckFailed` if something of that is not there.
    """
    wanted = [dialect.front(press)]
    for region in regions(press.document):
        wanted += [dialect.open(region, press), dialect.close(region, press)]
    kept = ""
    for part in filter(None, wanted):
        before, found, text = text.partition(f"{part}\n")
        if not found or (before and not before.endswith("\n")):
            raise CheckFailed(f"the finished page does not read back: '{part.splitlines()[0]}' is missing")
        kept += before
    return kept + text


def dialect_printer(dialect: Dialect) -> Printer:
    """The printer of a dialect, whose pages are read back like any other Markdown."""

    def write(press: Press) -> str:
        return written(press.document, press, dialect)

    def check(text: str, press: Press) -> None:
        hold_markdown(text, press, write)
        audited(read_markdown, str, check_picture)(bare(text, press, dialect), press)

    return Printer(write, check, svg_files)


PRINTER = dialect_printer(GITHUB)


# --- Markdown for MyST (Jupyter Book, Sphinx) and for Quarto: native boxes, exercises and folds ---


def _label(region: Region, press: Press) -> str:
    """A label that no other page of a book has."""
    stem = re.sub(r"[^a-z0-9]+", "-", press.stem.lower()).strip("-") or "page"
    return f"{stem}-exercise-{region.number}"


def _myst_open(region: Region, press: Press) -> str:
    title = region.title(press.document.wording) if region.kind else ""
    match region.kind:
        case "":
            return ""
        case "warning":
            return f":::{{admonition}} {title}\n:class: warning"
        case "exercise":
            return f":::{{exercise}}\n:label: {_label(region, press)}"
        case "solution":
            return f":::{{solution}} {_label(region, press)}\n:class: dropdown"
        case _:
            return f":::{{dropdown}} {title}"


def _myst_close(region: Region, press: Press) -> str:
    return ":::" if region.kind else ""


def _quarto_open(region: Region, press: Press) -> str:
    title = json.dumps(region.title(press.document.wording), ensure_ascii=False) if region.kind else ""
    match region.kind:
        case "":
            return ""
        case "warning":
            return f"::: {{.callout-warning title={title}}}"
        case "exercise":
            return f"::: {{#exr-{_label(region, press)}}}"
        case _:
            return f'::: {{.callout-note collapse="true" title={title}}}'


def _quarto_close(region: Region, press: Press) -> str:
    return ":::" if region.kind else ""


def _quarto_front(press: Press) -> str:
    """The language as YAML; a JSON string is one."""
    return f"---\nlang: {json.dumps(press.document.language)}\n---"


MYST = dialect_printer(Dialect("markdown/page.myst.md.j2", _myst_open, _myst_close))
QUARTO = dialect_printer(Dialect("markdown/page.qmd.j2", _quarto_open, _quarto_close, _quarto_front))
