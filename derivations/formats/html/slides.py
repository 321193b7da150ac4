"""The slides in HTML: one file, a section a frame, its lines one after another where a script may run."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from hashlib import sha256
from html import escape as escaped
from typing import Any, TypeAlias

from markupsafe import Markup

from derivations.audit.items import Item, Mathematics, Pieces, merged
from derivations.document.blocks import Display, Figure, Listing, Prose, Table, message
from derivations.document.languages import text_of
from derivations.figures.drawing import Drawing
from derivations.formats.html.read import formula_of, item, tree
from derivations.formats.html.surroundings import Frame as Surroundings
from derivations.formats.html.tables import caption, rows, side
from derivations.formats.html.words import Setter, escape, plain
from derivations.formats.html.write import POLICY, captions, picture, same_picture, stylesheet
from derivations.formats.press import Press, Printer, audited
from derivations.formats.render import render, templates_folder
from derivations.layout.frames import frames
from derivations.layout.pieces import Piece, Slide, figure_height
from derivations.notation.boxes import Box, Sign
from derivations.notation.breaking import Line
from derivations.notation.locales import Marks
from derivations.notation.mathml import INFIX, infix, row_of

# --- Finished slides read back: what stands on several of them is put together into blocks again ---

Rows: TypeAlias = tuple[tuple[Pieces, ...], ...]


def read_slides(page: str, marks: Marks) -> list[Item]:
    """The items of the document that slides show."""
    (main,) = tree(page).iter("main")
    pictures = iter(re.findall(r"<svg\b.*?</svg>", page, re.DOTALL))
    found: list[Item] = []
    parts: list[Rows] = []  # of the table at the end, side by side
    for element in _elements(main):
        if isinstance(element, str):
            found.append(Item("text beside the blocks", text=element))
            continue
        kinds = (element.get("class") or "").split() if isinstance(element.tag, str) else []
        shown = _item(element, kinds, marks)
        if shown.kind == "Figure":
            shown = replace(shown, text=next(pictures, ""))
        if "again" in kinds:
            heading = next((one for one in reversed(found) if one.kind == "Heading"), None)
            found += [] if shown == heading else [Item("another heading")]
        elif found and {"more", "below", "beside"} & set(kinds):
            found[-1] = _joined(found[-1], shown, parts, "beside" in kinds)
        else:
            parts = [shown.rows]
            found.append(shown)
    return found


def _elements(main: Any) -> Iterator[Any]:
    """What stands on the slides; text that stands there by itself is a string."""
    for section in (main, *main):
        yield from [section.text] if (section.text or "").strip() else []
        for element in section:
            if section is not main:
                yield element
            elif element.tag != "section":
                yield f"<{element.tag}>"
            yield from [element.tail] if (element.tail or "").strip() else []


def _item(element: Any, kinds: list[str], marks: Marks) -> Item:
    if element.tag == "div" and "display" in kinds and len(element) == 1:
        return Item("Display", (formula_of(element[0], marks),))
    return item(element, marks)


def _joined(before: Item, shown: Item, parts: list[Rows], beside: bool) -> Item:
    """An item and what continues it."""
    if before.kind != shown.kind:
        return Item("something else goes on")
    match before.kind:
        case "Table":
            return replace(before, rows=_table(parts, shown.rows, beside))
        case "Display":
            sources = [one.source for one in (*before.pieces, *shown.pieces) if isinstance(one, Mathematics)]
            return Item("Display", (Mathematics(" ".join(sources), canonical=True),))
        case "Prose":
            return Item("Prose", merged([*before.pieces, " ", *shown.pieces]))
        case "Listing":
            return Item("Listing", text=f"{before.text}\n{shown.text}")
    return Item("something goes on")


def _table(parts: list[Rows], rows: Rows, beside: bool) -> Rows:
    """Rows below, whose header is that of the rows above, or columns beside, whose first is the same."""
    if beside:
        parts.append(rows)
    elif parts[-1][0] != rows[0]:
        return ()
    else:
        parts[-1] = (*parts[-1], *rows[1:])
    whole = parts[0]
    for part in parts[1:]:
        if [row[0] for row in part] != [row[0] for row in whole][: len(part)]:
            return ()
        whole = tuple((*row, *more[1:]) for row, more in zip(whole, part, strict=False))
    return whole


LARGE = ("derivation", "matrix")
SIZE = Slide(35.0, 17.6)
INTERFACE = {"slides": message("Slides"), "back": message("Back"), "on": message("On")}


def figure_width(drawing: Drawing) -> float:
    """The width of a figure on a slide, in em."""
    wide, high = map(float, drawing.size)
    return wide * figure_height(drawing, SIZE) / high


@cache
def script() -> str:
    """What turns the slides."""
    return (templates_folder() / "html" / "slides.js").read_text(encoding="utf-8").strip()


def policy() -> str:
    """Nothing may be loaded, and no script may run but the one inside."""
    digest = b64encode(sha256(f"\n{script()}\n".encode()).digest()).decode()
    return f"{POLICY}; script-src 'sha256-{digest}'"


@dataclass(frozen=True)
class Shown:
    """Prints the pieces of frames."""

    press: Press
    setter: Setter

    def piece(self, piece: Piece, place: int) -> Markup:
        """A piece; every one but the first of a slide is a step of its own."""
        more = " more" if piece.continues else ""
        step = " step" if place else ""
        match piece.block:
            case Prose(words):
                return Markup(f'<p class="text{more}{step}">{self.setter.words(words)}</p>')
            case Display():
                return self.display(piece, more, step)
            case Table() as table:
                return self.table(piece, table, step)
            case Listing(language, text):
                shown = f"<code>{escaped(text, quote=False)}</code>"
                return Markup(f'<pre class="{escaped(language)}{more}{step}">{shown}</pre>')
            case Figure() as figure:
                style = f'style="--x:{figure_width(figure.drawing):.3g}"'
                shown = picture(figure, self.press)
                return Markup(f'<figure class="picture{step}" {style}>{shown}</figure>')
        raise TypeError(piece.block)

    def display(self, piece: Piece, more: str, step: str) -> Markup:
        """A chain by its lines, each after the first a step; its name is spoken where it begins."""
        assert isinstance(piece.block, Display)
        shown = "".join(self.line(line, at > 0) for at, line in enumerate(piece.lines))
        name = escaped(self.setter.spoken(piece.block.formula))
        named = 'aria-hidden="true"' if more else f'role="math" aria-label="{name}"'
        return Markup(f'<div class="display{more}{step}"><div class="lines" {named}>{shown}</div></div>')

    def line(self, line: Line, is_step: bool) -> str:
        """A line: what stands before the place where lines are aligned, and the rest."""
        before = self.math(line.before) if line.before else ""
        own = ' class="line step"' if is_step else ' class="line"'
        rest = f'<span style="--i:{line.indent:g}">{self.math(line.parts)}</span>'
        return f"<span{own}><span>{before}</span>{rest}</span>"

    def math(self, boxes: tuple[Box, ...]) -> str:
        """Boxes of a line; a sign that begins it stands between two terms."""
        marks = self.press.symbols.marks
        first = boxes[0]
        if isinstance(first, Sign) and first.text in INFIX:
            return f'<math aria-hidden="true">{infix(first)}{row_of(boxes[1:], marks)}</math>'
        return f'<math aria-hidden="true">{row_of(boxes, marks)}</math>'

    def table(self, piece: Piece, table: Table, step: str) -> Markup:
        """A table, or some rows or columns of one; the rows of a derivation are steps."""
        sheet = piece.sheet
        assert sheet is not None
        kind = "table" + " large" * (table.kind in LARGE)
        kind += f" {sheet.continues}" if sheet.continues else ""
        room = [width or float("inf") for width in sheet.widths]
        head = "".join(
            f'<th scope="col"{side(letter)}>{self.setter.words(cell, fits)}</th>' if cell else "<td></td>"
            for cell, letter, fits in zip(table.header, table.align, room, strict=True)
        )
        stepped = table.kind == "derivation"
        lines = enumerate(rows(table, self.setter, room))
        body = "".join(self.row(row, stepped and at > 0) for at, row in lines)
        says = f"<caption>{escape(caption(table, self.setter))}</caption>"
        style = f'style="--z:{round(100 * sheet.scale)}"'
        inside = f"{says}<thead><tr>{head}</tr></thead><tbody>{body}</tbody>"
        return Markup(f'<div class="{kind}{step}" {style}><table>{inside}</table></div>')

    def row(self, row: Any, is_step: bool) -> str:
        """A row of a table."""
        cells = "".join(f"<{cell.tag}>{cell.shown}</{cell.name}>" for cell in row.cells)
        attributes = ' class="step"' if is_step else row.attributes
        return f"<tr{attributes}>{cells}</tr>"


def _filters(press: Press) -> Mapping[str, Callable[..., Any]]:
    setter = Setter(press.symbols, press.document.language)
    shown = Shown(press, setter)
    return {"words": setter.words, "piece": shown.piece}


def interface(press: Press) -> dict[str, str]:
    """The words of the slides that are not the document's, in its language."""
    return {name: text_of(said, press.document.language) for name, said in INTERFACE.items()}


def write(press: Press) -> str:
    """The slides as HTML."""
    return render(
        press.document,
        "html/slides.html.j2",
        escape,
        _filters(press),
        frames=frames(press.document, press.symbols, SIZE),
        language=press.document.language,
        policy=Markup(policy()),
        words=interface(press),
        stylesheet=Markup(stylesheet("slides.css")),
        script=Markup(script()),
    )


def check(page: str, press: Press) -> None:
    """Raise `CheckFailed` unless finished slides show what was verified."""
    marks, language = press.symbols.marks, press.document.language
    audited(lambda text: read_slides(text, marks), plain, same_picture)(page, press)
    words = (*interface(press).values(), "←→")
    title, sheet = plain(press.document.title), stylesheet("slides.css")
    around = Surroundings(title, language, policy(), sheet, words, captions(press), press.symbols, script())
    around.require(tree(page))


PRINTER = Printer(write, check)
