"""Whether the printed numbers of a line give its value, as far as their last digits allow.

It shares nothing with the writer: the printed digits alone are read. A number that has all the places of the
page may be rounded, by half a unit of the last one; one with fewer ends there.
"""

from __future__ import annotations

from fractions import Fraction

from flint import arb

from derivations.language.errors import ArithmeticFault, LanguageError
from derivations.language.tree import REDUCTIONS, Call, Count, Expr, Number, Pow, Ref, transform, walk
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

    found = _worked(transform(numbers, rule), given)
    if found is None or not ball(found).is_finite():
        return True
    return bool(ball(found).overlaps(ball(_within(value, places))))


def instead(numbers: Expr, value: Number) -> Value | None:
    """What printed numbers give as they stand, if that is far from the printed value.

    It is far where it is off by more than a unit of the last digit and by more than a hundredth. None where
    it is near, or where it cannot be said.
    """
    if any(isinstance(node, (Ref, Count, *REDUCTIONS)) for node in walk(numbers)):
        return None
    found = _worked(numbers, [])
    if found is None or not ball(found).is_finite():
        return None
    wanted = ball(EXACT.number(value.value))
    apart = abs(ball(found) - wanted)
    return found if apart > ball(EXACT.number(_unit(value))) and 100 * apart > abs(wanted) else None


def _worked(numbers: Expr, given: list[Value]) -> Value | None:
    """The value of an expression, read as the numbers at these places; None where it has none."""
    algebra, place = Direct(EXACT), Place(sizes={}, read=lambda ref, _: given[int(ref.name)])
    try:
        return algebra.settled(Walker(algebra, place).pointwise(transform(numbers, _two_by_two), {}))
    except (ArithmeticFault, LanguageError, Undecided, ValueError):
        return None


def _two_by_two(node: Expr) -> Expr | None:
    """The largest of many: of the first, and the largest of the others."""
    if not isinstance(node, Call) or node.function not in ("max", "min") or len(node.arguments) < 3:
        return None
    first, *others = (transform(part, _two_by_two) for part in node.arguments)
    rest = Call(node.function, tuple(others))
    return Call(node.function, (first, _two_by_two(rest) or rest))


def _within(number: Number, places: int) -> Value:
    """All numbers that are printed with these digits."""
    mantissa, _, power = number.text.lower().partition("e")
    decimals = len(mantissa.partition(".")[2])
    whole = (
        len(mantissa.strip("-").replace(".", "")) <= LONG
    )  # a longer one may have been cut before its places
    if not power and decimals < places and whole:
        return EXACT.number(number.value)
    half = _unit(number) / 2
    return arb(ball(EXACT.number(number.value)), ball(EXACT.number(half)))


def _unit(number: Number) -> Fraction:
    """One of the last digit of a number."""
    mantissa, _, power = number.text.lower().partition("e")
    return Fraction(10) ** (int(power or 0) - len(mantissa.partition(".")[2]))
