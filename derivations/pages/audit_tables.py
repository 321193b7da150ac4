"""Auditing tables: every cell by its heading, its row, and the step in which the table stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from derivations.claims.samples import with_positions
from derivations.claims.writer import given, plain_value
from derivations.document.blocks import Formula, Table, Words
from derivations.document.columns import data_value
from derivations.document.languages import plain, text_of
from derivations.document.summary import FULL, distance, torch_number
from derivations.document.tables import TOTAL
from derivations.formats.markdown.read import Item, Mathematics, Pieces
from derivations.language.tree import Expr, Number, Ref, Sum
from derivations.notation.read import Side
from derivations.pages.audit_formulas import Evidence, Mismatch, same, same_formula, same_number
from derivations.programs.listing import shown_steps
from derivations.run.training import Step, worked
from derivations.spec.arrays import positions
from derivations.witnesses.check import PROGRAM, Check

Row: TypeAlias = tuple[Pieces, ...]


@dataclass(frozen=True)
class TableAudit:
    """A table of the document, the step in which it stands, and what its cells are held against."""

    table: Table
    step: Step | None
    evidence: Evidence

    def check(self, item: Item) -> None:
        """Raise `Mismatch` at the first cell of the page's table that is not as verified."""
        header, *rows = item.rows
        if len(rows) != len(self.table.rows) or any(len(row) != len(self.table.align) for row in item.rows):
            raise Mismatch("rows or columns are missing")
        if self.table.kind in ("quantities", "derivation", "matrix"):
            self.formulas(header, rows)
        elif self.table.kind == "names":
            self.names([header, *rows])
        else:
            self.labels(header)
            self.numbers([self.heading(cell) for cell in header], rows)

    # --- tables of formulas

    def formulas(self, header: Row, rows: list[Row]) -> None:
        """The graph and the derivation: proved lines, known equations, the document's words."""
        for pieces, words in zip(header, self.table.header, strict=True):
            self.evidence.words(pieces, words, None)
        for cells, want in zip(rows, self.table.rows, strict=True):
            if self.table.kind == "quantities":
                self.node(cells)
            for place, (pieces, words) in enumerate(zip(cells, want, strict=True)):
                if self.table.kind == "derivation" and place == 1:
                    self.evidence.claims.line(self.evidence.read(_formula(pieces)), _text(cells[0]))
                elif self.table.kind == "matrix" and place == 1:
                    shown = self.evidence.read(_formula(pieces))
                    self.evidence.claims.matrix(self.evidence.read(_formula(cells[0])), shown)
                    same_formula(shown, _wanted(words))
                else:
                    self.evidence.words(pieces, words, None)

    def names(self, rows: list[Row]) -> None:
        """The entries of an array by name: every symbol in its place, beside the numbers of its indices."""
        for cells, want in zip(rows, (self.table.header, *self.table.rows), strict=True):
            for pieces, words in zip(cells, want, strict=True):
                self.same_cell(pieces, words)

    def node(self, cells: Row) -> None:
        """A node of the graph and its operation are an equation of the programs."""
        node, operation = (self.heading(cell) for cell in cells[:2])
        assert node is not None
        assert operation is not None
        self.evidence.claims.require((Side("", node), Side("=", operation)))

    def labels(self, header: Row) -> None:
        """Headings of columns: the document's words, or its formulas, which must be known."""
        for pieces, words in zip(header, self.table.header, strict=True):
            wanted = next((word for word in words if isinstance(word, Formula)), None)
            if wanted is None:
                same(_text(pieces), self.evidence.text(_label(words)))
                continue
            shown = self.evidence.read(_formula(pieces))
            same_formula(shown, wanted)
            if len(shown) > 1:
                self.evidence.claims.require(shown)

    def heading(self, pieces: Pieces) -> Expr | None:
        """The expression in a cell, if there is one."""
        if pieces and isinstance(pieces[0], Mathematics):
            shown = self.evidence.read(pieces[0])[:1]
            return (shown if self.step is None else with_positions(shown, self.step))[0].expr
        return None

    # --- tables of numbers

    def numbers(self, headings: list[Expr | None], rows: list[Row]) -> None:
        """Every row: its label, then a number under each heading."""
        for place, (cells, want) in enumerate(zip(rows, self.table.rows, strict=True)):
            same(_text(cells[0]), self.evidence.text(self.label(place)))
            same(_text(cells[0]), self.evidence.text(_label(want[0])))
            for column, heading in list(enumerate(headings))[1:]:
                if self.is_total(place) and not cells[column] and not want[column]:
                    continue
                self.same_cell(cells[column], want[column])
                if self.table.kind == "checks":
                    self.checked(cells, column)
                else:
                    assert heading is not None
                    self.number(self.alone(cells[column]), heading, place)

    def is_total(self, place: int) -> bool:
        """Whether a row, counted from 0, is that of the sums."""
        return self.table.total and place == len(self.table.rows) - 1

    def label(self, place: int) -> str:
        """The label of a row: the number of a sample, of a step, or the word for the sums."""
        shown = shown_steps(self.evidence.trace.example)
        match self.table.kind:
            case "data":
                return str(place + 1)
            case "summary":
                return str(shown[place])
            case "checks":
                return str(shown[place * len(shown) // len(self.table.rows)])
        if self.is_total(place):
            return text_of(TOTAL, self.evidence.language)
        assert self.step is not None
        return str(self.step.samples[place] if self.along() == self.along_samples() else place + 1)

    def along_samples(self) -> str | None:
        """The index of the samples."""
        return self.evidence.trace.example.sample

    def along(self) -> str:
        """The index that the rows run along, from the heading of the first column."""
        shown = self.table.header[0][0]
        assert isinstance(shown, Formula)
        row = shown.sides[0].expr
        assert isinstance(row, Ref)
        return row.name

    def same_cell(self, pieces: Pieces, words: Words) -> None:
        """A formula or a number in a cell is the document's, sign and digits."""
        wanted = words[0] if words else ""
        if isinstance(wanted, Formula):
            same_formula(self.evidence.cell(pieces), wanted)
        else:
            same(_text(pieces), self.evidence.text(_label(words)))

    def alone(self, pieces: Pieces) -> Number:
        """The number in a cell that holds one number and nothing else."""
        source = _text(pieces)
        found = self.evidence.cell(pieces)[-1].expr if len(pieces) == 1 else None
        value = None if found is None else plain_value(found)
        if found is None or value is None:
            raise Mismatch(f"'{source}' is not a number")
        return found if isinstance(found, Number) else Number(value)

    def number(self, found: Number, heading: Expr, place: int) -> None:
        """A number under its heading, in a row counted from 0: a datum, a value of a step, a sum."""
        trace, rounding = self.evidence.trace, self.evidence.rounding
        if self.table.kind == "data":
            assert isinstance(heading, Ref)
            known = data_value(trace.example, heading, place + 1)
            if found.value != plain_value(given(known, rounding)[1]):
                raise Mismatch(f"{heading.name} of sample {place + 1} is {known}, not {found.text}")
        elif self.table.kind == "summary":
            assert isinstance(heading, Ref)
            now = trace.shown[shown_steps(trace.example)[place] - 1]
            same_number(found, now.at(heading.name, positions(heading)), rounding)
        else:
            assert self.step is not None
            row = self.along()
            shown, env = (Sum(heading, row), {}) if self.is_total(place) else (heading, {row: place + 1})
            same_number(found, worked(shown, env, self.step, trace.system), rounding)

    # --- the table of checks

    def checked(self, cells: Row, column: int) -> None:
        """A cell of the check table, against the trace and the report."""
        trace, number, ref = self.evidence.trace, int(_text(cells[0])), self.heading(cells[1])
        assert isinstance(ref, Ref)
        step, entry = trace.steps[number - 1], (ref.name, positions(ref))
        check = self.reported(number, step.layout.label(entry, ()))
        carried = ["carried"] if trace.carried else []
        match ["step", "quantity", *carried, "by hand", "torch", "ulp"][column]:
            case "carried":
                value = trace.carried[number - 1].at(*entry)
                same_number(self.alone(cells[column]), value, self.evidence.rounding)
            case "by hand":
                same_number(self.alone(cells[column]), step.at(*entry), FULL)
            case "torch":
                found = self.alone(cells[column])
                if found.text != torch_number(check.theirs).text:
                    raise Mismatch(f"torch says {check.theirs!r}, not {found.text}")
            case "ulp":
                said = plain(distance(check), self.evidence.language)
                same(_text(cells[column]), self.evidence.text(_label(said)))

    def reported(self, number: int, quantity: str) -> Check:
        """The last comparison of a quantity in a step with torch itself."""
        found = [c for c in self.evidence.report.checks if (c.step, c.quantity) == (number, quantity)]
        return [check for check in found if check.witness != PROGRAM][-1]


def _formula(pieces: Pieces) -> Mathematics:
    found = pieces[0]
    assert isinstance(found, Mathematics)
    return found


def _wanted(words: Words) -> Formula:
    found = words[0]
    assert isinstance(found, Formula)
    return found


def _text(pieces: Pieces) -> str:
    return "".join(piece.source if isinstance(piece, Mathematics) else piece for piece in pieces)


def _label(words: Words) -> str:
    return "".join(word for word in words if isinstance(word, str))
