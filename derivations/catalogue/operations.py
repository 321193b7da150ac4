"""Operations of torch as equations: what `derivations.from_module` can translate.

One row is one operation under every spelling that torch has for it (``torch.add``,
``torch.Tensor.add``, ``+``). A formula is an equation over the row's arguments, in which ``...`` are
all axes that are not named, ``dim`` the axes that the argument of that name chooses and ``rest`` the
others. The first formula that fits is used: every tensor that is given is read, the ranks fit, and the
arguments are as in ``when``. An argument that is neither read nor at its default is refused.

Functions and losses are not repeated here: they come from their own rows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from derivations.catalogue.functions import FUNCTIONS, Function
from derivations.catalogue.losses import LOSSES


@dataclass(frozen=True)
class Formula:
    """Equations, one a line, the last one the result; ``when`` are arguments that it stands for."""

    text: str
    when: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Operation:
    """One row.

    ``names`` are torch's, looked up among functions, functionals, operators and tensor methods;
    ``arguments`` are spelled as in Python; ``idle`` ones do not matter;
    ``sizes`` gives the ranges of letters that no array has;
    ``view`` names a change of axes that needs no equation and holds ``when`` these arguments are; ``hint`` says what to do instead where
    no formula fits; ``specimen`` are arguments to try the row with, shapes of tensors as lists.
    """

    names: tuple[str, ...]
    arguments: str
    formulas: tuple[Formula, ...] = ()
    view: str = ""
    when: Mapping[str, Any] = field(default_factory=dict)
    sizes: Mapping[str, str] = field(default_factory=dict)
    joins: bool = False
    idle: tuple[str, ...] = ()
    hint: str = ""
    specimen: Mapping[str, Any] = field(default_factory=dict)


def _operation(names: str, arguments: str, *texts: str, **more: Any) -> Operation:
    return Operation(tuple(names.split()), arguments, tuple(map(Formula, texts)), **more)


AFFINE = (
    _operation(
        "linear",
        "input, weight, bias=None",
        "z[..., j] = sum(weight[j, k]*input[..., k], k) + bias[j]",
        "z[..., j] = sum(weight[j, k]*input[..., k], k)",
        "z[...] = sum(weight[k]*input[..., k], k)",
    ),
    _operation(
        "bilinear",
        "input1, input2, weight, bias=None",
        "z[..., j] = sum(input1[..., k]*weight[j, k, l]*input2[..., l], k, l) + bias[j]",
        "z[..., j] = sum(input1[..., k]*weight[j, k, l]*input2[..., l], k, l)",
    ),
    _operation(
        "matmul mm bmm mv dot",
        "input, other",
        "z = sum(input[k]*other[k], k)",
        "z[...] = sum(input[..., k]*other[k], k)",
        "z[..., l] = sum(input[k]*other[..., k, l], k)",
        "z[..., j, l] = sum(input[..., j, k]*other[..., k, l], k)",
    ),
)
ARITHMETIC = (
    _operation("add iadd", "input, other, alpha=1", "z[...] = input[...] + other[...]"),
    _operation("sub subtract isub", "input, other, alpha=1", "z[...] = input[...] - other[...]"),
    _operation("mul multiply imul", "input, other", "z[...] = input[...]*other[...]"),
    _operation("div divide truediv true_divide itruediv", "input, other", "z[...] = input[...]/other[...]"),
    _operation("neg negative", "input", "z[...] = -input[...]"),
    _operation("pow", "input, exponent", "z[...] = input[...]**exponent", specimen={"exponent": 3}),
    _operation("square", "input", "z[...] = input[...]**2"),
    _operation("reciprocal", "input", "z[...] = 1/input[...]"),
    _operation("rsqrt", "input", "z[...] = 1/sqrt(input[...])"),
)
REDUCTIONS = (
    _operation("sum", "input, dim=None, keepdim=False", "s[rest] = sum(input[...], dim)"),
    _operation("mean", "input, dim=None, keepdim=False", "s[rest] = mean(input[...], dim)"),
    Operation(
        ("var",),
        "input, dim=None, unbiased=True, keepdim=False, correction=1",
        tuple(
            Formula(f"m[rest] = mean(input[...], dim)\nv[rest] = {squares}", when)
            for squares, when in (
                ("mean((input[...] - m[rest])**2, dim)", {"unbiased": False}),
                ("mean((input[...] - m[rest])**2, dim)", {"correction": 0}),
                ("1/(count(dim) - 1)*sum((input[...] - m[rest])**2, dim)", {}),
            )
        ),
    ),
)
STATISTICS = "m[rest] = mean(input[...], dim)\nv[rest] = mean((input[...] - m[rest])**2, dim)\n"
NORMALIZED = STATISTICS + "h[...] = (input[...] - m[rest])/sqrt(v[rest] + eps)"
RUNNING = "h[n, c, ...] = (input[n, c, ...] - running_mean[c])/sqrt(running_var[c] + eps)"
ROOT_MEAN = "m[rest] = mean(input[...]**2, dim)\nh[...] = input[...]/sqrt(m[rest] + eps)"
NORMALIZATION = (
    _operation(
        "layer_norm",
        "input, normalized_shape, weight=None, bias=None, eps=0.00001",
        f"{NORMALIZED}*weight[dim] + bias[dim]",
        f"{NORMALIZED}*weight[dim]",
        NORMALIZED,
        specimen={"normalized_shape": (3,), "weight": [3], "bias": [3]},
    ),
    _operation(
        "rms_norm",
        "input, normalized_shape, weight=None, eps=None",
        f"{ROOT_MEAN}*weight[dim]",
        ROOT_MEAN,
        specimen={"normalized_shape": (3,), "weight": [3], "eps": 0.001},
    ),
    _operation(
        "batch_norm",
        "input, running_mean, running_var, weight=None, bias=None, training=False, momentum=0.1, eps=0.00001",
        f"{RUNNING}*weight[c] + bias[c]",
        RUNNING,
        idle=("momentum",),
        hint="In training mode the statistics are the batch's own; call .eval() on the module.",
        specimen={"running_var": [3]},
    ),
)


def _place(axis: int, out: str, inside: str) -> str:
    """Where a window reads along an axis, counted from 1."""
    return f"stride_{axis}*({out} - 1) + dilation_{axis}*({inside} - 1) + 1 - padding_{axis}"


WINDOWS = {1: (("p", "k"),), 2: (("p", "k"), ("q", "l"))}  # the letters of outputs and inside the window


def _convolution(rank: int) -> Operation:
    outs, insides = (", ".join(letters) for letters in zip(*WINDOWS[rank], strict=True))
    places = ", ".join(_place(axis, *letters) for axis, letters in enumerate(WINDOWS[rank], 1))
    formulas = []
    for when in ({"padding": 0}, {}):
        read = f"input[n, c, {places}]" if when else f"pad(input[n, c, {places}])"
        text = f"z[n, o, {outs}] = sum(weight[o, c, {insides}]*{read}, c, {insides})"
        formulas += [Formula(f"{text} + bias[o]", when), Formula(text, when)]
    size = [3, 4, 5][: rank + 1]
    specimen = {
        "input": [2, 2, *size[1:]],
        "weight": [3, 2, *[2] * rank],
        "bias": [3],
        "stride": 2,
        "padding": 1,
    }
    arguments = "input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1"
    return Operation((f"conv{rank}d",), arguments, tuple(formulas), specimen=specimen)


def _pooling(kind: str, rank: int, arguments: str, reduction: str) -> Operation:
    outs, insides = (", ".join(letters) for letters in zip(*WINDOWS[rank], strict=True))
    places = ", ".join(_place(axis, *letters) for axis, letters in enumerate(WINDOWS[rank], 1))
    if "dilation" not in arguments:
        places = re.sub(r"dilation_\d\*", "", places)
    head = f"h[..., {outs}] = {reduction}"
    formulas = (
        Formula(f"{head}(input[..., {places}], {insides})", {"padding": 0}),
        Formula(f"{head}(pad(input[..., {places}]), {insides})"),
    )
    sizes = {letters[1]: f"kernel_size_{axis}" for axis, letters in enumerate(WINDOWS[rank], 1)}
    specimen = {"input": [2, 2, *[4, 5][:rank]], "kernel_size": 2}
    hint = "ceil_mode, return_indices and divisors of one's own are not translated."
    return Operation((f"{kind}_pool{rank}d",), arguments, formulas, sizes=sizes, hint=hint, specimen=specimen)


MAX_ARGUMENTS = (
    "input, kernel_size, stride=kernel_size, padding=0, dilation=1, ceil_mode=False, return_indices=False"
)
AVG_ARGUMENTS = "input, kernel_size, stride=kernel_size, padding=0, ceil_mode=False, count_include_pad=True"
WINDOWED = (
    *(_convolution(rank) for rank in WINDOWS),
    *(_pooling("max", rank, MAX_ARGUMENTS, "largest") for rank in WINDOWS),
    *(_pooling("avg", rank, AVG_ARGUMENTS, "mean") for rank in WINDOWS),
    Operation(
        ("adaptive_avg_pool1d",),
        "input, output_size",
        (Formula("h[..., 1] = mean(input[..., p], p)", {"output_size": 1}),),
        specimen={"output_size": 1},
    ),
    Operation(
        ("adaptive_avg_pool2d",),
        "input, output_size",
        (Formula("h[..., 1, 1] = mean(input[..., p, q], p, q)", {"output_size": 1}),),
        specimen={"input": [2, 2, 3, 4], "output_size": 1},
    ),
)
SCORES = "s[..., q, k] = sum(query[..., q, e]*key[..., k, e], e)/sqrt(count(e))\n"
CAUSAL = "step(q + 1 - k)*exp(s[..., q, k])"
ATTENDED = "\nz[..., q, v] = sum(a[..., q, k]*value[..., k, v], k)"
LOOKING = (
    _operation(
        "embedding",
        "input, weight, padding_idx=None, max_norm=None, norm_type=2, scale_grad_by_freq=False, sparse=False",
        "h[..., k] = weight[input[...], k]",
        specimen={"input": [2, 3]},
    ),
    Operation(
        ("scaled_dot_product_attention",),
        "query, key, value, attn_mask=None, dropout_p=0, is_causal=False, scale=None",
        (
            Formula(f"{SCORES}a[..., q, k] = softmax(s[..., q, k], k){ATTENDED}", {"is_causal": False}),
            Formula(f"{SCORES}a[..., q, k] = {CAUSAL}/sum({CAUSAL}, k){ATTENDED}", {"is_causal": True}),
        ),
        specimen={"query": [2, 3, 2], "key": [2, 3, 2], "value": [2, 3, 2]},
    ),
    Operation(("cat", "concat", "concatenate"), "tensors, dim=0", joins=True, specimen={"dim": 1}),
    Operation(("stack",), "tensors, dim=0", joins=True, specimen={"dim": 1}),
    _operation(
        "amax", "input, dim=None, keepdim=False", "h[rest] = largest(input[...], dim)", specimen={"dim": 1}
    ),
    _operation("outer", "input, vec2", "z[j, k] = input[j]*vec2[k]", specimen={"input": [2], "vec2": [3]}),
)


def _view(names: str, arguments: str, view: str, **specimen: Any) -> Operation:
    return Operation(tuple(names.split()), arguments, view=view, specimen=specimen)


VIEWS = (
    _view("flatten", "input, start_dim=0, end_dim=-1", "reshape", input=[2, 3, 4], start_dim=1),
    _view("view reshape", "input, *shape", "reshape", input=[2, 6], shape=(2, 3, 2)),
    _view("unflatten", "input, dim, sizes", "reshape", input=[2, 6], dim=1, sizes=(3, 2)),
    _view("squeeze", "input, dim=None", "reshape", input=[2, 1, 3], dim=1),
    _view("unsqueeze", "input, dim", "reshape", input=[2, 3], dim=1),
    _view("contiguous clone", "input", "reshape", input=[2, 3]),
    _view("transpose swapaxes", "input, dim0, dim1", "transpose", input=[2, 3, 4], dim0=1, dim1=2),
    _view("mT", "input", "transpose", input=[2, 3, 4]),
    _view("t T", "input", "transpose", input=[2, 3]),
    _view("permute", "input, *dims", "permute", input=[2, 3, 4], dims=(0, 2, 1)),
    _view("expand", "input, *shape", "expand", input=[2, 1], shape=(2, 3)),
    _view("getitem", "input, index", "getitem", input=[2, 3], index=(slice(None), 1)),
    _view("select", "input, dim, index", "select", input=[2, 3], dim=1, index=2),
    _view("narrow", "input, dim, start, length", "narrow", input=[2, 3], dim=1, start=1, length=2),
    _view("chunk", "input, chunks, dim=0", "chunk", input=[2, 4], chunks=2, dim=1),
    _view("split", "input, split_size, dim=0", "chunk", input=[2, 4], split_size=3, dim=1),
    _view("unbind", "input, dim=0", "chunk", input=[2, 4], dim=1),
    Operation(
        ("dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "feature_alpha_dropout"),
        "input, p=0.5, training=True",
        when={"training": False},
        view="reshape",
        hint="It draws at random; call .eval() on the module, or multiply by a mask of your own.",
        specimen={"input": [2, 3], "training": False},
    ),
)


ACTIVATIONS = (
    _operation("softmax", "input, dim, dtype=None", "p[...] = softmax(input[...], dim)", specimen={"dim": 1}),
    _operation(
        "softmin", "input, dim, dtype=None", "p[...] = softmax(-input[...], dim)", specimen={"dim": 1}
    ),
    _operation(
        "log_softmax", "input, dim, dtype=None", "p[...] = log_softmax(input[...], dim)", specimen={"dim": 1}
    ),
    _operation(
        "logsumexp", "input, dim, keepdim=False", "s[rest] = logsumexp(input[...], dim)", specimen={"dim": 1}
    ),
    Operation(
        ("gelu",),
        "input, approximate='none'",
        (
            Formula("h[...] = gelu(input[...])", {"approximate": "none"}),
            Formula("h[...] = gelu_tanh(input[...])", {"approximate": "tanh"}),
        ),
    ),
    _operation(
        "softplus", "input, beta=1, threshold=20", "h[...] = softplus(input[...])", idle=("threshold",)
    ),
    _operation(
        "clamp clip",
        "input, min=None, max=None",
        "h[...] = clamp(input[...], min, max)",
        "h[...] = max(input[...], min)",
        "h[...] = min(input[...], max)",
        specimen={"min": -0.5, "max": 0.5},
    ),
    _operation("relu6", "input", "h[...] = hardtanh(input[...], 0, 6)"),
    _operation("hardswish", "input", "h[...] = input[...]*hardtanh(input[...] + 3, 0, 6)/6"),
    _operation("mish", "input", "h[...] = input[...]*tanh(softplus(input[...]))"),
    _operation("logsigmoid", "input", "h[...] = -softplus(-input[...])"),
    _operation("tanhshrink", "input", "h[...] = input[...] - tanh(input[...])"),
    _operation(
        "prelu",
        "input, weight",
        "h[n, c, ...] = relu(input[n, c, ...]) - weight[c]*relu(-input[n, c, ...])",
        "h[...] = relu(input[...]) - weight*relu(-input[...])",
        specimen={"weight": [1]},
    ),
)


def _of_function(row: Function) -> Operation:
    """The row of a catalogue function: tensors where it has a slope, numbers elsewhere."""
    first, *others = row.arguments
    rest = "".join(
        f", {name}={row.defaults[name]}" if name in row.defaults else f", {name}" for name in others
    )
    shown = [f"{name}[...]" if name in row.slopes else name for name in others]
    call = ", ".join(["input[...]", *shown])
    return _operation(row.torch.rpartition(".")[2], f"input{rest}", f"h[...] = {row.name}({call})")


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
ELEMENTWISE = tuple(
    _of_function(row)
    for row in FUNCTIONS
    if row.arguments
    and not row.over
    and not {" ", "{"} & set(row.torch)
    and row.name not in ("gelu", "clamp")
)
IDLE = ("inplace", "_stacklevel", "memory_format")  # of every operation
OPERATIONS = (
    *AFFINE,
    *ARITHMETIC,
    *REDUCTIONS,
    *NORMALIZATION,
    *WINDOWED,
    *LOOKING,
    *ACTIVATIONS,
    *ELEMENTWISE,
    *(_of_loss(torch, function) for torch, function in LOSS_FUNCTIONS.items()),
    *OWN_LOSSES,
    *VIEWS,
)
