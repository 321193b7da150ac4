"""Adjoints on the edges of the computation graph: those of the chain rule, legible, caught when wrong."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import torch

from derivations.figures import values, values_audit
from derivations.figures.drawing import Box, Drawing, Label, Shape, Stroke, point
from derivations.figures.edges import EdgeValues, worked
from derivations.figures.lanes import Room, spread
from derivations.figures.lettering import extent
from derivations.figures.node_values import NodeValues
from derivations.figures.scene import Scene
from derivations.formats.play.write import script
from derivations.language.names import adjoint
from derivations.language.tree import Number
from derivations.numbers.float64 import nearest_float
from derivations.numbers.systems import EXACT, ball, precision
from tests.built import GALLERY, page

node = pytest.mark.debian("node")


@cache
def scene_of(name: str) -> Scene:
    press = page(name).press
    return Scene(press.run.trace, press.symbols, press.rounding)


@cache
def drawing_of(name: str) -> Drawing | None:
    scene = scene_of(name)
    with precision(scene.trace.bits):
        return values.draw(scene)


@cache
def edges_of(name: str) -> EdgeValues:
    scene = scene_of(name)
    with precision(scene.trace.bits):
        return worked(scene.trace, values.first_step(scene), EXACT)


def faults(drawing: Drawing, name: str) -> list[str]:
    with precision(scene_of(name).trace.bits):
        return list(values_audit.faults(drawing, scene_of(name)))


WITHOUT = {"lstm-step"}  # too wide
DRAWN = [each for each in GALLERY if each.values[0] not in WITHOUT]


@pytest.mark.parametrize("name", GALLERY)
def test_pages_have_the_picture_if_there_is_room_for_it(name: str) -> None:
    assert (drawing_of(name) is None) == (name in WITHOUT)


# --- the numbers ----------------------------------------------------------------------------------------


@pytest.mark.few(1)
@pytest.mark.parametrize(
    "name", ["gru-step", "elastic-net", "lstm-step", "batch-norm", "two-two-two-network"]
)
def test_what_leaves_a_quantity_adds_up_to_its_adjoint(name: str) -> None:
    scene, edges = scene_of(name), edges_of(name)
    step = values.first_step(scene)
    starts = {start for start, _ in edges.values}
    assert set(scene.example.parameters) <= starts
    for start in starts:
        for own, at in step.layout.tape.slots:
            if own == adjoint(scene.example.loss, start):
                total = sum(ball(edges.values[edge][at]) for edge in edges.leaving(start))
                assert total.overlaps(ball(step.at(own, at))), (start, at)


def test_an_edge_is_the_slope_when_the_other_readers_are_held() -> None:
    """Elastic net by autograd: w through the prediction alone, and through the penalty alone."""
    scene, edges = scene_of("elastic-net"), edges_of("elastic-net")
    step = values.first_step(scene)

    def given(name: str) -> torch.Tensor:
        own = [
            (at, nearest_float(step.at(name, at))) for other, at in step.layout.tape.slots if other == name
        ]
        shape = [max(at[axis] for at, _ in own) for axis in range(len(own[0][0]))]
        return torch.tensor([value for _, value in own], dtype=torch.float64).reshape(shape)

    x, y, w = given("x"), given("y"), given("w")
    penalty, share = given("lam"), given("alpha")
    apart = w.clone().requires_grad_(), w.clone().requires_grad_()
    half = Fraction(1, 2)
    fit = ((x @ apart[0] - y) ** 2).mean() * float(half)
    rest = share * apart[1].abs().sum() + penalty / 2 * (apart[1] ** 2).sum()
    (fit + rest).backward()  # type: ignore[no-untyped-call]
    for end, own in zip(("yhat", "R"), apart, strict=True):
        found = [nearest_float(value) for value in edges.values["w", end].values()]
        assert own.grad is not None
        assert found == pytest.approx(own.grad.tolist(), rel=1e-12)


def test_the_numbers_of_linear_regression() -> None:
    """By hand: residuals -10.5 and -12 for x = 1 and 2, halved twice by the mean of two squares."""
    drawing = drawing_of("linear-regression")
    assert drawing is not None
    scene = scene_of("linear-regression")
    said = [scene.plain(*label.said) for label in drawing.of_kind("contribution") if isinstance(label, Label)]
    residuals = [Fraction(3, 2) - 12, Fraction(2) - 14]
    assert sum(r * x for r, x in zip(residuals, (1, 2), strict=True)) == Fraction(-69, 2)
    assert sorted(said) == sorted(["−34.5", "−22.5", "(−10.5, −12)"])
    assert not drawing.of_kind("adjoint")
    arrows = [shape.about for shape in drawing.shapes if isinstance(shape, Stroke) and shape.about]
    assert len(arrows) == 5  # two of them bring nothing back: x and y are data


# --- what a reader sees ---------------------------------------------------------------------------------


def crossing(one: tuple[Fraction, ...], other: tuple[Fraction, ...]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def along(stroke: Stroke, pieces: int = 24) -> Iterator[tuple[Fraction, Fraction]]:
    """Places on a curve, near enough to each other to meet whatever it crosses."""
    for k in range(0, len(stroke.points) - 1, 3):
        a, b, c, d = stroke.points[k : k + 4]
        for n in range(pieces + 1):
            t = Fraction(n, pieces)
            shares = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3
            yield tuple(
                sum(s * p[axis] for s, p in zip(shares, (a, b, c, d), strict=True)) for axis in (0, 1)
            )  # type: ignore[misc]


@pytest.mark.few(1)
@pytest.mark.parametrize("name", DRAWN)
def test_labels_keep_clear_of_labels_nodes_and_arrows(name: str) -> None:
    drawing, scene = drawing_of(name), scene_of(name)
    assert drawing is not None
    labels = [shape for shape in drawing.shapes if isinstance(shape, Label)]
    sizes = {at: extent(label, scene.symbols) for at, label in enumerate(labels)}
    for one, other in combinations(sizes, 2):
        assert not crossing(sizes[one], sizes[other]), (labels[one], labels[other])
    boxes = [
        (*box.at, box.at[0] + box.size[0], box.at[1] + box.size[1])
        for box in drawing.shapes
        if isinstance(box, Box)
    ]
    for one, other in combinations(boxes, 2):
        assert not crossing(one, other)
    strokes = [shape for shape in drawing.of_kind("arrow", "back") if isinstance(shape, Stroke)]
    for at, label in enumerate(labels):
        left, top, right, low = sizes[at]
        assert left >= 0
        assert top >= 0
        assert right <= drawing.size[0] <= values.WIDER
        assert low <= drawing.size[1] <= values.TALL
        if label.kind != "contribution":
            assert any(
                box[0] <= left and right <= box[2] and box[1] <= top and low <= box[3] for box in boxes
            )
            continue
        assert not any(crossing(sizes[at], box) for box in boxes), label
        inner = left, top + 1, right, label.at[1] + 1  # down to the line on which the letters stand
        for stroke in strokes:
            assert not any(inner[0] < x < inner[2] and inner[1] < y < inner[3] for x, y in along(stroke)), (
                label,
                stroke.about,
            )


@pytest.mark.parametrize("name", DRAWN)
def test_arrows_keep_clear_of_nodes(name: str) -> None:
    drawing = drawing_of(name)
    assert drawing is not None
    boxes = [
        (box.at[0] + 1, box.at[1] + 1, box.at[0] + box.size[0] - 1, box.at[1] + box.size[1] - 1)
        for box in drawing.shapes
        if isinstance(box, Box)
    ]
    for stroke in drawing.of_kind("arrow", "back"):
        assert isinstance(stroke, Stroke)
        for left, top, right, low in boxes:
            assert not any(left < x < right and top < y < low for x, y in along(stroke)), stroke.about


@pytest.mark.parametrize("name", DRAWN)
def test_everything_is_said_in_words_too(name: str) -> None:
    drawing, scene = drawing_of(name), scene_of(name)
    assert drawing is not None
    for label in (*drawing.of_kind("contribution"), *drawing.of_kind("name")):
        assert isinstance(label, Label)
        assert scene.plain(*label.said).removeprefix("Σ ") in drawing.description


LOOPED = """title = "A sum that runs"
[model]
equations = \"\"\"
h[0] = a
h[t] = u*h[t-1] + x[t]
L = h[3]**2
\"\"\"
[data]
x = [1, -1, 2]
[parameters]
u = 0.5
a = 2
[training]
optimizer = { name = "SGD", lr = 0.1 }
"""


def test_a_quantity_that_reads_itself_has_a_loop_with_a_number() -> None:
    drawing, scene = drawing_of(LOOPED), scene_of(LOOPED)
    assert drawing is not None
    assert faults(drawing, LOOPED) == []
    edges = edges_of(LOOPED)
    slope = 2 * (Fraction(1, 2) * (Fraction(1, 2) * (1 + 1) - 1) + 2)  # h = 2, 2, 0, 2: dL/dh_3 = 4
    assert slope == 4
    wanted = {(0,): Fraction(1, 2), (1,): 1, (2,): 2, (3,): 0}
    assert {at: Fraction(str(value)) for at, value in edges.values["h", "h"].items()} == wanted
    loop = next(
        s for s in drawing.of_kind("back") if isinstance(s, Stroke) and s.about == scene.plain("h → h")
    )
    assert loop.curved


def test_places_are_as_near_as_they_can_be() -> None:
    room = Room(Fraction(0), Fraction(5), Fraction(5))
    assert spread([Fraction(0), Fraction(0)], [1, 1], [room, room]) == [-5, 5]
    assert spread([Fraction(0), Fraction(0)], [1, 3], [room, room]) == [Fraction(-15, 2), Fraction(5, 2)]
    assert spread([Fraction(0), Fraction(40)], [1, 1], [room, room]) == [0, 40]


# --- faults that must be caught -------------------------------------------------------------------------

SOME = ["linear-regression", "elastic-net", "gru-step", "rnn-two-steps", "max-pooling"]


def altered(label: Label) -> Label | None:
    """The label with its last number one larger in the last digit."""
    for at in reversed(range(len(label.said))):
        part = label.said[at]
        if isinstance(part, Number):
            text = part.text or str(part.value)
            other = text[:-1] + str((int(text[-1]) + 1) % 10)
            return replace(
                label, said=(*label.said[:at], Number(Fraction(other), other), *label.said[at + 1 :])
            )
    return None


def instead(drawing: Drawing, *changes: tuple[Shape, Shape | None]) -> Drawing:
    shapes: list[Shape | None] = list(drawing.shapes)
    for old, new in changes:
        shapes[next(at for at, shape in enumerate(shapes) if shape is old)] = new
    return replace(drawing, shapes=tuple(shape for shape in shapes if shape is not None))


@pytest.mark.few(1)
@pytest.mark.parametrize("name", SOME)
def test_a_false_a_missing_and_a_swapped_number_are_caught(name: str) -> None:
    drawing = drawing_of(name)
    assert drawing is not None
    assert faults(drawing, name) == []
    numbers = [shape for shape in drawing.of_kind("contribution", "adjoint") if isinstance(shape, Label)]
    for label in numbers:
        assert faults(instead(drawing, (label, None)), name), label
        if other := altered(label):
            assert faults(instead(drawing, (label, other)), name), label
        assert faults(instead(drawing, (label, replace(label, said=("(…)",)))), name) or label.said == (
            "(…)",
        )
        far = replace(label, at=point(label.at[0] + 9, label.at[1] - 9))
        assert label.kind == "adjoint" or faults(instead(drawing, (label, far)), name), label
    for one, other in combinations(numbers, 2):
        if one.said != other.said:
            swapped = (one, replace(one, said=other.said)), (other, replace(other, said=one.said))
            assert faults(instead(drawing, *swapped), name), (one, other)
        if one.said != other.said and one.kind == other.kind:
            swapped = (one, replace(one, at=other.at)), (other, replace(other, at=one.at))
            assert faults(instead(drawing, *swapped), name), (one, other)


def test_a_number_on_an_arrow_without_a_gradient_is_caught() -> None:
    drawing = drawing_of("linear-regression")
    assert drawing is not None
    (label, *_) = (shape for shape in drawing.of_kind("contribution") if isinstance(shape, Label))
    plain = next(shape for shape in drawing.shapes if isinstance(shape, Stroke) and shape.about == "x → ŷ")
    more = replace(label, at=point(plain.points[0][0] + 20, plain.points[0][1] - values.ABOVE))
    assert faults(replace(drawing, shapes=(*drawing.shapes, more)), "linear-regression")


def test_contributions_that_do_not_add_up_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers that are worked wrongly, and drawn as they are worked: the adjoints of the run know better."""
    name = "elastic-net"

    def wrong(*given: Any) -> EdgeValues:
        found = worked(*given)
        own = {
            edge: {at: value * 2 for at, value in entries.items()} for edge, entries in found.values.items()
        }
        return EdgeValues({**found.values, ("w", "R"): own["w", "R"]})

    scene = scene_of(name)  # the page is worked before anything is made wrong
    monkeypatch.setattr(values, "worked", wrong)
    monkeypatch.setattr(values_audit, "worked", wrong)
    drawing = values.draw(scene)
    assert drawing is not None
    assert any("add up" in fault for fault in faults(drawing, name))


@pytest.mark.parametrize("form", ["svg", "tikz"])
def test_each_format_is_held_against_the_drawing(form: str) -> None:
    """`test_figures.py` alters every shape; here only that the new labels are written at all."""
    shown = page("elastic-net")
    text = shown.assets["elastic-net-values.svg"] if form == "svg" else shown["tex"]
    assert isinstance(text, str)
    assert text.count("fig-contribution" if form == "svg" else "[fig contribution,") == 4
    assert "Σ" in text if form == "svg" else r"\Sigma" in text


# --- in the browser -------------------------------------------------------------------------------------

ASKED = """
const settings = given(program);
Object.assign(settings.hyper, change.hyper || {});
Object.assign(settings.start, change.start || {});
const step = train(program, settings)[change.step || 0];
const r = further(program.edges.flatMap(({ equations }) => equations), step.r);
const slope = (start) => `d${program.loss}/d${start}`;
const entries = (start) => [...step.r.arrays.get(slope(start)).keys()].map(numbers);
const of = ({ name, start }) => entries(start).map((at) => [at, r.read(name, ...at)]);
console.log(JSON.stringify(program.edges.map((edge) => [edge.start, edge.name, of(edge)])));
"""


def played(name: str, folder: Path, change: dict[str, Any]) -> dict[str, dict[tuple[int, ...], float]]:
    """What the script of a page makes of the edges, without the part that shows it."""
    with precision(scene_of(name).trace.bits):
        whole = script(page(name).press)
    assert whole
    computing = whole[whole.index("\n") : whole.index("const words =")]
    file = folder / "edges.js"
    file.write_text(
        f"(() => {{{computing}\nconst change = {json.dumps(change)};{ASKED}}})();", encoding="utf-8"
    )
    done = subprocess.run(["node", file], capture_output=True, text=True, timeout=60)
    assert not done.returncode, done.stderr
    return {edge: {tuple(at): value for at, value in own} for _, edge, own in json.loads(done.stdout)}


@node
@pytest.mark.parametrize("name", [each for each in DRAWN if "calculator" not in str(each.values[0])])
def test_the_browser_works_the_edges_as_we_do(name: str, tmp_path: Path) -> None:
    found = played(name, tmp_path, {"step": values.first_step(scene_of(name)).number - 1})
    edges = edges_of(name)
    assert len(found) == len(edges.values)
    for edge, entries in edges.values.items():
        own = found[f"d{scene_of(name).example.loss} through {edge[1]}/d{edge[0]}"]
        assert list(own) == list(entries)
        assert list(own.values()) == pytest.approx(
            [float(ball(v).mid()) for v in entries.values()], rel=1e-9, abs=1e-12
        )


@node
def test_the_browser_s_edges_follow_a_change(tmp_path: Path) -> None:
    """Ridge regression at w = (2, 0): the penalty adds 2 lambda w = (0.4, 0) through the loss itself."""
    found = played("ridge-regression", tmp_path, {"start": {"w": [2, 0]}, "hyper": {}})
    assert list(found["dL through L/dw"].values()) == pytest.approx([0.4, 0])


def test_the_graph_to_play_with_has_room_and_no_number() -> None:
    with precision(128):
        whole = script(page("elastic-net").press)
    graph = json.loads(
        next(line for line in whole.split("\n") if line.strip().startswith("graph:")).strip()[7:-1]
    )
    assert graph.count("fig-contribution") == 4
    assert "2.333" not in graph
    assert '"room"' not in graph


def test_rows_of_a_matrix_end_with_a_semicolon() -> None:
    scene = scene_of("max-pooling")
    told = NodeValues(scene, values.first_step(scene), edges_of("max-pooling"), 4)
    assert scene.plain(*told.equal("m")) == " = (1.5, 0; 1, 0.5)"
