"""The adjoint program against ``sympy.diff`` of the written-out loss and against torch's autograd."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
import sympy as sp
import torch
from hypothesis import assume, example, given, settings

from derivations.catalogue.functions import BY_NAME
from derivations.language.backward import backward, put_in_outer
from derivations.language.names import adjoint
from derivations.language.program import Program
from derivations.language.ranges import sizes_of
from derivations.numbers.compile import compile_program
from derivations.numbers.systems import EXACT, Undecided, fraction, rational
from derivations.numbers.tape import Entry
from tests.plain import FRACTIONS, SYMBOLS, TENSORS, Entries, work
from tests.strategies import RATIONAL, SMOOTH, Model, Quantity, models

KINKED = (*RATIONAL, "sign", "step")


def ours(model: Model, backward_program: Program | None = None) -> dict[Entry, Any]:
    """The value of every entry of the forward and the backward program."""
    program = model.program
    adjoints = backward_program or backward(program, model.loss, model.names)
    sizes = {**sizes_of(program + adjoints, model.shapes), **model.sizes}
    tape = compile_program(program + adjoints, model.shapes, sizes)
    memory = tape.bind(EXACT)([rational(entry) for entry in model.inputs])
    return {entry: memory[slot] for entry, slot in tape.slots.items()}


def expanded(model: Model) -> tuple[Any, dict[Entry, sp.Symbol], dict[sp.Symbol, sp.Rational]]:
    """The loss as one formula in the parameters, their symbols, and their start values."""
    start = model.entries(SYMBOLS)
    symbols = {
        entry: sp.Symbol(f"{entry[0]}_{'_'.join(map(str, entry[1]))}", real=True)
        for entry in start
        if entry[0] in model.names
    }
    loss = work(model.equations, start | symbols, model.sizes, SYMBOLS)[model.loss, ()]
    return loss, symbols, {symbol: start[entry] for entry, symbol in symbols.items()}


def assert_equals_sympy(model: Model) -> None:
    found = ours(model)
    loss, symbols, start = expanded(model)
    for (name, at), symbol in symbols.items():
        theirs = sp.diff(loss, symbol).xreplace(start)
        assert found.get((adjoint("L", name), at), 0) == rational(Fraction(int(theirs.p), int(theirs.q)))


def vector(name: str, letters: str, *entries: str) -> Quantity:
    return Quantity(name, tuple(letters), tuple(Fraction(entry) for entry in entries))


def model(equations: str, parameters: list[Quantity], *data: Quantity, **sizes: int) -> Model:
    return Model(equations, data, tuple(parameters), sizes)


W = vector("w", "i", "0.5", "-1.2", "2")
X = vector("x", "i", "1", "-2", "0.3")
M = vector("m", "ij", "1", "2", "-0.5", "0.7", "3", "-1")
SQUARE = vector("m", "ij", "1", "2", "3", "4")
V = vector("w", "i", "0.5", "-1.2")
TWISTED = [
    # a letter reused inside a sum: nothing may be captured
    model("h[i] = w[i] - mean(w[i], i)\nL = sum(x[i]*h[i]**2, i)", [W], X, i=3),
    model("h[i] = w[i]/sum(w[i]**2, i)\nL = sum(x[i]*h[i], i)", [W], X, i=3),
    model("L = sum(w[i]*sum(x[i]*w[i], i), i)", [W], X, i=3),
    # one quantity read along different letters of one equation
    model("L = sum((w[i] - w[j])**2*x[i]*x[j], i, j)", [W], X, i=3, j=3),
    model("h[i, j] = m[i, j]*m[j, i]\nL = sum(h[i, j]*w[j], i, j)", [SQUARE, V], i=2, j=2),
    model("h[j, i] = m[i, j]\nL = sum(h[j, i]**2*w[i], i, j)", [M, W], i=3, j=2),
    # single entries, diagonals, rows
    model("L = m[1, 2]*m[2, 1] - m[1, 1]**2", [SQUARE], i=2, j=2),
    model("L = sum(m[i, i]*w[i], i) + sum(m[1, j]**2, j)", [SQUARE, V], i=2, j=2),
    # the letter that a renamed sum might choose is in use for something shorter
    model(
        "L = sum((w[i] - w[j])**2, i, j) + sum(v[k]**2, k)", [W, vector("v", "k", "1", "2")], i=3, j=3, k=2
    ),
    model("L = sum(m[i, j]*m[j, k]*m[k, i], i, j, k)", [SQUARE], i=2, j=2, k=2),
    model("h = sum(m[i, 1], i)\nL = h*sum(m[2, j]*w[2], j) + w[1]", [M, W], i=3, j=2),
    # sums in functions, powers, products and quotients; counts
    model("L = (sum(w[i], i))**2*sum(w[i]*x[i], i)/(1 + mean(w[i], i)**2)", [W], X, i=3),
    model("L = 1/count(i)*sum(1/count(j)*sum(m[i, j]*w[i], j)**2, i)", [M, W], i=3, j=2),
    model("L = sum(2, i)*b + sum(b**2, i)", [vector("b", "", "0.5")], X, i=3),
    model("h[i] = b\nL = sum(h[i]*x[i], i)", [vector("b", "", "0.5")], X, i=3),
    model("L = sum(sum(b, j), i)*b", [vector("b", "", "0.5")], M, i=3, j=2),
    model("L = sum(sum(x[i]*y[j]*b, j), i)", [vector("b", "", "2")], X, vector("y", "j", "3", "5"), i=3, j=2),
    # an adjoint that is said by two equations
    model("p[i] = w[i]*x[i]\nL = mean(p[i]**2, i) + p[1]", [W], X, i=3),
    # a path that ends because its slope is 0 everywhere
    model("h[i] = x[i] + b\nz = h[1] - h[1]\nL = b*z + z**2 + b**2", [vector("b", "", "2")], X, i=3),
]


@pytest.mark.parametrize("twisted", TWISTED, ids=lambda m: m.equations.replace("\n", "; "))
def test_equals_the_derivative_of_the_written_out_loss(twisted: Model) -> None:
    assert_equals_sympy(twisted)


@pytest.mark.slow
@settings(max_examples=60)
@given(models())
def test_random_programs_equal_the_derivative_of_the_written_out_loss(random: Model) -> None:
    assert_equals_sympy(random)


# --- torch ---------------------------------------------------------------------------------------


class _NearKink(Exception):
    """An argument that is at a kink but for rounding: float64 may land on either side."""


def _guarded(name: str) -> Callable[..., torch.Tensor]:
    row = BY_NAME[name]

    def function(*arguments: torch.Tensor) -> torch.Tensor:
        given = {key: float(value.detach()) for key, value in zip(row.arguments, arguments, strict=True)}
        for kink in row.kinks:
            if 0 < abs(given["x"] - (given[kink] if kink in given else float(kink))) < 1e-9:
                raise _NearKink
        return TENSORS.functions[name](*arguments)

    return function


GUARDED = replace(TENSORS, functions={**TENSORS.functions, **{name: _guarded(name) for name in KINKED}})


def autograd(model: Model) -> tuple[Entries, dict[Entry, float]]:
    """Every entry, and the derivative of the loss by every entry that depends on a parameter."""
    start = model.entries(TENSORS)
    for (name, _), tensor in start.items():
        tensor.requires_grad_(name in model.names)
    entries = work(model.equations, start, model.sizes, GUARDED)
    loss = entries[model.loss, ()]
    alive = {entry: t for entry, t in entries.items() if t.requires_grad and entry[0] != model.loss}
    found = torch.autograd.grad(loss, list(alive.values()), allow_unused=True)
    slopes = {entry: 0.0 if g is None else float(g) for entry, g in zip(alive, found, strict=True)}
    return entries, slopes


def close(a: Any, b: float, scale: float) -> bool:
    return math.isclose(
        float(fraction(a)) if hasattr(a, "q") else float(a), b, rel_tol=1e-9, abs_tol=1e-9 * scale
    )


def assert_equals_autograd(model: Model) -> None:
    try:
        entries, slopes = autograd(model)
        found = ours(model)
    except (_NearKink, Undecided):
        assume(False)
    scale = max(1.0, *(abs(float(t.detach())) for t in entries.values()), *map(abs, slopes.values()))
    wrong = {
        entry: (found.get((adjoint("L", entry[0]), entry[1]), 0), slope)
        for entry, slope in slopes.items()
        if not close(found.get((adjoint("L", entry[0]), entry[1]), rational(Fraction(0))), slope, scale)
    }
    assert not wrong


SOFTMAX = model("e[i] = exp(w[i]*x[i])\np[i] = e[i]/sum(e[i], i)\nL = -sum(x[i]*log(p[i]), i)", [W], X, i=3)
SOFTMAX_IN_ONE = model("p[i] = exp(w[i])/sum(exp(w[i]), i)\nL = sum(x[i]*p[i], i)", [W], X, i=3)
LOG_SUM = model("s = sum(exp(w[i]), i)\nL = log(s) + mean(tanh(w[i]), i)", [W], X, i=3)
DEAD_END = model("h = step(w[1])\nz = sign(h*w[2])\nL = z**2 + w[3]**2 + h*w[3]", [W], i=3)


@pytest.mark.slow
@settings(max_examples=100)
@given(models((*KINKED, *SMOOTH)))
@example(SOFTMAX)
@example(SOFTMAX_IN_ONE)
@example(LOG_SUM)
@example(DEAD_END)
def test_every_adjoint_equals_autograd(random: Model) -> None:
    assert_equals_autograd(random)


@pytest.mark.parametrize("twisted", TWISTED, ids=lambda m: m.equations.replace("\n", "; "))
def test_every_adjoint_of_twisted_programs_equals_autograd(twisted: Model) -> None:
    assert_equals_autograd(twisted)


# --- reads through index expressions ---------------------------------------------------------------

SIGNAL = vector("x", "s", "1", "-2", "0.5", "3", "0.7")
KERNEL = vector("h", "k", "0.25", "-1")
MOVED = [
    # convolution, with stride and reversed; neighbours; a quantity read both ways
    model("y[t] = sum(x[t + k - 1]*h[k], k)\nL = sum(y[t]**2, t)", [SIGNAL, KERNEL], s=5, k=2, t=4),
    model("y[t] = sum(x[2*t + k - 2]*h[k], k)\nL = sum(y[t]**3, t)", [SIGNAL, KERNEL], s=5, k=2, t=2),
    model("y[t] = sum(x[t - k + 2]*h[k], k)\nL = sum(y[t]**2, t)", [SIGNAL, KERNEL], s=5, k=2, t=4),
    model("L = sum((x[t + 1] - x[t])**2, t)", [SIGNAL], s=5, t=4),
    model("y[s] = x[s]**2\nL = sum(y[t + 1]*y[t], t)", [SIGNAL], s=5, t=4),
    model("L = sum(x[6 - s]*x[s], s)", [SIGNAL], s=5),
    model(
        "L = sum(w[i + j - 1]*m[i, j]*w[2], i, j)", [M, vector("w", "s", "1", "2", "3", "4")], i=3, j=2, s=4
    ),
]


@pytest.mark.parametrize("moved", MOVED, ids=lambda m: m.equations.replace("\n", "; "))
def test_reads_through_index_expressions(moved: Model) -> None:
    assert_equals_sympy(moved)
    assert_equals_autograd(moved)


def test_a_convolution_by_hand() -> None:
    # L = (x1 h1 + x2 h2)**2 + (x2 h1 + x3 h2)**2 with x = (1, 2, 3), h = (1, -1): both brackets are -1;
    # dL/dh1 = 2*(-1)*1 + 2*(-1)*2 = -6, dL/dh2 = 2*(-1)*2 + 2*(-1)*3 = -10,
    # dL/dx1 = -2*h1 = -2, dL/dx2 = -2*h2 - 2*h1 = 0, dL/dx3 = -2*h2 = 2
    arrays = [vector("x", "s", "1", "2", "3"), vector("h", "k", "1", "-1")]
    found = ours(model("y[t] = sum(x[t + k - 1]*h[k], k)\nL = sum(y[t]**2, t)", arrays, s=3, k=2, t=2))
    assert [found["dL/dh", (n,)] for n in (1, 2)] == [-6, -10]
    assert [found["dL/dx", (n,)] for n in (1, 2, 3)] == [-2, 0, 2]


# --- putting in ------------------------------------------------------------------------------------


def assert_putting_in_changes_nothing(model: Model) -> None:
    program = model.program
    plain = backward(program, "L", model.names)
    put_in = put_in_outer(plain, "L", model.names)
    assert [eq.target for eq in put_in] == [eq.target for eq in plain]
    assert ours(model, put_in) == ours(model, plain)


@pytest.mark.slow
@settings(max_examples=100)
@given(models(RATIONAL))
def test_putting_adjoints_in_changes_no_value(random: Model) -> None:
    assert_putting_in_changes_nothing(random)


@pytest.mark.parametrize("twisted", TWISTED + MOVED, ids=lambda m: m.equations.replace("\n", "; "))
def test_putting_adjoints_in_changes_no_value_of_twisted_programs(twisted: Model) -> None:
    assert_putting_in_changes_nothing(twisted)


def test_the_plain_reading_agrees_with_itself() -> None:
    """The three kinds of numbers of the plain reading give the same loss."""
    for twisted in TWISTED:
        exact = work(twisted.equations, twisted.entries(FRACTIONS), twisted.sizes, FRACTIONS)["L", ()]
        loss, _, start = expanded(twisted)
        assert loss.xreplace(start) == sp.Rational(exact.numerator, exact.denominator)
        assert math.isclose(
            float(autograd(twisted)[0]["L", ()].detach()), float(exact), rel_tol=1e-12, abs_tol=1e-12
        )
