"""The computation graph of a page to play with: room for numbers, and the equations of those on its edges."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from derivations.figures import graph, values
from derivations.figures.drawing import Box, Drawing, Label, Shape, Stroke
from derivations.figures.edges import Edge, edge_programs
from derivations.figures.lettering import width
from derivations.figures.nodes import quantities
from derivations.figures.scene import Scene
from derivations.figures.svg import svg_of
from derivations.formats.play.javascript import Scope, called, equation, members, quoted
from derivations.language.names import adjoint, edge_name
from derivations.language.tree import Number, Ref
from derivations.run.training import sample_numbers

NUMBERS = ("adjoint", "contribution")  # labels that are nothing but numbers
ROOM = 6  # for numbers that are a little longer


@dataclass(frozen=True)
class PlayedGraph:
    """The graph of a scene: with numbers if there is room for them, else without."""

    scene: Scene
    drawing: Drawing
    plain: Drawing

    def pieces(self) -> dict[str, str]:
        """The members of the object ``program`` that the graph needs."""
        boxes = (box for box in self.drawing.shapes if isinstance(box, Box))
        return {
            "graph": quoted(svg_of(self._without_numbers(), self.scene.symbols, "play-graph").strip()),
            "nodes": quoted([self._name_of(box) for box in boxes]),
            "numbered": quoted(self._numbered()),
            "edges": "[" + ", ".join(members(piece, "  ") for piece in self._edges()) + "]",
            "most": str(values.MANY[0]),
        }

    def functions(self) -> dict[str, str]:
        """The functions that the equations of the edges call, beside those that JavaScript has."""
        found = edge_programs(self.scene.example) if self._labelled() else {}
        return called(eq.body for program in found.values() for eq in program)

    # --- names -------------------------------------------------------------------------------------

    def _name_of(self, box: Box) -> str:
        found = self.scene
        return next(name for name in quantities(found) if found.plain(Ref(name)) == box.about)

    def _numbered(self) -> list[str]:
        """The quantities, adjoints and edges for whose numbers there is room in the graph."""
        found: list[str] = []
        name = ""
        for shape in self.drawing.shapes:
            if isinstance(shape, Box):
                name = self._name_of(shape)
            elif isinstance(shape, Label) and shape.kind != "contribution" and _has_numbers(shape):
                found.append(adjoint(self.scene.example.loss, name) if shape.kind == "adjoint" else name)
        own = (
            edge_name(self.scene.example.loss, *edge)
            for edge, label in self._labelled()
            if _has_numbers(label)
        )
        return [*found, *own]

    def _labelled(self) -> list[tuple[Edge, Label]]:
        """The edges that have a label, in the order of the drawing."""
        names = quantities(self.scene)
        known = {self.scene.plain(Ref(a), " → ", Ref(b)): (a, b) for a in names for b in names}
        found: list[tuple[Edge, Label]] = []
        about = ""
        for shape in self.drawing.shapes:
            if isinstance(shape, Stroke) and shape.about:
                about = shape.about
            elif isinstance(shape, Label) and shape.kind == "contribution":
                found.append((known[about], shape))
        return found

    # --- pieces ------------------------------------------------------------------------------------

    def _edges(self) -> Iterator[dict[str, str]]:
        """What stands on each edge, in the order of the drawing."""
        example = self.scene.example
        labelled = self._labelled()
        programs = edge_programs(example) if labelled else {}
        outer = Scope(frozenset(), frozenset(example.lookups), sample_numbers(example))
        for edge, label in labelled:
            program = programs[edge]
            own = (equation(eq, program.indices, outer) for eq in program)
            wide = width(label.said, self.scene.symbols, values.LETTERS)
            room = max(int(wide), values.LEAST) + ROOM
            yield {
                "name": quoted(edge_name(example.loss, *edge)),
                "start": quoted(edge[0]),
                "room": str(room),
                "equations": "[" + ", ".join(members(one, "    ") for one in own) + "]",
            }

    def _without_numbers(self) -> Drawing:
        """The graph with room for numbers and none in it; the author's title is not in the script."""
        shapes = tuple(map(_emptied, self.drawing.shapes))
        title = self.plain.title.rpartition(": ")[2]
        return replace(self.drawing, title=title, description=self.plain.description, shapes=shapes)


def graph_to_play(scene: Scene) -> PlayedGraph:
    """The graph of a run, for its page."""
    plain = graph.draw(scene)
    return PlayedGraph(scene, values.draw(scene) or plain, plain)


def _has_numbers(label: Label) -> bool:
    return any(isinstance(part, Number) for part in label.said)


def _emptied(shape: Shape) -> Shape:
    if not isinstance(shape, Label):
        return shape
    return replace(shape, said=("",) if shape.kind in NUMBERS else shape.said[:1])
