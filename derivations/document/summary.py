"""The summary over all steps and the check table."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from derivations.claims.writer import leaf
from derivations.document.blocks import (
    Block,
    Digits,
    Listed,
    Message,
    Part,
    Prose,
    Table,
    Words,
    counted,
    message,
    phrase,
    phrases,
    say,
    series,
)
from derivations.document.introduced import prime_words
from derivations.document.rounding import is_rational
from derivations.document.update import shows_primes
from derivations.document.words import section
from derivations.language.names import adjoint, after
from derivations.language.tree import Number, Ref
from derivations.model.example import Example
from derivations.model.stated import reported_numbers
from derivations.notation.chain import formula
from derivations.numbers.digits import Rounding
from derivations.numbers.systems import Value
from derivations.programs.listing import shown_steps
from derivations.run.training import Step, Trace
from derivations.spec.arrays import positions
from derivations.witnesses.check import MODULE, PROGRAM, Check, Report
from derivations.witnesses.matrix_forms import WITNESS as MATRIX_WITNESS
from derivations.witnesses.second_hand import WITNESS

CANCELLED = 1_000
WITNESSES = {
    "autograd": phrase("torch autograd on the author's equations"),
    "library": phrase("torch's own layers and losses"),
    "optimizer": phrase("the torch.optim optimizer"),
    MODULE: phrase("the module itself"),
    "scheduler": phrase("the torch.optim scheduler"),
    "row": phrase("the optimizer's equations read a second time"),
}
PRINTED = phrases(
    "The number that the program in PyTorch prints was compared in the digits printed, and agrees.",
    "The {} numbers that the program in PyTorch prints were compared in the digits printed, and agree.",
)
WRITTEN_OUT = phrase(
    "SymPy proved {} identities: every line of the derivation, and the gradients against the derivative of "
    "the written-out loss."
)
ULP = phrase(
    "An ulp, a unit in the last place, is the step from one float64 to the next: at 0 ulp torch has the "
    "float64 nearest to the exact value."
)
FULL = Rounding(significant=17)


def tracked(example: Example) -> list[Ref]:
    """What the summary follows: parameters, loss, what is reported, gradients, new parameters."""
    entries = [ref for name, array in example.start.items() for ref in array.refs(name)]
    shown = [Ref(name) for name in (example.loss, *reported_numbers(example))]
    if len(entries) > 3:
        return shown
    gradients = [Ref(adjoint(example.loss, ref.name), ref.indices) for ref in entries]
    new = [Ref(after(ref.name), ref.indices) for ref in entries if example.updates]
    return [*entries, *shown, *gradients, *new]


def summary_blocks(trace: Trace, rounding: Rounding) -> Iterator[Block]:
    """One row a step."""
    example = trace.example
    yield section("summary")
    columns = tracked(example)
    if any(len(epoch) > 1 for epoch in example.batches):
        words = phrase("{} is in every row the loss of the step's own mini-batch, before the step.")
        yield Prose(say(words, Ref(example.loss)))
    header: tuple[Words, ...] = (say("step"), *((formula(ref),) for ref in columns))
    steps = [trace.shown[number - 1] for number in shown_steps(trace.example)]
    rows = [_row(step, columns, rounding) for step in steps]
    primed = prime_words(columns)
    if primed and not shows_primes(example):
        yield Prose((*primed,))
    yield Table("summary", "r" + "d" * len(columns), header, tuple(rows))
    left_out = len(trace.steps) - len(rows)
    if left_out:
        forms = phrases(
            "The other step is worked and checked like these; the JSON file holds them all.",
            "The other {} steps are worked and checked like these; the JSON file holds them all.",
        )
        yield Prose((counted(*forms, left_out),))


def _row(step: Step, columns: list[Ref], rounding: Rounding) -> tuple[Words, ...]:
    values = [step.at(ref.name, positions(ref)) for ref in columns]
    return ((str(step.number),), *((formula(leaf(rounding(value))),) for value in values))


def check_blocks(trace: Trace, report: Report, rounding: Rounding) -> Iterator[Block]:
    """Quantity, by hand, torch, distance; then what all witnesses together compared."""
    yield section("checks")
    whole = phrase("exact") if is_rational(trace) else phrase("not rounded")
    hands = (say("carried rounded"), say(whole)) if trace.carried else (say("by hand"),)
    yield Prose(say(ULP))
    header = (say("step"), say("quantity"), *hands, ("torch",), say("distance in ulp"))
    wanted = {(c.step, c.quantity): c for c in report.checks if c.witness != PROGRAM}
    entries = [ref for ref in tracked(trace.example) if ref.name not in trace.example.start]
    rows: list[tuple[Words, ...]] = []
    for number in shown_steps(trace.example):
        for ref in entries:
            entry = ref.name, positions(ref)
            step = trace.steps[number - 1]
            check = wanted[number, step.layout.label(entry, ())]
            carried = [rounding(trace.carried[number - 1].at(*entry))] if trace.carried else []
            hand = [*((formula(leaf(value)),) for value in carried), _by_hand(step.at(*entry))]
            torch = formula(torch_number(check.theirs))
            rows.append(((str(number),), (formula(ref),), *hand, (torch,), distance(check)))
    yield Table("checks", "rl" + "d" * (len(hands) + 1) + "r", header, tuple(rows))
    yield Prose((_verdict(report),))


def distance(check: Check) -> Words:
    """The distance in ulp; where terms cancel and ulp say nothing, the difference itself."""
    if check.ulps is not None and check.ulps <= CANCELLED:
        return (str(check.ulps),)
    return say("cancellation, {} apart", Digits(f"{check.gap:.1e}"))


def _by_hand(value: Value) -> Words:
    printed = FULL(value)
    return (formula(leaf(printed)),) if printed.exact else (formula(("≈", leaf(printed))),)


def torch_number(value: float) -> Number:
    """A float64 as torch prints it, with all its digits."""
    text = repr(value).removesuffix(".0")
    mantissa, _, exponent = text.partition("e")
    text = f"{mantissa}e{int(exponent)}" if exponent else text
    return Number(Fraction(text), text)


def _verdict(report: Report) -> Listed:
    """What was compared and proved, and what was not available."""
    counts = {name: sum(check.witness == name for check in report.checks) for name in WITNESSES}
    printed = sum(check.witness == PROGRAM for check in report.checks)
    parts = [message("{} ({})", message(WITNESSES[name]), count) for name, count in counts.items() if count]
    words = phrase(
        "Compared with {}: {} numbers, all within the rounding that float64 itself may make, "
        "at most {} ulp apart{}."
    )
    distances = [check.ulps for check in report.checks if check.ulps is not None]
    largest = max((ulps for ulps in distances if ulps <= CANCELLED), default=0)
    found = [message(words, series(parts), len(report.checks) - printed, largest, _but(report))]
    found += [counted(*PRINTED, printed)] * (printed > 0)
    found += _proofs_words(report)
    if report.absent:
        reasons = [message(each.text, *map(str, each.parts)) for each in report.absent]
        found.append(message("Not available: {}.", series(reasons, ";")))
    return series(found, "")


def _but(report: Report) -> Part:
    """The numbers whose distance in ulp says nothing."""
    gaps = [c.gap for c in report.checks if c.ulps is not None and c.ulps > CANCELLED]
    if not gaps:
        return ""
    forms = phrases(
        ", but for {} where terms cancel and {} is left",
        ", but for {} where terms cancel and {} is left",
    )
    return counted(*forms, len(gaps), Digits(f"{max(gaps):.1e}"))


def _proofs_words(report: Report) -> Iterator[Message]:
    """What was proved in formulas, and what was worked a second time in decimals."""
    carried = sum(proof.witness == WITNESS for proof in report.proofs)
    matrices = sum(proof.witness == MATRIX_WITNESS for proof in report.proofs)
    proved = len(report.proofs) - carried - matrices
    if any("written-out" in proof.witness for proof in report.proofs):
        yield message(WRITTEN_OUT, proved)
    else:
        yield message("SymPy proved {} identities: every line of the derivation.", proved)
    if matrices:
        words = phrase("The matrix forms were evaluated {} times, in every step shown and at random numbers.")
        yield message(words, matrices)
    if carried:
        yield message(
            "The {} rounded values were worked a second time in Python's decimal arithmetic.", carried
        )
