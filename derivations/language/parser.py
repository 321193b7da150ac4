"""Text to tree: the small language in which models, data and catalogue rows are written.

    yhat[i] = w*x[i] + b
    L = mean((yhat[i] - y[i])**2, i)

Operators are ``+ - * / **`` with the precedence that Python and mathematics share, brackets hold
indices, ``sum(a, i)``, ``mean(a, i)`` and ``largest(a, i)`` reduce over an index, ``count(i)`` is the
number of its values, ``pad(x[t - 1])`` reads 0 outside the array. A decimal is exactly what it says:
``0.01`` is 1/100. Nothing is ever executed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction

from derivations.catalogue.functions import BY_NAME, Function
from derivations.catalogue.loss import SampleLoss
from derivations.catalogue.sample_losses import SAMPLE_LOSS_BY_NAME
from derivations.language.errors import LanguageError, nearest
from derivations.language.tree import (
    Add,
    Call,
    Count,
    Div,
    Expr,
    Largest,
    Mean,
    Mul,
    Neg,
    Number,
    Pow,
    Ref,
    Sum,
    rename_index,
    transform,
)

# --- The words of a text, each with its offset, and what a written number means ---------------

TOKEN = re.compile(
    r"(?P<space>[ \t\r]+|\#[^\n]*)|(?P<newline>\n)"
    r"|(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
    r"|(?P<name>[A-Za-z][A-Za-z0-9_]*'?)|(?P<operator>\*\*|[-+*/=()\[\],])|(?P<other>.)"
)
MAX_LENGTH, MAX_DIGITS = 20_000, 400


@dataclass(frozen=True, slots=True)
class Token:
    """A word of the text, what it is, and its offset."""

    kind: str
    text: str
    at: int


def tokenize(text: str) -> list[Token]:
    """Cut a text into tokens; line breaks inside brackets do not count."""
    if len(text) > MAX_LENGTH:
        raise LanguageError(f"this text has {len(text)} characters; {MAX_LENGTH} are allowed", at=0)
    tokens, depth = [], 0
    for match in TOKEN.finditer(text):
        kind, word, at = match.lastgroup or "other", match.group(), match.start()
        if kind == "other":
            raise LanguageError(_strange(word), at=at, hint=_instead(word))
        depth += (word in "([") - (word in ")]") if kind == "operator" else 0
        if kind != "space" and not (kind == "newline" and depth > 0):
            tokens.append(Token(kind, word, at))
    return [*tokens, Token("end", "", len(text))]


def _strange(word: str) -> str:
    return f"unexpected character {word!r}"


def _instead(word: str) -> str:
    known = {"^": "Powers are written a**b.", "{": "Use round brackets.", "·": "Write a*b."}
    return known.get(word, "Names are letters, digits and '_'; operators are + - * / **.")


def number_of(token: Token) -> Number:
    """The exact value of a written number: ``0.01`` is 1/100."""
    if re.match(r"0\d", token.text):
        plain = token.text.lstrip("0") or "0"
        raise LanguageError(f"a number does not start with 0: write {plain} for {token.text}", at=token.at)
    exponent = re.search(r"[eE]([+-]?\d+)$", token.text)
    if len(token.text) > MAX_DIGITS or (exponent and abs(int(exponent[1])) > MAX_DIGITS):
        raise LanguageError(f"a number of more than {MAX_DIGITS} digits", at=token.at)
    return Number(Fraction(token.text), token.text)


REDUCTIONS: dict[str, type[Sum] | type[Mean] | type[Largest]] = {
    "sum": Sum,
    "mean": Mean,
    "largest": Largest,
}
RESERVED = {*REDUCTIONS, "count", "pad"}
MAX_DEPTH = 60


@dataclass(frozen=True, slots=True)
class Assignment:
    """One line ``target = body`` as it was written."""

    target: Ref
    body: Expr


class _Reader:
    """Recursive descent over the tokens; one method a line of the grammar."""

    def __init__(self, text: str, functions: frozenset[str]) -> None:
        self.tokens, self.position, self.depth = tokenize(text), 0, 0
        self.functions = functions

    @property
    def token(self) -> Token:
        return self.tokens[self.position]

    def take(self) -> Token:
        token = self.token
        self.position += token.kind != "end"
        return token

    def accept(self, *words: str) -> Token | None:
        found = self.token.kind == "operator" and self.token.text in words
        return self.take() if found else None

    def expect(self, word: str, where: str) -> Token:
        return self.accept(word) or self.fail(f"'{word}' {where}")

    def fail(self, wanted: str, hint: str = "") -> Token:
        shown = {"end": "the end of the text", "newline": "the end of the line"}
        found = shown.get(self.token.kind, f"'{self.token.text}'")
        raise LanguageError(f"expected {wanted}, found {found}", at=self.token.at, hint=hint)

    def lines(self) -> list[Assignment]:
        found = []
        while self.token.kind != "end":
            if self.token.kind == "newline":
                self.take()
                continue
            found.append(self.assignment())
            if self.token.kind not in ("newline", "end"):
                self.fail("an operator or the end of the line", _missing_star(self.token))
        return found

    def assignment(self) -> Assignment:
        at, target = self.token.at, self.atom()
        if not isinstance(target, Ref):
            raise LanguageError("an equation starts with a name, as in 'yhat[i] = ...'", at=at)
        self.expect("=", f"after '{target.name}'")
        return Assignment(target, self.sum())

    def sum(self) -> Expr:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise LanguageError(f"nested more than {MAX_DEPTH} deep", at=self.token.at)
        found = [self.term()]
        while sign := self.accept("+", "-"):
            term = self.term()
            found.append(Neg(term) if sign.text == "-" else term)
        self.depth -= 1
        return found[0] if len(found) == 1 else Add(tuple(found))

    def term(self) -> Expr:
        if self.accept("-"):
            return self._deeper(lambda: Neg(self.term()))
        left, grown = self.power(), False
        while operator := self.accept("*", "/"):
            right = self.signed()
            if operator.text == "/":
                left, grown = Div(left, right), False
            else:
                left = Mul((*left.factors, right) if grown and isinstance(left, Mul) else (left, right))
                grown = True
        return left

    def signed(self) -> Expr:
        if self.accept("-"):
            return self._deeper(lambda: Neg(self.signed()))
        return self.power()

    def power(self) -> Expr:
        base = self.atom()
        return Pow(base, self._deeper(self.signed)) if self.accept("**") else base

    def _deeper(self, read: Callable[[], Expr]) -> Expr:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise LanguageError(f"nested more than {MAX_DEPTH} deep", at=self.token.at)
        found = read()
        self.depth -= 1
        return found

    def atom(self) -> Expr:
        token = self.token
        if token.kind == "number":
            return number_of(self.take())
        if token.kind == "name":
            return self.named(self.take())
        if self.accept("("):
            inside = self.sum()
            self.expect(")", "to close the bracket")
            return inside
        self.fail("a number, a name or '('")
        raise AssertionError  # fail never returns

    def named(self, name: Token) -> Expr:
        if self.accept("["):
            return Ref(name.text, self.list("]", "after the indices"), name.at)
        if not self.accept("("):
            constant = name.text in self.functions and not BY_NAME[name.text].arguments
            return Call(name.text, (), name.at) if constant else Ref(name.text, (), name.at)
        if name.text in RESERVED:
            return self.padded(name) if name.text == "pad" else self.reduction(name)
        losses = SAMPLE_LOSS_BY_NAME if self.functions else {}
        if name.text not in self.functions and name.text not in losses:
            known = {*self.functions, *losses, *RESERVED}
            hint = nearest(name.text, known, "functions")
            raise LanguageError(f"unknown function '{name.text}'", at=name.at, hint=hint)
        return self.call(name, losses.get(name.text) or BY_NAME[name.text])

    def call(self, name: Token, row: Function | SampleLoss) -> Expr:
        """A row by its name: defaults filled in, a loss or a function over an index written out."""
        arguments = self.list(")", "after the arguments")
        wanted = len(row.arguments) + row.over
        defaults = [parse(row.defaults[key], self.functions) for key in row.arguments if key in row.defaults]
        bound = [self.bound(name, row, arguments)] if row.over and arguments else []
        given = arguments[: len(arguments) - len(bound)]
        given = (*given, *defaults[len(defaults) - (len(row.arguments) - len(given)) :])
        if len(given) != len(row.arguments):
            raise _miscounted(row, len(arguments), wanted, len(defaults), name.at)
        if isinstance(row, Function) and not row.over:
            return Call(row.name, given, name.at)
        return written_out(row, given, *bound)

    def bound(self, name: Token, row: Function | SampleLoss, arguments: tuple[Expr, ...]) -> str:
        """The index that a row is over: its last argument."""
        last = arguments[-1]
        if len(arguments) <= len(row.arguments) - len(row.defaults):
            raise _miscounted(row, len(arguments), len(row.arguments) + 1, len(row.defaults), name.at)
        if not isinstance(last, Ref) or last.indices:
            raise LanguageError(f"'{row.name}' names its index: {_usage(row)}", at=name.at)
        return last.name

    def padded(self, name: Token) -> Expr:
        arguments = self.list(")", "after the read")
        if len(arguments) != 1 or not isinstance(arguments[0], Ref) or not arguments[0].indices:
            raise LanguageError("'pad' takes one entry of an array: pad(x[t - 1])", at=name.at)
        return replace(arguments[0], padded=True)

    def reduction(self, name: Token) -> Expr:
        arguments = self.list(")", "after the arguments")
        bodies = 0 if name.text == "count" else 1
        chosen = arguments[bodies:]
        plain = [part.name for part in chosen if isinstance(part, Ref) and not part.indices]
        if len(plain) < len(chosen) or not chosen or (not bodies and len(chosen) > 1):
            usage = "count(i)" if not bodies else f"{name.text}(body, i)"
            raise LanguageError(f"'{name.text}' names its index: {usage}", at=name.at)
        if not bodies:
            return Count(plain[0])
        result = arguments[0]
        for bound in reversed(plain):
            result = REDUCTIONS[name.text](result, bound)
        return result

    def list(self, end: str, where: str) -> tuple[Expr, ...]:
        found = [self.sum()]
        while self.accept(","):
            found.append(self.sum())
        self.expect(end, where)
        return tuple(found)


def _usage(row: Function | SampleLoss) -> str:
    return f"{row.name}({', '.join((*row.arguments, *(['k'] if row.over else [])))})"


def _miscounted(row: Function | SampleLoss, found: int, wanted: int, optional: int, at: int) -> LanguageError:
    least = f"{wanted - optional} to " if optional else ""
    many = "one argument" if wanted == 1 else f"{least}{wanted} arguments"
    hint = "" if wanted == 1 else f"Write {_usage(row)}."
    return LanguageError(f"'{row.name}' takes {many}, found {found}", at=at, hint=hint)


def written_out(row: Function | SampleLoss, arguments: tuple[Expr, ...], bound: str = "") -> Expr:
    """A row's formula with arguments in the place of its letters, and an index in the place of ``k``.

    ``exp(z[k])/sum(exp(z[k]), k)`` for softmax; ``z[y]`` is the argument ``z`` at ``y`` instead of ``k``.
    """
    given = dict(zip(row.arguments, arguments, strict=True))

    def rule(node: Expr) -> Expr | None:
        match node:
            case Sum() | Mean():
                return replace(node, body=transform(node.body, rule), index=bound)
            case Count():
                return Count(bound)
            case Ref("k", ()) if row.over:
                return Ref(bound)
            case Ref(name, (at,)):
                return rename_index(given[name], {bound: transform(at, rule)})
            case Ref(name, ()):
                return given[name]
        return None

    return transform(parse(row.formula, frozenset(BY_NAME)), rule)


def _missing_star(token: Token) -> str:
    return "Write products with '*', as in 2*x." if token.kind in ("name", "number") else ""


def parse_program(text: str, functions: frozenset[str] = frozenset()) -> list[Assignment]:
    """Read lines ``target = body``; raises `LanguageError` with the offset of the fault."""
    return _Reader(text, functions).lines()


def parse(text: str, functions: frozenset[str] = frozenset()) -> Expr:
    """Read one expression; raises `LanguageError` with the offset of the fault."""
    reader = _Reader(text, functions)
    found = reader.sum()
    while reader.token.kind == "newline":
        reader.take()
    if reader.token.kind != "end":
        reader.fail("an operator or the end of the text", _missing_star(reader.token))
    return found
