"""The entries of one quantity as an array: exactly, for NumPy, for torch, as nested lists."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from importlib import import_module
from itertools import product
from math import prod
from operator import getitem
from typing import TYPE_CHECKING, Any

from derivations.language.errors import UnknownName, nearest
from derivations.numbers.real import Real

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Entries:
    """The values of a quantity, row by row; positions count from 0, as in Python and NumPy.

    It is a sequence of its rows: ``numpy.array``, ``torch.tensor`` and ``list`` take it. ``labels`` are the
    names of its entries in the spec, which count from 1: ``W[1, 1]``, ``W[1, 2]``, ….
    """

    name: str
    shape: tuple[int, ...]
    values: tuple[Real, ...] = field(repr=False)
    labels: tuple[str, ...] = field(repr=False)

    @property
    def labelled(self) -> dict[str, Real]:
        """The values by the names of their entries."""
        return dict(zip(self.labels, self.values, strict=True))

    def tolist(self) -> Any:
        """Nested lists of exact values; one value where there is no index."""
        return _nested(list(self.values), self.shape)

    def numpy(self) -> NDArray[float64]:
        """As an array of float64."""
        import numpy

        return numpy.array([float(value) for value in self.values]).reshape(self.shape)

    def tensor(self) -> Any:
        """As a tensor of float64."""
        # The room that may import torch lies above this one, so it is asked for by its name, and late.
        return import_module("derivations.pytorch.tensors").tensor(self.numpy())

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        found = self.numpy()
        return found if dtype is None else found.astype(dtype)

    def __getitem__(self, at: Any) -> Any:
        """The row, or with a tuple the entry, at a position: ``W[0]``, ``W[0, 1]``."""
        return reduce(getitem, at if isinstance(at, tuple) else (at,), self.tolist())

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError(f"'{self.name}' is one number")
        return self.shape[0]

    def __iter__(self) -> Iterator[Any]:
        return iter(self[at] for at in range(len(self)))


def _nested(values: list[Any], shape: tuple[int, ...]) -> Any:
    if not shape:
        return values[0]
    width = len(values) // shape[0] if shape[0] else 0
    return [_nested(values[at * width : (at + 1) * width], shape[1:]) for at in range(shape[0])]


def gathered(name: str, found: Mapping[tuple[int, ...], tuple[str, Real]]) -> Entries:
    """The entries of a quantity by their positions, with their labels; they must fill an array."""
    axes = [sorted(set(axis)) for axis in zip(*found, strict=True)]
    if prod(map(len, axes)) != len(found):
        there = ", ".join(label for label, _ in found.values())
        raise UnknownName(f"'{name}' does not fill an array; its entries are {there}")
    pairs = [found[at] for at in product(*axes)]
    values, labels = tuple(value for _, value in pairs), tuple(label for label, _ in pairs)
    return Entries(name, tuple(map(len, axes)), values, labels)


def stacked(name: str, steps: Sequence[Entries | Real]) -> Entries:
    """What a quantity is in every step, as an array whose first axis is the steps'."""
    parts = [Entries(name, (), (each,), (name,)) if isinstance(each, Real) else each for each in steps]
    shapes = {part.shape for part in parts}
    if len(shapes) != 1:
        found = " and ".join(map(str, sorted(shapes)))
        raise UnknownName(f"'{name}' has the shapes {found}", hint="Ask its steps one by one.")
    values = tuple(value for part in parts for value in part.values)
    labels = tuple(label for part in parts for label in part.labels)
    return Entries(name, (len(parts), *shapes.pop()), values, labels)


def unknown(name: str, known: Iterable[str], where: str) -> UnknownName:
    """The error of a name that a run does not have: its quantity is another one, or it has no such entry."""
    names = list(known)
    quantity = name.partition("[")[0]
    own = [label for label in names if label.startswith(f"{quantity}[")]
    if own:
        return UnknownName(f"there is no '{name}' in {where}", hint=f"'{quantity}' has {', '.join(own[:8])}.")
    quantities = {label.partition("[")[0] for label in names}
    return UnknownName(f"there is no '{name}' in {where}", hint=nearest(quantity, quantities, "quantities"))
