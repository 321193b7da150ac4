"""Witnesses of matrix forms: evaluated with random numbers, and against every step that is shown.

The first compares a form with its equation in index notation where every index has another number of
values, so that no transpose is hidden by a square or symmetric array; functions are replaced by
rational ones, for a form only says which entries they act on. The second does what a student would
do: puts the arrays of a step into the form.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flint import arb, fmpq

from derivations.language.backward import adjoint
from derivations.language.matrix import matrix_form
from derivations.language.program import Equation
from derivations.language.tree import Count, Expr, Mean, Ref, Sum, refs, walk
from derivations.model.example import Example
from derivations.numbers.matrices import Matrices, Misfit, entry, shaped
from derivations.numbers.pointwise import function_of
from derivations.numbers.systems import EXACT, Value, ball
from derivations.programs.listing import shown_steps
from derivations.run.training import Step, Trace
from derivations.witnesses.check import Proof

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
            same = _same(_worked(form, trace.steps[number - 1]), _wanted(form, trace.steps[number - 1]))
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
    given = Matrices(arrays, step.layout.sizes, lambda name, value: function_of(name, EXACT)(value, None))
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
