"""Arrays seen through index letters: what reshaping and slicing mean in index notation.

A `View` reads one quantity, ``at`` says what stands between its brackets, and every axis that torch
sees is a group of letters, the last one running fastest. So ``x.flatten(1)`` is no equation but a
view of ``x[i, j, k]`` whose second axis is the group ``(j, k)``; ``x.T`` swaps two groups, and
``x[:, 1:]`` reads ``x[i, j + 1]``. An axis of length 1 has no letter at all.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TypeAlias

SAMPLE = "i"
LETTERS = "jklmpqrsuvacdfghoABCDEFGHIJKMPQRSTUV"


class CannotSay(Exception):
    """What index notation has no words for; the caller knows the place."""


@dataclass(frozen=True, slots=True)
class Letter:
    """An index and how many values it takes; a looked-up position is a letter with a longer name."""

    name: str
    size: int


@dataclass(frozen=True, slots=True)
class Affine:
    """``2*t + k - 1``: what may stand between brackets."""

    terms: tuple[tuple[Letter, int], ...] = ()
    constant: int = 0

    def __str__(self) -> str:
        shown = ""
        for letter, factor in self.terms:
            sign = (" + " if shown else "") if factor > 0 else (" - " if shown else "-")
            shown += sign + (letter.name if abs(factor) == 1 else f"{abs(factor)}*{letter.name}")
        if not shown or self.constant == 0:
            return shown or str(self.constant)
        return f"{shown} {'+' if self.constant > 0 else '-'} {abs(self.constant)}"

    def plus(self, other: Affine, times: int = 1) -> Affine:
        """``self + times*other``, terms collected."""
        terms = dict(self.terms)
        for letter, factor in other.terms:
            terms[letter] = terms.get(letter, 0) + times * factor
        kept = tuple((letter, factor) for letter, factor in terms.items() if factor)
        return Affine(kept, self.constant + times * other.constant)

    def put(self, new: Mapping[Letter, Affine]) -> Affine:
        """The same with other expressions for its letters."""
        found = Affine((), self.constant)
        for letter, factor in self.terms:
            found = found.plus(new.get(letter, plain(letter)), factor)
        return found


Axis: TypeAlias = tuple[Letter, ...]
Fresh: TypeAlias = Callable[[int, Sequence[Letter]], Letter]  # a letter of a size, other than those


def plain(letter: Letter) -> Affine:
    """The letter alone."""
    return Affine(((letter, 1),))


def fixed(position: int) -> Affine:
    """A position that is a whole number, from 1."""
    return Affine((), position)


@dataclass(frozen=True)
class View:
    """A quantity as torch sees it: ``name[at]`` over ``axes``; ``lookup`` if its numbers are positions.

    An array that is read once may be given ``uncut``: the one read then says how its axes are cut.
    ``part`` are the places between the brackets that stop before the end of an axis: of ``x[:, :2]``.
    """

    name: str
    at: tuple[Affine, ...] = ()
    axes: tuple[Axis, ...] = ()
    lookup: bool = False
    uncut: bool = False
    part: frozenset[int] = frozenset()

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of the axes."""
        return tuple(math.prod(letter.size for letter in axis) for axis in self.axes)

    @property
    def letters(self) -> list[Letter]:
        """Every letter, the slowest first."""
        return [letter for axis in self.axes for letter in axis]

    @property
    def is_whole(self) -> bool:
        """Whether the brackets hold the letters of the axes, in order, and each axis to its end."""
        return not self.part and self.at == tuple(plain(letter) for letter in self.letters)

    @property
    def sampled(self) -> bool:
        """Whether the samples' letter stands between the brackets."""
        return any(letter.name == SAMPLE for part in self.at for letter, _ in part.terms)

    def put(self, new: Mapping[Letter, Affine], axes: Sequence[Axis]) -> View:
        """The same entries over other letters."""
        return replace(self, at=tuple(part.put(new) for part in self.at), axes=tuple(axes))

    def __str__(self) -> str:
        return f"{self.name}[{', '.join(map(str, self.at))}]" if self.at else self.name


def whole(name: str, axes: Sequence[Axis], lookup: bool = False) -> View:
    """A quantity whose brackets hold the letters of its axes, in order."""
    return View(name, tuple(plain(letter) for axis in axes for letter in axis), tuple(axes), lookup)


def mixed(letters: Sequence[Letter]) -> Affine:
    """The position, from 1, in a group of letters: ``3*j + k - 3`` for k of 3 values."""
    steps = [math.prod(inner.size for inner in letters[place + 1 :]) for place in range(len(letters))]
    return Affine(tuple(zip(letters, steps, strict=True)), 1 - sum(steps))


class Alphabet:
    """The letters of one translation: a letter stands for one length only."""

    def __init__(self) -> None:
        self.sizes: dict[str, int] = {}

    def fresh(self, size: int, taken: Sequence[Letter], wanted: str = "") -> Letter:
        """A letter of a length that is not taken: the wanted one, a known one, or a new one."""
        used = {letter.name for letter in taken}
        known = [name for name, length in self.sizes.items() if length == size]
        new = [name for name in LETTERS if name not in self.sizes]
        wanted_first = [wanted] if self.sizes.get(wanted, size) == size and wanted in LETTERS else []
        name = next((name for name in (*wanted_first, *known, *new) if name and name not in used), None)
        if name is None:
            raise CannotSay("more axes of different lengths than there are letters")
        self.sizes[name] = size
        return Letter(name, size)


# --- reshaping ------------------------------------------------------------------------------------


def reshape(view: View, sizes: Sequence[int], fresh: Fresh) -> View:
    """The entries in their order, cut into axes of other lengths."""
    queue, new = view.letters, dict[Letter, Affine]()
    taken, axes = list(queue), list[Axis]()
    for size in sizes:
        axis, have = list[Letter](), 1
        while queue and have < size:
            letter, need = queue.pop(0), size // have
            if need % letter.size:
                high, low = _cut(letter, need, taken, fresh)
                new[letter] = mixed((high, low))
                queue.insert(0, low)
                letter = high
            axis.append(letter)
            have *= letter.size
        axes.append(tuple(axis))
    if queue or tuple(sizes) != tuple(math.prod(letter.size for letter in axis) for axis in axes):
        raise CannotSay("a reshape that cuts across the axes")
    return view.put(_closed(new), axes)


def _cut(letter: Letter, need: int, taken: list[Letter], fresh: Fresh) -> tuple[Letter, Letter]:
    if letter.size % need or letter.name == SAMPLE:
        raise CannotSay("a reshape that cuts across the axes")
    high = fresh(need, taken)
    low = fresh(letter.size // need, [*taken, high])
    taken += [high, low]
    return high, low


def _closed(new: Mapping[Letter, Affine]) -> dict[Letter, Affine]:
    """Cuts of letters that came from a cut themselves, put into each other."""
    found: dict[Letter, Affine] = {}
    for letter, expression in reversed(list(new.items())):
        found[letter] = expression.put(found)
    return found


def permute(view: View, order: Sequence[int]) -> View:
    """The axes in another order."""
    return replace(view, axes=tuple(view.axes[axis] for axis in order))


def narrow(view: View, axis: int, start: int, step: int, length: int, fresh: Fresh) -> View:
    """``length`` entries of an axis, from ``start`` (counted from 0), every ``step``-th."""
    if (start, step, length) == (0, 1, view.shape[axis]):
        return view
    group = view.axes[axis]
    if any(letter.name == SAMPLE for letter in group):
        raise CannotSay("a slice of the samples")
    if len(group) != 1:
        raise CannotSay("a slice of a flattened axis")
    if length == 1:
        return view.put({group[0]: fixed(start + 1)}, (*view.axes[:axis], (), *view.axes[axis + 1 :]))
    places = {place for place, part in enumerate(view.at) if group[0] in dict(part.terms)}
    view = replace(view, part=view.part | places)
    letter = fresh(length, view.letters)
    moved = Affine(((letter, step),), start + 1 - step)
    return view.put({group[0]: moved}, (*view.axes[:axis], (letter,), *view.axes[axis + 1 :]))


# --- axes of several operands that run together -----------------------------------------------------


def together(groups: Sequence[Axis]) -> list[tuple[int, Letter | None]]:
    """The lengths, slowest first, into which all groups can be cut, with a letter where one has it.

    Each group covers the same positions; groups ``(6,)`` and ``(2, 3)`` are cut into 2 and 3.
    """
    spans = [span for group in groups for span in _spans(group)]
    cuts = sorted({cut for low, high, _ in spans for cut in (low, high)})
    if any(high % low for low, high in pairwise(cuts)):
        raise CannotSay("axes that were reshaped in different ways")
    names = {(low, high): letter for low, high, letter in reversed(spans)}
    return [(high // low, names.get((low, high))) for low, high in reversed(list(pairwise(cuts)))]


def _spans(group: Axis) -> list[tuple[int, int, Letter]]:
    """Each letter of a group with the products of the lengths below it and up to it."""
    found, low = [], 1
    for letter in reversed(group):
        found.append((low, low * letter.size, letter))
        low *= letter.size
    return found


def along(group: Axis, letters: Axis) -> dict[Letter, Affine]:
    """What to put for each letter of a group that runs together with finer letters."""
    fine = _spans(letters)
    return {
        letter: mixed([inner for low, high, inner in reversed(fine) if start <= low and high <= end])
        for start, end, letter in _spans(group)
    }
