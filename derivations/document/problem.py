"""The first part of a page: model, loss, data, start values, optimizer, batches, rounding."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from derivations.catalogue.loss import SampleLoss
from derivations.claims.writer import given
from derivations.document.blocks import (
    Block,
    Display,
    Listed,
    Message,
    Prose,
    Table,
    Words,
    counted,
    listed,
    message,
    phrases,
    say,
    series,
)
from derivations.document.columns import data_value, entries_along_samples
from derivations.document.introduced import model_words, named_entries
from derivations.document.rounding import rounding_words
from derivations.document.symbols import symbols_of
from derivations.document.tables import grouped, packed
from derivations.document.update import update_blocks
from derivations.document.words import convention, section
from derivations.language.program import Equation
from derivations.language.tree import Ref
from derivations.model.batching import is_whole
from derivations.model.example import Example
from derivations.model.recognize import Recognized, owner
from derivations.model.stated import authored, named_losses, reported, trained
from derivations.notation.chain import Formula, formula
from derivations.numbers.digits import Rounding
from derivations.run.training import Trace
from derivations.spec.arrays import Array

LEAST = phrases(
    "We look for the parameter {1} with the smallest", "We look for the parameters {1} with the smallest"
)
GREATEST = phrases(
    "We look for the parameter {1} with the largest", "We look for the parameters {1} with the largest"
)


def problem(
    trace: Trace, found: dict[str, Recognized], rounding: Rounding, worked: Iterable[Block]
) -> Iterator[Block]:
    """Model, loss with its convention, data, start, optimizer, batches, rounding.

    ``worked`` are the blocks of the steps, whose numbers are rounded as the last sentence says.
    """
    example = trace.example
    yield section("problem")
    losses = named_losses(example)
    model, own = _model_and_loss(example)
    yield Prose(_aim_words(example, bool(model)))
    for eq in own:
        if eq.target.name == example.loss and model:
            known = found.get(example.loss)
            count = symbols_of(example, ()).count
            yield Prose(say("The loss is the {}:", convention(known, count)) if known else say("The loss is"))
        yield from _equation(eq, losses if eq.target.name not in found else {})
    others = reported(example)
    if others:
        yield Prose(say("Reported beside {}, and not trained on:", Ref(example.loss)))
    for eq in others:
        yield from _equation(eq, losses)
    yield from model_words(example, (*own, *others))
    yield from _data(example, rounding)
    yield from named_entries(example)
    yield Prose(_start_words(example, rounding))
    yield from update_blocks(example)
    yield Prose(_batch_words(example))
    yield Prose(rounding_words(trace, worked))


def _model_and_loss(example: Example) -> tuple[list[Equation], list[Equation]]:
    """The equations of the model; and these, the loss, and what was taken out of the formula of the loss."""
    loss, written, own = example.loss, authored(example), trained(example)
    parts = [eq for eq in own if owner(eq.target.name, (loss,)) and eq.target.name not in {*written, loss}]
    model = [eq for eq in own if eq.target.name != loss and eq not in parts]
    return model, [*model, *(eq for eq in own if eq.target.name == loss), *parts]


def _equation(eq: Equation, losses: Mapping[str, list[SampleLoss]]) -> Iterator[Block]:
    """An equation, and the conventions of the losses that the author called by name in it."""
    yield Display(formula(eq.target, eq.body))
    rows = losses.get(eq.target.name, [])
    for row in {row.name: row for row in rows}.values():
        told = message(row.title), message(row.convention)
        one = len(rows) == 1
        yield Prose(say("This is the {}: {}.", *told) if one else say("A part of it is the {}: {}.", *told))


def _aim_words(example: Example, model: bool) -> Words:
    names, count = listed(list(map(Ref, example.parameters))), len(example.parameters)
    if model:
        forms = phrases("We learn the parameter {1} of the model", "We learn the parameters {1} of the model")
        return (counted(*forms, count, names),)
    ways = {group.values.get("maximize", 0) for group in example.rule.groups if group.parameters}
    if len(ways) > 1:
        return say("We learn the parameters {} with the loss", names)
    return (counted(*(GREATEST if ways == {1} else LEAST), count, names),)


def _data(example: Example, rounding: Rounding) -> Iterator[Block]:
    """The data set: a table along the samples, and formulas for what has no sample index."""
    columns = entries_along_samples(example)
    if columns:
        yield Prose(
            (counted("The data set has {} sample:", "The data set has {} samples:", example.samples),)
        )
        groups, _ = grouped(columns, len(columns))
        yield from (_data_table(example, group, rounding) for group in packed(groups))
    for name, array in example.data.items():
        if all(ref.name != name for ref in columns):
            yield Prose(say("Given: {}.", series(_entries(name, array, rounding))))


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
    return say("We start from {}.", listed(parts))


def _batch_words(example: Example) -> Words:
    count = len(example.batches)
    epochs, steps = counted("{} epoch", "{} epochs", count), counted("{} step", "{} steps", count)
    if example.sample is None:
        if example.data:
            return say("Every step uses all the data; we work {}.", steps)
        return say("We work {}.", steps)
    first = example.batches[0]
    if is_whole(first, example.samples):
        forms = phrases(
            "Every step uses the only sample; we work {1}.", "Every step uses all {} samples; we work {}."
        )
        return (counted(*forms, example.samples, epochs),)
    cut = series([message("({})", series(list(map(str, batch)))) for batch in first])
    return say("{} We work {}.", _cut_words(example, cut), epochs)


def _cut_words(example: Example, cut: Listed) -> Message:
    """How the samples are cut into mini-batches."""
    training, count = example.spec.training, len(example.batches[0])
    if training.shuffle is not None:
        opening = message(
            "The samples are cut into {} mini-batches, shuffled before every epoch with seed {}",
            count,
            str(training.shuffle),
        )
    elif training.batches is not None:
        opening = _listed_words(example)
    else:
        opening = message("The samples are cut into {} mini-batches, in order", count)
    if training.shuffle is not None and len(example.batches) > 1:
        return message("{}; the first epoch goes {}.", opening, cut)
    return message("{}; an epoch goes {}.", opening, cut)


def _listed_words(example: Example) -> Message:
    """Listed batches may leave samples out, or use some more than once: then nothing is cut."""
    batches = example.batches[0]
    if sorted(sample for batch in batches for sample in batch) == list(range(1, example.samples + 1)):
        return message("The samples are cut into {} mini-batches, as listed", len(batches))
    forms = phrases("There is {} mini-batch, as listed", "There are {} mini-batches, as listed")
    return counted(*forms, len(batches))
