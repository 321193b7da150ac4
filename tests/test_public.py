"""The front door: what the package offers, what it takes, and how it speaks of what it does not take."""

from __future__ import annotations

import inspect
import json
import re
import subprocess
import sys
import typing
from pathlib import Path
from typing import Any

import pytest

import derivations
from derivations.spec.keywords import PageKeywords, TrainingKeywords
from derivations.spec.spec import TrainingTable
from derivations.spec.tables import PageTable
from tests.built import page

ROOT = Path(__file__).parent.parent


def test_the_package_lists_its_names() -> None:
    assert dir(derivations) == sorted(derivations.__all__)
    assert all(getattr(derivations, name) is not None for name in dir(derivations))
    with pytest.raises(AttributeError, match="no attribute 'biuld'"):
        derivations.biuld  # noqa: B018


def types_in(hint: Any) -> set[type]:
    inner = [part for argument in typing.get_args(hint) for part in types_in(argument)]
    return {*inner, hint} if isinstance(hint, type) else set(inner)


def test_public_signatures_name_public_types_only() -> None:
    public = {getattr(derivations, name) for name in derivations.__all__}
    for name in derivations.__all__:
        if not inspect.isfunction(function := getattr(derivations, name)):
            continue
        for hint in typing.get_type_hints(function).values():
            own = {each for each in types_in(hint) if each.__module__.startswith("derivations.")}
            assert own <= public | {PageKeywords, TrainingKeywords}, name


def test_keywords_are_the_keys_of_the_tables() -> None:
    assert set(PageKeywords.__annotations__) == set(PageTable.model_fields)
    assert set(TrainingKeywords.__annotations__) == set(TrainingTable.model_fields) - {"optimizer"}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"detial": "brief"}, "unknown key 'detial' of the page\n  Did you mean 'detail'?"),
        ({"lr": 0.2}, r"'lr' is a value of the run .*\n.*with_\(lr=…\)"),
        ({"w": 1}, r"'w' is a value of the run .*\n.*with_\(w=…\)"),
        ({"betas": (0.9, 0.99)}, r"'betas' is a value of the run .*\n.*with_\(betas=…\)"),
        ({"batch_size": 3}, r"'batch_size' is a value of the run .*\n.*with_\(batch_size=…\)"),
        ({"formats": "hmtl"}, "unknown format 'hmtl'\n  Did you mean 'html'?"),
        ({"formats": ("md", "jsno")}, "unknown format 'jsno'\n  Did you mean 'json'?"),
    ],
)
def test_keywords_that_do_not_exist_are_told_the_nearest(given: Any, words: str) -> None:
    with pytest.raises(derivations.DerivationsError) as caught:
        derivations.build("linear-regression", **given)
    assert re.match(words.replace("?", r"\?"), str(caught.value))


def test_one_format_by_its_name() -> None:
    assert set(derivations.build("linear-regression", "csv").contents) == {"csv"}
    assert set(derivations.build("linear-regression", "csv, json").contents) == {"csv", "json"}
    assert set(page("linear-regression").files("csv")) == {"linear-regression.csv"}


# --- the footer -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bare() -> derivations.Page:
    return derivations.build("linear-regression", (), hide=["footer"])


def test_without_its_footer_a_page_is_the_same(bare: derivations.Page) -> None:
    whole = page("linear-regression")["md"]
    assert whole.startswith(bare["md"].rstrip("\n"))
    (footer,) = whole.removeprefix(bare["md"].rstrip("\n")).strip().splitlines()
    assert footer.startswith("Worked and verified with derivations")


@pytest.mark.parametrize("form", ["md", "html", "tex", "json", "csv", "ipynb", "typ", "slides", "svg"])
def test_without_its_footer_no_version_and_no_digest_is_left(bare: derivations.Page, form: str) -> None:
    held = json.loads(bare[form]).get("spec", "") if form == "json" else ""
    text = bare[form].replace(held, "") if held else bare[form]
    assert derivations.__version__ not in text.replace("0.1.0.", "")
    assert "python-flint" not in text
    assert "sha256:" not in text


def test_show_lists_parts_and_hide_may_still_take_the_footer_away() -> None:
    shown = derivations.build("linear-regression", (), show=["steps"], hide=["footer"])["md"]
    assert "Worked and verified" not in shown
    assert "Worked and verified" in derivations.build("linear-regression", (), show=["steps"])["md"]


# --- what a type checker says of a user's script -----------------------------------------------------------

GOOD = """
from fractions import Fraction
import derivations

page = derivations.build("linear-regression", "html", detail="brief", hide=["footer", "program"], steps=[1])
step = page.trace.steps[0]
slope: derivations.Real = step.value("dL/dw")
exact: derivations.Real = 2*slope + Fraction(1, 3)
rough: float = slope*0.5
rows: list[float] = step.array("yhat").numpy().tolist()
text: str = page["md"]
print(f"{exact:.3f}", rough, rows, text, slope == -34.5, slope.bound, page.report.checks[0].ok, step["w"])
"""
BAD = (
    ('derivations.build("linear-regression", detial="brief")', 'Unexpected keyword argument "detial"'),
    ('derivations.build("linear-regression", detail="breif")', "Literal"),
    ('derivations.build("linear-regression", hide=["footers"])', "footers"),
    ('derivations.from_module(None, 1, "MSELoss", bacth_size=2)', 'Unexpected keyword argument "bacth_size"'),
    ('derivations.build("x").traec', 'has no attribute "traec"'),
    ('derivations.biuld("x")', 'has no attribute "biuld"'),
)


@pytest.mark.slow
def test_a_type_checker_finds_misspelt_keywords(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.py", tmp_path / "bad.py"
    good.write_text(GOOD)
    bad.write_text("\n".join(["import derivations", *(line for line, _ in BAD)]))
    options = [
        "--strict",
        "--follow-imports=silent",
        "--config-file=",
        "--cache-dir",
        str(tmp_path / "cache"),
    ]
    command = [sys.executable, "-m", "mypy", *options, str(good), str(bad)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    said = done.stdout.splitlines()
    assert not [line for line in said if "good.py" in line]
    for number, (line, words) in enumerate(BAD, 2):
        assert any(f"bad.py:{number}:" in each and words in each for each in said), (line, said)
