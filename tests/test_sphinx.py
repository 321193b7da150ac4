"""Pages inside Sphinx: the directive, and the pages of MyST as their readers see them."""

from __future__ import annotations

import io
import json
import re
import subprocess
import warnings
from functools import cache
from pathlib import Path

import pytest
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace

import derivations
from derivations.formats.docutils import check, document_nodes
from derivations.language.errors import CheckFailed
from derivations.page import Page
from derivations.spec import gallery
from tests.built import GALLERY, page

SPEC = gallery.path("linear-regression").read_text()
CONF = """
project = "notes"
extensions = ["myst_parser", "sphinx_design", "sphinx_exercise", "derivations.sphinx"]
myst_enable_extensions = ["dollarmath", "colon_fence"]
html_theme = "basic"
"""
ALONE = "include_patterns = ['index.md']\n"


@cache
def with_exercises() -> Page:
    return derivations.build("linear-regression", ("md", "myst", "qmd"), exercises=True)


def built(folder: Path, files: dict[str, str], builder: str = "html") -> tuple[str, str]:
    """The page that Sphinx makes of an index in MyST, and every warning."""
    for name, text in {"conf.py": CONF, **files}.items():
        folder.joinpath(name).write_text(text)
    heard = io.StringIO()
    out, tree = folder / "out", folder / "tree"
    with docutils_namespace(), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of extensions
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        Sphinx(folder, folder, out, tree, builder, status=None, warning=heard, freshenv=True).build()
    made = out / {"html": "index.html", "latex": "notes.tex"}[builder]
    return made.read_text() if made.exists() else "", re.sub(r"\x1b\[[\d;]*m", "", heard.getvalue())


def test_the_directive_in_myst(tmp_path: Path) -> None:
    index = "# Notes\n\n```{worked-example} sgd.toml\n:hide: checks, program\n```\n"
    text, heard = built(tmp_path, {"index.md": index, "sgd.toml": SPEC})
    assert heard == ""
    assert "Mini-batch 1: samples 1 and 2" in text
    assert r"\frac{\partial L}{\partial w} = \frac{2}{n} \sum_i x_i (\hat y_i - y_i)" in text
    assert "127.125" in text
    assert "The same in PyTorch" not in text


def test_the_directive_in_restructured_text_and_latex(tmp_path: Path) -> None:
    index = "Notes\n=====\n\n.. worked-example:: linear-regression\n   :detail: brief\n   :no-title:\n"
    text, heard = built(tmp_path, {"index.rst": index}, "latex")
    assert heard == ""
    assert "127.125" in text
    assert re.search(r"\\(sub)*section\{Summary\}|\\chapter\{Summary\}", text)


@pytest.mark.parametrize(
    ("spec", "options", "message"),
    [
        (SPEC.replace("w*x[i]", "v*x[i]"), "", "sgd.toml:5:11: unknown name 'v'"),
        (SPEC, ":detail: long\n", "detail"),
        (SPEC, ":hide: everything\n", "hide"),
        ("", "", "missing"),
    ],
)
def test_a_fault_is_an_error_of_the_document(tmp_path: Path, spec: str, options: str, message: str) -> None:
    index = f"# Notes\n\n```{{worked-example}} sgd.toml\n{options}```\n"
    text, heard = built(tmp_path, {"index.md": index, "sgd.toml": spec})
    assert "ERROR" in heard
    assert message in heard
    assert "index.md:3" in heard
    assert "Traceback" not in heard + text


@pytest.mark.parametrize("name", GALLERY)
def test_every_page_becomes_nodes_that_read_back(name: str) -> None:
    shown = page(name)
    title, *sections = document_nodes(shown.press)
    assert title.astext() == shown.title
    parts = [block for block in shown.press.document.blocks if getattr(block, "level", 0) == 2]
    assert len(sections) == len(parts)


def test_a_node_that_is_altered_is_noticed() -> None:
    from docutils import nodes

    press = page("linear-regression").press
    found = document_nodes(press)
    root = nodes.container("", *found)
    texts = [text for text in root.findall(nodes.Text) if re.search(r"\d", text)]
    assert len(texts) > 100
    for text in texts[::9]:
        number = re.search(r"\d+(?:\.\d+)?", text)
        assert number is not None
        wrong = str((int(number[0][-1]) + 1) % 10)
        new = nodes.Text(text[: number.end() - 1] + wrong + text[number.end() :])
        parent = text.parent
        parent.replace(text, new)
        with pytest.raises(CheckFailed):
            check(root, press)
            pytest.fail(f"not noticed: {text}")
        parent.replace(new, text)
    check(root, press)


@pytest.mark.few(2)
@pytest.mark.parametrize("name", ["linear-regression", "hinge-loss", "two-two-two-network", "exercises"])
def test_myst_builds_without_a_warning(name: str, tmp_path: Path) -> None:
    shown = with_exercises() if name == "exercises" else page(name)
    files = {name: content.decode() for name, content in shown.files(("myst",)).items()}
    text, heard = built(tmp_path, files | {"index.md": shown["myst"], "conf.py": CONF + ALONE})
    assert heard == ""
    assert text.count("<details") >= 2
    if name == "hinge-loss":
        assert 'class="warning admonition' in text or 'class="admonition-' in text
    if name == "exercises":
        assert len(re.findall(r'class="[^"]*\bexercise\b', text)) >= 2
        assert len(re.findall(r'class="[^"]*\bsolution\b', text)) >= 2


def test_exercises_fold_the_solution_in_every_dialect() -> None:
    shown = with_exercises()
    assert shown["md"].count("<details>") == shown["md"].count("</details>") == 2
    assert shown["myst"].count(":::{exercise}") == shown["myst"].count(":::{solution}") == 2
    assert shown["qmd"].count("::: {#exr-") == shown["qmd"].count('title="Solution"') == 2
    first = shown["md"].partition("## Mini-batch 2")[0]
    assert "Work this step by hand" not in first


@pytest.mark.parametrize("form", ["md", "myst", "qmd"])
def test_a_fold_that_is_lost_is_noticed(form: str) -> None:
    shown = with_exercises()
    opening = {"md": "<details>", "myst": ":::{solution}", "qmd": "::: {.callout-note"}[form]
    closing = {"md": "</details>\n", "myst": "\n:::\n", "qmd": "\n:::\n"}[form]
    for old in (opening, closing):
        with pytest.raises(CheckFailed):
            shown.check(form, shown[form].replace(old, "\n", 1))


@pytest.mark.few(3)
@pytest.mark.debian("pandoc")
@pytest.mark.parametrize("name", GALLERY)
def test_quarto_s_reader_finds_every_fold(name: str) -> None:
    text = page(name)["qmd"]
    run = subprocess.run(
        ["pandoc", "-f", "markdown", "-t", "json"], input=text, capture_output=True, text=True, check=True
    )
    assert run.stdout.count('"t":"Div"') == len(re.findall(r"^::: \{", text, re.MULTILINE)) >= 2
    assert json.loads(run.stdout)["meta"]["lang"]["t"] == "MetaInlines"
    assert ":::" not in re.sub(r'"t":"CodeBlock".*', "", run.stdout)


def test_keys_of_the_page_from_python() -> None:
    shown = derivations.build("linear-regression", ("md",), show=("summary",), digits=2)
    assert "| 1 | 0.5 | 1 | 127.13 | −34.5 |" in shown["md"]
    assert "The gradient" not in shown["md"]
    with pytest.raises(derivations.DerivationsError, match=r"unknown key 'detial'.*"):
        derivations.build("linear-regression", ("md",), detial="brief")
