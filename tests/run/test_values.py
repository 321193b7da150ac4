"""Values and arrays of a run by their names, as numbers, lists, arrays, tensors and tables."""

from __future__ import annotations

import builtins
import copy
import json
import multiprocessing
import pickle
from fractions import Fraction
from typing import Any

import numpy
import pytest
import torch

import derivations
from derivations.language.errors import DerivationsError
from derivations.numbers.real import Real
from tests.built import page


def linear() -> derivations.Trace:
    return page("linear-regression").trace


def network() -> derivations.Trace:
    return page("two-two-two-network").trace


# --- linear regression by hand: yhat = x/2 + 1, y = 2x + 10 ------------------------------------------


def test_a_value_by_its_name() -> None:
    step = linear().steps[0]
    assert (step["L"], step["dL/dw"], step["w'"]) == (127.125, -34.5, Fraction(169, 200))
    assert isinstance(step["L"], Real)
    assert step.value("yhat[2]") == 2
    assert "yhat[2]" in step
    assert "yhat[3]" not in step
    assert set(step) == set(step.values)


def test_an_array_by_its_name() -> None:
    step = linear().steps[1]
    found = step["yhat"]  # of samples 3 and 4, with w = 0.845 and b = 1.225
    assert (found.name, found.shape, found.labels) == ("yhat", (2,), ("yhat[3]", "yhat[4]"))
    assert found.tolist() == [Fraction("3.76"), Fraction("4.605")]
    assert found[1] == list(found)[1] == Fraction("4.605")
    assert step.array("w").tolist() == Fraction("0.845")
    weights = network().steps[0]["W"]
    assert weights.tolist() == [[Fraction(k, 10) for k in row] for row in ((2, 4), (-6, 1))]  # as in the spec
    assert weights[1, 0] == Fraction(-3, 5)
    assert weights.labelled["W[2, 1]"] == Fraction(-3, 5)


def test_arrays_go_into_numpy_and_torch() -> None:
    weights = network().steps[0]["W"]
    wanted = [[0.2, 0.4], [-0.6, 0.1]]
    assert weights.numpy().tolist() == numpy.array(weights).tolist() == wanted
    assert weights.tensor().dtype == torch.float64
    assert weights.tensor().tolist() == wanted
    assert torch.allclose(torch.tensor(weights), torch.tensor(wanted))
    assert json.loads(json.dumps(weights.tolist())) == wanted
    assert (weights.numpy() @ [1, 1]).tolist() == pytest.approx([0.6, -0.5])


def test_the_gradient_is_that_of_autograd() -> None:
    step = network().steps[0]
    x, y, weights, b, out, c = (step[name].tensor() for name in ("x", "y", "W", "b", "V", "c"))
    weights.requires_grad_()
    hidden = torch.sigmoid(x @ weights.T + b)
    (((y - torch.sigmoid(hidden @ out.T + c)) ** 2).sum() / 2).backward()
    assert weights.grad is not None
    assert torch.allclose(step["dE/dW"].tensor(), weights.grad, rtol=1e-12)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("yht", "Did you mean 'yhat'?"),
        ("yhat[3]", "'yhat' has yhat[1], yhat[2]."),
        ("dL/dW", "Did you mean 'dL/dw'?"),
        ("q", "Known quantities: L, b"),
    ],
)
def test_an_unknown_name_is_told_the_nearest(name: str, hint: str) -> None:
    step = linear().steps[0]
    for ask in (step.__getitem__, step.value, step.array, linear().__getitem__):
        with pytest.raises(KeyError, match="there is no") as caught:
            ask(name)
        assert isinstance(caught.value, DerivationsError)
        assert hint in str(caught.value)


def test_a_quantity_over_the_steps() -> None:
    assert linear()["w"].tolist() == [step["w"] for step in linear().steps]
    assert linear()["w"].tolist()[:2] == [Fraction(1, 2), Fraction(169, 200)]
    assert linear()["yhat"].shape == (3, 2)
    assert linear()["yhat"].labels == tuple(f"yhat[{k}]" for k in range(1, 7))


def test_an_array_that_starts_at_0_and_one_with_holes() -> None:
    found = page("rnn-two-steps").trace.steps[0]
    states = [name for name in found if name.startswith("h[0")]
    assert states
    assert len(found["h"].labels) == len([name for name in found if name.startswith("h[")])


# --- tables -------------------------------------------------------------------------------------------


def test_rows() -> None:
    assert linear().rows("L", "yhat")[0] == {
        "step": 1,
        "epoch": 1,
        "samples": (1, 2),
        "L": 127.125,
        "yhat[1]": 1.5,
        "yhat[2]": 2,
    }
    assert set(linear().rows()[0]) == {"step", "epoch", "samples", *linear().steps[0]}


def test_a_frame_of_pandas() -> None:
    found = linear().frame("L", "w")
    assert list(found.columns) == ["epoch", "samples", "L", "w"]
    assert list(found.index) == [1, 2, 3]
    assert found["w"].dtype == numpy.float64
    assert found.loc[2, "w"] == 0.845
    assert linear().frame("w", exact=True).loc[2, "w"] == Fraction(169, 200)


def test_without_pandas_the_way_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name == "pandas":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r"pip install pandas.*rows\(\)"):
        linear().frame()


# --- pickling -----------------------------------------------------------------------------------------


def ends(trace: derivations.Trace) -> list[Any]:
    return [(name, v.lower, v.upper) for step in trace.steps for name, v in step.values.items()]


@pytest.mark.parametrize("name", ["linear-regression", "two-two-two-network", "rnn-two-steps"])
def test_a_page_pickles_and_is_the_same(name: str) -> None:
    before = page(name)
    for again in (pickle.loads(pickle.dumps(before)), copy.deepcopy(before)):
        assert ends(again.trace) == ends(before.trace)
        assert again["md"] == before["md"]
        assert again["json"] == before["json"]
        assert repr(again.report) == repr(before.report)
        again.check("md", before["md"])


def test_parts_of_a_page_pickle() -> None:
    for part in (network(), network().steps[0], network().steps[0]["W"], page("two-two-two-network").report):
        assert repr(pickle.loads(pickle.dumps(part))) == repr(part)


def _loss(trace: derivations.Trace) -> Any:
    return trace.steps[0]["E"]


@pytest.mark.slow
def test_a_trace_goes_to_another_process_and_a_value_comes_back() -> None:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        found = pool.apply(_loss, (network(),))
    wanted = network().steps[0]["E"]
    assert (found.lower, found.upper) == (wanted.lower, wanted.upper)


# --- how things read ------------------------------------------------------------------------------------


def test_every_public_object_reads_in_a_line_or_two() -> None:
    shown = page("two-two-two-network")
    step = network().steps[0]
    parts = (shown, network(), step, step["W"], shown.report, network().example, network().example.spec)
    for part in (*parts, *shown.report.checks[:3], *shown.report.proofs[:3], *step.values.values()):
        assert len(repr(part)) <= 200
        assert "\n" not in repr(part)
    assert repr(network()) == f"Trace({shown.title!r}, steps={len(network().steps)}, bits={network().bits})"
    assert repr(shown.report).endswith("proofs: all agree)")


def test_a_proof_says_whether_it_holds() -> None:
    (first, *_) = page("linear-regression").report.proofs
    assert str(first).endswith(" holds")
    assert str(type(first)("1 = 2", "SymPy", ok=False)) == "SymPy: 1 = 2 does not hold"
