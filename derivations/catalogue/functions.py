"""Functions that a model may use. One row is one function: formula, slope, torch name, source.

``formula`` defines the function through earlier rows and arithmetic; a row without one is a
primitive that the number systems know by name. ``slope`` is the derivative by ``x`` as textbooks
write it, ``slopes`` are those by further arguments; an argument without a slope must be a number.
The tests prove every slope against SymPy's derivative of the formula. ``kinks`` are the values of ``x``
at which there is no derivative by it (``y`` for ``max(x, y)``); the slope there is torch's choice, and
the test that compares it with autograd holds it to that. Where ``smooth`` is 0 there is no kink after
all, as for ELU with a = 1. A row with ``over`` binds an index: ``softmax(z[k], k)``; in its formula the
index is called ``k``.

``torch`` is one dotted name, several that are applied in turn, or an expression over the arguments in
braces: ``torch.nn.functional.gelu({x}, approximate='tanh')``.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from functools import reduce

from derivations.catalogue.activations import ACTIVATIONS
from derivations.catalogue.elementary import ELEMENTARY
from derivations.catalogue.function import Function
from derivations.catalogue.outside import with_outside

__all__ = ["BY_NAME", "FUNCTIONS", "NAMES", "Function", "torch_expression"]

FUNCTIONS = with_outside("functions", (*ELEMENTARY, *ACTIVATIONS))
BY_NAME = {row.name: row for row in FUNCTIONS}
NAMES = frozenset(BY_NAME)
HOLE = r"\{(\w+)\}"


def torch_expression(row: Function, arguments: Sequence[str]) -> str:
    """The torch code of a call: ``torch.maximum(a, b)``, ``torch.sign(torch.relu(z))``."""
    if "{" in row.torch:
        return _filled(row.torch, dict(zip(row.arguments, arguments, strict=True)))
    if not row.arguments:
        return row.torch
    first, *rest = row.torch.split()
    return reduce(lambda inner, name: f"{name}({inner})", rest, f"{first}({', '.join(arguments)})")


def _filled(template: str, given: Mapping[str, str]) -> str:
    """The template over its arguments, in brackets wherever a sign beside it would tear one apart."""

    def argument(hole: re.Match[str]) -> str:
        before, after = template[: hole.start()].rstrip()[-1:], template[hole.end() :].lstrip()[:1]
        code, alone = given[hole[1]], before in ("(", ",", "=") and after in (",", ")")
        return code if alone or code.isidentifier() else f"({code})"

    found = re.sub(HOLE, argument, template)
    is_call = isinstance(ast.parse(re.sub(HOLE, r"\1", template), mode="eval").body, ast.Call)
    return found if is_call else f"({found})"
