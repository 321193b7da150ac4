"""A question whose blanks are inputs that follow it: what is told first, what is asked one by one."""

from __future__ import annotations

from collections.abc import Iterator

from derivations.document.blocks import Block, Prose, Table, message, phrase
from derivations.exercises.bank import Bank, Item
from derivations.exercises.exports.marks import Mark
from derivations.exercises.sheets import question

OF_STEP = phrase("Step {}: {}")


def statement(item: Item, bank: Bank) -> Iterator[Block]:
    """The question, the task last: parts follow in the place of the table of blanks."""
    blocks = list(question(item, bank))
    at = next(n for n, block in enumerate(blocks) if isinstance(block, Table) and block.kind == "answers")
    yield from blocks[: at - 1]
    yield from blocks[at + 1 :]
    yield blocks[at - 1]


def asked_for(mark: Mark, item: Item, bank: Bank) -> Prose:
    """What a part asks for: its symbol, with its step if there are several."""
    asked = mark.answer.asked
    symbol = asked.symbol(item.steps[asked.step - 1])
    several = bank.table.steps > 1
    return Prose((message(OF_STEP, str(asked.step), symbol) if several else symbol,))
