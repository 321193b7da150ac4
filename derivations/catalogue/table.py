"""The catalogue as a table of words, for the command line and the documentation."""

from __future__ import annotations

from collections.abc import Sequence

from derivations.catalogue.clipping import CLIPPINGS
from derivations.catalogue.functions import FUNCTIONS
from derivations.catalogue.layer import Layer
from derivations.catalogue.layers import LAYERS
from derivations.catalogue.losses import LOSSES
from derivations.catalogue.optimizers import OPTIMIZERS
from derivations.catalogue.sample_losses import SAMPLE_LOSSES
from derivations.catalogue.schedules import SCHEDULES
from derivations.catalogue.slips import SLIPS


def rows() -> list[tuple[str, str, str, str]]:
    """Kind, name, formula and torch's name of every row."""
    found = [
        ("function", _called(row.name, row.arguments, row.over), row.formula or _known(row.slope), row.torch)
        for row in FUNCTIONS
    ]
    found += [
        ("layer", row.usage, _one_line(row.equations) or _made_of(row), row.torch or "-") for row in LAYERS
    ]
    found += [
        ("loss", _called(row.name, row.arguments, row.over), row.formula, row.torch) for row in SAMPLE_LOSSES
    ]
    found += [("loss", row.name, f"L = {row.equation}", row.torch or "-") for row in LOSSES]
    at = {row.name: f"g at {row.at}; " if row.at else "" for row in OPTIMIZERS}
    found += [
        ("optimizer", row.name, at[row.name] + _one_line(row.equations), row.torch or "-")
        for row in OPTIMIZERS
    ]
    found += [("clipping", row.name, _one_line(row.equations), row.torch) for row in CLIPPINGS]
    found += [("schedule", row.name, _one_line(row.equations), row.torch) for row in SCHEDULES]
    found += [("slip", row.name, "; ".join(map(str, row.changes)), "-") for row in SLIPS]
    return found


def _called(name: str, arguments: Sequence[str], over: bool) -> str:
    listed = [*arguments, *(["k"] if over else [])]
    return f"{name}({', '.join(listed)})" if listed else name


def _known(slope: str) -> str:
    return f"derivative {slope}" if slope else "a constant"


def _made_of(row: Layer) -> str:
    return "; ".join(layers for _, layers in row.parts)


def _one_line(equations: str) -> str:
    return "; ".join(line.strip() for line in equations.splitlines() if line.strip())
