"""What a page says of its letters: how far an index runs, what a count counts, which entry a name means."""

from __future__ import annotations

import re
from collections.abc import Iterable

from derivations.audit.sentences.place import (
    Place,
    Predicate,
    entries_of,
    expr,
    items,
    names,
    reach,
    whole,
)
from derivations.catalogue import functions
from derivations.document.blocks import Display, Message, Table
from derivations.language.matrix import ONES
from derivations.language.names import is_after
from derivations.language.tree import Call, Count, Expr, Mean, Ref, Sum, refs, walk
from derivations.notation.chain import Formula


def _size(place: Place, letter: str) -> int:
    """How many values an index takes in the first step: the last place at which an entry with it stands."""
    example, step = place.sight.example, place.sight.trace.steps[0]
    programs = (*example.forward, *example.backward, *example.update)
    written = _along(letter, (eq.target for eq in programs))  # all of these; what is read may go on
    axes = written or _along(letter, (ref for eq in programs for ref in refs(eq.body)))
    found = [max(at[axis] for at in entries_of(step, name)) for name, axis in axes if entries_of(step, name)]
    ranges = place.sight.again.tables.get("model", {}).get("ranges", {})
    return int(ranges[letter]) if letter in ranges else min(found, default=0)


def _along(letter: str, entries: Iterable[Ref]) -> set[tuple[str, int]]:
    """The quantities of these entries that have a letter between their brackets, each with its axis."""
    return {
        (ref.name, axis) for ref in entries for axis, part in enumerate(ref.indices) if part == Ref(letter)
    }


def runs(said: Message, place: Place) -> bool:
    """Every letter of the list is an index that takes so many values."""
    letters, size = names(said.parts[1]), whole(said.parts[2])
    single = said.text.startswith("The index {1} takes only")
    counts = {_size(place, letter) for letter in letters}
    return len(letters) == said.count > 0 and counts == {size} and (size == 1) == single


def sample_number(said: Message, place: Place) -> bool:
    """``n`` counts the samples of a step: a sum over them stands in the model."""
    letter = place.sight.example.sample
    bodies = [eq.body for eq in place.sight.example.forward]
    found = [node for body in bodies for node in walk(body) if isinstance(node, (Sum, Mean, Count))]
    used = any(node.index == letter for node in found)
    return used and [expr(part) for part in said.parts] == [Count(letter or ""), Ref(letter or "")]


def numbers_samples(said: Message, place: Place) -> bool:
    """The index by which batches are cut."""
    return place.sight.again.samples > 0 and expr(said.parts[0]) == Ref(place.sight.example.sample or "")


def count(said: Message, place: Place) -> bool:
    """``m`` is the number of values of an index."""
    shown, letter = (expr(part) for part in said.parts[:2])
    if not isinstance(letter, Ref) or shown != Count(letter.name):
        return False
    return whole(said.parts[2]) == _size(place, letter.name)


def ones(of_samples: bool) -> Predicate:
    """A column of ones as long as an index runs: the samples', or another's."""

    def asked(said: Message, place: Place) -> bool:
        column, number, *rest = (expr(part) for part in said.parts)
        if not isinstance(column, Ref) or column.name != ONES or not isinstance(number, Count):
            return False
        letter = place.sight.example.sample
        own = {ref.name for part in column.indices for ref in refs(part)}
        return (
            number.index in own
            and (number.index == letter) == of_samples
            and rest == ([] if of_samples else [Ref(number.index)])
        )

    return asked


def prime(said: Message, place: Place) -> bool:
    """A name with a prime that the update writes."""
    found, written = expr(said.parts[0]), place.sight.example.update.targets
    return isinstance(found, Ref) and is_after(found.name) and found.name in written


def part_of(derived: bool) -> Predicate:
    """A part of a formula on which parameters act, so that it is differentiated; or on which none does."""

    def asked(said: Message, place: Place) -> bool:
        part, example = expr(said.parts[0]), place.sight.example
        acting = isinstance(part, Ref) and bool(reach(example, part.name) & {*example.start})
        return named_part(said, place) and acting == derived

    return asked


def named_part(said: Message, place: Place) -> bool:
    """What the author did not write, on the way to what the author wrote."""
    part, owner = (expr(each) for each in said.parts)
    if not isinstance(part, Ref) or not isinstance(owner, Ref):
        return False
    example = place.sight.example
    written = [_written(part.name, place), _written(owner.name, place)]
    targets = example.forward.targets
    known = {part.name: part, owner.name: owner}
    whole_targets = all(targets.get(name) and targets[name].target == ref for name, ref in known.items())
    own = written == [False, True] or bool(example.spec.model.layers)
    return whole_targets and own and part.name in reach(example, owner.name)


def _written(name: str, place: Place) -> bool:
    """Whether a line of the author's begins with a name."""
    text = place.sight.again.tables.get("model", {}).get("equations", "")
    return bool(re.search(rf"^\s*{re.escape(name)}\s*(\[[^=]*)?=", text, re.MULTILINE))


def names_lead(said: Message, place: Place) -> bool:
    """Tables of names follow, one for each array of the list."""
    block = place.next
    return bool(names(said.parts[0])) and isinstance(block, Table) and block.kind == "names"


def entry_name(said: Message, place: Place) -> bool:
    """The author named this entry in the spec."""
    entry, where, owner = said.parts
    shown, array = expr(entry), expr(owner)
    given = place.sight.example.spec.page.names
    said_places = [each if isinstance(each, str) else _letter(each) for each in items(where)]
    if not isinstance(shown, Ref) or not isinstance(array, Ref) or shown.name != array.name:
        return False
    keys = (re.fullmatch(r"(\w+)\[(.*)\]", key.replace(" ", "")) for key in given)
    found = [(key[1], key[2].split(",")) for key in keys if key]
    return any(
        name == array.name
        and all(a == b if b.isdecimal() else not a.isdecimal() for a, b in zip(said_places, at, strict=True))
        for name, at in found
        if len(at) == len(said_places)
    )


def _letter(part: object) -> str:
    found = expr(part) if isinstance(part, Formula) else None
    return found.name if isinstance(found, Ref) else ""


def function(text: str) -> Predicate:
    """What a function is, by its row; a formula near by calls it."""
    rows = {row.name for row in functions.FUNCTIONS if row.meaning == text}

    def asked(said: Message, place: Place) -> bool:
        example = place.sight.example
        bodies: list[Expr] = [eq.body for eq in (*example.forward, *example.backward, *example.update)]
        bodies += [expr for block in place.sight.document.blocks for expr in shown_in(block)]
        return any(isinstance(node, Call) and node.function in rows for body in bodies for node in walk(body))

    return asked


def shown_in(block: object) -> list[Expr]:
    """The sides of all formulas of a block."""
    match block:
        case Display(shown):
            found = [shown]
        case Table(_, _, _, rows):
            found = [word for row in rows for cell in row for word in cell if isinstance(word, Formula)]
        case _:
            found = []
    return [side.expr for each in found for side in each.sides]


PREDICATES: dict[str, Predicate] = {
    "The index {1} runs from 1 to {2}.": runs,
    "The index {1} takes only the value 1.": runs,
    "{} is the number of samples that a step uses; the sum over {} runs through them.": sample_number,
    "The index {} numbers the samples.": numbers_samples,
    "{} is the number of values of {}, here {}.": count,
    "{} is a column of {} ones, one for each sample of the step.": ones(True),
    "{} is a column of {} ones, one for each value of {}.": ones(False),
    "A prime marks the value after the step: {}.": prime,
    "{} names a part of the formula of {}, which is differentiated on its own.": part_of(True),
    "{} names a part of the formula of {}.": part_of(False),
    "The entries of {} by name, the first index down, the second across:": names_lead,
    "{} is entry {} of {}.": entry_name,
    **{row.meaning: function(row.meaning) for row in functions.FUNCTIONS if row.meaning},
}
