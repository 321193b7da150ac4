"""What a user of Python may do with a value: held against `Fraction`, `decimal`, NumPy, torch and mpmath."""

from __future__ import annotations

import copy
import json
import math
import operator
import pickle
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy
import pytest
import torch
from flint import arb
from hypothesis import given
from hypothesis import strategies as st

from derivations.numbers.real import Real
from derivations.numbers.systems import Undecided, precision

FRACTIONS = st.fractions(max_denominator=10**6)
slope = Real(Fraction(-69, 2))
with precision(128):
    euler, half, also_half = (
        Real(each) for each in (arb(1).exp(), arb(0.5) + arb(0, 1e-30), arb(1) / 4 + arb("0.25"))
    )
# Napier's number to 50 places, as tables have it
NAPIER = Fraction("2.71828182845904523536028747135266249775724709369995")


def same_ball(a: Any, b: Any) -> bool:
    return [part.man_exp() for part in (a.mid(), a.rad())] == [part.man_exp() for part in (b.mid(), b.rad())]


# --- exact numbers --------------------------------------------------------------------------------


def test_equality_tells_the_truth() -> None:
    assert slope == -34.5
    assert slope == Fraction(-69, 2)
    assert Fraction(-69, 2) == slope
    assert slope == Decimal("-34.5")
    assert slope != -34
    third = Real(Fraction(1, 3))
    assert third != 1 / 3  # the nearest float64 is another number
    assert float(third) == 1 / 3
    assert third == Fraction(1, 3)
    assert 0.3333 < third < 0.3334
    assert third < math.inf
    assert third != math.nan
    assert third != "1/3"
    assert {slope: "found"}[-34.5] == {Fraction(-69, 2): "found"}[slope] == "found"  # type: ignore[index]


@given(FRACTIONS, FRACTIONS | st.floats(allow_nan=False, allow_infinity=False) | st.integers())
def test_comparisons_and_hashes_are_those_of_fractions(a: Fraction, b: Any) -> None:
    for holds in (operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge):
        assert holds(Real(a), b) is holds(a, Fraction(b))
        assert holds(Real(a), Real(b)) is holds(a, Fraction(b))
        assert holds(b, Real(a)) is holds(Fraction(b), a)
    assert hash(Real(a)) == hash(a)
    assert hash(Real(b)) == hash(b)


@given(FRACTIONS, FRACTIONS | st.integers(-(10**9), 10**9))
def test_arithmetic_is_that_of_fractions(a: Fraction, b: Any) -> None:
    exact = (operator.add, operator.sub, operator.mul, operator.truediv, operator.floordiv, operator.mod)
    for work in exact:
        if b == 0 and work in exact[3:]:
            with pytest.raises(ZeroDivisionError):
                work(Real(a), b)
            continue
        for found in (work(Real(a), b), work(Real(a), Real(b))):
            assert isinstance(found, Real)
            assert Fraction(found) == work(a, b)
    assert Fraction(3 - Real(a)) == 3 - a
    assert divmod(Real(a), 7) == divmod(a, 7)
    assert (-Real(a), abs(Real(a)), +Real(a)) == (-a, abs(a), a)
    assert Real(a) ** 3 == a**3
    assert bool(Real(a)) is bool(a)
    for whole in (int, round, math.floor, math.ceil, math.trunc):
        assert whole(Real(a)) == whole(a)
    assert round(Real(a), 2) == round(a, 2)
    assert Real(a).is_integer() is (a.denominator == 1)


def test_with_a_float_it_is_a_float() -> None:
    for found, wanted in (
        (slope * 2.0, -69.0),
        (2.0 * slope, -69.0),
        (slope - 0.1, -34.6),
        (1.5 / slope, 1.5 / -34.5),
    ):
        assert type(found) is float
        assert found == wanted


@given(FRACTIONS, st.integers(0, 30))
def test_decimals_are_those_of_the_exact_value(a: Fraction, places: int) -> None:
    whole = round(a * 10**places)  # a Fraction rounds halves to even, as Python's formats do
    wanted = Decimal(f"{whole}E-{places}")
    assert Decimal(f"{Real(a):.{places}f}") == wanted


@pytest.mark.parametrize(
    "spec", [".3f", "10.2f", "+.1f", ".4e", "g", ".10g", "e", ".1%", "<12.3f", "012.3f", ",.2f"]
)
def test_formats_are_those_of_floats(spec: str) -> None:
    assert format(Real(-1234.5625), spec) == format(-1234.5625, spec)


def test_how_it_reads() -> None:
    assert (str(slope), f"{slope}", f"{slope:>8}", repr(slope)) == ("-69/2", "-69/2", "   -69/2", "-69/2")
    assert repr(Real(Fraction(10**50, 7))) == "≈ 1.4285714285714286e+49 (a fraction of 53 digits)"
    assert repr(euler) == "[2.7182818284590452 ± 3.54e-17]"


# --- balls ----------------------------------------------------------------------------------------


def test_a_ball_knows_its_bounds() -> None:
    assert slope.exact
    assert (slope.lower, slope.upper, slope.bound) == (Fraction(-69, 2), Fraction(-69, 2), 0.0)
    assert not euler.exact
    assert euler.lower < NAPIER < euler.upper
    assert euler.upper - euler.lower <= 2 * Fraction(euler.bound) < Fraction(1, 10**37)
    assert f"{euler:.30f}" == "2.718281828459045235360287471353"
    assert float(euler) == math.e


def test_a_ball_says_what_it_cannot_decide() -> None:
    assert euler > 2.718281828
    assert euler != 2.75
    assert half == half  # one number is itself
    for asked in (
        lambda: half == 0.5,
        lambda: half > Fraction(1, 2),
        lambda: half != also_half,
        lambda: bool(half - Fraction(1, 2)),
        lambda: math.floor(half + Fraction(1, 2)),
        lambda: f"{euler:.50f}",
        lambda: euler / (half - Fraction(1, 2)),
    ):
        with pytest.raises(Undecided):
            asked()
    assert round(euler) == 3


def test_a_ball_is_no_fraction() -> None:
    with pytest.raises(ValueError, match="within bounds only"):
        Fraction(euler)
    with pytest.raises(TypeError, match="finite number"):
        Real(math.nan)


def test_the_arithmetic_of_balls_encloses() -> None:
    for found, wanted in (
        (euler * euler, NAPIER**2),
        (euler - 1, NAPIER - 1),
        (Fraction(1, 3) * Real(3) * euler, NAPIER),
        (euler * Fraction(1, 3), NAPIER / 3),
        (1 / euler, 1 / NAPIER),
        (euler**-2, NAPIER**-2),
    ):
        assert abs(Fraction(float(found)) - wanted) < Fraction(1, 10**14)
        if isinstance(found, Real):
            assert found.lower < wanted + Fraction(1, 10**48)
            assert found.upper > wanted - Fraction(1, 10**48)


# --- other people's libraries -----------------------------------------------------------------------


def test_pytest_approx() -> None:
    assert slope == pytest.approx(-34.5)
    assert pytest.approx(-34.5) == slope
    assert pytest.approx(2.718281828) == euler
    assert euler == pytest.approx(2.718281828)
    assert half == pytest.approx(0.5)
    assert slope != pytest.approx(-34.4)
    assert [slope, euler] == pytest.approx([-34.5, math.e])


def test_json_numpy_and_torch() -> None:
    assert json.loads(json.dumps({"slope": slope, "e": euler})) == {"slope": -34.5, "e": math.e}
    found = numpy.array([slope, euler])
    assert found.dtype == numpy.float64
    assert found.tolist() == [-34.5, math.e]
    assert (numpy.array([1.0, 2.0]) * slope).tolist() == [-34.5, -69.0]
    assert torch.tensor(slope).item() == -34.5
    assert torch.tensor([slope, euler], dtype=torch.float64).tolist() == [-34.5, math.e]
    assert (torch.tensor(2.0) * slope).item() == -69.0
    assert math.isclose(math.log(euler), 1)
    assert sum([slope, 1]) == Fraction(-67, 2)


@given(FRACTIONS, st.sampled_from([30, 53, 128, 777]))
def test_everything_it_knows_is_pickled_and_copied(a: Fraction, bits: int) -> None:
    with precision(bits):
        raw = (arb(a.numerator) / a.denominator).sin() + arb(0, 2.0**-20)
    for number in (Real(a), Real(raw)):
        for again in (pickle.loads(pickle.dumps(number)), copy.copy(number), copy.deepcopy(number)):
            assert type(again) is Real
            assert (again.lower, again.upper) == (number.lower, number.upper)
    assert same_ball(pickle.loads(pickle.dumps(raw)), raw)
