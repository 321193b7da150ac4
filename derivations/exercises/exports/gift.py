r"""GIFT: a numerical question for each answer of each variant, as Moodle's importer reads it.

What Moodle takes for marks of its own, ``~ = # { } :`` and the backslash, is escaped, in formulas too. A
wrong number with feedback is an answer of 0 %: ``~`` would begin the feedback of every wrong number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from derivations.exercises.bank import Answer, Bank, Item, decimal
from derivations.exercises.exports.numeric import alone, handed_in, named, ways
from derivations.exercises.fragment import escape, html_of, said
from derivations.exercises.sheets import BLANK, question, solution

SPECIAL = re.compile(r"([\\~=#{}:])")


def files(bank: Bank, items: Sequence[Item]) -> Mapping[str, str]:
    """One text file, the questions in a category of their own."""
    title = one_line(bank.of.spec.title).replace("/", "//")  # one slash parts a category from the one inside
    found = [f"$CATEGORY: $course$/top/{title}\n"]
    found += [_question(answer, item, bank) for item in items for answer in item.answers]
    return {".gift.txt": "\n".join(found)}


def _question(answer: Answer, item: Item, bank: Bank) -> str:
    own = alone(item, answer)
    identifier = f"{item.key} {answer.asked.key}".replace("]", r"\]")
    text = html_of(question(own, bank), item).replace(BLANK, "?")
    after = html_of(solution(own, bank), item)
    lines = [f"// [id:{identifier}]", f"::{escaped(named(answer, item, bank))}::[html]{escaped(text)}{{#"]
    return "\n".join([*lines, *_answers(answer, item, bank), f"####{escaped(after)}}}"]) + "\n"


def _answers(answer: Answer, item: Item, bank: Bank) -> Iterator[str]:
    for value, room in ways(answer, bank.places):
        number = answer.text if value == answer.printed.value else decimal(value)
        yield f"={number}:{decimal(room)}"
    for option in answer.wrong:
        wrong, room = handed_in(option, bank.places)
        yield f"=%0%{wrong}:{decimal(room)}#{escaped(escape(said(option.explanation, item)))}"


def escaped(text: str) -> str:
    """Text on one line in which nothing is a mark of GIFT."""
    return SPECIAL.sub(r"\\\1", one_line(text))


def one_line(text: str) -> str:
    """Text without line breaks: an empty line would end a question."""
    return " ".join(text.split())
