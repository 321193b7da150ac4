"""Every figure by its name, in the order in which a page would choose one of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from derivations.figures import fit, graph, loss, network, path, values_audit
from derivations.figures.drawing import Drawing
from derivations.figures.scene import FigureRow, Scene

FIGURES: tuple[FigureRow, ...] = (
    fit.FIGURE,
    network.FIGURE,
    path.FIGURE,
    loss.FIGURE,
    values_audit.VALUES,
    graph.GRAPH,
)
ALWAYS = ("graph",)  # every program has one
BY_NAME = {row.name: row for row in FIGURES}


def figures_of(scene: Scene, part: str) -> dict[str, Drawing]:
    """The figures that belong to a part of a page, by name."""
    found = {row.name: row.draw(scene) for row in FIGURES if row.part == part}
    return {name: drawing for name, drawing in found.items() if drawing is not None}


def faults_of(found: Mapping[str, Drawing], scene: Scene) -> Iterator[str]:
    """Figures that a page should not have, or not there, or that show something else than the run."""
    parts = scene.example.spec.page.parts
    order = [row.name for part in parts for row in FIGURES if row.part == part] if "figures" in parts else []
    always = [name for name in ALWAYS if name in order]
    if list(found) != [name for name in order if name in found] or not {*always} <= {*found}:
        yield "its figures are not those that the spec wants"
    for name, drawing in found.items():
        yield from (f"figure {name}: {fault}" for fault in BY_NAME[name].faults(drawing, scene))
