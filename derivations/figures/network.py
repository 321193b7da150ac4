"""A network in layers: units as circles with the values of one sample, weights on the edges.

What is a network is read off its equations: a quantity with one index beside the sample's (or none) that
is a sum of a weight times the units before, and what is made of it entry by entry.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise

from derivations.figures.axes import SHORT
from derivations.figures.drawing import Box, Disc, Drawing, Label, Point, Said, Shape, Stroke, point
from derivations.figures.lettering import extent
from derivations.figures.network_layers import Layer, layers_of
from derivations.figures.scene import FigureRow, Scene, leaf
from derivations.language.tree import Number, Ref, number
from derivations.notation.locales import phrase
from derivations.programs.listing import shown_steps
from derivations.run.training import Step
from derivations.spec.arrays import positions

RADIUS, COLUMN, ROW, EDGE, LEFT = 25, 150, 90, 16, 48
MOST_UNITS, MOST_EDGES, MOST_LAYERS = 14, 24, 5
SHARES = tuple(
    Fraction(n, 100) for n in (30, 22, 38, 46, 54, 62, 70, 78)
)  # where a weight may stand on its edge
LEAD = phrase("The network with the weights of the first step and the values of its first sample:")


# --- drawing ----------------------------------------------------------------------------------------


def draw(scene: Scene) -> Drawing | None:
    """The units in columns with values of the first sample of the first step that is shown."""
    step = _first(scene)
    layers = layers_of(scene.example, step)
    edges = sum(len(weights) for layer in layers for weights in layer.weights)
    units = sum(len(layer.units) for layer in layers)
    if not layers or units > MOST_UNITS or edges > MOST_EDGES or len(layers) > MOST_LAYERS:
        return None
    tallest = max(len(layer.units) for layer in layers)
    places = [_column(at, len(layer.units), tallest) for at, layer in enumerate(layers)]
    size = point(2 * LEFT + COLUMN * (len(layers) - 1), EDGE + ROW * tallest)
    return Drawing(
        _title(scene), _words(scene, step, layers), size, tuple(_shapes(scene, step, layers, places))
    )


def _first(scene: Scene) -> Step:
    return scene.trace.shown[shown_steps(scene.example)[0] - 1]


def _title(scene: Scene) -> str:
    return scene.said("{}: the network", scene.example.spec.title)


def _column(at: int, count: int, tallest: int) -> list[Point]:
    first = EDGE + ROW * Fraction(tallest - count, 2) + RADIUS + 8
    return [point(LEFT + COLUMN * at, first + ROW * place) for place in range(count)]


def _shapes(scene: Scene, step: Step, layers: list[Layer], places: list[list[Point]]) -> Iterator[Shape]:
    units = [
        shape
        for layer, column in zip(layers, places, strict=True)
        for k, at in enumerate(column)
        for shape in _unit(scene, step, layer, k, at)
    ]
    taken = [extent(label, scene.symbols) for label in units if isinstance(label, Label)]
    taken += [(x - RADIUS, y - RADIUS, x + RADIUS, y + RADIUS) for column in places for x, y in column]
    labels: list[Shape] = []
    for at, layer in enumerate(layers[1:], 1):
        for k, weights in enumerate(layer.weights):
            for j, weight in enumerate(weights):
                start, end = places[at - 1][j], places[at][k]
                yield Stroke("edge", (_rim(start, end), _rim(end, start)), scene.plain(weight))
                labels += _weight(scene, step, weight, start, end, taken)
    yield from labels
    yield from units


def _unit(scene: Scene, step: Step, layer: Layer, k: int, at: Point) -> Iterator[Shape]:
    """The circle with its value; its symbol above it and its bias below."""
    unit, (x, y) = layer.units[k], at
    yield Disc(
        "data-unit" if not layer.weights else "unit",
        at,
        Fraction(RADIUS),
        scene.plain(unit_symbol(unit, step)),
    )
    yield Label("value", point(x, y + 4), _value(step, unit))
    yield Label("symbol", point(x, y - RADIUS - 5), (unit_symbol(unit, step),))
    bias = layer.biases[k] if layer.biases else None
    if bias is not None:
        yield Label("bias", point(x, y + RADIUS + 13), (bias, *_equal(step, bias)))


def unit_symbol(unit: Ref, step: Step) -> Ref:
    """A unit with the number that its sample has in the data set."""
    first = number(step.samples[0])
    return Ref(unit.name, (first, *unit.indices[1:]))


def _value(step: Step, ref: Ref) -> Said:
    return (leaf(SHORT(step.at(ref.name, positions(ref)))),)


def _rim(at: Point, towards: Point) -> Point:
    """Where the line between two units leaves the circle of the first."""
    dx, dy = float(towards[0] - at[0]), float(towards[1] - at[1])
    far = (dx * dx + dy * dy) ** 0.5
    return point(
        at[0] + Fraction(round(dx / far * RADIUS * 10), 10),
        at[1] + Fraction(round(dy / far * RADIUS * 10), 10),
    )


def _weight(
    scene: Scene,
    step: Step,
    weight: Ref,
    start: Point,
    end: Point,
    taken: list[tuple[Fraction, Fraction, Fraction, Fraction]],
) -> Iterator[Shape]:
    """The weight on its edge on a white ground, at the first place where there is room."""
    said = _value(step, weight)
    for share in SHARES:
        x, y = (a + (b - a) * share for a, b in zip(start, end, strict=True))
        label = Label("weight", point(x, y + 4), said)
        left, top, right, low = extent(label, scene.symbols)
        if all(left >= b[2] or b[0] >= right or top >= b[3] or b[1] >= low for b in taken):
            break
    taken.append((left, top, right, low))
    yield Box("ground", point(left, top), (point(right - left, low - top)))
    yield label


def _words(scene: Scene, step: Step, layers: list[Layer]) -> str:
    counts = ", ".join(str(len(layer.units)) for layer in layers)
    words = phrase("The network, from the input: layers of {} units, sample {}.")
    found = [scene.said(words, counts, step.samples[0])]
    for layer in layers:
        values = (scene.plain(unit_symbol(unit, step), *_equal(step, unit)) for unit in layer.units)
        weights = (scene.plain(ref, *_equal(step, ref)) for row in layer.weights for ref in row)
        biases = (scene.plain(ref, *_equal(step, ref)) for ref in layer.biases if ref is not None)
        found += [f"{'; '.join(dict.fromkeys([*weights, *biases, *values]))}."]
    return " ".join(found)


def _equal(step: Step, ref: Ref) -> Said:
    shown = SHORT(step.at(ref.name, positions(ref)))
    return " = " if shown.exact else " ≈ ", leaf(shown)


# --- a second look ----------------------------------------------------------------------------------


def faults(drawing: Drawing, scene: Scene) -> Iterator[str]:
    """Edges that do not join the units that the equations join, and numbers that are not theirs."""
    step = _first(scene)
    layers = layers_of(scene.example, step)
    discs = [shape for shape in drawing.of_kind("unit", "data-unit") if isinstance(shape, Disc)]
    units = [unit for layer in layers for unit in layer.units]
    if len(discs) != len(units):
        yield "the circles are not the units"
        return
    at = dict(zip(units, (disc.at for disc in discs), strict=True))
    labels = [shape for shape in drawing.shapes if isinstance(shape, Label)]
    for unit, (x, y) in at.items():
        inside = [
            part.text
            for label in labels
            if label.at == (x, y + 4)
            for part in label.said
            if isinstance(part, Number)
        ]
        if inside != [SHORT(step.at(unit.name, positions(unit))).text]:
            yield f"the value in {scene.plain(unit)} is not that of the step"
    yield from _faults_of_edges(drawing, scene, layers, at, labels)
    biases = [ref for layer in layers for ref in layer.biases if ref is not None]
    shown = [label.said for label in labels if label.kind == "bias"]
    if [[p.text for p in said if isinstance(p, Number)] for said in shown] != [
        [SHORT(step.at(r.name, positions(r))).text] for r in biases
    ]:
        yield "a bias is not that of the step"


def _faults_of_edges(
    drawing: Drawing, scene: Scene, layers: list[Layer], at: dict[Ref, Point], labels: list[Label]
) -> Iterator[str]:
    step = _first(scene)
    pairs = [
        (one, unit, weight)
        for before, layer in pairwise(layers)
        for unit, weights in zip(layer.units, layer.weights, strict=True)
        for one, weight in zip(before.units, weights, strict=True)
    ]
    edges = [shape.points for shape in drawing.of_kind("edge") if isinstance(shape, Stroke)]
    if edges != [(_rim(at[one], at[unit]), _rim(at[unit], at[one])) for one, unit, _ in pairs]:
        yield "the edges are not those of the equations"
    weights = [label for label in labels if label.kind == "weight"]
    if len(weights) != len(pairs):
        yield "there is not one number for every weight"
        return
    for label, (one, unit, weight) in zip(weights, pairs, strict=True):
        (ax, ay), (bx, by), (x, y) = at[one], at[unit], label.at
        away = abs((bx - ax) * (y - 4 - ay) - (by - ay) * (x - ax)) / (bx - ax)
        texts = [part.text for part in label.said if isinstance(part, Number)]
        if away > 1 or texts != [SHORT(step.at(weight.name, positions(weight))).text]:
            yield f"the number on an edge is not {scene.plain(weight)}"


FIGURE = FigureRow("network", "quantities", LEAD, draw, faults)
