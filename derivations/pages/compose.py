"""From a trace and what the witnesses said to a document."""

from __future__ import annotations

from collections.abc import Iterator

from derivations.examples.arrays import Array
from derivations.examples.example import Example
from derivations.examples.listing import shown_steps
from derivations.examples.recognize import Recognized, recognize
from derivations.examples.training import Trace
from derivations.language.backward import adjoint
from derivations.language.program import Equation
from derivations.language.steps import Chain, local_slopes
from derivations.language.tree import Derivative, Expr, Ref, refs
from derivations.notation.symbols import Symbols, symbols
from derivations.numbers.digits import Rounding
from derivations.pages.batch import batch_blocks
from derivations.pages.blocks import (
    Block,
    Display,
    Document,
    Formula,
    Heading,
    Listing,
    Prose,
    Table,
    Words,
    formula,
    say,
)
from derivations.pages.columns import data_value, entries_along_samples
from derivations.pages.summary import check_blocks, summary_blocks
from derivations.pages.update_words import exact_number, update_blocks
from derivations.pages.words import convention, join, reason_words
from derivations.witnesses.check import Report


def rounding_of(example: Example) -> Rounding:
    """The rounding policy of a page; a carried calculation is printed with all its places."""
    page, carry = example.spec.page, example.spec.training.carry
    return Rounding(max(page.digits, carry or 0), page.significant)


def symbols_of(example: Example) -> Symbols:
    """The symbols of every quantity of an example."""
    names = [*example.data, *example.start, *example.hyper, *example.states, *example.rule.clock[1:]]
    own = [eq for eq in example.backward if not eq.target.name.startswith(adjoint(example.loss, ""))]
    equations = (*example.forward, *own, *example.update)
    names += [eq.target.name for eq in equations if not eq.target.name.endswith("'")]
    return symbols(names, example.loss, example.sample)


def compose(
    trace: Trace, derivation: tuple[Chain, ...], program: str, printed: str, report: Report, footer: str
) -> Document:
    """The page in its order: problem, quantities, derivation, batches, summary, program, checks."""
    example = trace.example
    found = recognize(example)
    rounding = rounding_of(example)
    blocks: list[Block] = [Heading(1, (example.spec.title,))]
    blocks += problem(example, found, rounding)
    blocks += quantities(example)
    blocks += gradient(example, derivation)
    for step in shown_steps(len(trace.steps)):
        blocks += batch_blocks(trace, trace.shown[step - 1], rounding)
    blocks += summary_blocks(trace, rounding)
    blocks += program_blocks(program, printed)
    blocks += check_blocks(trace, report, rounding)
    blocks.append(Prose((footer,)))
    return Document(example.spec.title, tuple(blocks))


# --- the problem ------------------------------------------------------------------------------------


def problem(example: Example, found: dict[str, Recognized], rounding: Rounding) -> Iterator[Block]:
    """Model, loss with its convention, data, start, optimizer, batches, rounding."""
    yield Heading(2, ("The problem",))
    *model, loss = example.forward.equations
    yield Prose(_learn_words(example))
    for eq in model:
        yield Display(formula(eq.target, eq.body))
    words = convention(found.get(example.loss))
    yield Prose((f"The loss is the {words}:" if words else "The loss is",))
    yield Display(formula(loss.target, loss.body))
    yield from _data(example)
    yield Prose(_start_words(example))
    yield from update_blocks(example)
    yield Prose(_batch_words(example))
    yield Prose((_rounding_words(example),))


def _learn_words(example: Example) -> Words:
    many = "parameters" if len(example.parameters) > 1 else "parameter"
    holes = join(["{}"] * len(example.parameters))
    return say(f"We learn the {many} {holes} of the model", *(Ref(name) for name in example.parameters))


def _data(example: Example) -> Iterator[Block]:
    """The data set: a table along the samples, and formulas for what has no sample index."""
    columns = entries_along_samples(example)
    if columns:
        yield Prose((f"The data set has {example.samples} samples:",))
        rows: list[tuple[Words, ...]] = []
        for sample in range(1, example.samples + 1):
            cells = [(formula(exact_number(data_value(example, ref, sample))),) for ref in columns]
            rows.append(((str(sample),), *cells))
        header = ((formula(Ref(example.sample or "i")),), *((formula(ref),) for ref in columns))
        yield Table("data", "r" + "d" * len(columns), header, tuple(rows))
    for name, array in example.data.items():
        if all(ref.name != name for ref in columns):
            parts = _entries(name, array)
            yield Prose(say(f"Given: {', '.join(['{}'] * len(parts))}.", *parts))


def _entries(name: str, array: Array) -> list[Formula]:
    """Every entry with its number: ``w[1] = 0.5``, ``w[2] = -1``."""
    pairs = zip(array.refs(name), array.entries, strict=True)
    return [formula(ref, exact_number(value)) for ref, value in pairs]


def _start_words(example: Example) -> Words:
    parts = [part for name, array in example.start.items() for part in _entries(name, array)]
    return say(f"We start from {join(['{}'] * len(parts))}.", *parts)


def _batch_words(example: Example) -> Words:
    epochs = f"{len(example.batches)} epoch{'s' if len(example.batches) > 1 else ''}"
    if example.sample is None:
        return (f"Every step uses all the data; we work {len(example.batches)} steps.",)
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


# --- quantities and derivation ------------------------------------------------------------------------


def quantities(example: Example) -> Iterator[Block]:
    """The computation graph as a table: node, operation, inputs, local slopes."""
    yield Heading(2, ("The quantities",))
    slope = "the local slope is its derivative by one of its inputs"
    yield Prose((f"Each quantity is computed from earlier ones; {slope}.",))
    header = (("node",), ("operation",), ("inputs",), ("local slopes",))
    rows: list[tuple[Words, ...]] = []
    for eq in example.forward:
        inputs = [ref for ref in refs(eq.body) if ref.name not in example.forward.indices]
        listed = say(", ".join(["{}"] * len(inputs)), *inputs)
        rows.append(((formula(eq.target),), (formula(eq.body),), listed, tuple(_slopes(example, eq))))
    yield Table("quantities", "llll", header, tuple(rows))


def _slopes(example: Example, eq: Equation) -> Iterator[Formula | str]:
    """``∂ŷ/∂w = x`` for every input that is learnt or computed."""
    slopes = local_slopes(example.forward, example.loss, example.parameters)
    for place, (_, subject, slope) in enumerate(part for part in slopes if part[0] == eq):
        if place:
            yield ", "
        whole = subject.body == Ref(example.loss)
        left = Ref(adjoint(example.loss, subject.by.name), subject.by.indices) if whole else subject
        yield formula(left, slope)


def gradient(example: Example, derivation: tuple[Chain, ...]) -> Iterator[Block]:
    """The derivation, one table a chain, with the rule beside each line."""
    yield Heading(2, ("The gradient",))
    yield Prose(("Every line says which rule it uses; numbers in brackets are lines above.",))
    header = (("line",), ("",), ("rule",))
    for chain in derivation:
        rows = []
        for place, line in enumerate(chain.lines):
            shown = formula(chain.subject, line.expr) if place == 0 else formula(("=", line.expr))
            words = reason_words(line.reason, example)
            if line.reason.rule == "definition" and isinstance(chain.subject, (Derivative, Ref)):
                words = say("definition of {}", _defined(chain.subject, example))
            rows.append(((f"({line.number})",), (shown,), words))
        yield Table("derivation", "lll", header, tuple(rows))


def _defined(subject: Derivative | Ref, example: Example) -> Expr:
    return subject.body if isinstance(subject, Derivative) else Ref(example.loss)


def program_blocks(program: str, printed: str) -> Iterator[Block]:
    """The PyTorch program and what it printed."""
    yield Heading(2, ("The same in PyTorch",))
    yield Prose(("A complete program:",))
    yield Listing("python", program)
    yield Prose(("It prints:",))
    yield Listing("text", printed)
