"""Documents cut into frames: nothing is lost, nothing is too high or too wide."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from derivations.document.blocks import Block, Display, Listing, Prose, Table
from derivations.formats.press import Press
from derivations.layout.frames import Frame, frames
from derivations.layout.pieces import Slide, merged_words
from derivations.layout.widths import side_by_side
from tests.built import GALLERY, page

SLIDES = (Slide(), Slide(20, 30), Slide(60, 12))


def press(name: str) -> Press:
    return page(name).press


def joined(found: tuple[Frame, ...]) -> Iterator[Block]:
    """The blocks of the document again."""
    held: list[Block] = []
    for frame in found:
        if frame.number == 1:
            yield from flushed(held)
            yield frame.heading
            held = []
        for piece in frame.pieces:
            how = piece.sheet.continues if piece.sheet else ""
            if not (how or piece.continues):
                yield from flushed(held)
                held = []
            before = held[-1] if held else None
            match before, piece.block:
                case Table(), Table() as more if how == "below":
                    held[-1] = replace(before, rows=(*before.rows, *more.rows), total=more.total)
                case Listing(), Listing() as more:
                    held[-1] = replace(before, text=f"{before.text}\n{more.text}")
                case Prose(), Prose() as more:
                    held[-1] = replace(before, words=merged_words((*before.words, " ", *more.words)))
                case Display(), Display():
                    assert before == piece.block
                case _, block:
                    held.append(block)
    yield from flushed(held)


def flushed(held: list[Block]) -> Iterator[Block]:
    tables = [block for block in held if isinstance(block, Table)]
    yield from [side_by_side(tables)] if tables else held


@pytest.mark.few(3)
@pytest.mark.parametrize("name", GALLERY)
def test_frames_joined_are_the_document(name: str) -> None:
    page = press(name)
    wanted = tuple(
        replace(block, text=block.text.rstrip("\n")) if isinstance(block, Listing) else block
        for block in page.document.blocks
    )
    for slide in SLIDES:
        found = frames(page.document, page.symbols, slide)
        assert tuple(joined(found)) == wanted
        broken = [piece for frame in found for piece in frame.pieces if isinstance(piece.block, Display)]
        assert sum(not piece.continues for piece in broken) == sum(isinstance(b, Display) for b in wanted)
        assert all(piece.lines for piece in broken)
        tables = [piece for frame in found for piece in frame.pieces if isinstance(piece.block, Table)]
        assert all(piece.sheet and piece.sheet.table == piece.block for piece in tables)
