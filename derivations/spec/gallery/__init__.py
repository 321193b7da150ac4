"""The shipped examples: one short spec file each."""

from __future__ import annotations

import tomllib
from pathlib import Path

from derivations.language.errors import SpecError, nearest

FOLDER = Path(__file__).resolve().parent
CONTENTS = FOLDER.parent / "contents.toml"


def names() -> list[str]:
    """The names of the gallery's examples."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def titles() -> dict[str, str]:
    """The title of each example by its name."""
    return {name: tomllib.loads(path(name).read_text())["title"] for name in names()}


def contents() -> dict[str, dict[str, str]]:
    """The examples in the order of teaching: heading, name, one sentence."""
    found: dict[str, dict[str, str]] = tomllib.loads(CONTENTS.read_text(encoding="utf-8"))
    return found


def path(name: str) -> Path:
    """The file of a gallery example."""
    return FOLDER / f"{name}.toml"


def find(spec: str) -> Path:
    """The spec file that a word on the command line means: a path, or a name of the gallery."""
    given = Path(spec)
    try:
        is_file, is_folder = given.is_file(), given.is_dir()
    except (OSError, ValueError) as fault:
        raise SpecError(f"this cannot be the name of a file: {fault}") from None
    if is_file:
        return given
    if spec in names():
        return path(spec)
    if is_folder:
        raise SpecError("this is a folder; name a spec file", file=spec)
    raise SpecError(
        "there is no such file, and no example of this name",
        file=spec,
        hint=nearest(spec, names(), "examples"),
    )
