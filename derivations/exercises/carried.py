"""Error carried forward: the run of a variant worked on from what the student wrote for earlier answers.

The tape is run again with the student's value in the slot of each answer. In `TREES` a value may also be an
expression: with a letter in the place of every answer, later answers come out as formulas in the earlier
ones, which a learning system can work by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from flint import arb, fmpq

from derivations.exercises.asked import Asked
from derivations.language.names import after
from derivations.language.products import product, total
from derivations.language.tree import Call, Div, Expr, Neg, Number, Pow, Ref, number
from derivations.model.example import Example
from derivations.numbers.systems import EXACT, NumberSystem, Unary, Value, fraction
from derivations.numbers.tape import Tape
from derivations.numbers.walker import operation_of
from derivations.run.training import Step

DIGITS = 18  # significant, of a number in a formula that is not exact


def worked_on(
    steps: Sequence[Step],
    example: Example,
    asked: Sequence[Asked],
    given: Mapping[str, Any],
    system: NumberSystem = EXACT,
) -> dict[str, Any]:
    """What each answer should be if the earlier ones are ``given``, by their keys.

    An answer that is given does not count for itself, only for what comes after it.
    """
    found: dict[str, Any] = {}
    kept: dict[tuple[str, tuple[int, ...]], Any] = {}
    for step in steps:
        own = {
            step.layout.tape.slots[each.quantity, each.positions]: each
            for each in asked
            if each.step == step.number
        }
        if not own and step.number > max(each.step for each in asked):
            break
        inputs = [
            kept.get(entry, system_number(step.memory[slot], system))
            for slot, entry in enumerate(step.layout.tape.inputs)
        ]
        memory = _run(step.layout.tape, inputs, system, own, given, found)
        for name, array in example.kept.items() if example.updates else ():
            slots = step.layout.tape.slots
            kept |= {(name, at): memory[slots[after(name), at]] for at in array.positions()}
    return found


def system_number(value: Value, system: NumberSystem) -> Any:
    """A value of the run in another arithmetic; a ball stays one."""
    return value if isinstance(value, arb) else system.number(fraction(value))


def _run(
    tape: Tape,
    inputs: list[Any],
    system: NumberSystem,
    own: Mapping[int, Asked],
    given: Mapping[str, Any],
    found: dict[str, Any],
) -> list[Any]:
    """The memory of a step, with what is given in the place of what is worked."""
    memory = [*inputs, *map(system.number, tape.constants)]

    def settle(slot: int) -> None:
        if slot in own:
            key = own[slot].key
            found[key] = memory[slot]
            memory[slot] = given.get(key, memory[slot])

    for slot in range(len(memory)):
        settle(slot)
    for name, a, b in tape.operations:
        memory.append(operation_of(name, system)(memory[a], memory[b]))
        settle(len(memory) - 1)
    return memory


def formulas(steps: Sequence[Step], example: Example, asked: Sequence[Asked]) -> dict[str, Expr]:
    """Each answer that depends on earlier ones as a formula in them: each stands there as ``Ref(key)``."""
    letters = {each.key: Ref(each.key) for each in asked}
    found = worked_on(steps, example, asked, letters, TREES)
    return {key: value for key, value in found.items() if isinstance(value, Expr)}


# --- an arithmetic in which a value may be an expression ----------------------------------------------------


def tree_of(value: Any) -> Expr:
    """A value as an expression: a number with its sign in front, exact if it is."""
    if isinstance(value, Expr):
        return value
    known = _near(value) if isinstance(value, arb) else fraction(value)
    return Neg(_plain(-known)) if known < 0 else _plain(known)


def _plain(value: Fraction) -> Expr:
    ends = value.denominator
    while ends % 2 == 0:
        ends //= 2
    while ends % 5 == 0:
        ends //= 5
    return number(value) if ends == 1 else Div(number(value.numerator), number(value.denominator))


def _near(value: arb) -> Fraction:
    """A decimal near the middle of a ball."""
    return Fraction(value.mid().str(DIGITS, radius=False))


def _either(exact: Callable[..., Any], tree: Callable[..., Expr]) -> Callable[..., Any]:
    """The operation of numbers, or of expressions where one of them is an expression."""

    def work(*given: Any) -> Any:
        if any(isinstance(each, Expr) for each in given):
            return tree(*map(tree_of, given))
        return exact(*given)

    return work


def _lift(name: str, function: Unary) -> Callable[..., Any]:
    return _either(function, lambda *parts: Call(name, parts))


def _times(a: Expr, b: Expr) -> Expr:
    return number(0) if Number(Fraction(0)) in (a, b) else product(a, b)


TREES = NumberSystem(
    "trees",
    lambda value: fmpq(value.numerator, value.denominator),
    _either(EXACT.add, lambda a, b: total(a, b)),
    _either(EXACT.sub, lambda a, b: total(a, product(Neg(b)))),
    _either(EXACT.mul, _times),
    _either(EXACT.div, lambda a, b: Div(a, b)),
    _either(EXACT.power, lambda a, b: Pow(a, b)),
    _lift,
)
