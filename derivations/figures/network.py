"""A network in layers: units as circles with the values of one sample, weights on the edges.

What is a network is read off its equations: a quantity with one index beside the sample's (or none) that
is a sum of a weight times the units before, and what is made of it entry by entry.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from derivations.examples.arrays import positions
from derivations.examples.example import Example, sample_axes
from derivations.examples.listing import shown_steps
from derivations.examples.training import Step
from derivations.figures.axes import SHORT
from derivations.figures.drawing import Box, Disc, Drawing, Label, Point, Said, Shape, Stroke, point
from derivations.figures.lettering import extent
from derivations.figures.scene import FigureRow, Scene, leaf
from derivations.language.program import Equation
from derivations.language.tree import Add, Expr, Mul, Number, Ref, Sum, number, refs

RADIUS, COLUMN, ROW, EDGE, LEFT = 25, 150, 90, 16, 48
MOST_UNITS, MOST_EDGES, MOST_LAYERS = 14, 24, 5
SHARES = tuple(
    Fraction(n, 100) for n in (30, 22, 38, 46, 54, 62, 70, 78)
)  # where a weight may stand on its edge
LEAD = "The network with the weights of the first step and the values of its first sample:"


@dataclass(frozen=True)
class Layer:
    """The units of one layer, by their entries; the weights that lead to each, and its bias."""

    units: tuple[Ref, ...]
    weights: tuple[tuple[Ref, ...], ...] = ()
    biases: tuple[Ref | None, ...] = ()


def layers_of(example: Example, step: Step) -> list[Layer]:
    """The layers of the network from its input; none if the equations are no such network."""
    sample, axes = example.sample, sample_axes(example)
    inputs = [n for n, axis in axes.items() if axis == 0 and len(example.data[n].shape) <= 2]
    name = next((n for n in inputs if sample and _dense(example, n, sample)), "")
    if sample is None or not name:
        return []
    layers = [Layer(_units(step, name))]
    while (eq := _dense(example, name, sample)) is not None:
        layers.append(_layer(eq, name, step, layers[-1].units))
        name = eq.target.name
        while (after := _entrywise(example, name, sample)) is not None:
            name = after.target.name
        units = _units(step, name)
        layers[-1] = Layer(units, layers[-1].weights, layers[-1].biases)
    return layers if len(layers) > 2 else []


def _units(step: Step, name: str) -> tuple[Ref, ...]:
    """The entries of a quantity for the first sample of a step."""
    entries = [at for own, at in step.layout.tape.slots if own == name and at[:1] == (1,)]
    return tuple(Ref(name, tuple(map(number, at))) for at in sorted(entries))


def _dense(example: Example, name: str, sample: str) -> Equation | None:
    """The equation that sums a weight times the units of a quantity."""
    for eq in example.forward:
        found = _weighted(eq, name)
        if found is not None and eq.target.indices[:1] == (Ref(sample),) and len(eq.target.indices) <= 2:
            return eq if found.name in {**example.start, **example.data} else None
    return None


def _weighted(eq: Equation, name: str) -> Ref | None:
    """The weight in ``sum(W[k, j]*x[i, j], j)`` or ``W[k]*x[i]``, if that is a term of the equation."""
    own = eq.target.indices
    for part in eq.body.terms if isinstance(eq.body, Add) else (eq.body,):
        product, summed = (part.body, (Ref(part.index),)) if isinstance(part, Sum) else (part, ())
        if isinstance(product, Mul) and len(product.factors) == 2 and own:
            pair = [factor for factor in product.factors if isinstance(factor, Ref)]
            units = [ref for ref in pair if ref == Ref(name, (own[0], *summed))]
            weights = [ref for ref in pair if ref not in units and {*ref.indices} == {*own[1:], *summed}]
            if len(units) == len(weights) == 1:
                return weights[0]
    return None


def _entrywise(example: Example, name: str, sample: str) -> Equation | None:
    """The equation that makes a quantity of this one entry by entry: an activation."""
    target = example.forward.targets[name].target
    for eq in example.forward:
        if eq.target.indices == target.indices and eq.target.name != name:
            computed = {ref for ref in refs(eq.body) if ref.name not in example.start}
            if computed == {target}:
                return eq
    return None


def _layer(eq: Equation, name: str, step: Step, before: tuple[Ref, ...]) -> Layer:
    """The weights and biases of each unit of a dense layer."""
    weight = _weighted(eq, name)
    assert weight is not None
    terms = eq.body.terms if isinstance(eq.body, Add) else ()
    bias = next(
        (part for part in terms if isinstance(part, Ref) and part.indices in ((), eq.target.indices[1:])),
        None,
    )
    units, weights, biases = _units(step, eq.target.name), [], []
    for unit in units:
        own = dict(zip(eq.target.indices, unit.indices, strict=True))
        weights.append(tuple(_at(weight, own, one) for one in before))
        biases.append(None if bias is None else _at(bias, own, unit))
    return Layer(units, tuple(weights), tuple(biases))


def _at(ref: Ref, own: dict[Expr, Expr], other: Ref) -> Ref:
    """An entry: letters of the unit by its numbers, the summed one by the number of the unit before."""
    return Ref(ref.name, tuple(own[part] if part in own else other.indices[1] for part in ref.indices))


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
    return f"{scene.example.spec.title}: the network"


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
        yield Label("bias", point(x, y + RADIUS + 13), (bias, " = ", *_value(step, bias)))


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
    found = [f"The network, from the input: layers of {counts} units, sample {step.samples[0]}."]
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
