"""The second look at the graph with numbers: every number is read off by where it stands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

from flint import fmpq

from derivations.figures import graph, values
from derivations.figures.drawing import Drawing, Label, Said, Stroke
from derivations.figures.edges import Edge, worked
from derivations.figures.layered import reads_of
from derivations.figures.node_values import MANY, SUM, NodeValues
from derivations.figures.nodes import quantities
from derivations.figures.scene import FigureRow, Scene
from derivations.language.names import adjoint
from derivations.language.tree import Ref
from derivations.notation.locales import phrase
from derivations.numbers.systems import EXACT, Value

LEAD = phrase(
    "The step in the computation graph. In the nodes stand the values. On an arrow stands what comes back "
    "along it from the loss: what it adds to the derivative of the loss with respect to the quantity where "
    "it starts."
)
NOTES = {
    SUM: phrase("Where several arrows start, the derivative is their sum, Σ in the node."),
    MANY: phrase("(…) stands for entries that are not listed."),
}


def notes(drawing: Drawing) -> Iterator[str]:
    """What the marks mean that stand in this drawing."""
    said = {part for shape in drawing.shapes if isinstance(shape, Label) for part in shape.said}
    yield from (note for mark, note in NOTES.items() if mark in said)


def faults(drawing: Drawing, scene: Scene) -> Iterator[str]:
    """Nodes and arrows that are not the equations', and numbers in and on them that are not the step's.

    The numbers are those of the chain rule, path by path; the adjoints of the run are their sums.
    """
    wrong = [*graph.faults(drawing, scene), *_faults_of_sums(scene)]
    yield from wrong
    if wrong:
        return
    edges = worked(scene.trace, values.first_step(scene), scene.trace.system)
    told = (NodeValues(scene, values.first_step(scene), edges, most) for most in values.MANY)
    yield from min((list(_faults_of_numbers(drawing, each)) for each in told), key=len)


def _faults_of_numbers(drawing: Drawing, told: NodeValues) -> Iterator[str]:
    """What is not said in a node or on an arrow, or more than is to be said."""
    scene = told.scene
    boxes = graph.boxes_of(drawing, scene)
    labels = [shape for shape in drawing.shapes if isinstance(shape, Label)]
    for name in quantities(scene):
        box = boxes[scene.plain(Ref(name))]
        found = [label for label in labels if graph.is_in(label, box)]
        wanted = (Ref(name), *told.equal(name)), told.total(name)
        if _texts((label.said for label in found), scene) != _texts(wanted, scene):
            yield f"the numbers for {name} are not those of the step"
    on = [label for label in labels if not any(graph.is_in(label, box) for box in boxes.values())]
    arrows = {pair: arrow for arrow, pair in graph.joined(drawing, boxes)}
    for edge in _edges(scene):
        start, end = (scene.plain(Ref(name)) for name in edge)
        near = [label for label in on if _is_on(label, arrows[start, end])]
        on = [label for label in on if label not in near]
        if _texts((label.said for label in near), scene) != _texts([told.on(edge)], scene):
            yield f"the number on the arrow from {edge[0]} to {edge[1]} is not that of the step"
    if on:
        yield "a number stands where there is no arrow"


def _texts(said: Iterable[Said], scene: Scene) -> list[str]:
    """What is said, as plain text, without what says nothing."""
    return [scene.plain(*each) for each in said if each]


def _edges(scene: Scene) -> Iterator[Edge]:
    reads = reads_of(scene.example)
    return ((start, end) for end, starts in reads.items() for start in starts)


def _is_on(label: Label, arrow: Stroke) -> bool:
    """Whether a label stands right above a level piece of an arrow, or right beside an upright one."""
    x, y = label.at
    for (a, b), (c, d) in pairwise(arrow.points[::3]):
        level = b == d and min(a, c) <= x <= max(a, c) and 0 < b - y <= 2 * values.ABOVE
        upright = a == c and min(b, d) <= y <= max(b, d) and 0 < x - a <= 2 * values.BESIDE
        if (level and label.anchor == "middle") or (upright and label.anchor == "start"):
            return True
    return False


# --- a second witness -------------------------------------------------------------------------------


def _faults_of_sums(scene: Scene) -> Iterator[str]:
    """Adjoints of the exact run, which the derivation proved, that are not the sums of what the edges add."""
    example = scene.example
    step = scene.trace.steps[values.first_step(scene).number - 1]
    edges = worked(scene.trace, step, EXACT)
    for name in quantities(scene):
        slope = adjoint(example.loss, name)
        places = [at for own, at in step.layout.tape.slots if own == slope]
        for at in places:
            total = sum((edges.values[edge][at] for edge in edges.leaving(name)), fmpq(0))
            if not _same(total, step.at(slope, at)):
                yield f"the edges of {name} do not add up to its adjoint"


def _same(one: Value, other: Value) -> bool:
    """Whether exact values are equal, or two that are known within bounds can be."""
    rest = one - other
    return rest == 0 if isinstance(rest, fmpq) else bool(rest.contains(0))


VALUES = FigureRow("values", "steps", LEAD, values.draw, faults, notes)
