"""Is the document true? Asked once a page, before any format is printed, of the document itself.

Whether a finished file says what the document says is asked by `derivations.audit.fidelity`, which knows
nothing of the run; here nothing is known of formats. Every question is a function that gives back what is
wrong, in words; they all stand in `QUESTIONS`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from derivations.audit.additions import Known
from derivations.audit.evidence import Evidence
from derivations.audit.gaps import Gaps
from derivations.audit.indices import letter_faults
from derivations.audit.items import Added, text_in
from derivations.audit.matrices import must_have
from derivations.audit.pictures import label_faults
from derivations.audit.ranges import range_faults
from derivations.audit.tables import TableTruth
from derivations.document.blocks import Block, Display, Document, Figure, Heading, Prose, Table
from derivations.document.languages import translated_block
from derivations.document.words import ends
from derivations.figures.rows import faults_of
from derivations.figures.scene import Scene
from derivations.language.errors import CheckFailed, Mismatch
from derivations.language.tree import Number
from derivations.model.batching import is_whole
from derivations.notation.printed import as_printed
from derivations.run.training import Step


def require(evidence: Evidence) -> None:
    """Raise `CheckFailed` at the first thing in a document that is not true."""
    for question in QUESTIONS:
        for fault in question(evidence):
            raise CheckFailed(f"the page is not true: {fault}", hint="No page was written.")


def require_added(added: Iterable[Added], evidence: Evidence) -> None:
    """Raise `CheckFailed` at the first words or formula of a template that are not true where they stand."""
    for one in added:
        step = evidence.steps[one.place - 1] if one.place else None
        if fault := _added_fault(one, step, evidence):
            said = f"the finished page does not read back: {_line_of(one.source, evidence.document)}{fault}"
            raise CheckFailed(said, hint="No page was written.")


def _added_fault(one: Added, step: Step | None, evidence: Evidence) -> str:
    if not one.sides:
        language = evidence.document.language
        known = Known(evidence.trace, evidence.symbols, evidence.rounding, language)
        fault = known.fault(one.source, step)
        return f"a template adds {fault}" if fault else ""
    try:
        evidence.chain(one.sides, step)
    except Mismatch as fault:
        return f"'{one.source}', which a template adds: {fault}"
    return ""


def _line_of(words: str, document: Document) -> str:
    """The line of a template in which words stand as they are, if there is one."""
    lines = (line.strip() for line in words.splitlines() if line.strip())
    return next(filter(None, map(document.templates.where, lines)), "") if document.templates else ""


def untold(evidence: Evidence) -> Iterator[str]:
    """Parts, listings, entries that the document leaves out."""
    run = evidence.run
    matrices = bool(run.matrices) or bool(must_have(run.example, run.trace.steps[0]))
    yield from Gaps(evidence.document, run.trace, (run.program, run.printed), matrices).faults()


def headings(evidence: Evidence) -> Iterator[str]:
    """Headings of steps that name another epoch, mini-batch or sample."""
    for block, step in zip(evidence.document.blocks, evidence.steps, strict=True):
        if isinstance(block, Heading) and block.part == "steps" and step is not None:
            title = text_in(block.words)
            if [int(n) for n in re.findall(r"\d+", title)] != numbers_of(step, evidence):
                yield f"the heading '{title}' is not about step {step.number}"


def numbers_of(step: Step, evidence: Evidence) -> list[int]:
    """The numbers in the heading of a step: epoch, mini-batch, samples, as far as there are several.

    Of many samples in a row stand the first and the last.
    """
    example = evidence.run.example
    if example.sample is None:
        return [step.number]
    before = sum(len(batches) for batches in example.batches[: step.epoch - 1])
    epoch = [step.epoch] if len(example.batches) > 1 else []
    whole = is_whole(example.batches[step.epoch - 1], example.samples)
    batch = [] if whole else [step.number - before]
    return [*epoch, *batch, *ends(step.samples)]


def formulas(evidence: Evidence) -> Iterator[str]:
    """Formulas and cells that nobody proved, or with other numbers than the run has."""
    for block, step in zip(evidence.document.blocks, evidence.steps, strict=True):
        try:
            require_block(block, step, evidence)
        except Mismatch as fault:
            where = f"step {step.number}: " if step else ""
            yield f"{where}{type(block).__name__.lower()}: {fault}"


def require_block(block: Block, step: Step | None, evidence: Evidence) -> None:
    """Raise `Mismatch` unless what a block says in symbols and numbers is true."""
    match block:
        case Heading(_, words) | Prose(words):
            evidence.words(words, step)
        case Display(shown):
            evidence.chain(shown.sides, step)
            if step is not None and not isinstance(as_printed(shown.sides[-1].expr), Number):
                raise Mismatch("a formula of a step without its value")
        case Table():
            TableTruth(block, step, evidence).require()


def kinks(evidence: Evidence) -> Iterator[str]:
    """Warnings of kinks that do not stand in the words of the page's language."""
    composed, document = evidence.composed.blocks, evidence.document
    wanted = [translated_block(block, document.wording) for block in composed if _is_of_kink(block)]
    if [block for block in document.blocks if _is_of_kink(block)] != wanted:
        yield "the warnings of values on a kink are not those that were asked"


def _is_of_kink(block: Block) -> bool:
    return isinstance(block, Prose) and block.kink


def figures(evidence: Evidence) -> Iterator[str]:
    """Figures that are missing, and what in a drawing is not as in the run."""
    blocks = [block for block in evidence.document.blocks if isinstance(block, Figure)]
    scene = Scene(evidence.trace, evidence.symbols, evidence.rounding)
    wrong = list(faults_of({block.name: block.drawing for block in blocks}, scene))
    yield from wrong
    for block in blocks if not wrong else ():
        texts = label_faults(block.name, block.drawing, scene)
        yield from (f"figure {block.name}: {fault}" for fault in texts)


def letters(evidence: Evidence) -> Iterator[str]:
    """Letters that stand for two things, and a number of the step that is not ``t``."""
    return letter_faults(evidence.run.example, evidence.symbols)


def ranges(evidence: Evidence) -> Iterator[str]:
    """Indices that run less far, or farther, than their arrays."""
    return range_faults(evidence.trace)


QUESTIONS: tuple[Callable[[Evidence], Iterable[str]], ...] = (
    untold,
    headings,
    letters,
    ranges,
    formulas,
    kinks,
    figures,
)
"""All that is asked of a document, in the order in which it is asked."""
