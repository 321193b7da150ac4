"""Printed numbers that give what stands at the end of their line, and others that do not."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

import derivations
from derivations.audit.arithmetic import gives, instead
from derivations.catalogue import functions
from derivations.claims.writer import Writer
from derivations.language.errors import CheckFailed
from derivations.language.parser import parse
from derivations.language.tree import Call, Expr, Number
from derivations.numbers.digits import Printed
from derivations.numbers.systems import rational


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


@pytest.mark.parametrize(
    ("numbers", "end", "found"),
    [
        ("3000000*1.0000 - 3000000", "0.0013000", "0"),  # by hand, as the numbers stand
        ("2*0.333333 - 0.666665", "2.26e-6", "0.000001"),
        ("100*0.01", "1.02", "1"),  # two units of the last digit, and two hundredths
    ],
)
def test_digits_that_are_too_few(numbers: str, end: str, found: str) -> None:
    assert instead(read(numbers), value(end)) == rational(Fraction(found))


@pytest.mark.parametrize(
    ("numbers", "end"),
    [
        ("2/3*(0.333333 - 1)", "-0.444444"),
        ("1*0.0015", "0.002"),  # one unit of the last digit
        ("100*0.01", "1.005"),  # less than a hundredth
        ("2/count(i)*3", "5"),
        ("x*2", "5"),  # dots and letters: nothing can be said
    ],
)
def test_digits_that_are_enough(numbers: str, end: str) -> None:
    assert instead(read(numbers), value(end)) is None


def test_the_largest_of_many_is_reckoned() -> None:
    largest = Call("max", tuple(map(value, ("2", "4", "6", "10"))))
    assert gives(largest, value("10"), 6)
    assert not gives(largest, value("4"), 6)
    assert instead(largest, value("10")) is None


CANCELLING = """
title = "Three million, and a thousandth more"
[model]
equations = '''
d = a*w - b
L = d**2
'''
[data]
a = 3000000.123
b = 3000000.122
[parameters]
w = 1.0000000001
[training]
optimizer = { name = "SGD", lr = 0.1 }
[page]
significant = 5
language = "LANGUAGE"
"""


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "With the rounded digits in its line, $d$ would be 0; its value was worked with more digits"),
        ("de", "Mit den gerundeten Ziffern in seiner Zeile wäre $d$ gleich 0"),
    ],
)
def test_a_line_whose_digits_cancel_says_so(language: str, said: str) -> None:
    """3,000,000·1.0000 − 3,000,000 is 0 as it stands, and 3000000.123·1.0000000001 − 3000000.122 = 0.0013."""
    text = derivations.build(CANCELLING.replace("LANGUAGE", language), ("md",))["md"]
    assert text.count(said) == 1
    assert said not in derivations.build("linear-regression", ("md",))["md"]


@pytest.mark.parametrize("wrong", [lambda *_: None, lambda *_: Printed("7", Fraction(7), exact=True)])
def test_a_writer_that_does_not_say_so_is_refused(wrong: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Writer, "would_be", wrong)
    with pytest.raises(CheckFailed, match="the page is not true"):
        derivations.build(CANCELLING.replace("LANGUAGE", "en"), ("md",))


def test_a_maximum_of_many_entries_has_a_page() -> None:
    """2·1, 2·2, 2·3, 2·5: the largest is 10, its square 100."""
    page = derivations.build(MANY, ("md",))
    assert page.trace.steps[0]["L"] == 100


MANY = """
title = "The largest of four"
[model]
equations = '''
h[i] = w*x[i]
L = largest(h[i], i)**2
'''
[data]
x = [1, 2, 3, 5]
[parameters]
w = 2
"""
