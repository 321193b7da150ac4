"""A graph in layers: who reads whom, which column each quantity stands in, and in which order.

Sugiyama, Tagawa and Toda 1981: layers by the longest way, a place of its own for every layer that an
arrow passes, and neighbours drawn to the mean place of what they are joined with.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import TypeAlias

from derivations.language.ranges import is_letter
from derivations.language.tree import refs
from derivations.model.example import Example

Spot: TypeAlias = tuple[str, ...]  # a quantity, or (start, end, layer) where an arrow passes
SWEEPS = 8


@dataclass(frozen=True)
class Layered:
    """Columns from the left, each from above; and every arrow with the spots that it passes."""

    columns: tuple[tuple[Spot, ...], ...]
    arrows: tuple[tuple[Spot, ...], ...]
    back: tuple[tuple[str, str], ...]


def reads_of(example: Example, plainly: bool = False) -> dict[str, tuple[str, ...]]:
    """What each quantity is computed from, in the order of the equations; ``plainly`` by letters alone."""
    found: dict[str, dict[str, None]] = {}
    known = {**example.data, **example.start, **example.forward.targets}
    for eq in example.forward:
        own = [ref for ref in refs(eq.body) if not plainly or all(map(is_letter, ref.indices))]
        read = dict.fromkeys(ref.name for ref in own if ref.name in known)
        found.setdefault(eq.target.name, {}).update(read)
    return {name: tuple(read) for name, read in found.items()}


def layered(example: Example) -> Layered:
    """The quantities of the forward pass in layers, inputs right before what reads them first."""
    reads, layers = reads_of(example), layers_of(example)
    pairs = [(start, end) for end, starts in reads.items() for start in starts]
    back = tuple(pair for pair in pairs if layers[pair[0]] >= layers[pair[1]])
    arrows = [passing(pair, layers) for pair in pairs if pair not in back]
    columns: list[list[Spot]] = [[] for _ in range(max(layers.values()) + 1)]
    for name, layer in layers.items():
        columns[layer].append((name,))
    for arrow in arrows:
        for spot in arrow[1:-1]:
            columns[int(spot[2])].append(spot)
    sort_columns(columns, neighbours(arrows))
    return Layered(tuple(map(tuple, columns)), tuple(arrows), back)


def passing(pair: tuple[str, str], layers: Mapping[str, int]) -> tuple[Spot, ...]:
    """The spots of an arrow from its start to its end, with one in every layer between; of a loop, one."""
    start, end = pair
    if start == end:
        return ((start,),)
    step = 1 if layers[start] < layers[end] else -1
    between = range(layers[start] + step, layers[end], step)
    return (start,), *((start, end, str(layer)) for layer in between), (end,)


def neighbours(arrows: list[tuple[Spot, ...]]) -> dict[Spot, list[Spot]]:
    """What each spot is joined with."""
    found: dict[Spot, list[Spot]] = {}
    for arrow in arrows:
        for one, other in pairwise(arrow):
            found.setdefault(one, []).append(other)
            found.setdefault(other, []).append(one)
    return found


def sort_columns(columns: list[list[Spot]], joined: Mapping[Spot, list[Spot]]) -> None:
    """Order the spots of each column, there and back."""
    for sweep in range(SWEEPS):
        _sort(columns if sweep % 2 else columns[::-1], joined)


def _sort(columns: list[list[Spot]], joined: Mapping[Spot, list[Spot]]) -> None:
    """Order every column but the first by the mean place of what its spots are joined with before it."""
    for before, column in pairwise(columns):
        heights = {spot: at - Fraction(len(before) - 1, 2) for at, spot in enumerate(before)}
        own = {spot: at - Fraction(len(column) - 1, 2) for at, spot in enumerate(column)}

        def place(
            spot: Spot, heights: Mapping[Spot, Fraction] = heights, own: Mapping[Spot, Fraction] = own
        ) -> Fraction:
            found = [heights[other] for other in joined.get(spot, ()) if other in heights]
            return sum(found, Fraction(0)) / len(found) if found else own[spot]

        column.sort(key=place)


def layers_of(example: Example) -> dict[str, int]:
    """The layer of each name; in a recurrence, reads of earlier entries (``h[t - 1]``) do not count."""
    reads, now = reads_of(example), reads_of(example, plainly=True)
    found: dict[str, int] = {}
    waiting = list(reads)
    while waiting:
        ready = [name for name in waiting if not ({*reads[name]} - {name}) & {*waiting}]
        ready = ready or [name for name in waiting if not {*now[name]} & {*waiting}]
        name = (ready or waiting)[0]
        waiting.remove(name)
        found[name] = 1 + max((found.get(part, 0) for part in reads[name]), default=0)
    inputs = dict.fromkeys(part for parts in reads.values() for part in parts if part not in reads)
    first = {part: min(found[name] for name in reads if part in reads[name]) - 1 for part in inputs}
    return first | found
