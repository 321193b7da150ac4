"""Evaluating matrix forms: what `derivations.language.matrix` wrote, read with other eyes.

The value of an expression is a number or a list of rows. The only rules are those of matrices: shapes
must fit, a number is added to every entry, a function acts on every entry.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import partial, reduce
from typing import TypeAlias

from derivations.language.matrix import NORM, ONES, OVER, TIMES, TRANSPOSED
from derivations.language.tree import Add, Call, Count, Div, Expr, Mean, Mul, Neg, Number, Pow, Ref, Sum
from derivations.numbers.systems import Binary, Value, divide, power, rational

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
