"""Matrix forms: what they are, that they hold, that wrong ones are found out, and what has none."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings

from derivations.catalogue import functions
from derivations.language.backward import backward
from derivations.language.matrix import TIMES, TRANSPOSED, matrix_form
from derivations.language.parser import parse_program
from derivations.language.program import Equation
from derivations.language.tree import Add, Call, Expr, Mul, Pow, Ref, children, rebuild
from derivations.notation.latex import latex
from derivations.notation.printed import as_printed
from derivations.notation.read import chain
from derivations.notation.symbols import Symbols
from derivations.numbers.systems import rational
from derivations.witnesses.matrix_forms import Matrices, MatrixForm, Misfit, holds_at_random, shaped
from tests.strategies import Model, models

MATRICES, VECTORS, NUMBERS = "XYZWAB", "bdxyzp", "cL"
RANKS = {**dict.fromkeys(MATRICES, 2), **dict.fromkeys(VECTORS, 1), **dict.fromkeys(NUMBERS, 0)}
SYMBOLS = Symbols(RANKS, "L", "i")


def equation(text: str) -> Equation:
    (line,) = parse_program(text, functions.NAMES)
    return Equation(line.target, line.body)


FORMS = {
    "Z[i, j] = sum(W[j, k]*X[i, k], k) + b[j]": r"X W^{\top} + \mathbf 1_n b^{\top}",
    "Z[i, j] = sum(X[i, k]*W[k, j], k) + b[j]": r"X W + \mathbf 1_n b^{\top}",
    "z[j] = sum(W[j, k]*x[k], k) + b[j]": "W x + b",
    "z[j] = sum(W[k, j]*x[k], k)": r"W^{\top} x",
    "W[j, k] = d[j]*x[k]": r"d x^{\top}",
    "W[j, k] = sum(Z[i, j]*X[i, k], i)": r"Z^{\top} X",
    "b[j] = sum(Z[i, j], i)": r"Z^{\top} \mathbf 1_n",
    "b[j] = sum(Z[i, j]*d[i], i)": r"Z^{\top} d",
    "b[j] = sum(X[i, j] - Y[i, j], i)": r"(X - Y)^{\top} \mathbf 1_n",
    "z[i] = sum(Z[i, j], j)": r"Z \mathbf 1_{n_j}",
    "L = sum(x[i]*y[i], i)": r"x^{\top} y",
    "L = sum(x[i], i)": r"\mathbf 1_n^{\top} x",
    "L = sum(y[i]*(1 - x[i]), i)": r"y^{\top} (1 - x)",
    "L = mean((x[i] - y[i])**2, i)": r"\frac{1}{n} \lVert x - y \rVert^2",
    "L = mean(sum(1/2*(X[i, j] - Y[i, j])**2, j), i)": r"\frac{1}{2 n} \lVert X - Y \rVert^2",
    "L = sum(sum(X[i, j], j), i)": r"\mathbf 1_n^{\top} X \mathbf 1_{n_j}",
    "L = sum(sum(x[i]*A[i, j]*b[j], j), i)": r"x^{\top} A b",
    "Z[i, j] = X[i, j]*Y[i, j]*(1 - Y[i, j])": r"X \odot Y \odot (1 - Y)",
    "Z[i, j] = X[i, j]*d[i]": r"X \odot (d \mathbf 1_{n_j}^{\top})",
    "Z[i, j] = X[j, i] - c": r"X^{\top} - c",
    "Z[i, j] = tanh(X[i, j])": r"\tanh(X)",
    "Z[i, j] = tanh(d[i])": r"\tanh(d) \mathbf 1_{n_j}^{\top}",
    "p[i] = y[i]/x[i]": r"y \oslash x",
    "Z[i, j] = sum(A[i, k]*d[k]*B[k, j], k)": r"(A \odot (\mathbf 1_n d^{\top})) B",
    "Z[i, j] = 2*X[i, j]*sum(A[i, k]*B[k, j], k)": r"2 (X \odot (A B))",
}


@pytest.mark.parametrize("text", FORMS)
def test_the_form_that_a_textbook_has(text: str) -> None:
    eq = equation(text)
    form = matrix_form(eq)
    assert form is not None
    assert latex(form, SYMBOLS) == FORMS[text]
    assert holds_at_random(MatrixForm(eq, form))


WITHOUT = [
    "Z[i, j] = X[i, i]",
    "L = sum(sum(sum(T[i, j, k], k), j), i)",
    "L = sum(sum(sum(A[i, j]*B[j, k]*X[i, k], k), j), i) + T[1, 2, 3]",
    "Z[i, j] = T[i, j, 1]",
    "z[i] = x[1]",
    "Z[i, j] = X[i, j]**3",
    "z[i] = x[i + 1]",
    "T[i, j, k] = x[i]*x[j]*x[k]",
]


@pytest.mark.parametrize("text", WITHOUT)
def test_no_form_where_matrices_cannot_say_it(text: str) -> None:
    assert matrix_form(equation(text)) is None


# --- wrong forms ------------------------------------------------------------------------------------


def is_array(expr: Expr) -> bool:
    """Whether a factor is a whole array, or made of one."""
    return any(isinstance(part, Ref) and RANKS.get(part.name, 1) for part in (expr, *children(expr)))


def slips(expr: Expr) -> Iterator[Expr]:
    """The expression with one slip: a transpose forgotten, arrays exchanged, a term or a factor lost."""
    match expr:
        case Pow(base, exponent) if exponent == TRANSPOSED:
            yield base
        case Mul(factors):
            if is_array(factors[0]) and is_array(factors[1]):
                yield Mul((factors[1], factors[0], *factors[2:]))
            yield Mul(factors[1:]) if len(factors) > 2 else factors[1]
        case Add(terms):
            yield terms[0]
        case Call(name, parts) if name == TIMES:
            yield Mul(parts)
            yield parts[0]
    if not isinstance(expr, Ref):
        parts = children(expr)
        for place, part in enumerate(parts):
            for wrong in slips(part):
                yield rebuild(expr, (*parts[:place], wrong, *parts[place + 1 :]))


@pytest.mark.parametrize("text", FORMS)
def test_a_slip_in_a_form_is_found_out(text: str) -> None:
    eq = equation(text)
    form = matrix_form(eq)
    assert form is not None
    for wrong in slips(form):
        assert not holds_at_random(MatrixForm(eq, wrong)), latex(wrong, SYMBOLS)


def test_shapes_that_do_not_fit_are_refused() -> None:
    column = shaped({(n,): rational(n) for n in (1, 2, 3)})
    row = shaped({(1, n): rational(n) for n in (1, 2)})
    known = Matrices({"x": column, "R": row}, {}, lambda _, value: value)
    for wrong in (Mul((Ref("x"), Ref("x"))), Add((Ref("x"), Ref("R"))), Call(TIMES, (Ref("x"), Ref("R")))):
        with pytest.raises(Misfit):
            known.value(wrong)


# --- random models ------------------------------------------------------------------------------------


@pytest.mark.slow
@given(models(called=("tanh", "sigmoid")))
@settings(max_examples=60)
def test_every_form_of_a_random_model_holds_and_reads_back(model: Model) -> None:
    forward = model.program
    adjoints = backward(forward, model.loss, model.names)
    ranks = {array.name: len(array.dims) for array in model.arrays}
    ranks |= {eq.target.name: len(eq.target.indices) for eq in forward}
    symbols = Symbols(ranks, model.loss, "i")
    for eq in (*forward, *adjoints):
        form = matrix_form(eq)
        if form is not None:
            assert holds_at_random(MatrixForm(eq, form))
            (side,) = chain(latex(form, symbols), symbols)
            assert as_printed(side.expr) == as_printed(form)
