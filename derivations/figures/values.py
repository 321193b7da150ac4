"""The computation graph with the numbers of a step: values in the nodes, adjoints on the edges.

On an arrow stands what its edge adds to the adjoint of the quantity where it starts. Where several start,
their sum, which is the adjoint, stands in the node. The arrows go to the right or, where that is too wide,
down the page.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property

from derivations.figures.drawing import Drawing, Label, Point, Said, Shape, Stroke, arrow_head, point
from derivations.figures.edges import Edge, worked
from derivations.figures.lanes import Lanes, Room, lanes_of
from derivations.figures.layered import Spot
from derivations.figures.lettering import width
from derivations.figures.node_values import NodeValues
from derivations.figures.nodes import EDGE, Node, node, quantities, words
from derivations.figures.routes import At, Places, places
from derivations.figures.scene import Scene
from derivations.language.errors import ArithmeticFault
from derivations.language.names import adjoint
from derivations.language.tree import Ref
from derivations.programs.listing import shown_steps
from derivations.run.training import Step

MANY, LONGEST = (6, 4, 3, 2, 1), 24  # entries that are listed, rather few than too wide; nodes of a graph
WIDE, WIDER, TALL = 620, 700, 640  # the width to the right, that down the page, the height
LETTERS, LEAST = 11, 36  # the size of labels; the room of a short one, for other numbers when one plays
ABOVE, BESIDE = 3, 4  # how far a label is from its line
PASSING, DEEP, SIDE = 8, 20, 16  # beside an arrow; below a node and beside it, for a loop


def draw(scene: Scene) -> Drawing | None:
    """The graph with the numbers of the first step that is shown; None where there is no room for them."""
    step, names = first_step(scene), quantities(scene)
    sizes = Counter(name for name, _ in step.layout.tape.slots)
    listed = {most: [name for name in names if sizes[name] <= most] for most in MANY}
    wanted = {len(own): most for most, own in listed.items() if 2 * len(own) >= len(names)}
    if len(names) > LONGEST or not wanted:
        return None
    try:
        edges = worked(scene.trace, step, scene.trace.system)
    except (ValueError, ArithmeticFault):  # no letter is left for an index, or a slope has no value
        return None
    lanes = lanes_of(scene.example, frozenset(edges.values))
    for most in wanted.values() if not lanes.level else ():
        for down in (False, True):
            drawing = _Graph(scene, NodeValues(scene, step, edges, most), lanes, down).drawn()
            if drawing.size[0] <= (WIDER if down else WIDE) and drawing.size[1] <= TALL:
                return drawing
    return None


def first_step(scene: Scene) -> Step:
    """The step whose numbers are shown."""
    return scene.trace.shown[shown_steps(scene.example)[0] - 1]


@dataclass(frozen=True)
class _Graph:
    """A graph that goes to the right or down, with its lanes and what stands in and on it."""

    scene: Scene
    values: NodeValues
    lanes: Lanes
    down: bool

    @cached_property
    def nodes(self) -> dict[str, Node]:
        """The quantities with their numbers, not yet in their places."""
        told = self.values
        return {
            name: node(self.scene, name, told.equal(name), told.total(name))
            for name in quantities(self.scene)
        }

    def point(self, at: At) -> Point:
        """A place from how far it is along the arrows and across them."""
        return point(at[1], at[0]) if self.down else point(*at)

    def wide(self, said: Said) -> Fraction:
        """The room that a label takes."""
        return max(Fraction(LEAST), width(said, self.scene.symbols, LETTERS)) if said else Fraction(0)

    def _room(self, spot: Spot) -> Room:
        """What a place needs."""
        if len(spot) == 1:
            return self._room_of_node(spot[0])
        if spot not in self.lanes.labels:
            return Room(Fraction(0), Fraction(PASSING), Fraction(PASSING))
        wide = self.wide(self.values.on((spot[0], spot[1])))
        if self.down:
            return Room(Fraction(SIDE), Fraction(PASSING), wide + 2 * BESIDE)
        return Room(wide, Fraction(LETTERS + ABOVE + 1), Fraction(PASSING))

    def _room_of_node(self, name: str) -> Room:
        wide, high = self.nodes[name].size
        label = self.wide(self.values.on((name, name)))
        loop = (name, name) in self.lanes.arrows
        if self.down:
            half = wide / 2 + PASSING
            return Room(high, half, half + (SIDE + label + BESIDE if loop else 0))
        half = (high + PASSING) / 2
        return Room(max(wide, label + 20) if loop else wide, half, half + (DEEP if loop else 0))

    def drawn(self) -> Drawing:
        """The drawing, arrows behind the nodes."""
        sizes = {name: each.size[::-1] if self.down else each.size for name, each in self.nodes.items()}
        rooms = {spot: self._room(spot) for column in self.lanes.columns for spot in column}
        found = places(self.lanes, rooms, sizes, EDGE)
        shapes: list[Shape] = []
        for edge in self.lanes.arrows:
            shapes += self._arrow(edge, found)
        for name, each in self.nodes.items():
            shapes += replace(each, at=self.point(found.at(name))).shapes(self.scene)
        far = max(place + rooms[spot].after for spot, place in found.over.items())
        size = self.point((found.columns[-1][1] + EDGE, far + EDGE))
        title = self.scene.said(
            "{}: values and adjoints of step {}", self.scene.example.spec.title, self.values.step.number
        )
        return Drawing(title, _words(self.scene, self.values), size, tuple(shapes))

    def _arrow(self, edge: Edge, found: Places) -> Iterator[Shape]:
        """An arrow with its head and its label."""
        said = self.values.on(edge)
        wide = Fraction(0) if self.down else self.wide(said)
        route = found.route(edge, SIDE if self.down else DEEP, wide)
        points = tuple(map(self.point, route.curve))
        about = self.scene.plain(Ref(edge[0]), " → ", Ref(edge[1]))
        yield Stroke(route.kind, points, about, curved=True)
        yield arrow_head("head", points[-1], self.point(route.tip))
        (x, y) = self.point(route.label)
        if said and self.down:
            yield Label("contribution", point(x + BESIDE, y + 4), said, "start")
        elif said:
            yield Label("contribution", point(x, y - ABOVE), said)


def _words(scene: Scene, values: NodeValues) -> str:
    """Every arrow in words, every value, every adjoint, and what the arrows add to it."""
    refs = [Ref(name) for name in quantities(scene)]
    slopes = [Ref(adjoint(scene.example.loss, ref.name)) for ref in refs]
    shown = [ref for ref in (*refs, *slopes) if values.entries(ref.name)]
    listed = "; ".join(scene.plain(ref, *values.equal(ref.name)) for ref in shown)
    edges = [scene.plain(Ref(a), " → ", Ref(b), ": ", *values.on((a, b))) for a, b in values.edges.values]
    said = [words(scene), scene.said("Values in step {}:", values.step.number), f"{listed}."]
    if edges:
        said += [scene.said("What comes back along the arrows:"), f"{'; '.join(edges)}."]
    return " ".join(said)
