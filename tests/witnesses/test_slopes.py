"""Slopes that a row states are held against torch in the build of a page that uses the function."""

from __future__ import annotations

from dataclasses import replace

import pytest

from derivations.catalogue import functions
from derivations.catalogue.functions import FUNCTIONS, Function
from derivations.language.errors import CheckFailed
from derivations.model.example import prepare
from derivations.spec.gallery import find
from derivations.spec.spec import read_spec
from derivations.witnesses.slopes import fault_of, places, require_slopes

STATED = [row for row in FUNCTIONS if row.all_slopes and not row.over]


@pytest.mark.parametrize("row", STATED, ids=lambda row: row.name)
def test_every_slope_of_the_catalogue_is_torchs(row: Function) -> None:
    assert fault_of(row.name, repr(row)) == ""


@pytest.mark.parametrize(
    ("name", "other", "says"),
    [
        ("min", {"slope": "(1 - sign(x + y))/2"}, "min by x"),
        ("min", {"slopes": {"y": "(1 + sign(x + y))/2"}}, "min by y"),
        ("abs", {"slope": "2*step(x) - 1"}, "x = 0"),  # wrong at the kink alone
        ("relu", {"slope": "1 - step(-x)"}, "x = 0"),
        ("sigmoid", {"slope": "sigmoid(x)*(1 + sigmoid(x))"}, "sigmoid by x"),
        ("clamp", {"slope": "step(x - lo) + step(hi - x) - 1"}, "clamp by x"),
        ("log", {"slope": "-1/x"}, "log by x"),
    ],
)
def test_a_false_slope_is_found(
    name: str, other: dict[str, object], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = replace(functions.BY_NAME[name], **other)  # type: ignore[arg-type]
    monkeypatch.setitem(functions.BY_NAME, name, row)
    assert says in fault_of(name, repr(row))


def test_the_build_of_a_page_that_uses_it_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    example = prepare(*read_spec(find("huber-regression")))
    require_slopes(example.forward, example.backward)
    row = replace(functions.BY_NAME["min"], slope="(1 - sign(x + y))/2")
    monkeypatch.setitem(functions.BY_NAME, "min", row)
    with pytest.raises(CheckFailed, match="the slope of min by x is"):
        require_slopes(example.forward, example.backward)


@pytest.mark.parametrize("row", [row for row in STATED if row.kinks], ids=lambda row: row.name)
def test_the_kinks_are_among_the_points(row: Function) -> None:
    assert len(list(places(row))) > 8
