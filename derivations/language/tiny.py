"""The sizes at which a proof writes a program out: two values an index, or as many as reads need."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from derivations.language.program import Program
from derivations.language.ranges import affine, extremes, is_letter, moving_letters
from derivations.language.tree import Expr, Ref, walk


@dataclass(frozen=True)
class TinyRanges:
    """The values of every index of a program, at least ``least`` of them."""

    program: Program
    least: int

    def of(self, index: str, body: Expr | None = None) -> range:
        """The values of an index; a letter of the derivation's own has those of the axis it reads."""
        if index not in self.sizes and body is not None:
            like = (self.letters.get(place) for place in _read_along(body, index))
            index = next((letter for letter in like if letter is not None), index)
        return range(1, self.sizes.get(index, self.least) + 1)

    @cached_property
    def reads(self) -> list[Ref]:
        """Every entry that the program reads."""
        return [node for eq in self.program for node in walk(eq.body) if isinstance(node, Ref)]

    @cached_property
    def letters(self) -> dict[tuple[str, int], str]:
        """The letter that runs along each axis of an array: of its own equation, else of a plain read."""
        found: dict[tuple[str, int], str] = {}
        for ref in (*(eq.target for eq in self.program), *self.reads):
            for axis, part in enumerate(ref.indices):
                if isinstance(part, Ref) and is_letter(part):
                    found.setdefault((ref.name, axis), part.name)
        return found

    @cached_property
    def sizes(self) -> dict[str, int]:
        """How many values each index takes: enough for reads such as ``h[2*u + p]``."""
        sizes = dict.fromkeys(self.program.indices, self.least)
        before: dict[str, int] = {}
        while before != sizes:
            before = dict(sizes)
            self.widen(sizes)
        return sizes

    def widen(self, sizes: dict[str, int]) -> None:
        """Make the letters of computed quantities as long as one read after another needs them."""
        moving = moving_letters(self.program)
        own = {(eq.target.name, axis): p for eq in self.program for axis, p in enumerate(eq.target.indices)}
        places = [(ref, axis, part) for ref in self.reads for axis, part in enumerate(ref.indices)]
        for ref, axis, part in places:
            mine, form = own.get((ref.name, axis)), affine(part)
            if not isinstance(mine, Ref) or not form or ref.padded or form.get(mine.name):
                continue
            sizes[mine.name] = max(sizes[mine.name], int(extremes(form, sizes)[1]))
            if isinstance(part, Ref) and part.name not in moving:
                sizes[part.name] = sizes[mine.name]


def _read_along(body: Expr, index: str) -> Iterator[tuple[str, int]]:
    """The axes that an index runs along in an expression."""
    for ref in (node for node in walk(body) if isinstance(node, Ref)):
        for axis, part in enumerate(ref.indices):
            if part == Ref(index):
                yield ref.name, axis
