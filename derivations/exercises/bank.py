"""A bank: variants of one exercise, each exact, verified by torch, and held against its own spec.

The structure is worked once; the variants are columns (`derivations.run.columns`), and so are the runs of
the students who make a slip. What a sheet or an export shows of a variant is a document that was asked
sentence by sentence and number by number, as a lecture page is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property, partial
from typing import Any
from uuid import UUID, uuid5

import numpy as np
from flint import arb

from derivations.audit.evidence import Evidence
from derivations.audit.sentences.asked import require_sentences, sight_of
from derivations.audit.truth import require
from derivations.catalogue.slip import Slip
from derivations.catalogue.slips import BY_NAME, SLIPS
from derivations.document.blocks import Block, Document, Heading
from derivations.document.compose import compose, rounding_of
from derivations.document.languages import translated
from derivations.document.symbols import symbols_of
from derivations.exercises.acceptance import Reach, Task, accepted, decided
from derivations.exercises.asked import Asked, asked_of
from derivations.exercises.domains import Domain, check_count, domains_of, too_few
from derivations.exercises.merging import Option, options
from derivations.exercises.search import Row, columns_at, search, spread
from derivations.exercises.slips import Slipped, slipped
from derivations.language.errors import ArithmeticFault, CheckFailed, nearest
from derivations.model.example import Example
from derivations.model.variants import Variant, Variants
from derivations.numbers.digits import Printed
from derivations.numbers.systems import EXACT, Value, fraction, precise, round_half_up
from derivations.numbers.tape import Entry
from derivations.page import footer, spec_digest
from derivations.run.columns import Columns, ColumnStep, run_columns, value_at
from derivations.run.training import FIRST_BITS, Step, Trace, certified, train
from derivations.spec.exercise import ExerciseTable
from derivations.spec.spec import Source, with_exercise, with_page
from derivations.witnesses.check import Report
from derivations.witnesses.many import agreed, can_be_batched
from derivations.witnesses.verify import verify
from derivations.witnesses.work import Verified, structure_of

LONGEST = 8  # decimals on the way, where the spec does not say how many
NAMESPACE = UUID("5f0e8f2e-6a37-5d0e-9c6b-0d5a3c1b7e42")
SHOWN: tuple[Any, ...] = ("problem", "steps")


@dataclass(frozen=True)
class Answer:
    """What the student writes down for one entry, how it stands on the answer sheet, and what is accepted.

    ``wrong`` are the numbers to which slips lead, none of which is accepted.
    """

    asked: Asked
    value: Value
    printed: Printed
    accepted: Reach
    wrong: tuple[Option, ...] = field(repr=False)

    @property
    def text(self) -> str:
        """The answer in plain ASCII: ``-34.5``."""
        return self.printed.text


@dataclass(frozen=True)
class Item:
    """One variant: its values, what is told and asked, the answers, and the worked solution.

    ``problem`` and ``worked`` are parts of a document that was held against the run and the spec.
    """

    number: int
    key: str
    values: Mapping[str, Any] = field(repr=False)
    evidence: Evidence = field(repr=False)
    problem: tuple[Block, ...] = field(repr=False)
    worked: tuple[Block, ...] = field(repr=False)
    answers: tuple[Answer, ...] = field(repr=False)
    steps: tuple[Step, ...] = field(repr=False)


@dataclass(frozen=True)
class Bank:
    """The variants of one exercise; raises `DerivationsError` where one of them is not verified.

    ``exact`` says that every value is a decimal of few places; else answers are asked to `places`.
    """

    of: Variants = field(repr=False)
    table: ExerciseTable
    domains: tuple[Domain, ...] = field(repr=False)
    rows: tuple[Row, ...] = field(repr=False)
    exact: bool

    @property
    def example(self) -> Example:
        """The structure, with the values of the spec."""
        return self.of.example

    @cached_property
    def columns(self) -> Columns:
        """The values of all variants."""
        return columns_at(self.example, self.domains, np.array(self.rows).reshape(len(self.rows), -1))

    @cached_property
    def steps(self) -> tuple[ColumnStep, ...]:
        """Every step of all variants, confirmed by torch."""
        steps = certified(partial(run_columns, self.columns, EXACT), FIRST_BITS)
        if can_be_batched(self.example) and not agreed(self.columns, steps).all():
            raise CheckFailed("torch does not confirm every variant", hint="No bank was written.")
        return steps

    @cached_property
    def asked(self) -> tuple[Asked, ...]:
        """What is asked of every variant."""
        layouts = [(step.layout, step.samples) for step in self.steps[: self.table.steps]]
        return asked_of(self.example, layouts, self.of.source)

    @property
    def bits(self) -> int:
        """The bits of the balls in which values stand that are not exact."""
        return self.steps[0].bits

    @property
    def places(self) -> int:
        """The decimal places of an answer: the most that one has, or those that are asked for."""
        return self.table.decimals if self.exact else self.table.places

    def items(self) -> Iterator[Item]:
        """The variants one after another, each held against its own spec."""
        for place in range(self.columns.count):
            yield self._item(place)

    def item(self, number: int) -> Item:
        """The variant of a number, from 1."""
        return self._item(number - 1)

    def _item(self, place: int) -> Item:
        values = self.values(place)
        variant = self.of.variant(values)
        steps = tuple(step.step(place) for step in self.steps)
        trace = Trace(variant.example, steps, self.bits)
        if not can_be_batched(self.example):
            verify(trace).require()
        evidence = composed(variant, trace, self.table.steps)
        problem, worked = parts(evidence.composed)
        answers = tuple(self._answer(each, steps, place) for each in self.asked)
        key = str(uuid5(NAMESPACE, f"{self.of.source.stem} {sorted(values.items())}"))
        return Item(place + 1, key, values, evidence, problem, worked, answers, steps)

    @cached_property
    def slips(self) -> tuple[tuple[Slipped, tuple[ColumnStep, ...]], ...]:
        """Every way in which a slip can be made, with the runs of the students who make it."""
        found = []
        for row in slips_of(self.table, self.example, self.of.source):
            for each in slipped(self.example, row):
                columns = each.columns(self.columns)
                with suppress(ArithmeticFault):  # nobody gets to a number this way
                    found.append((each, certified(partial(run_columns, columns, EXACT), FIRST_BITS)))
        return tuple(found)

    def _answer(self, asked: Asked, steps: Sequence[Step], place: int) -> Answer:
        at = asked.quantity, asked.positions
        value = steps[asked.step - 1].at(*at)
        reach = accepted(Task(tuple(steps[: asked.step]), *at), self.places)
        wrong = ((each, _value(runs[asked.step - 1], at, place)) for each, runs in self.slips)
        told = options(value, wrong, self.places)
        told = tuple(option for option in told if decided(reach, [option.value], self.places))
        printed = at_places(value, self.places)
        if not reach.low <= printed.value <= reach.high:  # worked apart, from what rounding can reach
            message = f"not verified: the answer {printed.text} for {asked.name} is not among those accepted"
            raise CheckFailed(message, hint="No bank was written.")
        return Answer(asked, value, printed, reach, told)

    def values(self, place: int) -> dict[str, Any]:
        """What varies, with its values in one variant, arrays as nested tuples."""
        arrays = {**self.example.data, **self.example.start}
        found: dict[str, Any] = {}
        for name, own in self.columns.given.items():
            entries = tuple(fraction(column.at(place)) for column in own)
            found[name] = nested(entries, arrays[name].shape) if name in arrays else entries[0]
        return found


def _value(step: ColumnStep, entry: Entry, place: int) -> Value | None:
    """The value of an entry in a student's run of one variant; None where the slip leaves it out."""
    slot = step.layout.tape.slots.get(entry)
    return None if slot is None else value_at(step.memory[slot], place)


def slips_of(table: ExerciseTable, example: Example, source: Source) -> tuple[Slip, ...]:
    """The slips that are recognized: those that ``[exercise]`` names, or all.

    Raises `SpecError` for one that there is not, or that nobody can make here.
    """
    if table.slips is None:
        return SLIPS
    for place, name in enumerate(table.slips):
        if name not in BY_NAME:
            hint = nearest(name, BY_NAME, "slips")
            raise source.error(f"there is no slip '{name}'", "exercise", "slips", place, hint=hint)
        if not slipped(example, BY_NAME[name]):
            why = BY_NAME[name].absent
            raise source.error(
                f"nobody can make the slip '{name}' here", "exercise", "slips", place, hint=why
            )
    return tuple(BY_NAME[name] for name in table.slips)


def at_places(value: Value, places: int) -> Printed:
    """A value with so many decimal places: in full if it ends there, else rounded with halves away from 0."""
    with precise(value):
        kept = fraction(round_half_up(value, places))
    exact = not isinstance(value, arb) and fraction(value) == kept
    return Printed(decimal(kept, 0 if exact else places), kept, exact)


def decimal(value: Fraction, least: int = 0) -> str:
    """A fraction that ends as a decimal, with at least so many places: ``-34.5``, ``0.360``.

    Raises ValueError for one that does not end.
    """
    longest = value.denominator.bit_length()  # 1/2**k has k places
    ending = (k for k in range(least, max(least, longest) + 1) if (value * 10**k).denominator == 1)
    places = next(ending, None)
    if places is None:
        raise ValueError(f"{value} is no decimal that ends")
    digits = f"{abs(value.numerator) * 10**places // value.denominator:0{places + 1}d}"
    point = len(digits) - places
    sign = "-" if value < 0 else ""
    return f"{sign}{digits[:point]}.{digits[point:]}" if places else f"{sign}{digits}"


def nested(entries: tuple[Fraction, ...], shape: tuple[int, ...]) -> Any:
    """The entries of an array as nested tuples."""
    if not shape:
        return entries[0]
    width = len(entries) // shape[0]
    return tuple(nested(entries[at : at + width], shape[1:]) for at in range(0, len(entries), width))


def composed(variant: Variant, trace: Trace, steps: int) -> Evidence:
    """The problem and the worked steps of a variant, asked sentence by sentence and number by number."""
    page = {"show": SHOWN, "steps": tuple(range(1, steps + 1)), "exercises": False, "interactive": False}
    source = variant.named.with_values({"page": page})
    example = replace(variant.example, spec=with_page(variant.spec, page))
    symbols = symbols_of(example)

    def attempt(bits: int) -> Evidence:
        own = replace(trace, example=example) if bits == trace.bits else train(example, bits)
        run = Verified(example, own, structure_of(example).derivation, "", "", Report((), ()))
        document = compose(run, symbols, footer(spec_digest(source)))
        require_sentences(sight_of(document, run, symbols, source))
        whole = replace(document, language=example.spec.page.language)
        evidence = Evidence(run, translated(whole), whole, symbols, rounding_of(example))
        require(evidence)
        return evidence

    return certified(attempt, trace.bits)


def parts(document: Document) -> tuple[tuple[Block, ...], tuple[Block, ...]]:
    """The blocks of the problem, and those of the steps, without the heading above all and the last line."""
    heads = [at for at, block in enumerate(document.blocks) if isinstance(block, Heading) and block.part]
    first = next(at for at in heads if getattr(document.blocks[at], "part", "") == "steps")
    return document.blocks[heads[0] + 1 : first], document.blocks[first:-1]


# --- Making one ------------------------------------------------------------------------------------------


def bank_of(variants: Variants, **table: Any) -> Bank:
    """The bank of a spec; keywords are keys of ``[exercise]`` and stand in the place of the spec's.

    Raises `SpecError` for a spec that has not so many variants, `CheckFailed` if a witness disagrees.
    """
    own = with_exercise(variants.spec, table)
    assert own.exercise is not None
    source = variants.source.with_values({"exercise": table})
    return made(Variants(own, source), own.exercise)


def made(variants: Variants, table: ExerciseTable) -> Bank:
    """The bank of a spec, for what its ``[exercise]`` says."""
    example, source = variants.example, variants.source
    if variants.spec.training.carry is not None:
        hint = "Leave 'carry' out; 'places' in [exercise] says to how many places answers are rounded."
        raise source.error(
            "a bank is worked exactly, and 'carry' rounds on the way", "training", "carry", hint=hint
        )
    domains = domains_of(example, source)
    check_count(domains, table.count, source)
    steps = sum(map(len, example.batches)) if example.updates else 1
    if table.steps > steps:
        raise source.error(f"there are {steps} steps, not {table.steps}", "exercise", "steps")
    free = "decimals" not in table.model_fields_set
    for decimals in range(table.decimals, LONGEST + 1) if free else (table.decimals,):
        found = search(example, domains, table.count, decimals, table.seed, table.steps)
        if len(found.rows) >= table.count:
            table = table.model_copy(update={"decimals": decimals})
            return Bank(variants, table, domains, tuple(spread(found.rows, table.count)), found.exact)
    raise too_few(len(found.rows), table.count, source, _relaxed(variants, table, domains))


def _relaxed(variants: Variants, table: ExerciseTable, domains: tuple[Domain, ...]) -> str:
    """Which relaxation would give more variants with nice numbers."""
    for more in range(table.decimals + 1, table.decimals + 4):
        found = search(variants.example, domains, table.count, more, table.seed, table.steps)
        if len(found.rows) >= table.count:
            return (
                f"With decimals = {more} there are enough; or give something more values in [exercise] vary."
            )
    return "Values with fewer digits in [exercise] vary, or fewer samples in a batch, would give more."
