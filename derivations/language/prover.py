"""Whether two sides of a derivation are equal: written out at a tiny size, entry by entry, by SymPy.

Every index runs over two values (more where reads such as ``h[2*u + p]`` need them), counts stay
symbols, and entries become symbols. A local ``∂t/∂u`` differentiates the equation of ``t`` alone. An
adjoint ``dL/du`` is the chain rule itself, over every entry that reads ``u``:
``Σ dL/dt[I] · ∂t[I]/∂u``, with the equations of these entries written out and differentiated by
``sympy.diff``. Nothing of `derivations.language.backward` is used. Symbols are written out one step
at a time, only as far as a line needs it, so that a proof costs the same in a deep program.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import Any, TypeAlias

import sympy as sp

from derivations.language.contributions import needed
from derivations.language.names import adjoint, adjoint_of, of_adjoint
from derivations.language.program import Program
from derivations.language.ranges import affine, extremes, is_letter, moving_letters
from derivations.language.steps import Chain, Line
from derivations.language.symbolic import function_class, is_zero
from derivations.language.tree import (
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
    walk,
)

# --- The sizes at which a proof writes a program out: two values an index, or as many as reads need ---


@dataclass(frozen=True)
class TinyRanges:
    """The values of every index of a program, at least ``least`` of them."""

    program: Program
    least: int

    def of(self, index: str, body: Expr | None = None) -> range:
        """The values of an index; a letter of the derivation's own has those of the axis it reads."""
        if index not in self.sizes and body is not None:
            like = (self.letters.get(place) for place in _read_along(body, index))
            index = next((letter for letter in like if letter is not None), index)
        return range(1, self.sizes.get(index, self.least) + 1)

    @cached_property
    def reads(self) -> list[Ref]:
        """Every entry that the program reads."""
        return [node for eq in self.program for node in walk(eq.body) if isinstance(node, Ref)]

    @cached_property
    def letters(self) -> dict[tuple[str, int], str]:
        """The letter that runs along each axis of an array: of its own equation, else of a plain read."""
        found: dict[tuple[str, int], str] = {}
        for ref in (*(eq.target for eq in self.program), *self.reads):
            for axis, part in enumerate(ref.indices):
                if isinstance(part, Ref) and is_letter(part):
                    found.setdefault((ref.name, axis), part.name)
        return found

    @cached_property
    def sizes(self) -> dict[str, int]:
        """How many values each index takes: enough for reads such as ``h[2*u + p]``."""
        sizes = dict.fromkeys(self.program.indices, self.least)
        before: dict[str, int] = {}
        while before != sizes:
            before = dict(sizes)
            self.widen(sizes)
        return sizes

    def widen(self, sizes: dict[str, int]) -> None:
        """Make the letters of computed quantities as long as one read after another needs them."""
        moving = moving_letters(self.program)
        own = {(eq.target.name, axis): p for eq in self.program for axis, p in enumerate(eq.target.indices)}
        places = [(ref, axis, part) for ref in self.reads for axis, part in enumerate(ref.indices)]
        for ref, axis, part in places:
            mine, form = own.get((ref.name, axis)), affine(part)
            if not isinstance(mine, Ref) or not form or ref.padded or form.get(mine.name):
                continue
            sizes[mine.name] = max(sizes[mine.name], int(extremes(form, sizes)[1]))
            if isinstance(part, Ref) and part.name not in moving:
                sizes[part.name] = sizes[mine.name]


def _read_along(body: Expr, index: str) -> Iterator[tuple[str, int]]:
    """The axes that an index runs along in an expression."""
    for ref in (node for node in walk(body) if isinstance(node, Ref)):
        for axis, part in enumerate(ref.indices):
            if part == Ref(index):
                yield ref.name, axis


TINY, DEEPEST, WRITTEN = 2, 8, 5
Entry: TypeAlias = tuple[str, tuple[int, ...]]


class Prover:
    """Proves equalities about one forward program."""

    def __init__(
        self,
        program: Program,
        loss: str,
        conditions: Iterable[tuple[Expr, Expr]] = (),
        tiny: int = TINY,
        counted: bool = False,
    ) -> None:
        self.program, self.loss, self.conditions = program, loss, tuple(conditions)
        self.tiny, self.counted = tiny, counted
        self.ranges = TinyRanges(program, tiny)
        self.totals: dict[Entry, Any] = {}
        self.depths: dict[Entry, int] = {}

    def equal(self, left: Expr, right: Expr) -> bool:
        """Whether two expressions are equal for every value of their free indices."""
        names = sorted(
            {*free_indices(left, self.program.indices), *free_indices(right, self.program.indices)}
        )
        ranges = itertools.product(*(self.range(name) for name in names))
        return all(self._equal_at(left, right, dict(zip(names, at, strict=True))) for at in ranges)

    def equal_at_sizes(self, left: Expr, right: Expr) -> bool:
        """Whether both are equal with two and with three values of each index, counts put in.

        ``Σ (x_j - m) = 0`` holds only because ``n`` is how many there are.
        """
        provers = [Prover(self.program, self.loss, self.conditions, tiny, counted=True) for tiny in (2, 3)]
        return all(prover.equal(left, right) for prover in provers)

    def _equal_at(self, left: Expr, right: Expr, env: dict[str, int]) -> bool:
        """As the sides stand, with quantities written out, then with the adjoints next to the loss put in."""
        rest = self.shallow(left, env)
        if isinstance(left, Ref):  # the chain rule for what is derived
            rest = self.written_out(rest, self.adjoint)
        rest = rest - self.shallow(right, env)
        for _ in range(DEEPEST):
            if any(is_zero(each.xreplace(self.given)) for each in self.deeper(rest)):
                return True
            before, rest = rest, self.written_out(rest, self.adjoint)
            if rest == before:
                return False
        return False

    @cached_property
    def given(self) -> dict[Any, Any]:
        """What the conditions on the data say: the last term of each sum, by the others."""
        found = {}
        for left, right in self.conditions:
            assert isinstance(left, Sum)
            names = free_indices(left, self.program.indices)
            for places in itertools.product(*(self.range(name) for name in names)):
                env = dict(zip(names, places, strict=True))
                last = self.shallow(left.body, {**env, left.index: self.range(left.index)[-1]})
                found[last] = self.shallow(right, env) - (self.shallow(left, env) - last)
        return found

    def deeper(self, rest: Any) -> Iterator[Any]:
        """What is left with quantities written out further and further."""
        for _ in range(WRITTEN):
            yield rest
            before, rest = rest, self.written_out(rest, self.quantity)
            if rest == before:
                return

    def written_out(self, expr: Any, meaning: Callable[[str], Any]) -> Any:
        """The expression with its latest quantities, or its earliest adjoints, replaced once."""
        known = {symbol: found for symbol in expr.free_symbols if (found := meaning(symbol.name)) is not None}
        places = {symbol: self.depth(self.of(symbol.name)) for symbol in known}
        chosen = (max if meaning == self.quantity else min)(places.values(), default=0)
        new = {symbol: found for symbol, found in known.items() if places[symbol] == chosen}
        return expr.xreplace(new) if new else expr

    def of(self, symbol: str) -> Entry:
        """The entry of a symbol, or the one whose adjoint it is."""
        name, at = _entry(symbol)
        return of_adjoint(name, self.loss), at

    def depth(self, entry: Entry) -> int:
        """How many equations stand one above another below an entry; 0 for inputs and adjoints."""
        if entry not in self.depths:
            self.depths[entry] = 0  # an entry that is read before it is known is none of ours
            body = self.entries.get(entry, sp.Integer(0))
            own = [self.depth(_entry(symbol.name)) for symbol in body.free_symbols]
            self.depths[entry] = 1 + max(own, default=0) if entry in self.entries else 0
        return self.depths[entry]

    def quantity(self, symbol: str) -> Any:
        """The equation of the entry that a symbol stands for; None for inputs and adjoints."""
        name, at = _entry(symbol)
        return self.equation(name, at) if name in self.program.targets else None

    def adjoint(self, symbol: str) -> Any:
        """The chain rule for the adjoint that a symbol stands for; None for quantities."""
        name, at = _entry(symbol)
        of = adjoint_of(name, self.loss)
        return None if of is None else self.total(of, at)

    @cached_property
    def entries(self) -> dict[Entry, Any]:
        """The right-hand side of every entry that is computed, over the entries that it reads."""
        found: dict[Entry, Any] = {}
        for eq in self.program:
            names = [part.name for part in eq.target.indices if isinstance(part, Ref)]
            for places in itertools.product(*(self.range(name) for name in names)):
                env = dict(zip(names, places, strict=True))
                at = tuple(self.position(part, env) for part in eq.target.indices)
                found[eq.target.name, at] = self.shallow(eq.body, env)
        return found

    @cached_property
    def readers(self) -> dict[str, list[Entry]]:
        """The entries whose equations read a symbol."""
        found: dict[str, list[Entry]] = {}
        for entry, body in self.entries.items():
            for symbol in body.free_symbols:
                found.setdefault(symbol.name, []).append(entry)
        return found

    def total(self, name: str, at: tuple[int, ...]) -> Any:
        """``dL/du = Σ dL/dt[I] · ∂t[I]/∂u`` over every entry ``t[I]`` that reads the entry ``u``."""
        if (name, at) not in self.totals:
            by = _symbol(name, at)
            ways = [
                self.outer(entry) * sp.diff(self.entries[entry], by)
                for entry in self.readers.get(by.name, ())
            ]
            self.totals[name, at] = sp.Add(*ways)
        return self.totals[name, at]

    def outer(self, entry: Entry) -> Any:
        """The adjoint of an entry as a symbol; 1 for the loss, 0 for what is not on the way to it."""
        name, at = entry
        if name == self.loss:
            return sp.Integer(1)
        return _symbol(adjoint(self.loss, name), at) if name in self.leading else sp.Integer(0)

    @cached_property
    def leading(self) -> set[str]:
        """The quantities that the loss depends on."""
        return needed(self.program, self.loss)

    def shallow(self, expr: Expr, env: dict[str, int]) -> Any:
        """The expression over the symbols of the entries that it reads."""
        match expr:
            case Number(value, _):
                return sp.Rational(value.numerator, value.denominator)
            case Count(name):
                return self.count(name)
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
                return sp.Add(*(self.shallow(a, {**env, bound: k}) for k in self.range(bound, a)))
            case Mean(a, bound):
                return self.shallow(Sum(a, bound), env) / self.shallow(Count(bound), env)
            case Largest(a, bound):
                return reduce(
                    function_class("max"), [self.shallow(a, {**env, bound: k}) for k in self.range(bound, a)]
                )
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
            return sp.Integer(1 + (sum(at) - len(at)) % self.tiny)
        return self.shallow(part, env)

    def position(self, part: Expr, env: dict[str, int]) -> int:
        """A place as a number."""
        return int(self.place(part, env))

    def count(self, index: str) -> Any:
        """How many values an index takes: any number of them, unless the proof needs to know."""
        if self.counted:
            return sp.Integer(len(self.range(index)))
        return sp.Symbol(f"count {index}", positive=True, integer=True)

    def range(self, index: str, body: Expr | None = None) -> range:
        """The values of an index in a proof."""
        return self.ranges.of(index, body)

    def chosen(self, body: Expr, bound: str, at: Any, env: dict[str, int]) -> Any:
        """The slope of the largest by the entry that is asked for, as `max` has it."""
        values = [self.shallow(body, {**env, bound: k}) for k in self.range(bound, body)]
        names = [sp.Dummy(real=True) for _ in values]
        slope = sp.diff(reduce(function_class("max"), names), names[int(at) - 1])
        return slope.xreplace(dict(zip(names, values, strict=True)))

    def entry(self, name: str, at: tuple[int, ...]) -> Any:
        """The symbol of an entry; the adjoint of an entry outside its array is 0."""
        of = of_adjoint(name, self.loss)
        outside = of != name and of in self.program.targets and (of, at) not in self.entries
        return sp.Integer(0) if outside else _symbol(name, at)

    def derivative(self, body: Expr, by: Ref, env: dict[str, int]) -> Any:
        """``∂body/∂by``, where a quantity alone stands for the right-hand side of its equation."""
        if isinstance(body, Ref) and body.name in self.program.targets:
            at = tuple(self.position(part, env) for part in body.indices)
            if body.name == by.name and at == tuple(self.position(part, env) for part in by.indices):
                return sp.Integer(1)  # by itself
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


def _symbol(name: str, at: tuple[int, ...]) -> Any:
    return sp.Symbol(f"{name} {','.join(map(str, at))}", real=True)


def _entry(symbol: str) -> Entry:
    """The entry that a symbol's name stands for: the inverse of `_symbol`."""
    name, _, inside = symbol.partition(" ")
    if name == "count":
        return symbol, ()
    return name, tuple(int(part) for part in inside.split(",") if part)


# --- Deciding the lines of a derivation, one after another, each against the line before it ---


def prove(
    chains: tuple[Chain, ...], program: Program, loss: str, conditions: Iterable[tuple[Expr, Expr]] = ()
) -> list[tuple[str, bool]]:
    """Every line of every chain against the line before it; the first against the subject.

    The indices of ``program`` are those of the adjoints too; ``conditions`` hold of the data.
    """
    prover = Prover(program, loss, conditions)
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
    if line.reason.rule == "shortcut":
        return prover.equal(left, line.expr) or prover.equal_at_sizes(left, line.expr)
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
