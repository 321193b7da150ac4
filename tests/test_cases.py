"""Worked examples that other people published: every printed number, to every printed digit.

The files in ``cases/published`` hold facts and figures (who printed what); the specs beside them are
written from data, model and optimizer alone. A number marked ``agrees`` must come out as printed,
rounded half up, half to even, or cut off; a number marked as wrong must be found to be wrong, and the
wrong rule, where it is known, must give it.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

import derivations
from derivations.language.errors import SpecError
from derivations.numbers.systems import Undecided, precision
from derivations.run.training import certified
from derivations.witnesses.verify import verify
from tests.built import thinned
from tests.plain import value
from tests.published import networks, optimizers, regression
from tests.published.compare import (
    CASES,
    FOLDER,
    SPECS,
    agrees,
    fraction_of,
    is_float_print,
    published,
    trace_of,
)
from tests.published.floats import FLOAT_PROGRAMS, enclosed
from tests.published.places import Place, key_of
from tests.published.wrong import UNEXPLAINED, WRONG

PLACES = {**regression.CASES, **networks.CASES, **optimizers.CASES}
PRINTED = [(case, row) for case in CASES for row in published(case)]
LONG = ("ng-houses", "mazur-10000")


def found_at(places: Mapping[str, Place], name: str) -> tuple[Place, tuple[int, ...]]:
    key = key_of(places, name)
    assert key is not None, name
    return places[key[0]], key[1]


def value_of(case: str, name: str, bits: int) -> Any:
    place, indices = found_at(PLACES[case], name)
    return place.value(indices, bits)


def test_every_printed_number_has_a_place() -> None:
    assert len(CASES) == 37
    assert len(PRINTED) == 956
    used = {found_at(PLACES[case], row["name"])[0].spec for case, row in PRINTED}
    assert used == set(SPECS)


@pytest.mark.few(1)
@pytest.mark.parametrize("case", CASES)
def test_every_printed_number_comes_out_or_is_found_wrong(case: str) -> None:
    rows = [row for row in published(case) if not is_float_print(row["printed"])]

    def wrong(bits: int) -> list[str]:
        found = ((row, agrees(value_of(case, row["name"], bits), row["printed"])) for row in rows)
        return [f"{row['name']}: {row['printed']}" for row, ok in found if ok != row["agrees"]]

    assert certified(wrong) == []


# --- wrong numbers -----------------------------------------------------------------------------------

FAULTS = [(case, row) for case, row in PRINTED if not row["agrees"]]


def test_every_wrong_number_has_a_rule_or_is_known_to_have_none() -> None:
    for case, row in FAULTS:
        explained = key_of(WRONG.get(case, {}), row["name"]) is not None
        assert explained != (row["name"] in UNEXPLAINED.get(case, set())), (case, row["name"])
    assert sum(map(len, UNEXPLAINED.values())) == 10
    assert set(UNEXPLAINED) | set(WRONG) == {case for case, _ in FAULTS}


@pytest.mark.few(1)
@pytest.mark.parametrize("case", WRONG)
def test_the_wrong_rule_gives_the_wrong_number(case: str) -> None:
    rows = [row for row in published(case) if not row["agrees"] and key_of(WRONG[case], row["name"])]

    def differs(bits: int) -> list[str]:
        found = []
        for row in rows:
            place, indices = found_at(WRONG[case], row["name"])
            value = place.value(indices, bits)
            found += [] if agrees(value, row["printed"]) else [f"{row['name']}: {row['printed']}"]
            if "publisher_variant" in row:  # worked in float64 by whoever gathered the figures
                theirs = Fraction(row["publisher_variant"])
                assert abs(float(value) - float(theirs)) <= 1e-12 * max(1, abs(float(theirs)))
        return found

    assert rows
    assert certified(differs) == []


def test_a_misprinted_rule_applied_literally() -> None:
    """The expression that stands beside the misprint, worked by hand."""
    (row,) = (row for case, row in FAULTS if case == "tf-docs-sgd-momentum")
    by_hand = value("(1.0*-0.1) - ((1.0*-0.1)*(0.9*-0.1 - 0.1*(1.0*-0.1)))")
    assert value(row["expression"]) == by_hand
    assert fraction_of(value_of("tf-docs-sgd-momentum", row["name"], 128)) == by_hand


# --- prints of float64 -------------------------------------------------------------------------------


@pytest.mark.few(3)
@pytest.mark.parametrize(("case", "row"), [(c, row) for c, row in PRINTED if is_float_print(row["printed"])])
def test_prints_of_float64_are_ours_with_the_rounding_errors_of_float64(
    case: str, row: dict[str, Any]
) -> None:
    """Such a string is a print of what float64 makes of the same formulas: digit by digit where the order
    of the publisher's operations is known, else within what rounding in any order allows.
    """
    place, indices = found_at(PLACES[case], row["name"])
    program = FLOAT_PROGRAMS.get(place.spec)
    known = program(row["name"]) if program else None
    if known is not None:
        assert row["printed"] in (repr(known), f"{known:.17g}")
        assert abs(float(fraction_of_any(place.value(indices, 256))) - known) <= 1e-12
    elif row["agrees"]:
        assert enclosed(place, indices, row["printed"])
    assert known is not None or row["agrees"]
    if not row["agrees"]:
        assert not agrees(place.value(indices, 256), row["printed"])


def fraction_of_any(found: Any) -> Fraction:
    return fraction_of(found.mid().fmpq() if hasattr(found, "mid") else found)


# --- witnesses -------------------------------------------------------------------------------------


def assert_verified(spec: str) -> None:
    def work(bits: int) -> None:
        trace = trace_of(spec, bits)
        report = verify(trace)
        with precision(trace.bits):
            assert not report.failures, str(report.failures[0])
        assert len({check.step for check in report.checks}) == len(trace.steps)

    certified(work)


@pytest.mark.few(3)
@pytest.mark.parametrize("spec", thinned([spec for spec in SPECS if spec not in LONG], 2, str))
def test_every_witness_agrees(spec: str) -> None:
    assert_verified(spec)


@pytest.mark.slow
@pytest.mark.parametrize("spec", LONG)
def test_every_witness_agrees_on_ten_thousand_steps(spec: str) -> None:
    def work_and_verify(bits: int) -> None:
        trace = trace_of(spec, bits)
        assert not verify(trace).failures

    certified(work_and_verify)


# --- pages -------------------------------------------------------------------------------------------

QUICK = (
    "tf-sgd",  # no data
    "step-lr-2",  # the loss is the parameter itself
    "keras-squared-hinge",  # a product after the larger of two
    "keras-log-cosh",  # minus zero
    "gru-cell",  # a letter that runs along a part of an axis
)


@pytest.mark.few(2)
@pytest.mark.slow
@pytest.mark.parametrize(
    "spec",
    [
        pytest.param(spec, marks=() if spec in QUICK else pytest.mark.slow)
        for spec in SPECS
        if spec not in LONG
    ],
)
def test_every_spec_becomes_a_page(spec: str) -> None:
    page = derivations.build(FOLDER / f"{spec}.toml")
    assert all(page[name] for name in ("md", "tex", "json"))


@pytest.mark.slow
def test_what_float64_cannot_be_held_to_is_said() -> None:
    text = (FOLDER / "brownlee-network.toml").read_text().split("[page]")[0]
    with pytest.raises(SpecError, match="float64 may have gone astray by step"):
        derivations.build(text)


# --- comparing ---------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_wrong_digit_anywhere_would_be_seen() -> None:
    """The comparison itself: changing any last digit of a number that agrees makes it disagree."""
    for case, row in PRINTED:
        if not row["agrees"] or is_float_print(row["printed"]):
            continue
        found = value_of(case, row["name"], 1024)
        unit = Decimal(1).scaleb(int(Decimal(row["printed"]).as_tuple().exponent))
        for step in (unit, -unit):
            assert not agrees_surely(found, str(Decimal(row["printed"]) + step)) or lies_between(found, unit)


def agrees_surely(found: Any, printed: str) -> bool:
    try:
        return agrees(found, printed)
    except Undecided:  # the ball of a number that has no more digits than these
        return False


def lies_between(found: Any, unit: Decimal) -> bool:
    """Whether a value is no multiple of the unit: it prints as one thing rounded, as another cut off."""
    return fraction_of_any(found) % Fraction(unit) != 0


def test_the_comparison_by_hand() -> None:
    assert agrees(Fraction("0.125"), "0.13")  # half up
    assert agrees(Fraction("0.125"), "0.12")  # half to even, cut off
    assert not agrees(Fraction("0.125"), "0.11")
    assert agrees(Fraction("-2.39"), "-2.3")
    assert agrees(Fraction(79274), "7.93e+04")
    assert not agrees(Fraction(79251), "7.94e+04")
    assert not agrees(Fraction("1.012"), "1.00")
    assert not agrees(Fraction("0.985"), "1.00")
