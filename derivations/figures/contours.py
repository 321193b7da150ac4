"""Lines of equal height over a grid by marching squares: the case of each cell by its four corners."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import TypeAlias

Grid: TypeAlias = Sequence[Sequence[float | None]]  # rows from low to high, heights at the crossings
Edge: TypeAlias = tuple[int, int, int]  # column, row, 0 for the edge to the right and 1 for that upwards
Spot: TypeAlias = tuple[float, float]  # in cells
Height: TypeAlias = Callable[[Spot], float | None]


def contours(
    grid: Grid, levels: Sequence[float], height: Height | None = None
) -> Iterator[tuple[int, list[Spot]]]:
    """The lines on which the height is a level, with its number; closed ones end where they begin.

    A straight line between two crossings of the grid is good for a quadratic on a fine grid; for anything
    else ``height`` is asked once more at every point, and the point moved on its edge by the secant.
    """
    joined: list[dict[Edge, list[Edge]]] = [{} for _ in levels]
    for number, one, other in _pieces(grid, levels):
        joined[number].setdefault(one, []).append(other)
        joined[number].setdefault(other, []).append(one)
    for number, pieces in enumerate(joined):
        ends = sorted(edge for edge, others in pieces.items() if len(others) == 1)
        for start in [*ends, *sorted(pieces)]:
            while pieces.get(start):
                yield number, [_spot(edge, grid, levels[number], height) for edge in _walked(start, pieces)]


def _walked(start: Edge, joined: dict[Edge, list[Edge]]) -> list[Edge]:
    line = [start]
    while joined.get(line[-1]):
        at = line[-1]
        then = joined[at].pop(0)
        joined[then].remove(at)
        line.append(then)
    return line


def _pieces(grid: Grid, levels: Sequence[float]) -> Iterator[tuple[int, Edge, Edge]]:
    """The pieces of the contours, each from one edge of a cell to another."""
    for row, (below, above) in enumerate(pairwise(grid)):
        for column in range(len(below) - 1):
            heights = below[column], below[column + 1], above[column + 1], above[column]
            if None in heights:
                continue
            known = [float(height or 0) for height in heights]
            first, last = bisect_right(levels, min(known)), bisect_right(levels, max(known))
            for number in range(first, last):
                right, left = (column + 1, row, 1), (column, row, 1)
                edges = [(column, row, 0), right, (column, row + 1, 0), left]
                for one, other in _through(known, edges, levels[number]):
                    yield number, one, other


def _through(heights: list[float], edges: list[Edge], level: float) -> Iterator[tuple[Edge, Edge]]:
    above = [height >= level for height in heights]
    crossed = [edge for at, edge in enumerate(edges) if above[at] != above[(at + 1) % 4]]
    if len(crossed) == 2:
        yield crossed[0], crossed[1]
    elif len(crossed) == 4:  # a saddle: the middle decides which corners belong together
        turned = (sum(heights) / 4 >= level) == above[0]
        yield (crossed[0], crossed[1]) if turned else (crossed[3], crossed[0])
        yield (crossed[2], crossed[3]) if turned else (crossed[1], crossed[2])


def _spot(edge: Edge, grid: Grid, level: float, height: Height | None) -> Spot:
    """Where a contour crosses an edge, by a straight line between its ends."""
    x, y, upwards = edge
    low, high = grid[y][x] or 0.0, (grid[y + upwards][x + 1 - upwards]) or 0.0
    share = (level - low) / (high - low)
    found = height((x, y + share) if upwards else (x + share, y)) if height else None
    if found is not None:
        start, end = (share, 1.0) if (found < level) == (low < level) else (0.0, share)
        first, last = (found, high) if start else (low, found)
        share = start + (level - first) / (last - first) * (end - start) if last != first else share
    return (x, y + share) if upwards else (x + share, float(y))


def simplified(line: list[Spot], within: float) -> list[Spot]:
    """Fewer points, none of those left out further away than this (Ramer 1972, Douglas and Peucker 1973)."""
    if len(line) < 3:
        return line
    far = [_away(at, line[0], line[-1]) for at in line[1:-1]]
    most = max(far)
    if most <= within * within:
        return [line[0], line[-1]]
    cut = far.index(most) + 1
    return simplified(line[: cut + 1], within)[:-1] + simplified(line[cut:], within)


def _away(at: Spot, start: Spot, end: Spot) -> float:
    """The squared distance of a point from the line through two others."""
    x, y, dx, dy = at[0] - start[0], at[1] - start[1], end[0] - start[0], end[1] - start[1]
    square = dx * dx + dy * dy
    cross = dx * y - dy * x
    return cross * cross / square if square else x * x + y * y
