"""nbgrader: a notebook in which every variant has a cell for its answers and a test for each of them.

Answers stand between the marks of a solution, what is accepted in hidden tests: `nbgrader` takes both out of
what students get. A cell in front defines how a test marks; it is locked, and holds no answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from derivations.exercises.bank import Bank, Item, decimal
from derivations.exercises.exports.inputs import asked_for, statement
from derivations.exercises.exports.marks import PYTHON, Mark, marks_of, slack_of
from derivations.exercises.fragment import html_of

CHECK = '''import math


def number(value):
    """A number, or what was written as text, with a decimal point or comma; None for anything else."""
    try:
        text = isinstance(value, str)
        found = float(value.strip().replace(",", ".").replace("\\u2212", "-") if text else value)
    except (TypeError, ValueError):
        return None
    return found if math.isfinite(found) else None


def used(answers, key, low, high, value):
    """What is carried on from an answer: our value if it is right or missing."""
    given = number(answers.get(key))
    return value if given is None or low <= given <= high else given


def follows(value, due, below, above):
    """Whether an answer is what follows from earlier ones that were wrong."""
    try:
        found = due()
        down = math.ceil((found - {slack})*{scale} - 0.5)/{scale}
        up = math.floor((found + {slack})*{scale} + 0.5)/{scale}
    except (ArithmeticError, ValueError):
        return False
    return min(found - below, down) - {slack} <= value <= max(found + above, up) + {slack}


def check(answers, key, low, high, wrong=(), carried=None):
    """Raises AssertionError where an answer is neither accepted nor follows from earlier ones."""
    value = number(answers.get(key))
    assert value is not None, f"{{key}}: {{answers.get(key)!r}}"
    if low <= value <= high or carried is not None and follows(value, *carried):
        return
    for least, most, words in wrong:
        assert not least <= value <= most, f"{{key}}: {{words}}"
    raise AssertionError(f"{{key}}: {{value}}")
'''


def files(bank: Bank, items: Sequence[Item]) -> Mapping[str, str]:
    """The instructor's version of a notebook, from which nbgrader generates that of the students."""
    cells = [_code(_checking(bank), "check", locked=True)]
    for item in items:
        cells += _cells(item, bank)
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    notebook = new_notebook(cells=cells, metadata=metadata)
    nbformat.validate(notebook)
    return {".nbgrader.ipynb": nbformat.writes(notebook) + "\n"}


def _checking(bank: Bank) -> str:
    return CHECK.format(slack=decimal(slack_of(bank.places)), scale=10**bank.places).rstrip()


def _cells(item: Item, bank: Bank) -> Iterator[NotebookNode]:
    """The question, the answers, and a test of each."""
    marks = marks_of(item, bank)
    title = f"<h3>{item.number}</h3>\n"
    told = title + html_of(statement(item, bank), item)
    asked = [f"{html_of([asked_for(mark, item, bank)], item)}\n\n    {_name(mark)}" for mark in marks]
    yield _cell(new_markdown_cell, "\n\n".join([told, *asked]), f"{item.key}-question", locked=True)
    right = [f"{_name(mark)} = {mark.answer.text}" for mark in marks]
    lines = ["answers = {}", "### BEGIN SOLUTION", *right, "### END SOLUTION"]
    yield _code("\n".join(lines), f"{item.key}-answers", solution=True)
    own = {mark.letter: mark for mark in marks}
    for number, mark in enumerate(marks, 1):
        test = ["### BEGIN HIDDEN TESTS", _test(mark, own), "### END HIDDEN TESTS"]
        yield _code("\n".join(test), f"{item.key}-{number}", locked=True, grade=True, points=1)


def _name(mark: Mark) -> str:
    return f"answers[{_quoted(mark.answer.asked.key)}]"


def _quoted(text: str) -> str:
    """A text as a literal of Python, in double quotes as far as possible."""
    return repr(text) if '"' in text or "\\" in text else f'"{text}"'


def _test(mark: Mark, own: Mapping[str, Mark]) -> str:
    """``check(answers, "1:w'", 0.4, 0.4, wrong=[…], carried=(lambda: …, 0, 0))``"""
    given = ["answers", _quoted(mark.answer.asked.key), decimal(mark.low), decimal(mark.high)]
    if mark.wrong:
        rows = (f"    ({decimal(w.low)}, {decimal(w.high)}, {_quoted(w.words)})," for w in mark.wrong)
        given.append("wrong=[\n" + "\n".join(rows) + "\n]")
    if mark.carried is not None and PYTHON.knows(mark.carried):
        code = PYTHON.code(mark.carried_in(lambda letter: _used(own[letter])))
        given.append(f"carried=(lambda: {code}, {decimal(mark.below)}, {decimal(mark.above)})")
    return f"check({', '.join(given)})"


def _used(mark: Mark) -> str:
    numbers = (decimal(mark.low), decimal(mark.high), PYTHON.number(mark.value))
    return f"used({', '.join(['answers', _quoted(mark.answer.asked.key), *numbers])})"


def _code(source: str, identifier: str, **kind: Any) -> NotebookNode:
    return _cell(new_code_cell, source, identifier, **kind)


def _cell(made: Any, source: str, identifier: str, **kind: Any) -> NotebookNode:
    """A cell with what nbgrader has to know of it."""
    plain = {"schema_version": 3, "grade": False, "locked": False, "solution": False, "task": False}
    metadata = {"nbgrader": {**plain, **kind, "grade_id": identifier}}
    found: NotebookNode = made(source=source, id=identifier, metadata=metadata)
    return found
