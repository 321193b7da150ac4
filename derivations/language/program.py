"""Programs: tuples of equations in index notation, and their accumulating normal form.

The forward pass, the backward pass and the optimizer's update are all programs, so one evaluator,
one verifier and one printer serve all three.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from derivations.language.names import part_name
from derivations.language.products import product
from derivations.language.tree import (
    ONE,
    REDUCTIONS,
    Add,
    Chosen,
    Count,
    Div,
    Expr,
    Largest,
    Mean,
    Mul,
    Neg,
    Number,
    Ref,
    Sum,
    children,
    free_indices,
    fresh_index,
    has_reduction,
    index,
    rebuild,
    refs,
    rename_index,
    twin_index,
    walk,
)


@dataclass(frozen=True, slots=True)
class Equation:
    """``target = body``. Several equations with one target add up.

    The target's indices may be expressions (``dL/dx[t + k]``): then every value of the free
    indices adds its body to the entry that the expressions name.
    """

    target: Ref
    body: Expr


@dataclass(frozen=True, slots=True)
class Term:
    """``coefficient * sum over indices of body``: one term of the accumulating normal form.

    With ``gates`` it is the largest body instead, which is the sum of the gates (one is 1, the others
    are 0) times the bodies.
    """

    coefficient: Expr
    body: Expr
    over: tuple[str, ...]
    gates: tuple[Expr, ...] = ()

    @property
    def pointwise(self) -> Expr:
        """The body with its coefficient inside: what is summed, as one expression."""
        return self.body if self.coefficient == ONE else product(self.coefficient, self.body)


@dataclass(frozen=True)
class Program:
    """Equations in order, over index variables; a quantity is read after it is written."""

    equations: tuple[Equation, ...]
    indices: frozenset[str]

    def __iter__(self) -> Iterator[Equation]:
        return iter(self.equations)

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        """Of all the trees, once: programs are what is remembered by."""
        return hash((self.equations, self.indices))

    def __getstate__(self) -> dict[str, object]:
        return {key: value for key, value in vars(self).items() if key != "_hash"}  # another in each process

    @cached_property
    def targets(self) -> dict[str, Equation]:
        """The (first) equation of each quantity that the program computes, last quantity first."""
        return {eq.target.name: eq for eq in reversed(self.equations)}

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        """The quantities that are read and never written, in the order of first appearance."""
        read = (ref.name for eq in self.equations for ref in refs(eq.body))
        plain = (name for name in read if name not in self.targets and name not in self.indices)
        return tuple(dict.fromkeys(plain))

    def writer(self, name: str, at: tuple[int, ...]) -> Equation | None:
        """The first equation that writes an entry: that of ``h[0, j]`` or that of ``h[t, j]``."""
        own = [eq for eq in self.equations if eq.target.name == name]
        fitting = [eq for eq in own if _fits(eq.target, at)]
        return min(fitting, key=lambda eq: -_fixed(eq.target), default=None)

    def __add__(self, other: Program) -> Program:
        return Program(self.equations + other.equations, self.indices | other.indices)


def _fixed(target: Ref) -> int:
    """How many indices of a target are whole numbers."""
    return sum(isinstance(part, Number) for part in target.indices)


def _fits(target: Ref, at: tuple[int, ...]) -> bool:
    pairs = zip(target.indices, at, strict=True)
    return all(part.value == place for part, place in pairs if isinstance(part, Number))


def normal_form(expr: Expr) -> tuple[Term, ...]:
    """The terms ``coefficient * Σ body`` of a right-hand side.

    A sum inside a product is kept with its factors as coefficient; a sum inside a function or
    power, or a product of two sums, must be an equation of its own (see `hoist`).
    """
    if not has_reduction(expr):
        return (Term(ONE, expr, ()),)
    match expr:
        case Add(parts):
            return tuple(term for part in parts for term in normal_form(part))
        case Neg(a):
            return tuple(replace(t, coefficient=product(Neg(t.coefficient))) for t in normal_form(a))
        case Sum(body, bound):
            return tuple(_bind(term, bound, ONE) for term in normal_form(body))
        case Mean(body, bound):
            return tuple(_bind(term, bound, Count(bound)) for term in normal_form(body))
        case Largest(body, bound):
            return (_gate(expr, *normal_form(body)),)
        case Mul(parts):
            inner = next(part for part in parts if has_reduction(part))
            outer = [part for part in parts if part is not inner]
            return tuple(_scale(term, *outer) for term in normal_form(inner))
        case Div(a, b):
            return tuple(_scale(term, Div(ONE, b)) for term in normal_form(a))
    raise ValueError(f"a sum that was not hoisted: {expr}")


def _gate(whole: Largest, term: Term) -> Term:
    """The largest over one more index of a term that is an entry or itself a largest value."""
    other = twin_index(whole.index, {node.name for node in walk(whole.body) if isinstance(node, Ref)})
    chosen = Chosen(rename_index(whole.body, {whole.index: index(other)}), other, index(whole.index))
    return Term(ONE, term.pointwise, (whole.index, *term.over), (chosen, *term.gates))


def _scale(term: Term, *outer: Expr) -> Term:
    return replace(term, coefficient=product(*outer, term.coefficient))


def _bind(term: Term, bound: str, divisor: Expr) -> Term:
    """Σ over ``bound`` of a term: its coefficient stays outside unless it uses the index."""
    coefficient, body = term.coefficient, term.body
    if bound in free_indices(coefficient, {bound}):
        coefficient, body = ONE, product(coefficient, body)
    if divisor != ONE:
        coefficient = product(Div(ONE, divisor), coefficient)
    return Term(coefficient, body, (bound, *term.over))


def rewrite_reductions(term: Term) -> Expr:
    """The expression of a term, with its sums written out as `Sum` nodes."""
    result = term.body
    for bound in reversed(term.over):
        result = Largest(result, bound) if term.gates else Sum(result, bound)
    return result if term.coefficient == ONE else product(term.coefficient, result)


def hoist(program: Program) -> Program:
    """Give every sum that stands inside a power, function or product an equation of its own.

    So does a sum whose index is in use around it: ``x[i] - mean(x[i], i)``; no index is captured.
    """
    taken = {ref.name for eq in program for ref in walk(eq.body) if isinstance(ref, Ref)}
    taken |= set(program.targets)
    found: list[Equation] = []
    for eq in program:
        scope = _index_names(eq.target, program.indices)
        body = _lift(eq.body, eq.target, program.indices, taken, found, scope, top=True)
        found.append(replace(eq, body=body))
    return replace(program, equations=tuple(found))


def _index_names(target: Ref, indices: frozenset[str]) -> frozenset[str]:
    return frozenset(name for part in target.indices for name in free_indices(part, indices))


def _lift(
    expr: Expr,
    owner: Ref,
    names: frozenset[str],
    taken: set[str],
    found: list[Equation],
    scope: frozenset[str],
    *,
    top: bool,
) -> Expr:
    """Rebuild an expression whose sums stand only where the normal form allows them."""
    if not has_reduction(expr):
        return expr
    parts = children(expr)
    if isinstance(expr, REDUCTIONS) and (not top or expr.index in scope):
        own = frozenset(free_indices(expr, names))
        body = _lift(expr, owner, names, taken, found, own, top=True)
        target = Ref(_new_name(owner.name, taken), tuple(map(index, free_indices(body, names))))
        found.append(Equation(target, body))
        return target
    scope = scope | {expr.index} if isinstance(expr, REDUCTIONS) else scope
    allowed = [top and _keeps_sum(expr, place, parts) for place in range(len(parts))]
    lifted = [
        _lift(part, owner, names, taken, found, scope, top=ok)
        for part, ok in zip(parts, allowed, strict=True)
    ]
    return rebuild(expr, tuple(lifted))


def _keeps_sum(expr: Expr, place: int, parts: tuple[Expr, ...]) -> bool:
    if isinstance(expr, Largest):
        return isinstance(parts[0], Largest)
    if isinstance(parts[place], Largest):
        return False
    if isinstance(expr, (Add, Neg, Sum, Mean)):
        return True
    if isinstance(expr, Div):
        return place == 0
    return isinstance(expr, Mul) and not any(has_reduction(part) for part in parts[:place])


def _new_name(owner: str, taken: set[str]) -> str:
    name = part_name(owner, taken)
    taken.add(name)
    return name


def fresh_bounds(expr: Expr, taken: set[str]) -> Expr:
    """Rename bound indices that are also used outside, so that no sum captures a free index.

    A mean over a renamed index becomes ``1/count(i) Σ``, which still says how many values there are.
    """
    if isinstance(expr, REDUCTIONS):
        bound = expr.index
        if bound not in taken:
            return type(expr)(fresh_bounds(expr.body, taken | {bound}), bound)
        other = fresh_index(bound, taken | {r.name for r in refs(expr.body)})
        body = fresh_bounds(rename_index(expr.body, {bound: index(other)}), taken | {other})
        if isinstance(expr, Mean):
            return product(Div(ONE, Count(bound)), Sum(body, other))
        return type(expr)(body, other)
    return rebuild(expr, tuple(fresh_bounds(part, taken) for part in children(expr)))
