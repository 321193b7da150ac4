"""Working one expression of a step, node by node: the evaluator of pages, apart from the tape."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce

from derivations.examples.training import Step
from derivations.language.products import is_coefficient
from derivations.language.program import normal_form
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
)
from derivations.numbers.systems import EXACT, NumberSystem, Value
from derivations.numbers.tape import function_of

TWO = Number(Fraction(2))


def worked(expr: Expr, env: Mapping[str, int], step: Step, system: NumberSystem = EXACT) -> Value:
    """The value of an expression in a step; ``env`` gives positions of free indices in the batch.

    Operations come in the order of `derivations.numbers.tape`, and what is made of numbers and counts
    only is exact there and here, so that a carried calculation rounds in the same places.
    """
    found: Value = None
    for term in normal_form(expr):
        ranges = [range(1, size_of(step, name) + 1) for name in term.over]
        envs = [{**env, **dict(zip(term.over, at, strict=True))} for at in itertools.product(*ranges)]
        value = reduce(system.add, [pointwise(term.body, inner, step, system) for inner in envs])
        if term.coefficient != ONE:
            value = _scaled(term.coefficient, value, env, step, system)
        found = value if found is None else system.add(found, value)
    return found


def _scaled(
    coefficient: Expr, value: Value, env: Mapping[str, int], step: Step, system: NumberSystem
) -> Value:
    if isinstance(coefficient, Neg):
        return _minus(system, _scaled(coefficient.argument, value, env, step, system))
    return system.mul(pointwise(coefficient, env, step, system), value)


def pointwise(expr: Expr, env: Mapping[str, int], step: Step | None, system: NumberSystem) -> Value:
    """The value of an expression without sums; without a step it may hold numbers only."""
    return _Entry(env, step, system).work(expr)


@dataclass(frozen=True)
class _Entry:
    """Where a pointwise expression is worked: the positions of its indices, a step, an arithmetic."""

    env: Mapping[str, int]
    step: Step | None
    system: NumberSystem

    def work(self, node: Expr) -> Value:
        own = EXACT if is_coefficient(node) else self.system
        match node:
            case Number(value, _):
                return own.number(value)
            case Count() | Ref():
                return self.leaf(node, own)
            case Neg(a):
                return _minus(own, self.work(a))
            case Add(parts):
                return reduce(lambda x, part: self.plus(own, x, part), parts[1:], self.work(parts[0]))
            case Mul(parts):
                return _product(self.system, parts, [self.work(part) for part in parts])
            case Div(a, b):
                return own.div(self.work(a), self.work(b))
            case Pow(a, b):
                return self.power(own, self.work(a), b)
            case Call(name, (a,)):
                return function_of(name, own)(self.work(a), None)
        raise TypeError(f"not workable: {node}")

    def leaf(self, node: Count | Ref, own: NumberSystem) -> Value:
        assert self.step is not None
        if isinstance(node, Count):
            return own.number(Fraction(size_of(self.step, node.index)))
        return self.step.at(node.name, tuple(position(part, self.env) for part in node.indices))

    def plus(self, own: NumberSystem, before: Value, part: Expr) -> Value:
        if isinstance(part, Neg):
            return own.sub(before, self.work(part.argument))
        return own.add(before, self.work(part))

    def power(self, own: NumberSystem, base: Value, exponent: Expr) -> Value:
        """A square is a product, as the tape has it."""
        return own.mul(base, base) if exponent == TWO else own.power(base, self.work(exponent))


def _minus(system: NumberSystem, value: Value) -> Value:
    return system.sub(system.number(Fraction(0)), value)


def _product(system: NumberSystem, parts: tuple[Expr, ...], found: list[Value]) -> Value:
    """From the left; as long as only numbers and counts were multiplied, exactly."""
    value = found[0]
    for place, factor in enumerate(found[1:], 2):
        value = (EXACT if all(map(is_coefficient, parts[:place])) else system).mul(value, factor)
    return value


def position(part: Expr, env: Mapping[str, int]) -> int:
    """The position inside the batch that an index expression names."""
    if isinstance(part, Ref):
        return env[part.name]
    assert isinstance(part, Number)
    return int(part.value)


def size_of(step: Step, index: str) -> int:
    """How many values an index takes in this step."""
    return step.layout.sizes[index]
