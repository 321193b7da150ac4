"""Breaking a chain of boxes into lines of a given width, by its tree.

``broken`` breaks first at the relations, which stand below each other; a side that is still too wide
before the ``+`` and ``−`` of its sum, or of the bracket that ends it; a term that is too wide by
itself between its factors; a fraction that is too wide gets several lines inside it. A bracket that
is cut becomes two `Delimiter` boxes of one height. What comes out is data, the same for every format.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from derivations.notation.boxes import (
    Box,
    Delimiter,
    Fenced,
    Fraction,
    Letter,
    Operator,
    Root,
    Row,
    Scripts,
    Sign,
    Stack,
)
from derivations.notation.chain import Side
from derivations.notation.measure import TEXT, Size, delimiters, measure, measure_row
from derivations.notation.symbols import Symbols
from derivations.notation.typeset import typeset

ARTICLE, SLIDE, PHONE = 41.0, 36.0, 20.0  # em on a line of A4, of a 16:9 slide, of a telephone
INDENT, FURTHER, ALONE, DEEPEST = 2.0, 1.0, 1.0, 5.0
Run: TypeAlias = tuple[Box, ...]
Role: TypeAlias = Literal["head", "relation", "continuation"]


@dataclass(frozen=True, slots=True)
class Line:
    """One line: ``before`` and, from the place at which all lines are aligned, ``parts``, both side by side.

    ``role`` is "head" for the first line (a whole chain, or its left side), "relation" for one whose
    ``parts`` begin with a relation sign, "continuation" for the rest of a side. ``indent`` (em) stands
    before ``parts``. ``size`` is that of the line with what is left of it; it is wider than asked for
    only where nothing can be cut.
    """

    role: Role
    before: Run
    parts: Run
    indent: float
    size: Size


@dataclass(frozen=True)
class Draft:
    """Lines as they are filled: each an indent and its boxes."""

    width: float
    lines: list[tuple[float, list[Box]]] = field(default_factory=list)

    def fits(self, run: Run, indent: float) -> bool:
        """Whether a run has room after an indent."""
        return indent + measure_row(run).width <= self.width

    def place(self, run: Run, indent: float, further: float) -> None:
        """A run after what is there, or on a line of its own, or cut, the rest of it after ``further``."""
        at, last = self.lines[-1]
        is_bare = all(isinstance(box, Sign) for box in last)
        if self.fits((*last, *run), at):
            last.extend(run)
            return
        if not is_bare and self.fits(run, indent):
            self.lines.append((indent, list(run)))
            return
        pieces = finer(run, self.width - further - FURTHER)
        if not is_bare:
            self.lines.append((indent, []))
        if len(pieces) == 1:
            self.lines[-1][1].extend(pieces[0])
            return
        for piece in pieces:
            self.place(piece, further, min(further + FURTHER, DEEPEST))


def lines(sides: Sequence[Side], symbols: Symbols, width: float, together: int = 99) -> tuple[Line, ...]:
    """The lines of a chain, each at most ``width`` em wide where that can be."""
    return broken([(side.relation, typeset(side.expr, symbols)) for side in sides], width, together)


def broken(sides: Sequence[tuple[str, Box]], width: float, together: int = 99) -> tuple[Line, ...]:
    """The lines of a chain of boxes, each with the relation that stands before it (empty for the first).

    A chain of more than ``together`` sides has a line for each, though it may fit on one.
    """
    whole = tuple(part for relation, box in sides for part in _signed(relation, box))
    size = measure_row(whole)
    if size.width <= width and len(sides) <= together:
        return (Line("relation" if sides[0][0] else "head", (), whole, 0, size),)
    found = _in_lines(sides, width)
    if len(found) > 1 or size.width > width:
        return found
    return (Line(found[0].role, (), whole, 0, size),)


def _in_lines(sides: Sequence[tuple[str, Box]], width: float) -> tuple[Line, ...]:
    if not sides[0][0] and len(sides) > 1:
        head, rest = sides[0][1], sides[1:]
        beside = _beside(head, rest, width)
        alone = _alone(head, rest, width)
        return beside if _is_better(beside, alone, width) else alone
    return _below((), 0, sides, width)


def _signed(relation: str, box: Box) -> Run:
    return (Sign(relation), box) if relation else (box,)


def _beside(head: Box, rest: Sequence[tuple[str, Box]], width: float) -> tuple[Line, ...]:
    """The left side, and all others beside it."""
    first, *others = _below((head,), measure(head).width, rest, width)
    return (replace(first, role="head"), *others)


def _alone(head: Box, rest: Sequence[tuple[str, Box]], width: float) -> tuple[Line, ...]:
    """The left side on lines of its own, the others below it."""
    draft = Draft(width, [(0, [])])
    draft.place((head,), 0, INDENT)
    above = [
        _line("continuation" if place else "head", (), tuple(run), indent, 0)
        for place, (indent, run) in enumerate(draft.lines)
    ]
    below = (
        replace(line, indent=line.indent + ALONE, size=replace(line.size, width=line.size.width + ALONE))
        for line in _below((), 0, rest, width - ALONE)
    )
    return (*above, *below)


def _is_better(beside: tuple[Line, ...], alone: tuple[Line, ...], width: float) -> bool:
    too_wide = [max(line.size.width for line in found) > width for found in (beside, alone)]
    if too_wide[0] != too_wide[1]:
        return too_wide[1]
    wide = measure_row(beside[0].before).width > width / 3
    return len(beside) <= len(alone) + (0 if wide else 1)


def _below(before: Run, used: float, sides: Sequence[tuple[str, Box]], width: float) -> tuple[Line, ...]:
    """Every side from a new line on; ``before`` stands left of the first."""
    found: list[Line] = []
    for relation, box in sides:
        draft = Draft(width - used, [(0, [Sign(relation)] if relation else [])])
        draft.place((box,), INDENT, INDENT)
        for place, (indent, run) in enumerate(draft.lines):
            role: Role = "continuation" if place else "relation"
            found.append(_line(role, () if found else before, tuple(run), indent, used))
    if not sides[0][0]:
        found[0] = replace(found[0], role="head")
    return tuple(found)


def _line(role: Role, before: Run, parts: Run, indent: float, used: float) -> Line:
    width = used + indent + measure_row(parts).width
    return Line(role, before, parts, indent, replace(measure_row((*before, *parts)), width=width))


# --- where a run may be cut -----------------------------------------------------------------------------


def finer(run: Run, width: float) -> list[Run]:
    """A run in pieces: at its signs, else inside its last bracket, else between its factors.

    A single fraction or root comes back with lines of at most ``width`` inside it; what cannot be
    cut, as it is.
    """
    if _ends(run[-1]):
        *before, last = finer(run[:-1], width)
        return [*before, (*last, run[-1])]
    if isinstance(run[-1], Row) and run[-1].role == "sum":
        first, *others = _at_signs(run[-1].parts)
        return [(*run[:-1], *first), *others]
    flat = _flat(run)
    opened, factors = _opened(run), _factors(flat)
    if opened and (len(factors) == 1 or _ends_in_the_most(_flat(run, "apply"))):
        return opened
    if len(factors) > 1:
        return factors
    if isinstance(flat[-1], Row) and flat[-1].role == "product":
        return finer((*flat[:-1], *flat[-1].parts), width)
    return [(*flat[:-1], _stacked(flat[-1], width))]


def _ends_in_the_most(run: Run) -> bool:
    """Whether the bracket that ends a run is wider than what stands before it."""
    return measure(run[-1]).width > measure_row(run[:-1]).width


def _ends(box: Box) -> bool:
    """Whether a box belongs to what stands before it: a closing bracket or a comma."""
    inner = box.base if isinstance(box, Scripts) else box
    return box == Sign(",") or (isinstance(inner, Delimiter) and inner.closes)


def _flat(run: Run, *further: str) -> Run:
    """A run whose last box is no row of factors any more: its parts stand there."""
    *before, last = run
    if not isinstance(last, Row) or last.role not in ("product", "sign", "operator", *further):
        return run
    whole = last.role == "product" or isinstance(last.parts[0], Fraction)  # stays together beside others
    if whole and not all(isinstance(box, (Sign, Operator)) for box in before):
        return run
    return _flat((*before, *last.parts), *further)


def _at_signs(parts: Run) -> list[Run]:
    """A sum before each of its signs."""
    return _cut(parts, [at for at, part in enumerate(parts) if at and part in (Sign("+"), Sign("−"))])


def _cut(parts: Run, places: list[int]) -> list[Run]:
    ends = zip([0, *places], [*places, len(parts)], strict=True)
    return [parts[start:end] for start, end in ends]


def _opened(run: Run) -> list[Run]:
    """A run before each sign inside the bracket that ends it; empty if it does not end with such a one."""
    run = _flat(run, "apply")
    last = run[-1]
    fenced = last.base if isinstance(last, Scripts) else last
    if not isinstance(fenced, Fenced) or len(inside := _inside(fenced.body)) < 2:
        return []
    start, closing = delimiters(fenced)
    end = replace(last, base=closing) if isinstance(last, Scripts) else closing
    first, *others = inside
    *middle, final = (*run[:-1], start, *first), *others
    return [*middle, (*final, end)]


def _inside(body: Box) -> list[Run]:
    """What is in a bracket in pieces: a sum, a list of arguments, a relation, a product."""
    if not isinstance(body, Row):
        return [(body,)]
    parts = body.parts
    match body.role:
        case "sum":
            return _at_signs(parts)
        case "list":
            return _cut(parts, [at + 1 for at, part in enumerate(parts) if part == Sign(",")])
        case "relation":
            return _cut(parts, [at + 1 for at, part in enumerate(parts) if part == Sign("=")])
    return _opened((body,)) or _factors(_flat((body,)))


def _factors(run: Run) -> list[Run]:
    """A product before each factor but the first; what belongs to its neighbour stays with it."""
    pieces: list[list[Box]] = [[]]
    for part in run:
        if all(isinstance(box, Sign) for box in pieces[-1]) or _is_bound(pieces[-1][-1], part):
            pieces[-1].append(part)
        else:
            pieces.append([part] if isinstance(part, Sign) else [Sign("·"), part])
    return [tuple(piece) for piece in pieces]


def _is_bound(left: Box, right: Box) -> bool:
    """Whether no line may end between two boxes: after an operator or a function, inside a bracket."""
    is_name = isinstance(left, Letter) and left.style == "function"
    is_name |= isinstance(left, Fraction) and left.above == Sign("∂")
    return isinstance(left, (Sign, Operator, Delimiter)) or isinstance(right, Delimiter) or is_name


def _stacked(box: Box, width: float) -> Box:
    """A box whose last fraction or root has lines inside it, where it is wider than ``width``."""
    if measure(box).width <= width:
        return box
    match box:
        case Row((*before, last), role) if not isinstance(last, Sign):
            return Row((*before, _stacked(last, width - measure_row(before).width)), role)
        case Fenced(_, body):
            return replace(box, body=_stacked(body, width - 1.5), tall=True)
        case Scripts(base):
            return replace(box, base=_stacked(base, width - 1.0))
        case Fraction(above, below):
            return Fraction(_rows(above, width - 0.3), _rows(below, width - 0.3))
        case Root(body):
            return Root(_rows(body, width - 1.1))
    return box


def _rows(body: Box, width: float) -> Box:
    if measure(body, TEXT).width <= width:
        return body
    draft = Draft(width, [(0, [])])
    draft.place((body,), 0, 0)
    rows = tuple(run[0] if len(run) == 1 else Row(tuple(run), "product") for _, run in draft.lines)
    return Stack(rows) if len(rows) > 1 else rows[0]
