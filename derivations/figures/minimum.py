"""Where a loss is smallest: exactly if it is a quadratic, else the lowest place that a search finds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product

from flint import arb

from derivations.figures.surface import Place, Surface
from derivations.numbers.systems import fraction

SPREAD: tuple[tuple[Fraction | int, ...], ...] = (
    (-7, 3),
    (5, -11),
    (13, 17),
    (-19, -23),
    (29, -2),
    (Fraction(1, 3), Fraction(-2, 7)),
)
FAR = 5
ROUNDS, FINEST = 600, 4_096  # evaluations of a search, and the last step of it in parts of the extent


@dataclass(frozen=True)
class Quadratic:
    """``f(p + d) = c + g·d + d·H d/2``: curvatures along the axes, and the mixed one."""

    start: Place
    value: Fraction
    gradient: tuple[Fraction, ...]
    curve: tuple[Fraction, ...]
    mixed: Fraction

    def __call__(self, place: Place) -> Fraction:
        """The height at a place."""
        d = [at - p for at, p in zip(place, self.start, strict=True)]
        plain = sum(g * n + k * n * n / 2 for g, k, n in zip(self.gradient, self.curve, d, strict=True))
        return self.value + plain + (self.mixed * d[0] * d[1] if len(d) == 2 else 0)

    def grid(self, xs: Sequence[Fraction], ys: Sequence[Fraction]) -> list[list[float | None]]:
        """The heights at the crossings of two numbers, as floats: a picture needs no more."""
        (p, q), (g, h), (a, b) = self.start, map(float, self.gradient), map(float, self.curve)
        c, mixed = float(self.value), float(self.mixed)
        across, up = [float(x - p) for x in xs], [float(y - q) for y in ys]
        flat = [g * d + a * d * d / 2 for d in across]
        return [
            [c + f + mixed * d * e + h * e + b * e * e / 2 for d, f in zip(across, flat, strict=True)]
            for e in up
        ]

    def minimum(self) -> Place | None:
        """H d = -g by Cramer's rule; None unless H is positive definite."""
        (a, *more), (g, *others), p = self.curve, self.gradient, self.start
        if not more:
            return (p[0] - g / a,) if a > 0 else None
        determinant = a * more[0] - self.mixed * self.mixed
        if a <= 0 or determinant <= 0:
            return None
        first = (self.mixed * others[0] - more[0] * g) / determinant
        return p[0] + first, p[1] + (self.mixed * g - a * others[0]) / determinant


def quadratic(surface: Surface, start: Place) -> Quadratic | None:
    """The loss as a quadratic: from values at p, p ± 1 and p + (1, 1), then held against other places."""
    count = len(start)

    def at(*shift: Fraction | int) -> Fraction | None:
        found = surface(tuple(p + Fraction(d) for p, d in zip(start, shift, strict=False)))
        return None if found is None or isinstance(found, arb) else fraction(found)

    shifts = [(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1), (1, 1)]
    values = [at(*shift[:count]) for shift in shifts]
    known = [value for value in values if value is not None]
    if len(known) < len(shifts):
        return None
    c, ends, corner = known[0], list(zip(known[1:5:2], known[2:5:2], strict=True))[:count], known[5]
    gradient = tuple((above - below) / 2 for above, below in ends)
    curve = tuple(above + below - 2 * c for above, below in ends)
    mixed = corner - c - sum(gradient, sum(curve, Fraction(0)) / 2) if count == 2 else Fraction(0)
    found = Quadratic(start, c, gradient, curve, mixed)
    spread = [tuple(p + Fraction(d) for p, d in zip(start, shift, strict=False)) for shift in SPREAD]
    agree = all(at(*shift[:count]) == found(place) for shift, place in zip(SPREAD, spread, strict=True))
    return found if agree else None


def searched(
    height: Callable[[Place], Fraction | None], start: Place, extent: Sequence[Fraction]
) -> Place | None:
    """Compass search: to the lowest neighbour, else with half the step; None where it runs away."""
    place, lowest, part, rounds = start, height(start), 4, 0
    ways = [way for way in product((-1, 0, 1), repeat=len(start)) if any(way)]
    while part <= FINEST and rounds < ROUNDS and lowest is not None:
        steps = [e / part for e in extent]
        near = [tuple(p + w * s for p, w, s in zip(place, way, steps, strict=True)) for way in ways]
        found = [(value, other) for other in near if (value := height(other)) is not None]
        rounds += len(ways)
        best = min(found, default=None)
        if best is not None and best[0] < lowest:
            lowest, place = best
        else:
            part *= 2
    far = any(abs(p - s) > FAR * e for p, s, e in zip(place, start, extent, strict=True))
    return None if far or part <= FINEST or not _is_bottom(height, place, extent) else place


def _is_bottom(height: Callable[[Place], Fraction | None], place: Place, extent: Sequence[Fraction]) -> bool:
    """Whether every place around is higher, near and less near: no plateau, no edge, no valley."""
    lowest = height(place)
    ways = [way for way in product((-1, 0, 1), repeat=len(place)) if any(way)]
    for part in (8, 64):
        around = (
            height(tuple(p + w * e / part for p, w, e in zip(place, way, extent, strict=True)))
            for way in ways
        )
        if lowest is None or any(other is None or other <= lowest for other in around):
            return False
    return True
