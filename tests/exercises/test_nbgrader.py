"""nbgrader: metadata by the rules of its schema, and the cells run as nbgrader runs them.

The rules are those of nbgrader's schema of version 3 and of its validator: which keys a cell may have, that
identifiers are unique, that what is graded has points, and that Markdown is graded only as a solution.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import nbformat
import pytest
from nbformat import NotebookNode

from derivations.exercises.bank import Bank, Item
from tests.exercises.rehearsal import BANKS, Marked, Sheet, bank_of, exported, rehearse

Given = tuple[Bank, tuple[Item, ...]]
REGION = r"### BEGIN {0}\n(.*?)\n### END {0}"
RUN = """
import json, sys
for line in sys.stdin:
    before, tests = json.loads(line)
    names = {}
    for source in before:
        exec(source, names)
    found = []
    for source in tests:
        try:
            exec(source, names)
            found.append([True, ""])
        except AssertionError as fault:
            found.append([False, str(fault)])
    print(json.dumps(found), flush=True)
"""


@pytest.fixture(scope="module", params=BANKS)
def given(request: pytest.FixtureRequest) -> Given:
    return bank_of(request.param)


def notebook_of(given: Given) -> NotebookNode:
    found = nbformat.reads(str(exported("nbgrader", given)), as_version=4)
    nbformat.validate(found)
    return found


def region(name: str, source: str) -> str:
    (found,) = re.findall(REGION.format(name), source, re.DOTALL)
    return str(found)


class Grader:
    """A kernel in a process of its own."""

    def __init__(self, notebook: NotebookNode) -> None:
        self.cells = {cell.metadata.nbgrader.grade_id: cell for cell in notebook.cells}
        pipe = subprocess.PIPE
        self.process = subprocess.Popen([sys.executable, "-c", RUN], stdin=pipe, stdout=pipe, text=True)

    def mark(self, item: Item, sheet: Sheet) -> Marked:
        cell = self.cells[f"{item.key}-answers"].source
        written = "\n".join(f"answers[{key!r}] = {text!r}" for key, text in sheet.items())
        answers = cell.replace(region("SOLUTION", cell), written)
        assert answers != cell
        return dict(zip(sheet, self.run(item, answers), strict=True))

    def run(self, item: Item, answers: str) -> list[tuple[bool, str]]:
        tests = [cell for name, cell in self.cells.items() if re.fullmatch(f"{item.key}-\\d+", name)]
        before = [self.cells["check"].source, answers]
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps([before, [test.source for test in tests]]) + "\n")
        self.process.stdin.flush()
        return [(good, said) for good, said in json.loads(self.process.stdout.readline())]

    def close(self) -> None:
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()
        assert self.process.wait() == 0


@pytest.fixture
def grader(given: Given) -> Iterator[Grader]:
    found = Grader(notebook_of(given))
    yield found
    found.close()


def test_what_the_tests_award_and_say_is_what_the_bank_does(given: Given, grader: Grader) -> None:
    for item in given[1]:
        rehearse(item, given[0], lambda sheet, item=item: grader.mark(item, sheet), comma=True)


def test_the_instructors_version_passes_its_own_tests(given: Given, grader: Grader) -> None:
    for item in given[1]:
        answers = grader.cells[f"{item.key}-answers"].source
        assert all(good for good, _ in grader.run(item, answers))


ALLOWED = {"schema_version", "grade", "locked", "solution", "task", "grade_id", "points"}


def test_the_metadata_are_what_nbgrader_allows(given: Given) -> None:
    seen = set()
    for cell in notebook_of(given).cells:
        meta: dict[str, Any] = cell.metadata.nbgrader
        assert meta.keys() <= ALLOWED
        assert meta["schema_version"] == 3
        assert all(type(meta[key]) is bool for key in ("grade", "locked", "solution", "task"))
        assert re.fullmatch(r"[a-zA-Z0-9_\-]+", meta["grade_id"])
        assert meta["grade_id"] not in seen
        seen.add(meta["grade_id"])
        assert ("points" in meta) == meta["grade"]
        assert meta.get("points", 0) >= 0
        assert not (cell.cell_type == "markdown" and (meta["grade"] or meta["solution"]))
        assert meta["locked"] != meta["solution"]


def test_students_get_no_answer_and_no_test(given: Given) -> None:
    """What is left when solutions and hidden tests are taken out, as nbgrader does."""
    for cell in notebook_of(given).cells:
        left = re.sub(REGION.format("(?:SOLUTION|HIDDEN TESTS)"), "", cell.source, flags=re.DOTALL)
        assert "###" not in left
        if cell.cell_type == "code" and cell.metadata.nbgrader.grade_id != "check":
            assert left.strip() in ("", "answers = {}")


def test_a_question_names_every_answer(given: Given) -> None:
    cells = {cell.metadata.nbgrader.grade_id: cell.source for cell in notebook_of(given).cells}
    for item in given[1]:
        text = cells[f"{item.key}-question"]
        for answer in item.answers:
            assert f'    answers["{answer.asked.key}"]\n' in text + "\n"
        assert r"\(" in text
        html, _, _ = text.partition("\n\n")
        assert html.endswith("</p>")  # a blank line would end the HTML, and Markdown would read formulas


@pytest.mark.slow
def test_a_kernel_runs_the_notebook_and_notices_a_slip() -> None:
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError

    given = bank_of("linear")
    NotebookClient(notebook_of(given), timeout=120, kernel_name="python3").execute()
    wrong = notebook_of(given)
    item = given[1][0]
    option = item.answers[0].wrong[0]
    for cell in wrong.cells:
        if cell.metadata.nbgrader.grade_id == f"{item.key}-answers":
            right = f'"{item.answers[0].asked.key}"] = {item.answers[0].text}\n'
            assert right in cell.source
            cell.source = cell.source.replace(right, right.replace(item.answers[0].text, str(option.value)))
    with pytest.raises(CellExecutionError, match="You forgot the factor 2"):
        NotebookClient(wrong, timeout=120, kernel_name="python3").execute()
