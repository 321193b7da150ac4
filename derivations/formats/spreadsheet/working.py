"""Working a spreadsheet formula in any number system, to hold a finished workbook against the trace.

The grammar is that of spreadsheets: a unary minus binds tighter than ``^``, and ``^`` groups from the left.
Only what `derivations.formats.spreadsheet.formulas` writes is known; anything else is a fault.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from fractions import Fraction
from functools import reduce
from typing import Any, TypeAlias

from derivations.language.errors import Mismatch
from derivations.numbers.systems import NumberSystem, Value, fraction, sign
from derivations.numbers.walker import operation_of

Cells: TypeAlias = Callable[[str], list[Value]]

TOKEN = re.compile(
    r"""\s*(?:(?P<number>\d+\.?\d*(?:E[+-]?\d+)?)
    |(?P<function>[A-Z]+)\(
    |(?P<cells>(?:(?:'(?:[^']|'')+'|\w+)!)?\$?[A-Z]{1,3}\$?\d+(?::\$?[A-Z]{1,3}\$?\d+)?(?!\w))
    |(?P<name>[A-Za-z_]\w*)
    |(?P<sign><=|>=|[-+*/^(),=<>]))""",
    re.VERBOSE,
)
COMPARED: dict[str, Callable[[Any, int], bool]] = {
    "=": operator.eq,
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
}
ONE_CELL = {"EXP": "exp", "LN": "log", "SQRT": "sqrt", "SIN": "sin", "COS": "cos", "ERF": "erf"} | {
    "SIGN": "sign",
    "INT": "floor",
    "ABS": "abs",
    "TANH": "tanh",
}
ARGUMENTS = {
    **dict.fromkeys(ONE_CELL, (1, 1)),
    "PI": (0, 0),
    "IF": (3, 3),
    "INDEX": (2, 2),
    "CHOOSE": (2, 99),
}


def worked(formula: str, cells: Cells, system: NumberSystem) -> Value:
    """The value of ``=…``; ``cells`` gives the values of a range, or the one of a cell or a name.

    Raises `Mismatch` for a formula that is not understood.
    """
    if not formula.startswith("="):
        raise Mismatch(f"not a formula: {formula}")
    work = _Work(formula[1:], cells, system)
    found = work.compared()
    if work.kind:
        raise Mismatch(f"not understood from {work.token!r} on: {formula}")
    return _one(found)


class _Work:
    """One pass over a formula: reading and working at once."""

    def __init__(self, formula: str, cells: Cells, system: NumberSystem) -> None:
        self.formula, self.cells, self.system, self.at = formula, cells, system, 0
        self.kind, self.token = "", ""
        self.next()

    def next(self) -> str:
        """The token at hand; the one after it is at hand from now on."""
        token = self.token
        found = TOKEN.match(self.formula, self.at)
        if found is None and self.formula[self.at :].strip():
            raise Mismatch(f"not understood: {self.formula[self.at :]!r}")
        self.kind = (found.lastgroup or "") if found else ""
        self.token = found[self.kind] if found else ""
        self.at = found.end() if found else self.at
        return token

    def is_sign(self, *signs: str) -> bool:
        return self.kind == "sign" and self.token in signs

    def require(self, token: str) -> None:
        if not self.is_sign(token):
            raise Mismatch(f"{token} expected in {self.formula}")
        self.next()

    def compared(self) -> Any:
        found = self.sum()
        if not self.is_sign(*COMPARED):
            return found
        holds = COMPARED[self.next()]
        return holds(fraction(sign(self.system.sub(_one(found), _one(self.sum())))), 0)

    def sum(self) -> Any:
        found = self.product()
        while self.is_sign("+", "-"):
            work = self.system.add if self.next() == "+" else self.system.sub
            found = work(_one(found), _one(self.product()))
        return found

    def product(self) -> Any:
        found = self.power()
        while self.is_sign("*", "/"):
            work = self.system.mul if self.next() == "*" else self.system.div
            found = work(_one(found), _one(self.power()))
        return found

    def power(self) -> Any:
        found = self.signed()
        while self.is_sign("^"):
            self.next()
            found = self.system.power(_one(found), _one(self.signed()))
        return found

    def signed(self) -> Any:
        if not self.is_sign("-"):
            return self.atom()
        self.next()
        return self.system.sub(self.number(0), _one(self.signed()))

    def atom(self) -> Any:
        kind, token = self.kind, self.next()
        if kind == "number":
            return self.system.number(Fraction(Decimal(token)))
        if kind in ("cells", "name"):
            found = self.cells(token)
            return found if ":" in token else found[0]
        if kind == "function":
            return self.function(token, self.arguments())
        if (kind, token) == ("sign", "("):
            found = self.compared()
            self.require(")")
            return found
        raise Mismatch(f"not understood at {token!r}: {self.formula}")

    def arguments(self) -> list[Any]:
        found: list[Any] = []
        while not self.is_sign(")"):
            found.append(self.compared())
            if not self.is_sign(")"):
                self.require(",")
        self.next()
        return found

    def number(self, value: int) -> Value:
        return self.system.number(Fraction(value))

    def function(self, name: str, given: list[Any]) -> Any:
        least, most = ARGUMENTS.get(name, (1, len(given)))
        if not least <= len(given) <= most:
            raise Mismatch(f"{name} is not of {len(given)}: {self.formula}")
        if name in ONE_CELL:
            return operation_of(ONE_CELL[name], self.system)(_one(given[0]), None)
        if name == "PI":
            return operation_of("pi", self.system)(None, None)
        if name == "IF":
            return given[1] if given[0] else given[2]
        if name == "AND":
            return all(given)
        if name in ("INDEX", "CHOOSE"):
            among = _flat(given[:1] if name == "INDEX" else given[1:])
            return among[self.whole(given[1] if name == "INDEX" else given[0], len(among)) - 1]
        return self.many(name, given)

    def many(self, name: str, given: list[Any]) -> Any:
        """A function of any number of cells and ranges."""
        if name == "SUMPRODUCT":
            if len({len(part) if isinstance(part, list) else -at for at, part in enumerate(given, 1)}) > 1:
                raise Mismatch("a product of what are no ranges of one length")
            rows = zip(*given, strict=True)
            return reduce(self.system.add, [reduce(self.system.mul, row) for row in rows])
        parts = _flat(given)
        if name in ("MAX", "MIN"):
            return reduce(operation_of(name.lower(), self.system), parts)
        if name == "COUNT":
            return self.number(len(parts))
        if name in ("SUM", "AVERAGE"):
            found = reduce(self.system.add, parts)
            return found if name == "SUM" else self.system.div(found, self.number(len(parts)))
        raise Mismatch(f"an unknown function {name}")

    def whole(self, value: Value, most: int) -> int:
        """A place from 1; out of range where an IF around it takes the other branch."""
        return min(max(int(fraction(_one(value))), 1), most)


def _one(value: Any) -> Value:
    if isinstance(value, list):
        raise Mismatch("a range where one cell is expected")
    return value


def _flat(given: Sequence[Any]) -> list[Value]:
    return [value for part in given for value in (part if isinstance(part, list) else [part])]
