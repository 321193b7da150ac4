"""Rows that other packages add, found through entry points, so that they need no change of this one.

A package that is installed beside this one names its rows, one or a tuple of them, in its ``pyproject.toml``:

    [project.entry-points."derivations.functions"]
    mine = "my_package.rows:FUNCTIONS"

Each kind of row in `KINDS` has a group of this name. Rows of other packages come after ours; a name that is
taken, a row with a field that cannot be read, or an entry point that cannot be loaded, is left out with a
warning that names the package.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import TypeVar

from derivations.catalogue.sound import fault_of

KINDS = (
    "functions",
    "layers",
    "sample_losses",
    "losses",
    "optimizers",
    "schedules",
    "clippings",
    "slips",
    "languages",
    "formats",
    "exports",
)
Row = TypeVar("Row")


def with_outside(kind: str, own: tuple[Row, ...], key: str = "name") -> tuple[Row, ...]:
    """Our rows of a kind, and behind them those of other packages; ``key`` is what tells rows apart."""
    taken = {getattr(row, key) for row in own}
    found = list(own)
    for row in _added(kind, type(own[0]), key, taken, found):
        found.append(row)
    return tuple(found)


def versions() -> Iterator[str]:
    """Every package that adds rows, with its version: a page that it helped to make depends on it."""
    found = {(point.dist.name, point.dist.version) for kind in KINDS for point in _points(kind) if point.dist}
    yield from (f"{name} {version}" for name, version in sorted(found))


def package_of(kind: str, name: str, key: str = "name") -> str:
    """The package that adds a row; empty for one of ours."""
    points = [point for point in _points(kind) for row in _loaded(point) if getattr(row, key, "") == name]
    return next((point.dist.name for point in points if point.dist), "")


def _added(kind: str, of: type[Row], key: str, taken: set[str], known: list[Row]) -> Iterator[Row]:
    for point in _points(kind):
        for row in _loaded(point):
            name = str(getattr(row, key, ""))
            if not isinstance(row, of):
                _left_out(point, f"{row!r} is no {of.__name__}")
            elif name in taken:
                _left_out(point, f"the name '{name}' is taken")
            elif fault := fault_of(row, known):
                _left_out(point, f"{of.__name__} '{name}': {fault}")
            else:
                taken.add(name)
                yield row


def _loaded(point: EntryPoint) -> Iterable[object]:
    try:
        found = point.load()
    except Exception as fault:  # whatever another package does when it is imported
        _left_out(point, f"{type(fault).__name__}: {fault}")
        return ()
    return found if isinstance(found, (tuple, list)) else (found,)


def _left_out(point: EntryPoint, why: str) -> None:
    package = point.dist.name if point.dist else "a package"
    warnings.warn(f"{package}: {point.group} '{point.name}' is left out: {why}", stacklevel=2)


@cache
def _points(kind: str) -> tuple[EntryPoint, ...]:
    found = _all().select(group=f"derivations.{kind}")
    return tuple(sorted(found, key=lambda point: (point.dist.name if point.dist else "", point.name)))


@cache
def _all():  # type: ignore[no-untyped-def]  # the package's own type differs from Python to Python
    return entry_points()
