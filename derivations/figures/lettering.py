"""Labels as runs of letters, for formats without mathematics; and how much room they take."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from derivations.figures.drawing import STYLES, Label, Said
from derivations.notation.boxes import (
    Box,
    Fenced,
    Letter,
    Numeral,
    Operator,
    Root,
    Row,
    Scripts,
    Sign,
)
from derivations.notation.boxes import (
    Fraction as Over,
)
from derivations.notation.symbols import Symbols
from derivations.notation.typeset import typeset

COMBINING = {"": "", "hat": "\u0302", "bar": "\u0304", "tilde": "\u0303"}
SPACED = ("sum", "relation", "gradient")
NARROW, WIDE, WIDEST = frozenset("iljtfr.,:;'|()[]/ ′"), frozenset("mwMW%@∑≈=−+←→↔"), frozenset("…—")
BEFORE = {"start": Fraction(0), "middle": Fraction(1, 2), "end": Fraction(1)}  # the share left of a place
SCRIPT = Fraction(3, 4)  # the size of a script against its line


@dataclass(frozen=True, slots=True)
class Run:
    """Letters of one look: on the line (0), below (-1) or above it (1)."""

    text: str
    level: int = 0
    italic: bool = False


def runs(said: Said, symbols: Symbols) -> list[Run]:
    """A label as runs; neighbours of one look are one run."""
    found: list[Run] = []
    for part in said:
        new = [Run(part)] if isinstance(part, str) else list(_runs(typeset(part, symbols), symbols))
        for run in new:
            last = found[-1] if found else None
            if last and (last.level, last.italic) == (run.level, run.italic):
                found[-1] = replace(last, text=last.text + run.text)
            else:
                found.append(run)
    return found


def _runs(box: Box, symbols: Symbols) -> Iterator[Run]:
    match box:
        case Letter(text, style, accent):
            yield Run(unicodedata.normalize("NFC", text + COMBINING[accent]), italic=style == "italic")
        case Numeral(text):
            yield Run(symbols.marks.numeral(text))
        case Sign(text):
            yield Run(text)
        case Row(parts, role):
            for at, part in enumerate(parts):
                yield from [Run(" ")] if at and role in SPACED else []
                yield from _runs(part, symbols)
        case Over(above, below):
            yield from (*_runs(above, symbols), Run("/"), *_runs(below, symbols))
        case Scripts(base, below, above, primes):
            yield from _runs(base, symbols)
            yield from _scripts(below, -1, symbols)
            yield from [Run("′" * primes)] if primes else []
            yield from _scripts(above, 1, symbols)
        case Fenced(open_, body):
            yield from (Run(open_), *_runs(body, symbols), Run(box.close))
        case Root(body):
            yield from (Run("√("), *_runs(body, symbols), Run(")"))
        case Operator(text, below):
            yield from (Run(text), *_scripts(below, -1, symbols), Run(" "))


def _scripts(box: Box | None, level: int, symbols: Symbols) -> Iterator[Run]:
    if box is not None:
        yield from (replace(run, level=level) for run in _runs(box, symbols))


def flat(pieces: list[tuple[str, int]]) -> str:
    """Letters with their levels on one line: ``w_1``, ``10^−3``."""
    found, before = "", 0
    for text, level in pieces:
        found += {(0, -1): "_", (0, 1): "^", (1, -1): "_", (-1, 1): "^"}.get((before, level), "") + text
        before = level
    return found


def plain(said: Said, symbols: Symbols) -> str:
    """A label as plain text, for titles and descriptions."""
    return flat([(run.text, run.level) for run in runs(said, symbols)])


def width(said: Said, symbols: Symbols, size: int) -> Fraction:
    """Room enough for a label in any usual font of this size."""
    found = Fraction(0)
    for run in runs(said, symbols):
        letters = unicodedata.normalize("NFD", run.text)
        share = sum((_share(letter) for letter in letters), Fraction(0))
        found += share * size * (SCRIPT if run.level else 1)
    return found


def _share(letter: str) -> Fraction:
    """The width of a letter in parts of its size; on the safe side for common fonts."""
    if unicodedata.combining(letter):
        return Fraction(0)
    if unicodedata.east_asian_width(letter) in "WF" or letter in WIDEST:
        return Fraction(1)
    if letter in NARROW:
        return Fraction(40, 100)
    wide = letter in WIDE or letter.isupper()
    return Fraction(85, 100) if wide else Fraction(64, 100)


def extent(label: Label, symbols: Symbols) -> tuple[Fraction, Fraction, Fraction, Fraction]:
    """The box that a label takes: left, top, right, bottom."""
    size = STYLES[label.kind].size
    wide = width(label.said, symbols, size)
    left = label.at[0] - wide * BEFORE[label.anchor]
    return left, label.at[1] - size * Fraction(9, 10), left + wide, label.at[1] + size * Fraction(3, 10)
