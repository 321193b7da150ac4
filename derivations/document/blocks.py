"""A document: blocks that every format prints in its own way. Numbers and formulas are trees here.

What we say is a `Message`: a sentence by its English text, with holes that are filled by formulas, code,
numbers, lists and other messages. A plain string is text of the author, a name or a label.
`derivations.document.languages` makes plain words of messages: printers see strings, formulas and code.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from derivations.figures.drawing import Drawing
from derivations.language.tree import Expr, Number
from derivations.notation.chain import Formula, formula
from derivations.notation.locales import Locale, locale
from derivations.notation.locales import phrase as phrase
from derivations.notation.locales import phrases as phrases
from derivations.spec.template_folder import Templates


@dataclass(frozen=True, slots=True)
class Code:
    """A short piece of verbatim text inside a sentence."""

    text: str


@dataclass(frozen=True, slots=True)
class Digits:
    """A number inside a sentence: canonical digits, printed with the marks of the language."""

    text: str


@dataclass(frozen=True, slots=True)
class Listed:
    """``a, b and c`` as the language has it; with another joint ``a, b, c``, ``a; b; c`` or ``a b c``."""

    items: tuple[Part, ...]
    joint: Literal["and", ",", ";", ""] = "and"


@dataclass(frozen=True, slots=True)
class Message:
    """A sentence of ours: the holes ``{}`` of its English text are filled by its parts in their order.

    A translation may write ``{1}`` and ``{0}`` for another order. Where there is a text for ``many``, the
    ``count`` decides between it and the one for a single thing.
    """

    text: str
    parts: tuple[Part, ...] = ()
    many: str = ""
    count: int = 1


Inline: TypeAlias = str | Formula | Code | Message | Listed
Words: TypeAlias = tuple[Inline, ...]
Part: TypeAlias = Inline | Digits


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of level 1 to 3; ``part`` is the part of the page that it opens, ``steps`` for a step."""

    level: int
    words: Words
    part: str = ""


@dataclass(frozen=True, slots=True)
class Prose:
    """A paragraph; ``kink`` if it warns of a value on a kink, ``exercise`` if it sets a task."""

    words: Words
    kink: bool = False
    exercise: bool = False


@dataclass(frozen=True, slots=True)
class Display:
    """A formula on lines of its own."""

    formula: Formula


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells; ``align`` has one letter a column: l, r, c, or d for decimals.

    ``step`` is the number of the step whose values the cells are, ``total`` marks a last row of sums.
    """

    kind: str
    align: str
    header: tuple[Words, ...]
    rows: tuple[tuple[Words, ...], ...]
    total: bool = False


@dataclass(frozen=True, slots=True)
class Listing:
    """Code or its output, verbatim."""

    language: str
    text: str


@dataclass(frozen=True, slots=True)
class Figure:
    """A drawing; the name ends the name of its file where a format puts it into one."""

    name: str
    drawing: Drawing


Block: TypeAlias = Heading | Prose | Display | Table | Listing | Figure


@dataclass(frozen=True)
class Document:
    """A page: its blocks in order, the language of its words, and what its author sets in place of ours.

    ``own`` are the author's words for ours, ``templates`` are the author's templates.
    """

    title: str
    blocks: tuple[Block, ...]
    language: str = "en"
    own: tuple[tuple[str, str], ...] = ()
    templates: Templates | None = None

    @property
    def wording(self) -> Locale:
        """How the page says our texts."""
        return locale(self.language, self.own)


def lone_number(words: Words) -> Number | None:
    """The number of a cell that holds one number only."""
    word = words[0] if len(words) == 1 else ""
    if isinstance(word, Formula) and len(word.sides) == 1 and isinstance(word.sides[0].expr, Number):
        return word.sides[0].expr
    return None


def say(text: str, *parts: Expr | Part | int) -> Words:
    """A sentence of ours: every ``{}`` of the text is the next of the parts."""
    return (message(text, *parts),)


def message(text: str, *parts: Expr | Part | int) -> Message:
    """A sentence as a part of another one; expressions become formulas, whole numbers digits."""
    return Message(text, tuple(map(_part, parts)))


def counted(one: str, many: str, count: int, *parts: Expr | Part | int) -> Message:
    """A sentence about a number of things, which is its first part: ``{} sample``, ``{} samples``."""
    return Message(one, (Digits(str(count)), *map(_part, parts)), many, count)


def listed(items: Sequence[Expr | Part | int]) -> Listed:
    """``a, b and c``."""
    return Listed(tuple(map(_part, items)))


def series(items: Sequence[Expr | Part | int], joint: Literal[",", ";", ""] = ",") -> Listed:
    """``a, b, c``, ``a; b; c`` or ``a b c``."""
    return Listed(tuple(map(_part, items)), joint)


def _part(part: Expr | Part | int) -> Part:
    if isinstance(part, int):
        return Digits(str(part))
    return part if isinstance(part, (str, Formula, Code, Message, Digits, Listed)) else formula(part)
