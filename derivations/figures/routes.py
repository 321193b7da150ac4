"""The ways of arrows through a graph in lanes: level through every column, gently bent between two."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Literal, TypeAlias

from derivations.figures.edges import Edge
from derivations.figures.lanes import Lanes, Room, across
from derivations.figures.layered import Spot

At: TypeAlias = tuple[Fraction, Fraction]  # along the arrows, and across them
BEND, TIP, ASIDE = 24, 5, 6  # between columns, of a head, from the middle of a node for what goes backwards


@dataclass(frozen=True)
class Route:
    """The way of an arrow: the places between which it is bent, the tip of its head, where its label is."""

    kind: Literal["arrow", "back"]
    places: tuple[At, ...]
    tip: At
    label: At

    @property
    def curve(self) -> tuple[At, ...]:
        """The way as a chain of cubic curves that is level at every place."""
        found = [self.places[0]]
        for one, other in pairwise(self.places):
            middle = (one[0] + other[0]) / 2
            found += [(middle, one[1]), (middle, other[1]), other] if one != other else []
        return tuple(found)


@dataclass(frozen=True)
class Places:
    """A graph in its places: where columns begin and end along the arrows, how far across each spot is."""

    lanes: Lanes
    columns: tuple[At, ...]
    over: Mapping[Spot, Fraction]
    sizes: Mapping[str, At]

    def middle(self, spot: Spot) -> Fraction:
        """The middle of the column of a spot."""
        begin, end = self.columns[self.lanes.column(spot)]
        return (begin + end) / 2

    def at(self, name: str) -> At:
        """The middle of a node."""
        return self.middle((name,)), self.over[name,]

    def route(self, edge: Edge, deep: int, wide: Fraction) -> Route:
        """The way of an arrow; a loop has a label that is so wide, and is so deep."""
        spots = self.lanes.arrows[edge]
        return self._loop(edge[0], deep, wide) if len(spots) == 1 else self._through(spots)

    def _through(self, spots: tuple[Spot, ...]) -> Route:
        first, last = (self.columns[self.lanes.column(spot)] for spot in (spots[0], spots[-1]))
        way = 1 if first < last else -1
        aside = 0 if way == 1 else ASIDE
        ((start, own), (end, other)) = (self.at(spots[at][0 if at == 0 else -1]) for at in (0, -1))
        tip = end - way * self.sizes[spots[-1][0]][0] / 2, other + aside
        stop = tip[0] - way * TIP
        found = [(start + way * self.sizes[spots[0][0]][0] / 2, own + aside), (first[::way][1], own + aside)]
        for spot in spots[1:-1]:
            found += [(at, self.over[spot]) for at in self.columns[self.lanes.column(spot)][::way]]
        come = min(last[0], stop) if way == 1 else max(last[1], stop)
        found += [(come, tip[1]), (stop, tip[1])]
        label = self.middle(spots[1]), self.over[spots[1]]
        return Route("arrow" if way == 1 else "back", tuple(found), tip, label)

    def _loop(self, name: str, deep: int, wide: Fraction) -> Route:
        """Out of a node and back into it, for a quantity that reads its own earlier entries."""
        along, over = self.at(name)
        foot, half = over + self.sizes[name][1] / 2, max(wide / 2, Fraction(8))
        low = foot + deep
        places = (
            (along + half + 4, foot),
            (along + half, low),
            (along - half, low),
            (along - half - 4, foot + TIP),
        )
        return Route("back", places, (along - half - 4, foot), (along, low))


def places(lanes: Lanes, rooms: Mapping[Spot, Room], sizes: Mapping[str, At], edge: int) -> Places:
    """Put a graph in its places, with an edge around it."""
    over = {spot: place + edge for spot, place in across(lanes, rooms).items()}
    columns: list[At] = []
    begin = Fraction(edge)
    for column in lanes.columns:
        end = begin + max(rooms[spot].along for spot in column)
        columns.append((begin, end))
        begin = end + BEND
    return Places(lanes, tuple(columns), over, sizes)
