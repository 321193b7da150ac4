"""What a page depends on, and the key that says so.

The key is the digest of everything: the spec and the files that it reads, the formats, this package and
its templates, and the versions of the libraries that verify. A changed byte anywhere is another key.
Nothing is decided by the time of a file: times lie.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from derivations import __version__
from derivations.catalogue import outside
from derivations.language.errors import SpecError
from derivations.spec.template_folder import read_templates, template_folder

PACKAGE = Path(__file__).resolve().parent.parent
MAX_BYTES = 1_000_000


@dataclass(frozen=True)
class Inputs:
    """A spec as it was read once: every file that its page depends on, and its tables; None: not TOML."""

    paths: tuple[Path, ...]
    files: tuple[tuple[str, bytes], ...]
    tables: Mapping[str, Any] | None


def inputs(spec: Path) -> Inputs | None:
    """What the page of a spec depends on; None for a spec that cannot be read."""
    try:
        if spec.stat().st_size > MAX_BYTES:
            return None
        text = spec.read_bytes()
        tables = _tables(text)
        folder = spec.parent.resolve()
        beside = dict.fromkeys(file for read in READERS for file in read(folder, tables or {}))
        files = [(os.path.relpath(file, folder), file.read_bytes()) for file in beside]
    except (OSError, ValueError):
        return None
    return Inputs((spec, *beside), ((spec.name, text), *files), tables)


def _tables(text: bytes) -> dict[str, Any] | None:
    """The tables of a spec; what is wrong with them is left to the real reader."""
    try:
        return tomllib.loads(text.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return None


def _columns(folder: Path, tables: Mapping[str, Any]) -> list[Path]:
    """The CSV files in the folder of a spec that its data name."""
    data = tables.get("data")
    values = data.values() if isinstance(data, dict) else ()
    return _inside(folder, [v.get("csv") for v in values if isinstance(v, dict)])


def _inside(folder: Path, names: list[Any]) -> list[Path]:
    found = []
    for name in names:
        try:
            file = (folder / name).resolve()
            if file.parent == folder and file.is_file() and file.stat().st_size <= MAX_BYTES:
                found.append(file)
        except (OSError, ValueError, RuntimeError, TypeError):  # a NUL, a circle of links, no text
            continue
    return found


def _templates(folder: Path, tables: Mapping[str, Any]) -> list[Path]:
    """What lies in the folder of templates that a page names."""
    page = tables.get("page")
    name = page.get("templates") if isinstance(page, dict) else None
    if not isinstance(name, str) or not name or set(name) & set("/\\\0") or name.startswith("."):
        return []
    found = template_folder(folder, name)
    try:
        return [found / file for file, _ in read_templates(found).files] if found else []
    except SpecError as fault:  # the page itself says so
        raise ValueError(fault.message) from None


READERS: tuple[Callable[[Path, Mapping[str, Any]], list[Path]], ...] = (_columns, _templates)
"""What reads files beside a spec: from its folder and its tables to the files. A new way to read is a row."""


def key(spec: Path, formats: tuple[str, ...]) -> str:
    """The digest of everything that the page of a spec depends on; empty for a spec that cannot be read."""
    read = inputs(spec)
    return "" if read is None else key_of(read, formats)


def key_of(read: Inputs, formats: tuple[str, ...]) -> str:
    """The key of a page whose inputs have been read."""
    return digest_of((form.encode() for form in formats), read.files)


def digest_of(parts: Iterable[bytes], files: tuple[tuple[str, bytes], ...] = ()) -> str:
    """The digest of some parts and files, and of the package and the libraries that work them."""
    digest = hashlib.sha256(_own_digest())
    for part in parts:
        digest.update(part + b"\0")
    for name, content in files:
        digest.update(f"{name} {len(content)}\0".encode(errors="surrogateescape"))
        digest.update(content)
    return digest.hexdigest()


@cache
def _own_digest() -> bytes:
    """The digest of this package, its templates and its libraries, once a process."""
    digest = hashlib.sha256()
    for part in (__version__, sys.version, *_versions()):
        digest.update(f"{part}\0".encode())
    for path in _own_files():
        content = path.read_bytes()
        digest.update(f"{path.relative_to(PACKAGE.parent)} {len(content)}\0".encode())
        digest.update(content)
    return digest.digest()


def _versions() -> Iterator[str]:
    from importlib.metadata import PackageNotFoundError, version

    yield from outside.versions()
    for name in libraries():
        try:
            yield f"{name} {version(name)}"
        except PackageNotFoundError:
            yield f"{name} missing"


def libraries() -> list[str]:
    """What this package requires: of the checkout that it lies in, or as it was installed."""
    from importlib.metadata import PackageNotFoundError, requires

    project = PACKAGE.parent / "pyproject.toml"
    try:
        if project.is_file() and PACKAGE.parent.name != "site-packages":
            wanted = tomllib.loads(project.read_text(encoding="utf-8"))["project"]["dependencies"]
        else:
            wanted = requires("derivations") or []
    except (PackageNotFoundError, KeyError, ValueError, OSError):
        wanted = []
    names = (re.match(r"[\w.-]+", line) for line in wanted if "extra ==" not in line)
    return sorted({name[0].lower() for name in names if name} | {"torch", "sympy", "python-flint"})


def _own_files() -> list[Path]:
    inside = PACKAGE / "templates"
    templates = inside if inside.is_dir() else PACKAGE.parent / "templates"
    found = {path for top in (PACKAGE, templates) for path in top.rglob("*") if path.is_file()}
    return sorted(path for path in found if path.suffix != ".pyc" and path.parent.name != "gallery")
