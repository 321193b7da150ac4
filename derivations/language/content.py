"""What is worked once and remembered by content."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Content(Generic[T]):
    """Something that is worked with, equal to another where the part that decides is equal.

    A function of it under `functools.lru_cache` is worked once for each ``key``: the key holds all that
    the answer depends on, ``of`` is where it comes from.
    """

    key: Hashable
    of: T = field(compare=False, repr=False)
