"""Reverse mode in index notation, by one rule.

For every entry ``u[J]`` that the body of an equation ``t[I] = Σ body`` reads,

    dL/du[J]  accumulates  Σ dL/dt[I] * ∂body/∂u[J]

and the local slope ``∂body/∂u[J]`` is SymPy's, with ``u[J]`` differentiated as an atom. There are
no rules for matrix products, convolutions or broadcasting: the index notation carries them.
Work grows with the number of equations, not with the sizes of the arrays.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from derivations.language.contributions import (
    Contribution,
    active,
    chain_product,
    contributions,
    needed,
    reduce,
)
from derivations.language.names import adjoint, adjoint_of
from derivations.language.products import factors, product, total
from derivations.language.program import Equation, Program
from derivations.language.tree import (
    Add,
    Expr,
    Mul,
    Neg,
    Ref,
    Sum,
    has_reduction,
    refs,
    rename_index,
    substitute,
)
from derivations.language.ways import Fits, fits_by_letters, is_plain, ways_to

__all__ = [
    "Contribution",
    "active",
    "adjoint",
    "backward",
    "chain_product",
    "contributions",
    "needed",
    "put_in_outer",
]


def backward(program: Program, loss: str, parameters: Iterable[str], fits: Fits | None = None) -> Program:
    """The adjoint program: one equation ``dL/du[J] = ...`` for each quantity on a path.

    Quantities are in reverse order of computation, parameters last. A quantity without a path to
    the loss gets no equation; entries that an equation of their own writes (``h[0, j]``) get an
    adjoint of their own. ``fits`` says whether a letter runs along a whole axis. For reads through
    index expressions see `derivations.language.ways`.
    """
    parameters = tuple(parameters)
    paths = contributions(program, loss, parameters)
    fits = fits or fits_by_letters(program)
    found: list[Equation] = []
    letters = set(program.indices)
    for name in dict.fromkeys([*program.targets, *parameters]):
        own = [part for part in paths if part.by.name == name]
        for target, ways in ways_to(program, name, own, letters, fits) if own else ():
            at = Ref(adjoint(loss, name), target.indices)
            found.append(Equation(at, total(*(way.expr for way in ways))))
    return Program(tuple(found), frozenset(letters))


def put_in_outer(program: Program, loss: str, parameters: Iterable[str]) -> Program:
    """The gradients written with the adjoints next to the loss put in.

    ``dL/dw = Σ x[i]*dL/dyhat[i]`` becomes ``2/n Σ x[i]*(yhat[i] - y[i])``. Only adjoints that are
    themselves free of sums and of other adjoints, and said by one equation, are put in, so that
    formulas stay short.
    """
    wanted = {adjoint(loss, name) for name in parameters}
    often = Counter(eq.target.name for eq in program)
    local = {
        eq.target.name: eq
        for eq in program
        if often[eq.target.name] == 1 and is_plain(eq.target) and not has_reduction(eq.body)
        if not any(_is_adjoint(ref, loss) for ref in refs(eq.body))
    }
    found = [
        Equation(eq.target, _put_in(eq.body, local)) if eq.target.name in wanted else eq for eq in program
    ]
    return Program(tuple(found), program.indices)


def _is_adjoint(ref: Ref, loss: str) -> bool:
    return adjoint_of(ref.name, loss) is not None


def _put_in(expr: Expr, local: dict[str, Equation]) -> Expr:
    match expr:
        case Add(parts):
            return total(*(_put_in(part, local) for part in parts))
        case Neg(a):
            return product(Neg(_put_in(a, local)))
        case Sum(a, bound):
            return reduce(factors_first(_put_in(a, local)), (bound,))
        case Mul(parts) if has_reduction(expr):
            return product(*(_put_in(part, local) for part in parts))
    new: dict[Expr, Expr] = {
        ref: instance(local[ref.name], ref) for ref in refs(expr) if ref.name in local and not ref.padded
    }
    return tidy(substitute(expr, new)) if new else expr


def instance(eq: Equation, at: Ref) -> Expr:
    """The right-hand side of an equation for the entry ``at`` of its target."""
    pairs = zip(eq.target.indices, at.indices, strict=True)
    return rename_index(eq.body, {a.name: b for a, b in pairs if isinstance(a, Ref)})


def tidy(expr: Expr) -> Expr:
    """A product made flat again after something was put into it."""
    return product(*(tidy(part) for part in factors(expr))) if len(factors(expr)) > 1 else expr


def factors_first(expr: Expr) -> Expr:
    """Single entries before bracketed factors: ``x_i (yhat_i - y_i)``."""
    if isinstance(expr, Neg):
        return Neg(factors_first(expr.argument))
    return product(*sorted(factors(expr), key=lambda part: not isinstance(part, Ref)))
