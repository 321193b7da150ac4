"""The computation graph: quantities in layers, an arrow from each to those that read it.

With numbers, the value of a step stands in its node and the adjoint, which comes back along the
arrows, below it. Data are square, parameters have a thick line, the loss is dark.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

from derivations.examples.listing import shown_steps
from derivations.examples.training import Step
from derivations.figures.axes import SHORT
from derivations.figures.drawing import Box, Drawing, Label, Point, Said, Shape, Stroke, arrow_head, point
from derivations.figures.layered import Layered, Spot, layered, reads_of
from derivations.figures.lettering import width
from derivations.figures.node_values import NodeValues
from derivations.figures.scene import FigureRow, Scene
from derivations.language.backward import adjoint
from derivations.language.tree import Number, Ref
from derivations.notation.locales import phrase

EDGE, GAP, ROW, PASSING, HIGH, RISE = 12, 38, 34, 16, 24, 4
WITH_VALUES, BELOW = 48, 14  # a row with numbers, and the line below its node
MANY, DEEP, WIDE = (3, 2, 1), 18, 620  # entries that are listed, rather few than too wide
VALUES_LEAD = phrase(
    "The step in the computation graph: values stand in the nodes; below a node stands the derivative of the "
    "loss by it, worked from the loss back, against the arrows."
)
LONGEST = 24  # nodes of a graph with numbers


@dataclass(frozen=True)
class Node:
    """A quantity in its place: what its box says, and what is said below it."""

    name: str
    kind: str
    said: Said
    below: Said
    at: Point
    size: Point

    @property
    def left(self) -> Point:
        """Where arrows come in."""
        return self.at[0] - self.size[0] / 2, self.at[1]

    @property
    def right(self) -> Point:
        """Where arrows go out."""
        return self.at[0] + self.size[0] / 2, self.at[1]

    def shapes(self, names: Callable[[str], str]) -> Iterator[Shape]:
        """The box with its lines."""
        (x, y), (wide, high) = self.at, self.size
        round_ = {"data": 0, "parameter": 4}.get(self.kind, 11)
        corner = point(x - wide / 2, y - high / 2)
        yield Box(self.kind, corner, self.size, Fraction(round_), names(self.name))
        yield Label("name-of-loss" if self.kind == "loss" else "name", point(x, y + RISE), self.said)
        if self.below:
            yield Label("adjoint", point(x, y + high / 2 + BELOW - 2), self.below)


def draw(scene: Scene) -> Drawing:
    """The graph without numbers."""
    title = scene.said("{}: the computation graph", scene.example.spec.title)
    return _drawn(scene, None, title)


def draw_values(scene: Scene) -> Drawing | None:
    """The graph with the values and adjoints of the first step that is shown."""
    step, names = _first(scene), quantities(scene)
    title = scene.said("{}: values and adjoints of step {}", scene.example.spec.title, step.number)
    for most in MANY:
        values = NodeValues(scene, step, most)
        listed = [name for name in names if len(values.entries(name)) <= most]
        if len(names) > LONGEST or 2 * len(listed) < len(names):
            return None
        drawing = _drawn(scene, values, title)
        if drawing.size[0] <= WIDE:
            return drawing
    return None


def _first(scene: Scene) -> Step:
    return scene.trace.shown[shown_steps(scene.example)[0] - 1]


def quantities(scene: Scene) -> list[str]:
    """What is in the graph: all that is computed and all that is read."""
    reads = reads_of(scene.example)
    return list(dict.fromkeys(name for end, starts in reads.items() for name in (*starts, end)))


def _drawn(scene: Scene, values: NodeValues | None, title: str) -> Drawing:
    found = layered(scene.example)
    nodes = _placed(found, scene, values)
    shapes: list[Shape] = [shape for arrow in _arrows(found, nodes, scene) for shape in arrow]
    for node in filter(lambda node: node.kind, nodes.values()):
        shapes += node.shapes(lambda name: scene.plain(Ref(name)))
    right = max(node.right[0] for node in nodes.values()) + EDGE
    low = max(label.at[1] for label in shapes if isinstance(label, Label))
    low = max(low, *(y for shape in shapes if isinstance(shape, Stroke) for _, y in shape.points))
    return Drawing(title, _words(scene, values), point(right, low + EDGE), tuple(shapes))


def _words(scene: Scene, values: NodeValues | None) -> str:
    """Every arrow in words, with the values."""
    found = []
    for end, starts in reads_of(scene.example).items():
        listed = ", ".join(scene.plain(Ref(start)) for start in starts)
        own = scene.plain(Ref(end))
        found.append(scene.said("{} is computed from {}", own, listed) if starts else own)
    said = [scene.said("The computation graph. {}.", "; ".join(found))]
    if values is not None:
        said.append(scene.said("Values in step {}:", values.step.number))
        refs = [Ref(name) for name in quantities(scene)]
        slopes = [Ref(adjoint(scene.example.loss, ref.name)) for ref in refs]
        shown = [ref for ref in (*refs, *slopes) if values.entries(ref.name)]
        said.append("; ".join(scene.plain(ref, *values.equal(ref.name)) for ref in shown) + ".")
    return " ".join(said)


# --- places -----------------------------------------------------------------------------------------


def _placed(found: Layered, scene: Scene, values: NodeValues | None) -> dict[str, Node]:
    """Every node at its place; a spot that an arrow passes is a node without lines."""
    row = WITH_VALUES if values else ROW
    tallest = max(sum(row if len(spot) == 1 else PASSING for spot in column) for column in found.columns)
    nodes: dict[str, Node] = {}
    left = Fraction(EDGE)
    for column in found.columns:
        own = [_node(spot, scene, values) for spot in column]
        wide = max(node.size[0] for node in own)
        down = Fraction(tallest - sum(row if node.kind else PASSING for node in own), 2) + EDGE
        for node in own:
            room = row if node.kind else PASSING
            shift = Fraction(BELOW, 2) if values and node.kind else 0
            at = point(left + wide / 2, down + Fraction(room, 2) - shift)
            nodes[node.name] = replace(node, at=at, size=node.size if node.kind else point(wide, 0))
            down += room
        left += wide + GAP
    return nodes


def _node(spot: Spot, scene: Scene, values: NodeValues | None) -> Node:
    if len(spot) > 1:
        return Node("/".join(spot), "", (), (), point(0, 0), point(0, 0))
    (name,), example = spot, scene.example
    kind = "data" if name in example.data else "parameter" if name in example.start else "quantity"
    kind = "loss" if name == example.loss else kind
    said: Said = (Ref(name),)
    below: Said = ()
    if values is not None:
        said += values.equal(name)
        below = values.below(name)
    wide = max(Fraction(34), 12 + width(said, scene.symbols, 13), 4 + width(below, scene.symbols, 11))
    return Node(name, kind, said, below, point(0, 0), point(wide, HIGH))


def _arrows(found: Layered, nodes: dict[str, Node], scene: Scene) -> Iterator[tuple[Stroke, Stroke]]:
    for arrow in found.arrows:
        passed = [nodes["/".join(spot)] for spot in arrow]
        yield _forward(passed, scene.plain(Ref(arrow[0][0]), " → ", Ref(arrow[-1][0])))
    for start, end in found.back:
        yield _backward(nodes[start], nodes[end], scene.plain(Ref(start), " → ", Ref(end)))


def _forward(passed: list[Node], about: str) -> tuple[Stroke, Stroke]:
    """A gentle curve from column to column, with a head."""
    points = [point(*passed[0].right)]
    for one, other in pairwise(passed):
        start, end = one.right, other.left
        if not one.kind:  # straight past the nodes of a column
            left, wide = one.left, one.size[0] / 3
            points += [point(left[0] + wide, left[1]), point(start[0] - wide, left[1]), point(*start)]
        middle = (start[0] + end[0]) / 2
        stop = end[0] - (5 if other is passed[-1] else 0)
        points += [point(middle, start[1]), point(middle, end[1]), point(stop, end[1])]
    tip = point(*passed[-1].left)
    return Stroke("arrow", tuple(points), about, curved=True), arrow_head("head", points[-1], tip)


def _backward(start: Node, end: Node, about: str) -> tuple[Stroke, Stroke]:
    """Below the nodes, to an earlier entry or the next step of a recurrence."""
    a, b = start.at[0], end.at[0]
    foot, tip = (node.at[1] + node.size[1] / 2 + (BELOW + 3 if node.below else 0) for node in (start, end))
    deep = max(foot, tip) + DEEP
    points = point(a + 8, foot), point(a + 6, deep), point(b - 6, deep), point(b - 8, tip + 5)
    return Stroke("back", points, about, curved=True), arrow_head("head", points[-1], point(b - 8, tip))


# --- a second look ----------------------------------------------------------------------------------


def faults(drawing: Drawing, scene: Scene) -> Iterator[str]:
    """Nodes and arrows that are not those of the equations; an arrow is known by where its ends are."""
    names = [shape for shape in drawing.of_kind("name", "name-of-loss") if isinstance(shape, Label)]
    every = [shape for shape in drawing.shapes if isinstance(shape, Box)]
    boxes = {scene.plain(*label.said[:1]): box for box in every for label in names if _is_by(label, box)}
    wanted = {scene.plain(Ref(name)) for name in quantities(scene)}
    if set(boxes) != wanted or len(boxes) != len(every):
        yield "the nodes of the graph are not the quantities of the equations"
        return
    reads = reads_of(scene.example).items()
    pairs = sorted((scene.plain(Ref(a)), scene.plain(Ref(end))) for end, starts in reads for a in starts)
    arrows = [shape for shape in drawing.of_kind("arrow", "back") if isinstance(shape, Stroke)]
    heads = [shape for shape in drawing.of_kind("head") if isinstance(shape, Stroke)]
    joined = zip(arrows, heads, strict=False)
    ends = [(_touched(a.points[0], boxes), _touched(h.points[0], boxes)) for a, h in joined]
    if sorted(ends) != pairs or len(arrows) != len(heads):
        yield "the arrows of the graph are not what the equations read"


def _touched(at: Point, boxes: dict[str, Box]) -> str:
    """The node on whose edge a point is."""
    for name, box in boxes.items():
        (left, top), (wide, high) = box.at, box.size
        if left - 1 <= at[0] <= left + wide + 1 and top - 1 <= at[1] <= top + high + BELOW + 4:
            return name
    return ""


def faults_of_values(drawing: Drawing, scene: Scene) -> Iterator[str]:
    """Also numbers in or below a node that are not the step's, entry by entry."""
    wrong = list(faults(drawing, scene))
    yield from wrong
    if wrong:
        return
    told = NodeValues(scene, _first(scene), MANY[0])
    labels = [shape for shape in drawing.shapes if isinstance(shape, Label)]
    for name in quantities(scene):
        box = next(b for b in drawing.shapes if isinstance(b, Box) and b.about == scene.plain(Ref(name)))
        below = adjoint(scene.example.loss, name)
        for own, kinds in ((name, ("name", "name-of-loss")), (below, ("adjoint",))):
            near = [label for label in labels if label.kind in kinds and _is_by(label, box)]
            found = [part for label in near for part in label.said if isinstance(part, Number)]
            values = [told.step.at(own, at) for at in told.entries(own)]
            wanted = [[SHORT(value).text for value in values]] + [[]] * (len(values) > 1)
            if [number.text for number in found] not in wanted or len(near) != (
                kinds[0] == "name" or bool(values)
            ):
                yield f"the numbers for {own} are not those of the step"


def _is_by(label: Label, box: Box) -> bool:
    """Whether a label stands in a box or right below it."""
    (left, top), (wide, high) = box.at, box.size
    return left < label.at[0] < left + wide and top < label.at[1] < top + high + BELOW


GRAPH = FigureRow(
    "graph", "quantities", phrase("An arrow goes from each quantity to those that read it."), draw, faults
)
VALUES = FigureRow("values", "steps", VALUES_LEAD, draw_values, faults_of_values)
