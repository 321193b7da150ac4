"""Layers that torch has as a module. One row is one formula and the module that computes it.

In ``equation`` the name ``x`` is the input and the names in ``parameters`` are the module's own,
each given as ``module attribute: name``; sizes in ``arguments`` are counts of indices.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Layer:
    """One row: ``output = equation``, recognized in a model by its formula."""

    name: str
    output: str
    equation: str
    torch: str
    arguments: str
    convention: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    features: str = ""


LAYERS = (
    Layer(
        "linear, one feature",
        output="z[i]",
        equation="w*x[i] + b",
        torch="torch.nn.Linear",
        arguments="in_features=1, out_features=1",
        parameters={"weight": "w", "bias": "b"},
        convention="weight times input plus bias",
    ),
    Layer(
        "linear, one feature, no bias",
        output="z[i]",
        equation="w*x[i]",
        torch="torch.nn.Linear",
        arguments="in_features=1, out_features=1, bias=False",
        parameters={"weight": "w"},
        convention="weight times input, through the origin",
    ),
    Layer(
        "linear, several features",
        output="z[i]",
        equation="sum(x[i, j]*w[j], j) + b",
        torch="torch.nn.Linear",
        arguments="in_features={j}, out_features=1",
        parameters={"weight": "w", "bias": "b"},
        features="j",
        convention="one weight a feature, plus bias",
    ),
)
