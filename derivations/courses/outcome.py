"""What came of a page of a course."""

from __future__ import annotations

from dataclasses import dataclass

from derivations.courses.finding import Planned


@dataclass(frozen=True)
class Outcome:
    """What came of a page: ``status`` is built, restored (from memory), unchanged or failed.

    ``files`` are its files by their path in the output, ``exit_status`` is 0 unless it failed.
    """

    page: Planned
    status: str
    files: tuple[str, ...] = ()
    seconds: float = 0
    message: str = ""
    exit_status: int = 0
