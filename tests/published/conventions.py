"""Conventions of optimizers that no row has, as rewrites of an update."""

from __future__ import annotations

from derivations.model.example import Example
from derivations.model.interventions import rewritten


def epsilon_under_the_root(example: Example) -> Example:
    """Of Adagrad and RMSProp in Dive into Deep Learning."""
    lines = (f"{name}' = {name} - lr*dL/d{name}/sqrt(s_{name}' + eps)" for name in ("x1", "x2"))
    return rewritten(example, "\n".join(lines))


def epsilon_beside_the_maximum(example: Example) -> Example:
    """Of Adamax in Keras."""
    return rewritten(
        example,
        """
        u_x'[k] = max(beta2*u_x[k], abs(dL/dx[k]))
        x'[k] = x[k] - lr*m_x'[k]/((1 - beta1**t)*(u_x'[k] + eps))
        """,
    )


def product_for_sum(example: Example) -> Example:
    """The misprint ``w = w * velocity``; the velocity is minus ours."""
    return rewritten(example, "var' = var*(-v_var')")
