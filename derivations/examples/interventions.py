"""Interventions: a slip or another convention as a rewrite of the programs, run like any other.

    rewritten(example, "dL/dh[j] = sum(dL/dz[k]*W'[k, j], k)")   the gradient read the new weights
    rewritten(example, "A[t, u] = rough[t, u]", rough=...)       somebody's own values, carried forward
    rounded(example, {"theta'": 4})                              rounded to 4 places, carried on rounded

The rest stays as it is: a gradient follows from the model that was meant, not from the slip. The tape
works equations in the order of their dependencies, so a quantity may be read in its old version, ``w``,
or in its new one, ``w'``, wherever it stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from derivations.catalogue import functions
from derivations.examples.arrays import Array
from derivations.examples.example import Example
from derivations.examples.spec import exact, flat, shape_of
from derivations.language.backward import adjoint
from derivations.language.errors import LanguageError, nearest
from derivations.language.parser import parse_program
from derivations.language.program import Equation, Program, hoist
from derivations.language.tree import (
    Add,
    Call,
    Div,
    Expr,
    Mul,
    Number,
    Pow,
    Ref,
    free_indices,
    number,
    refs,
    transform,
    walk,
)

PROGRAMS = ("forward", "backward", "update")


def rewritten(example: Example, equations: str, **given: Any) -> Example:
    """The example with other right-hand sides for some of its equations.

    Adjoints are written ``dL/dh[j]``, quantities after the update ``w'[j]``. An equation takes the
    place of all those that write the same entries; its letters are its own. ``given`` are arrays that
    it may read. Raises `LanguageError` for a quantity that no equation of the example computes.
    """
    found = replace(example, data={**example.data, **{name: _array(value) for name, value in given.items()}})
    for line in parse_program(_words(equations, example.loss), functions.NAMES):
        target, body = (_adjoints(side, found) for side in (line.target, line.body))
        assert isinstance(target, Ref)
        found = _put(found, Equation(target, body))
    return found


def rounded(example: Example, places: Mapping[str, Any]) -> Example:
    """The example with some quantities rounded to so many decimal places, halves away from zero.

    Everything that follows reads the rounded value. ``places`` is one number for a whole quantity, or a
    list with one for each of its entries from 1. What is rounded is called ``h_exact``, the number of
    places of its entries ``h_places``. Raises `LanguageError` for a quantity that no equation computes.
    """
    found, known = example, [eq.target.name for kind in PROGRAMS for eq in getattr(example, kind)]
    for name, wanted in places.items():
        if name not in known:
            raise LanguageError(f"no equation computes '{name}'", hint=nearest(name, known, "quantities"))
        if not isinstance(wanted, int):
            found = replace(found, data={**found.data, f"{name}_places": _array(wanted)})
        found = replace(
            found, **{kind: _rounded(getattr(found, kind), name, wanted) for kind in PROGRAMS}
        )
    return found


def _array(value: Any) -> Array:
    entries = exact(value)
    return Array(shape_of(entries), flat(entries))


# --- reading -------------------------------------------------------------------------------------------


def _words(text: str, loss: str) -> str:
    """``dL/dh`` as one word of the same length, ``dL_dh``, which the parser takes for a name."""
    return re.sub(rf"\b{re.escape(adjoint(loss, ''))}(?=[A-Za-z])", adjoint(loss, "").replace("/", "_"), text)


def _adjoints(expr: Expr, example: Example) -> Expr:
    prefix = adjoint(example.loss, "")

    def rule(node: Expr) -> Expr | None:
        if not isinstance(node, Ref) or not node.name.startswith(prefix.replace("/", "_")):
            return None
        parts = tuple(_adjoints(part, example) for part in node.indices)
        return replace(node, name=prefix + node.name.removeprefix(prefix.replace("/", "_")), indices=parts)

    return transform(expr, rule)


# --- putting in ------------------------------------------------------------------------------------------


def _put(example: Example, new: Equation) -> Example:
    for kind in PROGRAMS:
        program: Program = getattr(example, kind)
        if any(_same(eq.target, new.target) for eq in program):
            return replace(example, **{kind: _replaced(program, new)})
    known = [eq.target.name for kind in PROGRAMS for eq in getattr(example, kind)]
    hint = nearest(new.target.name, known, "quantities")
    raise LanguageError(f"no equation computes '{new.target.name}' so", at=new.target.at, hint=hint)


def _same(mine: Ref, theirs: Ref) -> bool:
    """Whether two targets write the same entries: letters count alike, whole numbers must be equal."""
    if mine.name != theirs.name or len(mine.indices) != len(theirs.indices):
        return False
    pairs = zip(mine.indices, theirs.indices, strict=True)
    return all(a == b or not (isinstance(a, Number) or isinstance(b, Number)) for a, b in pairs)


def _replaced(program: Program, new: Equation) -> Program:
    letters = program.indices | _letters(new)
    lines: Iterable[Equation] = hoist(Program((new,), letters))
    kept: list[Equation] = []
    for eq in program:
        if not _same(eq.target, new.target):
            kept.append(eq)
        else:
            kept, lines = [*kept, *lines], ()
    return Program(tuple(kept), letters)


def _letters(eq: Equation) -> frozenset[str]:
    """What stands between brackets, and is no entry itself."""
    nodes = (node for side in (eq.target, eq.body) for node in walk(side) if isinstance(node, Ref))
    inside = (inner for node in nodes for part in node.indices for inner in walk(part))
    return frozenset(part.name for part in inside if isinstance(part, Ref) and not part.indices)


# --- rounding --------------------------------------------------------------------------------------------


def _rounded(program: Program, name: str, places: Any) -> Program:
    found: list[Equation] = []
    done: set[Ref] = set()
    for eq in program:
        given = any(isinstance(part, Number) for part in eq.target.indices) and not isinstance(places, int)
        if eq.target.name != name or given:  # the places of an entry 0 are not listed
            found.append(eq)
            continue
        inner = replace(eq.target, name=f"{name}_exact")
        found.append(replace(eq, target=inner))
        if eq.target not in done:
            done.add(eq.target)
            wanted = number(places) if isinstance(places, int) else replace(inner, name=f"{name}_places")
            found.append(Equation(eq.target, nearest_multiple(inner, wanted)))
    return Program(tuple(found), program.indices)


def nearest_multiple(value: Expr, places: Expr) -> Expr:
    """The nearest multiple of ``s = 10**-places``, halves away from zero: ``sign(x) floor(|x|/s + 1/2) s``."""
    scale = Pow(number(10), places)
    shifted = Add((Mul((Call("abs", (value,)), scale)), Div(number(1), number(2))))
    return Div(Mul((Call("sign", (value,)), Call("floor", (shifted,)))), scale)
