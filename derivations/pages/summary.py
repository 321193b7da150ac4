"""The summary over all steps and the check table."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from derivations.examples.example import Example
from derivations.examples.listing import shown_steps
from derivations.examples.training import Step, Trace
from derivations.examples.update import after
from derivations.language.tree import (
    Number,
    Ref,
)
from derivations.language.tree import (
    number as whole,
)
from derivations.numbers.digits import Rounding
from derivations.numbers.systems import EXACT
from derivations.pages.blocks import Block, Heading, Prose, Table, Words, formula
from derivations.pages.numbers_in import Writer, leaf
from derivations.witnesses.check import Check, Report
from derivations.witnesses.second_hand import WITNESS

CANCELLED = 1_000
WITNESSES = ("autograd", "library", "optimizer")
FULL = Rounding(significant=17)


def tracked(example: Example) -> list[Ref]:
    """What the summary follows: parameters, loss, gradients, new parameters, as far as they fit."""
    entries = [Ref(n, tuple(map(whole, at))) for n, a in example.start.items() for at in a.positions()]
    if len(entries) > 3:
        return [Ref(example.loss)]
    gradients = [Ref(f"d{example.loss}/d{ref.name}", ref.indices) for ref in entries]
    return [*entries, Ref(example.loss), *gradients, *(Ref(after(r.name), r.indices) for r in entries)]


def summary_blocks(trace: Trace, rounding: Rounding) -> Iterator[Block]:
    """One row a step."""
    example = trace.example
    yield Heading(2, ("Summary",))
    columns = tracked(example)
    header = (("step",), *(((formula(ref),)) for ref in columns))
    rows = [_row(trace.shown[number - 1], columns, rounding) for number in shown_steps(len(trace.steps))]
    yield Table("summary", "r" + "d" * len(columns), header, tuple(rows))
    left_out = len(trace.steps) - len(rows)
    if left_out:
        yield Prose(
            (
                f"The {left_out} steps between are worked and checked like these; the JSON file holds them all.",
            )
        )


def _row(step: Step, columns: list[Ref], rounding: Rounding) -> tuple[Words, ...]:
    writer = Writer(step, rounding, EXACT)
    return ((str(step.number),), *((formula(leaf(writer.value(ref, {}))),) for ref in columns))


def check_blocks(trace: Trace, report: Report, rounding: Rounding) -> Iterator[Block]:
    """Quantity, by hand, torch, distance; then what all witnesses together compared."""
    example = trace.example
    carried = bool(trace.carried)
    yield Heading(2, ("Checks",))
    header: tuple[Words, ...] = (("step",), ("quantity",), ("by hand",), ("torch",), ("distance in ulp",))
    if carried:
        header = (*header[:2], ("carried rounded",), ("exact",), *header[3:])
    wanted = {(c.step, c.quantity): c for c in report.checks if c.witness in WITNESSES}
    rows = []
    for number in shown_steps(len(trace.steps)):
        step = trace.steps[number - 1]
        for ref in tracked(example):
            if ref.name in example.start:
                continue
            check = wanted[number, step.layout.label((ref.name, positions(ref)), ())]
            row: list[Words] = [(str(number),), (formula(ref),)]
            if carried:
                value = trace.carried[number - 1].at(ref.name, positions(ref))
                row.append((formula(leaf(rounding(value))),))
            rows.append((*row, _by_hand(check), (formula(torch_number(check.theirs)),), (distance(check),)))
    yield Table("checks", "rl" + "d" * (3 if carried else 2) + "r", header, tuple(rows))
    yield Prose((_verdict(report),))


def positions(ref: Ref) -> tuple[int, ...]:
    """The positions of an entry with whole-number indices."""
    return tuple(int(part.value) for part in ref.indices if isinstance(part, Number))


def distance(check: Check) -> str:
    """The distance in ulp; where terms cancel and ulp say nothing, the difference itself."""
    if check.ulps is not None and check.ulps <= CANCELLED:
        return str(check.ulps)
    return f"cancellation, {check.gap:.1e} apart"


def _by_hand(check: Check) -> Words:
    printed = FULL(check.ours)
    return (formula(leaf(printed)),) if printed.exact else (formula(("≈", leaf(printed))),)


def torch_number(value: float) -> Number:
    """A float64 as torch prints it, with all its digits."""
    text = repr(value).removesuffix(".0")
    mantissa, _, exponent = text.partition("e")
    text = f"{mantissa}e{int(exponent)}" if exponent else text
    return Number(Fraction(text), text)


def _verdict(report: Report) -> str:
    counts = [(w, sum(c.witness == w for c in report.checks)) for w in (*WITNESSES, "PyTorch program")]
    names = {
        "autograd": "torch autograd on the author's equations",
        "library": "torch's own layers and losses",
        "optimizer": "the torch.optim optimizer",
        "PyTorch program": "the program above",
    }
    parts = [f"{names[witness]} ({count})" for witness, count in counts if count]
    proofs = _proofs_words(report)
    absent = f" Not available: {'; '.join(report.absent)}." if report.absent else ""
    cancelled = [check for check in report.checks if check.ulps is not None and check.ulps > CANCELLED]
    but = ""
    if cancelled:
        widest = max(check.gap for check in cancelled)
        but = f", but for {len(cancelled)} where terms cancel and {widest:.1e} is left"
    largest = max((c.ulps for c in report.checks if c.ulps is not None and c.ulps <= CANCELLED), default=0)
    return (
        f"Compared with {', '.join(parts)}: {len(report.checks)} numbers, all within the rounding that float64 "
        f"itself must make, at most {largest} ulp apart{but}.{proofs}.{absent}"
    )


def _proofs_words(report: Report) -> str:
    """What was proved in formulas, and what was worked a second time in decimals."""
    carried = sum(proof.witness == WITNESS for proof in report.proofs)
    found = f" SymPy proved {len(report.proofs) - carried} identities: every line of the derivation"
    if any("written-out" in proof.witness for proof in report.proofs):
        found += ", and the gradients against the derivative of the written-out loss"
    if carried:
        found += f". The {carried} rounded values were worked a second time in Python's decimal arithmetic"
    return found
