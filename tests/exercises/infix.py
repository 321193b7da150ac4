"""A small calculator of formulas as learning systems write them: floats, names, calls, comparisons.

It reads what JME and Maxima have in common; ``if a then b else c`` is Maxima's, ``if(a, b, c)`` JME's.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

TOKEN = re.compile(r"\s*(\d+\.?\d*|%?[A-Za-z_]\w*|>=|<=|[-+*/^(),<>=#])")
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "min": min,
    "max": max,
    "floor": math.floor,
    "ceil": math.ceil,
    "ceiling": math.ceil,
    "exp": math.exp,
    "ln": math.log,
    "log": math.log,
    "sqrt": math.sqrt,
    "abs": abs,
    "float": float,
    "is": bool,
}
COMPARED: dict[str, Callable[[Any, Any], bool]] = {
    ">": lambda a, b: a > b,
    "<": lambda a, b: a < b,
    ">=": lambda a, b: a >= b,
    "<=": lambda a, b: a <= b,
    "=": lambda a, b: a == b,
}


class Reader:
    def __init__(self, text: str, names: Mapping[str, Any]) -> None:
        self.tokens = TOKEN.findall(text)
        assert "".join(self.tokens) == re.sub(r"\s", "", text), text
        self.names, self.at = names, 0

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self, wanted: str = "") -> str:
        token = self.peek()
        assert token, "the formula ends too early"
        assert wanted in ("", token), (wanted, self.tokens[self.at :])
        self.at += 1
        return token

    def whole(self) -> Any:
        found = self.either()
        assert not self.peek(), self.tokens[self.at :]
        return found

    def either(self) -> Any:
        found = self.both()
        while self.peek() == "or":
            self.take()
            found = self.both() or found
        return found

    def both(self) -> Any:
        found = self.compared()
        while self.peek() == "and":
            self.take()
            found = self.compared() and found
        return found

    def compared(self) -> Any:
        found = self.total()
        if self.peek() in COMPARED:
            return COMPARED[self.take()](found, self.total())
        return found

    def total(self) -> Any:
        found = self.product()
        while self.peek() in ("+", "-"):
            found = found + self.product() if self.take() == "+" else found - self.product()
        return found

    def product(self) -> Any:
        found = self.signed()
        while self.peek() in ("*", "/"):
            found = found * self.signed() if self.take() == "*" else found / self.signed()
        return found

    def signed(self) -> Any:
        if self.peek() == "-":
            self.take()
            return -self.signed()
        return self.power()

    def power(self) -> Any:
        base = self.atom()
        if self.peek() == "^":
            self.take()
            return base ** self.signed()
        return base

    def atom(self) -> Any:
        token = self.take()
        if token == "(":
            found = self.either()
            self.take(")")
            return found
        if token == "if" and self.peek() != "(":
            return self.chosen()
        if self.peek() == "(" and (token == "if" or token in FUNCTIONS):
            given = self.arguments()
            if token == "if":
                assert len(given) == 3
                return given[1] if given[0] else given[2]
            return FUNCTIONS[token](*given)
        return float(token) if token[0].isdigit() else self.names[token]

    def arguments(self) -> list[Any]:
        self.take("(")
        found = [self.either()]
        while self.peek() == ",":
            self.take()
            found.append(self.either())
        self.take(")")
        return found

    def chosen(self) -> Any:
        condition = self.either()
        self.take("then")
        one = self.either()
        self.take("else")
        other = self.either()
        return one if condition else other


def worked(text: str, names: Mapping[str, Any]) -> Any:
    """The value of a formula."""
    return Reader(text, names).whole()
