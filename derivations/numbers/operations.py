"""The operations of a tape while it is being built: each distinct one once, constants folded exactly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from derivations.language.errors import ArithmeticFault
from derivations.numbers.systems import EXACT
from derivations.numbers.tape import BASIC, Entry, Tape

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
        folded = self._fold(operation, a, b)
        if folded is not None:
            return folded
        if len(self.lines) >= MAX_OPERATIONS:
            raise ArithmeticFault(
                f"one step takes more than {MAX_OPERATIONS} operations: too much to work by hand",
                hint="Use fewer samples in a batch, or smaller layers.",
            )
        return self.lines.setdefault((operation, a, b), self.next)

    def _fold(self, operation: str, a: int, b: int) -> int | None:
        x, y = self.value(a), self.value(b)
        if operation == "mul" and 1 in (x, y):
            return b if x == 1 else a
        if x is None or y is None:
            return None
        if operation not in BASIC:
            return self._folded_call(operation, x, y)
        found = getattr(EXACT, operation)(EXACT.number(x), EXACT.number(y))
        if not hasattr(found, "q"):  # a root, kept as an operation
            return None
        return self.constant(Fraction(int(found.p), int(found.q)))

    def _folded_call(self, name: str, x: Fraction, y: Fraction) -> int | None:
        """A comparison of constants is one: ``step(t + 1 - s)`` of two indices."""
        found: dict[str, Fraction | int] = {
            "sign": (x > 0) - (x < 0),
            "step": int(x > 0),
            "max": max(x, y),
            "min": min(x, y),
            "floor": x // 1,
        }
        return self.constant(Fraction(found[name])) if name in found else None

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
