"""The reader of a document that puts it into a language: messages become plain words.

The document that it returns holds strings, formulas and code only, neighbouring strings joined. Everything
after it, printers and audit, sees the words of one language and never a message.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from string import Formatter

from derivations.document.blocks import (
    Block,
    Code,
    Digits,
    Document,
    Heading,
    Inline,
    Listed,
    Message,
    Part,
    Prose,
    Table,
    Words,
)
from derivations.notation.chain import Formula
from derivations.notation.locales import Locale, locale


def translated(document: Document) -> Document:
    """The document in its language, in the words of its author where there are any."""
    blocks = tuple(translated_block(block, document.wording) for block in document.blocks)
    return replace(document, blocks=blocks)


def translated_block(block: Block, language: Locale | str) -> Block:
    """A block in a language; formulas and listings have none."""
    match block:
        case Heading() | Prose():
            return replace(block, words=plain(block.words, language))
        case Table():
            header = tuple(plain(cell, language) for cell in block.header)
            rows = tuple(tuple(plain(cell, language) for cell in row) for row in block.rows)
            return replace(block, header=header, rows=rows)
    return block


def plain(words: Words, language: Locale | str) -> Words:
    """Words without messages: strings, formulas and code, neighbouring strings joined."""
    spoken = locale(language) if isinstance(language, str) else language
    return _joined(piece for word in words for piece in _filled(word, spoken))


def text_of(said: Message, language: Locale | str = "en") -> str:
    """A message without formulas as text."""
    return "".join(word.text if isinstance(word, Code) else str(word) for word in plain((said,), language))


def _filled(part: Part, spoken: Locale) -> Iterator[Inline]:
    match part:
        case Message(text, parts, many, count):
            text = spoken.several(text, many, count) if many else spoken.text(text)
            for before, hole in _holes(text):
                yield before
                if hole is not None:
                    yield from _filled(parts[hole], spoken)
        case Digits(text):
            yield spoken.digits(text)
        case Listed(items, joint):
            yield from _list(items, spoken.joints(len(items), joint), spoken)
        case _:
            yield part


def _holes(text: str) -> Iterator[tuple[str, int | None]]:
    """The pieces of a text, each with the number of the hole after it."""
    for place, (before, name, _, _) in enumerate(Formatter().parse(text)):
        yield before, None if name is None else int(name) if name else place


def _list(items: tuple[Part, ...], joints: list[str], spoken: Locale) -> Iterator[Inline]:
    for item, joint in zip(items, [*joints, ""], strict=False):
        yield from _filled(item, spoken)
        yield joint


def _joined(pieces: Iterator[Inline]) -> Words:
    found: list[Inline] = []
    for piece in pieces:
        last = found[-1] if found else None
        if isinstance(piece, str) and isinstance(last, str):
            found[-1] = last + piece
        elif isinstance(piece, (Formula, Code)) or piece:
            found.append(piece)
    return tuple(found)
