"""Hypothesis strategies: trees that the parser can make, and small programs with rational data."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from hypothesis import strategies as st

from derivations.catalogue import functions
from derivations.language.parser import parse_program
from derivations.language.program import Equation, Program, hoist
from derivations.language.tree import (
    Add,
    Call,
    Count,
    Div,
    Expr,
    Mean,
    Mul,
    Neg,
    Number,
    Pow,
    Ref,
    Sum,
)
from tests.plain import Entries, Kit

NAMES = ("w", "b", "x", "yhat", "W_1", "m_hat", "theta'", "d2")
LETTERS = ("i", "j", "k")
SMOOTH = ("sigmoid", "tanh")
RATIONAL = ("relu", "abs", "max", "min", "leaky_relu", "hardtanh")

# --- trees ---------------------------------------------------------------------------------------


def decimals(places: int = 4) -> st.SearchStrategy[Number]:
    """Written numbers: whole, with decimals, with an exponent; never negative."""
    whole = st.integers(0, 10**6).map(lambda n: Number(Fraction(n), str(n)))
    fixed = st.builds(
        "{}.{:0{}d}".format, st.integers(0, 99), st.integers(0, 10**places - 1), st.just(places)
    )
    power = st.builds("{}e{}".format, st.integers(0, 99), st.integers(-9, 9))
    return whole | (fixed | power).map(lambda text: Number(Fraction(text), text))


def refs(depth: int = 1) -> st.SearchStrategy[Ref]:
    """``w``, ``x[i]``, ``W[j, 2]``, ``x[i + 1]``, ``x[2*i - k]``."""
    letters = st.sampled_from(LETTERS)
    plain = letters.map(Ref) | st.integers(0, 9).map(lambda n: Number(Fraction(n), str(n)))
    moved = st.builds(lambda a, n: Add((Ref(a), Number(Fraction(n)))), letters, st.integers(1, 3))
    mixed = st.builds(lambda a, b: Add((Mul((Number(Fraction(2)), Ref(a))), Neg(Ref(b)))), letters, letters)
    place = plain if depth == 0 else plain | moved | mixed
    names = st.sampled_from(NAMES)
    return st.builds(Ref, names, st.lists(place, max_size=3).map(tuple))


def exponents() -> st.SearchStrategy[Expr]:
    """Small exponents: 0 to 3, negative ones, a half, a name."""
    small = st.integers(0, 3).map(lambda n: Number(Fraction(n), str(n)))
    half = st.just(Div(Number(Fraction(1)), Number(Fraction(2))))
    return small | small.map(Neg) | half | st.just(Ref("t"))


POINTWISE = tuple(row for row in functions.FUNCTIONS if not row.over)  # the others are written out


def calls(row: functions.Function, inner: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    """A call with as many arguments as the row has."""
    return st.tuples(*[inner] * len(row.arguments)).map(lambda arguments: Call(row.name, arguments))


def _grow(inner: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    several = st.lists(inner, min_size=2, max_size=4).map(tuple)
    letters = st.sampled_from(LETTERS)
    return st.one_of(
        inner.map(Neg),
        several.map(Add),
        several.map(Mul),
        st.builds(Div, inner, inner),
        st.builds(Pow, inner, exponents() | inner),
        st.sampled_from(POINTWISE).flatmap(lambda row: calls(row, inner)),
        st.builds(Sum, inner, letters),
        st.builds(Mean, inner, letters),
    )


def trees(leaves: int = 12) -> st.SearchStrategy[Expr]:
    """Any tree that the parser can make: with brackets, that is any tree without negative numbers."""
    return st.recursive(decimals() | refs() | st.sampled_from(LETTERS).map(Count), _grow, max_leaves=leaves)


# --- arithmetic that Python reads too -------------------------------------------------------------


LEAVES = ("a", "b", "c", "a", "b", "c", "0.1", "2", "3", "0.25", "1.50", "7e-1")


@st.composite
def formulas(draw: st.DrawFn, leaves: tuple[str, ...] = LEAVES, size: int = 6) -> str:
    """A random run of numbers, names, operators, signs and brackets, with as few brackets as chance wants.

    Powers have small exponents and the bases are small, so that values stay small.
    """
    if size <= 1:
        return draw(st.sampled_from(leaves))
    left = draw(formulas(leaves, draw(st.integers(1, size - 1))))
    kind = draw(st.sampled_from(["+", "-", "*", "/", "+", "-", "*", "power", "minus", "bracket"]))
    if kind == "bracket":
        return f"({left})"
    if kind == "minus":
        return f"-{left}"
    if kind == "power":
        exponent = draw(st.sampled_from(["2", "3", "-1", "-2", "0", "1", "2**1", "-(1)"]))
        return f"{_base(left)}**{exponent}"
    right = draw(formulas(leaves, draw(st.integers(1, size - 1))))
    space = draw(st.sampled_from(["", " "]))
    return f"{left}{space}{kind}{space}{right}"


def _base(text: str) -> str:
    """``2**3**2`` grows without measure; everything else may stand without brackets."""
    return f"({text})" if "**" in text else text


# --- programs ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Quantity:
    """A named array: its index letters and its entries, the last index fastest."""

    name: str
    dims: tuple[str, ...]
    entries: tuple[Fraction, ...] = ()


@dataclass(frozen=True)
class Model:
    """A small random program: text, data, parameters, and how many values each letter takes."""

    equations: str
    data: tuple[Quantity, ...]
    parameters: tuple[Quantity, ...]
    sizes: Mapping[str, int]
    loss: str = "L"

    @property
    def arrays(self) -> tuple[Quantity, ...]:
        return (*self.data, *self.parameters)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(parameter.name for parameter in self.parameters)

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {array.name: tuple(self.sizes[letter] for letter in array.dims) for array in self.arrays}

    @property
    def inputs(self) -> list[Fraction]:
        return [entry for array in self.arrays for entry in array.entries]

    @property
    def program(self) -> Program:
        lines = parse_program(self.equations, functions.NAMES)
        return hoist(Program(tuple(Equation(a.target, a.body) for a in lines), frozenset(self.sizes)))

    def entries(self, kit: Kit) -> Entries:
        """The given entries as numbers of a kit."""
        return {
            (array.name, at): kit.number(entry)
            for array in self.arrays
            for at, entry in zip(positions(self.shapes[array.name]), array.entries, strict=True)
        }

    def spec(self, training: str = 'optimizer = { name = "SGD", lr = 0.05 }') -> str:
        """The program as the text of a spec."""
        tables = {"data": self.data, "parameters": self.parameters}
        parts = ['title = "random"', "[model]", f'equations = """\n{self.equations}\n"""']
        for table, arrays in tables.items():
            parts.append(f"[{table}]")
            parts += [f"{a.name} = {_nested(self.shapes[a.name], list(a.entries))}" for a in arrays]
        return "\n".join([*parts, "[training]", training, ""])


def positions(shape: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    return itertools.product(*(range(1, extent + 1) for extent in shape))


def _nested(shape: tuple[int, ...], entries: list[Fraction]) -> str:
    if not shape:
        return str(float(entries[0]))  # the entries are short decimals, which repr gives back
    step = len(entries) // shape[0]
    rows = (_nested(shape[1:], entries[n * step : (n + 1) * step]) for n in range(shape[0]))
    return f"[{', '.join(rows)}]"


def small_numbers() -> st.SearchStrategy[Fraction]:
    """Short decimals between -3 and 3, zero and ties included."""
    return st.builds(Fraction, st.integers(-12, 12), st.sampled_from((4, 5, 10)))


@st.composite
def models(
    draw: st.DrawFn, called: tuple[str, ...] = (), *, shadow: bool = True, whole: bool = False
) -> Model:
    """Two to four equations over one or two letters, the last one a scalar loss that uses everything.

    ``called`` are the functions that may be used; with ``shadow`` a sum may reuse a letter that is
    in use around it, as in ``x[i] - mean(x[i], i)``; with ``whole`` only data are read entry by entry
    (``x[1]``, ``x[i, i]``), as specs demand.
    """
    letters = ("i", "j")[: draw(st.integers(1, 2))]
    sizes = {letter: draw(st.sampled_from((2, 3, 1))) for letter in letters}
    data = [draw(_quantity("x", letters, sizes)), draw(_quantity("y", ("i",), sizes))]
    names = ("w", "b", "v")[: draw(st.integers(1, 3))]
    dims = st.lists(st.sampled_from(letters), unique=True, max_size=2).map(tuple)
    parameters = [draw(_quantity(name, draw(dims), sizes)) for name in names]
    known = {array.name: array.dims for array in (*data, *parameters)}
    writer = _Writer(draw, sizes, called, shadow, whole)
    unread = {name: known[name] for name in names}
    lines = []
    for name in ("h", "z", "p")[: draw(st.integers(1, 3))]:
        own = draw(dims)
        body = writer.body(known, own, draw(st.integers(1, 2)))
        lines.append(f"{_ref(name, own)} = {body}")
        unread = {other: d for other, d in unread.items() if not re.search(rf"\b{other}\b", body)}
        known = {**known, name: own}
        unread[name] = own
    loss = writer.body(known, (), 2)
    rest = [_squares(name, own) for name, own in unread.items()]
    lines.append(" + ".join([f"L = ({loss})", *rest]))
    return Model("\n".join(lines), tuple(data), tuple(parameters), sizes)


def _ref(name: str, dims: tuple[str, ...]) -> str:
    return f"{name}[{', '.join(dims)}]" if dims else name


def _squares(name: str, dims: tuple[str, ...]) -> str:
    square = f"{_ref(name, dims)}**2"
    return f"mean({square}, {', '.join(dims)})" if dims else square


@st.composite
def _quantity(draw: st.DrawFn, name: str, dims: tuple[str, ...], sizes: Mapping[str, int]) -> Quantity:
    count = 1
    for letter in dims:
        count *= sizes[letter]
    return Quantity(name, dims, tuple(draw(small_numbers()) for _ in range(count)))


@dataclass(frozen=True)
class _Writer:
    """Writes random right-hand sides over the known quantities."""

    draw: st.DrawFn
    sizes: Mapping[str, int]
    called: tuple[str, ...]
    shadow: bool
    whole: bool

    def body(self, known: Mapping[str, tuple[str, ...]], free: tuple[str, ...], depth: int) -> str:
        if depth == 0:
            return self.leaf(known, free)
        kinds = ["+", "-", "*", "*", "/", "square", "reduce", "reduce", "leaf", *self.called]
        kind = self.draw(st.sampled_from(kinds))
        if kind == "leaf":
            return self.leaf(known, free)
        if kind == "reduce":
            return self.reduced(known, free, depth)
        if kind in self.called:
            return self.call(functions.BY_NAME[kind], known, free, depth)
        inner = self.body(known, free, depth - 1)
        if kind == "square":
            return f"({inner})**2"
        other = self.body(known, free, depth - 1)
        if kind == "/":
            return f"({inner})/(1 + ({other})**2)"
        return f"({inner}) {kind} ({other})" if kind != "+" else f"{inner} + {other}"

    def call(
        self, row: functions.Function, known: Mapping[str, tuple[str, ...]], free: tuple[str, ...], depth: int
    ) -> str:
        """A call with all its arguments: an operand is a body, anything else a number, lower limit first."""
        numbers = iter(("-0.5", "1.5") if "lo" in row.arguments else ("0.25",))
        operands = row.all_slopes
        written = [
            self.body(known, free, depth - 1) if name in operands else next(numbers) for name in row.arguments
        ]
        return f"{row.name}({', '.join(written)})"

    def reduced(self, known: Mapping[str, tuple[str, ...]], free: tuple[str, ...], depth: int) -> str:
        letter = self.draw(st.sampled_from(sorted(self.sizes)))
        if letter in free and not self.shadow:
            return self.body(known, free, depth - 1)
        reduction = self.draw(st.sampled_from(["sum", "mean"]))
        inner = self.body(known, tuple(dict.fromkeys((*free, letter))), depth - 1)
        return f"{reduction}({inner}, {letter})"

    def leaf(self, known: Mapping[str, tuple[str, ...]], free: tuple[str, ...]) -> str:
        latest = [name for name in known if name not in ("x", "y")]
        name = self.draw(st.sampled_from([*known, *latest, *latest, "number", "count"]))
        if name == "number":
            return self.draw(st.sampled_from(["2", "0.5", "3", "0.1"]))
        if name == "count":
            return f"count({self.draw(st.sampled_from(sorted(self.sizes)))})"
        by_letters = self.whole and name not in ("x", "y")
        missing = [letter for letter in known[name] if letter not in free]
        summed = missing if by_letters else [letter for letter in missing if self.draw(st.booleans())]
        places = (letter if by_letters else self.place(letter, (*free, *summed)) for letter in known[name])
        entry = _ref(name, tuple(places))
        return f"sum({entry}, {', '.join(summed)})" if summed else entry

    def place(self, letter: str, free: tuple[str, ...]) -> str:
        """The letter itself or another of the same size; now and then a constant place."""
        same = [other for other in free if self.sizes[other] == self.sizes[letter]]
        choice = self.draw(st.integers(0, 4)) if same else 0
        return same[choice % len(same)] if choice else str(self.draw(st.integers(1, self.sizes[letter])))
