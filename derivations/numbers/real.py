"""The numbers that a user of Python holds: floats that know what they are exactly, or within which bounds.

Inside, the package works with FLINT's ``fmpq`` and ``arb`` (`derivations.numbers.systems`); a `Real` is made
where a value is handed out.
"""

from __future__ import annotations

import copyreg
import math
import operator
from collections.abc import Callable
from decimal import MAX_EMAX, MIN_EMIN, ROUND_05UP, Context, Decimal
from fractions import Fraction
from numbers import Rational
from typing import Any, Protocol, overload

from flint import arb, fmpq

from derivations.numbers.float64 import nearest_float
from derivations.numbers.systems import Undecided, Value, bounds, divide, floor, power, precision, rational

BITS, LONGEST, SHOWN, OF_FLOAT = 128, 40, 17, 15


class Exactly(Protocol):
    """An operation, exact with whole numbers, fractions and its like; with a float it gives a float."""

    @overload
    def __call__(self, other: Real | Fraction | int, /) -> Real: ...
    @overload
    def __call__(self, other: float, /) -> float: ...


def _operation(name: str, exact: Callable[[Value, Value], Value]) -> Any:
    """``a name b`` in FLINT's arithmetic if both sides are exact or balls, else in float64."""
    rough = getattr(float, name)

    def work(self: Real, other: Any) -> Any:
        if not isinstance(other, Real | Rational):
            return rough(self, other)
        raw = _raw(other)
        with precision(max(_bits(self.raw), _bits(raw))):
            return Real(exact(self.raw, raw))

    return work


def _both(name: str, exact: Callable[[Value, Value], Value]) -> tuple[Any, Any]:
    """The operation and the one for a left side that is no `Real`."""
    return _operation(f"__{name}__", exact), _operation(f"__r{name}__", lambda a, b: exact(b, a))


def _comparison(holds: Callable[[Any, Any], bool]) -> Any:
    """An exact comparison with numbers; whatever else there is, such as pytest's ``approx``, gets a float."""

    def work(self: Real, other: Any) -> Any:
        raw = self.raw if self is other else _raw(other)
        return holds(float(self), other) if raw is None else holds(_side(self.raw, raw), 0)

    return work


def _whole(function: Callable[..., Any]) -> Any:
    """A rounding: exactly, or of both ends of a ball, which must agree."""

    def work(self: Real, *digits: int) -> Any:
        low, high = function(self.lower, *digits), function(self.upper, *digits)
        if low != high:
            raise Undecided(f"{self} is not known well enough to be rounded")
        return Real(low) if digits else low

    return work


def _quotient(a: Value, b: Value) -> Value:
    if not isinstance(b, arb) and b == 0:
        raise ZeroDivisionError("division by zero")
    return divide(a, b)


def _below(a: Value, b: Value) -> Value:
    return floor(_quotient(a, b))


class Real(float):
    """A real number: a rational exactly, or a ball around it with a proved bound.

    As a float it is the float64 nearest to the number (to the middle of its ball), so that whatever takes
    floats takes it: ``json``, NumPy, ``torch.tensor``. Comparisons are exact, and so is arithmetic with whole
    numbers, fractions and other numbers of this kind; with a float it gives a float, and so does a `Fraction`
    on the left. Where a ball cannot decide a comparison, `Undecided` is raised: nothing is guessed.

    >>> third = Real(Fraction(1, 3))
    >>> third * 3 == 1, third == 1/3, f"{third:.20f}"
    (True, False, '0.33333333333333333333')
    """

    __slots__ = ("raw",)
    raw: Value

    def __new__(cls, value: Any) -> Real:
        """The number of an int, a float (exactly), a fraction, or a value of FLINT's."""
        raw = _raw(value)
        if raw is None:
            raise TypeError(f"expected a finite number, found {value!r}")
        if isinstance(raw, arb) and raw.is_exact():
            raw = raw.mid().fmpq()
        self = super().__new__(cls, _nearest(raw))
        self.raw = raw
        return self

    @property
    def exact(self) -> bool:
        """Whether the number is known exactly."""
        return isinstance(self.raw, fmpq)

    @property
    def lower(self) -> Fraction:
        """A number that is certainly not above it; the number itself if it is exact."""
        return bounds(self.raw)[0]

    @property
    def upper(self) -> Fraction:
        """A number that is certainly not below it; the number itself if it is exact."""
        return bounds(self.raw)[1]

    @property
    def bound(self) -> float:
        """How far the number may be from the middle of its ball; 0.0 if it is exact."""
        return math.nextafter(float((self.upper - self.lower) / 2), math.inf) if not self.exact else 0.0

    @property
    def real(self) -> Real:
        """The number itself, as every float has it."""
        return self

    def as_integer_ratio(self) -> tuple[int, int]:
        """Numerator and denominator; raises ValueError for a ball, which is no one fraction."""
        if not self.exact:
            raise ValueError(
                f"{self} is known within bounds only and is no one fraction: see its lower and upper, or "
                "take Fraction(float(…)); in a comparison with a Fraction it stands on the left"
            )
        return int(self.raw.p), int(self.raw.q)

    def is_integer(self) -> bool:
        """Whether it is a whole number."""
        return self.lower.denominator == 1 if self.exact else bool(self == math.floor(self.upper))

    __add__: Exactly
    __radd__: Exactly
    __sub__: Exactly
    __rsub__: Exactly
    __mul__: Exactly
    __rmul__: Exactly
    __truediv__: Exactly
    __rtruediv__: Exactly
    __floordiv__: Exactly
    __rfloordiv__: Exactly
    __mod__: Exactly
    __rmod__: Exactly
    __add__, __radd__ = _both("add", operator.add)
    __sub__, __rsub__ = _both("sub", operator.sub)
    __mul__, __rmul__ = _both("mul", operator.mul)
    __truediv__, __rtruediv__ = _both("truediv", _quotient)
    __floordiv__, __rfloordiv__ = _both("floordiv", _below)
    __mod__, __rmod__ = _both("mod", lambda a, b: a - _below(a, b) * b)
    __pow__, __rpow__ = _both("pow", power)
    __eq__ = _comparison(operator.eq)
    __ne__ = _comparison(operator.ne)
    __lt__ = _comparison(operator.lt)
    __le__ = _comparison(operator.le)
    __gt__ = _comparison(operator.gt)
    __ge__ = _comparison(operator.ge)
    __trunc__ = __int__ = _whole(math.trunc)
    __floor__, __ceil__, __round__ = _whole(math.floor), _whole(math.ceil), _whole(round)

    def __divmod__(self, other: Any) -> Any:
        return self // other, self % other

    def __rdivmod__(self, other: Any) -> Any:
        return other // self, other % self

    def __neg__(self) -> Real:
        return Real(-self.raw)

    def __pos__(self) -> Real:
        return self

    def __abs__(self) -> Real:
        return Real(abs(self.raw))

    def __bool__(self) -> bool:
        return bool(self != 0)

    def __hash__(self) -> int:
        return hash(self.lower) if self.exact else float.__hash__(self)

    def __repr__(self) -> str:
        if not self.exact:
            return str(self.raw.str(SHOWN)).replace("+/-", "±")
        text = str(self.raw)
        return text if len(text) <= LONGEST else f"≈ {self:.{SHOWN}g} (a fraction of {len(text)} digits)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        if spec == "" or (spec[-1:] not in "eEfFgGn%" and "." not in spec):
            return format(str(self), spec.removesuffix("s"))
        places = int("0" + spec.partition(".")[2].rstrip("eEfFgGn%_,"))
        if spec[-1] not in "fF%" and places <= OF_FLOAT:
            return float.__format__(self, spec)
        return self._decimal(spec, places)

    def _decimal(self, spec: str, places: int) -> str:
        """In decimals, from the exact value; raises `Undecided` for digits that a ball does not know."""
        low, middle, high = (
            format(_decimal(at, places), spec)
            for at in (self.lower, (self.lower + self.upper) / 2, self.upper)
        )
        if low != high and self.bound > float(10) ** -(places + 4):
            raise Undecided(f"{self} is not known to {places} places")
        return middle

    def __reduce__(self) -> tuple[type[Real], tuple[Value]]:
        return Real, (self.raw,)


def _raw(value: Any) -> Value | None:
    """A number as FLINT has it; None for a text, an infinity, or what is no number at all."""
    if isinstance(value, Real):
        return value.raw
    if isinstance(value, fmpq | arb):
        return value
    if isinstance(value, Rational):
        return rational(Fraction(int(value.numerator), int(value.denominator)))
    try:
        return rational(Fraction(*value.as_integer_ratio()))
    except (AttributeError, TypeError, ValueError, OverflowError):
        return None


def _side(a: Value, b: Value) -> int:
    """-1, 0 or 1: on which side of ``b`` ``a`` lies; where their balls overlap it is undecided."""
    if a is b:
        return 0
    (low, high), (other_low, other_high) = bounds(a), bounds(b)
    if high < other_low or other_high < low:
        return -1 if high < other_low else 1
    if low == high == other_low == other_high:
        return 0
    raise Undecided(
        f"{Real(a)!r} and {Real(b)!r} are too near to each other to be compared: their bounds overlap; "
        "compare float(…), or the distance with a tolerance"
    )


def _nearest(raw: Value) -> float:
    try:
        return nearest_float(raw)
    except OverflowError:
        return math.inf if raw > 0 else -math.inf


def _bits(raw: Value) -> int:
    return max(BITS, raw.bits()) if isinstance(raw, arb) else BITS


def _decimal(value: Fraction, places: int) -> Decimal:
    """A decimal that rounds to this many places as the fraction itself does."""
    whole = max(0, (value.numerator.bit_length() - value.denominator.bit_length()) * 30103 // 100000)
    context = Context(places + whole + LONGEST, ROUND_05UP, MIN_EMIN, MAX_EMAX, traps=[])
    return context.divide(Decimal(value.numerator), Decimal(value.denominator))


# --- FLINT's numbers, which pickle and copy with all that they know -----------------------------------------


def _rational_again(numerator: str, denominator: str) -> Value:
    return fmpq(int(numerator, 16), int(denominator, 16))


def _ball_again(middle: tuple[int, int], radius: tuple[int, int]) -> Value:
    """The ball, radius and all: FLINT adds a unit to a radius of 30 bits, so it is given half a unit less."""
    size, exponent = radius
    spare = 31 - size.bit_length()
    found = arb(middle, ((size << spare) - 1, exponent - spare)) if size else arb(middle)
    return found if _parts(found.rad()) == radius else arb(middle, radius)


def _rational_state(value: Any) -> tuple[Any, ...]:
    return _rational_again, (f"{int(value.p):x}", f"{int(value.q):x}")


def _ball_state(value: Any) -> tuple[Any, ...]:
    return _ball_again, (_parts(value.mid()), _parts(value.rad()))


def _parts(exact: Any) -> tuple[int, int]:
    mantissa, exponent = exact.man_exp()
    return int(mantissa), int(exponent)


copyreg.pickle(fmpq, _rational_state)
copyreg.pickle(arb, _ball_state)
