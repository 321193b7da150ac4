"""Items of a finished file: what the reader of a format gives back."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

from derivations.document.blocks import Words
from derivations.notation.chain import Side


@dataclass(frozen=True, slots=True)
class Mathematics:
    """The source of a formula on the page.

    ``canonical`` is a number whose marks the format puts in itself, as siunitx does.
    """

    source: str
    canonical: bool = False


Piece: TypeAlias = str | Mathematics


Pieces: TypeAlias = tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Item:
    """A block of the page: Heading, Prose, Display, Table, Listing, or Figure with its file or its source."""

    kind: str
    pieces: Pieces = ()
    rows: tuple[tuple[Pieces, ...], ...] = ()
    text: str = ""


@dataclass(frozen=True, slots=True)
class Added:
    """Words or a formula that an author's template adds, behind so many blocks of the document."""

    place: int
    source: str
    sides: tuple[Side, ...] = ()


def merged(pieces: list[Piece]) -> Pieces:
    """Neighbouring texts put together, empty ones left out."""
    found: list[Piece] = []
    for piece in pieces:
        last = found[-1] if found else None
        if isinstance(piece, str) and isinstance(last, str):
            found[-1] = last + piece
        elif piece != "":
            found.append(piece)
    return tuple(found)


def joined(items: list[Item]) -> list[Item]:
    """Displays that start with a relation sign are put together with the one before."""
    found: list[Item] = []
    for item in items:
        source, before = _displayed(item), _displayed(found[-1]) if found else ""
        if before and source.startswith(("=", r"\approx", r"\leftarrow")):
            found[-1] = Item("Display", (Mathematics(f"{before} {source}"),))
        else:
            found.append(item)
    return found


def _displayed(item: Item) -> str:
    """The source of a displayed formula; empty for everything else."""
    first = item.pieces[0] if item.kind == "Display" else ""
    return first.source if isinstance(first, Mathematics) else ""


def dollar_pieces(text: str) -> Pieces:
    """Text, and formulas between dollars; escaped dollars are text."""
    parts = re.split(r"(?<!\\)\$((?:[^$\\]|\\.)*)(?<!\\)\$", text)
    return merged([Mathematics(part.strip()) if at % 2 else part for at, part in enumerate(parts)])


def source_of(pieces: Pieces) -> str:
    """What pieces are made of, formulas as their source."""
    return "".join(piece.source if isinstance(piece, Mathematics) else piece for piece in pieces)


def text_in(words: Words) -> str:
    """What words of a document say beside formulas."""
    return "".join(word for word in words if isinstance(word, str))
