"""Intervals that remember where they come from: a number system of affine forms.

A value is ``middle + Σ part·ε`` over sources ε between -1 and 1, so that what two values owe to the same
rounding cancels or adds up as it must, up to the first order; what an operation bends is a source of its own
(Comba and Stolfi, Affine arithmetic and its applications to computer graphics, 1993). ``within`` is the
interval of `derivations.numbers.between` that the same value has, cut to what the form allows.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from flint import arb, fmpq

from derivations.catalogue import functions
from derivations.language.errors import ArithmeticFault
from derivations.numbers.between import (
    BETWEEN,
    Between,
    ends,
    grid,
    hull,
    interval,
    is_short,
    outward,
    slopes,
)
from derivations.numbers.systems import NumberSystem, Unary, Undecided, Value, precision, rational

_sources = itertools.count()
SHORT = 64  # bits of a part; what is cut off belongs to a source of its own


@dataclass(frozen=True, slots=True)
class Affine:
    """``middle + Σ parts[k]·ε_k`` with every ε between -1 and 1, and an interval that holds it."""

    middle: Any
    parts: Mapping[int, Any]
    within: Between


def range_of(value: Value) -> Value:
    """The interval of a value of this system."""
    return value.within if isinstance(value, Affine) else outward(value)


def sources_of(value: Value) -> Mapping[int, Any]:
    """The part that each source has in a value; the newest source has the highest number."""
    return value.parts if isinstance(value, Affine) else {}


def _form(value: Value) -> Affine:
    """A value as a form; an interval is a source of its own."""
    if isinstance(value, Affine):
        return value
    low, high = ends(value)
    parts = {next(_sources): (high - low) / 2} if low != high else {}
    return Affine((low + high) / 2, parts, Between(low, high, False))


def _made(middle: Any, parts: Mapping[int, Any], bent: Any, within: Value) -> Value:
    """A value that lies in a form, up to a source of its own, and in an interval."""
    short = {source: _short(part) for source, part in parts.items() if part != 0}
    centre = _short(middle)
    rest = bent + abs(middle - centre) + sum((abs(parts[k] - short[k]) for k in short), fmpq(0))
    if rest:
        short[next(_sources)] = _above(rest)
    radius = sum(map(abs, short.values()), fmpq(0))
    low, high = ends(within)
    cut = interval(max(low, centre - radius), min(high, centre + radius), False)
    return Affine(centre, short, cut) if isinstance(cut, Between) else cut


def _short(value: Any) -> Any:
    if value.height_bits() <= 2 * SHORT:
        return value
    with precision(SHORT):
        return (arb(value.p) / arb(value.q)).mid().fmpq()


def _above(value: Any) -> Any:
    if value.height_bits() <= 2 * SHORT:
        return value
    with precision(SHORT):
        return (arb(value.p) / arb(value.q)).upper().mid().fmpq()


def _mixed(a: Affine, b: Affine, x: Any, y: Any) -> dict[int, Any]:
    """The parts of ``x*a + y*b``."""
    found = {source: x * part for source, part in a.parts.items()}
    for source, part in b.parts.items():
        found[source] = found.get(source, fmpq(0)) + y * part
    return found


def _radius(a: Affine) -> Any:
    return sum(map(abs, a.parts.values()), fmpq(0))


def _points(*values: Value) -> bool:
    return all(type(value) is fmpq for value in values)


# --- Operations ------------------------------------------------------------------------------------------


def _linear(a: Value, b: Value, sign: int) -> Value:
    work = BETWEEN.add if sign > 0 else BETWEEN.sub
    if _points(a, b):
        return work(a, b)
    within = fmpq(0) if a is b and sign < 0 else work(range_of(a), range_of(b))
    x, y = _form(a), _form(b)
    return _made(x.middle + sign * y.middle, _mixed(x, y, fmpq(1), fmpq(sign)), fmpq(0), within)


def _mul(a: Value, b: Value) -> Value:
    if _points(a, b):
        return a * b
    within = BETWEEN.mul(range_of(a), range_of(b))
    x, y = _form(a), _form(b)
    parts, bent = _mixed(x, y, y.middle, x.middle), _radius(x) * _radius(y)
    if a is b:  # the square of what is added to the middle is not negative
        return _made(x.middle**2 + bent / 2, parts, bent / 2, within)
    return _made(x.middle * y.middle, parts, bent, within)


def _div(a: Value, b: Value) -> Value:
    if _points(a, b):
        return BETWEEN.div(a, b)
    within = fmpq(1) if a is b else BETWEEN.div(range_of(a), range_of(b))
    if isinstance(b, Affine) and _inside(b):
        below = BETWEEN.mul(b.within, b.within)
        inverse = _bent(b, lambda x: BETWEEN.div(fmpq(1), x), BETWEEN.div(fmpq(-1), below))
    else:
        inverse = BETWEEN.div(fmpq(1), range_of(b))
    return _cut(_mul(a, inverse), within)


def _cut(value: Value, within: Value) -> Value:
    """A value of which more is known."""
    if not isinstance(value, Affine):
        return value
    (low, high), (least, most) = ends(value.within), ends(within)
    cut = interval(max(low, least), min(high, most), False)
    return Affine(value.middle, value.parts, cut) if isinstance(cut, Between) else cut


def _bent(a: Affine, function: Callable[[Value], Value], slope: Value) -> Value:
    """A function by its slopes: ``f(m) + s (x - m)`` with the middle slope s, and the rest as a source."""
    low, high = ends(slope)
    start, least = ends(function(a.middle))
    middle, turn, bent = (start + least) / 2, (low + high) / 2, (high - low) / 2 * _radius(a)
    parts = {source: turn * part for source, part in a.parts.items()}
    return _made(middle, parts, bent + (least - start) / 2, function(a.within))


def _power(a: Value, b: Value) -> Value:
    found = BETWEEN.power(range_of(a), range_of(b))
    slope = _slope_of_power(a, b)
    if slope is None:
        return _form(found) if isinstance(found, Between) else found
    return _bent(a, lambda x: BETWEEN.power(x, b), slope)


def _slope_of_power(a: Value, b: Value) -> Value | None:
    """``b*x**(b - 1)``, where it is bounded."""
    if not isinstance(a, Affine) or type(b) is not fmpq or not _inside(a):
        return None
    try:
        return BETWEEN.mul(b, BETWEEN.power(a.within, b - 1))
    except (Undecided, ArithmeticFault):
        return None


def _inside(a: Affine) -> bool:
    """Whether the middle of a form lies in its interval, in which a function is known to exist."""
    return a.middle in a.within


def _lift(name: str, function: Unary) -> Unary:
    work = BETWEEN.lift(name, function)
    if name in ("max", "min"):
        return lambda a, b: _chosen(name, work, a, b)
    if not functions.BY_NAME[name].arguments:
        return work

    def image(a: Value) -> Value:
        if not isinstance(a, Affine):
            return work(outward(a))
        slope = slopes(name, a.within.low, a.within.high) if _smooth(name, a) else None
        if slope is None or not slope.is_finite():
            found = work(a.within)
            return _form(found) if isinstance(found, Between) else found
        return _bent(a, work, outward(slope))

    return image


def _smooth(name: str, a: Affine) -> bool:
    """Whether a function has its slopes in all of a form's interval, and the middle lies in it."""
    return _inside(a) and name not in ("step", "sign", "floor")


def _chosen(name: str, work: Unary, a: Value, b: Value) -> Value:
    """The larger or the smaller of two: one of them, where it is certain which."""
    (low, high), (least, most) = ends(range_of(a)), ends(range_of(b))
    if low >= most:
        return a if name == "max" else b
    if least >= high:
        return b if name == "max" else a
    return _form(work(range_of(a), range_of(b)))


# --- Rounding --------------------------------------------------------------------------------------------


def _rounded(value: Value, places: int) -> Value:
    """A value, rounded or not: what rounding adds is a source of its own."""
    within = range_of(value)
    if is_short(within, places):
        return within
    (low, high), (least, most) = ends(within), ends(grid(within, places))
    half = fmpq(1, 2 * 10**places)
    down, up = max(-half, min(fmpq(0), least - high)), min(half, max(fmpq(0), most - low))
    form = _form(value if isinstance(value, Affine) else within)
    whole = hull([within, grid(within, places)])
    return _made(form.middle + (down + up) / 2, form.parts, (up - down) / 2, whole)


@lru_cache(maxsize=16)
def affine(places: int) -> NumberSystem:
    """Every result as it is or rounded to so many places, half up or half to even, whichever is chosen.

    As `derivations.numbers.between.freely_rounded`, and never wider.
    """

    def after(operation: Callable[..., Value]) -> Callable[..., Value]:
        return lambda *operands: _rounded(operation(*operands), places)

    return NumberSystem(
        f"affine, kept or rounded to {places}",
        rational,
        after(lambda a, b: _linear(a, b, 1)),
        after(lambda a, b: _linear(a, b, -1)),
        after(_mul),
        after(_div),
        after(_power),
        lambda name, function: after(_lift(name, function)),
    )
