"""What a page says of reads outside an array: an entry is really read where its array has none."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping

from derivations.audit.sentences.letters import shown_in
from derivations.audit.sentences.place import Place, Predicate, Sight, entries_of, names, places
from derivations.document.blocks import Message
from derivations.language.errors import LanguageError
from derivations.language.ranges import whole_number
from derivations.language.tree import Chosen, Expr, Largest, Ref, children, free_indices
from derivations.run.training import Step


def reads_zero(said: Message, place: Place) -> bool:
    """Every quantity of the list is read outside its array somewhere, and not in a maximum."""
    step = place.sight.trace.steps[0]
    beyond = {
        ref.name
        for target, body in _equations(place)
        for ref, in_maximum in _reads(body)
        if not in_maximum and _reaches_out(ref, target, step)
    }
    listed = names(said.parts[0])
    return bool(listed) and set(listed) <= beyond


def takes_no_part(_: Message, place: Place) -> bool:
    """A maximum reads outside of an array."""
    step = place.sight.trace.steps[0]
    return any(
        in_maximum and _reaches_out(ref, target, step)
        for target, body in _equations(place)
        for ref, in_maximum in _reads(body)
    )


def _equations(place: Place) -> Iterator[tuple[Expr, Expr]]:
    """The equations of the run, and every formula of the page beside what it is about."""
    example = place.sight.example
    yield from ((eq.target, eq.body) for eq in (*example.forward, *example.backward))
    for block in place.sight.document.blocks:
        shown = shown_in(block)
        yield from ((shown[0], each) for each in shown)


def _reads(expr: Expr, *, in_maximum: bool = False) -> Iterator[tuple[Ref, bool]]:
    """The entries that an expression reads, and whether a maximum does."""
    if isinstance(expr, Ref):
        yield expr, in_maximum
    inside = in_maximum or isinstance(expr, (Largest, Chosen))
    for part in children(expr):
        yield from _reads(part, in_maximum=inside)


def _reaches_out(ref: Ref, target: Expr, step: Step) -> bool:
    """Whether an index of a read is somewhere on no entry, with each letter in all its places."""
    own = entries_of(step, ref.name)
    ranges = _ranges(target, step)
    return bool(own) and any(
        not {*_values(part, ranges)} <= {at[axis] for at in own} for axis, part in enumerate(ref.indices)
    )


def _values(part: Expr, ranges: Mapping[str, list[int]]) -> Iterator[int]:
    """What an index expression is for all the places of its letters; nothing for a datum looked up."""
    letters = list(free_indices(part, set(ranges)))
    for at in itertools.product(*(ranges[letter] for letter in letters)):
        try:
            yield whole_number(part, dict(zip(letters, at, strict=True)), lambda _: None)
        except LanguageError:
            return


def _ranges(target: Expr, step: Step) -> dict[str, list[int]]:
    """The places of every letter, from 1: of a letter of what is written those that this has."""
    found = {letter: list(range(1, size + 1)) for letter, size in step.layout.sizes.items()}
    own = entries_of(step, target.name) if isinstance(target, Ref) else []
    for axis, part in enumerate(target.indices if isinstance(target, Ref) and own else ()):
        if isinstance(part, Ref) and not part.indices:
            found[part.name] = sorted({at[axis] for at in own if at[axis] > 0})
    return found


def untold(sight: Sight) -> Iterator[str]:
    """What the model reads outside an array and the problem does not explain."""
    if "problem" not in sight.example.spec.page.parts:
        return
    step = sight.trace.steps[0]
    reads = [
        found
        for eq in sight.example.forward
        for found in _reads(eq.body)
        if _reaches_out(found[0], eq.target, step)
    ]
    said = [each for each, place in places(sight) if place.part == "problem"]
    told = {name for each in said if each.text == ZERO for name in names(each.parts[0])}
    for name in dict.fromkeys(ref.name for ref, in_maximum in reads if not in_maximum):
        if name not in told:
            yield f"nothing says what '{name}' is outside its array"
    if any(in_maximum for _, in_maximum in reads) and all(each.text != APART for each in said):
        yield "nothing says that a maximum leaves out what lies outside its array"


ZERO = "An entry of {} outside its array is 0."
APART = "In a maximum, what lies outside its array takes no part."
PREDICATES: dict[str, Predicate] = {
    ZERO: reads_zero,
    APART: takes_no_part,
}
