r"""Moodle XML: every variant is a cloze question with a gap for each value; the solution is its feedback.

Formulas are TeX between ``\(`` and ``\)``, which Moodle's filter sets; none stands inside the braces of a
gap, whose text ends at an unescaped ``~ # }``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from math import ceil, floor

from lxml import etree

from derivations.exercises.bank import Answer, Bank, Item, at_places, decimal
from derivations.exercises.fragment import html_of, said
from derivations.exercises.merging import Option
from derivations.exercises.sheets import BLANK, question, solution

MOST, DIGITS = 12, 12  # wrong numbers that a gap knows; decimals of a tolerance
SPECIAL = re.compile(r"([\\~#}=\"/])")


def files(bank: Bank, items: Sequence[Item]) -> Mapping[str, bytes]:
    """One file for the importer, the variants in a category of their own."""
    quiz = etree.Element("quiz")
    _category(quiz, bank)
    for item in items:
        _question(quiz, bank, item)
    text = etree.tostring(quiz, encoding="UTF-8", xml_declaration=True, pretty_print=True)
    return {".moodle.xml": text}


def _category(quiz: etree._Element, bank: Bank) -> None:
    found = etree.SubElement(quiz, "question", type="category")
    title = bank.of.spec.title.replace("/", "//")  # one slash parts a category from the one inside
    _text(etree.SubElement(found, "category"), f"$course$/top/{title}")


def _text(parent: etree._Element, text: str) -> None:
    etree.SubElement(parent, "text").text = text


def _html(parent: etree._Element, tag: str, text: str) -> None:
    found = etree.SubElement(parent, tag, format="html")
    etree.SubElement(found, "text").text = etree.CDATA(text)


def _question(quiz: etree._Element, bank: Bank, item: Item) -> None:
    found = etree.SubElement(quiz, "question", type="cloze")
    _text(etree.SubElement(found, "name"), f"{bank.of.spec.title} {item.number:0{_width(bank)}}")
    _html(found, "questiontext", with_gaps(html_of(question(item, bank), item), bank, item))
    _html(found, "generalfeedback", html_of(solution(item, bank), item))
    etree.SubElement(found, "penalty").text = "0.3333333"
    etree.SubElement(found, "hidden").text = "0"
    etree.SubElement(found, "idnumber").text = item.key


def _width(bank: Bank) -> int:
    return len(str(bank.table.count))


def with_gaps(html: str, bank: Bank, item: Item) -> str:
    """The question with a gap in the place of every blank."""
    pieces = html.split(BLANK)
    gaps = [gap(answer, bank, item) for answer in item.answers]
    return "".join(part for pair in zip(pieces, [*gaps, ""], strict=True) for part in pair)


def gap(answer: Answer, bank: Bank, item: Item) -> str:
    """``{1:NUMERICAL:=-34.5:0~%0%34.5:0#...}``: the answer, what else is accepted, and the slips."""
    ways = [*right(answer), *(wrong(option, bank, item) for option in answer.wrong[:MOST])]
    return "{1:NUMERICAL:" + "~".join(ways) + "}"


def right(answer: Answer) -> Iterator[str]:
    """The answer, and where what is accepted reaches farther to one side, all of that."""
    low, high, key = answer.accepted.low, answer.accepted.high, answer.printed.value
    near = min(key - low, high - key)
    yield f"={answer.text}:{outward(near) if low + high == 2 * key else decimal(below(near))}"
    if low + high != 2 * key:
        middle = below((low + high) / 2)
        yield f"%100%{decimal(middle)}:{outward(max(high - middle, middle - low))}"


def wrong(option: Option, bank: Bank, item: Item) -> str:
    """A wrong number as the student would hand it in, with what led to it."""
    printed = at_places(option.value, bank.places)
    room = "0" if printed.exact else decimal(Fraction(1, 2 * 10**bank.places))
    return f"%0%{printed.text}:{room}#{escaped(said(option.explanation, item))}"


def below(value: Fraction) -> Fraction:
    """The greatest decimal of `DIGITS` places that is not above a number."""
    return Fraction(floor(value * 10**DIGITS), 10**DIGITS)


def outward(value: Fraction) -> str:
    """The least decimal of `DIGITS` places that is not below a number."""
    return decimal(Fraction(ceil(value * 10**DIGITS), 10**DIGITS))


def escaped(text: str) -> str:
    """A feedback inside a gap: plain text in which nothing ends it."""
    return SPECIAL.sub(r"\\\1", text)
