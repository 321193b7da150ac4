"""Formulas of `derivations.catalogue.operations` filled in: which letters, which entries, which numbers.

Every equation chooses its letters afresh: axes of operands that run together share them, and a letter
is taken over from an operand where it is still free, so that ``h1[i, j] = tanh(z1[i, j])``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from derivations.language.parser import parse
from derivations.language.tree import Add, Expr, Mul, Neg, Number, Ref
from derivations.pytorch.axes import (
    SAMPLE,
    Affine,
    Alphabet,
    Axis,
    CannotSay,
    Letter,
    View,
    along,
    fixed,
    plain,
    together,
    whole,
)
from derivations.pytorch.templates import (
    ALL,
    CHOSEN,
    REST,
    WORD,
    closing,
    columns,
    matched,
    number_text,
    reads,
    split,
    spread,
    target_of,
)


@dataclass(frozen=True)
class Call:
    """An operation with its arguments by name: views, numbers, settings; and the shape that torch gave."""

    arguments: Mapping[str, Any]
    shape: tuple[int, ...]
    chosen: tuple[int, ...] = ()  # the axes of ``dim``
    sizes: Mapping[str, int] = field(default_factory=dict)  # of letters that no array has


@dataclass(frozen=True)
class Filled:
    """The equations of one call, the view of their result, and what a spec must say beside them.

    ``ranges`` are of letters that no array shows, ``positions`` what is read between brackets, ``numbers``
    what is read as numbers, ``cut`` the shapes of arrays that are cut: ``W[j, k, l]`` after a flattening.
    """

    lines: tuple[str, ...]
    result: View
    ranges: Mapping[str, int]
    positions: frozenset[str]
    numbers: frozenset[str]
    cut: Mapping[str, tuple[int, ...]]


def fill(text: str, call: Call, alphabet: Alphabet, name: Callable[[str], str]) -> Filled:
    """The equations of a formula; raises `CannotSay` where the axes do not fit."""
    scope = _Scope(dict(call.arguments), call, alphabet)
    scope.choose_letters(text)
    lines, result = [], View("")
    for line in text.splitlines():
        target, _, body = line.partition(" = ")
        stem, parts = target_of(target)
        axes = scope.axes_of(parts)
        result = whole(name(stem), axes)
        lines.append(f"{result} = {scope.rewrite(body)}")
        scope.arguments[stem] = result
    result = View(result.name, result.at, scope.kept(target_of(target)[1], result.axes))
    if result.shape != call.shape:
        raise CannotSay(f"a result of shape {call.shape}")
    unseen = [letter for letter in result.letters if letter.name not in scope.plain]
    ranges = {x.name: x.size for x in (*scope.moving, *unseen) if x.name != SAMPLE}
    return Filled(
        tuple(lines), result, ranges, frozenset(scope.positions), frozenset(scope.numbers), scope.cut
    )


@dataclass
class _Scope:
    """One formula being filled: arguments, earlier lines, and the axes that each word stands for."""

    arguments: dict[str, Any]
    call: Call
    alphabet: Alphabet
    env: dict[str, list[Axis]] = field(default_factory=dict)
    taken: list[Letter] = field(default_factory=list)
    moving: set[Letter] = field(default_factory=set)  # letters inside index expressions
    plain: set[str] = field(default_factory=set)  # letters that stand alone between brackets
    positions: set[str] = field(default_factory=set)
    numbers: set[str] = field(default_factory=set)
    cut: dict[str, tuple[int, ...]] = field(default_factory=dict)

    def choose_letters(self, text: str) -> None:
        """Letters for every word: from the operands, from the result's shape, from the row."""
        groups: dict[str, list[Sequence[Axis]]] = {}
        pairs = [(self.arguments.get(name), parts) for name, parts in reads(text)]
        known = [(operand, parts) for operand, parts in pairs if isinstance(operand, View)]
        for operand, parts in sorted(known, key=lambda read: not read[0].sampled):
            for word, axes in matched(operand, parts):
                groups.setdefault(word, []).append(axes)
        for word, found in groups.items():
            if word != CHOSEN:
                self.env[word] = [self.run_together(axes, word) for axes in columns(found)]
        self.split_chosen()
        self.choose_new(text)

    def run_together(self, groups: Sequence[Axis], hint: str) -> Axis:
        """One axis of the equation for axes that run together; those of length 1 are repeated."""
        long = [group for group in groups if group]
        axis: list[Letter] = []
        for size, letter in together(long) if long else ():
            if letter is not None and letter.name == SAMPLE and letter not in self.taken:
                new = letter
            else:
                wanted = letter.name if letter is not None and letter.name != SAMPLE else hint
                new = self.alphabet.fresh(size, self.taken, wanted)
            self.taken.append(new)
            axis.append(new)
        return tuple(axis)

    def split_chosen(self) -> None:
        """What ``dim`` and ``rest`` stand for, among all axes."""
        axes = self.env.get(ALL, [])
        self.env[CHOSEN] = [axes[place] for place in self.call.chosen if place < len(axes)]
        self.env[REST] = [axis for place, axis in enumerate(axes) if place not in self.call.chosen]

    def choose_new(self, text: str) -> None:
        """Letters that only the result has, and those whose range the row gives."""
        _, parts = target_of(text.splitlines()[-1].partition(" = ")[0])
        new = dict(self.call.sizes)
        for back, part in enumerate(reversed(parts), 1):
            if part == ALL:
                break
            if part not in self.env and part.isalpha():
                new[part] = self.call.shape[-back]
        for word, size in new.items():
            self.env[word] = [()] if size == 1 else [(self.alphabet.fresh(size, self.taken, word),)]
            self.taken += self.env[word][0]
            self.moving |= set(self.env[word][0])

    def axes_of(self, parts: Sequence[str]) -> list[Axis]:
        """The axes of a target: words, and 1 for an axis of length 1."""
        return [axis for part in parts for axis in ([()] if part == "1" else self.env[part])]

    def kept(self, parts: Sequence[str], axes: Sequence[Axis]) -> tuple[Axis, ...]:
        """The axes of a result, with those of length 1 that ``keepdim`` keeps."""
        if REST not in parts or not self.arguments.get("keepdim"):
            return tuple(axes)
        rest = iter(axes)
        every = range(len(axes) + len(self.call.chosen))
        return tuple(() if place in self.call.chosen else next(rest) for place in every)

    def rewrite(self, text: str) -> str:
        """A body with operands, letters and numbers in the place of the row's words."""
        found, at = "", 0
        while match := WORD.search(text, at):
            found += text[at : match.start()]
            end, word = match.end(), match[0]
            opener = text[end : end + 1]
            if opener and opener in "[(":
                close = closing(text, end)
                parts = split(text[end + 1 : close])
                found += self.entry(word, parts) if opener == "[" else self.function(word, parts)
                at = close + 1
            else:
                found += self.bare(word)
                at = end
        return found + text[at:]

    def function(self, name: str, parts: Sequence[str]) -> str:
        """A call; indices that stand for no letter are left out, and a sum over nothing is its body."""
        shown = [", ".join(self.letters(p)) if p in self.env else self.rewrite(p) for p in parts]
        kept = [part for part in shown if part]
        if name == "count":
            return "*".join(f"count({letter})" for part in parts for letter in self.letters(part)) or "1"
        if name in ("sum", "mean", "largest") and len(kept) == 1:
            return f"({kept[0]})" if re.search(r" [-+] ", kept[0]) else kept[0]
        return f"{name}({', '.join(kept)})"

    def letters(self, word: str) -> list[str]:
        return [letter.name for axis in self.env[word] for letter in axis]

    def bare(self, word: str) -> str:
        if word in self.env:
            return ", ".join(self.letters(word)) or "1"
        return self.number(word) if self.value(word) is not None else word

    def value(self, word: str) -> Any:
        """The number of an argument; ``stride_2`` is the second of several."""
        name, _, place = word.rpartition("_")
        if word in self.arguments or not place.isdigit():
            return self.arguments.get(word)
        several = self.arguments.get(name)
        return several[int(place) - 1] if isinstance(several, (tuple, list)) else several

    def number(self, word: str) -> str:
        value = self.value(word)
        if isinstance(value, View) and not value.letters:
            self.numbers.add(value.name)
            return str(value)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise CannotSay(f"{word}={value!r}")
        return number_text(value)

    def entry(self, name: str, parts: Sequence[str]) -> str:
        """``weight[j, k]``: the operand, read over the letters of this equation."""
        operand = self.arguments.get(name)
        if not isinstance(operand, View):
            return self.number(name)
        new: dict[Letter, Affine] = {}
        pattern = spread(parts, len(operand.axes), self.env)
        for axis, part in zip(operand.axes, pattern, strict=True):
            new |= self.position(axis, part)
        seen = self.cut_along(operand, pattern) or operand.put(new, ())
        self.note(operand, seen)
        return str(seen)

    def cut_along(self, operand: View, pattern: Sequence[str | Axis]) -> View | None:
        """An array that is read only here, its axes cut as the others': ``W[j, k, l]*h[i, k, l]``."""
        axes = [part for part in pattern if not isinstance(part, str)]
        pairs = list(zip(axes, operand.axes, strict=False))
        whole_read = operand.is_whole and len(pairs) == len(pattern) and operand.name not in self.numbers
        if not (operand.uncut and whole_read and any(len(axis) > len(own) > 0 for axis, own in pairs)):
            return None
        seen = whole(operand.name, [axis if own else () for axis, own in pairs])
        self.cut[operand.name] = tuple(letter.size for letter in seen.letters)
        return seen

    def note(self, operand: View, seen: View) -> None:
        """What a read says about ranges; the samples' letter stays on the samples' axis."""
        if operand.sampled != seen.sampled:
            raise CannotSay(f"'{operand.name}' and the samples along one axis, or the samples along two")
        self.numbers.add(operand.name)
        for place, part in enumerate(seen.at):
            if place in seen.part:
                self.moving |= {letter for letter, _ in part.terms if letter.name.isalpha()}
            if len(part.terms) == 1 and part.constant == 0 and part.terms[0][1] == 1:
                self.plain.add(part.terms[0][0].name)
            else:
                self.moving |= {letter for letter, _ in part.terms if letter.name.isalpha()}

    def position(self, axis: Axis, part: str | Axis) -> dict[Letter, Affine]:
        """What stands for the letters of an operand's axis."""
        if not isinstance(part, str):
            return along(axis, part) if axis else {}
        if len(axis) > 1:
            raise CannotSay("positions along a flattened axis")
        if not axis:
            return {}
        if "[" in part:
            return {axis[0]: plain(self.looked_up(part, axis[0].size))}
        return {axis[0]: self.affine(parse(part))}

    def looked_up(self, part: str, size: int) -> Letter:
        """A position that stands in the data; it may be that of no sample."""
        name, inside = target_of(part)
        before = set(self.numbers)
        text = self.rewrite(part)
        operand = self.arguments[name]
        if not isinstance(operand, View) or not operand.lookup:
            raise CannotSay("positions that are no whole numbers of the data")
        self.numbers = before
        self.moving |= {letter for word in inside for axis in self.env.get(word, ()) for letter in axis}
        self.positions.add(operand.name)
        return Letter(text, size)

    def affine(self, expr: Expr) -> Affine:
        """An index expression of a formula over the letters of this equation."""
        match expr:
            case Number(value):
                return fixed(int(value))
            case Ref(name, ()) if name in self.env:
                return plain(self.env[name][0][0]) if self.env[name][0] else fixed(1)
            case Ref(name, ()):
                return fixed(int(self.number(name).strip("()")))
            case Neg(inner):
                return fixed(0).plus(self.affine(inner), -1)
            case Add(terms):
                found = fixed(0)
                for term in terms:
                    found = found.plus(self.affine(term))
                return found
            case Mul((factor, inner)):
                return fixed(0).plus(self.affine(inner), self.affine(factor).constant)
        raise ValueError(f"not an index expression: {expr}")
