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
from derivations.language.tree import Number, Ref
from derivations.model.example import Example, needed_adjoints
from derivations.notation.chain import Formula, Side
from derivations.numbers.tape import Entry
from derivations.programs.listing import shown_steps
from derivations.run.training import Step, Trace


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
            elif heading.words != plain((HEADINGS[heading.part],), self.document.wording):
                yield f"'{text_in(heading.words)}' is not the heading of this part"

    def parts(self) -> list[str]:
        """The parts that headings of the second level open, one for each step."""
        example, found = self.trace.example, list[str]()
        for part in example.spec.page.parts:
            if part == "steps":
                found += ["steps"] * len(shown_steps(example))
            elif part != "figures" and (part != "matrix" or self.has_matrices):
                found.append(part)
        return found


def untold(example: Example, step: Step, blocks: list[Block]) -> Iterator[str]:
    """The entries of a step that no formula and no column of these blocks is about.

    Of a quantity with very many entries beside the samples, some must be told.
    """
    told: dict[str, list[Ref]] = {}
    for ref in _subjects(blocks, step):
        told.setdefault(ref.name, []).append(ref)
    wanted = {eq.target.name for eq in (*example.forward, *needed_adjoints(example), *example.update)}
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
        for formula in found:
            first = with_positions(formula.sides[:1], step)[0].expr
            if isinstance(first, Ref):
                yield Ref(f"{first.name}'", first.indices) if _is_update(formula.sides) else first


def _is_update(sides: tuple[Side, ...]) -> bool:
    return len(sides) > 1 and sides[1].relation == "←"


def _sections(blocks: tuple[Block, ...]) -> Iterator[tuple[Heading, list[Block]]]:
    """The headings of the second level, each with the blocks below it."""
    starts = [at for at, block in enumerate(blocks) if isinstance(block, Heading) and block.level == 2]
    for start, end in pairwise([*starts, len(blocks)]):
        heading = blocks[start]
        assert isinstance(heading, Heading)
        yield heading, list(blocks[start + 1 : end])
