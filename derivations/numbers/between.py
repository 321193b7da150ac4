"""Exact intervals: a number system in which a value is a number, or any number between two.

A number is an ``fmpq``, as in `derivations.numbers.systems`; everything else is a `Between`, whose ends
are rational. What is irrational has ends that are rounded outwards at the precision of the caller. An
operation gives the smallest interval for operands that are independent of each other; one and the same
operand twice, as in a square, is known to be one. `freely_rounded` is a student who may round every
result, half up or half to even, or keep it: each operation is widened to what rounding can make of it.

A quotient by what may be zero, or a root of what may be negative, raises `Undecided`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

from flint import arb, fmpq

from derivations.catalogue import functions
from derivations.language.errors import ArithmeticFault
from derivations.language.parser import parse
from derivations.language.tree import Expr, Ref, walk
from derivations.numbers.systems import (
    EXACT,
    NumberSystem,
    Unary,
    Undecided,
    Value,
    ball,
    bounds,
    divide,
    power,
    rational,
)
from derivations.numbers.walker import Place, evaluated, formula_of, formula_with

MAX_HEIGHT = 1_024  # bits of an end before it is rounded outwards
RISING = ("exp", "log", "sqrt", "erf", "sign", "step", "floor")
LEAST = {"log": fmpq(0), "sqrt": fmpq(0)}
SLIVER = fmpq(1, 2**16)  # the part of a piece, beside a kink, on which nothing is said of the slope
HALVINGS = 8


@dataclass(frozen=True, slots=True)
class Between:
    """All numbers from ``low`` to ``high``.

    ``attained``: both ends are results themselves, of operands at their ends; else they are only bounds.
    """

    low: Any
    high: Any
    attained: bool = True

    def __contains__(self, value: Value) -> bool:
        return bool(self.low <= value <= self.high)


def ends(value: Value) -> tuple[Any, Any]:
    """The lowest and the highest number that a value, a ball or an interval may be."""
    if isinstance(value, Between):
        return value.low, value.high
    if isinstance(value, arb):
        low, high = bounds(value)
        return rational(low), rational(high)
    return value, value


def interval(low: Any, high: Any, attained: bool = True) -> Value:
    """The numbers between two, or the number itself where both are the same."""
    if low == high:
        return outward(low)
    return Between(_below(low), _above(high), attained)


def outward(value: Value) -> Value:
    """A number or a ball as a value of this system; a very long number is taken between two shorter ones."""
    if isinstance(value, Between):
        return value
    if isinstance(value, arb):
        low, high = ends(value)
        return low if low == high else interval(low, high)
    return Between(_below(value), _above(value)) if value.height_bits() > MAX_HEIGHT else value


def hull(values: Sequence[Value]) -> Value:
    """The smallest interval that holds some values."""
    if len(values) == 1:
        return values[0]
    pairs = [ends(value) for value in values]
    return interval(min(low for low, _ in pairs), max(high for _, high in pairs), attained(*values))


def attained(*values: Value) -> bool:
    """Whether the ends of all values are results themselves."""
    return all(value.attained for value in values if isinstance(value, Between))


def _below(value: Any) -> Any:
    return value if value.height_bits() <= MAX_HEIGHT else ball(value).lower().mid().fmpq()


def _above(value: Any) -> Any:
    return value if value.height_bits() <= MAX_HEIGHT else ball(value).upper().mid().fmpq()


# --- Arithmetic ------------------------------------------------------------------------------------------


def _add(a: Value, b: Value) -> Value:
    if type(a) is fmpq and type(b) is fmpq:
        return a + b
    (low, high), (least, most) = ends(a), ends(b)
    return interval(low + least, high + most, attained(a, b))


def _sub(a: Value, b: Value) -> Value:
    if type(a) is fmpq and type(b) is fmpq:
        return a - b
    (low, high), (least, most) = ends(a), ends(b)
    return fmpq(0) if a is b else interval(low - most, high - least, attained(a, b))


def _mul(a: Value, b: Value) -> Value:
    if type(a) is fmpq and type(b) is fmpq:
        return a * b
    return _even(a, 2) if a is b else _at_corners(lambda x, y: x * y, a, b)


def _div(a: Value, b: Value) -> Value:
    if type(a) is fmpq and type(b) is fmpq:
        return divide(a, b)
    low, high = ends(b)
    if low <= 0 <= high and low != high:
        raise Undecided("division by a number that may be zero")
    return fmpq(1) if a is b else _at_corners(divide, a, b)


def _at_corners(operation: Callable[[Any, Any], Value], a: Value, b: Value) -> Value:
    """An operation that rises or falls in each operand, whatever the other is."""
    found = hull([outward(operation(x, y)) for x in ends(a) for y in ends(b)])
    return interval(*ends(found), attained(a, b))


def _power(a: Value, b: Value) -> Value:
    if not isinstance(b, Between) and b.q == 1 and isinstance(a, Between):
        return _whole_power(a, int(b.p))
    if isinstance(a, Between):
        _check_domain(a, "log" if isinstance(b, Between) or b < 0 else "sqrt")
    return _at_corners(power, a, b)


def _whole_power(a: Between, n: int) -> Value:
    if n < 0:
        return _div(fmpq(1), _whole_power(a, -n))
    return _even(a, n) if n % 2 == 0 else _at_corners(power, a, fmpq(n))


def _even(a: Value, n: int) -> Value:
    """An even power, whose least value is at 0 if that lies inside."""
    found = _at_corners(power, a, fmpq(n))
    low, high = ends(a)
    return interval(fmpq(0), ends(found)[1], False) if low < 0 < high and n else found


def _check_domain(a: Value, name: str) -> None:
    low, high = ends(a)
    least = LEAST.get(name)
    if least is None or low > least or (low == least and name == "sqrt"):
        return
    if low != high and high >= least:
        raise Undecided(f"{name} of a number that may be outside its domain")


# --- Functions -------------------------------------------------------------------------------------------


def _lift(name: str, function: Unary) -> Unary:
    if name in ("max", "min"):
        choose = max if name == "max" else min

        def chosen(a: Value, b: Value) -> Value:
            (low, high), (least, most) = ends(a), ends(b)
            return a if a is b else interval(choose(low, least), choose(high, most), attained(a, b))

        return chosen
    if not functions.BY_NAME[name].arguments:
        return lambda _: outward(function(None))
    image = _at_ends(name, function) if name in RISING else _Image(name, function)
    return lambda a: image(a) if isinstance(a, Between) else outward(function(a))


def _at_ends(name: str, function: Unary) -> Unary:
    def rising(a: Between) -> Value:
        _check_domain(a, name)
        return hull([outward(function(end)) for end in ends(a)])

    return lambda a: interval(*ends(rising(a)), a.attained)


@dataclass(frozen=True)
class _Image:
    """What a function makes of an interval, piece by piece between its kinks.

    Where its slope has one sign the ends decide; else what the formula gives for intervals holds it.
    """

    name: str
    function: Unary

    def __call__(self, a: Between) -> Value:
        if _reads(self.name) == 1:
            return _formula(self.name, self.function)(a)
        cuts = [a.low, *(kink for kink in _kinks(self.name) if a.low < kink < a.high), a.high]
        found = hull([self.piece(low, high) for low, high in pairwise(cuts)])
        return interval(*ends(found), attained(a, found))

    def piece(self, low: Any, high: Any) -> Value:
        """The image of a piece, at whose ends there may be kinks, even jumps."""
        if not {low, high} & set(_kinks(self.name)):
            return self.smooth(low, high, HALVINGS)
        at_ends = hull([self.at(low), self.at(high)])
        whole = self.bounded(low, high)
        if ends(at_ends) == ends(whole):
            return at_ends
        room = (high - low) * SLIVER
        beside = [self.bounded(low, low + room), self.bounded(high - room, high)]
        return hull([*beside, self.smooth(low + room, high - room, HALVINGS)])

    def smooth(self, low: Any, high: Any, halvings: int) -> Value:
        """The image of a piece without kinks."""
        slope = slopes(self.name, low, high)
        if slope is not None and (slope >= 0 or slope <= 0):
            return hull([self.at(low), self.at(high)])
        if not halvings and slope is None:
            return self.bounded(low, high)
        middle = (low + high) / 2
        if not halvings:  # the mean value theorem
            around = _add(self.at(middle), _mul(outward(slope), Between(low - middle, high - middle)))
            return interval(*ends(around), False)
        found = hull([self.smooth(low, middle, halvings - 1), self.smooth(middle, high, halvings - 1)])
        return interval(*ends(found), False)

    def at(self, value: Any) -> Value:
        return outward(self.function(value))

    def bounded(self, low: Any, high: Any) -> Value:
        found = _formula(self.name, self.function)(Between(low, high))
        return interval(*ends(found), False)


def slopes(name: str, low: Any, high: Any) -> Any:
    """The ball of all slopes of a function between two numbers; None where they are not bounded."""
    argument = ball(low).union(ball(high))
    try:
        return ball(evaluated(_slope_of(name), Place({}, lambda *_: argument), EXACT))
    except (Undecided, ArithmeticFault):
        return None


@cache
def _slope_of(name: str) -> Expr:
    return parse(functions.BY_NAME[name].slope, functions.NAMES)


@cache
def _kinks(name: str) -> tuple[Any, ...]:
    found = (
        evaluated(parse(kink, functions.NAMES), Place({}, lambda *_: None), EXACT) for kink in _own(name)
    )
    return tuple(sorted(found))


def _own(name: str) -> Iterator[str]:
    yield from functions.BY_NAME[name].kinks


@cache
def _reads(name: str) -> int:
    """How often a formula reads its argument; what reads it once is as tight as can be."""
    row = functions.BY_NAME[name]
    if not row.formula:
        return 0
    (letter,) = row.arguments
    return sum(node == Ref(letter) for node in walk(formula_with(name, (Ref(letter),))))


def _formula(name: str, function: Unary) -> Unary:
    """A formula in this system; a primitive over the ball that holds an interval."""
    if functions.BY_NAME[name].formula:
        return formula_of(name, BETWEEN)
    return lambda a: outward(function(ball(a.low).union(ball(a.high))))


BETWEEN = NumberSystem("between", rational, _add, _sub, _mul, _div, _power, _lift)


# --- Rounding --------------------------------------------------------------------------------------------


def is_short(value: Value, places: int) -> bool:
    """Whether a value is a decimal with at most so many places, which rounding leaves as it is."""
    return isinstance(value, fmpq) and bool(10**places % value.q == 0)


def roundings(value: Any, places: int) -> tuple[Any, ...]:
    """A number rounded half up (away from zero) and half to even: one number, two for some ties."""
    scale = 10**places
    whole, rest = divmod(value.p * scale, value.q)
    side = 2 * rest - value.q
    if side:
        return (fmpq(whole + (side > 0), scale),)
    up, even = whole + (value > 0), whole + whole % 2
    return (fmpq(up, scale),) if up == even else (fmpq(up, scale), fmpq(even, scale))


def grid(value: Value, places: int) -> Value:
    """What rounding may make of a value: from the least rounding of its low end to the most of its high."""
    low, high = ends(value)
    return interval(min(roundings(low, places)), max(roundings(high, places)), attained(value))


def widened(value: Value, places: int) -> Value:
    """A value, rounded or not."""
    return value if is_short(value, places) else hull([value, grid(value, places)])


def freely_rounded(places: int) -> NumberSystem:
    """Every result as it is or rounded to so many places, half up or half to even, whichever is chosen.

    Numbers that are given (data, hyper-parameters) and coefficients such as 2/n stay exact, as in
    `derivations.numbers.systems.rounded`.
    """

    def after(operation: Callable[..., Value]) -> Callable[..., Value]:
        return lambda *operands: widened(operation(*operands), places)

    return NumberSystem(
        f"kept or rounded to {places}",
        rational,
        after(_add),
        after(_sub),
        after(_mul),
        after(_div),
        after(_power),
        lambda name, function: after(_lift(name, function)),
    )
