"""Where a published number is found in a run: by its name, or by its name and indices.

Their ``A[0][1]`` is looked up as a whole, then as ``A`` at the indices (1, 2): ours count from 1.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from derivations.run.training import Trace
from tests.published.compare import Change, as_it_is, trace_of

At: TypeAlias = tuple[int, ...]


@dataclass(frozen=True)
class Place:
    """A spec, what is changed in it, and how to read a number out of its run."""

    spec: str
    read: Callable[[Trace, At], Any]
    change: Change = as_it_is

    def value(self, indices: At, bits: int) -> Any:
        """The number, worked with so many bits."""
        return self.read(trace_of(self.spec, bits, self.change), indices)


Places: TypeAlias = Mapping[str, Place]


def at(
    spec: str,
    step: int,
    quantity: str,
    entry: Callable[..., At] = lambda *at: at,
    change: Change = as_it_is,
) -> Place:
    """A quantity of a step (from 1; -1 is the last), its entry from their indices."""

    def read(trace: Trace, indices: At) -> Any:
        chosen = trace.steps[step - 1 if step > 0 else step]
        positions = ", ".join(map(str, entry(*indices)))
        return chosen.labelled[f"{quantity}[{positions}]" if positions else quantity]

    return Place(spec, read, change)


def worked(spec: str, read: Callable[..., Any], change: Change = as_it_is) -> Place:
    """Something worked out from a run in the same arithmetic: ``read(trace, *indices)``."""
    return Place(spec, lambda trace, indices: read(trace, *indices), change)


def alike(spec: str, step: int, **ours: str) -> dict[str, Place]:
    """Several quantities of one step by their names."""
    return {theirs: at(spec, step, quantity) for theirs, quantity in ours.items()}


def key_of(places: Mapping[str, Any], name: str) -> tuple[str, At] | None:
    """The key of a published name and the indices behind it; None if it has no place."""
    base, brackets = re.fullmatch(r"(.*?)((?:\[\d+\])*)", name).groups()  # type: ignore[union-attr]
    if name in places:
        return name, ()
    return (base, tuple(int(k) + 1 for k in re.findall(r"\d+", brackets))) if base in places else None
