"""A graph whose arrows carry labels: every label gets a lane of its own between two columns.

A label is a place of the graph like any other (Gansner and others 1993): in the column right behind the
quantity where its arrow starts, with the arrow straight through it, so that neither another arrow nor another
label comes near. Places are ``along`` the arrows and ``across`` them, whichever way the graph is drawn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from derivations.figures.drawing import tenth
from derivations.figures.edges import Edge
from derivations.figures.layered import Spot, layers_of, neighbours, passing, reads_of, sort_columns
from derivations.model.example import Example

SWEEPS, FIRM = 8, 8  # what stands level with its neighbours is moved less than what waits for its reader


@dataclass(frozen=True)
class Room:
    """What a place needs: along the arrows, and across them on both sides of its line."""

    along: Fraction
    before: Fraction
    after: Fraction


@dataclass(frozen=True)
class Lanes:
    """Columns and the spots of each arrow, from its start; an arrow of a recurrence may go backwards."""

    columns: tuple[tuple[Spot, ...], ...]
    arrows: Mapping[Edge, tuple[Spot, ...]]
    labels: frozenset[Spot]

    @property
    def level(self) -> bool:
        """Whether an arrow would go from a column to the same one, which there is no lane for."""
        return any(
            self.column(spots[0]) == self.column(spots[-1]) for spots in self.arrows.values() if spots[1:]
        )

    def column(self, spot: Spot) -> int:
        """The number of the column in which a spot stands."""
        return next(at for at, column in enumerate(self.columns) if spot in column)


def lanes_of(example: Example, labelled: frozenset[Edge]) -> Lanes:
    """The graph in layers, with a column for labels behind each that needs one."""
    layers = {name: 2 * layer for name, layer in layers_of(example).items()}
    pairs = [(start, end) for end, starts in reads_of(example).items() for start in starts]
    arrows = {pair: passing(pair, layers) for pair in pairs}
    columns: list[list[Spot]] = [[] for _ in range(max(layers.values()) + 1)]
    for name, layer in layers.items():
        columns[layer].append((name,))
    for arrow in arrows.values():
        for spot in arrow[1:-1]:
            columns[int(spot[2])].append(spot)
    labels = {arrows[pair][1] for pair in labelled if len(arrows[pair]) > 2}
    kept = [column for at, column in enumerate(columns) if at % 2 == 0 or labels & {*column}]
    standing = {spot for column in kept for spot in column}
    arrows = {pair: tuple(spot for spot in arrow if spot in standing) for pair, arrow in arrows.items()}
    sort_columns(kept, neighbours([arrow for arrow in arrows.values() if len(arrow) > 1]))
    return Lanes(tuple(map(tuple, kept)), arrows, frozenset(labels))


def across(lanes: Lanes, rooms: Mapping[Spot, Room]) -> dict[Spot, Fraction]:
    """The place of every spot across the arrows: near those that it is joined with, from 0 on.

    The last sweep goes along the arrows, so that a label stands level with where its arrow starts.
    """
    joined = neighbours([arrow for arrow in lanes.arrows.values() if len(arrow) > 1])
    found = {spot: Fraction(0) for column in lanes.columns for spot in column}
    for sweep in range(SWEEPS):
        columns = lanes.columns[:: 1 if sweep % 2 else -1]
        for before, column in zip(((), *columns), columns, strict=False):
            near = {spot: _near(joined.get(spot, []), before, lanes.labels) for spot in column}
            wanted = [_mean([found[other] for other in near[spot]], found[spot]) for spot in column]
            weights = [FIRM if {*near[spot]} & {*before} else 1 for spot in column]
            found |= zip(column, spread(wanted, weights, [rooms[spot] for spot in column]), strict=True)
    first = min(place - rooms[spot].before for spot, place in found.items())
    return {spot: tenth(place - first) for spot, place in found.items()}


def _near(others: list[Spot], before: Sequence[Spot], labels: frozenset[Spot]) -> list[Spot]:
    """What a spot stands level with: what is before it, and there the ways of the gradient before others."""
    near = [other for other in others if other in before] or others
    return [other for other in near if other in labels] or near


def _mean(places: list[Fraction], otherwise: Fraction) -> Fraction:
    return sum(places, Fraction(0)) / len(places) if places else otherwise


def spread(wanted: Sequence[Fraction], weights: Sequence[int], rooms: Sequence[Room]) -> list[Fraction]:
    """Places in a given order with room for each, as near as can be to where they are wanted.

    Least squares with a least distance: neighbours that would come too near stand together at their mean.
    """
    offsets = [Fraction(0)]
    for one, other in pairwise(rooms):
        offsets.append(offsets[-1] + one.after + other.before)
    blocks: list[tuple[Fraction, int, int]] = []  # what is wanted in all, the weight, how many stand together
    for place, weight, offset in zip(wanted, weights, offsets, strict=True):
        blocks.append(((place - offset) * weight, weight, 1))
        while len(blocks) > 1 and blocks[-2][0] * blocks[-1][1] > blocks[-1][0] * blocks[-2][1]:
            (last, firm, count), (first, sure, more) = blocks.pop(), blocks.pop()
            blocks.append((last + first, firm + sure, count + more))
    means = [tenth(total / weight) for total, weight, count in blocks for _ in range(count)]
    return [mean + offset for mean, offset in zip(means, offsets, strict=True)]
