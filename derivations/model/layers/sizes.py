"""How many values each index of a layer takes: from its arguments and the shapes of its inputs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import prod
from typing import Any, TypeAlias

from derivations.catalogue.layer import Layer
from derivations.language.errors import LanguageError
from derivations.model.layers.template import REST, Template, count_of, filled, template

Shape: TypeAlias = tuple[int, ...]


def spread(pattern: Sequence[str], shape: Shape) -> list[str]:
    """The letters along the axes of an input, those of ``...`` apart: ``rest0``, ``rest1``."""
    count = len(shape) - len(pattern) + (REST in pattern)
    each = [[f"{REST}{k}" for k in range(count)] if part == REST else [part] for part in pattern]
    return [letter for part in each for letter in part]


def fitted(
    row: Layer, arguments: Mapping[str, Any], inputs: Mapping[str, str], shapes: Mapping[str, Shape]
) -> tuple[Template, dict[str, int]]:
    """The template of a row for certain inputs, and the sizes of its letters.

    ``inputs`` are the quantities that the row reads. Raises `LanguageError` where sizes do not fit.
    """
    values = {**arguments, **{name: name in inputs for name in row.inputs}}
    patterns = {name: filled(row.inputs[name], values) for name in inputs}
    read = template("", patterns, row.shapes).inputs
    sizes: dict[str, int] = {}
    for name, pattern in read.items():
        _measure(row, name, inputs[name], pattern, shapes[inputs[name]], sizes)
    known = {**values, **sizes, REST: prod(n for letter, n in sizes.items() if letter.startswith(REST))}
    for letter, formula in row.sizes.items():
        found = count_of(formula, known)
        if found.denominator != 1 or found < 1:
            _refuse(row, formula, inputs, shapes)
        if sizes.get(letter, found) != found:
            quantity = next(inputs[name] for name, pattern in read.items() if letter in pattern)
            _differ(row, formula, found, quantity, shapes[quantity], sizes[letter])
        sizes[letter] = known[letter] = int(found)
    return template(filled(row.equations, known), patterns, row.shapes), sizes


def _measure(
    row: Layer, name: str, quantity: str, pattern: Sequence[str], shape: Shape, sizes: dict[str, int]
) -> None:
    """The sizes of an input's letters from its shape."""
    plain = len(pattern) - (REST in pattern)
    if len(shape) < plain or (len(shape) > plain and REST not in pattern):
        many = f"{'at least ' if REST in pattern else ''}{plain} {'index' if plain == 1 else 'indices'}"
        raise LanguageError(f"{row.name} takes an input of {many}; '{quantity}' has shape {shape}", at=0)
    for letter, size in zip(spread(pattern, shape), shape, strict=True):
        if sizes.setdefault(letter, size) != size:
            message = f"{row.name}: '{quantity}' has shape {shape}, which does not fit its other inputs"
            hint = f"'{name}' has {size} values where {sizes[letter]} are wanted."
            raise LanguageError(message, at=0, hint=hint)


def _refuse(row: Layer, formula: str, inputs: Mapping[str, str], shapes: Mapping[str, Shape]) -> None:
    shown = ", ".join(f"'{name}' has shape {shapes[name]}" for name in dict.fromkeys(inputs.values()))
    names = [name for name in dict.fromkeys(re.findall(r"[a-z_]{2,}", formula)) if name != "floor"]
    hint = f"This follows from {', '.join(names)}."
    raise LanguageError(f"{row.name}: the sizes do not fit: {shown}", at=0, hint=hint)


def _differ(row: Layer, formula: str, found: Fraction, quantity: str, shape: Shape, size: int) -> None:
    wanted = f"{found} values ({formula.strip('{}')})"
    message = f"{row.name} wants {wanted}, and '{quantity}' with shape {shape} has {size} there"
    raise LanguageError(message, at=0)
