"""A document: blocks that every format prints in its own way. Numbers and formulas are trees here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from derivations.language.tree import Expr, Number
from derivations.notation.read import Side


@dataclass(frozen=True, slots=True)
class Formula:
    """A chain ``a = b ≈ c``, or a single expression."""

    sides: tuple[Side, ...]


@dataclass(frozen=True, slots=True)
class Code:
    """A short piece of verbatim text inside a sentence."""

    text: str


Inline: TypeAlias = str | Formula | Code
Words: TypeAlias = tuple[Inline, ...]


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of level 1 to 3."""

    level: int
    words: Words


@dataclass(frozen=True, slots=True)
class Prose:
    """A paragraph."""

    words: Words


@dataclass(frozen=True, slots=True)
class Display:
    """A formula on lines of its own."""

    formula: Formula


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells; ``align`` has one letter a column: l, r, c, or d for decimals.

    ``step`` is the number of the step whose values the cells are, ``total`` marks a last row of sums.
    """

    kind: str
    align: str
    header: tuple[Words, ...]
    rows: tuple[tuple[Words, ...], ...]
    total: bool = False


@dataclass(frozen=True, slots=True)
class Listing:
    """Code or its output, verbatim."""

    language: str
    text: str


Block: TypeAlias = Heading | Prose | Display | Table | Listing


@dataclass(frozen=True)
class Document:
    """A page: its blocks in order."""

    title: str
    blocks: tuple[Block, ...]


def formula(*sides: Expr | tuple[str, Expr]) -> Formula:
    """A formula from sides; a pair gives the relation that stands before a side (default ``=``)."""
    found = []
    for place, side in enumerate(sides):
        relation, expr = side if isinstance(side, tuple) else ("=" if place else "", side)
        found.append(Side(relation, expr))
    return Formula(tuple(found))


def lone_number(words: Words) -> Number | None:
    """The number of a cell that holds one number only."""
    word = words[0] if len(words) == 1 else ""
    if isinstance(word, Formula) and len(word.sides) == 1 and isinstance(word.sides[0].expr, Number):
        return word.sides[0].expr
    return None


def say(text: str, *parts: Expr | Formula | Code) -> Words:
    """A sentence: every ``{}`` of the text is the next of the parts."""
    pieces = text.split("{}")
    words: list[Inline] = [pieces[0]]
    for part, piece in zip(parts, pieces[1:], strict=True):
        words += [part if isinstance(part, (Formula, Code)) else formula(part), piece]
    return tuple(word for word in words if word != "")
