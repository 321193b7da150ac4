"""Intervals hold the value at every point inside, and are no wider where that can be known."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from typing import Any

import pytest
from flint import arb, fmpq
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from derivations.catalogue import functions
from derivations.language.errors import ArithmeticFault
from derivations.numbers.between import (
    BETWEEN,
    Between,
    ends,
    freely_rounded,
    hull,
    interval,
    is_short,
    outward,
    roundings,
    widened,
)
from derivations.numbers.systems import EXACT, Undecided, ball, fraction, precision, rational
from derivations.numbers.variants import over_arrays
from derivations.numbers.walker import operation_of

NUMBERS = st.fractions(-6, 6, max_denominator=60)
SHARES = st.fractions(0, 1, max_denominator=20)
INTERVALS = st.tuples(NUMBERS, NUMBERS).map(lambda pair: interval(*map(rational, sorted(pair))))
ONE = [name for name, row in functions.BY_NAME.items() if len(row.arguments) == 1 and not row.over]
TWO = ["add", "sub", "mul", "div", "max", "min"]


def inside(value: Any, share: Fraction) -> Any:
    low, high = ends(value)
    return low + (high - low) * rational(share)


def surely_in(value: Any, found: Any) -> bool:
    """Whether the ball of a value meets an interval: whether the value may lie in it."""
    low, high = ends(found)
    least, most = ends(value)
    return bool(least <= high and most >= low)


# --- operations --------------------------------------------------------------------------------------------


@settings(max_examples=60)
@pytest.mark.parametrize("name", TWO)
@given(a=INTERVALS, b=INTERVALS, first=SHARES, second=SHARES)
def test_an_operation_holds_what_it_gives_inside(name: str, a: Any, b: Any, first: Any, second: Any) -> None:
    work, exact = operation_of(name, BETWEEN), operation_of(name, EXACT)
    try:
        found = work(a, b)
    except (Undecided, ArithmeticFault):
        assert name == "div"
        assert surely_in(fmpq(0), b)
        return
    assert surely_in(exact(inside(a, first), inside(b, second)), found)
    corners = [exact(x, y) for x, y in product(ends(a), ends(b))]
    assert ends(found) == (min(corners), max(corners))


@given(a=INTERVALS, share=SHARES)
def test_a_value_times_itself_is_a_square(a: Any, share: Fraction) -> None:
    work = operation_of("mul", BETWEEN)
    low, high = ends(work(a, a))
    assert low <= inside(a, share) ** 2 <= high
    assert low >= 0
    assert high == max(end**2 for end in ends(a))
    assert operation_of("sub", BETWEEN)(a, a) == 0
    if low > 0:
        assert operation_of("div", BETWEEN)(a, a) == 1


@given(a=INTERVALS, exponent=st.integers(-3, 5), share=SHARES)
def test_whole_powers(a: Any, exponent: int, share: Fraction) -> None:
    try:
        found = BETWEEN.power(a, fmpq(exponent))
    except (Undecided, ArithmeticFault):
        assert surely_in(fmpq(0), a)
        return
    assume(inside(a, share) != 0 or exponent >= 0)
    assert surely_in(inside(a, share) ** exponent, found)


@given(a=INTERVALS, b=INTERVALS, first=SHARES, second=SHARES)
def test_powers_of_positive_numbers(a: Any, b: Any, first: Fraction, second: Fraction) -> None:
    a = interval(*(end + fmpq(61, 10) for end in ends(a)))
    with precision(128):
        found = BETWEEN.power(a, b)
        assert surely_in(EXACT.power(inside(a, first), inside(b, second)), found)


@settings(max_examples=40)
@pytest.mark.parametrize("name", ONE)
@given(a=INTERVALS, share=SHARES)
def test_a_function_holds_what_it_gives_inside(name: str, a: Any, share: Fraction) -> None:
    with precision(128):
        work, exact = operation_of(name, BETWEEN), operation_of(name, EXACT)
        try:
            found = work(a, None)
        except (Undecided, ArithmeticFault):
            assert functions.BY_NAME[name].domain
            return
        for each in (inside(a, share), *ends(a)):
            assert surely_in(exact(each, None), found)


@pytest.mark.parametrize("name", [name for name in ONE if not functions.BY_NAME[name].domain])
@pytest.mark.parametrize("ends_of", [(-1, 2), (Fraction(1, 5), Fraction(2, 5)), (-3, Fraction(-1, 7))])
def test_a_function_is_hardly_wider_than_its_values(name: str, ends_of: tuple[Any, Any]) -> None:
    """Against a thousand points: the interval is wider by less than a hundredth."""
    low, high = (rational(Fraction(end)) for end in ends_of)
    with precision(128):
        exact = operation_of(name, EXACT)
        points = [outward(exact(low + (high - low) * fmpq(k, 1000), None)) for k in range(1001)]
        found = ends(operation_of(name, BETWEEN)(Between(low, high), None))
        least, most = ends(hull(points))
    assert found[1] - found[0] <= (most - least) * fmpq(101, 100)


def test_what_may_be_zero_is_no_divisor() -> None:
    with pytest.raises(Undecided, match="division by a number that may be zero"):
        BETWEEN.div(fmpq(1), Between(fmpq(-1), fmpq(1)))
    with pytest.raises(ArithmeticFault, match="division by zero"):
        BETWEEN.div(Between(fmpq(1), fmpq(2)), fmpq(0))
    with pytest.raises(Undecided):
        operation_of("log", BETWEEN)(Between(fmpq(0), fmpq(1)), None)
    assert operation_of("sqrt", BETWEEN)(Between(fmpq(0), fmpq(4)), None) == Between(fmpq(0), fmpq(2))


def test_what_is_irrational_or_long_is_taken_outwards() -> None:
    with precision(128):
        root = outward(arb(2).sqrt())
        long = outward(fmpq(10**400 + 1, 3**700))
    assert root.low**2 < 2 < root.high**2
    assert root.high - root.low < fmpq(1, 2**120)
    assert long.low < fmpq(10**400 + 1, 3**700) < long.high
    assert max(end.height_bits() for end in ends(long)) < 1024


# --- rounding ----------------------------------------------------------------------------------------------


def two_ways(value: Fraction, places: int) -> set[Fraction]:
    """Half to even as Python rounds, and half up (away from zero) by a nudge that a tie alone feels."""
    nudge = Fraction(1, 10 ** (places + 30)) * (1 if value > 0 else -1)
    return {round(value, places), round(value + nudge, places)}


@given(
    value=st.one_of(
        st.fractions(-40, 40, max_denominator=999), st.integers(-400, 400).map(lambda k: Fraction(k, 200))
    )
)
@settings(max_examples=300)
def test_a_number_is_rounded_half_up_and_half_to_even(value: Fraction) -> None:
    for places in (0, 1, 2):
        assert {fraction(each) for each in roundings(rational(value), places)} == two_ways(value, places)
        assert is_short(rational(value), places) == ((value * 10**places).denominator == 1)


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("0.5", {0, 1}),
        ("1.5", {2}),
        ("2.5", {2, 3}),
        ("-0.5", {0, -1}),
        ("-1.5", {-2}),
        ("-2.5", {-2, -3}),
        ("2.4999999999", {2}),
        ("2.5000000001", {3}),
        ("-2.5000000001", {-3}),
        ("0", {0}),
    ],
)
def test_ties(value: str, wanted: set[int]) -> None:
    assert {int(each) for each in roundings(rational(Fraction(value)), 0)} == wanted


@given(a=INTERVALS, share=SHARES, places=st.integers(0, 2))
def test_a_widened_interval_holds_every_rounding_of_every_value(a: Any, share: Fraction, places: int) -> None:
    low, high = ends(widened(a, places))
    for value in (inside(a, share), *ends(a)):
        for each in (value, *roundings(value, places)):
            assert low <= each <= high
    tight = [each for end in ends(a) for each in (end, *roundings(end, places))]
    assert (low, high) == (min(tight), max(tight))


def test_it_works_over_arrays_of_variants() -> None:
    system = over_arrays(freely_rounded(1))
    found = system.mul(fmpq(1, 2), [fmpq(1, 10), fmpq(2, 10), fmpq(1, 2)])
    assert list(found) == [Between(fmpq(0), fmpq(1, 10)), fmpq(1, 10), Between(fmpq(1, 5), fmpq(3, 10))]


def test_a_ball_is_held() -> None:
    with precision(64):
        third = ball(fmpq(1, 3))
        assert surely_in(third, outward(third))
        low, high = ends(outward(third))
    assert low < fmpq(1, 3) < high
