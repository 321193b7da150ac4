"""The versions of what works and verifies a page, without importing any of it."""

from __future__ import annotations

from functools import cache
from importlib.metadata import version

PARTS = {"SymPy": "sympy", "python-flint": "python-flint", "torch": "torch"}


@cache
def versions() -> dict[str, str]:
    """Public versions, without local build labels such as ``+cpu``."""
    return {name: version(package).partition("+")[0] for name, package in PARTS.items()}
