"""What the equations of a row say by themselves: their form for a parameter, what each parameter owns."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from derivations.catalogue import functions
from derivations.catalogue.algorithm import Optimizer
from derivations.language.parser import Assignment, parse_program
from derivations.language.tree import Ref, refs, walk
from derivations.model.partial import without_indices

OWN = frozenset({"theta", "g", "h"})  # what each parameter has of its own


def vanishing(row: Optimizer, values: Mapping[str, Fraction]) -> dict[str, Fraction]:
    """The hyper-parameters that are put in as numbers: flags, and what is 0 and would be anyway."""
    return {
        name: value
        for name, value in values.items()
        if name in row.flags or (value == 0 and row.hyper[name] == "0")
    }


def lines_of(row: Optimizer, axes: tuple[str, ...]) -> list[Assignment]:
    """The row's equations for a parameter with these indices."""
    matrix = len(axes) == 2 and row.matrix
    lines = parse_program(row.matrix if matrix else row.equations, functions.NAMES)
    missing = frozenset(letters(lines)[len(axes) :])
    return without_indices(lines, missing) if missing else lines


def letters(lines: list[Assignment]) -> list[str]:
    """The letters that name the entries of a parameter in a row; none if it speaks of every entry."""
    theta = next(line.target for line in lines if line.target.name == "theta")
    return [part.name for part in theta.indices if isinstance(part, Ref)]


def index_letters(lines: list[Assignment]) -> list[str]:
    """Every letter that stands between brackets, in order."""
    nodes = (node for line in lines for side in (line.target, line.body) for node in walk(side))
    found = (part for node in nodes if isinstance(node, Ref) for part in node.indices)
    return list(dict.fromkeys(part.name for part in found if isinstance(part, Ref)))


def along(lines: list[Assignment], state: str) -> list[bool]:
    """Which indices of the parameter a state has too."""
    target = next(line.target for line in lines if line.target.name == state)
    return [Ref(letter) in target.indices for letter in letters(lines)]


def owned(lines: list[Assignment]) -> frozenset[str]:
    """What differs from parameter to parameter: all that depends on a parameter or its gradient."""
    found, before = set(OWN), set[str]()
    while found != before:
        before = set(found)
        found |= {line.target.name for line in lines if found & {ref.name for ref in refs(line.body)}}
    return frozenset(found)
