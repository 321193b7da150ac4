"""A document cut into frames for slides: one thought a frame, nothing higher or wider than the slide.

Data only: a `Frame` has a heading and pieces. A `Piece` is a block of the document or a part of one: a
chain by its lines, a table by its rows or columns, a listing by its lines, a long paragraph between its
words. Pieces that continue one another, joined, are the blocks of the document again, in their order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from derivations.document.blocks import Block, Display, Document, Figure, Heading, Listing, Prose, Table
from derivations.layout.pieces import Piece, Slide, Thought, Unit, merged_words, thought_of
from derivations.notation.symbols import Symbols

NEUTRAL = ("Prose", "Table")  # what belongs to the thought beside it
FILLED = 0.45  # the share of a slide from which on a chain of the derivation starts a new one


@dataclass(frozen=True, slots=True)
class Frame:
    """A slide: its heading, which of the frames below this heading it is (from 1), and its pieces."""

    heading: Heading
    number: int
    pieces: tuple[Piece, ...]


def frames(document: Document, symbols: Symbols, slide: Slide | None = None) -> tuple[Frame, ...]:
    """The frames of a document in the words of its language."""
    slide = slide or Slide()
    found: list[Frame] = []
    part = ""
    for heading, blocks in _sections(document.blocks):
        part = heading.part or (part if heading.level > 2 else "")
        thoughts = [
            _before(thought_of(block, symbols, slide), after)
            for block, after in zip_longest(blocks, blocks[1:])
        ]
        pages = list(_filled(_introduced(thoughts), slide.height, part)) or [[]]
        found += [Frame(heading, number, _merged(page)) for number, page in enumerate(pages, 1)]
    return tuple(found)


def _sections(blocks: Sequence[Block]) -> Iterator[tuple[Heading, list[Block]]]:
    """Every heading with what stands below it."""
    places = [at for at, block in enumerate(blocks) if isinstance(block, Heading)]
    for start, stop in zip(places, [*places[1:], len(blocks)], strict=True):
        heading = blocks[start]
        assert isinstance(heading, Heading)
        yield heading, list(blocks[start + 1 : stop])


def _before(thought: Thought, after: Block | None) -> Thought:
    """A thought beside what follows it: words before a figure belong to it."""
    is_lead = thought.kind == "Prose" and isinstance(after, Figure)
    return replace(thought, introduces=True) if is_lead else thought


def _introduced(thoughts: Sequence[Thought]) -> Iterator[list[Thought]]:
    """Thoughts that stay together: what introduces, and what it introduces."""
    held: list[Thought] = []
    for thought in thoughts:
        held.append(thought)
        if not thought.introduces:
            yield held
            held = []
    if held:
        yield held


# --- filling --------------------------------------------------------------------------------------------


def _filled(groups: Iterator[list[Thought]], room: float, part: str) -> Iterator[list[Unit]]:
    """Units frame by frame: a new one where the thought changes or the next would be too high."""
    frame: list[Unit] = []
    kind = ""
    for group in groups:
        following = group[-1].kind
        if frame and (_turns(kind, following, part) or _starts_afresh(frame, group, room)):
            yield frame
            frame, kind = [], ""
        kind = kind if following in NEUTRAL else following
        for chunk in (chunk for thought in group for chunk in thought.chunks):
            crowded = frame and _height(frame) > room * FILLED and len(chunk) > 1
            if crowded and _height([*frame, *chunk]) > room:
                yield frame
                frame = []
            if frame and _height([*frame, *chunk]) > room >= _height(chunk):
                yield frame
                frame = []
            for unit in chunk:
                if frame and _height([*frame, unit]) > room:
                    yield frame
                    frame = []
                frame.append(unit)
    if frame:
        yield frame


def _height(units: Sequence[Unit]) -> float:
    return sum(unit.height for unit in units) + (units[0].again if units else 0)


def _turns(kind: str, following: str, part: str) -> bool:
    """Whether a step goes on to another thought: from values to gradients, from those to the update."""
    return part == "steps" and bool(kind) and following not in (*NEUTRAL, kind)


def _starts_afresh(frame: Sequence[Unit], group: Sequence[Thought], room: float) -> bool:
    """Whether what does not fit goes on a fresh frame, rather than fill this one up as long tables do."""
    units = [unit for thought in group for unit in thought.units]
    whole = _height(units) <= room or group[-1].kind != "Table" or _height(frame) > room / 3
    return _height([*frame, *units]) > room and whole


def _merged(units: Sequence[Unit]) -> tuple[Piece, ...]:
    """The units of a frame put together where they continue each other."""
    found: list[Piece] = []
    for unit in units:
        joined = _joined(found[-1], unit.piece) if found and unit.piece.goes_on else None
        if joined:
            found[-1] = joined
        else:
            found.append(unit.piece)
    return tuple(found)


def _joined(piece: Piece, further: Piece) -> Piece | None:
    """Rows of one table, lines of one display, listing or paragraph; None if they cannot be joined."""
    match piece.block, further.block:
        case Table(), Table() if piece.sheet and further.sheet:
            rows = (*piece.sheet.table.rows, *further.sheet.table.rows)
            table = replace(piece.sheet.table, rows=rows, total=further.sheet.table.total)
            return replace(piece, block=table, sheet=replace(piece.sheet, table=table))
        case Display(), Display():
            return replace(piece, lines=(*piece.lines, *further.lines))
        case Listing() as above, Listing() as below:
            return replace(piece, block=replace(above, text=f"{above.text}\n{below.text}"))
        case Prose() as above, Prose() as below:
            return replace(piece, block=replace(above, words=merged_words((*above.words, " ", *below.words))))
    return None
