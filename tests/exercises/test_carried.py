"""Error carried forward: what follows from what a student wrote, worked again by code of the test's own."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import pytest

import derivations
from derivations.exercises.bank import Item
from derivations.exercises.carried import formulas, worked_on
from derivations.language.tree import Add, Call, Div, Expr, Mul, Neg, Number, Pow, Ref
from derivations.numbers.systems import fraction, rational
from tests.exercises.test_bank import LINEAR, LOGISTIC

BANK = derivations.session(LINEAR).exercises(count=3)
ITEMS = list(BANK.items())


def value(expr: Expr, known: Mapping[str, Fraction]) -> Fraction:
    """An expression worked by a reader that shares nothing with the program's."""
    match expr:
        case Number(number, _):
            return number
        case Ref(name, ()):
            return known[name]
        case Neg(a):
            return -value(a, known)
        case Add(parts):
            return sum((value(part, known) for part in parts), Fraction(0))
        case Mul(parts):
            found = Fraction(1)
            for part in parts:
                found *= value(part, known)
            return found
        case Div(a, b):
            return value(a, known) / value(b, known)
        case Pow(a, Number(n, _)):
            return value(a, known) ** int(n)
        case Call():
            raise AssertionError(f"a function: {expr}")
    raise AssertionError(f"what is {expr}?")


def by_hand(item: Item, wrote: Mapping[str, Fraction]) -> dict[str, Fraction]:
    """The linear exercise, every answer from the student's own earlier ones."""
    x, y = item.values["x"], [Fraction(n) for n in (3, 5, 6, 9)]
    w, b, lr = (item.values[name] for name in ("w", "b", "lr"))
    found: dict[str, Fraction] = {}

    def settled(key: str, own: Fraction) -> Fraction:
        found[key] = own
        return wrote.get(key, own)

    for step in (1, 2):
        rows = range(2 * step - 2, 2 * step)
        off = [w * x[i] + b - y[i] for i in rows]
        dw = settled(f"{step}:dL/dw", sum(r * x[i] for r, i in zip(off, rows, strict=True)))
        db = settled(f"{step}:dL/db", sum(off))
        w, b = settled(f"{step}:w'", w - lr * dw), settled(f"{step}:b'", b - lr * db)
    return found


WROTE = [
    {},
    {"1:dL/dw": Fraction(7)},
    {"1:dL/db": Fraction(-3, 2), "1:w'": Fraction(0)},
    {"2:dL/dw": Fraction(10**6), "2:dL/db": Fraction(1, 3)},
]


@pytest.mark.parametrize("wrote", WROTE)
def test_later_answers_follow_from_what_the_student_wrote(wrote: dict[str, Fraction]) -> None:
    for item in ITEMS:
        given = {key: rational(own) for key, own in wrote.items()}
        found = worked_on(item.steps, BANK.example, BANK.asked, given)
        assert {key: fraction(own) for key, own in found.items()} == by_hand(item, wrote)


@pytest.mark.parametrize("wrote", WROTE)
def test_the_formulas_give_the_same(wrote: dict[str, Fraction]) -> None:
    for item in ITEMS:
        told = formulas(item.steps, BANK.example, BANK.asked)
        wanted = by_hand(item, wrote)
        known = {**wanted, **wrote}
        for key, expr in told.items():
            assert value(expr, known) == wanted[key]
        assert {"1:w'", "1:b'", "2:dL/dw", "2:dL/db", "2:w'", "2:b'"} == set(told)


def test_a_silly_early_value_does_not_make_later_answers_trivial() -> None:
    """With a gradient of 0 the new parameter is the old one, and step 2 is still a step's work."""
    for item in ITEMS:
        found = by_hand(item, {"1:dL/dw": Fraction(0), "1:dL/db": Fraction(0)})
        assert found["1:w'"] == item.values["w"]
        assert found["2:dL/dw"] != 0 or found["2:dL/db"] != 0


def test_numbers_that_are_not_exact_are_near_in_formulas() -> None:
    bank = derivations.session(LOGISTIC).exercises(count=2)
    for item in bank.items():
        told = formulas(item.steps, bank.example, bank.asked)
        answers = {answer.asked.key: Fraction(answer.text) for answer in item.answers}
        for key, expr in told.items():
            assert abs(value(expr, answers) - answers[key]) < Fraction(1, 10**4)
