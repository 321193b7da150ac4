"""Printer of the tree as PyTorch code on whole tensors.

Index notation becomes broadcasting: an equation's loops are the axes of the result, in order, and a
sum over an index is ``.sum(dim=...)``. Index expressions read with tensors of whole numbers. The
result is ordinary Python, printed through `derivations.notation.text`; recurrences are in
`derivations.programs.loops`.
"""

from __future__ import annotations

import keyword
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction

from derivations.catalogue import functions
from derivations.language.program import Equation
from derivations.language.ranges import affine, is_letter
from derivations.language.tree import (
    Call,
    Count,
    Expr,
    Largest,
    Mean,
    Number,
    Ref,
    Sum,
    children,
    free_indices,
    rebuild,
    values,
)
from derivations.language.ways import Fits
from derivations.notation.text import text

LIBRARY, OWN = (
    "torch nn optim print range enumerate tensor",
    "step rows batch batches model optimizer shown padded",
)
OWN_NAMES = {*LIBRARY.split(), *OWN.split(), "loss_function", "scheduler"}
PADDED = '''\
def padded(array, places, outside=0.0):
    """The entries of an array at places that count from 0; outside the array another number."""
    inside = torch.ones((), dtype=torch.bool)
    for place, size in zip(places, array.shape):
        inside = inside & (place >= 0) & (place < size)
    kept = [place.clamp(0, size - 1) for place, size in zip(places, array.shape)]
    return torch.where(inside, array[tuple(kept)], outside)
'''


def variable(name: str) -> str:
    """A quantity's name as a Python variable that means nothing else in the program."""
    word = name.rstrip("_")  # print_ becomes print__, for print becomes print_
    return f"{name}_" if keyword.iskeyword(word) or word in OWN_NAMES else name


@dataclass(frozen=True)
class Scope:
    """What code is written for: the axes so far, in order, and what names mean.

    ``batched`` gives the sample axis of the data arrays, ``sizes`` the code of each index's size,
    ``fixed`` the letters that are Python numbers in a loop, ``steps`` the quantities kept as a
    dictionary by such a letter, with their axis and the shape of one entry. ``fits`` says whether a letter
    runs along a whole axis of an array. ``first`` is the number of the first entry along an axis that
    does not begin with 1: of ``h[0], h[1] …`` where something reads ``h[t - 1]`` later; ``numbered``
    are letters that, read as a number, are that of a sample in the data set.
    """

    loops: tuple[str, ...]
    batched: Mapping[str, int]
    sizes: Mapping[str, str]
    fixed: frozenset[str] = frozenset()
    steps: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    outside: str = ""
    fits: Fits = lambda *_: True
    first: Mapping[tuple[str, int], int] = field(default_factory=dict)
    numbered: frozenset[str] = frozenset()

    def inner(self, bound: str) -> Scope:
        """The scope inside a sum over an index."""
        return replace(self, loops=(*self.loops, bound), fixed=self.fixed - {bound})


def assignment(eq: Equation, scope: Scope) -> str:
    """``yhat = w*x[rows] + b``"""
    loops = tuple(
        part.name for part in eq.target.indices if isinstance(part, Ref) and part.name not in scope.fixed
    )
    own = ".clone()" if isinstance(eq.body, Ref) and not eq.body.indices else ""  # L = w, before w is updated
    return f"{variable(eq.target.name)} = {code_of(eq.body, replace(scope, loops=loops))}{own}"


def code_of(body: Expr, scope: Scope) -> str:
    """The code of a right-hand side; the result has exactly the axes of the scope."""
    found = text(_code(body, scope))
    missing = [axis for axis in scope.loops if axis not in free_indices(body, {axis})]
    if not missing:
        return found
    shape = ", ".join(scope.sizes[axis] for axis in scope.loops)
    tensor = (
        found
        if any(isinstance(node, Ref) for node in values(body))
        else f"torch.tensor({found}, dtype=torch.float64)"
    )
    return f"({tensor}).expand({shape})"


def _code(expr: Expr, scope: Scope) -> Expr:
    match expr:
        case Ref(name, ()) if name in scope.sizes:
            return Ref(_letter(name, scope))
        case Ref():
            return Ref(_entry(expr, scope))
        case Sum() | Mean() | Largest():
            return _reduction(expr, scope)
        case Count(bound):
            return Ref(scope.sizes[bound])
        case Call(name, arguments):
            return _call(name, tuple(_code(part, scope) for part in arguments))
    return rebuild(expr, tuple(_code(part, scope) for part in children(expr)))


def _call(name: str, arguments: tuple[Expr, ...]) -> Expr:
    row = functions.BY_NAME[name]
    shown = []
    for key, argument in zip(row.arguments, arguments, strict=True):
        code = text(argument)
        plain = not any(isinstance(node, Ref) for node in values(argument))
        # torch's functions take tensors only, but for what is no operand
        shown.append(
            f"torch.tensor({code}, dtype=torch.float64)" if plain and key in row.all_slopes else code
        )
    return Ref(functions.torch_expression(row, shown))


def _reduction(node: Sum | Mean | Largest, scope: Scope) -> Expr:
    outside = "-torch.inf" if isinstance(node, Largest) else scope.outside
    inside = _code(node.body, replace(scope.inner(node.index), outside=outside))
    size = scope.sizes[node.index]
    shown = text(inside)
    if node.index not in free_indices(node.body, {node.index}):
        return Ref(f"({shown})*{size}") if isinstance(node, Sum) else inside
    atom = shown if isinstance(inside, (Ref, Call)) and _is_atom(shown) else f"({shown})"
    axis = f"dim={len(scope.loops)}" if scope.loops else ""
    if isinstance(node, Largest):
        return Ref(f"{atom}.max({axis or 'dim=0'}).values")
    return Ref(f"{atom}.{'sum' if isinstance(node, Sum) else 'mean'}({axis})")


def _is_atom(code: str) -> bool:
    """Whether a method may follow a piece of code without brackets."""
    return all(sign not in code for sign in (" + ", " - ")) and not code.startswith("-")


def _letter(name: str, scope: Scope) -> str:
    """An index used as a number; of a sample it is its number in the data set."""
    if name in scope.numbered and name not in scope.fixed:
        later = len(scope.loops) - scope.loops.index(name) - 1
        return f"(rows + 1)[:{', None' * later}]" if later else "(rows + 1)"
    return name if name in scope.fixed else _index_tensor(name, scope, Fraction(0))


def _entry(ref: Ref, scope: Scope) -> str:
    base = variable(ref.name)
    if ref.name in scope.batched:
        before = ":, " * scope.batched[ref.name]
        base = f"{base}[{before}rows]"
    parts = ref.indices
    if ref.name in scope.steps:
        base, parts = _step_of(ref, scope)
    letters = [part.name for part in parts if isinstance(part, Ref)]
    numbers = [
        isinstance(part, Number) or (isinstance(part, Ref) and is_letter(part) and part.name in scope.fixed)
        for part in parts
    ]
    simple = all(number or is_letter(part) for number, part in zip(numbers, parts, strict=True))
    if not simple or len(set(letters)) < len(letters) or (ref.padded and ref.name not in scope.steps):
        return _advanced(ref, base, parts, scope)
    picks = [
        _place(part, scope, _before(ref, axis, scope)) if number else _extent(ref, axis, part, scope)
        for axis, (number, part) in enumerate(zip(numbers, parts, strict=True))
    ]
    if set(picks) - {":"}:
        base = f"{base}[{', '.join(picks)}]"
    dims = [
        part.name for number, part in zip(numbers, parts, strict=True) if not number and isinstance(part, Ref)
    ]
    return _in_axes(base, dims, scope.loops)


def _extent(ref: Ref, axis: int, part: Expr, scope: Scope) -> str:
    """All of an axis, ``:``, or as much of it as a letter runs along, ``:2``."""
    letter = getattr(part, "name", "")
    before = _before(ref, axis, scope)
    if before:
        return f"{before}:{before} + {scope.sizes[letter]}"
    return (
        ":" if scope.fits(ref.name, axis, letter) or letter not in scope.sizes else f":{scope.sizes[letter]}"
    )


def _before(ref: Ref, axis: int, scope: Scope) -> int:
    """How many entries stand along an axis before the one that counts as 1."""
    return 0 if ref.name in scope.steps else 1 - scope.first.get((ref.name, axis), 1)


def _in_axes(base: str, dims: list[str], loops: tuple[str, ...]) -> str:
    """A tensor with named axes, brought into the order of the loops, with new axes where some are missing."""
    order = sorted(dims, key=loops.index)
    if order != dims:
        base = f"{base}.permute({', '.join(str(dims.index(dim)) for dim in order)})"
    if not order:
        return base
    picks = [":" if axis in order else "None" for axis in loops[loops.index(order[0]) :]]
    return base if "None" not in picks else f"{base}[{', '.join(picks)}]"


def _step_of(ref: Ref, scope: Scope) -> tuple[str, tuple[Expr, ...]]:
    """``h[t - 1]``: one time step of a quantity that a loop is working."""
    axis, shape = scope.steps[ref.name]
    at, name = text(ref.indices[axis]), variable(ref.name)
    zeros = f"torch.zeros({shape or '()'}, dtype=torch.float64)"
    base = f"{name}.get({at}, {zeros})" if ref.padded else f"{name}[{at}]"
    return base, ref.indices[:axis] + ref.indices[axis + 1 :]


def _advanced(ref: Ref, base: str, parts: tuple[Expr, ...], scope: Scope) -> str:
    places = [_place(part, scope, _before(ref, axis, scope)) for axis, part in enumerate(parts)]
    if not ref.padded:
        return f"{base}[{', '.join(places)}]"
    outside = f", outside={scope.outside}" if scope.outside else ""
    tensors = ", ".join(
        place if "[" in place or "." in place else f"torch.tensor({place})" for place in places
    )
    return f"padded({base}, ({tensors},){outside})"


def _place(part: Expr, scope: Scope, before: int = 0) -> str:
    """An index as code that counts from 0, behind entries ``before`` the one that counts as 1."""
    form = affine(part)
    if form is None:
        return f"{text(_code(part, scope))}.long()" + (f" - {1 - before}" if before != 1 else "")
    shown = ""
    for name, value in form.items():
        if name and value:
            letter = name if name in scope.fixed else _index_tensor(name, scope, None)
            shown += _signed(f"{abs(value)}*{letter}" if abs(value) != 1 else letter, value < 0, not shown)
    constant = form.get("", Fraction(0)) - 1 + before
    if constant or not shown:
        shown += _signed(str(abs(constant)), constant < 0, not shown)
    return shown


def _signed(code: str, negative: bool, first: bool) -> str:
    if first:
        return f"-{code}" if negative else code
    return f" - {code}" if negative else f" + {code}"


def _index_tensor(name: str, scope: Scope, _: Fraction | None) -> str:
    """The values of an index from 1, along its axis."""
    later = len(scope.loops) - scope.loops.index(name) - 1
    picks = f"[:{', None' * later}]" if later else ""
    return f"torch.arange(1, {scope.sizes[name]} + 1){picks}"
