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
from derivations.figures.scene import FigureRow, Scene, leaf
from derivations.language.backward import adjoint
from derivations.language.tree import Expr, Number, Ref

EDGE, GAP, ROW, PASSING, HIGH, RISE = 12, 38, 34, 16, 24, 4
WITH_VALUES, BELOW = 48, 14  # a row with numbers, and the line below its node
MANY, DEEP = 3, 18  # entries that are listed; how deep an arrow back hangs
VALUES_LEAD = (
    "The step in the computation graph: values stand in the nodes; below a node stands its adjoint, which "
    "came back along its arrows."
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
    title = f"{scene.example.spec.title}: the computation graph"
    return _drawn(scene, None, title)


def draw_values(scene: Scene) -> Drawing | None:
    """The graph with the values and adjoints of the first step that is shown."""
    step = scene.trace.shown[shown_steps(scene.example)[0] - 1]
    names = quantities(scene)
    listed = [name for name in names if len(entries(step, name)) <= MANY]
    if len(names) > LONGEST or 2 * len(listed) < len(names):
        return None
    title = f"{scene.example.spec.title}: values and adjoints of step {step.number}"
    return _drawn(scene, step, title)


def quantities(scene: Scene) -> list[str]:
    """What is in the graph: all that is computed and all that is read."""
    reads = reads_of(scene.example)
    return list(dict.fromkeys(name for end, starts in reads.items() for name in (*starts, end)))


def entries(step: Step, name: str) -> list[tuple[int, ...]]:
    """The places of the entries of a quantity in a step."""
    return [at for own, at in step.layout.tape.slots if own == name]


def numbers(scene: Scene, step: Step, name: str) -> Said:
    """What the entries of a quantity are: ``= 0.5``, ``≈ (1.5, 2)``; of many, how many: ``: 2 × 3``."""
    places = entries(step, name)
    if not places:
        return ()
    if len(places) > MANY:
        shape = [max(at[axis] for at in places) for axis in range(len(places[0]))]
        return (": " + " × ".join(map(str, shape)),)
    shown = [SHORT(step.at(name, at)) for at in places]
    mark = " = " if all(each.exact for each in shown) else " ≈ "
    if len(places) == 1:
        return mark, leaf(shown[0])
    said: list[str | Expr] = [f"{mark}("]
    for each in shown:
        said += [leaf(each), f"{scene.symbols.marks.separator} "]
    return (*said[:-1], ")")


def _drawn(scene: Scene, step: Step | None, title: str) -> Drawing:
    found = layered(scene.example)
    nodes = _placed(found, scene, step)
    shapes: list[Shape] = [shape for arrow in _arrows(found, nodes, scene) for shape in arrow]
    for node in filter(lambda node: node.kind, nodes.values()):
        shapes += node.shapes(lambda name: scene.plain(Ref(name)))
    right = max(node.right[0] for node in nodes.values()) + EDGE
    low = max(label.at[1] for label in shapes if isinstance(label, Label))
    low = max(low, *(y for shape in shapes if isinstance(shape, Stroke) for _, y in shape.points))
    return Drawing(title, _words(scene, step), point(right, low + EDGE), tuple(shapes))


def _words(scene: Scene, step: Step | None) -> str:
    """Every arrow in words, with the values."""
    found = []
    for end, starts in reads_of(scene.example).items():
        listed = ", ".join(scene.plain(Ref(start)) for start in starts)
        found.append(
            f"{scene.plain(Ref(end))} is computed from {listed}" if starts else scene.plain(Ref(end))
        )
    said = [f"The computation graph. {'; '.join(found)}."]
    if step is not None:
        said.append(f"Values in step {step.number}:")
        shown = [(Ref(name), numbers(scene, step, name)) for name in quantities(scene)]
        slopes = [Ref(adjoint(scene.example.loss, ref.name)) for ref, _ in shown]
        shown += [(ref, numbers(scene, step, ref.name)) for ref in slopes if entries(step, ref.name)]
        said.append("; ".join(f"{scene.plain(ref)}{scene.plain(*own)}" for ref, own in shown) + ".")
    return " ".join(said)


# --- places -----------------------------------------------------------------------------------------


def _placed(found: Layered, scene: Scene, step: Step | None) -> dict[str, Node]:
    """Every node at its place; a spot that an arrow passes is a node without lines."""
    row = WITH_VALUES if step else ROW
    tallest = max(sum(row if len(spot) == 1 else PASSING for spot in column) for column in found.columns)
    nodes: dict[str, Node] = {}
    left = Fraction(EDGE)
    for column in found.columns:
        own = [_node(spot, scene, step) for spot in column]
        wide = max(node.size[0] for node in own)
        down = Fraction(tallest - sum(row if node.kind else PASSING for node in own), 2) + EDGE
        for node in own:
            room = row if node.kind else PASSING
            shift = Fraction(BELOW, 2) if step and node.kind else 0
            at = point(left + wide / 2, down + Fraction(room, 2) - shift)
            nodes[node.name] = replace(node, at=at, size=node.size if node.kind else point(wide, 0))
            down += room
        left += wide + GAP
    return nodes


def _node(spot: Spot, scene: Scene, step: Step | None) -> Node:
    if len(spot) > 1:
        return Node("/".join(spot), "", (), (), point(0, 0), point(0, 0))
    (name,), example = spot, scene.example
    kind = "data" if name in example.data else "parameter" if name in example.start else "quantity"
    kind = "loss" if name == example.loss else kind
    said: Said = (Ref(name),)
    below: Said = ()
    if step is not None:
        said += numbers(scene, step, name)
        below = adjoint_said(scene, step, name)
    wide = max(Fraction(34), 12 + width(said, scene.symbols, 13), 4 + width(below, scene.symbols, 11))
    return Node(name, kind, said, below, point(0, 0), point(wide, HIGH))


def adjoint_said(scene: Scene, step: Step, name: str) -> Said:
    """The adjoint of a quantity as it stands below its node: ``-34.5``, ``≈ (1.5, 2)``; none of data."""
    first, *rest = numbers(scene, step, adjoint(scene.example.loss, name)) or ("",)
    first = str(first).lstrip(" =:")
    return (first, *rest) if first else tuple(rest)


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
    step = scene.trace.shown[shown_steps(scene.example)[0] - 1]
    labels = [shape for shape in drawing.shapes if isinstance(shape, Label)]
    for name in quantities(scene):
        box = next(b for b in drawing.shapes if isinstance(b, Box) and b.about == scene.plain(Ref(name)))
        below = adjoint(scene.example.loss, name)
        for own, kinds in ((name, ("name", "name-of-loss")), (below, ("adjoint",))):
            near = [label for label in labels if label.kind in kinds and _is_by(label, box)]
            found = [part for label in near for part in label.said if isinstance(part, Number)]
            values = [step.at(own, at) for at in entries(step, own)]
            wanted = [SHORT(value).text for value in values] if len(values) <= MANY else []
            if [number.text for number in found] != wanted or len(near) != (
                kinds[0] == "name" or bool(values)
            ):
                yield f"the numbers for {own} are not those of the step"


def _is_by(label: Label, box: Box) -> bool:
    """Whether a label stands in a box or right below it."""
    (left, top), (wide, high) = box.at, box.size
    return left < label.at[0] < left + wide and top < label.at[1] < top + high + BELOW


GRAPH = FigureRow(
    "graph", "quantities", "An arrow goes from each quantity to those that read it.", draw, faults
)
VALUES = FigureRow("values", "steps", VALUES_LEAD, draw_values, faults_of_values)
