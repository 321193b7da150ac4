"""The evaluator: a program as a straight-line list of operations.

Each distinct operation is one line ``(operation, a, b)`` over numbered slots, whatever the number
system; `Tape.bind` puts a number system's own functions in, and the function that it gives is one
short loop. Programs become tapes in `derivations.numbers.compile`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TypeAlias

from derivations.language.errors import ArithmeticFault
from derivations.language.program import Equation
from derivations.numbers.pointwise import function_of
from derivations.numbers.systems import Binary, NumberSystem, Value

Entry: TypeAlias = tuple[str, tuple[int, ...]]
BASIC = ("add", "sub", "mul", "div", "power")


@dataclass(frozen=True)
class Tape:
    """A compiled program: inputs, constants, operations, and where each entry is kept.

    ``plan`` says which equations, at which values of their letters, add up to each entry.
    """

    inputs: tuple[Entry, ...]
    constants: tuple[Fraction, ...]
    operations: tuple[tuple[str, int, int], ...]
    slots: Mapping[Entry, int]
    owners: tuple[tuple[int, Entry], ...]
    plan: Mapping[Entry, Sequence[tuple[Equation, Mapping[str, int]]]] = field(
        default_factory=dict, repr=False
    )

    def bind(self, system: NumberSystem) -> Callable[[Sequence[Value]], list[Value]]:
        """A function from input values (in the order of ``inputs``) to the value of every slot."""
        constants = [system.number(value) for value in self.constants]
        names = {name for name, _, _ in self.operations}
        known: dict[str, Binary] = {name: getattr(system, name) for name in names if name in BASIC}
        known |= {name: function_of(name, system) for name in names if name not in BASIC}
        code = [(known[name], a, b) for name, a, b in self.operations]

        def run(values: Sequence[Value]) -> list[Value]:
            memory = [*values, *constants]
            push = memory.append
            try:
                for operation, a, b in code:
                    push(operation(memory[a], memory[b]))
            except ArithmeticFault as fault:
                owner = self.owner(len(memory))
                raise fault.about(owner, f"{owner}: ") from None
            return memory

        return run

    def owner(self, slot: int) -> str:
        """The entry that was being computed when a slot was filled."""
        at = bisect_right(self.owners, (slot, ("\uffff", ())))
        return label(*self.owners[at - 1][1]) if at else "a constant"


def label(name: str, positions: Iterable[int]) -> str:
    """The name of an entry as text: ``yhat[3]``, ``W[1, 2]``, ``L``."""
    inside = ", ".join(map(str, positions))
    return f"{name}[{inside}]" if inside else name
