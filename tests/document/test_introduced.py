"""Every symbol of a page is introduced: no formula uses what the page has not said before."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

import pytest

import derivations
from derivations.catalogue import functions
from derivations.claims.writer import plain_value, relation
from derivations.document.blocks import Block, Display, Document, Heading, Prose, Table, Words
from derivations.figures import loss
from derivations.figures.axes import readings
from derivations.figures.drawing import Disc, Shape, Stroke
from derivations.figures.scene import Scene
from derivations.language.errors import CheckFailed
from derivations.language.matrix import ONES
from derivations.language.parser import parse
from derivations.language.tree import Call, Chosen, Count, Expr, Largest, Mean, Number, Ref, Sum, number, walk
from derivations.notation.chain import Formula
from derivations.notation.latex import latex
from derivations.notation.symbols import Symbols
from tests.built import GALLERY, page

PLAIN = {"exp", "log", "sqrt", "sin", "cos", "tanh", "max", "min", "pi"}  # known to every reader
SIGNS = {"⊙": "⊙", "⊘": "⊘", "‖": "Double bars"}


class Reader:
    """Goes through a page and remembers what has been introduced."""

    def __init__(self, document: Document, symbols: Symbols) -> None:
        self.document, self.symbols = document, symbols
        self.known: set[str] = set()
        self.bound: set[str] = set()

    def unknown(self) -> list[str]:
        """The symbols that are used before they are introduced; the problem counts as one place."""
        found: list[str] = []
        waiting: list[str] = []
        first = True
        for block in self.document.blocks:
            if isinstance(block, Heading) and block.level == 2:
                found += [use for use in waiting if use not in self.known]
                first, waiting = block.part == "problem", []
            used = list(self.uses(block))
            self.learn(block, first)
            waiting += used if first else []
            found += [] if first else [use for use in used if use not in self.known]
        return list(dict.fromkeys(found))

    # --- what is said

    def learn(self, block: Block, first: bool) -> None:
        """Targets of definitions, what sentences name, columns of given data, names of entries."""
        match block:
            case Display(shown) if len(shown.sides) > 1:
                self.knows(shown.sides[0].expr)
            case Prose(words):
                self.said(words)
            case Table("data", _, header):
                for cell in header:
                    self.each(cell)
            case Table("names", _, _, rows):
                for row in rows:
                    for cell in row:
                        self.each(cell)
            case Table("quantities", _, _, rows):
                for row in rows:
                    self.each(row[0])

    def each(self, words: Words) -> None:
        for word in words:
            if isinstance(word, Formula):
                self.knows(word.sides[0].expr)

    def said(self, words: Words) -> None:
        self.each(words)
        text = "".join(word for word in words if isinstance(word, str))
        self.known |= {sign for sign, said in SIGNS.items() if said in text}
        if "A prime marks" in text:
            self.known.add("'")
        if "A bracket" in text:
            self.known.add("same")
        for row in functions.FUNCTIONS:
            printed = "σ" if row.name == "sigmoid" else re.sub(r"\\mathrm|[{}\\]", "", row.latex)
            if re.search(rf"(?<!\w){re.escape(printed)}(\(x\))? (is|keeps|moves|rounds|divides)\b", text):
                self.known.add(row.name)

    def knows(self, expr: Expr) -> None:
        match expr:
            case Ref(name, _) if name != ONES:
                self.known |= {self.quantity(name), self.shown(expr)}
            case Count(index):
                self.known.add(f"count {index}")
            case Ref():
                self.known.add(f"ones {self.letter(expr)}")

    # --- what is used

    def uses(self, block: Block) -> Iterator[str]:
        match block:
            case Display(shown):
                yield from self.formula(shown)
            case Prose(words):
                for word in words:
                    if isinstance(word, Formula) and len(word.sides) > 1:
                        yield from self.formula(word)
            case Table():
                for row in (block.header, *block.rows):
                    for cell in row:
                        for word in cell:
                            if isinstance(word, Formula):
                                yield from self.formula(word)

    def formula(self, shown: Formula) -> Iterator[str]:
        nodes = [node for side in shown.sides for node in walk(side.expr)]
        self.bound |= {node.index for node in nodes if isinstance(node, (Sum, Mean, Largest, Chosen))}
        defined = self.quantity(shown.sides[0].expr.name) if isinstance(shown.sides[0].expr, Ref) else ""
        for node in nodes:
            yield from (use for use in self.of(node) if use != defined)

    def of(self, node: Expr) -> Iterator[str]:
        match node:
            case Mean(_, index) | Count(index):
                yield f"count {index}"
            case Call(name) if name in SIGNS or name not in PLAIN:
                yield name
            case Ref(name) if name == ONES:
                yield f"ones {self.letter(node)}"
            case Ref(name, indices) if name not in self.bound and name != "⊤":
                yield self.quantity(name)
                yield self.shown(node)
                if name.endswith("'"):
                    yield "'"
                for part in indices:
                    if isinstance(part, Ref) and part.name not in self.bound:
                        yield part.name

    def letter(self, ones: Expr) -> str:
        return next(node.name for node in walk(ones) if isinstance(node, Ref) and node.name != ONES)

    def quantity(self, name: str) -> str:
        """What a symbol is about: the slope of the loss by ``w``, and ``w'``, are about ``w``."""
        return (self.symbols.adjoint(name) or name).rstrip("'")

    def shown(self, ref: Ref) -> str:
        """The name that an author gave to an entry, else the quantity."""
        plain = Ref(self.quantity(ref.name), ref.indices)
        for row in self.symbols.named:
            whole = all(isinstance(part, Number) for part in ref.indices)
            if whole and row.rest(plain.name, plain.indices) is not None:
                return f"{row.symbol.stem} {row.symbol.subscripts}"
        return plain.name


@pytest.mark.few(1)
@pytest.mark.parametrize("name", GALLERY)
def test_every_symbol_is_introduced_before_it_is_used(name: str) -> None:
    """In a table of quantities, a definition, the data, or a sentence."""
    press = page(name).press
    assert Reader(press.document, press.symbols).unknown() == []


# --- names of entries -------------------------------------------------------------------------------


def test_names_of_entries_lie_where_the_entries_lie() -> None:
    """The author's ``"W[2, 1]" = "w3"`` stands in the second row and the first column."""
    press = page("two-two-two-network").press
    tables = [block for block in press.document.blocks if isinstance(block, Table) and block.kind == "names"]
    spec = press.run.example.spec
    assert len(spec.page.names) == 8
    for entry, name in spec.page.names.items():
        quantity, row, column = re.findall(r"\w+", entry)
        own = next(table for table in tables if quantity in str(table.header[0]))
        cell = own.rows[int(row) - 1][int(column)]
        assert own.rows[int(row) - 1][0] == (row,)
        assert own.header[int(column)] == (column,)
        assert f"${name[0]}_{name[1:]}$" == markdown(cell, press.symbols)


def markdown(words: Words, symbols: Symbols) -> str:
    (shown,) = words
    assert isinstance(shown, Formula)
    return f"${latex(shown.sides[0].expr, symbols)}$"


@pytest.mark.parametrize(
    ("form", "right", "wrong"),
    [("md", "| 2 | $w_3$ | $w_4$ |", "| 2 | $w_4$ | $w_3$ |"), ("tex", "w_3", "w_4")],
)
def test_a_name_in_a_wrong_place_is_noticed(form: str, right: str, wrong: str) -> None:
    own = page("two-two-two-network")
    assert right in own[form]
    with pytest.raises(CheckFailed):
        own.check(form, own[form].replace(right, wrong, 1))


def test_names_along_samples_are_said_in_a_sentence() -> None:
    spec = NETWORK.format(names='"z[i, 2]" = "net_h2"')
    text = derivations.build(spec, ("md",))["md"]
    assert "is entry $i$, 2 of $z$." in text
    assert Reader(*_read(spec)).unknown() == []


def _read(spec: str) -> tuple[Document, Symbols]:
    press = derivations.build(spec, ()).press
    return press.document, press.symbols


NETWORK = """
title = "names"
[model]
equations = '''
z[i, k] = sum(W[k, j]*x[i, j], j)
L = mean(sum((z[i, k] - y[i, k])**2, k), i)
'''
[data]
x = [[1, 2, 0], [0, 1, 1]]
y = [[1, 0], [0, 1]]
[parameters]
W = [[1, 0, 1], [0, 1, 0]]
[training]
optimizer = {{ name = "SGD", lr = 0.1 }}
[page.names]
{names}
"""


def test_indices_run_as_far_as_the_arrays_are() -> None:
    text = derivations.build(NETWORK.format(names='"W[1, 1]" = "a"'), ("md",))["md"]
    assert "The index $k$ runs from 1 to 2. The index $j$ runs from 1 to 3." in text
    assert "| $W$ | 1 | 2 | 3 |" in text
    assert "| 1 | $a$ | $W_{1,2}$ | $W_{1,3}$ |" in text


# --- what was taken out, primes, ulp ----------------------------------------------------------------


def test_a_sum_that_was_taken_out_is_introduced() -> None:
    text = page("attention")["md"]
    assert text.index("$a_{s1}$ names a part of the formula of $a_u$") < text.index("## The quantities")


def test_a_quantity_of_the_author_is_not_called_taken_out() -> None:
    spec = SOFTMAX.format(name="a_s1")
    assert "names a part" not in derivations.build(spec, ("md",))["md"]


SOFTMAX = """
title = "a name like ours"
[model]
equations = '''
{name} = sum(exp(w*x[u]), u)
a = log({name})
L = (a - 1)**2
'''
[data]
x = [1, 2]
[parameters]
w = 1
[training]
optimizer = {{ name = "SGD", lr = 0.1 }}
"""


@pytest.mark.few(1)
@pytest.mark.parametrize("name", GALLERY)
def test_the_table_of_checks_says_what_an_ulp_is(name: str) -> None:
    blocks = page(name).press.document.blocks
    place = next(at for at, b in enumerate(blocks) if isinstance(b, Table) and b.kind == "checks")
    before = blocks[place - 1]
    assert isinstance(before, Prose)
    assert "unit in the last place" in str(before.words)


# --- figures of losses ------------------------------------------------------------------------------


@pytest.mark.few(1)
@pytest.mark.parametrize("name", GALLERY)
def test_a_path_is_on_the_loss_of_samples_only_where_there_are_samples(name: str) -> None:
    press = page(name).press
    text = str(press.document.blocks)
    samples = press.run.example.sample is not None
    assert "on the loss of all samples:" not in text or samples
    assert "The path of the parameters on the loss:" not in text or not samples


def test_losses_of_mini_batches_are_no_curve() -> None:
    """Every dot is the loss of its mini-batch; the line, worked here anew, is the loss of all samples."""
    run = page("linear-regression").press.run
    drawing = loss.draw(scene("linear-regression"))
    assert drawing is not None
    (curve,) = (shape for shape in drawing.of_kind("curve") if isinstance(shape, Stroke))
    dots = [shape for shape in drawing.of_kind("point") if isinstance(shape, Disc)]
    assert not {dot.at for dot in dots} & set(curve.points)
    across, upright = readings(drawing)
    data = run.example.data
    rows = [*zip(data["x"].entries, data["y"].entries, strict=True)]
    places = [(Fraction(1, 2), Fraction(1))]
    places += [(Fraction(step["w'"]), Fraction(step["b'"])) for step in run.trace.steps]
    for at, ((w, b), (x, y)) in enumerate(zip(places, curve.points, strict=True)):
        whole = sum((w * a + b - target) ** 2 for a, target in rows) / len(rows)
        assert across.shows(Fraction(at), x)
        assert upright.shows(whole, y)


def test_losses_of_all_samples_are_a_curve() -> None:
    drawing = loss.draw(scene("learning-rate-converges"))
    assert drawing is not None
    (curve,) = (shape for shape in drawing.of_kind("curve") if isinstance(shape, Stroke))
    dots = [shape.at for shape in drawing.of_kind("point") if isinstance(shape, Disc)]
    assert dots == list(curve.points)


@pytest.mark.parametrize("kind", ["curve", "point"])
def test_a_loss_in_a_wrong_place_is_noticed(kind: str) -> None:
    own = scene("linear-regression")
    drawing = loss.draw(own)
    assert drawing is not None
    assert not list(loss.faults(drawing, own))
    shapes = tuple(_moved(shape) if shape.kind == kind else shape for shape in drawing.shapes)
    assert list(loss.faults(replace(drawing, shapes=shapes), own))
    fewer = tuple(shape for shape in drawing.shapes if shape.kind != kind)
    assert list(loss.faults(replace(drawing, shapes=fewer), own))


def _moved(shape: Shape) -> Shape:
    match shape:
        case Stroke():
            first, (x, y), *rest = shape.points
            return replace(shape, points=(first, (x, y + 2), *rest))
        case Disc():
            return replace(shape, at=(shape.at[0], shape.at[1] - 2))
    return shape


def scene(name: str) -> Scene:
    press = page(name).press
    return Scene(press.run.trace, press.symbols, press.rounding)


# --- signs ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("left", "right", "sign"),
    [
        ("sqrt(0.25)", "0.5", "="),
        ("1/2*0*sqrt(2)", "0", "="),
        ("15/sqrt(max(225, 0.001**2))", "1", "="),
        ("min(1, 5/(2.8 + 0.1))*(-2)", "-2", "="),
        ("0.2*step(2)", "0.2", "="),
        ("exp(0)", "1", "="),
        ("sqrt(2)", "1.414214", "≈"),
        ("exp(1)", "2.718282", "≈"),
        ("0.3*0.3", "0.1", "≈"),
        ("1/3", "0.333333", "≈"),
    ],
)
def test_equals_stands_where_the_printed_sides_are_equal(left: str, right: str, sign: str) -> None:
    before, after = (parse(text, functions.NAMES) for text in (left, right))
    assert relation(before, after, exact=False) == sign


def test_the_largest_of_many_is_known() -> None:
    numbers = tuple(map(number, (1, 3, 5, 2)))
    assert plain_value(Call("max", numbers)) == 5
    assert plain_value(Call("max", (*numbers, Ref("x")))) is None


WEIGHTED = """
title = "weights"
[model]
equations = '''
e[i] = w*x[i]
Q = sum({weight}*e[i]**2, i)/sum({weight}, i)
'''
[data]
x = [1, 2]
v = [1, 3]
[parameters]
w = 1
"""


def test_a_part_on_which_no_parameter_acts_is_not_said_to_be_differentiated() -> None:
    text = derivations.build(WEIGHTED.format(weight="v[i]"), ("md",))["md"]
    assert "$Q_{s1}$ names a part of the formula of $Q$. The index" in text
    model, loss = text.index("of the model"), text.index("The loss is")
    assert model < text.index("e_i = ") < loss < text.index("Q = ") < text.index("Q_{s1} = ")

    text = derivations.build(WEIGHTED.format(weight="exp(w*v[i])"), ("md",))["md"]
    assert "of the formula of $Q$, which is differentiated on its own." in text
