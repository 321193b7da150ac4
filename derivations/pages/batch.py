"""One worked mini-batch: the table, the loss, the gradients, the update, each with its numbers."""

from __future__ import annotations

from collections.abc import Iterator

from derivations.examples.example import Example
from derivations.examples.training import Step, Trace
from derivations.examples.update import second
from derivations.language.backward import adjoint
from derivations.language.program import Equation
from derivations.language.tree import Expr, Ref, Sum, refs
from derivations.notation.read import Side
from derivations.numbers.digits import Rounding
from derivations.pages.blocks import Block, Display, Formula, Heading, Prose, Table, Words, formula, say
from derivations.pages.columns import entries_along_samples, instances, parts_of, summed
from derivations.pages.numbers_in import Writer, leaf
from derivations.pages.update_words import is_plain_descent
from derivations.pages.words import direction, join, samples_words

MAX_COLUMNS, MANY_ENTRIES = 7, 24


def batch_blocks(trace: Trace, step: Step, rounding: Rounding) -> Iterator[Block]:
    """Heading, start values, table, and the chains of the step."""
    page = _Page(trace.example, Writer(step, rounding, trace.system))
    yield Heading(2, (_title(trace, step),))
    yield Prose(page.start_words())
    yield from page.forward()
    yield from page.backward()
    yield from page.update()


def _title(trace: Trace, step: Step) -> str:
    example = trace.example
    if example.sample is None:
        return f"Step {step.number}"
    epoch = example.batches[step.epoch - 1]
    before = sum(len(batches) for batches in example.batches[: step.epoch - 1])
    batch = f"Mini-batch {step.number - before}" if len(epoch) > 1 else "All samples"
    name = f"Epoch {step.epoch}, {batch[0].lower()}{batch[1:]}" if len(example.batches) > 1 else batch
    return f"{name}: {samples_words(step.samples)}"


class _Page:
    """The blocks of one step; its table columns are known to the chains below the table."""

    def __init__(self, example: Example, writer: Writer) -> None:
        self.example, self.writer, self.step = example, writer, writer.step
        self.sizes = dict(writer.step.layout.sizes)
        self.sample = example.sample
        self.known: frozenset[Expr] = frozenset()

    def start_words(self) -> Words:
        parts = [
            formula(ref, ("=" if printed.exact else "≈", leaf(printed)))
            for name, array in self.example.kept.items()
            for ref in array.refs(name)
            for printed in [self.writer.value(ref, {})]
        ]
        shown = parts if len(parts) <= MANY_ENTRIES else parts[:MANY_ENTRIES]
        more = "" if len(parts) <= MANY_ENTRIES else ", and so on"
        return say(f"We have {join(['{}'] * len(shown))}{more}.", *shown)

    # --- the forward pass

    def forward(self) -> Iterator[Block]:
        along = [eq for eq in self.example.forward if self.is_along(eq)]
        others = [eq for eq in self.example.forward if not self.is_along(eq)]
        ahead, others = others[: len(self.example.rule.ahead)], others[len(self.example.rule.ahead) :]
        for eq in ahead:
            yield from self.chains(eq)
        sums = [
            eq.body for eq in (*others, *self.gradients()) if not self.is_along(eq) and not self.waits(eq)
        ]
        yield from self.table("forward", entries_along_samples(self.example), along, sums)
        for eq in others:
            yield from self.chains(eq)

    def waits(self, eq: Equation) -> bool:
        """Whether an equation reads adjoints, so that it belongs to the backward table."""
        return any(ref.name.startswith(adjoint(self.example.loss, "")) for ref in refs(eq.body))

    def is_along(self, eq: Equation) -> bool:
        return self.sample is not None and Ref(self.sample) in eq.target.indices

    def table(self, kind: str, given: list[Ref], along: list[Equation], sums: list[Expr]) -> Iterator[Block]:
        """Tables with one row a sample: given entries, computed entries, what is summed."""
        if self.sample is None:
            return
        columns: dict[Expr, Formula] = {ref: formula(ref) for ref in given}
        for eq in along:
            for target, body in instances(eq, self.sample, self.sizes):
                columns[target] = formula(target, body) if len(eq.target.indices) == 1 else formula(target)
        summands = [part for body in sums for part in summed(body, self.sample) if self.is_single(part)]
        inner = [node for part in dict.fromkeys(summands) for node in parts_of(part, self.sample)]
        self.known |= set(inner)
        for expr in (*inner, *summands):
            columns.setdefault(expr, formula(expr))
        shown = list(columns.items())
        for first in range(0, len(shown), MAX_COLUMNS):
            yield self.one_table(kind, dict(shown[first : first + MAX_COLUMNS]), set(summands))

    def is_single(self, part: Expr) -> bool:
        """A summand whose only free index is the sample's."""
        names = {ref.name for node in refs(part) for ref in node.indices if isinstance(ref, Ref)}
        return names <= {self.sample}

    def one_table(self, kind: str, columns: dict[Expr, Formula], summands: set[Expr]) -> Table:
        name = self.sample or ""
        header = ((formula(Ref(name)),), *((shown,) for shown in columns.values()))
        rows: list[tuple[Words, ...]] = [
            ((str(sample),), *(self.cell(expr, {name: place}) for expr in columns))
            for place, sample in enumerate(self.step.samples, 1)
        ]
        totals = any(expr in summands for expr in columns)
        if totals:
            last = [self.cell(Sum(expr, name), {}) if expr in summands else () for expr in columns]
            rows.append((("sum",), *last))
        return Table(kind, "r" + "d" * len(columns), header, tuple(rows), totals)

    def cell(self, expr: Expr, env: dict[str, int]) -> Words:
        return (formula(leaf(self.writer.value(expr, env))),)

    # --- chains

    def chains(self, eq: Equation) -> Iterator[Block]:
        names = [part.name for part in eq.target.indices if isinstance(part, Ref)]
        shown = list(instances(eq, None, self.sizes))
        for target, body in shown[:MANY_ENTRIES]:
            yield Display(self.writer.chain(target, body, self.known))
        if len(shown) > MANY_ENTRIES:
            yield Prose(
                (f"The other {len(shown) - MANY_ENTRIES} entries go the same way in {', '.join(names)}.",)
            )

    def gradients(self) -> list[Equation]:
        """The adjoints that the gradients of the parameters need, and these gradients."""
        wanted = {adjoint(self.example.loss, name) for name in self.example.parameters}
        wanted |= {second(name) for name in self.example.parameters}
        for eq in reversed(self.example.backward.equations):
            if eq.target.name in wanted:
                wanted |= {ref.name for ref in refs(eq.body)}
        return [eq for eq in self.example.backward if eq.target.name in wanted]

    def backward(self) -> Iterator[Block]:
        shown = self.gradients()
        along = [eq for eq in shown if self.is_along(eq)]
        sums = [eq.body for eq in shown if not self.is_along(eq) and self.waits(eq)]
        if along or sums:
            yield from self.table("backward", [], along, sums)
        for eq in shown:
            if not self.is_along(eq):
                yield from self.chains(eq)
        yield from self.signs()

    def signs(self) -> Iterator[Block]:
        """Where a student stumbles: a negative gradient makes its parameter grow."""
        names = [name for name, array in self.example.start.items() if not array.shape]
        if not is_plain_descent(self.example) or len(names) != len(self.example.start):
            return
        gradients = {name: adjoint(self.example.loss, name) for name in names}
        words = [f"{{}} is {direction(self.step.at(gradient))}" for gradient in gradients.values()]
        shown = [Ref(part) for name, gradient in gradients.items() for part in (gradient, name)]
        yield Prose(say(f"{'; '.join(words)}.", *shown))

    # --- the update

    def update(self) -> Iterator[Block]:
        for eq in self.example.update:
            name = eq.target.name.rstrip("'")
            for target, body in list(instances(eq, None, self.sizes))[:MANY_ENTRIES]:
                found = self.writer.chain(target, body)
                if name in self.example.start:
                    found = _arrow(found, Ref(name, target.indices))
                yield Display(found)


def _arrow(found: Formula, parameter: Ref) -> Formula:
    """``w ← w - η g = …`` for ``w' = w - η g = …``."""
    _, first, *rest = found.sides
    return Formula((Side("", parameter), Side("←", first.expr), *rest))
