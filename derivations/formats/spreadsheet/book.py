"""The workbook of a run: inputs, steps and summary, every cell with its formula and its verified value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from derivations.document.summary import tracked
from derivations.document.symbols import symbols_of
from derivations.document.words import samples_words
from derivations.formats.spreadsheet import words as labels
from derivations.formats.spreadsheet.cells import Place, address, cell_name
from derivations.formats.spreadsheet.grid import At, draw
from derivations.formats.spreadsheet.shared import Shared, index_letters, number_forms, shown_equations
from derivations.formats.spreadsheet.step import Block
from derivations.formats.spreadsheet.words import Wording, said
from derivations.formats.spreadsheet.workbook import Chart, Formula, Input, Sheet, Text, Workbook
from derivations.language.names import after, unprimed
from derivations.language.tree import Ref, number
from derivations.model.example import sample_axes
from derivations.numbers.systems import rational
from derivations.numbers.tape import Entry
from derivations.run.training import Step, Trace
from derivations.spec.arrays import Array, positions

MOST_STEPS, MOST_CELLS = 200, 100_000
CHART_COLUMN = 4


def workbook(trace: Trace, language: str = "en") -> Workbook:
    """The workbook of a run; of a very long one its first steps."""
    example, steps = trace.example, live_steps(trace)
    titles = (labels.INPUTS, (0, 0)), (labels.STEPS, (0, 1)), (labels.SUMMARY, (1, 1))
    inputs, steps_sheet, summary = (Sheet(said(language, text), frozen=at) for text, at in titles)
    shared = _inputs(inputs, trace, len(steps), language)
    places, before = [], dict(shared.inputs)
    for step in steps:
        head = Place(steps_sheet.name, steps_sheet.row, 0)
        kept = {entry: place for entry, place in before.items() if entry[0] in example.kept}
        block = Block(shared, steps_sheet, step, kept)
        block.draw(_title(shared, step), Place(summary.name, step.number, 0))
        places.append((step, head, block.places))
        before = {(name, at): block.places[after(name), at] for name, at in kept} if example.updates else {}
    chart = _summary(summary, shared, places)
    names = {cell: shared.inputs[name, ()] for name, cell in shared.names.items()}
    charted = (Place(inputs.name, 4, max(CHART_COLUMN, _width(inputs) + 2)), _beside(summary))
    return Workbook(
        example.spec.title, (inputs, steps_sheet, summary), names, chart, charted if chart else ()
    )


def live_steps(trace: Trace) -> tuple[Step, ...]:
    """The steps that are live: all of them, or as many as a workbook can hold."""
    cells = max(len(step.layout.tape.slots) for step in trace.steps)
    return trace.steps[: max(1, min(MOST_STEPS, MOST_CELLS // cells))]


def _width(sheet: Sheet) -> int:
    return max((column for (row, column) in sheet.cells if row), default=0)


def _beside(summary: Sheet) -> Place:
    return Place(summary.name, 1, _width(summary) + 2)


# --- inputs


def _inputs(sheet: Sheet, trace: Trace, live: int, language: str) -> Shared:
    """Title, hyper-parameters, data and start values: the cells that may be changed."""
    example, taken = trace.example, set[str]()
    names = {name: cell_name(name, taken) for name in example.hyper}
    places: dict[Entry, Place] = {}
    forms, letters = number_forms(trace.steps[:live]), index_letters(example)
    own = Wording(symbols_of(example))
    shared = Shared(example, shown_equations(example), letters, forms, places, names, language, own)
    sheet.line(example.spec.title, "title")
    for words in _opening(shared, trace, live):
        sheet.line(words)
    if example.hyper:
        _section(sheet, shared.said(labels.HYPER, example.rule.row.name))
        given = {name: Array((), (value,)) for name, value in example.hyper.items()}
        _arrays(sheet, shared, given, places)
    if example.data:
        _section(sheet, shared.said(labels.DATA))
        places |= _along_samples(sheet, shared)
        others = {name: a for name, a in example.data.items() if name not in sample_axes(example)}
        _arrays(sheet, shared, others, places)
    _section(sheet, shared.said(labels.START))
    _arrays(sheet, shared, example.start, places)
    if example.states:
        _section(sheet, shared.said(labels.STATES))
        _arrays(sheet, shared, {name: state.start for name, state in example.states.items()}, places)
    return shared


def _opening(shared: Shared, trace: Trace, live: int) -> Iterator[str]:
    """What may be done with the sheet, and where its limits are."""
    example = trace.example
    yield shared.said(labels.HOW_BY_STEP if live > 1 else labels.HOW)
    if example.sample:
        yield shared.said(labels.SAMPLE_WORDS)
    for found in example.shortcuts:
        if found.condition:
            yield shared.said(labels.CONDITION, " = ".join(map(shared.words.text, found.condition)))
    if trace.carried:
        yield shared.said(labels.CARRIED, example.spec.training.carry or 0)
    if live < len(trace.steps):
        yield shared.said(labels.LIVE, live, len(trace.steps))


def _section(sheet: Sheet, words: str) -> None:
    sheet.row += 1
    sheet.line(words, "section")


def _arrays(sheet: Sheet, shared: Shared, arrays: Mapping[str, Array], places: dict[Entry, Place]) -> None:
    """Arrays of numbers that may be changed."""
    pairs = ((name, zip(array.positions(), array.entries, strict=True)) for name, array in arrays.items())
    known = {(name, at): value for name, entries in pairs for at, value in entries}

    def cell(entry: Entry) -> Input:
        return Input(rational(known[entry]))

    for name, array in arrays.items():
        axes = shared.letters_of(name, len(array.shape))
        places |= draw(sheet, name, axes, list(array.positions()), cell, shared.words)


def _along_samples(sheet: Sheet, shared: Shared) -> dict[Entry, Place]:
    """The data along the samples: one sample a row."""
    example, said = shared.example, shared.words.text
    axes, sample = sample_axes(example), example.sample or ""
    places: dict[Entry, Place] = {}
    column = 1
    for name, axis in axes.items():
        array = example.data[name]
        known = dict(zip(array.positions(), array.entries, strict=True))
        for other in dict.fromkeys((*at[:axis], *at[axis + 1 :]) for at in known):
            at: At = (*other[:axis], 0, *other[axis:])
            inside = (Ref(sample) if place == axis else number(k) for place, k in enumerate(at))
            head = sheet.put(column, Text(said(Ref(name, tuple(inside))), "head"))
            for row in range(1, example.samples + 1):
                own = (*other[:axis], row, *other[axis:])
                places[name, own] = head.down(row)
                sheet.cells[head.row + row, column] = Input(rational(known[own]))
            column += 1
    if axes:
        sheet.put(0, Text(said(Ref(sample)), "head-left"))
        for row in range(1, example.samples + 1):
            sheet.cells[sheet.row + row, 0] = Text(str(row), "index")
        sheet.row += example.samples + 1
    return places


# --- summary


def _title(shared: Shared, step: Step) -> str:
    """``Step 3, epoch 2: samples 1 and 2``, as much of it as there is."""
    several = len(shared.example.batches) > 1
    numbers = (str(step.number), *([str(step.epoch)] if several else []))
    if not step.samples:
        return shared.said(labels.TITLE[several], *numbers)
    return shared.said(labels.TITLE_OF_SAMPLES[several], *numbers, samples_words(step.samples))


def _summary(
    sheet: Sheet, shared: Shared, steps: Sequence[tuple[Step, Place, Mapping[Entry, Place]]]
) -> Chart | None:
    """One row a step; the chart of the loss if there are several."""
    columns, example = tracked(shared.example), shared.example
    words = [labels.STEP, labels.EPOCH, *([labels.SAMPLES] if example.sample else [])]
    heads = [*map(shared.said, words), *map(shared.words.text, columns)]
    for column, head_words in enumerate(heads):
        sheet.put(column, Text(head_words, "head-left" if not column else "head"))
    for step, head, places in steps:
        sheet.row += 1
        sheet.put(0, Text(shared.said(labels.STEP_OF, str(step.number)), "link", head))
        sheet.put(1, Text(str(step.epoch), "right"))
        if example.sample:
            sheet.put(2, Text(" ".join(map(str, step.samples)), "right"))
        for column, ref in enumerate(columns, len(heads) - len(columns)):
            entry = ref.name, positions(ref)
            formula = f"={address(places[entry], sheet.name)}"
            form = shared.forms[unprimed(ref.name)]
            sheet.put(column, Formula(formula, step.at(*entry), form=form))
    if len(steps) < 2:
        return None
    column = len(heads) - len(columns) + columns.index(Ref(example.loss))
    ends = [(Place(sheet.name, 1, at), Place(sheet.name, len(steps), at)) for at in (0, column)]
    title = shared.said(labels.CHART, example.loss)
    return Chart(title, example.loss, shared.said(labels.STEP), *ends)
