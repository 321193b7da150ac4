"""The ways on which an entry acts, in the letters of its adjoint's equation.

A path of the chain rule is found where a body reads ``u[J]``, in the letters of that body. The
adjoint ``dL/du[K]`` is one equation with letters of its own, so each path is brought into them:

* ``u[j]`` read with a plain letter: the letter is renamed;
* ``x[t + k - 1]``: solved for a letter of the adjoint that comes in, ``t = s - k + 1``, whose entries
  outside the array count as 0: ``dL/dx[s] = Σ_k w[k] dL/dh[s - k + 1]``, as textbooks write it;
* everything else (``x[2*t]``, ``E[token[i]]``, ``w[1]``, ``x[k]*c[k]`` where ``k`` reaches a part of ``x``):
  a factor that is 1 where the read is of this entry and 0 elsewhere, ``same(s, token[i])``.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeAlias

from derivations.language.contributions import Contribution, chain_product, reduce
from derivations.language.products import product, total
from derivations.language.program import Program
from derivations.language.ranges import affine, moving_letters, scaled, settled, short
from derivations.language.tree import (
    Call,
    Expr,
    Neg,
    Number,
    Ref,
    free_indices,
    index,
    rename_index,
)


@dataclass(frozen=True)
class Way:
    """A path in the letters of an adjoint: ``Σ over of gates · slope · outer``."""

    path: Contribution
    new: Mapping[str, Expr]
    gates: tuple[Expr, ...]
    over: tuple[str, ...]
    solved: bool

    def renamed(self, expr: Expr) -> Expr:
        """An expression of the path in the letters of the adjoint: ``h[t]`` for ``h[(t + 1) - 1]``."""
        return settled(rename_index(expr, self.new)) if self.new else expr

    @property
    def outer(self) -> Expr:
        """The adjoint of what the path goes through; 0 outside its array where a letter was solved for."""
        found = self.renamed(self.path.outer)
        return replace(found, padded=True) if self.solved and isinstance(found, Ref) else found

    @property
    def along(self) -> tuple[str, ...]:
        """The summed letters that the equation itself does not sum over."""
        inner = {getattr(self.renamed(index(name)), "name", "") for name in self.path.inner}
        return tuple(name for name in self.over if name not in inner)

    @property
    def expr(self) -> Expr:
        """What this path adds to the adjoint."""
        body = chain_product(self.renamed(self.path.slope), self.outer)
        return reduce(product(*self.gates, body), self.over)


Fits: TypeAlias = Callable[[str, int, str], bool]  # quantity, axis, letter


def fits_by_letters(program: Program) -> Fits:
    """Whether a letter surely runs along the whole axis of an array, by its letters alone.

    One that stands in an index expression too, as ``t`` in ``x[t + 1] - x[t]``, may stop earlier.
    """
    moving = moving_letters(program)
    own = {
        (eq.target.name, axis, getattr(part, "name", "")) for eq in program for axis, part in _axes(eq.target)
    }
    return lambda name, axis, letter: (name, axis, letter) in own or letter not in moving


def fits_by_sizes(shapes: Mapping[str, tuple[int, ...]], sizes: Mapping[str, int]) -> Fits:
    """Whether a letter runs along the whole axis of an array, by their sizes."""
    return partial(_same_size, shapes, sizes)


def _same_size(
    shapes: Mapping[str, tuple[int, ...]], sizes: Mapping[str, int], name: str, axis: int, letter: str
) -> bool:
    return name not in shapes or shapes[name][axis] == sizes.get(letter)


def _axes(ref: Ref) -> Iterator[tuple[int, Expr]]:
    return enumerate(ref.indices)


def ways_to(
    program: Program, name: str, own: list[Contribution], letters: set[str], fits: Fits
) -> Iterator[tuple[Ref, list[Way]]]:
    """The left-hand sides of the adjoint of a quantity, each with the ways that lead to it.

    They are those of its equations, or of its reads if it is an input, in letters of their own where
    a sum of some way has the same letter. New letters are added to ``letters``.
    """
    for target in _patterns(program, name, own, letters, fits):
        clashes = {name for part in own for name in _clashes(part, target, program.indices)}
        if clashes:
            target = _fresh(target, letters, program, clashes)
        ways = _ways(program, target, own, fits)
        twice = {name for way in ways for name in way.over} & _letters(target, program.indices)
        if twice:  # of h[t - 1] summed over t: the t of the sum is not that of the entry h[t]
            target = _fresh(target, letters, program, twice)
            ways = _ways(program, target, own, fits)
        if ways:
            yield target, ways


def _ways(program: Program, target: Ref, own: list[Contribution], fits: Fits) -> list[Way]:
    return [way for part in own if (way := way_to(part, target, program, fits)) is not None]


def _patterns(
    program: Program, name: str, own: list[Contribution], letters: set[str], fits: Fits
) -> list[Ref]:
    written = [eq.target for eq in program if eq.target.name == name]
    if written:
        return list(dict.fromkeys(written))
    plain = next((part.by for part in own if is_plain(part.by) and _all_fit(part.by, fits)), None)
    anywhere = Ref(name, tuple(Ref("_") for _ in own[0].by.indices))
    return [_fresh(anywhere, letters, program) if plain is None else plain]


def _fresh(ref: Ref, letters: set[str], program: Program, only: set[str] | None = None) -> Ref:
    """The same quantity in letters that nothing else uses, or with ``only`` some of its letters renamed."""
    found: list[Expr] = []
    names = {*program.targets, *program.inputs}
    for part in ref.indices:
        if only is not None and getattr(part, "name", "") not in only:
            found.append(part)
            continue
        letter = "" if isinstance(part, Number) else _new_letter(letters | names)
        letters.add(letter)
        found.append(index(letter) if letter else part)
    letters.discard("")
    return replace(ref, indices=tuple(found), padded=False)


def _clashes(path: Contribution, target: Ref, indices: Iterable[str]) -> Iterator[str]:
    """The letters of the target that a sum of a path has too, and that no renaming frees."""
    pairs = zip(path.by.indices, target.indices, strict=True)
    given = {a.name: b for a, b in pairs if isinstance(a, Ref) and not a.indices}
    taken = _letters(target, indices)
    yield from (name for name in path.over if name in taken and _freed(name, given) == index(name))


def _all_fit(ref: Ref, fits: Fits) -> bool:
    return all(fits(ref.name, axis, part.name) for axis, part in _axes(ref) if isinstance(part, Ref))


def _new_letter(taken: set[str]) -> str:
    letters = f"srqpuvabcdefghijklm{string.ascii_uppercase}"
    found = next((letter for letter in letters if letter not in taken), None)
    if found is None:
        raise ValueError("no letter is left for an index")
    return found


def is_plain(ref: Ref) -> bool:
    """Whether a read has different single letters between its brackets, and nothing is padded."""
    names = [part.name for part in ref.indices if isinstance(part, Ref) and not part.indices]
    return len(set(names)) == len(ref.indices) and not ref.padded


def way_to(path: Contribution, target: Ref, program: Program, fits: Fits) -> Way | None:
    """The path in the letters of ``target``; None if it never reads one of the target's entries."""
    new: dict[str, Expr] = {}
    gates: list[Expr] = []
    later: list[tuple[Expr, Expr]] = []
    for axis, (mine, theirs) in enumerate(zip(target.indices, path.by.indices, strict=True)):
        letter = theirs.name if isinstance(theirs, Ref) and not theirs.indices else ""
        if letter and not fits(path.by.name, axis, letter):
            later.append((mine, theirs))
            continue
        if isinstance(mine, Number) and (_counts_from_one(letter, mine) or _differ(mine, theirs)):
            return None
        if letter and letter not in new:
            new[letter] = mine
        elif mine != theirs or letter:
            later.append((mine, theirs))
    solved = False
    for mine, theirs in later:
        letter, value = _solution(mine, theirs, new, path)
        if letter and not (theirs == index(letter) and letter in free_indices(path.slope, {letter})):
            new[letter], solved = value, True
        else:
            gates.append(Call("same", (mine, rename_index(theirs, new))))
    return _way(path, target, new, gates, solved, program)


def _counts_from_one(letter: str, mine: Number) -> bool:
    """Whether a plain letter, which counts from 1, never takes a value: an entry ``h[0]``."""
    return bool(letter) and mine.value < 1


def _differ(mine: Number, theirs: Expr) -> bool:
    return isinstance(theirs, Number) and theirs.value != mine.value


def _solution(mine: Expr, theirs: Expr, new: Mapping[str, Expr], path: Contribution) -> tuple[str, Expr]:
    """A letter of the incoming adjoint for which ``theirs = mine`` can be solved, and its value."""
    form = affine(theirs) or {}
    plain = [part.name for part in getattr(path.outer, "indices", ()) if isinstance(part, Ref)]
    for letter, value in form.items():
        if letter in plain and letter not in new and abs(value) == 1:
            rest = [(name, other) for name, other in form.items() if name != letter and other]
            parts = [rename_index(scaled(-other, name), new) for name, other in rest]
            found = total(mine, *parts) if value == 1 else total(*map(_negative, parts), _negative(mine))
            return letter, short(found)
    return "", mine


def _negative(expr: Expr) -> Expr:
    return expr.argument if isinstance(expr, Neg) else Neg(expr)


def _way(
    path: Contribution, target: Ref, new: dict[str, Expr], gates: list[Expr], solved: bool, program: Program
) -> Way:
    names = {name for part in path.by.indices for name in free_indices(part, program.indices)}
    loops = [*path.over, *(name for name in dict.fromkeys(_in_order(path.by, names)) if name not in new)]
    taken = _letters(target, program.indices)
    away = {name: freed for name in loops if name in taken and (freed := _freed(name, new)) != index(name)}
    whole = {**new, **away}
    over = tuple(getattr(away.get(name, index(name)), "name", name) for name in loops)
    moved = tuple(rename_index(gate, away) if away else gate for gate in gates)
    gates_now = tuple(_gate_moved(gate, moved_gate) for gate, moved_gate in zip(gates, moved, strict=True))
    return Way(path, whole, gates_now, over, solved)


def _gate_moved(gate: Expr, moved: Expr) -> Expr:
    """The first argument of a gate is in the target's letters and stays; the read's letters move."""
    assert isinstance(gate, Call)
    assert isinstance(moved, Call)
    return Call("same", (gate.arguments[0], moved.arguments[1]))


def _letters(ref: Ref, indices: Iterable[str]) -> set[str]:
    known = set(indices)
    return {name for part in ref.indices for name in [*free_indices(part, known), getattr(part, "name", "")]}


def _in_order(ref: Ref, names: set[str]) -> list[str]:
    return [name for part in ref.indices for name in free_indices(part, names)]


def _freed(name: str, new: Mapping[str, Expr]) -> Expr:
    """The index name that becomes free, along the axis of ``name``, when ``new`` is put in.

    For ``∂/∂w[j]`` of ``Σ (w[i] - w[j])**2`` collected under ``dL/dw[i]``, ``i`` and ``j`` change
    places: both run along the same axis of ``w``, so the ranges stay right.
    """
    sources = {target: source for source, target in new.items()}
    found: Expr = index(name)
    while found in sources:
        found = index(sources[found])
    return found
