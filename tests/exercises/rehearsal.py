"""Students of a bank, and what each answer is worth by the bank itself: `accepted`, `worked_on`, `wrong`.

An export is rehearsed by a function that marks a sheet as the system does: answers as text by their keys, to
whether each is right and what is said. It shares nothing with the writer of the export.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from math import ceil, floor

from flint import arb, fmpq

import derivations
from derivations.document.languages import text_of
from derivations.exercises.bank import Answer, Bank, Item
from derivations.exercises.carried import worked_on
from derivations.exercises.exports.table import export
from derivations.numbers.systems import precision

LINEAR = """
title = "a line"
[model]
equations = '''
yhat[i] = w*x[i] + b
L = mean((yhat[i] - y[i])**2, i)
'''
[data]
x = [1, 2, 3, 4]
y = [3, 5, 6, 9]
[parameters]
w = 1
b = 0
[training]
optimizer = { name = "SGD", lr = 0.1 }
batch_size = 2
[exercise]
vary = { w = { from = -2, to = 2, step = 0.5 }, b = [0, 1, 2], x = [1, 2, 3, 4], lr = [0.1, 0.05] }
steps = 2
count = 2
decimals = 3
"""
SIGMOID = """
title = "a sigmoid & more <{x}>"
[model]
equations = '''
z[i] = w*x[i] + b
p[i] = sigmoid(z[i])
L = mean((p[i] - y[i])**2, i)
'''
[data]
x = [1, 2]
y = [1, 0]
[parameters]
w = 1
b = 0
[training]
optimizer = { name = "SGD", lr = 0.5 }
[exercise]
vary = { w = [0.5, 1, 1.5, 2], b = [-1, 0, 1] }
ask = ["z", "p", "dL/dw", "dL/db", "w'"]
count = 2
places = 4
"""
THIRDS = """
title = "values that do not end"
[model]
equations = '''
yhat[i] = w*x[i] + b
L = mean((yhat[i] - y[i])**2, i)
'''
[data]
x = [1, 2, 4]
y = [3, 5, 6]
[parameters]
w = 1
b = 0
[training]
optimizer = { name = "RMSprop", lr = 0.1 }
epochs = 2
[exercise]
vary = { w = [1, 2, 3], b = [0, 1] }
steps = 2
count = 1
places = 3
"""
BANKS = {"linear": LINEAR, "sigmoid": SIGMOID, "thirds": THIRDS}
Sheet = Mapping[str, str]
Marked = Mapping[str, tuple[bool, str]]


@cache
def bank_of(name: str) -> tuple[Bank, tuple[Item, ...]]:
    """A bank and its variants, made once for all rehearsals of a process."""
    bank = derivations.session(BANKS[name]).exercises()
    return bank, tuple(bank.items())


def exported(name: str, given: tuple[Bank, tuple[Item, ...]]) -> str | bytes:
    """The only file of an export."""
    ((end, content),) = export(name)(*given).items()
    assert export(name)(*given) == {end: content}  # always the same bytes
    return content


@dataclass(frozen=True)
class Student:
    """A sheet that somebody hands in; ``closely`` are the answers that are looked at, all if empty."""

    name: str
    sheet: Sheet
    closely: tuple[str, ...] = ()


def students(item: Item, bank: Bank) -> Iterator[Student]:
    """The right answers, ends and just outside of what is accepted, every slip, errors carried forward."""
    right = {answer.asked.key: answer.text for answer in item.answers}
    yield Student("right", right)
    for answer in item.answers:
        key, low, high = answer.asked.key, answer.accepted.low, answer.accepted.high
        beyond = Fraction(2, 10 ** (bank.places + 5))
        told = {
            "low": _up(low),
            "high": _down(high),
            "under": _down(low - beyond),
            "over": _up(high + beyond),
        }
        for what, value in told.items():
            yield Student(f"{what} {key}", right | {key: shown(value)}, (key,))
        for number, option in enumerate(answer.wrong):
            yield Student(f"slip {number} {key}", right | {key: _handed(option.value, bank.places)}, (key,))
        yield Student(f"carried {key}", carried(item, bank, {key: _off(answer)}))
        for option in answer.wrong[:1]:
            made = Fraction(_handed(option.value, bank.places))
            yield Student(f"carried slip {key}", carried(item, bank, {key: made}))


def _off(answer: Answer) -> Fraction:
    """A wrong number that is no slip's."""
    own = Fraction(answer.text)
    return next(off for off in (own * Fraction(7, 8), own + Fraction(3, 16)) if off not in answer.accepted)


def _up(value: Fraction) -> Fraction:
    return Fraction(ceil(value * 10**11), 10**11)


def _down(value: Fraction) -> Fraction:
    return Fraction(floor(value * 10**11), 10**11)


def shown(value: Fraction) -> str:
    """A fraction with at most 15 decimals as text."""
    digits = f"{abs(round(value * 10**15)):016d}"
    return ("-" if value < 0 else "") + f"{digits[:-15]}.{digits[-15:]}".rstrip("0").rstrip(".")


def _handed(value: object, places: int) -> str:
    """A number as it is handed in: in full if it is a short decimal, else rounded half up."""
    exact = middle(value)
    scaled = abs(exact) * 10**places
    kept = scaled if scaled.denominator == 1 else Fraction(floor(scaled + Fraction(1, 2)))
    return shown((-1 if exact < 0 else 1) * kept / 10**places)


def middle(value: object) -> Fraction:
    if isinstance(value, arb):
        found = value.mid().fmpq()
        return Fraction(int(found.p), int(found.q))
    return Fraction(int(value.p), int(value.q))  # type: ignore[attr-defined]


def carried(item: Item, bank: Bank, wrong: Mapping[str, Fraction]) -> dict[str, str]:
    """The sheet of a student with a wrong answer who goes on from it without a further error."""
    sheet: dict[str, str] = {}
    given = dict(wrong)
    for answer in item.answers:
        key = answer.asked.key
        if key in wrong:
            sheet[key] = shown(wrong[key])
            continue
        due = due_of(item, bank, given)[key]
        if due == middle(answer.value):
            sheet[key] = answer.text
            continue
        short = (due * 10**9).denominator == 1
        sheet[key] = shown(due) if short and bank.exact else _handed_fraction(due, bank.places)
        if Fraction(sheet[key]) not in answer.accepted:
            given[key] = Fraction(sheet[key])
    return sheet


def _handed_fraction(value: Fraction, places: int) -> str:
    kept = floor(abs(value) * 10**places + Fraction(1, 2))
    return shown((-1 if value < 0 else 1) * Fraction(kept, 10**places))


def due_of(item: Item, bank: Bank, given: Mapping[str, Fraction]) -> dict[str, Fraction]:
    """What each answer should be after some wrong ones."""
    exact = {key: fmpq(value.numerator, value.denominator) for key, value in given.items()}
    with precision(200):
        found = worked_on(item.steps, bank.example, bank.asked, exact)
    return {key: middle(value) for key, value in found.items()}


def number_of(text: str) -> Fraction | None:
    """What a student wrote as a number, with a decimal point or comma; None for rubbish."""
    try:
        return Fraction(text.strip().replace(",", ".").replace("−", "-"))
    except ValueError:
        return None


def worth(item: Item, bank: Bank, sheet: Sheet) -> dict[str, tuple[bool, str]]:
    """Which answers the bank takes for right, and what it says of the others."""
    read = {key: number_of(text) for key, text in sheet.items()}
    wrong = {
        answer.asked.key: number
        for answer in item.answers
        if (number := read.get(answer.asked.key)) is not None and number not in answer.accepted
    }
    due = due_of(item, bank, wrong)
    return {
        answer.asked.key: _worth(answer, read.get(answer.asked.key), due[answer.asked.key], item, bank)
        for answer in item.answers
    }


def _worth(
    answer: Answer, number: Fraction | None, due: Fraction, item: Item, bank: Bank
) -> tuple[bool, str]:
    if number is None:
        return False, ""
    if number in answer.accepted or _follows(answer, number, due, bank.places):
        return True, ""
    for option in answer.wrong[:12]:
        if shown(number) == _handed(option.value, bank.places):
            return False, text_of(option.explanation, item.evidence.composed.wording)
    return False, ""


def _follows(answer: Answer, number: Fraction, due: Fraction, places: int) -> bool:
    """Whether it is what follows from a wrong earlier answer: as far from it as is accepted, or rounded."""
    ours = middle(answer.value)
    if due == ours:
        return False
    room = due - ours
    rounded = {Fraction(_handed_fraction(due, places))}
    return answer.accepted.low + room <= number <= answer.accepted.high + room or number in rounded


def rehearse(item: Item, bank: Bank, mark: Callable[[Sheet], Marked], *, comma: bool) -> None:
    """Hold what a system awards and says against the bank, for every student.

    ``comma`` says whether it reads a decimal comma.
    """
    for student in students(item, bank):
        wanted, found = worth(item, bank, student.sheet), mark(student.sheet)
        for key in student.closely or wanted:
            assert found[key][0] == wanted[key][0], (student, key, found[key], wanted[key])
            assert wanted[key][1] in found[key][1], (student, key, found[key], wanted[key])
        if student.name.startswith(("right", "low", "high")):
            assert all(good for good, _ in wanted.values()), student
        if student.name.startswith(("under", "over", "slip")):
            assert not any(wanted[key][0] for key in student.closely), student
        if student.name.startswith("carried"):
            assert [good for good, _ in wanted.values()].count(False) == 1, student
    right = {answer.asked.key: answer.text for answer in item.answers}
    found = mark({key: text.replace(".", ",") for key, text in right.items()})
    assert all(good == comma for key, (good, _) in found.items() if comma or "." in right[key])
    for rubbish in ("rubbish", "", "1e", "--1", "0x10", "1/0", "a1", "nan"):
        first = item.answers[0].asked.key
        assert not mark(right | {first: rubbish})[first][0], rubbish
