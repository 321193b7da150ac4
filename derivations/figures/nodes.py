"""The nodes of a computation graph. Data are square, parameters have a thick line, the loss is dark."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from derivations.figures.drawing import Box, Label, Point, Said, Shape, point
from derivations.figures.layered import reads_of
from derivations.figures.lettering import width
from derivations.figures.scene import Scene
from derivations.language.tree import Ref

EDGE = 12  # room around the graph
HIGH, LINE, RISE, LEAST = 24, 16, 4, 34
ROUND = {"data": 0, "parameter": 4}


@dataclass(frozen=True)
class Node:
    """A quantity in its place: what its box says, and in a second line its adjoint."""

    name: str
    kind: str
    said: Said
    total: Said
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

    def shapes(self, scene: Scene) -> Iterator[Shape]:
        """The box with its lines."""
        (x, y), (wide, high) = self.at, self.size
        up = LINE // 2 if self.total else 0
        corner = point(x - wide / 2, y - high / 2)
        round_ = Fraction(ROUND.get(self.kind, 11))
        yield Box(self.kind, corner, point(wide, high), round_, scene.plain(Ref(self.name)))
        yield Label("name-of-loss" if self.kind == "loss" else "name", point(x, y + RISE - up), self.said)
        if self.total:
            yield Label("adjoint", point(x, y + RISE + up), self.total)


def node(scene: Scene, name: str, equal: Said = (), total: Said = ()) -> Node:
    """A quantity, not yet in its place, with what it is and its adjoint."""
    example = scene.example
    kind = "data" if name in example.data else "parameter" if name in example.start else "quantity"
    kind = "loss" if name == example.loss else kind
    said: Said = (Ref(name), *equal)
    wide = max(Fraction(LEAST), 12 + width(said, scene.symbols, 13), 12 + width(total, scene.symbols, 11))
    return Node(name, kind, said, total, point(0, 0), point(wide, HIGH + (LINE if total else 0)))


def quantities(scene: Scene) -> list[str]:
    """What is in the graph: all that is computed and all that is read."""
    reads = reads_of(scene.example)
    return list(dict.fromkeys(name for end, starts in reads.items() for name in (*starts, end)))


def words(scene: Scene) -> str:
    """Every arrow in words."""
    found = []
    for end, starts in reads_of(scene.example).items():
        listed = ", ".join(scene.plain(Ref(start)) for start in starts)
        own = scene.plain(Ref(end))
        found.append(scene.said("{} is computed from {}", own, listed) if starts else own)
    return scene.said("The computation graph. {}.", "; ".join(found))
