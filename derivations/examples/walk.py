"""Working one expression of a step, node by node: the evaluator of pages, apart from the tape."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from fractions import Fraction
from functools import reduce

from derivations.examples.training import Step
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
    Mul,
    Neg,
    Number,
    Ref,
    Sum,
    values,
)
from derivations.numbers.pointwise import minus, work
from derivations.numbers.systems import EXACT, NumberSystem, Value, fraction, larger


def worked(expr: Expr, env: Mapping[str, int], step: Step, system: NumberSystem = EXACT) -> Value:
    """The value of an expression in a step; ``env`` gives positions of free indices in the batch.

    Operations come in the order of `derivations.numbers.compile`, and what is made of numbers and
    counts only is exact there and here, so that a carried calculation rounds in the same places.
    """
    return _Walk(env, step, system).body(expr)


class _Walk:
    """Where an expression is worked: the positions of its indices, a step, an arithmetic."""

    def __init__(self, env: Mapping[str, int], step: Step, system: NumberSystem) -> None:
        self.env, self.step, self.system = env, step, system

    def at(self, env: Mapping[str, int]) -> _Walk:
        return _Walk({**self.env, **env}, self.step, self.system)

    def body(self, expr: Expr) -> Value:
        found = [value for term in normal_form(expr) if (value := self.term(term)) is not None]
        return reduce(self.system.add, found) if found else self.system.number(Fraction(0))

    def term(self, term: Term) -> Value | None:
        """The value of a term; None if all of it is closed (a gate, a padded read outside its array)."""
        if self.closed(term.coefficient):
            return None
        ranges = [range(1, size_of(self.step, name) + 1) for name in term.over]
        walks = [self.at(dict(zip(term.over, at, strict=True))) for at in itertools.product(*ranges)]
        values = [walk.pointwise(term.body) for walk in walks if not walk.closed(term.body)]
        if not values:
            return None
        value = reduce(larger if term.gates else self.system.add, values)
        return value if term.coefficient == ONE else self.scaled(term.coefficient, value)

    def scaled(self, coefficient: Expr, value: Value) -> Value:
        if isinstance(coefficient, Neg):
            return minus(self.system, self.scaled(coefficient.argument, value))
        return self.system.mul(self.pointwise(coefficient), value)

    def pointwise(self, expr: Expr) -> Value:
        return work(expr, self.leaf, self.system, self.closed)

    def leaf(self, node: Expr) -> Value:
        match node:
            case Count(name):
                return size_of(self.step, name)
            case Ref(name, ()) if name in self.env:
                return self.system.number(Fraction(self.env[name]))
            case Ref(name, indices):
                return self.entry(name, tuple(self.position(part) for part in indices))
            case Chosen():
                return self.chosen(node)
        raise TypeError(f"not workable: {node}")

    def entry(self, name: str, at: tuple[int, ...]) -> Value:
        """The value of an entry; outside its array it is 0 (the tape has refused reads that must not be)."""
        known = (name, at) in self.step.layout.tape.slots
        return self.step.at(name, at) if known else self.system.number(Fraction(0))

    def closed(self, expr: Expr) -> bool:
        """Whether a product is 0 whatever the data; it is not worked then."""
        match expr:
            case Mul(parts):
                return any(self.closed(part) for part in parts)
            case Neg(a) | Div(a, _):
                return self.closed(a)
            case Ref(name, indices) if indices:
                at = tuple(self.position(part) for part in indices)
                return (name, at) not in self.step.layout.tape.slots
            case Sum(body, bound):
                places = range(1, size_of(self.step, bound) + 1)
                return all(self.at({bound: k}).closed(body) for k in places)
            case Call("same", (a, b)):
                return self.is_index(a, b) and self.position(a) != self.position(b)
        return False

    def is_index(self, *exprs: Expr) -> bool:
        known = self.step.layout.lookups | set(self.env)
        nodes = (node for expr in exprs for node in values(expr))
        return all(
            isinstance(n, (Number, Neg, Add, Mul)) or (isinstance(n, Ref) and n.name in known) for n in nodes
        )

    def chosen(self, node: Chosen) -> Value:
        here = self.position(node.at)
        walks = {k: self.at({node.index: k}) for k in range(1, size_of(self.step, node.index) + 1)}
        found = {k: walk.body(node.body) for k, walk in walks.items() if not walk.closed(node.body)}
        first = [
            k
            for k, value in found.items()
            if all(larger(value, v) is value or value == v for v in found.values())
        ]
        return self.system.number(Fraction(int(bool(first) and first[0] == here)))

    def position(self, part: Expr) -> int:
        """The position inside the batch that an index expression names."""
        return whole_number(part, self.env, self.looked_up)

    def looked_up(self, ref: Ref) -> int:
        return int(fraction(self.step.at(ref.name, tuple(map(self.position, ref.indices)))))


def is_closed(expr: Expr, env: Mapping[str, int], step: Step) -> bool:
    """Whether an expression is 0 whatever the data, or a padded read outside its array."""
    return _Walk(env, step, EXACT).closed(expr)


def size_of(step: Step, index: str) -> int:
    """How many values an index takes in this step."""
    return step.layout.sizes[index]
