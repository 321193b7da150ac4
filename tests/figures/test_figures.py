"""Figures: drawn from the trace, read back from the finished files, legible, and caught when wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from functools import cache
from itertools import combinations
from xml.etree import ElementTree

import pytest

import derivations
from derivations.audit.pictures import label_faults
from derivations.document.blocks import Figure
from derivations.figures.axes import Frame
from derivations.figures.contours import contours
from derivations.figures.drawing import Box, Disc, Drawing, Label, Shape, Stroke, decimal, point
from derivations.figures.fit import fit_of
from derivations.figures.lettering import extent
from derivations.figures.minimum import quadratic, searched
from derivations.figures.rows import BY_NAME, FIGURES
from derivations.figures.scene import Scene
from derivations.figures.surface import Surface
from derivations.figures.svg import check_svg, svg_of
from derivations.figures.tikz import check_tikz, tikz_of
from derivations.formats.latex.text import escape
from derivations.language.errors import CheckFailed
from derivations.language.tree import Expr, Number, Ref, number
from derivations.model.example import prepare
from derivations.page import Page
from derivations.spec import gallery
from derivations.spec.spec import parse_spec, read_spec
from tests.built import GALLERY, page, thinned


def scene_of(shown: Page) -> Scene:
    press = shown.press
    return Scene(press.run.trace, press.symbols, press.rounding)


@cache
def drawings(spec: str) -> dict[str, Drawing]:
    scene = scene_of(page(spec))
    found = {row.name: row.draw(scene) for row in FIGURES}
    return {name: drawing for name, drawing in found.items() if drawing is not None}


# --- what a reader sees -------------------------------------------------------------------------------


def crossing(one: tuple[Fraction, ...], other: tuple[Fraction, ...]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def illegible(drawing: Drawing, scene: Scene) -> Iterator[str]:
    """Labels that leave the picture or run into each other, by boxes on the safe side."""
    labels = [shape for shape in drawing.shapes if isinstance(shape, Label)]
    boxes = [(scene.plain(*label.said), extent(label, scene.symbols)) for label in labels]
    for said, (left, top, right, low) in boxes:
        if left < 0 or top < 0 or right > drawing.size[0] or low > drawing.size[1]:
            yield f"'{said}' leaves the picture"
    for (one, box), (other, beside) in combinations(boxes, 2):
        if crossing(box, beside):
            yield f"'{one}' runs into '{other}'"


@pytest.mark.parametrize("name", GALLERY)
def test_labels_stay_inside_and_apart(name: str) -> None:
    scene = scene_of(page(name))
    assert [fault for drawing in drawings(name).values() for fault in illegible(drawing, scene)] == []


@pytest.mark.parametrize("name", GALLERY)
def test_every_shape_stays_inside(name: str) -> None:
    for key, drawing in drawings(name).items():
        width, height = drawing.size
        for shape in drawing.shapes:
            places = shape.points if isinstance(shape, Stroke) else (shape.at,)
            assert all(0 <= x <= width and 0 <= y <= height for x, y in places), (key, shape)


@pytest.mark.parametrize("name", GALLERY)
def test_a_page_holds_its_figures(name: str) -> None:
    blocks = [block for block in page(name).press.document.blocks if isinstance(block, Figure)]
    wanted = [row.name for row in FIGURES if row.name in drawings(name)]
    assert sorted(block.name for block in blocks) == sorted(wanted)
    assert sorted(page(name).assets) == sorted(f"{name}-{key}.svg" for key in wanted)
    for key in wanted:
        assert f"]({name}-{key}.svg)" in page(name)["md"]
    assert page(name)["tex"].count(r"\begin{tikzpicture}") == len(wanted)


@pytest.mark.parametrize("name", GALLERY)
def test_svg_is_accessible(name: str) -> None:
    for key, drawing in drawings(name).items():
        top = ElementTree.fromstring(svg_of(drawing, page(name).press.symbols, f"p-{key}"))
        ids = {element.get("id"): element.text for element in top.iter() if element.get("id")}
        assert set(ids) == {f"p-{key}-title", f"p-{key}-desc"}
        assert ids[top.get("aria-labelledby")] == drawing.title
        assert ids[top.get("aria-describedby")] == drawing.description
        assert top.get("role") == "img"
        assert len(drawing.description) > 20


# --- faults that must be caught -----------------------------------------------------------------------

SOME = ["linear-regression", "lstm-step", "rnn-two-steps", "learning-rate-diverges"]


def moved(shape: Shape) -> Shape:
    if isinstance(shape, Stroke):
        (x, y), *rest = shape.points
        return replace(shape, points=(point(x + 2, y + 2), *rest))
    return replace(shape, at=point(shape.at[0] + 2, shape.at[1] + 2))


def altered(label: Label) -> Label | None:
    """The label with its last number one larger in the last digit."""
    for at in reversed(range(len(label.said))):
        part = label.said[at]
        if isinstance(part, Number):
            text = part.text or str(part.value)
            other = text[:-1] + str((int(text[-1]) + 1) % 10)
            wrong = Number(Fraction(other), other) if "e" not in other else number(7)
            return replace(label, said=(*label.said[:at], wrong, *label.said[at + 1 :]))
    return None


@pytest.mark.few(1)
@pytest.mark.parametrize("name", SOME)
def test_a_second_look_catches_what_is_not_the_run_s(name: str) -> None:
    scene = scene_of(page(name))
    for key, drawing in drawings(name).items():
        faults = BY_NAME[key].faults
        assert [*faults(drawing, scene)] == []
        for at, shape in enumerate(drawing.shapes):
            before, after = drawing.shapes[:at], drawing.shapes[at + 1 :]
            if shape.kind in ("point", "curve", "tick"):
                wrong = replace(drawing, shapes=(*before, moved(shape), *after))
                assert [*faults(wrong, scene)], (key, shape)
            if isinstance(shape, Label) and shape.kind != "tick" and (other := altered(shape)):
                assert [*faults(replace(drawing, shapes=(*before, other, *after)), scene)], (key, shape)
            if shape.kind in ("arrow", "back", "head", "point") or isinstance(shape, Box):
                assert [*faults(replace(drawing, shapes=(*before, *after)), scene)], (key, shape)


def shifted(shape: Shape, x: int, y: int) -> Shape:
    if isinstance(shape, Stroke):
        return replace(shape, points=tuple(point(a + x, b + y) for a, b in shape.points))
    return replace(shape, at=point(shape.at[0] + x, shape.at[1] + y))


LOST = ("edge", "unit", "data-unit", "sample", "stop", "path")
MOVED = (
    "path",
    "stop",
    "start",
    "sample",
    "curve",
    "line-start",
    "line-last",
    "contour",
    "minimum",
    "edge",
    "unit",
)


@pytest.mark.few(1)
@pytest.mark.parametrize("name", ["linear-regression", "logistic-regression", "xor-mlp", "newton"])
def test_what_is_moved_or_lost_is_caught(name: str) -> None:
    scene = scene_of(page(name))
    for key in {"path", "fit", "network"} & {*drawings(name)}:
        drawing, faults = drawings(name)[key], BY_NAME[key].faults
        assert [*faults(drawing, scene)] == []
        for at, shape in enumerate(drawing.shapes):
            before, after = drawing.shapes[:at], drawing.shapes[at + 1 :]
            of_legend = shape.kind in {s.kind for s in after} & {"sample", "stop", "start", "minimum"}
            top = min(y for _, y in (shape.points if isinstance(shape, Stroke) else (shape.at,)))
            legend = (key == "path" and top < 40) or (
                key == "fit" and not of_legend and shape.kind == "sample"
            )
            if legend or (shape.kind.startswith("line") and isinstance(shape, Stroke) and not shape.about):
                continue
            if shape.kind in LOST and not (shape.kind == "path" and key != "path"):
                lost = replace(drawing, shapes=(*before, *after))
                assert shape.kind == "path" or [*faults(lost, scene)], (key, shape)
            if shape.kind in MOVED:
                wrong = replace(drawing, shapes=(*before, shifted(shape, 11, -9), *after))
                assert [*faults(wrong, scene)], (key, shape)
            if isinstance(shape, Label) and shape.kind != "tick" and (other := altered(shape)):
                assert [*faults(replace(drawing, shapes=(*before, other, *after)), scene)], (key, shape)


def test_the_minimum_is_that_of_the_normal_equations() -> None:
    """Least squares of y = 2x + 10 without noise: w = 2, b = 10, at the loss 0."""
    surface = Surface(page("linear-regression").trace)
    bowl = quadratic(surface, (Fraction(0), Fraction(0)))
    assert bowl is not None
    assert bowl.minimum() == (2, 10)
    assert surface((Fraction(2), Fraction(10))) == 0
    assert quadratic(Surface(page("logistic-regression").trace), (Fraction(0), Fraction(0))) is None


def test_a_search_finds_the_bottom_and_no_plateau() -> None:
    def bowl(place: tuple[Fraction, ...]) -> Fraction:
        return (place[0] - 3) ** 4 + (place[1] + 1) ** 2

    found = searched(bowl, (Fraction(0), Fraction(0)), [Fraction(4), Fraction(4)])
    assert found is not None
    assert abs(found[0] - 3) < Fraction(1, 10)
    assert abs(found[1] + 1) < Fraction(1, 100)
    for flat in (lambda place: Fraction(1), lambda place: place[0], lambda place: abs(place[0])):
        assert searched(flat, (Fraction(0), Fraction(0)), [Fraction(1), Fraction(1)]) is None


def test_contours_of_a_cone_are_circles() -> None:
    grid = [[(x - 10) ** 2 + (y - 10) ** 2 for x in range(21)] for y in range(21)]
    lines = list(contours([[float(h) for h in row] for row in grid], [25.0, 64.0]))
    assert [which for which, _ in lines] == [0, 1]
    for which, line in lines:
        assert line[0] == line[-1]
        assert all(abs(((x - 10) ** 2 + (y - 10) ** 2) ** 0.5 - (5, 8)[which]) < 0.05 for x, y in line)


def test_a_model_of_one_input_is_known_by_its_structure() -> None:
    has_fit = {
        name for name in gallery.names() if fit_of(prepare(*read_spec(gallery.path(name)))) is not None
    }
    assert {"linear-regression", "logistic-regression", "poisson-regression"} <= has_fit
    assert not {"softmax-regression", "xor-mlp", "batch-norm", "optimizer-adam", "rnn-two-steps"} & has_fit


@pytest.mark.few(1)
@pytest.mark.parametrize("name", SOME)
def test_files_that_show_something_else_are_caught(name: str) -> None:
    symbols = page(name).press.symbols
    for drawing in drawings(name).values():
        for write, check in (
            (lambda d: svg_of(d, symbols), lambda text, d: check_svg(text, d, symbols)),
            (lambda d: tikz_of(d, symbols, escape), lambda text, d: check_tikz(text, d, symbols, escape)),
        ):
            check(write(drawing), drawing)
            for at, shape in enumerate(drawing.shapes):
                before, after = drawing.shapes[:at], drawing.shapes[at + 1 :]
                others = [(moved(shape),), ()]
                if isinstance(shape, Label) and (other := altered(shape)):
                    others.append((other,))
                for instead in others:
                    with pytest.raises(CheckFailed):
                        check(write(replace(drawing, shapes=(*before, *instead, *after))), drawing)


@pytest.mark.slow
def test_every_altered_number_of_a_picture_is_caught() -> None:
    shown = page("linear-regression")
    symbols = shown.press.symbols
    for drawing in drawings("linear-regression").values():
        text = svg_of(drawing, symbols)
        start = text.index("<desc")
        for found in re.finditer(r"\d+", text[start:]):
            end = start + found.end()
            digit = str((int(text[end - 1]) + 1) % 10)
            wrong = text[: end - 1] + digit + text[end:]
            if 'class="fig-plate"' in text[text.rindex("\n", 0, end) : text.index("\n", end)]:
                continue
            if re.search(r'(dy|font-size)="[\d.-]*$|w3.org/[\d/]*$', text[:end]):
                continue  # how scripts are set
            with pytest.raises(CheckFailed):
                check_svg(wrong, drawing, symbols)


def test_a_figure_that_is_left_out_is_caught() -> None:
    shown = page("linear-regression")
    text = re.sub(r"!\[.*\n\n", "", shown["md"], count=1)
    with pytest.raises(CheckFailed):
        shown.check("md", text)
    text = re.sub(r"!\[(.)", r"![A\1", shown["md"], count=1)
    with pytest.raises(CheckFailed):
        shown.check("md", text)
    text = shown["md"].replace("-graph.svg", "-loss.svg")
    with pytest.raises(CheckFailed):
        shown.check("md", text)


def test_figures_can_be_hidden() -> None:
    text = gallery.path("linear-regression").read_text() + '\n[page]\nhide = ["figures"]\n'
    shown = page(text)
    assert not shown.assets
    assert "![" not in shown["md"]
    shown = page(text.replace('hide = ["figures"]', 'show = ["steps", "figures"]'))
    assert [*shown.assets] == ["page-values.svg"] or len(shown.assets) == 1


# --- runs that strain a drawing -----------------------------------------------------------------------

SPEC = """title = "t"
[model]
equations = '''
{equations}
'''
[data]
{data}
[parameters]
{parameters}
[training]
optimizer = {{ name = "SGD", lr = {lr} }}
epochs = {epochs}
[page]
steps = 2
"""
STRAINS = {
    "diverging": ("L = mean((w*x[i] - y[i])**2, i)", "x = [1, 20]\ny = [1, 2]", "w = 1", "3", 12),
    "constant": ("L = relu(w - 7) + 5", "", "w = 1", "0.1", 4),
    "zero": ("L = w**2", "", "w = 0", "0.1", 4),
    "negative": ("L = w - 7", "", "w = 1", "2", 5),
    "sinking": ("L = -exp(w)", "", "w = 1", "1", 3),
    "tiny": ("L = c*w**2", "c = 0.000001", "w = 1", "0.5", 3),
    "many": ("L = mean((w*x[i] - y[i])**2, i)", "x = [1, 2]\ny = [1, 2]", "w = 0", "0.001", 2000),
    "one sample": ("L = mean((w*x[i] - y[i])**2, i)", "x = [1]\ny = [2]", "w = 0", "0.1", 3),
    "no training beyond a step": ("L = (w - 1)**2", "", "w = 0", "0.1", 1),
}


@pytest.mark.few(1)
@pytest.mark.parametrize("case", thinned(STRAINS, 2, str))
def test_strained_runs(case: str) -> None:
    equations, data, parameters, lr, epochs = STRAINS[case]
    text = SPEC.format(equations=equations, data=data, parameters=parameters, lr=lr, epochs=epochs)
    text = text.replace("[data]\n\n", "[data]\n")
    scene = scene_of(page(text))
    for key, drawing in drawings(text).items():
        assert [*illegible(drawing, scene)] == [], key
        assert [*BY_NAME[key].faults(drawing, scene)] == [], key
        assert len(drawing.shapes) < 600, key
        assert len(svg_of(drawing, scene.symbols)) < 40_000, key


def test_coordinates_are_written_to_a_tenth() -> None:
    assert [decimal(Fraction(n, 10)) for n in (0, 5, -5, 10, -125)] == ["0", "0.5", "-0.5", "1", "-12.5"]
    assert point(Fraction(1, 3), Fraction(-1, 3)) == (Fraction(3, 10), Fraction(-3, 10))
    assert Disc("point", point(1, 2), Fraction(1)).about == ""


# --- every text of a picture ----------------------------------------------------------------------------


def retold(drawing: Drawing, scene: Scene) -> Iterator[Drawing]:
    """The drawing with one text changed: words, a symbol, a sign, or what a shape says of itself."""
    words = [scene.said(text) for text in ("start", "samples", "step", "minimum", "after each step")]
    loss, parameter = Ref(scene.example.loss), Ref(next(iter(scene.example.start)))
    for at, shape in enumerate(drawing.shapes):
        for new in other_texts(shape, [*words, scene.said("step {}", 1)], loss, parameter):
            yield replace(drawing, shapes=(*drawing.shapes[:at], new, *drawing.shapes[at + 1 :]))


def other_texts(shape: Shape, words: list[str], loss: Ref, parameter: Ref) -> Iterator[Shape]:
    if not isinstance(shape, Label):
        yield from [replace(shape, about=f"9{shape.about}")] if shape.about else []
        return
    for at, part in enumerate(shape.said):
        signs = {" = ": " ≈ ", " ≈ ": " = "}
        others: list[str | Expr] = []
        if isinstance(part, Ref):
            others = [other for other in (loss, parameter) if other != part]
        elif part in words:
            others = [word for word in words if word != part]
        elif part in signs:
            others = [signs[str(part)]]
        yield from (replace(shape, said=(*shape.said[:at], new, *shape.said[at + 1 :])) for new in others)


@pytest.mark.few(2)
@pytest.mark.parametrize("name", ["linear-regression", "two-two-two-network", "newton", "optimizer-adam"])
def test_every_text_of_a_picture_is_asked(name: str) -> None:
    scene = scene_of(page(name))
    for key, drawing in drawings(name).items():
        assert [*label_faults(key, drawing, scene)] == []
        wrong = list(retold(drawing, scene))
        assert wrong, key
        missed = [
            one for one in wrong if not [*label_faults(key, one, scene), *BY_NAME[key].faults(one, scene)]
        ]
        told = [(a, b) for one in missed for a, b in zip(drawing.shapes, one.shapes, strict=True) if a != b]
        assert told == [], key
        assert [*label_faults(key, replace(drawing, title=f"{drawing.title} of all samples"), scene)]
        more = Label("remark", point(10, 10), ("99% right",))
        assert [*label_faults(key, replace(drawing, shapes=(*drawing.shapes, more)), scene)], key


@pytest.mark.parametrize(
    ("drawer", "wrong", "name"),
    [
        ("derivations.figures.fit.Frame", lambda *a: Frame(a[0], a[1], a[3], a[2]), "linear-regression"),
        ("derivations.figures.path.Frame", lambda *a: Frame(a[0], a[1], a[3], a[2]), "linear-regression"),
        ("derivations.figures.loss.Frame", lambda *a: Frame(a[0], a[1], a[3], a[2]), "linear-regression"),
    ],
)
def test_axes_with_the_titles_of_each_other_are_refused(
    drawer: str, wrong: object, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawer, wrong)
    with pytest.raises(CheckFailed, match=r"figure .*is not so"):
        derivations.build(name, ("md",))


def test_a_rounded_bias_is_not_said_to_be_equal() -> None:
    """0.123456 with four digits is 0.1235, which it is not."""
    text = gallery.find("two-two-two-network").read_text(encoding="utf-8")
    shown = derivations.build(text.replace("b = [0.1, 0.3]", "b = [0.123456, 0.3]"), ("md",))
    found = next(b for b in shown.press.document.blocks if isinstance(b, Figure) and b.name == "network")
    biases = [label.said for label in found.drawing.of_kind("bias") if isinstance(label, Label)]
    assert [said[1] for said in biases] == [" ≈ ", " = ", " = ", " = "]


def test_a_prediction_that_reads_other_samples_is_no_line_over_the_input() -> None:
    """A softmax over the samples of a batch: what it is for one input depends on the others."""
    alone, among = "exp(w*x[i])", "exp(w*x[i])/sum(exp(w*x[k]), k)"
    head = 'title = "t"\n[model]\nequations = """\np[i] = {}\nL = mean((p[i] - y[i])**2, i)\n"""\n'
    spec = f"{head}[data]\nx = [1, 2]\ny = [0, 1]\n[parameters]\nw = 1\n"
    found = [fit_of(prepare(*parse_spec(spec.format(body)))) for body in (alone, among)]
    assert [fit and fit.prediction for fit in found] == ["p", None]
