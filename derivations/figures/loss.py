"""The loss by step: a line where every step has the same samples, else dots beside the loss of all samples.

The losses of different mini-batches are different functions of the parameters and are no curve. What falls
is the loss of all samples, which is worked at the parameters at the start and after every step.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from derivations.figures.axes import Frame, Scale, margin, middle, readings, scale, uneven
from derivations.figures.drawing import Disc, Drawing, Shape, Stroke, point
from derivations.figures.scene import FigureRow, Scene
from derivations.figures.surface import Surface
from derivations.language.tree import Ref
from derivations.notation.locales import phrase

WIDTH, HEIGHT, TOP, BOTTOM, RIGHT = 340, 190, 30, 144, 324
LEAD = phrase("The loss by step:")
DOTS = phrase("The loss by step; each dot is that of the step's own mini-batch:")
DOTS_AND_LINE = phrase(
    "The loss by step: each dot is the loss of the step's own mini-batch, with the parameters before the "
    "step; the line is the loss of all samples, at the start and after each step:"
)
LEAST, MARKED, DRAWN, SAID = 3, 40, 400, 8
BITS, MOST = 128, 20_000  # of a parameter that the line needs; samples times steps that it is worked for


def lead(scene: Scene) -> str:
    """The sentence above the figure."""
    if not has_parts(scene):
        return LEAD
    return DOTS_AND_LINE if whole_losses(scene) else DOTS


def has_parts(scene: Scene) -> bool:
    """Whether steps use a part of the samples, so that their losses are of different samples."""
    return any(len(epoch) > 1 for epoch in scene.example.batches)


def draw(scene: Scene) -> Drawing | None:
    """The loss of every step; the axis starts at 0 unless the loss is negative somewhere."""
    losses, wholes = losses_of(scene), whole_losses(scene)
    if len(losses) < LEAST:
        return None
    down = scale([*losses, *wholes], BOTTOM, TOP, zero=True)
    first = Fraction(0 if wholes else 1)
    across = Scale(first, Fraction(len(losses)), margin(down, scene.symbols), RIGHT)
    loss = Ref(scene.example.loss)
    frame = Frame(across, down, (scene.said("step"),), (scene.said("loss {}", ""), loss))
    if not frame.readable:
        return None
    about = _about(scene)
    places = {k: frame.at(Fraction(k + 1), losses[k]) for k in thinned(losses)}
    line = [frame.at(Fraction(k), wholes[k]) for k in thinned(wholes)] if wholes else []
    curve = line if has_parts(scene) else [*places.values()]
    lines: list[Shape] = [Stroke("curve", tuple(curve))] if curve else []
    few = len(losses) <= MARKED
    shown = places if few or has_parts(scene) else {}
    dots = [Disc("point", at, Fraction(7 if few else 3, 2), about[k]) for k, at in shown.items()]
    shapes = (*frame.shapes(whole=True), *(lines if few else ()), *dots, *(() if few else lines))
    title = scene.said("{}: the loss by step", scene.example.spec.title)
    return Drawing(title, _description(scene, about), point(WIDTH, HEIGHT), shapes)


def _description(scene: Scene, about: list[str]) -> str:
    said = about if len(about) <= SAID else [*about[: SAID - 1], scene.said("and so on"), about[-1]]
    if not has_parts(scene):
        return scene.said("The loss by step. {}.", "; ".join(said))
    dots = scene.said("The loss by step, each that of the step's own mini-batch. {}.", "; ".join(said))
    line = scene.said("The line is the loss of all samples, at the start and after each step.")
    return f"{dots} {line}" if whole_losses(scene) else dots


def losses_of(scene: Scene) -> list[Fraction]:
    """The loss of every step that the page is about."""
    return [middle(step.at(scene.example.loss)) for step in scene.trace.shown]


def whole_losses(scene: Scene) -> list[Fraction]:
    """The loss of all samples at the start and after every step; none where every step uses them all.

    None also where it would take long, or has no certain value somewhere.
    """
    surface = Surface(scene.trace)
    if not has_parts(scene) or scene.example.samples * len(scene.trace.shown) > MOST:
        return []
    heights = [surface.height(tuple(map(_short, place))) for place in surface.path]
    found = [height for height in heights if height is not None]
    return found if len(found) == len(heights) > 1 else []


def _short(value: Fraction) -> Fraction:
    """A parameter with so many binary digits that no picture shows the difference."""
    unit = Fraction(2) ** (abs(value.numerator).bit_length() - value.denominator.bit_length() - BITS)
    return value if value.denominator.bit_length() <= BITS else value // unit * unit


def _about(scene: Scene) -> list[str]:
    ref = Ref(scene.example.loss)
    return [
        scene.said("step {}: {}", step.number, scene.plain(*scene.equals(ref, step.at(scene.example.loss))))
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
    """Steps whose point is not where the axes have its loss; places of the line that are not at theirs."""
    across, upright = readings(drawing)
    if uneven(across) or uneven(upright):
        yield "a tick does not stand at its number"
        return
    losses, wholes = losses_of(scene), whole_losses(scene)
    dots = [shape.at for shape in drawing.of_kind("point") if isinstance(shape, Disc)]
    lines = [shape.points for shape in drawing.of_kind("curve") if isinstance(shape, Stroke)]
    marks = [(Fraction(k + 1), losses[k]) for k in thinned(losses)]
    line = [(Fraction(k), wholes[k]) for k in thinned(wholes)] if wholes else []
    wanted = line if has_parts(scene) else marks
    if [len(points) for points in lines] != ([len(wanted)] if wanted else []):
        yield "the curve has not one point for every step"
        return
    if len(dots) != (len(marks) if has_parts(scene) or len(losses) <= MARKED else 0):
        yield "a mark is missing, or one too many"
    pairs = [*zip(wanted, *lines, strict=True)] if lines else []
    for (step, loss), (x, y) in [*pairs, *zip(marks, dots, strict=False)]:
        if not across.shows(step, x) or not upright.shows(loss, y):
            yield f"a point of step {step} is not at its loss"


FIGURE = FigureRow("loss", "summary", lead, draw, faults)
