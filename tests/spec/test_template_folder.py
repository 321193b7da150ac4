"""Where an author's templates are looked for, and that nothing outside of their folder is read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from derivations.courses.inputs import inputs
from derivations.language.errors import SpecError
from derivations.spec.template_folder import (
    DEEPEST,
    LARGEST,
    MOST_BYTES,
    MOST_FILES,
    read_templates,
    template_folder,
)


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    folder = tmp_path / "mine"
    (folder / "markdown").mkdir(parents=True)
    (folder / "markdown" / "page.md.j2").write_text("page")
    (tmp_path / "secret.txt").write_text("secret")
    return folder


def test_a_folder_is_read_once_as_data(mine: Path) -> None:
    found = read_templates(mine)
    (mine / "markdown" / "page.md.j2").write_text("changed")
    assert found.text("markdown/page.md.j2") == "page"
    assert "../secret.txt" not in found
    assert str(mine / "secret.txt") not in found


@pytest.mark.parametrize("name", ["leak", "markdown/leak.j2"])
@pytest.mark.parametrize("target", ["secret.txt", ".", "nowhere", "mine/markdown"])
def test_a_link_is_not_followed(mine: Path, name: str, target: str) -> None:
    (mine / name).symlink_to(mine.parent / target)
    with pytest.raises(SpecError, match=f"{name}: a link"):
        read_templates(mine)


def test_a_folder_that_is_a_link_is_none(mine: Path) -> None:
    (mine.parent / "course").mkdir()
    (mine.parent / "course" / "other").symlink_to(mine)
    assert template_folder(mine.parent / "course", "other") is None
    assert template_folder(mine.parent / "course", "mine") == mine


def test_what_is_no_file_is_refused_and_not_waited_for(mine: Path) -> None:
    os.mkfifo(mine / "pipe.j2")
    with pytest.raises(SpecError, match="neither a file nor a folder"):
        read_templates(mine)


def test_the_search_ends_at_the_project(mine: Path) -> None:
    course = mine.parent / "project" / "course"
    spec = course / "week1"
    spec.mkdir(parents=True)
    assert template_folder(spec, "mine") == mine
    (course / "course.toml").write_text("")
    assert template_folder(spec, "mine") is None
    (course / "mine").mkdir()
    assert template_folder(spec, "mine") == course / "mine"
    (course / "mine").rmdir()
    (mine.parent / ".git").mkdir()  # a project may share one between its courses
    assert template_folder(spec, "mine") == mine


def test_the_root_is_never_looked_into(tmp_path: Path) -> None:
    assert template_folder(tmp_path, "etc") is None
    assert template_folder(Path("/"), "etc") is None


@pytest.mark.parametrize("kind", ["many", "large", "much", "deep"])
def test_too_much_is_not_read(mine: Path, kind: str) -> None:
    files = {
        "many": {f"{n}.j2": 1 for n in range(MOST_FILES)},
        "large": {"a.j2": LARGEST + 1},
        "much": {f"{n}.j2": LARGEST for n in range(MOST_BYTES // LARGEST + 1)},
        "deep": {"/".join("a" * (DEEPEST + 1)): 1},
    }
    for name, size in files[kind].items():
        (mine / name).parent.mkdir(parents=True, exist_ok=True)
        (mine / name).write_bytes(b"a" * size)
    with pytest.raises(SpecError, match=r"may not hold more|too large|nested"):
        read_templates(mine)


def test_the_key_of_a_page_reads_no_more_than_the_page(mine: Path) -> None:
    spec = mine.parent / "s.toml"
    spec.write_text('[page]\ntemplates = "mine"\n')
    read = inputs(spec)
    assert read is not None
    assert [name for name, _ in read.files] == ["s.toml", "mine/markdown/page.md.j2"]
    (mine / "leak").symlink_to(mine.parent / "secret.txt")
    assert inputs(spec) is None  # the page itself says why


def test_a_file_that_is_not_utf8_is_named(mine: Path) -> None:
    (mine / "a.j2").write_bytes(b"ok\n\xff")
    with pytest.raises(SpecError, match=r"a\.j2:2:1: .*UTF-8"):
        read_templates(mine).text("a.j2")
