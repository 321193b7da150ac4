r"""Moodle XML: every variant is a cloze question with a gap for each value; the solution is its feedback.

Formulas are TeX between ``\(`` and ``\)``, which Moodle's filter sets; none stands inside the braces of a
gap, whose text ends at an unescaped ``~ # }``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from lxml import etree

from derivations.exercises.bank import Answer, Bank, Item
from derivations.exercises.fragment import html_of
from derivations.exercises.sheets import BLANK, question, solution

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
    _html(found, "questiontext", with_gaps(html_of(question(item, bank), item), item))
    _html(found, "generalfeedback", html_of(solution(item, bank), item))
    etree.SubElement(found, "penalty").text = "0.3333333"
    etree.SubElement(found, "hidden").text = "0"
    etree.SubElement(found, "idnumber").text = item.key


def _width(bank: Bank) -> int:
    return len(str(bank.table.count))


def with_gaps(html: str, item: Item) -> str:
    """The question with a gap in the place of every blank."""
    pieces = html.split(BLANK)
    gaps = [gap(answer) for answer in item.answers]
    return "".join(part for pair in zip(pieces, [*gaps, ""], strict=True) for part in pair)


def gap(answer: Answer) -> str:
    """``{1:NUMERICAL:=-34.5:0}``."""
    return f"{{1:NUMERICAL:={answer.text}:0}}"


def escaped(text: str) -> str:
    """A feedback inside a gap: plain text in which nothing ends it."""
    return SPECIAL.sub(r"\\\1", text)
