"""The forward pass as PyTorch code: plain equations one by one, recurrences as a loop over their letter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction

from derivations.language.errors import LanguageError
from derivations.language.program import Equation, Program
from derivations.language.ranges import affine, extremes
from derivations.language.tree import Expr, Number, Ref, refs, walk
from derivations.language.ways import Fits
from derivations.notation.text import text
from derivations.programs.code import Scope, assignment, code_of, variable

MANY = 1_000_000


def forward_code(
    program: Program,
    batched: Mapping[str, int],
    sizes: Mapping[str, str],
    fits: Fits,
    numbered: frozenset[str] = frozenset(),
) -> list[str]:
    """The lines that work every equation of a forward program, in an order that can be run."""
    groups = in_order(program)
    first = dict(pair for group in groups if is_looped(group) for pair in _early(group, program, sizes))
    scope = Scope((), batched, sizes, fits=fits, first=first, numbered=numbered)
    return [line for group in groups for line in _group(group, scope)]


def _early(
    group: tuple[Equation, ...], program: Program, sizes: Mapping[str, str]
) -> Iterator[tuple[tuple[str, int], int]]:
    """The axes of a recurrence whose entries before 1 are read by others: ``h[0]`` in ``x[t] - h[t - 1]``."""
    names = {eq.target.name for eq in group}
    nodes = (node for eq in program if eq.target.name not in names for node in walk(eq.body))
    reads = [node for node in nodes if isinstance(node, Ref)]
    letter, _ = _loop_letter(group, names)
    for name, axis in {eq.target.name: _axis(eq, letter) for eq in group}.items():
        lowest = min([1, *_numbers(group, name, axis)])
        if any(ref.name == name and _least(ref.indices[axis], sizes) < 1 for ref in reads) and lowest < 1:
            yield (name, axis), lowest


def _numbers(group: tuple[Equation, ...], name: str, axis: int) -> Iterator[int]:
    """The whole numbers on an axis of the left-hand sides of a quantity."""
    own = (eq.target.indices[axis] for eq in group if eq.target.name == name)
    yield from (int(part.value) for part in own if isinstance(part, Number))


def _last(group: tuple[Equation, ...], name: str, axis: int) -> str:
    """The code of the last entry of a quantity that has no letter: 2 of ``h[0]``, ``h[1]``, ``h[2]``."""
    numbers = list(_numbers(group, name, axis))
    return f"len({variable(name)})" if min(numbers) == 1 else str(max(numbers))


def _least(part: Expr, sizes: Mapping[str, str]) -> Fraction:
    """The least value of an index expression; 1 for a lookup. Of samples there may be any number."""
    form = affine(part)
    if form is None:
        return Fraction(1)
    known = {name: int(size) if size.isdigit() else MANY for name, size in sizes.items()}
    return extremes(form, {**dict.fromkeys(form, MANY), **known})[0]


def in_order(program: Program) -> list[tuple[Equation, ...]]:
    """The equations in the order of their reads; those that depend on one another stand together."""
    reads = {eq.target.name: set[str]() for eq in program}
    for eq in program:
        reads[eq.target.name] |= {node.name for node in walk(eq.body) if isinstance(node, Ref)} & set(reads)
    below = {name: _below(name, reads) for name in reads}
    found: list[tuple[Equation, ...]] = []
    done: set[str] = set()
    while len(done) < len(reads):
        name = next(
            n
            for n in reads
            if n not in done and not (below[n] - {m for m in below[n] if n in below[m]} - {n}) - done
        )
        members = {name} | {other for other in below[name] if name in below[other]}
        found.append(tuple(eq for eq in program if eq.target.name in members))
        done |= members
    return found


def _below(name: str, reads: Mapping[str, set[str]]) -> set[str]:
    found, new = set[str](), reads[name]
    while new - found:
        found |= new
        new = {deeper for other in found for deeper in reads[other]}
    return found


def is_looped(group: tuple[Equation, ...]) -> bool:
    """Whether equations read entries of one another, so that they are worked in a loop."""
    names = {eq.target.name for eq in group}
    return len(group) > 1 or any(ref.name in names for ref in refs(group[0].body))


def _group(group: tuple[Equation, ...], scope: Scope) -> Iterator[str]:
    names = {eq.target.name for eq in group}
    if not is_looped(group):
        yield assignment(group[0], scope)
        return
    letter, backwards = _loop_letter(group, names)
    axes = {eq.target.name: _axis(eq, letter) for eq in group}
    shapes = {
        name: _shape(next(eq for eq in group if eq.target.name == name), axes[name], scope) for name in names
    }
    inside = replace(
        scope, fixed=frozenset({letter}), steps={name: (axes[name], shapes[name]) for name in names}
    )
    for name in axes:
        yield f"{variable(name)} = {{}}"
    for eq in group:
        if isinstance(eq.target.indices[axes[eq.target.name]], Number):
            yield _step(eq, axes[eq.target.name], inside)
    looped = [eq for eq in group if Ref(letter) in eq.target.indices]
    if looped:
        size = scope.sizes[letter]
        yield (
            f"for {letter} in range({size}, 0, -1):"
            if backwards
            else f"for {letter} in range(1, {size} + 1):"
        )
        yield from (f"    {_step(eq, axes[eq.target.name], inside)}" for eq in _sorted(looped))
    for name, axis in axes.items():
        dim = f", dim={axis}" if axis else ""
        length = scope.sizes[letter] if letter in scope.sizes else _last(group, name, axis)
        first = scope.first.get((name, axis), 1)
        entries = f"{variable(name)}[{letter}] for {letter} in range({first}, {length} + 1)"
        yield f"{variable(name)} = torch.stack([{entries}]{dim})"


def _loop_letter(group: tuple[Equation, ...], names: set[str]) -> tuple[str, bool]:
    """The letter of the loop, and whether it runs backwards: ``t`` where ``h[t - 1]`` is read."""
    for eq in group:
        for ref in refs(eq.body):
            for axis, part in enumerate(ref.indices if ref.name in names else ()):
                form = affine(part) or {}
                letters = [name for name in form if name]
                if form.get("") and len(letters) == 1 and Ref(letters[0]) == _own(group, ref.name, axis):
                    return letters[0], form[""] > 0
    numbered = next((eq for eq in group if any(isinstance(p, Number) for p in eq.target.indices)), None)
    if numbered is None:
        hint = "A recurrence reads an earlier entry: h[t - 1] in the equation of h[t]."
        message = f"'{group[0].target.name}' depends on itself"
        raise LanguageError(message, at=group[0].target.at, hint=hint)
    return "place", False


def _own(group: tuple[Equation, ...], name: str, axis: int) -> object:
    plain = [eq.target for eq in group if eq.target.name == name and isinstance(eq.target.indices[axis], Ref)]
    return plain[0].indices[axis] if plain else None


def _axis(eq: Equation, letter: str) -> int:
    places = [
        at for at, part in enumerate(eq.target.indices) if isinstance(part, Number) or part == Ref(letter)
    ]
    if not places:
        raise LanguageError(f"'{eq.target.name}' is part of a recurrence without its index", at=eq.target.at)
    return places[0]


def _shape(eq: Equation, axis: int, scope: Scope) -> str:
    rest = [part.name for at, part in enumerate(eq.target.indices) if at != axis and isinstance(part, Ref)]
    return ", ".join(scope.sizes[name] for name in rest)


def _step(eq: Equation, axis: int, scope: Scope) -> str:
    """One equation inside the loop, for one value of its letter."""
    rest = tuple(
        part.name for at, part in enumerate(eq.target.indices) if at != axis and isinstance(part, Ref)
    )
    at, code = text(eq.target.indices[axis]), code_of(eq.body, replace(scope, loops=rest))
    kept = (eq.target.name, axis) in scope.first and isinstance(eq.target.indices[axis], Number)
    if kept and not any(isinstance(node, Ref) for node in walk(eq.body)) and not rest:
        code = f"torch.tensor({code}, dtype=torch.float64)"  # it is stacked with the others
    return f"{variable(eq.target.name)}[{at}] = {code}"


def _sorted(group: list[Equation]) -> list[Equation]:
    """Equations of one step in the order of their reads at this step."""
    left, found = list(group), list[Equation]()
    while left:
        names = {eq.target.name for eq in left}
        ready = next((eq for eq in left if not any(_now(ref, eq, names) for ref in refs(eq.body))), left[0])
        found.append(ready)
        left.remove(ready)
    return found


def _now(ref: Ref, eq: Equation, names: set[str]) -> bool:
    """Whether a read is of something that this step still has to work."""
    return (
        ref.name in names
        and ref.name != eq.target.name
        and all(isinstance(part, Ref) for part in ref.indices)
    )
