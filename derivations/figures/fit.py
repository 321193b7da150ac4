"""The data with the prediction over the input, before the first step and after it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import pairwise

from derivations.figures.axes import Frame, Scale, margin, middle, readings, scale, uneven
from derivations.figures.contours import simplified
from derivations.figures.drawing import Disc, Drawing, Label, Point, Shape, Stroke, point
from derivations.figures.layered import reads_of
from derivations.figures.scene import FigureRow, Scene
from derivations.language.errors import ArithmeticFault
from derivations.language.names import after
from derivations.language.program import Equation, Program
from derivations.language.ranges import sizes_of
from derivations.language.tree import Ref, values
from derivations.model.example import Example, sample_axes
from derivations.notation.locales import phrase
from derivations.numbers.compile import compile_program
from derivations.numbers.systems import EXACT, Undecided, Value, rational
from derivations.run.training import Step

WIDTH, HEIGHT, TOP, BOTTOM, RIGHT, LEGEND = 340, 230, 30, 182, 232, 246
PLACES, LINES, MOST, PAD, TALL = 96, 5, 200, Fraction(1, 20), 3
LEAD = phrase("The data and the prediction, at the start and after the steps:")


@dataclass(frozen=True)
class Fit:
    """A model of one input number a sample: the names of input, target and prediction."""

    example: Example
    across: str
    target: str
    prediction: str

    @cached_property
    def program(self) -> Program:
        """The equations that the prediction needs."""
        reads, needed = reads_of(self.example), [self.prediction]
        for name in needed:
            needed += [other for other in reads.get(name, ()) if other not in needed]
        kept = tuple(eq for eq in self.example.forward if eq.target.name in needed)
        return Program(kept, self.example.forward.indices)

    def __call__(self, step: Step, new: bool, xs: Sequence[Fraction]) -> list[Fraction | None]:
        """The prediction at some inputs, with the parameters before a step or the new ones after it."""
        given: dict[str, list[Value]] = {}
        for name, array in self.example.kept.items():
            named = after(name) if new else name
            given[name] = [rational(middle(step.at(named, at))) for at in array.positions()]
        for name, array in self.example.data.items():
            given.setdefault(name, [rational(value) for value in array.entries])
        given |= {name: [rational(value)] for name, value in self.example.hyper.items()}
        return [self._at(given | {self.across: [rational(x)]}) for x in xs]

    @cached_property
    def _work(self):  # type: ignore[no-untyped-def]
        arrays = {**self.example.data, **self.example.kept}
        shapes = {name: arrays[name].shape if name in arrays else () for name in self.program.inputs}
        shapes[self.across] = (1,)
        sizes = sizes_of(self.program, shapes, self.example.spec.model.ranges)
        tape = compile_program(self.program, shapes, sizes)
        return tape, tape.bind(EXACT)

    def _at(self, given: dict[str, list[Value]]) -> Fraction | None:
        tape, run = self._work
        counted = {name: iter(found) for name, found in given.items()}
        try:
            memory = run([next(counted[name]) for name, _ in tape.inputs])
            return middle(memory[tape.slots[self.prediction, (1,)]])
        except (ArithmeticFault, Undecided, KeyError, StopIteration):
            return None


def fit_of(example: Example) -> Fit | None:
    """The input, target and prediction, if the model has one number of each for every sample.

    The target is read beside the prediction, which is computed from the input and the parameters of one
    sample alone.
    """
    sample = example.sample
    along = [name for name in sample_axes(example) if len(example.data[name].shape) == 1]
    if sample is None or len(sample_axes(example)) != 2 or len(along) != 2 or example.lookups:
        return None
    own = {eq.target.name: eq for eq in example.forward if eq.target.indices == (Ref(sample),)}
    for target, across in (along, along[::-1]):
        for name in reversed(own):
            before = _ancestors(example, name)
            beside = any(target in read and name in read for read in reads_of(example).values())
            inside = [eq for eq in example.forward if eq.target.name in (name, *before)]
            if (
                beside
                and across in before
                and target not in before
                and not reads_more_than_a_sample(example, inside)
            ):
                learnt = any(part in before for part in example.start)
                return Fit(example, across, target, name) if learnt else None
    return None


def reads_more_than_a_sample(example: Example, equations: Sequence[Equation]) -> bool:
    """Whether other samples are read, ``sum(exp(x[k]), k)``, or the number of this one, ``b*i``."""
    own = Ref(example.sample or "")
    axes = dict(sample_axes(example))
    axes |= {
        eq.target.name: eq.target.indices.index(own) for eq in example.forward if own in eq.target.indices
    }
    nodes = [node for eq in equations for node in values(eq.body)]
    over = any(getattr(node, "index", None) == example.sample for node in nodes)
    read = [node for node in nodes if isinstance(node, Ref)]
    others = (ref for ref in read if ref.name in axes and ref.indices[axes[ref.name]] != own)
    return over or own in read or any(others)


def _ancestors(example: Example, name: str) -> list[str]:
    reads, found = reads_of(example), [name]
    for each in found:
        found += [other for other in reads.get(each, ()) if other not in found]
    return found[1:]


def draw(scene: Scene) -> Drawing | None:
    """The samples as rings, the prediction as a line for the start and for some of the steps."""
    fit = fit_of(scene.example)
    if fit is None or not scene.example.updates or scene.example.samples > MOST:
        return None
    samples = _samples(fit)
    lines = {
        said: [(x, y) for x, y in zip(*line, strict=True) if y is not None]
        for said, line in _lines(fit, scene)
    }
    if any(len(line) < 2 for line in lines.values()) or len({x for x, _ in samples}) < 2:
        return None
    frame = _frame(fit, scene, samples, [y for line in lines.values() for _, y in line])
    if not frame.readable:
        return None
    shapes: list[Shape] = [*frame.shapes()]
    for place, (said, line) in enumerate(lines.items()):
        kind = kinds(len(lines))[place]
        shapes += [Stroke(kind, piece, said) for piece in _clipped(line, frame)]
        shapes += _entry(kind, said, place)
    shapes += [
        Disc("sample", frame.at(*at), Fraction(4), scene.said("sample {}", k))
        for k, at in enumerate(samples, 1)
    ]
    shapes += [Disc("sample", point(LEGEND + 10, TOP + 20 * len(lines) + 2), Fraction(4))]
    shapes += [
        Label("tick-words", point(LEGEND + 26, TOP + 20 * len(lines) + 6), (scene.said("samples"),), "start")
    ]
    title = scene.said("{}: the data and the prediction", scene.example.spec.title)
    return Drawing(title, _words(fit, scene, samples, list(lines)), point(WIDTH, HEIGHT), tuple(shapes))


def _samples(fit: Fit) -> list[tuple[Fraction, Fraction]]:
    data = fit.example.data
    return list(zip(data[fit.across].entries, data[fit.target].entries, strict=True))


def told(scene: Scene) -> list[Step]:
    """The steps after which the prediction is drawn: the first ones, and the last."""
    steps = list(scene.trace.shown)
    return steps if len(steps) < LINES else [*steps[: LINES - 2], steps[-1]]


def kinds(count: int) -> list[str]:
    """The looks of the lines: the start, those between, the last."""
    return ["line-start", *[f"line-{k}" for k in range(1, count - 1)], "line-last"]


def _places(fit: Fit) -> list[Fraction]:
    xs = fit.example.data[fit.across].entries
    low, wide = min(xs), max(xs) - min(xs)
    return [low + wide * (Fraction(k, PLACES) * (1 + 2 * PAD) - PAD) for k in range(PLACES + 1)]


def _lines(fit: Fit, scene: Scene) -> Iterator[tuple[str, tuple[list[Fraction], list[Fraction | None]]]]:
    xs, steps = _places(fit), told(scene)
    yield scene.said("start"), (xs, fit(steps[0], False, xs))
    for step in steps:
        yield scene.said("step {}", step.number), (xs, fit(step, True, xs))


def _frame(
    fit: Fit, scene: Scene, samples: list[tuple[Fraction, Fraction]], heights: list[Fraction]
) -> Frame:
    """Axes that hold the data, and the lines as far as they do not run away from them."""
    ys = [y for _, y in samples]
    wide = max(max(ys) - min(ys), abs(max(ys))) or Fraction(1)
    low, high = min(ys) - TALL * wide, max(ys) + TALL * wide
    down = scale([*ys, *(min(max(y, low), high) for y in heights)], BOTTOM, TOP, powers=False)
    xs = _places(fit)
    across = Scale(xs[0], xs[-1], margin(down, scene.symbols), RIGHT)
    return Frame(across, down, (Ref(fit.across),), (Ref(fit.target), ", ", Ref(fit.prediction)))


def _clipped(line: list[tuple[Fraction, Fraction]], frame: Frame) -> Iterator[tuple[Point, ...]]:
    """The pieces of a line that are inside the axes, straight parts with their ends alone."""
    piece: list[tuple[float, float]] = []
    for one, other in pairwise(line):
        cut = _inside(one, other, frame.down)
        if cut is None:
            continue
        ends = [(float(frame.across.place(x)), float(frame.down.place(y))) for x, y in cut]
        if piece and piece[-1] != ends[0]:
            yield _finished(piece)
            piece = []
        piece += ends if not piece else ends[1:]
    if piece:
        yield _finished(piece)


def _finished(piece: list[tuple[float, float]]) -> tuple[Point, ...]:
    return tuple(point(*map(Fraction, at)) for at in simplified(piece, 0.1))


def _inside(one: Point, other: Point, down: Scale) -> tuple[Point, Point] | None:
    """The part of a piece between the lowest and the highest value of an axis."""
    (a, low), (b, high) = sorted((one, other), key=lambda at: at[1])
    if high < down.low or low > down.high:
        return None
    slope = (b - a) / (high - low) if high > low else Fraction(0)
    ends = [(a, low), (b, high)]
    if low < down.low:
        ends[0] = a + slope * (down.low - low), down.low
    if high > down.high:
        ends[1] = b - slope * (high - down.high), down.high
    first, last = sorted(ends)
    return first, last


def _entry(kind: str, said: str, place: int) -> list[Shape]:
    """A line of the legend."""
    y = TOP + 20 * place + 2
    return [
        Stroke(kind, (point(LEGEND, y), point(LEGEND + 20, y))),
        Label("tick-words", point(LEGEND + 26, y + 4), (said,), "start"),
    ]


def _words(fit: Fit, scene: Scene, samples: list[tuple[Fraction, Fraction]], lines: list[str]) -> str:
    across, target, prediction = Ref(fit.across), Ref(fit.target), Ref(fit.prediction)
    names = map(scene.plain, (target, across, prediction))
    what = scene.said("The data, {} over {}, and the prediction {} as a line: {}.", *names, ", ".join(lines))
    count = scene.said("There are {} samples.", len(samples))
    return f"{what} {count}"


# --- a second look ----------------------------------------------------------------------------------


def faults(drawing: Drawing, scene: Scene) -> Iterator[str]:
    """Samples that are not at their numbers, and lines that do not pass where the prediction is."""
    across, upright = readings(drawing)
    fit = fit_of(scene.example)
    if fit is None or uneven(across) or uneven(upright):
        yield "a tick does not stand at its number"
        return
    rings = [shape for shape in drawing.of_kind("sample") if isinstance(shape, Disc)][:-1]
    samples = _samples(fit)
    if len(rings) != len(samples):
        yield "there is not one ring for every sample"
    for (x, y), ring in zip(samples, rings, strict=False):
        if not across.shows(x, ring.at[0]) or not upright.shows(y, ring.at[1]):
            yield f"{ring.about} is not at its numbers"
    steps = told(scene)
    runs = [(steps[0], False), *((step, True) for step in steps)]
    for kind, (step, new) in zip(kinds(len(runs)), runs, strict=True):
        lines = [shape for shape in drawing.of_kind(kind) if isinstance(shape, Stroke)]
        places = [at for line in lines if line.about for at in line.points]
        heights = fit(step, new, [across.value(x) for x, _ in places])
        near = [fit(step, new, [across.value(x + shift) for x, _ in places]) for shift in (-1, 1)]
        for (_, y), *found in zip(places, heights, *near, strict=True):
            around = [upright.place(value) for value in found if value is not None]
            if not around or not min(around) - 1 <= y <= max(around) + 1:
                yield f"the line of {lines[0].about} does not pass where the prediction is"
                break


FIGURE = FigureRow("fit", "summary", LEAD, draw, faults)
