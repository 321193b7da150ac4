"""What a sum adds and what a largest value is chosen from, read a second time.

The writer of a chain asks the walker of the run; here indices are reckoned in whole numbers, and what is
looked up is what the step has for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import prod

from flint import fmpq

from derivations.language.tree import (
    ONE,
    Add,
    Call,
    Div,
    Expr,
    Largest,
    Mean,
    Mul,
    Neg,
    Number,
    Ref,
    Sum,
    children,
)
from derivations.run.training import Step

Env = Mapping[str, int]
Terms = list[tuple[Expr, Env]]


def chosen_from(node: Expr, env: Env, step: Step) -> Iterator[tuple[Expr, Env]]:
    """The body at every value of its letters, without entries that are outside of their array."""
    if isinstance(node, Largest):
        for place in range(1, step.layout.sizes[node.index] + 1):
            yield from chosen_from(node.body, {**env, node.index: place}, step)
    elif not Reckoned(env, step).is_outside(node):
        yield node, env


def terms_of(node: Sum, env: Env, step: Step) -> Terms:
    """The terms of a sum that stand where numbers are put in, each without its gates that are open.

    A term is left out where a comparison of its indices does not hold, or an entry is outside of its array.
    """
    places = ({**env, node.index: place} for place in range(1, step.layout.sizes[node.index] + 1))
    here = (Reckoned(at, step) for at in places)
    return [(each.without_gates(node.body), each.env) for each in here if not each.is_shut(node.body)]


@dataclass(frozen=True)
class Reckoned:
    """Letters at places in a step, and what indices are there."""

    env: Env
    step: Step = field(repr=False)

    def is_shut(self, expr: Expr) -> bool:
        """Whether an expression is 0 whatever is learnt: by a comparison, or an entry that is not there."""
        match expr:
            case Mul(parts):
                return any(map(self.is_shut, parts))
            case Neg(part) | Div(part, _):
                return self.is_shut(part)
            case Sum(body, index) | Mean(body, index) | Largest(body, index):
                places = range(1, self.step.layout.sizes[index] + 1)
                inner = (Reckoned({**self.env, index: place}, self.step) for place in places)
                return all(each.is_shut(body) for each in inner)
            case Call("same"):
                return self.holds(expr) is False
        return self.is_outside(expr)

    def without_gates(self, expr: Expr) -> Expr:
        """A product without its comparisons that hold."""
        parts = expr.factors if isinstance(expr, Mul) else ()
        kept = tuple(part for part in parts if not self.holds(part))
        if len(kept) == len(parts):
            return expr
        return kept[0] if len(kept) == 1 else Mul(kept) if kept else ONE

    def holds(self, expr: Expr) -> bool | None:
        """Whether a comparison of indices holds; None for anything else."""
        if not isinstance(expr, Call) or expr.function != "same":
            return None
        samples, numbered = self.step.samples, self.step.layout.numbered
        numbers = {name: samples[at - 1] for name, at in self.env.items() if name in numbered and samples}
        a, b = (self.whole(part, {**self.env, **numbers}) for part in expr.arguments)
        return None if a is None or b is None else a == b

    def is_outside(self, expr: Expr) -> bool:
        """Whether an entry is outside of its array."""
        at = self.positions(expr) if isinstance(expr, Ref) and expr.indices else None
        return at is not None and (getattr(expr, "name", ""), at) not in self.step.layout.tape.slots

    def positions(self, ref: Ref) -> tuple[int, ...] | None:
        """The whole numbers between brackets; None where one is not known."""
        at = [self.whole(part, self.env) for part in ref.indices]
        known = tuple(part for part in at if part is not None)
        return known if len(known) == len(at) else None

    def whole(self, index: Expr, letters: Env) -> int | None:
        """The whole number that an index is; None for what is none."""
        match index:
            case Number(value):
                return int(value) if value.denominator == 1 else None
            case Ref(name, ()) if name in letters:
                return letters[name]
            case Ref():
                return self.looked_up(index)
            case Neg() | Add() | Mul():
                found = [self.whole(part, letters) for part in children(index)]
                known = [part for part in found if part is not None]
                return _joined(index, known) if len(known) == len(found) else None
        return None

    def looked_up(self, ref: Ref) -> int | None:
        """The whole number that the data have for an entry that is used as an index."""
        layout, at = self.step.layout, self.positions(ref)
        slot = layout.tape.slots.get((ref.name, at)) if at is not None else None
        value = self.step.memory[slot] if slot is not None and ref.name in layout.lookups else None
        return int(value.p) if isinstance(value, fmpq) and value.q == 1 else None


def _joined(index: Expr, parts: list[int]) -> int:
    """The sum, the product or the negative of the parts of an index."""
    if isinstance(index, Neg):
        return -parts[0]
    return sum(parts) if isinstance(index, Add) else prod(parts)
