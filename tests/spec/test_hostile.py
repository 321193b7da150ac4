"""Hostile specs and falsified pages: one clear message, or a page that shows the text literally."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache as cache_of
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from derivations import cache
from derivations.cli import main
from derivations.courses.inputs import key
from derivations.formats.latex.text import escape as latex_escape
from derivations.language.errors import CheckFailed, SpecError
from derivations.page import Page, build
from derivations.spec.gallery import path
from tests.built import thinned

SPEC = '''title = {title}
[model]
equations = """
{equations}
"""
[data]
{data}
[parameters]
{parameters}
[training]
{training}
[page]
{page}
'''
SGD = 'optimizer = { name = "SGD", lr = 0.01 }'
LINEAR = "yhat[i] = w*x[i] + b\nL = mean((yhat[i] - y[i])**2, i)"


def spec(
    equations: str = LINEAR,
    *,
    title: str = "T",
    data: str = "x = [1, 2, 3]\ny = [3, 4, 6]",
    parameters: str = "w = 0.5\nb = 1",
    training: str = SGD,
    page: str = "",
) -> str:
    shown = json.dumps(title, ensure_ascii=False)
    return SPEC.format(
        title=shown, equations=equations, data=data, parameters=parameters, training=training, page=page
    )


def single(equations: str, parameters: str = "w = 0.5", data: str = "x = 2", training: str = SGD) -> str:
    return spec(equations, parameters=parameters, data=data, training=training)


Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """The command line in this process: status and everything that it said."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DERIVATIONS_TRACEBACK", raising=False)

    def work(text: str | bytes, *more: str) -> tuple[int, str]:
        Path("s.toml").write_bytes(text if isinstance(text, bytes) else text.encode())
        monkeypatch.setattr(sys, "argv", ["derivations", "build", "s.toml", "-o", "out", *more])
        status: object = 0
        try:
            main()
        except SystemExit as end:
            status = end.code or 0
        printed = capsys.readouterr()
        assert isinstance(status, int)
        return status, printed.out + printed.err

    return work


# --- refused, with one message and its place ----------------------------------------------------------

REFUSED = {
    "misspelt key": (spec(training="optimiser = {}"), "s.toml:14:1: unknown key 'optimiser'", "'optimizer'"),
    "unknown function": (
        spec(LINEAR.replace("w*x[i]", "sigmod(w*x[i])")),
        "s.toml:4:11: unknown function 'sigmod'",
        "'sigmoid'",
    ),
    "two arguments": (single("L = exp(w, x)"), "s.toml:4:", "argument"),
    "in a circle": (
        spec("a = yhat[1]*b\nyhat[i] = w*x[i] + a\nL = a + yhat[1]"),
        "s.toml:4:1: 'a' depends on itself",
        "h[t - 1]",
    ),
    "index without range": (
        spec(LINEAR.replace("2, i)", "2, j)")),
        "s.toml:5:",
        "the index 'i' is neither summed over",
    ),
    "arrays do not fit": (
        spec(data="x = [1, 2]\ny = [1, 2, 3]"),
        "s.toml:5:",
        "'x' has 2 values along 'i', 'y' has 3",
    ),
    "no path": (spec(parameters="w = 1\nb = 1\nc = 2"), "s.toml:13:1: there is no path from 'c'", "[data]"),
    "written division by zero": (single("L = w/0"), "s.toml:4:", "division by zero"),
    "division by 1 - 1": (single("L = w/(1 - 1)"), "s.toml:4:", "division by zero"),
    "division at run time": (single("L = w/x", data="x = 0"), "s.toml:4:", "division by zero"),
    "logarithm of 0": (single("L = log(w)", "w = 0"), "s.toml:4:", "the logarithm of 0"),
    "infinite slope": (single("L = sqrt(w)", "w = 0"), "s.toml:", "division by zero"),
    "powers": (single("L = w*9**9**9"), "s.toml:4:1: the powers in the equation of 'L'", "30"),
    "power without a rule": (single("L = w**w"), "s.toml:4:", "rule"),
    "diverging": (
        spec(training='optimizer = { name = "SGD", lr = 1e30 }\nepochs = 40'),
        "diverges",
        "smaller learning rate",
    ),
    "negative learning rate": (
        spec(training='optimizer = { name = "SGD", lr = -0.01 }'),
        "s.toml:14:29: ",
        "lr",
    ),
    "beta1 of 1": (
        spec(training='optimizer = { name = "Adam", lr = 0.01, beta1 = 1 }'),
        "s.toml:14:41: ",
        "beta1",
    ),
    "too much data": (
        spec(data=f"x = [{'1,' * 6000}]\ny = [1]"),
        "s.toml:8:1: more than",
        "too large to work by hand",
    ),
    "sum in data": (spec(data='x = [1, 2]\ny = "sum(x, i)"'), "s.toml:9:", "i"),
    "code": (spec(data="x = [1]\ny = \"__import__('os')\""), "s.toml:9:", "unexpected character '_'"),
    "deep": (single(f"L = {'(' * 2000}w{')' * 2000}"), "s.toml:4:", "nested more than"),
    "leading zeros": (single("L = 007*w**2"), "s.toml:4:", "7"),
    "parameter also data": (spec(parameters="x = [1, 2, 3]\nw = 1\nb = 1"), "s.toml:11:1: ", "'x'"),
    "parameter named lr": (
        spec(LINEAR.replace("w*", "lr*"), parameters="lr = 1\nb = 1"),
        "s.toml:11:1: ",
        "'lr'",
    ),
    "parameter named like a state": (
        spec(
            LINEAR.replace("+ b", "+ m_w"),
            parameters="w = 0.5\nm_w = 1",
            training='optimizer = { name = "Adam", lr = 0.01 }',
        ),
        "s.toml:12:1: ",
        "'m_w'",
    ),
    "blank title": (spec(title="  "), "s.toml:1:", "title"),
    "latin-1": (spec(title="é").encode("latin-1"), "s.toml: ", "UTF-8"),
    "NUL": (b"title = 'a\0b'\n", "s.toml:1:11: not valid TOML", "character"),
    "empty": ("", "s.toml:1:1: the key 'title' is missing", "Add a line"),
    "no CSV": (
        spec(data='x = { csv = "/etc/passwd", column = "a" }\ny = [1]'),
        "s.toml:8:7: there is no file '/etc/passwd' beside the spec",
        "folder of the spec",
    ),
    "NUL in a CSV name": (
        spec(data='x = { csv = "a\\u0000b", column = "a" }\ny = [1]'),
        "s.toml:8:7: ",
        "csv",
    ),
    "long CSV name": (
        spec(data=f'x = {{ csv = "{"a" * 5000}", column = "a" }}\ny = [1]'),
        "s.toml:8:7: ",
        "",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_bad_spec_gets_one_message_with_its_place(name: str, run: Run) -> None:
    text, place, hint = REFUSED[name]
    status, said = run(text)
    assert (status, said.count("error:")) == (2, 1), said
    assert place in said
    assert hint in said
    assert not Path("out").exists()


@pytest.mark.parametrize("cell", ["1e999999999", "1e5000", "nan", "1/2", "", "zz"])
def test_a_bad_cell_of_a_csv_file_is_named(cell: str, run: Run) -> None:
    if cell == "1e999999999":  # a billion digits, were it ever made exact
        code = "from derivations.spec.arrays import _cell; from derivations.spec.spec import Csv; "
        code += f"_cell('{cell}', 2, Csv(csv='d.csv', column='a'))"
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
        ended = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=4
        )
        assert "expected a number in column 'a'" in ended.stderr
        return
    Path("d.csv").write_text(f"a,b\n1,2\n{cell},4\n3,5\n")
    status, said = run(spec(data='x = { csv = "d.csv", column = "a" }\ny = [1, 2, 3]'))
    assert status == 2
    assert "d.csv:3: expected a number in column 'a'" in said


def test_a_csv_link_out_of_the_folder_is_refused(run: Run, tmp_path: Path) -> None:
    Path("l.csv").symlink_to("/etc/passwd")
    status, said = run(spec(data='x = { csv = "l.csv", column = "a" }\ny = [1]'))
    assert status == 2
    assert "beside the spec" in said


def test_looking_into_the_cache_opens_nothing_outside_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside, secret = tmp_path / "in", tmp_path / "secret.csv"
    inside.mkdir()
    secret.write_text("a\n1\n")
    (inside / "s.toml").write_text(spec(data='x = { csv = "../secret.csv", column = "a" }\ny = [1]'))
    opened: list[Path] = []
    read = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda self: (opened.append(self.resolve()), read(self))[1])
    key(inside / "s.toml", ("md",))
    assert secret.resolve() not in opened


def test_a_spec_that_may_not_be_read_is_no_internal_error(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    read = Path.read_bytes

    def refuse(self: Path) -> bytes:
        if self.name == "s.toml":
            raise PermissionError(13, "Permission denied", str(self))
        return read(self)

    monkeypatch.setattr(Path, "read_bytes", refuse)
    status, said = run(spec())
    assert status == 2
    assert "cannot read" in said


# --- allowed, and worked --------------------------------------------------------------------------------

WORKED = {
    "double minus": single("L = --w*x"),
    "minus minus": single("L = (w - -x)**2"),
    "negative power": single("L = (w*x)**-2"),
    "third root": single("L = (w*x)**(1/3)"),
    "power of nothing": single("L = (w*x)**0 + w"),
    "tiny number": single("L = w*1e-300*x"),
    "huge number": single("L = w*1e300*x"),
    "kinks": single("L = relu(w*x) + abs(w)", "w = 0"),
    "linear loss": single("L = w - (x - 2)"),
    "function of a number": single("L = w**2 + w*sqrt(2) + log(2)"),
    "decimals as written": single("L = .5*w + 2.*w**2 + 1E2*w"),
    "square of a sum": spec("L = sum(w*x[i] + b, i)**2", data="x = [1, 2, 3]"),
    "mean in a function": spec("m = mean(w*x[i] + b, i)\nL = exp(m/10) + m**2", data="x = [1, 2]"),
    "sum of sums": spec("L = sum(sum((w*x[i] - b*y[j])**2, i), j)", training=SGD + '\nsample = "i"'),
    "ridge": spec(LINEAR + " + 0.1*w**2"),
    "no residual": spec(LINEAR.replace("**2", "**4"), data="x = [1, 2]\ny = [1.5, 2]"),
    "data in thirds": spec(data='u = [1, 2, 3]\nx = "u/3"\ny = [3, 4, 6]'),
    "start in thirds": spec(parameters='w = "1/3"\nb = 1'),
    "one sample": spec(training=SGD + "\nbatch_size = 1"),
    "unused data": spec(data="x = [1, 2, 3]\ny = [3, 4, 6]\nz = [1, 2]"),
    "names of the program": spec(
        LINEAR.replace("w*", "print*").replace("b", "rows").replace("x[", "torch["),
        data="torch = [1, 2, 3]\ny = [3, 4, 6]",
        parameters="print = 0.5\nrows = 1",
    ),
    "names that meet": spec(
        LINEAR.replace("w*", "print_*").replace("+ b", "+ print").replace("**2", "**4"),
        parameters="print_ = 0.5\nprint = 1",
    ),
    "w1 and w_1": spec(LINEAR.replace("w*", "w_1*").replace("+ b", "+ w1"), parameters="w_1 = 0.5\nw1 = 1"),
    "learning rate 0": spec(training='optimizer = { name = "SGD", lr = 0 }'),
    "tiny learning rate": spec(training='optimizer = { name = "SGD", lr = 1e-300 }'),
    "long lines": single(f"L = {' + '.join(['w*x'] * 60)} + w**2"),
    "digits 0": spec(page="digits = 0"),
    "significant 50": spec(page="significant = 50"),
    "carry 0": spec(training=SGD + "\ncarry = 0"),
    "carry 50": spec(training=SGD + "\ncarry = 50"),
}


@pytest.mark.few(2)
@pytest.mark.parametrize("name", WORKED)
def test_a_strange_spec_is_worked_and_verified(name: str) -> None:
    page = build(WORKED[name])
    assert page.report.failures == []


@pytest.mark.slow
def test_a_run_of_a_thousand_steps_is_worked() -> None:
    page = build(spec(training=SGD + "\nepochs = 1000"), ("md",))
    assert len(page.trace.steps) == 1000


def test_a_spec_with_crlf_is_the_same_page() -> None:
    crlf = spec().replace("\n", "\r\n")
    assert "y_i = w x_i + b" in build(crlf, ("md",))["md"]


# --- titles -------------------------------------------------------------------------------------------

TITLES = [
    "$x$ and $$y$$",
    "`code` ``a`b``",
    r"\input{/etc/passwd} \end{document} \\ a\\",
    "50% off ^^M a^^Mb ~ @user #1",
    "a|b & {{7*7}} {% raw %} {# c #}",
    "<script>alert(1)</script> <!-- c --> &amp; &lt;",
    "[a](javascript:1) ![x](y) [ref]: z",
    "# head ##",
    "1. one",
    "1986. a year",
    "- item",
    "+ plus",
    "= eq",
    "> quote",
    "***",
    "*a* _b_ __c__ ~~d~~",
    "snake_case_name",
    "line one\nline two\n\n# three",
    "ctrl \u0001 bell \u0007",
    "heading {#id .class}",
    'a "quoted" word',
    "漢字 שלום e\u0301 😀",
    "x" * 300,
]


def shown(text: str) -> str:
    """A title with its control characters as spaces, and spaces counted once."""
    return " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", " ", text).split())


@pytest.fixture(scope="module")
def bare() -> Page:
    return build(spec())


@cache_of
def with_title(title: str) -> Page:
    return build(spec(title=title), ("md", "tex"))


@pytest.mark.few(2)
@pytest.mark.parametrize("number", thinned(range(len(TITLES)), 2, str))
def test_a_hostile_title_is_shown_literally_in_markdown(number: int) -> None:
    title = TITLES[number]
    opening, inline, *_ = (
        MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(with_title(title)["md"])
    )
    assert (opening.type, opening.tag) == ("heading_open", "h1")
    kinds = {child.type for child in inline.children or ()}
    assert kinds <= {"text", "text_special"}
    assert shown("".join(child.content for child in inline.children or ())) == shown(title)


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("pandoc"), reason="pandoc is missing")
@pytest.mark.parametrize("dialect", ["markdown-smart", "gfm-autolink_bare_uris", "commonmark"])
def test_hostile_titles_are_shown_literally_by_pandoc(dialect: str) -> None:
    titles = [t for t in TITLES if "\u0301" not in t and "\u0001" not in t]  # pandoc composes accents
    page = "\n\n".join(with_title(title)["md"].split("\n## ")[0].strip() for title in titles)
    ended = subprocess.run(
        ["pandoc", "-f", dialect, "-t", "plain", "--wrap=none"],
        input=page,
        capture_output=True,
        text=True,
        check=True,
    )
    lines = [shown(line) for line in ended.stdout.splitlines() if line.strip()]
    assert lines == [shown(title) for title in titles]


@pytest.mark.debian("pdflatex", "pdftotext")
def test_hostile_titles_are_shown_literally_by_pdflatex(tmp_path: Path, bare: Page) -> None:
    titles = [title for title in TITLES if title.isascii()]
    log, text = typeset(titles, tmp_path, bare)
    wanted = ["".join(shown(title).split()) for title in titles]
    assert [got for got in text if got not in wanted] == []
    assert "Overfull" not in log


@pytest.mark.debian("pdflatex", "pdftotext")
def test_every_letter_that_is_not_spelled_out_compiles(tmp_path: Path, bare: Page) -> None:
    letters = [chr(code) for code in range(0xA1, 0x180)]
    plain = [letter for letter in letters if latex_escape(letter) == letter]
    log, _ = typeset(["".join(plain[at : at + 20]) for at in range(0, len(plain), 20)], tmp_path, bare)
    assert "! LaTeX Error" not in log


def typeset(titles: list[str], folder: Path, page: Page) -> tuple[str, list[str]]:
    """The titles as sections under the page's own preamble: pdflatex's log and the text of each."""
    preamble = page["tex"].partition(r"\begin{document}")[0]
    body = "".join(f"\\section*{{{latex_escape(title)}}}\n\n!NEXT!\n\n" for title in titles)
    (folder / "t.tex").write_text(f"{preamble}\\begin{{document}}\n{body}\\end{{document}}\n")
    command = ["pdflatex", "-interaction=nonstopmode", "t.tex"]
    ended = subprocess.run(command, cwd=folder, capture_output=True, check=False)
    printed = subprocess.run(["pdftotext", "t.pdf", "-"], cwd=folder, capture_output=True, check=True)
    pages = re.sub(r"(?m)^\d+$|\f", "", printed.stdout.decode())
    pieces = ["".join(piece.split()) for piece in pages.split("!NEXT!")]
    return ended.stdout.decode(errors="replace"), [piece for piece in pieces if piece]


# --- files --------------------------------------------------------------------------------------------


def test_a_link_in_the_output_folder_is_replaced_and_not_followed(run: Run) -> None:
    Path("out").mkdir()
    Path("victim").write_text("mine")
    Path("out/s.md").symlink_to(Path("victim").resolve())
    assert run(spec())[0] == 0
    assert Path("victim").read_text() == "mine"
    assert not Path("out/s.md").is_symlink()


@pytest.mark.parametrize("kind", ["file", "dangling link", "folder in the way"])
def test_an_output_that_cannot_be_written_is_named(kind: str, run: Run) -> None:
    if kind == "file":
        Path("out").write_text("")
    elif kind == "dangling link":
        Path("out").symlink_to("nowhere")
    else:
        Path("out/s.md").mkdir(parents=True)
    status, said = run(spec())
    assert status == 2
    assert "cannot write" in said


@pytest.mark.few(1)
@pytest.mark.parametrize("content", ["", "[]", '{"check": 1}', '{"check": "x", "files": {}}', "\x00\xff"])
def test_a_broken_cache_entry_is_worked_again(content: str, run: Run) -> None:
    assert run(spec())[0] == 0
    for entry in cache.folder().glob("*.page"):
        entry.write_text(content)
    Path("out/s.md").unlink()
    assert run(spec())[0] == 0
    assert Path("out/s.md").read_text().startswith("# T")


def test_two_specs_with_one_name_do_not_overwrite_each_other(run: Run) -> None:
    Path("other").mkdir()
    Path("other/s.toml").write_text(spec(title="Other"))
    status, said = run(spec(), "other/s.toml")
    assert status == 2
    assert "s.md" in said


def test_a_build_killed_while_it_writes_leaves_the_old_page(tmp_path: Path) -> None:
    page = tmp_path / "p.md"
    page.write_text("old")
    code = (
        "import os, sys, pathlib\n"
        "os.replace = lambda *_: os.kill(os.getpid(), 9)\n"
        "from derivations.cache import write_atomically\n"
        "write_atomically(pathlib.Path(sys.argv[1]), b'new')\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    ended = subprocess.run([sys.executable, "-c", code, str(page)], env=environment, check=False)
    assert ended.returncode == -9
    assert page.read_text() == "old"
    cache.write_atomically(page, b"new")
    assert page.read_text() == "new"


# --- falsified pages ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def page() -> Page:
    data = "x = [1, 2, 3, 4, 5]\ny = [3, -4, 6, 1, 0.5]"
    return build(spec(data=data, training=SGD + "\nbatch_size = 2\nepochs = 2"))


GRADIENT = r"\frac{\partial L}{\partial b} = \frac{2}{n} \sum_i (\hat y_i - y_i) = \frac{2}{2} (-1.5 + 6)"
FALSE = {
    "digit of a value": ("= 19.125", "= 19.126"),
    "sign in a table": ("| 1 | 1 | 3 | 1.5 | −1.5 |", "| 1 | 1 | 3 | 1.5 | 1.5 |"),
    "symbol in a heading": ("$\\hat y_i = w x_i + b$", "$\\hat y_i = b x_i + w$"),
    "rows exchanged": ("| 1 | 1 | 3 |\n| 2 | 2 | −4 |", "| 2 | 2 | −4 |\n| 1 | 1 | 3 |"),
    "sample in a heading": ("samples 1 and 2", "samples 1 and 3"),
    "rule": ("the constants collected", "power rule"),
    "program": ("lr=0.01", "lr=0.02"),
    "output": ("step 1: L = 19.125", "step 1: L = 19.126"),
    "= for ≈": (r"^2 \approx \frac{1}{2} \left[", r"^2 = \frac{1}{2} \left["),
    "≈ for =": ("= 19.125", r"\approx 19.125"),
    "brackets of a negative": (r"\left[(-1.5)^2", r"\left[-1.5^2"),
    "false sentence": ("It prints:", "It prints: nothing"),
    "display left out": ("$$\n" + GRADIENT, "$$\n" + "L = 19.125\n$$\n\n$$\n" + GRADIENT),
    # what follows are holes of the auditor
    "after an open bracket nothing is read": (GRADIENT + " = ", GRADIENT[:-1] + " = 999 + "),
    "chain cut to its first side": (GRADIENT + r" = \frac{2}{2} \cdot 4.5 = 4.5", GRADIENT[:35]),
    "chain without its middle": (r" = \frac{1}{2} \left[(-1.5)^2 + 6^2\right] = \frac{1}{2} \cdot 38.25", ""),
    "≈ before symbols": (
        r"L = \frac{1}{n} \sum_i (\hat y_i - y_i)^2 =",
        r"L \approx \frac{1}{n} \sum_i (\hat y_i - y_i)^2 =",
    ),
    "≈ in the model": ("\\hat y_i = w x_i + b\n", "\\hat y_i \\approx w x_i + b\n"),
    "= for ←": (
        "w \\leftarrow w - \\eta \\frac{\\partial L}{\\partial w}\n",
        "w = w - \\eta \\frac{\\partial L}{\\partial w}\n",
    ),
    "no dot between numbers": (r"+ 2 \cdot 6\right]", r"+ 2 6\right]"),
    "≈ in a table": ("| 1 | 1 | 3 | 1.5 |", r"| 1 | 1 | 3 | $\approx 1.5$ |"),
    "chain in a table": ("| 1 | 1 | 3 | 1.5 |", "| 1 | 1 | 3 | $7 = 1.5$ |"),
    "= in the checks": (r"$\approx 11.739905592324303$", "11.739905592324303"),
    "indices that are none": ("only the term $k = i$", "only the term $w = b$"),
    "one start value twice": ("We have $w = 0.5$ and $b = 1$", "We have $b = 1$ and $b = 1$"),
    "another hyper-parameter": (r"with $\eta = 0.01$", "with $w = 0.5$"),
    "indentation of the program": ("    optimizer.step()", "optimizer.step()"),
    "numbered list": ("It prints:", "1. It prints:"),
    "heading level": ("## Summary", "### Summary"),
}


@pytest.mark.few(7)
@pytest.mark.parametrize("name", FALSE)
def test_a_falsified_page_does_not_pass_the_audit(name: str, page: Page) -> None:
    old, new = FALSE[name]
    text = page["md"]
    assert old in text
    with pytest.raises(CheckFailed):
        page.check("md", text.replace(old, new, 1))


def test_a_display_in_the_place_of_another_does_not_pass_the_audit(page: Page) -> None:
    shown = re.findall(r"\$\$\n(.+)\n\$\$", page["md"])
    by_w, by_b = (next(s for s in shown if rf"\partial {name}}} = \frac{{2}}{{n}}" in s) for name in "wb")
    with pytest.raises(CheckFailed):
        page.check("md", page["md"].replace(by_b, by_w, 1))


def test_a_row_of_the_checks_in_the_place_of_another_does_not_pass_the_audit(page: Page) -> None:
    one, other = re.findall(r"(?m)^\| 1 \| \$.* \| \d+ \|$", page["md"])[:2]
    with pytest.raises(CheckFailed):
        page.check("md", page["md"].replace(one, other, 1))


def test_a_latex_preamble_that_lies_does_not_pass_the_audit(page: Page) -> None:
    lie = "\\renewcommand{\\approx}{=}\n\\begin{document}"
    with pytest.raises(CheckFailed):
        page.check("tex", page["tex"].replace(r"\begin{document}", lie))


@pytest.mark.parametrize("key", ["title", "spec", "loss", "carry", "dtype"])
def test_a_falsified_json_file_does_not_pass_the_audit(key: str, page: Page) -> None:
    found = json.loads(page["json"])
    found[key] = "other"
    with pytest.raises(CheckFailed):
        page.check("json", json.dumps(found))


@pytest.mark.parametrize("key", ["exact", "decimal", "torch", "ulp"])
def test_a_falsified_number_in_json_does_not_pass_the_audit(key: str, page: Page) -> None:
    found = json.loads(page["json"])
    entry = found["steps"][0]["quantities"]["L"]
    entry[key] = "7" if isinstance(entry[key], str) else 7
    with pytest.raises(CheckFailed):
        page.check("json", json.dumps(found))


def test_an_unknown_gallery_name_and_a_folder_are_named(run: Run) -> None:
    with pytest.raises(SpecError, match="no such file"):
        build("linear-regresion")
    with pytest.raises(SpecError, match="this is a folder"):
        build(str(path("linear-regression").parent))
