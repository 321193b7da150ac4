"""Optimizers, clippings and schedules of the catalogue held against torch where a page need not go.

A branch of an update that has no influence on the numbers of a page, as a clipping that does not bind, is
seen by no witness of that page. Here each row of a page takes some steps of its own: the gradients are drawn
over many sizes, with zeros, and the hyper-parameters at their defaults and far from them, so that every
branch is taken. The equations are those of the page, and torch takes every step from our values; a row that
torch does not have is held against the text in which it is written down again.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from fractions import Fraction
from functools import lru_cache, partial

import torch

from derivations.catalogue.algorithm import Clipping, Optimizer, Schedule
from derivations.language.content import Content
from derivations.language.errors import ArithmeticFault, CheckFailed, SpecError
from derivations.language.names import adjoint
from derivations.model.example import Example, prepare
from derivations.model.rows import letters, lines_of, vanishing
from derivations.numbers.float64 import FLOAT64, enclose, nearest_float
from derivations.numbers.systems import Undecided, precision
from derivations.programs.optimizer import decimal, reads_second
from derivations.run.training import Step, Trace, certified, train
from derivations.spec.spec import parse_spec
from derivations.witnesses.check import Check
from derivations.witnesses.entries import as_tensor
from derivations.witnesses.optimizer import UpdateWitness, default_type, without_cast
from derivations.witnesses.quick_start import without_compiler
from derivations.witnesses.second_reading import second_reading
from derivations.witnesses.torch_rows import lacking

STEPS, DRAWS, RATES = 12, 5, 24  # steps of a run; runs of an optimizer; runs of a schedule, which cost little
SIZES = ("0", "1e-9", "0.001", "0.1", "1", "10")  # of the entries of a gradient
FAR = ("0.02", "0.3", "0.8", "1.5", "4")  # a hyper-parameter, in the place of its default
BELOW_ONE, WHOLE = ("0.5", "0.7", "0.9"), ("2", "3", "5", "13")
INDICES = ("", "[k]", "[k, l]")
Given = Mapping[str, Fraction]
Row = Optimizer | Clipping | Schedule


def require_update_rows(example: Example) -> None:
    """Raise `CheckFailed` if a row by which the example is updated takes another step than its witness."""
    rule = example.rule
    asked: list[tuple[Row, Given]] = [(rule.row, vanishing(rule.row, group.values)) for group in rule.groups]
    asked += [(row, {}) for row in (rule.clip, rule.pace and rule.pace.row) if row]
    own = tuple(sorted({min(len(axes), 2) for axes in rule.axes.values()}))
    for row, fixed in asked:
        has_witness = not lacking(row.torch) if row.torch else bool(getattr(row, "again", ""))
        fault = fault_of(Content(repr(row), row), (*fixed.items(),), own) if has_witness else ""
        if fault:
            raise CheckFailed(f"not verified: {fault}", hint="No page was written.")


def fault_of(row: Content[Row], fixed: tuple[tuple[str, Fraction], ...], own: tuple[int, ...]) -> str:
    """The first difference between a row and its witness, in words.

    ``fixed`` are hyper-parameters that stand as numbers in its equations, ``own`` how many indices the
    parameters have.
    """
    return _first_fault(row, fixed, own if _names_entries(row) else ranks_of(row.of))


@lru_cache(maxsize=256)
def _names_entries(row: Content[Row]) -> bool:
    """Whether an optimizer has other equations for other numbers of indices."""
    of = row.of
    return isinstance(of, Optimizer) and bool(letters(lines_of(of, ("k", "l")[: min(2, of.indices[1])])))


def ranks_of(row: Row) -> tuple[int, ...]:
    """The numbers of indices of the parameters on which a row is tried that does not tell them apart."""
    match row:
        case Optimizer():
            return (min(1, row.indices[1]),)
        case Clipping():
            return (0, 1)
    return (0,)


@lru_cache(maxsize=256)
def _first_fault(row: Content[Row], fixed: tuple[tuple[str, Fraction], ...], ranks: tuple[int, ...]) -> str:
    faults = (_fault(row.of, example) for example in tried(row.of, dict(fixed), ranks))
    with without_compiler():
        return next(filter(None, faults), "")


def _fault(row: Row, example: Example) -> str:
    witness = row.torch or "its second text"
    if reads_second(
        example
    ):  # a loss of slope alone has none; and such a row has one branch, that of its page
        return ""
    try:
        trace = certified(partial(train, example))
    except ArithmeticFault as fault:
        can = bool(row.torch) and torch_can(example)
        return f"the update of {row.name} cannot be worked where {witness} can: {fault}" if can else ""
    try:
        wrong = next((check for check in _checks(trace) if not check.ok), None)
    except (ValueError, Undecided):  # numbers that torch does not take, or of which float64 keeps no digit
        return ""
    return "" if wrong is None else f"the update of {row.name} is not that of {witness}: {wrong}"


def tried(row: Row, fixed: Given, ranks: tuple[int, ...]) -> Iterator[Example]:
    """Runs of a row, the same in every build: with its defaults, then with other hyper-parameters."""
    chance = random.Random(row.name)
    for draw in range(RATES if isinstance(row, Schedule) else DRAWS):
        knobs = _in_order(row, {name: _knob(row, name, fixed, draw, chance) for name in row.hyper})
        try:
            yield prepare(*parse_spec(_spec(row, knobs, ranks, chance)))
        except SpecError:  # numbers that cannot stand together
            continue


def _knob(row: Row, name: str, fixed: Given, draw: int, chance: random.Random) -> str:
    """A hyper-parameter as a spec says it: fixed, by default, or drawn within its limits."""
    default = row.hyper[name]
    if name in fixed:
        return ("false", "true")[int(fixed[name])] if name in row.flags else "0"
    if default and default != "0" and (draw == 0 or chance.random() < 1 / 3):
        return decimal(round(Fraction(default) * 10**40) / Fraction(10**40))  # 1/3 is no number of a spec
    if name in getattr(row, "lists", ()):
        return "[2, 3, 7]"
    least, below = dict(row.limits).get(name, (None, None))
    values = WHOLE if name in getattr(row, "whole", ()) else BELOW_ONE if below else FAR
    drawn = chance.choice([value for value in values if Fraction(value) >= (least or 0)])
    return f"-{drawn}" if (default or "").startswith("-") else drawn


def _in_order(row: Row, knobs: dict[str, str]) -> dict[str, str]:
    """Numbers without limits stay in the order of their defaults, as a least and a largest step."""
    free = [name for name in knobs if name not in {*row.limits, *row.flags} and row.hyper[name]]
    by_default = sorted(free, key=lambda name: Fraction(row.hyper[name] or "0"))
    return {**knobs, **dict(zip(by_default, sorted((knobs[n] for n in free), key=Fraction), strict=True))}


def _spec(row: Row, knobs: Mapping[str, str], ranks: tuple[int, ...], chance: random.Random) -> str:
    """A loss whose gradients are the data: that of each step is the row of its sample."""
    loss, data, start = list[str](), list[str](), list[str]()
    for rank in ranks:
        at = INDICES[rank]
        letters = [letter for letter in "kl" if letter in at]
        term = f"drawn{rank}[{', '.join(['i', *letters])}]*param{rank}{at}"
        loss.append(
            f"mean({''.join('sum(' for _ in letters)}{term}{''.join(f', {k})' for k in letters[::-1])}, i)"
        )
        data.append(f"drawn{rank} = {[_array(rank, chance) for _ in range(STEPS)]}".replace("'", ""))
        start.append(f"param{rank} = {_array(rank, chance)}".replace("'", ""))
    whole = isinstance(row, Optimizer) and row.full_batch
    size = f"epochs = {STEPS}" if whole else "batch_size = 1"
    return "\n".join(
        [
            f'title = "{row.name}"\n[model]\nequations = "loss = {" + ".join(loss)}"\n[data]',
            *[*data, "[parameters]", *start],
            f"[training]\n{size}\n{_training(row, knobs)}",
        ]
    )


def _array(rank: int, chance: random.Random) -> object:
    """Numbers of many sizes, as texts: one, three, or two by three."""
    if rank == 0:
        return decimal(chance.choice((-1, 1)) * chance.randint(1, 9) * Fraction(chance.choice(SIZES)))
    return [_array(rank - 1, chance) for _ in range(3 if rank == 1 else 2)]


def _training(row: Row, knobs: Mapping[str, str]) -> str:
    """The table of training that uses a row, beside plain gradient descent where it is no optimizer."""
    pairs = "".join(f", {name} = {value}" for name, value in knobs.items())
    match row:
        case Optimizer():
            return f'optimizer = {{ name = "{row.name}"{pairs} }}'
        case Clipping():
            limit = f"clip = {{ {row.name} = {knobs['clip']} }}"
            return f'optimizer = {{ name = "SGD", lr = 0.1 }}\n{limit}'
    pace = f'schedule = {{ name = "{row.name}", every = "step"{pairs} }}'
    return f'optimizer = {{ name = "SGD", lr = 0.1 }}\n{pace}'


# --- what the witness says ---------------------------------------------------------------------------------


def _checks(trace: Trace) -> Iterator[Check]:
    """Every new value of a run against that of the witness, which starts each step from our values."""
    witness = UpdateWitness(trace.example)
    for step in trace.steps:
        tape = step.layout.tape
        with precision(trace.bits), default_type(torch.float64):
            bounds = tape.bind(FLOAT64)([enclose(value) for value in step.memory[: len(tape.inputs)]])
            for name, array in trace.example.start.items():
                leaf = witness.load(name, as_tensor(step, name, array.shape))
                leaf.grad = _gradient(trace.example, step, name)
            if witness.torch is None:
                yield from second_reading(trace.example, step, bounds, witness.leaves, {})
            else:
                yield from witness.stepped(step, bounds)


def _gradient(example: Example, step: Step, name: str) -> torch.Tensor:
    array, slope = example.start[name], adjoint(example.loss, name)
    found = [nearest_float(step.at(slope, at)) for at in array.positions()]
    return torch.tensor(found, dtype=torch.float64).reshape(array.shape)


def torch_can(example: Example) -> bool:
    """Whether torch alone comes through a run with finite numbers."""
    witness = UpdateWitness(example)
    for name, array in example.start.items():
        witness.load(
            name, torch.tensor(list(map(float, array.entries)), dtype=torch.float64).reshape(array.shape)
        )
    with default_type(torch.float64), without_cast(example.rule.row.casts):
        for place in range(STEPS):
            for name, leaf in witness.leaves.items():
                drawn = example.data[name.replace("param", "drawn")]
                size = len(drawn.entries) // STEPS
                own = drawn.entries[place * size : (place + 1) * size]
                leaf.grad = torch.tensor(list(map(float, own)), dtype=torch.float64).reshape(leaf.shape)
            witness.torch.step()
    return all(bool(torch.isfinite(leaf).all()) for leaf in witness.leaves.values())
