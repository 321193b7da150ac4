"""The sign between two sides of printed numbers, as a reader reckons it."""

from fractions import Fraction

import pytest

from derivations.audit import evidence
from derivations.audit.relations import reckoned, signs_between
from derivations.language.errors import CheckFailed
from derivations.language.parser import parse
from derivations.language.tree import Number
from derivations.page import build

CALLED = frozenset({"exp", "log", "sqrt", "max", "abs"})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2/4*(-3.5)", Fraction(-7, 4)),
        ("1 - 0.1*0.25", Fraction(39, 40)),
        ("(1/2)**3 + 2", Fraction(17, 8)),
        ("1/(2 - 2)", None),
        ("exp(0)", Fraction(1)),
        ("exp(1)", None),
        ("0*exp(1) + 2", Fraction(2)),
        ("2**0.5", None),
        ("0.5**(1 - 1)", Fraction(1)),
        ("2**(1 - 3)", Fraction(1, 4)),
        ("sqrt(9/4) + sqrt(0)", Fraction(3, 2)),
        ("sqrt(2)", None),
        ("max(2, -3) + abs(-1)", Fraction(3)),
        ("log(1)", Fraction(0)),
    ],
)
def test_fractions_are_reckoned_by_hand(text: str, value: Fraction | None) -> None:
    assert reckoned(parse(text, CALLED)) == value


@pytest.mark.parametrize(
    ("before", "after", "signs"),
    [("1/4 + 0.5", "0.75", "="), ("2/3", "0.666667", "≈"), ("exp(1)", "2.718282", "=≈")],
)
def test_the_sign_is_that_of_the_printed_numbers(before: str, after: str, signs: str) -> None:
    assert signs_between(parse(before, CALLED), parse(after, CALLED)) == signs


@pytest.mark.parametrize("sign", ["=", "≈"])
def test_a_sign_that_writer_and_audit_agree_on_is_read_again(
    sign: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(before: object, after: object, exact: bool) -> str:
        return sign if isinstance(after, Number) else "="

    monkeypatch.setattr(evidence, "relation", wrong)
    monkeypatch.setattr("derivations.claims.writer.relation", wrong)
    with pytest.raises(CheckFailed, match="in the chain for"):
        build("learning-rate-schedule" if sign == "≈" else "ridge-regression", formats=("md",))
