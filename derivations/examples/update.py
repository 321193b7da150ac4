"""An optimizer's row as the update program of the parameters at hand."""

from __future__ import annotations

from collections.abc import Mapping

from derivations.catalogue import functions
from derivations.catalogue.optimizers import Optimizer
from derivations.language.backward import adjoint
from derivations.language.parser import Assignment, parse_program
from derivations.language.program import Equation, Program
from derivations.language.tree import Expr, Ref, index, refs, transform


def after(name: str) -> str:
    """The name of a quantity after the update: ``w'``."""
    return f"{name}'"


def state_name(state: str, parameter: str) -> str:
    """The name of an optimizer's state for one parameter: ``m_w``."""
    return f"{state}_{parameter}"


def states_of(row: Optimizer) -> tuple[str, ...]:
    """The state of a row: what is read before it is written, besides theta, g, t and the knobs."""
    written: set[str] = set()
    found: dict[str, None] = {}
    for line in _lines(row):
        for ref in refs(line.body):
            if ref.name not in written and ref.name not in {"theta", "g", "t", *row.hyper}:
                found[ref.name] = None
        written.add(line.target.name)
    return tuple(found)


def _lines(row: Optimizer) -> list[Assignment]:
    return parse_program(row.equations, functions.NAMES)


def instantiate(
    row: Optimizer, axes: Mapping[str, tuple[str, ...]], loss: str
) -> tuple[Program, dict[str, str]]:
    """The row's equations for every parameter, and the state that they keep with its parameter.

    ``axes`` are the index names of each parameter.
    ``theta = theta - lr*g`` becomes ``w' = w - lr*dL/dw``; what a row writes and later reads is
    read in its new version.
    """
    states = states_of(row)
    equations = [eq for name, names in axes.items() for eq in _for_parameter(row, states, name, names, loss)]
    kept = {state_name(state, name): name for name in axes for state in states}
    indices = frozenset(name for names in axes.values() for name in names)
    return Program(tuple(equations), indices), kept


def _for_parameter(
    row: Optimizer, states: tuple[str, ...], parameter: str, axes: tuple[str, ...], loss: str
) -> list[Equation]:
    at = tuple(index(name) for name in axes)
    names = {"theta": parameter, "g": adjoint(loss, parameter)}
    names |= {state: state_name(state, parameter) for state in states}
    found = []
    for line in _lines(row):
        body = _named(line.body, names, at)
        own = parameter if line.target.name == "theta" else state_name(line.target.name, parameter)
        kept = line.target.name == "theta" or line.target.name in states
        new = after(own) if kept else own
        names = {**names, line.target.name: new}
        found.append(Equation(Ref(new, at), body))
    return found


def _named(expr: Expr, names: Mapping[str, str], at: tuple[Expr, ...]) -> Expr:
    def rule(node: Expr) -> Expr | None:
        if isinstance(node, Ref) and node.name in names:
            return Ref(names[node.name], at)
        return None

    return transform(expr, rule)
