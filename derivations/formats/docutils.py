"""A document as docutils nodes, for Sphinx: sections, mathematics, tables, listings.

The nodes are read back like the text of any other format, before Sphinx gets them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from docutils import nodes

from derivations.audit.items import Item, Mathematics, Pieces, joined, merged
from derivations.document.blocks import Block, Code, Display, Figure, Heading, Listing, Prose, Table, Words
from derivations.document.regions import Region, regions
from derivations.figures.svg import check_svg, svg_of
from derivations.formats.latex.setting import figure_latex
from derivations.formats.markdown.write import lines
from derivations.formats.press import Press, audited
from derivations.notation.latex import math
from derivations.notation.symbols import Symbols
from derivations.numbers.systems import precision

BOXES = {"warning": nodes.warning, "exercise": nodes.admonition}


def document_nodes(press: Press) -> list[nodes.Node]:
    """The whole page, checked; its title is the first node, a section for every part comes after it.

    Raises `CheckFailed`.
    """
    root = nodes.container()
    part: nodes.Element = root
    here: nodes.Element = root
    for region in regions(press.document):
        for run in _cut(region):
            if _is_part(run.blocks[0]):
                is_inside = getattr(run.blocks[0], "level", 2) > 2
                here = _section(run.blocks[0], press)
                (part if is_inside else root).append(here)
                part = part if is_inside else here
            else:
                here += _region(run, press)
    check(root, press)
    return list(root.children)


def _is_part(block: Block) -> bool:
    return isinstance(block, Heading) and block.level > 1


def _cut(region: Region) -> Iterator[Region]:
    """The headings of parts alone, what stands between them together."""
    for _, run in groupby(region.blocks, key=lambda block: _is_part(block) and id(block)):
        yield replace(region, blocks=tuple(run))


def _section(block: Block, press: Press) -> Any:
    assert isinstance(block, Heading)
    found = nodes.section()
    title = nodes.title("", "", *_inline(block.words, press.symbols))
    found["names"].append(nodes.fully_normalize_name(title.astext()))
    found += title
    return found


def _region(region: Region, press: Press) -> list[nodes.Node]:
    """The blocks of a region, a warning and an exercise in boxes of their own."""
    inside = [node for block in region.blocks for node in _block(block, press)]
    kind = BOXES.get(region.kind)
    if kind is None:
        return inside
    box = kind("", *inside)
    if kind is nodes.admonition:
        box.insert(0, nodes.title("", region.title(press.document.wording)))
        box["classes"].append("exercise")
    return [box]


def _block(block: Block, press: Press) -> Iterator[nodes.Node]:
    match block:
        case Heading(_, words):
            yield nodes.title("", "", *_inline(words, press.symbols))
        case Prose(words):
            yield nodes.paragraph("", "", *_inline(words, press.symbols))
        case Display(shown):
            for line in lines(shown, press.symbols):
                source = math(line, press.symbols)
                yield nodes.math_block(source, source, nowrap=False, number=None, label=None)
        case Table():
            yield _table(block, press.symbols)
        case Listing(language, text):
            yield nodes.literal_block(text, text, language=language)
        case Figure(name, drawing):
            text = svg_of(drawing, press.symbols, f"{press.stem}-{name}")
            yield nodes.raw(text, text, format="html")
            source = figure_latex(block, press.symbols)
            yield nodes.raw(source, source, format="latex")


def _inline(words: Words, symbols: Symbols) -> list[nodes.Node]:
    return [
        nodes.Text(word)
        if isinstance(word, str)
        else nodes.literal("", word.text)
        if isinstance(word, Code)
        else nodes.math("", math(word, symbols))  # type: ignore[arg-type]
        for word in words
    ]


def _table(block: Table, symbols: Symbols) -> nodes.table:
    group = nodes.tgroup(cols=len(block.align))
    group += [nodes.colspec(colwidth=1) for _ in block.align]
    head, body = nodes.thead(), nodes.tbody()
    head += _row(block.header, block.align, symbols)
    body += [_row(row, block.align, symbols) for row in block.rows]
    group += [head, body]
    return nodes.table("", group)


def _row(cells: Sequence[Words], align: str, symbols: Symbols) -> nodes.row:
    row = nodes.row()
    for words, letter in zip(cells, align, strict=True):
        side = ["text-right"] if letter in "rd" else []
        row += nodes.entry("", nodes.paragraph("", "", *_inline(words, symbols)), classes=side)
    return row


# --- reading back ---------------------------------------------------------------------------------------


def check(root: nodes.Element, press: Press) -> None:
    """Raise `CheckFailed` unless the nodes say what was verified."""
    with precision(press.run.trace.bits):
        audited(lambda found: joined(list(_items(found))), str, _same_picture)(root, press)


def _same_picture(item: Item, figure: Figure, press: Press) -> None:
    check_svg(item.text, figure.drawing, press.symbols)


def _items(root: Any) -> Iterator[Item]:
    for node in root.children:
        match node:
            case nodes.title() if isinstance(root, nodes.admonition):
                continue
            case nodes.title():
                yield Item("Heading", _pieces(node))
            case nodes.paragraph():
                yield Item("Prose", _pieces(node))
            case nodes.math_block():
                yield Item("Display", (Mathematics(node.astext()),))
            case nodes.literal_block():
                yield Item("Listing", text=node.astext())
            case nodes.raw():
                if node["format"] == "html":  # the other is a second print of the same drawing
                    yield Item("Figure", text=node.astext())
            case nodes.table():
                rows = tuple(
                    tuple(_pieces(entry[0]) for entry in row.children) for row in node.findall(nodes.row)
                )
                yield Item("Table", rows=rows)
            case _:
                yield from _items(node)


def _pieces(node: Any) -> Pieces:
    parts = ((isinstance(part, nodes.math), part.astext()) for part in node.children)
    return merged([Mathematics(text) if formula else text for formula, text in parts])
