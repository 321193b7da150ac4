"""Arrays of a run as tensors."""

from __future__ import annotations

from typing import Any

import torch


def tensor(array: Any) -> torch.Tensor:
    """A tensor of float64 with the entries of a NumPy array."""
    return torch.tensor(array, dtype=torch.float64)
