"""Number systems: what the evaluator computes with.

`EXACT` is rational arithmetic (FLINT's ``fmpq``) that turns into real balls with proved error
bounds (``arb``) where a value is irrational or has outgrown `MAX_BITS`. `rounded` is the
arithmetic of a student with a calculator. A comparison that a ball cannot decide raises
`Undecided`, and the caller doubles the precision; nothing is ever picked silently.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeAlias

from flint import arb, ctx, fmpq, fmpz

from derivations.language.errors import ArithmeticFault

Value: TypeAlias = Any  # fmpq | arb; python-flint ships no common type
Binary: TypeAlias = Callable[[Value, Value], Value]
Unary: TypeAlias = Callable[..., Value]  # of one value; max and min of two

MAX_BITS, MAX_EXPONENT = 100_000, 1_000_000
GUARD = 64  # bits beyond those of a ball, so that looking at it does not widen it


class Undecided(ArithmeticError):
    """The precision is too small to decide a comparison, a division or a digit."""


@dataclass(frozen=True)
class NumberSystem:
    """The operations of an arithmetic.

    ``lift`` makes the system's own function from a name and a function of exact values (or balls):
    the function itself for exact work, rounding of its result for a calculator.
    """

    name: str
    number: Callable[[Fraction], Value]
    add: Binary
    sub: Binary
    mul: Binary
    div: Binary
    power: Binary
    lift: Callable[[str, Unary], Unary]


@contextmanager
def precision(bits: int) -> Iterator[None]:
    """Balls carry this many bits inside the block."""
    before = ctx.prec
    ctx.prec = bits
    try:
        yield
    finally:
        ctx.prec = before


def precise(value: Value) -> AbstractContextManager[None]:
    """Inside the block nothing is lost of a ball, whatever the precision that the caller works with."""
    known = isinstance(value, arb) and value.is_finite() and value.mid() != 0
    held = int(value.mid().man_exp()[0]).bit_length() if known else GUARD
    return precision(max(ctx.prec, held + GUARD))


def fraction(value: Any) -> Fraction:
    """The exact value of an ``fmpq`` (or anything like one) as a `Fraction`."""
    return Fraction(int(value.p), int(value.q))


def rational(value: Fraction) -> Any:
    """The ``fmpq`` of a `Fraction`."""
    return fmpq(value.numerator, value.denominator)


def bounds(value: Value) -> tuple[Fraction, Fraction]:
    """The exact ends of a ball; twice the value of an exact number."""
    if not isinstance(value, arb):
        return fraction(value), fraction(value)
    middle, radius = fraction(value.mid().fmpq()), fraction(value.rad().fmpq())
    return middle - radius, middle + radius


def ball(value: Value) -> Any:
    """The value as a ball at the current precision."""
    return value if isinstance(value, arb) else arb(value.p) / arb(value.q)


def multiply(a: Value, b: Value) -> Value:
    """``a*b``; an exact zero stays one, whatever the ball."""
    if type(a) is type(b):
        return a * b
    exact = b if isinstance(a, arb) else a
    return fmpq(0) if exact == 0 else a * b


def divide(a: Value, b: Value) -> Value:
    """``a/b``; zero is a fault, a ball that may be zero is undecided, an exact zero stays one."""
    if isinstance(b, arb):
        if b.contains(0):
            raise Undecided("division by a number that may be zero")
    elif b == 0:
        raise ArithmeticFault("division by zero")
    return a if not isinstance(a, arb) and a == 0 else a / b


def power(a: Value, b: Value) -> Value:
    """``a**b``: by multiplication for whole exponents, a square root for 1/2, 0 of 0, else exp(b log a)."""
    if isinstance(b, fmpq) and b.q == 1:
        return whole_power(a, int(b.p))
    if isinstance(b, fmpq) and b == fmpq(1, 2):
        return square_root(a)
    if a == 0 and b > 0:  # certain of a ball too, which must be no more than 0 itself
        return fmpq(0)
    return exponential(b * logarithm(a))


def whole_power(a: Value, n: int) -> Value:
    """``a**n`` for a whole ``n``; huge results become balls."""
    if abs(n) > MAX_EXPONENT:
        raise ArithmeticFault(f"the exponent {n} is too large to work with")
    if n < 0:
        return divide(fmpq(1), whole_power(a, -n))
    if isinstance(a, fmpq) and (a.height_bits() * n <= MAX_BITS or a in (0, 1, -1)):
        return a**n
    return _ball_power(ball(a), n)


def _ball_power(a: Value, n: int) -> Value:
    """By repeated squaring, which a ball around zero survives."""
    if n == 0:
        return fmpq(1)
    half = _ball_power(a, n // 2)
    return half * half * a if n % 2 else half * half


def _positive(a: Value, what: str, *, zero: bool = False) -> None:
    if isinstance(a, arb):
        if a.is_nan() or (a.contains(0) and not a.is_zero()):
            raise Undecided(f"{what} of a number that may not be positive")
        negative = a < 0 or (a.is_zero() and not zero)
    else:
        negative = a < 0 or (a == 0 and not zero)
    if negative:
        shown = a.str(6, radius=False) if isinstance(a, arb) else str(a)
        raise ArithmeticFault(f"{what} of {shown}, which is not positive")


def exponential(a: Value) -> Value:
    """``exp(a)``; exactly 1 at 0."""
    if not isinstance(a, arb) and a == 0:
        return fmpq(1)
    found = ball(a).exp()
    if not found.is_finite():
        raise ArithmeticFault("an exponential too large to work with")
    return found


def logarithm(a: Value) -> Value:
    """The natural logarithm; exactly 0 at 1."""
    _positive(a, "the logarithm")
    return fmpq(0) if not isinstance(a, arb) and a == 1 else ball(a).log()


def square_root(a: Value) -> Value:
    """The square root; exact for squares of rationals."""
    _positive(a, "the square root", zero=True)
    if isinstance(a, arb):
        return a.sqrt()
    p, q = fmpz(a.p).isqrt(), fmpz(a.q).isqrt()
    return fmpq(p, q) if p * p == a.p and q * q == a.q else ball(a).sqrt()


def sign(a: Value) -> Value:
    """-1, 0 or 1; a ball around zero is undecided."""
    if isinstance(a, arb) and a.contains(0) and not a.is_zero():
        raise Undecided("a number that may be positive or negative")
    return fmpq((a > 0) - (a < 0))


def step(a: Value) -> Value:
    """1 for a positive number, else 0."""
    return fmpq(int(sign(a) == 1))


def larger(a: Value, b: Value) -> Value:
    """The larger of two numbers; where balls overlap it is undecided which."""
    return a if sign(a - b) >= 0 else b


def smaller(a: Value, b: Value) -> Value:
    """The smaller of two numbers."""
    return a if sign(a - b) <= 0 else b


def floor(a: Value) -> Value:
    """The greatest whole number that is not above ``a``."""
    if not isinstance(a, arb):
        return fmpq(a.floor())
    found = a.floor().unique_fmpz()
    if found is None:
        raise Undecided("a whole number")
    return fmpq(found)


def cosine_of_pi(a: Value) -> Value:
    """``cos(pi*a)``, exact where it is rational: at multiples of 1/2 and of 1/3."""
    if isinstance(a, arb):
        return a.cos_pi()
    sixths = {0: 2, 2: 1, 3: 0, 4: -1, 6: -2, 8: -1, 9: 0, 10: 1}
    place = a * 6
    at = int(place.p) % 12 if place.q == 1 else -1
    return fmpq(sixths[at], 2) if at in sixths else ball(a).cos_pi()


def _at_zero(name: str, value: int) -> Unary:
    """A function of `arb` that has an exact value at 0."""
    function = getattr(arb, name)
    return lambda a: fmpq(value) if not isinstance(a, arb) and a == 0 else function(ball(a))


PRIMITIVES: dict[str, Unary] = {
    "pi": lambda _: arb.pi(),
    "sin": _at_zero("sin", 0),
    "cos": _at_zero("cos", 1),
    "cospi": cosine_of_pi,
    "erf": _at_zero("erf", 0),
    "floor": floor,
    "max": larger,
    "min": smaller,
    "exp": exponential,
    "log": logarithm,
    "sqrt": square_root,
    "sign": sign,
    "step": step,
}
EXACT = NumberSystem(
    "exact", rational, operator.add, operator.sub, multiply, divide, power, lambda _, function: function
)


def round_half_up(value: Value, places: int) -> Any:
    """The nearest multiple of 10^-places, halves away from zero, as pupils round."""
    scale = fmpz(10) ** places
    if isinstance(value, arb):
        scaled = (abs(value) * scale + arb(1) / 2).floor().unique_fmpz()
        if scaled is None:
            raise Undecided("a digit")
        return fmpq(-scaled if value < 0 else scaled, scale)
    scaled = (abs(value) * scale + fmpq(1, 2)).floor()
    return fmpq(-scaled if value < 0 else scaled, scale)


def rounded(places: int) -> NumberSystem:
    """Every sum, product, quotient, power and function value rounded and carried on rounded.

    Numbers that are given (data, hyper-parameters) and coefficients such as 2/n stay exact.
    """

    def after(operation: Callable[..., Value]) -> Callable[..., Value]:
        return lambda *operands: round_half_up(operation(*operands), places)

    return NumberSystem(
        f"carry {places}",
        rational,
        after(operator.add),
        after(operator.sub),
        after(operator.mul),
        after(divide),
        after(power),
        lambda _, function: after(function),
    )
