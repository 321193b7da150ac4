"""Functions that a model may use. One row is one function: formula, slope, torch name, source.

``formula`` defines the function through earlier rows and arithmetic; a row without one is a
primitive that the number systems know by name. ``slope`` is the derivative as textbooks write it;
the tests prove it against SymPy's derivative of the formula. ``kinks`` are the arguments at which
there is no derivative, and then the slope is torch's choice.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Function:
    """One row: ``name(x)``."""

    name: str
    slope: str
    torch: str
    latex: str
    rule: str
    formula: str = ""
    kinks: tuple[str, ...] = ()
    domain: str = ""
    source: str = ""


FUNCTIONS = (
    Function(
        "exp", slope="exp(x)", torch="torch.exp", latex=r"\exp", rule="the exponential is its own derivative"
    ),
    Function(
        "log",
        slope="1/x",
        torch="torch.log",
        latex=r"\ln",
        rule="derivative of the natural logarithm",
        domain="x > 0",
    ),
    Function(
        "sqrt",
        slope="1/(2*sqrt(x))",
        torch="torch.sqrt",
        latex=r"\sqrt",
        rule="derivative of the square root",
        domain="x >= 0",
    ),
    Function(
        "step",
        slope="0",
        torch="torch.relu torch.sign",
        latex=r"\mathrm{step}",
        rule="constant on both sides of the jump",
        kinks=("0",),
        source="1 for x > 0, else 0",
    ),
    Function(
        "sign",
        slope="0",
        torch="torch.sign",
        latex=r"\mathrm{sign}",
        rule="constant on both sides of the jump",
        kinks=("0",),
    ),
    Function(
        "abs",
        slope="sign(x)",
        torch="torch.abs",
        latex=r"\mathrm{abs}",
        rule="derivative of the absolute value, 0 at 0",
        formula="x*sign(x)",
        kinks=("0",),
    ),
    Function(
        "relu",
        slope="step(x)",
        torch="torch.relu",
        latex=r"\mathrm{ReLU}",
        rule="derivative of the rectifier, 0 at 0",
        formula="x*step(x)",
        kinks=("0",),
        source="Nair and Hinton 2010",
    ),
    Function(
        "sigmoid",
        slope="sigmoid(x)*(1 - sigmoid(x))",
        torch="torch.sigmoid",
        latex=r"\sigma",
        rule="derivative of the logistic function",
        formula="1/(1 + exp(-x))",
    ),
    Function(
        "tanh",
        slope="1 - tanh(x)**2",
        torch="torch.tanh",
        latex=r"\tanh",
        rule="derivative of the hyperbolic tangent",
        formula="1 - 2/(exp(2*x) + 1)",
    ),
)
BY_NAME = {row.name: row for row in FUNCTIONS}
NAMES = frozenset(BY_NAME)
