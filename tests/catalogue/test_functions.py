"""Every function of the catalogue against SymPy and torch: values, slopes by every argument, kinks."""

from __future__ import annotations

import itertools
import math
import re
from fractions import Fraction
from typing import Any

import pytest
import sympy as sp
import torch

from derivations.catalogue import functions
from derivations.catalogue.functions import FUNCTIONS, Function
from derivations.language.errors import ArithmeticFault
from derivations.language.parser import parse
from derivations.language.program import Equation, Program
from derivations.language.symbolic import Atoms, is_zero, to_sympy, unfold
from derivations.language.tree import Call, Ref
from derivations.numbers.compile import compile_program
from derivations.numbers.systems import EXACT, Undecided, ball, precision, rational
from tests.catalogue.test_catalogue import assert_verified, by_name, example_of, run, spec

POINTS = [
    *("-30", "-7.3", "-3", "-2", "-1", "-0.5", "-1e-9", "0", "1e-9", "1/3", "0.5", "1", "2", "3"),
    *("6", "7.3", "30"),
]
OTHERS = (("-1", "1"), ("-0.5", "2"), ("1/3", "3"))  # limits and small slopes, the lower one first
POINTWISE = [row for row in FUNCTIONS if not row.over]
Arguments = tuple[Fraction, ...]


def settings(row: Function) -> list[tuple[Fraction, ...]]:
    """Values for the arguments after the first: every point for an operand, a few for a number."""
    rest = row.arguments[1:]
    if set(rest) & set(row.all_slopes):
        return [tuple(map(Fraction, at)) for at in itertools.product(POINTS, repeat=len(rest))]
    if len(rest) == 1:
        return [(Fraction(number),) for number in dict.fromkeys((*row.defaults.values(), "1/3", "2"))]
    defaults = [tuple(Fraction(row.defaults[name]) for name in rest)] if row.defaults else []
    return list(dict.fromkeys([*defaults, *(tuple(map(Fraction, other[: len(rest)])) for other in OTHERS)]))


def places(row: Function) -> list[Arguments]:
    """The awkward points of a row, its kinks among them."""
    if not row.arguments:
        return [()]
    return [(Fraction(x), *rest) for rest in settings(row) for x in POINTS]


def worked(written: str, row: Function, at: Arguments) -> Any:
    program = Program((Equation(Ref("f"), parse(written, functions.NAMES)),), frozenset())
    tape = compile_program(program, dict.fromkeys(row.arguments, ()), {})
    return tape.bind(EXACT)([rational(number) for number in at])[tape.slots["f", ()]]


def called(row: Function) -> str:
    return f"{row.name}({', '.join(row.arguments)})" if row.arguments else row.name


def in_domain(row: Function, at: Arguments) -> bool:
    bound = row.domain.removeprefix("x ").split()
    return not bound or {">": at[0] > Fraction(bound[1]), ">=": at[0] >= Fraction(bound[1])}[bound[0]]


def in_torch(row: Function, at: Arguments) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """The value as torch has it, and the operands by which it can be differentiated."""
    operands = {
        name: torch.tensor(float(number), dtype=torch.float64, requires_grad=True)
        for name, number in zip(row.arguments, at, strict=True)
        if name in row.all_slopes
    }
    known = dict(zip(row.arguments, map(float, at), strict=True)) | operands
    code = functions.torch_expression(row, row.arguments)
    found = eval(code, {"torch": torch}, known)
    return torch.as_tensor(found, dtype=torch.float64), operands


def close(ours: Any, theirs: float, least: float) -> bool:
    middle = float(ball(ours).mid())
    return abs(middle - theirs) <= least * max(1.0, abs(middle))


@pytest.mark.parametrize("row", POINTWISE, ids=by_name)
def test_value_and_slopes_are_torchs(row: Function) -> None:
    """At awkward points, kinks included: there the slope is torch's choice."""
    for at in places(row):
        if not in_domain(row, at):
            with pytest.raises((ArithmeticFault, Undecided)):
                worked(called(row), row, at)
            continue
        theirs, operands = in_torch(row, at)
        rounding = 1e-15 * max(1.0, *(float(abs(number)) for number in at)) if at else 1e-15
        with precision(256):
            assert close(worked(called(row), row, at), float(theirs.detach()), rounding), at
            for name, operand in operands.items():
                slope = slope_by(theirs, operand)
                if math.isinf(slope):
                    with pytest.raises(ArithmeticFault, match="division by zero"):
                        worked(row.all_slopes[name], row, at)
                else:
                    assert close(worked(row.all_slopes[name], row, at), slope, 4 * rounding), (name, at)


def slope_by(theirs: torch.Tensor, operand: torch.Tensor) -> float:
    """torch's slope; 0 for what it does not differentiate at all."""
    if not theirs.requires_grad:
        return 0.0
    return float(torch.autograd.grad(theirs, operand, retain_graph=True)[0])


@pytest.mark.parametrize("row", POINTWISE, ids=by_name)
def test_a_kink_is_where_the_value_or_a_slope_jumps(row: Function) -> None:
    """A row says ``kinks`` exactly where its value or its slope by ``x`` differs on the two sides."""
    for at in (at for at in places(row) if at):
        sides = [(at[0] + side * Fraction(1, 10**30), *at[1:]) for side in (-1, 0, 1)]
        if not all(in_domain(row, side) for side in sides):
            continue
        with precision(256):
            values = [ball(worked(called(row), row, side)) for side in sides]
            slopes = [ball(worked(row.slope, row, side)) for side in (sides[0], sides[2])]
            jumps = any(apart(*pair) for pair in (*itertools.pairwise(values), slopes))
            kinks = {worked(kink, row, at) for kink in row.kinks}
            if row.smooth and worked(row.smooth, row, at) == 0:
                kinks = set()
        assert jumps == (rational(at[0]) in kinks), at


def apart(a: Any, b: Any) -> bool:
    return bool(abs(a - b) > ball(rational(Fraction(1, 10**6))) * (1 + abs(a)))


def settled(expr: Any, point: dict[Any, Any]) -> Any:
    """An expression of SymPy's in the neighbourhood of a point: every jump and choice is made there."""

    def made(e: Any) -> Any:
        numbers = [settled(part, point).subs(point) for part in e.args]
        match type(e).__name__, numbers:
            case "step", [a]:
                return sp.Integer(bool(a > 0))
            case "sign", [a]:
                return sp.Integer(int(bool(a > 0)) - int(bool(a < 0)))
            case "floor", [a]:
                return sp.floor(a)
            case "max", [a, b]:
                return e.args[0] if a > b else e.args[1]
            case "min", [a, b]:
                return e.args[0] if a < b else e.args[1]
        raise AssertionError(e)

    return expr.replace(lambda e: type(e).__name__ in ("step", "sign", "floor", "max", "min"), made)


NEAR = ("-1.7", "-0.7", "-0.2", "0.1", "0.7", "1.6", "3.4")  # off every kink


@pytest.mark.parametrize("row", POINTWISE, ids=by_name)
def test_the_stated_slopes_are_the_derivatives_of_the_formula(row: Function) -> None:
    """Proved by SymPy in the neighbourhood of points in every piece of the function."""
    symbols = {Ref(name): sp.Symbol(name, real=True) for name in row.arguments}
    formula = to_sympy(unfold(Call(row.name, tuple(map(Ref, row.arguments)))), Atoms(), symbols)
    for rest in settings(row)[:20] if row.arguments else ():
        for x in (Fraction(text) for text in NEAR):
            if not in_domain(row, (x, *rest)) or x in rest:
                continue
            point = dict(zip(symbols.values(), map(sp.Rational, map(str, (x, *rest))), strict=True))
            for name, slope in row.all_slopes.items():
                stated = to_sympy(unfold(parse(slope, functions.NAMES)), Atoms(), symbols)
                derivative = sp.diff(settled(formula, point), symbols[Ref(name)])
                assert is_zero(sp.expand(derivative - settled(stated, point))), (name, x, rest)


@pytest.mark.parametrize("row", [row for row in FUNCTIONS if row.formula], ids=by_name)
def test_a_row_with_a_formula_stands_on_earlier_rows(row: Function) -> None:
    earlier = frozenset(
        other.name for other in itertools.takewhile(lambda other: other is not row, FUNCTIONS)
    )
    parse(row.formula, earlier)  # raises LanguageError for a function that is not there yet


@pytest.mark.parametrize("row", [row for row in FUNCTIONS if row.defaults], ids=by_name)
def test_a_default_is_that_of_torch(row: Function) -> None:
    """Left out in the text, it is the number of the row; left out in torch, it is the same number."""
    x = torch.tensor([float(Fraction(point)) for point in POINTS], dtype=torch.float64)
    defaults = [float(Fraction(row.defaults[name])) for name in row.arguments[1:]]
    by_hand = eval(functions.torch_expression(row, ["x", *map(str, defaults)]), {"torch": torch, "x": x})
    named = row.torch if "{" in row.torch else f"{row.torch}({{x}})"
    left_out = re.sub(r", \w+=\{[^x]\}", "", named).format(x="x")
    assert torch.equal(by_hand, eval(left_out, {"torch": torch, "x": x}))
    assert parse(f"{row.name}(x)", functions.NAMES) == parse(
        f"{row.name}(x, {', '.join(row.defaults[name] for name in row.arguments[1:])})", functions.NAMES
    )


@pytest.mark.parametrize("row", [row for row in POINTWISE if row.arguments], ids=by_name)
def test_a_function_is_verified_in_a_model(row: Function) -> None:
    """Four samples, some of them on a kink; other arguments are data or numbers."""
    numbers = iter(OTHERS[0] if len(row.arguments) == 3 else ("0.5",))
    rest = [name if name in row.all_slopes else next(numbers) for name in row.arguments[1:]]
    written = [f"{name}[i]" if name == "y" else name for name in rest]
    points = [1, 2, 0.5, 3] if row.domain else [0, 1, -1, 2.5]
    text = spec(
        f"u[i] = w*x[i]\nh[i] = {row.name}({', '.join(['u[i]', *written])})\n"
        "L = mean((h[i] - c[i])**2, i) + w**2",
        "w = 1",
        f"x = {points}\nc = [0.3, 1, -0.5, 2]\n" + "y = [0, 2, -1, 1]\n" * ("y" in row.arguments),
        'optimizer = { name = "SGD", lr = 0.05 }',
    )
    assert_verified(run(example_of(text)))


# --- over an index -----------------------------------------------------------------------------------

VECTORS = {
    "ties": [0.5, 0.5, -1.25, 0.5],
    "zeros": [0.0, 0.0, 0.0],
    "one": [3.0],
    "far apart": [-30.0, 12.0, 200.0],
    "close": [1.0, 1.000001, 0.999999],
}
WEIGHTS = [1.5, -2.0, 0.25, 1.0]


@pytest.mark.parametrize("row", [row for row in FUNCTIONS if row.over], ids=by_name)
@pytest.mark.parametrize("vector", VECTORS)
def test_a_function_over_an_index_is_torchs(row: Function, vector: str) -> None:
    """Values, and gradients of a weighted sum of them."""
    z, c = VECTORS[vector], WEIGHTS[: len(VECTORS[vector])]
    theirs = torch.tensor(z, dtype=torch.float64, requires_grad=True)
    values = eval(row.torch, {"torch": torch})(theirs, 0)
    whole = values.dim() == 0
    loss = values if whole else (values * torch.tensor(c, dtype=torch.float64)).sum()
    loss.backward()
    equations = f"L = {row.name}(z[k], k)" if whole else f"p[k] = {row.name}(z[k], k)\nL = sum(c[k]*p[k], k)"
    trace = run(example_of(spec(equations, f"z = {z}", f"c = {c}", 'optimizer = { name = "SGD", lr = 1 }')))
    step = trace.steps[0]
    with precision(256):
        for k in range(len(z)):
            if not whole:
                assert close(step.at("p", (k + 1,)), float(values[k].detach()), 1e-15)
            assert close(step.at("dL/dz", (k + 1,)), float(theirs.grad[k]), 4e-15)
        assert close(step.at("L"), float(loss.detach()), 4e-15)
