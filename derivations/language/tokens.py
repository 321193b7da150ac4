"""The words of a text, each with its offset, and what a written number means."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from derivations.language.errors import LanguageError
from derivations.language.tree import Number

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
