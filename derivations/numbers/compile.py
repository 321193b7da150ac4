"""From a program to a tape: the equations unrolled over their indices, once.

Entries are worked in the order of their dependencies, so that a recurrence ``h[t]`` may read
``h[t - 1]`` and equations may stand in any order. Coefficients are folded exactly, and an operation
that occurs twice (the residual in the loss and in the gradient) is done once. Expressions are walked by
`derivations.numbers.walker`, with slots of the tape as its operands.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import TypeAlias

from derivations.language.errors import ArithmeticFault, LanguageError
from derivations.language.names import adjoint_of
from derivations.language.program import Equation, Program
from derivations.language.tree import Expr, Number, Ref, free_indices
from derivations.numbers.tape import Operations, Tape, label
from derivations.numbers.walker import Entry, Env, Place, Walker

Shape: TypeAlias = tuple[int, ...]


def compile_program(
    program: Program,
    shapes: Mapping[str, Shape],
    sizes: Mapping[str, int],
    whole: Mapping[Entry, int] | None = None,
    numbered: Mapping[str, str] | None = None,
) -> Tape:
    """Unroll a program over index ranges ``1..sizes[i]``; ``shapes`` are those of its inputs.

    ``whole`` are the values of inputs that are used as indices: ``token[i]`` in ``E[token[i], k]``.
    ``numbered`` are letters that, read as a number, are an entry of an input: a sample's own number.
    Raises `LanguageError` for an entry that does not exist or depends on itself.
    """
    deepest = sys.getrecursionlimit()
    sys.setrecursionlimit(max(deepest, 50_000))  # a recurrence over t is as deep as t is long
    try:
        return _Builder(program, shapes, sizes, whole or {}, numbered or {}).tape()
    finally:
        sys.setrecursionlimit(deepest)


def _fits(pair: tuple[Expr, int]) -> bool:
    """Whether an index of a target takes a value: letters count from 1."""
    part, place = pair
    return part.value == place if isinstance(part, Number) else place >= 1


class _Builder:
    """The state of one compilation."""

    def __init__(
        self,
        program: Program,
        shapes: Mapping[str, Shape],
        sizes: Mapping[str, int],
        whole: Mapping[Entry, int],
        numbered: Mapping[str, str],
    ) -> None:
        self.sizes, self.names = sizes, set(sizes)
        ranges = {name: [range(1, n + 1) for n in shape] for name, shape in shapes.items()}
        self.inputs = [(name, at) for name in shapes for at in itertools.product(*ranges[name])]
        self.entries: dict[Entry, int] = {entry: slot for slot, entry in enumerate(self.inputs)}
        self.ops = Operations()
        lookups = {name for name, _ in whole}
        place = Place(sizes, self.read, whole.get, lookups, self.outside, numbered)
        self.walker: Walker[int] = Walker(self.ops, place)
        self.owners: list[tuple[int, Entry]] = []
        self.working: list[Entry] = []
        self.plan: dict[Entry, list[tuple[Equation, Env]]] = {}
        self.positions: dict[str, dict[tuple[int, ...], None]] = {}
        for name, at in self.inputs:
            self.positions.setdefault(name, {})[at] = None
        for eq in program:
            self.write(eq)
        for entry in self.plan:
            self.entry(entry)

    # --- the plan: which equations write which entry

    def write(self, eq: Equation) -> None:
        """Plan every entry of an equation; several equations of one entry add up."""
        name = eq.target.name
        known = self.positions.setdefault(name, {})
        for env in self.loops(eq.target):
            entry = self.walker.entry(eq.target, env)
            self.plan.setdefault(entry, []).append((eq, env))
            known[entry[1]] = None

    def loops(self, target: Ref) -> list[Env]:
        """The values of a target's letters; an adjoint has the entries of what it is the adjoint of."""
        of = adjoint_of(target.name)
        if of is not None and of in self.positions:
            pairs = [list(zip(target.indices, at, strict=True)) for at in self.positions[of]]
            self.names |= {part.name for part in target.indices if isinstance(part, Ref)}
            return [
                {p.name: k for p, k in own if isinstance(p, Ref)} for own in pairs if all(map(_fits, own))
            ]
        names = [name for part in target.indices for name in free_indices(part, self.names)]
        names = list(dict.fromkeys(names))  # the diagonal A[i, i] has one loop
        ranges = (range(1, self.sizes[name] + 1) for name in names)
        return [dict(zip(names, at, strict=True)) for at in itertools.product(*ranges)]

    def entry(self, entry: Entry) -> int:
        """The slot of an entry, worked now if it has not been."""
        if entry in self.entries:
            return self.entries[entry]
        if entry in self.working:
            raise LanguageError(
                f"{label(*entry)} depends on itself",
                at=self.plan[entry][0][0].target.at,
                hint="A recurrence reads an earlier entry: h[t - 1] in the equation of h[t].",
            )
        self.working.append(entry)
        self.owners.append((self.ops.next, entry))
        try:
            slots = [self.walker.body(eq.body, env) for eq, env in self.plan[entry]]
            found = self.entries[entry] = self.ops.chain("add", slots)
        except ArithmeticFault as fault:
            raise fault.about(label(*entry), f"{label(*entry)}: ") from None
        self.working.pop()
        if self.working:
            self.owners.append((self.ops.next, self.working[-1]))
        return found

    def read(self, ref: Ref, entry: Entry) -> int:
        """The slot of an entry that an equation reads."""
        if entry in self.entries:
            return self.entries[entry]
        if entry in self.plan:
            return self.entry(entry)
        if self.outside(ref, entry):
            return self.ops.zero()
        raise LanguageError(f"{label(*entry)} does not exist: {self.extent(ref.name)}", at=ref.at)

    def outside(self, ref: Ref, entry: Entry) -> bool:
        """Whether a read is 0: outside its array, or no path of the chain rule reaches this entry."""
        may = ref.padded or adjoint_of(ref.name) is not None
        return may and entry[1] not in self.positions.get(ref.name, {})

    def extent(self, name: str) -> str:
        places = list(self.positions.get(name, ()))
        if not places:
            return "it is not computed yet"
        return f"{name} has shape {tuple(map(max, zip(*places, strict=True)))}"

    def tape(self) -> Tape:
        return replace(self.ops.tape(self.inputs, self.entries, self.owners), plan=self.plan)
