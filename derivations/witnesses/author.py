"""The author's equations read a second time, by Python's own parser, and worked in torch.

The equations happen to be Python expressions. Reading them with `ast` (never executing them) and
computing with whole named-axis tensors shares nothing with the package's parser, tree, normal form
or evaluator, so a fault in any of those shows as a difference.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import reduce
from typing import Any, TypeAlias

import torch

from derivations.catalogue import functions

Named: TypeAlias = tuple[torch.Tensor, tuple[str, ...]]
OPERATIONS: Mapping[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}


@dataclass(frozen=True)
class Line:
    """One equation as Python's parser sees it."""

    target: str
    indices: tuple[str, ...]
    body: ast.expr
    source: str


def read_lines(text: str) -> tuple[Line, ...]:
    """The assignments of a text."""
    found = []
    for node in ast.parse(_joined(text)).body:
        assert isinstance(node, ast.Assign)
        target = node.targets[0]
        name = target.value if isinstance(target, ast.Subscript) else target
        assert isinstance(name, ast.Name)
        found.append(Line(name.id, _index_names(target), node.value, ast.unparse(node)))
    return tuple(found)


def _joined(text: str) -> str:
    """Equations may be indented as their author likes; for Python they start in column 0."""
    return "\n".join(line.strip() for line in text.splitlines())


def _index_names(node: ast.expr) -> tuple[str, ...]:
    return tuple(ast.unparse(part) for part in _parts(node))


def _parts(node: ast.expr) -> list[ast.expr]:
    if not isinstance(node, ast.Subscript):
        return []
    return list(node.slice.elts) if isinstance(node.slice, ast.Tuple) else [node.slice]


@dataclass
class Pass:
    """One forward pass: the tensors so far and the sizes of the indices seen so far."""

    tensors: dict[str, torch.Tensor]
    sizes: dict[str, int] = field(default_factory=dict)

    def run(self, line: Line) -> torch.Tensor:
        """Work one equation and keep its result, axes in the order of the target's indices."""
        value, dims = self.value(line.body)
        result = _spread(value, dims, line.indices, [self.sizes.get(name, 1) for name in line.indices])
        self.keep(line.target, result)
        return result

    def keep(self, name: str, tensor: torch.Tensor) -> None:
        """Store a quantity; its adjoint will be asked for."""
        if tensor.requires_grad:
            tensor.retain_grad()
        self.tensors[name] = tensor

    def value(self, node: ast.expr) -> Named:
        """The value of an expression, with the index name of each axis."""
        match node:
            case ast.Constant(value=int() | float() as number):
                return torch.tensor(float(number), dtype=torch.float64), ()
            case ast.Name(id=name):
                return self.tensors[name], ()
            case ast.Subscript(value=ast.Name(id=name)):
                return self.entry(self.tensors[name], _parts(node))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                value, dims = self.value(operand)
                return -value, dims
            case ast.BinOp(left=left, op=op, right=right):
                a, b, dims = _aligned(self.value(left), self.value(right))
                return OPERATIONS[type(op)](a, b), dims
            case ast.Call(func=ast.Name(id=name), args=arguments):
                return self.call(name, arguments)
        raise TypeError(f"not an expression of a model: {ast.unparse(node)}")

    def entry(self, tensor: torch.Tensor, parts: list[ast.expr]) -> Named:
        """``W[1, k]``: positions from 1 are taken out, letters name the axes that stay."""
        dims: list[str] = []
        for axis, part in reversed(list(enumerate(parts))):
            match part:
                case ast.Constant(value=int() | float() as position):
                    tensor = tensor.select(axis, int(position) - 1)
                case _:
                    name = ast.unparse(part)
                    self.sizes[name] = tensor.shape[axis]
                    dims.insert(0, name)
        return _diagonal(tensor, dims)

    def call(self, name: str, arguments: list[ast.expr]) -> Named:
        """A count, a function entry by entry, or a sum or mean over one index after the other."""
        if name == "count":
            return torch.tensor(float(self.sizes[ast.unparse(arguments[0])]), dtype=torch.float64), ()
        value, dims = self.value(arguments[0])
        if name not in ("sum", "mean"):
            return torch_function(name)(value), dims
        for index in map(ast.unparse, arguments[1:]):
            if index not in dims:
                value, dims = value.unsqueeze(-1).expand(*value.shape, self.sizes[index]), (*dims, index)
            axis = dims.index(index)
            value = value.sum(axis) if name == "sum" else value.mean(axis)
            dims = dims[:axis] + dims[axis + 1 :]
        return value, dims


def torch_function(name: str) -> Callable[[torch.Tensor], torch.Tensor]:
    """The torch function of a catalogue row: one dotted name, or several applied in turn."""
    chain = [resolve(path) for path in functions.BY_NAME[name].torch.split()]
    return lambda x: reduce(lambda value, function: function(value), chain, x)


def resolve(path: str) -> Any:
    """The object that a dotted name of the catalogue means, below ``torch``."""
    root, *rest = path.split(".")
    assert root == "torch"
    return reduce(getattr, rest, torch)


def _diagonal(tensor: torch.Tensor, dims: list[str]) -> Named:
    """``A[i, i]`` is the diagonal."""
    for name in dict.fromkeys(dims):
        while dims.count(name) > 1:
            first = dims.index(name)
            second = dims.index(name, first + 1)
            tensor = tensor.diagonal(dim1=first, dim2=second)
            dims = [other for at, other in enumerate(dims) if at not in (first, second)] + [name]
    return tensor, tuple(dims)


def _aligned(a: Named, b: Named) -> tuple[torch.Tensor, torch.Tensor, tuple[str, ...]]:
    dims = tuple(dict.fromkeys(a[1] + b[1]))
    return _spread(*a, dims), _spread(*b, dims), dims


def _spread(
    tensor: torch.Tensor, dims: tuple[str, ...], wanted: tuple[str, ...], sizes: list[int] | None = None
) -> torch.Tensor:
    """Bring named axes into an order, with new axes of length 1 (or of the given sizes)."""
    present = [name for name in wanted if name in dims]
    result = tensor.permute(*(dims.index(name) for name in present)) if dims else tensor
    for axis, name in enumerate(wanted):
        if name not in dims:
            result = result.unsqueeze(axis)
    return result if sizes is None else result.expand(sizes)
