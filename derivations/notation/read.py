r"""Reading LaTeX mathematics back into the tree: the inverse of `derivations.notation.latex`.

``chain`` cuts a formula at its relation signs and reads every side. What cannot be read raises
`Unreadable`, with the text that was not understood.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from typing import TypeAlias

from derivations.catalogue import functions
from derivations.language.errors import Mismatch
from derivations.language.matrix import NORM, ONES, TRANSPOSED
from derivations.language.names import adjoint
from derivations.language.tree import (
    Add,
    Call,
    Chosen,
    Count,
    Derivative,
    Div,
    Expr,
    Largest,
    Mul,
    Neg,
    Number,
    Pow,
    Ref,
    Sum,
)
from derivations.notation.chain import Side
from derivations.notation.latex import SIGNS
from derivations.notation.locales import PLAIN, Marks
from derivations.notation.printed import turned
from derivations.notation.symbols import SLOPE, Symbol, Symbols
from derivations.notation.typeset import BETWEEN, DOTS

# --- Printed numbers as trees: decimals, signs, powers of ten ---------------------------------


class Unreadable(Mismatch):
    """A formula that is not in the notation of these pages."""


def decimal(text: str) -> Number:
    """A printed decimal as an exact number that remembers its digits."""
    return Number(Fraction(text), text)


def negated(expr: Expr) -> Expr:
    """A sign before an expression; that of a number belongs to it."""
    return turned(expr) if isinstance(expr, Number) and expr.value >= 0 else Neg(expr)


def scientific(parts: list[Expr]) -> Expr:
    r"""Factors to a product, with ``1.2 \cdot 10^{-7}`` as one number."""
    if not parts:
        raise Unreadable("an empty term")
    found: list[Expr] = []
    for part in parts:
        before = found[-1] if found else None
        match part, before:
            case Pow(Number(Fraction(numerator=10, denominator=1), _), Number(e, _)), Number(m, text):
                found[-1] = Number(m * Fraction(10) ** int(e), f"{text}e{e}")
            case _:
                found.append(part)
    return found[0] if len(found) == 1 else Mul(tuple(found))


# --- The words of LaTeX that the pages use, as the reader knows them --------------------------

WORD = re.compile(r"(\\mathrm\{[^{}_]*)(?:_([^{}]|\{[^{}]*\}))?\}")
STACK = r"\begin{array}{@{}l@{}}", r"\end{array}", r"\\"
TOKEN = (
    "|".join(map(re.escape, STACK)) + r"|\\mathbf 1|\\mathrm\{[^{}_]*(?:_(?:[^{}]|\{[^{}]*\}))?\}|\\[A-Za-z]+"
    r"|NUMBER|[A-Za-z]|[-+=(){}\[\]^_',/≈]|\S"
)


@cache
def token(marks: Marks = PLAIN) -> re.Pattern[str]:
    """A token of LaTeX, numbers with the marks of a language."""
    return re.compile(TOKEN.replace("NUMBER", marks.reads))


RELATIONS = {"=": "=", r"\approx": "≈", r"\leftarrow": "←"}
SIZES = {f"\\{size}{side}" for size in ("big", "Big", "bigg", "Bigg") for side in "lr"}
LAYOUT = {r"\left", r"\right", r"\quad", r"\qquad", r"\displaystyle", "&", *SIZES, *STACK}
ACCENTS = {r"\hat", r"\bar", r"\tilde"}
OPEN, CLOSE = {"(", "["}, {")", "]"}
END = {*CLOSE, "}", "+", "-", ",", ";", "=", r"\rVert", r"\odot", r"\oslash"}
NABLA = SIGNS["∇"]

REDUCTIONS: dict[str, type[Sum] | type[Largest]] = {r"\sum": Sum, r"\max": Largest}
CONSTANTS: dict[str, Expr] = {
    **{row.latex: Call(row.name, ()) for row in functions.FUNCTIONS if not row.arguments},
    r"\dots": DOTS,
    r"\top": TRANSPOSED,
}
ENTRYWISE = {SIGNS[sign]: name for name, sign in BETWEEN.items()}


# --- What a symbol of a page means, once its scripts are known --------------------------------

Scripts: TypeAlias = list[list[str]]
Indices: TypeAlias = Callable[[Scripts], "tuple[Expr, ...] | None"]


@dataclass(frozen=True)
class Raised:
    """What stands above a symbol in brackets, and of how many tokens it is made."""

    text: str = ""
    length: int = 0


def raised(tokens: Sequence[str]) -> Raised:
    """The number or name in ``^{(1)}`` with which tokens begin; empty for a power."""
    inside: list[str] = []
    if list(tokens[:3]) == ["^", "{", "("] and ")" in tokens:
        inside = list(tokens[3 : tokens.index(")")])
    length = len(inside) + 5
    if not inside or not all(part.isalnum() for part in inside) or tokens[length - 1 : length] != ["}"]:
        return Raised()
    return Raised("".join(inside), length)


def _is_array(index: Expr, symbols: Symbols) -> bool:
    """Whether what stands below is a whole array: the script of a name, as in the state v_W, no index."""
    return isinstance(index, Ref) and symbols.ranks.get(index.name, 0) > len(index.indices)


def meaning(symbols: Symbols, shown: Symbol, scripts: Scripts, indices: Indices) -> Expr:
    """The entry, array, number of samples or index that a symbol with these scripts means.

    ``indices`` reads scripts as indices, None where they are words. Raises `Unreadable`.
    """
    texts, primes = tuple("".join(part) for part in scripts), shown.primes
    for given in dict.fromkeys((primes, "")):
        for own in range(len(texts), -1, -1):
            symbol = replace(shown, subscripts=texts[:own], primes=given)
            means = symbols.means(symbol, len(texts) - own)
            at = indices(scripts[own:]) if means else None
            if means and at is not None and not any(_is_array(one, symbols) for one in at):
                found = means(at)
                return Ref(found.name + primes[len(given) :], found.indices)
        if name := symbols.whole(replace(shown, subscripts=texts, primes=given)):
            return Ref(name + primes[len(given) :])
    if not primes and not shown.above and len(texts) <= 1:
        if shown.stem == symbols.count:
            return Count(symbols.index(texts[0]) if texts else symbols.sample or "")
        if len(shown.stem) == 1 and (not texts or texts[0].isdigit()):
            return Ref("".join((symbols.index(shown.stem), *texts)))  # an index, or the twin of one
    raise Unreadable(f"unknown symbol '{shown.stem}{primes}' with subscripts {texts}")


def chain(source: str, symbols: Symbols) -> tuple[Side, ...]:
    """The sides of ``a = b ≈ c``, read from LaTeX."""
    tokens = [t for t in token(symbols.marks).findall(source) if t not in LAYOUT]
    sides: list[Side] = []
    relation, start, depth = "", 0, 0
    for at, sign in enumerate([*tokens, "="]):
        depth += (sign in OPEN | {"{"}) - (sign in CLOSE | {"}"})
        if sign in RELATIONS and depth == 0:
            if at > start or relation:
                sides.append(Side(relation, _Reader(tokens[start:at], symbols).whole()))
            relation, start = RELATIONS[sign], at + 1
    if depth:
        raise Unreadable(f"brackets do not close in {source}")
    return tuple(sides)


class _Reader:
    """Recursive descent over LaTeX tokens."""

    def __init__(self, tokens: list[str], symbols: Symbols) -> None:
        self.tokens, self.at, self.symbols = tokens, 0, symbols

    @property
    def token(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self, wanted: str = "") -> str:
        token = self.token
        if not token or (wanted and token != wanted):
            rest = " ".join(self.tokens[self.at : self.at + 6])
            raise Unreadable(f"expected {wanted or 'something'} before '{rest}' in {' '.join(self.tokens)}")
        self.at += 1
        return token

    def whole(self) -> Expr:
        found = self.sum()
        if self.token:
            raise Unreadable(f"cannot read '{self.token}' in {' '.join(self.tokens)}")
        return found

    def sum(self) -> Expr:
        parts = [self.term()]
        while self.token in ("+", "-"):
            sign = self.take()
            part = self.term()
            parts.append(Neg(part) if sign == "-" else part)
        return parts[0] if len(parts) == 1 else Add(tuple(parts))

    def term(self) -> Expr:
        if self.token == "-":
            self.take()
            return negated(self.term())
        name, found = "", self.product()
        while self.token in ENTRYWISE:
            last, name = name, ENTRYWISE[self.take()]
            before = found.arguments if isinstance(found, Call) and name == last else (found,)
            found = Call(name, (*before, self.product()))
        return found

    def product(self) -> Expr:
        parts: list[Expr] = []
        while self.token and self.token not in END:
            if self.token == r"\cdot":
                self.take()
            elif parts and (self.token[:1].isdigit() or self.mixed(parts[-1])):
                raise Unreadable(f"a number without a sign before it: {' '.join(self.tokens)}")
            is_open = self.reduces()
            parts.append(self.factor())
            if is_open:
                break
        return scientific(parts)

    def mixed(self, before: Expr) -> bool:
        """Whether a fraction that begins with digits stands right behind a number, as in a mixed number."""
        digits = "".join(self.tokens[self.at + 2 : self.at + 3])[:1].isdigit()
        return digits and self.token == r"\frac" and isinstance(before, Number)

    def reduces(self) -> bool:
        r"""Whether a sum or a maximum over an index follows; ``\max(a, b)`` is a call."""
        return self.token in REDUCTIONS and self.tokens[self.at + 1 : self.at + 2] == ["_"]

    def factor(self) -> Expr:
        base = self.atom()
        if self.token == "^":
            self.take()
            return Pow(base, self.script())
        return base

    def script(self) -> Expr:
        if self.token == "{":
            return self.group()
        return _Reader([self.take()], self.symbols).whole()

    def group(self) -> Expr:
        self.take("{")
        found = self.sum()
        self.take("}")
        return found

    def atom(self) -> Expr:
        token = self.token
        if token in OPEN:
            self.take()
            found = self.sum()
            if self.token == "=":
                found = self.gate(found)
            if self.take() not in CLOSE:
                raise Unreadable(f"brackets do not close in {' '.join(self.tokens)}")
            return found
        if token[:1].isdigit():
            return decimal(self.symbols.marks.read(self.take()))
        if token in CONSTANTS:
            return CONSTANTS[self.take()]
        return self.command(token)

    def gate(self, left: Expr) -> Expr:
        """``[a = b]``, 1 where both are equal, or ``[k = arg max_p x_p]``."""
        self.take("=")
        if self.token != r"\arg":
            return Call("same", (left, self.sum()))
        for word in (r"\arg", r"\max", "_"):
            self.take(word)
        bound = self.bound(self.names())
        return Chosen(self.term(), bound, left)

    def arguments(self) -> tuple[Expr, ...]:
        """What stands in the brackets after a function."""
        if self.take() not in OPEN:
            raise Unreadable(f"a function without brackets in {' '.join(self.tokens)}")
        found = [self.sum()]
        while self.token == self.symbols.marks.separator:
            self.take()
            found.append(self.sum())
        if self.take() not in CLOSE:
            raise Unreadable(f"brackets do not close in {' '.join(self.tokens)}")
        return tuple(found)

    def command(self, token: str) -> Expr:
        if token == r"\frac":
            return self.fraction()
        if self.reduces():
            self.take()
            self.take("_")
            bound = self.bound(self.names())
            return REDUCTIONS[token](self.term(), bound)
        if token == r"\mathbf 1":
            self.take()
            self.take("_")
            lengths = ["".join(length) for length in self.names()]
            return Ref(ONES, (Ref(self.counted(", ".join(lengths))),))
        if token == r"\lVert":
            self.take()
            inside = self.sum()
            self.take(r"\rVert")
            return Call(NORM, (inside,))
        if token == r"\sqrt":
            self.take()
            return Call("sqrt", (self.group(),))
        if token == (NABLA if self.symbols.derivative == "nabla" else SLOPE) and self.has_slopes():
            return self.slope()
        called = self.symbols.functions_read.get(token)
        if called and self.tokens[self.at + 1 : self.at + 2] in (["("], ["["]):
            self.take()
            return Call(called, self.arguments())
        return self.symbol()

    def has_slopes(self) -> bool:
        """Whether the slopes of the loss have a sign of their own, and are no fractions."""
        return self.symbols.derivative != "partial"

    def slope(self) -> Expr:
        r"""``\nabla_w L``, ``\delta_w`` or ``\delta_i^z``: the slope of the loss by what stands there."""
        sign = self.take()
        self.take("_")
        scripts: list[list[str]] = []
        below = self.names()
        if sign == SLOPE and self.token == "^":
            self.take()
            scripts, below = below, self.names()
        inner = _Reader([token for part in below for token in part], self.symbols)
        shown, own = inner.shown()
        if inner.token or len(below) > 1:
            raise Unreadable(f"a slope by {below}")
        if sign == NABLA and self.symbol() != Ref(self.symbols.loss):
            raise Unreadable("a gradient of something that is not the loss")
        return self.slope_by(meaning(self.symbols, shown, [*own, *scripts], self.indices))

    def slope_by(self, by: Expr) -> Ref:
        if not isinstance(by, Ref):
            raise Unreadable("a derivative by something that is not a quantity")
        return Ref(adjoint(self.symbols.loss, by.name), by.indices)

    def bound(self, names: list[list[str]]) -> str:
        """The index that a sum or a maximum runs over, or the twin of one: ``p_1``."""
        written = ",".join("".join(token for token in name if token not in ("_", "{", "}")) for name in names)
        if not written.isalnum() and written not in self.symbols.letters.values():
            raise Unreadable(f"'{written}' is no index")
        return self.symbols.index(written)

    def counted(self, length: str) -> str:
        """The index that a number of values counts: ``n`` the samples, ``n_j`` the index ``j``."""
        letter, _, index = length.partition("_")
        if letter != self.symbols.count:
            raise Unreadable(f"a column of {length} ones")
        return self.symbols.index(index) or self.symbols.sample or ""

    def fraction(self) -> Expr:
        self.take(r"\frac")
        if self.tokens[self.at + 1 : self.at + 2] != [r"\partial"]:
            return Div(self.group(), self.group())
        self.take("{")
        self.take(r"\partial")
        above = None if self.token == "}" else self.symbol()
        self.take("}")
        self.take("{")
        self.take(r"\partial")
        below = self.symbol()
        self.take("}")
        if not isinstance(below, Ref):
            raise Unreadable("a derivative by something that is not a quantity")
        if above is None:
            return Derivative(self.atom(), below)
        if above == Ref(self.symbols.loss) and not self.has_slopes():
            return self.slope_by(below)
        return Derivative(above, below)

    def symbol(self) -> Expr:
        """A quantity with its scripts, or the letter for the number of samples."""
        return meaning(self.symbols, *self.shown(), self.indices)

    def shown(self) -> tuple[Symbol, list[list[str]]]:
        """A symbol without its subscripts, and these."""
        stem = self.take()
        if stem in ACCENTS:
            stem = f"{stem} {self.take()}"
        scripts: list[list[str]] = []
        if word := WORD.fullmatch(stem):
            stem = f"{word[1]}}}"
            scripts = _Reader(token().findall(word[2]), self.symbols).names() if word[2] else []
        elif self.token == "_":
            self.take()
            scripts = self.names()
        primes = ""
        while self.token == "'":
            primes += self.take()
        above = raised(self.tokens[self.at :])
        self.at += above.length
        return Symbol(stem, (), primes, above.text), scripts

    def names(self) -> list[list[str]]:
        """The subscripts that stand between commas, each as its tokens."""
        if self.token != "{":
            return [[self.take()]]
        self.take("{")
        inside: list[list[str]] = [[]]
        depth = 0
        while self.token != "}" or depth:
            token = self.take()
            depth += (token == "{") - (token == "}")
            if token == "," and not depth:
                inside.append([])
            else:
                inside[-1].append(token)
        self.take("}")
        return inside

    def indices(self, scripts: list[list[str]]) -> tuple[Expr, ...] | None:
        """Subscripts as indices; None for a word such as ``s1``, which is a part of a name."""
        try:
            return tuple(_Reader(part, self.symbols).whole() for part in scripts)
        except Unreadable:
            return None
