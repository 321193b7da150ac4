"""The equations of a layer's row, with the names, indices and arguments of a model put in."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

from derivations.catalogue import functions
from derivations.language.parser import Assignment, parse, parse_program
from derivations.language.ranges import short
from derivations.language.tree import (
    REDUCTIONS,
    Add,
    Count,
    Expr,
    Mul,
    Ref,
    children,
    number,
    rebuild,
    walk,
)
from derivations.numbers.systems import EXACT, fraction
from derivations.numbers.walker import NOWHERE, evaluated

REST, PLACE = "rest", "place"  # what ``...`` is read as; the number of an entry among those indices
FIELD = re.compile(r"\{(\w+)(?:\[(\d)\])?\}")
OPTION = re.compile(r"\{(not )?(\w+):([^{}]*)\}")


def filled(text: str, values: Mapping[str, Any]) -> str:
    """The text with the values of ``{stride}`` and ``{padding[0]}``, and the pieces ``{bias:...}`` in use."""

    def value(found: re.Match[str]) -> str:
        known = values[found[1]]
        return str(known[int(found[2])] if found[2] else known)

    def piece(found: re.Match[str]) -> str:
        return found[3] if bool(values[found[2]]) != bool(found[1]) else ""

    text = FIELD.sub(value, text)
    while OPTION.search(text):
        text = OPTION.sub(piece, text)
    return text


def count_of(text: str, values: Mapping[str, Any]) -> Fraction:
    """How many values an index takes, from a formula in arguments and sizes."""
    return fraction(evaluated(parse(filled(text, values), functions.NAMES), NOWHERE, EXACT))


@dataclass(frozen=True)
class Template:
    """The lines of a row for certain arguments, and the patterns of its inputs."""

    lines: tuple[Assignment, ...]
    inputs: Mapping[str, tuple[str, ...]]
    shapes: Mapping[str, tuple[str, ...]]

    @cached_property
    def targets(self) -> tuple[str, ...]:
        """What the lines compute, in order."""
        return tuple(dict.fromkeys(line.target.name for line in self.lines))

    @cached_property
    def letters(self) -> tuple[str, ...]:
        """The indices, those of the inputs first, without those that ``...`` stands for."""
        named = [part for pattern in self.inputs.values() for part in pattern]
        parts = [node for ref in self._reads for part in ref.indices for node in walk(part)]
        inside = [node.name for node in parts if isinstance(node, Ref) and not node.indices]
        found = dict.fromkeys([*named, *inside])
        return tuple(letter for letter in found if letter not in (REST, PLACE))

    @cached_property
    def used(self) -> frozenset[str]:
        """The letters that the lines really have."""
        nodes = [node for line in self.lines for side in (line.target, line.body) for node in walk(side)]
        bound = {node.index for node in nodes if isinstance(node, REDUCTIONS)}
        return frozenset({node.name for node in nodes if isinstance(node, Ref)} | bound) & set(self.letters)

    @cached_property
    def parameters(self) -> dict[str, tuple[str, ...]]:
        """What is neither computed nor an input, with the indices of its shape."""
        known = {*self.targets, *self.inputs, *self.letters, REST, PLACE}
        found: dict[str, tuple[str, ...]] = {}
        for ref in self._reads:
            if ref.name not in known:
                letters = tuple(part.name for part in ref.indices if isinstance(part, Ref))
                found.setdefault(ref.name, self.shapes.get(ref.name, letters))
        return found

    @property
    def _reads(self) -> list[Ref]:
        nodes = [node for line in self.lines for side in (line.target, line.body) for node in walk(side)]
        return [node for node in nodes if isinstance(node, Ref) and node.name]


def template(equations: str, inputs: Mapping[str, str], shapes: Mapping[str, str]) -> Template:
    """Read a row's filled equations."""
    lines = parse_program(equations.replace("...", REST), functions.NAMES)
    patterns = {name: tuple(re.findall(r"\w+", text.replace("...", REST))) for name, text in inputs.items()}
    own = {name: tuple(re.findall(r"\w+", text)) for name, text in shapes.items()}
    return Template(tuple(lines), patterns, own)


@dataclass(frozen=True)
class Names:
    """What the names and indices of a template are in a model; ``rest`` are the indices ``...``."""

    quantities: Mapping[str, str]
    letters: Mapping[str, str]
    rest: tuple[str, ...]
    sizes: Mapping[str, int]


def put_in(expr: Expr, names: Names) -> Expr:
    """An expression of a template in the names of a model, index expressions as short as they can be."""
    if isinstance(expr, REDUCTIONS):
        body = put_in(expr.body, names)
        for bound in reversed(names.rest if expr.index == REST else (names.letters[expr.index],)):
            body = type(expr)(body, bound)
        return body
    match expr:
        case Count(letter):
            return Count(names.letters[letter])
        case Ref(name, ()) if name == PLACE:
            return _place(names)
        case Ref(name, ()) if name in names.letters and name not in names.quantities:
            return Ref(names.letters[name])
        case Ref(name, indices):
            parts = [part for index in indices for part in _index(index, names)]
            return Ref(names.quantities[name], tuple(parts), padded=expr.padded)
    found = rebuild(expr, tuple(put_in(part, names) for part in children(expr)))
    return short(found) if _is_index(expr, names) else found


def _is_index(expr: Expr, names: Names) -> bool:
    nodes = [node for node in walk(expr) if isinstance(node, Ref)]
    own = all(node.name in names.letters and not node.indices for node in nodes)
    return bool(nodes) and own and isinstance(expr, (Add, Mul))


def _index(part: Expr, names: Names) -> Sequence[Expr]:
    if part == Ref(REST):
        return [Ref(letter) for letter in names.rest]
    return [short(put_in(part, names))]


def _place(names: Names) -> Expr:
    """``6*(c - 1) + 2*(p - 1) + q`` as one sum."""
    parts: list[Expr] = []
    step = 1
    for letter in reversed(names.rest):
        parts.append(Mul((number(step), Add((Ref(letter), number(-1))))))
        step *= names.sizes[letter]
    return short(Add((*reversed(parts), number(1))))
