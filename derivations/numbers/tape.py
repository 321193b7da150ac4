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

from derivations.language.errors import ArithmeticFault
from derivations.language.program import Equation
from derivations.numbers.systems import NumberSystem, Value
from derivations.numbers.walker import Entry as Entry
from derivations.numbers.walker import folded, operation_of


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
        known = {name: operation_of(name, system) for name in {name for name, _, _ in self.operations}}
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


# --- The operations of a tape while it is being built: each distinct one once, constants folded exactly ---

MAX_OPERATIONS = 200_000
_OPERATION = 1 << 40  # operations while building; inputs are numbered from 0, constants from -1 down


class Operations:
    """Constants and lines ``(operation, a, b)`` with their slots."""

    def __init__(self) -> None:
        self.constants: dict[Fraction, int] = {}
        self.values: list[Fraction] = []
        self.lines: dict[tuple[str, int, int], int] = {}

    @property
    def next(self) -> int:
        """The slot of the next operation."""
        return _OPERATION + len(self.lines)

    def constant(self, value: Fraction) -> int:
        """The slot of a number."""
        if value not in self.constants:
            self.constants[value] = -1 - len(self.values)
            self.values.append(value)
        return self.constants[value]

    def value(self, slot: int) -> Fraction | None:
        """The number in a slot of constants; None for everything else."""
        return self.values[-1 - slot] if slot < 0 else None

    def line(self, operation: str, a: int, b: int) -> int:
        """The slot of an operation, worked once; of constants it is worked now, exactly."""
        x, y = self.value(a), self.value(b)
        if operation == "mul" and 1 in (x, y):
            return b if x == 1 else a
        if (number := folded(operation, x, y)) is not None:
            return self.constant(number)
        if len(self.lines) >= MAX_OPERATIONS:
            raise ArithmeticFault(
                f"one step takes more than {MAX_OPERATIONS} operations: too much to work by hand",
                hint="Use fewer samples in a batch, or smaller layers.",
            )
        return self.lines.setdefault((operation, a, b), self.next)

    def chain(self, operation: str, slots: Sequence[int]) -> int:
        """``a + b + c`` from the left."""
        found = slots[0]
        for slot in slots[1:]:
            found = self.line(operation, found, slot)
        return found

    def zero(self) -> int:
        """The slot of 0."""
        return self.constant(Fraction(0))

    def tape(
        self, entries: Sequence[Entry], kept: Mapping[Entry, int], owners: Sequence[tuple[int, Entry]]
    ) -> Tape:
        """The finished tape over its inputs, in one numbering: inputs, constants, operations."""
        inputs, constants = len(entries), len(self.constants)

        def place(slot: int) -> int:
            if slot < 0:
                return inputs + (-1 - slot)
            return slot - _OPERATION + inputs + constants if slot >= _OPERATION else slot

        operations = tuple((name, place(a), place(b)) for name, a, b in self.lines)
        slots = {entry: place(slot) for entry, slot in kept.items()}
        owned = tuple((place(slot), entry) for slot, entry in owners)
        return Tape(tuple(entries), tuple(self.constants), operations, slots, owned)
