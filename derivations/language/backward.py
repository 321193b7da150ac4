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
from dataclasses import dataclass

from derivations.language.products import factors, product, total
from derivations.language.program import Equation, Program, Term, normal_form
from derivations.language.symbolic import slope
from derivations.language.tree import (
    ONE,
    ZERO,
    Add,
    Call,
    Expr,
    Mul,
    Neg,
    Ref,
    Sum,
    free_indices,
    has_reduction,
    index,
    refs,
    rename_index,
    substitute,
)


def adjoint(loss: str, quantity: str) -> str:
    """The name of the adjoint of a quantity: ``dL/dw``."""
    return f"d{loss}/d{quantity}"


@dataclass(frozen=True, slots=True)
class Contribution:
    """One path of the chain rule: through the equation ``through`` by its read of ``by``."""

    through: Equation
    term: Term
    by: Ref
    slope: Expr
    outer: Expr
    over: tuple[str, ...]

    @property
    def inner(self) -> tuple[str, ...]:
        """The indices that the equation itself sums over, but for those of ``by``."""
        return tuple(name for name in self.term.over if name in self.over)

    @property
    def along(self) -> tuple[str, ...]:
        """The indices of the target that are summed over: the ways on which ``by`` acts."""
        return tuple(name for name in self.over if name not in self.inner)

    @property
    def local(self) -> Expr:
        """``∂target/∂by`` as far as it goes through this term: the slope, summed where the term sums."""
        return reduce(self.slope, self.inner)

    @property
    def expr(self) -> Expr:
        """``Σ outer * slope``: what this path adds to the adjoint of ``by``."""
        return reduce(chain_product(self.slope, self.outer), self.over)


def active(program: Program, parameters: Iterable[str]) -> set[str]:
    """The parameters and every quantity that depends on one of them."""
    found = set(parameters)
    for eq in program:
        if any(ref.name in found for ref in refs(eq.body)):
            found.add(eq.target.name)
    return found


def contributions(program: Program, loss: str, parameters: Iterable[str]) -> list[Contribution]:
    """Every path of the chain rule from the loss to the parameters, from the last equation back."""
    alive = active(program, parameters)
    needed = {loss}
    found: list[Contribution] = []
    for eq in reversed(program.equations):
        if eq.target.name not in needed or eq.target.name not in alive:
            continue
        for term in normal_form(eq.body):
            for by in (ref for ref in refs(term.pointwise) if ref.name in alive):
                part = _contribution(eq, term, by, loss, program.indices)
                if part.slope != ZERO:  # else the path ends here
                    needed.add(by.name)
                    found.append(part)
    return found


def _contribution(eq: Equation, term: Term, by: Ref, loss: str, names: frozenset[str]) -> Contribution:
    outer: Expr = ONE
    if eq.target.name != loss:
        outer = Ref(adjoint(loss, eq.target.name), eq.target.indices)
    loops = dict.fromkeys([*_names(eq.target, names), *term.over])
    bound = tuple(name for name in loops if name not in _names(by, names))
    local = slope(term.pointwise, by)
    if isinstance(eq.body, Call):  # sigmoid(z)*(1 - sigmoid(z)) is h*(1 - h)
        local = substitute(local, {eq.body: eq.target})
    return Contribution(eq, term, by, local, outer, bound)


def _names(ref: Ref, indices: frozenset[str]) -> list[str]:
    return [name for part in ref.indices for name in free_indices(part, indices)]


def chain_product(local: Expr, outer: Expr) -> Expr:
    """``∂body/∂u`` times the adjoint in the order that reads best: ``x_i δ_i``, ``δ_i σ'(z_i)``."""
    simple = isinstance(local, Ref) or all(isinstance(f, Ref) for f in factors(local))
    return product(local, outer) if simple else product(outer, local)


def reduce(body: Expr, over: tuple[str, ...]) -> Expr:
    """``Σ body`` over the indices, with everything that does not depend on them in front.

    A sum stays inside the sum around it, for a product of two sums is not in normal form.
    """
    if isinstance(body, Neg):
        return product(Neg(reduce(body.argument, over)))
    for bound in reversed(over):
        staying = [bool(free_indices(part, {bound})) or has_reduction(part) for part in factors(body)]
        outside = [part for part, stays in zip(factors(body), staying, strict=True) if not stays]
        inside = [part for part, stays in zip(factors(body), staying, strict=True) if stays]
        body = product(*outside, Sum(product(*inside), bound))
    return body


def backward(program: Program, loss: str, parameters: Iterable[str]) -> Program:
    """The adjoint program: one equation ``dL/du[J] = ...`` for each quantity on a path.

    Quantities are in reverse order of computation, parameters last. A quantity without a path to
    the loss gets no equation. Entries read through plain indices are collected into one equation;
    entries read through index expressions accumulate (see `Equation`).
    """
    order = [*program.targets, *parameters]
    paths = contributions(program, loss, parameters)
    found = [
        eq
        for name in order
        for eq in _equations(adjoint(loss, name), [part for part in paths if part.by.name == name])
    ]
    return Program(tuple(found), program.indices)


def _equations(name: str, parts: list[Contribution]) -> list[Equation]:
    plain = [part for part in parts if _is_plain(part.by)]
    other = [Equation(Ref(name, part.by.indices), part.expr) for part in parts if not _is_plain(part.by)]
    if not plain:
        return other
    target = Ref(name, plain[0].by.indices)
    return [Equation(target, total(*(_aligned(part, target) for part in plain))), *other]


def _is_plain(ref: Ref) -> bool:
    names = [part.name for part in ref.indices if isinstance(part, Ref) and not part.indices]
    return len(set(names)) == len(ref.indices)


def _aligned(part: Contribution, target: Ref) -> Expr:
    """A contribution in the target's index names; a bound index in their way takes a freed one.

    For ``∂/∂w[j]`` of ``Σ (w[i] - w[j])**2`` collected under ``dL/dw[i]``, ``i`` and ``j`` change
    places: both run along the same axis of ``w``, so the ranges stay right.
    """
    new = {a.name: b for a, b in zip(part.by.indices, target.indices, strict=True) if isinstance(a, Ref)}
    away: dict[str, Expr] = {name: freed for name in part.over if (freed := _freed(name, new)) != index(name)}
    body = rename_index(chain_product(part.slope, part.outer), {**away, **new})
    over = (away.get(name, index(name)) for name in part.over)
    return reduce(body, tuple(bound.name for bound in over if isinstance(bound, Ref)))


def _freed(name: str, new: dict[str, Expr]) -> Expr:
    """The index name that becomes free, along the axis of ``name``, when ``new`` is put in."""
    sources = {target: source for source, target in new.items()}
    found: Expr = index(name)
    while found in sources:
        found = index(sources[found])
    return found


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
        if often[eq.target.name] == 1 and _is_plain(eq.target) and not has_reduction(eq.body)
        if not any(_is_adjoint(ref, loss) for ref in refs(eq.body))
    }
    found = [
        Equation(eq.target, _put_in(eq.body, local)) if eq.target.name in wanted else eq for eq in program
    ]
    return Program(tuple(found), program.indices)


def _is_adjoint(ref: Ref, loss: str) -> bool:
    return ref.name.startswith(f"d{loss}/d")


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
    new: dict[Expr, Expr] = {ref: instance(local[ref.name], ref) for ref in refs(expr) if ref.name in local}
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
