"""The languages of pages: how each says our texts, joins lists and writes numbers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True, slots=True)
class Locale:
    """A language as pages need it."""

    language: str

    def text(self, text: str) -> str:
        """What a text of ours is in this language."""
        return text

    def several(self, one: str, many: str, count: int) -> str:
        """The form of a text that belongs to a count."""
        return one if count == 1 else many

    def digits(self, text: str) -> str:
        """Canonical digits with the marks of this language."""
        return text

    def joints(self, count: int, joint: str) -> list[str]:
        """What stands between the items of a list: ``a, b and c``, ``a, b, c``, ``a; b; c``."""
        if joint == "and":
            return [", "] * (count - 2) + [" and "] * (count > 1)
        return [f"{joint} "] * (count - 1)


@cache
def locale(language: str) -> Locale:
    """The language by its code."""
    return Locale(language)
