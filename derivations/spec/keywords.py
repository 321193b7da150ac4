"""The keys of ``[page]`` and ``[training]`` as keywords of Python, so that a type checker knows them.

A test holds them against the tables themselves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias, TypedDict

Part: TypeAlias = Literal[
    "problem", "quantities", "gradient", "matrix", "steps", "summary", "program", "checks", "figures"
]


class PageKeywords(TypedDict, total=False):
    """What ``[page]`` may say: `derivations.spec.tables.PageTable`."""

    digits: int
    significant: int | None
    steps: int | Sequence[int] | None
    detail: Literal["brief", "standard", "full"]
    show: Sequence[Part] | None
    hide: Sequence[Part | Literal["footer"]]
    names: Mapping[str, str]
    notation: Mapping[str, Any]
    language: str
    templates: str | None
    exercises: bool
    interactive: bool


class TrainingKeywords(TypedDict, total=False):
    """What ``[training]`` may say beside the optimizer: `derivations.spec.spec.TrainingTable`."""

    clip: Mapping[str, Any]
    schedule: Any  # a table, or a scheduler of torch
    groups: Sequence[Mapping[str, Any]]
    start: Mapping[str, Any]
    batch_size: int | None
    batches: Sequence[Sequence[int]] | None
    shuffle: int | None
    epochs: int
    sample: str | None
    carry: int | None
