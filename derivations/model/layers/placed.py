"""A layer at its place in a model: what torch needs to work it again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from derivations.catalogue.layer import Layer


@dataclass(frozen=True)
class Placed:
    """A row with its arguments, and the quantities that play its parts.

    ``inputs`` and ``parameters`` are the model's names by those of the row, ``targets`` everything that it
    computes, the layers inside it included. ``packed`` says which parameters make up each tensor of
    torch's module, ``0`` for zeros. ``cores`` are the sizes of the axes behind ``...`` of each input;
    None where the indices in front are the module's own. A ``recurrent`` layer reads its own output.
    """

    row: Layer
    arguments: Mapping[str, Any]
    inputs: Mapping[str, str]
    output: str
    targets: tuple[str, ...]
    parameters: Mapping[str, str] = field(default_factory=dict)
    packed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    cores: Mapping[str, tuple[int, ...] | None] = field(default_factory=dict)
    parts: tuple[Placed, ...] = ()
    recurrent: bool = False

    @property
    def values(self) -> dict[str, Any]:
        """The arguments as Python numbers."""
        return {key: _plain(value) for key, value in self.arguments.items()}

    @property
    def for_torch(self) -> dict[str, Any]:
        """The keyword arguments of torch's module."""
        own = {key: value for key, value in self.values.items() if key not in self.row.own}
        return {**own, **self.row.fixed}

    @property
    def leaves(self) -> tuple[Placed, ...]:
        """The innermost layers, in the order in which they are written."""
        own = tuple(leaf for part in self.parts for leaf in part.leaves)
        return own or (self,)

    @property
    def has_witness(self) -> bool:
        """Whether torch can work it as a whole, by its module or by another computation."""
        return bool(self.packed or self.row.reference or (self.row.torch and not self.row.function))


def _plain(value: Any) -> Any:
    """``"1e-5"`` as a float; words, whole numbers and pairs as they are."""
    if not isinstance(value, str):
        return value
    try:
        return float(Fraction(value))
    except ValueError:
        return value
