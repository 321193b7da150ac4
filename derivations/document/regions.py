"""Regions: runs of blocks that a format may set apart (a warning, an exercise) or fold away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Literal, TypeAlias

from derivations.document.blocks import Block, Document, Heading, Prose, message, phrase
from derivations.document.languages import text_of
from derivations.notation.locales import Locale

Kind: TypeAlias = Literal["", "warning", "exercise", "solution", "program", "checks"]
TITLES = {
    "warning": phrase("Where there is no derivative"),
    "exercise": phrase("Exercise"),
    "solution": phrase("Solution"),
    "program": phrase("The program and what it prints"),
    "checks": phrase("What every witness found"),
}


@dataclass(frozen=True)
class Region:
    """Blocks of one kind; ``number`` counts the exercises, each with the number of its solution."""

    kind: Kind
    blocks: tuple[Block, ...]
    number: int = 0

    def title(self, language: Locale) -> str:
        """What a fold or a box says of what is in it."""
        return text_of(message(TITLES[self.kind]), language)


def regions(document: Document) -> Iterator[Region]:
    """The regions of a document in their order; together they hold every block once."""
    exercises = 0
    for kind, run in groupby(_kinds(document), key=lambda pair: pair[0]):
        exercises += kind == "exercise"
        blocks = tuple(block for _, block in run)
        yield Region(kind, blocks, exercises if kind in ("exercise", "solution") else 0)


def _kinds(document: Document) -> Iterator[tuple[Kind, Block]]:
    """Every block with its kind; headings of parts stand outside, and so does the last line of the page."""
    part: str = ""
    is_set = False
    last = document.blocks[-1:]
    for block in document.blocks:
        if isinstance(block, Heading) and block.level > 2:
            yield ("solution" if is_set else ""), block
        elif isinstance(block, Heading):
            part, is_set = block.part or part, False
            yield "", block
        elif isinstance(block, Prose) and block.exercise:
            is_set = True
            yield "exercise", block
        elif (block,) == last:
            yield "", block
        elif is_set:
            yield "solution", block
        elif isinstance(block, Prose) and block.kink:
            yield "warning", block
        else:
            yield ("program" if part == "program" else "checks" if part == "checks" else ""), block
