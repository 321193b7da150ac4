"""The files of a page change together or not at all: whatever fails, whenever the process is killed."""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from derivations import files
from derivations.files import Outside, finish, write_together

OLD = {"p.md": b"old page", "p.json": b"old trace", "w/p-graph.svg": b"old picture", "gone.tex": b"old"}
NEW = {"p.md": b"new page", "p.json": b"new trace", "w/p-graph.svg": b"new picture", "w/q/new.html": b"new"}
AFTER = {**NEW, "kept.txt": b"the lecturer's"}
BEFORE = {**OLD, "kept.txt": b"the lecturer's"}
STEPS = ("replace", "fsync", "link", "chmod", "unlink", "mkdir", "rmdir", "open")
"""What the operating system is asked for; each call may be the last one, or fail."""


def tree(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file() or path.is_symlink())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def planted(folder: Path) -> Path:
    for name, content in BEFORE.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def change(top: Path) -> list[str]:
    return write_together(top, NEW, ["gone.tex", "never-there.tex"])


@contextmanager
def at_call(number: int, act: Callable[[], None]) -> Iterator[list[int]]:
    """``act`` instead of the call of the operating system that has this number; how many there were."""
    calls = [0]
    with pytest.MonkeyPatch.context() as patch:
        for name in STEPS:
            real = getattr(os, name)

            def counted(*args: Any, real: Callable[..., Any] = real, **more: Any) -> Any:
                calls[0] += 1
                if calls[0] == number:
                    act()
                return real(*args, **more)

            patch.setattr(os, name, counted)
        yield calls


def test_a_set_of_files_is_written_and_what_is_there_keeps_its_time(tmp_path: Path) -> None:
    top = planted(tmp_path)
    assert change(top) == ["gone.tex"]
    assert tree(top) == AFTER
    times = {path: path.stat().st_mtime_ns for path in top.rglob("*")}
    assert change(top) == []
    assert {path: path.stat().st_mtime_ns for path in top.rglob("*")} == times
    assert oct((top / "p.md").stat().st_mode & 0o777) == oct(0o644 & ~files.umask())


def test_a_full_disk_at_any_step_leaves_the_old_set(tmp_path: Path) -> None:
    def full() -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    for number in range(1, 200):
        top = planted(tmp_path / str(number))
        with at_call(number, full) as calls:
            try:
                change(top)
                expected = AFTER
            except OSError:
                expected = BEFORE
        left = {name: content for name, content in tree(top).items() if not name.startswith(files.ASIDE)}
        assert left == expected, number  # what could not be cleared away is no failure
        finish(top)
        assert tree(top) in (BEFORE, AFTER), number
        assert [path.name for path in top.glob(".*")] == [], number
        if calls[0] < number:
            assert number > 25
            return
    raise AssertionError("it never came to an end")


@pytest.mark.slow
def test_who_is_killed_at_any_step_leaves_the_old_set_or_the_new_one(tmp_path: Path) -> None:
    seen = set[str]()
    for number in range(1, 200):
        top = planted(tmp_path / str(number))
        child = os.fork()
        if not child:
            with at_call(number, lambda: os.kill(os.getpid(), signal.SIGKILL)):
                change(top)
            os._exit(0)
        status = os.waitpid(child, 0)[1]
        finish(top)
        found = tree(top)
        assert found in (BEFORE, AFTER), number
        assert [path.name for path in top.glob(".*")] == [], number
        seen.add("new" if found == AFTER else "old")
        if not status:
            assert seen == {"new", "old"}
            return
    raise AssertionError("it never came to an end")


def test_a_disk_that_is_really_full(tmp_path: Path) -> None:
    """A limit on the size of files stops the writing itself, in the middle of a file."""
    import resource

    top = planted(tmp_path)
    child = os.fork()
    if not child:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        try:
            write_together(top, {**NEW, "w/large": b"x" * 5000})
        except OSError:
            os._exit(7)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    assert tree(top) == BEFORE


def test_a_folder_in_the_way_leaves_the_old_set(tmp_path: Path) -> None:
    top = planted(tmp_path)
    (top / "w" / "q" / "new.html").mkdir(parents=True)
    with pytest.raises(IsADirectoryError):
        change(top)
    assert tree(top) == BEFORE


def test_nothing_is_written_through_a_link_or_outside(tmp_path: Path) -> None:
    top, victim = planted(tmp_path / "out"), tmp_path / "victim"
    victim.mkdir()
    (victim / "p.md").write_bytes(b"mine")
    (top / "week1").symlink_to("../victim")
    for name in ("week1/p.md", "../victim/p.md", str(victim / "p.md"), "w/../../victim/p.md", "a\0b", ""):
        with pytest.raises(Outside):
            write_together(top, {"p.md": b"new page", name: b"theirs"})
    assert write_together(top, {}, ["week1/p.md", "../victim/p.md", str(victim / "p.md")]) == []
    assert tree(victim) == {"p.md": b"mine"}
    assert (top / "p.md").read_bytes() == b"old page"


def test_a_link_in_the_place_of_a_file_is_replaced(tmp_path: Path) -> None:
    top = planted(tmp_path / "out")
    (tmp_path / "victim").write_bytes(b"mine")
    (top / "p.md").unlink()
    (top / "p.md").symlink_to("../victim")
    change(top)
    assert (tmp_path / "victim").read_bytes() == b"mine"
    assert not (top / "p.md").is_symlink()


@pytest.mark.parametrize("gone", ["../victim", "/etc/victim", "course.toml"])
def test_a_list_that_somebody_planted_is_not_obeyed(tmp_path: Path, gone: str) -> None:
    import hashlib
    import json

    top = planted(tmp_path / "out")
    (tmp_path / "victim").write_bytes(b"mine")
    (top / "course.toml").write_bytes(b"mine")
    aside = top / f"{files.ASIDE}x"
    aside.mkdir()
    text = json.dumps({"new": ["../victim"] if gone == "../victim" else [], "gone": [gone]}).encode()
    (aside / files.LIST).write_bytes(hashlib.sha256(text).hexdigest().encode() + b"\n" + text)
    (aside / "new0").write_bytes(b"theirs")
    finish(top)
    assert (tmp_path / "victim").read_bytes() == b"mine"
    assert (top / "course.toml").exists()
    assert not aside.exists()


def test_the_module_asks_for_nothing_that_is_not_watched_here() -> None:
    """Every function of `os` that changes a disk is one of the steps at which it is interrupted."""
    changing = {"rename", "remove", "symlink", "truncate", "removedirs", "makedirs", "renames", "write"}
    text = Path(files.__file__).read_text()
    assert not {name for name in changing if f"os.{name}(" in text}
