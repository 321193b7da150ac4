"""Printed numbers that give what stands at the end of their line, and others that do not."""

from __future__ import annotations

from fractions import Fraction

import pytest

from derivations.audit.arithmetic import gives
from derivations.catalogue import functions
from derivations.language.parser import parse
from derivations.language.tree import Expr, Number


def read(text: str) -> Expr:
    return parse(text, functions.NAMES)


def value(text: str) -> Number:
    return Number(Fraction(text), text)


@pytest.mark.parametrize(
    ("numbers", "end"),
    [
        ("1*13 + 0*(-7) + 0*11", "13"),
        ("2/3*(0.333333 - 1)", "-0.444445"),  # within half a unit of 0.333333
        ("exp(0.5) + exp(-0.5)", "2.255252"),
        ("0.5**2 + 1", "1.25"),
        ("1.000001 - 1.000000", "2.26e-7"),  # the digits cancel: nothing can be said
        ("step(0.000000)", "1"),
    ],
)
def test_a_true_line(numbers: str, end: str) -> None:
    assert gives(read(numbers), value(end), 6)


@pytest.mark.parametrize(
    ("numbers", "end"),
    [
        ("13 + (-7) + 11", "13"),
        ("2*0.5 + 1", "2.1"),
        ("exp(1)", "2.718282e1"),
        ("(-0.5)**2", "-0.25"),
        ("2/3*(0.333333 - 1)", "-0.444447"),
    ],
)
def test_a_false_line(numbers: str, end: str) -> None:
    assert not gives(read(numbers), value(end), 6)
