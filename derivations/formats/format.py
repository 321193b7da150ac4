"""The row of an output format."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Format:
    """One row: name on the command line, suffix of the file, ``module:NAME`` of its `Printer`."""

    name: str
    suffix: str
    home: str
    summary: str
