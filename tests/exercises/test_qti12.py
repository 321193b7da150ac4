"""An import rehearsal for Canvas: the package read by the rules of its importer, and marked as there."""

from __future__ import annotations

import io
import math
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

import pytest
from lxml import etree, html

import derivations
from derivations.exercises.bank import Answer, Bank, Item
from derivations.exercises.exports.qti12 import files
from derivations.exercises.fragment import said
from derivations.language.errors import SpecError
from tests.exercises.test_bank import LINEAR, LOGISTIC
from tests.exercises.test_qti21 import written

CP = "{http://www.imsglobal.org/xsd/imsccv1p1/imscp_v1p1}"
QTI = "{http://www.imsglobal.org/xsd/ims_qtiasiv1p2}"


@dataclass(frozen=True)
class Question:
    """A question as Canvas keeps it: numbers with margins, both through a float, each with all points."""

    identifier: str
    text: str
    numbers: list[tuple[Decimal, Decimal]]
    feedback: dict[str, str]

    def points(self, given: str) -> int:
        try:
            number = Decimal(given)
        except InvalidOperation:
            return 0
        return int(any(exact - margin <= number <= exact + margin for exact, margin in self.numbers))


def question(item: Any) -> Question:
    fields = item.findall(f"{QTI}itemmetadata/{QTI}qtimetadata/{QTI}qtimetadatafield")
    kept = {each.findtext(f"{QTI}fieldlabel"): each.findtext(f"{QTI}fieldentry") for each in fields}
    assert kept["question_type"] == "numerical_question"
    presentation = item.find(f"{QTI}presentation")
    assert presentation.find(f"{QTI}response_str/{QTI}render_fib").get("fibtype") == "Decimal"
    text = presentation.findtext(f"{QTI}material/{QTI}mattext")
    feedback = {
        each.get("ident"): each.findtext(f".//{QTI}mattext") for each in item.findall(f"{QTI}itemfeedback")
    }
    shown = {each.get("linkrefid") for each in item.iter(f"{QTI}displayfeedback")}
    assert shown == set(feedback)
    return Question(item.get("ident"), text, list(numbers(item)), feedback)


def numbers(item: Any) -> Iterator[tuple[Decimal, Decimal]]:
    """The margin is the upper end less the number, whatever the lower end; ``vargt`` would mean digits."""
    assert not list(item.iter(f"{QTI}vargt"))
    for condition in item.iter(f"{QTI}respcondition"):
        either = condition.find(f"{QTI}conditionvar/{QTI}or")
        if either is None:
            assert condition.find(f"{QTI}setvar") is None
            continue
        assert condition.findtext(f"{QTI}setvar") == "100"
        exact = Decimal(either.findtext(f"{QTI}varequal"))
        low, high = (Decimal(either.findtext(f"{QTI}and/{QTI}{kind}")) for kind in ("vargte", "varlte"))
        assert exact - low == high - exact >= 0
        kept = float(exact), float(high - exact)
        assert re.fullmatch(r"-?\d+\.\d+", repr(kept[0]))  # Classic Quizzes read no power of ten
        yield Decimal(repr(kept[0])), Decimal(repr(kept[1]))


BANKS = {"exact": LINEAR, "rounded": LOGISTIC}


@dataclass(frozen=True)
class Made:
    bank: Bank
    items: list[Item]
    archive: zipfile.ZipFile
    questions: list[Question]

    def each(self) -> Iterator[tuple[Item, Answer, Question]]:
        asked = [(item, answer) for item in self.items for answer in item.answers]
        for (item, answer), found in zip(asked, self.questions, strict=True):
            yield item, answer, found


def imported(text: str, count: int = 2) -> Made:
    bank = derivations.session(text).exercises(count=count)
    items = list(bank.items())
    ((name, content),) = files(bank, items).items()
    assert name == ".qti12.zip"
    archive = zipfile.ZipFile(io.BytesIO(content))
    resources = etree.fromstring(archive.read("imsmanifest.xml")).find(f"{CP}resources")
    (quiz,) = (each for each in resources if each.get("type") == "imsqti_xmlv1p2")
    root = etree.fromstring(archive.read(quiz.find(f"{CP}file").get("href")))
    return Made(bank, items, archive, [question(item) for item in root.iter(f"{QTI}item")])


@pytest.fixture(scope="module", params=BANKS)
def made(request: pytest.FixtureRequest) -> Made:
    return imported(BANKS[request.param])


def test_the_package_has_what_its_manifest_says(made: Made) -> None:
    names = made.archive.namelist()
    resources = etree.fromstring(made.archive.read("imsmanifest.xml")).find(f"{CP}resources")
    quiz, meta = resources
    own = quiz.get("identifier")
    assert sorted(names) == sorted(["imsmanifest.xml", f"{own}/{own}.xml", f"{own}/assessment_meta.xml"])
    assert quiz.find(f"{CP}dependency").get("identifierref") == meta.get("identifier")
    assert meta.get("href") == f"{own}/assessment_meta.xml"
    root = etree.fromstring(made.archive.read(meta.get("href")))
    assert root.get("identifier") == own
    assert len({each.identifier for each in made.questions}) == len(made.questions)


def test_every_question_says_what_is_asked_with_formulas_that_are_spoken(made: Made) -> None:
    for item, answer, found in made.each():
        tree = html.fromstring(found.text)
        assert all(each.get("alttext") for each in tree.iter("math"))
        quantities = [row[-2].find("math").get("alttext") for row in tree.iter("tr") if row[-1].text == "?"]
        (asked,) = quantities
        letter = answer.asked.name.strip("'")[-1]
        assert letter in asked.split()
        assert ("partial derivative" in asked) == answer.asked.name.startswith("dL")
        assert ("prime" in asked) == answer.asked.name.endswith("'")
        assert f"{item.number}, {answer.asked.key}" not in found.text
        assert "<table>" in found.feedback["general_fb"]


def test_what_is_awarded_is_what_the_bank_accepts(made: Made) -> None:
    step = Fraction(1, 10 ** (made.bank.places + 4))
    for _, answer, found in made.each():
        low, high = answer.accepted.low, answer.accepted.high
        for given in (answer.text, repr(float(low)), repr(float(high))):
            assert found.points(given) == 1
        for outside in (low - step, high + step):
            assert found.points(repr(float(outside))) == 0
        assert found.numbers[0][0] == Decimal(answer.text)  # what Canvas shows as the right answer
        for given in ("", "abc", "1e9", "1,5"):
            assert found.points(given) == 0


def test_a_slip_gets_no_mark_and_stands_in_the_feedback(made: Made) -> None:
    count = 0
    for item, answer, found in made.each():
        told = " ".join(html.fromstring(found.feedback["general_incorrect_fb"]).itertext())
        for option in answer.wrong:
            assert found.points(written(option.value, made.bank.places)) == 0
            assert said(option.explanation, item) in told
            assert said(option.explanation, item) not in found.feedback["general_fb"]
            count += 1
    assert count > 20


def sure(places: int) -> str:
    """A prediction that is nearly 1, of a sample that is 1: the gradient is nearly 0."""
    text = re.sub("vary = .*", "vary = { w = [10], b = [0] }", LOGISTIC)
    text = text.replace("x = [1, 2, -1]\ny = [1, 0, 1]", "x = [1]\ny = [1]")
    return re.sub("count = .*\nplaces = .*", f'count = 1\nask = ["dL/db"]\nplaces = {places}', text)


def test_an_answer_that_classic_quizzes_cannot_read_is_refused() -> None:
    bank = derivations.session(sure(6)).exercises()
    items = list(bank.items())
    assert abs(float(items[0].answers[0].text) + 1 / (1 + math.exp(10))) < 1e-6
    with pytest.raises(SpecError, match=r"Canvas takes no answer below 0\.0001") as caught:
        files(bank, items)
    assert caught.value.line


def test_the_answer_0_is_taken() -> None:
    text = LINEAR.replace("y = [3, 5, 6, 9]", "y = [1, 2, 3, 4]")
    made = imported(re.sub("vary = .*", "vary = { lr = [0.1, 0.05] }", text))
    noughts = [found for _, answer, found in made.each() if answer.text == "0"]
    assert len(noughts) >= 4
    assert all(found.points("0") == 1 and found.points("0.001") == 0 for found in noughts)


def test_around_0_as_much_is_accepted_on_both_sides_and_no_slip() -> None:
    made = imported(sure(4), 1)
    ((_, answer, found),) = made.each()
    assert Fraction(answer.text) == 0
    assert answer.accepted.high == 0
    ((number, margin),) = found.numbers
    assert number == 0
    assert 0 <= Fraction(margin) + answer.accepted.low < Fraction(1, 10**8)
    assert all(found.points(written(option.value, 4)) == 0 for option in answer.wrong)


def test_the_same_bank_is_the_same_bytes() -> None:
    once, again = (derivations.session(LOGISTIC).exercises(count=1) for _ in range(2))
    assert files(once, list(once.items())) == files(again, list(again.items()))
