"""Which pages a command asks for: spec files, names of the gallery, and every spec below a folder."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from unicodedata import normalize

from derivations.courses.inputs import MAX_BYTES, Inputs, inputs
from derivations.language.errors import DerivationsError, SpecError
from derivations.notation.languages import LANGUAGES, SOURCE, code_of
from derivations.spec.gallery import find, names

COURSE = "course.toml"
SKIPPED = {"node_modules", "__pycache__", "venv"}
TABLES = {"title", "data", "parameters", "training", "page"}
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
TOP = PurePosixPath()
HINT = "A spec is a .toml file with a table [model]; 'derivations new NAME' writes one to start from."


@dataclass(frozen=True)
class Planned:
    """A page to build: its spec, what it is called, the folder in the output that it goes into.

    ``read`` is the spec with what it reads, or None if it could not be read; ``fault`` says why there is
    nothing to build.
    """

    spec: Path
    name: str
    within: PurePosixPath = TOP
    read: Inputs | None = None
    fault: DerivationsError | None = None

    @property
    def place(self) -> str:
        """The page in its course, without a suffix: ``week1/sgd``."""
        return str(self.within / self.spec.stem)

    @property
    def title(self) -> str:
        """The title that the spec gives, in one line; without one, the name of the file."""
        title = (self.read.tables or {}).get("title") if self.read else None
        return one_line(title if isinstance(title, str) and title.strip() else self.spec.stem)

    @property
    def language(self) -> str:
        """The language that the spec gives its page, by its code; empty if it cannot be read."""
        page = (self.read.tables or {}).get("page", {}) if self.read else None
        found = page.get("language", SOURCE) if isinstance(page, dict) else ""
        return code_of(found) if isinstance(found, str) and code_of(found) in LANGUAGES else ""


@dataclass(frozen=True)
class Plan:
    """What a command asks for, in order; ``root`` is the folder of the course, if it names one.

    ``ignored`` are TOML files that are no specs, ``folders`` all folders that were looked into.
    """

    pages: tuple[Planned, ...]
    root: Path | None = None
    ignored: tuple[str, ...] = ()
    folders: tuple[Path, ...] = ()


def one_line(text: str) -> str:
    """Text that may be shown anywhere: no control characters, no half characters."""
    return " ".join(CONTROL.sub(" ", text.encode(errors="replace").decode()).split())


def folded(path: str) -> str:
    """A path as a file system sees it that does not tell small letters from capitals."""
    return normalize("NFC", path).casefold()


def near(path: Path) -> Path:
    """A path as a person here would write it."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def plan(words: Sequence[str], output: Path) -> Plan:
    """The pages that some words of the command line ask for; faults are kept with their pages.

    Folders of one command share a root, their common one, and every page keeps its place below it.
    """
    folders = {word: Path(word).resolve() for word in dict.fromkeys(words) if _is_course(word)}
    root = Path(os.path.commonpath(folders.values())) if folders else None
    pages: list[Planned] = []
    ignored: list[str] = []
    visited: list[Path] = []
    for word, folder in folders.items():
        assert root is not None
        found = list(_below(Path(word), folder, root, output.resolve(), visited))
        pages += [page for page in found if isinstance(page, Planned)]
        ignored += [name for name in found if isinstance(name, str)]
        if not any(isinstance(page, Planned) for page in found):
            pages.append(
                Planned(folder, word, fault=SpecError("there is no spec in it", file=word, hint=HINT))
            )
    pages += [_named(word) for word in words if word not in folders]
    return Plan(tuple(_apart(pages)), root, tuple(dict.fromkeys(ignored)), tuple(dict.fromkeys(visited)))


def _is_course(word: str) -> bool:
    try:
        return Path(word).is_dir() and word not in names()
    except (OSError, ValueError):
        return False


def _named(word: str) -> Planned:
    try:
        spec = find(word)
    except DerivationsError as fault:
        return Planned(Path(word), word, fault=fault)
    return Planned(spec, word, read=inputs(spec))


def _apart(pages: list[Planned]) -> Iterator[Planned]:
    """Each spec once; of two that would be written to one place, the second is a fault."""
    taken: dict[str, Planned] = {}
    seen: set[Path] = set()
    for page in pages:
        same = page.spec.parent.resolve() / page.spec.name
        if page.fault is None and same in seen:
            continue
        seen.add(same)
        first = taken.setdefault(folded(page.place), page) if page.fault is None else page
        if first is not page:
            message = f"'{first.name}' has the same name; one page would overwrite the other"
            page = Planned(page.spec, page.name, fault=SpecError(message, file=page.name))
        yield page


# --- walking --------------------------------------------------------------------------------------


def _below(
    shown: Path, folder: Path, root: Path, output: Path, visited: list[Path]
) -> Iterator[Planned | str]:
    """Every spec in a folder, then those of the folders in it; a text is the name of an ignored file."""
    visited.append(folder)
    within = PurePosixPath(folder.relative_to(root).as_posix())
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: natural(entry.name))
    except OSError as fault:
        where = SpecError(f"cannot read this folder: {fault.strerror}", file=str(shown))
        yield Planned(folder, str(shown), within, fault=where)
        return
    for entry in entries:
        if entry.name.endswith(".toml") and entry.name[0] != "." and not entry.is_dir():
            yield from _file(shown / entry.name, within, entry)
    for entry in entries:
        if entry.is_dir(follow_symlinks=False) and not _skipped(entry, output):
            yield from _below(shown / entry.name, folder / entry.name, root, output, visited)


def _skipped(entry: os.DirEntry[str], output: Path) -> bool:
    hidden = entry.name.startswith(".") or entry.name in SKIPPED
    return hidden or Path(entry.path) == output or os.path.exists(os.path.join(entry.path, "pyvenv.cfg"))


def _file(path: Path, within: PurePosixPath, entry: os.DirEntry[str]) -> Iterator[Planned | str]:
    if entry.is_symlink() and not path.exists():
        yield Planned(path, str(path), within, fault=SpecError("this link leads nowhere", file=str(path)))
    elif entry.is_file() and entry.name != COURSE:
        read = inputs(path)
        if is_spec(read.tables) if read else entry.stat().st_size <= MAX_BYTES:
            yield Planned(path, str(path), within, read)
        else:
            yield str(path)


def is_spec(tables: dict[str, Any] | Any) -> bool:
    """Whether a TOML file is meant as a spec; one that cannot be read as TOML is, so that it is not lost."""
    return tables is None or "model" in tables or len(TABLES & set(tables)) >= 2


def natural(name: str) -> tuple[list[str | int], str]:
    """The order in which people count: week2 before week10."""
    parts = re.split(r"(\d+)", name.casefold().removesuffix(".toml"))
    return [int(part) if at % 2 else part for at, part in enumerate(parts)], name
