"""Marking: what a class handed in, read row by row; what follows from a wrong answer, worked again here."""

from __future__ import annotations

from fractions import Fraction

import pytest

import derivations
from derivations.exercises.bank import Bank, Item
from derivations.exercises.marking import Handed, marked, marked_class, number_of, read_class
from derivations.language.errors import SpecError
from tests.exercises.test_bank import LINEAR, LOGISTIC
from tests.exercises.test_carried import by_hand

BANK = derivations.session(LINEAR).exercises(count=3)
ITEMS = list(BANK.items())


def verdicts(given: dict[str, str], item: Item, bank: Bank = BANK) -> dict[str, str]:
    return {each.answer.asked.key: each.verdict for each in marked(Handed("Ada", 1, given), item, bank)}


def right(item: Item) -> dict[str, str]:
    return {answer.asked.key: answer.text for answer in item.answers}


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: f"{item.number}")
def test_the_right_answers_are_right_and_blanks_are_blank(item: Item) -> None:
    assert set(verdicts(right(item), item).values()) == {"right"}
    assert set(verdicts({}, item).values()) == {"blank"}
    comma = {key: text.replace(".", ",").replace("-", "−") for key, text in right(item).items()}
    assert set(verdicts(comma, item).values()) == {"right"}


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: f"{item.number}")
def test_what_follows_from_a_wrong_answer_is_carried_forward(item: Item) -> None:
    wrote = {"1:dL/dw": Fraction(7)}
    own = by_hand(item, wrote) | wrote
    found = verdicts({key: f"{value.numerator}/{value.denominator}" for key, value in own.items()}, item)
    assert found["1:dL/dw"] == "wrong"
    assert found["1:dL/db"] == "right"
    later = {
        key: found[key] for key in ("1:w'", "2:dL/dw", "2:w'")
    }  # where it comes to the same, it is right
    same = {key for key in later if own[key] == by_hand(item, {})[key]}
    assert later == {key: "right" if key in same else "carried" for key in later}
    assert len(same) < 3


def test_an_early_value_that_leaves_nothing_to_work_earns_nothing_later() -> None:
    item = ITEMS[0]
    given = {"1:dL/dw": "0", "1:w'": str(item.values["w"])}
    assert verdicts(given, item)["1:w'"] == "wrong"


def test_a_slip_is_named() -> None:
    item = ITEMS[0]
    answer = next(answer for answer in item.answers if answer.asked.key == "1:dL/dw")
    half = Fraction(answer.text) / 2
    (first, *_) = marked(Handed("Ada", 1, {"1:dL/dw": f"{half.numerator}/{half.denominator}"}), item, BANK)
    assert first.verdict == "wrong"
    assert first.said is not None
    assert "factor 2" in first.said.text


def test_rounded_values_are_right_within_what_is_accepted_only() -> None:
    bank = derivations.session(LOGISTIC).exercises(count=2)
    for item in bank.items():
        assert set(verdicts(right(item), item, bank).values()) == {"right"}
        near = {answer.asked.key: str(float(answer.accepted.high) + 1e-3) for answer in item.answers}
        assert verdicts(near, item, bank)["1:dL/dw"] == "wrong"


NUMBERS = {
    "-0,36": Fraction(-9, 25),
    " −4 ": Fraction(-4),
    "1/3": Fraction(1, 3),
    "2.5e-3": Fraction(1, 400),
    "≈ 0.5": Fraction(1, 2),
    ".5": Fraction(1, 2),
    "1 000": Fraction(1000),
    "1/0": None,
    "1,000.5": None,
    "three": None,
    "1e999": None,
    "--1": None,
    "": None,
    "9" * 100: None,
    "٣": None,
}


@pytest.mark.parametrize("text", NUMBERS)
def test_numbers_are_read_as_students_write_them(text: str) -> None:
    assert number_of(text) == NUMBERS[text]


CLASS = """student;exercise;1:dL/dw;1:dL/db
Ada;1;{};8
Béla;2;x;
;1;1;1
Ada;1;1;1
Chen;99;1;1

Dora;3;0,5;1/3
"""


def test_no_row_of_a_class_is_lost() -> None:
    read = read_class(CLASS.format(right(ITEMS[0])["1:dL/dw"]), "class.csv", BANK)
    assert [handed.student for handed in read.handed] == ["Ada", "Béla", "Dora"]
    assert [line for line, _ in read.refused] == [4, 5, 6]
    found = {handed.student: marks for handed, marks in marked_class(read, BANK)}
    assert found["Ada"][0].verdict == "right"
    assert [each.verdict for each in found["Béla"]][:2] == ["unread", "blank"]
    assert sum(each.points for each in found["Ada"]) >= 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name;1:dL/dw\nA;1\n", "there is no column 'exercise'"),
        ("exercise;1:dL/dw\n1;1\n", "there is no column 'student'"),
        ("student;exercise;1:dL/dv\nA;1;1\n", "no answer is called '1:dL/dv'"),
        ("", "there is no column 'student'"),
    ],
)
def test_a_file_without_its_columns_is_named(text: str, said: str) -> None:
    with pytest.raises(SpecError, match=said) as caught:
        read_class(text, "class.csv", BANK)
    assert caught.value.line == 1
