"""``[model] layers`` become equations: names, indices and start values for rows of the catalogue.

``["Linear(2, 3)", "Tanh()"]`` is ``z1[i, j] = sum(W1[j, k]*x[i, k], k) + b1[j]`` and
``yhat[i, j] = tanh(z1[i, j])``. The text of these equations stands before the author's own, and every
reader of a model reads them alike.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from derivations.catalogue import functions
from derivations.language.errors import LanguageError
from derivations.language.parser import Assignment, parse_program
from derivations.language.program import Equation, Program
from derivations.language.ranges import is_letter, sizes_of
from derivations.language.tree import REDUCTIONS, Count, Ref, walk
from derivations.model.layers.chain import Chain
from derivations.model.layers.letters import Letters
from derivations.model.layers.placed import Placed
from derivations.model.layers.text import read_layer
from derivations.spec.arrays import Array
from derivations.spec.spec import Source, Spec, missing


@dataclass(frozen=True)
class Laid:
    """A spec whose layers are equations, with the arrays of its data and its parameters."""

    spec: Spec
    source: Source
    data: Mapping[str, Array]
    start: Mapping[str, Array]
    layers: tuple[Placed, ...] = ()


def with_layers(spec: Spec, source: Source, data: Mapping[str, Array], start: Mapping[str, Array]) -> Laid:
    """The spec with the equations of its layers in front; raises `SpecError` at the layer that is wrong."""
    if not spec.model.layers:
        if "parameters" not in spec.model_fields_set:
            raise missing(source, "parameters")
        return Laid(spec, source, data, start)
    try:
        lines = parse_program(spec.model.equations, functions.NAMES)
    except LanguageError as fault:
        raise source.misread(fault, "model", "equations") from None
    chain = _chain(spec, lines, data, start)
    current = spec.model.input
    for place, text in enumerate(spec.model.layers):
        last = place == len(spec.model.layers) - 1
        try:
            current = chain.add(read_layer(text), current, spec.model.output if last else "")
        except LanguageError as fault:
            raise source.misread(fault, "model", "layers", place) from None
    _check_given(chain, source, data, start)
    return _laid(spec, source, chain, data, start)


def _chain(
    spec: Spec, lines: list[Assignment], data: Mapping[str, Array], start: Mapping[str, Array]
) -> Chain:
    """What the author's own equations say: letters and their ranges, shapes, and how quantities are read."""
    arrays = {name: array.shape for name, array in {**data, **start}.items()}
    nodes = [node for line in lines for side in (line.target, line.body) for node in walk(side)]
    entries = [node for node in nodes if isinstance(node, Ref)]
    bound = {node.index for node in nodes if isinstance(node, (*REDUCTIONS, Count))}
    letters = bound | {p.name for ref in entries for p in ref.indices if isinstance(p, Ref) and is_letter(p)}
    program = Program(tuple(Equation(line.target, line.body) for line in lines), frozenset(letters))
    sizes = sizes_of(program, arrays, spec.model.ranges)
    read: dict[str, tuple[str, ...]] = {}
    for ref in entries:
        read.setdefault(ref.name, tuple(getattr(p, "name", "") if is_letter(p) else "" for p in ref.indices))
    own = {line.target.name: line.target.indices for line in lines}
    shapes = {
        name: tuple(sizes[p.name] for p in parts if isinstance(p, Ref))
        for name, parts in own.items()
        if all(isinstance(p, Ref) and p.name in sizes for p in parts)
    }
    taken = {*arrays, *(ref.name for ref in entries), *spec.model.ranges}
    known = Letters(read, sizes, taken, read.get(spec.model.output, ()))
    return Chain({**shapes, **arrays}, known, frozenset(arrays))


def _check_given(chain: Chain, source: Source, data: Mapping[str, Array], start: Mapping[str, Array]) -> None:
    for name, wanted in chain.parameters.items():
        for key, arrays in (("parameters", start), ("data", data)):
            if name in arrays and arrays[name].shape != wanted.shape:
                message = f"'{name}' has shape {arrays[name].shape}; {wanted.layer} needs {wanted.shape}"
                raise source.error(message, key, name)


def _laid(
    spec: Spec, source: Source, chain: Chain, data: Mapping[str, Array], start: Mapping[str, Array]
) -> Laid:
    before = "".join(f"{line}\n" for line in chain.lines)
    ranges = {**chain.letters.ranges, **spec.model.ranges}
    model = spec.model.model_copy(update={"equations": before + spec.model.equations, "ranges": ranges})
    frozen, learnt = dict(data), dict[str, Array]()
    for name, wanted in chain.parameters.items():
        if name in start:
            learnt[name] = start[name]
        elif name not in data:
            array = start_values(name, wanted.shape, wanted.start, spec.model.seed)
            (frozen if wanted.frozen else learnt)[name] = array
    return Laid(
        spec.model_copy(update={"model": model}),
        source.behind(len(before)),
        frozen,
        {**learnt, **start},
        tuple(chain.placed),
    )


def start_values(name: str, shape: tuple[int, ...], start: str, seed: int) -> Array:
    """Numbers of one decimal from -0.9 to 0.9 without 0, drawn for each name; or all the row's own.

    `random.Random` with the text ``seed/name`` gives them, so that they do not depend on other parameters.
    """
    count = len(tuple(Array(shape, ()).positions()))
    if start:
        return Array(shape, (Fraction(start),) * count)
    generator = random.Random(f"{seed}/{name}")
    drawn = [int(generator.random() * 18) - 9 for _ in range(count)]
    return Array(shape, tuple(Fraction(k if k < 0 else k + 1, 10) for k in drawn))
