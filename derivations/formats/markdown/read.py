"""A finished page read back: its text cut into items, the formulas still as they are printed.

Markdown is read by markdown-it with its dollar-mathematics plugin, LaTeX by the few environments
that the templates use. What an item means is decided in `derivations.audit.fidelity`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin

from derivations.audit.items import Item, Mathematics, Piece, Pieces, joined, merged


def read_markdown(page: str) -> list[Item]:
    """The items of a Markdown page; a display that starts with a relation continues the one before."""
    parser = MarkdownIt("commonmark").enable("table")
    parser.use(dollarmath_plugin, allow_space=True, allow_digits=True, double_inline=False)
    return joined(list(_markdown_items(parser.parse(page))))


def _markdown_items(tokens: list[Any]) -> Iterator[Item]:
    rows: list[tuple[Pieces, ...]] = []
    cells: list[Pieces] = []
    for at, token in enumerate(tokens):
        before = tokens[at - 1].type if at else ""
        match token.type:
            case "inline" if before == "heading_open":
                yield Item("Heading", _inline(token))
            case "inline" if before in ("th_open", "td_open"):
                cells.append(_inline(token))
            case "inline" if [child.type for child in token.children or ()] == ["image"]:
                yield _picture(token.children[0])
            case "inline":
                yield Item("Prose", _inline(token))
            case "math_block":
                yield Item("Display", (Mathematics(token.content.strip()),))
            case "fence":
                yield Item("Listing", text=token.content)
            case "tr_close":
                rows.append(tuple(cells))
                cells = []
            case "table_close":
                yield Item("Table", rows=tuple(rows))
                rows = []
            case "html_block" | "math_block_label" | "hr" | "bullet_list_open" | "blockquote_open":
                yield Item(token.type, text=token.content)


def _picture(token: Any) -> Item:
    return Item("Figure", _inline(token), text=str(token.attrs["src"]))


def _inline(token: Any) -> Pieces:
    found: list[Piece] = []
    for child in token.children or ():
        if child.type == "math_inline":
            found.append(Mathematics(child.content.strip()))
        elif child.type in ("softbreak", "hardbreak"):
            found.append("\n")
        elif child.type in ("text", "text_special", "code_inline"):
            found.append(child.content)
        else:
            found.append(f"<{child.type}>")
    return merged(found)
