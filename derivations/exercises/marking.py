"""Marking what students handed in: every answer against what is accepted, and what follows from earlier ones.

An answer in the interval of the bank is right. If an earlier one was wrong, it is right too if it follows
from that: the program of the step is run on from what the student wrote. A wrong number to which slips lead
says which. Nothing is lost: what cannot be read is said, row by row.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal, TypeAlias

from flint import arb

from derivations.document.blocks import Message, message, phrase
from derivations.exercises.bank import Answer, Bank, Item, at_places
from derivations.exercises.carried import worked_on
from derivations.language.errors import ArithmeticFault, SpecError, nearest
from derivations.language.names import unprimed
from derivations.numbers.systems import Undecided, fraction, precision, rational

Verdict: TypeAlias = Literal["right", "carried", "wrong", "unread", "blank"]
NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d{1,2})?|[+-]?\d+/\d+", re.ASCII | re.IGNORECASE)
LONGEST, MOST_ROWS = 60, 100_000  # characters of a number; rows of a class
WHO, WHICH = ("student", "name"), ("exercise", "variant")
FOLLOWS = phrase("This follows from your earlier answer.")
EMPTY = phrase("This follows from your earlier answer, which leaves nothing to be worked: no point for it.")
UNREAD = phrase("This is not read as a number.")


@dataclass(frozen=True)
class Handed:
    """What a student handed in for one variant: texts by the keys of the answers."""

    student: str
    number: int
    given: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True)
class Marked:
    """One answer, marked: ``points`` of one, and what is said of it."""

    answer: Answer
    given: str
    verdict: Verdict
    said: Message | None = None

    @property
    def points(self) -> int:
        """One for an answer that is right, or that follows from an earlier one."""
        return int(self.verdict in ("right", "carried"))


def number_of(text: str) -> Fraction | None:
    """A number as students write it: ``-0,36``, ``1/3``, ``2.5e-3``, ``−4``; None for anything else."""
    plain = text.strip().replace("−", "-").removeprefix("≈").replace("\u00a0", "").replace(" ", "")
    if plain.count(",") == 1 and "." not in plain:
        plain = plain.replace(",", ".")
    if len(plain) > LONGEST or not NUMBER.fullmatch(plain) or re.search(r"/0+$", plain):
        return None
    return Fraction(plain)


def marked(handed: Handed, item: Item, bank: Bank) -> list[Marked]:
    """The answers of a student to a variant, each against the student's own earlier ones."""
    wrote: dict[str, Any] = {}  # what was wrong, and goes on
    found = []
    for answer in item.answers:
        text = handed.given.get(answer.asked.key, "").strip()
        number = number_of(text)
        if not text or number is None:
            found.append(
                Marked(answer, text, "unread", message(UNREAD)) if text else Marked(answer, "", "blank")
            )
            continue
        found.append(_judged(answer, text, number, item, bank, wrote))
        if found[-1].verdict != "right":
            wrote[answer.asked.key] = rational(number)
    return found


def _judged(
    answer: Answer, text: str, number: Fraction, item: Item, bank: Bank, wrote: Mapping[str, Any]
) -> Marked:
    if answer.accepted.low <= number <= answer.accepted.high:
        return Marked(answer, text, "right")
    expected = _follows(answer, item, bank, wrote) if wrote else None
    if expected is not None and _is_met(number, expected, answer, bank):
        if expected in _given(answer, item, wrote):
            return Marked(answer, text, "wrong", message(EMPTY))
        return Marked(answer, text, "carried", message(FOLLOWS))
    option = next((each for each in answer.wrong if at_places(each.value, bank.places).value == number), None)
    return Marked(answer, text, "wrong", option.explanation if option else None)


def _follows(answer: Answer, item: Item, bank: Bank, wrote: Mapping[str, Any]) -> Fraction | None:
    """What the answer should be after what the student wrote; None where there is no such number."""
    try:
        with precision(bank.bits):
            value = worked_on(item.steps, bank.example, bank.asked, wrote)[answer.asked.key]
    except (ArithmeticFault, Undecided):
        return None
    return fraction(value.mid().fmpq()) if isinstance(value, arb) else fraction(value)


def _is_met(number: Fraction, expected: Fraction, answer: Answer, bank: Bank) -> bool:
    """Whether a number lies as near to what follows as the accepted ones lie to ours."""
    ours = answer.printed.value if answer.printed.exact else None
    middle = ours if ours is not None else (answer.accepted.low + answer.accepted.high) / 2
    rounded = at_places(rational(expected), bank.places).value
    low = min(expected - (middle - answer.accepted.low), rounded)
    return low <= number <= max(expected + (answer.accepted.high - middle), rounded)


def _given(answer: Answer, item: Item, wrote: Mapping[str, Any]) -> list[Fraction]:
    """The old value of a parameter, as it stands before the step: to write it down again is no work."""
    asked = answer.asked
    name = unprimed(asked.quantity)
    if name == asked.quantity:
        return []
    before = wrote.get(f"{asked.step - 1}:{asked.name}")
    value = item.steps[asked.step - 1].at(name, asked.positions) if before is None else before
    return [] if isinstance(value, arb) else [fraction(value)]


# --- reading what a class handed in ------------------------------------------------------------------------


@dataclass(frozen=True)
class Class:
    """What was read of a class, and the rows that were not, each with its line and why."""

    handed: tuple[Handed, ...]
    refused: tuple[tuple[int, Message], ...]


NO_EXERCISE = phrase("There is no exercise {}.")
NO_STUDENT = phrase("There is no student in this row.")
TWICE = phrase("{} has handed in exercise {} in an earlier row.")


def read_class(text: str, file: str, bank: Bank) -> Class:
    """The rows of a CSV file: a student, the number of the exercise, and a column for every answer.

    Columns of answers are called as the bank calls them, ``1:dL/dw``, or ``dL/dw`` where one step is asked.
    Raises `SpecError` for a file without these columns.
    """
    try:
        dialect: Any = csv.Sniffer().sniff(text.partition("\n")[0], ",;\t")
    except csv.Error:
        dialect = csv.excel
    rows = csv.reader(io.StringIO(text), dialect)
    header = [cell.strip().lstrip("\ufeff") for cell in next(rows, [])]
    columns = _columns(header, file, bank)
    handed, refused, seen = list[Handed](), list[tuple[int, Message]](), set[tuple[str, int]]()
    for row in rows:
        if not any(cell.strip() for cell in row):
            continue
        if len(handed) >= MOST_ROWS:
            raise SpecError(f"a class has at most {MOST_ROWS} rows", file=file, line=rows.line_num, column=1)
        found = _row(dict(zip(header, row, strict=False)), columns, bank, seen)
        if isinstance(found, Message):
            refused.append((rows.line_num, found))
        else:
            handed.append(found)
    return Class(tuple(handed), tuple(refused))


def _columns(header: list[str], file: str, bank: Bank) -> dict[str, str]:
    """The column of the student, of the exercise, and of every answer by its key."""
    low = {name.lower(): name for name in header}
    found = {}
    for role, names in (("student", WHO), ("exercise", WHICH)):
        known = next((low[name] for name in names if name in low), None)
        if known is None:
            hint = f"The first line names the columns: student, exercise, {bank.asked[0].key} …"
            raise SpecError(f"there is no column '{role}'", file=file, line=1, column=1, hint=hint)
        found[role] = known
    several = bank.table.steps > 1
    for each in bank.asked:
        called = (each.key,) if several else (each.key, each.name)
        if column := next((name for name in called if name in header), ""):
            found[each.key] = column
    unknown = [name for name in header if name and name not in found.values()]
    if unknown:
        hint = nearest(unknown[0], [each.key for each in bank.asked], "columns")
        raise SpecError(f"no answer is called '{unknown[0]}'", file=file, line=1, column=1, hint=hint)
    return found


def _row(
    cells: Mapping[str, str], columns: Mapping[str, str], bank: Bank, seen: set[tuple[str, int]]
) -> Handed | Message:
    student, which = cells.get(columns["student"], "").strip(), cells.get(columns["exercise"], "").strip()
    if not student:
        return message(NO_STUDENT)
    number = int(which) if re.fullmatch(r"\d{1,6}", which, re.ASCII) else 0
    if not 1 <= number <= bank.columns.count:
        return message(NO_EXERCISE, which)
    if (student, number) in seen:
        return message(TWICE, student, str(number))
    seen.add((student, number))
    keys = (each.key for each in bank.asked if each.key in columns)
    return Handed(student, number, {key: cells.get(columns[key], "") or "" for key in keys})


def marked_class(read: Class, bank: Bank) -> Iterator[tuple[Handed, list[Marked]]]:
    """Every row that was read, marked, in the order of the file."""
    items = {handed.number: None for handed in read.handed}
    known = {number: bank.item(number) for number in items}
    for handed in read.handed:
        yield handed, marked(handed, known[handed.number], bank)
