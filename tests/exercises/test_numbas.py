"""Numbas: an exam is marked as Numbas does it, by a reader of JME of our own, and compared with the bank.

What Numbas does stands in its `part.js` and `numberentry.js`: a part is marked with the question's variables,
the best of its alternatives that matches is taken if it is not worse, and if credit is left to gain all of it
is done again with variables replaced by earlier answers, and whatever depends on them worked again.
"""

from __future__ import annotations

import html
import json
import re
from typing import Any

import pytest

from derivations.exercises.bank import Bank, Item
from tests.exercises.infix import worked
from tests.exercises.rehearsal import BANKS, Marked, Sheet, bank_of, exported, rehearse

NOTATIONS = {"plain": r"-?\d+(\.\d+)?", "plain-eu": r"-?\d+(,\d+)?"}
WIGGLE = 1e-12


Given = tuple[Bank, tuple[Item, ...]]


@pytest.fixture(scope="module", params=BANKS)
def given(request: pytest.FixtureRequest) -> Given:
    return bank_of(request.param)


def questions_of(given: Given) -> list[dict[str, Any]]:
    first, _, rest = str(exported("numbas", given)).partition("\n")
    assert re.fullmatch(r"// Numbas version: \w+", first)
    (group,) = json.loads(rest)["question_groups"]
    found: list[dict[str, Any]] = group["questions"]
    return found


class Numbas:
    def __init__(self, question: dict[str, Any]) -> None:
        self.question, self.parts = question, question["parts"]
        self.definitions = {name: row["definition"] for name, row in question["variables"].items()}
        assert all(name == name.lower() == row["name"] for name, row in question["variables"].items())
        assert set(question["ungrouped_variables"]) == set(self.definitions)

    def scope(self, replaced: dict[str, float]) -> dict[str, float]:
        """The variables, worked in the order of what they read, as `remakeVariables` does."""
        found: dict[str, float] = dict(replaced)
        waiting = [name for name in self.definitions if name not in found]
        while waiting:
            ready = [name for name in waiting if self.reads(name) <= found.keys()]
            assert ready, waiting
            for name in ready:
                found[name] = worked(self.definitions[name], found)
                waiting.remove(name)
        return found

    def reads(self, name: str) -> set[str]:
        return {word for word in re.findall(r"\w+", self.definitions[name]) if word in self.definitions}

    def mark(self, sheet: Sheet) -> Marked:
        given = dict(zip(sheet, map(read, sheet.values()), strict=True))
        return {key: self.adaptive(part, given, key) for key, part in zip(sheet, self.parts, strict=True)}

    def adaptive(self, part: dict[str, Any], given: dict[str, float | None], key: str) -> tuple[bool, str]:
        number = given[key]
        if number is None:
            return False, ""
        credit, said = self.against(part, number, self.scope({}))
        if credit == 1 or not part["variableReplacements"]:
            return credit == 1, said
        answers, replaced = list(given.values()), {}
        for row in part["variableReplacements"]:
            answer = answers[int(re.fullmatch(r"p(\d+)", row["part"]).group(1))]  # type: ignore[union-attr]
            assert row["variable"] in self.definitions
            if answer is not None:
                replaced[row["variable"]] = answer
        again, _ = self.against(part, number, self.scope(replaced))
        return (True, "") if again > credit else (False, said)

    def against(self, part: dict[str, Any], number: float, scope: dict[str, float]) -> tuple[float, str]:
        if within(part, number, scope):
            return 1, ""
        for other in part["alternatives"]:
            if within(other, number, scope):
                return other["marks"] / part["marks"], html.unescape(other["alternativeFeedbackMessage"])
        return 0, ""


def read(text: str) -> float | None:
    """`parseNumber`, with the styles of our parts."""
    if re.fullmatch(NOTATIONS["plain"], text):
        return float(text)
    if re.fullmatch(NOTATIONS["plain-eu"], text):
        return float(text.replace(",", "."))
    return None


def within(part: dict[str, Any], number: float, scope: dict[str, float]) -> bool:
    assert part["type"] == "numberentry"
    assert set(part["notationStyles"]) == set(NOTATIONS)
    low, high = worked(part["minValue"], scope), worked(part["maxValue"], scope)
    assert low <= high + WIGGLE
    return bool(low - WIGGLE <= number <= high + WIGGLE)


def test_what_numbas_awards_and_says_is_what_the_bank_does(given: Given) -> None:
    for item, question in zip(given[1], questions_of(given), strict=True):
        rehearse(item, given[0], Numbas(question).mark, comma=True)


def test_later_parts_are_marked_with_the_answers_of_earlier_ones(given: Given) -> None:
    for question in questions_of(given):
        assert any(part["variableReplacements"] for part in question["parts"])


def test_text_is_literal_and_formulas_are_tex(given: Given) -> None:
    """Outside formulas a brace would begin a variable; inside them only ``\\var`` or ``\\simplify``."""
    for question in questions_of(given):
        shown = [question["statement"], question["advice"], *(part["prompt"] for part in question["parts"])]
        assert "____" not in question["statement"]
        for text in shown:
            assert r"\(" in text
            outside = re.sub(r"\\\(.*?\\\)|\\\[.*?\\\]", "", text, flags=re.DOTALL)
            assert not re.search(r"(?<!\\)[{}]|\$", outside)
            assert not re.search(r"\\(var|simplify)\b", text)
