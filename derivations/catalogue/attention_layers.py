"""Attention layers and the transformer block."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from derivations.catalogue.layer import WHOLE, Layer

WEIGHTS = """
{causal:e[..., HEADt, u] = step(t + 1 - u)*exp(s[..., HEADt, u])}
{causal:a[..., HEADt, u] = e[..., HEADt, u]/sum(e[..., HEADt, v], v)}
{not causal:a[..., HEADt, u] = softmax(s[..., HEADt, u], u)}
"""
PLAIN, HEADS = WEIGHTS.replace("HEAD", ""), WEIGHTS.replace("HEAD", "h, ")
CAUSAL = "with causal=True position t sees the positions up to t only"


def _future(torch: Any, x: Any) -> Any:
    """True where a position must not look: above the diagonal."""
    return torch.ones(x.shape[-2], x.shape[-2]).triu(1).bool()


def _heads(torch: Any, given: Mapping[str, Any], a: Mapping[str, Any]) -> tuple[Any, ...]:
    mask = _future(torch, given["x"]) if a["causal"] else None
    return (*[given["x"]] * 3, {"attn_mask": mask, "need_weights": False})


def _block(torch: Any, given: Mapping[str, Any], a: Mapping[str, Any]) -> tuple[Any, ...]:
    return (given["x"], {"src_mask": _future(torch, given["x"]) if a["causal"] else None})


def _one_head(torch: Any, given: Mapping[str, Any], a: Mapping[str, Any]) -> Any:
    parts = [given["x"] @ given[name].T + given.get(f"b{name[1]}", 0.0) for name in ("Wq", "Wk", "Wv")]
    return torch.nn.functional.scaled_dot_product_attention(*parts, is_causal=a["causal"])


def _dot_product(torch: Any, given: Mapping[str, Any], a: Mapping[str, Any]) -> Any:
    parts = [given[name] for name in ("x", "key", "value")]
    return torch.nn.functional.scaled_dot_product_attention(*parts, is_causal=a["causal"])


def _additive(torch: Any, given: Mapping[str, Any], a: Mapping[str, Any]) -> Any:
    query, key = given["x"] @ given["Wq"].T, given["key"] @ given["Wk"].T
    scores = torch.tanh(query.unsqueeze(-2) + key.unsqueeze(-3)) @ given["w"]
    if a["causal"]:
        scores = scores.masked_fill(_future(torch, given["x"]), -torch.inf)
    return torch.softmax(scores, -1) @ given["key"]


ATTENTION = (
    Layer(
        "ScaledDotProductAttention",
        arguments={"causal": False},
        inputs={"x": "..., t, d", "key": "..., u, d", "value": "..., u, g"},
        otherwise={"key": "x", "value": "key"},
        equations=f"""
            s[..., t, u] = sum(x[..., t, d]*key[..., u, d], d)/sqrt({{d}})
            {PLAIN}
            y[..., t, g] = sum(a[..., t, u]*value[..., u, g], u)
        """,
        sizes={"v": "{u}"},
        symbol="o",
        torch="torch.nn.functional.scaled_dot_product_attention",
        reference=_dot_product,
        convention=f"scores divided by the root of their length, softmax over the keys; {CAUSAL}",
        source="Vaswani and others 2017",
    ),
    Layer(
        "Attention",
        arguments={"embed_dim": WHOLE, "head_dim": "embed_dim", "bias": False, "causal": False},
        inputs={"x": "..., t, f"},
        equations=f"""
            Q[..., t, d] = sum(Wq[d, f]*x[..., t, f], f){{bias: + bq[d]}}
            K[..., t, d] = sum(Wk[d, f]*x[..., t, f], f){{bias: + bk[d]}}
            V[..., t, d] = sum(Wv[d, f]*x[..., t, f], f){{bias: + bv[d]}}
            s[..., t, u] = sum(Q[..., t, d]*K[..., u, d], d)/sqrt({{head_dim}})
            {PLAIN}
            y[..., t, d] = sum(a[..., t, u]*V[..., u, d], u)
        """,
        sizes={"f": "{embed_dim}", "d": "{head_dim}", "u": "{t}", "v": "{t}"},
        symbol="o",
        torch="torch.nn.functional.scaled_dot_product_attention",
        reference=_one_head,
        convention=f"one head of self-attention, without a projection of its output; {CAUSAL}",
        source="Vaswani and others 2017",
    ),
    Layer(
        "MultiheadAttention",
        arguments={"embed_dim": WHOLE, "num_heads": WHOLE, "bias": True, "causal": False},
        own=("causal",),
        inputs={"x": "..., t, f"},
        equations=f"""
            Q[..., h, t, d] = sum(Wq[h, d, f]*x[..., t, f], f){{bias: + bq[h, d]}}
            K[..., h, t, d] = sum(Wk[h, d, f]*x[..., t, f], f){{bias: + bk[h, d]}}
            V[..., h, t, d] = sum(Wv[h, d, f]*x[..., t, f], f){{bias: + bv[h, d]}}
            s[..., h, t, u] = sum(Q[..., h, t, d]*K[..., h, u, d], d)/sqrt({{d}})
            {HEADS}
            o[..., h, t, d] = sum(a[..., h, t, u]*V[..., h, u, d], u)
            y[..., t, g] = sum(Wo[g, h, d]*o[..., h, t, d], h, d){{bias: + bo[g]}}
        """,
        sizes={
            "f": "{embed_dim}",
            "g": "{embed_dim}",
            "h": "{num_heads}",
            "d": "{embed_dim}/{num_heads}",
            "u": "{t}",
            "v": "{t}",
        },
        symbol="m",
        torch="torch.nn.MultiheadAttention",
        packed={
            "in_proj_weight": "Wq Wk Wv",
            "in_proj_bias": "bq bk bv",
            "out_proj.weight": "Wo",
            "out_proj.bias": "bo",
        },
        fixed={"batch_first": True},
        called=_heads,
        convention=f"self-attention; each head has its part of the features; {CAUSAL}",
        source="Vaswani and others 2017",
    ),
    Layer(
        "AdditiveAttention",
        arguments={"query_size": WHOLE, "key_size": WHOLE, "hidden_size": WHOLE, "causal": False},
        inputs={"x": "..., t, f", "key": "..., u, g"},
        otherwise={"key": "x"},
        equations=f"""
            q[..., t, d] = sum(Wq[d, f]*x[..., t, f], f)
            k[..., u, d] = sum(Wk[d, g]*key[..., u, g], g)
            h[..., t, u, d] = tanh(q[..., t, d] + k[..., u, d])
            s[..., t, u] = sum(w[d]*h[..., t, u, d], d)
            {PLAIN}
            y[..., t, g] = sum(a[..., t, u]*key[..., u, g], u)
        """,
        sizes={"f": "{query_size}", "g": "{key_size}", "d": "{hidden_size}", "v": "{u}"},
        symbol="o",
        reference=_additive,
        convention=f"scores by a small network of query and key, softmax over the keys; {CAUSAL}",
        source="Bahdanau, Cho and Bengio 2015",
    ),
    Layer(
        "TransformerEncoderLayer",
        arguments={
            "d_model": WHOLE,
            "nhead": WHOLE,
            "dim_feedforward": WHOLE,
            "activation": "relu",
            "layer_norm_eps": "1e-5",
            "causal": False,
        },
        own=("causal",),
        parts=(
            (
                "norm1 self_attn",
                "Residual(LayerNorm({d_model}, {layer_norm_eps}), "
                "MultiheadAttention({d_model}, {nhead}, causal={causal}))",
            ),
            (
                "norm2 linear1 - linear2",
                "Residual(LayerNorm({d_model}, {layer_norm_eps}), Linear({d_model}, {dim_feedforward}), "
                "{activation}(), Linear({dim_feedforward}, {d_model}))",
            ),
        ),
        symbol="r",
        torch="torch.nn.TransformerEncoderLayer",
        fixed={"dropout": 0.0, "norm_first": True, "batch_first": True},
        inputs={"x": "..., t, f"},
        called=_block,
        convention=f"pre-norm: each half normalizes its input first and is added to it; no dropout; {CAUSAL}",
        source="Xiong and others 2020; torch.nn.TransformerEncoderLayer, norm_first=True",
    ),
)
