r"""Numbas: a question a variant, a part an answer; errors are carried forward by variable replacements.

Of every answer on which a later one depends there is a variable ``a1``, which Numbas replaces by what the
student wrote; ``s1`` is what is carried on from it, and ``c3`` a later answer worked with that. Slips are
alternatives of a part, for which there are no marks. Braces in text would be a variable's: they are escaped.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from derivations.exercises.bank import Bank, Item, decimal
from derivations.exercises.exports.inputs import asked_for, statement
from derivations.exercises.exports.marks import Dialect, Mark, Wrong, marks_of
from derivations.exercises.fragment import html_of
from derivations.exercises.sheets import solution

VERSION = "exam_results_page_options"
JME = Dialect(
    "({})^({})",
    {
        "pi": "pi",
        "sin": "sin({})",
        "cos": "cos({})",
        "cospi": "cos(pi*({}))",
        "floor": "floor({})",
        "max": "max({}, {})",
        "min": "min({}, {})",
        "exp": "exp({})",
        "log": "ln({})",
        "sqrt": "sqrt({})",
        "sign": "sign({})",
        "step": "if({} > 0, 1, 0)",
    },
)
STYLES = ["plain", "plain-eu"]  # 1.5 and 1,5
TEX = re.compile(r"(\\\(.*?\\\)|\\\[.*?\\\])", re.DOTALL)


def files(bank: Bank, items: Sequence[Item]) -> Mapping[str, str]:
    """One exam, from which every student gets one variant."""
    group = {
        "name": "",
        "pickingStrategy": "random-subset",
        "pickQuestions": 1,
        "questionNames": ["" for _ in items],
        "questions": [_question(item, bank) for item in items],
    }
    exam = {
        "name": bank.of.spec.title,
        "metadata": {"description": "", "licence": "None specified"},
        "duration": 0,
        "percentPass": 0,
        "showQuestionGroupNames": False,
        "question_groups": [group],
        "navigation": {"allowregen": True, "reverse": True, "browse": True, "preventleave": False},
        "feedback": {"showactualmark": True, "showtotalmark": True, "showanswerstate": True},
        "resources": [],
        "extensions": [],
        "custom_part_types": [],
    }
    text = json.dumps(exam, ensure_ascii=False, indent=1)
    return {".exam": f"// Numbas version: {VERSION}\n{text}\n"}


def _question(item: Item, bank: Bank) -> dict[str, Any]:
    marks = marks_of(item, bank)
    variables = dict(definition for mark in marks for definition in _variables(mark, marks))
    return {
        "name": f"{bank.of.spec.title} {item.number}",
        "tags": [item.key],
        "metadata": {"description": "", "licence": "None specified"},
        "statement": literal(html_of(statement(item, bank), item)),
        "advice": literal(html_of(solution(item, bank), item)),
        "rulesets": {},
        "extensions": [],
        "variables": {name: _variable(name, code) for name, code in variables.items()},
        "variablesTest": {"condition": "", "maxRuns": 100},
        "ungrouped_variables": list(variables),
        "variable_groups": [],
        "functions": {},
        "preamble": {"js": "", "css": ""},
        "parts": [_part(mark, marks, item, bank) for mark in marks],
    }


def literal(html: str) -> str:
    """HTML in which no brace outside a formula begins a variable."""
    parts = TEX.split(html)
    return "".join(part if n % 2 else re.sub(r"([{}])", r"\\\1", part) for n, part in enumerate(parts))


# --- marking ---------------------------------------------------------------------------------------------


def _variable(name: str, code: str) -> dict[str, Any]:
    return {
        "name": name,
        "group": "Ungrouped variables",
        "definition": code,
        "description": "",
        "templateType": "anything",
        "can_override": False,
    }


def _variables(mark: Mark, marks: Sequence[Mark]) -> Iterator[tuple[str, str]]:
    """``a1`` and ``s1`` of an answer on which others depend, ``c3`` of one that depends on others."""
    if any(mark.letter in other.earlier for other in marks):
        own, value = mark.letter, JME.number(mark.value)
        yield own, value
        inside = f"{own} >= {JME.number(mark.low)} and {own} <= {JME.number(mark.high)}"
        yield _used(own), f"if({inside}, {value}, {own})"
    if mark.carried is not None and JME.knows(mark.carried):
        yield _worked(mark), JME.code(mark.carried_in(_used))


def _used(letter: str) -> str:
    return f"s{letter[1:]}"


def _worked(mark: Mark) -> str:
    return f"c{mark.letter[1:]}"


def _ends(mark: Mark) -> tuple[str, str]:
    """``minValue`` and ``maxValue``."""
    if mark.carried is None or not JME.knows(mark.carried):
        return decimal(mark.low), decimal(mark.high)
    c, unit, slack = _worked(mark), 10**mark.places, decimal(mark.slack)
    low = f"min({c} - {decimal(mark.below)}, ceil(({c} - {slack})*{unit} - 0.5)/{unit}) - {slack}"
    high = f"max({c} + {decimal(mark.above)}, floor(({c} + {slack})*{unit} + 0.5)/{unit}) + {slack}"
    return low, high


def _part(mark: Mark, marks: Sequence[Mark], item: Item, bank: Bank) -> dict[str, Any]:
    numbers = {other.letter: n for n, other in enumerate(marks)}
    carried = mark.earlier if JME.knows(mark.carried) else ()
    replaced = [
        {"variable": letter, "part": f"p{numbers[letter]}", "must_go_first": False} for letter in carried
    ]
    return {
        **_number(*_ends(mark), 1),
        "prompt": literal(html_of([asked_for(mark, item, bank)], item)),
        "variableReplacements": replaced,
        "alternatives": [_alternative(wrong) for wrong in mark.wrong],
    }


def _alternative(wrong: Wrong) -> dict[str, Any]:
    """No marks, and what is said to a student who gives this number."""
    return {
        **_number(decimal(wrong.low), decimal(wrong.high), 0),
        "useCustomName": True,
        "customName": wrong.printed,
        "alternativeFeedbackMessage": f"<p>{literal(escape(wrong.words))}</p>",
        "variableReplacements": [],
        "alternatives": [],
    }


def _number(low: str, high: str, marks: int) -> dict[str, Any]:
    return {
        "type": "numberentry",
        "useCustomName": False,
        "customName": "",
        "marks": marks,
        "showCorrectAnswer": False,  # Numbas shows the middle of the interval, the advice the answer
        "showFeedbackIcon": True,
        "scripts": {},
        "variableReplacementStrategy": "originalfirst",
        "adaptiveMarkingPenalty": 0,
        "customMarkingAlgorithm": "",
        "extendBaseMarkingAlgorithm": True,
        "unitTests": [],
        "minValue": low,
        "maxValue": high,
        "correctAnswerFraction": False,
        "allowFractions": False,
        "mustBeReduced": False,
        "mustBeReducedPC": 0,
        "notationStyles": STYLES,
        "correctAnswerStyle": "plain",
    }
