"""The sheets of a bank as documents: the student's, with blanks, and the one with answers and solutions.

What stands on them is taken from the documents of the variants, which were held against their runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from math import ceil, floor

from derivations.claims.writer import leaf
from derivations.document.blocks import (
    Block,
    Document,
    Heading,
    Message,
    Prose,
    Table,
    Words,
    counted,
    message,
    phrase,
    phrases,
    say,
)
from derivations.document.introduced import prime_words
from derivations.document.update import shows_primes
from derivations.exercises.bank import Answer, Bank, Item, at_places, decimal
from derivations.exercises.merging import Option
from derivations.notation.chain import Formula, Side, formula
from derivations.numbers.digits import Printed

EXERCISE, SOLUTION = phrase("Exercise {}"), phrase("Solution {}")
TASK = phrases(
    "Work the first step by hand, and write down:", "Work the first {} steps by hand, and write down:"
)
SHORT = phrases(
    "No value on the way has more than {} decimal place: nothing needs to be rounded.",
    "No value on the way has more than {} decimal places: nothing needs to be rounded.",
)
ROUND = phrases(
    "Carry more digits on the way, and round these to {} decimal place.",
    "Carry more digits on the way, and round these to {} decimal places.",
)
MOST, FINER = 6, 2  # wrong answers to one question on a sheet; further places of what is accepted
BLANK = "______________"


def question(item: Item, bank: Bank) -> Iterator[Block]:
    """The problem of a variant, and what is to be written down."""
    yield from item.problem[:-1]  # the last sentence says how a page rounds
    yield Prose((counted(*TASK, bank.table.steps),))
    yield _table(item, bank, [(BLANK,) for _ in item.answers])
    if not shows_primes(item.evidence.run.example):
        yield from (Prose((said,)) for said in prime_words(answer.asked.ref for answer in item.answers))
    yield Prose((rounding_words(bank),))


def rounding_words(bank: Bank) -> Message:
    """That nothing is rounded, or to how many places."""
    return counted(*(SHORT if bank.exact else ROUND), bank.places)


def answers(item: Item, bank: Bank) -> Block:
    """The table of the question, filled; where values are rounded, with what is accepted."""
    table = _table(item, bank, [(shown(answer),) for answer in item.answers])
    if bank.exact:
        return table
    rows = zip(table.rows, item.answers, strict=True)
    filled = tuple((*row, *_ends(answer, bank.places + FINER)) for row, answer in rows)
    return replace(
        table, align=f"{table.align}ll", header=(*table.header, say("accepted from"), say("to")), rows=filled
    )


def _ends(answer: Answer, places: int) -> Iterator[Words]:
    """The ends of what is accepted, rounded outwards."""
    unit = 10**places
    ends = floor(answer.accepted.low * unit), ceil(answer.accepted.high * unit)
    for end in (Fraction(end, unit) for end in ends):
        yield (formula(leaf(Printed(decimal(end, places), end, exact=True))),)


def shown(answer: Answer) -> Formula:
    """``−34.5``, or ``≈ 0.333``."""
    sign = "" if answer.printed.exact else "≈"
    return Formula((Side(sign, leaf(answer.printed)),))


def _table(item: Item, bank: Bank, cells: list[Words]) -> Table:
    several = bank.table.steps > 1
    header = (*((say("step"),) if several else ()), say("quantity"), say("answer"))
    rows = []
    for answer, cell in zip(item.answers, cells, strict=True):
        asked = answer.asked
        rows.append((*(((str(asked.step),),) if several else ()), _name(answer, item), cell))
    return Table("answers", "rll" if several else "ll", header, tuple(rows))


def solution(item: Item, bank: Bank) -> Iterator[Block]:
    """The worked steps, and the answers."""
    for block in item.worked:
        yield replace(block, level=3, part="") if isinstance(block, Heading) else block
    yield answers(item, bank)
    yield from marking(item, bank)


def marking(item: Item, bank: Bank, most: int = MOST) -> Iterator[Block]:
    """The wrong answers that say which slip was made, so many to one question."""
    rows = [
        (
            (answer.asked.symbol(item.steps[answer.asked.step - 1]),),
            (_wrong(option, bank),),
            (option.explanation,),
        )
        for answer in item.answers
        for option in answer.wrong[:most]
    ]
    if rows:
        yield Prose(say("What a wrong answer says:"))
        yield Table("slips", "lll", (say("quantity"), say("answer"), ("",)), tuple(rows))


def _name(answer: Answer, item: Item) -> Words:
    return (answer.asked.symbol(item.steps[answer.asked.step - 1]),)


def _wrong(option: Option, bank: Bank) -> Formula:
    printed = at_places(option.value, bank.places)
    return Formula((Side("" if printed.exact else "≈", leaf(printed)),))


def student_sheet(bank: Bank, items: Iterable[Item]) -> Document:
    """All questions, with blanks."""
    return _sheet(bank, ((message(EXERCISE, str(item.number)), question(item, bank)) for item in items))


def answer_sheet(bank: Bank, items: Iterable[Item]) -> Document:
    """All answers, with worked solutions."""
    return _sheet(bank, ((message(SOLUTION, str(item.number)), solution(item, bank)) for item in items))


def _sheet(bank: Bank, parts: Iterable[tuple[Message, Iterable[Block]]]) -> Document:
    title = bank.of.spec.title
    blocks: list[Block] = [Heading(1, (title,))]
    for head, own in parts:
        blocks += [Heading(2, (head,)), *own]
    return Document(title, tuple(blocks), bank.of.spec.page.language)
