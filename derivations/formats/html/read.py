"""A finished HTML page read back: its main part cut into items, formulas as LaTeX."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from derivations.audit.items import Item, Mathematics, Piece, Pieces, merged
from derivations.notation.locales import PLAIN, Marks
from derivations.notation.read import Unreadable
from derivations.notation.read_mathml import latex_of_math

HEADINGS = frozenset(["h1", "h2", "h3"])


def tree(page: str) -> Any:
    """The elements of a page."""
    from lxml import html

    return html.document_fromstring(page)


def read_html(page: str, marks: Marks = PLAIN) -> list[Item]:
    """The items of a page."""
    (main,) = tree(page).iter("main")
    pictures = iter(re.findall(r"<svg\b.*?</svg>", page, re.DOTALL))
    found = list(items(main, marks))
    return [replace(item, text=next(pictures, "")) if item.kind == "Figure" else item for item in found]


def items(main: Any, marks: Marks) -> Iterator[Item]:
    """The items of the elements inside another one."""
    if (main.text or "").strip():
        yield Item("unknown", text=main.text)
    for element in main:
        if element.tag != "nav":
            yield item(element, marks)
        if (element.tail or "").strip():
            yield Item("unknown", text=element.tail)


def item(element: Any, marks: Marks) -> Item:
    """The item that an element is."""
    kind = element.get("class") or ""
    try:
        if element.tag in HEADINGS:
            return Item("Heading", inline(element, marks))
        if element.tag == "p":
            return Item("Prose", inline(element, marks))
        if element.tag == "figure" and [one.tag for one in element] == ["svg"]:
            return Item("Figure")
        if element.tag == "pre":
            return Item("Listing", text=element.text_content())
        if element.tag == "div" and kind == "display":
            return Item("Display", inline(element, marks))
        if element.tag == "div" and kind.startswith("table"):
            return Item("Table", rows=tuple(_rows(element, marks)))
        inside = element.iter("math") if isinstance(element.tag, str) else ()
        return Item(f"<{element.tag}>", tuple(formula_of(one, marks) for one in inside))
    except Unreadable as fault:
        return Item("unknown", text=str(fault))


def continuations(page: Any) -> dict[Any, list[Any]]:
    """The elements that continue a displayed formula on further slides, by the one that begins it."""
    found: dict[Any, list[Any]] = {}
    first = None
    for display in page.iter("div"):
        kinds = (display.get("class") or "").split()
        if "display" in kinds and len(display):
            if "more" in kinds and first is not None:
                found.setdefault(first, []).append(display[0])
            else:
                first = display[0]
    return found


def inline(element: Any, marks: Marks) -> Pieces:
    """Text and formulas of a sentence or a cell."""
    return merged(list(_inline(element, marks)))


def _inline(element: Any, marks: Marks) -> Iterator[Piece]:
    yield element.text or ""
    for child in element:
        if child.tag == "math" or child.get("role") == "math":
            yield formula_of(child, marks)
        elif child.tag in ("code", "span") and child.get("role") is None:
            yield from _inline(child, marks)
        else:
            yield f"<{child.tag}>"
        yield child.tail or ""


def formula_of(element: Any, marks: Marks) -> Mathematics:
    """A formula, in one ``<math>`` or in several that one element with the role of mathematics holds."""
    found = [element] if element.tag == "math" else list(_pieces(element))
    return Mathematics(latex_of_math(found, marks), canonical=True)


def _pieces(element: Any) -> Iterator[Any]:
    """The ``<math>`` elements of a formula in pieces; nothing may stand between them."""
    if (element.text or "").strip():
        raise Unreadable("text inside a formula")
    for child in element:
        if child.tag == "math":
            yield child
        elif child.tag == "span":
            yield from _pieces(child)
        else:
            raise Unreadable(f"<{child.tag}> inside a formula")
        if (child.tail or "").strip():
            raise Unreadable("text inside a formula")


def _rows(element: Any, marks: Marks) -> Iterator[tuple[Pieces, ...]]:
    for row in element.iter("tr"):
        if row.get("class") != "again":
            yield tuple(inline(cell, marks) for cell in row)
