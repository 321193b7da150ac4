"""A second reader of equations: Python's own parser, entry by entry, over any kind of number.

Nothing of the package is used: no tree, no normal form, no tape. What the kinds of numbers need
(constants, powers, functions) is a `Kit`.
"""

from __future__ import annotations

import ast
import itertools
import math
import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import sympy as sp
import torch

Entry = tuple[str, tuple[int, ...]]
Entries = dict[Entry, Any]


@dataclass(frozen=True)
class Kit:
    """What a kind of number needs besides + - * and /."""

    number: Callable[[Fraction], Any]
    functions: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    power: Callable[[Any, Any], Any] = operator.pow
    keep: Callable[[Any], Any] = lambda x: x


def _sign(x: Any) -> int:
    return (x > 0) - (x < 0)


KINKED: dict[str, Callable[..., Any]] = {  # on anything that Python can compare
    "abs": abs,
    "max": max,
    "min": min,
    "leaky_relu": lambda x, a: x if x > 0 else a * x,
    "hardtanh": lambda x, lo, hi: min(max(x, lo), hi),
}


def _whole_power(a: Fraction, b: Fraction) -> Fraction:
    assert b.denominator == 1
    return a ** int(b)


FRACTIONS = Kit(
    Fraction,
    {
        "sign": lambda x: Fraction(_sign(x)),
        "step": lambda x: Fraction(x > 0),
        "relu": lambda x: max(x, Fraction(0)),
        **KINKED,
    },
    _whole_power,
)
FLOATS = Kit(
    float,
    {
        "exp": math.exp,
        "log": math.log,
        "sqrt": math.sqrt,
        "sign": lambda x: float(_sign(x)),
        "step": lambda x: float(x > 0),
        "relu": lambda x: max(x, 0.0),
        **KINKED,
        "tanh": math.tanh,
        "sigmoid": lambda x: 1 / (1 + math.exp(-x)),
    },
)
SYMBOLS = Kit(
    lambda value: sp.Rational(value.numerator, value.denominator),
    {
        "exp": sp.exp,
        "log": sp.log,
        "sqrt": sp.sqrt,
        "tanh": sp.tanh,
        "sigmoid": lambda x: 1 / (1 + sp.exp(-x)),
    },
)
TENSORS = Kit(
    lambda value: torch.tensor(float(value), dtype=torch.float64),
    {name: getattr(torch, name) for name in ("exp", "log", "sqrt", "sign", "abs", "relu", "tanh", "sigmoid")}
    | {
        "step": lambda x: torch.relu(torch.sign(x)),
        "max": torch.maximum,
        "min": torch.minimum,
        "leaky_relu": lambda x, a: torch.nn.functional.leaky_relu(x, float(a)),
        "hardtanh": lambda x, lo, hi: torch.nn.functional.hardtanh(x, float(lo), float(hi)),
    },
    keep=torch.clone,  # h = b is a tensor of its own, with its own adjoint
)


def value(text: str, entries: Entries | None = None, kit: Kit = FRACTIONS) -> Any:
    """One expression without indices of its own."""
    return _Reader(text.strip(), entries or {}, {}, kit).value(ast.parse(text.strip(), mode="eval").body, {})


def work(equations: str, entries: Entries, sizes: Mapping[str, int], kit: Kit) -> Entries:
    """Every entry after all equations: the given ones and the computed ones."""
    found = dict(entries)
    for line in filter(None, map(str.strip, equations.splitlines())):
        assignment = ast.parse(line).body[0]
        assert isinstance(assignment, ast.Assign)
        name, parts = _target(assignment.targets[0])
        reader = _Reader(line, found, sizes, kit)
        new = {(name, at): kit.keep(reader.value(assignment.value, env)) for at, env in _loops(parts, sizes)}
        found |= new
    return found


def _target(node: ast.expr) -> tuple[str, list[str]]:
    if isinstance(node, ast.Name):
        return node.id, []
    assert isinstance(node, ast.Subscript)
    assert isinstance(node.value, ast.Name)
    return node.value.id, [ast.unparse(part) for part in _parts(node)]


def _parts(node: ast.Subscript) -> list[ast.expr]:
    return list(node.slice.elts) if isinstance(node.slice, ast.Tuple) else [node.slice]


def _loops(names: list[str], sizes: Mapping[str, int]) -> Iterator[tuple[tuple[int, ...], dict[str, int]]]:
    for at in itertools.product(*(range(1, sizes[name] + 1) for name in names)):
        yield at, dict(zip(names, at, strict=True))


@dataclass(frozen=True)
class _Reader:
    source: str
    entries: Entries
    sizes: Mapping[str, int]
    kit: Kit

    def value(self, node: ast.expr, env: dict[str, int]) -> Any:
        match node:
            case ast.Constant():
                return self.kit.number(Fraction(ast.get_source_segment(self.source, node) or ""))
            case ast.Name(id=name) if name in env:
                return self.kit.number(Fraction(env[name]))
            case ast.Name(id=name):
                return self.entries[name, ()]
            case ast.Subscript(value=ast.Name(id=name)):
                return self.entries[name, tuple(self.position(part, env) for part in _parts(node))]
            case ast.UnaryOp(op=ast.USub(), operand=a):
                return -self.value(a, env)
            case ast.BinOp(left=a, op=ast.Pow(), right=b):
                return self.kit.power(self.value(a, env), self.value(b, env))
            case ast.BinOp(left=a, op=op, right=b):
                return _OPERATIONS[type(op)](self.value(a, env), self.value(b, env))
            case ast.Call(func=ast.Name(id=name), args=arguments):
                return self.call(name, arguments, env)
        raise AssertionError(ast.unparse(node))

    def position(self, node: ast.expr, env: dict[str, int]) -> int:
        where = _Reader(self.source, {}, self.sizes, FRACTIONS).value(node, env)
        assert where.denominator == 1
        return int(where)

    def call(self, name: str, arguments: list[ast.expr], env: dict[str, int]) -> Any:
        if name == "count":
            return self.kit.number(Fraction(self.sizes[ast.unparse(arguments[0])]))
        if name not in ("sum", "mean"):
            return self.kit.functions[name](*(self.value(part, env) for part in arguments))
        body, *names = arguments
        loops = list(_loops([ast.unparse(part) for part in names], self.sizes))
        found = self.value(body, env | loops[0][1])
        for _, more in loops[1:]:
            found = found + self.value(body, env | more)
        return found / self.kit.number(Fraction(len(loops))) if name == "mean" else found


_OPERATIONS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
