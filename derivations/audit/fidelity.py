"""Auditing a finished page: every formula and every number read back and held against the trace.

Formulas are parsed from the page's own text. Symbolic ones must be equations of the programs or
proved lines of the derivation; numbers must be the value that the trace has for the symbol, entry
and step at which they stand, digit by digit; ``=`` must be true. Everything else on the page, words,
labels and code, must be what the document says, letter by letter.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from derivations.audit.gaps import Gaps, text_in
from derivations.audit.items import Item, Mathematics
from derivations.audit.truth import Evidence, Mismatch, TableAudit
from derivations.claims.writer import Writer
from derivations.document.blocks import Block, Display, Document, Figure, Heading, Listing, Prose, Table
from derivations.document.kinks import Kinks
from derivations.document.languages import translated_block
from derivations.document.words import ends
from derivations.formats.latex.read import latex_pieces
from derivations.language.errors import CheckFailed
from derivations.model.batching import is_whole
from derivations.notation.read import Unreadable
from derivations.programs.listing import shown_steps
from derivations.run.training import Step

UNREAD = re.compile(r"\\\(|\\\[|\$\$|\\begin\{(equation|align|gather|multline|displaymath|math)|<math")
"""Mathematics that stands in no item."""


@dataclass(frozen=True)
class Audit:
    """A document and what its finished page is held against.

    ``figure`` reads a picture back; ``drawn`` is what was found wrong in the drawings themselves.
    """

    document: Document
    evidence: Evidence
    listings: tuple[str, ...]
    has_matrices: bool = False
    figure: Callable[[Item, Figure], None] | None = None
    drawn: tuple[str, ...] = ()

    def require(self, items: list[Item]) -> None:
        """Raise `CheckFailed` at the first thing on the page that is not as verified."""
        for fault in self.faults(items):
            raise CheckFailed(f"the finished page does not read back: {fault}", hint="No page was written.")

    def faults(self, items: list[Item]) -> Iterator[str]:
        """Everything on the page that is not as verified, in words."""
        blocks = self.document.blocks
        if self.document.templates is None and [i.kind for i in items] != [type(b).__name__ for b in blocks]:
            yield "its blocks are not those of the document"
            return
        yield from Gaps(self.document, self.evidence.trace, self.listings, self.has_matrices).faults()
        yield from self.kinks()
        yield from self.drawn
        steps = iter(shown_steps(self.evidence.trace.example))
        step: Step | None = None
        left = items
        for block in blocks:
            if isinstance(block, Heading) and block.level < 3:
                step = self.step_of(block, steps)
            place, fault = self.found(block, left, step)
            where = f"step {step.number}: " if step else ""
            if fault:
                yield f"{where}{type(block).__name__.lower()}: {fault}"
            yield from (f"{where}{fault}" for item in left[:place] for fault in self.beside(item, step))
            left = left[place + 1 :]
        yield from (fault for item in left for fault in self.beside(item, step))

    def found(self, block: Block, items: list[Item], step: Step | None) -> tuple[int, str]:
        """Where the next block stands among the items that are left, and what is wrong with it.

        That is the first of them; beside the words that an author's template adds, the first that fits.
        """
        first = "it is missing"
        for place, item in enumerate(items if self.document.templates else items[:1]):
            fault = self.fault(item, block, step)
            if not fault:
                return place, ""
            first = fault if item.kind == type(block).__name__ and first == "it is missing" else first
        return 0, first

    def fault(self, item: Item, block: Block, step: Step | None) -> str:
        """What is wrong with an item that is to be a block; empty if it is that block."""
        if item.kind != type(block).__name__:
            return f"'{item.kind}' stands in its place"
        try:
            self.block(item, block, step)
        except (Mismatch, Unreadable, LookupError, TypeError, ValueError, AssertionError) as fault:
            return str(fault) or type(fault).__name__
        return ""

    def beside(self, item: Item, step: Step | None) -> Iterator[str]:
        """What is wrong with what an author's template adds: words are free, formulas must be true."""
        if UNREAD.search(item.text) or item.kind in ("Listing", "Table", "Figure"):
            yield f"'{(item.text or item.kind)[:40]}', which a template adds, cannot be read back"
        pieces = item.pieces or latex_pieces(item.text)
        for piece in pieces:
            if not isinstance(piece, Mathematics):
                continue
            try:
                self.evidence.chain(self.evidence.read(piece), step)
            except (Mismatch, Unreadable, LookupError, TypeError, ValueError, AssertionError) as fault:
                yield f"'{piece.source}', which a template adds: {fault}"

    def kinks(self) -> Iterator[str]:
        """Warnings of kinks that are missing, or that no value of the steps gives cause for."""
        trace, rounding = self.evidence.trace, self.evidence.rounding
        if "steps" not in trace.example.spec.page.parts:
            return
        writers = [Writer(trace.shown[n - 1], rounding, trace.system) for n in shown_steps(trace.example)]
        blocks = [block for writer in writers for block in Kinks(trace.example, writer).blocks()]
        wanted = [translated_block(block, self.document.wording) for block in blocks]
        found = [block for block in self.document.blocks if isinstance(block, Prose) and block.kink]
        if found != wanted:
            yield "the values that sit on a kink are not those of the steps"

    def step_of(self, heading: Heading, steps: Iterator[int]) -> Step | None:
        """The step that a heading opens, the next of those shown; None for a heading of anything else."""
        if heading.part != "steps":
            return None
        step, title = self.evidence.trace.shown[next(steps) - 1], text_in(heading.words)
        if [int(n) for n in re.findall(r"\d+", title)] != self.numbers_of(step):
            raise CheckFailed(f"the heading '{title}' is not about step {step.number}")
        return step

    def numbers_of(self, step: Step) -> list[int]:
        """The numbers in the heading of a step: epoch, mini-batch, samples, as far as there are several.

        Of many samples in a row stand the first and the last.
        """
        example = self.evidence.trace.example
        if example.sample is None:
            return [step.number]
        before = sum(len(batches) for batches in example.batches[: step.epoch - 1])
        epoch = [step.epoch] if len(example.batches) > 1 else []
        whole = is_whole(example.batches[step.epoch - 1], example.samples)
        batch = [] if whole else [step.number - before]
        return [*epoch, *batch, *ends(step.samples)]

    def block(self, item: Item, block: Block, step: Step | None) -> None:
        """Raise `Mismatch` unless an item of the page is the block of the document."""
        match block:
            case Listing():
                if item.text.rstrip("\n") != block.text.rstrip("\n"):
                    raise Mismatch("a listing is not that of the document")
            case Heading(_, words) | Prose(words):
                self.evidence.words(item.pieces, words, step)
            case Display(shown):
                self.evidence.words(item.pieces, (shown,), step)
            case Table():
                TableAudit(block, step, self.evidence).check(item)
            case Figure():
                if self.figure is None:
                    raise Mismatch("a figure that nobody reads back")
                self.figure(item, block)
