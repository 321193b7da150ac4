"""Numbers in words of any script and language, and what is no claim."""

from __future__ import annotations

from fractions import Fraction

import pytest

from derivations.notation.locales import locale
from derivations.notation.numerals import numerals, relation


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("The loss is 99.", ["99"]),
        ("The loss is -0.5", ["-0.5"]),
        ("The loss is −0.5", ["-0.5"]),
        ("９９", ["99"]),
        ("٩٩ and ९९ and ๙๙", ["99", "99", "99"]),
        ("𝟗𝟗 𝟡𝟡 𝟿𝟿", ["99", "99", "99"]),
        ("9\u200b9", ["99"]),
        ("x²", ["2"]),
        ("½", ["1", "2"]),
        ("the loss is99", ["99"]),
        ("XV", ["15"]),
        ("it is XCIX, not Ⅻ", ["99", "12"]),
        ("it is xv", ["15"]),
        ("ninety-nine", ["99"]),
        ("two hundred and five thousand", ["205000"]),
        ("The loss is zero", ["0"]),
        ("neunundneunzig", ["99"]),
        ("zweihundertdreizehn", ["213"]),
        ("quatre-vingt-dix-neuf", ["99"]),
        ("deux cent trois", ["203"]),
        ("noventa y nueve", ["99"]),
        ("veintitrés", ["23"]),
        ("损失是九十九", ["99"]),
        ("损失是九九。", ["99"]),
        ("损失是九。", ["9"]),
        ("三点一四", ["3.14"]),
        ("两万三千", ["23000"]),
    ],
)
def test_a_number_is_seen_whatever_it_is_written_in(text: str, values: list[str]) -> None:
    language = "fr" if "quatre" in text or "deux" in text else "en"
    found = [numeral.value for numeral in numerals(text, language)]
    assert found == [Fraction(value) for value in values]


@pytest.mark.parametrize(
    "text",
    [
        "Lecture 3, by Ada",
        "Week 12 and Chapter 2.1 and Übung 7 and Part II",
        "12 May 2026",
        "May 2026",
        "le 3 mars 2026, el 5 de mayo de 2026, 3. März 2026",
        "summer term 2026, WS 2025/26",
        "第三讲",
        "2026年5月12日",
        "the L2 penalty of ResNet-18 in Python 3.11",
        "one of them, once more; I see a CIVIL MILD mix",
        "Notation: elf, null and cent are words",
        "See https://example.org/2026/99",
        "一个统一的十分三角函数",
        "Dr Who, without any number",
        "1. one",
    ],
)
def test_what_only_names_something_is_no_claim(text: str) -> None:
    assert list(numerals(text)) == []


def test_marks_of_a_language() -> None:
    marks = locale("de").marks
    assert [one.value for one in numerals("1.234,5 und 0,5", "de", marks)] == [
        Fraction("1234.5"),
        Fraction(1, 2),
    ]


@pytest.mark.parametrize("text", ["L = 7", "w ≈ 3", "a < b", "a<b", "a ≤ b", "w ＝ 3", "L := 7"])
def test_a_relation_is_seen(text: str) -> None:
    assert relation(text)


@pytest.mark.parametrize("text", ["Dr <Who>", "Lecture <3>", "-> next", "plain words"])
def test_what_is_no_relation(text: str) -> None:
    assert not relation(text)
