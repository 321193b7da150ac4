"""Interventions: a slip or another convention as a rewrite of the programs, run like any other.

    rewritten(example, "dL/dh[j] = sum(dL/dz[k]*W'[k, j], k)")   the gradient read the new weights
    rewritten(example, "A[t, u] = rough[t, u]", rough=...)       somebody's own values, carried forward
    rounded(example, {"theta'": 4})                              rounded to 4 places, carried on rounded

The rest stays as it is: a gradient follows from the model that was meant, not from the slip. The tape
works equations in the order of their dependencies, so a quantity may be read in its old version, ``w``,
or in its new one, ``w'``, wherever it stands.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from derivations.catalogue import functions
from derivations.language.errors import LanguageError, nearest
from derivations.language.names import as_words, from_word
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
    number,
    refs,
    transform,
    walk,
)
from derivations.model.example import Example
from derivations.spec.arrays import Array
from derivations.spec.exact import exact
from derivations.spec.spec import flat, shape_of


def rewritten(example: Example, equations: str, **given: Any) -> Example:
    """The example with other right-hand sides for some of its equations.

    Adjoints are written ``dL/dh[j]``, quantities after the update ``w'[j]``. An equation takes the
    place of all those that write the same entries; its letters are its own. ``given`` are arrays that
    it may read. Raises `LanguageError` for a quantity that no equation of the example computes.
    """
    found = _with_data(example, {name: _array(value) for name, value in given.items()})
    for line in parse_program(as_words(equations, example.loss), functions.NAMES):
        target, body = (_adjoints(side, example.loss) for side in (line.target, line.body))
        assert isinstance(target, Ref)
        _check_known(found, target)
        new = Equation(target, body)
        _check_read(found, new)
        found = _in_each(found, lambda program, new=new: _replaced(program, new))  # type: ignore[misc]
    return found


def rounded(example: Example, places: Mapping[str, Any]) -> Example:
    """The example with some quantities rounded to so many decimal places, halves away from zero.

    Everything that follows reads the rounded value. ``places`` is one number for a whole quantity, or a
    list with one for each of its entries from 1. What is rounded is called ``h_exact``, the number of
    places of its entries ``h_places``. Raises `LanguageError` for a quantity that no equation computes.
    """
    listed = {f"{name}_places": _array(v) for name, v in places.items() if not isinstance(v, int)}
    for name in places:
        _check_known(example, Ref(name))
    return _in_each(_with_data(example, listed), lambda program: _rounded(program, places))


def _with_data(example: Example, given: Mapping[str, Array]) -> Example:
    return replace(example, data={**example.data, **given})


def _in_each(example: Example, rule: Callable[[Program], Program]) -> Example:
    """The example with a rule applied to its three programs."""
    forward, backward, update = map(rule, (example.forward, example.backward, example.update))
    return replace(example, forward=forward, backward=backward, update=update)


def _check_known(example: Example, target: Ref) -> None:
    """Raise `LanguageError` if no equation computes a quantity, or not with so many indices."""
    programs = example.forward + example.backward + example.update
    own = [eq.target for eq in programs if eq.target.name == target.name]
    if not own:
        hint = nearest(target.name, programs.targets, "quantities")
        raise LanguageError(f"no equation computes '{target.name}'", at=target.at, hint=hint)
    if target.indices and not any(_same(mine, target) for mine in own):
        raise LanguageError(f"no equation computes these entries of '{target.name}'", at=target.at)


def _check_read(example: Example, new: Equation) -> None:
    """Raise `LanguageError` if an equation reads what does not exist."""
    programs = example.forward + example.backward + example.update
    known = {*programs.targets, *programs.inputs, *example.data, *example.kept, *example.hyper}
    for ref in refs(new.body):
        if ref.name not in known | _letters(new) | set(example.rule.clock):
            raise LanguageError(
                f"unknown name '{ref.name}'", at=ref.at, hint=nearest(ref.name, known, "names")
            )


def _array(value: Any) -> Array:
    entries = exact(value)
    return Array(shape_of(entries), flat(entries))


# --- reading -------------------------------------------------------------------------------------------


def _adjoints(expr: Expr, loss: str) -> Expr:
    """The words of `as_words` as the names of adjoints again."""

    def rule(node: Expr) -> Expr | None:
        if not isinstance(node, Ref) or from_word(node.name, loss) == node.name:
            return None
        parts = tuple(_adjoints(part, loss) for part in node.indices)
        return replace(node, name=from_word(node.name, loss), indices=parts)

    return transform(expr, rule)


# --- putting in ------------------------------------------------------------------------------------------


def _same(mine: Ref, theirs: Ref) -> bool:
    """Whether two targets write the same entries: letters count alike, whole numbers must be equal."""
    if mine.name != theirs.name or len(mine.indices) != len(theirs.indices):
        return False
    pairs = zip(mine.indices, theirs.indices, strict=True)
    return all(a == b or not (isinstance(a, Number) or isinstance(b, Number)) for a, b in pairs)


def _replaced(program: Program, new: Equation) -> Program:
    """The program with an equation in the place of those that write the same entries, if there are any."""
    places = [k for k, eq in enumerate(program) if _same(eq.target, new.target)]
    if not places:
        return program
    letters = program.indices | _letters(new)
    kept = [eq for k, eq in enumerate(program) if k not in places]
    kept[places[0] : places[0]] = hoist(Program((new,), letters))
    return Program(tuple(kept), letters)


def _letters(eq: Equation) -> frozenset[str]:
    """What stands between brackets, and is no entry itself."""
    nodes = (node for side in (eq.target, eq.body) for node in walk(side) if isinstance(node, Ref))
    inside = (inner for node in nodes for part in node.indices for inner in walk(part))
    return frozenset(part.name for part in inside if isinstance(part, Ref) and not part.indices)


# --- rounding --------------------------------------------------------------------------------------------


def _rounded(program: Program, places: Mapping[str, Any]) -> Program:
    """Each equation of a rounded quantity computes ``h_exact``; one more for each target rounds it."""
    found: list[Equation] = []
    for eq in program:
        wanted = _places(eq.target, places)
        if wanted is None:
            found.append(eq)
            continue
        inner = replace(eq.target, name=f"{eq.target.name}_exact")
        last = Equation(eq.target, nearest_multiple(inner, wanted))
        found = [*(other for other in found if other != last), replace(eq, target=inner), last]
    return Program(tuple(found), program.indices)


def _places(target: Ref, places: Mapping[str, Any]) -> Expr | None:
    """How many places an equation's entries have; None for those that are not rounded."""
    wanted = places.get(target.name)
    if wanted is None or isinstance(wanted, int):
        return None if wanted is None else number(wanted)
    listed = not any(
        isinstance(part, Number) for part in target.indices
    )  # what is given, h[0], is not listed
    return replace(target, name=f"{target.name}_places") if listed else None


def nearest_multiple(value: Expr, places: Expr) -> Expr:
    """``sign(x)*floor(|x|/s + 1/2)*s`` with ``s = 10**-places``: the nearest multiple, halves away from 0."""
    scale = Pow(number(10), places)
    shifted = Add((Mul((Call("abs", (value,)), scale)), Div(number(1), number(2))))
    return Div(Mul((Call("sign", (value,)), Call("floor", (shifted,)))), scale)
