"""Pieces of spreadsheet formulas with how tightly they bind, and how they are put together."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import TypeAlias

Text: TypeAlias = tuple[str, int]
Term: TypeAlias = tuple[bool, Text]

SUM, PRODUCT, SIGN, POWER, ATOM = range(5)
ZERO: Text = ("0", ATOM)
NOTHING: Text = ("#REF!", ATOM)  # an entry that does not exist: it may only be multiplied by 0
SHORTEST = 15  # digits that every spreadsheet reads in a formula


def numeral(value: Fraction) -> Text:
    """A number: a short decimal, a quotient of whole numbers, or the nearest float64."""
    decimal = Decimal(value.numerator) / Decimal(value.denominator)
    if Fraction(decimal) == value and len(decimal.as_tuple().digits) <= SHORTEST:
        found, level = f"{decimal.normalize():f}", ATOM
        found = found if len(found) <= SHORTEST else str(decimal.normalize())
    elif max(abs(value.numerator), value.denominator) < 10**SHORTEST:
        found, level = f"{value.numerator}/{value.denominator}", PRODUCT
    else:
        found, level = repr(float(value)).upper(), ATOM
    return found, SIGN if value < 0 else level


def inside(part: Text, least: int, *never: int) -> str:
    """The text, in brackets unless it binds tightly enough."""
    shown, level = part
    return shown if level >= least and level not in never else f"({shown})"


def signed(shown: str) -> Text:
    """A product; one that begins with a minus gets brackets wherever a sign may not stand."""
    return shown, SIGN if shown.startswith("-") else PRODUCT


def minus(part: Text) -> Text:
    """``-a``: a unary minus binds tighter than a power, so anything but an atom gets brackets."""
    return ZERO if part == ZERO else (f"-{inside(part, ATOM)}", SIGN)


def joined(terms: list[Term]) -> Text:
    """A sum without its zeros; a term that begins with a minus is a difference."""
    terms = [term for term in terms if term[1] != ZERO]
    if not terms:
        return ZERO
    taken, first = terms[0]
    found, level = minus(first) if taken else first
    for taken, (shown, binds) in terms[1:]:
        if taken:
            found += f"-{inside((shown, binds), PRODUCT, SIGN)}"
        else:
            found += shown if binds == SIGN else f"+{inside((shown, binds), PRODUCT)}"
        level = SUM
    return found, level


def product(parts: list[Text]) -> Text:
    """``a*b``: 0 if a factor is 0, and without the factors 1."""
    if ZERO in parts:
        return ZERO
    parts = [part for part in parts if part[0] != "1"] or [("1", ATOM)]
    if len(parts) == 1:
        return parts[0]
    rest = [inside(part, POWER) for part in parts[1:]]
    return signed("*".join([inside(parts[0], PRODUCT), *rest]))


def quotient(a: Text, b: Text) -> Text:
    """``a/b``"""
    return ZERO if a == ZERO else signed(f"{inside(a, PRODUCT)}/{inside(b, POWER)}")
