"""Which files of an output folder belong to which spec, so that no page outlives what it was verified for.

``.derivations.json`` lies in the output of a course. When a spec fails, the files of its earlier page are
removed; so are those of a spec that is gone, and those of formats that were not built again after a change.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from derivations.courses.finding import Planned
from derivations.courses.outcome import Outcome
from derivations.files import is_inside, write_together

RECORD = ".derivations.json"


@dataclass(frozen=True)
class Entry:
    """The files of a page by their path in the output, and the digest of what they were built from."""

    source: str
    files: tuple[str, ...]


def with_record(output: Path, page: Planned, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files of a page that is about to be written, and the record in which they are its own already.

    Written together, no page can stay that nobody knows. Until `settle`, the page also owns what it had.
    """
    now, name, source = _read(output), _name(output, page), _source(page)
    old = now.get(name, Entry("", ()))
    same = source if old.source == source else ""
    now[name] = Entry(same, tuple(sorted({*old.files, *files})))
    return {**files, RECORD: _text(now)}


def settle(output: Path, outcomes: Iterable[Outcome], spared: frozenset[str]) -> list[str]:
    """Bring the record up to date and remove what no longer holds; the files that were removed.

    ``spared`` are files that specs read: they are never removed, whoever wrote them.
    """
    before = _read(output)
    now = {name: entry for name, entry in before.items() if (output / name).exists()}
    for outcome in outcomes:
        name, source = _name(output, outcome.page), _source(outcome.page)
        old = now.pop(name, Entry("", ()))
        if outcome.status != "failed":
            others = old.files if old.source == source else ()
            now[name] = Entry(source, tuple(sorted({*outcome.files, *others})))
    held = {file for entry in now.values() for file in entry.files}
    gone = dict.fromkeys(file for entry in before.values() for file in entry.files if file not in held)
    with suppress(OSError):
        return write_together(output, {RECORD: _text(now)}, [f for f in gone if _may_go(output, f, spared)])
    return []


def _name(output: Path, page: Planned) -> str:
    """A spec as it is seen from the output: the same on every machine that has the same folders."""
    try:
        return Path(os.path.relpath(page.spec, output)).as_posix()
    except ValueError:  # another drive
        return page.spec.as_posix()


def _source(page: Planned) -> str:
    digest = hashlib.sha256()
    for name, content in page.read.files if page.read else ():
        digest.update(f"{name} {len(content)}\0".encode(errors="surrogateescape") + content)
    return digest.hexdigest()


def _read(output: Path) -> dict[str, Entry]:
    """The record as it was, or none: it is no more than a text in a folder, and is not trusted."""
    with suppress(OSError, ValueError, TypeError, AttributeError, KeyError, RecursionError):
        found = json.loads((output / RECORD).read_text(encoding="utf-8"))
        return {
            name: Entry(entry["source"], tuple(file for file in entry["files"] if is_inside(file)))
            for name, entry in found.items()
        }
    return {}


def _text(now: Mapping[str, Entry]) -> bytes:
    text = json.dumps({name: asdict(now[name]) for name in sorted(now)}, indent=1) + "\n"
    return text.encode()


def _may_go(output: Path, file: str, spared: frozenset[str]) -> bool:
    path, top = output / file, os.path.realpath(output)
    outside = os.path.commonpath([top, os.path.realpath(path.parent)]) != top
    return not outside and os.path.realpath(path) not in spared
