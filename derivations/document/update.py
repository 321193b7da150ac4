"""What a page says about the update: the optimizer with its groups, clipping, schedule, and start."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from derivations.catalogue.algorithm import WHOLE
from derivations.claims.writer import leaf
from derivations.document.blocks import (
    Block,
    Display,
    Message,
    Prose,
    Words,
    counted,
    listed,
    message,
    phrase,
    phrases,
    say,
    series,
)
from derivations.document.columns import OPENING
from derivations.document.introduced import function_words, index_words, prime_words
from derivations.language.names import adjoint, after, second, unprimed
from derivations.language.program import Equation
from derivations.language.tree import Add, Expr, Mul, Neg, Number, Ref, refs
from derivations.model.batching import is_whole
from derivations.model.example import Example
from derivations.model.pace import Group
from derivations.notation.chain import Formula, formula
from derivations.numbers.digits import Rounding
from derivations.numbers.systems import rational
from derivations.programs.optimizer import filled, reads_second

FEW = 3
CLIPPED = phrase("gradients are clipped by {}: {}")
PACES = {
    "step": phrase("the learning rate follows {}, every step: {}"),
    "epoch": phrase("the learning rate follows {}, every epoch: {}"),
}

OPENED = phrases(
    "{1} is carried over from step to step; every step opens with its value.",
    "{1} are carried over from step to step; every step opens with their values.",
)
ELSEWHERE = phrases(
    "{1} is carried over from step to step; the JSON file holds its values.",
    "{1} are carried over from step to step; the JSON file holds their values.",
)


def exact_number(value: Fraction) -> Number:
    """A given number printed in full: a decimal if it ends, else a fraction."""
    printed = Rounding(40)(rational(value))
    return leaf(printed) if printed.exact else Number(value)


def update_blocks(example: Example) -> Iterator[Block]:
    """The optimizer in words, its hyper-parameters, and the equations of an update."""
    if not example.updates:
        yield Prose(say("There is no optimizer: one step shows the gradients, and nothing is updated."))
        return
    yield Prose(_optimizer_words(example))
    shown, others = _one_of_each(example)
    for eq in shown:
        yield Display(update_formula(example, eq))
    if others:
        yield Prose(say("and the same for {}.", listed(list(map(Ref, others)))))
    yield from introductions(example, shown)
    yield from _remarks(example)


def _optimizer_words(example: Example) -> Words:
    row = example.rule.row
    knobs = [formula(Ref(name), exact_number(value)) for name, value in example.hyper.items()]
    said = series([*_row_words(example), *_conventions(example)], ";")
    if knobs:
        return say("The optimizer is {} ({}) with {}:", row.name, said, listed(knobs))
    return say("The optimizer is {} ({}):", row.name, said)


def _row_words(example: Example) -> Iterator[Message]:
    """The convention of the row in every group, and what is maximized; once where the groups agree."""
    groups = [group for group in example.rule.groups if group.parameters]
    whole = all(is_whole(epoch, example.samples) for epoch in example.batches)
    words = [tuple(_group_words(example, group, whole)) for group in groups]
    if all(each == words[0] for each in words):
        yield from words[0]
        return
    for group, own in zip(groups, words, strict=True):
        yield message("for {}: {}", listed(list(map(Ref, group.parameters))), series(own, ";"))


def _group_words(example: Example, group: Group, whole: bool) -> Iterator[Message]:
    row = example.rule.row
    known = {**group.values, WHOLE: whole or example.sample is None}
    given = [name for name in row.conventions if known[name]]
    yield message(row.conventions[given[0]] if given else row.convention)
    if group.values.get("maximize"):
        yield message("{} is maximized: gradients enter with the opposite sign", Ref(example.loss))


def _conventions(example: Example) -> Iterator[Message]:
    """The conventions of clipping and schedule."""
    rule = example.rule
    if rule.clip:
        yield message(CLIPPED, message(rule.clip.name), message(rule.clip.convention))
    if rule.pace:
        row = rule.pace.row
        yield message(PACES[rule.pace.every], row.name, message(row.convention))


def _one_of_each(example: Example) -> tuple[list[Equation], list[str]]:
    """All update equations if they are few, else those of one parameter a group, and the other names."""
    equations = list(example.update)
    if len(equations) <= FEW:
        return equations, []
    first = [group.parameters[0] for group in filled(example)]
    shown = [eq for eq in equations if example.rule.owner(eq.target.name) in {"", *first}]
    return shown, [name for name in example.start if name not in first]


def update_formula(example: Example, eq: Equation) -> Formula:
    """``w ← w - η dL/dw`` for a parameter, ``m' = …`` for everything else."""
    name = unprimed(eq.target.name)
    if name in example.start:
        return formula(Ref(name, eq.target.indices), ("←", eq.body))
    return formula(eq.target, eq.body)


def introductions(example: Example, shown: list[Equation]) -> Iterator[Block]:
    """What the symbols of these update equations mean that the model has not: letters, state, primes."""
    told = [part for eq in example.forward for part in (eq.target, eq.body)]
    found = _shown(example, shown)
    parts = [*index_words(example, found, told), *function_words(found, told)]
    kept = [ref for name in example.states for ref in _first_reads([*found, *told], name)]
    if kept:
        parts.append(counted(*(OPENED if _opens_with_all(example) else ELSEWHERE), len(kept), listed(kept)))
    parts += prime_words(found)
    if parts:
        yield Prose((series(parts, ""),))


def _opens_with_all(example: Example) -> bool:
    """Whether every step is shown to open with the values of all that goes from step to step."""
    wanted = "steps" in example.spec.page.parts
    return wanted and sum(len(array.entries) for array in example.kept.values()) <= OPENING


def _shown(example: Example, equations: list[Equation]) -> list[Expr]:
    """The sides of update equations as they are printed."""
    return [side.expr for eq in equations for side in update_formula(example, eq).sides]


def shows_primes(example: Example) -> bool:
    """Whether the equations of the update are shown with primes, and so have explained them."""
    wanted = "problem" in example.spec.page.parts
    return wanted and bool(prime_words(_shown(example, _one_of_each(example)[0])))


def _first_reads(found: list[Expr], name: str) -> list[Ref]:
    return [ref for expr in found for ref in refs(expr) if ref.name == name][:1]


def _remarks(example: Example) -> Iterator[Block]:
    """What a reader of the equations still has to know."""
    rule = example.rule
    read = {ref.name for eq in example.update for ref in refs(eq.body)}
    if rule.first > 1:
        first = formula(Ref("t"), Number(Fraction(rule.first)))
        yield Prose(say("The run goes on from earlier steps: the first step here has {}.", first))
    elif "t" in read:
        yield Prose(say("The steps are counted by {}, from 1.", Ref("t")))
    if "epoch" in read:
        yield Prose(say("The epochs are counted by {}, from 1.", Ref("epoch")))
    if reads_second(example):
        name = second(next(iter(example.start)))
        first_one = Ref(adjoint(example.loss, next(iter(example.start))))
        words = phrase("{} is the second derivative of the loss, the derivative of {}.")
        yield Prose(say(words, Ref(name), first_one))
    if rule.row.casts:
        yield Prose(
            say(
                "{} itself works with the few digits of {} inside; it is run "
                "here without that cast, in float64, and the program below writes the update out.",
                rule.row.torch,
                rule.row.casts,
            )
        )


def is_plain_descent(example: Example) -> bool:
    """Whether every parameter goes against its gradient, scaled by a learning rate and nothing else."""
    if len(example.update.equations) != len(example.start):
        return False
    for eq in example.update:
        name = unprimed(eq.target.name)
        rate = Ref(example.rule.group(name).named("lr"))
        entry = Ref(name, eq.target.indices)
        slope = Ref(adjoint(example.loss, name), eq.target.indices)
        if eq.target.name != after(name) or eq.body != Add((entry, Neg(Mul((rate, slope))))):
            return False
    return True
