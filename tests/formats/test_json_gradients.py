"""The formulas of the gradients in JSON: as a textbook has them, and read back."""

from __future__ import annotations

import json

import pytest

from derivations.language.errors import CheckFailed
from tests.built import GALLERY, page


def test_the_slopes_of_least_squares() -> None:
    assert json.loads(page("linear-regression")["json"])["gradients"] == [
        {
            "quantity": "dL/dw",
            "text": "dL/dw = 2/count(i)*sum(x[i]*(yhat[i] - y[i]), i)",
            "latex": r"\frac{\partial L}{\partial w} = \frac{2}{n} \sum_i x_i (\hat y_i - y_i)",
        },
        {
            "quantity": "dL/db",
            "text": "dL/db = 2/count(i)*sum(yhat[i] - y[i], i)",
            "latex": r"\frac{\partial L}{\partial b} = \frac{2}{n} \sum_i (\hat y_i - y_i)",
        },
    ]


@pytest.mark.parametrize("name", GALLERY)
def test_every_parameter_has_a_formula(name: str) -> None:
    run = page(name)
    example = run.trace.example
    found = {one["quantity"] for one in json.loads(run["json"])["gradients"]}
    assert found >= {f"d{example.loss}/d{parameter}" for parameter in example.parameters}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (r"\\sum_i x_i (\\hat y_i - y_i)", r"\\sum_i x_i (y_i - \\hat y_i)"),
        (r"\\frac{2}{n} \\sum_i x_i", r"\\frac{1}{n} \\sum_i x_i"),
        (r"\\partial w} =", r"\\partial b} ="),
        ("sum(x[i]*(yhat[i] - y[i]), i)", "sum(x[i]*(yhat[i] + y[i]), i)"),
        ('"quantity": "dL/dw"', '"quantity": "dL/db"'),
    ],
)
def test_another_formula_does_not_read_back(old: str, new: str) -> None:
    text = page("linear-regression")["json"]
    assert old in text
    with pytest.raises(CheckFailed):
        page("linear-regression").check("json", text.replace(old, new, 1))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"steps": [', '"stairs": ['),
        ('"gradients": [', '"gradients": null, "g": ['),
        ('"quantities": {', '"quantities": 3, "q": {'),
        ('"decimal": "0.5"', '"decimal": 0.5'),
        ('"latex": "', '"latex": 3, "text": "'),
        ('"agrees": true', '"agrees": false'),
        ('"witnesses": {', '"wit": {'),
        ('"exact": "1/2"', '"enclosure": ["0.5", "0.5"]'),
        ('"exact": "1/2"', '"exact": 0.5'),
        ('"exact": "1/2"', '"enclosure": "0.5"'),
        ('"exact": "1/2"', '"enclosure": [0.5, null]'),
        ('"exact": "1/2",', ""),
        (
            "{",
            "[",
        ),
    ],
)
def test_a_file_of_another_form_does_not_read_back(old: str, new: str) -> None:
    shown = page("linear-regression")
    text = shown["json"]
    assert old in text
    with pytest.raises(CheckFailed):
        shown.check("json", text.replace(old, new, 1))


@pytest.mark.parametrize("fault", [KeyError, TypeError, IndexError, ValueError])
def test_a_fault_of_our_own_is_not_taken_for_a_wrong_file(
    fault: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = page("linear-regression")
    text = shown["json"]

    def broken(*_: object) -> None:
        raise fault("ours")

    monkeypatch.setattr("derivations.formats.data.json._says", broken)
    with pytest.raises(fault, match="ours"):
        shown.check("json", text)
