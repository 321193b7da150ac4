"""Letters of indices in the author's notation; and brackets of products, read as they are printed."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html

import derivations
from derivations.formats.press import printer
from derivations.language.errors import CheckFailed, SpecError
from derivations.language.matrix import NORM, OVER, TIMES, TRANSPOSED
from derivations.language.tree import Call, Chosen, Count, Expr, Largest, Mul, Pow, Ref, Sum
from derivations.notation.languages import LANGUAGES
from derivations.notation.latex import latex
from derivations.notation.mathml import mathml_of
from derivations.notation.read import chain
from derivations.notation.read_mathml import latex_of_math
from derivations.notation.spoken.speaker import spoken
from derivations.notation.symbols import Symbols
from derivations.notation.typeset import typeset
from derivations.page import Page, build
from derivations.spec import gallery
from tests import built

MATHEMATICS = re.compile(r"\$\$\n.+?\n\$\$|\$[^$\n]+\$", re.DOTALL)
EVERYWHERE = ("md", "myst", "qmd", "tex", "beamer", "html", "slides", "ipynb")
PAGES = {
    "linear-regression": {"i": "s"},
    "xor-mlp": {"i": "s", "k": "i", "j": "p"},
    "softmax-regression": {"i": "j", "j": "i", "k": "q"},
    "rnn-two-steps": {"t": "s"},
    "max-pooling": {"i": "t", "t": "i"},
}
BROUGHT = {"rnn-two-steps": {"s": "v"}}  # by the derivation; there u is a parameter
SOME = [
    pytest.param(name, marks=[pytest.mark.xdist_group(name)] + [pytest.mark.slow] * (place > 0))
    for place, name in enumerate(PAGES)
]


def renamed(name: str, symbols: dict[str, str], formats: tuple[str, ...] = ("md",)) -> Page:
    return build(name, formats, notation={"symbols": symbols})


def exchanged(text: str, letters: dict[str, str]) -> str:
    """The formulas of a text with other letters where one stands alone."""

    def other(found: re.Match[str]) -> str:
        return re.sub(r"(?<![A-Za-z\\])[a-z](?![A-Za-z])", lambda one: letters.get(one[0], one[0]), found[0])

    return MATHEMATICS.sub(other, text)


def written(page: Page) -> str:
    """The page without its last line, which has the digest of the spec, and without paths of pictures."""
    return page["md"].rpartition("---")[0] or page["md"]


@pytest.mark.parametrize("name", SOME)
def test_only_the_letters_of_the_indices_change(name: str) -> None:
    letters = PAGES[name]
    plain, own = built.page(name), renamed(name, letters, ("md", "json", "csv"))
    assert written(own) == exchanged(written(plain), letters | BROUGHT.get(name, {}))
    assert own["csv"] == plain["csv"]
    assert own.press.run.program == plain.press.run.program
    assert own["json"] == plain["json"]


@pytest.mark.parametrize("name", SOME)
def test_finished_files_are_read_back(name: str) -> None:
    renamed(name, PAGES[name], EVERYWHERE)


@pytest.mark.xdist_group("linear-regression")
def test_a_letter_that_a_derivation_brings_is_moved_out_of_the_way() -> None:
    plain = written(built.page("linear-regression"))
    assert r"\sum_k (\hat y_k - y_k)^2\right)" in plain
    own = written(renamed("linear-regression", {"i": "k"}))
    assert own == exchanged(plain, {"i": "k", "k": "l"})
    own = written(renamed("linear-regression", {"w": "k"}))
    assert MATHEMATICS.findall(own) == MATHEMATICS.findall(exchanged(plain, {"w": "k", "k": "l"}))


@pytest.mark.few(2)
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_letter_is_said(language: str) -> None:
    pair = [Symbols({"x": 1, "L": 0}, "L", "i", letters=letters) for letters in ({}, {"i": "q"})]
    for expr in (Sum(Ref("x", (Ref("i"),)), "i"), Count("i"), Chosen(Ref("x", (Ref("i"),)), "i", Ref("i"))):
        plain, own = (spoken(expr, symbols, language) for symbols in pair)
        assert re.sub(r"(?<![A-Za-z])i(?![A-Za-z])", "q", plain) == own
    page = renamed("linear-regression", {"i": "q"}, ("html",))["html"]
    assert "the sum over q of" in page
    assert "the sum over i" not in page


def test_an_old_letter_is_no_longer_read() -> None:
    made = renamed("linear-regression", {"i": "j"})
    assert made["md"].count(r"\sum_j") > 3
    for old, new in ((r"\sum_j", r"\sum_i"), (r"x_j", "x_i"), ("$j$", "$i$")):
        with pytest.raises(CheckFailed):
            printer("md").check(made["md"].replace(old, new, 1), made.press)


# --- what cannot be ---------------------------------------------------------------------------------------

REFUSED = {
    ("xor-mlp", "i", "j"): "looks like the index 'j'",
    ("xor-mlp", "i", "v"): "looks like that of 'v'",
    ("xor-mlp", "i", "x"): "looks like that of 'x'",
    ("xor-mlp", "i", "n"): "is the number of samples",
    ("xor-mlp", "i", "ab"): "is one letter",
    ("xor-mlp", "i", "alpha"): "is one letter",
    ("xor-mlp", "i", "i^(1)"): "is one letter",
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_letter_that_means_something_else_is_refused(case: tuple[str, str, str]) -> None:
    name, index, letter = case
    with pytest.raises(SpecError, match=REFUSED[case]) as caught:
        renamed(name, {index: letter})
    assert caught.value.hint


def test_no_index_takes_the_letter_of_the_step() -> None:
    text = gallery.path("linear-regression").read_text().replace('"SGD"', '"Adam"')
    with pytest.raises(SpecError, match="'t' is the number of the step"):
        derivations.build(f'{text}\n[page.notation]\nsymbols = {{ i = "t" }}\n', ())


def test_a_quantity_may_not_take_a_letter_and_may_take_one_that_is_free() -> None:
    with pytest.raises(SpecError, match="looks like that of 'w'"):
        renamed("linear-regression", {"i": "j", "w": "j"})
    assert "w" not in renamed("linear-regression", {"i": "j", "w": "i"}).press.symbols.table["w"].stem
    with pytest.raises(SpecError, match="'N' is the number of samples"):
        renamed("linear-regression", {"i": "N", "n": "N"})


# --- products in brackets ---------------------------------------------------------------------------------

RANKS = {"A": 0, "B": 0, "w": 0, "L": 0, "x": 1, "n_1": 0}
LETTERS = ({}, {"i": "k", "j": "i", "k": "j"})


def factors() -> st.SearchStrategy[Expr]:
    leaves = st.sampled_from([*map(Ref, ("A", "B", "w")), Ref("x", (Ref("i"),)), Count("i"), Count("j")])
    return st.recursive(leaves, grown, max_leaves=7)


def grown(inner: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    bound = st.sampled_from("ij")
    return st.one_of(
        several.map(Mul),
        st.builds(Call, st.sampled_from([TIMES, OVER]), several),
        inner.map(lambda expr: Pow(expr, TRANSPOSED)),
        inner.map(lambda expr: Call(NORM, (expr,))),
        st.builds(Sum, inner, bound),
        st.builds(Largest, inner, bound),
    )


@pytest.mark.parametrize("letters", LETTERS)
@settings(max_examples=300)
@given(expr=factors())
def test_brackets_of_products_are_read_as_they_are_printed(letters: dict[str, str], expr: Expr) -> None:
    symbols = Symbols(RANKS, "L", "i", letters=letters)
    shown = latex(expr, symbols)
    (side,) = chain(shown, symbols)
    assert side.expr == expr, shown
    element = html.fragment_fromstring(f"<math>{mathml_of(typeset(expr, symbols))}</math>")
    (side,) = chain(latex_of_math([element], symbols.marks), symbols)
    assert side.expr == expr, shown


def test_entrywise_products_keep_their_brackets() -> None:
    symbols = Symbols(RANKS, "L", "i")
    a, b, w = map(Ref, ("A", "B", "w"))
    left, right, flat = (
        Call(TIMES, (Call(TIMES, (a, b)), w)),
        Call(TIMES, (a, Call(TIMES, (b, w)))),
        Call(TIMES, (a, b, w)),
    )
    for expr in (left, right, flat):
        (side,) = chain(latex(expr, symbols), symbols)
        assert side.expr == expr
    assert len({latex(expr, symbols) for expr in (left, right, flat)}) == 3
