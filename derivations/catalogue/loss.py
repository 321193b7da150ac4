"""The rows of losses: what one sample costs, and whole losses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class SampleLoss:
    """One row: ``name(prediction, target, ..., k)`` and the formula that it stands for."""

    name: str
    title: str
    formula: str
    torch: str
    convention: str
    source: str
    arguments: tuple[str, ...] = ("a", "b")
    over: bool = False
    numbers: tuple[str, ...] = ()
    defaults: Mapping[str, str] = field(default_factory=dict)
    module: str = ""


@dataclass(frozen=True, slots=True)
class Loss:
    """One row: ``L = equation`` over predictions ``a[i]`` and targets ``b[i]``."""

    name: str
    equation: str
    convention: str
    torch: str = ""
    arguments: str = ""
    source: str = ""
