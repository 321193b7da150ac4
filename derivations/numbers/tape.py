"""The evaluator: a program compiled to a straight-line list of operations.

`compile_program` unrolls the equations over their indices once. Each distinct operation is one
line ``(operation, a, b)`` over numbered slots, whatever the number system; `bind` puts a number
system's own functions in, and `run` is one short loop. Coefficients are folded exactly, and an
operation that occurs twice (the residual in the loss and in the gradient) is done once.
"""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import TypeAlias

from derivations.catalogue import functions
from derivations.language.errors import ArithmeticFault, LanguageError
from derivations.language.parser import parse
from derivations.language.program import Equation, Program, normal_form
from derivations.language.tree import (
    ONE,
    Add,
    Call,
    Count,
    Div,
    Expr,
    Mul,
    Neg,
    Number,
    Pow,
    Ref,
    free_indices,
)
from derivations.numbers.systems import EXACT, PRIMITIVES, Binary, NumberSystem, Value

Entry: TypeAlias = tuple[str, tuple[int, ...]]
Shape: TypeAlias = tuple[int, ...]
MAX_OPERATIONS = 200_000


@dataclass(frozen=True)
class Tape:
    """A compiled program: inputs, constants, operations, and where each entry is kept."""

    inputs: tuple[Entry, ...]
    constants: tuple[Fraction, ...]
    operations: tuple[tuple[str, int, int], ...]
    slots: Mapping[Entry, int]
    owners: tuple[tuple[int, Entry], ...]

    def bind(self, system: NumberSystem) -> Callable[[Sequence[Value]], list[Value]]:
        """A function from input values (in the order of ``inputs``) to the value of every slot."""
        constants = [system.number(value) for value in self.constants]
        names = {name for name, _, _ in self.operations}
        known: dict[str, Binary] = {name: getattr(system, name) for name in names if name in _BASIC}
        known |= {name: function_of(name, system) for name in names if name not in _BASIC}
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


_BASIC = ("add", "sub", "mul", "div", "power")


def label(name: str, positions: Iterable[int]) -> str:
    """The name of an entry as text: ``yhat[3]``, ``W[1, 2]``, ``L``."""
    inside = ", ".join(map(str, positions))
    return f"{name}[{inside}]" if inside else name


def function_of(name: str, system: NumberSystem) -> Binary:
    """A catalogue function in a number system, as an operation that ignores its second operand.

    The formula of a row is worked exactly (or in balls) and only its result goes through the
    number system, as a calculator's key does.
    """
    function = system.lift(name, PRIMITIVES[name] if name in PRIMITIVES else _formula(name))
    return lambda a, _: function(a)


@cache
def _formula(name: str) -> Callable[[Value], Value]:
    row = functions.BY_NAME[name]
    equation = Equation(Ref("f"), parse(row.formula, functions.NAMES))
    tape = compile_program(Program((equation,), frozenset()), {"x": ()}, {})
    run, slot = tape.bind(EXACT), tape.slots["f", ()]
    return lambda a: run([a])[slot]


def compile_program(program: Program, shapes: Mapping[str, Shape], sizes: Mapping[str, int]) -> Tape:
    """Unroll a program over index ranges ``1..sizes[i]``; ``shapes`` are those of its inputs."""
    builder = _Builder(shapes, sizes)
    for equation in program:
        builder.equation(equation)
    return builder.tape()


class _Builder:
    """The state of one compilation."""

    def __init__(self, shapes: Mapping[str, Shape], sizes: Mapping[str, int]) -> None:
        self.sizes, self.names = sizes, set(sizes)
        ranges = {name: [range(1, n + 1) for n in shape] for name, shape in shapes.items()}
        self.inputs = [(name, at) for name in shapes for at in itertools.product(*ranges[name])]
        self.shapes = dict(shapes)
        self.entries: dict[Entry, int] = {entry: slot for slot, entry in enumerate(self.inputs)}
        self.constants: dict[Fraction, int] = {}
        self.values: list[Fraction] = []
        self.lines: dict[tuple[str, int, int], int] = {}
        self.owners: list[tuple[int, Entry]] = []

    # Constants are numbered from -1 downwards; `tape` makes one numbering of all.
    # Inputs are numbered from 0, operations from _OPERATION in the meantime.

    def constant(self, value: Fraction) -> int:
        if value not in self.constants:
            self.constants[value] = -1 - len(self.values)
            self.values.append(value)
        return self.constants[value]

    def value(self, slot: int) -> Fraction | None:
        return self.values[-1 - slot] if slot < 0 else None

    def line(self, operation: str, a: int, b: int) -> int:
        folded = self.fold(operation, a, b)
        if folded is not None:
            return folded
        if len(self.lines) >= MAX_OPERATIONS:
            raise ArithmeticFault(
                f"one step takes more than {MAX_OPERATIONS} operations: too much to work by hand",
                hint="Use fewer samples in a batch, or smaller layers.",
            )
        return self.lines.setdefault((operation, a, b), _OPERATION + len(self.lines))

    def fold(self, operation: str, a: int, b: int) -> int | None:
        x, y = self.value(a), self.value(b)
        if operation == "mul" and 1 in (x, y):
            return b if x == 1 else a
        if operation not in _BASIC or x is None or y is None:
            return None
        found = getattr(EXACT, operation)(EXACT.number(x), EXACT.number(y))
        if not hasattr(found, "q"):  # a root, kept as an operation
            return None
        return self.constant(Fraction(int(found.p), int(found.q)))

    def equation(self, eq: Equation) -> None:
        names = (name for part in eq.target.indices for name in free_indices(part, self.names))
        loops = list(dict.fromkeys(names))  # the diagonal A[i, i] has one loop
        shape = tuple(self.sizes[name] for name in loops)
        for at in itertools.product(*(range(1, n + 1) for n in shape)):
            env = dict(zip(loops, at, strict=True))
            entry = (eq.target.name, tuple(self.position(part, env) for part in eq.target.indices))
            self.owners.append((_OPERATION + len(self.lines), entry))
            try:
                slot = self.body(eq.body, env)
            except ArithmeticFault as fault:
                raise fault.about(label(*entry), f"{label(*entry)}: ") from None
            if entry in self.entries:
                slot = self.line("add", self.entries[entry], slot)
            self.entries[entry] = slot
        self.shapes.setdefault(eq.target.name, shape)

    def body(self, expr: Expr, env: dict[str, int]) -> int:
        slots = []
        for term in normal_form(expr):
            ranges = [range(1, self.sizes[name] + 1) for name in term.over]
            parts = [
                self.expr(term.body, env | dict(zip(term.over, at, strict=True)))
                for at in itertools.product(*ranges)
            ]
            slot = self.chain("add", parts)
            if term.coefficient != ONE:
                slot = self.scaled(term.coefficient, slot, env)
            slots.append(slot)
        return self.chain("add", slots)

    def scaled(self, coefficient: Expr, slot: int, env: dict[str, int]) -> int:
        if isinstance(coefficient, Neg):
            return self.line("sub", self.constant(Fraction(0)), self.scaled(coefficient.argument, slot, env))
        return self.line("mul", self.expr(coefficient, env), slot)

    def chain(self, operation: str, slots: Sequence[int]) -> int:
        found = slots[0]
        for slot in slots[1:]:
            found = self.line(operation, found, slot)
        return found

    def expr(self, expr: Expr, env: dict[str, int]) -> int:
        match expr:
            case Number(value, _):
                return self.constant(value)
            case Count(name):
                return self.constant(Fraction(self.sizes[name]))
            case Ref(name, ()) if name in env:
                return self.constant(Fraction(env[name]))
            case Ref():
                return self.read(expr, env)
            case Neg(a):
                return self.line("sub", self.constant(Fraction(0)), self.expr(a, env))
            case Add(parts):
                return self.sum(parts, env)
            case Mul(parts):
                return self.chain("mul", [self.expr(part, env) for part in parts])
            case Div(a, b):
                return self.line("div", self.expr(a, env), self.expr(b, env))
            case Pow(a, b):
                return self.power(self.expr(a, env), self.expr(b, env))
            case Call(name, parts):
                return self.line(name, self.expr(parts[0], env), self.constant(Fraction(0)))
        raise LanguageError(f"this cannot be evaluated: {expr}")

    def sum(self, parts: tuple[Expr, ...], env: dict[str, int]) -> int:
        found = self.expr(parts[0], env)
        for part in parts[1:]:
            if isinstance(part, Neg):
                found = self.line("sub", found, self.expr(part.argument, env))
            else:
                found = self.line("add", found, self.expr(part, env))
        return found

    def power(self, base: int, exponent: int) -> int:
        if self.value(exponent) == 2:
            return self.line("mul", base, base)
        return self.line("power", base, exponent)

    def position(self, expr: Expr, env: dict[str, int]) -> int:
        slot = self.expr(expr, env)
        value = self.value(slot)
        if value is None or value.denominator != 1:
            raise LanguageError("an index must be a whole number")
        return int(value)

    def read(self, ref: Ref, env: dict[str, int]) -> int:
        entry = (ref.name, tuple(self.position(part, env) for part in ref.indices))
        if entry in self.entries:
            return self.entries[entry]
        shape = self.shapes.get(ref.name)
        if ref.name.startswith("d") and "/" in ref.name and shape is not None:
            return self.constant(Fraction(0))  # no path of the chain rule reaches this entry
        size = f"{ref.name} has shape {shape}" if shape is not None else "it is not computed yet"
        raise LanguageError(f"{label(*entry)} does not exist: {size}", at=ref.at)

    def tape(self) -> Tape:
        inputs, constants = len(self.inputs), len(self.constants)

        def place(slot: int) -> int:
            if slot < 0:
                return inputs + (-1 - slot)
            return slot - _OPERATION + inputs + constants if slot >= _OPERATION else slot

        operations = tuple((name, place(a), place(b)) for name, a, b in self.lines)
        slots = {entry: place(slot) for entry, slot in self.entries.items()}
        owners = tuple((place(slot), entry) for slot, entry in self.owners)
        return Tape(tuple(self.inputs), tuple(self.constants), operations, slots, owners)


_OPERATION = 1 << 40  # operation slots while building; inputs are numbered from 0
