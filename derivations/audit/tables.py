"""Are the tables of a document true: every cell by its heading, its row, and the step it stands in."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import reduce

from derivations.audit.evidence import Evidence, as_read, entry, read, same_number, same_sign
from derivations.audit.items import text_in
from derivations.audit.matrices import must_have
from derivations.catalogue.functions import BY_NAME
from derivations.claims.samples import with_positions
from derivations.claims.writer import given, plain_value
from derivations.document.blocks import Table, Words
from derivations.document.columns import data_value, entries_along_samples
from derivations.document.languages import plain, text_of
from derivations.document.summary import FULL, distance, torch_number
from derivations.document.tables import TOTAL
from derivations.language.errors import Mismatch
from derivations.language.names import of_adjoint
from derivations.language.tree import Call, Chosen, Derivative, Expr, Number, Ref, children, number, refs
from derivations.model.example import Example
from derivations.notation.chain import Formula, Side
from derivations.numbers.systems import Value, precision
from derivations.programs.listing import shown_steps
from derivations.run.training import Step, worked
from derivations.spec.arrays import positions
from derivations.witnesses.check import PROGRAM, Check
from derivations.witnesses.slopes import flat

PROVED = {"quantities": (), "derivation": (1,), "matrix": (0, 1)}
"""Tables of formulas, and their columns that hold what was proved."""


@dataclass(frozen=True)
class TableTruth:
    """A table of the document, the step in which it stands, and what its cells are held against."""

    table: Table
    step: Step | None
    evidence: Evidence

    def require(self) -> None:
        """Raise `Mismatch` at the first cell that is not as verified."""
        if any(len(row) != len(self.table.align) for row in (self.table.header, *self.table.rows)):
            raise Mismatch("a cell is missing")
        if self.table.kind in PROVED:
            self.formulas(PROVED[self.table.kind])
        elif self.table.kind == "names":
            self.names()
        elif [text_in(row[0]) for row in self.table.rows] != self.labels():
            raise Mismatch("its rows are not those that it must have")
        elif self.table.kind == "checks":
            self.checks()
        else:
            self.numbers()

    # --- tables of formulas

    def formulas(self, proved: tuple[int, ...]) -> None:
        """The graph, the derivation, the matrix forms: proved lines, known equations, none left out."""
        claims, run = self.evidence.claims, self.evidence.run
        for row in self.table.rows:
            match self.table.kind:
                case "quantities":
                    claims.require((Side("", read(row[0])[0].expr), Side("=", read(row[1])[0].expr)))
                    self.inputs(row)
                case "derivation":
                    claims.line(read(row[1]), text_in(row[0]))
                case "matrix":
                    claims.matrix(read(row[0]), read(row[1]))
            for place, words in enumerate(row):
                if place not in proved:
                    self.evidence.words(words, None)
        counts = {"quantities": len(list(run.example.forward)), "derivation": len(claims.lines)}
        if len(self.table.rows) != counts.get(self.table.kind, len(run.matrices)):
            raise Mismatch("its rows are not those that it must have")
        if self.table.kind == "matrix":
            self.forms()

    def forms(self) -> None:
        """Every equation that whole arrays can say has its matrix form, once."""
        told = [getattr(read(row[0])[0].expr, "name", "") for row in self.table.rows]
        wanted = {ref.name for ref in must_have(self.evidence.run.example, self.evidence.trace.steps[0])}
        for name in sorted(wanted):
            if told.count(name) != 1:
                raise Mismatch(f"the matrix form of {name} is not told")

    def inputs(self, row: tuple[Words, ...]) -> None:
        """A node names all that its operation reads, and has a slope by each of them that is not given."""
        example = self.evidence.run.example
        inner = {*example.start, *(eq.target.name for eq in example.forward)}
        given = {*example.data, *example.hyper, *example.kept} - inner
        told = read(row[0])[0].expr, read(row[1])[0].expr
        own = {ref.name for ref in refs(told[1])} & (inner | given)
        shown = ([as_read(each.sides) for each in row[at] if isinstance(each, Formula)] for at in (2, 3))
        named, slopes = ([sides[0].expr for sides in column] for column in shown)
        if {ref.name for ref in named if isinstance(ref, Ref)} != own:
            raise Mismatch("the inputs of a node are not those of its operation")
        by = {expr.by.name for expr in slopes if isinstance(expr, Derivative)}
        by |= {of_adjoint(expr.name, example.loss) for expr in slopes if isinstance(expr, Ref)}
        learnt, telling = _carried(example)
        passes = getattr(told[0], "name", "") in telling
        wanted = own & learnt & _moved_by(told[1]) if passes else set[str]()
        bare = any(isinstance(each, Formula) and len(each.sides) < 2 for each in row[3])
        if bare or not wanted <= by <= own & inner:
            raise Mismatch("a local slope is missing")

    def names(self) -> None:
        """The entries of an array by name: every entry beside the numbers of its indices."""
        (array, *across) = self.table.header
        whole, told = read(array)[0].expr, list[tuple[int, ...]]()
        for label, *cells in self.table.rows:
            for beside, cell in zip(across, cells, strict=True):
                at = tuple(int(text) for text in (text_in(label), text_in(beside)) if text)
                if not isinstance(whole, Ref) or read(cell)[0].expr != Ref(
                    whole.name, tuple(map(number, at))
                ):
                    raise Mismatch("a name stands in the place of another")
                told.append(at)
        slots = self.evidence.trace.steps[0].layout.tape.slots
        if sorted(told) != sorted(at for name, at in slots if name == getattr(whole, "name", "")):
            raise Mismatch("its rows are not those that it must have")

    # --- tables of numbers

    def labels(self) -> list[str]:
        """The labels of the rows: the numbers of samples or of steps, and the word for the sums."""
        example, count = self.evidence.run.example, len(self.table.rows)
        shown = shown_steps(example)
        match self.table.kind:
            case "data":
                return [str(sample) for sample in range(1, example.samples + 1)]
            case "summary":
                return [str(number) for number in shown]
            case "checks":
                return [str(number) for number in shown for _ in range(count // len(shown))]
        step = self.now()
        sizes = step.layout.sizes.get(self.along(), 0)
        places = step.samples if self.along() == example.sample else range(1, sizes + 1)
        total = [text_of(TOTAL, self.evidence.document.wording)] if self.table.total else []
        return [*map(str, places), *total]

    def now(self) -> Step:
        """The step whose values the cells are."""
        if self.step is None:
            raise Mismatch("it stands in no step")
        return self.step

    def along(self) -> str:
        """The index that the rows run along, from the heading of the first column."""
        row = read(self.table.header[0])[0].expr
        if not isinstance(row, Ref):
            raise Mismatch("its rows run along no index")
        return row.name

    def numbers(self) -> None:
        """A number under each heading in every row, but for the sums of what is not summed."""
        for column, words in list(enumerate(self.table.header))[1:]:
            heading = self.heading(words)
            for place, row in enumerate(self.table.rows):
                if row[column] or not self.is_total(place):
                    self.number(_alone(row[column]), heading, place)

    def heading(self, words: Words) -> Expr:
        """What a column is about; an equation in a heading must be a known one."""
        sides = read(words)
        if len(sides) > 1:
            self.evidence.claims.require(sides)
        columns = entries_along_samples(self.evidence.run.example)
        if self.table.kind == "data" and sides[0].expr not in columns:
            raise Mismatch("a column is not one of the data")
        if self.step is None:
            return sides[0].expr
        found = with_positions(sides[:1], self.step)[0].expr
        self.evidence.exists(found, [self.along()], self.step)
        return found

    def is_total(self, place: int) -> bool:
        """Whether a row, counted from 0, is that of the sums."""
        return self.table.total and place == len(self.table.rows) - 1

    def number(self, found: Number, heading: Expr, place: int) -> None:
        """A number under its heading, in a row counted from 0: a datum, a value of a step, a sum."""
        trace, rounding = self.evidence.trace, self.evidence.rounding
        if self.table.kind == "data":
            assert isinstance(heading, Ref)
            known = data_value(trace.example, heading, place + 1)
            if found.value != plain_value(given(known, rounding)[1]):
                raise Mismatch(f"{heading.name} of sample {place + 1} is {known}, not {found.text}")
        elif self.table.kind == "summary":
            now = trace.shown[shown_steps(trace.example)[place] - 1]
            same_number(found, entry(heading, now), rounding)
        else:
            whole = self.total(heading) if self.is_total(place) else self.value(heading, place + 1)
            same_number(found, whole, rounding)

    def total(self, heading: Expr) -> Value:
        """The sum of what stands above in a column."""
        values = [self.value(heading, place) for place in range(1, len(self.table.rows))]
        with precision(self.now().bits):
            return reduce(self.evidence.trace.system.add, values)

    def value(self, heading: Expr, place: int) -> Value:
        """The value of a heading in a row, counted from 1; an entry of the step is looked up as it is."""
        step, row = self.now(), Ref(self.along())
        at = tuple(
            Number(Fraction(place)) if part == row else part for part in getattr(heading, "indices", ())
        )
        if isinstance(heading, Ref) and heading != row and all(isinstance(part, Number) for part in at):
            return entry(Ref(heading.name, at), step)
        return worked(heading, {row.name: place}, step, self.evidence.trace.system)

    # --- the table of checks

    def checks(self) -> None:
        """Every quantity that is told, by hand and by torch, with the distance between them."""
        trace, wording = self.evidence.trace, self.evidence.document.wording
        for label, shown, *hands, torch, ulps in self.table.rows:
            number, ref = int(text_in(label)), read(shown)[0].expr
            step, told = trace.steps[number - 1], entry(ref, trace.steps[number - 1])
            if trace.carried:
                carried = entry(ref, trace.carried[number - 1])
                same_number(_alone(hands[0]), carried, self.evidence.rounding)
            same_number(_alone(hands[-1]), told, FULL)
            same_sign(read(hands[-1])[0].relation or "=", FULL(told).exact, "a value by hand")
            assert isinstance(ref, Ref)
            check = self.reported(number, step.layout.label((ref.name, positions(ref)), ()))
            if _alone(torch).text != torch_number(check.theirs).text:
                raise Mismatch(f"torch says {check.theirs!r}, not {_alone(torch).text}")
            if text_in(ulps) != text_in(plain(distance(check), wording)):
                raise Mismatch(f"'{text_in(ulps)}' is not the distance of {check.quantity}")

    def reported(self, number: int, quantity: str) -> Check:
        """The last comparison of a quantity in a step with torch itself."""
        asked = self.evidence.run.report.checks
        found = [c for c in asked if (c.step, c.quantity) == (number, quantity) and c.witness != PROGRAM]
        if not found:
            raise Mismatch(f"torch was not asked about {quantity} in step {number}")
        return found[-1]


def _alone(words: Words) -> Number:
    """The number in a cell that holds one number and nothing else."""
    found = read(words)[-1].expr
    value = plain_value(found) if len(words) == 1 else None
    if value is None:
        raise Mismatch(f"'{text_in(words)}' is not a number")
    return found if isinstance(found, Number) else Number(value)


# --- where a derivative passes ---


def _carried(example: Example) -> tuple[set[str], set[str]]:
    """What depends on a parameter, and what the loss depends on: a derivative passes where both hold."""
    program = [(eq.target.name, _moved_by(eq.body)) for eq in example.forward]
    learnt, telling = set(example.parameters), {example.loss}
    for _ in program:
        learnt |= {name for name, by in program if by & learnt}
        telling |= {name for target, by in program if target in telling for name in by}
    return learnt, telling


def _moved_by(expr: Expr) -> set[str]:
    """The quantities that an expression changes with; steps and signs have no slope, in torch either."""
    if isinstance(expr, Ref):
        return {expr.name}
    still = isinstance(expr, Call) and flat(expr.function, repr(BY_NAME[expr.function]))
    if still or isinstance(expr, Chosen):
        return set()
    return {name for part in children(expr) for name in _moved_by(part)}
