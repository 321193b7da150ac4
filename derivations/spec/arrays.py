"""Arrays of exact numbers: from lists, from expressions in earlier arrays, from CSV columns."""

from __future__ import annotations

import csv
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from derivations.catalogue import functions
from derivations.language.errors import ArithmeticFault, LanguageError, SpecError, nearest
from derivations.language.parser import parse
from derivations.language.program import Equation, Program
from derivations.language.tree import Count, Expr, Mean, Number, Ref, Sum, number, refs, transform, values
from derivations.numbers.compile import compile_program
from derivations.numbers.systems import EXACT, NumberSystem, rational
from derivations.numbers.tape import Tape
from derivations.spec.exact import exact
from derivations.spec.spec import MAX_BYTES, MAX_ENTRIES, Csv, Source, check_name, flat, shape_of

CELL = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)


@dataclass(frozen=True)
class Array:
    """Exact numbers in rows and columns; indices count from 1, the last one runs fastest."""

    shape: tuple[int, ...]
    entries: tuple[Fraction, ...]

    def positions(self) -> Iterator[tuple[int, ...]]:
        """Every index tuple, in the order of ``entries``."""
        return itertools.product(*(range(1, extent + 1) for extent in self.shape))

    def __getitem__(self, at: tuple[int, ...]) -> Fraction:
        """The entry at a position."""
        return dict(zip(self.positions(), self.entries, strict=True))[at]

    def refs(self, name: str) -> list[Ref]:
        """The entries as they are written, in order: ``W[1, 1]``, ``W[1, 2]`` …"""
        return [Ref(name, tuple(map(number, at))) for at in self.positions()]

    def take(self, samples: tuple[int, ...], axis: int | None) -> tuple[Fraction, ...]:
        """The entries of the given samples along an axis, in the order of the samples."""
        if axis is None:
            return self.entries
        known = dict(zip(self.positions(), self.entries, strict=True))
        shape = [*self.shape[:axis], len(samples), *self.shape[axis + 1 :]]
        places = itertools.product(*(range(1, extent + 1) for extent in shape))
        return tuple(known[(*at[:axis], samples[at[axis] - 1], *at[axis + 1 :])] for at in places)


def positions(ref: Ref) -> tuple[int, ...]:
    """The position of an entry with whole-number indices: (1, 2) for ``W[1, 2]``."""
    return tuple(int(part.value) for part in ref.indices if isinstance(part, Number))


def read_arrays(table: Mapping[str, Any], key: str, source: Source) -> dict[str, Array]:
    """The arrays of a table of the spec; raises `SpecError` at the entry that is wrong."""
    found: dict[str, Array] = {}
    for name, value in table.items():
        try:
            check_name(name)
        except LanguageError as fault:
            raise source.error(fault.message, key, name, hint=fault.hint) from None
        try:
            found[name] = _read(value, found, source, (key, name))
        except LanguageError as fault:
            raise source.misread(fault, key, name) from None
        except ArithmeticFault as fault:
            raise source.error(fault.message, key, name, hint=fault.hint) from None
        if sum(len(array.entries) for array in found.values()) > MAX_ENTRIES:
            message = f"more than {MAX_ENTRIES} numbers: a data set too large to work by hand"
            raise source.error(message, key, name, hint="Choose some rows of it.")
    return found


def _read(value: Any, known: Mapping[str, Array], source: Source, path: tuple[str, str]) -> Array:
    if isinstance(value, str):
        return evaluate(parse(value, functions.NAMES), known)
    if isinstance(value, Csv):
        return _column(value, source, path)
    return Array(shape_of(value), flat(value))


@dataclass(frozen=True)
class Worked:
    """An expression over arrays, ready to be worked: the arrays that it reads in order, and its tape."""

    names: tuple[str, ...]
    shape: tuple[int, ...]
    tape: Tape

    def entries(self, inputs: Sequence[Any], system: NumberSystem) -> list[Any]:
        """The entries of the result, from those of the arrays, one after another, in any arithmetic."""
        memory = self.tape.bind(system)(inputs)
        return [memory[self.tape.slots["result", at]] for at in Array(self.shape, ()).positions()]


def evaluate(expr: Expr, known: Mapping[str, Array]) -> Array:
    """An expression worked entry by entry over arrays of one shape (and single numbers)."""
    ready = compiled(expr, known)
    inputs = [rational(value) for name in ready.names for value in known[name].entries]
    return Array(ready.shape, tuple(map(_exact, ready.entries(inputs, EXACT))))


def compiled(expr: Expr, known: Mapping[str, Array]) -> Worked:
    """The expression as a tape; raises `LanguageError` where arrays do not fit."""
    if any(isinstance(node, (Sum, Mean, Count)) for node in values(expr)):
        hint = "Data are worked entry by entry; take sums over an index, sum(x[i], i), in the model."
        raise LanguageError("sums, means and counts cannot stand in data", at=0, hint=hint)
    read = refs(expr)
    for ref in read:
        _check_read(ref, known)
    shapes = {known[ref.name].shape: ref.name for ref in read if not ref.indices and known[ref.name].shape}
    if len(shapes) > 1:
        (a, first), (b, second) = list(shapes.items())[:2]
        raise LanguageError(f"arrays do not fit: '{first}' has shape {a}, '{second}' has {b}", at=0)
    shape = next(iter(shapes), ())
    axes = tuple(Ref(f"i{axis}") for axis in range(len(shape)))
    body = transform(expr, lambda node: _entry(node, known, axes))
    program = Program((Equation(Ref("result", axes), body),), frozenset(axis.name for axis in axes))
    sizes = dict(zip((axis.name for axis in axes), shape, strict=True))
    tape = compile_program(program, {ref.name: known[ref.name].shape for ref in read}, sizes)
    return Worked(tuple(dict.fromkeys(ref.name for ref in read)), shape, tape)


def _check_read(ref: Ref, known: Mapping[str, Array]) -> None:
    if ref.name not in known:
        hint = nearest(ref.name, known, "data so far")
        raise LanguageError(f"unknown name '{ref.name}'", at=ref.at, hint=hint)
    shape = known[ref.name].shape
    if ref.indices and positions(ref) not in known[ref.name].positions():
        hint = "One entry is read by whole numbers, a whole array by its name alone."
        raise LanguageError(f"'{ref.name}' has shape {shape} and no such entry", at=ref.at, hint=hint)


def _entry(node: Expr, known: Mapping[str, Array], axes: tuple[Ref, ...]) -> Expr | None:
    if not isinstance(node, Ref):
        return None
    return Ref(node.name, axes) if known[node.name].shape and not node.indices else node


def _exact(value: Any) -> Fraction:
    if not hasattr(value, "q"):
        hint = "Data are exact numbers; write the rounded decimals out."
        raise ArithmeticFault("this expression gives irrational numbers", hint=hint)
    return Fraction(int(value.p), int(value.q))


def _column(column: Csv, source: Source, path: tuple[str, str]) -> Array:
    file = _beside(column.csv, source, path)
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream)
            rows = [(reader.line_num, row) for row in itertools.islice(reader, MAX_ENTRIES + 1)]
    except (OSError, UnicodeDecodeError, csv.Error) as fault:
        raise source.error(f"cannot read '{column.csv}': {fault}", *path, "csv") from None
    headings = list(rows[0][1]) if rows else []
    if column.column not in headings:
        hint = nearest(column.column, [str(h) for h in headings], "columns")
        raise source.error(f"'{column.csv}' has no column '{column.column}'", *path, "column", hint=hint)
    return Array((len(rows),), tuple(_cell(row[column.column], line, column) for line, row in rows))


def _cell(text: str | None, line: int, column: Csv) -> Fraction:
    written = (text or "").strip()
    try:
        if len(written) > 400 or not CELL.fullmatch(written):
            raise ValueError
        return Fraction(exact(Decimal(written)))
    except (ValueError, ArithmeticError):
        shown = repr(text) if len(text or "") <= 60 else f"{(text or '')[:60]!r}…"
        message = f"expected a number in column '{column.column}', found {shown}"
        raise SpecError(message, file=column.csv, line=line) from None


def _beside(name: str, source: Source, path: tuple[str, str]) -> Path:
    """A file in the folder of the spec and nowhere else, links resolved."""
    if source.folder is None:
        raise source.error("a spec given as text cannot name files", *path, "csv")
    folder = source.folder.resolve()
    try:
        file = (folder / name).resolve()
        inside = file.parent == folder and file.is_file()
        large = inside and file.stat().st_size > MAX_BYTES
    except (OSError, ValueError, RuntimeError):  # too long, a NUL, a circle of links
        inside = large = False
    if not inside:
        hint = 'Only files in the folder of the spec itself are read, as in csv = "points.csv".'
        shown = repr(name) if len(name) <= 60 else f"{name[:60]!r}…"
        raise source.error(f"there is no file {shown} beside the spec", *path, "csv", hint=hint)
    if large:
        raise source.error(f"'{name}' is larger than 1 MB", *path, "csv")
    return file
