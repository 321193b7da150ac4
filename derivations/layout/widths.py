"""Tables fitted to a width: which columns wrap, how much smaller the type is, which columns stand below.

A table that is too wide is set a little smaller first, never below four fifths; then its columns of words
and formulas wrap; a table of few rows of numbers is turned, rows for columns, where it then fits; any
other is split, and every part of it repeats the first column. Data only: `Sheet` by sheet.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Literal, TypeAlias

from derivations.document.blocks import Code, Inline, Table, Words, lone_number
from derivations.notation.boxes import Box
from derivations.notation.breaking import lines
from derivations.notation.chain import Formula
from derivations.notation.measure import TEXT, Size, measure_row, text_width
from derivations.notation.symbols import Symbols

Part: TypeAlias = Literal["", "beside", "below"]
SCALES = {1.0: 1.0, 0.91: 1.03, 0.82: 1.08}  # sizes of type, and how much wider letters are for their size
SPLIT = 0.91
FLOOR = 0.75  # the size of a formula that cannot be cut: 8 of 11 points
LARGE = ("derivation", "matrix")  # tables of formulas, which are set in display style
SPACED = (*LARGE, "quantities")  # rows with fractions need space between them
GAP, LINE, NARROW, WORDS = 1.2, 1.25, 9.0, 14.0
LITTLE, SLACK = 1.03, 1.1  # what formulas in a column, and words beside them, are wider than estimated
TURNING = ("data", "forward", "backward", "update", "summary")  # tables of numbers
FEW, MOST = 4, 36  # rows of a table that may be turned, and of what comes of it
HEAD = 11.0  # em that the heading of a column of numbers may take on a line
CODE = 0.53


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table, or a part of one, as it is set: ``widths`` in em of its type, None for as wide as the cells.

    ``continues`` says how it joins the part before it: further columns ("beside", the first column is
    repeated) or further rows ("below", the header is repeated). ``turned`` is true where the rows of
    ``table`` are the columns of the document's.
    """

    table: Table
    widths: tuple[float | None, ...]
    scale: float = 1.0
    continues: Part = ""
    turned: bool = False


def sheets(
    table: Table, symbols: Symbols, width: float, turns: bool = False, floor: float = FLOOR
) -> tuple[Sheet, ...]:
    """The table in sheets that are at most ``width`` em wide; one of few rows may be turned (``turns``).

    No column wraps where a formula that cannot be cut would be set smaller than ``floor`` of its size.
    """
    natural = [_natural(table, place, symbols) for place in range(len(table.align))]
    found = _wrapped(table, natural, width - GAP * len(natural)) if table.kind in LARGE else ()
    if found and _is_readable(table, found, symbols, floor):
        return (Sheet(table, found),)
    for scale, wider in SCALES.items():
        own = [one * wider for one in natural]
        if sum(own) * scale + GAP * len(own) <= width:
            return (Sheet(table, _stated(table, own), scale),)
    for scale, wider in SCALES.items():
        found = _wrapped(table, [one * wider for one in natural], (width - GAP * len(natural)) / scale)
        if found and _is_readable(table, found, symbols, floor / scale):
            return (Sheet(table, found, scale),)
    if turns and table.kind in TURNING and len(table.rows) <= FEW:
        other = turned(table)
        own = [_natural(other, place, symbols) for place in range(len(other.align))]
        if sum(own) + GAP * len(own) <= width and len(other.rows) <= MOST:
            return (Sheet(other, (None,) * len(own), turned=True),)
    return tuple(_split(table, natural, symbols, width))


def turned(table: Table) -> Table:
    """The table with its columns as rows; turned again it is the table, but for how its columns stand."""
    whole = [table.header, *table.rows]
    header, *rest = zip(*whole, strict=True)
    return replace(table, align="l" + "r" * len(table.rows), header=header, rows=tuple(rest), total=False)


def _stated(table: Table, natural: Sequence[float]) -> tuple[float | None, ...]:
    """Widths where nothing wraps: stated for tables of formulas, which may go over pages."""
    large = table.kind in LARGE
    return tuple(
        own if large and letter == "l" else None for own, letter in zip(natural, table.align, strict=True)
    )


def _wrapped(table: Table, natural: Sequence[float], room: float) -> tuple[float | None, ...]:
    """Widths where columns of words wrap and, if need be, of formulas; empty where they get too little."""
    wide = [at for at, letter in enumerate(table.align) if letter == "l"]
    formulas = [at for at in wide if all(_is_formula(row[at]) for row in table.rows)]
    words = [at for at in wide if at not in formulas]
    left = room - sum(own for at, own in enumerate(natural) if at not in wide)
    least = sum(min(natural[at], WORDS) for at in words)
    given = min(sum(natural[at] for at in formulas), left - least)
    found = _shared(natural, formulas, given) | _shared(natural, words, left - max(0, given))
    if not wide or any(width < min(natural[at], NARROW) for at, width in found.items()):
        return ()
    return tuple(found.get(at) for at in range(len(natural)))


def _is_readable(table: Table, widths: Sequence[float | None], symbols: Symbols, floor: float) -> bool:
    """Whether no formula is so much wider than its column that it would be set too small."""
    cells = (pair for row in table.rows for pair in zip(row, widths, strict=True))
    found = ((word, width) for cell, width in cells if width for word in cell if isinstance(word, Formula))
    return not floor or all(
        line.size.width * floor <= width + 0.01
        for word, width in found
        if chain_width(word, symbols) * floor > width
        for line in lines(word.sides, symbols, width)
    )


def _is_formula(words: Words) -> bool:
    return len(words) == 1 and isinstance(words[0], Formula)


def _shared(natural: Sequence[float], places: Sequence[int], room: float) -> dict[int, float]:
    """What columns get of a room: the narrow ones what they need, the others the rest in equal parts."""
    found: dict[int, float] = {}
    for done, at in enumerate(sorted(places, key=lambda place: natural[place])):
        found[at] = min(natural[at], (room - sum(found.values())) / (len(places) - done))
    return found


def _split(table: Table, natural: Sequence[float], symbols: Symbols, width: float) -> Iterator[Sheet]:
    """As many columns as fit beside the first, then the next; a single one that does not fit stands alone."""
    room = (width - GAP) / SPLIT - natural[0]
    held: list[int] = []
    groups: list[list[int]] = []
    for at in range(1, len(natural)):
        if held and sum(natural[one] + GAP / SPLIT for one in (*held, at)) > room:
            groups.append(held)
            held = []
        held = [*held, at]
    for place, group in enumerate([*groups, held]):
        part = columns(table, [0, *group])
        again = sheets(part, symbols, width, floor=0) if len(group) == 1 and "l" in part.align[1:] else ()
        fitted = again[0] if again else Sheet(part, (None,) * len(part.align), SPLIT)
        yield replace(fitted, continues="beside" if place else "")


def columns(table: Table, places: Sequence[int]) -> Table:
    """The table with some of its columns."""

    def picked(row: Sequence[Words]) -> tuple[Words, ...]:
        return tuple(row[at] for at in places)

    align = "".join(table.align[at] for at in places)
    return replace(table, align=align, header=picked(table.header), rows=tuple(map(picked, table.rows)))


def side_by_side(parts: Sequence[Table]) -> Table:
    """The table of which these are the columns, the first column repeated in each."""
    first, *others = parts
    for part in others:
        more = zip(first.rows, part.rows, strict=True)
        first = replace(
            first,
            align=first.align + part.align[1:],
            header=(*first.header, *part.header[1:]),
            rows=tuple((*row, *further[1:]) for row, further in more),
        )
    return first


def rows(sheet: Sheet, start: int, stop: int) -> Sheet:
    """The sheet with some of its rows; the last one is a row of sums only in the last part."""
    table = sheet.table
    total = table.total and stop == len(table.rows)
    part = replace(table, rows=table.rows[start:stop], total=total)
    return replace(sheet, table=part, continues="below" if start else sheet.continues)


# --- sizes ----------------------------------------------------------------------------------------------


def _natural(table: Table, place: int, symbols: Symbols) -> float:
    """The width of a column that does not wrap; decimals are aligned at their mark."""
    cells = [row[place] for row in table.rows]
    large = table.kind in LARGE
    found = [words_width(cell, symbols, large) for cell in cells]
    found.append(_heading_width(table.header[place], table.align[place], symbols))
    if table.align[place] != "d":
        return max(found) * (LITTLE if large else SLACK)
    texts = [number.text.lstrip("-") for cell in cells if (number := lone_number(cell)) and number.text]
    before = max((len(text.partition(".")[0]) for text in texts), default=0)
    after = max((len(text.partition("e")[0].partition(".")[2]) for text in texts), default=0)
    power = 3.2 if any("e" in text for text in texts) else 0
    about = (
        1.4 if any(isinstance(word, Formula) and word.sides[0].relation for c in cells for word in c) else 0
    )
    return max(*found, 0.5 * (before + after) + 1.1 + about + power)


def _heading_width(words: Words, letter: str, symbols: Symbols) -> float:
    """The width of a heading, whose formula is broken above a column of numbers."""
    wide = words_width(words, symbols)
    if wide <= head_width(letter) or len(words) != 1 or not isinstance(words[0], Formula):
        return wide
    return max(line.size.width for line in lines(words[0].sides, symbols, head_width(letter)))


def head_width(letter: str) -> float:
    """How wide a heading may be before its formula is broken."""
    return HEAD if letter == "d" else float("inf")


def chain_width(formula: Formula, symbols: Symbols) -> float:
    """The width of a chain on one line of text."""
    return measure_row(whole(formula, symbols), TEXT).width


def words_width(words: Words, symbols: Symbols, large: bool = False) -> float:
    """The width of a sentence on one line."""
    return sum(_inline_size(word, symbols, large).width for word in words)


def _inline_size(word: Inline, symbols: Symbols, large: bool = False) -> Size:
    if isinstance(word, Formula):
        return measure_row(whole(word, symbols), 0 if large else TEXT)
    if isinstance(word, Code):
        return Size(CODE * len(word.text))
    return Size(text_width(str(word)))


def whole(formula: Formula, symbols: Symbols) -> tuple[Box, ...]:
    """The boxes of a chain on one line."""
    return lines(formula.sides, symbols, float("inf"))[0].parts


def words_height(words: Words, symbols: Symbols, width: float) -> float:
    """The height of a paragraph of a width, a line at a time; formulas may make a line higher."""
    sizes = [_inline_size(word, symbols) for word in words]
    blocks = [one for one in words if isinstance(one, Formula) and chain_width(one, symbols) > width]
    inline = [size for word, size in zip(words, sizes, strict=True) if word not in blocks]
    broken = sum(lines_height(block, symbols, width) for block in blocks)
    count = max(1, ceil(sum(size.width for size in inline) * 1.1 / width))
    higher = sum(max(0, size.height - 1.1) for size in inline)
    return count * LINE + min(higher, count * 0.5) + broken


def lines_height(formula: Formula, symbols: Symbols, width: float) -> float:
    """The height of a chain that is broken to a width."""
    return sum(max(LINE, line.size.height + 0.3) for line in lines(formula.sides, symbols, width))


def cell_height(words: Words, symbols: Symbols, width: float | None, large: bool) -> float:
    """The height of a cell; a formula alone in a column that wraps is broken there."""
    if len(words) == 1 and isinstance(words[0], Formula) and (large or width):
        return lines_height(words[0], symbols, width or float("inf")) + (0.3 if large else 0)
    return words_height(words, symbols, width or float("inf"))


def row_heights(sheet: Sheet, symbols: Symbols) -> list[float]:
    """The heights of the header and of every row, in em of the page."""
    large = sheet.table.kind in LARGE
    heads = [
        width or head_width(letter) for letter, width in zip(sheet.table.align, sheet.widths, strict=True)
    ]
    columns = [(heads, sheet.table.header), *((sheet.widths, row) for row in sheet.table.rows)]
    space = 0.5 if sheet.table.kind in SPACED else 0
    return [
        space
        + sheet.scale
        * max(cell_height(cell, symbols, width, large) for cell, width in zip(row, widths, strict=True))
        for widths, row in columns
    ]
