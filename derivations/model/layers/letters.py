"""The index letters of a model's layers.

A letter has one range. A quantity is written in the letters with which the author reads it; other letters
are taken over from the input, or used again where the range is the same, or new.
"""

from __future__ import annotations

import string
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from derivations.language.errors import LanguageError
from derivations.model.layers.sizes import Shape, spread
from derivations.model.layers.template import REST, Template

LETTERS = "jklmpqrsuvacdefghobwxyzt" + string.ascii_uppercase


@dataclass
class Letters:
    """The letters so far.

    ``read`` are those with which the author reads each quantity, ``sizes`` the ranges of all, ``taken`` the
    names that are no new letters, ``output`` those of the last layer's output. ``known`` are the letters of
    what layers computed, ``own`` the new ones, ``ranges`` what must be stated, ``samples`` first axes.
    """

    read: Mapping[str, tuple[str, ...]]
    sizes: dict[str, int]
    taken: set[str]
    output: tuple[str, ...] = ()
    known: dict[str, tuple[str, ...]] = field(default_factory=dict)
    own: list[str] = field(default_factory=list)
    ranges: dict[str, int] = field(default_factory=dict)
    samples: set[str] = field(default_factory=set)

    def choose(
        self,
        one: Template,
        axes: Mapping[str, tuple[str, Shape]],
        sizes: Mapping[str, int],
        targets: Mapping[str, tuple[str, Sequence[str]]],
    ) -> dict[str, str]:
        """A letter of the model for each letter of a template that is in use.

        ``axes`` are the quantity and the shape of each input, ``targets`` the name and the indices of what
        is computed, by their names in the template.
        """
        wishes = self.wishes(one, axes, targets)
        rest = [letter for letter in sizes if letter.startswith(REST)]
        first = next(iter(one.inputs["x"]), "").replace(REST, f"{REST}0")
        found: dict[str, str] = {}
        for letter in dict.fromkeys([*rest, *targets["y"][1], *one.letters]):
            if letter in one.used or letter in rest:
                like = "i" if letter == first and letter in ("i", f"{REST}0") else letter
                found[letter] = self.letter(like, sizes[letter], wishes.get(letter, []), set(found.values()))
        for name, (quantity, shape) in axes.items():
            along = spread(one.inputs[name], shape)
            if along and quantity not in self.known and along[0] in found:
                self.samples.add(found[along[0]])
        return found

    def wishes(
        self,
        one: Template,
        axes: Mapping[str, tuple[str, Shape]],
        targets: Mapping[str, tuple[str, Sequence[str]]],
    ) -> dict[str, list[str]]:
        """The letters that each letter of a template should be, the best first."""
        found: dict[str, list[str]] = {}
        for local, letter in self._wished(one, axes, targets):
            if letter:
                found.setdefault(local, []).append(letter)
        return found

    def _wished(
        self,
        one: Template,
        axes: Mapping[str, tuple[str, Shape]],
        targets: Mapping[str, tuple[str, Sequence[str]]],
    ) -> Iterator[tuple[str, str]]:
        for name in ("y", *targets):
            quantity, pattern = targets[name]
            yield from zip(pattern, self.read.get(quantity, ()), strict=False)
        for name, (quantity, shape) in axes.items():
            letters = self.known.get(quantity) or self.read.get(quantity) or self.first(shape)
            yield from zip(spread(one.inputs[name], shape), letters, strict=False)

    def first(self, shape: Shape) -> tuple[str, ...]:
        """The author's letter of the samples, if it runs along the first axis of an input."""
        letters = self.output[:1]
        return letters if tuple(map(self.sizes.get, letters)) == shape[:1] else ()

    def letter(self, like: str, size: int, wishes: Sequence[str], used: set[str]) -> str:
        """A letter for an index: one that is wished for, one of the same range, or a new one."""
        for wish in (*wishes, *(["i"] if like == "i" and "i" in self.sizes else [])):
            if wish not in used and self.sizes.setdefault(wish, size) == size:
                return wish
        again = [letter for letter in self.own if self.sizes[letter] == size and letter not in used]
        free = [letter for letter in again if letter not in {*self.ranges, *self.samples}]
        taken = {*self.taken, *self.sizes, *used}
        fresh = [letter for letter in (like, *LETTERS) if len(letter) == 1 and letter not in taken]
        if not [*free, *fresh]:
            raise LanguageError("no letter is left for an index", at=0, hint="Use fewer or smaller layers.")
        best = like if like in (free or fresh) else [*free, *fresh][0]
        if best not in self.sizes:
            self.own.append(best)
        self.sizes[best] = size
        return best
