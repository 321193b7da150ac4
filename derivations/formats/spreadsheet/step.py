"""One step on a sheet: a table with the samples in rows, then loss, gradients and update below it.

The cells are placed first and filled afterwards, because a formula may read what stands below it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from derivations.formats.spreadsheet import words as labels
from derivations.formats.spreadsheet.cells import Place, address, span
from derivations.formats.spreadsheet.formulas import Formulas
from derivations.formats.spreadsheet.grid import At, draw, side_by_side
from derivations.formats.spreadsheet.shared import Shared, form_of
from derivations.formats.spreadsheet.workbook import Formula, Input, Sheet, Text
from derivations.language.names import after, unprimed
from derivations.language.program import Equation
from derivations.language.tree import (
    Expr,
    Ref,
    number,
)
from derivations.model.numbered import as_numbers
from derivations.numbers.systems import EXACT, Value, rational
from derivations.numbers.tape import Entry
from derivations.run.training import Step, at_entry, worked
from derivations.spec.arrays import positions

EMPTY = Text("")


@dataclass
class Block:
    """The block of one step; ``places`` are its entries, ``before`` those of what it starts from."""

    shared: Shared
    sheet: Sheet
    step: Step
    before: Mapping[Entry, Place]
    places: dict[Entry, Place] = field(default_factory=dict)
    columns: dict[tuple[Expr, str], list[Place]] = field(default_factory=dict)
    counts: dict[str, Place] = field(default_factory=dict)
    samples: list[Place] = field(default_factory=list)

    def draw(self, title: str, back: Place) -> None:
        """Place and fill every cell of the step, and move below."""
        self.sheet.breaks.append(self.sheet.row)
        self.sheet.put(4, Text(self.shared.said(labels.BACK), "link", back))
        self.sheet.line(title, "step")
        self.start()
        for part, words in (
            ("forward", labels.FORWARD),
            ("backward", labels.BACKWARD),
            ("update", labels.UPDATE),
        ):
            self.part(part, words)
        self.sheet.row += 2
        self.fill()

    # --- places

    @property
    def sample(self) -> str:
        """The letter of the samples; empty if there is none."""
        return self.shared.example.sample or ""

    def axis(self, name: str) -> int | None:
        """Which index of a quantity is the sample's; None unless exactly one is."""
        dims = self.step.layout.dims.get(name, ())
        return dims.index(self.sample) if self.sample and dims.count(self.sample) == 1 else None

    def positions(self, name: str) -> list[At]:
        """Every position of a quantity in this step."""
        return [at for own, at in self.step.layout.tape.slots if own == name]

    def start(self) -> None:
        """The clock, the parameters and the optimizer's state before the step."""
        self.sheet.gap()
        self.sheet.line(self.shared.said(labels.BEFORE), "section")
        for name in self.shared.example.rule.clock:
            if name in self.shared.read:
                self.sheet.put(0, Text(name, "label"))
                self.places[name, ()] = self.sheet.put(1, Input(self.step.at(name)))
                self.sheet.row += 1
        for name in self.shared.example.kept:
            self.grid(name)

    def grid(self, name: str, captions: Sequence[str] = ()) -> None:
        """The entries of a quantity as a number, a row or a matrix."""
        positions = self.positions(name)
        letters = self.shared.letters_of(name, len(positions[0])) if positions else ()
        if positions:
            self.places |= draw(
                self.sheet, name, letters, positions, lambda _: EMPTY, self.shared.words, captions
            )

    def part(self, part: str, words: str) -> None:
        """A pass: what runs along the samples in one table, everything else below it."""
        order = {name: place for place, (name, _) in enumerate(reversed(list(self.step.layout.tape.slots)))}
        equations = sorted(self.shared.equations[part], key=lambda eq: -order.get(eq.target.name, 0))
        along = [eq for eq in equations if self.axis(eq.target.name) is not None]
        others: dict[str, list[Equation]] = {}
        for eq in equations:
            if eq not in along:
                others.setdefault(eq.target.name, []).append(eq)
        if not equations:
            return
        self.sheet.gap()
        self.sheet.line(self.shared.said(words), "section")
        self.table(part, along)
        if part == "forward" and self.samples:
            self.count()
        for name, own in others.items():
            self.grid(name, [self.equation(eq) for eq in own])

    def table(self, part: str, along: list[Equation]) -> None:
        """Samples in rows; in columns the data, the quantities along them, and what is summed."""
        data = [name for name in self.shared.example.data if self.axis(name) is not None]
        names = [*(data if part == "forward" else ()), *dict.fromkeys(eq.target.name for eq in along)]
        for eq in along:
            self.sheet.line(self.equation(eq), "words")
        groups = [self.entries_of(name) for name in names] + [[expr] for expr in self.shared.summed[part]]
        for place, columns in enumerate(side_by_side(groups)):
            self.sheet.row += place > 0
            self.rows()
            for column, shown in enumerate(columns, 1):
                self.column(shown, column)
            self.sheet.row += len(self.step.samples) + 1

    def equation(self, eq: Equation) -> str:
        """An equation in words."""
        return f"{self.shared.words.text(eq.target)} = {self.shared.words.text(eq.body)}"

    def entries_of(self, name: str) -> list[Expr]:
        """The columns of a quantity: one for every value of its indices beside the sample's."""
        axis = self.axis(name)
        assert axis is not None
        others = dict.fromkeys((*at[:axis], *at[axis + 1 :]) for at in sorted(self.positions(name)))
        letter = Ref(self.sample)
        return [Ref(name, (*map(number, at[:axis]), letter, *map(number, at[axis:]))) for at in others]

    def column(self, shown: Expr, column: int) -> None:
        """A column of the table: the entries of a quantity, or an expression that has one of its own."""
        head = self.sheet.put(column, Text(self.shared.words.text(shown), "head"))
        if not isinstance(shown, Ref):
            self.columns[shown, self.sample] = [head.down(row) for row in self.below]
            return
        for row in self.below:
            entry = at_entry(shown, {self.sample: row}, self.step)
            assert isinstance(entry, Ref)
            self.places[entry.name, positions(entry)] = head.down(row)

    @property
    def below(self) -> range:
        """How far below the head of a table its rows are."""
        return range(1, len(self.step.samples) + 1)

    def rows(self) -> None:
        """The numbers of the samples: to be changed in the first table, copied into the others."""
        head = self.sheet.put(0, Text(self.shared.words.text(Ref(self.sample)), "head-left"))
        places = [head.down(row) for row in self.below]
        first = self.samples or places
        for place, source, sample in zip(places, first, self.step.samples, strict=True):
            value = rational(Fraction(sample))
            copied = Formula(f"={address(source, self.sheet.name)}", value, "index")
            self.cell(place, copied if self.samples else Input(value))
        self.samples = first

    def cell(self, place: Place, cell: Input | Formula) -> None:
        """Write a cell that has its place."""
        self.sheet.cells[place.row, place.column] = cell

    def count(self) -> None:
        """The number of samples, where something is divided by it."""
        if self.sample not in self.shared.counted:
            return
        self.sheet.put(0, Text("n", "label"))
        self.sheet.put(2, Text(self.shared.said(labels.COUNT), "beside"))
        self.counts[self.sample] = self.sheet.put(1, EMPTY)
        self.sheet.row += 1

    # --- formulas

    def fill(self) -> None:
        """Write the formula of every cell."""
        formulas = self.formulas()
        for entry, place in self.places.items():
            if not isinstance(self.sheet.cells.get((place.row, place.column)), Input):
                self.cell(place, self.formula(entry, formulas))
        for (expr, letter), places in self.columns.items():
            others = {key: value for key, value in self.columns.items() if key != (expr, letter)}
            own = replace(formulas, columns=others)
            values = [self.value(expr, row) for row in self.below]
            for row, (place, value) in enumerate(zip(places, values, strict=True), 1):
                self.cell(place, Formula(own.formula([(expr, {letter: row})]), value, form=form_of(values)))
        for place in self.counts.values():
            cells = span(self.samples[0], self.samples[-1], self.sheet.name)
            self.cell(place, Formula(f"=COUNT({cells})", rational(Fraction(len(self.samples)))))

    def value(self, expr: Expr, row: int) -> Value:
        """The exact value of an expression for one sample of the batch."""
        return worked(expr, {self.sample: row}, self.step, EXACT)

    def formulas(self) -> Formulas:
        """What writes the formulas of this step."""
        layout = self.step.layout
        exist: dict[str, list[At]] = {}
        for name, at in layout.tape.slots:
            exist.setdefault(name, []).append(at)
        data = {name for name in self.shared.example.data if self.axis(name) is None}
        fixed = {entry: place for entry, place in self.shared.inputs.items() if entry[0] in data}
        return Formulas(
            self.sheet.name,
            {**fixed, **self.places},
            self.shared.names,
            exist,
            layout.sizes,
            self.columns,
            self.counts,
            lambda env: as_numbers(env, layout.numbered, self.step.samples),
        )

    def formula(self, entry: Entry, formulas: Formulas) -> Formula:
        """The live formula of an entry, with the run's value for it."""
        name, at = entry
        value, form = self.step.at(name, at), self.shared.forms[unprimed(name)]
        result = name in {after(kept) for kept in self.shared.example.start}
        style = "result" if result or name == self.shared.example.loss else "number"
        if entry in self.before:
            return Formula(f"={address(self.before[entry], self.sheet.name)}", value, form=form)
        if name in self.shared.example.data:
            return Formula(self.datum(name, at), value, form=form)
        plan = self.step.layout.tape.plan[entry]
        return Formula(formulas.formula([(eq.body, env) for eq, env in plan]), value, style, form)

    def datum(self, name: str, at: At) -> str:
        """A datum of the sample whose number stands at the beginning of the row."""
        axis = self.axis(name)
        assert axis is not None
        ends = [(*at[:axis], sample, *at[axis + 1 :]) for sample in (1, self.shared.example.samples)]
        first, last = (self.shared.inputs[name, end] for end in ends)
        number = address(self.samples[at[axis] - 1], self.sheet.name)
        return f"=INDEX({span(first, last, self.sheet.name)},{number})"
