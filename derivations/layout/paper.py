"""A document as it lies on paper: wide tables in sheets, small figures beside each other.

Data only, so that what prints a page and what reads it back agree on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from derivations.document.blocks import Block, Display, Document, Figure, Heading, Prose, Table, Words
from derivations.layout.pieces import ends, merged_words, single_words
from derivations.layout.widths import Sheet, sheets, words_height
from derivations.notation.symbols import Symbols

SMALL = (380, 290)  # pixels of a figure that may stand beside another one


@dataclass(frozen=True)
class Paper:
    """The document with its tables as they are set, and the sheet of each of them."""

    document: Document
    held: Mapping[int, Sheet]

    def sheet(self, table: Table) -> Sheet:
        """How a table of the document is set."""
        return self.held[id(table)]


def on_paper(document: Document, symbols: Symbols, width: float) -> Paper:
    """The document on pages of a width in em."""
    held: dict[int, Sheet] = {}
    blocks: list[Block] = []
    for block in document.blocks:
        if not isinstance(block, Table):
            blocks.append(block)
            continue
        for sheet in sheets(block, symbols, width, turns=True):
            held[id(sheet.table)] = sheet
            blocks.append(sheet.table)
    return Paper(replace(document, blocks=tuple(blocks)), held)


def row_parts(row: tuple[Words, ...], sheet: Sheet, symbols: Symbols, most: float) -> list[tuple[Words, ...]]:
    """A row, or where a cell of words is higher than ``most`` em, rows in which it goes on."""
    pairs = list(zip(row, sheet.widths, strict=True))
    cells = [_cut(words, symbols, width, most / sheet.scale) for words, width in pairs]
    return list(zip_longest(*cells, fillvalue=()))


def _cut(words: Words, symbols: Symbols, width: float | None, most: float) -> list[Words]:
    """The words of a cell in parts that are not higher, cut at blanks."""
    if width is None or words_height(words, symbols, width) <= most:
        return [words]
    parts: list[Words] = [()]
    for word in single_words(words):
        longer = merged_words((*parts[-1], *word))
        if parts[-1] and words_height(longer, symbols, width) > most:
            parts.append(merged_words(word[1:] if word[0] == " " else word))
        else:
            parts[-1] = longer
    return parts


def pairs(blocks: Sequence[Block]) -> list[tuple[list[Block], list[Block]]]:
    """Small figures that follow each other, two by two, each with the sentence that introduces it."""
    found: list[tuple[list[Block], list[Block]]] = []
    before: tuple[int, list[Block]] | None = None
    for start, unit in _figures(blocks):
        if before and start == before[0] and _is_small(before[1][-1]) and _is_small(unit[-1]):
            found.append((before[1], unit))
            before = None
        else:
            before = start + len(unit), unit
    return found


def sticking(blocks: Sequence[Block]) -> set[int]:
    """The blocks, by id, that no page ends with: what introduces the next one, the first and the last but one
    of several formulas."""
    found: set[int] = set()
    for at, block in enumerate(blocks[:-1]):
        before, after = blocks[at - 1], blocks[at + 1]
        if isinstance(block, Prose) and not isinstance(after, (Heading, Prose)):
            found.add(id(block))
        if isinstance(block, Display) and isinstance(after, Display):
            is_last = at + 2 == len(blocks) or not isinstance(blocks[at + 2], Display)
            if is_last or not isinstance(before, Display):
                found.add(id(block))
    return found


def _figures(blocks: Sequence[Block]) -> Iterator[tuple[int, list[Block]]]:
    """Every figure with the sentence before it, and where the two begin."""
    for at, block in enumerate(blocks):
        if isinstance(block, Figure):
            lead = blocks[at - 1] if at else None
            is_led = isinstance(lead, Prose) and not ends(lead.words)
            yield at - is_led, list(blocks[at - is_led : at + 1])


def _is_small(block: Block) -> bool:
    return isinstance(block, Figure) and all(
        side <= most for side, most in zip(block.drawing.size, SMALL, strict=True)
    )
