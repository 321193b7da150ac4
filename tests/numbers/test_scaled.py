"""Whole numbers over one denominator: the same values as exact arithmetic, variant by variant."""

from __future__ import annotations

import operator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from derivations.language.errors import ArithmeticFault
from derivations.numbers.scaled import ROOM, SCALED, NotScaled, scaled, scaled_all, tight
from derivations.numbers.systems import PRIMITIVES, fraction

NUMBERS = st.fractions(max_denominator=10**6) | st.integers(-(2**70), 2**70).map(Fraction)
COLUMNS = st.integers(1, 5).flatmap(
    lambda n: st.tuples(*(st.lists(NUMBERS, min_size=n, max_size=n) for _ in range(2)))
)


def told(value: Any, count: int) -> list[Fraction]:
    return [fraction(each) for each in value.values(count)]


@given(COLUMNS, st.sampled_from(["add", "sub", "mul"]))
def test_an_operation_is_that_of_every_variant(
    pair: tuple[list[Fraction], list[Fraction]], name: str
) -> None:
    found = getattr(SCALED, name)(*map(scaled_all, pair))
    assert told(found, len(pair[0])) == list(map(getattr(operator, name), *pair))
    assert told(tight(found), len(pair[0])) == told(found, len(pair[0]))
    assert all(abs(each * found.below) <= found.most for each in told(found, len(pair[0])))


@given(st.lists(st.fractions(max_denominator=99), min_size=1, max_size=4), st.fractions(max_denominator=99))
def test_a_quotient_by_one_number(values: list[Fraction], by: Fraction) -> None:
    if by == 0:
        with pytest.raises(ArithmeticFault):
            SCALED.div(scaled_all(values), scaled(by))
        return
    assert told(SCALED.div(scaled_all(values), scaled(by)), len(values)) == [each / by for each in values]


@given(st.lists(st.tuples(NUMBERS, st.integers(1, 12)), min_size=1, max_size=6))
def test_a_quotient_by_small_numbers(pairs: list[tuple[Fraction, int]]) -> None:
    above, below = (list(part) for part in zip(*pairs, strict=True))
    found = SCALED.div(scaled_all(above), scaled_all([Fraction(-each) for each in below]))
    assert told(found, len(pairs)) == [a / -b for a, b in pairs]


@given(st.lists(NUMBERS, min_size=1, max_size=4), st.integers(-3, 5))
def test_a_whole_power(values: list[Fraction], exponent: int) -> None:
    if exponent < 0:
        values = [Fraction(each.numerator % 7 + 1, 1) for each in values]
    found = SCALED.power(scaled_all(values), scaled(Fraction(exponent)))
    assert told(found, len(values)) == [each**exponent for each in values]


@given(COLUMNS, st.sampled_from(["max", "min", "sign", "step", "floor"]))
def test_a_function_is_that_of_exact_arithmetic(
    pair: tuple[list[Fraction], list[Fraction]], name: str
) -> None:
    given = [scaled_all(part) for part in pair][: 2 if name in ("max", "min") else 1]
    count = len(pair[0])
    wanted = [PRIMITIVES[name](*row) for row in zip(*(each.values(count) for each in given), strict=True)]
    assert told(SCALED.lift(name, PRIMITIVES[name])(*given), count) == [fraction(each) for each in wanted]


@given(st.lists(NUMBERS, min_size=1, max_size=5), st.integers(0, 4))
def test_decimals_and_floats(values: list[Fraction], places: int) -> None:
    found = scaled_all(values)
    wanted = [(each * 10**places).denominator == 1 for each in values]
    assert np.broadcast_to(found.has_decimals(places), len(values)).tolist() == wanted
    assert np.broadcast_to(found.floats(), len(values)).tolist() == [float(each) for each in values]


def test_what_is_not_rational_is_not_scaled() -> None:
    with pytest.raises(NotScaled):
        SCALED.lift("exp", PRIMITIVES["exp"])(scaled_all([Fraction(1), Fraction(2)]))
    with pytest.raises(NotScaled):
        SCALED.power(scaled(Fraction(2)), scaled(Fraction(1, 2)))
    assert told(SCALED.lift("sqrt", PRIMITIVES["sqrt"])(scaled_all([Fraction(4), Fraction(9)])), 2) == [2, 3]


def test_large_numbers_leave_64_bits_and_come_back() -> None:
    large = SCALED.mul(scaled_all([Fraction(2**40), Fraction(3)]), scaled(Fraction(2**40)))
    assert large.above.dtype == object
    back = SCALED.div(large, scaled(Fraction(2**60)))
    assert told(tight(back), 2) == [Fraction(2**20), Fraction(3, 2**20)]
    assert tight(back).above.dtype == np.int64
    assert tight(back).most < ROOM
