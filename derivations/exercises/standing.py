"""What the names of a slip stand for in the equations of an example (see `derivations.catalogue.slip`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction

from derivations.catalogue.activations import ACTIVATIONS
from derivations.catalogue.sample_losses import SAMPLE_LOSSES
from derivations.language.names import adjoint, after
from derivations.language.patterns import Standing
from derivations.language.program import Equation
from derivations.language.tree import Call, Div, Expr, Number, Ref, Sum, refs
from derivations.model.example import Example

Kind = Callable[[Expr], bool]
ACTIVATION = {row.name for row in ACTIVATIONS} - {row.name.removesuffix("_loss") for row in SAMPLE_LOSSES}
SMALL = Fraction(1, 10)


def standing(example: Example) -> Standing:
    """Whether a name of a slip may stand for an expression of the example; any other name for anything."""
    kinds = _kinds(example)
    return lambda name, expr: kinds[name](expr) if name in kinds else True


def parameters_of(example: Example) -> set[str]:
    """The parameters, and those shifted to where the gradient is taken."""
    return {*example.parameters, *(eq.target.name for eq in example.rule.ahead)}


def depending(equations: Iterable[Equation], on: Iterable[str]) -> set[str]:
    """Some quantities, and all that are computed from them."""
    found = set(on)
    read = [(eq.target.name, {ref.name for ref in refs(eq.body)}) for eq in equations]
    while new := {name for name, names in read if name not in found and names & found}:
        found |= new
    return found


def _kinds(example: Example) -> Mapping[str, Kind]:
    own = parameters_of(example)
    gradients = {adjoint(example.loss, name) for name in example.parameters}
    learnt, sloped = depending(example.forward, own), depending(example.update, gradients)
    numbers = {*example.hyper, *example.rule.clock}
    sums = {eq.target.name for eq in example.forward if _is_sum_of_exp(eq.body)}
    small = {name for name in {*example.hyper, *example.data} if name.startswith("eps")}
    rates = {name for name in {*example.hyper, *example.update.targets} if name.startswith("lr")}
    return {
        "x": lambda expr: any(ref.name not in numbers for ref in refs(expr)),
        "yhat": lambda expr: any(ref.name in learnt for ref in refs(expr)),
        "g": lambda expr: any(ref.name in sloped for ref in refs(expr)),
        "y": _entry_of(example.data),
        "theta": _entry_of(own),
        "theta'": _entry_of(after(name) for name in own),
        "W": _entry_of(name for name, array in example.start.items() if len(set(array.shape)) == 1),
        "s": _entry_of(sums),
        "L": _entry_of([example.loss]),
        "lr": _entry_of(rates),
        "eps": lambda expr: _entry_of(small)(expr) or _is_small(expr),
        "f": lambda expr: isinstance(expr, Call) and expr.function in ACTIVATION,
        "t": _entry_of(example.rule.clock),
        "m'": _entry_of(after(name) for name in example.states),
    }


def _entry_of(names: Iterable[str]) -> Kind:
    known = frozenset(names)
    return lambda expr: isinstance(expr, Ref) and expr.name in known


def _is_small(expr: Expr) -> bool:
    """Whether an expression is a number that may be an epsilon: 1/16, not 1."""
    match expr:
        case Number(value):
            return value <= SMALL
        case Div(Number(above), Number(below)):
            return above <= SMALL * below
    return False


def _is_sum_of_exp(expr: Expr) -> bool:
    return isinstance(expr, Sum) and isinstance(expr.body, Call) and expr.body.function == "exp"
