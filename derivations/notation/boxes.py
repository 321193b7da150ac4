"""Formulas as they are set: boxes, the common ground of LaTeX, Typst, MathML and line breaking.

`derivations.notation.typeset` makes them from the tree and decides about brackets, dots, fractions
and scripts once; a format only says how each box is written. Signs and letters are Unicode.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter or a word: ``w``, ``η``, ``ŷ`` (``accent`` is hat, bar or tilde), ``net``, ``tanh``, a bold 1.

    ``function`` is upright too and is applied to what follows.
    """

    text: str
    style: Literal["italic", "upright", "function", "bold"] = "italic"
    accent: Literal["", "hat", "bar", "tilde"] = ""


@dataclass(frozen=True, slots=True)
class Numeral:
    """A decimal without sign and exponent, canonical digits: ``10.5``; a format puts in the marks."""

    text: str


@dataclass(frozen=True, slots=True)
class Sign:
    """A sign between or before boxes: ``+ − · ⊙ ⊘ = ≈ ← , ∂ ∇ ⊤ … ′``."""

    text: str


@dataclass(frozen=True, slots=True)
class Row:
    """Boxes side by side; the role says what they are.

    ``sum`` and ``product`` have signs between their parts, ``sign`` is a minus and what it turns,
    ``apply`` a function and its bracket, ``operator`` a big operator (or ∂) and what it acts on,
    ``list`` arguments and ``indices`` subscripts with commas, ``relation`` a chain, ``gradient`` a ∇ and
    what it is taken of.
    """

    parts: tuple[Box, ...]
    role: Literal["sum", "product", "sign", "apply", "operator", "list", "indices", "relation", "gradient"]


@dataclass(frozen=True, slots=True)
class Fraction:
    """One box above another."""

    above: Box
    below: Box


@dataclass(frozen=True, slots=True)
class Scripts:
    """A base with a subscript, a superscript, and primes."""

    base: Box
    below: Box | None = None
    above: Box | None = None
    primes: int = 0


@dataclass(frozen=True, slots=True)
class Root:
    """A square root."""

    body: Box


Closing: TypeAlias = Literal[")", "]", "‖"]
CLOSING: dict[str, Closing] = {"(": ")", "[": "]", "‖": "‖"}


@dataclass(frozen=True, slots=True)
class Fenced:
    """A box in brackets, ``( )``, ``[ ]`` or ``‖ ‖``; tall ones grow with it."""

    open: Literal["(", "[", "‖"]
    body: Box
    tall: bool = False

    @property
    def close(self) -> Closing:
        """The bracket that belongs to ``open``."""
        return CLOSING[self.open]


@dataclass(frozen=True, slots=True)
class Delimiter:
    """One bracket alone, of a fixed height in em: its partner stands on another line."""

    text: Literal["(", "[", "‖"] | Closing
    height: float
    closes: bool = False


@dataclass(frozen=True, slots=True)
class Stack:
    """Lines one below another, left-aligned: what is inside a fraction that would be too wide."""

    rows: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class Operator:
    """``∑``, ``max`` or ``arg max`` with the index below."""

    text: Literal["∑", "max", "arg max"]
    below: Box


Box: TypeAlias = (
    Letter | Numeral | Sign | Row | Fraction | Scripts | Root | Fenced | Delimiter | Stack | Operator
)


def parts(box: Box) -> tuple[Box, ...]:
    """The boxes inside a box, in the order in which they are read."""
    match box:
        case Row(inside, _) | Stack(inside):
            return inside
        case Fraction(above, below):
            return above, below
        case Scripts(base, below, above):
            return tuple(part for part in (base, below, above) if part is not None)
        case Root(body) | Fenced(_, body) | Operator(_, body):
            return (body,)
    return ()


def walk(box: Box) -> Iterator[Box]:
    """A box and all boxes inside it."""
    yield box
    for part in parts(box):
        yield from walk(part)


def merged(box: Scripts) -> Scripts:
    """A base that brings its own subscript, as in the square of ``w_1``, with all scripts at one base."""
    inner = box.base
    if isinstance(inner, Scripts) and inner.above is None and box.below is None and not box.primes:
        return Scripts(inner.base, inner.below, box.above, inner.primes)
    return box
