"""Paths of the chain rule: every read of a quantity, with the local slope of what reads it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from derivations.language.names import adjoint
from derivations.language.products import factors, product
from derivations.language.program import Equation, Program, Term, normal_form
from derivations.language.symbolic import slope
from derivations.language.tree import (
    ONE,
    ZERO,
    Call,
    Expr,
    Neg,
    Ref,
    Sum,
    free_indices,
    has_reduction,
    refs,
    substitute,
)


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
    read = [(eq.target.name, {ref.name for ref in refs(eq.body)}) for eq in program]
    while new := {name for name, names in read if name not in found and names & found}:
        found |= new
    return found


def needed(program: Program, *names: str) -> set[str]:
    """Some quantities and everything that they depend on."""
    found = set(names)
    while new := {ref.name for eq in program if eq.target.name in found for ref in refs(eq.body)} - found:
        found |= new
    return found


def contributions(program: Program, loss: str, parameters: Iterable[str]) -> list[Contribution]:
    """Every path of the chain rule from the loss to the parameters, from the last equation back."""
    alive, wanted = active(program, parameters), needed(program, loss)
    found: list[Contribution] = []
    for eq in reversed(program.equations):
        if eq.target.name not in wanted or eq.target.name not in alive:
            continue
        for term in normal_form(eq.body):
            for by in (ref for ref in refs(term.pointwise) if ref.name in alive):
                part = _contribution(eq, term, by, loss, program.indices)
                if part.slope != ZERO:  # else the path ends here
                    found.append(part)
    return _reaching(found, loss)


def _reaching(paths: list[Contribution], loss: str) -> list[Contribution]:
    """The paths that reach the loss: a slope of 0 ends others on their way."""
    reached = {loss}
    while new := {path.by.name for path in paths if path.through.target.name in reached} - reached:
        reached |= new
    return [path for path in paths if path.through.target.name in reached]


def _contribution(eq: Equation, term: Term, by: Ref, loss: str, names: frozenset[str]) -> Contribution:
    outer: Expr = ONE
    if eq.target.name != loss:
        outer = Ref(adjoint(loss, eq.target.name), eq.target.indices)
    loops = dict.fromkeys([*_names(eq.target, names), *term.over])
    bound = tuple(name for name in loops if name not in _names(by, names))
    local = slope(term.pointwise, by)
    if term.gates and local != ZERO:
        local = product(*term.gates, local)
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
