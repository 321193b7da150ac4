"""Faults put in one at a time: a wrong factor, sign, exponent or index anywhere must be reported.

Each equation of each program of an example is changed in every way that `mutations` knows; the run
is worked with the changed program, and the witnesses, who never see it, must disagree. A change that
SymPy proves to be none (``(a - b)**2`` with the sign turned inside) is passed over and counted.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from functools import cache

import pytest
import sympy as sp
from flint import arb, fmpq

from derivations.language.errors import DerivationsError
from derivations.language.names import adjoint
from derivations.language.program import Equation, Program
from derivations.language.symbolic import is_zero
from derivations.language.tree import (
    ONE,
    Add,
    Call,
    Count,
    Div,
    Expr,
    Mean,
    Mul,
    Neg,
    Number,
    Pow,
    Ref,
    Sum,
    children,
    number,
    rebuild,
    rename_index,
)
from derivations.model.example import Example, prepare
from derivations.notation.text import text
from derivations.numbers.float64 import enclose
from derivations.numbers.systems import Undecided, precision
from derivations.run.training import layout_of, train
from derivations.spec.spec import parse_spec
from derivations.witnesses.check import compare
from derivations.witnesses.expansion import SYMBOLIC
from derivations.witnesses.verify import verify

SPECS = {
    "linear": """
title = "linear"
[model]
equations = '''
yhat[i] = w*x[i] + b
L = mean((yhat[i] - y[i])**2, i)
'''
[data]
x = [1.5, -2, 0.75]
y = [3, 0.2, -1]
[parameters]
w = 0.4
b = -0.3
[training]
optimizer = { name = "SGD", lr = 0.1 }
batch_size = 2
""",
    "network": """
title = "two layers"
[model]
equations = '''
z[i, k] = sum(x[i, j]*W[j, k], j)
h[i, k] = tanh(z[i, k])
a[i] = sum(h[i, k]*v[k], k)
p[i] = sigmoid(a[i])
L = -mean(y[i]*log(p[i]) + (1 - y[i])*log(1 - p[i]), i)
'''
[data]
x = [[0.5, -1.25], [2, 0.75], [-0.3, 1.1]]
y = [1, 0, 1]
[parameters]
W = [[0.3, -0.7], [0.55, 0.2]]
v = [0.9, -0.6]
[training]
optimizer = { name = "Adam", lr = 0.05 }
epochs = 3
""",
}
PROGRAMS = ("forward", "backward", "update")


@cache
def example(name: str) -> Example:
    return prepare(*parse_spec(SPECS[name]))


# --- what can go wrong -----------------------------------------------------------------------------


def mutations(expr: Expr) -> Iterator[Expr]:
    """Every change of one node: of the whole, and of each part in its place."""
    yield from _of_node(expr)
    parts = children(expr) if not isinstance(expr, Ref) else ()
    for at, part in enumerate(parts):
        for changed in mutations(part):
            yield rebuild(expr, (*parts[:at], changed, *parts[at + 1 :]))


def _of_node(expr: Expr) -> Iterator[Expr]:
    match expr:
        case Number(value, _):
            yield number(value + 1)
            yield number(value * 2)
        case Neg(a):
            yield a
        case Add(parts):
            yield from _signs(parts)
            yield from (_shorter(Add, parts, at) for at in range(len(parts)))
        case Mul(parts):
            yield Neg(expr)
            yield Mul((number(2), *parts))
            yield from (_shorter(Mul, parts, at) for at in range(len(parts)))
        case Div(a, b):
            yield from (a, Mul((a, b)), Neg(expr))
        case Pow(a, b):
            yield from (a, Pow(a, Add((b, ONE))), Pow(a, Neg(b)))
        case Call(name, (a,)):
            yield from (a, Neg(expr), Call("sigmoid" if name == "tanh" else "tanh", (a,)))
        case Sum(a, bound):
            yield from (Mean(a, bound), rename_index(a, {bound: ONE}))
        case Mean(a, bound):
            yield from (Sum(a, bound), rename_index(a, {bound: ONE}))
        case Count():
            yield from (ONE, Add((expr, ONE)))
        case Ref(name, indices):
            yield from (Neg(expr), Mul((number(2), expr)), Pow(expr, number(2)))
            for at in range(len(indices)):
                yield Ref(name, (*indices[:at], ONE, *indices[at + 1 :]))
            if len(indices) == 2:
                yield Ref(name, indices[::-1])


def _signs(parts: tuple[Expr, ...]) -> Iterator[Expr]:
    for at, part in enumerate(parts):
        turned = part.argument if isinstance(part, Neg) else Neg(part)
        yield Add((*parts[:at], turned, *parts[at + 1 :]))


def _shorter(kind: type[Add] | type[Mul], parts: tuple[Expr, ...], at: int) -> Expr:
    rest = (*parts[:at], *parts[at + 1 :])
    return rest[0] if len(rest) == 1 else kind(rest)


def changed(original: Example, program: str, at: int, body: Expr) -> Example:
    """The example with another right-hand side in one equation."""
    equations = list(getattr(original, program).equations)
    equations[at] = Equation(equations[at].target, body)
    wrong = Program(tuple(equations), getattr(original, program).indices)
    return replace(original, **{program: wrong})


# --- whether it is found ---------------------------------------------------------------------------


@pytest.fixture
def torch_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The written-out loss of a network takes SymPy seconds; torch must find every fault without it."""
    module = importlib.import_module("derivations.witnesses.verify")
    monkeypatch.setattr(module, "expansion", lambda example: ((), ("left out",)))


def reported(wrong: Example) -> bool:
    """A failure is reported, or there is no run at all.

    RuntimeError is torch's, where a changed forward program has lost an index that a layer needs.
    """
    try:
        return bool(verify(train(wrong)).failures)
    except (DerivationsError, Undecided, LookupError, RuntimeError):
        return True


def proved_equal(right: Example, wrong: Example) -> bool:
    """SymPy proves that every value of a step is the same formula of its inputs."""
    size = max(len(batch) for epoch in right.batches for batch in epoch)
    tapes = [layout_of(each, tuple(range(1, size + 1))).tape for each in (right, wrong)]
    memories = [
        tape.bind(SYMBOLIC)([sp.Symbol(str(entry), real=True) for entry in tape.inputs]) for tape in tapes
    ]
    formulas = [
        {entry: memory[slot] for entry, slot in tape.slots.items()}
        for tape, memory in zip(tapes, memories, strict=True)
    ]
    pairs = [(formulas[0][entry], formulas[1].get(entry)) for entry in formulas[0]]
    return all(b is not None and (a == b or is_zero(a - b)) for a, b in pairs)


EQUATIONS = [
    (name, program, at)
    for name in ("linear",)
    for program in PROGRAMS
    for at in range(len(getattr(example(name), program).equations))
]


@pytest.mark.few(1)
@pytest.mark.parametrize(
    ("name", "program", "at"),
    EQUATIONS,
    ids=[f"{n}-{p}-{text(getattr(example(n), p).equations[at].target)}" for n, p, at in EQUATIONS],
)
def test_every_fault_is_reported(name: str, program: str, at: int, request: pytest.FixtureRequest) -> None:
    if name == "network":
        request.getfixturevalue("torch_alone")
    right = example(name)
    equation = getattr(right, program).equations[at]
    bodies = dict.fromkeys(body for body in mutations(equation.body) if body != equation.body)
    wrong = {text(body): changed(right, program, at, body) for body in bodies}
    unseen = [body for body, each in wrong.items() if not reported(each)]
    equal = [body for body in unseen if proved_equal(right, wrong[body])]
    assert [body for body in unseen if body not in equal] == []
    assert len(wrong) - len(equal) >= 3  # the equation was really put to the test


@pytest.mark.parametrize("name", SPECS)
def test_the_right_example_is_not_reported(name: str) -> None:
    assert not verify(train(example(name))).failures


@pytest.mark.usefixtures("torch_alone")
@pytest.mark.parametrize("name", SPECS)
def test_a_missing_equation_is_reported(name: str) -> None:
    right = example(name)
    for program in PROGRAMS:
        equations = getattr(right, program).equations
        for at in range(len(equations)):
            rest = Program(equations[:at] + equations[at + 1 :], getattr(right, program).indices)
            assert reported(replace(right, **{program: rest})), text(equations[at].target)


# --- faults of other kinds ---------------------------------------------------------------------------


def test_a_single_wrong_value_in_a_step_is_reported() -> None:
    """Every computed number of a step, changed by a millionth."""
    right = example("linear")
    trace = train(right)
    step = trace.steps[0]
    seen = {entry for entry, slot in step.layout.tape.slots.items() if slot >= len(step.layout.tape.inputs)}
    adjoints = {adjoint("L", n) for n in ("yhat", "w", "b")}
    assert {name for name, _ in seen} == {"yhat", "L", "w'", "b'", *adjoints}
    for entry in seen:
        memory = list(step.memory)
        memory[step.layout.tape.slots[entry]] *= 1 + fmpq(1, 10**6)
        if memory[step.layout.tape.slots[entry]] != step.memory[step.layout.tape.slots[entry]]:
            assert verify(replace(trace, steps=(replace(step, memory=tuple(memory)),))).failures, entry


def test_a_ball_that_knows_nothing_does_not_agree() -> None:
    """After 10,000 steps of the two houses, 128 bits leave w = 0 ± 1e103."""
    with precision(128):
        wide = arb(0, 1e100)
        with pytest.raises(Undecided):
            compare("w", 1, "autograd", wide, 199.99, enclose(wide))


def test_the_comparison_is_about_rounding_only() -> None:
    with precision(128):
        value = fmpq(1, 3)
        for theirs, ok in ((1 / 3, True), (0.3333333333333334, False), (0.333, False), (float("nan"), False)):
            assert compare("w", 1, "autograd", value, theirs, enclose(value)).ok == ok
        for infinite in (float("inf"), -float("inf")):
            assert not compare("w", 1, "autograd", value, infinite, enclose(value)).ok


def test_mutations_by_hand() -> None:
    x, i = Ref("x", (Ref("i"),)), Ref("i")
    shown = [text(body) for body in mutations(Sum(Mul((number(Fraction(3)), x)), "i"))]
    assert "mean(3*x[i], i)" in shown  # the mean for the sum
    assert "sum(-3*x[i], i)" in shown  # a sign
    assert "sum(2*3*x[i], i)" in shown  # a factor
    assert "sum(x[i], i)" in shown  # a factor forgotten
    assert "sum(4*x[i], i)" in shown  # another coefficient
    assert "sum(3*x[1], i)" in shown  # an index
    assert "sum(3*x[i]**2, i)" in shown  # an exponent
    assert list(mutations(i))[0] == Neg(i)
