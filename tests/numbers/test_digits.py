"""Printed digits against Python's decimal module, and balls that never print a wrong digit."""

from __future__ import annotations

import decimal
from decimal import Decimal
from fractions import Fraction

import pytest
from flint import arb, fmpq
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from derivations.numbers.digits import Printed, Rounding, magnitude_of
from derivations.numbers.systems import Undecided, precision, rational, round_half_up

decimal.getcontext().prec = 400


def half_up(value: Fraction, places: int) -> Fraction:
    """Rounded by the decimal module: 400 digits are far more than a tie could hide behind."""
    quotient = Decimal(value.numerator) / Decimal(value.denominator)
    unit = Decimal(1).scaleb(-places)
    return Fraction(quotient.quantize(unit, rounding=decimal.ROUND_HALF_UP))


def fractions(size: int = 10**12, below: int = 10**9) -> st.SearchStrategy[Fraction]:
    """Fractions of every size, among them short decimals and ties."""
    plain = st.builds(Fraction, st.integers(-size, size), st.integers(1, below))
    decimals = st.builds(lambda n, k: Fraction(n, 10**k), st.integers(-size, size), st.integers(0, 15))
    ties = st.builds(
        lambda n, k: Fraction(2 * n + 1, 2 * 10**k), st.integers(-size, size), st.integers(0, 12)
    )
    return plain | decimals | ties


# --- exact values ----------------------------------------------------------------------------------


@settings(max_examples=300)
@given(fractions(), st.integers(-3, 30))
def test_halves_go_away_from_zero(value: Fraction, places: int) -> None:
    found = round_half_up(rational(value), max(places, 0))
    assert Fraction(int(found.p), int(found.q)) == half_up(value, max(places, 0))


@settings(max_examples=300)
@given(fractions(), st.integers(0, 12))
def test_decimal_places(value: Fraction, digits: int) -> None:
    """``digits`` places; more where fewer than three significant digits would be left."""
    assume(abs(value) < 10**9)
    printed = Rounding(digits)(rational(value))
    size = magnitude(value)
    assert printed.value == half_up(value, max(digits, 2 - size))
    assert_truthful(printed, value)


@settings(max_examples=300)
@given(fractions(), st.integers(1, 20))
def test_significant_digits(value: Fraction, significant: int) -> None:
    printed = Rounding(significant=significant)(rational(value))
    assert printed.value == half_up(value, significant - 1 - magnitude(value))
    assert_truthful(printed, value)


@given(st.integers(1, 10**30), st.integers(0, 9), st.integers(0, 9))
def test_large_numbers_keep_their_leading_digits(whole: int, tenth: int, digits: int) -> None:
    value = Fraction(whole * 10 + tenth, 10)
    printed = Rounding(digits)(rational(value))
    assert_truthful(printed, value)
    assert abs(printed.value - value) <= abs(value) * Fraction(1, 2) / 10 ** min(digits, 8)


def magnitude(value: Fraction) -> int:
    """The place of the leading digit, from the decimal module."""
    return (Decimal(value.numerator) / Decimal(value.denominator)).adjusted() if value else 0


def assert_truthful(printed: Printed, value: Fraction) -> None:
    """The text says the printed value, ``exact`` says whether that is the value, no digit too many."""
    assert Fraction(printed.text) == printed.value
    assert printed.exact == (printed.value == value)
    mantissa = printed.text.partition("e")[0]
    if printed.exact and "." in mantissa:
        assert not mantissa.endswith(("0", "."))


@given(fractions())
def test_the_leading_digit(value: Fraction) -> None:
    assume(value != 0)
    assert magnitude_of(rational(value)) == magnitude(value)


@pytest.mark.parametrize(
    ("rounding", "value", "text", "exact"),
    [
        (Rounding(), "0", "0", True),
        (Rounding(), "-10.5", "-10.5", True),
        (Rounding(), "1/3", "0.333333", False),
        (Rounding(), "-2/3", "-0.666667", False),
        (Rounding(), "0.1", "0.1", True),
        (Rounding(), "100", "100", True),
        (Rounding(), "0.0000005", "5e-7", True),
        (Rounding(2), "1.005", "1.01", False),
        (Rounding(2), "-1.005", "-1.01", False),
        (Rounding(2), "1.0049", "1.00", False),
        (Rounding(2), "1.004", "1.00", False),
        (Rounding(2), "0.996", "0.996", True),
        (Rounding(2), "0.9996", "1.000", False),
        (Rounding(4), "9.99995", "10.0000", False),
        (Rounding(0), "123.5", "124", False),
        (Rounding(0), "1234567", "1234567", True),
        (Rounding(6), "1/70000", "0.0000143", False),
        (Rounding(6), "1/7000000000", "1.43e-10", False),
        (Rounding(significant=3), "1/7", "0.143", False),
        (Rounding(significant=3), "1234.5", "1230", False),
        (Rounding(significant=3), "99.96", "100", False),
        (Rounding(significant=3), "0.09996", "0.100", False),
        (Rounding(significant=1), "9.5", "10", False),
        (Rounding(significant=2), "0.000123", "0.00012", False),
        (Rounding(significant=4), "79274.8125", "79270", False),
    ],
)
def test_prints_by_hand(rounding: Rounding, value: str, text: str, exact: bool) -> None:
    printed = rounding(rational(Fraction(value)))
    assert (Fraction(printed.text), printed.exact) == (Fraction(text), exact)
    if "e" not in printed.text:
        assert printed.text == text


# --- balls -----------------------------------------------------------------------------------------


def ball_around(middle: Fraction, radius: Fraction) -> arb:
    with precision(500):
        middle_ball = arb(fmpq(middle.numerator, middle.denominator))
        return middle_ball + arb(0, float(radius) * 1.001)


@settings(max_examples=300)
@given(fractions(10**6, 10**6), st.integers(1, 60), st.fractions(-1, 1), st.integers(0, 12))
def test_the_digits_of_a_ball_are_those_of_every_number_in_it(
    middle: Fraction, size: int, where: Fraction, digits: int
) -> None:
    radius = Fraction(1, 10**size)
    value = middle + where * radius
    for rounding in (Rounding(digits), Rounding(significant=digits + 1)):
        try:
            with precision(300):
                printed = rounding(ball_around(middle, radius))
        except Undecided:
            continue
        assert not printed.exact
        if printed.value == 0 and abs(middle) + radius < Fraction(1, 10 ** (digits + 20)):
            continue  # narrow beyond all print: see the test of a rounded zero
        for number in (value, middle - radius, middle + radius):
            assert rounding(rational(number)).value == printed.value


@settings(max_examples=200)
@given(st.fractions(min_value=-1000, max_value=1000, max_denominator=10**6), st.integers(0, 12))
def test_a_tight_ball_prints_unless_it_lies_on_a_tie(middle: Fraction, digits: int) -> None:
    rounding = Rounding(digits)
    assume(middle != 0)
    places = rounding.places(rational(middle))
    distance = abs(middle * 10**places * 2 % 2 - 1)  # from the nearest tie, in half units
    assume(distance > Fraction(1, 10**9))
    with precision(300):
        assert rounding(ball_around(middle, Fraction(1, 10**30))).value == half_up(middle, places)


def test_a_ball_on_a_tie_or_around_zero_is_undecided() -> None:
    ties = [(Rounding(2), "1.125"), (Rounding(2), "-1.125"), (Rounding(significant=2), "2.65")]
    for rounding, middle in ties:
        with precision(300), pytest.raises(Undecided):
            rounding(ball_around(Fraction(middle), Fraction(1, 10**50)))
    for rounding in (Rounding(2), Rounding(significant=4)):
        with precision(300), pytest.raises(Undecided):
            rounding(ball_around(Fraction(0), Fraction(1, 10**20)))


def test_a_ball_around_zero_that_is_narrow_beyond_all_print_is_a_rounded_zero() -> None:
    """log(p) of a probability that is 1 is never known to be 0; at 10^-40 nobody can tell."""
    for rounding in (Rounding(6), Rounding(significant=17)):
        with precision(300):
            printed = rounding(ball_around(Fraction(0), Fraction(1, 10**40)))
        assert (printed.text, printed.value, printed.exact) == ("0", 0, False)


def test_a_ball_around_a_power_of_ten_has_certain_digits() -> None:
    """Probabilities of a softmax add up to 1, which a ball only knows to be near 1."""
    for rounding, middle, text in [
        (Rounding(6), "1", "1.000000"),
        (Rounding(significant=3), "1", "1.00"),
        (Rounding(significant=3), "-10", "-10.0"),
        (Rounding(significant=3), "0.1", "0.100"),
    ]:
        with precision(300):
            assert rounding(ball_around(Fraction(middle), Fraction(1, 10**50))).text == text
    with precision(300), pytest.raises(Undecided):  # holds 0.9994, which is 0.999
        Rounding(significant=3)(ball_around(Fraction("0.9999"), Fraction("0.0005")))


def test_more_precision_decides_the_digits_of_a_root() -> None:
    def digits(bits: int) -> str:
        with precision(bits):
            return Rounding(40)(arb(2).sqrt()).text

    with pytest.raises(Undecided):
        digits(64)
    shown = Fraction(digits(256))  # rounded: the root lies within half a unit
    assert (shown - Fraction(1, 2 * 10**40)) ** 2 < 2 < (shown + Fraction(1, 2 * 10**40)) ** 2


def test_an_exact_ball_is_rounded_like_its_value() -> None:
    assert Rounding(3)(arb(0)).value == 0
    assert Rounding(2)(arb(2.5)).value == Fraction("2.5")
