"""The finished pages: golden files, reading back, LaTeX and Markdown as their users have them."""

from __future__ import annotations

import json
import math
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

import derivations
from derivations.catalogue.optimizers import OPTIMIZERS
from derivations.courses.gallery import BUILT, INDEX, index
from derivations.formats import render
from derivations.formats.table import BY_NAME, FORMATS
from derivations.language.errors import CheckFailed
from derivations.spec import gallery
from tests.built import GALLERY, page

ROOT = Path(__file__).parent.parent
ALL = tuple(BY_NAME)


# --- golden pages ---------------------------------------------------------------------------------------
#
# Everything is equal byte for byte, but for what torch reported: its last bits depend on the processor.

FIGURE = re.compile(r"cancellation, \S+ apart|\d+")
TORCH_CELLS = {
    "md": re.compile(r"(?m)^(\| \d+ \| .* \| )([^|\n]+) \| ([^|\n]+) \|$"),
    "tex": re.compile(r"(?m)^(\d+ & .* & )([^&\n]+) & ([^&\n]+) \\\\$"),
}
LARGEST = re.compile(
    r"(?<=must make, )at most \d+ ulp apart(, but for \d+ where terms cancel and \S+ is left)?\."
)


def split(form: str, text: str) -> tuple[str, list[float]]:
    """A page without what torch reported, and the numbers that torch reported."""
    if form == "json":
        torch: list[float] = []
        return json.dumps(json.loads(text, object_hook=lambda table: _without_torch(table, torch))), torch
    if form not in TORCH_CELLS:
        return text, []
    before, header, checks = text.partition("distance in ulp")
    found = TORCH_CELLS[form].findall(checks)
    assert all(FIGURE.fullmatch(ulp) for _, _, ulp in found)
    left = LARGEST.sub("at most … ulp apart.", TORCH_CELLS[form].sub(r"\1… | …", checks))
    return before + header + left, [number_of(cell) for _, cell, _ in found]


def _without_torch(table: dict[str, Any], torch: list[float]) -> dict[str, Any]:
    if {"ulp", "value"} <= set(table) or {"ulp", "torch"} <= set(table):
        key = "value" if "value" in table else "torch"
        assert isinstance(table["ulp"], int | None)
        torch.append(table[key])
        table |= {key: None, "ulp": None}
    if "largest_distance_in_ulp" in table:
        assert isinstance(table["largest_distance_in_ulp"], int)
        table["largest_distance_in_ulp"] = None
    return table


def number_of(cell: str) -> float:
    """``−0.25`` and ``$2.5 \\cdot 10^{-7}$`` as numbers."""
    return float(re.sub(r" \\cdot 10\^\{(.*)\}", r"e\1", cell.strip("$ ")).replace("−", "-"))


def same_page(form: str, kept: str, built: str) -> bool:
    """Whether two texts differ in nothing but the last bits of what torch reported."""
    (kept_text, kept_torch), (text, torch) = split(form, kept), split(form, built)
    close = len(kept_torch) == len(torch) and all(
        math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)
        for one, other in zip(kept_torch, torch, strict=True)
    )
    return kept_text == text and close


@pytest.mark.parametrize("name", GALLERY)
def test_output_is_the_gallery_built(name: str) -> None:
    for form in BUILT:
        kept = (ROOT / "output" / f"{name}{BY_NAME[form].suffix}").read_bytes().decode()
        assert same_page(form, kept, page(name)[form]), f"{form}: run derivations gallery; look at the pages"
    for file, picture in page(name).assets.items():
        assert (ROOT / "output" / file).read_bytes().decode() == picture, f"{file}: run derivations gallery"


@pytest.mark.few(2)
@pytest.mark.parametrize("form", BUILT)
@pytest.mark.parametrize("name", ["logistic-regression", "learning-rate-diverges"])
def test_every_other_number_of_a_kept_page_counts(name: str, form: str) -> None:
    text = page(name)[form]
    whole, _ = split(form, text)
    for number in re.finditer(r"\d+(?:\.\d+)?", text):
        digit = str((int(number[0][-1]) + 5) % 10)
        altered = text[: number.end() - 1] + digit + text[number.end() :]
        if not same_page(form, text, altered):
            continue  # noticed
        assert split(form, altered)[0] == whole
        assert (
            json_place(text, number.start())
            if form == "json"
            else "distance in ulp" in text[: number.start()]
        )
        last_bits = math.isclose(float(number[0]), float(number[0][:-1] + digit), rel_tol=1e-9)
        assert last_bits or number[0].isdigit()  # a distance in ulp


def json_place(text: str, at: int) -> bool:
    """Whether a number of a JSON file is one that torch reported."""
    return bool(re.search(r'"(torch|value|ulp|largest_distance_in_ulp)": -?$', text[:at][-40:]))


def test_torch_numbers_must_be_close() -> None:
    row = "| step | quantity | by hand | torch | distance in ulp |\n| 1 | $L$ | 0.5 | {} | {} |\n"
    kept = row.format("0.3000000000000001", 3)
    assert same_page("md", kept, row.format("0.3", 0))
    assert same_page("md", kept, row.format("0.3", "cancellation, 1.0e-17 apart"))
    assert not same_page("md", kept, row.format("0.30001", 3))
    assert not same_page("md", kept, row.format("0.3", 3).replace("0.5", "0.6"))
    assert same_page("md", row.format(r"$-5.5 \cdot 10^{-17}$", 0), row.format("0", 0))
    with pytest.raises(AssertionError):
        same_page("md", kept, row.format("0.3", "few"))


def test_output_holds_nothing_else() -> None:
    wanted = {f"{name}{BY_NAME[form].suffix}" for name in gallery.names() for form in BUILT}
    pages = [(ROOT / "output" / f"{name}.md").read_text() for name in gallery.names()]
    pictures = {file for text in pages for file in re.findall(r"^!\[.*\]\((.*)\)$", text, re.MULTILINE)}
    assert {path.name for path in (ROOT / "output").iterdir()} == wanted | pictures | {INDEX}


def test_the_index_is_the_gallery_s() -> None:
    assert index().encode() == (ROOT / "output" / INDEX).read_bytes(), "run: derivations gallery"
    listed = [name for rows in gallery.contents().values() for name in rows]
    assert sorted(listed) == gallery.names()
    for target in re.findall(r"\]\((.*?)\)", index()):
        assert (ROOT / "output" / target).exists(), target


def test_the_gallery_shows_every_optimizer() -> None:
    specs = [tomllib.loads(gallery.path(name).read_text()) for name in gallery.names()]
    shown = {spec.get("training", {}).get("optimizer", {}).get("name") for spec in specs}
    assert {row.name for row in OPTIMIZERS} - shown == set()


def test_pages_of_the_gallery_are_small() -> None:
    for name in gallery.names():
        files = (ROOT / "output" / f"{name}.{suffix}" for suffix in ("md", "tex", "json"))
        assert sum(file.stat().st_size for file in files) <= 250_000, name


def test_the_critical_learning_rate() -> None:
    """f = (w1^2 + 10 w2^2)/2: w2 is multiplied by 1 - 10 lr, and 2/10 is where that is -1."""
    for name in ("converges", "oscillates", "at-the-critical-rate", "diverges"):
        trace = page(f"learning-rate-{name}").trace
        rate = Fraction(trace.steps[0]["lr"])
        assert Fraction(trace.steps[0]["lr_max"]) == Fraction(2, 10)
        assert [Fraction(step["w2"]) for step in trace.steps] == [(1 - 10 * rate) ** k for k in range(6)]
    slow, swinging, endless, away = (
        1 - 10 * Fraction(page(f"learning-rate-{name}").trace.steps[0]["lr"])
        for name in ("converges", "oscillates", "at-the-critical-rate", "diverges")
    )
    assert 0 < slow < 1
    assert -1 < swinging < 0
    assert endless == -1
    assert away < -1


def test_a_relu_that_dies_stays_dead() -> None:
    first, *later = page("dying-relu").trace.steps
    assert first["dL/dw"] > 0
    assert all(step["dL/dw"] == step["dL/db"] == 0 for step in later)


def test_clipping_cuts_only_the_outlier() -> None:
    norms = [step["gnorm"] for step in page("gradient-clipping").trace.steps]
    assert [bool(norm > 5) for norm in norms] == [False, False, True]


def test_the_parts_come_in_order() -> None:
    headings = re.findall(r"^#+ (.*)$", page("linear-regression")["md"], re.MULTILINE)
    assert headings == [
        "Mini-batch SGD on y = 2x + 10",
        "The problem",
        "The quantities",
        "The gradient",
        "Mini-batch 1: samples 1 and 2",
        "Mini-batch 2: samples 3 and 4",
        "Mini-batch 3: samples 5 and 6",
        "Summary",
        "The same in PyTorch",
        "Checks",
    ]


def test_the_numbers_of_the_first_batch_by_hand() -> None:
    """yhat = 0.5 x + 1: 1.5 and 2; residuals -10.5 and -12; 110.25 + 144 = 254.25."""
    text = page("linear-regression")["md"]
    assert "| 1 | 1 | 12 | 1.5 | −10.5 | 110.25 | −10.5 |" in text
    assert "| 2 | 2 | 14 | 2 | −12 | 144 | −24 |" in text
    assert "| sum |  |  |  | −22.5 | 254.25 | −34.5 |" in text
    assert r"= \frac{2}{2} \left[1 \cdot (-10.5) + 2 \cdot (-12)\right]" in text
    assert r"w \leftarrow w - \eta \frac{\partial L}{\partial w} = 0.5 - 0.01 \cdot (-34.5) = 0.845" in text


def test_the_trace_against_fractions() -> None:
    w, b, rate = Fraction(1, 2), Fraction(1), Fraction(1, 100)
    steps = json.loads(page("linear-regression")["json"])["steps"]
    for step in steps:
        xs = [Fraction(i) for i in step["samples"]]
        residuals = [w * x + b - (2 * x + 10) for x in xs]
        wanted = {
            "w": w,
            "L": sum(e * e for e in residuals) / len(xs),
            "dL/dw": 2 * sum(x * e for x, e in zip(xs, residuals, strict=True)) / len(xs),
            "dL/db": 2 * sum(residuals) / len(xs),
        }
        wanted |= {f"yhat[{i}]": w * i + b for i in step["samples"]}
        wanted |= {f"dL/dyhat[{i}]": 2 * e / len(xs) for i, e in zip(step["samples"], residuals, strict=True)}
        w, b = w - rate * wanted["dL/dw"], b - rate * wanted["dL/db"]
        wanted |= {"w'": w, "b'": b}
        quantities = step["quantities"]
        assert {name: Fraction(quantities[name]["exact"]) for name in wanted} == wanted
        assert all(quantities[name]["witnesses"]["autograd"]["agrees"] for name in ("L", "dL/dw", "dL/db"))


def test_the_calculator_against_decimal() -> None:
    """Half the mean squared error, every product and quotient rounded to 3 places, two epochs."""

    def r(value: Decimal) -> Decimal:
        return value.quantize(Decimal("0.001"), ROUND_HALF_UP)

    found = page("linear-regression-by-calculator")
    w, b, rate = Decimal("0.5"), Decimal(1), Decimal("0.05")
    for step in found.trace.carried:
        xs = [Decimal(i) for i in step.samples]
        n = len(xs)
        residuals = [r(w * x) + b - (2 * x + 10) for x in xs]
        loss = r(sum((r(e * e) for e in residuals), Decimal(0)) / (2 * n))
        gw = r(sum((r(x * e) for x, e in zip(xs, residuals, strict=True)), Decimal(0)) / n)
        gb = r(sum(residuals, Decimal(0)) / n)
        w, b = w - r(rate * gw), b - r(rate * gb)
        shown = [Fraction(str(step[name])) for name in ("L", "dL/dw", "dL/db", "w'", "b'")]
        assert shown == [Fraction(value) for value in (loss, gw, gb, w, b)]


# --- reading back ---------------------------------------------------------------------------------------

LAYOUT = re.compile(
    r"\\documentclass\[.*?\n\\begin\{document\}|table-format=[^]]*|\\needspace\{[^}]*\}|p\{\d+mm\}"
    r"|\\rule\[[^]]*\]\{[^}]*\}\{[^}]*\}|max width=[\d.]*",
    re.DOTALL,
)


def altered_numbers(text: str) -> Iterator[tuple[str, str]]:
    """The text with each number on it made one larger in its last digit, one at a time."""
    layout = [range(*found.span()) for found in LAYOUT.finditer(text)] if "\\begin" in text else []
    for number in re.finditer(r"\d+(?:\.\d+)?", text):
        if any(number.start() in part for part in layout):
            continue
        digit = str((int(number[0][-1]) + 1) % 10)
        yield (
            text[max(0, number.start() - 40) : number.end() + 20],
            text[: number.end() - 1] + digit + text[number.end() :],
        )


@pytest.mark.slow
@pytest.mark.parametrize("part", [0, *(pytest.param(part, marks=pytest.mark.slow) for part in range(1, 8))])
@pytest.mark.parametrize("form", ["md", "tex"])
def test_every_altered_number_is_caught(form: str, part: int) -> None:
    shown = page("linear-regression")
    cases = list(altered_numbers(shown[form]))
    assert len(cases) > 400
    for around, altered in cases[part::8]:
        with pytest.raises(CheckFailed):
            shown.check(form, altered)
            pytest.fail(f"not noticed: {around}")


@pytest.mark.parametrize("name", ["linear-regression", "logistic-regression"])
def test_every_altered_number_of_the_json_is_caught(name: str) -> None:
    shown = page(name)
    start = shown["json"].index('"verdicts"')
    for number in re.finditer(r"\d+(?:\.\d+)?", shown["json"][start:]):
        end = start + number.start() + min(len(number[0]), 12)
        number = re.match(r"[\d.]{0,12}", number[0])
        assert number is not None
        if not number[0][-1].isdigit():
            continue
        digit = str((int(number[0][-1]) + 1) % 10)
        altered = shown["json"][: end - 1] + digit + shown["json"][end:]
        with pytest.raises(CheckFailed):
            shown.check("json", altered)
            pytest.fail(f"not noticed: {altered[end - 60 : end + 20]}")


@pytest.mark.slow
@pytest.mark.parametrize("form", ["md", "tex"])
def test_relation_signs_and_words_are_checked(form: str) -> None:
    shown = page("linear-regression")
    text = shown[form]
    swaps = [("\\approx", "="), (" - ", " + "), ("increases", "decreases"), ("chain rule", "product rule")]
    for old, new in swaps:
        places = [found.start() for found in re.finditer(re.escape(old), text)]
        places = [at for at in places if "LAYOUT" not in text[at - 30 : at]]
        assert places
        for at in places:
            if any(at in range(*found.span()) for found in LAYOUT.finditer(text)):
                continue
            with pytest.raises(CheckFailed):
                shown.check(form, text[:at] + new + text[at + len(old) :])
                pytest.fail(f"not noticed: {text[at - 40 : at + 40]}")


WRONG_TEMPLATES = {
    "the last row is missing": ("for row in block.rows %}", "for row in block.rows[:-1] %}"),
    "the header instead of the row": ("for cell in row %}", "for cell in block.header %}"),
    "the first row every time": ("for cell in row %}", "for cell in block.rows[0] %}"),
    "a formula twice": ("{{ line | math }}", "{{ line | math }} {{ line | math }}"),
    "the title for every heading": ("| raw }} {{ block.words | words }}", "| raw }} {{ document.title }}"),
    "a column too few": ("for cell in block.header %}", "for cell in block.header[1:] %}"),
    "words of our own": (
        '{%- elif block is kind("Prose") -%}\n',
        '{%- elif block is kind("Prose") -%}\nSee ',
    ),
}


@pytest.mark.few(3)
@pytest.mark.parametrize("fault", WRONG_TEMPLATES)
def test_a_template_that_prints_the_wrong_thing(
    fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(ROOT / "templates", tmp_path / "templates")
    template = tmp_path / "templates" / "markdown" / "page.md.j2"
    old, new = WRONG_TEMPLATES[fault]
    assert old in template.read_text()
    template.write_text(template.read_text().replace(old, new, 1))
    monkeypatch.setattr(render, "templates_folder", lambda: tmp_path / "templates")
    with pytest.raises(CheckFailed, match="read back"):
        derivations.build("linear-regression", ("md",))


# --- as its users have it ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", GALLERY)
def test_markdown_that_survives_its_dialects(name: str) -> None:
    text = re.sub(r"```.*?```", "", page(name)["md"], flags=re.DOTALL)
    formulas = re.findall(r"\$\$(.+?)\$\$|\$(.+?)\$", text, re.DOTALL)
    assert formulas
    for pair in formulas:
        formula = "".join(pair)
        assert not re.search(r"\\[^A-Za-z]", formula), f"a backslash that Markdown eats: {formula}"
        assert "|" not in formula
        assert not re.search(r"\}_", formula), f"an emphasis to CommonMark: {formula}"
    assert not re.search(r"\$\d[^$]*\$\d", text)


@pytest.mark.debian("pandoc")
@pytest.mark.parametrize("name", GALLERY)
def test_pandoc_reads_every_formula_and_table(name: str) -> None:
    text = page(name)["md"]
    run = subprocess.run(
        ["pandoc", "-f", "markdown", "-t", "json"], input=text, capture_output=True, text=True, check=True
    )
    plain = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    displays = len(re.findall(r"^\$\$\n.+\n\$\$$", plain, re.MULTILINE))
    inlines = len(re.findall(r"(?<![\\$])\$(?!\$)[^$\n]+\$(?!\$)", plain))
    assert run.stdout.count('"DisplayMath"') == displays
    assert run.stdout.count('"InlineMath"') == inlines
    assert run.stdout.count('"t":"Table"') == len(re.findall(r"^\| -|^\| :", plain, re.MULTILINE))


@pytest.mark.few(1)  # all of the gallery, with fragments and slides, are compiled in formats/test_latex.py
@pytest.mark.debian("pdflatex", "pdftotext")
@pytest.mark.parametrize("name", GALLERY[::10])
def test_latex_compiles_without_an_overfull_box(name: str, tmp_path: Path) -> None:
    log, text = compile_latex(page(name)["tex"], tmp_path)
    assert not re.findall(r"^(?:Overfull.*|! .*|Missing character.*)$", log, re.MULTILINE)
    assert "The same in PyTorch" in text


@pytest.mark.debian("pdflatex", "pdftotext")
def test_the_fragment_can_be_put_into_a_document(tmp_path: Path) -> None:
    shown = page("linear-regression")
    (tmp_path / "part.tex").write_text(shown["fragment"])
    preamble = shown["tex"].partition(r"\begin{document}")[0]
    log, text = compile_latex(
        preamble + "\\begin{document}\nBefore.\n\n\\input{part}\nAfter.\n\\end{document}\n", tmp_path
    )
    assert "Before." in text
    assert "After." in text
    assert "Overfull" not in log
    shown.check("fragment", shown["fragment"])


def compile_latex(source: str, folder: Path) -> tuple[str, str]:
    (folder / "page.tex").write_text(source)
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "page.tex"]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace", check=False)
    assert run.returncode == 0, run.stdout[-2000:]
    text = subprocess.run(
        ["pdftotext", "page.pdf", "-"], cwd=folder, capture_output=True, text=True, check=True
    )
    return (folder / "page.log").read_text(errors="replace"), text.stdout


@pytest.mark.slow
def test_the_listing_is_a_program_that_prints_what_the_page_says(tmp_path: Path) -> None:
    text = page("linear-regression")["md"]
    program, printed = re.findall(r"```(?:python|text)\n(.*?)```", text, re.DOTALL)
    (tmp_path / "program.py").write_text(program)
    run = subprocess.run(
        [sys.executable, "program.py"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert run.stdout == printed


@pytest.mark.slow
@pytest.mark.parametrize("name", GALLERY)
def test_every_listing_is_such_a_program(name: str, tmp_path: Path) -> None:
    program, printed = re.findall(r"```(?:python|text)\n(.*?)```", page(name)["md"], re.DOTALL)
    (tmp_path / "program.py").write_text(program)
    run = subprocess.run(
        [sys.executable, "program.py"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert run.stdout == printed


def test_a_page_shows_itself_in_a_notebook() -> None:
    shown = page("linear-regression")
    assert shown._repr_markdown_() == shown["md"]
    assert repr(shown) == "Page(title='Mini-batch SGD on y = 2x + 10')"


def test_every_format_is_described() -> None:
    assert all(row.summary and row.suffix.startswith(".") for row in FORMATS)
