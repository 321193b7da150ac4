"""The computation graph: quantities in layers, an arrow from each to those that read it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

from derivations.figures.drawing import Box, Drawing, Label, Point, Shape, Stroke, arrow_head, point
from derivations.figures.layered import Layered, Spot, layered, reads_of
from derivations.figures.nodes import EDGE, Node, node, quantities, words
from derivations.figures.scene import FigureRow, Scene
from derivations.language.tree import Ref
from derivations.notation.locales import phrase

GAP, ROW, PASSING, DEEP = 38, 34, 16, 18


def draw(scene: Scene) -> Drawing:
    """The graph without numbers."""
    title = scene.said("{}: the computation graph", scene.example.spec.title)
    found = layered(scene.example)
    nodes = _placed(found, scene)
    shapes: list[Shape] = [shape for arrow in _arrows(found, nodes, scene) for shape in arrow]
    for each in filter(lambda each: each.kind, nodes.values()):
        shapes += each.shapes(scene)
    right = max(each.right[0] for each in nodes.values()) + EDGE
    low = max(label.at[1] for label in shapes if isinstance(label, Label))
    low = max(low, *(y for shape in shapes if isinstance(shape, Stroke) for _, y in shape.points))
    return Drawing(title, words(scene), point(right, low + EDGE), tuple(shapes))


# --- places -----------------------------------------------------------------------------------------


def _placed(found: Layered, scene: Scene) -> dict[str, Node]:
    """Every node at its place; a spot that an arrow passes is a node without lines."""
    tallest = max(sum(ROW if len(spot) == 1 else PASSING for spot in column) for column in found.columns)
    nodes: dict[str, Node] = {}
    left = Fraction(EDGE)
    for column in found.columns:
        own = [_node(spot, scene) for spot in column]
        wide = max(each.size[0] for each in own)
        down = Fraction(tallest - sum(ROW if each.kind else PASSING for each in own), 2) + EDGE
        for each in own:
            room = ROW if each.kind else PASSING
            at = point(left + wide / 2, down + Fraction(room, 2))
            nodes[each.name] = replace(each, at=at, size=each.size if each.kind else point(wide, 0))
            down += room
        left += wide + GAP
    return nodes


def _node(spot: Spot, scene: Scene) -> Node:
    if len(spot) == 1:
        return node(scene, spot[0])
    return Node("/".join(spot), "", (), (), point(0, 0), point(0, 0))


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
    foot, tip = (each.at[1] + each.size[1] / 2 for each in (start, end))
    deep = max(foot, tip) + DEEP
    points = point(a + 8, foot), point(a + 6, deep), point(b - 6, deep), point(b - 8, tip + 5)
    return Stroke("back", points, about, curved=True), arrow_head("head", points[-1], point(b - 8, tip))


# --- a second look ----------------------------------------------------------------------------------


def faults(drawing: Drawing, scene: Scene) -> Iterator[str]:
    """Nodes and arrows that are not those of the equations; an arrow is known by where its ends are."""
    every = [shape for shape in drawing.shapes if isinstance(shape, Box)]
    boxes = boxes_of(drawing, scene)
    wanted = {scene.plain(Ref(name)) for name in quantities(scene)}
    if set(boxes) != wanted or len(boxes) != len(every):
        yield "the nodes of the graph are not the quantities of the equations"
        return
    reads = reads_of(scene.example).items()
    pairs = sorted((scene.plain(Ref(a)), scene.plain(Ref(end))) for end, starts in reads for a in starts)
    arrows, heads = drawing.of_kind("arrow", "back"), drawing.of_kind("head")
    if sorted(pair for _, pair in joined(drawing, boxes)) != pairs or len(arrows) != len(heads):
        yield "the arrows of the graph are not what the equations read"


def boxes_of(drawing: Drawing, scene: Scene) -> dict[str, Box]:
    """The boxes by the names that stand in them."""
    names = [shape for shape in drawing.of_kind("name", "name-of-loss") if isinstance(shape, Label)]
    every = [shape for shape in drawing.shapes if isinstance(shape, Box)]
    return {scene.plain(*label.said[:1]): box for box in every for label in names if is_in(label, box)}


def joined(drawing: Drawing, boxes: dict[str, Box]) -> Iterator[tuple[Stroke, tuple[str, str]]]:
    """Every arrow with the names of the boxes at its ends."""
    arrows = [shape for shape in drawing.of_kind("arrow", "back") if isinstance(shape, Stroke)]
    heads = [shape for shape in drawing.of_kind("head") if isinstance(shape, Stroke)]
    for arrow, head in zip(arrows, heads, strict=False):
        yield arrow, (_touched(arrow.points[0], boxes), _touched(head.points[0], boxes))


def _touched(at: Point, boxes: dict[str, Box]) -> str:
    """The node on whose edge a point is."""
    for name, box in boxes.items():
        (left, top), (wide, high) = box.at, box.size
        if left - 1 <= at[0] <= left + wide + 1 and top - 1 <= at[1] <= top + high + 1:
            return name
    return ""


def is_in(label: Label, box: Box) -> bool:
    """Whether a label stands in a box."""
    (left, top), (wide, high) = box.at, box.size
    return left < label.at[0] < left + wide and top < label.at[1] < top + high


GRAPH = FigureRow(
    "graph", "quantities", phrase("An arrow goes from each quantity to those that read it."), draw, faults
)
