"""Pages in other languages: nothing is left in English, and numbers have the marks of the language."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import derivations
from derivations.document.blocks import (
    Block,
    Code,
    Document,
    Heading,
    Listed,
    Message,
    Part,
    Prose,
    Table,
    counted,
    listed,
    say,
    series,
)
from derivations.document.compose import ENTRYWISE, compose
from derivations.document.languages import plain, translated
from derivations.document.symbols import symbols_of
from derivations.language.errors import CheckFailed, SpecError
from derivations.language.tree import Call, Neg, Number, walk
from derivations.model.example import Example
from derivations.notation.chain import Formula
from derivations.notation.languages import LANGUAGES, SOURCE
from derivations.notation.latex import latex
from derivations.notation.locales import locale, messages
from derivations.notation.read import chain, decimal, token
from derivations.notation.symbols import Symbols
from derivations.page import Page, footer
from derivations.run.training import certified
from derivations.spec import gallery
from derivations.spec.spec import parse_spec
from derivations.translations.extraction import texts
from derivations.witnesses.work import Verified
from tests.built import GALLERY, page, thinned
from tests.test_page import compile_latex

OTHERS = tuple(language for language in LANGUAGES if language != SOURCE)
# the same words in another language
ALIKE = ("linear in {}", "exact", "minimum", "Minimum: {}.", "Start: {}.")
BUILT = ("linear-regression", "linear-regression-by-calculator", "dying-relu")


@cache
def catalogue(language: str) -> Any:
    return messages(language)


def holes(text: str) -> list[int]:
    names = [name for _, name, _, _ in Formatter().parse(text) if name is not None]
    return [int(name) if name else place for place, name in enumerate(names)]


# --- the catalogues -----------------------------------------------------------------------------------------


@pytest.mark.few(1)
@pytest.mark.parametrize("language", OTHERS)
def test_a_catalogue_holds_exactly_our_texts(language: str) -> None:
    held = {
        each.id if isinstance(each.id, str) else tuple(each.id) for each in catalogue(language) if each.id
    }
    assert held == set(texts()), (
        "run python -m derivations.translations.extraction, then translate what is empty"
    )


@pytest.mark.parametrize("language", OTHERS)
def test_every_text_is_translated_with_its_holes(language: str) -> None:
    for each in catalogue(language):
        if not each.id:
            continue
        own = [each.id] if isinstance(each.id, str) else list(each.id)
        forms = [each.string] if isinstance(each.string, str) else list(each.string)
        assert all(form.strip() for form in forms), own
        assert not each.fuzzy, own
        if isinstance(each.id, str):
            assert sorted(holes(forms[0])) == sorted(holes(own[0])), own
        else:
            assert set(holes(forms[-1])) == set(holes(own[1])), own  # the one for a single thing may say it
            assert all(set(holes(form)) <= set(holes(own[1])) for form in forms), own


@pytest.mark.parametrize("language", OTHERS)
def test_a_translation_is_another_text(language: str) -> None:
    """What stays as it is says no word: ``{}: {}``."""
    words = re.compile(r"[A-Za-z]{3,}")
    for each in catalogue(language):
        text = each.id if isinstance(each.id, str) else each.id[0]
        if words.search(re.sub(r"\{\d*\}", "", text)) and each.string == text:
            assert text in ALIKE, text


# --- documents ----------------------------------------------------------------------------------------------


def run(name: str) -> Verified:
    return page(name).press.run


@cache
def document(name: str) -> Document:
    symbols = symbols_of(run(name).example)
    return certified(
        lambda bits: compose(run(name).with_bits(bits), symbols, footer("sha256:0")), run(name).trace.bits
    )


def words_of(block: Block) -> Iterator[Part]:
    match block:
        case Heading(words=words) | Prose(words=words):
            yield from words
        case Table(header=header, rows=rows):
            yield from (word for row in (header, *rows) for cell in row for word in cell)


def inside(part: Part) -> Iterator[Part]:
    """A word and everything that fills its holes."""
    yield part
    for each in part.parts if isinstance(part, Message) else part.items if isinstance(part, Listed) else ():
        yield from inside(each)


def is_name(text: str, example: Example) -> bool:
    """Text of the author, a name, digits: nothing that a language would say differently."""
    names = {
        example.spec.title,
        example.rule.row.name,
        example.rule.row.torch,
        example.rule.row.casts,
        "torch",
        symbols_of(example, ()).count,
    }
    names |= {example.rule.pace.row.name} if example.rule.pace else set()
    digits = re.fullmatch(r"[\d,.() +−-]*", text)
    quantities = all(part in example.forward.targets for part in text.split(", "))
    versions = re.fullmatch(r"([\w-]+ [\d.+a-z]+(, )?)+|[\d.]+|sha256:\w+", text)
    return bool(text in names or digits or quantities or versions or text in ENTRYWISE)


@pytest.mark.few(1)
@pytest.mark.parametrize("name", GALLERY)
def test_nothing_on_a_page_is_left_in_english(name: str) -> None:
    """Every sentence is a message of the catalogues, every bare string a name or a number."""
    example, known = run(name).example, {text if isinstance(text, str) else text[0] for text in texts()}
    said = [word for block in document(name).blocks for part in words_of(block) for word in inside(part)]
    assert {word.text for word in said if isinstance(word, Message)} <= known
    assert [word for word in said if isinstance(word, str) and not is_name(word, example)] == []


@pytest.mark.few(5)
@pytest.mark.parametrize("language", OTHERS)
@pytest.mark.parametrize("name", GALLERY)
def test_every_page_is_composed_in_every_language(name: str, language: str) -> None:
    """Formulas and listings stay as they are, each formula once, words are plain and not the English ones."""
    original, shown = (translated(replace(document(name), language=code)) for code in (SOURCE, language))
    assert [type(block) for block in shown.blocks] == [type(block) for block in original.blocks]
    for block, before in zip(shown.blocks, original.blocks, strict=True):
        words, own = list(words_of(block)), list(words_of(before))
        assert all(isinstance(word, (str, Formula, Code)) for word in words)
        assert not any("{" in word for word in words if isinstance(word, str))
        found, wanted = ([word for word in each if isinstance(word, Formula)] for each in (words, own))
        assert sorted(map(repr, found)) == sorted(map(repr, wanted))
        if isinstance(block, Prose) and any(re.search("[a-z]{2}", str(word)) for word in own):
            assert [word for word in words if isinstance(word, str)] != [w for w in own if isinstance(w, str)]


# --- lists, counts, numbers ---------------------------------------------------------------------------------


def test_lists_are_joined_as_a_language_joins_them() -> None:
    shown = {code: plain((listed(["a", "b", "c"]), "; ", listed(["a", "b"])), code) for code in LANGUAGES}
    assert shown == {
        "en": ("a, b and c; a and b",),
        "de": ("a, b und c; a und b",),
        "fr": ("a, b et c; a et b",),
        "es": ("a, b y c; a y b",),
        "zh": ("a、b 和 c; a 和 b",),
    }
    assert plain((listed(["a"]), series([])), "de") == ("a",)


@pytest.mark.parametrize(("count", "said"), [(0, "0 époque"), (1, "1 époque"), (2, "2 époques")])
def test_a_count_has_the_form_that_its_language_wants(count: int, said: str) -> None:
    assert plain((counted("{} epoch", "{} epochs", count),), "fr") == (said,)


def test_a_translation_may_turn_its_parts_round() -> None:
    assert plain(say("Value {} of {} in full:", "3", "t"), "zh") == ("t 的第 3 个值的完整计算：",)


NUMERALS = {
    "en": ("1,234,567.5", "1{,}234{,}567.5"),
    "de": ("1.234.567,5", "1.234.567{,}5"),
    "es": ("1.234.567,5", "1.234.567{,}5"),
    "fr": ("1\u202f234\u202f567,5", r"1\thinspace 234\thinspace 567{,}5"),
    "zh": ("1,234,567.5", "1{,}234{,}567.5"),
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_numbers_have_the_marks_of_their_language(language: str) -> None:
    marks = locale(language).marks
    assert (marks.numeral("1234567.5"), marks.latex("1234567.5")) == NUMERALS[language]
    assert marks.numeral("1234") == "1234"


@given(st.sampled_from(sorted(LANGUAGES)), st.integers(0, 10**12), st.text("0123456789", max_size=8))
def test_a_number_is_read_back_to_its_digits(language: str, whole: int, places: str) -> None:
    digits = f"{whole}.{places}" if places else str(whole)
    marks = locale(language).marks
    assert marks.canonical(marks.numeral(digits)) == digits
    (found,) = token(marks).findall(marks.latex(digits))
    assert marks.read(found) == digits
    symbols = Symbols({"w": 0}, "L", None, marks=marks)
    sum_of = Call("max", (decimal(digits), Neg(decimal("0.5"))))
    (side,) = chain(latex(sum_of, symbols), symbols)
    assert [n.text for n in walk(side.expr) if isinstance(n, Number)] == [digits, "-0.5"]


# --- finished pages -----------------------------------------------------------------------------------------


@cache
def built(name: str, language: str) -> Page:
    text = gallery.find(name).read_text(encoding="utf-8")
    head = "" if "[page]" in text else "[page]\n"
    text = re.sub(r"^(?=\[model\])", f"{head}language = '{language}'\n", text, count=1, flags=re.M)
    text = (
        text
        if head
        else text.replace(f"language = '{language}'\n", "").replace(
            "[page]\n", f"[page]\nlanguage = '{language}'\n"
        )
    )
    return derivations.build(text, ("md", "tex", "json", "html"))


@pytest.mark.few(1)
@pytest.mark.parametrize("language", OTHERS)
@pytest.mark.parametrize("name", thinned(BUILT, 3, str))
def test_a_page_in_another_language_reads_back(name: str, language: str) -> None:
    shown, original = built(name, language), derivations.build(name, ("json",))
    drop = re.compile(r'"(spec|title)": .*')
    assert drop.sub("", shown["json"]) == drop.sub("", original["json"])  # data have no language
    points = re.findall(r"\d\.\d", re.sub(r"```[^`]*```|.*float64.*", "", shown["md"]))
    assert bool(points) == (locale(language).marks.decimal == ".")


SWAPS = [
    ("0{,}5", "0.5"),
    ("0{,}5", "0{,}6"),
    ("10{,}5", "10.5"),
    ("−10,5", "−10.5"),
    ("nimmt $w$ zu", "nimmt $w$ ab"),
]


@pytest.mark.parametrize(("old", "new"), SWAPS)
def test_wrong_marks_and_words_are_noticed(old: str, new: str) -> None:
    shown = built("linear-regression", "de")
    text = shown["md"]
    assert old in text
    with pytest.raises(CheckFailed):
        shown.check("md", text.replace(old, new, 1))


def test_headings_say_the_numbers_of_their_step() -> None:
    assert "## Mini-Batch 2: Beispiele 3 und 4\n" in built("linear-regression", "de")["md"]
    assert "## 小批量 2：样本 3 和 4\n" in built("linear-regression", "zh")["md"]


@pytest.mark.slow
def test_latex_has_every_letter_of_a_european_language() -> None:
    for language in ("de", "fr", "es"):
        assert "[U+" not in built("linear-regression", language)["tex"]


def test_an_unknown_language_is_refused_by_name() -> None:
    text = gallery.find("linear-regression").read_text(encoding="utf-8")
    with pytest.raises(SpecError, match="language"):
        derivations.build(f"{text}\n[page]\nlanguage = 'eo'\n", ("md",))
    spec, _ = parse_spec(f"{text}\n[page]\nlanguage = 'zh_Hans'\n")
    assert spec.page.language == "zh"


@pytest.mark.few(1)
@pytest.mark.debian("pdflatex", "pdftotext")
@pytest.mark.parametrize("language", OTHERS)
def test_latex_in_another_language_compiles(language: str, tmp_path: Path) -> None:
    log, text = compile_latex(built("linear-regression", language)["tex"], tmp_path)
    assert not re.findall(r"^(?:! .*|Missing character.*)$", log, re.MULTILINE)
    assert locale(language).text("The same in PyTorch") in text
    assert locale(language).marks.numeral("0.845") in text
