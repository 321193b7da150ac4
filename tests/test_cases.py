"""Worked examples that other people published: every printed number, to every printed digit.

The files in ``cases/published`` hold facts and figures (who printed what); the specs beside them are
written from data, model and optimizer alone. A number marked ``agrees`` must come out as printed,
rounded half up, half to even, or cut off; a number marked as wrong must be found to be wrong.
"""

from __future__ import annotations

import decimal
import json
from collections.abc import Callable, Iterator
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from flint import arb

from derivations.examples.example import prepare
from derivations.examples.spec import read_spec
from derivations.examples.training import Trace, certified, train
from derivations.numbers.systems import Undecided, fraction, precision
from derivations.witnesses.verify import verify
from tests.plain import FLOATS, Entries, work

FOLDER = Path(__file__).parent / "cases"
SPECS = sorted(path.stem for path in FOLDER.glob("*.toml"))
decimal.getcontext().prec = 60

Place = tuple[str, int, str]  # spec, step, quantity

# --- where each printed number is found -------------------------------------------------------------

BROWNLEE: dict[str, Place] = {
    f"B{k}_step{n}": ("brownlee-sgd", n, f"B{k}'") for k in (0, 1) for n in range(1, 21)
}
FILO: dict[str, Place] = {
    f"{theirs}.{name}": (f"filo-{spec}", step, ours)
    for theirs, spec, step in (("batch", "batch", 1), ("mb1", "mini", 1), ("mb2", "mini", 2))
    for name, ours in {"dw": "dL/dw", "db": "dL/db", "w": "w'", "b": "b'"}.items()
} | {
    # the second mini-batch holds samples 3 and 4
    f"mb2.{name}[{n}]": ("filo-mini", 2, f"{name}[{n + 3}]")
    for name in ("yhat", "e")
    for n in (0, 1)
}
NG: dict[str, Place] = {
    # iteration n is our step n + 1; its cost is printed after the update: the J of the step after it
    f"it{n}.{name}": ("ng-houses", n + later, ours)
    for n in range(0, 10_000, 1_000)
    for name, later, ours in (
        ("cost", 2, "J"),
        ("dw", 1, "dJ/dw"),
        ("db", 1, "dJ/db"),
        ("w", 1, "w'"),
        ("b", 1, "b'"),
    )
} | {"w_final": ("ng-houses", 10_000, "w'"), "b_final": ("ng-houses", 10_000, "b'")}
TRASK: dict[str, Place] = {
    f"A.{theirs}[{k}]": ("trask-one-input", 1, f"{ours}[{k + 1}]")
    for theirs, ours in (("w", "w'"), ("wd", "dL/dw"))
    for k in range(3)
} | {f"B.W[{k}][{j}]": ("trask-three-inputs", 1, f"W'[{k + 1}, {j + 1}]") for k in range(3) for j in range(3)}


def root_mean_square(trace: Trace) -> Fraction:
    """Of the residuals of all samples with the last parameters, exact up to the root."""
    slope, intercept = (fraction(trace.steps[-1].at(name)) for name in ("B1'", "B0'"))
    x, y = (trace.example.data[name].entries for name in "xy")
    squares = [(intercept + slope * a - b) ** 2 for a, b in zip(x, y, strict=True)]
    mean = sum(squares) / len(squares)
    return Fraction((Decimal(mean.numerator) / Decimal(mean.denominator)).sqrt())


def prediction(at: str) -> Callable[[Trace], Any]:
    return lambda trace: trace.steps[-1].at("w'") * arb(at) + trace.steps[-1].at("b'")


WORKED_HERE: dict[str, dict[str, tuple[str, Callable[[Trace], Any]]]] = {
    "brownlee-linear-sgd-20": {"RMSE": ("brownlee-sgd", root_mean_square)},
    "ng-mls-houses-gd": {f"pred({at})": ("ng-houses", prediction(at)) for at in ("1.0", "1.2", "2.0")},
}
PLACES = {
    "brownlee-linear-sgd-20": BROWNLEE,
    "filo-minibatch-linear": FILO,
    "ng-mls-houses-gd": NG,
    "trask-grokking-ch5-multi-output": TRASK,
}

# --- comparing -------------------------------------------------------------------------------------


def published(case: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((FOLDER / "published" / f"{case}.json").read_text())["published"]
    return found


def prints(value: Fraction, printed: str) -> set[Decimal]:
    """What people print for a value with the digits of ``printed``: half up, half even, cut off."""
    unit = Decimal(1).scaleb(int(Decimal(printed).as_tuple().exponent))
    quotient = Decimal(value.numerator) / Decimal(value.denominator)
    return {quotient.quantize(unit, rounding) for rounding in (ROUND_HALF_UP, ROUND_HALF_EVEN, ROUND_DOWN)}


def agrees(value: Any, printed: str) -> bool:
    """Whether a value comes out as printed; raises `Undecided` for a ball that is too wide to say."""
    if not isinstance(value, arb):
        return Decimal(printed) in prints(value if isinstance(value, Fraction) else fraction(value), printed)
    if not value.is_finite():
        raise Undecided("a digit")
    ends = [fraction(end.mid().fmpq()) for end in (value.lower(), value.upper())]
    found = {Decimal(printed) in prints(end, printed) for end in ends}
    if len(found) > 1 or prints(ends[0], printed) != prints(ends[1], printed):
        raise Undecided("a digit")
    return found.pop()


def is_float_print(printed: str) -> bool:
    """Strings of 16 digits and more are prints of a float64 with its rounding errors."""
    return len(Decimal(printed).as_tuple().digits) >= 16


def spec_of(case: str, name: str) -> str:
    return PLACES[case][name][0] if name in PLACES[case] else WORKED_HERE[case][name][0]


@cache
def trace_of(spec: str, bits: int = 128) -> Trace:
    with precision(bits):
        return train(prepare(*read_spec(FOLDER / f"{spec}.toml")), bits)


def found_in(case: str, name: str, bits: int) -> Any:
    trace = trace_of(spec_of(case, name), bits)
    if name in WORKED_HERE.get(case, {}):
        return WORKED_HERE[case][name][1](trace)
    _, step, quantity = PLACES[case][name]
    return trace.steps[step - 1][quantity]


PRINTED = [(case, row) for case in PLACES for row in published(case)]


def test_every_printed_number_has_a_place() -> None:
    for case, places in PLACES.items():
        assert {row["name"] for row in published(case)} == {*places, *WORKED_HERE.get(case, {})}
    assert len(PRINTED) == 41 + 16 + 55 + 15
    used = {spec_of(case, row["name"]) for case, row in PRINTED}
    assert used == set(SPECS)


@pytest.mark.parametrize("case", PLACES)
def test_every_printed_number_comes_out_or_is_found_wrong(case: str) -> None:
    rows = [row for row in published(case) if not is_float_print(row["printed"])]

    def wrong(bits: int) -> list[str]:
        found = ((row, agrees(found_in(case, row["name"], bits), row["printed"])) for row in rows)
        return [f"{row['name']}: {row['printed']}" for row, ok in found if ok != row["agrees"]]

    assert certified(wrong) == []
    assert len(rows) + sum(is_float_print(row["printed"]) for row in published(case)) == len(published(case))


# --- prints of float64 -------------------------------------------------------------------------------

FLOATS_ONE = "d[k] = w[k]*x - y[k]\nwd[k] = x*d[k]\nnew[k] = w[k] - 0.1*wd[k]"
FLOATS_THREE = "d[k] = sum(W[k, j]*x[j], j) - y[k]\nnew[k, j] = W[k, j] - 0.01*(x[j]*d[k])"


def float64_entries(spec: str) -> Entries:
    """Data and start values as float64, and the new weights as a plain float64 program gets them."""
    example = trace_of(spec).example
    start: Entries = {
        (name, at): float(entry)
        for name, array in {**example.data, **example.start}.items()
        for at, entry in zip(array.positions(), array.entries, strict=True)
    }
    return work(FLOATS_ONE if spec == "trask-one-input" else FLOATS_THREE, start, {"k": 3, "j": 3}, FLOATS)


def float_prints() -> Iterator[tuple[str, str, str, tuple[int, ...]]]:
    for k in range(3):
        yield f"A.w[{k}]", "trask-one-input", "new", (k + 1,)
        yield f"A.wd[{k}]", "trask-one-input", "wd", (k + 1,)
        for j in range(3):
            yield f"B.W[{k}][{j}]", "trask-three-inputs", "new", (k + 1, j + 1)


def test_prints_of_float64_are_ours_with_the_rounding_errors_of_float64() -> None:
    """Such a string is the repr or 17-digit print of what float64 makes of the same formulas, which
    differs from the exact value by nothing but rounding (relative to the largest number involved).
    """
    strings = {row["name"]: row["printed"] for row in published("trask-grokking-ch5-multi-output")}
    checked = set()
    for name, spec, quantity, at in float_prints():
        theirs = float64_entries(spec)[quantity, at]
        assert strings[name] in (repr(theirs), f"{theirs:.17g}")
        exact = fraction(found_in("trask-grokking-ch5-multi-output", name, 128))
        assert abs(exact - Fraction(theirs)) <= Fraction(1, 2**50)
        checked.add(name)
    assert checked >= {name for name, printed in strings.items() if is_float_print(printed)}
    assert {case for case, row in PRINTED if is_float_print(row["printed"])} == {
        "trask-grokking-ch5-multi-output"
    }


# --- witnesses -------------------------------------------------------------------------------------


def assert_verified(spec: str) -> None:
    trace = trace_of(spec)
    report = verify(trace)
    with precision(trace.bits):
        assert not report.failures, str(report.failures[0])
    assert len({check.step for check in report.checks}) == len(trace.steps)


@pytest.mark.parametrize("spec", [spec for spec in SPECS if spec != "ng-houses"])
def test_every_witness_agrees(spec: str) -> None:
    assert_verified(spec)


@pytest.mark.slow
def test_every_witness_agrees_on_ten_thousand_steps() -> None:
    def work_and_verify(bits: int) -> None:
        trace = trace_of("ng-houses", bits)
        last = trace.steps[-1].at("w'")
        if float(last.rad()) > 1e-20:
            raise Undecided("a digit")
        report = verify(trace)
        assert not report.failures

    certified(work_and_verify)


def test_a_wrong_digit_anywhere_would_be_seen() -> None:
    """The comparison itself: changing any last digit of a number that agrees makes it disagree."""
    for case, row in PRINTED:
        if not row["agrees"] or is_float_print(row["printed"]) or case == "ng-mls-houses-gd":
            continue
        value = found_in(case, row["name"], 128)
        unit = Decimal(1).scaleb(int(Decimal(row["printed"]).as_tuple().exponent))
        for step in (unit, -unit):
            other = str(Decimal(row["printed"]) + step)
            truncated = agrees(value, other) and agrees(value, row["printed"])
            # only a value between two prints may agree with both: one rounded, one cut off
            assert not agrees(value, other) or (truncated and fraction_of(value) % Fraction(unit) != 0)


def fraction_of(value: Any) -> Fraction:
    return value if isinstance(value, Fraction) else fraction(value)


def test_the_comparison_by_hand() -> None:
    assert agrees(Fraction("0.125"), "0.13")  # half up
    assert agrees(Fraction("0.125"), "0.12")  # half to even, cut off
    assert not agrees(Fraction("0.125"), "0.11")
    assert agrees(Fraction("-2.39"), "-2.3")
    assert agrees(Fraction(79274), "7.93e+04")
    assert not agrees(Fraction(79251), "7.94e+04")
    assert not agrees(Fraction("1.012"), "1.00")
    assert not agrees(Fraction("0.985"), "1.00")
