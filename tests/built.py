"""The pages of the gallery, each worked once for all tests of a process.

Tests of one page are marked with its name, so that they run in one process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

import pytest

import derivations
from derivations.page import Page
from derivations.spec import gallery

FEW = (  # one page of each kind
    "linear-regression",
    "logistic-regression",
    "two-two-two-network",
    "softmax-regression",
    "rnn-two-steps",
    "max-pooling",
    "word-embedding",
    "newton",
    "optimizer-adam",
)


def _marks(name: str) -> list[pytest.MarkDecorator]:
    group = pytest.mark.xdist_group(name)
    return [group] if name in FEW else [group, pytest.mark.slow]


GALLERY = [pytest.param(name, marks=_marks(name)) for name in gallery.names()]
"""Every page, those that are not among the few only in the slow tests."""


def thinned(rows: Iterable[Any], every: int, name: Callable[[Any], str]) -> list[Any]:
    """Rows as cases of a test: one of ``every`` in the fast suite, the others in the slow tests."""
    marks = [pytest.mark.slow]
    return [pytest.param(row, marks=marks if at % every else [], id=name(row)) for at, row in enumerate(rows)]


@cache
def page(name: str) -> Page:
    """A page of the gallery; a format is printed, and read back, when a test asks for it."""
    return derivations.build(name, ("md",))
