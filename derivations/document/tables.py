"""Tables of a step with one row a value of an index: a sample, a time step, a row of a matrix."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeVar

from derivations.claims.samples import with_samples
from derivations.claims.writer import Writer, leaf
from derivations.document.blocks import Block, Prose, Table, Words, counted, message, phrases
from derivations.document.columns import FEW, parts_of, summed
from derivations.language.tree import Expr, Ref, Sum, free_indices, refs
from derivations.notation.chain import Formula, formula

MAX_COLUMNS = 7
TOTAL = message("sum")  # the label of the row of sums


class Rows:
    """The tables along one index; ``known`` are the expressions that got a column."""

    def __init__(self, writer: Writer, row: str, sample: str | None) -> None:
        self.writer, self.row, self.sample = writer, row, sample
        self.known: frozenset[Expr] = frozenset()

    def tables(
        self, kind: str, given: list[Ref], computed: Mapping[Expr, Formula], sums: list[Expr]
    ) -> Iterator[Block]:
        """Given entries, computed entries, what is summed over the rows and its bracketed parts."""
        columns: dict[Expr, Formula] = {ref: formula(ref) for ref in given} | dict(computed)
        summands = [part for body in sums for part in summed(body, self.row) if self.is_single(part)]
        inner = [node for part in dict.fromkeys(summands) for node in parts_of(part, self.row)]
        self.known |= set(inner)
        for expr in (*inner, *summands):
            columns.setdefault(expr, formula(expr))
        groups, left_out = grouped(list(columns))
        for group in packed(groups):
            yield self.one(kind, {expr: columns[expr] for expr in group}, set(summands))
        if left_out:
            forms = phrases(
                "The other column goes the same way; the JSON file holds them all.",
                "The other {} columns go the same way; the JSON file holds them all.",
            )
            yield Prose((counted(*forms, left_out),))

    def is_single(self, part: Expr) -> bool:
        """A summand whose only free index is that of the rows."""
        names = {ref.name for node in refs(part) for ref in node.indices if isinstance(ref, Ref)}
        free = free_indices(part, set(self.writer.step.layout.sizes))  # also those of a gate, [j = c[i]]
        return names | set(free) <= {self.row}

    def one(self, kind: str, columns: dict[Expr, Formula], summands: set[Expr]) -> Table:
        """One table; its last row are the sums if something is summed."""
        headings = (with_samples(shown, self.writer.step) for shown in columns.values())
        header = ((formula(Ref(self.row)),), *((shown,) for shown in headings))
        rows: list[tuple[Words, ...]] = [
            ((label,), *(self.cell(expr, {self.row: place}) for expr in columns))
            for place, label in enumerate(self.labels(), 1)
        ]
        totals = any(expr in summands for expr in columns)
        if totals:
            last = [self.cell(Sum(expr, self.row), {}) if expr in summands else () for expr in columns]
            rows.append(((TOTAL,), *last))
        return Table(kind, "r" + "d" * len(columns), header, tuple(rows), totals)

    def labels(self) -> list[str]:
        """The numbers of the samples, or the values of another index."""
        step = self.writer.step
        if self.row == self.sample:
            return [str(sample) for sample in step.samples]
        return [str(place) for place in range(1, step.layout.sizes[self.row] + 1)]

    def cell(self, expr: Expr, env: dict[str, int]) -> Words:
        """The value of a column in one row."""
        return (formula(leaf(self.writer.value(expr, env))),)


Columns = TypeVar("Columns", bound=Expr)


def grouped(columns: list[Columns], most: int = FEW) -> tuple[list[list[Columns]], int]:
    """The columns of one quantity together, the first of very many; and how many were left out."""
    groups: list[list[Columns]] = []
    for expr in columns:
        last = groups[-1][0] if groups else None
        if isinstance(expr, Ref) and isinstance(last, Ref) and expr.name == last.name:
            groups[-1].append(expr)
        else:
            groups.append([expr])
    kept = [group if len(group) <= most else group[:MAX_COLUMNS] for group in groups]
    return kept, sum(map(len, groups)) - sum(map(len, kept))


def packed(groups: list[list[Columns]]) -> Iterator[list[Columns]]:
    """Groups side by side as long as they fit; a group that is too wide is cut."""
    held: list[Columns] = []
    for group in groups:
        if held and len(held) + len(group) > MAX_COLUMNS:
            yield held
            held = []
        held = held + group
        while len(held) > MAX_COLUMNS:
            yield held[:MAX_COLUMNS]
            held = held[MAX_COLUMNS:]
    if held:
        yield held
