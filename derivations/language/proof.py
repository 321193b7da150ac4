"""Deciding the lines of a derivation: both sides written out at a tiny size and compared by SymPy.

Every index runs over two values, counts stay symbols, and entries become symbols. An adjoint
``dL/du`` means the total derivative: the loss is written out down to ``u``, differentiated by
``sympy.diff``, and then written out down to data and parameters. A local ``∂t/∂u`` differentiates
the equation of ``t`` alone. No adjoint of `derivations.language.backward` is used.
"""

from __future__ import annotations

import itertools
from functools import cached_property, reduce
from typing import Any

import sympy as sp

from derivations.language.backward import adjoint
from derivations.language.degree import program_degree
from derivations.language.program import Program
from derivations.language.ranges import affine, extremes, moving_letters
from derivations.language.steps import Chain, Line
from derivations.language.symbolic import function_class, is_zero
from derivations.language.tree import (
    REDUCTIONS,
    Add,
    Call,
    Chosen,
    Count,
    Derivative,
    Div,
    Expr,
    Largest,
    Mean,
    Mul,
    Neg,
    Number,
    Pow,
    Ref,
    Sum,
    free_indices,
    refs,
    values,
    walk,
)

TINY, LARGEST, HIGHEST = 2, 3_000, 40


class Prover:
    """Proves equalities about one forward program."""

    def __init__(self, program: Program, loss: str) -> None:
        self.program, self.loss = program, loss
        self.memory: dict[tuple[str, tuple[int, ...], str], Any] = {}

    @cached_property
    def local_only(self) -> bool:
        """Whether the written-out loss is too large, so that adjoints are taken as symbols."""
        return _size(self.program) > LARGEST or program_degree(self.program) > HIGHEST

    @cached_property
    def recurrent(self) -> set[str]:
        """The quantities that depend on themselves, from an earlier entry to a later one."""
        read = {name: {r.name for eq in self.program if eq.target.name == name for r in refs(eq.body)}
                for name in self.program.targets}
        return {name for name in read if name in needed_by(read, read[name])}

    def equal(self, left: Expr, right: Expr) -> bool:
        """Whether two expressions are equal for every value of their free indices."""
        names = sorted(
            {*free_indices(left, self.program.indices), *free_indices(right, self.program.indices)}
        )
        ranges = itertools.product(*(self.range(name) for name in names))
        return all(self._equal_at(left, right, dict(zip(names, at, strict=True))) for at in ranges)

    def _equal_at(self, left: Expr, right: Expr, env: dict[str, int]) -> bool:
        return is_zero(self.write(left, env) - self.write(right, env))

    def write(self, expr: Expr, env: dict[str, int]) -> Any:
        """The expression written out in data and parameters."""
        return self.expand(self.shallow(expr, env))

    def shallow(self, expr: Expr, env: dict[str, int]) -> Any:
        """The expression over the symbols of the entries that it reads."""
        match expr:
            case Number(value, _):
                return sp.Rational(value.numerator, value.denominator)
            case Count(name):
                return sp.Symbol(f"count {name}", positive=True, integer=True)
            case Ref(name, ()) if name in env:
                return sp.Integer(env[name])
            case Ref(name, indices):
                return self.entry(name, tuple(self.position(part, env) for part in indices))
            case Neg(a):
                return -self.shallow(a, env)
            case Add(parts):
                return sp.Add(*(self.shallow(part, env) for part in parts))
            case Mul(parts):
                return sp.Mul(*(self.shallow(part, env) for part in parts))
            case Div(a, b):
                return self.shallow(a, env) / self.shallow(b, env)
            case Pow(a, b):
                return self.shallow(a, env) ** self.shallow(b, env)
            case Call("same", (a, b)):
                return sp.Integer(self.place(a, env) == self.place(b, env))
            case Call(name, parts):
                return function_class(name)(*(self.shallow(part, env) for part in parts))
            case Sum(a, bound):
                return sp.Add(*(self.shallow(a, {**env, bound: k}) for k in self.range(bound)))
            case Mean(a, bound):
                return self.shallow(Sum(a, bound), env) / self.shallow(Count(bound), env)
            case Largest(a, bound):
                return reduce(function_class("max"), [self.shallow(a, {**env, bound: k}) for k in self.range(bound)])
            case Chosen(a, bound, at):
                return self.chosen(a, bound, self.place(at, env), env)
            case Derivative(a, by):
                return self.derivative(a, by, env)
        raise TypeError(f"not provable: {expr}")

    def place(self, part: Expr, env: dict[str, int]) -> Any:
        """The whole number that stands between the brackets of an entry.

        A datum that is looked up there gets a number of its own: 1, 2, 1, 2 … along its entries.
        """
        if isinstance(part, Ref) and part.indices:
            at = [self.position(inner, env) for inner in part.indices]
            return sp.Integer(1 + (sum(at) - len(at)) % TINY)
        return self.shallow(part, env)

    def position(self, part: Expr, env: dict[str, int]) -> int:
        """A place as a number."""
        return int(self.place(part, env))

    def range(self, index: str) -> range:
        """The values of an index in a proof."""
        return range(1, self.sizes.get(index, TINY) + 1)

    @cached_property
    def sizes(self) -> dict[str, int]:
        """How many values each index takes: two, or as many as reads such as ``h[2*u + p]`` need."""
        sizes = dict.fromkeys(self.program.indices, TINY)
        moving = moving_letters(self.program)
        own = {(eq.target.name, axis): part for eq in self.program for axis, part in enumerate(eq.target.indices)}
        for _ in self.program:
            for ref in (node for eq in self.program for node in walk(eq.body) if isinstance(node, Ref)):
                for axis, part in enumerate(ref.indices):
                    mine, form = own.get((ref.name, axis)), affine(part)
                    if not isinstance(mine, Ref) or not form or ref.padded or form.get(mine.name):
                        continue
                    sizes[mine.name] = max(sizes[mine.name], int(extremes(form, sizes)[1]))
                    if isinstance(part, Ref) and part.name not in moving:
                        sizes[part.name] = sizes[mine.name]
        return sizes

    def chosen(self, body: Expr, bound: str, at: Any, env: dict[str, int]) -> Any:
        """The slope of the largest by the entry that is asked for, as `max` has it."""
        values = [self.shallow(body, {**env, bound: k}) for k in self.range(bound)]
        names = [sp.Dummy(real=True) for _ in values]
        slope = sp.diff(reduce(function_class("max"), names), names[int(at) - 1])
        return slope.xreplace(dict(zip(names, values, strict=True)))

    def entry(self, name: str, at: tuple[int, ...]) -> Any:
        """The symbol of an entry; an adjoint is the derivative that it stands for."""
        prefix = f"d{self.loss}/d"
        if name.startswith(prefix) and not self.local_only:
            return self.total(name[len(prefix) :], at)
        return _symbol(name, at)

    def derivative(self, body: Expr, by: Ref, env: dict[str, int]) -> Any:
        """``∂body/∂by``, where a quantity alone stands for the right-hand side of its equation."""
        if isinstance(body, Ref) and body.name in self.program.targets:
            at = tuple(self.position(part, env) for part in body.indices)
            written = self.equation(body.name, at)
        else:
            written = self.shallow(body, env)
        return sp.diff(written, self.shallow(by, env))

    def equation(self, name: str, at: tuple[int, ...]) -> Any:
        """The right-hand side of the equation of one entry, over the entries that it reads."""
        eq = self.program.writer(name, at)
        if eq is None:  # outside the array: what a padded read gives
            return sp.Integer(0)
        places = zip(eq.target.indices, at, strict=True)
        env = {part.name: place for part, place in places if isinstance(part, Ref)}
        return sp.Integer(0) if any(place < 1 for place in env.values()) else self.shallow(eq.body, env)

    def total(self, name: str, at: tuple[int, ...]) -> Any:
        """``dL/du``: the loss down to the quantity ``u``, differentiated by its entry."""
        key = ("total", at, name)
        if key not in self.memory:
            own = _symbol(name, at).name if name in self.recurrent else name
            loss = self.expand(_symbol(self.loss, ()), stop=own)
            self.memory[key] = sp.diff(loss, _symbol(name, at))
        return self.memory[key]

    def expand(self, written: Any, stop: str = "") -> Any:
        """Replace computed entries by their equations, again and again, except those of ``stop``."""
        symbols = {s.name: s for s in written.free_symbols}
        new = {}
        for text, symbol in symbols.items():
            name, _, inside = text.partition(" ")
            if name in self.program.targets and stop not in (name, text) and not self.local_only:
                at = tuple(int(part) for part in inside.split(",") if part)
                new[symbol] = self.entry_expanded(name, at, stop)
        return written.xreplace(new) if new else written

    def entry_expanded(self, name: str, at: tuple[int, ...], stop: str) -> Any:
        """One entry written out down to ``stop``, each worked once."""
        key = (name, at, stop)
        if key not in self.memory:
            self.memory[key] = self.expand(self.equation(name, at), stop)
        return self.memory[key]


def needed_by(read: dict[str, set[str]], names: set[str]) -> set[str]:
    """Everything that some quantities depend on, themselves included."""
    found = set(names)
    while new := {deeper for name in found for deeper in read.get(name, ())} - found:
        found |= new
    return found


def _symbol(name: str, at: tuple[int, ...]) -> Any:
    return sp.Symbol(f"{name} {','.join(map(str, at))}", real=True)


def _size(program: Program) -> int:
    """A bound on the operations of the written-out loss."""
    sizes: dict[str, int] = {}
    for eq in (*program, *program):  # twice, for an entry may read an earlier one of its own quantity
        loops = TINY ** sum(isinstance(node, REDUCTIONS) for node in values(eq.body))
        sizes[eq.target.name] = loops * (1 + sum(sizes.get(ref.name, 1) for ref in refs(eq.body)))
    return max(sizes.values())


def prove(chains: tuple[Chain, ...], program: Program, loss: str) -> list[tuple[str, bool]]:
    """Every line of every chain against the line before it; the first against the subject.

    The indices of ``program`` are those of the adjoints too.
    """
    prover = Prover(program, loss)
    found = []
    for chain in chains:
        before = chain.subject
        for line in chain.lines:
            holds = _holds(prover, before, line, chain)
            found.append((f"line ({line.number}) of the derivation", holds))
            before = line.expr
    return found


def _holds(prover: Prover, left: Expr, line: Line, chain: Chain) -> bool:
    if line.reason.rule == "definition":
        return _is_definition(prover, line.expr, chain.subject)
    if prover.local_only and left is chain.subject and isinstance(left, Ref):
        return True  # the chain rule itself; autograd witnesses it at every step
    return prover.equal(left, line.expr)


def _is_definition(prover: Prover, expr: Expr, subject: Expr) -> bool:
    """Whether a line differentiates the equation itself, not merely something of the same slope."""
    target = subject.body if isinstance(subject, Derivative) else Ref(prover.loss)
    if not isinstance(expr, Derivative) or not isinstance(target, Ref):
        return False
    defined = next((eq for eq in prover.program if eq.target == target), prover.program.targets[target.name])
    by = expr.by
    whole = Ref(adjoint(prover.loss, by.name), by.indices)
    same = by == subject.by if isinstance(subject, Derivative) else whole == subject
    return same and prover.equal(defined.body, expr.body)
