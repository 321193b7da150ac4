"""The bank as JSON: values, question, answers and solution of every variant; exact numbers are text."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from derivations.exercises.bank import Answer, Bank, Item, at_places
from derivations.exercises.fragment import html_of, said
from derivations.exercises.sheets import question, solution


def files(bank: Bank, items: Sequence[Item]) -> Mapping[str, str]:
    """One JSON file."""
    table = bank.table
    found = {
        "title": bank.of.spec.title,
        "language": bank.of.spec.page.language,
        "seed": table.seed,
        "steps": table.steps,
        "exact": bank.exact,
        "decimals" if bank.exact else "places": bank.places,
        "variants": [_variant(item, bank) for item in items],
    }
    return {".json": json.dumps(found, ensure_ascii=False, indent=1) + "\n"}


def _variant(item: Item, bank: Bank) -> dict[str, Any]:
    return {
        "id": item.key,
        "number": item.number,
        "values": {name: plain(value) for name, value in item.values.items()},
        "question": html_of(question(item, bank), item),
        "answers": [_answer(answer, bank, item) for answer in item.answers],
        "solution": html_of(solution(item, bank), item),
    }


def _answer(answer: Answer, bank: Bank, item: Item) -> dict[str, Any]:
    asked, accepted = answer.asked, answer.accepted
    slips = [
        {
            "answer": at_places(option.value, bank.places).text,
            "slips": [[slip.name for slip in each.slips] for each in option.slips],
            "feedback": said(option.explanation, item),
        }
        for option in answer.wrong
    ]
    return {
        "step": asked.step,
        "quantity": asked.name,
        "answer": answer.text,
        "exact": answer.printed.exact,
        "accepted": [plain(accepted.low), plain(accepted.high)],
        "wrong": slips,
    }


def plain(value: Any) -> Any:
    """An exact number as text, ``"-3/2"``; nested tuples as lists."""
    return str(value) if isinstance(value, Fraction) else list(map(plain, value))
