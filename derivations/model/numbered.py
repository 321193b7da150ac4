"""An index that is read as a number: of a sample it is its number in the data set, not its place in a batch.

Between the brackets of ``x[i]`` the letter is a place; in ``a + b*i`` and ``same(i, 3)`` it is a number.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from derivations.language.program import Equation, Program
from derivations.language.tree import (
    REDUCTIONS,
    Chosen,
    Expr,
    Ref,
    number,
    rename_index,
    transform,
    values,
    walk,
)


def numbered_letters(program: Program, axes: Mapping[str, int], sample: str | None) -> frozenset[str]:
    """The letters that run along the samples, if one of them is read as a number; else none.

    ``axes`` are the samples' axes of the data; those of computed quantities follow from their equations.
    """
    along, letters = set(axes.items()), {sample} if sample else set()
    before = -1
    while before != len(along) + len(letters):
        before = len(along) + len(letters)
        for eq in program:
            along |= {
                (eq.target.name, at) for at, part in enumerate(eq.target.indices) if _name(part) in letters
            }
            letters |= {_name(part) for name, at, part in _places(eq) if (name, at) in along} - {""}
    read = {
        node.name for eq in program for node in values(eq.body) if isinstance(node, Ref) and not node.indices
    }
    return frozenset(letters if letters & read else ())


def _places(eq: Equation) -> list[tuple[str, int, Expr]]:
    nodes = [node for part in (eq.target, eq.body) for node in walk(part) if isinstance(node, Ref)]
    return [(node.name, at, part) for node in nodes for at, part in enumerate(node.indices)]


def _name(part: Expr) -> str:
    return part.name if isinstance(part, Ref) and not part.indices else ""


def as_numbers(env: Mapping[str, int], letters: Collection[str], samples: tuple[int, ...]) -> dict[str, int]:
    """The places of letters as the numbers that they are read as."""
    return {name: samples[at - 1] if name in letters and samples else at for name, at in env.items()}


def at_places(expr: Expr, env: Mapping[str, int], letters: Collection[str], samples: tuple[int, ...]) -> Expr:
    """An expression with whole numbers for letters: places between brackets, numbers elsewhere."""
    numbers = as_numbers(env, letters, samples)

    def rule(node: Expr) -> Expr | None:
        if isinstance(node, Ref):
            return number(numbers[node.name]) if not node.indices and node.name in numbers else node
        if isinstance(node, (*REDUCTIONS, Chosen)) and node.index in numbers:
            inner = {name: place for name, place in env.items() if name != node.index}
            return at_places(node, inner, letters, samples)
        return None

    read = transform(expr, rule) if any(name in letters for name in env) else expr
    return rename_index(read, {name: number(place) for name, place in env.items()})
