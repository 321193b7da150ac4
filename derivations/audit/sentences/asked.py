"""Every sentence of a composed page asked, each by the predicate of its text; and what a page must tell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from derivations.audit.sentences import digits, drawn, found, kinks, letters, outside, passes, problem, update
from derivations.audit.sentences.again import read_again
from derivations.audit.sentences.place import Place, Predicate, Sight, places, sample_axes
from derivations.audit.sentences.told import untold
from derivations.document.blocks import Document, Heading, Message, Table
from derivations.document.languages import text_of
from derivations.language.errors import CheckFailed
from derivations.notation.locales import several
from derivations.notation.symbols import Symbols
from derivations.spec.spec import Source
from derivations.witnesses.work import Verified

BEFORE_STEPS = ("problem", "quantities", "gradient", "matrix", "summary")
ROOMS: tuple[tuple[Mapping[str, Predicate], tuple[str, ...]], ...] = (
    (problem.PREDICATES, ("problem",)),
    (update.PREDICATES, ("problem",)),
    (letters.PREDICATES, BEFORE_STEPS),
    (outside.PREDICATES, BEFORE_STEPS),
    (passes.PREDICATES, ("steps",)),
    (kinks.PREDICATES, ("steps",)),
    (digits.PREDICATES, ("steps",)),
    (found.PREDICATES, ()),
    (drawn.PREDICATES, ()),
)
"""The predicates of sentences, and the parts of a page in which they stand; in any where none is named."""
SENTENCES = {text: (ask, parts) for room, parts in ROOMS for text, ask in room.items()}
PARTS = {**problem.PARTS, **update.PARTS, **passes.PARTS, **found.PARTS}
CELLS = {*drawn.COLUMNS, *found.COLUMNS}
HEADS = {*passes.HEADS, *drawn.HEADS}


def require_sentences(sight: Sight) -> None:
    """Raise `CheckFailed` at the first sentence that is not so, or at something that is not told."""
    for fault in faults(sight):
        raise CheckFailed(f"the page is not true: {fault}", hint="No page was written.")


def faults(sight: Sight) -> Iterator[str]:
    """Sentences that are not so, in words, and what should be told and is not."""
    for said, place in places(sight):
        if not is_of_a_line(place) and not holds(said, place):
            yield f"{_where(place)}'{_shortened(said)}' is not so"
    yield from untold(sight)


def holds(said: Message, place: Place) -> bool:
    """Whether a sentence is true where it stands; one that nobody can ask is not."""
    try:
        return said.many == several().get(said.text, said.many) and _asked(said, place)
    except (LookupError, TypeError, ValueError, AssertionError, AttributeError, StopIteration):
        return False  # it does not even speak of what it is about


def _asked(said: Message, place: Place) -> bool:
    if place.inside:
        within, ask = PARTS[said.text]
        return place.inside[-1].text.startswith(within) and ask(said, place)
    ask, parts = SENTENCES[said.text]
    fits = (
        (not parts or place.part in parts)
        and isinstance(place.block, Heading) == (said.text in HEADS)
        and isinstance(place.block, Table) == (said.text in CELLS)
    )
    return fits and ask(said, place)


def is_of_a_line(place: Place) -> bool:
    """Whether a message is the reason beside a line of the derivation, which is asked of the lines."""
    inside = place.cell is not None and place.cell[0] >= 0
    return inside and isinstance(place.block, Table) and place.block.kind == "derivation"


def _where(place: Place) -> str:
    return f"step {place.step.number}: " if place.step else ""


def _shortened(said: Message) -> str:
    try:
        return text_of(said)[:80]
    except (LookupError, TypeError):
        return said.text[:80]


def sight_of(document: Document, run: Verified, symbols: Symbols, source: Source) -> Sight:
    """What the sentences of a run's document are held against; ``source`` is that of the spec."""
    again = read_again(source.text, 0, source.instead)
    sight = Sight(document, run.trace, run.report, symbols, again, source.text)
    return replace(sight, again=replace(again, samples=_samples(sight)))


def _samples(sight: Sight) -> int:
    """How many samples there are: how long the lists of the spec are along the samples; 0 without them."""
    example, data = sight.example, sight.again.tables.get("data", {})
    axes = {name: axis for name, axis in sample_axes(example).items() if name in example.data}
    lengths = {_length(data.get(name), axis, example.data[name].shape) for name, axis in axes.items()}
    return min(lengths, default=0) if example.sample is not None else 0


def _length(value: object, axis: int, shape: tuple[int, ...]) -> int:
    """How many values an array has along an axis: as it stands in the text, or as an expression gives it."""
    place = axis
    while isinstance(value, list) and place:
        value, place = value[0], place - 1
    return len(value) if isinstance(value, list) else shape[axis]
