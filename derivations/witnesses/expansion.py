"""The fourth witness: the whole loss written out at a tiny size, differentiated by ``sympy.diff``.

The three programs are worked with SymPy's expressions for numbers, which writes the loss out as one
formula in the data and the parameters. Its derivative must equal what the backward program gives.
"""

from __future__ import annotations

import operator
from functools import lru_cache
from typing import Any

import sympy as sp

from derivations.language.content import Content
from derivations.language.names import adjoint
from derivations.language.symbolic import SYMPY_OWN, function_class, is_zero, program_degree
from derivations.language.tree import Largest, Number, Ref, Sum, values
from derivations.model.example import REMEMBERED, Example
from derivations.numbers.systems import NumberSystem
from derivations.numbers.tape import Entry, Tape, label
from derivations.run.training import layout_of
from derivations.witnesses.check import Absent, Proof

TINY, LARGEST, HIGHEST, WRITTEN, SLOPE = 2, 600, 40, 200, 500


def _exact(value: Any) -> Any:
    return sp.Rational(value.numerator, value.denominator)


def _function(name: str, _: Any) -> Any:
    return SYMPY_OWN[name] if name in SYMPY_OWN else function_class(name)


SYMBOLIC = NumberSystem(
    "symbolic", _exact, operator.add, operator.sub, operator.mul, operator.truediv, operator.pow, _function
)


def _given(example: Example, known: dict[Entry, Any]) -> list[Any]:
    """The inputs, with the last of those whose sum a short cut's condition gives by the others."""
    for each in example.shortcuts:
        match each.condition:
            case (Sum(Ref(name, _), _), Number(total, _)):
                for entry in [entry for entry in known if entry[0] == name]:
                    row = [other for other in known if other[0] == name and other[1][:-1] == entry[1][:-1]]
                    if entry == row[-1]:
                        known[entry] = _exact(total) - sum(known[other] for other in row[:-1])
    return list(known.values())


def absent(text: str, *parts: object) -> tuple[tuple[Proof, ...], tuple[Absent, ...]]:
    """No proofs, and why not: a text with holes for its parts."""
    return (), (Absent(text, tuple(map(str, parts))),)


def expansion(example: Example) -> tuple[tuple[Proof, ...], tuple[Absent, ...]]:
    """The gradient of every entry of every parameter proved, or why it is too large for that."""
    if any(isinstance(node, Largest) for eq in example.forward for node in values(eq.body)):
        return absent("sympy.diff of the written-out loss: a maximum over an index has no formula")
    size = min(TINY, example.samples) or 1
    layout = layout_of(example, tuple(range(1, size + 1)))
    shapes = tuple((name, array.shape) for name, array in example.start.items())
    conditions = tuple(each.condition for each in example.shortcuts)
    key = example.forward, example.loss, shapes, conditions, layout.tape.inputs, layout.tape.operations
    return _expanded(Content((*key, layout.tape.constants), (example, layout.tape)))


@lru_cache(maxsize=REMEMBERED)
def _expanded(asked: Content[tuple[Example, Tape]]) -> tuple[tuple[Proof, ...], tuple[Absent, ...]]:
    """The same for all examples that have these equations and this tape."""
    example, tape = asked.of
    if len(tape.operations) > LARGEST:
        return absent("sympy.diff of the written-out loss: {} operations are too many", len(tape.operations))
    if (highest := program_degree(example.forward)) > HIGHEST:
        return absent("sympy.diff of the written-out loss: powers up to {} are too high", highest)
    symbols = [sp.Symbol(label(*entry), real=True) for entry in tape.inputs]
    memory = tape.bind(SYMBOLIC)(_given(example, dict(zip(tape.inputs, symbols, strict=True))))
    loss = memory[tape.slots[example.loss, ()]]
    if (written := int(sp.count_ops(loss))) > WRITTEN:
        return absent("sympy.diff of the written-out loss: a formula of {} operations is too long", written)
    entries = [(name, at) for name, array in example.start.items() for at in array.positions()]
    ours = [memory[tape.slots[adjoint(example.loss, name), at]] for name, at in entries]
    if (longest := max(int(sp.count_ops(slope)) for slope in ours)) > SLOPE:
        return absent("sympy.diff of the written-out loss: a slope of {} operations is too long", longest)
    proofs = []
    for (name, at), slope in zip(entries, ours, strict=True):
        theirs = sp.diff(loss, symbols[tape.inputs.index((name, at))])
        statement = label(adjoint(example.loss, name), at)
        proofs.append(Proof(statement, "sympy.diff of the written-out loss", is_zero(slope - theirs)))
    return tuple(proofs), ()
