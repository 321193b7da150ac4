"""Letters and numbers between brackets: which sample, which class, which letter."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
import torch

from derivations.audit.indices import SampleNumbers, letter_faults
from derivations.claims.samples import with_positions, with_samples
from derivations.document.symbols import symbols_of
from derivations.language.errors import Mismatch
from derivations.language.parser import parse
from derivations.model.example import prepare
from derivations.notation.chain import Side, formula
from derivations.notation.symbols import Symbol
from derivations.page import build
from derivations.run.training import train
from derivations.spec.spec import parse_spec

CLASSES = """
title = "A class for every sample"
[model]
equations = \"\"\"
z[i, k] = w[k]*x[i]
l[i] = cross_entropy(z[i, k], y[i], k)
L = mean(l[i], i)
\"\"\"
[data]
x = [1, 2, 3]
y = [1, 2, 2]
[parameters]
w = [0.5, -0.5]
[training]
optimizer = { name = "SGD", lr = 0.1 }
batch_size = 1
[page]
show = ["steps"]
"""
LINE = """
title = "A line"
[model]
equations = \"\"\"
yhat[i] = w*x[i] + b
L = mean((yhat[i] - y[i])**2, i)
\"\"\"
[data]
x = [1, 2]
y = [1, 3]
[parameters]
w = 0.5
b = 1
[training]
optimizer = { name = "Adam", lr = 0.1 }
[page]
show = ["problem"]
"""


def test_the_class_of_a_lookup_is_that_of_the_sample_of_the_step() -> None:
    text = build(CLASSES, ("md",))["md"]
    found = re.findall(
        r"l_(\d) = \\ln\(l_\{s1,\d\}\) - z_\{(\d),y_(\d)\} .*- \(?(-?[\d.]+)\)? \\approx", text
    )
    w, rate = torch.tensor([0.5, -0.5], dtype=torch.float64, requires_grad=True), 0.1
    for row, (x, y) in zip(found, [(1, 1), (2, 2), (3, 2)], strict=True):
        z = w * x
        assert row[:3] == (str(x),) * 3
        assert float(row[3]) == pytest.approx(z[y - 1].item(), abs=1e-6)
        (slope,) = torch.autograd.grad(torch.nn.functional.cross_entropy(z[None], torch.tensor([y - 1])), w)
        w = (w - rate * slope).detach().requires_grad_()


def test_samples_are_numbered_inside_lookups_and_back() -> None:
    step = train(prepare(*parse_spec(CLASSES))).steps[1]
    here = formula(parse("l[1]"), ("=", parse("z[1, y[1]]")))
    there = with_samples(here, step)
    assert there == formula(parse("l[2]"), ("=", parse("z[2, y[2]]")))
    assert with_positions(there.sides, step) == here.sides


@pytest.mark.parametrize("shown", ["z[2, y[1]]", "z[1, y[2]]", "z[3, y[3]]"])
def test_the_audit_asks_for_the_samples_of_the_step(shown: str) -> None:
    example = prepare(*parse_spec(CLASSES.replace("batch_size = 1", "batches = [[2, 1], [3]]")))
    step = train(example).steps[0]
    numbers = SampleNumbers(example)
    numbers.check((Side("", parse("l[2]")), Side("=", parse("z[2, y[2]]"))), step)
    with pytest.raises(Mismatch, match="sample"):
        numbers.check((Side("", parse("l[2]")), Side("=", parse(shown))), step)


@pytest.mark.parametrize("keys", ['w = "theta_1"', 'w = "theta_1", b = "v"', 'i = "k"', 'n = "m"', 'x = "A"'])
def test_the_number_of_the_step_keeps_its_letter(keys: str) -> None:
    example = prepare(*parse_spec(f"{LINE}notation = {{ symbols = {{ {keys} }} }}\n"))
    symbols = symbols_of(example)
    assert symbols.of("t") == Symbol("t")
    assert not list(letter_faults(example, symbols))


def test_a_page_with_renamed_symbols_counts_steps_by_t() -> None:
    text = build(f'{LINE}notation = {{ symbols = {{ w = "theta_1" }} }}\n', ("md",))["md"]
    assert "The steps are counted by $t$, from 1." in text
    assert r"\frac{m_{\theta_1}'}{1 - \beta_1^t}" in text


def test_the_audit_finds_letters_that_mean_two_things() -> None:
    example = prepare(*parse_spec(LINE))
    symbols = symbols_of(example)
    assert list(letter_faults(example, replace(symbols, letters={"t": "B"})))
    assert list(letter_faults(example, replace(symbols, letters={"i": "t"})))
    assert list(letter_faults(example, replace(symbols, renamed={"w": Symbol("i")})))
