"""A torch that lacks an optimizer, an argument of one, or a layer: said on the page, or at its place."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import derivations
from derivations.language.errors import DerivationsError, SpecError
from derivations.model.example import prepare
from derivations.run.training import certified, train
from derivations.spec.gallery import find as find_spec
from derivations.spec.spec import read_spec
from derivations.witnesses.run_listing import run_listing
from derivations.witnesses.torch_rows import find, lacking
from derivations.witnesses.verify import verify

SPEC = """
title = "A matrix"
[model]
equations = '''
z[i, k] = sum(W[k, j]*x[i, j], j)
L = mean((z[i, k] - y[i, k])**2, i, k)
'''
[data]
x = [[1, 2], [3, 4]]
y = [[1, 0], [0, 1]]
[parameters]
W = [[0.5, 0.25], [-0.5, 1]]
[training]
optimizer = { name = "Adam", lr = 0.1 }
"""


def without(monkeypatch: pytest.MonkeyPatch, home: Any, name: str) -> None:
    monkeypatch.delattr(home, name)


def test_what_is_lacking() -> None:
    assert find("torch.optim.Adam") is torch.optim.Adam
    assert lacking("torch.optim.Adam", {"lr": 1}) == ""
    assert lacking("torch.optim.Adamant") == "torch.optim.Adamant"
    assert lacking("torch.nn.no.such") == "torch.nn.no.such"
    assert lacking("torch.optim.Adam", {"lr": 1, "speed": 2}) == "torch.optim.Adam(speed=…)"


def test_an_optimizer_that_the_program_needs_is_named_at_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, torch.optim, "Adafactor")
    with pytest.raises(
        SpecError, match=r"spec:14:15: torch .* has no torch\.optim\.Adafactor\n.*newer torch"
    ):
        derivations.build(SPEC.replace("Adam", "Adafactor"), formats=())


@pytest.mark.slow
def test_an_optimizer_that_the_program_writes_out_is_verified_without_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    without(monkeypatch, torch.optim, "Muon")
    page = derivations.build(SPEC.replace("Adam", "Muon"), formats=())
    assert any("too old to have torch.optim.Muon" in str(reason) for reason in page.report.absent)
    assert {check.quantity for check in page.report.checks} >= {"W'[1, 2]", "v_W'[1, 2]"}
    assert "too old to have torch.optim.Muon" in page["md"]


def test_an_argument_that_is_lacking_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    class Older(torch.optim.SGD):
        def __init__(self, params: Any, lr: float = 0.1) -> None:
            super().__init__(params, lr)

    monkeypatch.setattr(torch.optim, "SGD", Older)
    derivations.build(SPEC.replace("Adam", "SGD"), formats=())
    with pytest.raises(SpecError, match=r"has no torch\.optim\.SGD\(momentum=…\)"):
        derivations.build(SPEC.replace('"Adam"', '"SGD", momentum = 0.9'), formats=())


def test_a_loss_that_the_program_needs_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, torch.nn, "MSELoss")
    with pytest.raises(DerivationsError, match=r"torch .* has no torch\.nn\.MSELoss"):
        derivations.build("linear-regression", formats=())


def test_a_loss_that_the_library_lacks_is_only_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    found = certified(lambda bits: train(prepare(*read_spec(find_spec("linear-regression"))), bits))
    without(monkeypatch, torch.nn, "MSELoss")
    report = verify(found)
    assert any("too old to have torch.nn.MSELoss" in str(reason) for reason in report.absent)
    assert {check.witness for check in report.checks} >= {"autograd", "optimizer"}
    assert report.failures == []


def test_a_name_of_the_program_that_is_lacking() -> None:
    with pytest.raises(DerivationsError, match=r"torch .* has no torch\.nn\.Nothing"):
        run_listing("import torch\nlayer = torch.nn.Nothing(2)\n")
