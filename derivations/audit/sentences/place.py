"""Where a message stands, and what is read off it and off its neighbours."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias

from derivations.audit.sentences.again import Again
from derivations.document.blocks import (
    Block,
    Digits,
    Display,
    Document,
    Heading,
    Listed,
    Message,
    Part,
    Prose,
    Table,
    Words,
)
from derivations.language.names import is_after
from derivations.language.tree import Expr, Number, Ref, refs, walk
from derivations.model.example import Example
from derivations.notation.chain import Formula
from derivations.notation.symbols import Symbols
from derivations.run.training import Step, Trace
from derivations.witnesses.check import Report


@dataclass(frozen=True)
class Sight:
    """What sentences are held against: the run, the spec read again, and the page itself.

    ``digest`` is that of the spec, ``known`` the versions of what worked.
    """

    document: Document
    trace: Trace
    report: Report
    symbols: Symbols
    again: Again
    text: str
    digest: str = ""

    @property
    def example(self) -> Example:
        """The example of the run."""
        return self.trace.example

    @cached_property
    def shown(self) -> tuple[int, ...]:
        """The numbers of the steps that the page shows."""
        return self.again.shown(self.example.spec.page.steps)


@dataclass(frozen=True)
class Place:
    """Where a message stands: in which block, part and step, inside which messages.

    ``cell`` is its row, -1 for the heading, and column in a table. ``head`` is the last heading of level 2.
    """

    sight: Sight
    at: int
    part: str = ""
    step: Step | None = None
    inside: tuple[Message, ...] = ()
    cell: tuple[int, int] | None = None
    after: tuple[Part, ...] = field(default=(), repr=False)

    @property
    def block(self) -> Block:
        """The block in which it stands."""
        return self.sight.document.blocks[self.at]

    def following(self) -> Iterator[Block]:
        """The blocks behind it."""
        return iter(self.sight.document.blocks[self.at + 1 :])

    def before(self) -> Iterator[Block]:
        """The blocks before it, the nearest first."""
        return reversed(self.sight.document.blocks[: self.at])

    @property
    def next(self) -> Block | None:
        """The block behind it."""
        return next(self.following(), None)

    def displays(self) -> list[Formula]:
        """The formulas that follow at once, each on lines of its own."""
        found = []
        for block in self.following():
            if not isinstance(block, Display):
                break
            found.append(block.formula)
        return found

    def section(self) -> list[Block]:
        """The blocks from here to the next heading."""
        found: list[Block] = []
        for block in self.following():
            if isinstance(block, Heading):
                break
            found.append(block)
        return found

    def shown_before(self) -> list[Formula]:
        """The formulas on lines of their own that stand right before, the first one first."""
        found = []
        for block in self.before():
            if not isinstance(block, Display):
                break
            found.append(block.formula)
        return found[::-1]


Predicate: TypeAlias = Callable[[Message, Place], bool]


# --- reading messages and blocks -------------------------------------------------------------------------


def places(sight: Sight) -> Iterator[tuple[Message, Place]]:
    """Every message of a document, with the messages in it, where it stands."""
    part, step, steps = "", None, iter(sight.shown)
    for at, block in enumerate(sight.document.blocks):
        if isinstance(block, Heading) and block.level < 3:
            part = block.part
            number = next(steps, 0) if part == "steps" else 0
            step = sight.trace.shown[number - 1] if number else None
        for words, cell in _words(block):
            yield from _messages(words, Place(sight, at, part, step, cell=cell))


def _words(block: Block) -> Iterator[tuple[Words, tuple[int, int] | None]]:
    match block:
        case Heading() | Prose():
            yield block.words, None
        case Table():
            for number, row in enumerate((block.header, *block.rows), -1):
                yield from ((words, (number, column)) for column, words in enumerate(row))


def _messages(parts: tuple[Part, ...], place: Place) -> Iterator[tuple[Message, Place]]:
    for number, part in enumerate(parts):
        here = Place(
            place.sight, place.at, place.part, place.step, place.inside, place.cell, parts[number + 1 :]
        )
        if isinstance(part, Listed):
            yield from _messages(part.items, place)
        elif isinstance(part, Message):
            yield part, here
            inside = (*place.inside, part)
            inner = Place(place.sight, place.at, place.part, place.step, inside, place.cell)
            yield from _messages(part.parts, inner)


def whole(part: Part) -> int:
    """A whole number that a message says in digits or as text; -1 where it says none."""
    text = part.text if isinstance(part, Digits) else part if isinstance(part, str) else ""
    return int(text) if text.isdecimal() else -1


def items(part: Part) -> tuple[Part, ...]:
    """What a list lists; anything else is a list of itself."""
    return part.items if isinstance(part, Listed) else (part,)


def expr(part: Part) -> Expr | None:
    """The expression that a formula of one side says."""
    if isinstance(part, Formula) and len(part.sides) == 1:
        return part.sides[0].expr
    return None


def entries(part: Part) -> list[Ref]:
    """What formulas of a list are about: the first side of each, where that is an entry."""
    shown = [each.sides[0].expr for each in items(part) if isinstance(each, Formula)]
    return [each for each in shown if isinstance(each, Ref)]


def names(part: Part) -> list[str]:
    """The names of the entries of a list."""
    return [ref.name for ref in entries(part)]


def target(shown: Formula) -> Ref:
    """What a formula is about; a name that nobody has where it is about no entry."""
    found = shown.sides[0].expr
    return found if isinstance(found, Ref) else Ref("")


def is_update(shown: Formula) -> bool:
    """Whether a formula gives a new value: ``w ← …``, ``m' = …``."""
    return any(side.relation == "←" for side in shown.sides) or is_after(target(shown).name)


def reach(example: Example, name: str) -> set[str]:
    """Everything on which a quantity of the forward pass depends, itself among it."""
    bodies: dict[str, set[str]] = {}
    for eq in example.forward:  # a recurrence has several
        bodies.setdefault(eq.target.name, set()).update(ref.name for ref in _deep(eq.body))
    found, queue = {name}, [name]
    while queue:
        new = bodies.get(queue.pop(), set()) - found
        found |= new
        queue += new
    return found


def _deep(body: Expr) -> Iterator[Ref]:
    """The entries in a formula, those that stand in indices too."""
    for ref in refs(body):
        yield ref
        for part in ref.indices:
            yield from (inner for inner in _deep(part) if inner.indices)


def held(part: Part, count: int) -> bool:
    """Whether a part says a count."""
    return whole(part) == count


def entries_of(step: Step, name: str) -> list[tuple[int, ...]]:
    """The positions of all entries of a quantity in a step."""
    return [at for own, at in step.layout.tape.slots if own == name]


def placed(ref: Ref) -> tuple[int, ...]:
    """The positions of an entry as it is printed; empty where letters stand."""
    found = [int(part.value) for part in ref.indices if isinstance(part, Number)]
    return tuple(found) if len(found) == len(ref.indices) else ()


def sample_axes(example: Example) -> dict[str, int]:
    """The axis at which each quantity has the letter of the samples, in any equation."""
    found, letter = dict[str, int](), Ref(example.sample or "")
    for eq in (*example.forward, *example.backward):
        for node in (eq.target, *walk(eq.body)):
            if isinstance(node, Ref) and letter in node.indices:
                found[node.name] = node.indices.index(letter)
    return found
