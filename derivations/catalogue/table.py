"""The catalogue as a table of words, for the command line and the documentation."""

from __future__ import annotations

from collections.abc import Sequence

from derivations.catalogue.functions import FUNCTIONS
from derivations.catalogue.layers import LAYERS
from derivations.catalogue.losses import LOSSES
from derivations.catalogue.optimizers import OPTIMIZERS
from derivations.catalogue.sample_losses import SAMPLE_LOSSES


def rows() -> list[tuple[str, str, str, str]]:
    """Kind, name, formula and torch's name of every row."""
    found = [
        ("function", _called(row.name, row.arguments, row.over), row.formula or _known(row.slope), row.torch)
        for row in FUNCTIONS
    ]
    found += [("layer", row.name, f"{row.output} = {row.equation}", row.torch) for row in LAYERS]
    found += [
        ("loss", _called(row.name, row.arguments, row.over), row.formula, row.torch) for row in SAMPLE_LOSSES
    ]
    found += [("loss", row.name, f"L = {row.equation}", row.torch or "-") for row in LOSSES]
    found += [("optimizer", row.name, _one_line(row.equations), row.torch) for row in OPTIMIZERS]
    return found


def _called(name: str, arguments: Sequence[str], over: bool) -> str:
    listed = [*arguments, *(["k"] if over else [])]
    return f"{name}({', '.join(listed)})" if listed else name


def _known(slope: str) -> str:
    return f"derivative {slope}" if slope else "a constant"


def _one_line(equations: str) -> str:
    return "; ".join(line.strip() for line in equations.strip().splitlines())
