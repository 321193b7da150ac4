"""A loss of the catalogue that a spec calls, or writes down, is told with its convention."""

from __future__ import annotations

from dataclasses import replace

import pytest

from derivations.audit.sentences.asked import faults
from derivations.audit.sentences.losses import called, is_whole, statements
from derivations.document.blocks import Message, Prose
from derivations.language.errors import CheckFailed
from derivations.model.recognize import recognize
from derivations.page import build
from tests.audit.test_sentences import by_hand, of_text, with_block

STEP = 'optimizer = { name = "SGD", lr = 0.01 }'
CALLS = """title = "calls"
[model]
equations = '''
yhat[i] = w*x[i] + b
l[i] = huber_loss(yhat[i],
    y[i])  # not squared_error(a, b)
L = mean(l[i], i) + 0.1*l2_penalty(v[j], j) + absolute_error(b, c)
'''
[data]
x = [1, 2]
y = [2, 5]
c = 0.25
[parameters]
w = 1
b = 0.5
v = [1, -1]
[training]
optimizer = { name = "SGD", lr = 0.01 }
"""


def test_an_equation_goes_on_over_open_brackets() -> None:
    text = "a[i] = f(x[i],\n  y[i])  # = no\n\nb = c - 1\na[0] = 2\n"
    assert list(statements(text)) == [("a", "f(x[i],   y[i])"), ("b", "c - 1"), ("a", "2")]


def test_calls_are_found_in_the_text() -> None:
    found = called(of_text(CALLS))
    assert {name: [row.name for row in rows] for name, rows in found.items()} == {
        "yhat": [],
        "l": ["huber_loss"],
        "L": ["l2_penalty", "absolute_error"],
    }


WHOLE = {
    "mean((yhat[i] - y[i])**2, i)": True,
    "1/2*sum((y[i] - yhat[i])**2, i)": True,
    "mean(huber_loss(yhat[i], y[i]), i)": True,
    "mean(abs(yhat[i] - y[i]), i)": True,
    "mean((yhat[i] - y[i])**2, i) + w**2": False,
    "1/3*mean((yhat[i] - y[i])**2, i)": False,
    "mean((yhat[i] - y[1])**2, i)": False,
    "mean(huber_loss(yhat[i], y[i], 2), i)": False,
}


@pytest.mark.parametrize("loss", WHOLE)
def test_a_whole_loss_is_one_whose_line_is_a_rows(loss: str) -> None:
    sight = by_hand(STEP, loss=loss)
    assert is_whole(sight) == WHOLE[loss] == ("L" in recognize(sight.example))
    assert list(faults(sight)) == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (CALLS, "nothing says what the Huber loss of l is"),
        (CALLS, "nothing says what the L2 penalty of L is"),
        (CALLS, "nothing says what the absolute error of L is"),
        ("", "nothing says which loss L is"),
    ],
)
def test_a_sentence_that_is_left_out_is_missed(text: str, says: str) -> None:
    sight = of_text(text) if text else by_hand(STEP)
    assert list(faults(sight)) == []
    told = ("This is the", "A part of it", "The loss is the")
    places = [
        at
        for at, block in enumerate(sight.document.blocks)
        if isinstance(block, Prose) and isinstance(block.words[0], Message)
        if block.words[0].text.startswith(told)
    ]
    assert any(says in list(faults(with_block(sight, at))) for at in places)


def test_every_loss_of_a_line_is_told() -> None:
    page = str(build(CALLS, ("md",))["md"])
    assert "This is the Huber loss: half the squared residual up to the limit" in page
    assert "A part of it is the L2 penalty: the sum of the squared weights, without a factor 1/2." in page
    assert "A part of it is the absolute error: the absolute residual, with slope 0 at 0." in page
    german = CALLS + '[page]\nlanguage = "de"\n'
    assert "Ein Teil davon ist die L2-Strafe: " in str(build(german, ("md",))["md"])


def test_a_page_that_overlooks_a_call_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("derivations.document.problem.named_losses", lambda example: {})
    with pytest.raises(CheckFailed, match="nothing says what the Huber loss of l is"):
        build(CALLS, ("md",))


NOTED = '[page.notation]\nsymbols = { w = "theta_1" }\n'


def test_a_symbol_that_the_author_gave_is_used() -> None:
    sight = of_text(CALLS + NOTED)
    assert list(faults(sight)) == []
    plain = replace(sight, symbols=replace(sight.symbols, renamed={}))
    assert "'w' does not have the symbol theta_1" in list(faults(plain))


def test_what_numbers_the_samples_is_told_where_nothing_counts_them() -> None:
    sight = by_hand(STEP, loss="1/2*sum((yhat[i] - y[i])**2, i) + w")
    assert list(faults(sight)) == []
    told = "The index {} numbers the samples."
    places = [at for at, block in enumerate(sight.document.blocks) if told in str(block)]
    assert any("nothing says what i numbers" in list(faults(with_block(sight, at))) for at in places)


LAYERS = """title = "layers"
[model]
layers = ["Linear(1, 1)", "Tanh()"]
equations = "L = sum(sum((yhat[i, j] - y[i, j])**4, j), i)"
[data]
x = [[1], [2]]
y = [[0.5], [1]]
[training]
optimizer = { name = "SGD", lr = 0.01 }
"""


def test_a_function_of_torch_is_not_said_to_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "was not found for L." in str(build(LAYERS, ("md",))["md"])
    monkeypatch.setattr("derivations.model.recognize._functions", lambda layers: iter(()))
    with pytest.raises(CheckFailed, match=r"was not found for .*is not so"):
        build(LAYERS, ("md",))
