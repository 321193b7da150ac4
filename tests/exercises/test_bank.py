"""Banks: every variant worked again by code of its own; niceness, spread, seeds, and what is refused."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

import derivations
from derivations.cli import main
from derivations.exercises import bank
from derivations.exercises.bank import Bank, decimal
from derivations.exercises.made import files_of
from derivations.language.errors import CheckFailed, SpecError
from derivations.sessions import Session

LINEAR = """
title = "a line"
[model]
equations = '''
yhat[i] = w*x[i] + b
L = mean((yhat[i] - y[i])**2, i)
'''
[data]
x = [1, 2, 3, 4]
y = [3, 5, 6, 9]
[parameters]
w = 1
b = 0
[training]
optimizer = { name = "SGD", lr = 0.1 }
batch_size = 2
[exercise]
vary = { w = { from = -2, to = 2, step = 0.5 }, b = [0, 1, 2], x = [1, 2, 3, 4], lr = [0.1, 0.05] }
steps = 2
count = 12
decimals = 3
"""


def session(text: str) -> Session:
    return derivations.session(text)


@pytest.fixture(scope="module")
def linear() -> Bank:
    return session(LINEAR).exercises()


def by_hand(values: dict[str, Any], steps: int) -> Iterator[dict[str, Fraction]]:
    """Gradients and new parameters of every step, and all that a student works on the way."""
    x, y = values["x"], [Fraction(n) for n in (3, 5, 6, 9)]
    w, b, lr = values["w"], values["b"], values["lr"]
    for step in range(steps):
        rows = range(2 * step, 2 * step + 2)
        off = [w * x[i] + b - y[i] for i in rows]
        dw = sum(r * x[i] for r, i in zip(off, rows, strict=True))
        db = sum(off)
        w, b = w - lr * dw, b - lr * db
        yield {"dL/dw": dw, "dL/db": db, "w'": w, "b'": b, "L": sum(r * r for r in off) / 2}


def is_short(value: Fraction, decimals: int) -> bool:
    return (value * 10**decimals).denominator == 1


def test_every_answer_is_that_of_independent_arithmetic(linear: Bank) -> None:
    items = list(linear.items())
    assert len(items) == 12
    for item in items:
        wanted = list(by_hand(dict(item.values), 2))
        found = {(answer.asked.step, answer.asked.name): answer for answer in item.answers}
        assert set(found) == {(n, name) for n in (1, 2) for name in ("dL/dw", "dL/db", "w'", "b'")}
        for (step, name), answer in found.items():
            assert Fraction(answer.text) == wanted[step - 1][name]
            assert answer.printed.exact


def test_every_value_on_the_way_is_short_and_comes_from_the_domains(linear: Bank) -> None:
    halves = {Fraction(n, 2) for n in range(-4, 5)}
    for item in linear.items():
        assert all(is_short(value, 3) for step in by_hand(dict(item.values), 2) for value in step.values())
        assert item.values["w"] in halves
        assert item.values["b"] in {0, 1, 2}
        assert set(item.values["x"]) <= {1, 2, 3, 4}
        assert item.values["lr"] in {Fraction(1, 10), Fraction(1, 20)}


def test_variants_are_different_and_spread_over_the_domains(linear: Bank) -> None:
    rows = [str(sorted(item.values.items())) for item in linear.items()]
    assert len(set(rows)) == len(rows)
    counts = Counter(item.values["b"] for item in linear.items())
    assert set(counts) == {0, 1, 2}
    assert max(counts.values()) - min(counts.values()) <= 2


def test_the_same_seed_is_the_same_bank_and_another_seed_another_one(linear: Bank) -> None:
    again, other = session(LINEAR).exercises(), session(LINEAR).exercises(seed=2)
    formats = "bank,moodle,md"
    assert files_of(linear, formats) == files_of(again, formats)
    assert [item.values for item in other.items()] != [item.values for item in linear.items()]


def test_identifiers_stay_when_words_change(linear: Bank) -> None:
    reworded = session(LINEAR.replace('"a line"', '"a straight line"')).exercises()
    assert [item.key for item in reworded.items()] == [item.key for item in linear.items()]
    assert len({item.key for item in linear.items()}) == 12


LOGISTIC = """
title = "a sigmoid"
[model]
equations = '''
p[i] = sigmoid(w*x[i] + b)
L = mean(-y[i]*log(p[i]) - (1 - y[i])*log(1 - p[i]), i)
'''
[data]
x = [1, 2, -1]
y = [1, 0, 1]
[parameters]
w = 1
b = 0
[training]
optimizer = { name = "SGD", lr = 0.5 }
[exercise]
vary = { w = [0.5, 1, 1.5, 2], b = [-1, 0, 1] }
count = 5
places = 4
"""


def test_answers_that_do_not_end_are_rounded_to_the_places_that_are_asked_for() -> None:
    bank = session(LOGISTIC).exercises()
    assert not bank.exact
    for item in bank.items():
        w, b = (float(item.values[name]) for name in ("w", "b"))
        x, y = (1, 2, -1), (1, 0, 1)
        off = [1 / (1 + math.exp(-(w * a + b))) - t for a, t in zip(x, y, strict=True)]
        wanted = {"dL/dw": sum(r * a for r, a in zip(off, x, strict=True)) / 3, "dL/db": sum(off) / 3}
        wanted |= {"w'": w - 0.5 * wanted["dL/dw"], "b'": b - 0.5 * wanted["dL/db"]}
        for answer in item.answers:
            assert re.fullmatch(r"-?\d+\.\d{4}", answer.text)
            assert abs(float(answer.text) - wanted[answer.asked.name]) <= 0.5e-4 + 1e-12


def test_a_decimal_is_written_in_full() -> None:
    cases = {
        (-69, 2, 0): "-34.5",
        (0, 1, 0): "0",
        (9, 25, 3): "0.360",
        (-1, 8, 0): "-0.125",
        (120, 1, 0): "120",
    }
    for (above, below, least), text in cases.items():
        assert decimal(Fraction(above, below), least) == text


def test_a_number_that_does_not_end_is_no_decimal() -> None:
    with pytest.raises(ValueError, match="no decimal that ends"):
        decimal(Fraction(1, 3))


# --- what is refused ---------------------------------------------------------------------------------------

REFUSED = {
    "count = 12": ("count = 100000", r"there are only \d+ variants, not 100000"),
    "b = [0, 1, 2]": ("bias = [0, 1, 2]", "nothing is called 'bias' here"),
    "x = [1, 2, 3, 4], lr": ("x = [[1, 2], [3, 4]], lr", "the values of 'x' do not fit"),
    "lr = [0.1, 0.05] }": ("lr = [[0.1]] }", "'lr' is one number"),
    "steps = 2": ("steps = 5", "there are 2 steps, not 5"),
    "decimals = 3": ('ask = ["dL/dv"]', "nothing is called 'dL/dv' here"),
    "w = { from = -2, to = 2, step = 0.5 }": ("w = { from = 2, to = -2 }", "has no value"),
    "batch_size = 2": ("batch_size = 2\ncarry = 3", "a bank is worked exactly"),
    "[0.1, 0.05]": ("[]", "expected a list of values"),
}


@pytest.mark.parametrize("old", REFUSED)
def test_a_spec_without_such_a_bank_is_one_message_with_its_place(old: str) -> None:
    new, said = REFUSED[old]
    assert old in LINEAR
    with pytest.raises(SpecError, match=said) as caught:
        list(session(LINEAR.replace(old, new)).exercises().items())
    table = "[training]" if "carry" in new else "[exercise]"
    assert caught.value.line > LINEAR[: LINEAR.index(table)].count("\n")


def test_too_few_nice_variants_name_what_would_give_more() -> None:
    with pytest.raises(SpecError, match=r"there are only \d+ variants") as caught:
        session(LINEAR.replace("decimals = 3", "decimals = 0")).exercises()
    assert "decimals = " in caught.value.hint or "fewer digits" in caught.value.hint


# --- the command --------------------------------------------------------------------------------------------


def run(*arguments: str, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr("sys.argv", ["derivations", *arguments])
    try:
        main()
    except SystemExit as done:
        return int(done.code or 0)
    return 0


def test_the_command_writes_a_bank(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = "exercise", "linear-regression", "--count", "3", "--seed", "7", "--format", "md,bank,moodle"
    assert run(*given, "--output", str(tmp_path / "bank"), monkeypatch=monkeypatch) == 0
    names = {path.name for path in (tmp_path / "bank").iterdir()}
    ends = "-exercises.md", "-solutions.md", ".json", ".moodle.xml"
    assert names == {f"linear-regression{end}" for end in ends}
    found = json.loads((tmp_path / "bank" / "linear-regression.json").read_text())
    assert [variant["number"] for variant in found["variants"]] == [1, 2, 3]


def test_an_unknown_format_of_a_bank_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given = "exercise", "linear-regression", "--format", "moodel", "--output", str(tmp_path)
    assert run(*given, monkeypatch=monkeypatch) == 2
    assert "a bank has no format 'moodel'" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_the_spec_that_new_writes_makes_a_bank(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("new", "mine", "--exercise", monkeypatch=monkeypatch) == 0
    assert run("exercise", "mine.toml", "--count", "2", monkeypatch=monkeypatch) == 0
    assert (tmp_path / "bank" / "mine-exercises.md").exists()


def test_a_folder_that_cannot_be_written_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    given = "exercise", "linear-regression", "--count", "1", "--output", str(tmp_path / "file" / "bank")
    assert run(*given, monkeypatch=monkeypatch) == 2
    assert "cannot write into this folder" in capsys.readouterr().err


def test_an_answer_that_is_printed_wrong_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    right = bank.at_places

    def wrong(value: Any, places: int) -> Any:
        found = right(value, places)
        return replace(found, value=found.value + Fraction(1, 10**places))

    monkeypatch.setattr(bank, "at_places", wrong)
    for text in (LINEAR, LOGISTIC):
        with pytest.raises(CheckFailed, match="is not among those accepted"):
            list(session(text).exercises(count=1).items())
