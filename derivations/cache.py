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
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from platformdirs import user_cache_path

from derivations import __version__

PACKAGE = Path(__file__).resolve().parent
LIBRARIES = (
    "torch",
    "sympy",
    "python-flint",
    "jinja2",
    "pydantic",
    "markdown-it-py",
    "mdit-py-plugins",
    "xlsxwriter",
)
KEPT, MAX_BYTES = 500, 1_000_000


def folder() -> Path:
    """Where remembered pages are kept, private to the user."""
    return user_cache_path("derivations") / "pages"


def key(spec: Path, formats: tuple[str, ...]) -> str:
    """The digest of everything that the page of a spec depends on; empty for a spec that cannot be read."""
    try:
        read = [spec, *_beside(spec)] if spec.stat().st_size <= MAX_BYTES else []
        files = [(file.name, file.read_bytes()) for file in (*read, *_own_files())]
    except (OSError, ValueError):
        read = []
    if not read:
        return ""
    digest = hashlib.sha256()
    for part in (__version__, sys.version, *formats, *_versions()):
        digest.update(f"{part}\0".encode())
    for name, content in files:
        digest.update(f"{name} {len(content)}\0".encode())
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
    """The CSV files in the folder of a spec that it names; errors are left to the real reader."""
    try:
        folder = spec.parent.resolve()
        data = tomllib.loads(spec.read_text(encoding="utf-8-sig")).get("data", {})
        names = [v["csv"] for v in data.values() if isinstance(v, dict) and isinstance(v.get("csv"), str)]
        files = [file for name in names if (file := (folder / name).resolve()).parent == folder]
        return [file for file in files if file.is_file() and file.stat().st_size <= MAX_BYTES]
    except (OSError, ValueError, AttributeError, RecursionError):
        return []


def recall(digest: str) -> dict[str, bytes] | None:
    """The files of a page that was verified before, by name, or None."""
    if not digest:
        return None
    try:
        stored = json.loads((folder() / f"{digest}.json").read_text(encoding="utf-8"))
        files: dict[str, str] = stored["files"]
        if stored["check"] != _check(files):
            return None
        return {name: b64decode(content) for name, content in files.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def remember(digest: str, files: Mapping[str, bytes]) -> None:
    """Keep the files of a verified page; a cache that cannot be written is not an error."""
    if not digest:
        return
    try:
        folder().mkdir(parents=True, exist_ok=True, mode=0o700)
        encoded = {name: b64encode(content).decode() for name, content in files.items()}
        text = json.dumps({"check": _check(encoded), "files": encoded})
        write_atomically(folder() / f"{digest}.json", text.encode())
        pages = sorted(folder().glob("*.json"), key=lambda page: page.stat().st_mtime)
        for old in pages[:-KEPT]:
            old.unlink(missing_ok=True)
    except OSError:
        return


def _check(files: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that a reader, or a killed process, sees the old content or the new one."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        os.chmod(name, 0o644 & ~_umask())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
