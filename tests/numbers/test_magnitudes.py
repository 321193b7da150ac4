"""Very small, very large and very long numbers of a spec are printed truthfully in every format."""

from __future__ import annotations

import csv
import io
import re
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from derivations.claims.writer import given as shown_given
from derivations.claims.writer import plain_value
from derivations.formats.press import printer
from derivations.language.errors import CheckFailed
from derivations.language.tree import Number
from derivations.numbers.digits import Rounding
from derivations.page import Page, build
from tests.built import thinned

SPEC = """
title = "Magnitudes"
[model]
equations = \"\"\"
yhat[i] = w*x[i] + c
L = mean((yhat[i] - y[i])**2, i)
\"\"\"
[data]
x = [{x}, 2]
y = [1, -2]
c = {c}
[parameters]
w = {w}
[training]
optimizer = {{ name = "SGD", lr = {lr} }}
[page]
{page}
"""
FORMATS = ("md", "tex", "html", "pdf", "ipynb", "csv", "xlsx")
NAMED = ("1e-30", "1e30", "123456789.123456789", "-2.5e-12", "12345678901234567890", "0.1234567890123456789")


def made(formats: tuple[str, ...] = ("md",), page: str = "", **numbers: str) -> Page:
    given = {"x": "1", "c": "0.5", "w": "0.5", "lr": "0.01"} | numbers
    return build(SPEC.format(**given, page=page), formats)


def stated(text: str, name: str) -> tuple[str, Decimal]:
    """What the page says that a given number is, read without our reader: sign and number."""
    text = text.replace("{,}", "")
    found = re.search(rf"\${name} (=|\\approx) (-?[\d.]+)(?: \\cdot 10\^(?:\{{(-?\d+)\}}|(\d)))?\$", text)
    assert found, text[:2000]
    return found[1], Decimal(found[2]).scaleb(int(found[3] or found[4] or 0))


@st.composite
def numbers(draw: st.DrawFn, reach: int = 40) -> str:
    digits = draw(st.integers(1, 10 ** draw(st.integers(1, 15)) - 1))
    sign = draw(st.sampled_from(["", "-"]))
    return f"{sign}{digits}e{draw(st.integers(-reach, reach)) - len(str(digits))}"


def is_true(text: str, page: str, name: str) -> None:
    sign, printed = stated(page, name)
    wanted = Decimal(text)
    if sign == "=":
        assert printed == wanted
    else:
        assert printed != wanted
        assert abs(printed - wanted) <= abs(wanted) * Decimal("1e-2")


@pytest.mark.slow
@pytest.mark.parametrize("number", thinned(NAMED, 3, str))
def test_a_number_stands_in_every_format(number: str) -> None:
    page = made(FORMATS, c=number, w=number)
    for name in ("c", "w"):
        is_true(number, page["md"], name)
    rows = list(csv.DictReader(io.StringIO(page["csv"])))
    of_w = next(row for row in rows if row["quantity"] == "w")
    assert float(of_w["value"]) == float(number)


@pytest.mark.slow
@settings(max_examples=5, phases=[Phase.generate], suppress_health_check=[HealthCheck.too_slow])
@given(c=numbers(), w=numbers(12), x=numbers(12))
def test_numbers_of_any_magnitude_are_printed_truthfully(c: str, w: str, x: str) -> None:
    page = made(("md", "csv", "xlsx"), c=c, w=w, x=x)
    is_true(c, page["md"], "c")
    is_true(w, page["md"], "w")


@pytest.mark.slow
@settings(max_examples=20, phases=[Phase.generate], suppress_health_check=[HealthCheck.too_slow])
@given(c=numbers(), w=numbers(12), x=numbers(12), page=st.sampled_from(["significant = 3", "digits = 2", ""]))
def test_every_format_has_numbers_of_any_magnitude(c: str, w: str, x: str, page: str) -> None:
    found = made(FORMATS, page, c=c, w=w, x=x)
    is_true(c, found["md"], "c")


@pytest.mark.few(1)
@pytest.mark.parametrize("language", ["de", "fr", "zh"])
def test_a_power_of_ten_has_the_marks_of_the_language(language: str) -> None:
    page = made(("md", "html", "pdf"), f'language = "{language}"', c="1.5e-30", x="123456789.123456789")
    assert r"\cdot 10^{-30}" in page["md"]


@given(text=numbers(60), policy=st.builds(Rounding, st.integers(0, 20), st.none() | st.integers(1, 12)))
def test_a_given_number_is_equal_or_close(text: str, policy: Rounding) -> None:
    value = Fraction(text)
    sign, expr = shown_given(value, policy)
    printed = plain_value(expr)
    assert printed is not None
    assert (sign == "=") == (printed == value)
    assert isinstance(expr, Number) or sign == "="


def test_another_exponent_is_noticed() -> None:
    page = made(c="1e-30")
    for old, new in ((r"10^{-30}$", r"10^{-31}$"), ("$c = 1", "$c = 2"), ("$c = 1", r"$c \approx 1")):
        assert old in page["md"]
        with pytest.raises(CheckFailed):
            printer("md").check(page["md"].replace(old, new, 1), page.press)
