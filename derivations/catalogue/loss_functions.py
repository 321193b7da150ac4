"""Losses of torch over arrays of any shape, as mean and as sum.

Those that `derivations.catalogue.losses` has over one index come from there.
"""

from __future__ import annotations

from typing import Any

from derivations.catalogue.losses import LOSSES
from derivations.catalogue.operation import Formula, Operation

LOSS_ARGUMENTS = "input, target, size_average=None, reduce=None, reduction='mean'"
WEIGHTED = "input, target, weight=None, size_average=None, reduce=None, reduction='mean'"
LOSS_HINT = "Losses are translated with reduction 'mean' or 'sum' and without weights."
LOSS_FUNCTIONS = {
    "torch.nn.MSELoss": "mse_loss",
    "torch.nn.L1Loss": "l1_loss",
    "torch.nn.BCELoss": "binary_cross_entropy",
}


def _of_loss(torch: str, function: str) -> Operation:
    """A loss of the catalogue, over all axes at once, each row for its ``reduction``."""
    formulas = []
    for row in LOSSES:
        if row.torch == torch and "[i]" in row.equation:
            text = row.equation.replace("a[i]", "input[...]").replace("b[i]", "target[...]")
            reduction = "sum" if "sum" in row.arguments else "mean"
            formulas.append(Formula(f"L = {text.replace(', i)', ', ...)')}", {"reduction": reduction}))
    arguments = WEIGHTED if function == "binary_cross_entropy" else f"{LOSS_ARGUMENTS}, weight=None"
    return _loss(function, arguments, *formulas)


def _loss(function: str, arguments: str, *formulas: Formula, **specimen: Any) -> Operation:
    return Operation((function,), arguments, formulas, hint=LOSS_HINT, specimen=specimen)


def _averaged(text: str, over: str = "...", times: str = "") -> tuple[Formula, ...]:
    """A loss by its value for one entry, as a mean and as a sum."""
    *before, entry = text.splitlines()
    heads = {kind: "\n".join([*before, f"L = {times}{kind}({entry}, {over})"]) for kind in ("mean", "sum")}
    return tuple(Formula(head, {"reduction": kind}) for kind, head in heads.items())


LOG_SOFTMAX = "p[n, c, ...] = log_softmax(input[n, c, ...], c)\n"
RESIDUAL = "d[...] = input[...] - target[...]\nc[...] = clamp(d[...], -{0}, {0})\nc[...]*(d[...] - c[...]/2)"
CROSS_ENTROPY = "target[n, c, ...]*p[n, c, ...]"
OWN_LOSSES = (
    Operation(
        ("cross_entropy",),
        f"{WEIGHTED.replace('reduce=', 'ignore_index=-100, reduce=')}, label_smoothing=0",
        (
            *_averaged(f"{LOG_SOFTMAX}p[n, target[n, ...], ...]", "n, ...", "-"),
            Formula(
                f"{LOG_SOFTMAX}L = -1/(count(n)*count(...))*sum({CROSS_ENTROPY}, n, c, ...)",
                {"reduction": "mean"},
            ),
            Formula(f"{LOG_SOFTMAX}L = -sum({CROSS_ENTROPY}, n, c, ...)", {"reduction": "sum"}),
        ),
        hint="It is translated without weights and label smoothing, with reduction 'mean' or 'sum'.",
    ),
    _loss(
        "nll_loss",
        WEIGHTED.replace("reduce=", "ignore_index=-100, reduce="),
        *_averaged("input[n, target[n, ...], ...]", "n, ...", "-"),
    ),
    _loss(
        "binary_cross_entropy_with_logits",
        f"{WEIGHTED}, pos_weight=None",
        *_averaged("softplus(input[...]) - input[...]*target[...]"),
    ),
    _loss(
        "huber_loss",
        "input, target, reduction='mean', delta=1, weight=None",
        *_averaged(RESIDUAL.format("delta")),
    ),
    _loss(
        "smooth_l1_loss", f"{LOSS_ARGUMENTS}, beta=1", *_averaged(RESIDUAL.format("beta"), times="1/beta*")
    ),
)
LOSS_OPERATIONS = (*(_of_loss(torch, function) for torch, function in LOSS_FUNCTIONS.items()), *OWN_LOSSES)
