"""One worked step: tables, the loss, the gradients, the update, each with its numbers.

What runs along an index with many values (the samples of a batch, time steps, the rows of a large
matrix) is told in full for its first value and then tabulated, one row a value. Everything else is
told entry by entry: symbols = numbers = value.
"""

from __future__ import annotations

from collections.abc import Iterator

from derivations.claims.samples import with_samples
from derivations.claims.writer import Writer, leaf
from derivations.document.blocks import (
    Block,
    Digits,
    Display,
    Heading,
    Message,
    Prose,
    Words,
    counted,
    listed,
    message,
    phrase,
    phrases,
    say,
    series,
)
from derivations.document.columns import (
    FEW,
    OPENING,
    columns_of,
    entries_along_samples,
    indices_of,
    instances,
    row_index,
)
from derivations.document.kinks import Kinks
from derivations.document.signposts import signposted
from derivations.document.tables import MAX_COLUMNS, Rows
from derivations.document.update import is_plain_descent
from derivations.document.words import direction, samples_words
from derivations.language.names import adjoint, adjoint_of, unprimed
from derivations.language.program import Equation
from derivations.language.tree import Expr, Ref, refs
from derivations.model.batching import is_whole
from derivations.model.example import Example, needed_adjoints
from derivations.notation.chain import Formula, Side, formula
from derivations.notation.symbols import Symbols
from derivations.numbers.digits import Rounding
from derivations.programs.listing import shown_steps
from derivations.run.training import Step, Trace, at_entry
from derivations.spec.arrays import positions

WE_HAVE = phrase("We have {}."), phrase("We have {}, and so on.")
TASK = phrase("Work this step by hand: the predictions, the loss, the gradients and the new parameters.")
TASK_WITHOUT_UPDATE = phrase("Work this step by hand: the predictions, the loss and the gradients.")
WE_GET = phrase("We get {}."), phrase("We get {}, and so on.")

TOO_FEW = phrase(
    "With the rounded digits in its line, {} would be {}; its value was worked with more digits than stand "
    "there."
)


def batch_blocks(trace: Trace, step: Step, rounding: Rounding, symbols: Symbols) -> Iterator[Block]:
    """Heading, start values, tables, and the chains of the step."""
    page = _Page(trace.example, Writer(step, rounding, trace.system, symbols.is_named))
    yield Heading(2, (_title(trace, step),), "steps")
    is_set = trace.example.spec.page.exercises and step.number > shown_steps(trace.example)[0]
    yield Prose(page.start_words(), exercise=is_set)
    if is_set:
        yield Prose(say(TASK if trace.example.updates else TASK_WITHOUT_UPDATE), exercise=True)
    yield from signposted(page.passes(), page.example)


def _title(trace: Trace, step: Step) -> Message:
    example = trace.example
    if example.sample is None:
        return message("Step {}", str(step.number))
    epoch = example.batches[step.epoch - 1]
    before = sum(len(batches) for batches in example.batches[: step.epoch - 1])
    batch, samples = str(step.number - before), samples_words(step.samples)
    whole = is_whole(epoch, example.samples)
    if len(example.batches) > 1:
        if not whole:
            return message("Epoch {}, mini-batch {}: {}", str(step.epoch), batch, samples)
        return message("Epoch {}, all samples: {}", str(step.epoch), samples)
    return message("All samples: {}", samples) if whole else message("Mini-batch {}: {}", batch, samples)


class _Page:
    """The blocks of one step; its table columns are known to the chains below the table."""

    def __init__(self, example: Example, writer: Writer) -> None:
        self.example, self.writer, self.step = example, writer, writer.step
        self.sizes = dict(writer.step.layout.sizes)
        self.sample = example.sample
        self.detail = example.spec.page.detail
        self.gradients = needed_adjoints(example)
        self.known: frozenset[Expr] = frozenset()

    def start_words(self) -> Words:
        parts = [ref for name, array in self.example.kept.items() for ref in array.refs(name)]
        if self.sample is not None and len(self.step.samples) == 1:
            data = entries_along_samples(self.example)
            parts += [_entry(ref, ref, {self.sample: 1}, self.step)[0] for ref in data]
        return self.values(WE_HAVE, parts, OPENING)

    def values(self, opening: tuple[str, str], entries: list[Ref], most: int = FEW) -> Words:
        """``We have w = 0.5 and b = 1.``: entries with their values, the first ones if there are many."""
        shown = []
        for ref in entries[:most]:
            printed = self.writer.value(ref, {})
            found = formula(ref, ("=" if printed.exact else "≈", leaf(printed)))
            shown.append(with_samples(found, self.step))
        return say(opening[len(entries) > most], listed(shown))

    def passes(self) -> dict[str, tuple[Block, ...]]:
        """The blocks of the passes in their order; a later table leaves out what is told before."""
        kinks = Kinks(self.example, self.writer).blocks()
        return {
            "forward": (*self.with_digits(self.forward()), *kinks),
            "backward": (*self.with_digits(self.backward()),),
            "update": (*self.with_digits(self.update()),),
        }

    def with_digits(self, blocks: Iterator[Block]) -> Iterator[Block]:
        """The blocks of a pass, and after them which lines have too few digits to give their value."""
        shown = list(blocks)
        yield from shown
        for line in (block.formula for block in shown if isinstance(block, Display)):
            if found := self.writer.would_be(line):
                yield Prose(say(TOO_FEW, Formula(line.sides[:1]), Digits(found.text)))

    # --- the forward pass

    def forward(self) -> Iterator[Block]:
        equations = list(self.example.forward)
        ahead, equations = (
            equations[: len(self.example.rule.ahead)],
            equations[len(self.example.rule.ahead) :],
        )
        for eq in ahead:
            yield from self.entries(eq)
        sums = [
            eq.body
            for eq in (*equations, *self.gradients)
            if self.row(eq) != self.sample and not self.waits(eq)
        ]
        yield from self.told("forward", equations, entries_along_samples(self.example), sums)

    def waits(self, eq: Equation) -> bool:
        """Whether an equation reads adjoints, so that it belongs to the backward table."""
        return any(adjoint_of(ref.name, self.example.loss) for ref in refs(eq.body))

    def row(self, eq: Equation) -> str | None:
        """The index that the rows of the equation's table run along; None if it is told entry by entry."""
        return row_index(eq, self.sample, self.sizes, len(self.step.samples))

    def told(
        self, kind: str, equations: list[Equation], given: list[Ref], sums: list[Expr]
    ) -> Iterator[Block]:
        """What runs along the samples first, then the rest in its order, runs of one index together."""
        sampled = self.sample is not None and len(self.step.samples) > 1
        along = [eq for eq in equations if sampled and self.row(eq) == self.sample]
        others = [eq for eq in equations if eq not in along]
        if sampled and (along or sums):
            yield from self.run(kind, self.sample or "", along, given, sums)
        while others:
            row = self.row(others[0])
            count = next((at for at, eq in enumerate(others) if self.row(eq) != row), len(others))
            own, others = others[:count], others[count:]
            if row is None:
                yield from self.all_entries(own)
            else:
                yield from self.run(kind, row, own, [], [])

    def run(
        self, kind: str, row: str, along: list[Equation], given: list[Ref], sums: list[Expr]
    ) -> Iterator[Block]:
        """What runs along one index: one value of it in full, then the table of all."""
        rows = Rows(self.writer, row, self.sample)
        told = list(self.full_rows(row, along))
        for place in told:
            yield Prose(self.row_words(row, place))
            for eq in along:
                yield from self.row_chains(eq, row, place)
        if told and self.rows(row) > 1:
            yield Prose(self.table_words(row))
        yield from rows.tables(kind, given, columns_of(along, row, self.step, short=bool(told)), sums)
        self.known |= rows.known

    def table_words(self, row: str) -> Words:
        if row != self.sample:
            return say("All of them in a table:")
        if len(self.step.samples) == self.example.samples:
            return say("All samples in a table:")
        return say("All samples of the mini-batch in a table:")

    def row_chains(self, eq: Equation, row: str, place: int) -> Iterator[Block]:
        """The entries of one row, the first ones of a very long row."""
        entries = list(instances(eq, row, self.step))
        for target, body in entries if len(entries) <= FEW else entries[:MAX_COLUMNS]:
            yield self.chain(*_entry(target, body, {row: place}, self.step))
        if len(entries) > FEW:
            forms = phrases(
                "The other entry of {1} goes the same way.",
                "The other {} entries of {} go the same way.",
            )
            yield Prose((counted(*forms, len(entries) - MAX_COLUMNS, eq.target),))

    def rows(self, row: str) -> int:
        return len(self.step.samples) if row == self.sample else self.sizes[row]

    def full_rows(self, row: str, along: list[Equation]) -> range:
        """The rows that are told entry by entry: one if the table cannot hold the formulas, or all."""
        single = all(len(indices_of(eq)) == 1 for eq in along)
        if self.detail == "brief" or (self.detail == "standard" and single):
            return range(0)
        widest = max((len(list(instances(eq, row, self.step))) for eq in along), default=0)
        every = self.detail == "full" and widest * self.rows(row) <= FEW
        return range(1, 1 + (self.rows(row) if every else 1))

    def row_words(self, row: str, place: int) -> Words:
        if row == self.sample:
            return say("Sample {} in full:", str(self.step.samples[place - 1]))
        return say("Value {} of {} in full:", str(place), Ref(row))

    # --- chains

    def chain(self, target: Ref, body: Expr, known: frozenset[Expr] = frozenset()) -> Display:
        found = self.writer.chain(target, body, known)
        parameter = unprimed(target.name)
        if parameter != target.name and parameter in self.example.start:
            found = _arrow(found, Ref(parameter, target.indices))
        return Display(with_samples(found, self.step))

    def all_entries(self, equations: list[Equation]) -> Iterator[Block]:
        """Every entry of some quantities in the order of their work: a recurrence step by step."""
        pairs = [pair for eq in equations for pair in self.of(eq)]
        if self.detail == "brief" or not any(self.reads_one_of(eq, equations) for eq in equations):
            for eq in equations:
                yield from self.entries(eq)
            return
        order = {entry: place for place, entry in enumerate(self.step.layout.tape.slots)}
        pairs.sort(key=lambda pair: order[pair[0].name, positions(pair[0])])
        for target, body in pairs:
            yield self.chain(target, body, self.known)

    def reads_one_of(self, eq: Equation, equations: list[Equation]) -> bool:
        """Whether an equation reads another entry of a quantity that is told with it."""
        own = {other.target.name: other.target for other in equations}
        return any(ref.name in own and ref.indices != own[ref.name].indices for ref in refs(eq.body))

    def of(self, eq: Equation) -> list[tuple[Ref, Expr]]:
        """Every entry of an equation; of one along a batch of one sample, that sample's."""
        single = {self.sample: 1} if self.sample is not None and len(self.step.samples) == 1 else {}
        return [_entry(target, body, single, self.step) for target, body in instances(eq, None, self.step)]

    def entries(self, eq: Equation) -> Iterator[Block]:
        """The entries of one quantity, each with its numbers."""
        shown = self.of(eq)
        if self.detail == "brief" and eq.target.name not in self.results():
            yield Prose(self.values(WE_GET, [ref for ref, _ in shown]))
            return
        for target, body in shown:
            yield self.chain(target, body, self.known)

    def results(self) -> set[str]:
        """The loss, the gradients of the parameters, and what the update computes."""
        gradients = {adjoint(self.example.loss, name) for name in self.example.parameters}
        return {self.example.loss, *gradients, *self.example.update.targets}

    def backward(self) -> Iterator[Block]:
        shown = self.gradients
        sums = [eq.body for eq in shown if self.row(eq) != self.sample and self.waits(eq)]
        yield from self.told("backward", shown, [], sums)
        yield from self.signs()

    def signs(self) -> Iterator[Block]:
        """Where a student stumbles: a negative gradient makes its parameter increase."""
        names = [name for name, array in self.example.start.items() if not array.shape]
        if not is_plain_descent(self.example) or len(names) != len(self.example.start):
            return
        said = (direction(self.step, Ref(adjoint(self.example.loss, name)), Ref(name)) for name in names)
        if found := [message for message in said if message is not None]:
            yield Prose(say("{}.", series(found, ";")))

    # --- the update

    def update(self) -> Iterator[Block]:
        yield from self.told("update", list(self.example.update), [], [])


def _entry(target: Ref, body: Expr, places: dict[str, int], step: Step) -> tuple[Ref, Expr]:
    """An entry and its formula at whole-number values of indices."""
    entry = at_entry(target, places, step)
    assert isinstance(entry, Ref)
    return entry, at_entry(body, places, step)


def _arrow(found: Formula, parameter: Ref) -> Formula:
    """``w ← w - η g = …`` for ``w' = w - η g = …``."""
    _, first, *rest = found.sides
    return Formula((Side("", parameter), Side("←", first.expr), *rest))
