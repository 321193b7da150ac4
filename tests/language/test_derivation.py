"""Derivations line by line: what a reader sees, and that every rule is proved on models that need it."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sympy as sp

import derivations
from derivations.catalogue import functions
from derivations.language.parser import parse
from derivations.language.prover import prove
from derivations.language.steps import Chain, Line, derive
from derivations.language.symbolic import Atoms, function_class, is_zero, to_sympy
from derivations.language.tree import Derivative, Expr, Number, Ref, number, transform
from derivations.model.example import Example, prepare
from derivations.notation.text import text
from derivations.spec.spec import parse_spec

SPEC = """
title = "A model"
[model]
equations = '''
{equations}
'''
[data]
x = [1, 2, 3]
y = [3, 5, 8]
z = [[1, 2], [0, 1], [2, -1]]
lam = 0.5
[parameters]
w = 0.5
b = 1
[training]
optimizer = {{ name = "SGD", lr = 0.01 }}
batch_size = 2
"""
MODELS = {
    "linear": "p[i] = w*x[i] + b\nL = mean((p[i] - y[i])**2, i)",
    "turned round": "p[i] = b - w*x[i]\nL = sum((y[i] - p[i])**2, i)/2",
    "ridge": "p[i] = w*x[i] + b\nL = mean((p[i] - y[i])**2, i) + lam*w**2 + lam*b**2",
    "in one equation": "L = mean((w*x[i] + b - y[i])**2, i)",
    "one equation, ridge": "L = 1/2*mean((w*x[i] + b - y[i])**2, i) + lam*w**2",
    "two terms": "p[i] = w*x[i] + sum(w*z[i, j], j) + b\nL = mean((p[i] - y[i])**2, i)",
    "quotient": "p[i] = (w*x[i] + b)/(1 + w**2)\nL = mean((p[i] - y[i])**2, i)",
    "product": "p[i] = w*x[i]*(b + w)\nL = mean((p[i] - y[i])**2, i)",
    "cubes": "p[i] = (w*x[i] + b)**3\nL = mean(p[i]*y[i], i)",
    "sigmoid": "u[i] = w*x[i] + b\np[i] = sigmoid(u[i])\nL = -mean(y[i]*log(p[i]) + log(1 - p[i]), i)",
    "tanh of exp": "p[i] = tanh(w*exp(b - x[i]))\nL = sum(p[i] + y[i], i)",
    "root": "s = sum(x[i]*w**2, i) + b**2\nL = sqrt(s)*mean(y[i], i)",
    "two ways": "h[i] = w*x[i]\np[i] = h[i]*b + h[i]**2\nL = mean((p[i] - y[i]*h[i])**2, i)",
    "hoisted": "p[i] = exp(w*x[i])/sum(exp(w*x[k]), k)\nL = -sum(y[i]*log(p[i]), i) + b**2",
}


def example(name: str) -> Example:
    return prepare(*parse_spec(SPEC.format(equations=MODELS[name])))


def derivation(of: Example) -> tuple[Chain, ...]:
    return derive(of.forward, of.backward, of.loss, of.parameters)


@pytest.mark.few(1)
@pytest.mark.parametrize("name", MODELS)
def test_every_line_is_proved_and_the_page_stands(name: str) -> None:
    of = example(name)
    assert [what for what, ok in prove(derivation(of), of.forward, of.loss) if not ok] == []
    page = derivations.build(SPEC.format(equations=MODELS[name]), ("md", "tex", "json"))
    assert not page.report.failures


@pytest.mark.parametrize("name", MODELS)
def test_the_last_line_of_each_gradient_is_the_formula_that_is_used(name: str) -> None:
    of = example(name)
    last = {text(chain.subject): chain.lines[-1].expr for chain in derivation(of)}
    for eq in of.backward:
        assert last[text(eq.target)] == eq.body


def test_the_linear_example_reads_as_in_a_book() -> None:
    of = example("linear")
    shown = [[text(chain.subject), *(text(line.expr) for line in chain.lines)] for chain in derivation(of)]
    assert shown[0] == [
        "dL/dp[i]",
        "d(1/count(i)*sum((p[k] - y[k])**2, k))/d(p[i])",
        "1/count(i)*(d(sum((p[k] - y[k])**2, k))/d(p[i]))",
        "1/count(i)*(d((p[i] - y[i])**2)/d(p[i]))",
        "1/count(i)*2*(p[i] - y[i])*(d(p[i] - y[i])/d(p[i]))",
        "1/count(i)*2*(p[i] - y[i])",
        "2/count(i)*(p[i] - y[i])",
    ]
    assert shown[2] == [
        "dL/dw",
        "sum(dL/dp[i]*(d(p[i])/d(w)), i)",
        "sum(2/count(i)*(p[i] - y[i])*x[i], i)",
        "2/count(i)*sum(x[i]*(p[i] - y[i]), i)",
    ]


@pytest.mark.few(1)
@pytest.mark.parametrize("name", ["linear", "ridge", "quotient", "sigmoid", "two ways"])
def test_a_wrong_line_is_not_proved(name: str) -> None:
    """Each number of each line made one larger, one at a time."""
    of = example(name)
    chains = derivation(of)
    tried = 0
    for at, chain in enumerate(chains):
        for place, line in enumerate(chain.lines):
            numbers = _numbers(line)
            for which in range(len(numbers)):
                wrong = replace(line, expr=_larger(line, which))
                lines = (*chain.lines[:place], wrong, *chain.lines[place + 1 :])
                altered = (*chains[:at], replace(chain, lines=lines), *chains[at + 1 :])
                assert not all(ok for _, ok in prove(altered, of.forward, of.loss)), text(wrong.expr)
                tried += 1
    assert tried > 10


def _numbers(line: Line) -> list[Number]:
    """The numbers of a line; those below a derivative only where the line is a definition."""
    found: list[Number] = []

    def rule(node: Expr) -> Expr | None:
        if isinstance(node, Number):
            found.append(node)
        return node if isinstance(node, Derivative) and line.reason.rule != "definition" else None

    transform(line.expr, rule)
    return found


def _larger(line: Line, which: int) -> Expr:
    seen = iter(range(10**6))

    def rule(node: Expr) -> Expr | None:
        if isinstance(node, Number):
            return number(node.value + 1) if next(seen) == which else node
        return node if isinstance(node, Derivative) and line.reason.rule != "definition" else None

    return transform(line.expr, rule)


def test_the_stated_slopes_are_those_of_sympy_at_random_points() -> None:
    """A second look at the rows, numerically and by SymPy's own functions."""
    x = sp.Symbol("x", real=True)
    own = {
        "sigmoid": 1 / (1 + sp.exp(-x)),
        "tanh": sp.tanh(x),
        "exp": sp.exp(x),
        "log": sp.log(x),
        "sqrt": sp.sqrt(x),
    }
    for name, formula in own.items():
        slope = parse(functions.BY_NAME[name].slope, functions.NAMES)
        stated = to_sympy(slope, Atoms(), {Ref("x"): x})
        for point in (sp.Rational(1, 3), sp.Rational(7, 4)):
            value = sp.diff(formula, x).subs(x, point)
            theirs = stated.subs(x, point).rewrite(sp.exp)
            if name == "sigmoid":
                theirs = (formula * (1 - formula)).subs(x, point)
            assert abs(sp.N(value - theirs, 30)) < 1e-25


def test_values_of_functions_are_symbols_in_a_proof() -> None:
    x, y = sp.symbols("x y", real=True)
    sigmoid = function_class("sigmoid")
    assert is_zero(sigmoid(x) * (1 - sigmoid(x)) - sigmoid(x) + sigmoid(x) ** 2)
    assert is_zero(sp.exp(x - y) * sp.exp(y - x) - 1)
    assert is_zero(sp.exp(x) / (sp.exp(x) + sp.exp(y)) + sp.exp(y) / (sp.exp(x) + sp.exp(y)) - 1)
    assert not is_zero(sigmoid(x) - sigmoid(y))
    assert not is_zero(sp.exp(x) * sp.exp(x) - 1)
