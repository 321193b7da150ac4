"""Printer of the tree as PyTorch code on whole tensors.

Index notation becomes broadcasting: an equation's loops are the axes of the result, in order, and a
sum over an index is ``.sum(dim=...)``. The result is ordinary Python, printed through
`derivations.notation.text`.
"""

from __future__ import annotations

import keyword
from collections.abc import Mapping

from derivations.catalogue import functions
from derivations.language.program import Equation
from derivations.language.tree import (
    Call,
    Count,
    Expr,
    Mean,
    Number,
    Ref,
    Sum,
    children,
    free_indices,
    rebuild,
    values,
)
from derivations.notation.text import text

LIBRARY, OWN = "torch nn optim print range enumerate tensor", "step rows batch batches model optimizer shown"
OWN_NAMES = {*LIBRARY.split(), *OWN.split(), "loss_function"}


def variable(name: str) -> str:
    """A quantity's name as a Python variable that means nothing else in the program."""
    word = name.rstrip("_")  # print_ becomes print__, for print becomes print_
    return f"{name}_" if keyword.iskeyword(word) or word in OWN_NAMES else name


def assignment(eq: Equation, batched: Mapping[str, int], sizes: Mapping[str, str]) -> str:
    """``yhat = w*x[rows] + b``; ``batched`` gives the sample axis of the data arrays."""
    loops = [ref.name for ref in eq.target.indices if isinstance(ref, Ref)]
    return f"{variable(eq.target.name)} = {text(_code(eq.body, loops, batched, sizes))}"


def _code(expr: Expr, loops: list[str], batched: Mapping[str, int], sizes: Mapping[str, str]) -> Expr:
    match expr:
        case Ref(name, indices):
            return Ref(_entry(name, indices, loops, batched))
        case Sum(body, bound) | Mean(body, bound):
            return _reduction(expr, body, bound, loops, batched, sizes)
        case Count(bound):
            return Ref(sizes[bound])
        case Call(name, arguments):
            return _call(name, tuple(_code(part, loops, batched, sizes) for part in arguments))
    return rebuild(expr, tuple(_code(part, loops, batched, sizes) for part in children(expr)))


def _call(name: str, arguments: tuple[Expr, ...]) -> Expr:
    found: Expr = arguments[0]
    if not any(isinstance(node, Ref) for node in values(found)):  # torch's functions take tensors only
        found = Ref(f"torch.tensor({text(found)}, dtype=torch.float64)")
    for path in functions.BY_NAME[name].torch.split():
        found = Call(path, (found,))
    return found


def _reduction(
    node: Sum | Mean,
    body: Expr,
    bound: str,
    loops: list[str],
    batched: Mapping[str, int],
    sizes: Mapping[str, str],
) -> Expr:
    inside = _code(body, [*loops, bound], batched, sizes)
    if bound not in free_indices(body, {bound}):
        return Ref(f"({text(inside)})*{sizes[bound]}") if isinstance(node, Sum) else inside
    method = "sum" if isinstance(node, Sum) else "mean"
    axis = f"dim={len(loops)}" if loops else ""
    shown = text(inside)
    return Ref(f"{shown if isinstance(inside, (Ref, Call)) else f'({shown})'}.{method}({axis})")


def _entry(name: str, indices: tuple[Expr, ...], loops: list[str], batched: Mapping[str, int]) -> str:
    base = variable(name)
    if name in batched:
        before = ":, " * batched[name]
        base = f"{base}[{before}rows]"
    numbers = [isinstance(part, Number) for part in indices]
    if any(numbers):
        picks = [str(int(p.value) - 1) if isinstance(p, Number) else ":" for p in indices]
        base = f"{base}[{', '.join(picks)}]"
    dims = [part.name for part in indices if isinstance(part, Ref)]
    order = sorted(dims, key=loops.index)
    if order != dims:
        base = f"{base}.permute({', '.join(str(dims.index(dim)) for dim in order)})"
    if not order:
        return base
    axes = loops[loops.index(order[0]) :]
    picks = [":" if axis in order else "None" for axis in axes]
    return base if "None" not in picks else f"{base}[{', '.join(picks)}]"
