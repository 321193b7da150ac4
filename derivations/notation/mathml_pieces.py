"""Long formulas as pieces of MathML between which a browser may break the line.

A `Leaf` is the inside of a ``<math>`` of its own. Leaves are nested in tuples: a browser breaks between the
outer ones first (at relations, then at the signs of a sum, then between factors), and inside one of them only
where it alone is too long. So one file suits every width; factors that fit are never cut.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TypeAlias

from derivations.notation.boxes import Box, Fenced, Fraction, Root, Row, Scripts, Sign
from derivations.notation.breaking import finer
from derivations.notation.locales import PLAIN, Marks
from derivations.notation.mathml import APPLIED, brackets, infix, mathml_of, with_scripts
from derivations.notation.measure import delimiters, measure, measure_row

NEST, SIGN, LEAST = 1.6, 1.3, 7.0  # the indent of what is nested, a sign with its space, in em


@dataclass(frozen=True, slots=True)
class Leaf:
    """MathML that is not broken, and its width in em."""

    shown: str
    width: float


Pieces: TypeAlias = "Leaf | tuple[Pieces, ...]"
NOTHING = Leaf("", 0)


def pieces(box: Box, fits: float, marks: Marks = PLAIN) -> Pieces:
    """The MathML of boxes, cut where a line may break if they are wider than ``fits`` (in em)."""
    width = measure(box).width
    if width <= fits:
        return Leaf(mathml_of(box, marks), width)
    room = max(fits - NEST, LEAST)
    match box:
        case Row(parts, "sum"):
            signs = [NOTHING, *(Leaf(infix(s), SIGN) for s in parts[1::2] if isinstance(s, Sign))]
            terms = zip(signs, parts[0::2], strict=True)
            return tuple(_after(sign, pieces(part, room - sign.width, marks), room) for sign, part in terms)
        case Row(parts, "list"):
            commas = [*(Leaf(mathml_of(s, marks), 0.5) for s in parts[1::2]), NOTHING]
            return tuple(
                _before(pieces(part, room - 0.5, marks), comma)
                for part, comma in zip(parts[0::2], commas, strict=True)
            )
        case Row((Sign(text), *rest), "sign"):
            minus = Leaf(f'<mo form="prefix">{text}</mo>', 0.8)
            return _after(minus, pieces(Row(tuple(rest), "product"), fits - 0.8, marks), fits)
        case Fenced() | Scripts(Fenced() | Row()) | Row(_, "apply"):
            return _bracket(box, max(fits, LEAST), marks)
        case Row(parts, role):
            return _row(parts, role, fits, marks)
        case Fraction() | Root():
            (shown,) = finer((box,), fits)
            return Leaf("".join(mathml_of(part, marks) for part in shown), measure_row(shown).width)
    return Leaf(mathml_of(box, marks), width)


def _bracket(box: Fenced | Scripts | Row, fits: float, marks: Marks) -> Pieces:
    """A bracket, also of a function or to a power: opened, cut inside, and closed."""
    inner = box.base if isinstance(box, Scripts) else box
    name = ""
    if isinstance(inner, Row) and inner.role == "apply":
        name, inner = mathml_of(inner.parts[0], marks) + APPLIED, inner.parts[-1]
    if not isinstance(inner, Fenced):
        return Leaf(mathml_of(box, marks), measure(box).width)
    opened, closed = brackets(inner)
    if inner.tall:  # apart from each other they would grow with what stands beside each
        opened, closed = (mathml_of(bracket, marks) for bracket in delimiters(inner))
    closed = with_scripts(replace(box, base=inner), closed, marks) if isinstance(box, Scripts) else closed
    before = Leaf(name + opened, 0.6 + (1.5 if name else 0))
    return _before(_after(before, pieces(inner.body, fits - before.width, marks), fits), Leaf(closed, 0.6))


def _row(parts: tuple[Box, ...], role: str, fits: float, marks: Marks) -> Pieces:
    """What is short stands with the long part after it; of short factors, each may begin a line."""
    if role == "product" and all(measure(part).width <= fits for part in parts):
        return tuple(_factors(parts, max(fits - NEST, LEAST), marks))
    found: list[Pieces] = []
    held = NOTHING
    for part in parts:
        width = measure(part).width
        if width <= fits:
            if held.width > SIGN and held.width + width > fits:
                found.append(held)
                held = NOTHING
            held = _side_by_side(held, Leaf(mathml_of(part, marks), width))
            continue
        room = max(fits - held.width, fits / 2)
        inner = _after(held, pieces(part, room, marks), fits)
        found += inner if isinstance(inner, tuple) else (inner,)
        held = NOTHING
    if held.shown:
        found.append(held)
    return found[0] if len(found) == 1 else tuple(found)


def _factors(parts: tuple[Box, ...], fits: float, marks: Marks) -> Iterator[Pieces]:
    """A product before each of its dots, and where that is not enough, before each factor."""
    places = [0, *(at for at, part in enumerate(parts) if at and isinstance(part, Sign)), len(parts)]
    for start, end in pairwise(places):
        own = parts[start:end]
        leaves = [Leaf(mathml_of(part, marks), measure(part).width) for part in own]
        if start and isinstance(own[0], Sign):
            leaves = [_side_by_side(Leaf(infix(own[0]), SIGN), leaves[1]), *leaves[2:]]
        if measure_row(own).width <= fits:
            yield Leaf("".join(leaf.shown for leaf in leaves), measure_row(own).width)
        else:
            yield tuple(leaves)


def _side_by_side(one: Leaf, other: Leaf) -> Leaf:
    return Leaf(one.shown + other.shown, one.width + other.width)


def _after(before: Leaf, found: Pieces, fits: float) -> Pieces:
    """Pieces with a leaf before them, on a line of its own if it does not fit beside the first."""
    if isinstance(found, Leaf):
        return _side_by_side(before, found)
    first, *rest = found
    if before.shown and before.width > SIGN and isinstance(first, Leaf) and before.width + first.width > fits:
        return (before, *found)
    return (_after(before, first, fits), *rest)


def _before(found: Pieces, after: Leaf) -> Pieces:
    """Pieces with a leaf behind the last of them."""
    if isinstance(found, Leaf):
        return _side_by_side(found, after)
    return (*found[:-1], _before(found[-1], after))


def leaves(found: Pieces) -> Iterator[Leaf]:
    """All leaves in their order."""
    if isinstance(found, Leaf):
        yield found
    else:
        for part in found:
            yield from leaves(part)


def flat(found: Pieces) -> Iterator[str]:
    """The MathML of all leaves in their order."""
    return (leaf.shown for leaf in leaves(found))
