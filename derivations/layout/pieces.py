"""What frames are filled with: blocks cut into the smallest pieces of a slide, with their heights."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import ceil

from derivations.document.blocks import Block, Display, Figure, Inline, Listing, Prose, Table, Words
from derivations.figures.drawing import Drawing
from derivations.language.tree import Ref
from derivations.layout import widths as sheets
from derivations.layout.widths import LINE, Sheet
from derivations.notation.breaking import SLIDE, Line, lines
from derivations.notation.chain import Formula
from derivations.notation.symbols import Symbols

HEIGHT = 16.6
LEAD = 2.9  # two lines of words above a figure
SKIP = {"Prose": 0.4, "Display": 1.0, "Table": 2.2, "Listing": 1.8, "Figure": 1.0}  # space around a block
CODE_LINE, CODE_WIDTH = 1.0, 72
PIXEL = 0.069  # in em of 11 points


@dataclass(frozen=True, slots=True)
class Slide:
    """How much a slide holds, in em of its text: the width of a line, the height below the heading.

    A chain of more than ``together`` sides has a line for each.
    """

    width: float = SLIDE
    height: float = HEIGHT
    together: int = 4


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
class Unit:
    """A piece that is not cut further, its height, and what is added where it is the first on a frame."""

    piece: Piece
    height: float
    again: float = 0


@dataclass(frozen=True)
class Thought:
    """A block in chunks of units, a chunk being what should stay together: a chain of the derivation.

    ``kind`` tells thoughts apart; what ``introduces`` stands with what follows.
    """

    chunks: tuple[tuple[Unit, ...], ...]
    kind: str
    introduces: bool = False

    @property
    def units(self) -> tuple[Unit, ...]:
        """All units."""
        return tuple(unit for chunk in self.chunks for unit in chunk)


def _single(units: Iterable[Unit]) -> tuple[tuple[Unit, ...], ...]:
    """Units that need not stay together."""
    return tuple((unit,) for unit in units)


def _chains(units: Iterable[Unit]) -> tuple[tuple[Unit, ...], ...]:
    """The rows of the derivation, chain by chain; other rows one by one."""
    found: list[tuple[Unit, ...]] = []
    for unit in units:
        sheet = unit.piece.sheet
        shown = sheet.table.rows[0][1][0] if sheet and sheet.table.kind == "derivation" else None
        if found and isinstance(shown, Formula) and shown.sides[0].relation:
            found[-1] = (*found[-1], unit)
        else:
            found.append((unit,))
    return tuple(found)


def ends(words: Words) -> bool:
    """Whether a paragraph ends a sentence; one that does not introduces what follows."""
    return bool(words) and str(words[-1]).rstrip().endswith((".", "。"))


def thought_of(block: Block, symbols: Symbols, slide: Slide) -> Thought:
    """A block in units."""
    name = type(block).__name__
    match block:
        case Prose(words):
            return Thought(_single(_prose_units(block, symbols, slide)), name, not ends(words))
        case Display(shown):
            broken = lines(shown.sides, symbols, slide.width, slide.together)
            heights = [max(LINE, line.size.height + 0.5) for line in broken]
            pieces = [Piece(block, (line,), continues=bool(at)) for at, line in enumerate(broken)]
            return Thought((_units(pieces, heights, SKIP[name]),), _kind(shown, symbols))
        case Table():
            return Thought(_chains(_table_units(block, symbols, slide)), name)
        case Listing(_, text):
            rows = text.rstrip("\n").split("\n")
            pieces = [Piece(replace(block, text=row), continues=bool(at)) for at, row in enumerate(rows)]
            heights = [CODE_LINE * max(1, ceil(len(row) / CODE_WIDTH)) for row in rows]
            return Thought(_single(_units(pieces, heights, SKIP[name])), name)
        case Figure(_, drawing):
            unit = Unit(Piece(block), figure_height(drawing, slide) + SKIP[name])
            return Thought(((unit,),), name)
    raise TypeError(block)


def figure_height(drawing: Drawing, slide: Slide) -> float:
    """The height of a figure, which is set smaller where it would not fit on a slide below its sentence."""
    wide, high = (float(side) * PIXEL for side in drawing.size)
    return high * min(1.0, slide.width / wide, (slide.height - SKIP["Figure"] - LEAD) / high)


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
    for word in single_words(block.words):
        longer = merged_words((*held, *word))
        if held and sheets.words_height(longer, symbols, slide.width) > most:
            parts.append(held)
            longer = merged_words(word[1:] if word[0] == " " else word)
        held = longer
    for at, words in enumerate([*parts, held]):
        height = sheets.words_height(words, symbols, slide.width) + SKIP["Prose"]
        yield Unit(Piece(replace(block, words=words), continues=bool(at)), height)


def single_words(words: Words) -> Iterator[Words]:
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


def merged_words(words: Words) -> Words:
    """Words with neighbouring strings joined."""
    found: list[Inline] = []
    for word in words:
        if isinstance(word, str) and found and isinstance(found[-1], str):
            found[-1] += word
        else:
            found.append(word)
    return tuple(found)
