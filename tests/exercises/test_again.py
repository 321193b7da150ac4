"""Marking in reverse: slips are made by hand, and must be found from the number alone."""

from __future__ import annotations

from fractions import Fraction

import pytest

from derivations.catalogue.slips import BY_NAME
from derivations.document.languages import text_of
from derivations.exercises.again import Traced, WrongNumbers, again
from derivations.exercises.slips import Sought
from derivations.model.example import Example, prepare
from derivations.spec.gallery import path
from derivations.spec.spec import read_spec
from tests.exercises.test_slips import LINE, adam_by_hand, line_by_hand

ORDER = ("L", "dL/dw", "dL/db", "w'", "b'")


@pytest.fixture(scope="module")
def line() -> Example:
    return prepare(*read_spec(path("linear-regression")))


def names(found: tuple[Traced, ...]) -> list[tuple[str, ...]]:
    return [tuple(slip.name for slip in each.chain.slips) for each in found]


def decimal(value: Fraction) -> str:
    """A terminating decimal with all its places."""
    places = next(k for k in range(40) if (value * 10**k).denominator == 1)
    whole = f"{abs(int(value * 10**places)):0{places + 1}d}"
    cut = len(whole) - places
    return ("-" if value < 0 else "") + whole[:cut] + ("." + whole[cut:] if places else "")


@pytest.mark.parametrize("quantity", ORDER)
@pytest.mark.parametrize("step", [1, 2])
def test_a_slip_is_found_from_its_number(line: Example, quantity: str, step: int) -> None:
    known, place = WrongNumbers(line, Sought(step, quantity)), ORDER.index(quantity)
    right = line_by_hand()[step - 1][place]
    wrong = {name: line_by_hand(**habits)[step - 1][place] for name, habits in LINE.items()}
    changed = [name for name, value in wrong.items() if value != right]
    assert changed or (step, quantity) == (1, "L")
    assert all((name,) in names(known.again(decimal(wrong[name]))) for name in changed)


def test_where_it_happened(line: Example) -> None:
    (found,) = again(line, Sought(1, "w'"), "0.6725")
    assert found.where == ("dL/dw",)
    assert text_of(found.explanation) == BY_NAME["factor-2-forgotten"].explanation


def test_every_slip_that_gives_the_number_is_named(line: Example) -> None:
    found = again(line, Sought(1, "w'"), "0.155")
    assert names(found) == [("residual-turned-round",), ("ascent-for-descent",)]
    assert [each.where for each in found] == [("dL/dw",), ("w'",)]


def test_a_rounded_number_is_met_by_what_rounds_to_it(line: Example) -> None:
    wanted = [("factor-2-forgotten",)]
    assert names(again(line, Sought(1, "w'"), "0.673")) == wanted
    assert names(again(line, Sought(1, "w'"), "0.67250")) == wanted
    assert again(line, Sought(1, "w'"), "0.673", places=4, longest=1) == ()


PAIRS = [("factor-2-forgotten", "gradient-without-x"), ("sum-for-mean", "ascent-for-descent")]


@pytest.mark.parametrize("pair", PAIRS, ids=str)
def test_two_slips_are_found_where_one_is_not_enough(line: Example, pair: tuple[str, str]) -> None:
    wrong = line_by_hand(**LINE[pair[0]], **LINE[pair[1]])[0][3]
    found = names(again(line, Sought(1, "w'"), decimal(wrong)))
    assert {*pair} in [set(chain) for chain in found]
    assert all(len(chain) == 2 for chain in found)
    assert again(line, Sought(1, "w'"), decimal(wrong), longest=1) == ()


def test_the_right_number_and_one_that_nothing_gives(line: Example) -> None:
    known = WrongNumbers(line, Sought(1, "w'"))
    assert [known.again(text) for text in ("0.845", "0.85", "0.8450", "0.123456")] == [()] * 4


def test_numbers_that_are_no_fractions() -> None:
    example = prepare(*read_spec(path("optimizer-adam")))
    wrong = list(adam_by_hand("bias-correction-left-out"))[1][1]
    found = again(example, Sought(2, "w2'"), f"{wrong:.8f}")
    assert names(found) == [("bias-correction-left-out",)]
    assert found[0].where == ("m_hat_w2", "v_hat_w2")
