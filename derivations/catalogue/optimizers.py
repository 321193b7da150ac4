"""Optimizers as the algorithm boxes of their papers. One row is one update rule.

``theta`` is a parameter, ``g`` its gradient, ``t`` the number of the step (from 1); what is read
before it is written is state and starts at 0. ``arguments`` is torch's spelling of the
hyper-parameters and ``states`` names the tensors that torch keeps for each state. ``limits`` are
the least value of a hyper-parameter and the value that it stays below, if any, as torch has them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Optimizer:
    """One row: equations for a single parameter, hyper-parameters with defaults, torch's class."""

    name: str
    torch: str
    equations: str
    hyper: Mapping[str, str | None]
    arguments: str
    convention: str
    source: str
    states: Mapping[str, str] = field(default_factory=dict)
    limits: Mapping[str, tuple[int, int | None]] = field(default_factory=dict)


OPTIMIZERS = (
    Optimizer(
        "SGD",
        torch="torch.optim.SGD",
        hyper={"lr": None},
        equations="theta = theta - lr*g",
        arguments="lr={lr}",
        convention="plain gradient descent on each mini-batch, without momentum",
        source="Robbins and Monro 1951",
        limits={"lr": (0, None)},
    ),
    Optimizer(
        "Adam",
        torch="torch.optim.Adam",
        hyper={"lr": "0.001", "beta1": "0.9", "beta2": "0.999", "eps": "1e-8"},
        equations="""
            m = beta1*m + (1 - beta1)*g
            v = beta2*v + (1 - beta2)*g**2
            m_hat = m/(1 - beta1**t)
            v_hat = v/(1 - beta2**t)
            theta = theta - lr*m_hat/(sqrt(v_hat) + eps)
        """,
        arguments="lr={lr}, betas=({beta1}, {beta2}), eps={eps}",
        convention="bias-corrected moments; epsilon is added after the root",
        source="Kingma and Ba 2015, Algorithm 1",
        states={"m": "exp_avg", "v": "exp_avg_sq"},
        limits={"lr": (0, None), "beta1": (0, 1), "beta2": (0, 1), "eps": (0, None)},
    ),
)
NONE = Optimizer(
    "none", torch="", hyper={}, equations="", arguments="", convention="one forward and backward pass", source=""
)
BY_NAME = {row.name: row for row in OPTIMIZERS}
