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
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from derivations.catalogue.functions import BY_NAME, Function
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
    substitute,
    transform,
)

TOKEN = re.compile(
    r"(?P<space>[ \t\r]+|\#[^\n]*)|(?P<newline>\n)"
    r"|(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
    r"|(?P<name>[A-Za-z][A-Za-z0-9_]*'?)|(?P<operator>\*\*|[-+*/=()\[\],])|(?P<other>.)"
)
REDUCTIONS: dict[str, type[Sum] | type[Mean] | type[Largest]] = {
    "sum": Sum,
    "mean": Mean,
    "largest": Largest,
}
RESERVED = {*REDUCTIONS, "count", "pad"}
MAX_DEPTH, MAX_LENGTH, MAX_DIGITS = 60, 20_000, 400


@dataclass(frozen=True, slots=True)
class Token:
    """A word of the text, what it is, and its offset."""

    kind: str
    text: str
    at: int


@dataclass(frozen=True, slots=True)
class Assignment:
    """One line ``target = body`` as it was written."""

    target: Ref
    body: Expr


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
        if name.text not in self.functions:
            known = {*self.functions, *RESERVED}
            hint = nearest(name.text, known, "functions")
            raise LanguageError(f"unknown function '{name.text}'", at=name.at, hint=hint)
        return self.call(name, BY_NAME[name.text])

    def call(self, name: Token, row: Function) -> Expr:
        """A function of a row: defaults filled in, one over an index written out."""
        arguments = self.list(")", "after the arguments")
        wanted = len(row.arguments) + row.over
        defaults = [parse(row.defaults[key], self.functions) for key in row.arguments if key in row.defaults]
        arguments = (*arguments, *defaults[len(defaults) - (wanted - len(arguments)) :])
        if len(arguments) != wanted:
            least = "" if not defaults else f"{wanted - len(defaults)} to "
            usage = f"{row.name}({', '.join((*row.arguments, *(['i'] if row.over else [])))})"
            many = "argument" if wanted == 1 else "arguments"
            raise LanguageError(
                f"'{row.name}' takes {'one' if wanted == 1 else f'{least}{wanted}'} {many}, "
                f"found {len(arguments)}",
                at=name.at,
                hint="" if wanted == 1 else f"Write {usage}.",
            )
        if not row.over:
            return Call(row.name, arguments, name.at)
        argument, bound = arguments
        if not isinstance(bound, Ref) or bound.indices:
            raise LanguageError(f"'{row.name}' names its index: {row.name}(z[k], k)", at=name.at)
        return written_out(row, argument, bound.name)

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


def written_out(row: Function, argument: Expr, bound: str) -> Expr:
    """A function over an index by its formula: ``exp(z[k])/sum(exp(z[k]), k)`` for softmax."""

    def rule(node: Expr) -> Expr | None:
        return Sum(transform(node.body, rule), bound) if isinstance(node, Sum) else None

    return substitute(transform(parse(row.formula, frozenset(BY_NAME)), rule), {Ref("x"): argument})


def _missing_star(token: Token) -> str:
    return "Write products with '*', as in 2*x." if token.kind in ("name", "number") else ""


def number_of(token: Token) -> Number:
    """The exact value of a written number: ``0.01`` is 1/100."""
    if re.match(r"0\d", token.text):
        plain = token.text.lstrip("0") or "0"
        raise LanguageError(f"a number does not start with 0: write {plain} for {token.text}", at=token.at)
    exponent = re.search(r"[eE]([+-]?\d+)$", token.text)
    if len(token.text) > MAX_DIGITS or (exponent and abs(int(exponent[1])) > MAX_DIGITS):
        raise LanguageError(f"a number of more than {MAX_DIGITS} digits", at=token.at)
    return Number(Fraction(token.text), token.text)


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
