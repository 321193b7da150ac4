"""Functions that a model may use. One row is one function: formula, slope, torch name, source.

``formula`` defines the function through earlier rows and arithmetic; a row without one is a
primitive that the number systems know by name. ``slope`` is the derivative by ``x`` as textbooks
write it, ``slopes`` are those by further arguments; an argument without a slope must be a number.
The tests prove every slope against SymPy's derivative of the formula. ``kinks`` are the values of ``x``
at which there is no derivative by it (``y`` for ``max(x, y)``); the slope there is torch's choice, and
the test that compares it with autograd holds it to that. Where ``smooth`` is 0 there is no kink after
all, as for ELU with a = 1. A row with ``over`` binds an index: ``softmax(z[k], k)``; in its formula the
index is called ``k``.

``torch`` is one dotted name, several that are applied in turn, or an expression over the arguments in
braces: ``torch.nn.functional.gelu({x}, approximate='tanh')``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce


@dataclass(frozen=True)
class Function:
    """One row: ``name(x)``, ``name(x, y)``, or ``name(x, k)`` over an index."""

    name: str
    slope: str
    torch: str
    latex: str
    rule: str
    formula: str = ""
    arguments: tuple[str, ...] = ("x",)
    defaults: Mapping[str, str] = field(default_factory=dict)
    slopes: Mapping[str, str] = field(default_factory=dict)
    over: bool = False
    kinks: tuple[str, ...] = ()
    smooth: str = ""
    domain: str = ""
    cancels: bool = False
    source: str = ""

    @property
    def all_slopes(self) -> dict[str, str]:
        """The slope by every argument that has one."""
        return {**({"x": self.slope} if self.arguments else {}), **self.slopes}


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
        "pi",
        slope="",
        torch="torch.pi",
        latex=r"\pi",
        rule="a constant",
        arguments=(),
        source="the circumference of a circle of diameter 1",
    ),
    Function("sin", slope="cos(x)", torch="torch.sin", latex=r"\sin", rule="derivative of the sine"),
    Function("cos", slope="-sin(x)", torch="torch.cos", latex=r"\cos", rule="derivative of the cosine"),
    Function(
        "cospi",
        slope="-pi*sin(pi*x)",
        torch="torch.cos(torch.mul({x}, torch.pi))",
        latex=r"\mathrm{cospi}",
        rule="derivative of the cosine of pi times x",
        formula="cos(pi*x)",
        cancels=True,
        source="IEEE 754-2019, section 9.2: exact where the cosine is rational",
    ),
    Function(
        "erf",
        slope="2/sqrt(pi)*exp(-x**2)",
        torch="torch.erf",
        latex=r"\mathrm{erf}",
        rule="derivative of the error function",
        source="Abramowitz and Stegun, 7.1.1",
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
        "floor",
        slope="0",
        torch="torch.floor",
        latex=r"\mathrm{floor}",
        rule="constant between whole numbers",
        source="the greatest whole number that is not above x",
        kinks=("floor(x)",),
    ),
    Function(
        "max",
        slope="(1 + sign(x - y))/2",
        slopes={"y": "(1 - sign(x - y))/2"},
        torch="torch.maximum",
        latex=r"\max",
        rule="the larger one passes its derivative on, half each where both are equal",
        arguments=("x", "y"),
        source="torch.maximum",
        kinks=("y",),
    ),
    Function(
        "min",
        slope="(1 - sign(x - y))/2",
        slopes={"y": "(1 + sign(x - y))/2"},
        torch="torch.minimum",
        latex=r"\min",
        rule="the smaller one passes its derivative on, half each where both are equal",
        arguments=("x", "y"),
        source="torch.minimum",
        kinks=("y",),
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
        "same",
        slope="0",
        slopes={"y": "0"},
        torch="torch.eq({x}, {y}).double()",
        latex=r"\mathrm{same}",
        rule="1 where both are equal, else 0: constant",
        formula="1 - abs(sign(x - y))",
        arguments=("x", "y"),
        source="Kronecker's delta",
        kinks=("y",),
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
        "clamp",
        slope="1 - step(lo - x) - step(x - hi)",
        torch="torch.clamp",
        latex=r"\mathrm{clamp}",
        rule="1 between the limits and on them, 0 outside",
        formula="x + (lo - x)*step(lo - x) - (x - hi)*step(x - hi)",
        arguments=("x", "lo", "hi"),
        kinks=("lo", "hi"),
        source="torch.clamp",
    ),
    Function(
        "hardtanh",
        slope="step(x - lo) + step(hi - x) - 1",
        torch="torch.nn.functional.hardtanh",
        latex=r"\mathrm{hardtanh}",
        rule="1 between the limits, 0 on them and outside",
        formula="x + (lo - x)*(1 - step(x - lo)) - (x - hi)*(1 - step(hi - x))",
        arguments=("x", "lo", "hi"),
        defaults={"lo": "-1", "hi": "1"},
        kinks=("lo", "hi"),
        source="Collobert 2004",
    ),
    Function(
        "leaky_relu",
        slope="step(x) + a*(1 - step(x))",
        torch="torch.nn.functional.leaky_relu",
        latex=r"\mathrm{LeakyReLU}",
        rule="1 for positive arguments, else the small slope, also at 0",
        formula="x*step(x) + a*x*(1 - step(x))",
        arguments=("x", "a"),
        defaults={"a": "0.01"},
        kinks=("0",),
        smooth="a - 1",
        source="Maas, Hannun and Ng 2013",
    ),
    Function(
        "elu",
        slope="step(x) + a*exp(x)*(1 - step(x))",
        torch="torch.nn.functional.elu",
        latex=r"\mathrm{ELU}",
        rule="1 for positive arguments, else a times the exponential, also at 0",
        formula="x*step(x) + a*(exp(x) - 1)*(1 - step(x))",
        arguments=("x", "a"),
        defaults={"a": "1"},
        kinks=("0",),
        smooth="a - 1",
        cancels=True,
        source="Clevert, Unterthiner and Hochreiter 2016",
    ),
    Function(
        "selu",
        slope="1.0507009873554804934193349852946*(step(x) + "
        "1.6732632423543772848170429916717*exp(x)*(1 - step(x)))",
        torch="torch.nn.functional.selu",
        latex=r"\mathrm{SELU}",
        rule="derivative of the scaled exponential linear unit",
        formula="1.0507009873554804934193349852946*(x*step(x) + "
        "1.6732632423543772848170429916717*(exp(x) - 1)*(1 - step(x)))",
        kinks=("0",),
        cancels=True,
        source="Klambauer and others 2017",
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
    Function(
        "gelu",
        slope="(1 + erf(x/sqrt(2)))/2 + x*exp(-x**2/2)/sqrt(2*pi)",
        torch="torch.nn.functional.gelu",
        latex=r"\mathrm{GELU}",
        rule="product rule on x times the normal distribution function",
        formula="x*(1 + erf(x/sqrt(2)))/2",
        cancels=True,
        source="Hendrycks and Gimpel 2016, exact form",
    ),
    Function(
        "gelu_tanh",
        slope="(1 + tanh(sqrt(2/pi)*(x + 0.044715*x**3)))/2 + x/2*(1 - tanh(sqrt(2/pi)*"
        "(x + 0.044715*x**3))**2)*sqrt(2/pi)*(1 + 0.134145*x**2)",
        torch="torch.nn.functional.gelu({x}, approximate='tanh')",
        latex=r"\mathrm{GELUtanh}",
        rule="product rule on x times the approximated normal distribution function",
        formula="x*(1 + tanh(sqrt(2/pi)*(x + 0.044715*x**3)))/2",
        cancels=True,
        source="Hendrycks and Gimpel 2016, tanh form",
    ),
    Function(
        "silu",
        slope="sigmoid(x)*(1 + x*(1 - sigmoid(x)))",
        torch="torch.nn.functional.silu",
        latex=r"\mathrm{SiLU}",
        rule="product rule on x times the logistic function",
        formula="x*sigmoid(x)",
        source="Elfwing, Uchibe and Doya 2018; Swish with beta = 1",
    ),
    Function(
        "softplus",
        slope="sigmoid(x)",
        torch="torch.nn.functional.softplus({x}, threshold=500)",
        latex=r"\mathrm{softplus}",
        rule="the derivative of softplus is the logistic function",
        formula="log(1 + exp(x))",
        source="Dugas and others 2001; torch cuts it off above its threshold, 20 unless told otherwise",
    ),
    Function(
        "softsign",
        slope="1/(1 + abs(x))**2",
        torch="torch.nn.functional.softsign",
        latex=r"\mathrm{softsign}",
        rule="derivative of x over 1 plus its absolute value",
        formula="x/(1 + abs(x))",
        source="Bergstra and others 2009",
    ),
    Function(
        "huber",
        slope="clamp(x, -d, d)",
        torch="torch.nn.functional.huber_loss({x}, torch.zeros_like({x}), delta={d}, reduction='none')",
        latex=r"\mathrm{Huber}",
        rule="the derivative of the Huber loss is the residual, cut off at both limits",
        formula="x**2/2 - (x - d)**2/2*step(x - d) - (x + d)**2/2*step(-x - d)",
        arguments=("x", "d"),
        defaults={"d": "1"},
        source="Huber 1964: half the square up to d, d times (the absolute value less d/2) beyond",
    ),
    Function(
        "smooth_l1",
        slope="clamp(x, -b, b)/b",
        torch="torch.nn.functional.smooth_l1_loss({x}, torch.zeros_like({x}), beta={b}, reduction='none')",
        latex=r"\mathrm{SmoothL1}",
        rule="the residual over b, cut off at -1 and 1",
        formula="huber(x, b)/b",
        arguments=("x", "b"),
        defaults={"b": "1"},
        source="Girshick 2015: the Huber loss with limit b, divided by b",
    ),
    Function(
        "log_cosh",
        slope="tanh(x)",
        torch="torch.sub(torch.logaddexp({x}, torch.neg({x})), 0.6931471805599453)",
        latex=r"\mathrm{logcosh}",
        rule="derivative of the logarithm of the hyperbolic cosine",
        formula="log((exp(x) + exp(-x))/2)",
        cancels=True,
        source="the logarithm of the hyperbolic cosine; torch has no function of its own",
    ),
    Function(
        "hinge",
        slope="-step(1 - x)",
        torch="torch.relu(torch.rsub({x}, 1))",
        latex=r"\mathrm{hinge}",
        rule="-1 below the margin 1, 0 from there on",
        formula="max(0, 1 - x)",
        kinks=("1",),
        source="Cortes and Vapnik 1995",
    ),
    Function(
        "softmax",
        slope="",
        torch="torch.softmax",
        latex=r"\mathrm{softmax}",
        rule="exponentials over their sum",
        formula="exp(x)/sum(exp(x), k)",
        over=True,
        source="Bridle 1990",
    ),
    Function(
        "log_softmax",
        slope="",
        torch="torch.log_softmax",
        latex=r"\mathrm{logsoftmax}",
        rule="the argument less the logarithm of the sum of exponentials",
        formula="x - log(sum(exp(x), k))",
        over=True,
        source="torch.log_softmax",
    ),
    Function(
        "logsumexp",
        slope="",
        torch="torch.logsumexp",
        latex=r"\mathrm{logsumexp}",
        rule="the logarithm of the sum of exponentials",
        formula="log(sum(exp(x), k))",
        over=True,
        source="torch.logsumexp",
    ),
)
BY_NAME = {row.name: row for row in FUNCTIONS}
NAMES = frozenset(BY_NAME)


def torch_expression(row: Function, arguments: Sequence[str]) -> str:
    """The torch code of a call: ``torch.maximum(a, b)``, ``torch.sign(torch.relu(z))``."""
    if "{" in row.torch:
        return row.torch.format(**dict(zip(row.arguments, arguments, strict=True)))
    if not row.arguments:
        return row.torch
    first, *rest = row.torch.split()
    return reduce(lambda inner, name: f"{name}({inner})", rest, f"{first}({', '.join(arguments)})")
