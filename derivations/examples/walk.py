"""Working one expression of a step, node by node: the evaluator of pages, apart from the tape."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
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


def worked(expr: Expr, env: Mapping[str, int], step: Step, system: NumberSystem = EXACT) -> Value:
    """The value of an expression in a step; ``env`` gives positions of free indices in the batch.

    Operations come in the order of `derivations.numbers.tape`, and what is made of numbers and counts
    only is exact there and here, so that a carried calculation rounds in the same places.
    """
    found: Value = None
    for term in normal_form(expr):
        ranges = [range(1, size_of(step, name) + 1) for name in term.over]
        places = itertools.product(*ranges)
        parts = [
            pointwise(term.body, {**env, **dict(zip(term.over, at, strict=True))}, step, system)
            for at in places
        ]
        value = reduce(system.add, parts)
        if term.coefficient != ONE:
            value = _scaled(term.coefficient, value, env, step, system)
        found = value if found is None else system.add(found, value)
    return found


def _scaled(
    coefficient: Expr, value: Value, env: Mapping[str, int], step: Step, system: NumberSystem
) -> Value:
    if isinstance(coefficient, Neg):
        return system.sub(system.number(Fraction(0)), _scaled(coefficient.argument, value, env, step, system))
    return system.mul(pointwise(coefficient, env, step, system), value)


def pointwise(expr: Expr, env: Mapping[str, int], step: Step | None, system: NumberSystem) -> Value:
    """The value of an expression without sums; without a step it may hold numbers only."""

    def work(node: Expr) -> Value:
        own = EXACT if is_coefficient(node) else system
        match node:
            case Number(value, _):
                return own.number(value)
            case Count(name):
                assert step is not None
                return own.number(Fraction(size_of(step, name)))
            case Ref(name, indices):
                assert step is not None
                return step.at(name, tuple(position(part, env, step) for part in indices))
            case Neg(a):
                return own.sub(own.number(Fraction(0)), work(a))
            case Add(parts):
                return reduce(lambda x, part: _plus(own, x, part, work), parts[1:], work(parts[0]))
            case Mul(parts):
                heads = [parts[: n + 1] for n in range(1, len(parts))]
                systems = [EXACT if all(map(is_coefficient, head)) else system for head in heads]
                pairs = zip(systems, parts[1:], strict=True)
                return reduce(lambda x, pair: pair[0].mul(x, work(pair[1])), pairs, work(parts[0]))
            case Div(a, b):
                return own.div(work(a), work(b))
            case Pow(a, Number(Fraction(numerator=2, denominator=1), _)):
                base = work(a)
                return own.mul(base, base)
            case Pow(a, b):
                return own.power(work(a), work(b))
            case Call(name, (a,)):
                return function_of(name, own)(work(a), None)
        raise TypeError(f"not workable: {node}")

    return work(expr)


def _plus(system: NumberSystem, before: Value, part: Expr, work: Callable[[Expr], Value]) -> Value:
    if isinstance(part, Neg):
        return system.sub(before, work(part.argument))
    return system.add(before, work(part))


def position(part: Expr, env: Mapping[str, int], step: Step) -> int:
    """The position inside the batch that an index expression names."""
    if isinstance(part, Ref):
        return env[part.name]
    assert isinstance(part, Number)
    return int(part.value)


def size_of(step: Step, index: str) -> int:
    """How many values an index takes in this step."""
    return step.layout.sizes[index]
