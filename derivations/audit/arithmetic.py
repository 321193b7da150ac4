"""Whether the printed numbers of a line give its value, as far as their last digits allow.

It shares nothing with the writer: the printed digits alone are read. A number that has all the places of the
page may be rounded, by half a unit of the last one; one with fewer ends there.
"""

from __future__ import annotations

from fractions import Fraction

from flint import arb

from derivations.language.errors import ArithmeticFault, LanguageError
from derivations.language.tree import Expr, Number, Pow, Ref, transform, walk
from derivations.numbers.systems import EXACT, Undecided, Value, ball
from derivations.numbers.walker import Direct, Place, Walker

LONG = 12


def gives(numbers: Expr, value: Number, places: int) -> bool:
    """Whether numbers that were put in can give a printed value; also where that cannot be decided."""
    if any(isinstance(node, Ref) for node in walk(numbers)):
        return True  # dots stand for terms
    given: list[Value] = []

    def rule(node: Expr) -> Expr | None:
        if isinstance(node, Pow):
            return Pow(transform(node.base, rule), node.exponent)
        if not isinstance(node, Number):
            return None
        given.append(_within(node, places))
        return Ref(str(len(given) - 1))

    marked = transform(numbers, rule)
    algebra, place = Direct(EXACT), Place(sizes={}, read=lambda ref, _: given[int(ref.name)])
    try:
        found = ball(algebra.settled(Walker(algebra, place).pointwise(marked, {})))
    except (ArithmeticFault, LanguageError, Undecided, ValueError):
        return True
    return bool(found.overlaps(ball(_within(value, places)))) or not found.is_finite()


def _within(number: Number, places: int) -> Value:
    """All numbers that are printed with these digits."""
    mantissa, _, power = number.text.lower().partition("e")
    decimals = len(mantissa.partition(".")[2])
    whole = (
        len(mantissa.strip("-").replace(".", "")) <= LONG
    )  # a longer one may have been cut before its places
    if not power and decimals < places and whole:
        return EXACT.number(number.value)
    half = Fraction(1, 2) * Fraction(10) ** (int(power or 0) - decimals)
    return arb(ball(EXACT.number(number.value)), ball(EXACT.number(half)))
