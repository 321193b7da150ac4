"""Files that change together or not at all, and never outside of their folder.

New contents are first written aside, into a hidden folder of the output, with what lay there before and a
list of what is to happen; then they are renamed, one after another. Whoever is killed before the list is
complete has changed nothing; whoever is killed after it has left a change that the next start finishes. What
fails while the process lives is undone.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath

ASIDE, LIST = ".derivations-", "list"


class Outside(OSError):
    """A file that would lie outside of the folder that it is written into."""


@dataclass(frozen=True)
class Change:
    """Files by their path below a folder: those that get new contents, and those that go."""

    new: tuple[str, ...]
    gone: tuple[str, ...]


def write_together(top: Path, files: Mapping[str, bytes], gone: Iterable[str] = ()) -> list[str]:
    """Write files by their path below a folder and remove others, all or none; which were removed.

    A file that has its bytes already keeps its time. Raises OSError, `Outside` where a path leads out of the
    folder or passes a link.
    """
    top.mkdir(parents=True, exist_ok=True)
    with _alone(top):
        _finish(top)
        new = {name: content for name, content in files.items() if not _lies(place(top, name), content)}
        left = [name for name in gone if is_inside(name) and _is_there(top, name)]
        if new or left:
            _change(top, new, Change(tuple(new), tuple(left)))
    return left


def finish(top: Path) -> None:
    """Bring to an end what a killed process left half done in a folder."""
    if any(_asides(top)):
        with _alone(top), suppress(OSError):
            _finish(top)


def is_inside(name: object) -> bool:
    """Whether a path is one below a folder, and of a file that may be removed there: no spec."""
    if not isinstance(name, str) or "\\" in name or "\0" in name:
        return False
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and path.suffix != ".toml"


def place(top: Path, name: str) -> Path:
    """Where a file lies below a folder. Raises `Outside` unless every folder on the way is a real one."""
    parts = PurePosixPath(name).parts
    if not parts or PurePosixPath(name).is_absolute() or ".." in parts or "\0" in name:
        raise Outside(0, f"'{name}' lies outside of it")
    here = top
    for part in parts[:-1]:
        here = here / part
        if here.is_symlink():
            raise Outside(0, f"'{here}' is a link, and nothing is written through links")
    return top / name


# --- a change -------------------------------------------------------------------------------------


def _change(top: Path, new: Mapping[str, bytes], change: Change) -> None:
    aside = Path(tempfile.mkdtemp(prefix=ASIDE, dir=top))
    listed = False
    try:
        for at, (name, content) in enumerate(new.items()):
            _written(aside / f"new{at}", content)
            place(top, name).parent.mkdir(parents=True, exist_ok=True)
        for at, name in enumerate((*change.new, *change.gone)):
            _kept(place(top, name), aside / f"old{at}")
        text = json.dumps(asdict(change)).encode()
        digest = hashlib.sha256(text).hexdigest().encode()
        _written(aside / "part", digest + b"\n" + text)
        listed = True
        os.replace(aside / "part", aside / LIST)
        _flushed(aside)
        _applied(top, aside, change)
    except BaseException:
        if listed:
            _undone(top, aside, change)
        raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _applied(top: Path, aside: Path, change: Change) -> None:
    for at, name in enumerate(change.new):
        if (aside / f"new{at}").exists():  # else it was renamed before
            place(top, name).parent.mkdir(parents=True, exist_ok=True)
            os.replace(aside / f"new{at}", place(top, name))
    for name in change.gone:
        place(top, name).unlink(missing_ok=True)
    for folder in {place(top, name).parent for name in (*change.new, *change.gone)}:
        _flushed(folder)


def _undone(top: Path, aside: Path, change: Change) -> None:
    (aside / LIST).unlink(missing_ok=True)  # whoever is killed from here on has changed what is not listed
    for at, name in enumerate((*change.new, *change.gone)):
        with suppress(OSError):
            if os.path.lexists(aside / f"old{at}"):
                os.replace(aside / f"old{at}", place(top, name))
            elif at < len(change.new) and not (aside / f"new{at}").exists():
                place(top, name).unlink(missing_ok=True)


def _kept(path: Path, aside: Path) -> None:
    """Keep what lies at a place, if it is a file: by a second name, or else a copy."""
    if path.is_dir() and not path.is_symlink():
        raise IsADirectoryError(0, f"'{path}' is a folder")
    if not os.path.lexists(path):
        return
    try:
        os.link(path, aside, follow_symlinks=False)
    except (OSError, NotImplementedError):
        shutil.copy2(path, aside, follow_symlinks=False)


def _written(path: Path, content: bytes) -> None:
    with path.open("xb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    os.chmod(path, 0o644 & ~umask())


def _flushed(folder: Path) -> None:
    """See to it that the names in a folder are on the disk."""
    with suppress(PermissionError):  # as on Windows, which cannot
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _is_there(top: Path, name: str) -> bool:
    try:
        return place(top, name).is_file()
    except OSError:
        return False


def _lies(path: Path, content: bytes) -> bool:
    try:
        return not path.is_symlink() and path.stat().st_size == len(content) and path.read_bytes() == content
    except OSError:
        return False


# --- what a killed process left -------------------------------------------------------------------


def _asides(top: Path) -> Iterator[Path]:
    with suppress(OSError), os.scandir(top) as entries:
        for entry in entries:
            if entry.name.startswith(ASIDE) and entry.is_dir(follow_symlinks=False):
                yield Path(entry.path)


def _finish(top: Path) -> None:
    for aside in list(_asides(top)):
        change = _listed(aside)
        if change is not None:
            try:
                _applied(top, aside, change)
            except OSError:  # what stood in the way then stands there still
                _undone(top, aside, change)
        shutil.rmtree(aside)


def _listed(aside: Path) -> Change | None:
    """The list of what was to happen, if it is whole; it is no more than a text, and is not trusted."""
    with suppress(OSError, ValueError, TypeError, KeyError, RecursionError):
        digest, _, text = (aside / LIST).read_bytes().partition(b"\n")
        if hashlib.sha256(text).hexdigest().encode() == digest:
            found = json.loads(text)
            change = Change(tuple(found["new"]), tuple(found["gone"]))
            return change if all(map(is_inside, change.gone)) else None
    return None


@contextmanager
def _alone(top: Path) -> Iterator[None]:
    """No other process changes the files of this folder meanwhile; a lock dies with its process."""
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    handle = os.open(top, os.O_RDONLY)
    try:
        with suppress(OSError):  # a file system without locks
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def umask() -> int:
    """What new files are not to be for others."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
