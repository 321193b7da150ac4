"""Remembering what was verified, by content, and writing one file whole.

A page is remembered under its key (`courses/inputs.py`) only after it was verified. An entry is one file:
a line with the digest of the next line, a line that lists the files of the page with their digests and
lengths, then their bytes. To see that a page lies written as it was verified, the two lines are enough.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_cache_path

from derivations.files import umask

KEPT_BYTES = 500_000_000
HOUR = 3600
JUST_USED, FORGOTTEN = 24 * HOUR, 90 * 24 * HOUR
UNFINISHED = "."  # begins the name of a file that a killed process was writing


def folder() -> Path:
    """Where remembered pages are kept, private to the user."""
    return user_cache_path("derivations") / "pages"


@dataclass(frozen=True)
class Remembered:
    """A page that was verified before: the digest and length of each of its files, by name."""

    entry: Path
    listed: Mapping[str, tuple[str, int]]
    start: int

    def files(self) -> dict[str, bytes] | None:
        """The files by name, or None if what was kept is damaged."""
        found, at = {}, self.start
        try:
            kept = self.entry.read_bytes()
        except OSError:
            return None
        for name, (digest, length) in self.listed.items():
            found[name], at = kept[at : at + length], at + length
            if hashlib.sha256(found[name]).hexdigest() != digest:
                return None
        return found

    def lies_in(self, folder: Path) -> bool:
        """Whether every file lies in a folder, byte for byte."""
        return all(_same(folder / name, *expected) for name, expected in self.listed.items())


def _same(path: Path, digest: str, length: int) -> bool:
    try:
        if path.is_symlink() or path.stat().st_size != length:
            return False
        return hashlib.sha256(path.read_bytes()).hexdigest() == digest
    except OSError:
        return False


def recall(digest: str) -> Remembered | None:
    """The page that was remembered under a key, or None."""
    entry = folder() / f"{digest}.page"
    if not digest:
        return None
    try:
        with entry.open("rb") as stream:
            check, listing = stream.readline(), stream.readline()
            start = stream.tell()
        if check.decode().strip() != hashlib.sha256(listing).hexdigest():
            return None
        listed = {name: (kept, length) for name, kept, length in json.loads(listing)}
        if time.time() - entry.stat().st_mtime > HOUR:
            os.utime(entry)  # used: it stays
    except (OSError, ValueError, TypeError):
        return None
    return Remembered(entry, listed, start)


def remember(digest: str, files: Mapping[str, bytes]) -> None:
    """Keep the files of a verified page; a cache that cannot be written is not an error."""
    if not digest:
        return
    listed = [(name, hashlib.sha256(content).hexdigest(), len(content)) for name, content in files.items()]
    listing = json.dumps(listed).encode() + b"\n"
    check = hashlib.sha256(listing).hexdigest().encode() + b"\n"
    try:
        folder().mkdir(parents=True, exist_ok=True, mode=0o700)
        write_atomically(folder() / f"{digest}.page", b"".join((check, listing, *files.values())))
    except OSError:
        return


def forget(now: float | None = None) -> None:
    """Remove what was not used for 90 days and, beyond 500 MB, what was not used for a day, oldest first.

    What a killed process was writing goes after an hour.
    """
    now, held = now or time.time(), 0
    try:
        found = [(entry.stat(), Path(entry.path)) for entry in os.scandir(folder()) if entry.is_file()]
        for stat, path in sorted(found, key=lambda pair: -pair[0].st_mtime):
            unused = now - stat.st_mtime
            held += stat.st_size
            dead = path.name.startswith(UNFINISHED) and unused > HOUR
            if dead or unused > FORGOTTEN or (held > KEPT_BYTES and unused > JUST_USED):
                path.unlink(missing_ok=True)
    except OSError:
        return


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that a reader, or a killed process, sees the old content or the new one."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:60]}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        os.chmod(name, 0o644 & ~umask())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
