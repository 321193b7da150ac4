"""Every row of the catalogue against SymPy and torch: what is tested follows from what is there."""

from __future__ import annotations

import ast
import itertools
from fractions import Fraction
from typing import Any

import pytest
import sympy as sp
import torch

from derivations.catalogue import functions
from derivations.catalogue.functions import FUNCTIONS, Function
from derivations.catalogue.losses import LOSSES, Loss
from derivations.examples.example import Example, prepare
from derivations.examples.recognize import recognize
from derivations.examples.spec import parse_spec
from derivations.examples.training import Trace, certified, train
from derivations.language.errors import ArithmeticFault
from derivations.language.parser import parse
from derivations.language.program import Equation, Program
from derivations.language.symbolic import Atoms, is_zero, to_sympy, unfold
from derivations.language.tree import Call, Expr, Ref
from derivations.numbers.compile import compile_program
from derivations.numbers.systems import EXACT, Undecided, ball, precision, rational
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


# --- functions -------------------------------------------------------------------------------------

X = Ref("x")
POINTS = [
    *("-30", "-7.3", "-3", "-2", "-1", "-0.5", "-1e-9", "0", "1e-9", "1/3", "0.5", "1", "2", "3"),
    *("6", "7.3", "30"),
]


def call(row: Function) -> Expr:
    return Call(row.name, (X,))


def one_sided(expr: Any, side: int) -> Any:
    """An expression of SymPy's away from a jump at 0: ``side`` says where its argument is."""
    found = expr.replace(
        lambda e: type(e).__name__ == "step", lambda e: sp.Integer(_sign(e.args[0], side) == 1)
    )
    return found.replace(lambda e: type(e).__name__ == "sign", lambda e: sp.Integer(_sign(e.args[0], side)))


def _sign(argument: Any, side: int) -> int:
    """The sign of a jump's argument, which must be x but for a positive factor."""
    (symbol,) = argument.free_symbols
    factor = sp.simplify(argument / symbol)
    assert factor.is_number, f"a jump elsewhere than at 0 needs a test of its own: {argument}"
    return side if factor > 0 else -side


@pytest.mark.parametrize("row", FUNCTIONS, ids=by_name)
@pytest.mark.parametrize("side", [1, -1], ids=["above", "below"])
def test_the_stated_slope_is_the_derivative_of_the_formula(row: Function, side: int) -> None:
    if row.domain and side < 0:
        pytest.skip(f"defined for {row.domain}")
    symbol = sp.Symbol("x", positive=side > 0, negative=side < 0)
    formula = to_sympy(unfold(call(row)), Atoms(), {X: symbol})
    slope = to_sympy(unfold(parse(row.slope, functions.NAMES)), Atoms(), {X: symbol})
    derivative = sp.diff(one_sided(formula, side), symbol)
    assert is_zero(derivative - one_sided(slope, side))


@pytest.mark.parametrize("row", [row for row in FUNCTIONS if row.formula], ids=by_name)
def test_a_row_with_a_formula_stands_on_earlier_rows(row: Function) -> None:
    earlier = frozenset(
        other.name for other in itertools.takewhile(lambda other: other is not row, FUNCTIONS)
    )
    parse(row.formula, earlier)  # raises LanguageError for a function that is not there yet


def worked(written: str, at: Fraction) -> Any:
    program = Program((Equation(Ref("f"), parse(written, functions.NAMES)),), frozenset())
    tape = compile_program(program, {"x": ()}, {})
    return tape.bind(EXACT)([rational(at)])[tape.slots["f", ()]]


def in_domain(row: Function, at: Fraction) -> bool:
    bound = row.domain.removeprefix("x ").split()
    return not bound or {">": at > Fraction(bound[1]), ">=": at >= Fraction(bound[1])}[bound[0]]


@pytest.mark.parametrize(("row", "point"), list(itertools.product(FUNCTIONS, POINTS)), ids=_label)
def test_value_and_slope_are_torchs(row: Function, point: str) -> None:
    """At awkward points, kinks included: there the slope is torch's choice."""
    at = Fraction(point)
    if not in_domain(row, at):
        with pytest.raises((ArithmeticFault, Undecided)):
            worked(f"{row.name}(x)", at)
        return
    x = torch.tensor(float(at), dtype=torch.float64, requires_grad=True)
    theirs = x
    for path in row.torch.split():
        theirs = resolved(path)(theirs)
    (slope,) = torch.autograd.grad(theirs, x)
    with precision(256):
        ours = ball(worked(f"{row.name}(x)", at))
        assert abs(float(ours.mid()) - float(theirs.detach())) <= 4e-16 * max(1.0, abs(float(ours.mid())))
        if torch.isinf(slope):
            with pytest.raises(ArithmeticFault, match="division by zero"):
                worked(row.slope, at)
            return
        ours = ball(worked(row.slope, at))
        assert abs(float(ours.mid()) - float(slope)) <= 1e-15 * max(1.0, abs(float(ours.mid())))


def test_kinks_are_where_the_slope_jumps() -> None:
    """A row says ``kinks`` exactly where its slope (or its value) differs on the two sides."""
    for row in FUNCTIONS:
        for point in (Fraction(point) for point in POINTS if in_domain(row, Fraction(point) - 1)):
            beside = [point - Fraction(1, 10**12), point + Fraction(1, 10**12)]
            with precision(256):
                jumps = [
                    abs(ball(worked(text, beside[1])) - ball(worked(text, beside[0])))
                    > ball(rational(Fraction(1, 10)))
                    for text in (row.slope, f"{row.name}(x)")
                ]
            large = abs(point) >= 6  # exp(30) moves by more than 0.1 without any jump
            assert large or any(jumps) == (point in map(Fraction, row.kinks)), (row.name, point)


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
