"""Anki: a package is opened as what it is, an SQLite database in an archive."""

from __future__ import annotations

import io
import json
import sqlite3
import sys
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from lxml import html

import derivations
from derivations.exercises.bank import Bank, Item
from derivations.exercises.exports.table import export
from derivations.language.errors import SpecError
from tests.exercises.rehearsal import BANKS, LINEAR, bank_of, exported

pytest.importorskip("genanki", reason="decks need genanki")
Given = tuple[Bank, tuple[Item, ...]]


@pytest.fixture(scope="module", params=BANKS)
def given(request: pytest.FixtureRequest) -> Given:
    return bank_of(request.param)


def opened(content: str | bytes) -> Iterator[sqlite3.Connection]:
    assert isinstance(content, bytes)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert json.loads(archive.read("media")) == {}
        collection = archive.read("collection.anki2")
    connection = sqlite3.connect(":memory:")
    connection.deserialize(collection)
    yield connection
    connection.close()


@pytest.fixture
def collection(given: Given) -> Iterator[sqlite3.Connection]:
    yield from opened(exported("anki", given))


def notes_of(collection: sqlite3.Connection) -> list[tuple[Any, ...]]:
    return collection.execute("select id, guid, mid, flds from notes order by sfld").fetchall()


def test_every_variant_is_a_note_with_its_question_in_front(
    given: Given, collection: sqlite3.Connection
) -> None:
    notes = notes_of(collection)
    assert len(notes) == len(given[1])
    for item, (_, _, _, fields) in zip(given[1], notes, strict=True):
        name, asked, solved = fields.split("\x1f")
        assert html.fromstring(f"<p>{name}</p>").text == f"{given[0].of.spec.title} {item.number}"
        cells = [cell.text_content() for cell in html.fromstring(asked).xpath("//td")]
        assert sum("____" in cell for cell in cells) == len(item.answers)
        for answer in item.answers:
            assert answer.text.removeprefix("-") in solved


def test_formulas_are_in_the_brackets_that_anki_sets(collection: sqlite3.Connection) -> None:
    for *_, fields in notes_of(collection):
        text = html.fromstring(f"<div>{fields}</div>").text_content()
        assert text.count(r"\(") == text.count(r"\)") > 0
        assert text.count(r"\[") == text.count(r"\]") > 0


def test_each_note_has_one_card_of_the_deck(given: Given, collection: sqlite3.Connection) -> None:
    decks = json.loads(collection.execute("select decks from col").fetchone()[0])
    models = json.loads(collection.execute("select models from col").fetchone()[0])
    (deck,) = (key for key, row in decks.items() if row["name"] == given[0].of.spec.title)
    cards = collection.execute("select nid, did, ord from cards").fetchall()
    assert sorted(cards) == sorted((note[0], int(deck), 0) for note in notes_of(collection))
    for _, _, model, fields in notes_of(collection):
        row = models[str(model)]
        assert len(row["flds"]) == len(fields.split("\x1f"))
        (template,) = row["tmpls"]
        assert "{{Question}}" in template["qfmt"]
        assert "{{Solution}}" in template["afmt"]
    assert collection.execute("pragma integrity_check").fetchone() == ("ok",)


def test_identifiers_stay_when_words_change() -> None:
    given = bank_of("linear")
    bank = derivations.session(LINEAR.replace('"a line"', '"a straight line"')).exercises()
    other = bank, tuple(bank.items())
    found = []
    for each in (given, other):
        for collection in opened(exported("anki", each)):
            found.append([row[:3] for row in notes_of(collection)])
    assert found[0] == found[1]


def test_a_missing_package_is_one_message(given: Given, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "genanki", None)
    with pytest.raises(SpecError, match="genanki") as caught:
        export("anki")(*given)
    assert "pip install" in caught.value.hint
