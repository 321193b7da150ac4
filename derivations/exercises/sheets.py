"""The sheets of a bank as documents: the student's, with blanks, and the one with answers and solutions.

What stands on them is taken from the documents of the variants, which were held against their runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

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
from derivations.exercises.bank import Answer, Bank, Item
from derivations.notation.chain import Formula, Side

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
BLANK = "______________"


def question(item: Item, bank: Bank) -> Iterator[Block]:
    """The problem of a variant, and what is to be written down."""
    yield from item.problem[:-1]  # the last sentence says how a page rounds
    yield Prose((counted(*TASK, bank.table.steps),))
    yield _table(item, bank, [(BLANK,) for _ in item.answers])
    yield from (Prose((said,)) for said in prime_words(answer.asked.ref for answer in item.answers))
    yield Prose((rounding_words(bank),))


def rounding_words(bank: Bank) -> Message:
    """That nothing is rounded, or to how many places."""
    return counted(*(SHORT if bank.exact else ROUND), bank.places)


def answers(item: Item, bank: Bank) -> Block:
    """The table of the question, filled."""
    return _table(item, bank, [(shown(answer),) for answer in item.answers])


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
        name: Words = (asked.symbol(item.steps[asked.step - 1]),)
        rows.append((*(((str(asked.step),),) if several else ()), name, cell))
    return Table("answers", "rll" if several else "ll", header, tuple(rows))


def solution(item: Item, bank: Bank) -> Iterator[Block]:
    """The worked steps, and the answers."""
    for block in item.worked:
        yield replace(block, level=block.level + 1, part="") if isinstance(block, Heading) else block
    yield answers(item, bank)


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
