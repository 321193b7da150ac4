"""Rows of another package: it is installed beside this one, and a page is built with each of them."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ENTRY_POINTS = """
[derivations.functions]
bent = added.rows:BENT

[derivations.optimizers]
halved = added.rows:HALVED

[derivations.formats]
words = added.rows:WORDS

[derivations.languages]
italian = added.italian:ITALIAN
"""
ROWS = '''"""An activation and an optimizer."""

from derivations.rows import Format, Function, Optimizer

WORDS = Format("words", ".txt", "added.words:PRINTER", "the headings alone")
BENT = Function(
    "bent", slope="x/(2*sqrt(x**2 + 1)) + 1", torch="(torch.sqrt({x}**2 + 1) - 1)/2 + {x}",
    latex=r"\\mathrm{bent}", rule="derivative of the bent identity", formula="(sqrt(x**2 + 1) - 1)/2 + x",
)
HALVED = Optimizer(
    "Halved", torch="", hyper={"lr": None}, equations="theta = theta - lr/2*g", arguments="",
    convention="half a step against the gradient", source="a test",
)
'''
WORDS = '''"""A format: the headings of a page, and nothing else."""

from derivations.document.blocks import Heading
from derivations.formats.press import Printer
from derivations.language.errors import CheckFailed


def write(press):
    return "".join(f"{''.join(b.words)}\\n" for b in press.document.blocks if isinstance(b, Heading))


def check(text, press):
    if text != write(press):
        raise CheckFailed("other headings")


PRINTER = Printer(write, check)
'''
ITALIAN = '''"""A language: a few words of it, and its spoken phrases."""

from dataclasses import replace
from pathlib import Path

from derivations.rows import ENGLISH, Language

PHRASES = replace(ENGLISH, plus="più", minus="meno", times="per")
ITALIAN = Language("it", "it", "added.italian:PHRASES", Path(__file__).parent / "it.po", "italian")
'''
CATALOGUE = """msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"

msgid "Summary"
msgstr "Riepilogo"
"""
SPEC = """
title = "From another package"
[model]
equations = '''
yhat[i] = bent(w*x[i])
L = mean((yhat[i] - y[i])**2, i)
'''
[data]
x = [0.75, 1.5]
y = [1, 2]
[parameters]
w = 1
[training]
optimizer = { name = "Halved", lr = 0.5 }
[page]
language = "it"
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which the package was installed from a wheel."""
    folder = tmp_path_factory.mktemp("outside")
    files = {
        "added/__init__.py": "",
        "added/rows.py": ROWS,
        "added/words.py": WORDS,
        "added/italian.py": ITALIAN,
        "added/it.po": CATALOGUE,
        "added-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: added\nVersion: 1.0\n",
        "added-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "added-1.0.dist-info/entry_points.txt": ENTRY_POINTS,
    }
    files["added-1.0.dist-info/RECORD"] = "".join(
        f"{name},,\n" for name in [*files, "added-1.0.dist-info/RECORD"]
    )
    with zipfile.ZipFile(folder / "added-1.0-py3-none-any.whl", "w") as wheel:
        for name, text in files.items():
            wheel.writestr(name, text)
    into = ["--no-index", "--no-deps", "--quiet", "--target", str(folder / "site")]
    call = [sys.executable, "-m", "pip", "install", *into, str(folder / "added-1.0-py3-none-any.whl")]
    subprocess.run(call, check=True, capture_output=True)
    (folder / "mine.toml").write_text(SPEC, encoding="utf-8")
    return folder


def command(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(ROOT), str(folder / "site")])
    environment = {**os.environ, "PYTHONPATH": path, "XDG_CACHE_HOME": str(folder / "cache")}
    call = [sys.executable, "-m", "derivations", *arguments]
    return subprocess.run(call, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_a_page_is_built_with_each_row(installed: Path) -> None:
    run = command(installed, "build", "mine.toml", "--format", "md,tex,html,words")
    assert run.returncode == 0, run.stderr
    page = (installed / "output" / "mine.md").read_text(encoding="utf-8")
    assert r"\mathrm{bent}" in page
    assert "derivative of the bent identity" in page
    assert "half a step against the gradient" in page
    assert "## Riepilogo" in page
    assert "0,75" in page  # the decimal comma of the language
    assert "Riepilogo" in (installed / "output" / "mine.txt").read_text(encoding="utf-8")
    assert "italian" in (installed / "output" / "mine.tex").read_text(encoding="utf-8")


def test_the_catalogue_lists_them(installed: Path) -> None:
    shown = command(installed, "list", "--catalogue").stdout
    assert "bent(x)" in shown
    assert "Halved" in shown


def test_a_page_is_built_again_when_the_package_changes(installed: Path) -> None:
    from derivations.catalogue import outside

    assert all(version.split()[0] != "added" for version in outside.versions())
    call = [sys.executable, "-c", "from derivations.catalogue import outside; print(*outside.versions())"]
    path = os.pathsep.join([str(ROOT), str(installed / "site")])
    run = subprocess.run(
        call, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=True
    )
    assert run.stdout.split() == ["added", "1.0"]


def test_a_name_that_is_taken_and_a_broken_package_are_left_out_with_a_warning(installed: Path) -> None:
    info = installed / "site" / "added-1.0.dist-info" / "entry_points.txt"
    text = info.read_text()
    info.write_text(
        f"{text}\n[derivations.losses]\nlost = added.nowhere:LOSS\n"
        "[derivations.schedules]\nodd = added.rows:BENT\n"
    )
    try:
        run = command(installed, "list")
        assert run.returncode == 0
        assert "added: derivations.losses 'lost' is left out: ModuleNotFoundError" in run.stderr
    finally:
        info.write_text(text)
