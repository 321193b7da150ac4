"""An import rehearsal for GIFT: the text read by the rules of Moodle's importer, and marked as there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

import pytest

import derivations
from derivations.exercises.bank import Answer, Bank, Item
from derivations.exercises.exports.gift import files
from derivations.exercises.fragment import html_of, said
from derivations.exercises.sheets import BLANK, solution
from derivations.exercises.sheets import question as question_of
from tests.exercises.test_bank import LINEAR, LOGISTIC
from tests.exercises.test_qti21 import written

MARKS = ":#={}~"
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")


# --- the importer: escaped marks are held back, everything is cut at plain ones, then they come again -------


def held(text: str) -> str:
    found = text.replace("\\\\", "\0")
    for place, mark in enumerate(MARKS):
        found = found.replace(f"\\{mark}", chr(1 + place))
    return found.replace("\\n", "\n").replace("\0", "\\")


def back(text: str) -> str:
    for place, mark in enumerate(MARKS):
        text = text.replace(chr(1 + place), mark)
    return text.strip()


@dataclass(frozen=True)
class Way:
    fraction: Fraction
    value: Fraction
    tolerance: Fraction
    feedback: str


@dataclass(frozen=True)
class Question:
    identifier: str
    name: str
    text: str
    ways: list[Way]
    after: str

    def marked(self, given: str) -> Way | None:
        """The first answer that fits; a lone comma is a decimal point for Moodle."""
        given = given.replace(",", ".") if given.count(",") == 1 and "." not in given else given
        if not NUMBER.fullmatch(given):
            return None
        number = Fraction(given)
        return next((way for way in self.ways if abs(number - way.value) <= way.tolerance), None)


def read(content: str) -> tuple[str, list[Question]]:
    """The category, and the questions: pieces between empty lines."""
    category, *pieces = re.split(r"\n\s*\n", content)
    assert category.startswith("$CATEGORY:")
    return category.removeprefix("$CATEGORY:").strip(), [one(piece) for piece in pieces]


def one(piece: str) -> Question:
    lines = piece.split("\n")
    comments = "\n".join(line for line in lines if line.strip().startswith("//"))
    text = held("\n".join(line for line in lines if not line.strip().startswith("//")).strip())
    identifier = re.search(r"\[id:((?:\\\]|[^\]])+)\]", comments)
    assert identifier
    assert text.startswith("::")
    name, text = text[2:].split("::", 1)
    start, end = text.index("{"), text.index("}")
    assert end == len(text) - 1  # the answers stand last, or Moodle puts a line into the question
    inside, after = text[start + 1 : end].rsplit("####", 1)
    assert text.strip().startswith("[html]")
    assert inside[0] == "#"
    assert "~" not in inside
    ways = [way(part) for part in inside[1:].split("=") if part.strip()]
    question = back(text[:start].strip().removeprefix("[html]"))
    return Question(identifier[1].replace("\\]", "]"), back(name), question, ways, back(after))


def way(text: str) -> Way:
    head, _, feedback = text.strip().partition("#")
    weight = re.match(r"%(-?\d{1,2}\.?\d*)%", head)
    value, tolerance = head[weight.end() if weight else 0 :].split(":")
    assert NUMBER.fullmatch(value.strip())
    assert NUMBER.fullmatch(tolerance.strip())
    percent = Fraction(weight[1]) / 100 if weight else Fraction(1)
    return Way(percent, Fraction(value.strip()), Fraction(tolerance.strip()), back(feedback))


# --- the rehearsal -----------------------------------------------------------------------------------------

BANKS = {"exact": LINEAR, "rounded": LOGISTIC}


@dataclass(frozen=True)
class Made:
    bank: Bank
    items: list[Item]
    category: str
    questions: list[Question]

    def each(self) -> Iterator[tuple[Item, Answer, Question]]:
        asked = [(item, answer) for item in self.items for answer in item.answers]
        for (item, answer), question in zip(asked, self.questions, strict=True):
            yield item, answer, question


def imported(text: str) -> Made:
    bank = derivations.session(text).exercises(count=2)
    items = list(bank.items())
    ((name, content),) = files(bank, items).items()
    assert name == ".gift.txt"
    assert isinstance(content, str)
    return Made(bank, items, *read(content))


@pytest.fixture(scope="module", params=BANKS)
def made(request: pytest.FixtureRequest) -> Made:
    return imported(BANKS[request.param])


def test_every_question_says_what_is_asked_and_has_the_solution(made: Made) -> None:
    for item, answer, question in made.each():
        assert question.identifier == f"{item.key} {answer.asked.key}"
        assert answer.asked.key in question.name
        assert r"\[" in question.text
        assert "<table>" in question.text
        assert BLANK not in question.text
        assert r"\frac" in question.text  # with the backslash and the braces that TeX wants
        own = html_of(question_of(replace(item, answers=(answer,)), made.bank), item)
        assert question.text == " ".join(own.replace(BLANK, "?").split())
        worked = " ".join(html_of(list(solution(item, made.bank))[:2], item).split())
        assert question.after.startswith(worked)
    assert len({question.identifier for question in made.questions}) == len(made.questions)
    assert made.category == f"$course$/top/{made.bank.of.spec.title}"


def test_what_is_awarded_is_what_the_bank_accepts(made: Made) -> None:
    step = Fraction(1, 10 ** (made.bank.places + 4))
    for _, answer, question in made.each():
        low, high = answer.accepted.low, answer.accepted.high
        for given in (answer.text, answer.text.replace(".", ","), repr(float(low)), repr(float(high))):
            found = question.marked(given)
            assert found
            assert found.fraction == 1
        for given in (low - step, high + step):
            found = question.marked(repr(float(given)))
            assert found is None or found.fraction == 0
        assert question.ways[0].value == Fraction(answer.text)  # what Moodle shows as the right answer
        assert not any(map(question.marked, ("", "abc", "--1", "1e9")))


def test_a_slip_gets_no_mark_and_its_explanation(made: Made) -> None:
    count = 0
    for item, answer, question in made.each():
        for option in answer.wrong:
            found = question.marked(written(option.value, made.bank.places))
            assert found
            assert found.fraction == 0
            assert found.feedback == said(option.explanation, item)
            count += 1
    assert count > 20


MARKED = LINEAR.replace('"a line"', r'''"a ~ line # with {braces} = and: \\nabla \\{ / <b>more</b> $x$"''')


def test_marks_of_gift_in_a_title_stay_text() -> None:
    made = imported(MARKED)
    assert made.questions[0].name.startswith(
        r"a ~ line # with {braces} = and: \nabla \{ / <b>more</b> $x$ 1, "
    )
    assert len(made.questions) == 2 * len(made.items[0].answers)


def test_tolerances_are_plain_decimals(made: Made) -> None:
    for _, _, question in made.each():
        assert all(Decimal(0) <= way.tolerance < 1 for way in question.ways)
