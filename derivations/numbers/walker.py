"""The one evaluator: an expression walked over an algebra, each node once.

An algebra says what a number is and what an operation on two operands gives: a slot of a tape that is
being built (`derivations.numbers.tape.Operations`), or at once the value in a number system (`Direct`).
What an expression reads, how far its letters run and what lies outside its arrays is a `Place`: a program
that is being compiled, a step of a run, or nothing at all. What is made of numbers alone is worked exactly
in every algebra; a product with a factor that is 0 whatever the data (a gate that is closed, a padded read
outside its array) is not worked.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

from derivations.catalogue import functions
from derivations.language.errors import LanguageError
from derivations.language.parser import parse
from derivations.language.program import Term, normal_form
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
    Mean,
    Mul,
    Neg,
    Number,
    Pow,
    Ref,
    Sum,
    substitute,
    values,
)
from derivations.numbers.systems import EXACT, PRIMITIVES, Binary, NumberSystem, Unary, Value, fraction

Entry: TypeAlias = tuple[str, tuple[int, ...]]
Env: TypeAlias = Mapping[str, int]
BASIC = ("add", "sub", "mul", "div", "power")
V = TypeVar("V")


class Algebra(Protocol[V]):
    """Operands and what is done with them."""

    def constant(self, value: Fraction) -> V:
        """A number as an operand."""

    def value(self, operand: V) -> Fraction | None:
        """The number that an operand is, if it was made of numbers alone."""

    def line(self, operation: str, a: V, b: V) -> V:
        """An operation on two operands; a function of one ignores the second."""


@dataclass(frozen=True)
class Place(Generic[V]):
    """Where an expression stands: how far letters run, and what is read.

    ``read`` gives the operand of an entry, ``whole`` the whole number of a datum that stands between the
    brackets of another; ``lookups`` names those data. A read is ``outside`` where it is 0 whatever the data.
    A letter is a place; one that is ``numbered`` is, read as a number, the entry of an input at that place.
    """

    sizes: Mapping[str, int]
    read: Callable[[Ref, Entry], V]
    whole: Callable[[Entry], int | None] = lambda _: None
    lookups: Collection[str] = ()
    outside: Callable[[Ref, Entry], bool] = lambda *_: False
    numbered: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Walker(Generic[V]):
    """Walks expressions at a place, over an algebra."""

    algebra: Algebra[V]
    place: Place[V]

    def body(self, expr: Expr, env: Env) -> V:
        """A right-hand side: its terms, each with the sums over its own letters, added up."""
        found = [part for term in normal_form(expr) if (part := self._term(term, env)) is not None]
        return self._chain("add", found) if found else self._zero()

    def _term(self, term: Term, env: Env) -> V | None:
        """The operand of a term; None if all of it is closed."""
        if self.closed(term.coefficient, env):
            return None
        ranges = [range(1, self.place.sizes[name] + 1) for name in term.over]
        envs = [{**env, **dict(zip(term.over, at, strict=True))} for at in itertools.product(*ranges)]
        parts = [self.pointwise(term.body, inner) for inner in envs if not self.closed(term.body, inner)]
        if not parts and term.gates:
            raise LanguageError("the largest of no entry at all: the window lies outside its array")
        if not parts:
            return None
        found = self._chain("max" if term.gates else "add", parts)
        return found if term.coefficient == ONE else self._scaled(term.coefficient, found, env)

    def _scaled(self, coefficient: Expr, operand: V, env: Env) -> V:
        if isinstance(coefficient, Neg):
            return self._minus(self._scaled(coefficient.argument, operand, env))
        return self.algebra.line("mul", self.pointwise(coefficient, env), operand)

    # --- what is 0 whatever the data

    def closed(self, expr: Expr, env: Env) -> bool:
        """Whether an expression is 0 whatever the data: a closed gate, or a read outside its array."""
        match expr:
            case Mul(parts):
                return any(self.closed(part, env) for part in parts)
            case Neg(a) | Div(a, _):
                return self.closed(a, env)
            case Ref(name, indices) if name not in env:
                return self.place.outside(expr, self.entry(expr, env)) if indices or expr.padded else False
            case Sum(a, bound) | Mean(a, bound) | Largest(a, bound):  # all of it lies outside
                places = range(1, self.place.sizes[bound] + 1)
                return all(self.closed(a, {**env, bound: k}) for k in places)
            case Call("same", (a, b)) if self.is_index(env, a, b):
                return self.counted(a, env) != self.counted(b, env)
        return False

    def is_index(self, env: Env, *exprs: Expr) -> bool:
        """Whether expressions are made of indices, whole numbers and data that are looked up only."""
        return all(
            isinstance(node, (Neg, Add, Mul))
            or (isinstance(node, Number) and node.value.denominator == 1)
            or (isinstance(node, Ref) and (node.name in env or node.name in self.place.lookups))
            for expr in exprs
            for node in values(expr)
        )

    # --- nodes

    def pointwise(self, expr: Expr, env: Env) -> V:
        """The operand of an expression."""
        match expr:
            case Number(value, _):
                return self.algebra.constant(value)
            case Count(name):
                return self.algebra.constant(Fraction(self.place.sizes[name]))
            case Ref(name, ()) if name in env and name in self.place.numbered:
                return self.place.read(expr, self._own(name, env))
            case Ref(name, ()) if name in env:
                return self.algebra.constant(Fraction(env[name]))
            case Ref():
                return self.place.read(expr, self.entry(expr, env))
            case Neg(a):
                return self._minus(self.pointwise(a, env))
            case Add(parts):
                return self._sum(parts, env)
            case Mul() | Div() if self.closed(expr, env):
                return self._zero()
            case Mul(parts):
                return self._chain("mul", [self.pointwise(part, env) for part in parts])
            case Div(a, b):
                return self.algebra.line("div", self.pointwise(a, env), self.pointwise(b, env))
            case Pow(a, b):
                return self._power(self.pointwise(a, env), self.pointwise(b, env))
            case Call(name, parts):
                return self._call(name, parts, env)
            case Chosen():
                return self._chosen(expr, env)
            case Sum() | Mean() | Largest():
                return self.body(expr, env)
        raise LanguageError(f"this cannot be evaluated: {expr}")

    def _sum(self, parts: tuple[Expr, ...], env: Env) -> V:
        found = self.pointwise(parts[0], env)
        for part in parts[1:]:
            name, inner = ("sub", part.argument) if isinstance(part, Neg) else ("add", part)
            found = self.algebra.line(name, found, self.pointwise(inner, env))
        return found

    def _power(self, base: V, exponent: V) -> V:
        """A square is a product."""
        if self.algebra.value(exponent) == 2:
            return self.algebra.line("mul", base, base)
        return self.algebra.line("power", base, exponent)

    def _call(self, name: str, parts: tuple[Expr, ...], env: Env) -> V:
        if name == "same" and self.is_index(env, *parts):
            a, b = (self.counted(part, env) for part in parts)
            return self.algebra.constant(Fraction(int(a == b)))
        if not is_key(name):
            return self.pointwise(formula_with(name, parts), env)
        operands = [self.pointwise(part, env) for part in parts]
        return self.algebra.line(name, *(*operands, self._zero(), self._zero())[:2])

    def _chosen(self, node: Chosen, env: Env) -> V:
        """``[x_k > all before] [x_k >= all after]``: 1 for the first of the largest entries."""
        line, one = self.algebra.line, self.algebra.constant(Fraction(1))
        here = self.position(node.at, env)
        places = ((k, {**env, node.index: k}) for k in range(1, self.place.sizes[node.index] + 1))
        found = {k: self.body(node.body, at) for k, at in places if not self.closed(node.body, at)}
        if here not in found:
            return self._zero()
        before = [operand for k, operand in found.items() if k < here]
        after = [operand for k, operand in found.items() if k > here]
        gate = one
        if before:
            gate = line("step", line("sub", found[here], self._chain("max", before)), self._zero())
        if after:
            below = line("sub", self._chain("max", after[::-1]), found[here])
            gate = line("mul", gate, line("sub", one, line("step", below, self._zero())))
        return gate

    def _chain(self, operation: str, operands: list[V]) -> V:
        """``a + b + c`` from the left."""
        found = operands[0]
        for operand in operands[1:]:
            found = self.algebra.line(operation, found, operand)
        return found

    def _minus(self, operand: V) -> V:
        return self.algebra.line("sub", self._zero(), operand)

    def _zero(self) -> V:
        return self.algebra.constant(Fraction(0))

    # --- entries

    def position(self, expr: Expr, env: Env) -> int:
        """The whole number that an index expression is."""
        return whole_number(expr, env, lambda ref: self.place.whole(self.entry(ref, env)))

    def counted(self, expr: Expr, env: Env) -> int:
        """The whole number that an expression of letters is where numbers are compared."""
        numbers = {
            name: self.place.whole(self._own(name, env)) for name in env if name in self.place.numbered
        }
        known = {name: at for name, at in numbers.items() if at is not None}
        return whole_number(expr, {**env, **known}, lambda ref: self.place.whole(self.entry(ref, env)))

    def _own(self, name: str, env: Env) -> Entry:
        """The entry that holds the number of a letter at its place."""
        return self.place.numbered[name], (env[name],)

    def entry(self, ref: Ref, env: Env) -> Entry:
        """The entry that a read names."""
        return ref.name, tuple(self.position(part, env) for part in ref.indices)


# --- What is made of numbers alone -----------------------------------------------------------------


def folded(operation: str, x: Fraction | None, y: Fraction | None) -> Fraction | None:
    """An operation on two known numbers, worked exactly; None for a root and for what is not known."""
    if x is None or y is None:
        return None
    if operation not in BASIC:
        return _folded_call(operation, x, y)
    found = getattr(EXACT, operation)(EXACT.number(x), EXACT.number(y))
    return fraction(found) if hasattr(found, "q") else None


def _folded_call(name: str, x: Fraction, y: Fraction) -> Fraction | None:
    """A comparison of constants is one: ``step(t + 1 - s)`` of two indices."""
    found: dict[str, Fraction | int] = {
        "sign": (x > 0) - (x < 0),
        "step": int(x > 0),
        "max": max(x, y),
        "min": min(x, y),
        "floor": x // 1,
    }
    return Fraction(found[name]) if name in found else None


# --- Values at once, in a number system -------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Known:
    """A number that was made of numbers alone."""

    value: Fraction


@dataclass(frozen=True)
class Direct:
    """The algebra of a number system: every operation gives its value."""

    system: NumberSystem

    def constant(self, value: Fraction) -> Value:
        """A number, which stays apart until it meets a value."""
        return Known(value)

    def value(self, operand: Value) -> Fraction | None:
        """The number that an operand is known to be."""
        return operand.value if isinstance(operand, Known) else None

    def line(self, operation: str, a: Value, b: Value) -> Value:
        """The value of an operation; what two known numbers give is known."""
        x, y = self.value(a), self.value(b)
        if operation == "mul" and 1 in (x, y):
            return b if x == 1 else a
        if (number := folded(operation, x, y)) is not None:
            return Known(number)
        return operation_of(operation, self.system)(self.settled(a), self.settled(b))

    def settled(self, operand: Value) -> Value:
        """An operand as a value of the system."""
        return self.system.number(operand.value) if isinstance(operand, Known) else operand


def evaluated(expr: Expr, place: Place[Value], system: NumberSystem, env: Env | None = None) -> Value:
    """The value of an expression at a place, in a number system."""
    algebra = Direct(system)
    return algebra.settled(Walker(algebra, place).body(expr, env or {}))


def _unread(ref: Ref, entry: Entry) -> Value:
    raise LanguageError(f"'{ref.name}' is no number", at=ref.at)


NOWHERE: Place[Any] = Place({}, _unread)  # an expression of numbers alone


# --- Functions of the catalogue --------------------------------------------------------------------


def is_key(name: str) -> bool:
    """Whether a function is one operation: a primitive, or the formula of a row in one argument."""
    return name in PRIMITIVES or len(functions.BY_NAME[name].arguments) <= 1


@cache
def formula_with(name: str, arguments: tuple[Expr, ...]) -> Expr:
    """A row's formula with arguments in the place of its letters."""
    row = functions.BY_NAME[name]
    given: dict[Expr, Expr] = dict(zip(map(Ref, row.arguments), arguments, strict=True))
    return substitute(parse(row.formula, functions.NAMES), given)


def formula_of(name: str, system: NumberSystem) -> Unary:
    """A row's formula in one argument, worked in a number system."""
    (letter,) = functions.BY_NAME[name].arguments or ("",)
    formula = formula_with(name, (Ref(letter),) if letter else ())

    def function(a: Value) -> Value:
        algebra = Direct(system)
        return algebra.settled(Walker(algebra, Place({}, lambda *_: a)).pointwise(formula, {}))

    return function


def operation_of(name: str, system: NumberSystem) -> Binary:
    """An operation of a number system, or a function of the catalogue in it.

    The formula of a row is worked exactly (or in balls) and only its result goes through the number
    system, as a calculator's key does; a function of one argument ignores the second operand. Functions
    of more arguments are written out instead.
    """
    if name in BASIC:
        found: Binary = getattr(system, name)
        return found
    return _function_of(name, system)


@cache
def _function_of(name: str, system: NumberSystem) -> Binary:
    function = system.lift(name, PRIMITIVES[name] if name in PRIMITIVES else formula_of(name, EXACT))
    if len(functions.BY_NAME[name].arguments) > 1:
        return function
    return lambda a, _: function(a)
