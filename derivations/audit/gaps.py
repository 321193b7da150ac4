"""Auditing what a document leaves out: parts that the spec wants, steps, entries that nobody told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from derivations.audit.items import text_in
from derivations.claims.samples import with_positions
from derivations.document.blocks import Block, Display, Document, Heading, Listing, Prose, Table
from derivations.document.columns import FEW
from derivations.document.languages import plain
from derivations.document.words import HEADINGS
from derivations.language.names import adjoint, after, unprimed
from derivations.language.tree import Number, Ref
from derivations.model.example import Example, needed_adjoints
from derivations.notation.chain import Formula, Side, formula
from derivations.notation.text import text
from derivations.numbers.tape import Entry
from derivations.programs.listing import shown_steps
from derivations.programs.optimizer import filled
from derivations.run.training import Step, Trace
from derivations.spec.arrays import positions

FOLLOWED = 3  # parameters that are followed one by one
TABLES = {name: name for name in ("quantities", "matrix", "summary", "checks")} | {"gradient": "derivation"}


@dataclass(frozen=True)
class Gaps:
    """What a document must hold, by the spec, the trace and the listings of the run."""

    document: Document
    trace: Trace
    listings: tuple[str, ...]
    has_matrices: bool

    def faults(self) -> Iterator[str]:
        """What the document leaves out or puts in: title, parts, listings, entries of a step."""
        blocks, example = self.document.blocks, self.trace.example
        if blocks[0] != Heading(1, (example.spec.title,)):
            yield "the title is not that of the spec"
        listings = self.listings if "program" in example.spec.page.parts else ()
        if tuple(block.text for block in blocks if isinstance(block, Listing)) != listings:
            yield "the listings are not the program that was run and what it printed"
        sections = list(_sections(blocks))
        if [heading.part for heading, _ in sections] != self.parts():
            yield "its parts are not those that the spec wants"
            return
        steps = iter(shown_steps(example))
        for heading, inside in sections:
            if heading.part == "steps":
                step = self.trace.shown[next(steps) - 1]
                title = text_in(heading.words)
                yield from (f"{name} is missing below '{title}'" for name in untold(example, step, inside))
                continue
            if heading.words != plain((HEADINGS[heading.part],), self.document.wording):
                yield f"'{text_in(heading.words)}' is not the heading of this part"
            yield from (f"{what} is missing in this part" for what in lacking(heading.part, inside, example))

    def parts(self) -> list[str]:
        """The parts that headings of the second level open, one for each step."""
        example, found = self.trace.example, list[str]()
        for part in example.spec.page.parts:
            if part == "steps":
                found += ["steps"] * len(shown_steps(example))
            elif part != "figures" and (part != "matrix" or self.has_matrices):
                found.append(part)
        return found


def lacking(part: str, blocks: list[Block], example: Example) -> Iterator[str]:
    """What a part of the page must hold, by the spec, and does not."""
    shown = {block.formula for block in blocks if isinstance(block, Display)}
    if part == "problem":
        given = {**example.data, **example.start}
        told = [*_columns(blocks, "data"), *_valued(blocks)]
        for ref in (ref for name, array in given.items() for ref in array.refs(name)):
            if not any(one.name == ref.name and _covers(one, (ref.name, positions(ref))) for one in told):
                yield text(ref)
        yield from (text(eq.target) for eq in example.forward if formula(eq.target, eq.body) not in shown)
        if example.updates:
            yield from (name for name in example.hyper if Ref(name) not in told)
            yield from _updates(shown, example)
    elif part == "gradient" and example.spec.page.detail == "brief":
        yield from (text(eq.target) for eq in example.backward if formula(eq.target, eq.body) not in shown)
    elif part in TABLES:
        if not any(isinstance(block, Table) and block.kind == TABLES[part] for block in blocks):
            yield "the table"
        elif part in ("summary", "checks"):
            told = _columns(blocks, "summary") if part == "summary" else list(_checked(blocks))
            count = 1 if part == "summary" else len(shown_steps(example))
            yield from (text(ref) for ref in followed(example) if told.count(ref) != count)


def followed(example: Example) -> Iterator[Ref]:
    """What a summary and the checks must follow: the loss; of few parameters the gradients and new values."""
    yield Ref(example.loss)
    entries = [ref for name, array in example.start.items() for ref in array.refs(name)]
    for ref in entries if len(entries) <= FOLLOWED else ():
        yield Ref(adjoint(example.loss, ref.name), ref.indices)
        if example.updates:
            yield Ref(after(ref.name), ref.indices)


def _updates(shown: set[Formula], example: Example) -> Iterator[str]:
    """The updates that are not told: of many those of one parameter a group are enough."""
    missing: dict[str, list[str]] = {}
    for eq in example.update:
        kept = unprimed(eq.target.name)
        name, sign = (kept, "←") if kept in example.start else (eq.target.name, "=")
        own = missing.setdefault(example.rule.owner(eq.target.name), [])
        if formula(Ref(name, eq.target.indices), (sign, eq.body)) not in shown:
            own.append(f"the update of {name}")
    groups = [("",), *(group.parameters for group in filled(example))]
    for names in [(name,) for name in missing] if len(list(example.update)) <= FOLLOWED else groups:
        yield from min((missing.get(name, []) for name in names), key=len)


def _columns(blocks: list[Block], kind: str) -> list[Ref]:
    """What the columns of tables are about."""
    tables = [block for block in blocks if isinstance(block, Table) and block.kind == kind]
    words = [word for table in tables for cell in table.header[1:] for word in cell]
    firsts = [word.sides[0].expr for word in words if isinstance(word, Formula)]
    return [expr for expr in firsts if isinstance(expr, Ref)]


def _checked(blocks: list[Block]) -> Iterator[Ref]:
    """What the rows of the table of checks are about."""
    for block in blocks:
        for row in block.rows if isinstance(block, Table) and block.kind == "checks" else ():
            firsts = [word.sides[0].expr for word in row[1] if isinstance(word, Formula)]
            yield from (expr for expr in firsts if isinstance(expr, Ref))


def _valued(blocks: list[Block]) -> Iterator[Ref]:
    """The entries that sentences give a number to."""
    for word in (word for block in blocks if isinstance(block, Prose) for word in block.words):
        if isinstance(word, Formula) and len(word.sides) == 2 and isinstance(word.sides[0].expr, Ref):
            yield word.sides[0].expr


def untold(example: Example, step: Step, blocks: list[Block]) -> Iterator[str]:
    """The entries of a step that no formula and no column of these blocks is about.

    Of a quantity with very many entries beside the samples, some must be told.
    """
    told: dict[str, list[Ref]] = {}
    for ref in _subjects(blocks, step):
        told.setdefault(ref.name, []).append(ref)
    wanted = {eq.target.name for eq in (*example.forward, *needed_adjoints(example), *example.update)}
    if sum(len(array.entries) for array in example.kept.values()) <= FEW:
        wanted |= set(example.kept)
    entries: dict[str, list[Entry]] = {name: [] for name in wanted}
    for entry in step.layout.tape.slots:
        if entry[0] in wanted:
            entries[entry[0]].append(entry)
    for name, own in entries.items():
        missing = [entry for entry in own if not any(_covers(ref, entry) for ref in told.get(name, ()))]
        beside = {_without_sample(entry, step) for entry in own}
        if missing and (len(beside) <= FEW or len(missing) == len(own)):
            yield step.layout.label(missing[0], step.samples)


def _without_sample(entry: Entry, step: Step) -> tuple[int, ...]:
    name, at = entry
    dims = (*step.layout.dims.get(name, ()), *[""] * len(at))
    return tuple(place for place, dim in zip(at, dims, strict=False) if dim != step.layout.sample)


def _covers(ref: Ref, entry: Entry) -> bool:
    pairs = zip(ref.indices, entry[1], strict=True)
    return all(not isinstance(part, Number) or part.value == at for part, at in pairs)


def _subjects(blocks: list[Block], step: Step) -> Iterator[Ref]:
    """What formulas and columns are about: the first side of each, in positions of the batch."""
    for block in blocks:
        match block:
            case Display(shown):
                found = [shown]
            case Prose(words):
                found = [word for word in words if isinstance(word, Formula) and len(word.sides) > 1]
            case Table():
                found = [word for cell in block.header[1:] for word in cell if isinstance(word, Formula)]
            case _:
                found = []
        for one in found:
            first = with_positions(one.sides[:1], step)[0].expr
            if isinstance(first, Ref):
                yield Ref(after(first.name), first.indices) if _is_update(one.sides) else first


def _is_update(sides: tuple[Side, ...]) -> bool:
    return len(sides) > 1 and sides[1].relation == "←"


def _sections(blocks: tuple[Block, ...]) -> Iterator[tuple[Heading, list[Block]]]:
    """The headings of the second level, each with the blocks below it."""
    starts = [at for at, block in enumerate(blocks) if isinstance(block, Heading) and block.level == 2]
    for start, end in pairwise([*starts, len(blocks)]):
        heading = blocks[start]
        assert isinstance(heading, Heading)
        yield heading, list(blocks[start + 1 : end])
