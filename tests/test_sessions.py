"""Sessions: structure proved once, verified runs with other values, each as it would be alone."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from typing import Any

import flint
import numpy as np
import pytest
import sympy as sp
import torch

import derivations
from derivations.catalogue import functions
from derivations.catalogue.algorithm import Optimizer
from derivations.catalogue.optimizers import OPTIMIZERS
from derivations.language.errors import CheckFailed, LanguageError, SpecError, nearest
from derivations.language.parser import parse
from derivations.numbers.digits import Rounding
from derivations.numbers.systems import precision
from derivations.page import spec_digest
from derivations.run.many import groups
from derivations.run.training import train, worked
from derivations.sessions import Run, Session
from derivations.spec.arrays import Array
from derivations.witnesses import work
from derivations.witnesses.many import confirmed

SOFTMAX = """
title = "Soft labels"
[model]
equations = '''
z[i, k] = w[k]*x[i]
p[i, k] = softmax(z[i, k], k)
L = -mean(sum(y[i, k]*log(p[i, k]), k), i)
'''
[data]
x = [1, 2, -1]
y = [[1, 0], [0.5, 0.5], [0, 1]]
[parameters]
w = [0.5, -0.5]
[training]
optimizer = { name = "SGD", lr = 0.1 }
"""
LOOKUP = """
title = "Classes"
[model]
equations = '''
z[i, k] = w[k]*x[i]
l[i] = cross_entropy(z[i, k], y[i], k)
L = mean(l[i], i)
'''
[data]
x = [1, 2, 3]
y = [1, 2, 2]
[parameters]
w = [0.5, -0.5]
[training]
optimizer = { name = "SGD", lr = 0.1 }
batch_size = 1
"""
KINK = """
title = "A kink"
[model]
equations = '''
h[i] = relu(w*x[i])
L = mean((h[i] - y[i])**2, i)
'''
[data]
x = [1, 2]
y = [1, 1]
[parameters]
w = 0.5
[training]
optimizer = { name = "SGD", lr = 0.1 }
"""
RECURRENT = """
title = "A recurrence"
[model]
equations = '''
h[0] = 0
h[t] = tanh(w*x[t] + u*h[t-1])
o[t] = v*h[t]
L = sum((o[t] - y[t])**2, t)
'''
[data]
x = [1, 2, 3]
y = [0.5, 0.1, 0.2]
[parameters]
w = 0.5
u = -0.5
v = 1
[training]
optimizer = { name = "SGD", lr = 0.1 }
epochs = 2
"""


@pytest.fixture(scope="module")
def linear() -> Session:
    return derivations.session("linear-regression")


def memories(run: Run) -> list[Any]:
    return [value for step in run.steps for value in step.memory]


# --- other values ---------------------------------------------------------------------------------------


def test_a_run_with_other_values_by_hand(linear: Session) -> None:
    """w = 0.5, b = 1, samples 1 to 3: e = -10.5, -12, -13.5; dL/dw = 2/3*(-10.5 - 24 - 40.5) = -50."""
    run = linear.with_(lr=0.02, batch_size=3)
    assert len(run.steps) == 2
    assert Fraction(run.steps[0]["dL/dw"]) == -50
    assert Fraction(run["w'"][0]) == Fraction("1.5")  # 0.5 + 0.02*50; a float is the decimal that is printed


def test_data_that_follow_from_others_are_worked_anew(linear: Session) -> None:
    assert Fraction(linear.with_(x=[1, 2, 3, 4, 5, 50]).steps[2]["y[6]"]) == 110  # y = "2*x + 10"


def test_every_kind_of_number_is_taken(linear: Session) -> None:
    kinds = [0.1, "1/10", Fraction(1, 10), np.float64(0.1), np.float32(0.1), torch.tensor(0.1)]
    for value in kinds:
        assert Fraction(linear.with_(w=value).steps[0]["w"]) == Fraction(1, 10), type(value)
    for value in ([1, 2], (1, 2), np.array([1, 2]), torch.tensor([1.0, 2.0])):
        assert Fraction(linear.with_(x=value).steps[0]["y[2]"]) == 14, type(value)


def test_hyper_parameters_in_the_words_of_torch_or_of_the_page() -> None:
    session = derivations.session("optimizer-adam")
    runs = [session.with_(betas=(0.8, 0.9)), session.with_(beta1=0.8, beta2=0.9)]
    assert memories_text(runs[0]) == memories_text(runs[1])
    assert session.with_(beta1=0.5).variant.example.hyper["beta1"] == Fraction(1, 2)
    with pytest.raises(SpecError, match="must list 2 numbers"):
        session.with_(betas=[0.9])


def test_the_structure_is_proved_once(linear: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    def again(*_: object) -> None:
        raise AssertionError("proved again")

    monkeypatch.setattr(work, "prove", again)
    assert linear.with_(lr=0.5, w=2, batch_size=1, y=[0, 0, 0, 0, 0, 1]).steps


def test_a_short_cut_goes_where_its_condition_no_longer_holds() -> None:
    """dL/dz[i, k] = ((sum of y[i])*p[i, k] - y[i, k])/n, which is p - y only where the labels sum to 1."""
    session = derivations.session(SOFTMAX)
    run = session.with_(y=[[1, 1], [0.5, 0.5], [0, 3]])
    p = 1 / (1 + math.exp(-2 * 0.5 * 1))
    assert float(run.steps[0]["dL/dz[1, 1]"]) == pytest.approx((2 * p - 1) / 3, rel=1e-12)
    assert session.example.shortcuts
    assert not run.variant.example.shortcuts
    many = session.many(y=[[[1, 0], [0, 1], [0, 1]], [[1, 1], [0.5, 0.5], [0, 3]]])
    assert memories_text(many[1]) == memories_text(run)


def memories_text(run: Run) -> list[str]:
    return [str(value) for value in memories(run)]


def test_data_put_in_behind_the_back_of_the_structure_are_refused() -> None:
    example = derivations.session(SOFTMAX).example
    data = {**example.data, "y": Array((3, 2), tuple(map(Fraction, (1, 1, 0, 1, 0, 3))))}
    with pytest.raises(LanguageError, match="stated for other data"):
        train(replace(example, data=data))
    example = derivations.session(LOOKUP).example
    with pytest.raises((LanguageError, SpecError)):
        train(replace(example, data={**example.data, "y": Array((3,), (Fraction(1, 2),) * 3)}))


def test_other_lookups() -> None:
    """With y = 2 everywhere the first sample's gradient is p - y = (p1, p2 - 1)."""
    run = derivations.session(LOOKUP).with_(y=[2, 2, 1])
    p = 1 / (1 + math.exp(-1))
    first = [float(run.steps[0][f"dL/dz[1, {k}]"]) for k in (1, 2)]
    assert first == pytest.approx([p, -p], rel=1e-12)
    with pytest.raises(derivations.DerivationsError):
        derivations.session(LOOKUP).with_(y=[1, 2, 3])


def test_other_shapes_and_batches(linear: Session) -> None:
    run = linear.with_(x=[1, 2, 3, 4], y=[3, 3, 3, 3], batches=[[4, 1], [2]], epochs=2)
    assert [step.samples for step in run.steps] == [(4, 1), (2,), (4, 1), (2,)]
    assert Fraction(run.steps[0]["dL/db"]) == Fraction(1, 2) * 2 * (Fraction("3") - 3 + Fraction("1.5") - 3)
    with pytest.raises(SpecError, match="arrays do not fit"):
        linear.with_(x=[1, 2, 3], y=[1, 2])


def test_a_start_on_a_kink_is_verified_with_torchs_choice() -> None:
    run = derivations.session(KINK).with_(w=0)
    assert Fraction(run.steps[0]["dL/dw"]) == 0
    assert "sits on a kink" in run.page("md")["md"]


def test_a_page_tells_its_variant_apart(linear: Session) -> None:
    """The page has the values of the run, and another digest than that of the spec."""
    page = linear.with_(lr=0.02).page("md")
    assert Fraction(page.trace.steps[0]["w'"]) == Fraction("0.5") + Fraction("0.02") * Fraction("34.5")
    assert page.press.digest in page["md"]
    assert page.press.digest != spec_digest(linear.source)


# --- what does not fit --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"momentun": 0.9}, "Did you mean 'momentum'"),
        ({"batchsize": 2}, "Did you mean 'batch_size'"),
        ({"epochs": 1, "w": [1, 2]}, r"^with_\(epochs=1, w=\[1, 2\]\): 'w' takes 1 index"),
        ({"lr": -1}, "at least 0"),
        ({"lr": "fast"}, "must be a number, found 'fast'"),
        ({"lr": True}, "must be a number"),
        ({"w": [1, 2]}, "'w'"),
        ({"w": float("nan")}, "finite"),
        ({"x": [[1], [1, 2]]}, "rows of the same length"),
        ({"batch_size": 7}, "only 6 samples"),
        ({"epochs": 0}, "epochs"),
    ],
)
def test_what_does_not_fit_is_said(linear: Session, given: dict[str, Any], words: str) -> None:
    with pytest.raises(SpecError, match=words):
        linear.with_(**given)


def test_a_value_that_is_not_there(linear: Session) -> None:
    with pytest.raises(SpecError, match="yhat"):
        linear.with_()["yhatt[1]"]


def test_a_value_of_some_steps_only(linear: Session) -> None:
    run = linear.with_(batches=[[1, 2], [3, 4], [1, 3]], epochs=1)
    with pytest.raises(SpecError, match=r"'yhat\[3\]' is not a value of every step, only of steps 2, 3"):
        run["yhat[3]"]
    assert run.steps[1]["yhat[3]"]


def test_the_nearest_word_is_the_one_with_other_capitals() -> None:
    assert nearest("v_A", ["v_c", "v_a", "v_d"]) == "Did you mean 'v_a'?"


def test_the_frame_of_a_run_is_that_of_its_trace(linear: Session) -> None:
    run = linear.with_(epochs=1)
    assert list(run.frame("L", "w").columns) == list(run.trace.frame("L", "w").columns)
    assert run.frame("L", exact=True)["L"].tolist() == run.trace.frame("L", exact=True)["L"].tolist()


# --- many ----------------------------------------------------------------------------------------------


@pytest.mark.few(3)
@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("linear-regression", {"lr": [0.01, "1/3", 2], "w": [1, 2, 3]}),
        ("linear-regression", {"batch_size": [1, 2, 2, 6], "lr": 0.05}),
        ("linear-regression-by-calculator", {"lr": [0.01, 0.02]}),
        ("optimizer-adam", {"lr": [0.1, 0.01], "eps": [0, 1]}),
        (LOOKUP, {"lr": [0.1, 0.5], "epochs": 2}),
        (RECURRENT, {"w": [0.1, 0.2]}),
        ("gradient-clipping", {"lr": [0.1, 0.2]}),
    ],
)
def test_many_are_each_alone(name: str, given: dict[str, Any]) -> None:
    session = derivations.session(name)
    runs = session.many(**given)
    count = max(len(value) for value in given.values() if isinstance(value, list))
    assert len(runs) == count
    for place, run in enumerate(runs):
        own = {key: value[place] if isinstance(value, list) else value for key, value in given.items()}
        alone = session.with_(**own)
        assert memories_text(run) == memories_text(alone)
        assert run.trace.bits == alone.trace.bits
        assert not run.report.failures


def test_lists_of_different_lengths(linear: Session) -> None:
    with pytest.raises(SpecError, match="different lengths"):
        linear.many(lr=[1, 2], w=[1, 2, 3])
    with pytest.raises(SpecError, match="no list"):
        linear.many(lr=1)


def test_the_variant_that_diverges_is_named(linear: Session) -> None:
    with pytest.raises(derivations.DerivationsError, match="variant 2"):
        linear.many(lr=[0.01, 1e300], epochs=2)


def test_a_wrong_update_of_many_is_found(linear: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """Our program does not step: torch's batch disagrees, and so does each alone."""
    example = linear.example
    eq = example.update.equations[0]
    wrong = replace(
        example.update, equations=(replace(eq, body=eq.body.terms[0]), *example.update.equations[1:])
    )

    def trained(*_: object) -> Any:
        return replace(example, update=wrong)

    monkeypatch.setattr("derivations.model.variants.trained", trained)
    with pytest.raises(CheckFailed, match="w'"):
        linear.many(lr=[0.01, 0.02])


# --- formulas -----------------------------------------------------------------------------------------


def test_the_gradient_as_a_formula(linear: Session) -> None:
    gradient = linear.gradient("w")
    assert gradient.text == "dL/dw = 2/count(i)*sum(x[i]*(yhat[i] - y[i]), i)"
    assert gradient.latex.startswith(r"\frac{\partial L}{\partial w} = ")
    x, y, yhat = (sp.IndexedBase(name, real=True) for name in ("x", "y", "yhat"))
    i, n = sp.symbols("i n_i", integer=True, positive=True)
    wanted = 2 * sp.Sum(x[i] * (yhat[i] - y[i]), (i, 1, n)) / n
    assert sp.simplify(gradient.sympy() - wanted) == 0
    with pytest.raises(SpecError, match="Did you mean"):
        linear.gradient("ww")


def test_gates_become_deltas() -> None:
    found = derivations.session(LOOKUP).gradient("z").sympy()
    assert found.atoms(sp.KroneckerDelta) or found.atoms(sp.Indexed)


# --- precision ----------------------------------------------------------------------------------------


def test_nothing_depends_on_the_precision_around_it() -> None:
    with precision(16):
        run = derivations.session("logistic-regression").with_(lr=0.5)
    value = run.steps[0].at("L")
    texts = set()
    for bits in (2, 53, 500):
        with precision(bits):
            assert flint.ctx.prec == bits
            texts.add(Rounding(20)(value).text)
            texts.add(Rounding(20)(worked(parse("L + 0", functions.NAMES), {}, run.steps[0])).text)
            assert all(check.gap < 1e-12 for check in run.report.checks)
    assert len(texts) == 1


def test_a_run_finds_the_bits_that_it_needs() -> None:
    """sqrt(2) against its first 51 places: 128 bits do not decide which is larger."""
    digits = "1.414213562373095048801688724209698078569671875376948"
    text = KINK.replace("relu(w*x[i])", "relu(sqrt(2*x[i]) - w)").replace("x = [1, 2]", "x = [1, 1]")
    run = derivations.session(text.replace("w = 0.5", f"w = {digits}")).with_()
    assert run.trace.bits > 128
    assert float(run.steps[0]["h[1]"]) > 0


def test_the_page_of_a_run_says_its_values_and_is_held_against_them() -> None:
    run = derivations.session("linear-regression").with_(lr=0.02, w=1, batch_size=3)
    text = run.page("md")["md"]
    assert "mini-batches of 3" in text or "samples 1, 2 and 3" in text
    assert "0.02" in text
    assert len(run.frame()) == len(run.steps)


TWO = """
title = "two numbers"
[model]
equations = "L = w1**2 + w1*w2 + 3*w2**2 + w1"
[data]
[parameters]
w1 = 1
w2 = 2
[training]
optimizer = {{ name = "{}"{} }}
epochs = 3
"""
BATCHED = [
    row for row in OPTIMIZERS if row.torch and not row.at and row.name != "Muon"
]  # which takes matrices


@pytest.mark.few(3)
@pytest.mark.parametrize("row", BATCHED, ids=lambda row: row.name)
def test_torch_takes_variants_of_every_optimizer_of_its_own_as_one_batch(row: Optimizer) -> None:
    """ASGD keeps one rate for a whole tensor: there every variant has a leaf of its own."""
    found = derivations.session(TWO.format(row.name, ", lr = 0.1" if "lr" in row.hyper else ""))
    pairs = [(1, 2), (2, 3), (3, Fraction(1, 2))]
    examples = [found.variants.variant({"w1": a, "w2": b}).example for a, b in pairs]
    assert [confirmed(group) for group in groups(examples)] == [[True] * 3]
