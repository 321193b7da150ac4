"""An import rehearsal for Moodle: the file read and marked by code of its own, by the importer's rules."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from lxml import etree

import derivations
from derivations.exercises.bank import Bank, Item
from derivations.exercises.exports.moodle import files
from tests.exercises.test_bank import LINEAR, LOGISTIC

FRACTIONS = {100, 90, 80, 75, 70, 60, 50, 40, 30, 25, 20, 10, 5, 0}  # whole percentages that cloze takes


@dataclass(frozen=True)
class Way:
    """One accepted or recognized answer of a gap."""

    percent: int
    value: Decimal
    tolerance: Decimal
    feedback: str


def gaps(html: str) -> list[list[Way]]:
    """The gaps of a cloze text, cut at the first brace that is not escaped, as Moodle's reader cuts them."""
    found, at = [], 0
    while (start := html.find("{1:NUMERICAL:", at)) >= 0:
        end = start
        while html[end] != "}":
            end += 2 if html[end] == "\\" else 1
        found.append([way(part) for part in cut(html[start + len("{1:NUMERICAL:") : end], "~")])
        at = end
    return found


def cut(text: str, at: str) -> list[str]:
    """The parts of a text between unescaped marks."""
    parts = [""]
    pairs = re.findall(r"\\.|[^\\]", text, re.DOTALL)
    for piece in pairs:
        if piece == at:
            parts.append("")
        else:
            parts[-1] += piece
    return parts


def way(text: str) -> Way:
    head, *rest = cut(text, "#")
    found = re.fullmatch(r"(?:=|%(\d+)%)(-?\d+(?:\.\d+)?):(\d+(?:\.\d+)?)", head)
    assert found, head
    percent = 100 if found[1] is None else int(found[1])
    assert percent in FRACTIONS
    return Way(percent, Decimal(found[2]), Decimal(found[3]), re.sub(r"\\(.)", r"\1", "".join(rest)))


def marked(ways: list[Way], given: Fraction) -> Way | None:
    """What Moodle awards: the first way that the answer fits."""
    return next((one for one in ways if abs(given - Fraction(one.value)) <= Fraction(one.tolerance)), None)


def read(bank: Bank, items: list[Item]) -> list[Any]:
    (content,) = files(bank, items).values()
    quiz = etree.fromstring(content)
    assert quiz.tag == "quiz"
    category, *questions = quiz
    assert category.get("type") == "category"
    assert [each.get("type") for each in questions] == ["cloze"] * len(items)
    return list(questions)


@pytest.fixture(scope="module", params=[LINEAR, LOGISTIC], ids=["exact", "rounded"])
def bank(request: pytest.FixtureRequest) -> tuple[Bank, list[Item]]:
    made = derivations.session(request.param).exercises(count=4)
    return made, list(made.items())


def test_every_question_has_what_the_importer_wants(bank: tuple[Bank, list[Item]]) -> None:
    questions = read(*bank)
    for question, item in zip(questions, bank[1], strict=True):
        assert question.findtext("name/text")
        assert question.findtext("idnumber") == item.key
        assert question.find("questiontext").get("format") == "html"
        assert len(gaps(question.findtext("questiontext/text"))) == len(item.answers)
        assert "<table>" in question.findtext("generalfeedback/text")
        inside = re.findall(r"\{1:NUMERICAL:.*?(?<!\\)\}", question.findtext("questiontext/text"))
        assert all("\\(" not in gap and "\\frac" not in gap for gap in inside)  # no TeX inside the braces


def test_what_is_awarded_is_what_the_bank_accepts(bank: tuple[Bank, list[Item]]) -> None:
    for question, item in zip(read(*bank), bank[1], strict=True):
        for ways, answer in zip(gaps(question.findtext("questiontext/text")), item.answers, strict=True):
            for given in (Fraction(answer.text), answer.accepted.low, answer.accepted.high):
                found = marked(ways, given)
                assert found
                assert found.percent == 100
            assert str(ways[0].value) == answer.text  # what Moodle shows as the right answer
            outside = answer.accepted.high + Fraction(1, 10**5)
            found = marked(ways, outside)
            assert found is None or found.percent == 0
            assert marked(ways, Fraction(10**9)) is None


def test_a_slip_gets_no_mark_and_its_feedback(bank: tuple[Bank, list[Item]]) -> None:
    said = 0
    for question, item in zip(read(*bank), bank[1], strict=True):
        for ways, answer in zip(gaps(question.findtext("questiontext/text")), item.answers, strict=True):
            for option, known in zip(answer.wrong, ways[-len(answer.wrong[:12]) :], strict=False):
                assert known.percent == 0
                assert known.feedback
                said += marked(ways, Fraction(known.value)) == known
                assert not answer.accepted.low <= Fraction(known.value) <= answer.accepted.high
                assert option.slips
    assert said >= 8


def test_a_title_with_marks_of_moodle_stays_text() -> None:
    text = LINEAR.replace('"a line"', '"a ~ line # with {braces} = and / <b>more</b>"')
    made = derivations.session(text).exercises(count=1)
    (question,) = read(made, list(made.items()))
    assert question.findtext("name/text").startswith("a ~ line # with {braces} = and / <b>more</b>")
