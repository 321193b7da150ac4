"""A document cut into frames for slides: one thought a frame, nothing higher or wider than the slide.

Data only: a `Frame` has a heading and pieces. A `Piece` is a block of the document or a part of one: a
chain by its lines, a table by its rows or columns, a listing by its lines, a long paragraph between its
words. Pieces that continue one another, joined, are the blocks of the document again, in their order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import ceil

from derivations.figures.drawing import Drawing
from derivations.language.tree import Ref
from derivations.notation.breaking import SLIDE, Line, lines
from derivations.notation.symbols import Symbols
from derivations.pages import sheets
from derivations.pages.blocks import (
    Block,
    Display,
    Document,
    Figure,
    Formula,
    Heading,
    Inline,
    Listing,
    Prose,
    Table,
    Words,
)
from derivations.pages.sheets import LINE, Sheet

HEIGHT = 17.0
SKIP = {"Prose": 0.4, "Display": 1.0, "Table": 1.4, "Listing": 1.8, "Figure": 1.0}  # space around a block
CODE_LINE, CODE_WIDTH = 1.0, 78
PIXEL = 0.069  # in em of 11 points


@dataclass(frozen=True, slots=True)
class Slide:
    """How much a slide holds, in em of its text: the width of a line, the height below the heading."""

    width: float = SLIDE
    height: float = HEIGHT


@dataclass(frozen=True, slots=True)
class Piece:
    """A block, or the part of it that stands on a frame.

    ``lines`` are those of a display, ``sheet`` is a table as it is set, whose ``continues`` also says how
    it joins the piece before. ``continues`` is true where a display or a listing goes on.
    """

    block: Block
    lines: tuple[Line, ...] = ()
    sheet: Sheet | None = None
    continues: bool = False

    @property
    def goes_on(self) -> bool:
        """Whether this is more of the same lines or rows, which may stand below those before it."""
        return self.continues or (self.sheet is not None and self.sheet.continues == "below")


@dataclass(frozen=True, slots=True)
class Frame:
    """A slide: its heading, which of the frames below this heading it is (from 1), and its pieces."""

    heading: Heading
    number: int
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Unit:
    """A piece that is not cut further, its height, and what is added where it is the first on a frame."""

    piece: Piece
    height: float
    again: float = 0


@dataclass(frozen=True)
class Thought:
    """A block in units. ``kind`` tells thoughts apart; what ``introduces`` stands with what follows."""

    units: tuple[Unit, ...]
    kind: str
    introduces: bool = False


def frames(document: Document, symbols: Symbols, slide: Slide | None = None) -> tuple[Frame, ...]:
    """The frames of a document in the words of its language."""
    slide = slide or Slide()
    found: list[Frame] = []
    for heading, blocks in _sections(document.blocks):
        thoughts = [_thought(block, symbols, slide) for block in blocks]
        pages = list(_filled(_introduced(thoughts), slide.height, heading.part)) or [[]]
        found += [Frame(heading, number, _merged(page)) for number, page in enumerate(pages, 1)]
    return tuple(found)


def _sections(blocks: Sequence[Block]) -> Iterator[tuple[Heading, list[Block]]]:
    """Every heading with what stands below it."""
    places = [at for at, block in enumerate(blocks) if isinstance(block, Heading)]
    for start, stop in zip(places, [*places[1:], len(blocks)], strict=True):
        heading = blocks[start]
        assert isinstance(heading, Heading)
        yield heading, list(blocks[start + 1 : stop])


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
        units = [unit for thought in group for unit in thought.units]
        if frame and (_turns(kind, group[-1].kind, part) or _starts_afresh(frame, group, room)):
            yield frame
            frame = []
        kind = kind if frame and group[-1].kind == "Prose" else group[-1].kind
        for unit in units:
            if frame and (_height([*frame, unit]) > room or _starts_chain(unit)):
                yield frame
                frame = []
            frame.append(unit)
    if frame:
        yield frame


def _height(units: Sequence[Unit]) -> float:
    return sum(unit.height for unit in units) + units[0].again


def _turns(kind: str, following: str, part: str) -> bool:
    """Whether a step goes on to another thought: from values to gradients, from those to the update."""
    return part == "steps" and following not in ("Prose", kind)


def _starts_afresh(frame: Sequence[Unit], group: Sequence[Thought], room: float) -> bool:
    """Whether what does not fit goes on a fresh frame, rather than fill this one up as long tables do."""
    units = [unit for thought in group for unit in thought.units]
    whole = _height(units) <= room or group[-1].kind != "Table" or _height(frame) > room / 3
    return _height([*frame, *units]) > room and whole


def _starts_chain(unit: Unit) -> bool:
    """Whether a row of the derivation begins another chain: each has frames of its own."""
    sheet = unit.piece.sheet
    if sheet is None or sheet.table.kind != "derivation" or not sheet.continues:
        return False
    shown = sheet.table.rows[0][1][0]
    return isinstance(shown, Formula) and not shown.sides[0].relation


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


def merged_words(words: Words) -> Words:
    """Words with neighbouring strings joined."""
    found: list[Inline] = []
    for word in words:
        if isinstance(word, str) and found and isinstance(found[-1], str):
            found[-1] += word
        else:
            found.append(word)
    return tuple(found)


# --- blocks in units ------------------------------------------------------------------------------------


def _thought(block: Block, symbols: Symbols, slide: Slide) -> Thought:
    """A block in units."""
    name = type(block).__name__
    match block:
        case Prose(words):
            text = "".join(word for word in words if isinstance(word, str)).rstrip()
            units = tuple(_prose_units(block, symbols, slide))
            return Thought(units, name, not text.endswith((".", "。")))
        case Display(shown):
            broken = lines(shown.sides, symbols, slide.width)
            heights = [max(LINE, line.size.height + 0.35) for line in broken]
            pieces = [Piece(block, (line,), continues=bool(at)) for at, line in enumerate(broken)]
            return Thought(_units(pieces, heights, SKIP[name]), _kind(shown, symbols))
        case Table():
            return Thought(tuple(_table_units(block, symbols, slide)), name)
        case Listing(_, text):
            rows = text.rstrip("\n").split("\n")
            pieces = [Piece(replace(block, text=row), continues=bool(at)) for at, row in enumerate(rows)]
            heights = [CODE_LINE * max(1, ceil(len(row) / CODE_WIDTH)) for row in rows]
            return Thought(_units(pieces, heights, SKIP[name]), name)
        case Figure(_, drawing):
            unit = Unit(Piece(block), figure_height(drawing, slide) + SKIP[name])
            return Thought((unit,), name)
    raise TypeError(block)


def figure_height(drawing: Drawing, slide: Slide) -> float:
    """The height of a figure, which is set smaller where it would not fit on a slide."""
    wide, high = (float(side) * PIXEL for side in drawing.size)
    return high * min(1.0, slide.width / wide, (slide.height - SKIP["Figure"]) / high)


def _units(pieces: Sequence[Piece], heights: Sequence[float], skip: float) -> tuple[Unit, ...]:
    """Units with the space around the block, at its start and on every frame on which it goes on."""
    return tuple(
        Unit(piece, height, skip) if at else Unit(piece, height + skip)
        for at, (piece, height) in enumerate(zip(pieces, heights, strict=True))
    )


def _kind(shown: Formula, symbols: Symbols) -> str:
    """What a chain is about: the value of a quantity, a gradient or an update."""
    if any(side.relation == "←" for side in shown.sides):
        return "update"
    first = shown.sides[0].expr
    return "gradient" if isinstance(first, Ref) and symbols.adjoint(first.name) else "value"


def _prose_units(block: Prose, symbols: Symbols, slide: Slide) -> Iterator[Unit]:
    """A paragraph; one that is higher than half a slide is cut between its words."""
    most = slide.height / 2
    held: Words = ()
    parts: list[Words] = []
    for word in _single_words(block.words):
        longer = merged_words((*held, *word))
        if held and sheets.words_height(longer, symbols, slide.width) > most:
            parts.append(held)
            longer = merged_words(word[1:] if word[0] == " " else word)
        held = longer
    for at, words in enumerate([*parts, held]):
        height = sheets.words_height(words, symbols, slide.width) + SKIP["Prose"]
        yield Unit(Piece(replace(block, words=words), continues=bool(at)), height)


def _single_words(words: Words) -> Iterator[Words]:
    """The words of a paragraph, each with the blank before it; what has no blank between stays together."""
    held: list[Inline] = []
    for word in words:
        if not isinstance(word, str):
            held.append(word)
            continue
        first, *others = word.split(" ")
        held += [first] if first else []
        for other in others:
            if held:
                yield tuple(held)
            held = [" ", other] if other else [" "]
    if held:
        yield tuple(held)


def _table_units(table: Table, symbols: Symbols, slide: Slide) -> Iterator[Unit]:
    """A row at a time; the first on a frame also pays for the header and the rules."""
    for sheet in sheets.sheets(table, symbols, slide.width):
        header, *heights = sheets.row_heights(sheet, symbols)
        for at, height in enumerate(heights):
            part = sheets.rows(sheet, at, at + 1)
            start = header + SKIP["Table"]
            piece = Piece(part.table, sheet=part)
            yield Unit(piece, height, start) if at else Unit(piece, height + start)
