"""From a program to a tape: the equations unrolled over their indices, once.

Entries are worked in the order of their dependencies, so that a recurrence ``h[t]`` may read
``h[t - 1]`` and equations may stand in any order. Coefficients are folded exactly, and an operation
that occurs twice (the residual in the loss and in the gradient) is done once. A product with a factor
that is 0 whatever the data (a gate that is closed, a padded read outside its array) is not worked.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from typing import TypeAlias

from derivations.language.errors import ArithmeticFault, LanguageError
from derivations.language.names import adjoint_of
from derivations.language.program import Equation, Program, Term, normal_form
from derivations.language.ranges import whole_number
from derivations.language.tree import (
    ONE,
    Add,
    Call,
    Chosen,
    Count,
    Div,
    Expr,
    Largest,
    Mul,
    Neg,
    Number,
    Pow,
    Ref,
    free_indices,
    values,
)
from derivations.numbers.pointwise import formula_with, is_key
from derivations.numbers.tape import Entry, Operations, Tape, label

Shape: TypeAlias = tuple[int, ...]
Env: TypeAlias = Mapping[str, int]


def compile_program(
    program: Program,
    shapes: Mapping[str, Shape],
    sizes: Mapping[str, int],
    whole: Mapping[Entry, int] | None = None,
) -> Tape:
    """Unroll a program over index ranges ``1..sizes[i]``; ``shapes`` are those of its inputs.

    ``whole`` are the values of inputs that are used as indices: ``token[i]`` in ``E[token[i], k]``.
    Raises `LanguageError` for an entry that does not exist or depends on itself.
    """
    deepest = sys.getrecursionlimit()
    sys.setrecursionlimit(max(deepest, 50_000))  # a recurrence over t is as deep as t is long
    try:
        return _Builder(program, shapes, sizes, whole or {}).tape()
    finally:
        sys.setrecursionlimit(deepest)


def _fits(pair: tuple[Expr, int]) -> bool:
    """Whether an index of a target takes a value: letters count from 1."""
    part, place = pair
    return part.value == place if isinstance(part, Number) else place >= 1


class _Builder:
    """The state of one compilation."""

    def __init__(
        self,
        program: Program,
        shapes: Mapping[str, Shape],
        sizes: Mapping[str, int],
        whole: Mapping[Entry, int],
    ) -> None:
        self.sizes, self.names, self.whole = sizes, set(sizes), whole
        self.lookups = {name for name, _ in whole}
        ranges = {name: [range(1, n + 1) for n in shape] for name, shape in shapes.items()}
        self.inputs = [(name, at) for name in shapes for at in itertools.product(*ranges[name])]
        self.entries: dict[Entry, int] = {entry: slot for slot, entry in enumerate(self.inputs)}
        self.ops = Operations()
        self.owners: list[tuple[int, Entry]] = []
        self.working: list[Entry] = []
        self.plan: dict[Entry, list[tuple[Equation, Env]]] = {}
        self.positions: dict[str, dict[tuple[int, ...], None]] = {}
        for name, at in self.inputs:
            self.positions.setdefault(name, {})[at] = None
        for eq in program:
            self.write(eq)
        for entry in self.plan:
            self.entry(entry)

    # --- the plan: which equations write which entry

    def write(self, eq: Equation) -> None:
        """Plan every entry of an equation; several equations of one entry add up."""
        name = eq.target.name
        known = self.positions.setdefault(name, {})
        for env in self.loops(eq.target):
            entry = self.place(eq.target, env)
            self.plan.setdefault(entry, []).append((eq, env))
            known[entry[1]] = None

    def loops(self, target: Ref) -> list[Env]:
        """The values of a target's letters; an adjoint has the entries of what it is the adjoint of."""
        of = adjoint_of(target.name)
        if of is not None and of in self.positions:
            pairs = [list(zip(target.indices, at, strict=True)) for at in self.positions[of]]
            self.names |= {part.name for part in target.indices if isinstance(part, Ref)}
            return [
                {p.name: k for p, k in own if isinstance(p, Ref)} for own in pairs if all(map(_fits, own))
            ]
        names = [name for part in target.indices for name in free_indices(part, self.names)]
        names = list(dict.fromkeys(names))  # the diagonal A[i, i] has one loop
        ranges = (range(1, self.sizes[name] + 1) for name in names)
        return [dict(zip(names, at, strict=True)) for at in itertools.product(*ranges)]

    def entry(self, entry: Entry) -> int:
        """The slot of an entry, worked now if it has not been."""
        if entry in self.entries:
            return self.entries[entry]
        if entry in self.working:
            raise LanguageError(
                f"{label(*entry)} depends on itself",
                at=self.plan[entry][0][0].target.at,
                hint="A recurrence reads an earlier entry: h[t - 1] in the equation of h[t].",
            )
        self.working.append(entry)
        self.owners.append((self.ops.next, entry))
        try:
            slots = [self.body(eq.body, env) for eq, env in self.plan[entry]]
            found = self.entries[entry] = self.ops.chain("add", slots)
        except ArithmeticFault as fault:
            raise fault.about(label(*entry), f"{label(*entry)}: ") from None
        self.working.pop()
        if self.working:
            self.owners.append((self.ops.next, self.working[-1]))
        return found

    # --- expressions

    def body(self, expr: Expr, env: Env) -> int:
        slots = [slot for term in normal_form(expr) if (slot := self.term(term, env)) is not None]
        return self.ops.chain("add", slots) if slots else self.ops.zero()

    def term(self, term: Term, env: Env) -> int | None:
        """The slot of a term; None if all of it is closed."""
        if self.closed(term.coefficient, env):
            return None
        ranges = [range(1, self.sizes[name] + 1) for name in term.over]
        envs = [{**env, **dict(zip(term.over, at, strict=True))} for at in itertools.product(*ranges)]
        parts = [self.expr(term.body, inner) for inner in envs if not self.closed(term.body, inner)]
        if not parts and term.gates:
            raise LanguageError("the largest of no entry at all: the window lies outside its array")
        if not parts:
            return None
        slot = self.ops.chain("max" if term.gates else "add", parts)
        return slot if term.coefficient == ONE else self.scaled(term.coefficient, slot, env)

    def scaled(self, coefficient: Expr, slot: int, env: Env) -> int:
        if isinstance(coefficient, Neg):
            return self.ops.line("sub", self.ops.zero(), self.scaled(coefficient.argument, slot, env))
        return self.ops.line("mul", self.expr(coefficient, env), slot)

    def closed(self, expr: Expr, env: Env) -> bool:
        """Whether a product is 0 whatever the data: a closed gate, or a padded read outside its array."""
        match expr:
            case Mul(parts):
                return any(self.closed(part, env) for part in parts)
            case Neg(a) | Div(a, _):
                return self.closed(a, env)
            case Ref(padded=True):
                name, at = self.place(expr, env)
                return at not in self.positions.get(name, {})
            case Largest(a, bound):  # a window that lies outside altogether
                return all(self.closed(a, {**env, bound: k}) for k in range(1, self.sizes[bound] + 1))
            case Call("same", (a, b)):
                return self.position(a, env) != self.position(b, env) if self.is_index(a, b) else False
        return False

    def is_index(self, *exprs: Expr) -> bool:
        """Whether expressions are made of indices, numbers and whole inputs only."""
        return all(
            isinstance(node, (Number, Neg, Add, Mul))
            or (isinstance(node, Ref) and node.name in self.names | self.lookups)
            for expr in exprs
            for node in values(expr)
        )

    def chosen(self, node: Chosen, env: Env) -> int:
        """``[x_k > all before] [x_k >= all after]``: 1 for the first of the largest entries."""
        here = self.position(node.at, env)
        places = [{**env, node.index: k} for k in range(1, self.sizes[node.index] + 1)]
        inside = [(k, place) for k, place in enumerate(places, 1) if not self.closed(node.body, place)]
        if here not in [k for k, _ in inside]:
            return self.ops.zero()
        slots = {k: self.body(node.body, place) for k, place in inside}
        before = [slot for k, slot in slots.items() if k < here]
        after = [slot for k, slot in slots.items() if k > here]
        found = self.ops.constant(Fraction(1))
        if before:
            found = self.ops.line(
                "step", self.ops.line("sub", slots[here], self.ops.chain("max", before)), self.ops.zero()
            )
        if after:
            below = self.ops.line("sub", self.ops.chain("max", after[::-1]), slots[here])
            least = self.ops.line(
                "sub", self.ops.constant(Fraction(1)), self.ops.line("step", below, self.ops.zero())
            )
            found = self.ops.line("mul", found, least)
        return found

    def expr(self, expr: Expr, env: Env) -> int:
        match expr:
            case Number(value, _):
                return self.ops.constant(value)
            case Count(name):
                return self.ops.constant(Fraction(self.sizes[name]))
            case Ref(name, ()) if name in env:
                return self.ops.constant(Fraction(env[name]))
            case Ref():
                return self.read(expr, env)
            case Neg(a):
                return self.ops.line("sub", self.ops.zero(), self.expr(a, env))
            case Add(parts):
                return self.sum(parts, env)
            case Mul(parts):
                return self.ops.zero() if self.closed(expr, env) else self.product(parts, env)
            case Div(a, b):
                return (
                    self.ops.zero()
                    if self.closed(a, env)
                    else self.ops.line("div", self.expr(a, env), self.expr(b, env))
                )
            case Pow(a, b):
                return self.power(self.expr(a, env), self.expr(b, env))
            case Call(name, parts):
                return self.call(name, parts, env)
            case Chosen():
                return self.chosen(expr, env)
            case Largest():
                return self.body(expr, env)
        raise LanguageError(f"this cannot be evaluated: {expr}")

    def product(self, parts: tuple[Expr, ...], env: Env) -> int:
        return self.ops.chain("mul", [self.expr(part, env) for part in parts])

    def call(self, name: str, parts: tuple[Expr, ...], env: Env) -> int:
        if name == "same" and self.is_index(*parts):
            a, b = (self.position(part, env) for part in parts)
            return self.ops.constant(Fraction(int(a == b)))
        if not is_key(name):
            return self.expr(formula_with(name, parts), env)
        slots = [self.expr(part, env) for part in parts]
        return self.ops.line(name, *(*slots, self.ops.zero(), self.ops.zero())[:2])

    def sum(self, parts: tuple[Expr, ...], env: Env) -> int:
        found = self.expr(parts[0], env)
        for part in parts[1:]:
            if isinstance(part, Neg):
                found = self.ops.line("sub", found, self.expr(part.argument, env))
            else:
                found = self.ops.line("add", found, self.expr(part, env))
        return found

    def power(self, base: int, exponent: int) -> int:
        if self.ops.value(exponent) == 2:
            return self.ops.line("mul", base, base)
        return self.ops.line("power", base, exponent)

    def position(self, expr: Expr, env: Env) -> int:
        """The whole number that an index expression is."""
        return whole_number(expr, env, lambda ref: self.whole.get(self.place(ref, env)))

    def place(self, ref: Ref, env: Env) -> Entry:
        return ref.name, tuple(self.position(part, env) for part in ref.indices)

    def read(self, ref: Ref, env: Env) -> int:
        entry = self.place(ref, env)
        if entry in self.entries:
            return self.entries[entry]
        if entry in self.plan:
            return self.entry(entry)
        if ref.padded or adjoint_of(ref.name) is not None:
            return self.ops.zero()  # outside the array; or no path of the chain rule reaches this entry
        raise LanguageError(f"{label(*entry)} does not exist: {self.extent(ref.name)}", at=ref.at)

    def extent(self, name: str) -> str:
        places = list(self.positions.get(name, ()))
        if not places:
            return "it is not computed yet"
        return f"{name} has shape {tuple(map(max, zip(*places, strict=True)))}"

    def tape(self) -> Tape:
        return replace(self.ops.tape(self.inputs, self.entries, self.owners), plan=self.plan)
