"""Every optimizer, clipping and schedule of the catalogue against torch: iterated over the rows.

Twelve steps with zeros, negatives, ties and a short last batch; every hyper-parameter at another value
than its default; every flag; states that are given; groups. One sign or coefficient wrong anywhere in an
update must be reported.
"""

from __future__ import annotations

import ast
import itertools
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from functools import cache
from typing import Any

import pytest
import torch

from derivations.catalogue.algorithm import Clipping, Optimizer, Schedule
from derivations.catalogue.clipping import CLIPPINGS
from derivations.catalogue.optimizers import BY_NAME, OPTIMIZERS
from derivations.catalogue.schedules import SCHEDULES
from derivations.language.errors import DerivationsError
from derivations.language.program import Equation, Program
from derivations.language.tree import Add, Expr, Mul, Neg, Number, Ref, children, number, rebuild
from derivations.model.example import Example, prepare
from derivations.model.update import lines_of
from derivations.numbers.systems import Undecided, ball, fraction, precision, rational
from derivations.page import build
from derivations.programs.optimizer import arguments, decimal
from derivations.run.training import Trace, certified, train
from derivations.spec.spec import parse_spec
from derivations.witnesses.check import Report
from derivations.witnesses.verify import verify
from tests.built import thinned

AWKWARD = {
    "negatives": ("[-1.5, 2.25, -0.3, -4, 0.7]", "[3.1, -2, -0.45, 1, -6]", "0.3", "-1.1"),
    "zeros": ("[0, 0, 1, 0, -1]", "[0, 1, 0, 0, 0]", "0", "0"),
    "ties": ("[2, 2, 2, -1, -1]", "[1.5, 1.5, 1.5, 1.5, 1.5]", "0.5", "0.5"),
    "scales": ("[1e-6, 1000, 0.001, -20, 3]", "[1e5, -3e-7, 40, 0.02, 1]", "1e-4", "1e3"),
    "nothing to learn": ("[1, 2, 3, 4, 5]", "[3, 5, 7, 9, 11]", "2", "1"),
    "thirds": ('"u/3"', '"v/7"', '"1/3"', '"-2/7"'),
}
# values at which a hyper-parameter makes itself felt in twelve steps, where 9/10 of the default does not
OTHER = {
    "ASGD": {"t0": "4", "kappa": "0.1"},
    "Adafactor": {"d": "1.05", "eps1": "0.01", "eps2": "0.7", "lr": "0.2"},
    "Rprop": {"Delta_min": "0.003", "Delta_max": "0.02"},
    "Muon": {"eps": "100"},
}


def by_name(row: Any) -> str:
    return str(getattr(row, "name", row))


def label(part: Any) -> str:
    if isinstance(part, Mapping):
        return ",".join(f"{key}={value}" for key, value in part.items() if value == "true") or f"{len(part)}"
    return by_name(part)


# --- specs ------------------------------------------------------------------------------------------


def is_matrix(row: Optimizer) -> bool:
    return row.indices[1] == 2


def takes_all(row: Optimizer) -> bool:
    """Every step uses all data; one sample alone may have no second derivative."""
    return row.full_batch or row.indices == (0, 0)


def model(row: Optimizer, awkward: str) -> str:
    """A line through five points; a matrix or a single slope where the row wants it so."""
    x, y, w, b = AWKWARD[awkward]
    data = f"[data]\nu = [1, -2, 4, 5, 10]\nv = [3, 1, -1, 0, 2]\nx = {x}\ny = {y}\n"
    loss = "L = mean((yhat[i] - y[i])**2, i)"
    if is_matrix(row):
        bias, start = (" + o[k]", "o = [0, 1]\n") if row.indices[0] == 0 else ("", "")
        loss = "L = mean(sum((z[i, k] - y[i]*e[k])**2, k), i)"
        model = f"z[i, k] = sum(x[i]*a[j]*W[j, k], j){bias}\n{loss}"
        start += "W = [[0.5, -1], [1, 0.25], [0, 2]]"
        data += "a = [1, -0.5, 2]\ne = [1, -2]\n"
    elif row.indices == (0, 0):
        model, start = f"yhat[i] = w*x[i] - 0.5\n{loss}", f"w = {w}"
    else:
        model, start = f"yhat[i] = w*x[i] + b\n{loss}", f"w = {w}\nb = {b}"
    return f'title = "t"\n[model]\nequations = """\n{model}\n"""\n{data}[parameters]\n{start}\n'


def knobs(row: Optimizer, given: Mapping[str, str]) -> str:
    needed = {name: "0.01" for name, default in row.hyper.items() if default is None}
    pairs = "".join(f", {name} = {value}" for name, value in {**needed, **given}.items())
    return f'optimizer = {{ name = "{row.name}"{pairs} }}'


def spec(
    row: Optimizer, given: Mapping[str, str], awkward: str = "negatives", epochs: int = 4, extra: str = ""
) -> str:
    """Batches of two: three steps an epoch, the last of each epoch a short one."""
    size, epochs = ("", 3 * epochs) if takes_all(row) else ("batch_size = 2\n", epochs)
    training = f"[training]\n{size}epochs = {epochs}\n{knobs(row, given)}\n{extra}"
    return f"{model(row, awkward)}{training}\n"


def others(row: Optimizer) -> dict[str, str]:
    """Every number among the hyper-parameters at another value than its default."""
    found = {}
    for name, default in row.hyper.items():
        if name not in row.flags:
            usual = Fraction(default or "0.01")
            value = Fraction(1, 10) if usual == 0 else Fraction(1, 100) if name == "eps" else usual * 9 / 10
            found[name] = OTHER.get(row.name, {}).get(name, str(float(value)))
    return found


def settings(row: Optimizer) -> list[dict[str, str]]:
    """As it comes, with all numbers changed, and so with each flag turned."""
    changed = others(row)
    found: list[dict[str, str]] = [{}, changed]
    for flag in row.flags:
        value = "false" if row.hyper[flag] == "1" else "true"
        found.append({k: v for k, v in changed.items() if k != row.excludes.get(flag)} | {flag: value})
    return found


CASES = [(row, given) for row in OPTIMIZERS for given in settings(row)]


def example_of(text: str) -> Example:
    return prepare(*parse_spec(text))


def run(example: Example) -> Trace:
    return certified(lambda bits: train(example, bits))


def verified(example: Example) -> tuple[Trace, Report]:
    """The run and what the witnesses say, with as many bits as that takes."""

    def attempt(bits: int) -> tuple[Trace, Report]:
        trace = train(example, bits)
        return trace, verify(trace)

    return certified(attempt)


def assert_verified(example: Example) -> tuple[Trace, Report]:
    trace, report = verified(example)
    with precision(trace.bits):
        assert not report.failures, str(report.failures[0])
    return trace, report


# --- torch, step by step ----------------------------------------------------------------------------


@pytest.mark.few(6)
@pytest.mark.parametrize(
    "case", thinned(itertools.product(OPTIMIZERS, AWKWARD), 5, lambda case: f"{case[0].name}-{case[1]}")
)
def test_an_optimizer_agrees_on_awkward_numbers(case: tuple[Optimizer, str]) -> None:
    row, awkward = case
    trace, report = assert_verified(example_of(spec(row, {}, awkward)))
    assert len(trace.steps) == 12
    assert {len(step.samples) for step in trace.steps} == ({5} if takes_all(row) else {1, 2})
    heard = {c.quantity for c in report.checks if c.step == 12 and c.witness == "optimizer"}
    again = {c.quantity for c in report.checks if c.step == 12 and c.witness == "row"}
    wanted = [f"{name}'" for name in (*trace.example.start, *trace.example.states)]
    for name in wanted:
        assert any(quantity.split("[")[0] == name for quantity in (heard if row.torch else again)), name


@pytest.mark.few(5)
@pytest.mark.parametrize("case", thinned(CASES, 3, lambda case: "-".join(map(label, case))))
def test_every_hyper_parameter_and_flag_agrees(case: tuple[Optimizer, Mapping[str, str]]) -> None:
    row, given = case
    trace, report = assert_verified(example_of(spec(row, given)))
    assert any(check.witness == "optimizer" for check in report.checks) == bool(row.torch)
    for step in (step for step in trace.steps if row.name in ("SGD", "Adam") and not given):
        assert not any(name.startswith(("gtilde", "u_")) for name in step.values)


@pytest.mark.few(7)
@pytest.mark.parametrize("row", OPTIMIZERS, ids=by_name)
def test_every_hyper_parameter_changes_the_run(row: Optimizer) -> None:
    base = others(row)
    before = run(example_of(spec(row, base)))
    for name in base:
        if name == "eps1":
            continue  # a floor of squares that these data do not reach
        given = {**base, name: str(float(Fraction(base[name]) * Fraction(95, 100) + (name == "d")))}
        after = run(example_of(spec(row, given)))
        with precision(128):
            assert any(
                not ball(a.at(key, at)).overlaps(ball(b.at(key, at)))
                for a, b in zip(before.steps, after.steps, strict=True)
                for key, array in before.example.kept.items()
                for at in array.positions()
            ), name


@pytest.mark.few(5)
@pytest.mark.parametrize("row", [row for row in OPTIMIZERS if row.torch and not row.casts], ids=by_name)
def test_a_run_left_alone_ends_where_torchs_does(row: Optimizer) -> None:
    """Twelve steps in one go, torch never set right; nothing of the package's witnesses is used."""
    example = example_of(spec(row, others(row)))
    trace = run(example)
    with _float64():
        start = {
            name: torch.tensor([float(v) for v in array.entries]).reshape(array.shape).requires_grad_()
            for name, array in example.start.items()
        }
        (group,) = (group for group in example.rule.groups if group.parameters)
        given = ast.parse(f"f({', '.join(arguments(row, group.values))})", mode="eval").body
        assert isinstance(given, ast.Call)
        options = {str(part.arg): ast.literal_eval(part.value) for part in given.keywords}
        optimizer = getattr(torch.optim, row.torch.split(".")[-1])(list(start.values()), **options)
        for step in trace.steps:
            optimizer.zero_grad()
            loss = _loss(example, start, torch.tensor(step.samples) - 1)
            loss.backward()
            optimizer.step()
            with precision(trace.bits):
                for name, theirs in start.items():
                    for at in example.start[name].positions():
                        ours = float(ball(step.at(f"{name}'", at)).mid())
                        value = float(theirs.detach()[tuple(k - 1 for k in at)])
                        assert abs(ours - value) <= 1e-11 * max(1, abs(ours)), (step.number, name)


def _loss(example: Example, start: Mapping[str, torch.Tensor], rows: torch.Tensor) -> torch.Tensor:
    data = {n: torch.tensor([float(v) for v in a.entries]) for n, a in example.data.items()}
    x, y = data["x"][rows], data["y"][rows]
    if "W" in start:
        z = x[:, None] * (data["a"] @ start["W"]) + start.get("o", torch.zeros(2))
        return ((z - y[:, None] * data["e"]) ** 2).sum(1).mean()
    return ((start["w"] * x + start["b"] - y) ** 2).mean()


class _float64:
    def __enter__(self) -> None:
        self.before = torch.get_default_dtype()
        torch.set_default_dtype(torch.float64)

    def __exit__(self, *_: object) -> None:
        torch.set_default_dtype(self.before)


@pytest.mark.slow
def test_torchs_own_muon_in_bfloat16_is_near() -> None:
    """It keeps about three digits inside; ours is what the same code gives in float64."""
    row = BY_NAME["Muon"]
    trace = run(example_of(spec(row, {"lr": "0.1"}, epochs=1)))
    w = torch.tensor([[0.5, -1], [1, 0.25], [0, 2]], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Muon([w], lr=0.1)
    with _float64():
        _loss(trace.example, {"W": w}, torch.tensor([0, 1])).backward()
    optimizer.step()
    ours = torch.tensor(
        [[float(ball(trace.steps[0].at("W'", (j, k))).mid()) for k in (1, 2)] for j in (1, 2, 3)]
    )
    assert 1e-9 < float((ours - w.detach()).abs().max()) < 0.1 * 0.03
    assert "bfloat16" in _page(spec(row, {}, epochs=1))


# --- an independent second reading ---------------------------------------------------------------------


@pytest.mark.parametrize("row", OPTIMIZERS, ids=by_name)
def test_a_row_is_read_a_second_time_whatever_torch_has(
    row: Optimizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the real optimizer taken away, everything that an update computes is still compared."""
    example = example_of(spec(row, others(row), epochs=1))
    alone = replace(example, rule=replace(example.rule, row=replace(row, torch="")))
    _, report = assert_verified(alone)
    said = {check.quantity.split("[")[0] for check in report.checks if check.witness == "row"}
    assert said == set(example.update.targets)


# --- faults ----------------------------------------------------------------------------------------------


def wrong(expr: Expr) -> Iterator[Expr]:
    """One sign turned or one coefficient changed."""
    if isinstance(expr, Number):
        yield number(expr.value + 1)
    if isinstance(expr, Neg):
        yield expr.argument
    if isinstance(expr, Add):
        for at, part in enumerate(expr.terms):
            turned = part.argument if isinstance(part, Neg) else Neg(part)
            yield Add((*expr.terms[:at], turned, *expr.terms[at + 1 :]))
    if isinstance(expr, Mul):
        yield Mul((number(2), *expr.factors))
    for at, part in enumerate(children(expr) if not isinstance(expr, Ref) else ()):
        for changed in wrong(part):
            parts = children(expr)
            yield rebuild(expr, (*parts[:at], changed, *parts[at + 1 :]))


def wrong_updates(example: Example) -> Iterator[Example]:
    equations = example.update.equations
    for at, eq in enumerate(equations):
        for body in wrong(eq.body):
            new = (*equations[:at], Equation(eq.target, body), *equations[at + 1 :])
            yield replace(example, update=Program(new, example.update.indices))


@cache
def right(name: str) -> Trace:
    row = BY_NAME[name]
    return run(example_of(spec(row, others(row), epochs=3)))


MOST_WRONG = 12  # faults of a row that are run; `test_update_rows` holds every branch against torch


@pytest.mark.slow
@pytest.mark.parametrize("row", OPTIMIZERS, ids=by_name)
def test_one_sign_or_coefficient_wrong_is_reported(row: Optimizer) -> None:
    trace = right(row.name)
    caught = 0
    wrong = list(wrong_updates(trace.example))
    for changed in wrong[:: max(1, len(wrong) // MOST_WRONG)]:
        try:
            other, report = verified(changed)
            seen = bool(report.failures)
        except DerivationsError:
            seen = True  # a root of a negative number, a division by zero
        assert seen or same_run(trace, other), changed.update
        caught += seen
    assert caught >= (1 if row.name in ("SignSGD", "Newton") else 2)


def same_run(a: Trace, b: Trace) -> bool:
    """Whether two runs keep the same values but for less than float64 can tell."""
    for x, y in zip(a.steps, b.steps, strict=True):
        for name, array in a.example.kept.items():
            for at in array.positions():
                u, v = (float(ball(step.at(f"{name}'", at)).mid()) for step in (x, y))
                if abs(u - v) > 1e-13 * max(abs(u), 1):
                    return False
    return True


# --- states, groups, clipping, schedules -----------------------------------------------------------------


@pytest.mark.few(5)
@pytest.mark.parametrize("row", OPTIMIZERS, ids=by_name)
def test_a_run_that_starts_later_with_given_states(row: Optimizer) -> None:
    plain = example_of(spec(row, others(row)))
    states = dict.fromkeys((state.of for state in plain.states.values()), "0.25")
    start = ", ".join(["t = 7", *(f"{name} = {value}" for name, value in states.items())])
    example = example_of(spec(row, others(row), extra=f"start = {{ {start} }}"))
    assert all(set(s.start.entries) == {Fraction(1, 4)} for s in example.states.values())
    trace, _ = assert_verified(example)
    assert trace.steps[0].at("t") == rational(Fraction(7))


@pytest.mark.few(5)
@pytest.mark.parametrize(
    "row", [row for row in OPTIMIZERS if row.indices[0] < 2 and "lr" in row.hyper], ids=by_name
)
def test_groups_have_hyper_parameters_of_their_own(row: Optimizer) -> None:
    second = "o" if is_matrix(row) else "b"
    extra = f'[[training.groups]]\nparameters = ["{second}"]\nlr = 0.3\n'
    trace, report = assert_verified(example_of(spec(row, others(row), extra=extra)))
    assert trace.example.rule.groups[1].values["lr"] == Fraction(3, 10)
    assert any(check.witness == "optimizer" for check in report.checks) == bool(row.torch)


def test_a_group_may_have_what_the_others_lack() -> None:
    extra = '[[training.groups]]\nparameters = ["b"]\nweight_decay = 0.1\nmomentum = 0.5\n'
    example = example_of(spec(BY_NAME["SGD"], {}, extra=extra))
    assert list(example.states) == ["v_b"]
    assert dict(example.hyper) == {"lr": Fraction(1, 100), "mu_1": Fraction(1, 2), "lam_1": Fraction(1, 10)}
    assert_verified(example)


@pytest.mark.few(7)
@pytest.mark.parametrize("limit", ["0.05", "3", "1000", "0"])
@pytest.mark.parametrize("clip", CLIPPINGS, ids=by_name)
@pytest.mark.parametrize("row", [BY_NAME["SGD"], BY_NAME["Adam"], BY_NAME["Lion"]], ids=by_name)
def test_clipping_is_torchs(clip: Clipping, row: Optimizer, limit: str) -> None:
    text = spec(row, others(row), extra=f"clip = {{ {clip.name} = {limit} }}")
    _, report = assert_verified(example_of(text))
    compared = [check for check in report.checks if check.quantity == "gbar_w"]
    assert {check.witness for check in compared} == {"optimizer" if row.torch else "row"}


SCHEDULED = {
    "StepLR": "step_size = 2, gamma = 0.5",
    "MultiStepLR": "milestones = [1, 3, 4], gamma = 0.25",
    "ExponentialLR": "gamma = 0.75",
    "CosineAnnealingLR": "T_max = 5, eta_min = 0.002",
    "LinearLR": "start_factor = 0.25, total_iters = 3",
    "PolynomialLR": "total_iters = 10, power = 2",
    "OneCycleLR": "total_steps = 14, pct_start = 0.4",
    "CyclicLR": "max_lr = 0.1, size_up = 2, size_down = 3",
    "CyclicLR2": "max_lr = 0.1, size_up = 2, size_down = 1",
    "CyclicLRExponential": "max_lr = 0.1, size_up = 2, size_down = 2, gamma = 0.9",
}


@pytest.mark.few(12)
@pytest.mark.parametrize("group", [False, True], ids=["one rate", "two rates"])
@pytest.mark.parametrize("every", ["step", "epoch"])
@pytest.mark.parametrize("row", SCHEDULES, ids=by_name)
def test_a_schedule_is_torchs_scheduler(row: Schedule, every: str, group: bool) -> None:
    table = f'schedule = {{ name = "{row.name}", every = "{every}", {SCHEDULED[row.name]} }}\n'
    table += '[[training.groups]]\nparameters = ["b"]\nlr = 0.02\n' if group else ""
    trace, report = assert_verified(example_of(spec(BY_NAME["SGD"], {}, extra=table)))
    rates = [check for check in report.checks if check.witness == "scheduler"]
    assert len(rates) == 12 * (1 + group)
    assert len({str(step.at("lr_t")) for step in trace.steps}) > 1


@pytest.mark.few(4)
@pytest.mark.parametrize("row", SCHEDULES, ids=by_name)
def test_a_schedule_that_is_entered_later(row: Schedule) -> None:
    table = (
        f'schedule = {{ name = "{row.name}", every = "step", {SCHEDULED[row.name]} }}\nstart = {{ t = 3 }}'
    )
    optimizer = BY_NAME["Lion" if row.name == "StepLR" else "Adam"]
    _, report = assert_verified(example_of(spec(optimizer, {}, extra=table)))
    assert any(check.witness in ("scheduler", "row") and check.quantity == "lr_t" for check in report.checks)


@pytest.mark.parametrize("row", SCHEDULES, ids=by_name)
def test_a_wrong_rate_is_reported(row: Schedule) -> None:
    table = f'schedule = {{ name = "{row.name}", every = "step", {SCHEDULED[row.name]} }}'
    example = example_of(spec(BY_NAME["SGD"], {}, extra=table))
    equations = [
        Equation(eq.target, Mul((number(2), eq.body))) if eq.target.name == "lr_t" else eq
        for eq in example.update
    ]
    changed = replace(example, update=Program(tuple(equations), example.update.indices))
    failures = verified(changed)[1].failures
    assert "scheduler" in str(failures[0]) or "row" in str(failures[0])


def test_no_name_of_a_schedule_or_of_clipping_is_one_of_an_optimizer() -> None:
    """They stand side by side in one update."""
    for optimizer in OPTIMIZERS:
        lines = [
            line for n in range(3) if n >= optimizer.indices[0] for line in lines_of(optimizer, "jk"[:n])
        ]
        own = {*optimizer.hyper, *(line.target.name for line in lines)} - {"lr"}
        for schedule in SCHEDULES:
            words = set(schedule.hyper) | {
                line.split("=")[0].strip() for line in schedule.equations.split("\n")
            }
            assert not words & own, (optimizer.name, schedule.name, words & own)
        assert not own & {"clip", "gnorm", "gsquares", "gbar"}


# --- pages -------------------------------------------------------------------------------------------------


def _page(text: str) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return build(text, ("md", "tex", "json"))["md"]


@pytest.mark.few(1)
@pytest.mark.parametrize("row", thinned(OPTIMIZERS, 3, by_name))
def test_a_page_with_every_hyper_parameter(row: Optimizer) -> None:
    """Built, read back, and its PyTorch program run."""
    page = _page(spec(row, others(row), epochs=1))
    assert row.name in page
    written = row.torch.removeprefix("torch.") if row.torch and not row.casts else "with torch.no_grad():"
    assert f"{written}(" in page or written in page


@pytest.mark.few(1)
@pytest.mark.parametrize(
    "flag",
    thinned(((row, flag) for row in OPTIMIZERS for flag in row.flags), 5, lambda p: f"{p[0].name}-{p[1]}"),
)
def test_a_page_with_a_flag(flag: tuple[Optimizer, str]) -> None:
    row, name = flag
    (given,) = (given for given in settings(row) if name in given)
    _page(spec(row, given, epochs=1))


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", thinned(["SGD", "Adam", "NAdam", "ASGD", "Adafactor", "Lion", "RAdam"], 4, str)
)
@pytest.mark.parametrize("clip", ["norm", "value"])
def test_a_page_with_everything_around_an_optimizer(name: str, clip: str) -> None:
    row = BY_NAME[name]
    second = "o" if is_matrix(row) else "b"
    extra = (
        f"clip = {{ {clip} = 0.5 }}\nstart = {{ t = 3 }}\n"
        'schedule = { name = "OneCycleLR", total_steps = 14 }\n'
        f'[[training.groups]]\nparameters = ["{second}"]\nlr = 0.05\n'
    )
    page = _page(spec(row, {}, epochs=2, extra=extra))
    assert "gradients are clipped by" in page
    assert r"\eta_t" in page
    assert r"\eta_1" in page


def test_plain_sgd_stays_as_it_is() -> None:
    page = _page(spec(BY_NAME["SGD"], {}, epochs=1))
    assert r"w \leftarrow w - \eta \frac{\partial L}{\partial w}" in page
    assert (
        "The optimizer is SGD (plain gradient descent on each mini-batch, without momentum) "
        "with $\\eta = 0.01$:" in page
    )
    assert "optimizer = optim.SGD(model.parameters(), lr=0.01)\n" in page


def test_torchs_words_are_accepted_beside_those_of_the_page() -> None:
    a = example_of(spec(BY_NAME["SGD"], {"momentum": "0.9", "weight_decay": "0.1", "dampening": "0.5"}))
    b = example_of(spec(BY_NAME["SGD"], {"mu": "0.9", "lam": "0.1", "tau": "0.5"}))
    assert a.update == b.update
    assert list(a.hyper) == ["lr", "mu", "tau", "lam"]


def test_the_perceptron_rule_is_sgd_on_the_perceptron_loss() -> None:
    """w + lr*(y - out)*x, one sample after another, by hand: Rosenblatt's rule with outputs 0 and 1."""
    text = """
title = "AND"
[model]
equations = '''
z[i] = sum(x[i, j]*w[j], j) + b
L = sum((step(z[i]) - y[i])*z[i], i)
'''
[data]
x = [[0, 0], [0, 1], [1, 0], [1, 1]]
y = [0, 0, 0, 1]
[parameters]
w = [0, 0]
b = 0
[training]
batch_size = 1
epochs = 6
optimizer = { name = "SGD", lr = 0.5 }
"""
    trace, _ = assert_verified(example_of(text))
    w, b = [Fraction(0), Fraction(0)], Fraction(0)
    inputs, wanted = [(0, 0), (0, 1), (1, 0), (1, 1)], [0, 0, 0, 1]
    for step in trace.steps:
        x, y = inputs[step.samples[0] - 1], wanted[step.samples[0] - 1]
        out = int(sum(p * q for p, q in zip(w, x, strict=True)) + b > 0)
        w = [p + Fraction(1, 2) * (y - out) * q for p, q in zip(w, x, strict=True)]
        b += Fraction(1, 2) * (y - out)
        assert [fraction(step.at("w'", (j,))) for j in (1, 2)] == w
        assert fraction(step.at("b'")) == b
    assert [int(sum(p * q for p, q in zip(w, x, strict=True)) + b > 0) for x in inputs] == wanted


def test_newton_lands_on_the_minimum_of_a_parabola_in_one_step() -> None:
    text = spec(BY_NAME["Newton"], {}, epochs=1).replace("w*x[i] - 0.5", "w*x[i]")
    step = run(example_of(text)).steps[0]
    x, y = (ast.literal_eval(part) for part in AWKWARD["negatives"][:2])
    pairs = [(Fraction(str(a)), Fraction(str(b))) for a, b in zip(x, y, strict=True)]
    assert fraction(step.at("w'")) == sum(a * b for a, b in pairs) / sum(a * a for a, _ in pairs)
    assert fraction(step.at("h_w")) == Fraction(2, 5) * sum(a * a for a, _ in pairs)


def test_newton_through_a_curve() -> None:
    text = spec(BY_NAME["Newton"], {}, epochs=1).replace("w*x[i] - 0.5", "sigmoid(w*x[i])")
    _, report = assert_verified(example_of(text))
    assert any(check.quantity == "h_w" and check.witness == "autograd" for check in report.checks)
    assert "second derivative" in _page(text)


# --- what is refused -------------------------------------------------------------------------

REFUSED = {
    'optimizer = { name = "SGD", lr = 0.1, momentum = 0.9, nesterov = 1 }': (
        "'nesterov' must be true or false",
        "",
    ),
    'optimizer = { name = "SGD", lr = 0.1, dampening = 0.1 }': (
        "no meaning without 'momentum'",
        "momentum = 0.9",
    ),
    'optimizer = { name = "SGD", lr = 0.1, nesterov = true }': ("no meaning without 'momentum'", "momentum"),
    'optimizer = { name = "SGD", lr = 0.1, momentum = 0.9, nesterov = true, dampening = 0.1 }': (
        "'nesterov' cannot stand beside 'dampening'",
        "Leave out dampening",
    ),
    'optimizer = { name = "SGD", lr = 0.1, momentum = 0.9, mu = 0.8 }': ("another word for 'mu'", "once"),
    'optimizer = { name = "SGD", lr = 0.1, wieght_decay = 0.9 }': (
        "no hyper-parameter 'wieght_decay'",
        "weight_decay",
    ),
    'optimizer = { name = "Muon" }': ("Muon cannot update 'w'", "2 indices"),
    'optimizer = { name = "Newton" }': ("Newton learns one parameter", "one dimension"),
    'optimizer = { name = "GD", lr = 0.1 }\nbatch_size = 2': (
        "uses all the data in every step",
        "batch_size",
    ),
    'optimizer = { name = "SGD", lr = 0.1 }\nclip = { vaule = 1 }': (
        "unknown way of clipping 'vaule'",
        "value = 1",
    ),
    'optimizer = { name = "SGD", lr = 0.1 }\nclip = { value = 1, norm = 1 }': (
        "unknown way of clipping 'norm'",
        "or",
    ),
    'optimizer = { name = "SGD", lr = 0.1 }\nclip = { norm = -1 }': (
        "'norm' must be a number and at least 0",
        "",
    ),
    'optimizer = { name = "SGD", lr = 0.1 }\nschedule = { step_size = 1 }': (
        "the schedule has no name",
        "StepLR",
    ),
    'optimizer = { name = "SGD", lr = 0.1 }\nschedule = { name = "StpLR" }': (
        "unknown schedule 'StpLR'",
        "StepLR",
    ),
    'optimizer = { name = "SGD", lr = 0.1 }\nschedule = { name = "StepLR" }': (
        "needs the hyper-parameter 'step_size'",
        "",
    ),
    'optimizer = { name = "SGD", lr = 0.1 }\nschedule = { name = "StepLR", step_size = 1.5 }': (
        "a whole number",
        "",
    ),
    'optimizer = { name = "SGD", lr = 0.1 }\nschedule = { name = "StepLR", step_size = 2, every = "day" }': (
        "'every'",
        "",
    ),
    'optimizer = { name = "SGD", lr = 0.1 }\nschedule = { name = "MultiStepLR", milestones = [0.5] }': (
        "whole numbers",
        "",
    ),
    'optimizer = { name = "SGD", lr = 0.1 }\nstart = { v = 1 }': (
        "a state comes from earlier steps",
        "t = 2",
    ),
    'optimizer = { name = "SGD", lr = 0.1 }\nstart = { t = 0 }': ("'t' must be a whole number", ""),
    'optimizer = { name = "Adam" }\nstart = { t = 2, vv = 1 }': ("Adam has no state 'vv'", "'v"),
    'optimizer = { name = "SGD", lr = 0.1 }\nstart = { t = 2, v = 1 }': ("SGD has no state 'v'", "no state"),
    'optimizer = { name = "Adam" }\nstart = { t = 2, v_w = [1, 2] }': (
        "'v_w' has shape (2,), expected ()",
        "",
    ),
    'optimizer = { name = "SGD", lr = 0.1 }\n[[training.groups]]\nparameters = ["c"]': (
        "'c' is not a parameter",
        "b",
    ),
    'optimizer = { name = "SGD", lr = 0.1 }\n[[training.groups]]\nparameters = ["b"]\nlr = -1': (
        "'lr' must be at least 0",
        "",
    ),
    'optimizer = { name = "SGD", lr = 0.1 }\n[[training.groups]]\nparameters = ["b", "b"]': (
        "'b' is in two groups",
        "",
    ),
    'optimizer = { name = "SGD", lr = 0.1 }\n[[training.groups]]\nparameters = []': ("parameters", ""),
    'optimizer = { name = "Newton" }\nschedule = { name = "ExponentialLR", gamma = 0.5 }': ("Newton", ""),
}


@pytest.mark.parametrize("training", REFUSED)
def test_what_cannot_be_is_refused_in_its_place(training: str) -> None:
    message, hint = REFUSED[training]
    text = f"{model(BY_NAME['SGD'], 'negatives')}[training]\n{training}\n"
    with pytest.raises(DerivationsError) as caught:
        example_of(text)
    assert message in caught.value.message
    assert hint in caught.value.hint
    line = text.splitlines()[(caught.value.line or 0) - 1]
    assert caught.value.column
    first = message.split("'")[1] if message.startswith("'") else ""
    assert first in line or line.startswith(("optimizer", "[[training", "w =", "b ="))


def test_a_place_inside_the_second_group_is_found() -> None:
    groups = '[[training.groups]]\nparameters = ["w"]\n[[training.groups]]\nparameters = ["b"]\nlr = -1\n'
    text = spec(BY_NAME["SGD"], {}, extra=groups)
    with pytest.raises(DerivationsError) as caught:
        example_of(text)
    assert text.splitlines()[(caught.value.line or 0) - 1] == "lr = -1"


def test_a_number_in_torchs_words() -> None:
    row = BY_NAME["Adam"]
    values = {name: Fraction(default or "0") for name, default in row.hyper.items()}
    assert arguments(row, values) == ["lr=0.001", "betas=(0.9, 0.999)", f"eps={decimal(Fraction(1, 10**8))}"]
    assert arguments(row, {**values, "amsgrad": Fraction(1)})[-1] == "amsgrad=True"


def test_undecided_is_no_failure() -> None:
    """A precision too small for the run is raised, not reported as a difference."""
    example = example_of(spec(BY_NAME["Adam"], {}))
    with pytest.raises(Undecided), precision(8):
        verify(train(example, 8))


@pytest.mark.parametrize("name", [row.name for row in OPTIMIZERS if not row.torch and row.name != "none"])
def test_a_row_that_torch_lacks_is_held_against_what_was_written_twice(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = BY_NAME[name]
    assert row.again
    text = spec(row, {}, epochs=1)
    monkeypatch.setitem(BY_NAME, name, replace(row, equations=row.equations.replace("theta - ", "theta + ")))
    _, report = verified(example_of(text))
    assert any(check.witness == "row" and check.quantity.endswith("'") for check in report.failures)
