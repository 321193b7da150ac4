"""Options: never the key, never twice the same, each with all that leads to it."""

from __future__ import annotations

import itertools
from fractions import Fraction
from math import exp

import pytest
from flint import arb, fmpq
from hypothesis import given
from hypothesis import strategies as st

from derivations.catalogue.slips import BY_NAME, SLIPS
from derivations.document.languages import text_of
from derivations.exercises.merging import Option, different, options
from derivations.exercises.slips import Sought, answer, slipped
from derivations.model.example import Example, prepare
from derivations.numbers.systems import Value, bounds, fraction, rational
from derivations.spec.gallery import path
from derivations.spec.spec import parse_spec, read_spec

QUESTIONS = [
    ("linear-regression", Sought(1, "w'")),
    ("linear-regression", Sought(3, "b'")),
    ("linear-regression", Sought(2, "L")),
    ("logistic-regression", Sought(2, "w'")),
    ("logistic-regression", Sought(2, "dL/dw")),
    ("optimizer-adam", Sought(3, "w2'")),
    ("two-two-two-network", Sought(1, "V'", (1, 2))),
]


def asked_of(name: str, asked: Sought, places: int | None = None) -> tuple[Value, tuple[Option, ...]]:
    example = prepare(*read_spec(path(name)))
    key = answer(example, asked)
    wrong = [(each, answer(each, asked)) for row in SLIPS for each in slipped(example, row)]
    assert key is not None
    return key, options(key, wrong, places)


def apart(one: Value, other: Value) -> bool:
    """Whether two values are certainly different, by their exact bounds."""
    (low, high), (lower, upper) = bounds(one), bounds(other)
    return high < lower or upper < low


@pytest.mark.parametrize(("name", "asked"), QUESTIONS)
def test_no_option_is_the_key_or_another_option(name: str, asked: Sought) -> None:
    key, found = asked_of(name, asked)
    values = [key, *(option.value for option in found)]
    assert len(values) > 4
    assert all(apart(one, other) for one, other in itertools.combinations(values, 2))


@pytest.mark.parametrize("places", [0, 2, 4])
def test_rounded_options_are_not_the_same_either(places: int) -> None:
    key, found = asked_of("linear-regression", Sought(2, "w'"), places)
    shown = [nearest(fraction(value), places) for value in (key, *(option.value for option in found))]
    assert len(set(shown)) == len(shown) > 1


def nearest(value: Fraction, places: int) -> int:
    """So many units of the last place, halves away from zero."""
    size = int(abs(value) * 10**places + Fraction(1, 2))
    return size if value > 0 else -size


def by_names(found: tuple[Option, ...], *names: str) -> Option:
    return next(option for option in found if {each.slips[0].name for each in option.slips} == {*names})


def test_a_turned_residual_is_ascent_under_plain_descent() -> None:
    _, found = asked_of("linear-regression", Sought(1, "w'"))
    joint = by_names(found, "residual-turned-round", "ascent-for-descent")
    assert fraction(joint.value) == Fraction("0.5") - Fraction("0.01") * Fraction("34.5")
    said = text_of(joint.explanation)
    assert BY_NAME["residual-turned-round"].explanation in said
    assert BY_NAME["ascent-for-descent"].explanation in said


def test_balls_that_cannot_be_told_apart_share_an_option() -> None:
    _, found = asked_of("two-two-two-network", Sought(1, "V'", (1, 2)))
    assert by_names(found, "residual-turned-round", "ascent-for-descent")


def test_balls_that_cannot_be_told_from_the_key_are_no_option() -> None:
    """The weight stays 0 and the classes of the batches mirror each other: uphill leads to the same bias."""
    key, found = asked_of("logistic-regression", Sought(2, "b'"))
    assert "ascent-for-descent" not in {each.slips[0].name for option in found for each in option.slips}
    uphill = 1 / 12 + 0.5 * (1 / (1 + exp(-1 / 12)) - 2 / 3)
    assert abs(uphill - float(key)) < 1e-15


def test_one_slip_in_several_places_is_explained_once() -> None:
    _, found = asked_of("linear-regression", Sought(1, "w'"))
    option = by_names(found, "factor-2-forgotten")
    assert len(option.slips) == 2  # everywhere, and in this gradient
    assert text_of(option.explanation) == BY_NAME["factor-2-forgotten"].explanation


def test_the_explanation_is_said_in_every_language() -> None:
    _, found = asked_of("linear-regression", Sought(1, "w'"))
    for option in found:
        said = {text_of(option.explanation, language) for language in ("en", "de", "es", "fr", "zh")}
        assert len(said) == 5


def example_of(text: str) -> Example:
    return prepare(*parse_spec(text))


def test_a_slip_that_gives_the_right_number_is_no_option() -> None:
    """With one sample the mean is the sum."""
    spec = path("linear-regression").read_text(encoding="utf-8").replace("batch_size = 2", "batch_size = 1")
    example, asked = example_of(spec), Sought(1, "w'")
    key = answer(example, asked)
    wrong = [(each, answer(each, asked)) for each in slipped(example, BY_NAME["sum-for-mean"])]
    assert wrong
    assert options(key, wrong) == ()


def test_a_run_that_does_not_exist_is_no_option() -> None:
    """Counted from 0, the bias correction divides by zero."""
    example, asked = prepare(*read_spec(path("optimizer-adam"))), Sought(1, "w1'")
    values = [answer(each, asked) for each in slipped(example, BY_NAME["off-by-one-step"])]
    assert None in values
    key = answer(example, asked)
    wrong = zip(slipped(example, BY_NAME["off-by-one-step"]), values, strict=True)
    assert all(option.value is not None for option in options(key, wrong))


LINE = prepare(*read_spec(path("linear-regression")))
EVERY = [each for row in SLIPS for each in slipped(LINE, row)]


@given(st.lists(st.fractions(-3, 3, max_denominator=3), max_size=12), st.fractions(-3, 3, max_denominator=3))
def test_every_slip_with_another_number_is_in_one_option(values: list[Fraction], key: Fraction) -> None:
    every = EVERY[: len(values)]
    wrong = [(each, rational(value)) for each, value in zip(every, values, strict=False)]
    found = options(rational(key), wrong)
    assert [fraction(option.value) for option in found] == list(dict.fromkeys(v for v in values if v != key))
    inside = [each for option in found for each in option.slips]
    kept = [each for each, value in zip(every, values, strict=False) if value != key]
    assert sorted(map(every.index, inside)) == list(map(every.index, kept))


def test_what_is_certain() -> None:
    third = arb(1) / 3
    assert not different(third, fmpq(1, 3))
    assert different(third, fmpq(1, 2))
    assert different(fmpq(1, 3), fmpq(333, 1000))
    assert not different(fmpq(1, 3), fmpq(333, 1000), 3)
    assert different(fmpq(1, 3), fmpq(333, 1000), 4)
