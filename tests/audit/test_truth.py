"""Faults put into the document, one at a time, are caught before any format is printed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest

import derivations
import derivations.page as way
from derivations.audit.evidence import Evidence
from derivations.audit.ranges import range_faults
from derivations.audit.truth import QUESTIONS, require, require_block
from derivations.claims import writer
from derivations.document.blocks import (
    Block,
    Display,
    Document,
    Figure,
    Heading,
    Listing,
    Prose,
    Table,
    Words,
)
from derivations.language.errors import CheckFailed, Mismatch
from derivations.language.tree import Add, Expr, Neg, Number, Ref, Sum, children, rebuild
from derivations.notation.chain import Formula, Side
from derivations.numbers.systems import NumberSystem, Value, precision
from derivations.numbers.walker import Place
from derivations.run import training
from tests.built import page


def evidence(name: str = "linear-regression") -> Evidence:
    return page(name).press.evidence


def with_blocks(blocks: tuple[Block, ...], known: Evidence) -> Evidence:
    return replace(known, document=replace(known.document, blocks=blocks))


# --- every number, index and sign ------------------------------------------------------------------------


def altered(expr: Expr) -> Iterator[Expr]:
    """The expression with one number, index or sign of a term changed."""
    match expr:
        case Number(value, text):
            yield Number(value + 1, str(value + 1) if text else "")
            if value:
                yield Number(-value, text.removeprefix("-") if text.startswith("-") else text and f"-{text}")
        case Add(terms):
            for at, term in enumerate(terms):
                turned = term.argument if isinstance(term, Neg) else Neg(term)
                yield Add((*terms[:at], turned, *terms[at + 1 :]))
    parts = expr.indices if isinstance(expr, Ref) else children(expr)
    for at, part in enumerate(parts):
        for new in altered(part):
            changed = (*parts[:at], new, *parts[at + 1 :])
            yield Ref(expr.name, changed) if isinstance(expr, Ref) else rebuild(expr, changed)


def formulas(formula: Formula) -> Iterator[Formula]:
    """The formula with one thing changed, or another relation sign."""
    sides = formula.sides
    for at, side in enumerate(sides):
        found = [Side(side.relation, expr) for expr in altered(side.expr)]
        if side.relation:
            found += [Side(sign, side.expr) for sign in ("=", "≈", "←") if sign != side.relation]
        yield from (Formula((*sides[:at], new, *sides[at + 1 :])) for new in found)


def sentences(words: Words) -> Iterator[Words]:
    for at, word in enumerate(words):
        if isinstance(word, Formula):
            yield from ((*words[:at], new, *words[at + 1 :]) for new in formulas(word))


def blocks(block: Block) -> Iterator[Block]:
    """The block with one thing changed in a formula, or a row left out.

    Of a derivation the reasons are passed over: what they say is asked by other questions.
    """
    match block:
        case Display(formula):
            yield from map(Display, formulas(formula))
        case Heading(_, words) | Prose(words):
            yield from (replace(block, words=new) for new in sentences(words))
        case Table(kind, _, header, rows):
            for at, cell in enumerate(header):
                for new in sentences(cell):
                    yield replace(block, header=(*header[:at], new, *header[at + 1 :]))
            for place, row in enumerate(rows):
                yield replace(block, rows=rows[:place] + rows[place + 1 :])
                for at, cell in enumerate(row if kind != "derivation" else row[:2]):
                    for new in sentences(cell):
                        changed = (*row[:at], new, *row[at + 1 :])
                        yield replace(block, rows=(*rows[:place], changed, *rows[place + 1 :]))


def is_refused(block: Block, place: int, known: Evidence) -> bool:
    try:
        require_block(block, known.steps[place], known)
    except Mismatch:
        return True
    everything = known.document.blocks
    other = with_blocks((*everything[:place], block, *everything[place + 1 :]), known)
    return any(list(question(other)) for question in QUESTIONS[:-1])  # the last is about figures


@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("linear-regression", 700),
        pytest.param("optimizer-adam", 1000, marks=pytest.mark.slow),
        pytest.param("two-two-two-network", 1000, marks=pytest.mark.slow),
    ],
)
def test_every_altered_number_index_and_sign_is_caught(name: str, least: int) -> None:
    known = evidence(name)
    with precision(page(name).trace.bits):
        cases = [(new, at) for at, block in enumerate(known.document.blocks) for new in blocks(block)]
        assert len(cases) > least
        missed = [(known.document.blocks[at], new) for new, at in cases if not is_refused(new, at, known)]
    assert [pair for pair in missed if not _is_only_a_zero(*pair)] == []


def _is_only_a_zero(block: Block, new: Block) -> bool:
    """``-0`` for ``0`` and ``+ 0`` for ``- 0`` say nothing else."""
    zero = "Number(value=Fraction(0, 1), text='0')"
    plain = str(new).replace("text='-0'", "text='0'")
    return plain in (str(block), str(block).replace(f"Neg(argument={zero})", zero))


# --- what is left out, and what stands in the place of another --------------------------------------------


def without(is_left_out) -> object:  # type: ignore[no-untyped-def]
    return lambda blocks: tuple(block for block in blocks if not is_left_out(block))


def _is_table(kind: str) -> object:
    return without(lambda block: isinstance(block, Table) and block.kind == kind)


def _is_update(block: Block) -> bool:
    return isinstance(block, Display) and block.formula.sides[1].relation == "←"


def _words(old: str, new: str) -> object:
    def change(word: object) -> object:
        return word.replace(old, new) if isinstance(word, str) else word

    def one(block: Block) -> Block:
        if isinstance(block, (Heading, Prose)):
            return replace(block, words=tuple(map(change, block.words)))  # type: ignore[arg-type]
        return block

    return lambda blocks: tuple(map(one, blocks))


FAULTS = {
    "the data": _is_table("data"),
    "the graph": _is_table("quantities"),
    "the derivation": _is_table("derivation"),
    "the forward pass": _is_table("forward"),
    "the summary": _is_table("summary"),
    "the checks": _is_table("checks"),
    "the updates": without(_is_update),
    "the model": without(lambda b: isinstance(b, Display) and "yhat" in str(b.formula.sides[0])),
    "the listing": without(lambda b: isinstance(b, Listing)),
    "the graph drawn": without(lambda b: isinstance(b, Figure) and b.name == "graph"),
    "the start values": without(lambda b: isinstance(b, Prose) and b.words[0] == "We start from "),
    "the optimizer": without(lambda b: isinstance(b, Prose) and str(b.words[0]).startswith("The optimizer")),
    "the values of a step": without(lambda b: isinstance(b, Prose) and b.words[0] == "We have "),
    "another sample in a heading": _words("samples 1 and 2", "samples 1 and 3"),
    "another mini-batch in a heading": _words("Mini-batch 2", "Mini-batch 3"),
    "another name of a part": _words("Summary", "Checks"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_false_document_is_refused(fault: str) -> None:
    known = evidence()
    wrong = FAULTS[fault](known.document.blocks)  # type: ignore[operator]
    assert wrong != known.document.blocks
    with precision(page("linear-regression").trace.bits):
        require(known)
        with pytest.raises(CheckFailed, match="not true"):
            require(with_blocks(wrong, known))


@pytest.mark.parametrize(("column", "wrong"), [(0, "2"), (3, "1"), (4, "1 000")])
def test_a_cell_of_the_checks_is_held_against_the_report(column: int, wrong: str) -> None:
    known = evidence()
    (place,) = [
        at for at, b in enumerate(known.document.blocks) if isinstance(b, Table) and b.kind == "checks"
    ]
    table = known.document.blocks[place]
    assert isinstance(table, Table)
    first = (*table.rows[0][:column], (wrong,), *table.rows[0][column + 1 :])
    with pytest.raises(Mismatch):
        require_block(replace(table, rows=(first, *table.rows[1:])), None, known)


def test_nothing_is_printed_of_a_document_that_is_not_true(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def composed(*given: object) -> Document:
        document = real(*given)  # type: ignore[arg-type]
        return replace(document, blocks=tuple(b for b in document.blocks if not _is_update(b)))

    real = way.compose
    monkeypatch.setattr(way, "compose", composed)
    monkeypatch.setattr(way, "printer", asked.append)
    with pytest.raises(CheckFailed, match=r"the update of .?w"):
        way.build("linear-regression", ("md",))
    assert asked == []


# --- what a node of the graph reads ----------------------------------------------------------------------


@pytest.mark.parametrize(("column", "fault"), [(2, "inputs of a node"), (3, "local slope")])
def test_a_node_names_all_that_it_reads(column: int, fault: str) -> None:
    asked = evidence()
    table = next(
        block for block in asked.document.blocks if isinstance(block, Table) and block.kind == "quantities"
    )
    first = table.rows[0]
    fewer = tuple(first[column][2:] if at == column else cell for at, cell in enumerate(first))
    changed = replace(table, rows=(fewer, *table.rows[1:]))
    with pytest.raises(Mismatch, match=fault):
        require_block(changed, None, asked)


def test_a_column_of_entries_is_looked_up_and_not_worked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The writer of a table and its check must not fail together."""
    place = training._place

    def nowhere(step: training.Step, system: NumberSystem) -> Place[Value]:
        return replace(place(step, system), outside=lambda _, entry: True)

    monkeypatch.setattr(training, "_place", nowhere)
    with pytest.raises(CheckFailed, match="table: 0 instead of"):
        derivations.build("linear-regression", formats=("md",))


def test_a_largest_value_is_chosen_from_its_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """The writer takes one candidate more: the value is the same, and its line is not true."""
    size_of = training.size_of
    monkeypatch.setattr("derivations.claims.writer.size_of", lambda step, index: size_of(step, index) + 1)
    with pytest.raises(CheckFailed, match="not those of the trace"):
        derivations.build("max-pooling", formats=("md",))


GATED = """
title = "A row of a table for every sample"
[model]
equations = '''
s[i] = sum(same(k, c[i])*w[k]*x[k], k)
L = sum(s[i]**2, i)
'''
[data]
c = [2, 1, 3]
x = [1, 2, 4]
[parameters]
w = [0.5, 1, -1]
"""
SHIFTED = """
title = "Neighbours"
[model]
equations = '''
d[t] = w*x[t+1] - x[t]
L = sum(d[t]**2, t)
'''
[data]
x = [1, 2, 4, 3, 7]
[parameters]
w = 0.5
"""


def test_the_terms_of_a_sum_are_decided_by_the_check_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """The writer drops gates, and the terms that they close stand; or it leaves out what is open."""
    derivations.build(GATED, ("md",))
    known = writer.open_terms

    def ungated(
        node: Sum, env: Mapping[str, int], step: training.Step
    ) -> list[tuple[Expr, Mapping[str, int]]]:
        places = ({**env, node.index: at} for at in range(1, training.size_of(step, node.index) + 1))
        return [(writer.without_gates(node.body, at, step), at) for at in places]

    for wrong in (ungated, lambda *asked: known(*asked)[1:], lambda *asked: known(*asked) * 2):
        monkeypatch.setattr(writer, "open_terms", wrong)
        with pytest.raises(CheckFailed, match=r"the page is not true: step 1: .*not those of the trace"):
            derivations.build(GATED, ("md",))


@pytest.mark.parametrize("size", [2, 3, 5, 6])
def test_how_far_an_index_runs_is_asked_of_the_arrays(size: int) -> None:
    """x[t+1] is there for t = 1, 2, 3, 4; with t up to 3 the run would be one of another sum."""
    page = derivations.build(SHIFTED, ("md",))
    assert page.trace.steps[0]["L"] == (0.5 * 2 - 1) ** 2 + (0.5 * 4 - 2) ** 2 + 2.5**2 + 0.5**2
    step = page.trace.steps[0]
    other = replace(step, layout=replace(step.layout, sizes={**step.layout.sizes, "t": size}))
    assert not list(range_faults(page.trace))
    (fault,) = range_faults(replace(page.trace, steps=(other,)))
    assert fault == "step 1: the index t does not run as far as its arrays"


@pytest.mark.parametrize(
    ("name", "letter", "fault"),
    [
        ("linear-regression", "i", "the index i does not run as far as its arrays"),
        ("softmax-regression", "c", "the index c does not run as far as its arrays"),
        ("word-embedding", "k", "the index k does not run as far as its arrays"),
        ("rnn-two-steps", "t", "the index t does not run as far as its arrays"),
    ],
)
def test_a_range_one_short_is_a_fault(name: str, letter: str, fault: str) -> None:
    trace = page(name).trace
    step = trace.steps[0]
    size = step.layout.sizes[letter] - 1
    other = replace(step, layout=replace(step.layout, sizes={**step.layout.sizes, letter: size}))
    assert f"step 1: {fault}" in range_faults(replace(trace, steps=(other,)))


def test_a_page_with_a_wrong_range_is_refused() -> None:
    asked = evidence()
    step = asked.trace.steps[0]
    other = replace(step, layout=replace(step.layout, sizes={**step.layout.sizes, "i": 1}))
    trace = replace(asked.trace, steps=(other, *asked.trace.steps[1:]))
    with pytest.raises(CheckFailed, match="the index i does not run as far as its arrays"):
        require(replace(asked, run=replace(asked.run, trace=trace)))
