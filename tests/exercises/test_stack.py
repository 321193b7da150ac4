"""STACK: the response trees are worked as STACK does it, by a reader of Maxima of our own.

A tree is worked once all inputs that it names are valid: its variables in their order, then the nodes from
the first, each an answer test; AlgEquiv of a truth value is all that is used.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import Any

import pytest
from lxml import etree

from derivations.exercises.bank import Bank, Item
from tests.exercises.infix import worked
from tests.exercises.rehearsal import BANKS, Marked, Sheet, bank_of, exported, rehearse

Given = tuple[Bank, tuple[Item, ...]]


@pytest.fixture(scope="module", params=BANKS)
def given(request: pytest.FixtureRequest) -> Given:
    return bank_of(request.param)


def questions_of(given: Given) -> list[etree._Element]:
    content = exported("stack", given)
    assert isinstance(content, bytes)
    first, *questions = etree.fromstring(content)
    assert first.get("type") == "category"
    assert all(question.get("type") == "stack" for question in questions)
    return questions


def said(element: etree._Element, path: str) -> str:
    found = element.findtext(path)
    assert found is not None, path
    return found


@dataclass(frozen=True)
class Outcome:
    score: float
    note: str
    feedback: str


class Stack:
    def __init__(self, question: etree._Element) -> None:
        self.question = question
        self.inputs = [said(each, "name") for each in question.findall("input")]
        self.trees = {said(each, "name"): each for each in question.findall("prt")}
        assert {said(each, "type") for each in question.findall("input")} == {"numerical"}
        assert said(question, "decimals") == "."

    def mark(self, sheet: Sheet) -> Marked:
        found = self.outcomes(dict(zip(self.inputs, sheet.values(), strict=True)))
        rows = zip(sheet, found.values(), strict=True)
        return {key: (bool(each and each.score == 1), each.feedback if each else "") for key, each in rows}

    def outcomes(self, texts: dict[str, str]) -> dict[str, Outcome | None]:
        valid = {name: float(text) for name, text in texts.items() if re.fullmatch(r"-?\d+(\.\d*)?", text)}
        return {name: self.outcome(tree, valid) for name, tree in self.trees.items()}

    def outcome(self, tree: etree._Element, valid: dict[str, float]) -> Outcome | None:
        code = said(tree, "feedbackvariables/text")
        nodes = {said(each, "name"): each for each in tree.findall("node")}
        named = set(re.findall(r"\bans\d+\b", code + "".join(said(each, "sans") for each in nodes.values())))
        if not named <= valid.keys():
            return None
        names: dict[str, Any] = {**valid, "true": True}
        for line in filter(None, (line.strip() for line in code.split(";"))):
            name, _, body = line.partition(":")
            assert name not in names, f"{name} is set twice"
            names[name] = worked(body, names)
        return self.walk(nodes, names)

    def walk(self, nodes: dict[str, etree._Element], names: dict[str, Any]) -> Outcome:
        at, score, feedback, seen = "0", 0.0, "", set[str]()
        while at != "-1":
            assert at not in seen
            seen.add(at)
            node = nodes[at]
            assert (said(node, "answertest"), said(node, "tans")) == ("AlgEquiv", "true")
            end = "true" if worked(said(node, "sans"), names) else "false"
            assert said(node, f"{end}scoremode") == "="
            score = float(said(node, f"{end}score"))
            feedback += html.unescape(said(node, f"{end}feedback/text"))
            note, at = said(node, f"{end}answernote"), said(node, f"{end}nextnode")
        return Outcome(score, note, feedback)


def test_what_stack_awards_and_says_is_what_the_bank_does(given: Given) -> None:
    for item, question in zip(given[1], questions_of(given), strict=True):
        rehearse(item, given[0], Stack(question).mark, comma=False)


def test_the_question_tests_that_go_along_pass(given: Given) -> None:
    for item, question in zip(given[1], questions_of(given), strict=True):
        stack, cases = Stack(question), question.findall("qtest")
        assert len(cases) == 1 + sum(min(len(answer.wrong), 12) for answer in item.answers)
        for case in cases:
            texts = {said(each, "name"): said(each, "value") for each in case.findall("testinput")}
            outcomes = stack.outcomes(texts)
            assert len(case.findall("expected")) == len(outcomes)
            for each in case.findall("expected"):
                outcome = outcomes[said(each, "name")]
                assert outcome is not None
                assert outcome.score == float(said(each, "expectedscore"))
                assert outcome.note == said(each, "expectedanswernote")
                lost = 0 if outcome.score else float(said(question, "penalty"))
                assert lost == float(said(each, "expectedpenalty"))


def test_every_input_and_tree_stands_in_the_text_once(given: Given) -> None:
    for item, question in zip(given[1], questions_of(given), strict=True):
        text, stack = said(question, "questiontext/text"), Stack(question)
        assert said(question, "idnumber") == item.key
        for name in stack.inputs:
            assert text.count(f"[[input:{name}]]") == text.count(f"[[validation:{name}]]") == 1
        for name in stack.trees:
            assert text.count(f"[[feedback:{name}]]") == 1
        rest = re.sub(r"\[\[(input|validation|feedback):\w+\]\]", "", text)
        for part in (rest, said(question, "generalfeedback/text"), said(question, "questionnote/text")):
            assert not re.search(r"\[\[|\{[@#]", part)
