"""Every loss of the catalogue by its name: values and gradients against torch on awkward numbers.

Each row is called in a model that is made from the row itself; torch works the same numbers through the
row's torch expression, evaluated here and not by the package, and is then asked through its own witness.
"""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import torch

from derivations.catalogue import sample_losses
from derivations.catalogue.loss import SampleLoss
from derivations.catalogue.sample_losses import SAMPLE_LOSSES
from derivations.language.errors import ArithmeticFault
from derivations.model.recognize import recognize
from derivations.numbers.systems import ball, precision
from derivations.page import build
from tests.built import thinned
from tests.catalogue.test_catalogue import assert_verified, by_name, example_of, run, spec

SGD = 'optimizer = { name = "SGD", lr = 0.05 }'
NUMBERS = {"d": "0.5", "c": "0.5", "s": "0.1", "g": "2", "r": "0.25"}
PROBABILITIES = [0.9, 0.25, 0.5, 0.125, 0.6]
REAL = [1.5, -2.0, 0.0, 0.5, 3.0]  # with a tie, a kink of Huber, zeros
TARGETS = {
    "binary_cross_entropy": [1, 0, 0.5, 0.75, 0.6],
    "binary_cross_entropy_with_logits": [1, 0, 0.5, 0.75, 0],
    "focal_loss": [1, 0, 1, 0, 1],
    "hinge_loss": [1, -1, 1, -1, 1],
    "squared_hinge_loss": [1, -1, 1, -1, 1],
    "poisson_nll": [3, 0, 1, 2, 7],
    "poisson_nll_of_rate": [3, 0, 1, 2, 7],
}
MARGIN = [1.0, 0.25, 0.0, -1.0, 2.5]  # two of them on the margin
PREDICTED = {
    **dict.fromkeys(("binary_cross_entropy", "focal_loss", "poisson_nll_of_rate"), PROBABILITIES),
    **dict.fromkeys(("hinge_loss", "squared_hinge_loss"), MARGIN),
}
# five samples, three classes: ties, zeros, a margin of exactly 1, far apart
LOGITS = [[0.5, 0.5, -1.0], [0.0, 0.0, 0.0], [2.0, 1.0, 3.0], [-4.0, 9.0, 1.5], [1.0, 2.0, 0.25]]
SHARES = [[0.5, 0.25, 0.25], [0.125, 0.75, 0.125], [0.25, 0.25, 0.5], [0.5, 0.375, 0.125], [0.2, 0.3, 0.5]]
BY_ARGUMENT: dict[str, Any] = {
    "y": [1, 3, 2, 2, 1],
    "v": [0.5, 1, 2, 0.25, 4],
    "q": SHARES,
    "c": [2.0, 0.5, 1.25],  # class weights
    "l": LOGITS,
    "w": LOGITS,
    "z": LOGITS,
    "p": LOGITS,
}
OF_ROW: dict[str, dict[str, Any]] = {
    "kl_divergence": {"q": LOGITS, "p": SHARES},
    "dice_loss": {"a": SHARES, "b": [[1, 0, 1], [0, 1, 0], [0, 0, 1], [1, 1, 1], [1, 0, 0]]},
    "cosine_loss": {"a": [[1.5, -2, 0.5], *LOGITS[2:], [3, 4, 0]], "b": SHARES},
    "weighted_mean": {"l": LOGITS, "w": SHARES},
}


def inputs(row: SampleLoss) -> dict[str, Any]:
    """A number, a list or a table for every argument of a row."""
    given = {"a": PREDICTED.get(row.name, REAL), "b": TARGETS.get(row.name, [1.0, -2.0, 0.5, 3.0, 0.0])}
    given |= BY_ARGUMENT | OF_ROW.get(row.name, {})
    return {name: Fraction(NUMBERS[name]) if name in row.numbers else given[name] for name in row.arguments}


def depth(value: Any) -> int:
    return 1 + depth(value[0]) if isinstance(value, list) else 0


def letters(row: SampleLoss, name: str, value: Any) -> str:
    if row.name == "weighted_cross_entropy" and name == "c":
        return "[k]"
    return ["", "[i]", "[i, k]"][depth(value)]


def model(row: SampleLoss, reduction: str = "mean") -> str:
    """A spec that learns the first argument: a loss a sample, reduced."""
    given = inputs(row)
    arguments = [NUMBERS[n] if n in row.numbers else f"{n}{letters(row, n, v)}" for n, v in given.items()]
    call = f"{row.name}({', '.join([*arguments, *(['k'] if row.over else [])])})"
    first, *rest = [(name, value) for name, value in given.items() if name not in row.numbers]
    return spec(
        f"loss[i] = {call}\nL = {reduction}(m[i]*loss[i], i)",
        f"{first[0]} = {first[1]}",
        "\n".join([*(f"{name} = {value}" for name, value in rest), "m = [1, 2, 0.5, 0, 1]"]),
        SGD,
    )


def in_torch(row: SampleLoss, reduction: str) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The losses of all samples, the loss, and the gradient by the first argument."""
    given: dict[str, Any] = {
        name: float(value) if name in row.numbers else torch.tensor(value, dtype=torch.float64)
        for name, value in inputs(row).items()
    }
    if row.name == "weighted_cross_entropy":
        given["c"] = given["c"].expand(5, 3)
    first = given[row.arguments[0]].requires_grad_()
    each = eval(row.torch, {"torch": torch}, given)
    weighted = each * torch.tensor([1, 2, 0.5, 0, 1], dtype=torch.float64)
    loss = getattr(weighted, reduction)()
    loss.backward()
    return each.detach(), loss.detach(), first.grad


def close(ours: Any, theirs: float) -> bool:
    middle = float(ball(ours).mid())
    return abs(middle - theirs) <= 4e-15 * max(1.0, abs(middle))


def places(tensor: torch.Tensor) -> list[tuple[int, ...]]:
    return [tuple(at) for at in torch.ones_like(tensor).nonzero().tolist()]


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("row", SAMPLE_LOSSES, ids=by_name)
def test_losses_and_gradients_are_torchs(row: SampleLoss, reduction: str) -> None:
    """None (a loss a sample), sum and mean, with weights of the samples; every gradient."""
    trace = run(example_of(model(row, reduction)))
    each, loss, gradient = in_torch(row, reduction)
    step = trace.steps[0]
    with precision(trace.bits):
        for (k,) in places(each):
            assert close(step.at("loss", (k + 1,)), float(each[k])), k
        assert close(step.at("L"), float(loss))
        for at in places(gradient):
            ours = step.at(f"dL/d{row.arguments[0]}", tuple(k + 1 for k in at))
            assert close(ours, float(gradient[at])), at


@pytest.mark.few(7)
@pytest.mark.parametrize("row", SAMPLE_LOSSES, ids=by_name)
def test_a_loss_is_verified_in_a_model(row: SampleLoss) -> None:
    report = assert_verified(run(example_of(model(row))))
    assert {"loss[5]", "L"} <= {check.quantity for check in report.checks if check.witness == "autograd"}


def altered(formula: str) -> list[str]:
    """Formulas with one sign turned, one coefficient doubled, one of several factors left out."""
    found = [
        formula[: m.start()] + ("+" if m[0] == "-" else "-") + formula[m.end() :]
        for m in re.finditer(r"(?<=[\w\])] )[-+](?= )", formula)
    ]
    return [*found, f"2*({formula})", f"-({formula})"]


@pytest.mark.few(2)
@pytest.mark.parametrize("row", thinned(SAMPLE_LOSSES, 2, by_name))
def test_a_fault_in_a_formula_is_caught(row: SampleLoss, monkeypatch: pytest.MonkeyPatch) -> None:
    """Torch's loss does not change with the formula of the row."""
    from derivations.language import parser
    from derivations.witnesses.verify import verify

    for formula in altered(row.formula):
        changed = {**sample_losses.SAMPLE_LOSS_BY_NAME, row.name: replace(row, formula=formula)}
        monkeypatch.setattr(parser, "SAMPLE_LOSS_BY_NAME", changed)
        text = model(row)
        try:
            trace = run(example_of(text))
        except ArithmeticFault:
            continue  # a logarithm of a negative number: caught as well
        with precision(trace.bits):
            assert verify(trace).failures, formula


REDUCED = [row for row in SAMPLE_LOSSES if row.module]


@pytest.mark.few(2)
@pytest.mark.parametrize("row", REDUCED, ids=by_name)
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_a_reduced_loss_is_recognized_as_torchs_class(row: SampleLoss, reduction: str) -> None:
    targets = inputs(row)["b"]
    text = spec(
        f"a[i] = w*x[i]\nL = {reduction}({row.name}(a[i], b[i]), i)",
        "w = 0.5",
        f"x = {REAL}\nb = {targets}",
        SGD,
    )
    example = example_of(text)
    found = recognize(example)["L"]
    assert (found.torch, found.arguments) == (row.module, "" if reduction == "mean" else 'reduction="sum"')
    report = assert_verified(run(example))
    assert any(check.witness == "library" for check in report.checks)


def test_class_weights_reduce_as_torchs_class_does() -> None:
    """With class weights torch's mean divides by the sum of the weights: a weighted mean by name."""
    text = spec(
        "loss[i] = cross_entropy(z[i, k], y[i], k)\nL = weighted_mean(loss[i], c[y[i]], i)",
        f"z = {LOGITS}",
        f"y = {BY_ARGUMENT['y']}\nc = {BY_ARGUMENT['c']}",
        SGD,
    )
    trace = run(example_of(text))
    assert_verified(trace)
    z = torch.tensor(LOGITS, dtype=torch.float64, requires_grad=True)
    weights = torch.tensor(BY_ARGUMENT["c"], dtype=torch.float64)
    theirs = torch.nn.CrossEntropyLoss(weight=weights)(z, torch.tensor(BY_ARGUMENT["y"]) - 1)
    theirs.backward()
    with precision(trace.bits):
        assert close(trace.steps[0].at("L"), float(theirs.detach()))
        for at in places(z.grad):
            assert close(trace.steps[0].at("dL/dz", tuple(k + 1 for k in at)), float(z.grad[at]))


REPORTED = """
z[i] = w*x[i] + b
loss[i] = binary_cross_entropy_with_logits(z[i], y[i])
L = mean(loss[i], i)
p[i] = sigmoid(z[i])
squared = mean(squared_error(p[i], y[i]), i)
right[i] = same(step(p[i] - 0.5), y[i])
accuracy = mean(right[i], i)
"""


@pytest.mark.slow
def test_the_loss_reported_may_differ_from_the_loss_trained_on(tmp_path: Path) -> None:
    path = tmp_path / "reported.toml"
    body = spec(REPORTED, "w = 0.5\nb = 0", "x = [1, 2, -1, -3]\ny = [1, 1, 0, 1]", f"{SGD}\nbatch_size = 2")
    path.write_text(body.replace("[data]", 'loss = "L"\n[data]'))
    page = build(path, ("md", "tex"))
    text = str(page["md"])
    assert "Reported beside $L$, and not trained on:" in text
    assert "This is the binary cross-entropy of a logit:" in text
    assert r"| step | $w$ | $b$ | $L$ | $\mathrm{squared}$ | $\mathrm{accuracy}$ |" in text
    w, b = (torch.tensor(start, dtype=torch.float64, requires_grad=True) for start in (0.5, 0.0))
    optimizer = torch.optim.SGD([w, b], lr=0.05)
    x, y = (torch.tensor(v, dtype=torch.float64) for v in ([1.0, 2, -1, -3], [1.0, 1, 0, 1]))
    for step, rows in zip(page.trace.steps, ([0, 1], [2, 3]), strict=True):
        optimizer.zero_grad()
        z = w * x[rows] + b
        loss = torch.nn.functional.binary_cross_entropy_with_logits(z, y[rows])
        loss.backward()
        optimizer.step()
        squared = torch.nn.functional.mse_loss(torch.sigmoid(z), y[rows])
        right = ((z > 0).double() == y[rows]).double().mean()
        with precision(page.trace.bits):
            for name, theirs in {"L": loss, "squared": squared, "accuracy": right, "w'": w, "b'": b}.items():
                assert close(step.at(name), float(theirs.detach())), name


@pytest.mark.few(2)
@pytest.mark.parametrize("row", thinned(SAMPLE_LOSSES, 2, by_name))
def test_a_page_says_the_convention_of_a_loss(row: SampleLoss, tmp_path: Path) -> None:
    path = tmp_path / "loss.toml"
    path.write_text(model(row))
    assert f"This is the {row.title}: {row.convention}." in str(build(path, ("md", "tex"))["md"])
