"""Which row of `derivations.catalogue.operations` a call of torch is, and its arguments by name."""

from __future__ import annotations

import ast
import inspect
import operator
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import torch
from torch import fx

from derivations.catalogue.operation import Operation
from derivations.catalogue.operations import IDLE, OPERATIONS
from derivations.language.errors import nearest
from derivations.pytorch.axes import CannotSay

FREEZING = frozenset({"detach", "data", "item", "tolist", "numpy"})  # no gradient flows back through them
FUNCTIONS = (torch, torch.nn.functional, torch.special, operator)


@cache
def functions() -> dict[Any, Operation]:
    """The row of every function of torch, and of every operator of Python, that the table names."""
    spelled = ((getattr(home, name, None), row) for name, row in methods().items() for home in FUNCTIONS)
    return {function: row for function, row in spelled if function is not None}


@cache
def methods() -> dict[str, Operation]:
    """The row of every name, which is also the name of a tensor's method or attribute."""
    return {name: row for row in OPERATIONS for name in row.names}


def row_of(node: fx.Node) -> Operation | None:
    """The row of a node, if the table has one."""
    if node.op == "call_method":
        return methods().get(str(node.target))
    if node.target is getattr:
        return methods().get(str(node.args[1]))
    return functions().get(node.target)


def spelling(node: fx.Node) -> str:
    """The operation as torch calls it."""
    if node.op == "call_method":
        return f"torch.Tensor.{node.target}"
    if node.target is getattr:
        return f"torch.Tensor.{node.args[1]}"
    module = getattr(node.target, "__module__", None) or "torch"
    name = getattr(node.target, "__name__", str(node.target))
    return f"{'torch' if module.startswith('torch._C') else module.lstrip('_')}.{name}"


def alternative(node: fx.Node) -> str:
    """The nearest operation that can be translated."""
    name = spelling(node).rpartition(".")[2]
    if name in FREEZING:
        return "It would be a constant on the page that changes from step to step; keep the tensor as it is."
    return nearest(name, methods(), "operations")


def bound(
    row: Operation, args: Sequence[Any], kwargs: Mapping[str, Any], target: Any = None
) -> dict[str, Any]:
    """The arguments of a call by the names of the row; raises `CannotSay` for one that it has not.

    Where torch calls an argument by another name than the row, its place says which it is.
    """
    parameters = [part.partition("=")[::2] for part in row.arguments.split(", ")]
    values: dict[str, Any] = {}
    rest = list(args)
    for name, default in parameters:
        if name.startswith("*"):
            values[name[1:]] = (
                rest[0] if len(rest) == 1 and isinstance(rest[0], (tuple, list)) else tuple(rest)
            )
            rest = []
        else:
            values[name] = rest.pop(0) if rest else _default(default, values)
    for name, value in kwargs.items():
        name = name if name in values else _own_name(name, target, list(values))
        if name in values:
            values[name] = value
        elif name not in IDLE and value not in (None, False):
            raise CannotSay(f"{name}={value!r}")
    for name, default in parameters:  # None and () stand for the default too, where it is another argument
        if default in values and not values[name]:
            values[name] = values[default]
    return values


def _own_name(name: str, target: Any, names: Sequence[str]) -> str:
    if name == "axis":
        return "dim"
    try:
        place = list(inspect.signature(target).parameters).index(name)
    except (TypeError, ValueError):  # a built-in function tells nothing, and has the names of the rows
        return name
    return names[place] if place < len(names) and name not in IDLE else name


def _default(text: str, values: Mapping[str, Any]) -> Any:
    return values[text] if text in values else ast.literal_eval(text or "None")


def set_otherwise(row: Operation, values: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments that are not at their defaults."""
    defaults = bound(row, (), {})
    return {name: value for name, value in values.items() if not same(value, defaults.get(name))}


def same(value: Any, wanted: Any) -> bool:
    """Equal, where one number stands for a tuple of equal numbers."""
    if isinstance(value, (tuple, list)) and not isinstance(wanted, (tuple, list)):
        return bool(value) and all(same(part, wanted) for part in value)
    return (type(value) is type(wanted) and bool(value == wanted)) or _equal_numbers(value, wanted)


def _equal_numbers(value: Any, wanted: Any) -> bool:
    return all(type(part) in (int, float) for part in (value, wanted)) and bool(value == wanted)
