"""Gradient clipping. One row is one way; ``gbar`` is what the optimizer gets in the place of ``g``.

``gsquares`` is the sum of the squared entries of the gradients of all parameters together.
"""

from __future__ import annotations

from derivations.catalogue.algorithm import Clipping
from derivations.catalogue.outside import with_outside

CLIPPINGS: tuple[Clipping, ...] = (
    Clipping(
        "value",
        torch="torch.nn.utils.clip_grad_value_",
        equations="gbar = max(-clip, min(clip, g))",
        convention="every entry of every gradient is cut to the limit",
        source="torch.nn.utils.clip_grad_value_",
    ),
    Clipping(
        "norm",
        torch="torch.nn.utils.clip_grad_norm_",
        equations="""
            gnorm = sqrt(gsquares)
            gbar = min(1, clip/(gnorm + 1e-6))*g
        """,
        convention="the gradients of all parameters together are one vector, shortened to the limit "
        "where it is longer",
        source="Pascanu, Mikolov and Bengio 2013, Algorithm 1; the 1e-6 is torch's",
    ),
)
CLIPPINGS = with_outside("clippings", CLIPPINGS)
BY_NAME = {row.name: row for row in CLIPPINGS}
