"""Reads of earlier and later entries: how far an index runs, which letter is bound, what the program reads.

Every right value is torch's, from a loop written by hand.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from derivations.model.example import prepare
from derivations.run.training import train
from derivations.spec.spec import parse_spec
from derivations.witnesses.work import work

SPEC = """
title = "Earlier and later entries"
[model]
equations = \"\"\"
{}
\"\"\"
[data]
x = [2, 3, 1]
y = [1, 2, 3]
[parameters]
w = 0.5
"""


def _factors(w: torch.Tensor, x: list[float], _: list[float]) -> torch.Tensor:
    found = [w]
    for factor in x:
        found.append(found[-1] * factor)
    return sum(found[1:], torch.zeros(()))


def _padded(w: torch.Tensor, x: list[float], _: list[float]) -> torch.Tensor:
    return sum(((w * one) ** 2 for one in x[:-1]), torch.zeros(()))


def _before(w: torch.Tensor, x: list[float], y: list[float]) -> torch.Tensor:
    h = [torch.tensor(1.0, dtype=torch.float64)]
    for one in x:
        h.append(w * h[-1] + one)
    return sum(((a - b) ** 2 for a, b in zip(h, y, strict=False)), torch.zeros(()))


def _errors(w: torch.Tensor, x: list[float], _: list[float]) -> torch.Tensor:
    s = [torch.tensor(1.0, dtype=torch.float64)]
    for one in x:
        s.append(w * one + (1 - w) * s[-1])
    return sum(((one - s[t]) ** 2 for t, one in enumerate(x)), torch.zeros(()))


def _two_before(w: torch.Tensor, x: list[float], _: list[float]) -> torch.Tensor:
    s = [w]
    for one in x:
        s.append(w * one + s[-1])
    return s[0] * x[1] + s[1] * x[2]


def _later(w: torch.Tensor, x: list[float], _: list[float]) -> torch.Tensor:
    h = [w * one for one in x] + [torch.zeros(())]
    return sum(((h[t + 1] - h[t]) ** 2 for t in range(3)), torch.zeros(())) + h[0] ** 2


CASES: dict[str, tuple[str, Callable[..., torch.Tensor]]] = {
    "factors": ("h[0] = w\nh[t] = h[t-1]*x[t]\nL = sum(h[t], t) + 0*y[1]", _factors),
    "padded": ("h[t] = w*x[t]\nL = sum(pad(h[t-1])**2, t) + 0*y[1]", _padded),
    "one before": ("h[0] = 1\nh[t] = w*h[t-1] + x[t]\nL = sum((h[t-1] - y[t])**2, t)", _before),
    "errors": (
        "s[0] = 1\ns[t] = w*x[t] + (1 - w)*s[t-1]\ne[t] = x[t] - s[t-1]\nL = sum(e[t]**2, t)",
        _errors,
    ),
    "two before": (
        "s[0] = w\ns[t] = w*x[t] + s[t-1]\ne[t] = pad(s[t-2])*x[t]\nL = sum(e[t], t)",
        _two_before,
    ),
    "later": ("h[t] = w*x[t]\nd[t] = pad(h[t+1]) - h[t]\nL = sum(d[t]**2, t) + h[1]**2", _later),
}


@pytest.mark.parametrize("name", CASES)
def test_gradients_through_earlier_entries(name: str) -> None:
    equations, by_hand = CASES[name]
    w = torch.tensor(0.5, dtype=torch.float64, requires_grad=True)
    loss = by_hand(w, [2.0, 3.0, 1.0], [1.0, 2.0, 3.0])
    (slope,) = torch.autograd.grad(loss, w)
    step = train(prepare(*parse_spec(SPEC.format(equations)))).steps[0]
    assert float(step["L"]) == pytest.approx(loss.item(), abs=1e-12)
    assert float(step["dL/dw"]) == pytest.approx(slope.item(), abs=1e-12)


@pytest.mark.parametrize("name", ["factors", "one before", "errors", "two before"])
def test_every_witness_and_the_program_agree(name: str) -> None:
    work(prepare(*parse_spec(SPEC.format(CASES[name][0]))))


def test_the_letters_of_an_adjoint_run_along_the_whole_array() -> None:
    """Windows as wide as the array: what is computed has one entry, what its slope is taken of has four."""
    equations = "y[a] = largest(x[a + p - 1], p)\nL = sum(y[a], a)"
    head = f'title = "t"\n[model]\nequations = """\n{equations}\n"""\nranges = {{ p = 4 }}\n[data]\n'
    example = prepare(*parse_spec(f"{head}[parameters]\nx = [1, 4, 2, 3]\n"))
    step = train(example).steps[0]
    (letter,) = example.backward.targets["dL/dx"].target.indices
    assert (step.layout.sizes["a"], step.layout.sizes[letter.name]) == (1, 4)
    assert [step.at("dL/dx", (k,)) for k in range(1, 5)] == [0, 1, 0, 0]
