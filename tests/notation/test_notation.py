"""The notation of the author's: renamed symbols, ∂, ∇ or δ, ln or log, samples as rows or as columns."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html

from derivations.catalogue import functions
from derivations.formats.press import printer
from derivations.language.backward import backward
from derivations.language.errors import CheckFailed, SpecError
from derivations.language.matrix import NORM, OVER, TIMES, TRANSPOSED, matrix_form
from derivations.language.parser import parse, parse_program
from derivations.language.program import Equation
from derivations.language.tree import (
    Call,
    Chosen,
    Count,
    Derivative,
    Expr,
    Largest,
    Mul,
    Pow,
    Ref,
    number,
    transform,
)
from derivations.language.tree import refs as reads
from derivations.notation.languages import LANGUAGES
from derivations.notation.latex import latex
from derivations.notation.mathml import mathml_of
from derivations.notation.read import Unreadable, chain
from derivations.notation.read_mathml import latex_of_math
from derivations.notation.spoken.speaker import spoken
from derivations.notation.symbols import Symbol, Symbols, meet, symbol_of
from derivations.notation.typeset import typeset
from derivations.page import Page, build
from derivations.spec import gallery
from derivations.spec.spec import Spec
from derivations.spec.tables import SYMBOL
from derivations.witnesses.matrix_forms import MatrixForm, holds_at_random
from tests.language.test_matrix import slips
from tests.notation.test_speech import meant
from tests.strategies import LETTERS, Model, decimals, models, refs, trees

WAYS = ("partial", "nabla", "delta")
SPEC = """
title = "A page in another notation"
[model]
equations = \"\"\"
z[i, k] = sum(W[k, j]*x[i, j], j) + b[k]
h[i, k] = tanh(z[i, k])
yhat[i] = sum(v[k]*h[i, k], k) + c
L = mean((yhat[i] - y[i])**2, i) + log(2)*c
\"\"\"
[data]
x = [[0.5, 1], [1, -2]]
y = [1, 2]
[parameters]
W = [[1, 0.5], [-1, 2]]
b = [0.5, -1]
v = [1, -2]
c = 0.5
[training]
optimizer = { name = "SGD", lr = 0.1, momentum = 0.9 }
epochs = 2
[page.names]
"h[i, 2]" = "out_2"
[page.notation]
"""


def page(keys: str, formats: tuple[str, ...] = ("md",), spec: str = SPEC) -> Page:
    return build(spec + keys, formats)


# --- the trees, in every notation -------------------------------------------------------------------------

POOLS = (("w", "b", "L", "m_w"), ("x", "yhat"), ("W_1", "h"), ("T",))
RANKS = {name: rank for rank, pool in enumerate(POOLS) for name in pool}
OWN = {
    "w": symbol_of("theta_1"),
    "L": symbol_of("J"),
    "m_w": Symbol("m", (symbol_of("theta_1"),)),
    "x": symbol_of("a^(1)"),
    "yhat": symbol_of("net_h"),
    "W_1": symbol_of("W^(1)"),
    "h": symbol_of("a^(2)"),
}
NOTATIONS = {
    f"{way}, {log}, {'own' if own else 'ours'}": Symbols(
        RANKS, "L", "i", renamed=own, counting="N" if own else "", derivative=way, logarithm=log
    )
    for way, log, own in itertools.product(WAYS, ("ln", "log"), ({}, OWN))
}


def _grown(inner: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    letters = st.sampled_from(LETTERS)
    return st.one_of(
        st.builds(Largest, inner, letters),
        st.builds(Chosen, inner, letters, letters.map(Ref)),
        st.builds(Derivative, inner, refs(0)),
        inner.map(lambda expr: Pow(expr, TRANSPOSED)),
        inner.map(lambda expr: Call(NORM, (expr,))),
        inner.map(lambda expr: Call("log", (expr,))),
        st.builds(lambda name, a, b: Call(name, (a, b)), st.sampled_from([TIMES, OVER]), refs(0), refs(0)),
        refs(0).map(lambda ref: Ref(f"dL/d{ref.name}", ref.indices)),
        trees(3),
    )


def _known(node: Expr) -> Expr | None:
    """A quantity that the symbols know, with as many indices."""
    if not isinstance(node, Ref) or (node.name in LETTERS and not node.indices) or node == TRANSPOSED:
        return None
    slope = "dL/d" if node.name.startswith("dL/d") else ""
    pool = POOLS[len(node.indices)]
    plain = node.name.removeprefix("dL/d")
    name = pool[sum(plain.encode()) % len(pool)] + "'" * (plain.endswith("'") and not slope)
    return Ref(slope + name, tuple(transform(part, _known) for part in node.indices))


def formulas() -> st.SearchStrategy[Expr]:
    """Small trees with everything that a page can hold."""
    found = st.recursive(trees(4) | decimals(), _grown, max_leaves=4)
    return found.map(lambda expr: transform(expr, _known))


def slopes(expr: Expr) -> Expr:
    """The derivative of the loss is its slope, and is printed as one."""

    def rule(node: Expr) -> Expr | None:
        if isinstance(node, Derivative) and node.body == Ref("L"):
            return Ref(f"dL/d{node.by.name}", node.by.indices)
        return None

    return transform(expr, rule)


@pytest.mark.parametrize("notation", NOTATIONS)
@settings(max_examples=60)
@given(expr=formulas())
def test_a_tree_is_read_back_from_its_latex(notation: str, expr: Expr) -> None:
    symbols = NOTATIONS[notation]
    shown = latex(expr, symbols)
    (side,) = chain(shown, symbols)
    assert meant(side.expr) == meant(slopes(expr)), shown


@settings(max_examples=60)
@given(expr=formulas())
def test_a_tree_is_read_back_from_its_mathml(expr: Expr) -> None:
    for symbols in NOTATIONS.values():
        element = html.fragment_fromstring(f"<math>{mathml_of(typeset(expr, symbols))}</math>")
        (side,) = chain(latex_of_math([element], symbols.marks), symbols)
        assert meant(side.expr) == meant(slopes(expr))


@pytest.mark.slow
@settings(max_examples=60)
@given(found=st.lists(formulas(), min_size=8, max_size=20))
@pytest.mark.parametrize("language", LANGUAGES)
def test_two_formulas_never_sound_alike(language: str, found: list[Expr]) -> None:
    for symbols in NOTATIONS.values():
        known: dict[str, Expr] = {}
        for expr in found:
            heard = re.sub(r"[,，\s]+", " ", spoken(expr, symbols, language)).strip()
            own = meant(slopes(expr))
            assert meant(known.setdefault(heard, own)) == own, heard


SLOPES = {
    "partial": (r"\frac{\partial L}{\partial x_i}", "the partial derivative of L with respect to x sub i"),
    "nabla": (r"\nabla_{x_i} L", "the gradient of L with respect to x sub i"),
    "delta": (r"\delta_i^x", "delta x sub i"),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_slope_is_printed_and_spoken(way: str) -> None:
    symbols = Symbols(RANKS, "L", "i", derivative=way)
    slope = Ref("dL/dx", (Ref("i"),))
    assert (latex(slope, symbols), spoken(slope, symbols)) == SLOPES[way]
    assert spoken(Derivative(Ref("L"), Ref("w")), symbols) == spoken(Ref("dL/dw"), symbols)
    local = Derivative(Ref("x", (Ref("i"),)), Ref("w"))
    assert latex(local, symbols) == r"\frac{\partial x_i}{\partial w}"


@pytest.mark.parametrize("way", WAYS)
def test_a_slope_of_another_notation_is_not_read(way: str) -> None:
    symbols = Symbols(RANKS, "L", "i", derivative=way)
    for other in set(WAYS) - {way}:
        with pytest.raises((Unreadable, AssertionError)):
            (side,) = chain(SLOPES[other][0], symbols)
            assert side.expr == Ref("dL/dx", (Ref("i"),))


def test_a_factor_after_a_gradient_stands_apart() -> None:
    symbols = Symbols(RANKS, "L", "i", derivative="nabla")
    slope = Ref("dL/dw")
    assert latex(parse("w*x[i]"), symbols) == "w x_i"
    assert latex(Mul((slope, Ref("w"))), symbols) == r"\nabla_w L \cdot w"
    assert latex(Mul((Ref("w"), slope)), symbols) == r"w \nabla_w L"
    assert latex(Pow(slope, number(2)), symbols) == r"(\nabla_w L)^2"


def test_symbols_of_the_author_are_printed_and_spoken() -> None:
    symbols = NOTATIONS["partial, ln, own"]
    shown = {
        Ref("m_w"): (r"m_{\theta_1}", "m sub theta sub one"),
        Ref("m_w'"): (r"m_{\theta_1}'", "m prime sub theta sub one"),
        Ref("x", (Ref("i"),)): ("a_i^{(1)}", "a superscript one sub i"),
        Ref("x'", (Ref("i"),)): ("a_i'^{(1)}", "a prime superscript one sub i"),
        Pow(Ref("x", (Ref("i"),)), number(2)): ("(a_i^{(1)})^2", "a superscript one sub i squared"),
        Count("i"): ("N", "capital N"),
    }
    for expr, (printed, said) in shown.items():
        assert latex(expr, symbols) == printed
        assert spoken(expr, symbols).replace("capital N", "N") == said.replace("capital N", "N")


# --- pages ----------------------------------------------------------------------------------------------

SYMBOLS = {
    "linear-regression": {"w": "theta_1", "b": "theta_0", "lr": "alpha", "L": "J", "n": "m", "yhat": "h"},
    "xor-mlp": {"W": "W^(1)", "v": "w^(2)", "z": "z^(1)", "h": "a^(1)", "L": "E"},
    "optimizer-adam": {"w1": "theta_1", "m": "p", "v": "s", "beta1": "rho_1", "lr": "eta_0"},
    "two-two-two-network": {"net": "z", "out": "u", "lr": "alpha"},
    "logistic-regression": {"w": "beta_1", "b": "beta_0"},
    "optimizer-nesterov-look-ahead": {"w1": "theta", "w2": "phi", "momentum": "beta"},
}
SOME = [
    pytest.param(name, marks=[pytest.mark.xdist_group(name)] + [pytest.mark.slow] * (place > 1))
    for place, name in enumerate(SYMBOLS)
]
CHOICES = [
    {"derivative": way, "logarithm": log, "vectors": vectors}
    for way, log, vectors in zip(WAYS, ("log", "ln", "log"), ("column", "column", "row"), strict=True)
]


@pytest.mark.few(1)
@pytest.mark.parametrize("way", [0, 1, 2])
@pytest.mark.parametrize("name", SOME)
def test_a_page_in_another_notation_is_built_and_read_back(name: str, way: int) -> None:
    notation = {**CHOICES[way], "symbols": SYMBOLS[name]}
    made = build(name, ("md", "tex", "fragment"), notation=notation)
    text = made["md"]
    assert (r"\nabla_" in text) == (way == 1)
    assert (r"\delta_" in text) == (way == 2)
    assert r"\ln" not in text or way == 1
    if name == "linear-regression":
        assert not re.search(r"\\hat y|\\eta", text)
        assert "divided by m, without" in text


@pytest.mark.slow
@pytest.mark.parametrize("name", ["linear-regression", "xor-mlp"])
def test_finished_files_of_a_page_in_another_notation_are_read_back(name: str) -> None:
    for choice in CHOICES[1:]:
        build(
            name,
            ("html", "slides", "beamer", "pdf", "ipynb", "xlsx", "myst"),
            notation={**choice, "symbols": SYMBOLS[name]},
        )


@pytest.mark.slow
@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.xdist_group(n)) for n in gallery.names()])
def test_the_gallery_in_other_notations(name: str) -> None:
    for choice in CHOICES:
        build(name, ("md",), notation=choice)


@pytest.mark.slow
def test_no_table_and_a_table_that_says_nothing_are_one() -> None:
    plain = page("").press
    assert not plain.symbols.renamed
    said = page('derivative = "partial"\nlogarithm = "ln"\nvectors = "row"\nsymbols = {}\n').press
    assert said.document.blocks[:-1] == plain.document.blocks[:-1]  # the last says the digest of the spec


@pytest.mark.slow
def test_names_of_the_spec_stay_in_code_and_data() -> None:
    keys = 'symbols = { W = "theta", c = "beta_0", L = "J" }\nderivative = "nabla"\n'
    plain, own = (page(text, ("md", "json", "csv")) for text in ("", keys))
    assert plain["csv"] == own["csv"]
    assert plain.press.run.program == own.press.run.program
    assert len({re.sub(r"sha256:\w+", "", one["json"]) for one in (plain, own)}) == 1


OWN_KEYS = """derivative = "delta"
logarithm = "log"
vectors = "column"
[page.notation.symbols]
W = "W^(1)"
z = "z^(1)"
h = "a^(1)"
v = "w"
lr = "alpha"
momentum = "beta"
n = "N"
"""


def test_a_page_says_what_the_author_wrote() -> None:
    text = page(OWN_KEYS)["md"]
    for wanted in (
        r"\alpha = 0.1",
        r"\beta = 0.9",
        r"z_{i,k}^{(1)} = \sum_j W_{k,j}^{(1)} x_{i,j} + b_k",
        r"\log(2) c",
        r"$z^{(1)} = W^{(1)} x + b \mathbf 1_N^{\top}$",
        r"\delta_{k,j}^{W^{(1)}} = \sum_i x_{i,j} \delta_{i,k}^{z^{(1)}}",
        r"\mathrm{out_{2,i}}",
        "Every sample is a column",
    ):
        assert wanted in text, wanted
    assert not re.search(r"\\eta|\\mu|\\ln", text)


def altered(text: str) -> Iterator[str]:
    """A slope by another quantity, another sign, another digit, another transpose."""
    for found in itertools.islice(re.finditer(r"\\delta_\{1,1\}", text), 3):
        yield text[: found.start()] + r"\delta_{1,2}" + text[found.end() :]
    for found in itertools.islice(re.finditer(r"\^\{z\^\{\(1\)\}\}", text), 3):
        yield text[: found.start()] + r"^{a^{(1)}}" + text[found.end() :]
    for found in itertools.islice(re.finditer(r"x\^\{\\top\}", text), 1):
        yield text[: found.start()] + "x" + text[found.end() :]
    for found in itertools.islice(re.finditer(r"\((1)\)\}", text), 3):
        yield text[: found.start()] + "(2)}" + text[found.end() :]
    for found in itertools.islice(re.finditer(r" - \\alpha", text), 3):
        yield text[: found.start()] + r" + \alpha" + text[found.end() :]
    for found in itertools.islice(re.finditer(r"\d\.\d+", text), 3, 200, 17):
        digit = "1" if found[0][-1] != "1" else "2"
        yield text[: found.end() - 1] + digit + text[found.end() :]


@pytest.mark.slow
def test_what_is_altered_is_noticed() -> None:
    made = page(OWN_KEYS)
    cases = list(altered(made["md"]))
    assert len(cases) > 15
    for wrong in cases:
        with pytest.raises(CheckFailed):
            printer("md").check(wrong, made.press)


# --- what cannot be ----------------------------------------------------------------------------------------

REFUSED = {
    'symbols = { W = "b" }': ("looks like that of 'b'", "W"),
    'symbols = { W = "a", v = "a" }': ("looks like that of", "W"),
    'symbols = { c = "yhat" }': ("looks like that of 'yhat'", "c"),
    'symbols = { c = "b_1" }': ("looks like that of 'b'", "c"),
    'symbols = { c = "i" }': ("looks like the index 'i'", "c"),
    'symbols = { n = "L" }': ("looks like another 'L'", "n"),
    'symbols = { n = "nn" }': ("one letter", "n"),
    'symbols = { n = "k" }': ("looks like another 'k'", "n"),
    'symbols = { i = "j" }': ("looks like the index 'j'", "i"),
    'symbols = { Wx = "l" }': ("unknown name 'Wx'", "Wx"),
    'symbols = { c = "t" }': ("has a meaning of its own", "c"),
    'symbols = { c = "sum" }': ("has a meaning of its own", "c"),
    'symbols = { b = "out_2" }': ("looks like another quantity or entry", ""),
    'symbols = { c = "1x" }': ("expected a symbol such as", "c"),
    'symbols = { c = "x^2" }': ("expected a symbol such as", "c"),
    r'symbols = { c = "\\input{x}" }': ("expected a symbol such as", "c"),
    'symbols = { c = "<b>" }': ("expected a symbol such as", "c"),
    'derivative = "delta"\nsymbols = { c = "delta" }': ("looks like the slope of the loss", "c"),
    'derivative = "d"': ("'partial', 'nabla' or 'delta'", "derivative"),
    'logarithm = "lg"': ("'ln' or 'log'", "logarithm"),
    'vectors = "rows"': ("'row' or 'column'", "vectors"),
    'derivativ = "nabla"': ("unknown key 'derivativ'", "derivativ"),
}


@pytest.mark.parametrize("keys", REFUSED)
def test_what_cannot_be_is_refused_at_its_place(keys: str) -> None:
    message, place = REFUSED[keys]
    with pytest.raises(SpecError) as caught:
        page(keys)
    assert message in caught.value.message
    if place:
        line = (SPEC + keys).splitlines()[caught.value.line - 1]
        assert line[caught.value.column - 1 :].startswith(place), str(caught.value)


def test_the_schema_knows_the_table() -> None:
    table = Spec.model_json_schema()["$defs"]["NotationTable"]["properties"]
    assert set(table) == {"symbols", "derivative", "logarithm", "vectors"}
    assert "additionalProperties" in table["symbols"] or "patternProperties" in table["symbols"]
    assert all(re.fullmatch(SYMBOL, text) for text in ("theta_1", "a^(1)", "net_h"))
    assert SYMBOL in str(table["symbols"]).replace("\\\\", "\\")


def test_a_state_that_looks_like_a_slope_is_spelled_out() -> None:
    made = build("optimizer-adadelta", ("md",), notation={"derivative": "delta"})
    table = made.press.symbols.table
    assert all(table[name].stem == rf"\mathrm{{delta.{name[6:]}}}" for name in table if "delta" in name)
    assert any("delta" in name for name in table)


def test_two_renamed_symbols_that_are_alike_meet() -> None:
    theta = symbol_of("theta_1")
    assert meet(Symbol("m", (theta,)), 0, Symbol("m", (theta,)), 0)
    assert not meet(symbol_of("a^(1)"), 1, symbol_of("a^(2)"), 1)
    assert not meet(symbol_of("a^(1)"), 1, symbol_of("a"), 1)


# --- samples as columns --------------------------------------------------------------------------------

COLUMNS = {
    "Z[i, j] = sum(W[j, k]*X[i, k], k) + b[j]": r"W X + b \mathbf 1_n^{\top}",
    "z[i] = sum(w[k]*X[i, k], k) + c": r"w^{\top} X + c",
    "L = mean((y[i] - z[i])**2, i)": r"\frac{1}{n} \lVert y - z \rVert^2",
    "W[j, k] = sum(Z[i, j]*X[i, k], i)": r"Z X^{\top}",
    "b[j] = sum(Z[i, j], i)": r"Z \mathbf 1_n",
    "Z[i, j] = y[i]*w[j]": "w y",
    "c = sum(y[i], i)": r"y \mathbf 1_n",
    "L = sum(y[i]*z[i], i)": r"y z^{\top}",
    "Z[i, j] = tanh(X[i, j])": r"\tanh(X)",
}
LYING = frozenset("ZXyz")
MATRICES = Symbols({**dict.fromkeys("ZXW", 2), **dict.fromkeys("yzbw", 1), "L": 0, "c": 0}, "L", "i")


def equation(text: str) -> Equation:
    (line,) = parse_program(text, functions.NAMES)
    return Equation(line.target, line.body)


@pytest.mark.parametrize("text", COLUMNS)
def test_the_form_with_samples_as_columns(text: str) -> None:
    eq = equation(text)
    form = matrix_form(eq, LYING)
    assert form is not None
    assert latex(form, MATRICES) == COLUMNS[text]
    assert holds_at_random(MatrixForm(eq, form, LYING))
    for wrong in slips(form):
        assert not holds_at_random(MatrixForm(eq, wrong, LYING)), latex(wrong, MATRICES)


@pytest.mark.slow
@settings(max_examples=60)
@given(model=models(called=("tanh", "sigmoid")), draw=st.data())
def test_every_form_of_a_random_model_holds_whatever_is_lying(model: Model, draw: st.DataObject) -> None:
    equations = (*model.program, *backward(model.program, model.loss, model.names))
    names = sorted({ref.name for eq in equations for ref in (eq.target, *reads(eq.body))})
    lying = draw.draw(st.frozensets(st.sampled_from(names)))
    for eq in equations:
        form = matrix_form(eq, lying)
        assert form is None or holds_at_random(MatrixForm(eq, form, lying))


@pytest.mark.parametrize(
    ("expr", "shown"),
    [
        ("-1*(1/(3*0.8448))", r"-1 \cdot \frac{1}{3 \cdot 0.8448}"),
        ("1*(1/2.25)", r"1 \cdot \frac{1}{2.25}"),
        ("2*(1/count(i))*x[i]", r"2 \cdot \frac{1}{n} x_i"),
        ("0.5**2*((3 + 4)/5)", r"0.5^2 \cdot \frac{3 + 4}{5}"),
        ("3*mean(x[i], i)", r"3 \cdot \frac{1}{n} \sum_i x_i"),
        ("2*(x[1]/y[1])", r"2 \frac{x_1}{y_1}"),
    ],
)
def test_two_factors_never_read_as_a_mixed_number(expr: str, shown: str) -> None:
    symbols = Symbols({"x": 1, "y": 1, "L": 0}, "L", "i")
    assert latex(parse(expr, functions.NAMES), symbols) == shown


def test_a_mixed_number_is_not_read() -> None:
    symbols = Symbols({"x": 1, "L": 0}, "L", "i")
    with pytest.raises(Unreadable, match="without a sign"):
        chain(r"-1 \frac{1}{3 \cdot 0.8448}", symbols)
    assert chain(r"x_1 \frac{1}{3}", symbols)


def test_a_state_of_a_parameter_is_no_entry_of_data_with_its_name() -> None:
    """``v_k`` beside data ``v[i]`` would look like an entry of it: the ``k`` stands above instead."""
    symbols = Symbols({"v": 1, "k": 0, "Q": 0, "u_k": 0, "v_k": 0, "m_k": 0}, "Q", "i")
    assert [latex(Ref(name), symbols) for name in ("v_k", "u_k", "m_k")] == ["v^{(k)}", "u_k", "m_k"]
    both = Mul((Pow(Ref("v_k"), number(2)), Ref("v", (Ref("k"),))))
    assert [side.expr for side in chain(latex(both, symbols), symbols)] == [both]
