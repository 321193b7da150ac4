"""The first part of a page: model, loss, data, start values, optimizer, batches, rounding."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from derivations.catalogue.sample_losses import SampleLoss
from derivations.examples.arrays import Array
from derivations.examples.example import Example
from derivations.examples.recognize import Recognized
from derivations.examples.stated import named_losses, reported, trained
from derivations.language.program import Equation
from derivations.language.tree import Ref
from derivations.numbers.digits import Rounding
from derivations.pages.blocks import Block, Display, Formula, Heading, Prose, Table, Words, formula, say
from derivations.pages.columns import data_value, entries_along_samples
from derivations.pages.numbers_in import given
from derivations.pages.tables import grouped, packed
from derivations.pages.update_words import update_blocks
from derivations.pages.words import convention, join


def problem(example: Example, found: dict[str, Recognized], rounding: Rounding) -> Iterator[Block]:
    """Model, loss with its convention, data, start, optimizer, batches, rounding."""
    yield Heading(2, ("The problem",))
    losses = named_losses(example)
    own = trained(example)
    yield Prose(_aim_words(example, len(own) > 1))
    for eq in own:
        if eq.target.name == example.loss and len(own) > 1:
            words = convention(found.get(example.loss))
            yield Prose((f"The loss is the {words}:" if words else "The loss is",))
        yield from _equation(eq, losses if eq.target.name not in found else {})
    others = reported(example)
    if others:
        yield Prose(say("Reported beside {}, and not trained on:", Ref(example.loss)))
    for eq in others:
        yield from _equation(eq, losses)
    yield from _data(example, rounding)
    yield Prose(_start_words(example, rounding))
    yield from update_blocks(example)
    yield Prose(_batch_words(example))
    yield Prose((_rounding_words(example),))


def _equation(eq: Equation, losses: Mapping[str, SampleLoss]) -> Iterator[Block]:
    """An equation, and the convention of a loss that the author called by name in it."""
    yield Display(formula(eq.target, eq.body))
    if row := losses.get(eq.target.name):
        yield Prose((f"This is the {row.title}: {row.convention}.",))


def _aim_words(example: Example, model: bool) -> Words:
    many = "parameters" if len(example.parameters) > 1 else "parameter"
    names = f"{many} {join(['{}'] * len(example.parameters))}"
    words = f"We learn the {names} of the model" if model else f"We look for the {names} with the smallest"
    return say(words, *(Ref(name) for name in example.parameters))


def _data(example: Example, rounding: Rounding) -> Iterator[Block]:
    """The data set: a table along the samples, and formulas for what has no sample index."""
    columns = entries_along_samples(example)
    if columns:
        yield Prose((f"The data set has {example.samples} samples:",))
        groups, _ = grouped(columns, len(columns))
        yield from (_data_table(example, group, rounding) for group in packed(groups))
    for name, array in example.data.items():
        if all(ref.name != name for ref in columns):
            parts = _entries(name, array, rounding)
            yield Prose(say(f"Given: {', '.join(['{}'] * len(parts))}.", *parts))


def _data_table(example: Example, columns: list[Ref], rounding: Rounding) -> Table:
    rows: list[tuple[Words, ...]] = []
    for sample in range(1, example.samples + 1):
        cells = [(formula(given(data_value(example, ref, sample), rounding)[1]),) for ref in columns]
        rows.append(((str(sample),), *cells))
    header = ((formula(Ref(example.sample or "i")),), *((formula(ref),) for ref in columns))
    return Table("data", "r" + "d" * len(columns), header, tuple(rows))


def _entries(name: str, array: Array, rounding: Rounding) -> list[Formula]:
    """Every entry with its number: ``w[1] = 0.5``, ``w[2] = -1``."""
    pairs = zip(array.refs(name), array.entries, strict=True)
    return [formula(ref, given(value, rounding)) for ref, value in pairs]


def _start_words(example: Example, rounding: Rounding) -> Words:
    parts = [part for name, array in example.start.items() for part in _entries(name, array, rounding)]
    return say(f"We start from {join(['{}'] * len(parts))}.", *parts)


def _batch_words(example: Example) -> Words:
    plural = "s" if len(example.batches) > 1 else ""
    epochs, steps = (f"{len(example.batches)} {what}{plural}" for what in ("epoch", "step"))
    if example.sample is None:
        return (f"Every step uses all the data; we work {steps}." if example.data else f"We work {steps}.",)
    first = example.batches[0]
    cut = ", ".join(f"({', '.join(map(str, batch))})" for batch in first)
    training = example.spec.training
    if len(first) == 1:
        return (f"Every step uses all {example.samples} samples; we work {epochs}.",)
    how = "in order"
    if training.shuffle is not None:
        how = f"shuffled before every epoch with seed {training.shuffle}"
    elif training.batches is not None:
        how = "as listed"
    epoch = "the first epoch" if training.shuffle is not None and len(example.batches) > 1 else "an epoch"
    return (
        f"The samples are cut into {len(first)} mini-batches, {how}; {epoch} goes {cut}. We work {epochs}.",
    )


def _rounding_words(example: Example) -> str:
    page, carry = example.spec.page, example.spec.training.carry
    shown = (
        f"{page.significant} significant digits"
        if page.significant
        else f"{max(page.digits, carry or 0)} decimal places"
    )
    if carry is not None:
        return (
            f"Every product, quotient, power, sum and function value is rounded to {carry} decimal places "
            "and carried on rounded, as with a pocket calculator; "
            "= stands where the printed numbers are equal."
        )
    return (
        f"The calculation is exact; only what is printed is rounded, to {shown}. "
        "= means equal, ≈ means rounded."
    )
