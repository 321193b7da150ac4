"""The CSV table: every value once, canonical, and nothing in it that a spreadsheet takes for a formula."""

from __future__ import annotations

import csv
import io
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import pytest

from derivations.formats.data import csv as trace_csv
from derivations.language.errors import CheckFailed
from derivations.model.example import prepare
from derivations.numbers.float64 import nearest_float
from derivations.numbers.systems import ball, precision
from derivations.run.training import Trace, certified, train
from derivations.spec.gallery import names, path
from derivations.spec.spec import read_spec


def trace_of(name: str) -> Trace:
    example = prepare(*read_spec(path(name)))
    return certified(lambda bits: train(example, bits))


def press_of(name: str) -> Any:
    return SimpleNamespace(run=SimpleNamespace(trace=trace_of(name)))


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


@pytest.mark.parametrize("name", names())
def test_every_value_of_the_gallery_stands_in_the_table_once(name: str) -> None:
    """Read without the package's reader: by Python's csv, the exact value against the decimal beside it."""
    press = press_of(name)
    text = trace_csv.write(press)
    trace_csv.check(text, press)
    rows, values = table(text), {step.number: step.labelled for step in press.run.trace.steps}
    assert len(rows) == sum(map(len, values.values()))
    with precision(200):
        for row in rows:
            inside = ", ".join(v for key, v in row.items() if key.startswith("index_") and v)
            entry = row["quantity"] + (f"[{inside}]" if inside else "")
            value = values[int(row["step"])][entry]
            wanted = float(ball(value).mid())
            assert abs(float(row["value"]) - wanted) <= abs(wanted) * 2.0**-52
            if row["numerator"]:
                exact = Fraction(int(row["numerator"]), int(row["denominator"]))
                assert (exact.numerator, exact.denominator) == (int(value.p), int(value.q))
                assert float(exact) == float(row["value"])


def test_lines_and_cells_are_as_rfc_4180_and_spreadsheets_want_them() -> None:
    text = trace_csv.write(press_of("optimizer-adam"))
    lines = text.split("\r\n")
    assert lines[-1] == ""
    assert "\n" not in text.replace("\r\n", "")
    assert len({len(row) for row in csv.reader(lines[:-1])}) == 1
    for row in table(text):
        for key, cell in row.items():
            if cell and key not in ("samples", "quantity"):
                float(cell)  # a sign begins numbers only
            assert not cell.startswith(("=", "+", "@", "\t"))
        assert not row["quantity"].startswith("-")


def test_samples_have_their_numbers_of_the_data_set() -> None:
    rows = table(trace_csv.write(press_of("linear-regression")))
    second = [row for row in rows if row["step"] == "2" and row["quantity"] == "yhat"]
    assert [(row["samples"], row["index_1"], row["value"]) for row in second] == [
        ("3 4", "3", "3.76"),
        ("3 4", "4", "4.605"),
    ]


def test_rounded_arithmetic_has_a_column_of_its_own() -> None:
    press = press_of("linear-regression-by-calculator")
    rows = table(trace_csv.write(press))
    assert any(float(row["carried"]) != float(row["value"]) for row in rows)
    for row in rows:
        assert float(row["carried"]) == float(f"{float(row['carried']):.3f}")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("3.76,", "3.67,"),
        ("94,25\r\n", "95,25\r\n"),
        ("yhat,3,", "yhat,4,"),
        ("2,1,3 4,", "2,1,3 5,"),
        ("step,epoch", "step,epochs"),
        ("2,1,3 4,yhat,3,3.76,94,25\r\n", ""),
        ("2,1,3 4,yhat,3,3.76,94,25\r\n", "2,1,3 4,yhat,3,3.76,94,25\r\n" * 2),
        ("\r\n2,1,3 4,w,", "\r\nx,1,3 4,w,"),
        (",3.76,", ",a,"),
        (",3.76,", ","),
        ("yhat", '"yhat'),
        (",3.76,", ",3.7600000000000002,"),
        (",3.76,", ",nan,"),
        ("94,25\r\n", "94,0\r\n"),
        ("94,25\r\n", ",\r\n"),
        ("94,25\r\n", "188,50\r\n"),
    ],
)
def test_a_falsified_table_is_caught(old: str, new: str) -> None:
    press = press_of("linear-regression")
    text = trace_csv.write(press)
    assert old in text
    with pytest.raises(CheckFailed):
        trace_csv.check(text.replace(old, new, 1), press)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("decimal", lambda value: f"{nearest_float(value):.3g}"),
        ("_exact", lambda value: ("", "")),
        ("_of_step", lambda step: (str(step.number), str(step.epoch), "")),
    ],
)
def test_a_writer_that_is_wrong_is_refused(name: str, wrong: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The check shares neither the decimals nor the fractions nor the samples with the writer."""
    press = press_of("linear-regression")
    monkeypatch.setattr(trace_csv, name, wrong)
    with pytest.raises(CheckFailed):
        trace_csv.check(trace_csv.write(press), press)


def test_a_fault_of_our_own_is_not_taken_for_a_wrong_table(monkeypatch: pytest.MonkeyPatch) -> None:
    press = press_of("linear-regression")
    text = trace_csv.write(press)

    def broken(*_: object) -> float:
        raise ValueError("ours")

    monkeypatch.setattr(trace_csv, "nearest_float", broken)
    with pytest.raises(ValueError, match="ours"):
        trace_csv.check(text, press)
