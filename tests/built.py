"""The pages of the gallery, each worked once for all tests of a process.

Tests of one page are marked with its name, so that they run in one process.
"""

from __future__ import annotations

from functools import cache

import pytest

import derivations
from derivations.examples import gallery
from derivations.pages.page import Page

GALLERY = [pytest.param(name, marks=pytest.mark.xdist_group(name)) for name in gallery.names()]


@cache
def page(name: str) -> Page:
    """A page of the gallery; a format is printed, and read back, when a test asks for it."""
    return derivations.build(name, ())
