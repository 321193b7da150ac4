"""Which rows of the catalogue a model uses: layers and losses, recognized by their formulas."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache

from derivations.catalogue import functions
from derivations.catalogue.layer import WHOLE, Layer
from derivations.catalogue.layers import LAYERS
from derivations.catalogue.loss import Loss
from derivations.catalogue.losses import LOSSES
from derivations.language.names import is_part_of
from derivations.language.parser import parse
from derivations.language.program import Equation
from derivations.language.shortcuts import match, matches
from derivations.language.tree import Expr, Ref, Sum, transform, walk
from derivations.model.example import Example
from derivations.model.layers.placed import Placed
from derivations.model.layers.template import REST, Names, Template, filled, put_in, template


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
    placed: Placed | None = None


def recognize(example: Example) -> dict[str, Recognized]:
    """The recognized equations by the name of their target."""
    layers = [one for placed in example.layers for one in _usable(placed, example)]
    found = {placed.output: recognized_layer(placed) for placed in layers}
    inside = tuple(name for placed in example.layers for name in placed.targets)
    for eq in example.forward:
        if owner(eq.target.name, inside) is not None:
            continue
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
    """A row whose formula the equation is, over the samples if there are any."""
    rest = (example.sample,) if example.sample else ()
    for form in _forms(rest):
        for parts in matches(form.body, eq.body):
            if _fits(form, parts, example, rest):
                return recognized_layer(_placed(form, parts, example, eq.target.name))
    return None


def _fits(form: Form, parts: Mapping[str, Ref], example: Example, rest: tuple[str, ...]) -> bool:
    """The weights are parameters, the input is not, and its first index is the samples'."""
    weights = {parts[name].name for name in form.one.parameters}
    inputs = parts["x"]
    return (
        weights <= set(example.start)
        and inputs.name not in example.start
        and inputs.indices[: len(rest)] == tuple(map(Ref, rest))
    )


@dataclass(frozen=True)
class Form:
    """A row's formula for certain flags, as it stands with some indices of one value left out."""

    row: Layer
    flags: Mapping[str, bool]
    one: Template
    body: Expr
    left_out: tuple[str, ...]


@cache
def _forms(rest: tuple[str, ...]) -> tuple[Form, ...]:
    """Every way in which a model may write the rows of one line, sizes and flags."""
    rows = [row for row in LAYERS if row.packed and "\n" not in row.equations.strip() and not row.shapes]
    return tuple(form for row in rows for form in _forms_of(row, rest))


def _forms_of(row: Layer, rest: tuple[str, ...]) -> Iterator[Form]:
    sizes = {f"{{{key}}}" for key, default in row.arguments.items() if default is WHOLE}
    flags = [key for key, default in row.arguments.items() if isinstance(default, bool)]
    if not set(row.sizes.values()) <= sizes or len(sizes) + len(flags) < len(row.arguments):
        return
    for chosen in itertools.product((True, False), repeat=len(flags)):
        given = dict(zip(flags, chosen, strict=True))
        one = template(filled(row.equations, given), row.inputs, row.shapes)
        for count in range(len(row.sizes), -1, -1):
            for out in itertools.combinations(row.sizes, count):
                yield Form(row, given, one, _without(one, out, rest), out)


def _without(one: Template, out: tuple[str, ...], rest: tuple[str, ...]) -> Expr:
    """The right-hand side with some of its indices left out."""
    own = {letter: f"{letter}_" for letter in one.letters}  # no letter of the model
    quantities = {name: name for name in ("x", *one.parameters)}

    def rule(node: Expr) -> Expr | None:
        if isinstance(node, Sum) and node.index.rstrip("_") in out:
            return transform(node.body, rule)
        if isinstance(node, Ref):
            return replace(
                node, indices=tuple(p for p in node.indices if getattr(p, "name", "").rstrip("_") not in out)
            )
        return None

    return transform(put_in(one.lines[0].body, Names(quantities, own, rest, {})), rule)


def _placed(form: Form, parts: Mapping[str, Ref], example: Example, output: str) -> Placed:
    sizes = dict.fromkeys(form.left_out, 1)
    names = {symbol: parts[symbol].name for symbol in form.one.parameters}
    for symbol, letters in form.one.parameters.items():
        kept = [letter for letter in letters if letter not in form.left_out]
        sizes.update(zip(kept, example.start[names[symbol]].shape, strict=True))
    arguments = {form.row.sizes[letter].strip("{}"): size for letter, size in sizes.items()}
    given: dict[str, int | bool] = {**arguments, **form.flags}
    ordered = {key: given[key] for key in form.row.arguments}
    packed = {key: (names[symbol],) for key, symbol in form.row.packed.items() if symbol in names}
    cores = {"x": tuple(sizes[letter] for letter in form.one.inputs["x"] if letter != REST)}
    return Placed(form.row, ordered, {"x": parts["x"].name}, output, (output,), names, packed, cores)


def recognized_layer(placed: Placed) -> Recognized:
    """A layer with torch's name and arguments for it, as code."""
    row, core = placed.row, placed.cores.get("x") or ()
    shown = {k: v for k, v in placed.for_torch.items() if v != row.arguments.get(k)}
    arguments = ", ".join(f"{key}={value!r}" for key, value in shown.items())
    parameters = {attribute: names[0] for attribute, names in placed.packed.items()}
    features = core[0] if len(core) == 1 else 0
    return Recognized(
        "layer", row, row.torch, arguments, placed.inputs["x"], "", parameters, features, placed
    )


def _usable(placed: Placed, example: Example) -> list[Placed]:
    """The largest layers that torch can work as a whole: nothing inside is read elsewhere."""
    if placed.row.inner:  # what is inside has its own witnesses
        own = replace(placed, targets=(placed.output,), parts=())
        return [own, *(found for part in placed.parts for found in _usable(part, example))]
    inside = set(placed.targets) - {placed.output}
    outside = [eq for eq in example.forward if owner(eq.target.name, placed.targets) is None]
    read = {node.name for eq in outside for node in walk(eq.body) if isinstance(node, Ref)}
    if placed.has_witness and not read & inside:
        return [placed]
    return [found for part in placed.parts for found in _usable(part, example)]


def owner(name: str, targets: tuple[str, ...]) -> str | None:
    """The quantity whose equation an equation is part of: a sum that was taken out is ``z1_s1``."""
    own = [target for target in targets if is_part_of(name, target)]
    return own[0] if own else None


def unmatched(example: Example, found: Mapping[str, Recognized]) -> list[str]:
    """The names of the equations for which torch has no layer or loss of its own."""
    placed = [row.placed for row in found.values() if row.placed]
    known = (*found, *(name for one in placed for name in one.targets), *_functions(example.layers))
    names = dict.fromkeys(eq.target.name for eq in example.forward)
    return [name for name in names if owner(name, known) is None]


def _functions(layers: Iterable[Placed]) -> Iterator[str]:
    """What is a function of torch, which every pass of a witness uses."""
    for placed in layers:
        if placed.row.function:
            yield placed.output
        yield from _functions(placed.parts)
