"""The loss by step."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from derivations.figures.axes import Frame, Scale, margin, middle, readings, scale, uneven
from derivations.figures.drawing import Disc, Drawing, Shape, Stroke, point
from derivations.figures.scene import FigureRow, Scene
from derivations.language.tree import Ref
from derivations.notation.locales import phrase

WIDTH, HEIGHT, TOP, BOTTOM, RIGHT = 340, 190, 30, 144, 324
LEAD = phrase("The loss by step:")
LEAST, MARKED, DRAWN, SAID = 3, 40, 400, 8


def draw(scene: Scene) -> Drawing | None:
    """The loss of every step; the axis starts at 0 unless the loss is negative somewhere."""
    losses = losses_of(scene)
    if len(losses) < LEAST:
        return None
    down = scale(losses, BOTTOM, TOP, zero=True)
    across = Scale(Fraction(1), Fraction(len(losses)), margin(down, scene.symbols), RIGHT)
    loss = Ref(scene.example.loss)
    frame = Frame(across, down, (scene.said("step"),), (scene.said("loss {}", ""), loss))
    if not frame.readable:
        return None
    about = _about(scene)
    places = {k: frame.at(Fraction(k + 1), losses[k]) for k in thinned(losses)}
    shapes: list[Shape] = [*frame.shapes(whole=True), Stroke("curve", tuple(places.values()))]
    if len(losses) <= MARKED:
        shapes += [Disc("point", at, Fraction(7, 2), about[k]) for k, at in places.items()]
    title = scene.said("{}: the loss by step", scene.example.spec.title)
    said = about if len(about) <= SAID else [*about[: SAID - 1], scene.said("and so on"), about[-1]]
    return Drawing(
        title, scene.said("The loss by step. {}.", "; ".join(said)), point(WIDTH, HEIGHT), tuple(shapes)
    )


def losses_of(scene: Scene) -> list[Fraction]:
    """The loss of every step that the page is about."""
    return [middle(step[scene.example.loss]) for step in scene.trace.shown]


def _about(scene: Scene) -> list[str]:
    ref = Ref(scene.example.loss)
    return [
        scene.said("step {}: {}", step.number, scene.plain(*scene.equals(ref, step[scene.example.loss])))
        for step in scene.trace.shown
    ]


def thinned(losses: list[Fraction]) -> list[int]:
    """The steps that are drawn: all, or of many the smallest and the largest loss of each short run."""
    if len(losses) <= DRAWN:
        return list(range(len(losses)))
    every = -(-2 * len(losses) // DRAWN)
    kept = {0, len(losses) - 1}
    for start in range(0, len(losses), every):
        run = range(start, min(start + every, len(losses)))
        kept |= {min(run, key=losses.__getitem__), max(run, key=losses.__getitem__)}
    return sorted(kept)


def faults(drawing: Drawing, scene: Scene) -> Iterator[str]:
    """Steps whose point is not where the axes have its loss."""
    across, upright = readings(drawing)
    if uneven(across) or uneven(upright):
        yield "a tick does not stand at its number"
        return
    losses = losses_of(scene)
    curve = next(shape for shape in drawing.of_kind("curve") if isinstance(shape, Stroke))
    kept = thinned(losses)
    if len(curve.points) != len(kept):
        yield "the curve has not one point for every step"
        return
    for k, (x, y) in zip(kept, curve.points, strict=True):
        if not across.shows(Fraction(k + 1), x) or not upright.shows(losses[k], y):
            yield f"the point of step {k + 1} is not at its loss"
    marks = [shape for shape in drawing.of_kind("point") if isinstance(shape, Disc)]
    if len(losses) <= MARKED and [mark.at for mark in marks] != list(curve.points):
        yield "a mark is not on the curve"


FIGURE = FigureRow("loss", "summary", LEAD, draw, faults)
