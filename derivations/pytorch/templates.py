"""Formulas of `derivations.catalogue.operations` as text, and their patterns held against arrays."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from derivations.pytorch.axes import Axis, CannotSay, View

WORD = re.compile(r"[A-Za-z]\w*")
ALL, CHOSEN, REST = "...", "dim", "rest"


def words(text: str) -> set[str]:
    """The names that a formula mentions."""
    return set(WORD.findall(text))


def target_of(text: str) -> tuple[str, list[str]]:
    """The name and the parts between its brackets."""
    stem, _, inside = text.partition("[")
    return stem, split(inside.removesuffix("]"))


def split(text: str) -> list[str]:
    """Cut at the commas that stand in no bracket."""
    parts, depth = [""], 0
    for sign in text:
        depth += (sign in "([") - (sign in ")]")
        if sign == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += sign
    return [part.strip() for part in parts if part.strip()]


def closing(text: str, at: int) -> int:
    """The place of the bracket that closes the one at a place."""
    depth = 0
    for place in range(at, len(text)):
        depth += (text[place] in "([") - (text[place] in ")]")
        if depth == 0:
            return place
    raise ValueError(f"a bracket is not closed: {text}")


def number_text(value: float) -> str:
    """A number of Python as it is written, in brackets if it is negative."""
    exact = Decimal(repr(value))
    if not exact.is_finite():
        raise CannotSay(f"the number {value}")
    shown = format(exact, "f").removesuffix(".0")
    return f"({shown})" if exact < 0 else shown


def reads(text: str) -> Iterator[tuple[str, list[str]]]:
    """Every ``name[...]`` of the bodies of a formula, those inside brackets too."""
    for line in text.splitlines():
        body = line.partition(" = ")[2]
        for match in re.finditer(r"([A-Za-z]\w*)\[", body):
            yield match[1], split(body[match.end() : closing(body, match.end() - 1)])


def matched(operand: View, parts: Sequence[str]) -> Iterator[tuple[str, Sequence[Axis]]]:
    """The axes of an operand that each word of a pattern stands for."""
    rank, named = len(operand.axes), len(parts) - (ALL in parts)
    if CHOSEN in parts:
        return
    if rank < named or (rank > named and ALL not in parts):
        raise CannotSay(f"{rank} axes where {', '.join(parts)} are expected")
    at = 0
    for part in parts:
        length = rank - named if part == ALL else 1
        if part == ALL or part.isalpha():
            yield part, operand.axes[at : at + length]
        at += length


def columns(found: Sequence[Sequence[Axis]]) -> list[list[Axis]]:
    """The axes of several operands side by side, aligned at the last one as torch broadcasts."""
    rank = max(map(len, found))
    columns: list[list[Axis]] = [[] for _ in range(rank)]
    for axes in found:
        for place, axis in enumerate(axes, rank - len(axes)):
            columns[place].append(axis)
    return columns


def spread(parts: Sequence[str], rank: int, env: Mapping[str, list[Axis]]) -> list[str | Axis]:
    """A pattern axis by axis: letters as the equation's axes, everything else as text."""
    found: list[str | Axis] = []
    for part in parts:
        if part == ALL:
            length = rank - (len(parts) - 1)
            found += env[ALL][len(env[ALL]) - length :]
        else:
            found += env.get(part, [part])
    return found
