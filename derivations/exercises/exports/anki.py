"""Anki: a note a variant, its question in front, its answers and worked solution behind.

What identifies deck, notes and cards comes from the name of the spec and the values of a variant, never from
words, so that a learner's history outlives a mended sentence. Nothing in a package says when it was made.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from types import ModuleType
from typing import Any
from uuid import UUID, uuid5

from derivations.exercises.bank import NAMESPACE, Bank, Item
from derivations.exercises.exports.archive import packed
from derivations.exercises.fragment import html_of
from derivations.exercises.sheets import question, solution
from derivations.language.errors import SpecError

MODEL = 1_472_930_561  # of our kind of note, for ever
SINCE, SPAN = 1_500_000_000_000, 2**37  # identifiers of notes look like milliseconds since 1970
FIELDS = "Name", "Question", "Solution"
FRONT = '<div class="derivations">{{Question}}</div>'
BACK = '{{FrontSide}}<hr id="answer"><div class="derivations">{{Solution}}</div>'
STYLE = """.card { font-family: sans-serif; font-size: 18px; color: black; background: white; }
.nightMode.card { color: white; background: #2f2f31; }
.derivations table { border-collapse: collapse; margin: 0.5em 0; }
.derivations th, .derivations td { border: 1px solid #888; padding: 0.2em 0.6em; text-align: left; }
"""


def files(bank: Bank, items: Sequence[Item]) -> Mapping[str, bytes]:
    """One package; raises `SpecError` where genanki is not installed."""
    genanki = _genanki()
    deck = genanki.Deck(_number(bank.of.source.stem, 2**30) + 2**30, bank.of.spec.title)
    model = _model(genanki)
    for item in items:
        deck.add_note(_note(genanki, model, item, bank))
    collection = _collection(genanki.Package(deck), _numbers(items))
    return {".apkg": packed({"collection.anki2": collection, "media": b"{}"})}


def _genanki() -> ModuleType:
    try:
        import genanki
    except ImportError:
        hint = "Install it with: pip install 'derivations[anki]'"
        raise SpecError("Anki packages need genanki, which is not installed", hint=hint) from None
    found: ModuleType = genanki
    return found


def _model(genanki: ModuleType) -> Any:
    return genanki.Model(
        MODEL,
        "derivations",
        fields=[{"name": name} for name in FIELDS],
        templates=[{"name": "Question", "qfmt": FRONT, "afmt": BACK}],
        css=STYLE,
    )


def _note(genanki: ModuleType, model: Any, item: Item, bank: Bank) -> Any:
    name = escape(f"{bank.of.spec.title} {item.number:0{len(str(bank.table.count))}}")
    shown = (html_of(blocks, item) for blocks in (question(item, bank), solution(item, bank)))
    return genanki.Note(model, [name, *shown], guid=genanki.guid_for(item.key), tags=["derivations"])


def _number(name: str, span: int) -> int:
    """A number below a span that a name always has."""
    return uuid5(NAMESPACE, f"anki {name}").int % span


def _numbers(items: Sequence[Item]) -> Iterator[int]:
    """The identifiers of each note and its card."""
    for item in items:
        own = SINCE + UUID(item.key).int % SPAN
        yield from (own, own + 1)


def _collection(package: Any, numbers: Iterator[int]) -> bytes:
    """The database of a package."""
    connection = sqlite3.connect(":memory:")
    try:
        package.write_to_db(connection.cursor(), SINCE / 1000, numbers)
        connection.commit()
        return connection.serialize()
    finally:
        connection.close()
