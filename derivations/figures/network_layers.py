"""A network read off its equations: layers of units, the weights that lead to them, their biases.

A layer is a quantity with one index beside the sample's (or none) that is a sum of a weight times the
units before; what is made of it entry by entry, its activation, belongs to it.
"""

from __future__ import annotations

from dataclasses import dataclass

from derivations.language.program import Equation
from derivations.language.tree import Add, Expr, Mul, Ref, Sum, number, refs
from derivations.model.example import Example, sample_axes
from derivations.run.training import Step


@dataclass(frozen=True)
class Layer:
    """The units of one layer, by their entries; the weights that lead to each, and its bias."""

    units: tuple[Ref, ...]
    weights: tuple[tuple[Ref, ...], ...] = ()
    biases: tuple[Ref | None, ...] = ()


def layers_of(example: Example, step: Step) -> list[Layer]:
    """The layers of the network from its input; none if the equations are no such network."""
    sample, axes = example.sample, sample_axes(example)
    inputs = [n for n, axis in axes.items() if axis == 0 and len(example.data[n].shape) <= 2]
    name = next((n for n in inputs if sample and _dense(example, n, sample)), "")
    if sample is None or not name:
        return []
    layers = [Layer(_units(step, name))]
    while (eq := _dense(example, name, sample)) is not None:
        layers.append(_layer(eq, name, step, layers[-1].units))
        name = eq.target.name
        while (after := _entrywise(example, name, sample)) is not None:
            name = after.target.name
        units = _units(step, name)
        layers[-1] = Layer(units, layers[-1].weights, layers[-1].biases)
    return layers if len(layers) > 2 else []


def _units(step: Step, name: str) -> tuple[Ref, ...]:
    """The entries of a quantity for the first sample of a step."""
    entries = [at for own, at in step.layout.tape.slots if own == name and at[:1] == (1,)]
    return tuple(Ref(name, tuple(map(number, at))) for at in sorted(entries))


def _dense(example: Example, name: str, sample: str) -> Equation | None:
    """The equation that sums a weight times the units of a quantity."""
    for eq in example.forward:
        found = _weighted(eq, name)
        if found is not None and eq.target.indices[:1] == (Ref(sample),) and len(eq.target.indices) <= 2:
            return eq if found.name in {**example.start, **example.data} else None
    return None


def _weighted(eq: Equation, name: str) -> Ref | None:
    """The weight in ``sum(W[k, j]*x[i, j], j)`` or ``W[k]*x[i]``, if that is a term of the equation."""
    own = eq.target.indices
    for part in eq.body.terms if isinstance(eq.body, Add) else (eq.body,):
        product, summed = (part.body, (Ref(part.index),)) if isinstance(part, Sum) else (part, ())
        if isinstance(product, Mul) and len(product.factors) == 2 and own:
            pair = [factor for factor in product.factors if isinstance(factor, Ref)]
            units = [ref for ref in pair if ref == Ref(name, (own[0], *summed))]
            weights = [ref for ref in pair if ref not in units and {*ref.indices} == {*own[1:], *summed}]
            if len(units) == len(weights) == 1:
                return weights[0]
    return None


def _entrywise(example: Example, name: str, sample: str) -> Equation | None:
    """The equation that makes a quantity of this one entry by entry: an activation."""
    target = example.forward.targets[name].target
    for eq in example.forward:
        if eq.target.indices == target.indices and eq.target.name != name:
            computed = {ref for ref in refs(eq.body) if ref.name not in example.start}
            if computed == {target}:
                return eq
    return None


def _layer(eq: Equation, name: str, step: Step, before: tuple[Ref, ...]) -> Layer:
    """The weights and biases of each unit of a dense layer."""
    weight = _weighted(eq, name)
    assert weight is not None
    terms = eq.body.terms if isinstance(eq.body, Add) else ()
    bias = next(
        (part for part in terms if isinstance(part, Ref) and part.indices in ((), eq.target.indices[1:])),
        None,
    )
    units, weights, biases = _units(step, eq.target.name), [], []
    for unit in units:
        own = dict(zip(eq.target.indices, unit.indices, strict=True))
        weights.append(tuple(_at(weight, own, one) for one in before))
        biases.append(None if bias is None else _at(bias, own, unit))
    return Layer(units, tuple(weights), tuple(biases))


def _at(ref: Ref, own: dict[Expr, Expr], other: Ref) -> Ref:
    """An entry: letters of the unit by its numbers, the summed one by the number of the unit before."""
    return Ref(ref.name, tuple(own[part] if part in own else other.indices[1] for part in ref.indices))
