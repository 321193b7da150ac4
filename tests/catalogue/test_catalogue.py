"""Every row of the catalogue against SymPy and torch: what is tested follows from what is there."""

from __future__ import annotations

import ast
from fractions import Fraction
from typing import Any

import pytest
import torch

from derivations.catalogue import functions
from derivations.catalogue.loss import Loss
from derivations.catalogue.losses import LOSSES
from derivations.language.parser import parse
from derivations.language.tree import Ref
from derivations.model.example import Example, prepare
from derivations.model.recognize import recognize
from derivations.numbers.systems import ball, precision, rational
from derivations.run.training import Trace, certified, train
from derivations.spec.spec import parse_spec
from derivations.witnesses.check import Report
from derivations.witnesses.verify import verify


def by_name(row: Any) -> str:
    return str(row.name)


def _label(part: Any) -> str:
    return str(getattr(part, "name", part))


def resolved(path: str) -> Any:
    """The object of a dotted name below torch, found here and not by the package."""
    found: Any = torch
    for part in path.split(".")[1:]:
        found = getattr(found, part)
    return found


def keywords(arguments: str) -> dict[str, Any]:
    call = ast.parse(f"f({arguments})", mode="eval").body
    assert isinstance(call, ast.Call)
    return {str(part.arg): ast.literal_eval(part.value) for part in call.keywords}


# --- whole runs --------------------------------------------------------------------------------------

AWKWARD = {
    "negatives": ("[-1.5, 2.25, -0.3, -4, 0.7]", "[3.1, -2, -0.45, 1, -6]", "0.3", "-1.1"),
    "zeros": ("[0, 0, 1, 0, -1]", "[0, 1, 0, 0, 0]", "0", "0"),
    "ties": ("[2, 2, 2, -1, -1]", "[1.5, 1.5, 1.5, 1.5, 1.5]", "0.5", "0.5"),
    "scales": ("[1e-6, 1000, 0.001, -20, 3]", "[1e5, -3e-7, 40, 0.02, 1]", "1e-4", "1e3"),
    "nothing to learn": ("[1, 2, 3, 4, 5]", "[3, 5, 7, 9, 11]", "2", "1"),
    "thirds": ('"u/3"', '"v/7"', '"1/3"', '"-2/7"'),
}


def example_of(text: str) -> Example:
    return prepare(*parse_spec(text))


def run(example: Example) -> Trace:
    return certified(lambda bits: train(example, bits))


def assert_verified(trace: Trace) -> Report:
    report = verify(trace)
    with precision(trace.bits):
        assert not report.failures, str(report.failures[0])
    assert report.checks
    return report


def spec(equations: str, parameters: str, data: str, training: str) -> str:
    return (
        f'title = "t"\n[model]\nequations = """\n{equations}\n"""\n[data]\n{data}\n'
        f"[parameters]\n{parameters}\n[training]\n{training}\n"
    )


# --- losses ----------------------------------------------------------------------------------------

PREDICTED, WANTED = ["0.9", "0.25", "0.5", "0.125", "0.6"], ["1", "0", "0.5", "0.75", "0.6"]  # with two ties


def of_tables(row: Loss) -> bool:
    return any(ref.indices for ref in _entries(row))


def _entries(row: Loss) -> list[Ref]:
    from derivations.language.tree import refs

    return refs(parse(row.equation, functions.NAMES))


def loss_spec(row: Loss, prediction: str) -> str:
    """A model whose loss is the row, over one sample or over five."""
    several = of_tables(row)
    at, sizes = ("[i]", "[1.5, -2, 0.5, 3, -0.25]") if several else ("", "1.5")
    wanted = f"[{', '.join(WANTED)}]" if several else WANTED[1]
    return spec(
        f"a{at} = {prediction.format(at=at)}\nL = {row.equation}",
        "w = 0.4\nc = -0.1",
        f"x = {sizes}\nb = {wanted}",
        'optimizer = { name = "SGD", lr = 0.3 }\nepochs = 3',
    )


@pytest.mark.few(5)
@pytest.mark.parametrize("row", LOSSES, ids=by_name)
def test_a_loss_is_recognized_and_verified_in_a_model(row: Loss) -> None:
    example = example_of(loss_spec(row, "sigmoid(w*x{at} + c)"))
    assert recognize(example)["L"].row is row
    report = assert_verified(run(example))
    library = [check for check in report.checks if check.witness == "library"]
    assert bool(library) == bool(row.torch)


@pytest.mark.parametrize("row", [row for row in LOSSES if row.torch], ids=by_name)
def test_a_loss_and_its_gradient_are_those_of_torchs_class(row: Loss) -> None:
    several = of_tables(row)
    count = len(PREDICTED) if several else 1
    text = (
        row.equation.replace("a[i]", "p[i]") if several else row.equation.replace("a", "p").replace("b", "b")
    )
    trace = run(
        example_of(
            spec(
                f"L = {text}",
                f"p = [{', '.join(PREDICTED)}]" if several else f"p = {PREDICTED[0]}",
                f"b = [{', '.join(WANTED)}]" if several else f"b = {WANTED[1]}",
                'optimizer = { name = "SGD", lr = 1 }',
            )
        )
    )
    a = torch.tensor([float(p) for p in PREDICTED[:count]], dtype=torch.float64, requires_grad=True)
    b = torch.tensor([float(y) for y in (WANTED if several else WANTED[1:2])], dtype=torch.float64)
    theirs = resolved(row.torch)(**keywords(row.arguments))(a, b)
    theirs.backward()
    step = trace.steps[0]
    with precision(trace.bits):
        assert abs(float(ball(step.at("L")).mid()) - float(theirs.detach())) <= 1e-15 * max(
            1, float(theirs.detach())
        )
        for n in range(count):
            ours = ball(step.at("dL/dp", (n + 1,) if several else ()))
            assert abs(float(ours.mid()) - float(a.grad[n])) <= 1e-15 * max(1, abs(float(a.grad[n])))


CONVENTIONS = {  # hand arithmetic: residuals 1, -2, 3 (or 3 alone); squares 1 + 4 + 9 = 14
    "mean squared error": Fraction(14, 3),
    "sum of squared errors": Fraction(14),
    "half mean squared error": Fraction(14, 6),
    "half sum of squared errors": Fraction(7),
    "squared error of one sample": Fraction(9),
    "half squared error of one sample": Fraction(9, 2),
    "mean absolute error": Fraction(2),
}


@pytest.mark.parametrize("row", [row for row in LOSSES if row.name in CONVENTIONS], ids=by_name)
def test_a_convention_by_hand(row: Loss) -> None:
    a, b = ("[3, 1, 7]", "[2, 3, 4]") if of_tables(row) else ("7", "4")
    step = run(example_of(spec(f"L = {row.equation}", f"a = {a}", f"b = {b}", SGD))).steps[0]
    assert step.at("L") == rational(CONVENTIONS[row.name])


SGD = 'optimizer = { name = "SGD", lr = 0.05 }'
