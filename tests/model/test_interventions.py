"""Slips and conventions as rewrites of programs, against the same slip worked by hand."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from derivations.language.errors import LanguageError
from derivations.model.example import Example, prepare
from derivations.model.interventions import rewritten, rounded
from derivations.run.training import Trace, train
from derivations.spec.spec import parse_spec

X, Y, RATE = (Fraction(1), Fraction(2), Fraction(4)), (Fraction(3), Fraction(5), Fraction(7)), Fraction("0.1")
LINE = """
title = "line"
[model]
equations = \"\"\"
yhat[i] = w*x[i] + b
L = mean((yhat[i] - y[i])**2, i)
\"\"\"
[data]
x = [1, 2, 4]
y = [3, 5, 7]
[parameters]
w = 0.5
b = 1
[training]
optimizer = { name = "SGD", lr = 0.1 }
epochs = 3
"""


def line(text: str = LINE) -> Example:
    return prepare(*parse_spec(text))


def weights(trace: Trace) -> list[tuple[Fraction, Fraction]]:
    return [(Fraction(step["w'"]), Fraction(step["b'"])) for step in trace.steps]


def by_hand(slope: Any, keep: Any = lambda x: x) -> list[tuple[Fraction, Fraction]]:
    """Three steps with a rule for the two slopes, and what is kept of a new value."""
    w, b, found = Fraction("0.5"), Fraction(1), []
    for _ in range(3):
        residuals = [w * x + b - y for x, y in zip(X, Y, strict=True)]
        dw, db = slope(residuals)
        w, b = keep(w - RATE * dw), keep(b - RATE * db)
        found.append((w, b))
    return found


def right(residuals: list[Fraction]) -> tuple[Fraction, Fraction]:
    return 2 * sum(e * x for e, x in zip(residuals, X, strict=True)) / 3, 2 * sum(residuals, Fraction()) / 3


def test_without_an_intervention() -> None:
    assert weights(train(line())) == by_hand(right)


def test_the_factor_two_forgotten() -> None:
    slip = "dL/dw = 1/count(i)*sum(x[i]*(yhat[i] - y[i]), i)\ndL/db = 1/count(i)*sum(yhat[i] - y[i], i)"
    assert weights(train(rewritten(line(), slip))) == by_hand(lambda e: tuple(v / 2 for v in right(e)))


def test_the_new_value_used_too_early() -> None:
    """The bias is updated with the residuals of the new weight."""
    slip = "dL/db = 2/count(i)*sum(w'*x[i] + b - y[i], i)"
    w, b, found = Fraction("0.5"), Fraction(1), []
    for _ in range(3):
        w -= RATE * right([w * x + b - y for x, y in zip(X, Y, strict=True)])[0]
        b -= RATE * right([w * x + b - y for x, y in zip(X, Y, strict=True)])[1]
        found.append((w, b))
    assert weights(train(rewritten(line(), slip))) == found


def test_the_sign_of_an_update_turned() -> None:
    found = weights(train(rewritten(line(), "w' = w + lr*dL/dw\nb' = b + lr*dL/db")))
    assert found == by_hand(lambda e: tuple(-v for v in right(e)))


def test_values_of_somebody_else_are_carried_forward() -> None:
    trace = train(rewritten(line(), "yhat[i] = theirs[i]", theirs=[1, 2, 3]))
    residuals = [Fraction(k) - y for k, y in zip((1, 2, 3), Y, strict=True)]
    assert Fraction(trace.steps[0]["dL/dw"]) == right(residuals)[0]
    assert Fraction(trace.steps[0]["L"]) == sum(e**2 for e in residuals) / 3


def test_a_rewritten_model_keeps_the_gradient_of_the_one_that_was_meant() -> None:
    trace = train(rewritten(line(), "yhat[i] = w*x[i]"))
    residuals = [Fraction("0.5") * x - y for x, y in zip(X, Y, strict=True)]
    assert Fraction(trace.steps[0]["dL/db"]) == right(residuals)[1] != 0


def half_away(value: Fraction, places: int) -> Fraction:
    scale = 10**places
    size = int(abs(value) * scale + Fraction(1, 2))
    return Fraction(size if value > 0 else -size, scale)


@pytest.mark.parametrize("places", [0, 1, 3])
def test_rounded_parameters_are_carried_on_rounded(places: int) -> None:
    found = weights(train(rounded(line(), {"w'": places, "b'": places})))
    assert found == by_hand(right, lambda value: half_away(value, places))


def test_halves_are_rounded_away_from_zero() -> None:
    text = LINE.replace("x = [1, 2, 4]", "x = [0.25, -0.25, 0.249]").replace("w = 0.5", "w = 1")
    step = train(rounded(line(text.replace("b = 1", "b = 0")), {"yhat": 1})).steps[0]
    assert [Fraction(step[f"yhat[{k}]"]) for k in (1, 2, 3)] == [Fraction(k, 10) for k in (3, -3, 2)]
    assert Fraction(step["yhat_exact[2]"]) == Fraction(-1, 4)


def test_each_entry_may_have_places_of_its_own() -> None:
    step = train(rounded(line(LINE.replace("b = 1", "b = 1.2345")), {"yhat": [0, 1, 3]})).steps[0]
    assert [Fraction(step[f"yhat[{k}]"]) for k in (1, 2, 3)] == [2, Fraction("2.2"), Fraction("3.235")]


RECURRENCE = """
title = "recurrence"
[model]
equations = \"\"\"
h[0] = h0
h[t] = w*h[t - 1] + x[t]
L = sum(h[t], t)
\"\"\"
[data]
x = [0.3, 0.3, 0.3]
[parameters]
w = 0.5
h0 = 0.26
"""


def test_in_a_recurrence_the_rounded_entry_is_the_one_that_goes_on() -> None:
    step = train(rounded(line(RECURRENCE), {"h": [1, 1, 1]})).steps[0]
    assert Fraction(step["h[0]"]) == Fraction("0.26")
    assert [Fraction(step[f"h[{t}]"]) for t in (1, 2, 3)] == [Fraction(k, 10) for k in (4, 5, 6)]


def test_one_equation_of_a_recurrence_is_rewritten() -> None:
    step = train(rewritten(line(RECURRENCE), "h[0] = 0")).steps[0]
    assert Fraction(step["h[1]"]) == Fraction("0.3")
    step = train(rewritten(line(RECURRENCE), "h[t] = x[t]")).steps[0]
    assert Fraction(step["h[3]"]) == Fraction("0.3")
    assert Fraction(step["h[0]"]) == Fraction("0.26")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("dL/dv = 1", "no equation computes 'dL/dv'"),
        ("what = 1", "no equation computes 'what'"),
        ("yhat[i, j] = 1", "no equation computes these entries of 'yhat'"),
        ("yhat[1] = 1", "no equation computes these entries of 'yhat'"),
        ("dL/dw = ", "expected a number, a name or '\\('"),
    ],
)
def test_what_cannot_be_rewritten(text: str, message: str) -> None:
    with pytest.raises(LanguageError, match=message):
        rewritten(line(), text)


def test_what_is_not_there_cannot_be_read_or_rounded() -> None:
    with pytest.raises(LanguageError, match="unknown name 'vv'"):
        rewritten(line(), "dL/dw = vv")
    with pytest.raises(LanguageError, match="no equation computes 'yhut'"):
        rounded(line(), {"yhut": 2})
