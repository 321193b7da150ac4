"""Normalization layers; each divides by n, not by n - 1, and adds eps below the root."""

from __future__ import annotations

from derivations.catalogue.layer import WHOLE, Layer

BATCH = """
m[c] = mean(x[i, c, ...], i, ...)
v[c] = mean((x[i, c, ...] - m[c])**2, i, ...)
{affine:u}{not affine:y}[i, c, ...] = (x[i, c, ...] - m[c])/sqrt(v[c] + {eps})
{affine:y[i, c, ...] = g[c]*u[i, c, ...] + b[c]}
"""
STATISTICS = "the statistics of the mini-batch (training), variance divided by n, eps below the root"


def _batch_norm(name: str) -> Layer:
    return Layer(
        name,
        arguments={"num_features": WHOLE, "eps": "1e-5", "affine": True},
        inputs={"x": "i, c, ..."},
        equations=BATCH,
        sizes={"c": "{num_features}"},
        symbol="n",
        torch=f"torch.nn.{name}",
        packed={"weight": "g", "bias": "b"},
        fixed={"track_running_stats": False},
        start={"g": "1", "b": "0"},
        convention=STATISTICS,
        source="Ioffe and Szegedy 2015",
    )


NORMALIZATIONS = (
    _batch_norm("BatchNorm1d"),
    _batch_norm("BatchNorm2d"),
    Layer(
        "LayerNorm",
        arguments={"normalized_shape": WHOLE, "eps": "1e-5", "elementwise_affine": True, "bias": True},
        inputs={"x": "..., k"},
        equations="""
m[...] = mean(x[..., k], k)
v[...] = mean((x[..., k] - m[...])**2, k)
{elementwise_affine:u}{not elementwise_affine:y}[..., k] = (x[..., k] - m[...])/sqrt(v[...] + {eps})
{elementwise_affine:y[..., k] = g[k]*u[..., k]{bias: + b[k]}}
""",
        sizes={"k": "{normalized_shape}"},
        symbol="n",
        torch="torch.nn.LayerNorm",
        packed={"weight": "g", "bias": "b"},
        start={"g": "1", "b": "0"},
        convention="mean and variance over the last index, variance divided by n, eps below the root",
        source="Ba, Kiros and Hinton 2016",
    ),
    Layer(
        "GroupNorm",
        arguments={"num_groups": WHOLE, "num_channels": WHOLE, "eps": "1e-5", "affine": True},
        inputs={"x": "i, c, ..."},
        equations="""
            m[i, a] = mean(x[i, {s}*(a - 1) + s, ...], s, ...)
            v[i, a] = mean((x[i, {s}*(a - 1) + s, ...] - m[i, a])**2, s, ...)
            w[i, a, s, ...] = (x[i, {s}*(a - 1) + s, ...] - m[i, a])/sqrt(v[i, a] + {eps})
            {affine:u}{not affine:y}[i, c, ...] = sum(same(c, {s}*(a - 1) + s)*w[i, a, s, ...], a, s)
            {affine:y[i, c, ...] = g[c]*u[i, c, ...] + b[c]}
        """,
        sizes={"c": "{num_channels}", "a": "{num_groups}", "s": "{num_channels}/{num_groups}"},
        symbol="n",
        torch="torch.nn.GroupNorm",
        packed={"weight": "g", "bias": "b"},
        start={"g": "1", "b": "0"},
        convention="mean and variance of each group of channels, divided by n, eps below the root",
        source="Wu and He 2018",
    ),
    Layer(
        "RMSNorm",
        arguments={"normalized_shape": WHOLE, "eps": "1e-5", "elementwise_affine": True},
        inputs={"x": "..., k"},
        equations="""
            q[...] = mean(x[..., k]**2, k)
            y[..., k] = {elementwise_affine:g[k]*}x[..., k]/sqrt(q[...] + {eps})
        """,
        sizes={"k": "{normalized_shape}"},
        symbol="n",
        torch="torch.nn.RMSNorm",
        packed={"weight": "g"},
        start={"g": "1"},
        convention="divided by the root of the mean square over the last index, eps below the root "
        "(torch's eps, if it is not given, is the spacing of the floating-point numbers)",
        source="Zhang and Sennrich 2019",
    ),
)
