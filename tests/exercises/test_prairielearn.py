"""PrairieLearn: the question's own code is run in a process of its own, with what PrairieLearn gives it.

What the element for numbers does stands in its source: it reads a float, else it reports a format error;
then the question's ``parse`` is called, and ``grade`` only if no format error is left. `random` is seeded.
"""

from __future__ import annotations

import html
import io
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from derivations.exercises.bank import Bank, Item
from tests.exercises.rehearsal import BANKS, Marked, Sheet, bank_of, exported, rehearse

Given = tuple[Bank, tuple[Item, ...]]
SERVED = """
import json, random, sys
sys.path.insert(0, sys.argv[1])
import server

def fresh(seed):
    return {"params": {}, "correct_answers": {}, "submitted_answers": {}, "raw_submitted_answers": {},
            "format_errors": {}, "partial_scores": {}, "score": 0.0, "feedback": {}, "variant_seed": seed,
            "options": {}, "editable": True}

def jsonable(data):
    return json.loads(json.dumps(data, allow_nan=False))

def element(data, name):
    text = data["raw_submitted_answers"][name]
    try:
        data["submitted_answers"][name] = float(text.replace("\\u2212", "-"))
        json.dumps(data, allow_nan=False)
    except ValueError:
        data["submitted_answers"][name] = None
        data["format_errors"][name] = "Invalid format."

seeds = {}
for seed in range(200):
    random.seed(seed)
    data = fresh(seed)
    server.generate(data)
    seeds.setdefault(data["params"]["number"], jsonable(data))
print(json.dumps({number: data["params"] for number, data in seeds.items()}), flush=True)
for line in sys.stdin:
    number, texts = json.loads(line)
    data = jsonable(seeds[number])
    data["raw_submitted_answers"] = dict(texts)
    for name in texts:
        element(data, name)
    server.parse(data)
    data = jsonable(data)
    if not data["format_errors"]:
        server.grade(data)
    print(json.dumps(jsonable(data)), flush=True)
"""


@pytest.fixture(scope="module", params=BANKS)
def given(request: pytest.FixtureRequest) -> Given:
    return bank_of(request.param)


def folder_of(given: Given) -> dict[str, str]:
    content = exported("prairielearn", given)
    assert isinstance(content, bytes)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        found = {name: archive.read(name).decode() for name in archive.namelist()}
    assert {name.rsplit("/", 1)[0] for name in found} == {f"questions/{given[0].of.source.stem}"}
    return {name.rsplit("/", 1)[1]: text for name, text in found.items()}


class Server:
    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-c", SERVED, str(folder)]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)
        self.params: dict[str, Any] = json.loads(self.answer())

    def answer(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def handed(self, number: int, texts: dict[str, str]) -> dict[str, Any]:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps([number, texts]) + "\n")
        self.process.stdin.flush()
        found: dict[str, Any] = json.loads(self.answer())
        return found

    def mark(self, number: int, sheet: Sheet) -> Marked:
        texts = {f"a{n}": text for n, text in enumerate(sheet.values(), 1)}
        data = self.handed(number, texts)
        if data["format_errors"]:
            assert not data["partial_scores"]
            return dict.fromkeys(sheet, (False, ""))
        scores = [data["partial_scores"][name] for name in texts]
        assert data["score"] == pytest.approx(sum(row["score"] for row in scores) / len(scores))
        rows = zip(sheet, scores, strict=True)
        return {key: (row["score"] == 1, html.unescape(row.get("feedback", ""))) for key, row in rows}


@pytest.fixture
def server(given: Given, tmp_path: Path) -> Iterator[Server]:
    (tmp_path / "server.py").write_text(folder_of(given)["server.py"])
    found = Server(tmp_path)
    yield found
    assert found.process.stdin is not None
    assert found.process.stdout is not None
    found.process.stdin.close()
    found.process.stdout.close()
    assert found.process.wait() == 0


def test_what_prairielearn_awards_and_says_is_what_the_bank_does(given: Given, server: Server) -> None:
    for item in given[1]:
        rehearse(item, given[0], lambda sheet, number=item.number: server.mark(number, sheet), comma=True)


def test_every_variant_is_drawn_by_some_seed(given: Given, server: Server) -> None:
    assert {params["key"] for params in server.params.values()} == {item.key for item in given[1]}


def test_the_page_shows_what_varies_and_has_an_input_for_every_answer(given: Given, server: Server) -> None:
    page = folder_of(given)["question.html"]
    names = re.findall(r'<pl-number-input answers-name="(a\d+)"', page)
    assert names == [f"a{n}" for n in range(1, len(given[1][0].answers) + 1)]
    for params in server.params.values():
        assert list(params["asked"]) == names
        for hole in re.findall(r"\{\{\{params\.([\w.]+)\}\}\}", page):
            value: Any = params
            for part in hole.split("."):
                value = value[part]
            assert r"\(" in value


def test_the_question_has_what_prairielearn_asks_for_and_no_other_key(given: Given) -> None:
    info = json.loads(folder_of(given)["info.json"])
    assert set(info) == {"uuid", "title", "topic", "tags", "type"}
    assert info["type"] == "v3"
    assert str(UUID(info["uuid"])) == info["uuid"]
    assert info["title"] == given[0].of.spec.title
