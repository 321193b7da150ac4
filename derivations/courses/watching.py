"""Waiting for something to be saved: a spec, a file that it reads, a folder of a course."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence, Set
from pathlib import Path

from watchfiles import Change, watch

from derivations.courses.finding import Plan, plan
from derivations.language.errors import SpecError

BURST, PAUSE, LOOK = 1000, 100, 250
"""Milliseconds: a burst of changes lasts so long at most, and ends with a pause; how often to look up."""


def rounds(words: Sequence[str], output: Path, written: Set[str]) -> Iterator[None]:
    """Once at the start and after every change. ``written`` are the files of the output that are our own.

    Folders are watched, not files: many editors write a new file and rename it. They are watched before
    the round begins, so that what is saved during a round asks for another.
    """
    while True:
        folders = _folders(plan(words, output))
        if not folders:
            raise SpecError("there is nothing to watch: no folder and no spec of these names")
        for number, changes in enumerate(_changes(folders)):
            own = {os.path.join(os.path.realpath(output), file) for file in written}
            if number and not any(_matters(path, own) for _, path in changes):
                continue
            yield
            if _folders(plan(words, output)) != folders:
                break


def _changes(folders: frozenset[Path]) -> Iterator[set[tuple[Change, str]]]:
    """Sets of changes; the first, perhaps empty, says that the folders are being watched."""
    yield from watch(
        *folders,
        watch_filter=None,
        debounce=BURST,
        step=PAUSE,
        rust_timeout=LOOK,
        yield_on_timeout=True,
        recursive=False,
        ignore_permission_denied=True,
    )


def _folders(found: Plan) -> frozenset[Path]:
    read = (path for page in found.pages if page.read for path in page.read.paths)
    beside = (path.parent.resolve() for path in (*read, *(page.spec for page in found.pages)))
    return frozenset(folder for folder in (*found.folders, *beside) if folder.is_dir())


def _matters(path: str, own: set[str]) -> bool:
    name = os.path.basename(path)
    return not name.startswith(".") and not name.endswith("~") and os.path.realpath(path) not in own
