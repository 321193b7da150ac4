"""Optimizers and schedulers of torch as they are, and torch's words in specs."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
import torch
from torch import nn

import derivations
from derivations.catalogue.optimizers import BY_NAME, OPTIMIZERS
from derivations.catalogue.schedules import SCHEDULES
from derivations.language.errors import DerivationsError
from derivations.model.example import prepare
from derivations.pytorch.from_module import translate
from derivations.spec.spec import parse_spec
from derivations.witnesses.optimizer import UpdateWitness
from derivations.witnesses.torch_rows import resolve

X, Y = torch.tensor([[1.0, 2.0], [3.0, -1.0]]), torch.tensor([[1.0, 0.0], [0.5, 2.0]])
UNUSUAL: dict[str, Any] = {  # possible values, none of them anybody's default
    **{"lr": 0.25, "betas": (0.5, 0.75), "eps": 0.125, "weight_decay": 0.0625, "momentum": 0.375},
    **{"alpha": 0.625, "lambd": 0.03125, "t0": 3.0, "lr_decay": 0.5, "initial_accumulator_value": 0.75},
    **{"rho": 0.25, "momentum_decay": 0.5, "etas": (0.25, 1.5), "step_sizes": (0.125, 2.0), "d": 1.5},
    **{"beta2_decay": -0.5, "ns_coefficients": (3.0, -4.0, 2.0), "amsgrad": True, "maximize": True},
    **{"centered": True, "decoupled_weight_decay": True, "nesterov": True, "dampening": 0.5},
}
OTHERWISE = {"Adafactor": {"eps": (0.125, 0.25)}, "SGD": {"dampening": 0}, "Muon": {"nesterov": False}}
NAMED = [row for row in OPTIMIZERS if row.torch.endswith(f".{row.name}")]


def plain() -> nn.Linear:
    torch.manual_seed(0)
    return nn.Linear(2, 2, bias=False)


def deep() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 2))


def text(module: nn.Module, optimizer: Any, **training: Any) -> str:
    return translate(
        module, X, nn.MSELoss(), Y, "A module", {"sample": "i", "optimizer": optimizer, **training}
    ).text


def groups_of(spec: str) -> list[dict[str, Any]]:
    """The groups of torch's optimizer that stands witness to a spec."""
    return [dict(group) for group in UpdateWitness(prepare(*parse_spec(spec))).torch.param_groups]


def same(value: Any, wanted: Any) -> bool:
    return bool([value] == [wanted] or torch.tensor(value).equal(torch.tensor(wanted)))


@pytest.mark.parametrize("name", [row.name for row in NAMED])
def test_every_argument_of_torchs_is_taken(name: str) -> None:
    row = BY_NAME[name]
    given = {word: UNUSUAL[word] for word in row.words if word in UNUSUAL} | OTHERWISE.get(name, {})
    given = {word: value for word, value in given.items() if word in row.words}
    assert set(row.words) == set(given)
    module = plain()
    (group,) = groups_of(text(module, resolve(row.torch)(module.parameters(), **given)))
    for word, value in given.items():
        assert same(group[word], value), word


@pytest.mark.few(9)
@pytest.mark.parametrize("name", [row.name for row in NAMED])
def test_the_defaults_of_torch_are_those_of_the_row(name: str) -> None:
    module = plain()
    made = resolve(BY_NAME[name].torch)(module.parameters(), lr=0.25)
    (group,) = groups_of(text(module, made))
    for word in BY_NAME[name].words:
        wanted, ours = made.param_groups[0][word], group[word]
        if isinstance(wanted, tuple) and None in wanted:  # Adafactor's own choice, by the type of its numbers
            wanted, ours = wanted[1:], ours[1:]
        assert same(ours, wanted), word


def test_groups_are_those_of_the_optimizer() -> None:
    module = deep()
    parts: list[Any] = [
        {"params": module[0].parameters()},
        {"params": [module[2].weight], "lr": 0.5, "betas": (0.5, 0.75)},
        {"params": [module[2].bias], "weight_decay": 0.25},
    ]
    adam = torch.optim.Adam(parts, lr=0.125, betas=(0.875, 0.75), amsgrad=True)
    spec = text(module, adam)
    own = groups_of(spec)
    assert [len(group["params"]) for group in own] == [2, 1, 1]
    for group, wanted in zip(own, adam.param_groups, strict=True):
        for word in ("lr", "betas", "weight_decay", "eps", "amsgrad"):
            assert same(group[word], wanted[word]), word


@pytest.mark.slow
def test_a_page_of_an_optimizer_is_what_its_own_step_does() -> None:
    module = deep().double()
    adam = torch.optim.Adam(module.parameters(), lr=0.1, betas=(0.9, 0.99))
    page = derivations.from_module(module, X.double(), nn.MSELoss(), Y.double(), adam, epochs=2, formats=())
    for _ in range(2):
        adam.zero_grad()
        nn.functional.mse_loss(module(X.double()), Y.double()).backward()
        adam.step()
    ours = [[float(page.trace.steps[1][f"W2'[{j}, {k}]"]) for k in (1, 2)] for j in (1, 2)]
    assert torch.allclose(torch.tensor(ours, dtype=torch.float64), module[2].weight, rtol=1e-12, atol=0)


@pytest.mark.parametrize(
    ("make", "table"),
    [
        (lambda o: torch.optim.lr_scheduler.StepLR(o, 2, 0.25), {"step_size": 2, "gamma": 0.25}),
        (lambda o: torch.optim.lr_scheduler.MultiStepLR(o, [3, 2]), {"milestones": [2, 3], "gamma": 0.1}),
        (lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, 4, 0.5), {"T_max": 4, "eta_min": 0.5}),
        (
            lambda o: torch.optim.lr_scheduler.LinearLR(o, 0.5, 1.0, 4),
            {"start_factor": 0.5, "end_factor": 1.0, "total_iters": 4},
        ),
    ],
)
def test_a_scheduler_is_taken_as_it_is(make: Any, table: dict[str, Any]) -> None:
    module = plain()
    sgd = torch.optim.SGD(module.parameters(), lr=0.75)
    spec, _ = parse_spec(text(module, sgd, schedule=make(sgd), epochs=2))
    assert spec.training.optimizer == {"name": "SGD", "lr": Fraction(3, 4)}
    plain_values = {
        key: tuple(map(Fraction, value)) if isinstance(value, list) else Fraction(str(value))
        for key, value in table.items()
    }
    assert {key: value for key, value in spec.training.schedule.items() if key != "name"} == plain_values


def stepped() -> tuple[nn.Module, Any]:
    module = plain()
    adam = torch.optim.Adam(module.parameters())
    module(X).sum().backward()
    adam.step()
    return module, adam


def made(kind: Any, **given: Any) -> tuple[nn.Module, Any]:
    module = plain()
    return module, kind(module.parameters(), **given)


class OwnSGD(torch.optim.SGD):
    """Somebody's own."""


REFUSED: dict[str, Any] = {
    "found str": lambda: (plain(), "SGD"),
    "found SGD": lambda: (plain(), torch.optim.SGD),
    "no optimizer 'torch.optim.lbfgs.LBFGS'": lambda: made(torch.optim.LBFGS),
    "OwnSGD'\n  Did you mean 'SGD'": lambda: made(OwnSGD, lr=0.1),
    "does not hold W2, b2": lambda: ((module := deep()), torch.optim.Adam(module[0].parameters())),
    "does not hold any parameter|does not hold W1": lambda: (
        plain(),
        torch.optim.SGD(plain().parameters(), lr=0.1),
    ),
    "has made steps already": stepped,
    "decoupled_weight_decay=True is not": lambda: made(torch.optim.Adam, decoupled_weight_decay=True),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_taken_is_refused(what: str) -> None:
    module, optimizer = REFUSED[what]()
    with pytest.raises(DerivationsError, match=what):
        text(module, optimizer)


def test_what_a_scheduler_does_not_tell_is_asked_for() -> None:
    module = plain()
    sgd = torch.optim.SGD(module.parameters(), lr=0.1)
    cycle = torch.optim.lr_scheduler.OneCycleLR(sgd, 1.0, 10)
    with pytest.raises(DerivationsError, match='"name": "OneCycleLR"'):
        text(module, sgd, schedule=cycle)


# --- torch's words in specs ------------------------------------------------------------------------------

SPEC = """
title = "A line"
[model]
equations = "L = (w - 3)**2"
[data]
[parameters]
w = 1
[training]
optimizer = {}
"""


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ('{ name = "Adam", betas = [0.5, 0.75] }', '{ name = "Adam", beta1 = 0.5, beta2 = 0.75 }'),
        ('{ name = "Rprop", etas = [0.5, 1.5] }', '{ name = "Rprop", eta_minus = 0.5, eta_plus = 1.5 }'),
        (
            '{ name = "NAdam", momentum_decay = 0.5, weight_decay = 1, decoupled_weight_decay = true }',
            '{ name = "NAdam", psi = 0.5, lam = 1, decoupled = true }',
        ),
    ],
)
def test_torchs_words(theirs: str, ours: str) -> None:
    a, b = (prepare(*parse_spec(SPEC.replace("{}", words))).rule.groups for words in (theirs, ours))
    assert a == b


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        ('{ name = "Adam", betas = 0.9 }', r"9:\d+: 'betas' must list 2 numbers\n  It says beta1 and beta2."),
        ('{ name = "Adam", betas = [0.9, 0.99, 1] }', "must list 2 numbers"),
        ('{ name = "Adam", betas = [0.9, 1] }', "'betas' must be at least 0 and below 1"),
        ('{ name = "Adam", betas = [0.9, 0.99], beta2 = 0.9 }', "'beta2' is another word for 'beta2'|once"),
        ('{ name = "Adam", beta = [0.9, 0.99] }', "no hyper-parameter 'beta'\n  Did you mean 'bet"),
    ],
)
def test_words_that_say_no_number_are_explained(words: str, fault: str) -> None:
    with pytest.raises(DerivationsError, match=fault):
        prepare(*parse_spec(SPEC.replace("{}", words)))


@pytest.mark.parametrize("row", [*OPTIMIZERS, *SCHEDULES], ids=lambda row: row.name)
def test_no_word_means_two_things(row: Any) -> None:
    for word, names in row.words.items():
        assert set(names) <= set(row.hyper)
        assert word not in row.hyper or names == (word,)
