"""The folder of an author's templates: where it is, and what lies in it, read once and as data.

It is a folder beside a spec or in a folder above it, up to that of the project. Nothing outside of it is
read: a link is not followed, and what else is no plain file is refused.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from derivations.language.errors import SpecError

HIGHEST = 8
PROJECT = (".git", "course.toml")
MOST_FILES, LARGEST, MOST_BYTES, DEEPEST = 200, 200_000, 2_000_000, 6
HINT = "A folder of templates holds templates and what they include, nothing else."


@dataclass(frozen=True)
class Templates:
    """The files of a folder of templates by their path in it, as they were when they were read."""

    folder: Path
    files: tuple[tuple[str, bytes], ...] = ()

    def __contains__(self, name: object) -> bool:
        return any(known == name for known, _ in self.files)

    def text(self, name: str) -> str:
        """The text of a file; raises `SpecError` for one that is not UTF-8, LookupError if there is none."""
        content = dict(self.files)[name]
        try:
            return content.decode()
        except UnicodeDecodeError as fault:
            line = content[: fault.start].count(b"\n") + 1
            raise SpecError("this file is not UTF-8", file=self.place(name), line=line, column=1) from None

    def place(self, name: str) -> str:
        """A file as a message names it."""
        return str(self.folder / name)

    def where(self, text: str) -> str:
        """``mine/latex/page.tex.j2:3:1: `` for a text that stands so in a template; else empty."""
        for name, content in self.files if text.strip() else ():
            for line, one in enumerate(content.decode(errors="replace").splitlines(), 1):
                if text.strip() in one and name.endswith(".j2"):
                    return f"{self.folder.name}/{name}:{line}:{one.index(text.strip()) + 1}: "
        return ""


def template_folder(beside: Path, name: str) -> Path | None:
    """The nearest folder of this name, in the folder of the spec or in one above it.

    The search ends at the folder of the project: the one with ``.git``, else the one with ``course.toml``,
    else seven folders up. It never looks into the root of the file system, and a link is no such folder.
    """
    found = (top / name for top in _searched(beside))
    return next((one for one in found if one.is_dir() and not one.is_symlink()), None)


def _searched(beside: Path) -> list[Path]:
    """The folder of a spec and those above it that belong to the same project."""
    above = [top for top in (beside, *beside.parents) if top != top.parent][:HIGHEST]
    for mark in PROJECT:
        for count, top in enumerate(above, 1):
            if os.path.lexists(top / mark):
                return above[:count]
    return above


def read_templates(folder: Path) -> Templates:
    """What lies in a folder of templates. Raises `SpecError` at a link, or where there is too much."""
    files: list[tuple[str, bytes]] = []
    held = 0
    for path in _files(folder, DEEPEST):
        content = _content(path)
        held += len(content)
        if len(files) == MOST_FILES or held > MOST_BYTES:
            most = f"{MOST_FILES} files or {MOST_BYTES // 1_000_000} MB"
            raise SpecError(
                f"a folder of templates may not hold more than {most}", file=str(folder), hint=HINT
            )
        files.append((path.relative_to(folder).as_posix(), content))
    return Templates(folder, tuple(sorted(files)))


def _files(folder: Path, deep: int) -> Iterator[Path]:
    """The plain files below a folder; hidden ones, as editors leave them, are not looked at."""
    if not deep:
        raise SpecError("these folders of templates are nested too deeply", file=str(folder), hint=HINT)
    with os.scandir(folder) as entries:
        for entry in entries:
            path = folder / entry.name
            if entry.name.startswith("."):
                continue
            if entry.is_symlink():
                raise SpecError("a link; templates are read from their own folder only", file=str(path))
            if entry.is_dir(follow_symlinks=False):
                yield from _files(path, deep - 1)
            elif entry.is_file(follow_symlinks=False):
                yield path
            else:
                raise SpecError("neither a file nor a folder", file=str(path), hint=HINT)


def _content(path: Path) -> bytes:
    """The bytes of a file that is a plain one still when it is opened."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    try:
        with open(os.open(path, flags), "rb") as stream:
            found = os.fstat(stream.fileno())
            if not stat.S_ISREG(found.st_mode) or found.st_size > LARGEST:
                raise SpecError("this file is too large for a template", file=str(path), hint=HINT)
            return stream.read(LARGEST)
    except OSError as fault:
        raise SpecError(f"cannot read this file: {fault.strerror}", file=str(path)) from None
