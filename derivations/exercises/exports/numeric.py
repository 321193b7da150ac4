"""Numbers as learning systems compare them: decimals with a room to both sides; questions for one of them."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import floor

from derivations.exercises.bank import Answer, Bank, Item, at_places
from derivations.exercises.merging import Option

FINER = 6  # decimal places of a room after those of an answer


def beyond(room: Fraction, places: int) -> Fraction:
    """The least decimal of `FINER` further places that is more than a number; 0 stays 0."""
    unit = 10 ** (places + FINER)
    return Fraction(floor(room * unit) + 1, unit) if room else room


def tolerances(answer: Answer, places: int) -> tuple[Fraction, Fraction]:
    """How far below and above the printed answer an answer is accepted.

    Decimals that are never less than what the bank accepts: a little more, so that its ends are inside
    however a system rounds; 0 stays 0.
    """
    key = answer.printed.value
    return beyond(key - answer.accepted.low, places), beyond(answer.accepted.high - key, places)


def ways(answer: Answer, places: int) -> tuple[tuple[Fraction, Fraction], ...]:
    """What is accepted as numbers with one room to both sides: the printed answer, and where more is accepted
    on one side of it, the middle of all with half of its width.
    """
    key, (below, above) = answer.printed.value, tolerances(answer, places)
    near = (key, min(below, above))
    return (near,) if below == above else (near, (key + (above - below) / 2, (above + below) / 2))


def handed_in(option: Option, places: int) -> tuple[str, Fraction]:
    """A wrong number as it is handed in, and its room: none if it is exact, else what rounding takes."""
    printed = at_places(option.value, places)
    return printed.text, Fraction(0) if printed.exact else beyond(Fraction(1, 2 * 10**places), places)


def alone(item: Item, answer: Answer) -> Item:
    """A variant that asks for one of its answers only."""
    return replace(item, answers=(answer,))


def named(answer: Answer, item: Item, bank: Bank) -> str:
    """The name of a question for one answer: its variant, and what is asked, as ``a line 03, 1:dL/dw``."""
    return f"{bank.of.spec.title} {item.number:0{len(str(bank.table.count))}}, {answer.asked.key}"
