"""Deciding the lines of a derivation, one after another, each against the line before it."""

from __future__ import annotations

from collections.abc import Iterable

from derivations.language.contributions import adjoint
from derivations.language.program import Program
from derivations.language.prover import Prover
from derivations.language.steps import Chain, Line
from derivations.language.tree import Derivative, Expr, Ref


def prove(
    chains: tuple[Chain, ...], program: Program, loss: str, conditions: Iterable[tuple[Expr, Expr]] = ()
) -> list[tuple[str, bool]]:
    """Every line of every chain against the line before it; the first against the subject.

    The indices of ``program`` are those of the adjoints too; ``conditions`` hold of the data.
    """
    prover = Prover(program, loss, conditions)
    found = []
    for chain in chains:
        before = chain.subject
        for line in chain.lines:
            holds = _holds(prover, before, line, chain)
            found.append((f"line ({line.number}) of the derivation", holds))
            before = line.expr
    return found


def _holds(prover: Prover, left: Expr, line: Line, chain: Chain) -> bool:
    if line.reason.rule == "definition":
        return _is_definition(prover, line.expr, chain.subject)
    if line.reason.rule == "shortcut":
        return prover.equal(left, line.expr) or prover.equal_at_sizes(left, line.expr)
    return prover.equal(left, line.expr)


def _is_definition(prover: Prover, expr: Expr, subject: Expr) -> bool:
    """Whether a line differentiates the equation itself, not merely something of the same slope."""
    target = subject.body if isinstance(subject, Derivative) else Ref(prover.loss)
    if not isinstance(expr, Derivative) or not isinstance(target, Ref):
        return False
    defined = next((eq for eq in prover.program if eq.target == target), prover.program.targets[target.name])
    by = expr.by
    whole = Ref(adjoint(prover.loss, by.name), by.indices)
    same = by == subject.by if isinstance(subject, Derivative) else whole == subject
    return same and prover.equal(defined.body, expr.body)
