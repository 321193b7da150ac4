"""What is differentiated, and where: parameters shifted by the optimizer, second derivatives."""

from __future__ import annotations

from derivations.language.backward import backward, put_in_outer
from derivations.language.names import adjoint, adjoint_of, second, shifted
from derivations.language.program import Equation, Program
from derivations.language.tree import Expr, Ref, refs, transform
from derivations.model.update import Rule


def looked_ahead(forward: Program, rule: Rule) -> Program:
    """The forward program read at the shifted parameters, ``wtilde = w - mu*v_w``, which come first.

    The gradient by the parameter is the one by the shifted parameter, for their difference does not
    depend on it.
    """
    if not rule.ahead:
        return forward
    names = {name: shifted(name) for name in rule.axes}

    def rename(node: Expr) -> Expr | None:
        if isinstance(node, Ref) and node.name in names:
            return Ref(names[node.name], node.indices)
        return None

    letters = frozenset(letter for axes in rule.axes.values() for letter in axes)
    moved = [Equation(eq.target, transform(eq.body, rename)) for eq in forward]
    return Program((*rule.ahead, *moved), forward.indices | letters)


def with_second(forward: Program, adjoints: Program, rule: Rule) -> Program:
    """The adjoints, and the second derivative of the loss if the rule reads it.

    ``h_w`` is the adjoint of ``w`` in a backward pass from ``dL/dw`` over the forward and the backward
    pass; the adjoints on the way are called ``h_`` as well.
    """
    read = {ref.name for eq in rule.update for ref in refs(eq.body)}
    found = adjoints
    for name in rule.axes:
        if second(name) in read:
            slope = adjoint(rule.loss, name)
            twice = put_in_outer(backward(forward + adjoints, slope, [name]), slope, [name])
            needed = _needed(twice, adjoint(slope, name))
            found += Program(tuple(_named(eq, slope, rule.loss) for eq in needed), twice.indices)
    return found


def _needed(program: Program, last: str) -> list[Equation]:
    """The equations that lead to a quantity, in order."""
    wanted, found = {last}, list[Equation]()
    for eq in reversed(program.equations):
        if eq.target.name in wanted:
            wanted |= {ref.name for ref in refs(eq.body)}
            found.insert(0, eq)
    return found


def _named(eq: Equation, slope: str, loss: str) -> Equation:
    """An equation of the second pass with names that say so: ``h_yhat`` for ``d(dL/dw)/dyhat``."""

    def rename(node: Expr) -> Expr | None:
        of = adjoint_of(node.name, slope) if isinstance(node, Ref) else None
        if not isinstance(node, Ref) or of is None:
            return None
        return Ref(second(of, loss), node.indices)

    target = transform(eq.target, rename)
    assert isinstance(target, Ref)
    return Equation(target, transform(eq.body, rename))
