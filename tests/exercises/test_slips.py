"""Slips against students who make them: each slip is worked a second time by code that knows no program."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from math import exp, log, sqrt
from typing import Any

import numpy as np
import pytest

from derivations.catalogue.slips import BY_NAME, SLIPS
from derivations.exercises.slips import Slipped, Sought, answer, answers, asked_by, distinct, slipped, why_not
from derivations.language.errors import UnknownName
from derivations.model.example import Example, prepare
from derivations.run.many import train_many
from derivations.run.training import Trace, train
from derivations.spec.arrays import Array
from derivations.spec.gallery import names, path
from derivations.spec.spec import parse_spec, read_spec

Row = tuple[Any, ...]


def example(name: str, *changes: tuple[str, str]) -> Example:
    """A spec of the gallery with other values in it."""
    text = path(name).read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return prepare(*parse_spec(text))


def way(what: Example | Slipped, name: str, *targets: str) -> Slipped:
    """The first way in which a slip happens, or that in the equations of these quantities."""
    found = slipped(what, BY_NAME[name])
    return next(each for each in found if not targets or each.ways[-1].targets == targets)


def applying(one: Example) -> set[str]:
    return {row.name for row in SLIPS if slipped(one, row)}


# --- one weight and a bias, exactly and with a sigmoid ------------------------------------------------


def by_hand(
    xs: list[Any],
    ys: list[Any],
    size: int,
    rate: Any,
    start: tuple[Any, Any],
    *,
    logistic: bool = False,
    factor: tuple[int, int] = (2, 2),
    divided: tuple[bool, bool] = (True, True),
    loss_divided: bool = True,
    turned: bool = False,
    ascent: tuple[bool, bool] = (False, False),
    without_x: bool = False,
    before: bool = False,
    in_turn: bool = False,
    kept: bool = False,
    by: int = 0,
    no_rate: bool = False,
    places: int | None = None,
    no_slope: bool = False,
) -> list[Row]:
    """Loss, gradients and new parameters of every step of a student with these habits."""
    (w, b), old, total = start, start, [0, 0]
    steps = [range(at, at + size) for at in range(0, len(xs), size)]
    step, found = 1 if no_rate else rate, list[Row]()

    def predicted(w: Any, b: Any, k: int) -> Any:
        z = w * xs[k] + b
        value = 1 / (1 + exp(-z)) if logistic else z
        return value if places is None else half_away(value, places)

    def cost(p: Any, y: Any) -> Any:
        return -(y * log(p) + (1 - y) * log(1 - p)) if logistic else (p - y) ** 2

    def slope(p: Any, y: Any, two: int) -> Any:
        if no_slope:
            return -(y / p - (1 - y) / (1 - p))
        return ((y - p) if turned else (p - y)) * (1 if logistic else two)

    for samples in steps[by:] + steps[:by]:

        def slopes(w: Any, b: Any, which: int, samples: range = samples) -> Any:
            terms = [slope(predicted(w, b, k), ys[k], factor[which]) for k in samples]
            if which == 0 and not without_x:
                terms = [term * xs[k] for term, k in zip(terms, samples, strict=True)]
            return sum(terms) / (len(samples) if divided[which] else 1)

        at = old if before else (w, b)
        old = w, b
        loss = sum(cost(predicted(*at, k), ys[k]) for k in samples) / (len(samples) if loss_divided else 1)
        dw = slopes(*at, 0) + total[0]
        new_w = w + step * dw if ascent[0] else w - step * dw
        db = slopes(*((new_w, at[1]) if in_turn else at), 1) + total[1]
        new_b = b + step * db if ascent[1] else b - step * db
        total = [dw, db] if kept else total
        found.append((loss, dw, db, new_w, new_b))
        w, b = new_w, new_b
    return found


def half_away(value: Fraction, places: int) -> Fraction:
    size = int(abs(value) * 10**places + Fraction(1, 2))
    return Fraction(size if value > 0 else -size, 10**places)


def line_by_hand(**habits: Any) -> list[Row]:
    xs = [Fraction(k) for k in range(1, 7)]
    ys = [2 * x + 10 for x in xs]
    return by_hand(xs, ys, 2, Fraction(1, 100), (Fraction(1, 2), Fraction(1)), **habits)


LINE: dict[str, dict[str, Any]] = {
    "factor-2-forgotten": {"factor": (1, 1)},
    "sum-for-mean": {"divided": (False, False)},
    "residual-turned-round": {"turned": True},
    "ascent-for-descent": {"ascent": (True, True)},
    "gradient-without-x": {"without_x": True},
    "parameter-of-the-step-before": {"before": True},
    "parameter-updated-too-early": {"in_turn": True},
    "gradient-not-zeroed": {"kept": True},
    "wrong-batch": {"by": 1},
    "learning-rate-forgotten": {"no_rate": True},
}


def rows_of(trace: Trace, number: Any = Fraction) -> list[Row]:
    names = "L", "dL/dw", "dL/db", "w'", "b'"
    return [tuple(number(step[name]) for name in names) for step in trace.steps]


@pytest.fixture(scope="module")
def line() -> Example:
    return example("linear-regression")


def test_without_a_slip(line: Example) -> None:
    assert rows_of(train(line)) == line_by_hand()


@pytest.mark.parametrize("name", LINE)
def test_each_slip_of_a_line(line: Example, name: str) -> None:
    assert rows_of(train(way(line, name).example)) == line_by_hand(**LINE[name])


def test_no_slip_of_a_line_is_left_out(line: Example) -> None:
    assert applying(line) == {*LINE, "rounded-too-early"}


@pytest.mark.parametrize(
    ("name", "targets", "habits"),
    [
        ("factor-2-forgotten", ("dL/dw",), {"factor": (1, 2)}),
        ("factor-2-forgotten", ("dL/db",), {"factor": (2, 1)}),
        ("sum-for-mean", ("L",), {"loss_divided": False}),
        ("sum-for-mean", ("dL/db",), {"divided": (True, False)}),
        ("ascent-for-descent", ("b'",), {"ascent": (False, True)}),
        ("rounded-too-early", ("yhat",), {"places": 2}),
    ],
)
def test_a_slip_in_one_place(line: Example, name: str, targets: tuple[str, ...], habits: Any) -> None:
    assert rows_of(train(way(line, name, *targets).example)) == line_by_hand(**habits)


def test_the_samples_of_the_step_before(line: Example) -> None:
    last = slipped(line, BY_NAME["wrong-batch"])[1]
    assert rows_of(train(last.example)) == line_by_hand(by=-1)


APART = {"parameter-of-the-step-before", "parameter-updated-too-early"}  # which of the two are read first?


@pytest.mark.parametrize("pair", [p for p in itertools.permutations(LINE, 2) if set(p) != APART], ids=str)
def test_two_slips_together(line: Example, pair: tuple[str, str]) -> None:
    first, second = pair
    both = way(way(line, first), second)
    assert [slip.name for slip in both.slips] == [first, second]
    assert rows_of(train(both.example)) == line_by_hand(**{**LINE[first], **LINE[second]})


def test_the_same_slip_twice_is_no_chain(line: Example) -> None:
    once = way(line, "wrong-batch")
    assert slipped(way(line, "ascent-for-descent"), BY_NAME["ascent-for-descent"]) == ()
    assert slipped(once, BY_NAME["wrong-batch"])[0].example.batches != once.example.batches


LOGISTIC = {name: habits for name, habits in LINE.items() if name != "factor-2-forgotten"}
LOGISTIC["slope-of-the-activation-forgotten"] = {"no_slope": True}


@pytest.fixture(scope="module")
def logistic() -> Example:
    return example("logistic-regression", ("w = 0\n", "w = 0.5\n"), ("b = 0\n", "b = -1\n"))


@pytest.mark.parametrize("name", LOGISTIC)
def test_each_slip_of_the_logistic_regression(logistic: Example, name: str) -> None:
    xs, ys = [0.5, 1, 1.5, 2.5, 3, 4], [0, 0, 1, 0, 1, 1]
    found = rows_of(train(way(logistic, name).example), float)
    wanted = by_hand(xs, ys, 3, 0.5, (0.5, -1), logistic=True, **LOGISTIC[name])
    assert np.allclose(found, wanted, rtol=1e-12)


def test_no_slip_of_the_logistic_regression_is_left_out(logistic: Example) -> None:
    assert applying(logistic) == {*LOGISTIC, "rounded-too-early"}


# --- softmax ------------------------------------------------------------------------------------------

X, Y = np.array([[1.0, 2], [2, 0], [0, 1]]), np.eye(3)
W, B = np.array([[0.1, -0.2], [0.3, 0], [-0.5, 0.4]]), np.array([0.1, 0, -0.3])


def softmax(z: Any) -> Any:
    return np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)


def sigmoid(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


def softmax_by_hand(habit: str, steps: int = 2) -> tuple[Any, Any]:
    w, b, n, rate = W, B, len(X), 0.5
    old, total = (w, b), [0, 0]
    for _ in range(steps):
        at = old if habit == "parameter-of-the-step-before" else (w, b)
        old = w, b

        def slopes(w: Any, b: Any) -> Any:
            p = softmax(X @ w.T + b)
            dz = (p - Y) / n
            if habit == "softmax-as-sigmoid":
                dz = -Y / (n * p) * p * (1 - p)
            if habit == "sum-for-mean":
                dz = p - Y
            if habit == "mean-for-sum":  # over the three classes
                dz = dz / 3
            return -dz if habit == "residual-turned-round" else dz

        dz = slopes(*at)
        dw = dz.T @ (np.ones_like(X) if habit == "gradient-without-x" else X) + total[0]
        sign = 1 if habit == "ascent-for-descent" else -1
        step = sign * (1 if habit == "learning-rate-forgotten" else rate)
        new_w = w + step * dw
        dz = slopes(new_w, b) if habit == "parameter-updated-too-early" else dz
        db = dz.sum(axis=0) + total[1]
        w, b = new_w, b + step * db
        total = [dw, db] if habit == "gradient-not-zeroed" else total
    return w, b


@pytest.fixture(scope="module")
def classes() -> Example:
    return example(
        "softmax-regression",
        ("W = [[0, 0], [0, 0], [0, 0]]", "W = [[0.1, -0.2], [0.3, 0], [-0.5, 0.4]]"),
        ("b = [0, 0, 0]", "b = [0.1, 0, -0.3]"),
        ("lr = 0.5 }", "lr = 0.5 }\nepochs = 2"),
    )


SOFTMAX = set(LINE) - {"factor-2-forgotten", "wrong-batch"} | {"softmax-as-sigmoid", "mean-for-sum"}


@pytest.mark.parametrize("name", sorted(SOFTMAX))
def test_each_slip_of_the_softmax(classes: Example, name: str) -> None:
    last = train(way(classes, name).example).steps[-1]
    w, b = softmax_by_hand(name)
    assert np.allclose(np.array(last["W'"], float), w, rtol=1e-12)
    assert np.allclose(np.array(last["b'"], float), b, rtol=1e-12)


def test_probabilities_worked_by_a_sigmoid(classes: Example) -> None:
    step = train(way(classes, "softmax-as-sigmoid", "p").example).steps[0]
    p = sigmoid(X @ W.T + B)
    assert np.allclose(np.array(step["p"], float), p)
    assert np.allclose(np.array(step["dL/dW"], float), (p - Y).T @ X / 3)


def test_no_slip_of_the_softmax_is_left_out(classes: Example) -> None:
    assert applying(classes) == {*SOFTMAX, "rounded-too-early"}


# --- a network ----------------------------------------------------------------------------------------

NET = {
    "W": [[0.2, 0.4], [-0.6, 0.1]],
    "b": [0.1, 0.3],
    "V": [[0.5, -0.3], [0.8, 0.2]],
    "c": [-0.2, 0.4],
}


def network_by_hand(habit: str, rate: float = 0.5) -> dict[str, Any]:
    """One step of the network on its single sample; ``habit`` is a slip, and where it happens."""
    old = {name: np.array(value) for name, value in NET.items()}
    x, y = np.array([0.5, -1.0]), np.array([1.0, 0])

    def passes(now: dict[str, Any], back: Any = None) -> dict[str, Any]:
        net = (now["W"].T if habit == "weight-transposed net" else now["W"]) @ x + now["b"]
        h = sigmoid(net)
        out = (now["V"].T if habit == "weight-transposed out" else now["V"]) @ h + now["c"]
        o = sigmoid(out)
        do = (y - o) if habit == "residual-turned-round" else (o - y)
        do = do / 2 if habit in ("factor-2-forgotten", "mean-for-sum") else do  # of two outputs
        dout = do * activation_slope(out, o, "out")
        dh = (back if back is not None else now["V"].T) @ dout
        dnet = dh * activation_slope(net, h, "net")
        one = habit == "gradient-without-x"
        dw, dv = np.outer(dnet, [1, 1] if one else x), np.outer(dout, [1, 1] if one else h)
        return {"W": dw, "b": dnet, "V": dv, "c": dout}

    def activation_slope(z: Any, a: Any, where: str) -> Any:
        if habit in ("slope-of-the-activation-forgotten", f"slope-of-the-activation-forgotten {where}"):
            return np.ones_like(z)
        if habit == "slope-at-the-wrong-place":
            return z * (1 - z)
        if habit == "slope-at-the-wrong-place again":
            return sigmoid(a) * (1 - sigmoid(a))
        return a * (1 - a)

    step = (1 if habit == "ascent-for-descent" else -1) * (1 if habit == "learning-rate-forgotten" else rate)
    back = old["V"] if habit == "weight-transposed dE/dh" else None
    if habit == "new-weight-passed-back":
        back = (old["V"] + step * passes(old)["V"]).T
    slopes, new = passes(old, back), dict(old)
    for name in NET:
        found = passes(new)[name] if habit == "parameter-updated-too-early" else slopes[name]
        new[name] = old[name] + step * found
    return new


@pytest.fixture(scope="module")
def network() -> Example:
    return example("two-two-two-network", ("lr = 1", "lr = 0.5"))


NETWORK: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("factor-2-forgotten", "residual-turned-round", "ascent-for-descent"), ()),
    "mean-for-sum": (),
    **dict.fromkeys(("gradient-without-x", "parameter-updated-too-early", "new-weight-passed-back"), ()),
    **dict.fromkeys(("slope-of-the-activation-forgotten", "slope-at-the-wrong-place"), ()),
    "slope-of-the-activation-forgotten net": ("dE/dnet",),
    "weight-transposed net": ("net",),
    "weight-transposed out": ("out",),
    "weight-transposed dE/dh": ("dE/dh",),
    "learning-rate-forgotten": (),
}


def same(trace: Trace, wanted: dict[str, Any]) -> bool:
    last = trace.steps[-1]
    return all(np.allclose(np.array(last[f"{name}'"], float), v, rtol=1e-12) for name, v in wanted.items())


@pytest.mark.parametrize("habit", NETWORK)
def test_each_slip_of_a_network(network: Example, habit: str) -> None:
    name = habit.split()[0]
    assert same(train(way(network, name, *NETWORK[habit]).example), network_by_hand(habit))


def test_the_slope_worked_at_the_output(network: Example) -> None:
    found = slipped(network, BY_NAME["slope-at-the-wrong-place"])
    again = next(each for each in found if "f(h)" in str(each.ways[0].change))
    assert same(train(again.example), network_by_hand("slope-at-the-wrong-place again"))


def test_no_slip_of_a_network_is_left_out(network: Example) -> None:
    assert applying(network) == {*(habit.split()[0] for habit in NETWORK), "rounded-too-early"}


# --- optimizers ---------------------------------------------------------------------------------------


def adam_by_hand(habit: str) -> Iterator[tuple[float, float]]:
    w, m, v, total, old = [1.0, 1.0], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0], [1.0, 1.0]
    for t in (1, 2, 3):
        at = old if habit == "parameter-of-the-step-before" else w
        old, curve, counted = list(w), (1, 15), t + (habit == "off-by-one-step")
        for k in (0, 1):
            g = curve[k] * at[k] / (2 if habit == "factor-2-forgotten" else 1) + total[k]
            total[k] = g if habit == "gradient-not-zeroed" else 0
            before, m[k], v[k] = (m[k], v[k]), 0.9 * m[k] + 0.1 * g, 0.999 * v[k] + 0.001 * g * g
            mk, vk = before if habit == "old-state-used" else (m[k], v[k])
            plain = habit == "bias-correction-left-out"
            mh, vh = (mk, vk) if plain else (mk / (1 - 0.9**counted), vk / (1 - 0.999**counted))
            root = sqrt(vh + 1e-8) if habit == "epsilon-inside-the-root" else sqrt(vh) + 1e-8
            rate = 1 if habit == "learning-rate-forgotten" else 0.1
            w[k] += (1 if habit == "ascent-for-descent" else -1) * rate * mh / root
        yield w[0], w[1]


def momentum_by_hand(habit: str) -> Iterator[tuple[float, float]]:
    w, v, total, old = [1.0, 1.0], [0.0, 0.0], [0.0, 0.0], [1.0, 1.0]
    for _ in range(3):
        at = old if habit == "parameter-of-the-step-before" else w
        old, curve = list(w), (1, 15)
        for k in (0, 1):
            g = curve[k] * at[k] / (2 if habit == "factor-2-forgotten" else 1) + total[k]
            total[k] = g if habit == "gradient-not-zeroed" else 0
            before, v[k] = v[k], 0.9 * v[k] + g
            step = before if habit == "old-state-used" else v[k]
            rate = 1 if habit == "learning-rate-forgotten" else 0.1
            w[k] += (1 if habit == "ascent-for-descent" else -1) * rate * step
        yield w[0], w[1]


MOMENTUM = (
    "factor-2-forgotten",
    "ascent-for-descent",
    "parameter-of-the-step-before",
    "gradient-not-zeroed",
    "old-state-used",
    "learning-rate-forgotten",
)
ADAM = (*MOMENTUM, "bias-correction-left-out", "epsilon-inside-the-root", "off-by-one-step")
OPTIMIZERS: list[tuple[str, Callable[[str], Iterator[tuple[float, float]]], str]] = [
    *(("optimizer-adam", adam_by_hand, name) for name in ADAM),
    *(("optimizer-momentum", momentum_by_hand, name) for name in MOMENTUM),
]


@pytest.mark.parametrize(("spec", "hand", "name"), OPTIMIZERS)
def test_each_slip_of_an_optimizer(spec: str, hand: Any, name: str) -> None:
    trace = train(way(example(spec), name).example)
    found = [(float(step["w1'"]), float(step["w2'"])) for step in trace.steps]
    assert np.allclose(found, list(hand(name)), rtol=1e-9)


@pytest.mark.parametrize(("spec", "names"), [("optimizer-adam", ADAM), ("optimizer-momentum", MOMENTUM)])
def test_no_slip_of_an_optimizer_is_left_out(spec: str, names: tuple[str, ...]) -> None:
    assert applying(example(spec)) == {*names, "rounded-too-early"}


# --- a convolution ------------------------------------------------------------------------------------


def convolution_by_hand(habit: str) -> tuple[list[Fraction], Fraction]:
    xs = [[1, 2, 0, -1, 3], [0, 1, 1, 2, -2]]
    ys, w, b = [1, 0], [Fraction(1), Fraction(-1), Fraction(1, 2)], Fraction(1, 2)

    def slopes(w: list[Fraction]) -> tuple[list[Fraction], Fraction]:
        dw, db = [Fraction(0)] * 3, Fraction(0)
        for x, y in zip(xs, ys, strict=True):
            z = [sum((w[k] * x[t + k] for k in range(3)), b) for t in range(3)]
            yhat = sum((max(v, Fraction(0)) for v in z), Fraction(0)) / 3
            out = (1 if habit == "factor-2-forgotten" else 2) * (yhat - y)
            out /= 1 if habit == "sum-for-mean" else 2
            out = -out if habit == "residual-turned-round" else out
            for t in range(3):
                dz = out / (1 if habit == "sum-for-mean" else 3)
                dz = dz if z[t] > 0 or habit == "slope-of-the-activation-forgotten" else Fraction(0)
                dw = [dw[k] + dz * (1 if habit == "gradient-without-x" else x[t + k]) for k in range(3)]
                db += dz
        return dw, db

    step = (1 if habit == "ascent-for-descent" else -1) * Fraction(
        1, 1 if habit == "learning-rate-forgotten" else 10
    )
    dw, db = slopes(w)
    new = [a + step * d for a, d in zip(w, dw, strict=True)]
    return new, b + step * (slopes(new)[1] if habit == "parameter-updated-too-early" else db)


CONVOLUTION = {
    *("factor-2-forgotten", "sum-for-mean", "residual-turned-round", "ascent-for-descent"),
    *("gradient-without-x", "parameter-updated-too-early", "slope-of-the-activation-forgotten"),
    "learning-rate-forgotten",
}


@pytest.mark.parametrize("name", sorted(CONVOLUTION))
def test_each_slip_of_a_convolution(name: str) -> None:
    step = train(way(example("convolution-1d"), name).example).steps[0]
    w, b = convolution_by_hand(name)
    assert [Fraction(step[f"w'[{k}]"]) for k in (1, 2, 3)] == w
    assert Fraction(step["b'"]) == b


def test_no_slip_of_a_convolution_is_left_out() -> None:
    """The slope of a rectifier is the same at its output; that slip is there, and gives the right number."""
    one = example("convolution-1d")
    assert applying(one) == {*CONVOLUTION, "slope-at-the-wrong-place", "rounded-too-early"}
    right, other = (train(each).steps[0] for each in (one, way(one, "slope-at-the-wrong-place").example))
    assert Fraction(right["b'"]) == Fraction(other["b'"])


# --- what holds of every slip -------------------------------------------------------------------------


def test_what_does_not_apply_says_so(line: Example) -> None:
    for row in SLIPS:
        said = why_not(line, row)
        assert (said is None) == bool(slipped(line, row))
        assert said is None or said.text == row.absent


def test_a_slip_goes_into_every_variant_of_a_structure(line: Example) -> None:
    """Ways are read off the equations; another example gets the same programs, and its own numbers."""
    other = example("linear-regression", ("w = 0.5", "w = 3"), ('"2*x + 10"', "[1, 2, 4, 8, 16, 32]"))
    for row in SLIPS:
        for each, own in zip(slipped(line, row), slipped(other, row), strict=True):
            assert each.ways == own.ways
            moved = each.of(other)
            assert rows_of(train(moved)) == rows_of(train(own.example))
    every = [way(line, "gradient-not-zeroed").of(one) for one in (line, other)]
    assert [rows_of(trace) for trace in train_many(every)] == [rows_of(train(one)) for one in every]


@pytest.mark.parametrize("asked", [Sought(1, "w'"), Sought(2, "dL/db"), Sought(3, "L")], ids=str)
def test_the_distinct_ways_have_every_number(line: Example, asked: Sought) -> None:
    """What is left out gives the right number or one that is there, whatever the values."""
    other = replace(line, start={**line.start, "w": Array((), (Fraction(-7, 3),))})
    few = distinct(line, asked)
    every = [each for row in SLIPS for each in slipped(line, row)]
    assert len(few) < len(every)
    for one in (line, other):
        known = {str(answer(one, asked)), *(str(answers([one], asked, each)[0]) for each in few)}
        rest = [each for each in every if each.targets != (asked.quantity,)]
        assert {str(answers([one], asked, each)[0]) for each in rest} <= known


def test_one_number_of_many_variants(line: Example) -> None:
    asked, each = Sought(2, "b'"), way(line, "sum-for-mean")
    variants = [replace(line, start={**line.start, "w": Array((), (Fraction(k),))}) for k in range(-3, 4)]
    assert answers(variants, asked) == [answer(one, asked) for one in variants]
    found = answers(variants, asked, each)
    assert found == [answer(each.of(one), asked) for one in variants]
    assert len(set(map(str, found))) == len(variants)


def test_where_one_variant_has_no_number_the_others_have() -> None:
    """Counted from 0 instead of 1 a bias correction divides by zero; counted from 1 instead of 2, not."""
    one = example("optimizer-adam")
    each = next(e for e in slipped(one, BY_NAME["off-by-one-step"]) if "- 1" in str(e.ways[0].change))
    later = replace(one, rule=replace(one.rule, first=2))
    assert answers([one], Sought(1, "w1'"), each) == [None]
    assert None not in answers([later], Sought(1, "w1'"), each)
    found = answers([one, later], Sought(1, "w1'"), each)
    assert found[0] is None
    assert found[1] is not None


def test_what_is_asked_is_named_by_its_label(line: Example) -> None:
    trace = train(line)
    asked = asked_by(trace.steps[1], "yhat[4]")
    assert asked == Sought(2, "yhat", (2,))
    assert asked.in_trace(trace) == trace.steps[1].at("yhat", (2,))
    assert Sought(9, "yhat", (1,)).in_trace(trace) is None
    with pytest.raises(UnknownName, match="'yhat\\[1\\]' in step 2"):
        asked_by(trace.steps[1], "yhat[1]")


@pytest.mark.parametrize("activation", ["tanh", "relu", "softplus", "leaky_relu", "elu", "silu"])
def test_every_activation_has_a_slope_to_forget(activation: str) -> None:
    """With another convention for the loss as well: half the sum of the squares."""
    text = ACTIVATED.replace("activation", activation)
    one = prepare(*parse_spec(text))
    h = [float(train(one).steps[0][f"h[{i}]"]) for i in (1, 2)]
    step = train(way(one, "slope-of-the-activation-forgotten").example).steps[0]
    assert (
        abs(float(step["dL/dw"]) - sum((a - y) * x for a, y, x in zip(h, (1, 0), (2, -3), strict=True)))
        < 1e-12
    )


ACTIVATED = """
title = "one unit"
[model]
equations = '''
z[i] = w*x[i]
h[i] = activation(z[i])
L = 1/2*sum((h[i] - y[i])**2, i)
'''
[data]
x = [2, -3]
y = [1, 0]
[parameters]
w = 0.5
[training]
optimizer = { name = "SGD", lr = 0.1 }
"""


@pytest.mark.few(4)
@pytest.mark.parametrize("name", names())
def test_every_way_in_the_gallery_can_be_worked(name: str) -> None:
    """No slip asks for a quantity that is not there or depends on itself; only numbers may not exist."""
    one = prepare(*read_spec(path(name)))
    for row in SLIPS:
        for each in slipped(one, row):
            answer(each, Sought(1, one.loss))
            assert each.targets
