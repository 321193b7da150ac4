"""PrairieLearn: one question of which every student gets a variant, as the folder of a course in a ZIP file.

``server.py`` holds the variants as data, draws one with the randomness that PrairieLearn has seeded, and
marks: a number with a decimal comma is read, an answer that follows from a wrong earlier one is right, and a
number to which slips lead gets their words.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pprint import pformat
from typing import Any
from uuid import uuid5

from derivations.exercises.bank import NAMESPACE, Bank, Item
from derivations.exercises.exports.archive import packed
from derivations.exercises.exports.inputs import asked_for, statement
from derivations.exercises.exports.marks import PYTHON, Mark, Wrong, marks_of, slack_of
from derivations.exercises.fragment import html_of
from derivations.exercises.sheets import solution

SERVER = '''"""Draws a variant and marks it; written by derivations."""

import math
import random

SCALE = {scale}  # answers have {places} decimal places
SLACK = {slack}


def generate(data):
    variant = random.choice(VARIANTS)
    data["params"].update(variant["shown"])
    for name, row in variant["answers"].items():
        data["correct_answers"][name] = row["value"]


def parse(data):
    """Reads what PrairieLearn does not: a decimal comma."""
    for name in list(data["format_errors"]):
        text = str(data["raw_submitted_answers"].get(name, ""))
        whole, comma, rest = text.strip().replace("\\u2212", "-").partition(",")
        digits = whole.removeprefix("-") + rest
        if comma and rest and digits.isascii() and digits.isdigit():
            data["submitted_answers"][name] = float(f"{{whole}}.{{rest}}")
            del data["format_errors"][name]


def grade(data):
    variant = VARIANTS[data["params"]["number"] - 1]
    given = {{name: number(data["submitted_answers"].get(name)) for name in variant["answers"]}}
    scores = {{name: marked(name, variant, given) for name in variant["answers"]}}
    data["partial_scores"].update(scores)
    data["score"] = sum(row["score"] for row in scores.values()) / len(scores)


def number(value):
    known = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    return value if known else None


def marked(name, variant, given):
    row, value = variant["answers"][name], given[name]
    if value is None:
        return {{"score": 0, "weight": 1}}
    if row["low"] <= value <= row["high"] or follows(name, variant, given):
        return {{"score": 1, "weight": 1}}
    for low, high, words in row["wrong"]:
        if low <= value <= high:
            return {{"score": 0, "weight": 1, "feedback": words}}
    return {{"score": 0, "weight": 1}}


def follows(name, variant, given):
    """Whether an answer is what follows from earlier ones that were wrong."""
    formula = CARRIED[variant["shown"]["number"] - 1].get(name)
    if formula is None:
        return False
    try:
        due = formula({{other: used(given[other], row) for other, row in variant["answers"].items()}})
        down, up = math.ceil((due - SLACK) * SCALE - 0.5), math.floor((due + SLACK) * SCALE + 0.5)
    except (ArithmeticError, ValueError):
        return False
    row = variant["answers"][name]
    low, high = min(due - row["below"], down / SCALE), max(due + row["above"], up / SCALE)
    return low - SLACK <= given[name] <= high + SLACK


def used(value, row):
    """What is carried on: our value in the place of an answer that is right or missing."""
    return row["value"] if value is None or row["low"] <= value <= row["high"] else value


CARRIED = [
{carried}
]

VARIANTS = {variants}
'''


def files(bank: Bank, items: Sequence[Item]) -> Mapping[str, bytes]:
    """One ZIP file, to be unpacked in the folder of a course."""
    folder = f"questions/{bank.of.source.stem}"
    contents = {
        "info.json": json.dumps(_info(bank), ensure_ascii=False, indent=4) + "\n",
        "question.html": _page(items[0], bank),
        "server.py": _server(items, bank),
    }
    archive = packed({f"{folder}/{name}": content.encode() for name, content in contents.items()})
    return {".prairielearn.zip": archive}


def _info(bank: Bank) -> dict[str, Any]:
    return {
        "uuid": str(uuid5(NAMESPACE, bank.of.source.stem)),
        "title": bank.of.spec.title,
        "topic": "Gradients",
        "tags": ["derivations"],
        "type": "v3",
    }


def _page(item: Item, bank: Bank) -> str:
    """The template of a page: what varies comes from the parameters."""
    lines = ["<pl-question-panel>", "{{{params.statement}}}", "</pl-question-panel>"]
    for mark in marks_of(item, bank):
        lines += [f"{{{{{{params.asked.{mark.letter}}}}}}}", _input(mark)]
    lines += ["<pl-answer-panel>", "{{{params.solution}}}", "</pl-answer-panel>"]
    return "\n".join(lines) + "\n"


def _input(mark: Mark) -> str:
    name = mark.letter
    return (
        f'<pl-number-input answers-name="{name}" comparison="decdig" digits="{mark.places}"'
        ' allow-fractions="false" show-help-text="false" show-placeholder="false"></pl-number-input>'
    )


def _server(items: Sequence[Item], bank: Bank) -> str:
    marks = [marks_of(item, bank) for item in items]
    variants = [_variant(item, bank, own) for item, own in zip(items, marks, strict=True)]
    return SERVER.format(
        scale=10**bank.places,
        places=bank.places,
        slack=float(slack_of(bank.places)),
        carried="\n".join(f"    {{{', '.join(_formulas(own))}}}," for own in marks),
        variants=pformat(variants, width=110, sort_dicts=False),
    )


def _formulas(marks: Sequence[Mark]) -> Iterator[str]:
    """``"a3": lambda a: 2 - 0.05*a["a1"]`` of every answer that depends on earlier ones."""
    for mark in marks:
        if mark.carried is not None and PYTHON.knows(mark.carried):
            code = PYTHON.code(mark.carried_in(lambda letter: f'a["{letter}"]'))
            yield f'"{mark.letter}": lambda a: {code}'


def _variant(item: Item, bank: Bank, marks: Sequence[Mark]) -> dict[str, Any]:
    shown = {
        "number": item.number,
        "key": item.key,
        "statement": html_of(statement(item, bank), item),
        "asked": {mark.letter: html_of([asked_for(mark, item, bank)], item) for mark in marks},
        "solution": html_of(solution(item, bank), item),
    }
    return {"shown": shown, "answers": {mark.letter: _answer(mark) for mark in marks}}


def _answer(mark: Mark) -> dict[str, Any]:
    ends = {"value": mark.value, "low": mark.low, "high": mark.high, "below": mark.below, "above": mark.above}
    return {
        **{name: float(value) for name, value in ends.items()},
        "wrong": [_wrong(wrong) for wrong in mark.wrong],
    }


def _wrong(wrong: Wrong) -> list[Any]:
    return [float(wrong.low), float(wrong.high), escape(wrong.words, quote=False)]
