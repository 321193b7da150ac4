"""The HTML page without a browser: read back, altered, hostile, and MathML against the boxes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from lxml import html

import derivations
from derivations.document.blocks import Display, Table
from derivations.formats.press import printer
from derivations.language.errors import CheckFailed
from derivations.notation.chain import Formula
from derivations.notation.latex import latex
from derivations.notation.locales import PLAIN, Marks
from derivations.notation.mathml import mathml_of
from derivations.notation.mathml_pieces import flat, pieces
from derivations.notation.read_mathml import latex_of_math
from derivations.notation.typeset import typeset
from derivations.numbers.systems import precision
from derivations.page import Page
from tests.built import GALLERY, page

LAYOUT = re.compile(
    r'--[np]:\d+|</?h\d|id="s\d+"|(?:width|minsize|maxsize)="[^"]*"|<style>.*</style>|<script>.*</script>',
    re.DOTALL,
)
GERMAN = Marks(",", ".")


def check(shown: Page, text: str) -> None:
    """The check of the format alone, without the comparison of bytes."""
    with precision(shown.trace.bits):
        printer("html").check(text, shown.press)


@pytest.mark.few(4)
@pytest.mark.parametrize("name", GALLERY)
def test_every_page_of_the_gallery(name: str) -> None:
    text = page(name)["html"]
    assert len(text.encode()) < 500_000
    assert "\\" not in re.sub(r"<(style|pre|script).*?</\1>", "", text, flags=re.DOTALL)
    assert text.count("<script") <= 1
    text = re.sub(r'<script>.*?</script>|xmlns="[^"]*"', "", text, flags=re.DOTALL)
    assert re.findall(r"<script|https?://|url\((?!data:font/woff2)|@import|\son\w+=", text) == []


def test_linear_regression_is_small() -> None:
    assert len(page("linear-regression")["html"].encode()) < 300_000


# --- MathML and back ------------------------------------------------------------------------------------


def formulas(shown: Page) -> Iterator[Formula]:
    for block in shown.press.document.blocks:
        if isinstance(block, Display):
            yield block.formula
        elif isinstance(block, Table):
            for row in (block.header, *block.rows):
                yield from (word for cell in row for word in cell if isinstance(word, Formula))


def tokens(source: str) -> list[str]:
    """LaTeX without spaces, the sizes of brackets, and braces around single letters."""
    return re.findall(r"\\[A-Za-z]+|\S", re.sub(r"\\(left|right)\b|[{}]", "", source))


@pytest.mark.parametrize("marks", [PLAIN, GERMAN], ids=["point", "comma"])
@pytest.mark.parametrize("name", GALLERY)
def test_mathml_is_read_back_as_the_latex_of_the_same_boxes(name: str, marks: Marks) -> None:
    shown = page(name)
    for formula in formulas(shown):
        for side in formula.sides:
            wanted = tokens(latex(side.expr, shown.press.symbols))
            box = typeset(side.expr, shown.press.symbols)
            whole = [html.fragment_fromstring(f"<math>{mathml_of(box, marks)}</math>")]
            assert tokens(latex_of_math(whole, marks)) == wanted
            cut = [html.fragment_fromstring(f"<math>{one}</math>") for one in flat(pieces(box, 3.0, marks))]
            dots = {r"\cdot"}  # a product that is cut gets one
            found = [token for token in tokens(latex_of_math(cut, marks)) if token not in dots]
            assert found == [token for token in wanted if token not in dots]


def test_marks_of_a_language_stand_in_the_numbers() -> None:
    from derivations.notation.boxes import Numeral

    assert mathml_of(Numeral("164621.8125"), GERMAN) == "<mn>164.621,8125</mn>"


# --- what is altered is noticed ---------------------------------------------------------------------------


def altered_numbers(text: str) -> Iterator[tuple[str, str]]:
    """The page with the last digit of one number changed, for every number that is content."""
    skip = [found.span() for found in LAYOUT.finditer(text)]
    start = text.index("<body>")
    for number in re.finditer(r"\d+", text[start:]):
        at = start + number.end() - 1
        if not any(low <= at < high for low, high in skip):
            digit = str((int(text[at]) + 1) % 10)
            yield text[at - 50 : at + 20], text[:at] + digit + text[at + 1 :]


def assert_noticed(shown: Page, cases: list[tuple[str, str]]) -> None:
    for around, altered in cases:
        with pytest.raises(CheckFailed):
            check(shown, altered)
            pytest.fail(f"not noticed: {around}")


@pytest.mark.slow
@pytest.mark.parametrize("every", [40, pytest.param(7, marks=pytest.mark.slow)])
def test_altered_numbers_are_caught(every: int) -> None:
    cases = list(altered_numbers(page("linear-regression")["html"]))
    assert len(cases) > 400
    assert_noticed(page("linear-regression"), cases[::every])


@pytest.mark.slow
@pytest.mark.parametrize("part", range(4))
@pytest.mark.parametrize("name", ["linear-regression", "logistic-regression"])
def test_every_altered_number_is_caught(name: str, part: int) -> None:
    cases = list(altered_numbers(page(name)["html"]))
    assert_noticed(page(name), cases[part :: 4 if name == "linear-regression" else 12])


def altered_letters(text: str, every: int) -> Iterator[tuple[str, str]]:
    """The page with one visible letter changed, at many places."""
    start, end = text.index("<body>"), text.index("<script>")
    for found in re.finditer(r">([^<]+)<", text[start:end]):
        for at in range(start + found.start(1), start + found.end(1)):
            if not text[at].isspace() and not _in_entity(text, at) and at % every == 0:
                letter = "u" if text[at] != "u" else "v"
                yield text[at - 50 : at + 20], text[:at] + letter + text[at + 1 :]


def _in_entity(text: str, at: int) -> bool:
    return re.search(r"&[^;\s<]*$", text[at - 8 : at + 1]) is not None or text[at] in ";\u2061"


@pytest.mark.slow
def test_altered_letters_are_caught() -> None:
    cases = list(altered_letters(page("linear-regression")["html"], 61))
    assert len(cases) > 60
    assert_noticed(page("linear-regression"), cases)


SWAPS = {
    "a sign": ("<mo>−</mo>", "<mo>+</mo>"),
    "a relation": ("<mo>≈</mo>", "<mo>=</mo>"),
    "a word": ("increases", "decreases"),
    "a rule": ("chain rule", "product rule"),
    "the title": ("<title>Mini-batch", "<title>Full-batch"),
    "a spoken name": ('aria-label="w becomes', 'aria-label="b becomes'),
    "a link": ('<a href="#s2">The problem', '<a href="#s2">The answer'),
    "where a link leads": ('href="#s2"', 'href="#s15"'),
    "a caption": ("<caption>The data", "<caption>The date"),
    "a repeated heading": (
        '<tr class="again"><th scope="col">node',
        '<tr class="again"><th scope="col">code',
    ),
    "a word of the interface": ("Skip to the content", "Skip to the end"),
    "words beside the page": ("<header>", "<header>Nothing is proved. "),
    "words in the contents": ('<nav aria-label="Contents">', '<nav aria-label="Contents">See'),
    "an element": ("<p>We", '<img src="x">\n<p>We'),
    "a script": ("</main>", "<script>1</script></main>"),
    "an event": ("<main", '<main onclick="1"'),
    "an address": ('href="#main"', 'href="https://example.org"'),
    "a comment": ("</main>", "<!-- 7 --></main>"),
    "the policy": ("default-src 'none'", "default-src *"),
    "the style sheet": ("body {", 'body::after { content: "7" } body {'),
    "words in the style sheet": ("</style>", "h1::after { content: '7' }</style>"),
    "what a style sheet loads": ("</style>", "h1 { background: url(data:image/png,7) }</style>"),
    "a style of an element": ("--n:3", "--n:3;display:none"),
    "a hidden formula": ('<math aria-label="w">', '<math aria-hidden="true">'),
    "an empty formula": ("<mi>w</mi>", "<mi></mi>"),
    "words in a formula": ("<math aria-label", "<math>7<mi>x</mi></math><math aria-label"),
}


@pytest.mark.parametrize("what", SWAPS)
def test_everything_else_that_is_altered_is_caught(what: str) -> None:
    shown = page("linear-regression")
    old, new = SWAPS[what]
    assert old in shown["html"]
    with pytest.raises(CheckFailed):
        check(shown, shown["html"].replace(old, new, 1))
        pytest.fail("not noticed")


# --- languages ---------------------------------------------------------------------------------------------


@pytest.mark.few(2)
@pytest.mark.parametrize("language", ["de", "fr", "es", "zh"])
def test_pages_and_slides_in_a_language(language: str) -> None:
    spec = SPEC.format(title='"T"') + f'[page]\nlanguage = "{language}"\n'
    shown = derivations.build(spec, ("html", "slides"))
    english = ("Skip to the content", "The data", "All steps", "Comparison with torch", 'aria-label="Back"')
    assert [words for words in english if words in shown["html"] + shown["slides"]] == []
    assert f'<html lang="{language}' in shown["html"]
    if language == "de":
        assert "<mn>0,5</mn>" in shown["html"]
        with pytest.raises(CheckFailed):
            check(shown, shown["html"].replace("<mn>0,5</mn>", "<mn>0.5</mn>", 1))


# --- hostile text ------------------------------------------------------------------------------------------

TITLE = '</title><script>alert(1)</script>{{ 7*7 }}{% raw %}<img onerror="1">&amp;\u202e "\'$x$ \x01 end'
SPEC = """title = {title}
[model]
equations = \"\"\"
yhat[i] = w*x[i] + b
L = mean((yhat[i] - y[i])**2, i)
\"\"\"
[data]
x = [1, 2]
y = [3, 4]
[parameters]
w = 0.5
b = 1
"""


def test_a_hostile_title_stays_text() -> None:
    shown = derivations.build(SPEC.format(title=json.dumps(TITLE)), ("html",))
    page_ = html.document_fromstring(shown["html"])
    (heading,) = page_.iter("h1")
    assert " ".join(heading.text_content().split()) == " ".join(TITLE.replace("\x01", " ").split())
    assert not list(page_.iter("img"))
    assert all("alert(" not in script.text for script in page_.iter("script"))
    check(shown, shown["html"])
