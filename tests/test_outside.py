"""Rows of another package: it is installed beside this one, and a page is built with each of them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from derivations.catalogue.clipping import CLIPPINGS
from derivations.catalogue.functions import FUNCTIONS
from derivations.catalogue.layers import LAYERS
from derivations.catalogue.losses import LOSSES
from derivations.catalogue.optimizers import OPTIMIZERS
from derivations.catalogue.sample_losses import SAMPLE_LOSSES
from derivations.catalogue.schedules import SCHEDULES
from derivations.catalogue.slips import SLIPS
from derivations.catalogue.sound import fault_of
from derivations.rows import Function, Memory, Rewrite

ROOT = Path(__file__).parent.parent
ENTRY_POINTS = """
[derivations.functions]
bent = added.rows:BENT

[derivations.optimizers]
halved = added.rows:HALVED

[derivations.slips]
forgetful = added.rows:FORGETFUL

[derivations.formats]
words = added.rows:WORDS

[derivations.languages]
italian = added.italian:ITALIAN
"""
ROWS = '''"""An activation and an optimizer."""

from added.functions import FUNCTIONS
from derivations.rows import Format, Function, Optimizer, Rewrite, Slip

WORDS = Format("words", ".txt", "added.words:PRINTER", "the headings alone")
BENT = FUNCTIONS[0]
HALVED = Optimizer(
    "Halved", torch="", hyper={"lr": None}, equations="theta = theta - lr/2*g", arguments="",
    convention="half a step against the gradient", source="a test",
)
FORGETFUL = Slip(
    "bias-forgotten", title="the bias forgotten", explanation="You forgot the bias.",
    absent="There is no bias.", changes=(Rewrite("values", "x + theta", "x"),),
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


def example() -> str:
    """The activation of the contributor's guide, as it stands there."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (found,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    return str(found)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which the package was installed from a wheel."""
    folder = tmp_path_factory.mktemp("outside")
    files = {
        "added/__init__.py": "",
        "added/rows.py": ROWS,
        "added/functions.py": example(),
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
    assert "bias-forgotten" in shown


APPLIED = """
from derivations.catalogue.slips import BY_NAME
from derivations.exercises.slips import Sought, answer, slipped
from derivations.model.example import prepare
from derivations.spec.gallery import path
from derivations.spec.spec import read_spec
example = prepare(*read_spec(path("linear-regression")))
print(*(answer(each, Sought(1, "yhat", (2,))) for each in slipped(example, BY_NAME["bias-forgotten"])))
"""


def test_a_slip_of_another_package_is_made(installed: Path) -> None:
    path = os.pathsep.join([str(ROOT), str(installed / "site")])
    environment = {**os.environ, "PYTHONPATH": path}
    call = [sys.executable, "-c", APPLIED]
    run = subprocess.run(call, env=environment, capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["1"]  # 0.5*2, without the 1


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


# --- rows that cannot be read -------------------------------------------------------------------------

GOOD = Function(
    "good",
    slope="1 + x",
    torch="torch.exp",
    latex=r"\mathrm{good}",
    rule="a derivative",
    formula="x + x**2/2",
)


@pytest.mark.parametrize(
    ("field", "text", "said"),
    [
        ("formula", "", "formula is empty"),
        ("slope", "", "slope is empty"),
        ("slope", "1 +* x", "slope '1 +* x' cannot be read"),
        ("formula", "sqroot(x)", "calls 'sqroot'"),
        ("formula", "good(x)", "calls 'good'"),
        ("slope", "good(y)", "reads 'y'"),
        ("latex", r"\mathrm{good", "latex"),
        ("latex", r"\tanh", "is that of 'tanh'"),
        ("torch", "", "torch '' cannot be read"),
        ("torch", "torch.exp({z})", "reads 'z'"),
    ],
)
def test_a_field_that_cannot_be_read_is_named(field: str, text: str, said: str) -> None:
    assert fault_of(GOOD, FUNCTIONS) == ""
    found = fault_of(replace(GOOD, **{field: text}), FUNCTIONS)
    assert found.startswith(field)
    assert said in found


def test_our_own_rows_can_be_read() -> None:
    for place, row in enumerate(FUNCTIONS):
        if row.formula:
            assert fault_of(row, FUNCTIONS[:place]) == ""
    for others in (OPTIMIZERS, LOSSES, SAMPLE_LOSSES, SCHEDULES, CLIPPINGS, LAYERS, SLIPS):
        assert [fault for row in others if (fault := fault_of(row, ()))] == []
    assert "cannot be read" in fault_of(replace(OPTIMIZERS[0], equations="theta = theta -* g"), ())


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ((), "changes is empty"),
        ((Rewrite("slope", "a", "b"),), "of 'slope' is no stage; write slopes"),  # type: ignore[arg-type]
        ((Rewrite("slopes", "a +* b", "a"),), "'a +* b' cannot be read"),
        ((Rewrite("slopes", "a**2", "2**"),), "'2**' cannot be read"),
        ((Rewrite("slopes", "a**2", "c"),), "'c' reads 'c', which stands for nothing"),
        ((Memory("theta", "older", "before", "0"),), "'older' reads 'older', which stands for nothing"),
    ],
)
def test_a_slip_that_cannot_be_read_is_named(changes: tuple[Rewrite, ...], said: str) -> None:
    assert said in fault_of(replace(SLIPS[0], changes=changes), SLIPS)


BAD = r"""from dataclasses import replace
from added.rows import BENT
TYPO = replace(BENT, name='typo', latex=r'\mathrm{typo}', torch='torch.sinn')
BROKEN = replace(BENT, name='broken', latex=r'\mathrm{broken', torch='torch.sin')
"""


def test_a_name_that_torch_lacks_is_told_of_the_row(installed: Path) -> None:
    info = installed / "site" / "added-1.0.dist-info" / "entry_points.txt"
    text = info.read_text()
    (installed / "site" / "added" / "bad.py").write_text(BAD)
    added = "[derivations.functions]\ntypo = added.bad:TYPO\nbroken = added.bad:BROKEN\n"
    info.write_text(text.replace("[derivations.functions]\n", added))
    (installed / "typo.toml").write_text(SPEC.replace("bent(", "typo("), encoding="utf-8")
    try:
        run = command(installed, "build", "typo.toml", "--format", "md")
        assert run.returncode == 2, run.stderr
        assert "added: derivations.functions 'broken' is left out: Function 'broken': latex" in run.stderr
        assert "added: Function 'typo': torch: torch" in run.stderr
        assert "has no 'torch.sinn'\n  Did you mean 'sin" in run.stderr
    finally:
        info.write_text(text)
