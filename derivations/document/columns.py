"""Which columns the table of a mini-batch needs: the entries along the samples and what sums use."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from fractions import Fraction

from derivations.language.program import Equation, normal_form
from derivations.language.ranges import settled
from derivations.language.tree import (
    Add,
    Expr,
    Number,
    Ref,
    Sum,
    free_indices,
    number,
    values,
)
from derivations.model.example import Example, sample_axes
from derivations.notation.chain import Formula, formula
from derivations.run.training import Step, at_entry, size_of

FEW = 24  # entries of a quantity that are told one by one
OPENING = 96  # values with which a step opens: a student works it from them


def entries_along_samples(example: Example) -> list[Ref]:
    """The columns of the data: ``x[i]``, or ``x[i, 1]``, ``x[i, 2]`` … for several features."""
    found = []
    for name, axis in sample_axes(example).items():
        shape = list(example.data[name].shape)
        shape[axis] = 1
        for at in itertools.product(*(range(1, extent + 1) for extent in shape)):
            parts: list[Expr] = [number(p) for p in at]
            parts[axis] = Ref(example.sample or "")
            found.append(Ref(name, tuple(parts)))
    return found


def data_value(example: Example, ref: Ref, sample: int) -> Fraction:
    """The value of such a column for one sample of the data set."""
    array = example.data[ref.name]
    at = tuple(int(p.value) if isinstance(p, Number) else sample for p in ref.indices)
    return dict(zip(array.positions(), array.entries, strict=True))[at]


def instances(eq: Equation, sample: str | None, step: Step) -> Iterator[tuple[Ref, Expr]]:
    """The equation for every value of its indices but the sample's: ``z[i, 1]``, ``z[i, 2]`` …"""
    names = [part.name for part in eq.target.indices if isinstance(part, Ref) and part.name != sample]
    for at in itertools.product(*(range(1, size_of(step, name) + 1) for name in names)):
        places = dict(zip(names, at, strict=True))
        target = at_entry(eq.target, places, step)
        assert isinstance(target, Ref)
        yield target, settled(at_entry(eq.body, places, step))


def indices_of(eq: Equation) -> list[str]:
    """The index letters of a target."""
    return [part.name for part in eq.target.indices if isinstance(part, Ref)]


def row_index(eq: Equation, sample: str | None, sizes: Mapping[str, int], samples: int) -> str | None:
    """The index along which an equation is tabulated: the samples', or the first one of many entries.

    None for few entries, which are told one by one; so is a batch of one sample.
    """
    names = [name for name in indices_of(eq) if name != sample or samples > 1]
    if sample in names:
        return sample
    entries = math.prod(sizes[name] for name in names)
    return names[0] if names and entries > FEW else None


def columns_of(equations: list[Equation], row: str, step: Step, *, short: bool) -> dict[Expr, Formula]:
    """A column for each entry beside the row index; headings are formulas where nothing else says them."""
    return {
        target: formula(target) if short or len(indices_of(eq)) > 1 else formula(target, body)
        for eq in equations
        for target, body in instances(eq, row, step)
    }


def summed(body: Expr, sample: str | None) -> list[Expr]:
    """What is summed over the samples in a right-hand side."""
    return [term.body for term in normal_form(body) if sample is not None and term.over == (sample,)]


def parts_of(summand: Expr, sample: str) -> list[Expr]:
    """The bracketed parts of a summand that deserve a column of their own: the residual."""
    if isinstance(summand, Add) or any(isinstance(node, Sum) for node in values(summand)):
        return []
    found = [node for node in values(summand) if isinstance(node, Add) and free_indices(node, {sample})]
    return list(dict.fromkeys(found))
