"""The PDF and its Typst source: they compile as PDF/UA-1, stay within the margins, and read back."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from derivations.document.blocks import Prose
from derivations.formats.pdf import text as typst_text
from derivations.formats.pdf import write as pdf
from derivations.formats.pdf.glyphs import read
from derivations.formats.pdf.source import Decimals
from derivations.formats.pdf.text import REPERTOIRE, escape
from derivations.formats.press import Press
from derivations.language.errors import CheckFailed
from derivations.notation.boxes import Fraction, Letter, Numeral, Scripts
from derivations.notation.chain import formula
from derivations.notation.glyphs import Glyphs
from derivations.notation.locales import PLAIN, Marks
from derivations.notation.read import decimal
from derivations.notation.typst import typst_of
from derivations.page import Page, build
from derivations.spec.gallery import names, path
from tests.built import page
from tests.spec.test_hostile import LINEAR, spec

GALLERY = tuple(names())
FEW = ("linear-regression", "two-two-two-network", "lstm-step")
MILLIMETRE = 72 / 25.4


def body(source: str) -> int:
    """Where the first heading of a source starts."""
    return source.index("\n#heading(")


# --- every page ---------------------------------------------------------------------------------------


@pytest.mark.few(1)
@pytest.mark.parametrize(
    "name", [name if name in FEW else pytest.param(name, marks=pytest.mark.slow) for name in GALLERY]
)
def test_every_page_compiles_reads_back_and_stays_within_its_margins(name: str) -> None:
    shown = page(name)
    assert shown.file("pdf").startswith(b"%PDF-")
    for left, right, width in extents(shown.file("pdf")):
        assert left >= 24.5 * MILLIMETRE
        assert right <= width - 24.5 * MILLIMETRE


def extents(file: bytes) -> list[tuple[float, float, float]]:
    """How far the content of every page reaches to the left and the right, and how wide the page is."""
    import pypdfium2

    document = pypdfium2.PdfDocument(file)
    found = []
    for sheet in document:
        bounds = [shape.get_bounds() for shape in sheet.get_objects()]
        width = sheet.get_width()
        inside = [b for b in bounds if not (b[0] <= 0 and b[2] >= width)]
        found.append((min(b[0] for b in inside), max(b[2] for b in inside), width))
    document.close()
    return found


@pytest.mark.slow
def test_the_bytes_do_not_depend_on_the_process_or_its_hash_seed() -> None:
    program = (
        "import sys; from derivations.page import build\n"
        "sys.stdout.buffer.write(build('linear-regression', ('pdf',)).file('pdf'))"
    )
    found = [
        subprocess.run(
            [sys.executable, "-c", program],
            check=True,
            capture_output=True,
            env={**os.environ, "PYTHONHASHSEED": seed, "TZ": zone},
        ).stdout
        for seed, zone in [("1", "UTC"), ("2", "Asia/Tokyo")]
    ]
    assert found[0] == found[1] == page("linear-regression").file("pdf")


# --- faults that must be caught -----------------------------------------------------------------------

PAINT = r'\\"#\w+\\"|(?:class|stroke-width|font-size|stroke-dasharray|viewBox|rx)=\\"[^"]*\\"'
UNSEEN = re.compile(
    rf"#hide\[[^]]*\]|level: \d|width: \d+%|#rows\(.*|#figure-of\(.*\n.*\n.*\n.*|<title>.*?</title>"
    rf"|<t(?:ext|span) [^>]*>|{PAINT}"
)


def seen(source: str, what: str = r"\d") -> list[int]:
    """The places of the digits, or of something else, that a reader of the page sees or hears."""
    hidden = {at for found in UNSEEN.finditer(source) for at in range(*found.span())}
    places = (found.start() for found in re.finditer(what, source))
    return [at for at in places if at not in hidden and at > body(source)]


def refused(source: str, shown: Page) -> bool:
    try:
        pdf.check_source(source, shown.press)
    except CheckFailed:
        return True
    return False


def turned(source: str, at: int) -> str:
    return f"{source[:at]}{(int(source[at]) + 1) % 10}{source[at + 1 :]}"


@pytest.mark.slow
def test_a_digit_that_is_turned_is_caught_wherever_it_stands() -> None:
    shown = page("linear-regression")
    places = seen(shown["typ"])
    assert len(places) > 800
    assert all(refused(turned(shown["typ"], at), shown) for at in places[::200])


@pytest.mark.slow
@pytest.mark.parametrize("name", FEW[:2])
def test_every_digit_that_is_turned_is_caught(name: str) -> None:
    shown = page(name)
    places = seen(shown["typ"])
    assert [at for at in places[:: len(places) // 40] if not refused(turned(shown["typ"], at), shown)] == []


@pytest.mark.slow
def test_a_minus_that_is_lost_is_caught_wherever_it_stands() -> None:
    shown = page("linear-regression")
    places = seen(shown["typ"], "−")
    assert len(places) > 60
    assert all(refused(shown["typ"][:at] + shown["typ"][at + 1 :], shown) for at in places[::15])


@pytest.mark.few(3)
@pytest.mark.parametrize(
    ("old", "new"),
    [
        (r"\n#display\(.*\n", "\n"),
        (r"\n  \(\[1\], \[1\], \[12\],\),", ""),
        (r"\n#rows\((?:.*\n)+?\)\n", "\n"),
        (r"\n#heading.*\n", "\n"),
        (r"\nWe start from.*\n", "\n"),
        (r"\n#listing\(.*\n", "\n"),
        (r"frac\(1, n\)", "frac(n, 1)"),
        (r"\^\(2\)", "_(2)"),
        (r"<path.*\n", ""),
        (r"<circle.*\n", ""),
        (r"<rect.*\n", ""),
        (r"<text.*\n", ""),
        (r"d=\\\"M46 97C", 'd=\\"M49 97C'),
        (r'cy=\\"84\.7', 'cy=\\"76.1'),
        (r' x=\\"51\.6', ' x=\\"81.6'),
        (r' y=\\"33', ' y=\\"34'),
        (r"y_\(i\)", "y^(i)"),
        (r" ∂ ", " "),
        (r"≈", "="),
        (r"\\\[", "\\("),
        (r"frac\(1, n\)", "1 n"),
        (r"residuals", "remainders"),
        (r"\Z", "\nMore."),
        (r"\Z", "\n#place(top)[9]"),
        (r"\Z", "\n#pdf.artifact[9]"),
    ],
)
def test_what_is_lost_or_turned_round_is_caught(old: str, new: str) -> None:
    shown = page("linear-regression")
    source = shown["typ"]
    start = body(source)
    found, count = re.subn(old, lambda _: new, source[start:], count=1)
    assert count == 1, old
    assert refused(source[:start] + found, shown)


def test_a_file_that_is_no_pdf_is_refused() -> None:
    shown = page("linear-regression")
    for file in (b"", b"%PDF-1.7\n", shown.file("pdf")[:5000]):
        with pytest.raises(CheckFailed):
            pdf.check(file, shown.press)


def test_a_formula_without_spoken_text_is_refused() -> None:
    with pytest.raises(CheckFailed, match="alt"):
        pdf.compiled('#set document(title: "x")\n$ x $')


def test_what_stands_above_what_follows_from_the_boxes() -> None:
    found = Glyphs()
    found.box(Fraction(Numeral("1"), Scripts(Letter("x"), below=Letter("i"), above=Numeral("2"))), PLAIN)
    assert found.text == "1x2i"
    assert found.misplaced([9, 0, 1, -1]) == ""
    for wrong in ([0, 0, 1, -1], [9, 0, 0, -1], [9, 0, 1, 0], [9, 0, 9, -1]):
        assert found.misplaced(wrong)


# --- hostile text -------------------------------------------------------------------------------------

HOSTILE = [
    "#panic() $x$ @ref <label> *b* _i_ `c` [x] ]] \\ \\# \\u{41} // c /* d */ ~",
    "-- --- ... 'q' \"r\" - + = / 1. a, ``x'',, !` ?` -1",
    "= no heading",
    "1. no list",
    "/ no: term",
    "https://example.org/a_b#c",
    "\u202egnp.exe \u2066x\u2069 \u200bzero",
    "\U0001f600 ∀ 中文 ñ ß ﬁ",
    "<script>alert(1)</script>&amp;",
    "tabs\tand\nlines\u2028",
    "long" * 45,
]


@pytest.mark.few(1)
@pytest.mark.parametrize("title", HOSTILE)
def test_a_title_stays_text(title: str) -> None:
    shown = build(spec(LINEAR, title=title), ("md", "typ", "pdf"))
    heading = "".join(glyph.letter for glyph in read(shown.file("pdf")).glyphs if glyph.page == 1)
    assert all(right <= width - 24.5 * MILLIMETRE for _, right, width in extents(shown.file("pdf")))
    letters = [letter for letter in title if REPERTOIRE.fullmatch(letter) and letter != " "]
    assert all(letter in heading for letter in letters)
    for letter in set(title) - set(letters) - set(" \t\n\u2028"):
        assert f"[U+{ord(letter):04X}]" in heading


def test_the_fonts_of_the_wheel_have_every_letter_that_is_shown_as_itself() -> None:
    letters = [chr(code) for code in range(0x20, 0x2600) if REPERTOIRE.fullmatch(chr(code))]
    lines = "\n\n".join(escape("x".join(letters[at : at + 40])) for at in range(0, len(letters), 40))
    settings = '#set document(title: "x", date: none)\n#set text(font: "New Computer Modern")\n'
    assert pdf.compiled(settings + lines)


@pytest.mark.parametrize("text", HOSTILE)
def test_escaped_text_has_no_markup(text: str) -> None:
    for before, after in pairwise(["", *re.findall(r"\\.|.", escape(text)), ""]):
        assert before.startswith("\\") or before not in set("#$*_`<>@[]~")
        assert (before, after) != ("/", "/")


# --- other languages ----------------------------------------------------------------------------------


def in_language(name: str, language: str, marks: Marks, words: str) -> Press:
    """A page with the marks of a language, and a sentence in it."""
    press = page(name).press
    document = press.document
    blocks = (*document.blocks[:2], Prose((words,)), *document.blocks[2:])
    evidence = replace(
        press.evidence,
        document=replace(document, language=language, blocks=blocks),
        symbols=replace(press.symbols, marks=marks),
    )
    return replace(press, evidence=evidence)


@pytest.mark.few(1)
@pytest.mark.parametrize(
    ("language", "marks", "words", "seen"),
    [
        ("de", Marks(",", "."), "Größe: „übel“ – straße", "164,621813"),
        ("fr", Marks(",", "\u202f"), "L’œuvre\u00a0: «\u202fçà\u202f»", "−53,58"),
        ("es", Marks(",", "\u00a0"), "¿Qué año?", "329,243625"),
    ],
)
def test_decimals_have_the_marks_of_the_language_and_read_back(
    language: str, marks: Marks, words: str, seen: str
) -> None:
    press = in_language("linear-regression", language, marks, words)
    file = pdf.write(press)
    pdf.check(file, press)
    text = "".join(glyph.letter for glyph in read(file).glyphs)
    assert seen in text
    assert "".join(words.split()) in text
    with pytest.raises(CheckFailed):
        pdf.check(file, page("linear-regression").press)
    with pytest.raises(CheckFailed):
        pdf.check(page("linear-regression").file("pdf"), press)


def test_thousands_are_marked_in_a_column_and_in_a_formula() -> None:
    marks = Marks(",", ".")
    column = Decimals.of([(formula(decimal("10234.5")),), (formula(decimal("-3.25")),)], marks)
    assert column.cell(formula(decimal("10234.5")), "10234.5", str) == "10.234,5#hide[0]"
    assert column.cell(formula(decimal("-3.25")), "-3.25", str) == "−3,25"
    assert typst_of(Numeral("10234.5"), marks) == r'1 0 class("normal", \.) 2 3 4 class("normal", \,) 5'


def test_a_chinese_page_is_set_with_a_chinese_font_of_the_machine() -> None:
    press = in_language("linear-regression", "zh", PLAIN, "损失是残差平方的平均值。")
    try:
        file = pdf.write(press)
    except CheckFailed:  # refused in words, as the next test shows
        pytest.skip("no Chinese font here")
    pdf.check(file, press)
    assert "损失是残差平方的平均值。" in "".join(glyph.letter for glyph in read(file).glyphs)


def test_a_chinese_page_without_a_font_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typst_text, "CHINESE_FONTS", ("No Such Font",))
    with pytest.raises(CheckFailed, match="no Chinese font was found"):
        typst_text.fonts("zh_Hans_CN")


# --- an author's templates ----------------------------------------------------------------------------


def with_template(folder: Path, text: str) -> Page:
    (folder / "mine/typst").mkdir(parents=True)
    (folder / "mine/typst/page.typ.j2").write_text('{% extends "shipped/typst/page.typ.j2" %}\n' + text)
    (folder / "s.toml").write_text(path("linear-regression").read_text() + '\n[page]\ntemplates = "mine"\n')
    return build(folder / "s.toml", ("md", "pdf"))


@pytest.mark.few(1)
@pytest.mark.parametrize(
    "text",
    [
        "{% block back %}\n\nThat is all.\n{% endblock %}",
        "{% block listing %}\n#set text(size: 8pt)\n{{ super() }}{% endblock %}",
        "{% block settings %}{{ super() }}\n#set page(header: [Dr Who])\n{% endblock %}",
        "{% block heading %}{{ super() }}{% if block.level == 1 %}\n\nNotes\n{% endif %}{% endblock %}",
    ],
)
def test_a_template_may_add_words(tmp_path: Path, text: str) -> None:
    assert with_template(tmp_path, text).file("pdf")


@pytest.mark.few(1)
@pytest.mark.parametrize(
    "text",
    [
        "{% block back %}\n\nThat is 7.\n{% endblock %}",
        "{% block settings %}{{ super() }}\n#set page(header: [Lecture 3])\n{% endblock %}",
        "{% block display %}{% endblock %}",
        "{% block figure %}{% endblock %}",
        "{% block table %}{{ super() | replace('110', '111') }}{% endblock %}",
        "{% block display %}{{ super() | replace('equals', 'exceeds') }}{% endblock %}",
        '{% block back %}\n\n#formula("w is right", $ w $)\n{% endblock %}',
    ],
)
def test_a_template_may_not_change_or_add_what_is_verified(tmp_path: Path, text: str) -> None:
    with pytest.raises(CheckFailed):
        with_template(tmp_path, text)
