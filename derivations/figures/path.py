"""The path of the parameters on the loss: over contours for two numbers, along the curve for one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise

from derivations.figures.axes import Frame, Reading, Scale, margin, readings, scale, uneven
from derivations.figures.contours import Spot, contours, simplified
from derivations.figures.drawing import Disc, Drawing, Label, Point, Shape, Stroke, arrow_head, point
from derivations.figures.lettering import width
from derivations.figures.minimum import Quadratic, quadratic, searched
from derivations.figures.scene import FigureRow, Scene
from derivations.figures.surface import Place, Surface, is_bottom, lead_of_path
from derivations.language.tree import Ref
from derivations.numbers.digits import Rounding, magnitude_of
from derivations.numbers.systems import rational

WIDTH, HEIGHT, TOP, BOTTOM, RIGHT = 340, 250, 46, 202, 324
FINE, COARSE, LEVELS, SAMPLES = (110, 80), (44, 32), 9, 120
CLOSE = 0.15  # of a pixel: how far a simplified line may be from the one that was found
MARKED, DRAWN, ARROWS = 30, 300, 12
BITS, TENTH = 24, Fraction(1, 10)  # of a pixel, to which points are written
PAD, NEAR, EVEN = Fraction(1, 6), 5, Fraction(5, 2)
BEYOND = Fraction(10) ** 12  # coordinates that nobody reads off a picture


def draw(scene: Scene) -> Drawing | None:
    """The path, if the parameters are one or two numbers and move."""
    surface = Surface(scene.trace)
    if len(surface.entries) not in (1, 2) or len(set(surface.path)) < 2:
        return None
    if any(abs(v) > BEYOND for place in surface.path for v in place):
        return None
    extent = [max(axis) - min(axis) or Fraction(1) for axis in zip(*surface.path, strict=True)]
    first, last = (tuple(map(_short, surface.path[at], extent)) for at in (0, -1))
    bowl = quadratic(surface, first)
    lowest = bowl.minimum() if bowl else searched(surface.height, last, extent)
    if len(surface.entries) == 1:
        return _along(scene, surface, bowl, lowest)
    return _over_contours(scene, surface, bowl, lowest)


def _reached(path: list[Place], lowest: Place | None) -> list[Place]:
    """What the picture must hold: the path, and the minimum if it is near."""
    low = [min(axis) for axis in zip(*path, strict=True)]
    high = [max(axis) for axis in zip(*path, strict=True)]
    wide = max(b - a for a, b in zip(low, high, strict=True))
    near = lowest is not None and all(
        a - NEAR * wide <= v <= b + NEAR * wide for a, v, b in zip(low, lowest, high, strict=True)
    )
    return [low, high, *([lowest] if near and lowest is not None else [])]  # type: ignore[list-item]


# --- two numbers ------------------------------------------------------------------------------------


def _over_contours(
    scene: Scene, surface: Surface, bowl: Quadratic | None, lowest: Place | None
) -> Drawing | None:
    reached = _reached(surface.path, lowest)
    across, down = _scales([p[0] for p in reached], [p[1] for p in reached], scene)
    first, second = surface.entries
    frame = Frame(across, down, (first,), (second,))
    if not frame.readable:
        return None
    lines = list(_contours(scene, surface, bowl, frame))
    path = [frame.at(*place) for place in _thinned(surface.path)]
    seen = lowest if lowest is not None and len(reached) > 2 else None
    shapes: list[Shape] = [*lines, *frame.shapes(grid=False), *_way(path, len(surface.path) <= MARKED)]
    shapes += _cross(frame.at(*seen)) if seen else []
    shapes += _legend(scene, surface, seen, frame)
    ref = Ref(scene.example.loss)
    words = [
        scene.said("The path of {} and {} over the contours of {}.", *map(scene.plain, (first, second, ref)))
    ]
    return _drawing(scene, [*words, *_said(scene, surface, seen if bowl else None)], shapes)


def _scales(xs: list[Fraction], ys: list[Fraction], scene: Scene) -> tuple[Scale, Scale]:
    """Axes with some room around; of one unit of length where that costs little room."""
    low_x, high_x, low_y, high_y = *_padded(xs), *_padded(ys)
    left = margin(Scale(low_y, high_y, BOTTOM, TOP), scene.symbols)
    unit_x, unit_y = (high_x - low_x) / (RIGHT - left), (high_y - low_y) / (BOTTOM - TOP)
    if unit_x < unit_y <= EVEN * unit_x:
        low_x, high_x = _widened(low_x, high_x, unit_y * (RIGHT - left))
    elif unit_y < unit_x <= EVEN * unit_y:
        low_y, high_y = _widened(low_y, high_y, unit_x * (BOTTOM - TOP))
    return Scale(low_x, high_x, left, RIGHT), Scale(low_y, high_y, BOTTOM, TOP)


def _padded(values: Sequence[Fraction]) -> tuple[Fraction, Fraction]:
    low, high = min(values), max(values)
    wide = high - low or abs(high) / 2 or Fraction(1)
    return _short(low - PAD * wide, wide), _short(high + PAD * wide, wide)


def _widened(low: Fraction, high: Fraction, wide: Fraction) -> tuple[Fraction, Fraction]:
    more = (wide - (high - low)) / 2
    return _short(low - more, wide), _short(high + more, wide)


def _short(value: Fraction, wide: Fraction) -> Fraction:
    """A value near by, against an extent, that is short, so that the loss there is cheap."""
    unit = Fraction(2) ** (wide.numerator.bit_length() - wide.denominator.bit_length() - BITS)
    return value // unit * unit


def _contours(scene: Scene, surface: Surface, bowl: Quadratic | None, frame: Frame) -> Iterator[Stroke]:
    """Contours at heights that are evenly apart on a bowl: the smallest plus squares."""
    columns, rows = FINE if bowl else COARSE
    xs = frame.across.along(columns)
    ys = frame.down.along(rows)
    grid = bowl.grid(xs, ys) if bowl else [[surface.roughly((x, y)) for x in xs] for y in ys]
    known = [h for row in grid for h in row if h is not None]
    if not known or min(known) == max(known):
        return
    low, wide = min(known), max(known) - min(known)
    digits = max(
        0, magnitude_of(rational(Fraction(max(map(abs, known))))) - magnitude_of(rational(Fraction(wide)))
    )
    policy = Rounding(significant=4 + digits)
    shown = [policy(rational(Fraction(low + wide * k * k / LEVELS**2))) for k in range(1, LEVELS)]
    levels = [level for level in shown if low < level.value < low + wide]

    def again(spot: Spot) -> float | None:
        shares = Fraction(spot[0]) / columns, Fraction(spot[1]) / rows
        return surface.roughly((frame.across.value(shares[0]), frame.down.value(shares[1])))

    ends = frame.across, columns, frame.down, rows
    for number, line in contours(grid, [float(level.value) for level in levels], None if bowl else again):
        spots = [
            point(*map(Fraction, at)) for at in simplified([_pixel(spot, *ends) for spot in line], CLOSE)
        ]
        if len(set(spots)) > 1:
            about = f"{scene.plain(Ref(scene.example.loss))} = {levels[number].text}"
            yield Stroke("contour", tuple(spots), about)


def _pixel(spot: Spot, across: Scale, columns: int, down: Scale, rows: int) -> Spot:
    """A spot in cells as a place of the picture."""
    wide, high = across.end - across.start, down.end - down.start
    return across.start + spot[0] * wide / columns, down.start + spot[1] * high / rows


# --- one number -------------------------------------------------------------------------------------


def _along(scene: Scene, surface: Surface, bowl: Quadratic | None, lowest: Place | None) -> Drawing | None:
    reached = _reached(surface.path, lowest)
    low, high = _padded([p[0] for p in reached])
    xs = [low + (high - low) * k / SAMPLES for k in range(SAMPLES + 1)]
    curve = [(x, y) for x in xs if (y := surface.height((x,))) is not None]
    way = [(p[0], y) for p in _thinned(surface.path) if (y := surface.height(p)) is not None]
    if len(curve) < 2 or len(way) < 2:
        return None
    down = scale([y for _, y in [*curve, *way]], BOTTOM, TOP, powers=False)
    across = Scale(low, high, margin(down, scene.symbols), RIGHT)
    ref = Ref(scene.example.loss)
    frame = Frame(across, down, (surface.entries[0],), (scene.said("loss {}", ""), ref))
    if not frame.readable:
        return None
    line = simplified([(float(across.place(x)), float(down.place(y))) for x, y in curve], CLOSE)
    shapes: list[Shape] = [*frame.shapes(), Stroke("curve", tuple(point(*map(Fraction, at)) for at in line))]
    shapes += _way([frame.at(*at) for at in way], len(surface.path) <= MARKED)
    seen = lowest if lowest is not None and len(reached) > 2 else None
    seen = seen if seen and is_bottom(surface, seen, (high - low) / WIDTH) else None
    if seen and (height := surface.height(seen)) is not None:
        shapes += _cross(frame.at(seen[0], height))
    shapes += _legend(scene, surface, seen, frame)
    words = [
        scene.said("The path of {} along the curve of {}.", *map(scene.plain, (surface.entries[0], ref)))
    ]
    return _drawing(scene, [*words, *_said(scene, surface, seen if bowl else None)], shapes)


# --- the path ---------------------------------------------------------------------------------------


def _thinned(path: list[Place]) -> list[Place]:
    every = -(-len(path) // DRAWN)
    return [*path[:-1:every], path[-1]]


def _way(path: list[Point], marked: bool) -> Iterator[Shape]:
    """The line, an arrow on its first long pieces, a ring at the start, dots after steps."""
    yield Stroke("path", tuple(path))
    long = [(a, b) for a, b in pairwise(path) if abs(a[0] - b[0]) + abs(a[1] - b[1]) > 45]
    for a, b in long[:ARROWS]:
        middle_ = (a[0] + 3 * b[0]) / 4, (a[1] + 3 * b[1]) / 4
        yield arrow_head("path-head", a, point((a[0] + middle_[0]) / 2, (a[1] + middle_[1]) / 2), 8)
    yield from (Disc("stop", at, Fraction(3)) for at in (path[1:] if marked else path[-1:]))
    yield Disc("start", path[0], Fraction(9, 2))


def _cross(at: Point) -> list[Shape]:
    (x, y), arm = at, 5
    ends = ((x - arm, y - arm), (x + arm, y + arm)), ((x - arm, y + arm), (x + arm, y - arm))
    return [Stroke("minimum", tuple(point(*end) for end in pair)) for pair in ends]


def _legend(scene: Scene, surface: Surface, seen: Place | None, frame: Frame) -> Iterator[Shape]:
    """What the marks mean, above the picture from the right."""
    words = [("start", scene.said("start")), ("stop", scene.said("after each step"))]
    words += [("minimum", scene.said("minimum"))] if seen else []
    right = Fraction(RIGHT)
    for kind, text in reversed(words):
        left = right - width((text,), scene.symbols, 11)
        yield Label("tick-words", point(left, 20), (text,), "start")
        at = point(left - 9, 16)
        if kind == "minimum":
            yield from (Stroke("minimum", s.points) for s in _cross(at) if isinstance(s, Stroke))
        else:
            yield Disc(kind, at, Fraction(3) if kind == "stop" else Fraction(9, 2))
        right = left - 30


def _said(scene: Scene, surface: Surface, seen: Place | None) -> Iterator[str]:
    yield scene.said("Start: {}.", _place_words(scene, surface, surface.path[0]))
    yield scene.said("After the last step: {}.", _place_words(scene, surface, surface.path[-1]))
    if seen:  # its digits are certain where it is solved for
        yield scene.said("Minimum: {}.", _place_words(scene, surface, seen))


def _place_words(scene: Scene, surface: Surface, place: Place) -> str:
    pairs = zip(surface.entries, place, strict=True)
    return ", ".join(scene.plain(*scene.equals(ref, rational(value))) for ref, value in pairs)


def _drawing(scene: Scene, words: list[str], shapes: list[Shape]) -> Drawing:
    title = scene.said("{}: the path of the parameters", scene.example.spec.title)
    return Drawing(title, " ".join(words), point(WIDTH, HEIGHT), tuple(shapes))


# --- a second look ----------------------------------------------------------------------------------


def faults(drawing: Drawing, scene: Scene) -> Iterator[str]:
    """Stops that are not the parameters after a step, and contours that are not of one height."""
    across, upright = readings(drawing)
    if uneven(across) or uneven(upright):
        yield "a tick does not stand at its number"
        return
    surface = Surface(scene.trace)
    line = next(shape for shape in drawing.of_kind("path") if isinstance(shape, Stroke))
    places = _thinned(surface.path)
    if len(line.points) != len(places):
        yield "the path has not one point for every step"
        return
    for at, place in zip(line.points, places, strict=True):
        value = place[1] if len(place) == 2 else surface.height(place)
        if value is None or not across.shows(place[0], at[0]) or not upright.shows(value, at[1]):
            yield "a point of the path is not where the parameters were"
    stops = [
        shape
        for shape in drawing.of_kind("stop", "start")
        if isinstance(shape, Disc) and shape.at[1] > TOP - 20
    ]
    wanted = line.points if len(surface.path) <= MARKED else (line.points[0], line.points[-1])
    if sorted(stop.at for stop in stops) != sorted(wanted):
        yield "a mark is not on the path"
    yield from _faults_of_heights(drawing, surface, across, upright)


def _faults_of_heights(
    drawing: Drawing, surface: Surface, across: Reading, upright: Reading
) -> Iterator[str]:
    """Places of a contour around which the loss is nowhere its height; a minimum with a lower neighbour."""
    count = len(surface.entries)

    def around(at: Point, far: Fraction) -> list[Fraction]:
        shifts = [(far * x, far * y) for x, y in ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1))]
        places = [(across.value(at[0] + dx), upright.value(at[1] + dy)) for dx, dy in shifts]
        return [h for place in places if (h := surface.height(place[:count])) is not None]

    for line in (shape for shape in drawing.of_kind("contour") if isinstance(shape, Stroke)):
        level = Fraction(line.about.rpartition(" = ")[2])
        for at in line.points:
            near = around(at, Fraction(3, 2))
            if near and not min(near) <= level <= max(near):
                yield f"a contour is not where the loss is {line.about}"
                break
    curve = next((shape for shape in drawing.of_kind("curve") if isinstance(shape, Stroke)), None)
    for x, y in curve.points if curve else ():
        sides = (surface.height((across.value(x + shift),)) for shift in (-TENTH, Fraction(0), TENTH))
        places = [upright.place(value) for value in sides if value is not None]  # on either side of a jump
        if not places or not min(places) - 1 <= y <= max(places) + 1:
            yield "a point of the curve is not at its loss"
    arms = [shape.points for shape in drawing.of_kind("minimum") if isinstance(shape, Stroke)]
    for one, other in arms[: len(arms) - 2]:
        x, y = (one[0] + other[0]) / 2, (one[1] + other[1]) / 2
        here, *near = around((x, y), Fraction(2))
        if any(height < here for height in near) or (curve and abs(upright.place(here) - y) > 1):
            yield "the minimum has a lower neighbour, or is not on its curve"


FIGURE = FigureRow("path", "summary", lead_of_path, draw, faults)
