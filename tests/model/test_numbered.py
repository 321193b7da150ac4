"""A sample's index read as a number is the number of the sample in the data set, whatever the batch."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import torch

import derivations
from derivations.language.parser import parse
from derivations.model.example import prepare
from derivations.model.numbered import at_places
from derivations.page import build
from derivations.run.many import groups
from derivations.run.training import Trace, train
from derivations.spec.spec import parse_spec
from derivations.witnesses.many import confirmed
from derivations.witnesses.work import work

SPEC = """
title = "The number of a sample"
[model]
equations = \"\"\"
{}
L = mean((yhat[i] - y[i])**2, i)
\"\"\"
[data]
x = [2, 3, 5, 7]
y = [1, 2, 3, 4]
c = [1, 3, 3, 1]
[parameters]
a = 0.5
b = 1
[training]
optimizer = {{ name = "SGD", lr = 0.1 }}
{}
"""
Model = Callable[[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]
C = torch.tensor([1, 3, 3, 1])
MODELS: dict[str, Model] = {
    "yhat[i] = a*x[i] + b*i": lambda a, b, x, i, c: a * x + b * i,
    "yhat[i] = a + b*same(i, 3)": lambda a, b, x, i, c: a + b * (i == 3),
    "yhat[i] = a + b*x[i]/i": lambda a, b, x, i, c: a + b * x / i,
    "yhat[i] = a*x[i] + b*same(i, c[i])": lambda a, b, x, i, c: a * x + b * (i == c),
    "yhat[i] = a + b*max(i - 2, 0)": lambda a, b, x, i, c: a + b * torch.clamp(i - 2, min=0),
    "s = sum(i*x[i], i)\nyhat[i] = a + b*s/100*i": lambda a, b, x, i, c: a + b * (i * x).sum() / 100 * i,
}
BATCHES = {
    "batch_size = 2": [[1, 2], [3, 4]],
    "batches = [[4, 1], [3]]": [[4, 1], [3]],
    "batch_size = 1": [[1], [2], [3], [4]],
}


@pytest.mark.parametrize("training", BATCHES)
@pytest.mark.parametrize("equations", MODELS)
def test_every_step_is_that_of_torch(equations: str, training: str) -> None:
    steps = work(prepare(*parse_spec(SPEC.format(equations, training)))).trace.steps
    given = torch.tensor([[2, 3, 5, 7], [1, 2, 3, 4]], dtype=torch.float64)
    a, b = (torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in (0.5, 1.0))
    for step, batch in zip(steps, BATCHES[training], strict=True):
        rows = torch.tensor(batch) - 1
        x, y = given[:, rows]
        loss = ((MODELS[equations](a, b, x, rows + 1, C[rows]) - y) ** 2).mean()
        slopes = torch.autograd.grad(loss, (a, b), allow_unused=True)
        assert float(step["L"]) == pytest.approx(loss.item(), rel=1e-12)
        for name, slope in zip("ab", slopes, strict=True):
            assert float(step[f"dL/d{name}"]) == pytest.approx(
                0.0 if slope is None else slope.item(), abs=1e-12
            )
        new = [value - 0.1 * (0.0 if g is None else g) for value, g in zip((a, b), slopes, strict=True)]
        a, b = (value.detach().requires_grad_() for value in new)


def test_a_shuffled_batch_is_that_of_torch() -> None:
    example = prepare(*parse_spec(SPEC.format("yhat[i] = a + b*i", "shuffle = 3\nbatch_size = 3")))
    for step in work(example).trace.steps:
        for sample in step.samples:
            assert step[f"yhat[{sample}]"] == step["a"] + sample * step["b"]


def test_the_page_puts_the_number_of_the_sample_in() -> None:
    text = build(SPEC.format("yhat[i] = a + b*i", "batches = [[4, 1], [3]]"), ("md",))["md"]
    assert r"\hat y_3 = a + b \cdot 3" in text
    table = re.findall(r"^\| (\d) \| \d \| ([\d.]+) \|", text, re.MULTILINE)
    assert [(int(number), float(value)) for number, value in table[:2]] == [(4, 4.5), (1, 1.5)]
    assert "yhat = a + b*(rows + 1)" in text


def test_places_stand_between_brackets_and_numbers_elsewhere() -> None:
    expr = parse("x[i]*i + sum(i*x[i], i) + y[i, t]*t")
    found = at_places(expr, {"i": 1, "t": 2}, {"i"}, (7, 8))
    assert found == parse("x[1]*7 + sum(i*x[i], i) + y[1, 2]*2")


@pytest.mark.parametrize("form", ["html", "xlsx", "ipynb", "tex"])
def test_every_format_agrees(form: str) -> None:
    spec = SPEC.format("yhat[i] = a + b*i*same(i, c[i])", "batches = [[4, 1], [3]]")
    assert build(spec, (form,)).file(form)


@pytest.mark.parametrize("rounds", ["", "carry = 3"])
@pytest.mark.parametrize("equations", MODELS)
def test_the_runs_of_a_session_are_those_of_each_spec(equations: str, rounds: str) -> None:
    session = derivations.session(SPEC.format(equations, f"{rounds}\nbatch_size = 2"))
    together = session.many(lr=[0.1, 0.05], b=[1, 2])
    assert [all(confirmed(group)) for group in groups([run.variant.example for run in together])] == [True]
    for run, given in zip(together, [{}, {"lr = 0.1": "lr = 0.05", "b = 1": "b = 2"}], strict=True):
        assert values(run.trace) == alone(equations, f"{rounds}\nbatch_size = 2", given)
    for batches in ([[1, 2], [3, 4]], [[4, 1], [3]], [[2], [1, 3, 4]]):
        found = values(session.with_(batches=batches).trace)
        assert found == alone(equations, f"{rounds}\nbatches = {batches}", {})


def alone(equations: str, training: str, given: dict[str, str]) -> list[list[str]]:
    text = SPEC.format(equations, training)
    for before, after in given.items():
        assert before in text
        text = text.replace(before, after)
    return values(train(prepare(*parse_spec(text))))


def values(trace: Trace) -> list[list[str]]:
    return [[str(step.labelled)] for step in (*trace.steps, *trace.carried)]
