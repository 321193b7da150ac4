"""For which equations a matrix form must stand: asked of the indices alone, without writing any form.

An array of matrices has rows and columns. An equation can be said with whole arrays if all that is in hand
on the way has at most two indices, so that it has rows and columns too: the product of entries, a function
of entries, a quotient keep the indices of the result, and a sum over ``k`` is a matrix product, whose every
factor has ``k`` and at most one index beside it. The writer, `derivations.language.matrix`, is not asked.
"""

from __future__ import annotations

from dataclasses import dataclass

from derivations.language.names import adjoint
from derivations.language.program import Equation, Program
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
    children,
    refs,
    walk,
)
from derivations.model.example import Example
from derivations.run.training import Step


def must_have(example: Example, step: Step) -> set[Ref]:
    """The quantities of a model with a matrix in it for which a matrix form must stand.

    Those of the forward pass, their adjoints and the gradients that have one equation, which can be said
    with whole arrays, and in which every array is read in all its entries.
    """
    forward, backward = example.forward, example.backward
    told = {adjoint(example.loss, name) for name in (*forward.targets, *example.parameters)}
    asked = [(eq, forward) for eq in forward]
    asked += [(eq, backward) for eq in backward if eq.target.name in told]
    if not any(len(ref.indices) > 1 for eq in forward for ref in (eq.target, *refs(eq.body))):
        return set()
    names = [eq.target.name for eq, _ in asked]
    places = _places(step)
    return {
        eq.target
        for eq, program in asked
        if names.count(eq.target.name) == 1
        and is_sayable(eq, program)
        and all(_is_whole(ref, places, step) for ref in (eq.target, *refs(eq.body)))
    }


def is_sayable(eq: Equation, program: Program) -> bool:
    """Whether an equation of a program can be said with whole arrays."""
    letters, shown = _Letters(program.indices), eq.target.indices
    of = {part.name for part in shown if isinstance(part, Ref)}
    plain = len(of) == len(shown) < 3 and letters.array(eq.target)
    return plain and bool(letters.free(eq.body) or not of) and letters.said(eq.body, of)


def _places(step: Step) -> dict[str, list[set[int]]]:
    """The places that each array of a step has along its axes."""
    found: dict[str, list[set[int]]] = {}
    for name, at in step.layout.tape.slots:
        for own, place in zip(found.setdefault(name, [set() for _ in at]), at, strict=True):
            own.add(place)
    return found


def _is_whole(ref: Ref, places: dict[str, list[set[int]]], step: Step) -> bool:
    """Whether an array has as many entries along every axis as the letter there has values."""
    sizes = [step.layout.sizes.get(part.name, 0) for part in ref.indices if isinstance(part, Ref)]
    return places.get(ref.name, []) == [{*range(1, size + 1)} for size in sizes]


@dataclass(frozen=True)
class _Letters:
    """The index letters of a program, and what can be said within one or two of them."""

    all: frozenset[str]

    def free(self, expr: Expr) -> set[str]:
        """The letters of an expression that no sum in it binds."""
        if isinstance(expr, Ref):
            inside = (node for part in expr.indices for node in walk(part))
            return {node.name for node in inside if isinstance(node, Ref)} & self.all
        found = {name for part in children(expr) for name in self.free(part)}
        return found - {expr.index} if isinstance(expr, (Sum, Mean)) else found

    def array(self, ref: Ref) -> bool:
        """Whether a reading is of whole rows and columns: by letters, each once."""
        at = [part.name for part in ref.indices if isinstance(part, Ref) and not part.indices]
        by_letters = len({*at} & self.all) == len(ref.indices)
        return by_letters and not ref.padded and ref.name not in self.all

    def said(self, expr: Expr, of: set[str]) -> bool:
        """Whether an expression is a number, a column or a matrix along these indices."""
        if not self.free(expr) <= of:
            return False
        match expr:
            case Number() | Count():
                return True
            case Ref():
                return self.array(expr)
            case Pow(base, Number(exponent)):
                whole = exponent.denominator == 1 and not self.free(base)
                return (whole or exponent == 2) and self.said(base, of)
            case Neg() | Add() | Mul() | Div() | Call(_, (_,)):
                return all(self.said(part, of) for part in children(expr))
            case Sum(body, index) | Mean(body, index):
                return index not in of and self.summed(body, index, of)
        return False

    def summed(self, body: Expr, index: str, of: set[str]) -> bool:
        """Whether a sum over an index is one of matrix products, times what does not have the index."""
        if isinstance(body, Neg):
            return self.summed(body.argument, index, of)
        if isinstance(body, Add) and all(self.is_product(part, index) for part in body.terms):
            return all(self.summed(part, index, of) for part in body.terms)
        parts = self.factors(body)
        inside = [part for part in parts if index in self.free(part)]
        outside = [part for part in parts if index not in self.free(part)]
        if outside and len(inside) == 1:
            return all(self.said(part, of) for part in outside) and self.summed(inside[0], index, of)
        beside = [self.free(part) - {index} for part in inside]
        products = all(len(own) < 2 for own in beside)
        products = products and all(self.said(part, {index, *self.free(part)}) for part in inside)
        return products and all(self.said(part, of) for part in outside)

    def is_product(self, term: Expr, index: str) -> bool:
        """Whether at least two factors of a term have the index."""
        inner = term.argument if isinstance(term, Neg) else term
        return sum(index in self.free(part) for part in self.factors(inner)) > 1

    def factors(self, body: Expr) -> list[Expr]:
        """The factors of a product; of a sum, those that need not stand in it, and the sum of the others."""
        if not isinstance(body, Sum):
            return list(body.factors) if isinstance(body, Mul) else [body]
        parts = self.factors(body.body) if isinstance(body.body, Mul) else [body.body]
        inner = [part for part in parts if body.index in self.free(part)]
        outer = [part for part in parts if body.index not in self.free(part)]
        if not inner:
            return [body]
        return [*outer, Sum(inner[0] if len(inner) == 1 else Mul(tuple(inner)), body.index)]
