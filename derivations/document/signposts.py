"""Heads inside a long step: its passes, and what the next run of formulas is about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from derivations.document.blocks import Block, Display, Heading, Message, Prose, Words, message, say
from derivations.language.names import adjoint
from derivations.language.tree import Ref, refs
from derivations.model.example import Example

WALL = 8  # formulas one below the other that nobody reads without a head
PASSES: dict[str, Message] = {
    "forward": message("The forward pass"),
    "backward": message("The backward pass"),
    "update": message("The update"),
}


def signposted(passes: Mapping[str, Sequence[Block]], example: Example) -> Iterator[Block]:
    """The passes of a step one after another, with heads where the step has more than a few formulas."""
    long = _count([block for blocks in passes.values() for block in blocks]) > WALL
    for name, blocks in passes.items():
        if long and blocks:
            yield Heading(3, (PASSES[name],))
        yield from _with_leads(blocks, example) if long and _count(blocks) > WALL else blocks


def _count(blocks: Sequence[Block]) -> int:
    return sum(isinstance(block, Display) for block in blocks)


def _with_leads(blocks: Sequence[Block], example: Example) -> Iterator[Block]:
    """The blocks, every run of formulas about one thing below a line that names it."""
    before: Block | None = None
    for kind, run in groupby(blocks, key=lambda block: _subject(block, example)):
        found = list(run)
        if kind is not None and len(found) > 1 and not _introduces(before):
            yield Prose(_lead(found, kind))
        yield from found
        before = found[-1]


def _introduces(block: Block | None) -> bool:
    last = block.words[-1] if isinstance(block, Prose) else None
    return isinstance(last, Message) and last.text.endswith(":")


def _lead(run: Sequence[Block], kind: Ref) -> Words:
    first = _target(run[0])
    if all(_target(block).name == first.name for block in run):
        return say("The entries of {}:", Ref(first.name))
    return say("The parameters of {}:", kind)


def _subject(block: Block, example: Example) -> Ref | None:
    """What a formula is about: a quantity; for a parameter or its gradient the quantity that reads it."""
    if not isinstance(block, Display):
        return None
    target = _target(block)
    slopes = {adjoint(example.loss, name): name for name in example.parameters}
    parameter = slopes.get(target.name, target.name)
    if parameter in example.parameters and not target.indices:
        readers = [eq.target for eq in example.forward if parameter in {ref.name for ref in refs(eq.body)}]
        return readers[0] if len(readers) == 1 else Ref(target.name)
    return Ref(target.name)


def _target(block: Block) -> Ref:
    assert isinstance(block, Display)
    found = block.formula.sides[0].expr
    assert isinstance(found, Ref)
    return found
