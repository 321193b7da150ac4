"""Where the rounded numbers of a line have too few digits to give its value: it is said, and only there."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator

from derivations.audit.arithmetic import instead
from derivations.audit.sentences.place import Place, Predicate, Sight, places
from derivations.document.blocks import Block, Digits, Display, Heading, Message
from derivations.language.tree import Number
from derivations.notation.chain import Formula
from derivations.notation.printed import as_printed
from derivations.numbers.digits import Rounding
from derivations.numbers.systems import EXACT, Value

TOO_FEW = (
    "With the rounded digits in its line, {} would be {}; its value was worked with more digits than stand "
    "there."
)


def is_off(said: Message, place: Place) -> bool:
    """A line of this step before it has numbers that give this one, far from the value at its end."""
    page = place.sight.example.spec.page
    rounding = Rounding(page.digits, page.significant)
    before = list(itertools.takewhile(lambda block: not _opens_step(block), place.before()))
    told = [(subject, Digits(rounding(value).text)) for subject, value in _off(before)]
    return place.sight.trace.system is EXACT and said.parts in told


def untold(sight: Sight) -> Iterator[str]:
    """Steps in which another number of lines have too few digits than are named."""
    lines, told = Counter[int](), Counter[int]()
    if sight.trace.system is EXACT:
        lines.update(number for number, block in _of_steps(sight) for _ in _off([block]))
    told.update(place.step.number for said, place in places(sight) if said.text == TOO_FEW and place.step)
    for number in sorted(lines.keys() | told.keys()):
        if lines[number] != told[number]:
            yield f"step {number}: nothing says that the digits of a line are too few to give its value"


def _of_steps(sight: Sight) -> Iterator[tuple[int, Block]]:
    """The blocks of each step that is shown, with its number."""
    steps, number = iter(sight.shown), 0
    for block in sight.document.blocks:
        if isinstance(block, Heading) and block.level < 3:
            number = next(steps, 0) if _opens_step(block) else 0
        if number:
            yield number, block


def _opens_step(block: Block) -> bool:
    return isinstance(block, Heading) and block.part == "steps"


def _off(blocks: Iterable[Block]) -> Iterator[tuple[Formula, Value]]:
    """What lines are about whose numbers give something far from their value, and what they give."""
    for block in blocks:
        sides = block.formula.sides if isinstance(block, Display) else ()
        value = sides[-1].expr if sides else None
        if isinstance(value, Number) and value.text:
            found = (instead(as_printed(side.expr), value) for side in sides[1:-1])
            first = next((each for each in found if each is not None), None)
            if first is not None:
                yield Formula(sides[:1]), first


PREDICATES: dict[str, Predicate] = {TOO_FEW: is_off}
