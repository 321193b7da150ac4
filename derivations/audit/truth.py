"""Auditing sentences and formulas: words letter by letter, symbols by proof, numbers by the trace."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import TypeAlias

from derivations.audit.items import Item, Mathematics, Piece, Pieces, merged
from derivations.claims.claims import Claims, Substitution
from derivations.claims.samples import with_positions
from derivations.claims.writer import given, plain_value, relation
from derivations.document.blocks import Code, Inline, Table, Words
from derivations.document.columns import data_value
from derivations.document.languages import plain, text_of
from derivations.document.summary import FULL, distance, torch_number
from derivations.document.tables import TOTAL
from derivations.language.tree import Expr, Number, Ref, Sum, walk
from derivations.notation.chain import Formula, Side
from derivations.notation.latex import number_latex
from derivations.notation.locales import PLAIN, Locale
from derivations.notation.printed import as_printed
from derivations.notation.read import chain
from derivations.notation.symbols import Symbols
from derivations.numbers.digits import Rounding
from derivations.numbers.systems import Value
from derivations.programs.listing import shown_steps
from derivations.run.training import Step, Trace, worked
from derivations.spec.arrays import positions
from derivations.witnesses.check import PROGRAM, Check, Report


class Mismatch(Exception):
    """Something on the page is not what was verified."""


def same(page: str, document: str) -> None:
    """Raise `Mismatch` unless two texts are equal but for their white space."""
    if " ".join(page.split()) != " ".join(document.split()):
        raise Mismatch(f"'{page[:80]}' instead of '{document[:80]}'")


def same_number(number: Number, value: Value, policy: Rounding) -> None:
    """Raise `Mismatch` unless a number has the digits of the rounded value."""
    wanted = policy(value)
    if number.text != wanted.text:
        raise Mismatch(f"{number.text or number.value} instead of {wanted.text}")


@dataclass(frozen=True)
class Evidence:
    """What a page is held against; ``text`` brings the document's words into the reader's form."""

    trace: Trace
    report: Report
    claims: Claims
    symbols: Symbols
    rounding: Rounding
    text: Callable[[str], str]
    language: Locale | str = "en"

    @cached_property
    def unmarked(self) -> Symbols:
        """The symbols, and numbers in canonical digits."""
        return replace(self.symbols, marks=PLAIN)

    def read(self, formula: Mathematics) -> tuple[Side, ...]:
        """The sides of a formula of the page."""
        return chain(formula.source, self.unmarked if formula.canonical else self.symbols)

    def cell(self, pieces: Pieces) -> tuple[Side, ...]:
        """A cell that is a formula, or a number as plain text in the marks of the language."""
        if len(pieces) == 1 and isinstance(pieces[0], Mathematics):
            return self.read(pieces[0])
        text = "".join(piece.source if isinstance(piece, Mathematics) else piece for piece in pieces)
        text = text.replace("−", "-")
        digits, marks = text.removeprefix("-"), self.symbols.marks
        if marks.numeral(marks.canonical(digits)) != digits:
            raise Mismatch(f"'{text}' does not have the marks of the language")
        return chain(f"{text[: -len(digits)]}{marks.canonical(digits)}", self.unmarked)

    def words(self, pieces: Pieces, words: Words, step: Step | None) -> None:
        """Texts must be the document's; formulas are parsed and checked."""
        wanted = merged([self._expected(word) for word in words])
        if [isinstance(p, Mathematics) for p in pieces] != [isinstance(w, Mathematics) for w in wanted]:
            raise Mismatch(f"'{pieces}' has other formulas than the document")
        formulas = iter([word for word in words if isinstance(word, Formula)])
        for piece, want in zip(pieces, wanted, strict=True):
            if isinstance(piece, Mathematics):
                sides = self.read(piece)
                self.chain(sides, step)
                same_formula(sides, next(formulas))
            elif isinstance(want, str):
                same(piece, want)

    def _expected(self, word: Inline) -> Piece:
        """A word of the document as the reader finds it; a formula is only marked as one."""
        if isinstance(word, Formula):
            return Mathematics("")
        assert isinstance(word, (str, Code)), "the words of a printed document are plain"
        return self.text(word.text if isinstance(word, Code) else word)

    def chain(self, sides: tuple[Side, ...], step: Step | None) -> None:
        """One chain: symbols by the known claims, numbers by the trace."""
        sides = sides if step is None else with_positions(sides, step)
        target, rest = sides[0].expr, [side.expr for side in sides[1:]]
        given = step is not None or (isinstance(target, Ref) and self.claims.gives(target))
        if isinstance(target, Ref) and given and len(rest) == 1 and plain_value(rest[0]) is not None:
            self.given(target, sides[1].relation, rest[0], step)
        elif isinstance(target, Ref) and step is not None and (len(rest) > 1 or any(map(_has_digits, rest))):
            self.worked_chain(target, sides, step)
        elif step is not None and len(rest) == 1 and isinstance(rest[0], Number):
            self.part(target, sides[1].relation, rest[0], step)
        else:
            self.claims.require(sides)

    def given(self, target: Ref, sign: str, number: Expr, step: Step | None) -> None:
        """``w = 0.5``: a start value, a hyper-parameter, a datum, or the value at the step's start."""
        exact = True
        if step is not None:
            value = step.at(target.name, positions(target))
            if not isinstance(number, Number):
                raise Mismatch(f"{target.name} is not a plain number")
            same_number(number, value, self.rounding)
            exact = self.rounding(value).exact
        else:
            known = self.claims.given(target)
            exact = plain_value(number) == known
            if not exact and plain_value(number) != plain_value(given(known, self.rounding)[1]):
                raise Mismatch(f"{target.name} is {known}")
        if sign != ("=" if exact else "≈"):
            raise Mismatch(f"'{sign}' before the value of {target.name}")

    def part(self, expr: Expr, sign: str, number: Number, step: Step) -> None:
        """``1 - y_2 z_2 = 0``: the value of a part of a formula in a step."""
        value = worked(expr, {}, step, self.trace.system)
        same_number(number, value, self.rounding)
        if sign != ("=" if self.rounding(value).exact else "≈"):
            raise Mismatch(f"'{sign}' before the value of a part of a formula")

    def worked_chain(self, target: Ref, sides: tuple[Side, ...], step: Step) -> None:
        """``target = symbols = numbers = value`` in a step."""
        new = "'" if sides[1].relation == "←" else ""
        entry = Ref(f"{target.name}{new}", target.indices)
        body = self.claims.body(entry)
        substitution = Substitution(step, self.trace.system, self.rounding)
        if not substitution.is_form(body, sides[1].expr):
            raise Mismatch(f"the formula for {target.name} is not that of the program")
        value, last = worked(entry, {}, step, self.trace.system), sides[-1].expr
        if not isinstance(last, Number):
            raise Mismatch(f"the chain for {target.name} ends without a value")
        same_number(last, value, self.rounding)
        self.numbers(target.name, body, sides, step, self.rounding(value).exact)

    def numbers(self, name: str, body: Expr, sides: tuple[Side, ...], step: Step, whole: bool) -> None:
        """The sides after the symbols: the trace's numbers in their places, and a true sign before each."""
        substitution = Substitution(step, self.trace.system, self.rounding)
        exact = True
        for before, side in pairwise(sides[1:]):
            if side is not sides[-1]:
                matched = substitution.is_exact(body, side.expr)
                if matched is None:
                    raise Mismatch(f"the numbers put in for {name} are not those of the trace")
                exact = exact and matched
            if before is not sides[1]:
                wanted = relation(before.expr, side.expr, exact and (whole or side is not sides[-1]))
            else:
                wanted = "=" if (whole if side is sides[-1] else exact) else "≈"
            if side.relation != wanted:
                raise Mismatch(f"'{side.relation}' instead of '{wanted}' in the chain for {name}")


def same_formula(sides: tuple[Side, ...], formula: Formula) -> None:
    """Raise `Mismatch` unless a formula of the page is the document's: every sign, side and digit."""
    if [side.relation for side in sides] != [side.relation for side in formula.sides]:
        raise Mismatch("a formula has other relation signs than in the document")
    for side, wanted in zip(sides, formula.sides, strict=True):
        page, document = as_printed(side.expr), as_printed(wanted.expr)
        if page != document or not all(map(_same_digits, walk(page), walk(document))):
            raise Mismatch("a formula is not that of the document")


def _same_digits(page: Expr, document: Expr) -> bool:
    if isinstance(page, Number) and isinstance(document, Number) and document.text:
        return number_latex(page.text) == number_latex(document.text)
    return True


def _has_digits(expr: Expr) -> bool:
    """Whether an expression is made of numbers alone: the side of a chain is about numbers."""
    nodes = list(walk(expr))
    return any(isinstance(node, Number) for node in nodes) and not any(isinstance(n, Ref) for n in nodes)


# --- Auditing tables: every cell by its heading, its row, and the step in which the table stands ---

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
