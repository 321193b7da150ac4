"""Every figure by its name, in the order in which a page would choose one of them."""

from __future__ import annotations

from derivations.figures import graph, loss
from derivations.figures.drawing import Drawing
from derivations.figures.scene import FigureRow, Scene

FIGURES: tuple[FigureRow, ...] = (loss.FIGURE, graph.VALUES, graph.GRAPH)
BY_NAME = {row.name: row for row in FIGURES}


def figures_of(scene: Scene, part: str) -> dict[str, Drawing]:
    """The figures that belong to a part of a page, by name."""
    found = {row.name: row.draw(scene) for row in FIGURES if row.part == part}
    return {name: drawing for name, drawing in found.items() if drawing is not None}


def wanted_figures(scene: Scene) -> list[str]:
    """The figures of a page by name, in the order of its parts."""
    parts = scene.example.spec.page.parts
    return [name for part in parts for name in figures_of(scene, part)] if "figures" in parts else []
