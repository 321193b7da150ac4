"""What a package index is told: addresses, licences, versions, and a README whose links work there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hatchling.metadata.core import CoreMetadata, ProjectMetadata
from hatchling.plugin.manager import PluginManager

ROOT = Path(__file__).parent.parent
URL = "https://github.com/derivations/derivations"


@pytest.fixture(scope="module")
def told() -> CoreMetadata:
    return ProjectMetadata(str(ROOT), PluginManager()).core


def test_the_links_of_the_readme_work_on_an_index(told: CoreMetadata) -> None:
    readme = (ROOT / "README.md").read_text()
    links = re.findall(r"(!?)\[[^\]]*\]\(([^)]+)\)", told.readme)
    assert len(links) == len(re.findall(r"!?\[[^\]]*\]\([^)]+\)", readme)) > 5
    for picture, target in links:
        assert target.startswith(f"{URL}/{'raw' if picture else 'blob'}/main/")
        assert (ROOT / target.partition("/main/")[2]).exists()
    assert told.readme_content_type == "text/markdown"


def test_the_address_stands_in_one_place() -> None:
    files = (ROOT / "pyproject.toml", ROOT / "hatch_build.py", ROOT / "README.md")
    texts = {path.name: path.read_text() for path in files}
    assert sum(text.count(URL) for text in texts.values()) == texts["pyproject.toml"].count(URL) == 1


def test_the_project_has_addresses_and_versions(told: CoreMetadata) -> None:
    assert set(told.urls) >= {"Source", "Documentation", "Changelog", "Issues"}
    assert all(address.startswith(URL) for address in told.urls.values())
    assert told.requires_python == ">=3.11"
    assert {f"Programming Language :: Python :: 3.{k}" for k in (11, 12, 13, 14)} <= set(told.classifiers)


def test_the_licences_of_what_the_wheel_holds(told: CoreMetadata) -> None:
    assert told.license_expression == "MIT AND LPPL-1.3c"
    assert [Path(file).name for file in told.license_files] == ["LICENSE", "GUST-FONT-LICENSE.txt"]
    fonts = [
        path for path in (ROOT / "templates").rglob("*") if path.suffix in (".woff2", ".woff", ".otf", ".ttf")
    ]
    assert fonts
    assert all((path.parent / "GUST-FONT-LICENSE.txt").exists() for path in fonts)
