"""Finished slides read back: what stands on several of them is put together into blocks again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, TypeAlias

from derivations.notation.locales import Marks
from derivations.pages.finished import Item, Mathematics, Pieces, merged
from derivations.pages.finished_html import formula_of, item, tree

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
