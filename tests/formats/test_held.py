"""What an author's templates may add beside words: themes and fonts; nothing that redefines, runs, reads."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import pytest

import derivations
from derivations.formats.latex.held import judged_preamble, judged_text, parts
from derivations.formats.markdown.held import judged as judged_markdown
from derivations.formats.pdf.held import judged as judged_typst
from derivations.formats.pdf.write import compiled
from derivations.language.errors import CheckFailed
from derivations.page import Page
from derivations.spec.gallery import path

REFUSED_PREAMBLE = [
    r"\AtBeginDocument{\renewcommand{\approx}{=}}",
    r"\input{/etc/passwd}",
    r"\immediate\write18{id}",
    r"\sisetup{round-mode=places,round-precision=0}",
    r"\catcode`\|=0",
    r"\def\approx{=}",
    r"\let\approx=",
    r"\DeclareMathOperator{\min}{max}",
    r"\newcommand{\w}{7}",
    r"\everymath{\color{white}}",
    r"\color{white}",
    r"\definecolor{black}{gray}{1}",
    r"\setbeamercolor{normal text}{fg=white}",
    r"\usepackage{mystyle}",
    r"\usepackage{palatino,mystyle}",
    r"\usepackage{shellesc}",
    r"\usepackage[round-mode=places]{siunitx}",
    r"\usepackage[LGR]{fontenc}",
    r"\usepackage[greek]{babel}",
    r"\usepackage[\input{x}]{geometry}",
    r"\documentclass{mine}",
    r"\usetheme{mine}",
    r"\title{\input{x}}",
    r"\begin{filecontents}{x}",
    r"\directlua{x}",
    r"\makeatletter\let\approx=\makeatother",
    "words",
    r"\setlength{\textwidth}{0pt}",
    r"\csname def\endcsname\approx{=}",
    "^^5cinput{x}",
]
ALLOWED_PREAMBLE = [
    r"\usepackage{palatino}",
    r"\usepackage[osf]{mathpazo} % a font",
    r"\usetheme{Madrid}\usecolortheme{dolphin}",
    r"\usetheme[progressbar=foot]{metropolis}",
    "\\usepackage[margin=2cm,\n  top=3cm]{geometry}\n\\setlength{\\parindent}{0pt}",
    r"\documentclass[a4paper,12pt]{scrartcl}",
    r"\title{Gradients}\author{Ada}\date{}\institute[U]{University}",
    r"\usepackage{fancyhdr}\pagestyle{fancy}\fancyhf{}\fancyhead[L]{Learning}",
    r"\usepackage[main=german,provide=*]{babel}",
    r"\definecolor{ours}{HTML}{004488}\setbeamercolor{structure}{fg=ours}",
    r"\setbeamertemplate{navigation symbols}{}\setbeamerfont{title}{size=\large,series=\bfseries}",
    r"\hypersetup{colorlinks=true,linkcolor=blue}\linespread{1.1}",
]


@pytest.mark.parametrize("text", REFUSED_PREAMBLE)
def test_a_preamble_may_not_redefine_read_or_run(text: str) -> None:
    assert list(judged_preamble(text.split("\n")))
    assert list(judged_preamble([r"\usepackage{palatino}", text]))


@pytest.mark.parametrize("text", ALLOWED_PREAMBLE)
def test_a_preamble_may_change_the_looks(text: str) -> None:
    assert list(judged_preamble(text.split("\n"))) == []


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        (r"Lecture \textbf{one}, \emph{by Ada}\par", ""),
        (r"\begin{center}\Large Learning \& more\end{center}\vspace{2mm}", ""),
        (r"Now $w = \frac{1}{2}$ and \'ecole", ""),
        (r"\renewcommand{\approx}{=}", "renewcommand"),
        (r"\def\x{y}", "def"),
        (r"\input{x}", "input"),
        (r"\draw (0,0) -- (1,1);", "draw"),
        (r"\begin{tikzpicture}", "tikzpicture"),
        (r"\char57", "char"),
        (r"\csname x\endcsname", "csname"),
        ("^^5cdef", "^^"),
        (r"\today", "today"),
        (r"\rlap{/}", "rlap"),
    ],
)
def test_text_of_latex(text: str, wrong: str) -> None:
    ours = r"\subsection*{x}\par\begin{tikzpicture}\draw (0,0);\end{tikzpicture}"
    found = list(judged_text(ours)([text]))
    assert bool(found) == bool(wrong)
    assert wrong in str(found)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("*Lecture*, by [Ada](https://example.org) and <b>all</b>", ""),
        ("See [the next page](week-two.md) or [below](#more).\n::: {.callout-tip}\nHello\n:::", ""),
        (":::{note}\nRead {ref}`this`.\n:::", ""),
        ('---\ntitle: Learning\ntags: [a, b]\nauthor: "Ada, B."\n---', ""),
        ("a <!-- comment --> b", ""),
        ("<script>alert()</script>", "script"),
        ("<img src=x onerror=alert()>", "img"),
        ("<b onclick=x>a</b>", "onclick"),
        ("<svg/onload=x>", "svg"),
        ("[a](javascript:alert(1))", "javascript"),
        ("[a](java&#115;cript:alert(1))", "javascript"),
        ("[a]: JaVaScRiPt:x", "javascript"),
        ("[a](file:///etc/passwd)", "address"),
        ("[a](../../x)", "address"),
        ("![a](https://example.org/track.png)", "picture"),
        (":::{include} /etc/passwd\n:::", "include"),
        ("::: {.content-hidden}", "content-hidden"),
        ("{{< include _x.qmd >}}", "{{"),
        ("a `r 1 + 1` b", "`r"),
        ("a `{python} 1 + 1` b", "`{"),
        ("{eval}`1 + 1`", "eval"),
        ("---\nfilters: [x.lua]\n---", "filters"),
        ("---\nexecute:\n  enabled: true\n---", "execute"),
        ("---\nformat:\n  html:\n    include-in-header: x.html\n---", "format"),
        ("---\ntitle: x\nengine: knitr\n---", "engine"),
        ("---\njupyter: python3\n---", "jupyter"),
        ("---\ntitle: !!python/object x\n---", "title"),
        ("---\ntitle: |\n  x\n---", "title"),
        ("---\ntitle: <script>x</script>\n---", "title"),
        ("words\n\n---\nheader-includes: x\n---", "header-includes"),
    ],
)
def test_markdown(text: str, wrong: str) -> None:
    found = list(judged_markdown(text.split("\n")))
    assert bool(found) == bool(wrong)
    assert wrong in str(found)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ('#set text(font: "Libertinus Serif", fill: navy)', ""),
        ("#block[Lecture by Dr Who, who may import a line or read an image]", ""),
        ("#show heading: set text(fill: maroon)\n#align(center)[*Learning*]", ""),
        ('#read("/secret.txt")', "read"),
        ('#import "@preview/cetz:0.3.0": *', "import"),
        ('#include "x.typ"', "include"),
        ('#let x = { import "x.typ" }', "import"),
        ('#eval("1 + 1")', "eval"),
        ('#image("x.png")', "image"),
        ("#place(top, line(length: 9pt))", "place"),
        ("#show math.equation: strike", "strike"),
        ("#set text(fill: white)", "white"),
        ('#numbering("I", 99)', "numbering"),
        ("#hide[a]", "hide"),
    ],
)
def test_typst(text: str, wrong: str) -> None:
    found = list(judged_typst(text.split("\n")))
    assert bool(found) == bool(wrong)
    assert wrong in str(found)


def test_typst_reads_nothing_and_asks_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "secret.txt").write_text("secret")
    before = dict(os.environ)
    for source in ('#read("/secret.txt")', '#read("secret.txt")', '#read("../secret.txt")'):
        with pytest.raises(CheckFailed, match=r"not found|escape"):
            compiled(f'#set document(title: "x")\n{source}')
    with pytest.raises(CheckFailed, match=r"Connection refused|127\.0\.0\.1|not found"):
        compiled('#set document(title: "x")\n#import "@preview/cetz:0.3.0": *')
    assert dict(os.environ) == before


@cache
def ours(form: str) -> Page:
    return derivations.build("linear-regression", (form,))


@pytest.mark.few(3)
@pytest.mark.parametrize(
    ("form", "name", "block", "message"),
    [
        (
            "tex",
            "latex/page.tex.j2",
            r"{% block packages %}\def\approx{=}{% endblock %}",
            r"page\.tex\.j2:2:",
        ),
        ("tex", "latex/fragment.tex.j2", r"{% block front %}\let\approx=\par{% endblock %}", r"'\\let'"),
        ("fragment", "latex/fragment.tex.j2", r"{% block back %}\input{x}{% endblock %}", r"'\\input'"),
        ("beamer", "beamer/page.tex.j2", r"{% block packages %}\def\approx{=}{% endblock %}", "preamble"),
        ("md", "markdown/page.md.j2", "{% block front %}<img src=x onerror=y>\n{% endblock %}", "<img"),
        (
            "qmd",
            "markdown/page.md.j2",
            "{% block front %}{{ super() }}\n\n---\nfilters: [a]\n---\n{% endblock %}",
            "filters",
        ),
        ("typ", "typst/page.typ.j2", '{% block front %}#read("/x")\n{% endblock %}', "'read'"),
        (
            "pdf",
            "typst/page.typ.j2",
            '{% block front %}#import "@preview/x:0.1.0"\n{% endblock %}',
            "'import'",
        ),
        (
            "html",
            "html/page.html.j2",
            "{% block style %}{{ super() }} mn { visibility: hidden }{% endblock %}",
            "hide",
        ),
        ("html", "html/page.html.j2", "{% block end %}<script>x</script>{% endblock %}", "script"),
    ],
)
def test_a_page_with_it_is_refused(form: str, name: str, block: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "mine" / name
    file.parent.mkdir(parents=True)
    file.write_text(f'{{% extends "shipped/{name}" %}}\n{block}')
    (tmp_path / "s.toml").write_text(path("linear-regression").read_text() + '\n[page]\ntemplates = "mine"\n')
    with pytest.raises(CheckFailed, match=message):
        derivations.build(tmp_path / "s.toml", (form,))


@pytest.mark.parametrize("form", ["tex", "beamer", "fragment"])
def test_our_own_text_is_no_addition(form: str) -> None:
    before, after = parts(ours(form)[form])
    assert list(judged_text(after)([])) == []
    assert bool(before) == (form != "fragment")
