"""What a page says of its numbers: whether they are exact, and to how many places they are printed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction

from flint import arb

from derivations.document.blocks import (
    Block,
    Display,
    Message,
    Prose,
    Table,
    Words,
    counted,
    message,
    phrase,
    phrases,
    say,
)
from derivations.language.tree import Number, walk
from derivations.notation.chain import Formula
from derivations.numbers.digits import LARGE, LEAST_DIGITS
from derivations.run.training import Trace

PLACES = phrases("{} decimal place", "{} decimal places")
SIGNIFICANT = phrases("{} significant digit", "{} significant digits")
EXACT_WORDS = phrase(
    "The calculation is exact; only what is printed is rounded, to {}. = means equal, ≈ means rounded."
)
KEPT_WORDS = phrase(
    "The calculation keeps more digits than are printed; only what is printed is rounded, to {}. "
    "= means equal, ≈ means rounded."
)
CARRIED_WORDS = phrase(
    "Every product, quotient, power, sum and function value is rounded to {} "
    "and carried on rounded, as with a pocket calculator; "
    "= stands where the printed numbers are equal."
)


def rounding_words(trace: Trace, worked: Iterable[Block]) -> Words:
    """How numbers are rounded; ``worked`` are the blocks in which they stand."""
    page, carry = trace.example.spec.page, trace.example.spec.training.carry
    if carry is not None:
        return say(CARRIED_WORDS, counted(*PLACES, carry))
    if page.significant:
        places = counted(*SIGNIFICANT, page.significant)
    else:
        places = _places(page.digits, list(map(Fraction, printed_texts(worked))))
    return say(EXACT_WORDS if is_rational(trace) else KEPT_WORDS, places)


def _places(digits: int, printed: list[Fraction]) -> Message:
    """Decimal places, and how numbers are printed for which they are too few or too many."""
    places = counted(*PLACES, digits)
    if any(value * 10**digits % 1 for value in printed):
        places = message("{}, small numbers to {}", places, counted(*SIGNIFICANT, LEAST_DIGITS))
    if any(_is_cut(value, digits + 1) for value in printed):
        places = message("{}, large numbers to {}", places, counted(*SIGNIFICANT, digits + 1))
    return places


def _is_cut(value: Fraction, digits: int) -> bool:
    """Whether a large number is printed with so many digits only; short whole numbers are printed in full."""
    return abs(value) >= LARGE and value % 10 == 0 and len(str(abs(value)).rstrip("0")) <= digits


def printed_texts(blocks: Iterable[Block]) -> Iterator[str]:
    """The digits of the numbers that end formulas and stand in cells: the values."""
    for block in blocks:
        match block:
            case Display(shown):
                found = [shown]
            case Prose(words):
                found = [part for word in words for part in _formulas(word)]
            case Table(_, _, _, rows):
                found = [part for row in rows for cell in row for word in cell for part in _formulas(word)]
            case _:
                found = []
        for node in (node for shown in found for node in walk(shown.sides[-1].expr)):
            if isinstance(node, Number) and node.text:
                yield node.text


def _formulas(part: object) -> Iterator[Formula]:
    """The formulas in a word of a document, at any depth."""
    if isinstance(part, Formula):
        yield part
    for inner in (*getattr(part, "parts", ()), *getattr(part, "items", ())):
        yield from _formulas(inner)


def is_rational(trace: Trace) -> bool:
    """Whether every value of the run is a fraction, and none a ball."""
    return not any(isinstance(value, arb) for step in trace.steps for value in step.memory)
