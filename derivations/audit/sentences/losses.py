"""Losses of the catalogue: which one a line of the spec calls, or is, and what is said of it.

The text is read again. Neither `derivations.model.stated` nor the recognition of formulas is asked: calls
are looked for in the text itself, and a whole loss is one whose line is a row's, but for the names in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from derivations.audit.sentences.place import Place, Predicate, Sight, places, reach, target
from derivations.catalogue import functions
from derivations.catalogue.loss import SampleLoss
from derivations.catalogue.losses import LOSSES
from derivations.catalogue.sample_losses import SAMPLE_LOSSES
from derivations.document.blocks import Display, Message, Prose
from derivations.language.parser import parse
from derivations.language.tree import Call, Count, Expr, Mean, Number, Ref, Sum, children

WHOLE, ONE, SEVERAL = "The loss is the {}:", "This is the {}: {}.", "A part of it is the {}: {}."


def statements(text: str) -> Iterator[tuple[str, str]]:
    """The quantity and the right-hand side of each equation of a spec; open brackets go over line ends."""
    now = ""
    for line in text.splitlines():
        now += f" {line.partition('#')[0]}"
        if sum(map(now.count, "([")) > sum(map(now.count, ")]")):
            continue
        if stated := re.match(r"\s*(\w+'?)[^=]*=(.*)", now):
            yield stated[1], stated[2].strip()
        now = ""


def called(sight: Sight) -> dict[str, list[SampleLoss]]:
    """The losses that the author calls by name, by the quantity in whose equation each call stands."""
    rows, found = {row.name: row for row in SAMPLE_LOSSES}, dict[str, list[SampleLoss]]()
    for name, body in statements(_equations(sight)):
        words = re.findall(r"\b([A-Za-z]\w*)\s*\(", body)
        found.setdefault(name, []).extend(rows[word] for word in words if word in rows)
    return found


def is_whole(sight: Sight) -> bool:
    """Whether the author's line for the loss is a row of the losses, in other names."""
    bodies = [body for name, body in statements(_equations(sight)) if name == sight.example.loss]
    return len(bodies) == 1 and any(
        _is_row(parse(row.equation, functions.NAMES), parse(bodies[0], functions.NAMES)) for row in LOSSES
    )


def _is_row(row: Expr, own: Expr) -> bool:
    known: dict[str, str] = {}
    return _alike(row, own, known) and len({*known.values()}) == len(known)


def _equations(sight: Sight) -> str:
    found: str = sight.again.tables.get("model", {}).get("equations", "")
    return found


def _alike(row: Expr, own: Expr, known: dict[str, str]) -> bool:
    """Whether two formulas are one but for their names, which are noted."""
    match row, own:
        case (Ref(), Ref()):
            whole = not own.padded and len(row.indices) == len(own.indices)
            parts = zip(row.indices, own.indices, strict=True) if whole else ()
            return whole and _is(row.name, own.name, known) and all(_alike(*pair, known) for pair in parts)
        case (Number(), _):
            return row == own
        case (Call(), Call()) if row.function != own.function:
            return False
        case (Sum() | Mean() | Count(), Sum() | Mean() | Count()) if not _is(row.index, own.index, known):
            return False
    below = children(row), children(own)
    if type(row) is not type(own) or len(below[0]) != len(below[1]):
        return False
    return all(_alike(*pair, known) for pair in zip(*below, strict=True))


def _is(name: str, own: str, known: dict[str, str]) -> bool:
    return known.setdefault(name, own) == own


# --- what is said ------------------------------------------------------------------------------------------


def named_loss(several: bool) -> Predicate:
    """The author's own line for the quantity above calls the loss by its name, alone or beside others."""

    def asked(said: Message, place: Place) -> bool:
        title, words = said.parts
        rows = called(place.sight).get(_above(place), [])
        told = isinstance(title, Message) and isinstance(words, Message) and (title.text, words.text)
        return (len(rows) > 1) == several and told in [(row.title, row.convention) for row in rows]

    return asked


def _above(place: Place) -> str:
    """The quantity whose equation stands above, with nothing but such sentences between."""
    for block in place.before():
        if isinstance(block, Display):
            return target(block.formula).name
        first = block.words[0] if isinstance(block, Prose) and block.words else None
        if not isinstance(first, Message) or first.text not in (ONE, SEVERAL):
            break
    return ""


def untold_losses(sight: Sight) -> Iterator[str]:
    """A loss that the author calls, or writes down as the catalogue has it, is told with its convention."""
    if "problem" not in sight.example.spec.page.parts:
        return
    found = [(said, place) for said, place in places(sight) if place.part == "problem"]
    whole, loss = any(said.text == WHOLE for said, _ in found), sight.example.loss
    if (
        not whole
        and is_whole(sight)
        and reach(sight.example, loss) & {*sight.example.forward.targets} - {loss}
    ):
        yield f"nothing says which loss {loss} is"
    told = {
        (_above(place), part.text)
        for said, place in found
        if said.text in (ONE, SEVERAL)
        for part in said.parts
        if isinstance(part, Message)
    }
    for name, rows in called(sight).items():
        for row in rows if not (whole and name == loss) else ():
            if not {(name, row.title), (name, row.convention)} <= told:
                yield f"nothing says what the {row.title} of {name} is"
