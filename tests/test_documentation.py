"""The examples of the documentation run and give what they say."""

from __future__ import annotations

import doctest
import re
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

import derivations
from derivations.spec import gallery

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


@pytest.mark.parametrize("name", ["derivations", "derivations.page", "derivations.numbers.real"])
def test_docstrings(name: str) -> None:
    found = doctest.testmod(import_module(name))
    assert found.attempted
    assert not found.failed


def test_the_python_of_the_readme() -> None:
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    known: dict[str, object] = {}
    for line in "".join(blocks).splitlines():
        source, _, said = line.partition("  # ")
        if re.match(r"\w+ = |import ", source):
            exec(source, known)
        elif source.strip():
            value = eval(source, known)
            if said.startswith(("(", "[")):
                assert str(value) == said.strip()


def test_the_spec_of_the_readme_is_the_gallery_example() -> None:
    (spec,) = re.findall(r"```toml\n(.*?)```", README, re.DOTALL)
    assert tomllib.loads(spec) == tomllib.loads(gallery.path("linear-regression").read_text())
    assert derivations.build(spec, ("md",)).title == "Mini-batch SGD on y = 2x + 10"


def test_the_excerpt_of_the_readme_is_from_the_page() -> None:
    page = (ROOT / "output" / "linear-regression.md").read_text()
    shown = [line[2:] for line in README.splitlines() if line.startswith("> ") and line[2:] != "$$"]
    assert len(shown) > 5
    joined = page.replace("\n$$\n\n$$\n=", " =")
    assert all(line in joined for line in shown)


def test_the_links_of_the_readme() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target


def test_the_commands_of_ci_are_those_of_the_readme() -> None:
    ci = (ROOT / ".ci" / "run").read_text()
    assert "-m pytest" in ci
    assert '-c constraints.txt -e ".[test]"' in README
    assert '-c constraints.txt -e ".[test]"' in ci


def test_the_architecture_page_names_the_folders() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    folders = [p.name for p in (ROOT / "derivations").iterdir() if p.is_dir() and not p.name.startswith("__")]
    assert all(f"`{name}/`" in text for name in folders)
