"""Witnesses of matrix forms: evaluated with random numbers, and against every step that is shown.

The first compares a form with its equation in index notation where every index has another number of
values, so that no transpose is hidden by a square or symmetric array; functions are replaced by
rational ones, for a form only says which entries they act on. The second does what a student would
do: puts the arrays of a step into the form.
"""

from __future__ import annotations

import itertools
import operator
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import partial, reduce
from typing import Any, TypeAlias

from flint import arb, fmpq

from derivations.language.matrix import NORM, ONES, OVER, TIMES, TRANSPOSED, matrix_form
from derivations.language.names import adjoint
from derivations.language.program import Equation
from derivations.language.tree import (
    Add,
    Call,
    Count,
    Div,
    Expr,
    Mean,
    Mul,
    Neg,
    Number,
    Pow,
    Ref,
    Sum,
    refs,
    walk,
)
from derivations.model.example import Example
from derivations.numbers.systems import EXACT, Binary, Value, ball, divide, power, precision, rational
from derivations.numbers.walker import operation_of
from derivations.programs.listing import shown_steps
from derivations.run.training import Step, Trace
from derivations.witnesses.check import Proof

# --- Evaluating matrix forms: what `derivations.language.matrix` wrote, read with other eyes ---

Rows: TypeAlias = list[list[Value]]
Apply: TypeAlias = Callable[[str, Value], Value]


class Misfit(ValueError):
    """Arrays whose shapes do not fit."""


def shaped(entries: Mapping[tuple[int, ...], Value]) -> Value | Rows:
    """An array from its entries by position: a number, a column or a matrix."""
    if () in entries:
        return entries[()]
    rows: dict[int, list[Value]] = {}
    for at, value in sorted(entries.items()):
        rows.setdefault(at[0], []).append(value)
    return list(rows.values())


@dataclass(frozen=True)
class Matrices:
    """Arrays by name, how many values each index takes, and the functions of entries."""

    arrays: Mapping[str, Value | Rows]
    sizes: Mapping[str, int]
    apply: Apply

    def value(self, expr: Expr) -> Value | Rows:
        """The value of a matrix expression; raises `Misfit` where shapes do not fit."""
        match expr:
            case Number(value, _):
                return rational(value)
            case Count(index):
                return rational(Fraction(self.sizes[index]))
            case Ref(name, (Ref(index),)) if name == ONES:
                return [[rational(Fraction(1))] for _ in range(self.sizes[index])]
            case Ref(name, ()):
                return self.arrays[name]
            case Neg(a):
                return _entries(operator.neg, self.value(a))
            case Add(parts):
                return reduce(partial(_both, operator.add), map(self.value, parts))
            case Mul(parts):
                return reduce(_product, map(self.value, parts))
            case Div(a, b):
                return divide(self.number(a), self.number(b))
            case Pow(a, b) if b == TRANSPOSED:
                return [list(column) for column in zip(*_rows(self.value(a)), strict=True)]
            case Pow(Call(name, (a,)), _) if name == NORM:
                return reduce(operator.add, (entry * entry for row in _rows(self.value(a)) for entry in row))
            case Pow(a, b):
                return power(self.number(a), self.number(b))
            case Call(name, parts):
                return self.called(name, [self.value(part) for part in parts])
        raise TypeError(f"no matrix expression: {expr}")

    def called(self, name: str, values: list[Value | Rows]) -> Value | Rows:
        """The products and quotients of entries, and the functions that act on every entry."""
        if name == TIMES:
            return reduce(partial(_both, operator.mul), values)
        if name == OVER:
            return _both(divide, *values)
        (argument,) = values
        return _entries(lambda entry: self.apply(name, entry), argument)

    def number(self, expr: Expr) -> Value:
        """The value of an expression that must be a number."""
        found = self.value(expr)
        if isinstance(found, list):
            raise Misfit("an array in the place of a number")
        return found


def entry(expr: Expr, at: Mapping[str, int], given: Matrices) -> Value:
    """The value of an expression in index notation where its free indices have these values."""
    match expr:
        case Ref(name, indices):
            rows = given.arrays[name]
            for part in indices:  # a column has rows of one number
                assert isinstance(part, Ref)
                rows = rows[at[part.name] - 1]
            return rows[0] if isinstance(rows, list) else rows
        case Sum(body, index) | Mean(body, index):
            places = range(1, given.sizes[index] + 1)
            found = reduce(operator.add, (entry(body, {**at, index: place}, given) for place in places))
            return found / given.sizes[index] if isinstance(expr, Mean) else found
        case Number() | Count():
            return given.value(expr)
        case Neg(a):
            return -entry(a, at, given)
        case Add(parts):
            return reduce(operator.add, (entry(part, at, given) for part in parts))
        case Mul(parts):
            return reduce(operator.mul, (entry(part, at, given) for part in parts))
        case Div(a, b):
            return divide(entry(a, at, given), entry(b, at, given))
        case Pow(a, b):
            return power(entry(a, at, given), entry(b, at, given))
        case Call(name, (a,)):
            return given.apply(name, entry(a, at, given))
    raise TypeError(f"no formula in index notation: {expr}")


def _rows(value: Value | Rows) -> Rows:
    return value if isinstance(value, list) else [[value]]


def _entries(function: Callable[[Value], Value], value: Value | Rows) -> Value | Rows:
    if isinstance(value, list):
        return [[function(entry) for entry in row] for row in value]
    return function(value)


def _both(function: Binary, a: Value | Rows, b: Value | Rows) -> Value | Rows:
    """Entry by entry; a number meets every entry."""
    if not isinstance(a, list):
        return _entries(lambda entry: function(a, entry), b)
    if not isinstance(b, list):
        return _entries(lambda entry: function(entry, b), a)
    if (len(a), len(a[0])) != (len(b), len(b[0])):
        raise Misfit(f"{len(a)}x{len(a[0])} beside {len(b)}x{len(b[0])}")
    return [[function(x, y) for x, y in zip(*pair, strict=True)] for pair in zip(a, b, strict=True)]


def _product(a: Value | Rows, b: Value | Rows) -> Value | Rows:
    """The matrix product; of a row and a column it is a number."""
    if not isinstance(a, list) or not isinstance(b, list):
        return _both(operator.mul, a, b)
    if len(a[0]) != len(b):
        raise Misfit(f"{len(a)}x{len(a[0])} times {len(b)}x{len(b[0])}")
    columns = list(zip(*b, strict=True))
    found = [[reduce(operator.add, map(operator.mul, row, column)) for column in columns] for row in a]
    return found[0][0] if len(found) == len(found[0]) == 1 else found


WITNESS = "matrix arithmetic"
PRIME = 10_007


@dataclass(frozen=True)
class MatrixForm:
    """An equation with its right-hand side over whole arrays, of which some are lying: transposed."""

    equation: Equation
    expr: Expr
    lying: frozenset[str] = frozenset()


def matrix_forms(example: Example, step: Step) -> tuple[MatrixForm, ...]:
    """The matrix forms of the forward and backward pass of a model with a matrix in it.

    An array that is read in part only, so that shapes do not fit, has no matrix form.
    """
    wanted = {adjoint(example.loss, name) for name in (*example.forward.targets, *example.parameters)}
    equations = [*example.forward, *(eq for eq in example.backward if eq.target.name in wanted)]
    lying = _lying(equations, example) if example.spec.page.notation.vectors == "column" else frozenset()
    written = [
        MatrixForm(eq, form, lying) for eq in equations if (form := matrix_form(eq, lying)) is not None
    ]
    ranks = (len(ref.indices) for eq in example.forward for ref in (eq.target, *refs(eq.body)))
    if max(ranks, default=0) < 2:
        return ()
    once = [eq.target.name for eq in equations]
    return tuple(form for form in written if once.count(form.equation.target.name) == 1 and _fits(form, step))


def _lying(equations: list[Equation], example: Example) -> frozenset[str]:
    """The arrays whose first index is the sample's: as columns, samples come last."""
    found = (ref for eq in equations for ref in (eq.target, *refs(eq.body)))
    return frozenset(
        ref.name for ref in found if example.sample and ref.indices[:1] == (Ref(example.sample),)
    )


def matrix_proofs(forms: tuple[MatrixForm, ...], trace: Trace) -> Iterator[Proof]:
    """One proof a form at random numbers, and one a form and step shown."""
    for form in forms:
        name = form.equation.target.name
        yield Proof(f"the matrix form of {name} at random numbers", WITNESS, holds_at_random(form))
        for number in shown_steps(trace.example):
            step = trace.steps[number - 1]
            with precision(trace.bits):
                same = _same(_worked(form, step), _wanted(form, step))
            yield Proof(f"the matrix form of {name} in step {number}", WITNESS, same)


def _fits(form: MatrixForm, step: Step) -> bool:
    try:
        return _shape(_worked(form, step)) == _shape(_wanted(form, step))
    except Misfit:
        return False


# --- at random numbers ------------------------------------------------------------------------------


def holds_at_random(form: MatrixForm) -> bool:
    """Whether the form gives every entry that its equation gives, for random arrays of unequal sides."""
    eq = form.equation
    draw = random.Random(f"{eq}")
    sizes = _unequal_sizes(eq)
    arrays = {ref.name: _drawn(ref, sizes, draw) for ref in refs(eq.body)}
    given = Matrices(arrays, sizes, _stand_in)
    whole = Matrices({name: _laid(form, name, array) for name, array in arrays.items()}, sizes, _stand_in)
    names = [part.name for part in eq.target.indices if isinstance(part, Ref)]
    places = itertools.product(*(range(1, sizes[name] + 1) for name in names))
    wanted = {at: entry(eq.body, dict(zip(names, at, strict=True)), given) for at in places}
    try:
        return _same(whole.value(form.expr), _laid(form, eq.target.name, shaped(wanted)))
    except Misfit:
        return False


def _unequal_sizes(eq: Equation) -> dict[str, int]:
    """A size of its own for each index, but the same for two that run along one axis of an array."""
    nodes = [node for side in (eq.target, eq.body) for node in walk(side)]
    letters = {node.index for node in nodes if isinstance(node, (Sum, Mean, Count))}
    letters |= {p.name for node in nodes if isinstance(node, Ref) for p in node.indices if isinstance(p, Ref)}
    sizes = {letter: size for size, letter in enumerate(sorted(letters), 2)}
    axes: dict[tuple[str, int], str] = {}
    for node in nodes:
        for axis, part in enumerate(node.indices if isinstance(node, Ref) else ()):
            if isinstance(part, Ref):
                first = axes.setdefault((node.name, axis), part.name) if isinstance(node, Ref) else ""
                sizes = {
                    key: sizes[first] if size == sizes[part.name] else size for key, size in sizes.items()
                }
    return sizes


def _drawn(ref: Ref, sizes: dict[str, int], draw: random.Random) -> Any:
    shape = [sizes[part.name] for part in ref.indices if isinstance(part, Ref)]
    places = itertools.product(*(range(1, size + 1) for size in shape))
    return shaped({at: fmpq(draw.randrange(1, PRIME), draw.randrange(1, PRIME)) for at in places})


def _laid(form: MatrixForm, name: str, array: Any) -> Any:
    """An array as its form reads it: transposed if it is lying."""
    if name not in form.lying or not isinstance(array, list):
        return array
    return [list(column) for column in zip(*array, strict=True)]


def _stand_in(name: str, value: Value) -> Value:
    """A rational function that stands for a function of entries, another one for each name."""
    return value * value + value * sum(name.encode()) + 1


# --- in a step ---------------------------------------------------------------------------------------


def _worked(form: MatrixForm, step: Step) -> Any:
    arrays = {ref.name: _laid(form, ref.name, _array(step, ref.name)) for ref in refs(form.equation.body)}
    given = Matrices(arrays, step.layout.sizes, lambda name, value: operation_of(name, EXACT)(value, None))
    return given.value(form.expr)


def _wanted(form: MatrixForm, step: Step) -> Any:
    return _laid(form, form.equation.target.name, _array(step, form.equation.target.name))


def _array(step: Step, name: str) -> Any:
    slots = step.layout.tape.slots
    return shaped({at: step.memory[slot] for (own, at), slot in slots.items() if own == name})


def _shape(value: Any) -> tuple[int, int]:
    return (len(value), len(value[0])) if isinstance(value, list) else (1, 1)


def _same(ours: Any, wanted: Any) -> bool:
    """Whether two arrays have equal entries: exactly, or as balls that share a number."""
    if _shape(ours) != _shape(wanted):
        return False
    rows = [value if isinstance(value, list) else [[value]] for value in (ours, wanted)]
    pairs = ((a, b) for x, y in zip(*rows, strict=True) for a, b in zip(x, y, strict=True))
    return all(_equal(a, b) for a, b in pairs)


def _equal(a: Value, b: Value) -> bool:
    if isinstance(a, arb) or isinstance(b, arb):
        return bool(ball(a).overlaps(ball(b)))
    return bool(a == b)
