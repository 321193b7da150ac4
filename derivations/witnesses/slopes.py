"""The slopes that rows of the catalogue state, held against torch.autograd.

SymPy differentiates a function of ours by the slope that its row states, so that no proof can find a wrong
one, and the numbers of a page may not meet it (``min(e, 1)`` where what follows is 0). Here each function
of a page is asked at rational points, and at the kinks that its row names, where torch's choice is right.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import cache
from typing import Any

import torch

from derivations.catalogue import functions
from derivations.catalogue.functions import Function
from derivations.language.errors import CheckFailed
from derivations.language.parser import parse
from derivations.language.program import Equation, Program
from derivations.language.tree import Call, Ref, walk
from derivations.numbers.compile import compile_program
from derivations.numbers.systems import EXACT, ball, precision, rational
from derivations.witnesses.torch_rows import torch_function

POINTS, BITS, NEAR = 8, 128, 1e-9
LIMITS = (
    Fraction(-1, 2),
    Fraction(2),
)  # numbers that a function takes beside its operands, the lower one first
ALONE = Fraction(1, 3)


def require_slopes(*programs: Program) -> None:
    """Raise `CheckFailed` if a function of the programs has another slope in torch than its row says."""
    calls = (
        node.function
        for program in programs
        for eq in program
        for node in walk(eq.body)
        if isinstance(node, Call)
    )
    for name in sorted(set(calls)):
        row = functions.BY_NAME[name]
        fault = None if row.over else fault_of(name, repr(row))
        if fault:
            raise CheckFailed(f"not verified: {fault}", hint="No page was written.")


@cache
def fault_of(name: str, content: str) -> str:
    """The first point at which torch has another slope, in words; ``content`` is all that the row says."""
    row = functions.BY_NAME[name]
    for at in places(row):
        for by, theirs in _torch_slopes(row, at).items():
            ours = _worked(row.all_slopes[by], at)
            if not abs(ours - theirs) <= NEAR * (1 + abs(ours)):
                shown = ", ".join(f"{key} = {value}" for key, value in at.items())
                return (
                    f"the slope of {name} by {by} is {ours:.6g} by its row, in torch {theirs:.6g} at {shown}"
                )
    return ""


@cache
def flat(name: str, content: str) -> bool:
    """Whether a function has slope 0 wherever torch is asked, as a sign or a step has.

    ``content`` is all that its row says.
    """
    row = functions.BY_NAME[name]
    return not row.over and not any(any(_torch_slopes(row, at).values()) for at in places(row))


Place = Mapping[str, Fraction]


def places(row: Function) -> Iterator[Place]:
    """Rational points of a row's arguments, the same in every run, then its kinks."""
    chance = random.Random(row.name)
    operands = [name for name in row.arguments if name in row.all_slopes]
    numbers = [name for name in row.arguments if name not in row.all_slopes]
    fixed = dict(zip(numbers, LIMITS if len(numbers) > 1 else (ALONE,), strict=False))
    for _ in range(POINTS if operands else 0):
        drawn = {name: Fraction(chance.randint(-39, 39), 13) for name in operands}
        at = {name: {**fixed, **drawn}[name] for name in row.arguments}
        yield {**at, "x": abs(at["x"]) + ALONE} if row.domain else at
        for kink in row.kinks:
            yield {**at, "x": Fraction(_worked(kink, at)).limit_denominator(1000)}


def _worked(written: str, at: Place) -> float:
    """A formula of a row at a point, by exact arithmetic or balls."""
    run, slot = _function(written, tuple(at))
    with precision(BITS):
        return float(ball(run([rational(value) for value in at.values()])[slot]).mid())


@cache
def _function(written: str, names: tuple[str, ...]) -> tuple[Callable[[Sequence[Any]], list[Any]], int]:
    """A formula over its arguments, and where its value is kept."""
    program = Program((Equation(Ref("slope"), parse(written, functions.NAMES)),), frozenset())
    tape = compile_program(program, dict.fromkeys(names, ()), {})
    return tape.bind(EXACT), tape.slots["slope", ()]


def _torch_slopes(row: Function, at: Place) -> dict[str, float]:
    """torch's slope by every operand; 0 by what it does not differentiate at all."""
    tensors = {
        name: torch.tensor(float(value), dtype=torch.float64, requires_grad=name in row.all_slopes)
        for name, value in at.items()
    }
    value = torch_function(row.name)(*tensors.values())
    if value.requires_grad:
        value.backward()  # type: ignore[no-untyped-call]
    grads = {name: tensors[name].grad for name in row.all_slopes}
    return {name: 0.0 if grad is None else float(grad) for name, grad in grads.items()}
