"""The author's equations read a second time, by Python's own parser, and worked in torch.

The equations happen to be Python expressions. Reading them with `ast` (never executing them) and
computing with whole named-axis tensors shares nothing with the package's parser, tree, normal form
or evaluator, so a fault in any of those shows as a difference. Recurrences are worked entry by entry.
"""

from __future__ import annotations

import ast
import itertools
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import TypeAlias

import torch

from derivations.catalogue import functions
from derivations.catalogue.loss import SampleLoss
from derivations.catalogue.sample_losses import SAMPLE_LOSS_BY_NAME
from derivations.witnesses.lines import Line, parts_of
from derivations.witnesses.torch_rows import OPERATIONS, loss_function, resolve, torch_function

Named: TypeAlias = tuple[torch.Tensor, tuple[str, ...]]
Place: TypeAlias = tuple[int, ...]
VARIANT = "·"  # the letter of the variants, which no author can write


@dataclass
class Pass:
    """One forward pass: the tensors so far, the sizes of the indices, and the cells of recurrences.

    The tensor of a ``partial`` quantity has only a part of its adjoint: a module reads it inside. With
    ``variants`` all of them are worked at once: the quantities that are ``varied`` have an axis of their own
    for them in front, which is carried along like that of any index. ``numbers`` are what the letter of the
    samples is as a number: those of the samples in the data set.
    """

    tensors: dict[str, torch.Tensor]
    sizes: dict[str, int] = field(default_factory=dict)
    cells: dict[str, dict[Place, torch.Tensor]] = field(default_factory=dict)
    lines: dict[str, list[Line]] = field(default_factory=dict)
    fixed: dict[str, int] = field(default_factory=dict)
    outside: float = 0.0
    dtype: torch.dtype = torch.float64
    partial: set[str] = field(default_factory=set)
    variants: int = 0
    varied: set[str] = field(default_factory=set)
    numbers: Mapping[str, Sequence[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.variants:
            self.sizes[VARIANT] = self.variants

    @property
    def front(self) -> tuple[str, ...]:
        """The axis in front of what is computed: that of the variants, if there are any."""
        return (VARIANT,) if self.variants else ()

    def axis(self, name: str) -> tuple[str, ...]:
        """The axis in front of a quantity that is read."""
        return self.front if name in self.varied or name in self.cells else ()

    def run_all(self, lines: Sequence[Line]) -> None:
        """Work every equation."""
        for recurrent, group in itertools.groupby(lines, lambda line: line.recurrent):
            own = list(group)
            for line in own if recurrent else ():
                self.lines.setdefault(line.target, []).append(line)
                self.cells.setdefault(line.target, {})
            for line in own:
                self.run_cells(line) if recurrent else self.run(line)

    def run(self, line: Line) -> torch.Tensor:
        """Work one equation and keep its result, axes in the order of the target's indices."""
        value, dims = self.value(line.body)
        wanted = (*self.front, *line.indices)
        result = _spread(value, dims, wanted, [self.sizes.get(name, 1) for name in wanted])
        return self.keep(line.target, result)

    def keep(self, name: str, tensor: torch.Tensor) -> torch.Tensor:
        """Store a quantity as a tensor of its own; its adjoint will be asked for."""
        self.tensors[name] = _own(tensor)
        self.varied |= {name} if self.variants else set()
        return self.tensors[name]

    def run_cells(self, line: Line) -> None:
        """Every entry of a recurrence."""
        ranges = [
            range(1, self.sizes[part] + 1) if part in self.sizes else (int(part),) for part in line.indices
        ]
        for at in itertools.product(*ranges):
            self.cell(line.target, at)

    def cell(self, name: str, at: Place) -> torch.Tensor:
        """One entry of a recurrence, worked when it is first asked for."""
        known = self.cells[name]
        if at not in known:
            line = next((line for line in self.lines[name] if _writes(line, at)), None)
            if line is None:
                raise LookupError(f"{name}{list(at)}")
            before = self.fixed
            self.fixed = {part: k for part, k in zip(line.indices, at, strict=True) if part in self.sizes}
            value, dims = self.value(line.body)
            known[at] = _own(_spread(value, dims, self.front, [self.variants] * len(self.front)))
            self.fixed = before
        return known[at]

    def entries(self, name: str) -> Iterator[tuple[Place, torch.Tensor, torch.Tensor | None]]:
        """Every entry of a quantity with its value and its gradient, if it has one."""
        if name in self.cells:
            yield from ((at, value, value.grad) for at, value in self.cells[name].items())
            return
        tensor = self.tensors[name]
        for at in itertools.product(*(range(size) for size in tensor.shape)):
            grad = None if tensor.grad is None or name in self.partial else tensor.grad[at]
            yield tuple(k + 1 for k in at), tensor[at], grad

    # --- expressions

    def value(self, node: ast.expr) -> Named:
        """The value of an expression, with the index name of each axis."""
        match node:
            case ast.Constant(value=int() | float() as number):
                return torch.tensor(float(number), dtype=self.dtype), ()
            case ast.Name(id=name):
                return self.name(name)
            case ast.Subscript(value=ast.Name(id=name)):
                return self.entry(name, parts_of(node))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                value, dims = self.value(operand)
                return -value, dims
            case ast.BinOp(left=left, op=op, right=right):
                (a, b), dims = _aligned([self.value(left), self.value(right)])
                return OPERATIONS[type(op)](a, b), dims
            case ast.Call(func=ast.Name(id=name), args=arguments):
                return self.call(name, arguments)
        raise TypeError(f"not an expression of a model: {ast.unparse(node)}")

    def name(self, name: str) -> Named:
        """A quantity, a constant of the catalogue, or an index used as a number."""
        if name in self.cells:
            return self.cell(name, ()), self.front
        if name in self.tensors:
            return self.tensors[name], self.axis(name)
        if name in self.fixed:
            own = self.numbers.get(name, range(1, self.fixed[name] + 1))[self.fixed[name] - 1]
            return torch.tensor(float(own), dtype=self.dtype), ()
        if name in self.numbers:
            return torch.tensor(self.numbers[name], dtype=self.dtype), (name,)
        if name in self.sizes:
            return torch.arange(1, self.sizes[name] + 1, dtype=self.dtype), (name,)
        return torch.tensor(resolve(functions.BY_NAME[name].torch), dtype=self.dtype), ()

    def entry(self, name: str, parts: list[ast.expr], *, padded: bool = False) -> Named:
        """``W[1, k]``: positions from 1 are taken out, letters name the axes that stay."""
        letters, front = tuple(part.id for part in parts if isinstance(part, ast.Name)), self.axis(name)
        if name in self.tensors and len(letters) == len(parts):
            for letter, size in zip(letters, self.tensors[name].shape[len(front) :], strict=True):
                self.sizes.setdefault(letter, size)
        if self.is_whole(name, letters, len(parts)):
            return self.tensors[name], (*front, *letters)
        numbers, self.numbers = self.numbers, {}  # between brackets a letter is a place
        (*places,), dims = _aligned([self.value(part) for part in parts])
        self.numbers = numbers
        shape = torch.broadcast_shapes(*(place.shape for place in places))  # type: ignore[no-untyped-call]
        indices = [place.expand(shape).round().long() for place in places]
        if name in self.cells:
            return self._stacked(name, indices, shape, padded), (*front, *dims)
        return self._gathered(self.tensors[name], indices, padded, len(front)), (*front, *dims)

    def is_whole(self, name: str, letters: tuple[str, ...], axes: int) -> bool:
        """Whether a read is of a whole tensor, each axis along a letter of its own."""
        if name in self.cells or not len(set(letters)) == len(letters) == axes:
            return False
        sizes = [None if letter in self.fixed else self.sizes.get(letter) for letter in letters]
        return sizes == list(self.tensors[name].shape[len(self.axis(name)) :])

    def _gathered(
        self, tensor: torch.Tensor, indices: list[torch.Tensor], padded: bool, front: int
    ) -> torch.Tensor:
        own = list(zip(indices, tensor.shape[front:], strict=True))
        mask = reduce(operator.and_, [(k >= 1) & (k <= size) for k, size in own])
        assert padded or bool(mask.all())
        found = tensor[(slice(None),) * front + tuple((k - 1).clamp(0, size - 1) for k, size in own)]
        return torch.where(mask, found, self.outside) if padded else found

    def _stacked(
        self, name: str, indices: list[torch.Tensor], shape: torch.Size, padded: bool
    ) -> torch.Tensor:
        places = list(zip(*(k.flatten().tolist() for k in indices), strict=True))
        found = [self._cell_or(name, tuple(map(int, at)), padded) for at in places]
        return torch.stack(found, -1).reshape([*found[0].shape, *shape])

    def _cell_or(self, name: str, at: Place, padded: bool) -> torch.Tensor:
        try:
            return self.cell(name, at)
        except LookupError:
            assert padded
            return torch.full([self.variants] * len(self.front), self.outside, dtype=self.dtype)

    # --- calls

    def call(self, name: str, arguments: list[ast.expr]) -> Named:
        """A count, a padded read, a function entry by entry, or a reduction over indices."""
        if name == "count":
            return torch.tensor(float(self.sizes[ast.unparse(arguments[0])]), dtype=self.dtype), ()
        if name == "pad":
            (read,) = arguments
            assert isinstance(read, ast.Subscript)
            assert isinstance(read.value, ast.Name)
            return self.entry(read.value.id, parts_of(read), padded=True)
        if name in REDUCE:
            return self.reduced(name, arguments)
        if name in SAMPLE_LOSS_BY_NAME:
            return self.loss(SAMPLE_LOSS_BY_NAME[name], arguments)
        if functions.BY_NAME[name].over:
            return self._over_index(name, arguments)
        values, dims = _aligned([self.value(part) for part in arguments])
        return torch_function(name)(*values), dims

    def loss(self, row: SampleLoss, arguments: list[ast.expr]) -> Named:
        """torch's loss of every sample: one axis for all letters but the one that the row is over."""
        bound = ast.unparse(arguments[-1]) if row.over else ""
        before = self.fixed
        self.fixed = {part: k for part, k in before.items() if part != bound}
        values = [self.value(part) for part in arguments[: len(arguments) - row.over]]
        self.fixed = before
        dims = tuple(dict.fromkeys(name for _, names in values for name in names if name != bound))
        sizes = [self.sizes[name] for name in dims]
        given = []
        for key, (value, names) in zip(row.arguments, values, strict=False):
            if key in row.numbers:
                given.append(value)
                continue
            own, more = ((*dims, bound), [self.sizes[bound]]) if bound in names else (dims, [])
            given.append(_spread(value, names, own, [*sizes, *more]).reshape(-1, *more))
        return loss_function(row)(*given).reshape(sizes), dims

    def _over_index(self, name: str, arguments: list[ast.expr]) -> Named:
        value, dims = self.value(arguments[0])
        index = ast.unparse(arguments[1])
        if index in self.fixed:  # one entry of a recurrence is asked for, of all that share the sum
            return self._picked(name, arguments[0], index)
        found = resolve(functions.BY_NAME[name].torch)(value, dims.index(index))
        return found, dims if found.dim() == value.dim() else tuple(dim for dim in dims if dim != index)

    def _picked(self, name: str, argument: ast.expr, index: str) -> Named:
        place = self.fixed.pop(index)
        value, dims = self._over_index(name, [argument, ast.Name(id=index)])
        self.fixed[index] = place
        if index in dims:
            value, dims = (
                value.select(dims.index(index), place - 1),
                tuple(dim for dim in dims if dim != index),
            )
        return value, dims

    def reduced(self, name: str, arguments: list[ast.expr]) -> Named:
        """A sum, a mean or the largest over one index after the other; its letter is free inside."""
        names = [ast.unparse(part) for part in arguments[1:]]
        before, outside = self.fixed, self.outside
        self.fixed = {part: k for part, k in before.items() if part not in names}
        self.outside = -torch.inf if name == "largest" else self.outside
        value, dims = self.value(arguments[0])
        self.fixed, self.outside = before, outside
        for index in reversed(names):
            if index not in dims:
                value, dims = value.unsqueeze(-1).expand(*value.shape, self.sizes[index]), (*dims, index)
            axis = dims.index(index)
            value = REDUCE[name](value, axis)
            dims = dims[:axis] + dims[axis + 1 :]
        return value, dims


REDUCE: Mapping[str, Callable[[torch.Tensor, int], torch.Tensor]] = {
    "sum": lambda value, axis: value.sum(axis),
    "mean": lambda value, axis: value.mean(axis),
    "largest": lambda value, axis: value.max(axis).values,  # of equal values the first, as in max pooling
}


def _writes(line: Line, at: Place) -> bool:
    """Whether an equation writes an entry: letters count from 1."""
    numbers = [part.lstrip("-").isdigit() for part in line.indices]
    return all(
        int(part) == k if whole else k >= 1 for part, k, whole in zip(line.indices, at, numbers, strict=True)
    )


def _own(tensor: torch.Tensor) -> torch.Tensor:
    """A tensor of its own, so that ``h = z`` has an adjoint apart from that of ``z``."""
    found = tensor.clone()
    if found.requires_grad:
        found.retain_grad()
    return found


def _aligned(values: Sequence[Named]) -> tuple[list[torch.Tensor], tuple[str, ...]]:
    dims = tuple(dict.fromkeys(name for _, names in values for name in names))
    return [_spread(*value, dims) for value in values], dims


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
