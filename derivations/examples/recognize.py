"""Which rows of the catalogue a model uses: layers and losses, recognized by their formulas."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from derivations.catalogue import functions
from derivations.catalogue.layers import LAYERS, Layer
from derivations.catalogue.losses import LOSSES, Loss
from derivations.examples.example import Example
from derivations.language.match import match
from derivations.language.parser import parse
from derivations.language.program import Equation
from derivations.language.tree import Ref


@dataclass(frozen=True)
class Recognized:
    """An equation that is a row: its torch class, and which quantity plays which part."""

    kind: str
    row: Layer | Loss
    torch: str
    arguments: str
    input: str
    target: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    features: int = 0


def recognize(example: Example) -> dict[str, Recognized]:
    """The recognized equations by the name of their target."""
    found: dict[str, Recognized] = {}
    for eq in example.forward:
        row = _loss(eq) if eq.target.name == example.loss else _layer(eq, example)
        if row is not None:
            found[eq.target.name] = row
    return found


def _loss(eq: Equation) -> Recognized | None:
    for row in LOSSES:
        parts = match(parse(row.equation, functions.NAMES), eq.body)
        if parts is not None and _whole(parts):
            return Recognized("loss", row, row.torch, row.arguments, parts["a"].name, parts["b"].name)
    return None


def _whole(parts: Mapping[str, Ref]) -> bool:
    return all(isinstance(part, Ref) for ref in parts.values() for part in ref.indices)


def _layer(eq: Equation, example: Example) -> Recognized | None:
    for row in LAYERS:
        parts = match(parse(row.equation, functions.NAMES), eq.body)
        if parts is None or not _fits(row, parts, example):
            continue
        names = {attribute: parts[name].name for attribute, name in row.parameters.items()}
        size = example.start[names["weight"]].shape[0] if row.features else 0
        arguments = row.arguments.format(**{row.features: size}) if row.features else row.arguments
        return Recognized("layer", row, row.torch, arguments, parts["x"].name, "", names, size)
    return None


def _fits(row: Layer, parts: Mapping[str, Ref], example: Example) -> bool:
    """The weights are parameters, the input is not, and one index is the samples'."""
    weights = {parts[name].name for name in row.parameters.values()}
    inputs = parts["x"]
    sample_first = bool(inputs.indices) and inputs.indices[0] == Ref(example.sample or "")
    return weights <= set(example.start) and inputs.name not in example.start and sample_first


def unmatched(example: Example, found: Mapping[str, Recognized]) -> list[str]:
    """The names of the equations for which torch has no layer or loss of its own."""
    return [eq.target.name for eq in example.forward if eq.target.name not in found]
