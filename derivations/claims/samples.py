"""Samples keep their numbers of the data set: positions in a batch as sample numbers, and back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from derivations.language.errors import Mismatch
from derivations.language.tree import Expr, Number, Ref, number, transform
from derivations.notation.chain import Formula, Side
from derivations.run.training import Step


def with_samples(formula: Formula, step: Step) -> Formula:
    """A formula about positions in the batch as it is printed, about samples: ``z_{3,1}``."""
    known = dict(enumerate(step.samples, 1))
    return Formula(
        tuple(Side(s.relation, _renumbered(s.expr, step, known.__getitem__)) for s in formula.sides)
    )


def with_positions(sides: tuple[Side, ...], step: Step) -> tuple[Side, ...]:
    """The sides of a printed formula as they are worked: the inverse of `with_samples`.

    Raises `Mismatch` for a sample that is not in the batch.
    """

    def position(sample: int) -> int:
        if sample not in step.samples:
            raise Mismatch(f"sample {sample} is not in the batch of step {step.number}")
        return step.samples.index(sample) + 1

    return tuple(Side(side.relation, _renumbered(side.expr, step, position)) for side in sides)


def _renumbered(expr: Expr, step: Step, new: Callable[[int], int]) -> Expr:
    """Every whole number that stands in the place of the sample index, replaced; also inside a lookup."""

    def rule(node: Expr) -> Expr | None:
        if not isinstance(node, Ref) or not node.indices or not step.samples:
            return None
        dims = (*step.layout.dims.get(node.name, ()), *[""] * len(node.indices))
        pairs = zip(node.indices, dims, strict=False)
        return replace(node, indices=tuple(place(part, dim == step.layout.sample) for part, dim in pairs))

    def place(part: Expr, sampled: bool) -> Expr:
        if isinstance(part, Number):
            return number(new(int(part.value))) if sampled else part
        return transform(part, rule)

    return transform(expr, rule)
