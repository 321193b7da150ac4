"""An import rehearsal for QTI 2.1: packages held against rules of the schema, items played."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

import pytest
from flint import fmpq
from lxml import etree

import derivations
from derivations.exercises.bank import Answer, Bank, Item, decimal
from derivations.exercises.carried import worked_on
from derivations.exercises.exports.qti21 import files, identifier
from derivations.exercises.fragment import said
from tests.exercises.test_bank import LINEAR, LOGISTIC

CP = "{http://www.imsglobal.org/xsd/imscp_v1p1}"
QTI = "{http://www.imsglobal.org/xsd/imsqti_v2p1}"
MATH = "{http://www.w3.org/1998/Math/MathML}"
NUMBER = re.compile(r"\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*")

# --- an interpreter of response processing by the specification: NULL is None, floats are doubles ----------


def local(element: Any) -> str:
    return str(etree.QName(element).localname)


@dataclass
class Session:
    """One attempt at an item."""

    item: Any
    given: dict[str, str]
    values: dict[str, Any] = field(default_factory=dict)

    def played(self) -> Session:
        for declared in self.item.findall(f"{QTI}responseDeclaration"):
            assert declared.get("baseType") == "float"
            text = self.given.get(declared.get("identifier"), "")
            self.values[declared.get("identifier")] = float(text) if NUMBER.fullmatch(text) else None
        for declared in self.item.findall(f"{QTI}outcomeDeclaration"):
            text = declared.findtext(f"{QTI}defaultValue/{QTI}value")
            kind = declared.get("baseType")
            self.values[declared.get("identifier")] = float(text) if kind == "float" else text
        for rule in self.item.find(f"{QTI}responseProcessing"):
            self.rule(rule)
        return self

    def rule(self, rule: Any) -> None:
        if local(rule) == "setOutcomeValue":
            self.values[rule.get("identifier")] = self.value(rule[0])
            return
        assert local(rule) == "responseCondition"
        for branch in rule:
            rules = list(branch)
            if local(branch) != "responseElse" and self.value(rules.pop(0)) is not True:
                continue
            for each in rules:
                self.rule(each)
            return

    def value(self, expression: Any) -> Any:
        kind = local(expression)
        if kind == "baseValue":
            return float(expression.text) if expression.get("baseType") == "float" else expression.text
        if kind == "variable":
            return self.values[expression.get("identifier")]
        if kind == "correct":
            name = expression.get("identifier")
            path = f"{QTI}responseDeclaration[@identifier='{name}']/{QTI}correctResponse/{QTI}value"
            return float(self.item.findtext(path))
        parts = [self.value(part) for part in expression]
        if kind == "and":
            return False if False in parts else None if None in parts else True
        if None in parts:
            return None
        if kind == "equal":
            return within(expression, *parts)
        return OPERATIONS[kind](*parts)

    @property
    def score(self) -> float:
        return float(self.values["SCORE"])

    def shown(self) -> list[str]:
        """The text of all feedback that is shown."""
        return [
            "".join(each.itertext())
            for each in self.item.findall(f"{QTI}modalFeedback")
            if self.values[each.get("outcomeIdentifier")] == each.get("identifier")
        ]


def within(equal: Any, first: float, second: float) -> bool:
    """The second value lies in ``[first - t0, first + t1]``."""
    assert equal.get("toleranceMode") == "absolute"
    below, above = map(float, equal.get("tolerance").split())
    return first - below <= second <= first + above


def product(*factors: float) -> float:
    found = 1.0
    for each in factors:
        found *= each
    return found


OPERATIONS: dict[str, Callable[..., Any]] = {
    "not": lambda a: not a,
    "gt": lambda a, b: a > b,
    "match": lambda a, b: a == b,
    "sum": lambda *parts: sum(parts),
    "product": product,
    "subtract": lambda a, b: a - b,
    "divide": lambda a, b: a / b if b else None,
    "power": lambda a, b: a**b if a >= 0 or b == int(b) else None,
}

# --- the banks ---------------------------------------------------------------------------------------------

DEEP = """
title = "a line < before & a sigmoid"
[model]
equations = '''
z[i] = w*x[i] + b
p[i] = sigmoid(z[i])
L = mean((p[i] - y[i])**2, i)
'''
[data]
x = [1, 2]
y = [1, 0]
[parameters]
w = 1
b = 0
[training]
optimizer = { name = "SGD", lr = 0.5 }
[page]
language = "de"
[exercise]
vary = { w = [0.5, 1, 1.5, 2], b = [-1, 0, 1] }
ask = ["z", "p", "dL/dw", "w'"]
count = 3
places = 3
"""
ADAM = LINEAR.replace('name = "SGD", lr = 0.1', 'name = "Adam", lr = 0.1')
BANKS = {"exact": LINEAR, "rounded": LOGISTIC, "deep": DEEP, "adam": ADAM}


@dataclass(frozen=True)
class Made:
    bank: Bank
    items: list[Item]
    archive: zipfile.ZipFile
    roots: dict[str, Any]

    def played(self, item: Item, given: dict[str, str]) -> Session:
        """An attempt; answers are given by the keys of what is asked."""
        own = {f"R{n}": given.get(answer.asked.key, "") for n, answer in enumerate(item.answers, 1)}
        return Session(self.roots[item.key], own).played()

    def points(self, item: Item, given: dict[str, str]) -> dict[str, float]:
        session = self.played(item, given)
        found = {answer.asked.key: session.values[f"POINTS{n}"] for n, answer in enumerate(item.answers, 1)}
        assert session.score == sum(found.values())
        return found


def package(text: str) -> Made:
    bank = derivations.session(text).exercises(count=3)
    items = list(bank.items())
    ((name, content),) = files(bank, items).items()
    assert name == ".qti21.zip"
    archive = zipfile.ZipFile(io.BytesIO(content))
    roots = {item.key: etree.fromstring(archive.read(f"items/{identifier(item)}.xml")) for item in items}
    return Made(bank, items, archive, roots)


@pytest.fixture(scope="module", params=BANKS)
def made(request: pytest.FixtureRequest) -> Made:
    return package(BANKS[request.param])


def right(item: Item) -> dict[str, str]:
    return {answer.asked.key: answer.text for answer in item.answers}


def written(value: Any, places: int) -> str:
    """What a student writes down who rounds half away from zero."""
    number = Decimal(value.mid().str(40, radius=False)) if hasattr(value, "mid") else None
    if number is None:
        number = Decimal(int(value.p)) / Decimal(int(value.q))
    return str(number.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP))


def each_answer(made: Made) -> Iterator[tuple[Item, Answer]]:
    for item in made.items:
        for answer in item.answers:
            yield item, answer


def test_the_right_answers_get_all_marks_and_the_solution(made: Made) -> None:
    for item in made.items:
        session = made.played(item, right(item))
        assert session.score == len(item.answers) == session.values["MAXSCORE"]
        assert len(session.shown()) == 1  # nothing is said of an answer that is right


def test_the_ends_of_what_is_accepted_are_inside_and_what_is_just_outside_is_not(made: Made) -> None:
    step = Fraction(1, 10 ** (made.bank.places + 4))
    for item, answer in each_answer(made):
        key, low, high = answer.asked.key, answer.accepted.low, answer.accepted.high
        for given, mark in ((low, 1), (high, 1), (low - step, 0), (high + step, 0)):
            assert made.points(item, right(item) | {key: repr(float(given))})[key] == mark


def test_a_slip_gets_no_mark_and_its_explanation(made: Made) -> None:
    count = 0
    for item, answer in each_answer(made):
        for option in answer.wrong:
            given = right(item) | {answer.asked.key: written(option.value, made.bank.places)}
            session = made.played(item, given)
            assert session.values[f"POINTS{item.answers.index(answer) + 1}"] == 0
            shown = session.shown()
            assert any(text.endswith(f": {said(option.explanation, item)}") for text in shown)
            count += 1
    assert count > 20


def test_rubbish_gets_no_mark(made: Made) -> None:
    for item, answer in each_answer(made):
        comma = answer.text.replace(".", ",")
        for given in ("", "abc", "1..2", "1/2", "--1", "NaN", "1e400", *[comma] * ("," in comma)):
            found = made.points(item, right(item) | {answer.asked.key: given})
            assert found[answer.asked.key] == 0


def worked_from(made: Made, item: Item, answer: Answer) -> dict[str, str]:
    """What a student hands in who has one answer wrong, and works on from it."""
    given = right(item) | {answer.asked.key: str(-Decimal(answer.text) + Decimal("0.301"))}
    for later in item.answers[item.answers.index(answer) + 1 :]:
        numbers = {name: _exact(text) for name, text in given.items()}
        found = worked_on(item.steps, made.bank.example, made.bank.asked, numbers)[later.asked.key]
        if later.text != written(found, made.bank.places):
            given[later.asked.key] = written(found, made.bank.places + 4 * made.bank.exact)
    return given


def test_an_error_is_carried_forward_as_the_run_worked_on_says(made: Made) -> None:
    """One answer is off, and all after it are worked from it; a sigmoid is not among what items can work."""
    carried = 0
    for item, answer in each_answer(made):
        given = worked_from(made, item, answer)
        for name, mark in made.points(item, given).items():
            changed = Fraction(given[name]) != Fraction(right(item)[name])
            off = name == answer.asked.key or (changed and name.startswith("1:p["))
            assert mark == (not off)
            carried += changed and not off
    assert carried > 5


def _exact(text: str) -> Any:
    value = Fraction(text)
    return fmpq(value.numerator, value.denominator)


def test_an_error_is_carried_forward_as_by_hand() -> None:
    """A line, two steps of two samples: the gradient of w is 3 too much, and all else is worked from it."""
    made = package(LINEAR)
    for item in made.items:
        x, y = item.values["x"], (3, 5, 6, 9)
        w, b, lr = (item.values[name] for name in ("w", "b", "lr"))
        off = [w * x[i] + b - y[i] for i in (0, 1)]
        wrong, db = sum(off[i] * x[i] for i in (0, 1)) + 3, sum(off)
        w, b = w - lr * wrong, b - lr * db
        off = [w * x[i] + b - y[i] for i in (2, 3)]
        last = sum(off[i - 2] * x[i] for i in (2, 3)), sum(off)
        numbers = wrong, db, w, b, *last, w - lr * last[0], b - lr * last[1]
        given = {answer.asked.key: decimal(n) for answer, n in zip(item.answers, numbers, strict=True)}
        assert [key for key, mark in made.points(item, given).items() if not mark] == ["1:dL/dw"]
        changed = [key for key, text in given.items() if Fraction(text) != Fraction(right(item)[key])]
        assert sum("earlier answers" in text for text in made.played(item, given).shown()) == len(changed) - 1
        given |= {"1:w'": decimal(w + 1)}  # nor does it follow
        assert made.points(item, given)["1:w'"] == 0
        without = {key: text for key, text in given.items() if key != "1:dL/dw"}
        assert made.points(item, without)["1:w'"] == 0


# --- the files ---------------------------------------------------------------------------------------------

BODY = {"p", "h5", "table"}
INLINE = {"math", "code", "textEntryInteraction"}
CHILDREN = {  # what may stand in what, in this order; a star for any number
    "assessmentItem": "responseDeclaration* outcomeDeclaration* itemBody responseProcessing modalFeedback*",
    "responseDeclaration": "correctResponse",
    "correctResponse": "value",
    "outcomeDeclaration": "defaultValue",
    "defaultValue": "value",
    "assessmentTest": "outcomeDeclaration* testPart outcomeProcessing",
    "testPart": "itemSessionControl assessmentSection",
    "assessmentSection": "assessmentItemRef*",
    "outcomeProcessing": "setOutcomeValue",
    "table": "thead tbody",
    "thead": "tr",
    "tbody": "tr*",
}
REQUIRED = {
    "assessmentItem": {"identifier", "title", "adaptive", "timeDependent"},
    "assessmentTest": {"identifier", "title"},
    "assessmentSection": {"identifier", "title", "visible"},
    "assessmentItemRef": {"identifier", "href"},
    "testPart": {"identifier", "navigationMode", "submissionMode"},
    "textEntryInteraction": {"responseIdentifier"},
    "modalFeedback": {"outcomeIdentifier", "identifier", "showHide"},
    "setOutcomeValue": {"identifier"},
    "baseValue": {"baseType"},
}
IN_MATH = re.compile(r"m(i|n|o|row|frac|sub|sup|subsup|under|over|sqrt|space|table|tr|td|text|ath)")


def test_the_package_has_what_its_manifest_says(made: Made) -> None:
    names = made.archive.namelist()
    assert names == sorted(names)
    root = etree.fromstring(made.archive.read("imsmanifest.xml"))
    assert [local(each) for each in root] == ["metadata", "organizations", "resources"]
    found = {each.get("identifier"): each for each in root.find(f"{CP}resources")}
    kinds = [each.get("type") for each in found.values()]
    assert kinds == ["imsqti_test_xmlv2p1"] + ["imsqti_item_xmlv2p1"] * len(made.items)
    listed = [file.get("href") for each in found.values() for file in each.findall(f"{CP}file")]
    assert sorted([*listed, "imsmanifest.xml"]) == names
    test = etree.fromstring(made.archive.read("test.xml"))
    refs = {each.get("identifier"): each.get("href") for each in test.iter(f"{QTI}assessmentItemRef")}
    assert refs == {name: found[name].get("href") for name in map(identifier, made.items)}
    assert [each.get("identifierref") for each in found["test"].findall(f"{CP}dependency")] == list(refs)


def test_the_files_keep_the_rules_of_the_schema(made: Made) -> None:
    for name in made.archive.namelist():
        root = etree.fromstring(made.archive.read(name))
        if name != "imsmanifest.xml":
            for element in root.iter(f"{QTI}*"):
                keeps_the_rules(element)
            assert all(IN_MATH.fullmatch(local(each)) for each in root.iter(f"{MATH}*"))
            assert all(each.get("alttext") for each in root.iter(f"{MATH}math"))
    for item in made.items:
        identifiers_are_declared(made.roots[item.key])


def keeps_the_rules(element: Any) -> None:
    kind, inside = local(element), [local(child) for child in element]
    assert REQUIRED.get(kind, set()) <= set(element.attrib), kind
    if kind in CHILDREN:
        pattern = "".join(
            rf"(?:{each.rstrip('*')} )" + "*" * each.endswith("*") for each in CHILDREN[kind].split()
        )
        assert re.fullmatch(pattern, "".join(f"{each} " for each in inside)), (kind, inside)
    if kind in ("itemBody", "modalFeedback"):
        assert set(inside) <= BODY
        assert not (element.text or "").strip()
        assert not any((child.tail or "").strip() for child in element)
    if kind in ("p", "td", "th", "h5"):
        assert set(inside) <= INLINE
    if kind == "modalFeedback":
        assert not list(element.iter(f"{QTI}textEntryInteraction"))
    if kind == "textEntryInteraction":
        assert len(element.get("label")) <= 256
    for attribute in ("identifier", "responseIdentifier", "outcomeIdentifier"):
        assert re.fullmatch(r"[A-Za-z_][\w.-]{0,31}", element.get(attribute, "a"))


def identifiers_are_declared(root: Any) -> None:
    responses = {each.get("identifier") for each in root.iter(f"{QTI}responseDeclaration")}
    outcomes = {each.get("identifier") for each in root.iter(f"{QTI}outcomeDeclaration")}
    assert {each.get("responseIdentifier") for each in root.iter(f"{QTI}textEntryInteraction")} == responses
    assert {each.get("identifier") for each in root.iter(f"{QTI}setOutcomeValue")} <= outcomes
    assert {each.get("identifier") for each in root.iter(f"{QTI}variable")} <= outcomes | responses
    states = [(e.get("outcomeIdentifier"), e.get("identifier")) for e in root.iter(f"{QTI}modalFeedback")]
    assert len(set(states)) == len(states)
    assert {name for name, _ in states} <= outcomes


def test_the_same_bank_is_the_same_bytes() -> None:
    once, again = (derivations.session(LOGISTIC).exercises(count=1) for _ in range(2))
    assert files(once, list(once.items())) == files(again, list(again.items()))
