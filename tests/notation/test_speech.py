"""Formulas said aloud: what the listener hears, and that two formulas never sound alike."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from derivations.audit.items import Item, Mathematics
from derivations.catalogue import functions
from derivations.document.symbols import symbols_of
from derivations.formats.markdown.read import read_markdown
from derivations.language.matrix import NORM, ONES, OVER, TIMES, TRANSPOSED
from derivations.language.parser import parse
from derivations.language.tree import (
    Add,
    Call,
    Chosen,
    Derivative,
    Div,
    Expr,
    Largest,
    Mean,
    Mul,
    Neg,
    Number,
    Pow,
    Ref,
    Sum,
    number,
    transform,
    walk,
)
from derivations.model.example import prepare
from derivations.notation.chain import Side
from derivations.notation.languages import LANGUAGES
from derivations.notation.latex import latex
from derivations.notation.printed import as_printed
from derivations.notation.read import chain, scientific
from derivations.notation.spoken.speaker import spoken, spoken_chain
from derivations.notation.symbols import Symbols
from derivations.spec import gallery
from derivations.spec.spec import read_spec
from tests.strategies import LETTERS, NAMES, decimals, refs, trees

OTHERS_SLOW = [name if name == "en" else pytest.param(name, marks=pytest.mark.slow) for name in LANGUAGES]

OUTPUT = Path(__file__).parents[2] / "output"
RANKS = dict.fromkeys(("w", "b", "L", "lr", "beta1", "eps", "v_hat", "m", "t", "c"), 0) | {
    **dict.fromkeys(("x", "y", "yhat", "token"), 1),
    **dict.fromkeys(("W", "X", "h", "E"), 2),
}
TWO = number(2)
SYMBOLS = Symbols(RANKS, "L", "i")


def tree(text: str) -> Expr:
    return parse(text, functions.NAMES)


# --- what is heard -----------------------------------------------------------------------------------

GRADIENT = (
    Side("", Ref("dL/dw")),
    Side("=", tree("2/count(i)*sum((yhat[i] - y[i])*x[i], i)")),
    Side("≈", Number(Fraction("-34.5"), "-34.5")),
)
UPDATE = (Side("", Ref("w")), Side("←", tree("w - lr*m")), Side("=", tree("0.5 - 0.01*m")))


def test_the_gradient_and_the_update_in_english() -> None:
    assert spoken_chain(GRADIENT, SYMBOLS) == (
        "the partial derivative of L with respect to w equals two over n times the sum over i of "
        "the quantity y hat sub i minus y sub i, end quantity, times x sub i, "
        "is approximately minus 34 point five"
    )
    assert spoken_chain(UPDATE, SYMBOLS) == (
        "w becomes w minus eta times m, equals zero point five minus zero point zero one times m"
    )


ENGLISH = {
    "sum(x[i], i) + b": "the sum over i of x sub i, end sum, plus b",
    "x[i]*sum(x[k], k)": "x sub i times the sum over k of x sub k",
    "w - lr*m/(sqrt(v_hat) + eps)": "w minus the fraction with numerator eta times m and denominator "
    "the square root of v hat plus epsilon, end fraction",
    "w**2 + b**3 + beta1**t": "w squared plus b cubed plus beta sub one to the power t",
    "(w*b)**2": "the quantity w times b, end quantity, squared",
    "sigmoid(-w)": "sigmoid of minus w",
    "log(w*b)": "the natural logarithm of the quantity w times b, end quantity",
    "max(0, 1 - w)": "the larger of zero and one minus w, end arguments",
    "largest(x[k], k) + 1": "the maximum over k of x sub k, end maximum, plus one",
    "mean(x[i], i)": "one over n times the sum over i of x sub i",
    "h[t - 1, k]": "h with index t minus one, next index k, end index",
    "E[token[i], 2]": "E with index token sub i, next index two, end index",
    "W[1, 2]*w": "capital W sub one comma two times w",
    "w'": "w prime",
    "w*(-10.5)": "w times minus ten point five",
    "b + (-2)*x[1]*3 - w*(-2)": "b plus minus two times x sub one times three minus w times minus two",
    "(-2)*w": "the quantity minus two, end quantity, times w",
    "-2*w": "minus two times w",
    "1.2e-7": "one point two times ten to the power minus seven",
    "127.125": "127 point one two five",
    "same(x[i], 2)": "the indicator that x sub i equals two, end indicator",
    "pi": "pi",
}


@pytest.mark.parametrize("text", ENGLISH)
def test_an_expression_in_english(text: str) -> None:
    assert spoken(tree(text.replace("'", "")) if "'" not in text else Ref(text), SYMBOLS) == ENGLISH[text]


OTHERS = {
    "de": "die partielle Ableitung von L nach w ist gleich zwei durch n mal die Summe über i von "
    "Klammer auf, y Dach Index i minus y Index i, Klammer zu, mal x Index i, "
    "ist ungefähr gleich minus 34 Komma fünf",
    "fr": "la dérivée partielle de L par rapport à w égale deux sur n fois la somme sur i de "
    "parenthèse ouvrante, y chapeau indice i moins y indice i, parenthèse fermante, fois x indice i, "
    "égale environ moins 34 virgule cinq",
    "es": "la derivada parcial de L respecto a w es igual a dos sobre n por la suma sobre i de "
    "abre paréntesis, y gorro subíndice i menos y subíndice i, cierra paréntesis, por x subíndice i, "
    "es aproximadamente igual a menos 34 coma cinco",
    "zh": "L对w的偏导数等于n分之二乘以对i求和，左括号，y帽下标i减y下标i，右括号，乘以x下标i，约等于负34点五",
}


def test_the_gradient_in_every_language() -> None:
    said = {language: spoken_chain(GRADIENT, SYMBOLS, language) for language in OTHERS}
    assert said == OTHERS
    assert {"en", *OTHERS} == set(LANGUAGES)
    assert spoken(Ref("w"), SYMBOLS, "zh_Hans_CN") == "w"


def test_forms_of_matrices_in_english() -> None:
    X, x, y = Ref("X"), Ref("x"), Ref("y")
    product = Mul((Pow(X, TRANSPOSED), Call(TIMES, (x, y))))
    assert spoken(product, SYMBOLS) == (
        "capital X transpose times the quantity x times entry by entry y, end quantity"
    )
    assert spoken(Pow(Call(NORM, (x,)), TWO), SYMBOLS) == ("the norm of x, end norm, squared")
    assert spoken(Mul((Ref(ONES, (Ref("i"),)), x)), SYMBOLS) == "the column of n ones times x"
    chosen = Chosen(Ref("x", (Ref("k"),)), "k", Ref("i"))
    assert spoken(chosen, SYMBOLS) == "the indicator that i is the arg max over k of x sub k, end indicator"
    slope = Derivative(tree("w*b"), Ref("w"))
    assert spoken(slope, SYMBOLS) == (
        "the partial derivative with respect to w of the quantity w times b, end quantity"
    )


# --- nothing sounds like something else ----------------------------------------------------------------

RANDOM = Symbols(dict.fromkeys((*(name.rstrip("'") for name in NAMES), "L"), 0), "L", "i")


def _grown(inner: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    letters = st.sampled_from(LETTERS)
    return st.one_of(
        st.builds(Largest, inner, letters),
        st.builds(Chosen, inner, letters, refs(0)),
        st.builds(Derivative, inner, refs()),
        inner.map(lambda expr: Pow(expr, TRANSPOSED)),
        inner.map(lambda expr: Call(NORM, (expr,))),
        st.builds(lambda name, a, b: Call(name, (a, b)), st.sampled_from([TIMES, OVER]), inner, inner),
        refs().map(lambda ref: Ref(f"dL/d{ref.name}", ref.indices)),
        trees(3),
    )


def formulas() -> st.SearchStrategy[Expr]:
    """Small trees with everything that a page can hold."""
    return st.recursive(trees(4) | decimals(), _grown, max_leaves=3)


def heard(expr: Expr, language: str) -> str:
    """The words alone: no pause, no difference that is only seen."""
    said = re.sub("[,，]", "", spoken(expr, RANDOM, language))
    return re.sub(r"\s+", " ", said).strip()


def meant(expr: Expr) -> Expr:
    """The expression as it is printed; a decimal times a power of ten is one number."""

    def joined(node: Expr) -> Expr | None:
        if not isinstance(node, Mul):
            return None
        return scientific([transform(part, joined) for part in node.factors])

    return transform(as_printed(expr), joined)


@pytest.mark.slow
@pytest.mark.parametrize("language", OTHERS_SLOW)
@settings(max_examples=60)
@given(st.lists(formulas(), min_size=12, max_size=40))
def test_two_formulas_never_sound_alike(language: str, found: list[Expr]) -> None:
    known: dict[str, Expr] = {}
    for expr in found:
        other = known.setdefault(heard(expr, language), expr)
        assert other is expr or meant(other) == meant(expr), heard(expr, language)


@pytest.mark.slow
@pytest.mark.parametrize("language", OTHERS_SLOW)
def test_no_two_of_all_small_formulas_sound_alike(language: str) -> None:
    """Every way to put two operations over few leaves, and sums within sums within operations."""
    known: dict[str, Expr] = {}
    for expr in _small():
        other = known.setdefault(heard(expr, language), expr)
        assert other is expr or meant(other) == meant(expr), heard(expr, language)


@cache
def _small() -> tuple[Expr, ...]:
    w, x = Ref("w"), Ref("x", (Ref("i"),))
    leaves: list[Expr] = [w, x, TWO, number(-2), Number(Fraction("1.2e-7"), "1.2e-7")]
    once = [found for leaf in leaves for found in _around(leaf, leaves)]
    twice = [found for expr in once for found in _around(expr, [w, x])]
    sums = [found for expr in twice if isinstance(expr, (Sum, Largest)) for found in _around(expr, [w])]
    within = [Sum(expr, "i") for expr in twice if isinstance(expr, (Add, Mul, Neg, Div, Sum))]
    return tuple(dict.fromkeys([*leaves, *once, *twice, *sums, *within]))


def _around(expr: Expr, others: list[Expr]) -> Iterator[Expr]:
    """Everything that one operation makes of an expression, alone or beside another."""
    w = Ref("w")
    yield from (Neg(expr), Sum(expr, "i"), Mean(expr, "j"), Largest(expr, "k"), Chosen(expr, "k", w))
    yield from (Call("exp", (expr,)), Call(NORM, (expr,)), Call("same", (expr, w)), Derivative(expr, w))
    yield from (Pow(expr, TWO), Pow(TWO, expr), Pow(expr, TRANSPOSED), Ref("x", (expr,)))
    for other in others:
        for a, b in ((expr, other), (other, expr)):
            yield from (Add((a, b)), Mul((a, b)), Div(a, b), Pow(a, b), Add((a, Neg(b))))
            yield from (Call("max", (a, b)), Call(TIMES, (a, b)), Add((a, b, w)), Mul((a, b, w)))


def test_a_power_of_ten_belongs_to_its_number() -> None:
    """Within a function it is not taken for a factor beside the function."""
    tiny, ten = Number(Fraction("-1.2e-7"), "-1.2e-7"), Pow(number(10), number(-7))
    beside = Mul((Call("exp", (Number(Fraction("-1.2"), "-1.2"),)), ten))
    assert heard(Call("exp", (tiny,)), "en") != heard(beside, "en")


@pytest.mark.slow
def test_what_is_said_is_what_is_printed() -> None:
    """A formula read back from the page sounds like the one that was written."""
    symbols = Symbols({"w": 0, "x": 1, "L": 0}, "L", "i")
    readable = [expr for expr in _small()[::7] if _is_readable(expr)]
    assert len(readable) > 3000
    for expr in readable:
        (side,) = chain(latex(expr, symbols), symbols)
        assert spoken(side.expr, symbols) == spoken(expr, symbols)


def _is_readable(expr: Expr) -> bool:
    """Not ``(a ⊙ b) ⊙ c``, which reads as one product, and no index that is a gate or a transpose."""
    nodes = list(walk(expr))
    entrywise = [node for node in nodes if isinstance(node, Call) and node.function == TIMES]
    places = [
        part for node in nodes if isinstance(node, Ref) for index in node.indices for part in walk(index)
    ]
    gates = [part for part in places if isinstance(part, (Pow, Chosen, Call))]
    return len(entrywise) < 2 and not gates


AT_ODDS = """
    w W W_1 w1 w_1 beta1 beta_1 beta_2 eta lr eps epsilon Epsilon gamma Gamma sigma Sigma over plus yhat y_hat
    y ybar net Net net_h1 the_sum minus point zero zero_1 Index Klammer fin de y_de coma mas prime capital_w
    hat n m i1 alpha_hat alpha pii Eta x_tilde l L
"""


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_two_names_sound_alike(language: str) -> None:
    """Not even where capitals are not heard."""
    symbols = Symbols(dict.fromkeys(AT_ODDS.split(), 0), "L", None)
    said = [spoken(Ref(name), symbols, language) for name in symbols.ranks]
    assert len({text.lower() for text in said}) == len(said), sorted(said)
    for text in said:
        assert_words(text, language)


def test_speech_is_the_same_every_time() -> None:
    assert len({spoken_chain(GRADIENT, SYMBOLS, "de") for _ in range(3)}) == 1


# --- every page, every row ------------------------------------------------------------------------------


def _formulas_of(item: Item) -> list[str]:
    pieces = [*item.pieces, *(piece for row in item.rows for cell in row for piece in cell)]
    return [piece.source for piece in pieces if isinstance(piece, Mathematics)]


@pytest.mark.few(5)
@pytest.mark.parametrize("name", gallery.names())
def test_every_formula_of_the_gallery_is_words(name: str) -> None:
    symbols = symbols_of(prepare(*read_spec(gallery.path(name))))
    items = read_markdown((OUTPUT / f"{name}.md").read_text())
    sources = dict.fromkeys(source for item in items for source in _formulas_of(item))
    chains = [chain(source, symbols) for source in sources]
    assert chains
    for language in LANGUAGES:
        for sides in chains:
            assert_words(spoken_chain(sides, symbols, language), language)


def assert_words(said: str, language: str) -> None:
    phrases = LANGUAGES[language].phrases
    assert said == said.strip(), said
    assert re.fullmatch(r"[\w ',，]+", said), said
    assert "_" not in said, said
    assert not re.search(r"\d[,，.]\d|,,|  ", said), said
    if phrases.spaced:
        assert not re.search(r"[^\x00-\u024f]", said), said


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_function_has_a_name_of_its_own(language: str) -> None:
    called = {}
    for row in functions.FUNCTIONS:
        names = ("w", "b", "m")[: len(row.arguments) + row.over]
        said = spoken(Call(row.name, tuple(map(Ref, names))), SYMBOLS, language)
        assert_words(said, language)
        assert all(re.search(rf"\b{name}\b|{name}", said) for name in names), said
        called[said] = row.name
    assert len(called) == len(functions.FUNCTIONS)
