"""Remembering what was verified, by content.

The key of a page is the digest of everything that it depends on: the spec and the files that it
reads, the formats, this package and its templates, and the versions of the libraries that verified
it. A page is remembered only after it was verified; a changed byte anywhere is another key.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from platformdirs import user_cache_path

from derivations import __version__

PACKAGE = Path(__file__).resolve().parent
LIBRARIES = ("torch", "sympy", "python-flint", "jinja2", "pydantic", "markdown-it-py", "mdit-py-plugins")
KEPT = 500


def folder() -> Path:
    """Where remembered pages are kept, private to the user."""
    return user_cache_path("derivations") / "pages"


def key(spec: Path, formats: tuple[str, ...]) -> str:
    """The digest of everything that the page of a spec depends on."""
    digest = hashlib.sha256()
    for part in (__version__, sys.version, *formats, *_versions()):
        digest.update(f"{part}\0".encode())
    for file in [spec, *_beside(spec), *_own_files()]:
        content = file.read_bytes()
        digest.update(f"{file.name} {len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def _versions() -> Iterator[str]:
    for name in LIBRARIES:
        try:
            yield f"{name} {version(name)}"
        except PackageNotFoundError:
            yield f"{name} missing"


def _own_files() -> list[Path]:
    inside = PACKAGE / "templates"
    templates = inside if inside.is_dir() else PACKAGE.parent / "templates"
    return sorted([*PACKAGE.rglob("*.py"), *templates.rglob("*.j2")])


def _beside(spec: Path) -> list[Path]:
    """The CSV files that a spec names, if they can be read; errors are left to the real reader."""
    try:
        data = tomllib.loads(spec.read_text(encoding="utf-8")).get("data", {})
        names = [v["csv"] for v in data.values() if isinstance(v, dict) and isinstance(v.get("csv"), str)]
        files = [spec.parent / name for name in names]
        return [file for file in files if file.is_file() and file.stat().st_size <= 1_000_000]
    except (OSError, ValueError, AttributeError, RecursionError):
        return []


def recall(digest: str) -> dict[str, str] | None:
    """The texts of a page that was verified before, or None."""
    try:
        stored = json.loads((folder() / f"{digest}.json").read_text(encoding="utf-8"))
        texts: dict[str, str] = stored["texts"]
        return texts if stored["check"] == _check(texts) else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def remember(digest: str, texts: dict[str, str]) -> None:
    """Keep the texts of a verified page; a cache that cannot be written is not an error."""
    try:
        folder().mkdir(parents=True, exist_ok=True, mode=0o700)
        text = json.dumps({"check": _check(texts), "texts": texts})
        write_atomically(folder() / f"{digest}.json", text)
        pages = sorted(folder().glob("*.json"), key=lambda page: page.stat().st_mtime)
        for old in pages[:-KEPT]:
            old.unlink(missing_ok=True)
    except OSError:
        return


def _check(texts: dict[str, str]) -> str:
    return hashlib.sha256(json.dumps(texts, sort_keys=True).encode()).hexdigest()


def write_atomically(path: Path, text: str) -> None:
    """Write a file so that a reader, or a killed process, sees the old text or the new one."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
        os.chmod(name, 0o644 & ~_umask())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
