"""What goes in beside tensors: NumPy's arrays, nested lists, and arrays of a run."""

from __future__ import annotations

from typing import Any

import numpy
import pytest
import torch

import derivations
from derivations.pytorch.tensors import tensor
from tests.built import page

X, Y = [[0.5, 1.0], [0.25, -2.0]], [1.0, 0.1]


def spec_of(x: Any, y: Any) -> str:
    torch.manual_seed(3)
    model = torch.nn.Sequential(torch.nn.Linear(2, 1), torch.nn.Flatten(0))
    return derivations.spec_from_module(model, x, "MSELoss", y, {"name": "SGD", "lr": 0.1})


def test_arrays_and_lists_are_what_tensors_of_float64_are() -> None:
    wanted = spec_of(torch.tensor(X, dtype=torch.float64), torch.tensor(Y, dtype=torch.float64))
    assert spec_of(numpy.array(X), numpy.array(Y)) == wanted
    assert spec_of(X, Y) == wanted
    assert spec_of((X,), (Y,)) == wanted
    assert spec_of([numpy.array(X)], [tensor(Y)]) == wanted


def test_values_of_a_run_go_in_again() -> None:
    step = page("two-two-two-network").trace.steps[0]  # x = [[0.5, -1]]
    assert spec_of(step["x"], [1.0]) == spec_of([[0.5, -1.0]], [1.0])


@pytest.mark.parametrize("x", ["text", [["a", "b"]], {"x": 1}, [[1.0], [1.0, 2.0]], object()])
def test_what_is_no_array_of_numbers_is_named(x: Any) -> None:
    with pytest.raises(derivations.DerivationsError, match="sample_input: "):
        spec_of(x, Y)
