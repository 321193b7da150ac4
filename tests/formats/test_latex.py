"""LaTeX as its users have it: article, fragment and slides compile, fit, and hold the numbers."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

import derivations
from derivations.document.blocks import Code, Display, Figure, Listing, Table, Words
from derivations.formats.latex import beamer
from derivations.formats.latex.read import read_latex
from derivations.language.errors import CheckFailed
from derivations.notation.boxes import Box, Fraction, Numeral, Row, Scripts, Sign, parts
from derivations.notation.chain import Formula
from derivations.notation.symbols import Symbols
from derivations.notation.typeset import typeset
from derivations.page import Page
from derivations.spec import gallery
from tests.built import GALLERY, page

FORMS = ("tex", "fragment", "beamer")
STRESS = sorted((Path(__file__).parents[1] / "stress").glob("*.toml"))
FEW = [
    "linear-regression",
    *(pytest.param(n, marks=pytest.mark.slow) for n in ("attention", "softmax-regression")),
]
ARTICLE = r"""\documentclass{article}
\usepackage[T1]{fontenc}
\usepackage[utf8]{inputenc}
\usepackage{lmodern,amsmath,amssymb,booktabs,array,longtable,adjustbox,needspace,listings,microtype}
\usepackage{siunitx,tikz}
\sisetup{group-digits=none,table-align-comparator=false}
\lstset{basicstyle=\ttfamily\footnotesize,breaklines=true,columns=fullflexible}
\emergencystretch=3em\hfuzz=0.5pt
\begin{document}
\input{part}
\end{document}
"""


def compiled(source: str, folder: Path) -> list[str]:
    """What TeX complains of, after two runs."""
    (folder / "page.tex").write_text(source)
    for _ in range(2):
        command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "page.tex"]
        run = subprocess.run(command, cwd=folder, capture_output=True, check=False)
        assert run.returncode == 0, run.stdout.decode(errors="replace")[-2000:]
    log = (folder / "page.log").read_text(errors="replace")
    return re.findall(r"^(?:Overfull.*|! .*|Missing character.*)$", log, re.MULTILINE)


def handout(slides: str) -> str:
    return slides.replace("[aspectratio", "[handout,aspectratio", 1)


def words_of(folder: Path, *options: str) -> str:
    command = ["pdftotext", *options, "page.pdf", "-"]
    return subprocess.run(command, cwd=folder, capture_output=True, check=True).stdout.decode()


def require_inside(folder: Path) -> None:
    """No word stands outside its page."""
    pages = words_of(folder, "-bbox").split("<page ")[1:]
    for sheet in pages:
        wide, high = (float(side) for side in re.findall(r'(?:width|height)="([\d.]+)"', sheet)[:2])
        for x, y, to_x, to_y in re.findall(r'xMin="(.*?)" yMin="(.*?)" xMax="(.*?)" yMax="(.*?)"', sheet):
            assert float(x) >= 0
            assert float(y) >= -1
            assert float(to_x) <= wide
            assert float(to_y) <= high


def require_fits(shown: Page, form: str, folder: Path) -> None:
    if form == "fragment":
        (folder / "part.tex").write_text(shown[form])
    source = {"tex": shown["tex"], "fragment": ARTICLE, "beamer": handout(shown["beamer"])}[form]
    assert compiled(source, folder) == []
    require_inside(folder)
    if form == "beamer":
        sheets = len(re.findall("<page ", words_of(folder, "-bbox")))
        assert sheets == len(re.findall(r"(?m)^\\begin\{frame\}", shown["beamer"]))


@pytest.mark.few(1)
@pytest.mark.debian("pdflatex", "pdftotext")
@pytest.mark.parametrize("form", ["fragment", "beamer"])
@pytest.mark.parametrize("name", FEW)
def test_nothing_overflows(name: str, form: str, tmp_path: Path) -> None:
    require_fits(page(name), form, tmp_path)


@pytest.mark.slow
@pytest.mark.debian("pdflatex", "pdftotext")
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", GALLERY)
def test_nothing_overflows_in_the_gallery(name: str, form: str, tmp_path: Path) -> None:
    require_fits(page(name), form, tmp_path)


@pytest.mark.slow
@pytest.mark.debian("pdflatex", "pdftotext")
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("spec", STRESS, ids=[path.stem for path in STRESS])
def test_nothing_overflows_under_stress(spec: Path, form: str, tmp_path: Path) -> None:
    require_fits(page(spec), form, tmp_path)


@pytest.mark.slow
@pytest.mark.debian("pdflatex", "pdftotext")
def test_slides_are_uncovered_line_by_line(tmp_path: Path) -> None:
    slides = page("linear-regression")["beamer"]
    assert compiled(slides, tmp_path) == []
    require_inside(tmp_path)
    sheets = words_of(tmp_path).split("\f")
    assert len(sheets) > 2 * slides.count("\\begin{frame}")
    update = [sheet for sheet in sheets if "0.845" in sheet and "Mini-batch 1" in sheet]
    assert update, "the update of the first mini-batch"


# --- numbers of the finished PDF ------------------------------------------------------------------------
#
# All decimals of the PDF, each with its sign and as often as it occurs, are those of the document's trees.
# (In the order of TeX's output they are so too, but for columns of tables, which pdftotext sometimes reads
# downwards.) Whole numbers are left to the audit of the source.

DECIMAL = re.compile(r"(?:[-−]\s*)?\d+\.\d+")


def decimals(formula: Formula, symbols: Symbols) -> Iterator[str]:
    for side in formula.sides:
        yield from of_box(typeset(side.expr, symbols), [""])


def of_box(box: Box, before: list[str]) -> Iterator[str]:
    """Decimals with the minus before them; an exponent stands at the digits, as pdftotext has it."""
    match box:
        case Numeral(text):
            yield from [before[0] + text] if "." in text else []
        case Scripts(Numeral(text), None, Numeral(power)) if "." in text:
            yield before[0] + text + power
        case Row() | Fraction() | Scripts():
            for part in parts(box):
                yield from of_box(part, before)
            return
        case _:
            before[0] = ""  # −[0.5 …] is no negative number
            for part in parts(box):
                yield from of_box(part, before)
    before[0] = "-" if box == Sign("−") else ""


def of_words(words: Words, symbols: Symbols) -> Iterator[str]:
    for word in words:
        if isinstance(word, Formula):
            yield from decimals(word, symbols)
        else:
            yield from normal(word.text if isinstance(word, Code) else str(word))


def normal(text: str) -> list[str]:
    return [re.sub(r"[-−]\s*", "-", found) for found in DECIMAL.findall(text)]


def wanted(shown: Page) -> Iterator[str]:
    """The decimals of a document in the order of reading; figures have files of their own."""
    symbols = shown.press.symbols
    for block in shown.press.document.blocks:
        match block:
            case Display(formula):
                yield from decimals(formula, symbols)
            case Table():
                for cell in (cell for row in (block.header, *block.rows) for cell in row):
                    yield from of_words(cell, symbols)
            case Listing():
                yield from normal(block.text)
            case Figure():
                pass
            case _:
                yield from of_words(block.words, symbols)


def without_figures(source: str) -> str:
    return re.sub(r"\\begin\{adjustbox\}.*?\\end\{adjustbox\}", "", source, flags=re.DOTALL)


@pytest.mark.debian("pdflatex", "pdftotext")
@pytest.mark.parametrize("name", FEW)
def test_decimals_of_the_pdf_are_those_of_the_document(name: str, tmp_path: Path) -> None:
    require_decimals(page(name), tmp_path)


@pytest.mark.slow
@pytest.mark.debian("pdflatex", "pdftotext")
@pytest.mark.parametrize("name", GALLERY)
def test_decimals_of_every_pdf_are_those_of_the_document(name: str, tmp_path: Path) -> None:
    require_decimals(page(name), tmp_path)


def require_decimals(shown: Page, folder: Path) -> None:
    compiled(without_figures(shown["tex"]), folder)
    found, want = normal(words_of(folder, "-raw")), list(wanted(shown))
    assert any(number.startswith("-") for number in want)
    missing = list((Counter(want) - Counter(found)).elements())
    for more in (Counter(found) - Counter(want)).elements():  # pdftotext writes 0.96 to the power 3 as 0.963
        base = next(number for number in missing if re.fullmatch(rf"{re.escape(number)}\d", more))
        missing.remove(base)
    assert missing == []


# --- read back ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS)
def test_a_digit_that_is_changed_is_found(form: str) -> None:
    shown = page("linear-regression")
    text = shown[form]
    places = [found.end() - 1 for found in re.finditer(r"\d+\.\d+", text)]
    for place in places[:: max(1, len(places) // 25)]:
        if text[:place].endswith(("{", "em", "<")) or re.match(
            r"\d*(?:em|bp|,-?\d|\)|pt)", text[place + 1 :]
        ):
            continue  # a length
        altered = text[:place] + str((int(text[place]) + 1) % 10) + text[place + 1 :]
        with pytest.raises(CheckFailed):
            shown.check(form, altered)
            pytest.fail(f"not noticed: {text[place - 40 : place + 20]}")


def test_parts_that_do_not_belong_together_stay_apart() -> None:
    table = (
        "\\begin{center}\n\\begin{tabular}{rr}\n\\toprule\na & b \\\\\n\\midrule\n1 & 2 \\\\\n\\bottomrule\n"
        "\\end{tabular}\n\\end{center}\n"
    )
    other = table.replace("a &", "c &")
    assert len(read_latex(f"{table}% further rows\n{table}")) == 1
    assert len(read_latex(f"{table}% further columns\n{table}")) == 1
    assert len(read_latex(f"{table}% further rows\n{other}")) == 2
    assert len(read_latex(f"{table}% further columns\n{other}")) == 2
    assert len(read_latex(f"% further rows\n{table}")) == 1
    assert len(read_latex(f"Words.\\par\n% further rows\n{table}")) == 2


def test_a_frame_that_is_dropped_or_doubled_is_found() -> None:
    shown = page("linear-regression")
    slides = shown["beamer"]
    frames = re.split(r"(?m)^(?=\\begin\{frame\})", slides)
    assert len(frames) > 20
    for at in range(1, len(frames) - 1, 4):
        for altered in (frames[:at] + frames[at + 1 :], [*frames[:at], frames[at], *frames[at:]]):
            with pytest.raises(CheckFailed):
                beamer.PRINTER.check("".join(altered), shown.press)


HOSTILE = r"""\end{frame} \begin{lstlisting} 100\% $x$ <b> & # _ ^ ~ % {} \input{/etc/passwd}"""


@pytest.mark.slow
@pytest.mark.debian("pdflatex", "pdftotext")
def test_hostile_titles_stay_text_on_slides(tmp_path: Path) -> None:
    spec = gallery.path("linear-regression").read_text()
    title = HOSTILE.replace("\\", "\\\\")
    shown = derivations.build(re.sub(r"(?m)^title = .*$", lambda _: f'title = "{title}"', spec), FORMS)
    assert compiled(handout(shown["beamer"]), tmp_path) == []
    first = "".join(words_of(tmp_path).split("\f")[0].split())
    assert first.startswith("".join(HOSTILE.split()))
