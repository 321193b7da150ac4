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
from functools import cached_property

from derivations.examples.listing import shown_steps
from derivations.examples.training import Step, Trace
from derivations.examples.walk import worked
from derivations.language.errors import CheckFailed
from derivations.language.tree import (
    Expr,
    Number,
    Ref,
    Sum,
    walk,
)
from derivations.notation.latex import as_printed
from derivations.notation.read import Side, Unreadable, chain
from derivations.notation.symbols import Symbols
from derivations.numbers.digits import Rounding
from derivations.numbers.systems import EXACT, NumberSystem, rounded
from derivations.pages.blocks import (
    Block,
    Code,
    Display,
    Document,
    Formula,
    Heading,
    Listing,
    Prose,
    Table,
    Words,
)
from derivations.pages.claims import Claims, instantiates
from derivations.pages.finished import Item, Mathematics, Pieces, merged
from derivations.pages.numbers_in import relation
from derivations.pages.summary import FULL, distance, positions, torch_number
from derivations.witnesses.check import Report

Text = Callable[[str], str]


class Mismatch(Exception):
    """Something on the page is not what was verified."""


@dataclass(frozen=True)
class Audit:
    """What a page is held against; ``text`` brings the document's words into the reader's form."""

    document: Document
    trace: Trace
    report: Report
    claims: Claims
    symbols: Symbols
    rounding: Rounding
    text: Text

    @cached_property
    def system(self) -> NumberSystem:
        places = self.trace.example.spec.training.carry
        return EXACT if places is None else rounded(places)

    def require(self, items: list[Item]) -> None:
        """Raise `CheckFailed` at the first thing on the page that is not as verified."""
        for fault in self.faults(items):
            raise CheckFailed(
                f"the finished page does not read back: {fault}", hint="No page was written."
            )

    def faults(self, items: list[Item]) -> Iterator[str]:
        """Everything on the page that is not as verified, in words."""
        blocks = self.document.blocks
        if [item.kind for item in items] != [type(block).__name__ for block in blocks]:
            yield "its blocks are not those of the document"
            return
        steps = iter(shown_steps(len(self.trace.steps)))
        step: Step | None = None
        for item, block in zip(items, blocks, strict=True):
            if isinstance(block, Heading):
                step = self.next_step(block, steps)
            try:
                self.block(item, block, step)
            except (Mismatch, Unreadable, KeyError, ValueError, AssertionError) as fault:
                where = f"step {step.number}: " if step else ""
                yield f"{where}{type(block).__name__.lower()}: {fault}"

    def next_step(self, block: Heading, steps: Iterator[int]) -> Step | None:
        title = "".join(word for word in block.words if isinstance(word, str))
        if not re.match(r"(Epoch \d+, )?(mini-batch|all samples|step) ?\d*", title, re.IGNORECASE):
            return None
        if block.level == 1:
            return None
        step = self.trace.shown[next(steps) - 1]
        numbers = [int(n) for n in re.findall(r"\d+", title)]
        samples = (
            step.samples
            if len(step.samples) < 5 or " to " not in title
            else step.samples[:: len(step.samples) - 1]
        )
        own = numbers[len(numbers) - len(samples) :] if self.trace.example.sample else [numbers[-1]]
        if own != list(samples if self.trace.example.sample else (step.number,)):
            raise CheckFailed(f"the heading '{title}' is not about {step.samples}")
        return step

    def block(self, item: Item, block: Block, step: Step | None) -> None:
        match block:
            case Listing():
                self.same(item.text.rstrip("\n"), block.text.rstrip("\n"))
            case Heading(_, words) | Prose(words):
                self.words(item.pieces, words, step)
            case Display(shown):
                self.words(item.pieces, (shown,), step)
            case Table():
                self.table(item, block, step)

    def same(self, page: str, document: str) -> None:
        if " ".join(page.split()) != " ".join(document.split()):
            raise Mismatch(f"'{page[:80]}' instead of '{document[:80]}'")

    # --- sentences

    def words(self, pieces: Pieces, words: Words, step: Step | None) -> None:
        """Texts must be the document's; formulas are parsed and checked."""
        wanted = merged([Mathematics("") if self.is_math(word) else self.plain(word) for word in words])
        if [isinstance(piece, Mathematics) for piece in pieces] != [
            isinstance(w, Mathematics) for w in wanted
        ]:
            raise Mismatch(f"'{pieces}' has other formulas than the document")
        for piece, want in zip(pieces, wanted, strict=True):
            if isinstance(piece, Mathematics):
                self.chain(chain(piece.source, self.symbols), step)
            elif isinstance(want, str):
                self.same(piece, want)
        formulas = [word for word in words if isinstance(word, Formula)]
        sources = [piece.source for piece in pieces if isinstance(piece, Mathematics)]
        for source, formula in zip(sources, formulas, strict=True):
            self.single(chain(source, self.symbols), formula)

    def single(self, sides: tuple[Side, ...], formula: Formula) -> None:
        """An expression that stands alone claims nothing; it must be the document's."""
        if len(sides) == 1 and as_printed(sides[0].expr) != as_printed(formula.sides[0].expr):
            raise Mismatch("an expression is not that of the document")

    def is_math(self, word: str | Formula | Code) -> bool:
        return isinstance(word, Formula)

    def plain(self, word: str | Formula | Code) -> str:
        assert not isinstance(word, Formula)
        return self.text(word.text if isinstance(word, Code) else word)

    def chain(self, sides: tuple[Side, ...], step: Step | None) -> None:
        """One chain: symbols by the known claims, numbers by the trace."""
        exprs = [side.expr for side in sides]
        if not any(has_digits(expr) for expr in exprs[1:]) and not (step and len(sides) > 2):
            self.claims.require(sides)
            return
        target = exprs[0]
        if not isinstance(target, Ref):
            self.claims.require(sides)
            return
        if len(sides) == 2 and isinstance(exprs[1], Number):
            self.given(target, sides[1], step)
            return
        if step is None:
            self.claims.require(sides)
            return
        self.worked_chain(target, sides, step)

    def given(self, target: Ref, side: Side, step: Step | None) -> None:
        """``w = 0.5``: a start value, a hyper-parameter, a datum, or the value at the step's start."""
        number = side.expr
        assert isinstance(number, Number)
        if step is not None:
            value = step.at(target.name, positions(target))
            self.number(number, value, self.rounding)
            exact = self.rounding(value).exact
        else:
            known = self.claims.given(target, self.trace.example)
            exact = number.value == known
            if not exact:
                raise Mismatch(f"{target.name} is {known}, not {number.text or number.value}")
        if side.relation != ("=" if exact else "≈"):
            raise Mismatch(f"'{side.relation}' before {number.text}")

    def number(self, number: Number, value: object, policy: Rounding) -> None:
        wanted = policy(value)
        if number.text != wanted.text:
            raise Mismatch(f"{number.text or number.value} instead of {wanted.text}")

    def worked_chain(self, target: Ref, sides: tuple[Side, ...], step: Step) -> None:
        """``target = symbols = numbers = value`` in a step."""
        name = f"{target.name}'" if sides[1].relation == "←" else target.name
        body = self.claims.body(Ref(name, target.indices), step.layout.sizes)
        if as_printed(sides[1].expr) != as_printed(body):
            raise Mismatch(f"the formula for {target.name} is not that of the program")
        value = worked(Ref(name, target.indices), {}, step, self.system)
        last = sides[-1].expr
        if not isinstance(last, Number):
            raise Mismatch(f"the chain for {target.name} ends without a value")
        self.number(last, value, self.rounding)
        before, exact = body, True
        for side in sides[2:]:
            matched: list[bool] = []
            if side is not sides[-1] and not instantiates(
                body, side.expr, {}, step, self.system, self.rounding, matched
            ):
                raise Mismatch(f"the numbers put in for {target.name} are not those of the trace")
            exact = exact and all(matched)
            wanted = "=" if exact else "≈"
            if before is not body:
                wanted = relation(before, side.expr, exact and self.rounding(value).exact)
            elif side is sides[-1]:
                wanted = "=" if self.rounding(value).exact else "≈"
            if side.relation != wanted:
                raise Mismatch(f"'{side.relation}' instead of '{wanted}' in the chain for {target.name}")
            before = side.expr

    # --- tables

    def table(self, item: Item, block: Table, step: Step | None) -> None:
        header, *rows = item.rows
        if len(rows) != len(block.rows) or any(len(row) != len(block.align) for row in item.rows):
            raise Mismatch("rows or columns are missing")
        if block.kind in ("quantities", "derivation"):
            self.symbolic_table(header, rows, block)
            return
        self.labels(header, block.header, step)
        exprs = [self.heading(cell) for cell in header]
        for place, (cells, want) in enumerate(zip(rows, block.rows, strict=True)):
            total = block.total and place == len(rows) - 1
            self.same(_text(cells[0]), self.text(_label(want[0])))
            self.row(cells, want, exprs, place, block, step, total)

    def symbolic_table(
        self, header: tuple[Pieces, ...], rows: list[tuple[Pieces, ...]], block: Table
    ) -> None:
        for pieces, words in zip(header, block.header, strict=True):
            self.words(pieces, words, None)
        for cells, want in zip(rows, block.rows, strict=True):
            if block.kind == "quantities":
                node, operation = (self.heading(cell) for cell in cells[:2])
                assert node is not None and operation is not None
                self.claims.require((Side("", node), Side("=", operation)))
            for place, (pieces, words) in enumerate(zip(cells, want, strict=True)):
                if block.kind == "derivation" and place == 1:
                    formula = words[0]
                    assert isinstance(pieces[0], Mathematics) and isinstance(formula, Formula)
                    self.claims.line(chain(pieces[0].source, self.symbols), _text(cells[0]))
                else:
                    self.words(pieces, words, None)

    def labels(self, header: tuple[Pieces, ...], wanted: tuple[Words, ...], step: Step | None) -> None:
        for pieces, words in zip(header, wanted, strict=True):
            if all(isinstance(word, str) for word in words):
                self.same(_text(pieces), self.text("".join(map(str, words))))
            else:
                source = pieces[0]
                assert isinstance(source, Mathematics) and isinstance(words[0], Formula)
                shown = chain(source.source, self.symbols)
                if [as_printed(s.expr) for s in shown] != [as_printed(s.expr) for s in words[0].sides]:
                    raise Mismatch(f"the heading {source.source} is not that of the document")
                if len(shown) > 1:
                    self.claims.require(shown)

    def heading(self, pieces: Pieces) -> Expr | None:
        if pieces and isinstance(pieces[0], Mathematics):
            return chain(pieces[0].source, self.symbols)[0].expr
        return None

    def row(
        self,
        cells: tuple[Pieces, ...],
        want: tuple[Words, ...],
        exprs: list[Expr | None],
        place: int,
        block: Table,
        step: Step | None,
        total: bool,
    ) -> None:
        for column, (pieces, words, expr) in enumerate(zip(cells, want, exprs, strict=True)):
            if column == 0:
                continue
            if not pieces and not words:
                continue
            if block.kind == "checks":
                self.check_cell(cells, column, pieces, words)
                continue
            found = self.cell_number(pieces)
            assert expr is not None
            self.number_cell(found, expr, place, block, step, total)

    def number_cell(
        self, found: Number, expr: Expr, place: int, block: Table, step: Step | None, total: bool
    ) -> None:
        example = self.trace.example
        if block.kind == "data":
            assert isinstance(expr, Ref)
            known = self.claims.datum(expr, place + 1, example)
            if found.value != known:
                raise Mismatch(f"{expr.name} of sample {place + 1} is {known}, not {found.text}")
        elif block.kind == "summary":
            assert isinstance(expr, Ref)
            now = self.trace.shown[shown_steps(len(self.trace.steps))[place] - 1]
            self.number(found, now.at(expr.name, positions(expr)), self.rounding)
        else:
            assert step is not None
            env = {} if total else {example.sample or "": place + 1}
            shown = Sum(expr, example.sample or "") if total else expr
            self.number(found, worked(shown, env, step, self.system), self.rounding)

    def cell_number(self, pieces: Pieces) -> Number:
        source = pieces[0].source if isinstance(pieces[0], Mathematics) else pieces[0].replace("−", "-")
        sides = chain(source, self.symbols)
        found = sides[-1].expr
        if len(pieces) != 1 or not isinstance(found, Number):
            raise Mismatch(f"'{source}' is not a number")
        return found

    def check_cell(self, cells: tuple[Pieces, ...], column: int, pieces: Pieces, words: Words) -> None:
        """A cell of the check table, against the report."""
        number = int(_text(cells[0]))
        ref = self.heading(cells[1])
        assert isinstance(ref, Ref)
        step = self.trace.steps[number - 1]
        label = step.layout.label((ref.name, positions(ref)), ())
        check = [
            c
            for c in self.report.checks
            if c.step == number and c.quantity == label and c.witness != "PyTorch program"
        ][-1]
        carried = bool(self.trace.carried)
        role = ["step", "quantity", *(["carried"] if carried else []), "by hand", "torch", "ulp"][column]
        if role == "quantity":
            return
        if role == "ulp":
            self.same(_text(pieces), self.text(distance(check)))
            return
        found = self.cell_number(pieces)
        if role == "torch":
            if found.text != torch_number(check.theirs).text:
                raise Mismatch(f"torch says {check.theirs!r}, not {found.text}")
        elif role == "carried":
            self.number(found, self.trace.carried[number - 1].at(ref.name, positions(ref)), self.rounding)
        else:
            self.number(found, step.at(ref.name, positions(ref)), FULL)


def has_digits(expr: Expr) -> bool:
    """Whether printed numbers other than coefficients occur: the side of a chain is about numbers."""
    nodes = [node for node in walk(expr) if isinstance(node, Ref)]
    return not nodes and any(isinstance(node, Number) for node in walk(expr))


def _text(pieces: Pieces) -> str:
    return "".join(piece.source if isinstance(piece, Mathematics) else piece for piece in pieces)


def _label(words: Words) -> str:
    return "".join(word for word in words if isinstance(word, str))
