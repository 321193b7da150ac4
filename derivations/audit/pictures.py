"""Every text in a picture: a number of the run, a symbol of it, or words of ours that are so.

The drawers of figures are not asked. An axis is what the marks along it are, an entry of the legend stands
beside a mark of the lines that it is about, and what stands before ``=`` or ``≈`` has this value in the step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import pairwise

from flint import arb

from derivations.figures.axes import Reading, readings
from derivations.figures.drawing import Box, Disc, Drawing, Label, Point, Said, Stroke
from derivations.figures.scene import Scene
from derivations.language.names import adjoint, after
from derivations.language.tree import Expr, Number, Ref, number, walk
from derivations.numbers.systems import Value, fraction
from derivations.programs.listing import shown_steps
from derivations.run.training import Step, numbered
from derivations.spec.arrays import positions

TITLES = {
    "fit": "{}: the data and the prediction",
    "network": "{}: the network",
    "path": "{}: the path of the parameters",
    "loss": "{}: the loss by step",
    "values": "{}: values and adjoints of step {}",
    "graph": "{}: the computation graph",
}
SUM, MANY = "Σ", "(…)"
LEAST = 4  # digits that every number in a picture has, if it is not shorter
BESIDE, NEAR = 40, Fraction(3, 2)  # pixels from a mark to its words; from a line to where it must pass


def label_faults(name: str, drawing: Drawing, scene: Scene) -> Iterator[str]:
    """Texts of a picture that are not so, or that nobody can ask."""
    asked = Texts(drawing, scene)
    title = scene.said(TITLES[name], scene.example.spec.title, asked.first.number)
    if drawing.title != title:
        yield f"its title is '{drawing.title}'"
    for label in asked.labels:
        if label.kind not in ASKED or not ASKED[label.kind](asked, label):
            yield f"'{scene.plain(*label.said)}' is not so"
    yield from (f"'{each.about}' is not so" for each in asked.named if not asked.is_named(each))


@dataclass(frozen=True)
class Texts:
    """The texts of a drawing, and what is drawn beside them."""

    drawing: Drawing
    scene: Scene

    @cached_property
    def first(self) -> Step:
        """The step whose numbers stand in a picture of one step."""
        return self.scene.trace.shown[shown_steps(self.scene.example)[0] - 1]

    @cached_property
    def labels(self) -> list[Label]:
        """All labels that say something."""
        return [shape for shape in self.drawing.shapes if isinstance(shape, Label) and any(shape.said)]

    @cached_property
    def named(self) -> list[Stroke | Box | Disc]:
        """The shapes that say what they are."""
        shapes = (shape for shape in self.drawing.shapes if not isinstance(shape, Label))
        return [shape for shape in shapes if shape.about]

    @cached_property
    def axes(self) -> tuple[Reading, Reading]:
        """How the axes are read, across and upwards."""
        return readings(self.drawing)

    @cached_property
    def rings(self) -> list[Disc]:
        """The samples, without the ring of the legend."""
        return [ring for ring in self.discs("sample") if ring.about]

    # --- axes ------------------------------------------------------------------------------------------

    def axis(self, label: Label) -> bool:
        """The title of an axis: what the marks along it are, in every picture with axes."""
        upright, refs = label.anchor == "start", [part for part in label.said if isinstance(part, Ref)]
        words = [part for part in label.said if isinstance(part, str)]
        if self.discs("sample"):
            return self.is_axis_of_fit(refs, upright) and words == [", "] * (len(refs) - 1)
        if self.strokes_of("path"):
            return self.is_axis_of_path(refs, words, upright)
        loss = [Ref(self.scene.example.loss)]
        if upright:
            return refs == loss and words == [self.scene.said("loss {}", "")]
        return not refs and words == [self.scene.said("step")]

    def is_axis_of_fit(self, refs: list[Ref], upright: bool) -> bool:
        """Every ring has the number that is named; the line at the start passes where the prediction is."""
        data, place = self.scene.example.data, 1 if upright else 0
        if len(refs) != 1 + upright or refs[0].name not in data:
            return False
        values = data[refs[0].name].entries
        pairs = zip(values, self.rings, strict=False)
        right = all(self.axes[place].shows(value, ring.at[place]) for value, ring in pairs)
        lines = all(self.passes("line-start", ref, 1) for ref in refs[1:])
        return len(values) == len(self.rings) and right and lines

    def passes(self, kind: str, ref: Ref, number: int) -> bool:
        """Whether a line is at a quantity of every sample of a step, where the picture goes so far."""
        step = self.scene.trace.shown[number - 1]
        if self.scene.trace.carried:  # a calculator's numbers are beside the line, which is not rounded
            return ref.name in self.scene.example.forward.targets
        for at, sample in enumerate(step.samples, 1):
            if (ref.name, (at,)) not in step.layout.tape.slots:
                return False
            x, wanted = self.rings[sample - 1].at[0], self.axes[1].place(_plain(step.at(ref.name, (at,))))
            if not self.is_inside(wanted):  # where the line is cut off
                continue
            pieces = (pair for line in self.strokes_of(kind) for pair in pairwise(line.points))
            heights = [y for one, other in pieces if (y := _height(one, other, x)) is not None]
            if heights and min(abs(y - wanted) for y in heights) > NEAR:
                return False
        return True

    def is_inside(self, height: Fraction) -> bool:
        """Whether a height lies between those that the lines and rings of the picture have."""
        lines = [at for shape in self.drawing.shapes if isinstance(shape, Stroke) for at in shape.points]
        heights = [y for _, y in (*lines, *(ring.at for ring in self.rings))]
        return min(heights) - NEAR <= height <= max(heights) + NEAR

    def is_axis_of_path(self, refs: list[Ref], words: list[str], upright: bool) -> bool:
        """The path begins at the named entry before the first step, and ends at it after the last."""
        if upright and words:
            loss = Ref(self.scene.example.loss)
            return refs == [loss] and words == [self.scene.said("loss {}", "")]
        place, ((line, *_),) = int(upright), (self.strokes_of("path"),)
        titles = [label.said for label in self.labels if label.kind == "title"]
        if len(refs) != 1 or words or refs[0].name not in self.scene.example.start or len({*titles}) < 2:
            return False
        first, last, at = self.scene.trace.shown[0], self.scene.trace.shown[-1], positions(refs[0])
        ends = first.at(refs[0].name, at), last.at(after(refs[0].name), at)
        pairs = zip(ends, (line.points[0], line.points[-1]), strict=True)
        return all(self.axes[place].shows(_plain(value), point[place]) for value, point in pairs)

    # --- legends ---------------------------------------------------------------------------------------

    def legend(self, label: Label) -> bool:
        """Words beside a mark: the lines of this look are at this step, the discs of this look are these."""
        kind, said = self.beside(label), label.said[0]
        words = {
            self.scene.said("samples"): ("sample",),
            self.scene.said("start"): ("line-start", "start"),
            self.scene.said("after each step"): ("stop",),
            self.scene.said("minimum"): ("minimum",),
        }
        if len(label.said) != 1 or not isinstance(said, str):
            return False
        return kind in words[said] if said in words else self.is_step(kind, said)

    def is_step(self, kind: str, said: str) -> bool:
        """``step 2`` beside a line that is where the prediction is with the parameters after this step."""
        steps = {self.scene.said("step {}", step.number): step.number for step in self.scene.trace.shown}
        titles = [label for label in self.labels if label.kind == "title" and label.anchor == "start"]
        if said not in steps or not kind.startswith("line-") or len(titles) != 1:
            return False
        last, ref = len(self.scene.trace.shown), titles[0].said[-1]
        if steps[said] == last:
            return kind == "line-last"
        return isinstance(ref, Ref) and self.passes(kind, ref, steps[said] + 1)

    def beside(self, label: Label) -> str:
        """The kind of the mark on whose right a label stands."""
        found: dict[Fraction, str] = {}
        for shape in self.drawing.shapes:
            if isinstance(shape, (Stroke, Disc)):
                x, y = shape.points[-1] if isinstance(shape, Stroke) else shape.at
                far = label.at[0] - x
                if 0 < far < BESIDE and abs(label.at[1] - 4 - y) <= 5:
                    found[far] = shape.kind
        return found[min(found)] if found else ""

    def strokes_of(self, kind: str) -> list[Stroke]:
        """The lines of a look, without that of the legend."""
        found = [shape for shape in self.drawing.of_kind(kind) if isinstance(shape, Stroke)]
        return [shape for shape in found if shape.about or kind == "path"]

    def discs(self, *kinds: str) -> list[Disc]:
        """The discs of some looks."""
        return [shape for shape in self.drawing.of_kind(*kinds) if isinstance(shape, Disc)]

    # --- networks and graphs ---------------------------------------------------------------------------

    def unit(self, label: Label) -> bool:
        """The symbol above a circle: the number inside is its value in the step."""
        circles = [each for each in self.discs("unit", "data-unit") if each.at[0] == label.at[0]]
        below = min(
            (each for each in circles if each.at[1] > label.at[1]), key=lambda each: each.at[1], default=None
        )
        (ref,) = label.said if len(label.said) == 1 else (None,)
        if below is None or not isinstance(ref, Ref) or below.about != self.scene.plain(ref):
            return False
        inside = [each.said for each in self.labels if each.kind == "value" and _is_in(each, below)]
        value = self.value(ref)
        return len(inside) == 1 and value is not None and _says(inside[0], [value], "", "")

    def equation(self, label: Label) -> bool:
        """``b = 0.5``: a quantity or an entry with what it is in the step; of many, how many."""
        ref, *rest = label.said
        if not isinstance(ref, Ref):
            return False
        values = self.values(ref.name) if not ref.indices else [self.value(ref)]
        if not rest or None in values:
            return None not in values
        return self.is_shape(ref.name, tuple(rest)) or _says(tuple(rest), values, " = ", " ≈ ")

    def is_shape(self, name: str, said: Said) -> bool:
        """``: 2 × 3`` for the extents of a quantity."""
        places = [at for own, at in self.first.layout.tape.slots if own == name]
        sizes = " × ".join(str(max(axis)) for axis in zip(*places, strict=True))
        return said == (": ", sizes) and len(places) > 1

    def adjoint(self, label: Label) -> bool:
        """``Σ = -34.5``: the adjoint of the quantity in whose box it stands."""
        boxes = [
            shape for shape in self.drawing.shapes if isinstance(shape, Box) and _is_inside(label, shape)
        ]
        named = [
            each
            for each in self.labels
            if each.kind.startswith("name") and boxes and _is_inside(each, boxes[0])
        ]
        ref = named[0].said[0] if len(named) == 1 else None
        if not isinstance(ref, Ref) or label.said[0] != SUM:
            return False
        slope, rest = adjoint(self.scene.example.loss, ref.name), label.said[1:]
        return self.is_shape(slope, rest) or _says(rest, self.values(slope), " = ", " ≈ ")

    def number(self, label: Label) -> bool:
        """A number alone, which the picture's own second look finds on its arrow, its edge or its tick."""
        words = [part for part in label.said if isinstance(part, str)]
        separators = {"(", ")", "≈ ", MANY, *(self.scene.symbols.marks.between(axis) for axis in range(4))}
        return {*words} <= separators and not any(isinstance(part, Ref) for part in label.said)

    def values(self, name: str) -> list[Value | None]:
        """The values of a quantity in the step of the picture, entry by entry."""
        places = sorted(at for own, at in self.first.layout.tape.slots if own == name)
        return [self.first.at(name, at) for at in places] or [None]

    def value(self, ref: Ref) -> Value | None:
        """The value of an entry whose sample has its number; None for what the step does not have."""
        slots = self.first.layout.tape.slots.items()
        own = (
            slot
            for entry, slot in slots
            if entry[0] == ref.name and numbered(self.first, entry) == [*positions(ref)]
        )
        slot = next(own, None)
        return None if slot is None else self.first.memory[slot]

    # --- what shapes say of themselves -----------------------------------------------------------------

    def is_named(self, shape: Stroke | Box | Disc) -> bool:
        """Whether a shape is what it says: a sample, a step with its loss, a line, a symbol, an arrow."""
        said = self.scene.said
        match shape.kind:
            case "sample":
                names = {id(ring): said("sample {}", k) for k, ring in enumerate(self.rings, 1)}
                return names.get(id(shape)) == shape.about
            case "point":
                at = self.losses.get(shape.about)
                return (
                    isinstance(shape, Disc)
                    and at is not None
                    and self.axes[0].shows(Fraction(at), shape.at[0])
                )
            case "contour":
                return shape.about.startswith(f"{self.scene.plain(Ref(self.scene.example.loss))} = ")
            case kind if kind.startswith("line-"):
                return any(each.said == (shape.about,) and self.beside(each) == kind for each in self.labels)
        return shape.about in self.symbols

    @cached_property
    def losses(self) -> dict[str, int]:
        """``step 2: L = 0.5``: the loss of every step in words, with its number."""
        loss, found = Ref(self.scene.example.loss), dict[str, int]()
        for step in self.scene.trace.shown:
            value = step.at(loss.name)
            shown = self.scene.rounding(value)
            mark = " = " if not isinstance(value, arb) and fraction(value) == shown.value else " ≈ "
            told = self.scene.plain(loss, mark, Number(shown.value, shown.text))
            found[self.scene.said("step {}: {}", step.number, told)] = step.number
        return found

    @cached_property
    def symbols(self) -> set[str]:
        """Every quantity and entry of the step, and every arrow from a quantity to one that reads it."""
        plain, slots = self.scene.plain, self.first.layout.tape.slots
        entries = {plain(Ref(e[0], tuple(map(number, numbered(self.first, e))))) for e in slots}
        read = [(eq.target.name, ref.name) for eq in self.scene.example.forward for ref in _deep(eq.body)]
        arrows = {plain(Ref(start), " → ", Ref(end)) for end, start in read}
        return {*(plain(Ref(name)) for name, _ in slots), *entries, *arrows}


def _says(said: Said, values: list[Value | None], equals: str, about: str) -> bool:
    """Whether numbers are those values rounded, and a sign before them is ``equals`` only where none is."""
    numbers, known = [part for part in said if isinstance(part, Number)], [v for v in values if v is not None]
    if not numbers or len(numbers) != len(values) or not all(map(_rounds, numbers, known)):
        return False
    exact = all(
        not isinstance(v, arb) and fraction(v) == n.value for n, v in zip(numbers, known, strict=True)
    )
    wanted = equals if exact else about
    return not wanted or said[0] in (wanted, f"{wanted}(")


def _rounds(shown: Number, value: Value) -> bool:
    """Whether a number is a value to within half a unit of its last digit; a long one may end in zeros."""
    mantissa, _, power = (shown.text or str(shown.value)).lower().partition("e")
    unit = Fraction(10) ** (int(power or 0) - len(mantissa.partition(".")[2]))
    whole = mantissa.lstrip("-")
    if whole.isdigit() and whole.endswith("0" * (len(whole) - LEAST)):
        unit *= 10 ** max(len(whole) - LEAST, 0)
    far = abs(_plain(value) - shown.value)
    return far <= unit / 2 + (abs(shown.value) + unit) / 10**15


def _plain(value: Value) -> Fraction:
    return fraction(value.mid().fmpq() if isinstance(value, arb) else value)


def _height(one: Point, other: Point, x: Fraction) -> Fraction | None:
    """Where a straight piece is above a place; None beside it."""
    (a, low), (b, high) = one, other
    if not min(a, b) <= x <= max(a, b) or a == b:
        return None
    return low + (high - low) * (x - a) / (b - a)


def _is_in(label: Label, disc: Disc) -> bool:
    (x, y), (a, b) = label.at, disc.at
    return (x - a) ** 2 + (y - 4 - b) ** 2 < disc.radius**2


def _is_inside(label: Label, box: Box) -> bool:
    (left, top), (wide, high), (x, y) = box.at, box.size, label.at
    return left < x < left + wide and top < y < top + high


def _deep(body: Expr) -> Iterator[Ref]:
    return (node for node in walk(body) if isinstance(node, Ref))


ASKED: Mapping[str, Callable[[Texts, Label], bool]] = {
    "tick": Texts.number,
    "title": Texts.axis,
    "tick-words": Texts.legend,
    "symbol": Texts.unit,
    "value": Texts.number,
    "weight": Texts.number,
    "bias": Texts.equation,
    "name": Texts.equation,
    "name-of-loss": Texts.equation,
    "adjoint": Texts.adjoint,
    "contribution": Texts.number,
}
"""The predicate of each look of letters; a text of any other look is refused."""
