"""The torch code of catalogue rows as functions: read with `ast` and resolved below ``torch``."""

from __future__ import annotations

import ast
import inspect
import operator
import re
from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

import torch

from derivations.catalogue import functions
from derivations.catalogue.loss import SampleLoss
from derivations.catalogue.outside import package_of
from derivations.language.errors import DerivationsError, nearest

OPERATIONS: Mapping[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}


def loss_function(row: SampleLoss) -> Callable[..., torch.Tensor]:
    """torch's loss of every sample; the arguments that the row calls numbers go in as numbers."""
    code = ast.parse(row.torch, mode="eval").body
    left_out = {key: float(value) for key, value in row.defaults.items()}

    def function(*arguments: torch.Tensor) -> torch.Tensor:
        pairs = zip(row.arguments, arguments, strict=False)
        given = {key: float(value) if key in row.numbers else value for key, value in pairs}
        found: torch.Tensor = _evaluate(code, left_out | given)
        return found

    return function


def torch_function(name: str) -> Callable[..., torch.Tensor]:
    """The torch function of a catalogue row, on tensors; what is no operand goes in as a number."""
    row = functions.BY_NAME[name]
    names = [f"_{key}" for key in row.arguments]
    code = ast.parse(functions.torch_expression(row, names), mode="eval").body
    left_out = {f"_{key}": float(value) for key, value in row.defaults.items()}

    def function(*arguments: torch.Tensor) -> torch.Tensor:
        pairs = zip(row.arguments, arguments, strict=False)
        given = {f"_{key}": value if key in row.all_slopes else _plain(value) for key, value in pairs}
        found: torch.Tensor = _evaluate(code, left_out | given)
        return found

    return function


def _plain(value: torch.Tensor) -> torch.Tensor | float:
    return float(value) if value.numel() == 1 and not value.requires_grad else value


def _evaluate(node: ast.expr, known: Mapping[str, Any]) -> Any:
    """The torch expression of a row: names below ``torch``, arithmetic, calls, methods, literals."""
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name) if name in known:
            return known[name]
        case ast.BinOp(left=a, op=op, right=b):
            return OPERATIONS[type(op)](_evaluate(a, known), _evaluate(b, known))
        case ast.UnaryOp(op=ast.USub(), operand=a):
            return -_evaluate(a, known)
        case ast.Subscript(value=a, slice=at):
            return _evaluate(a, known)[_evaluate(at, known)]
        case ast.Call(func=function, args=arguments, keywords=keywords):
            options = {part.arg or "": _evaluate(part.value, known) for part in keywords}
            return _evaluate(function, known)(*(_evaluate(part, known) for part in arguments), **options)
        case ast.Attribute(value=a, attr=attr) if not _is_dotted(a):
            return getattr(_evaluate(a, known), attr)  # a method of a tensor
    return resolve(ast.unparse(node))


def _is_dotted(node: ast.expr) -> bool:
    """Whether an expression is a name below ``torch``: ``torch.nn.functional``."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name) and node.id == "torch"


def resolve(path: str) -> Any:
    """The object that a dotted name of the catalogue means, below ``torch``."""
    found = find(path)
    if found is None:
        raise _missing(path)
    return found


def _missing(path: str) -> DerivationsError:
    """What torch lacks: the row that names it, the package that the row is of, the nearest name."""
    holder, _, name = path.rpartition(".")
    rows = [row for row in functions.FUNCTIONS if path in re.findall(r"[\w.]+", row.torch)]
    owner = package_of("functions", rows[0].name) if rows else ""
    said = f"{owner}: Function '{rows[0].name}': torch: " if owner else ""
    known = dir(find(holder)) if holder and find(holder) is not None else ["torch"]
    return DerivationsError(f"{said}torch {torch.__version__} has no '{path}'", hint=nearest(name, known))


def lacking(path: str, arguments: Mapping[str, Any] | None = None) -> str:
    """What this torch is too old to have of a class and its arguments, or nothing."""
    found = find(path)
    if found is None:
        return path
    known = inspect.signature(found).parameters if arguments else {}
    return next((f"{path}({word}=…)" for word in arguments or () if word not in known), "")


def find(path: str) -> Any:
    """The object of a dotted name; None where this torch is too old to have it."""
    root, *rest = path.split(".")
    if root != "torch":
        return None
    try:
        return reduce(getattr, rest, torch)
    except AttributeError:
        return None
