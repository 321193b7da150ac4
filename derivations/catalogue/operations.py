"""Operations of torch as equations: what `derivations.from_module` can translate.

One row is one operation under every spelling that torch has for it (``torch.add``,
``torch.Tensor.add``, ``+``). Functions and losses are not repeated here: they come from their own rows.
"""

from __future__ import annotations

from typing import Any

from derivations.catalogue.functions import FUNCTIONS, Function
from derivations.catalogue.loss_functions import LOSS_OPERATIONS
from derivations.catalogue.operation import Formula, Operation, operation
from derivations.catalogue.windows import WINDOWED

AFFINE = (
    operation(
        "linear",
        "input, weight, bias=None",
        "z[..., j] = sum(weight[j, k]*input[..., k], k) + bias[j]",
        "z[..., j] = sum(weight[j, k]*input[..., k], k)",
        "z[...] = sum(weight[k]*input[..., k], k)",
    ),
    operation(
        "bilinear",
        "input1, input2, weight, bias=None",
        "z[..., j] = sum(input1[..., k]*weight[j, k, l]*input2[..., l], k, l) + bias[j]",
        "z[..., j] = sum(input1[..., k]*weight[j, k, l]*input2[..., l], k, l)",
    ),
    operation(
        "matmul mm bmm mv dot",
        "input, other",
        "z = sum(input[k]*other[k], k)",
        "z[...] = sum(input[..., k]*other[k], k)",
        "z[..., l] = sum(input[k]*other[..., k, l], k)",
        "z[..., j, l] = sum(input[..., j, k]*other[..., k, l], k)",
    ),
)
ARITHMETIC = (
    operation("add iadd", "input, other, alpha=1", "z[...] = input[...] + other[...]"),
    operation("sub subtract isub", "input, other, alpha=1", "z[...] = input[...] - other[...]"),
    operation("mul multiply imul", "input, other", "z[...] = input[...]*other[...]"),
    operation("div divide truediv true_divide itruediv", "input, other", "z[...] = input[...]/other[...]"),
    operation("neg negative", "input", "z[...] = -input[...]"),
    operation("pow", "input, exponent", "z[...] = input[...]**exponent", specimen={"exponent": 3}),
    operation("square", "input", "z[...] = input[...]**2"),
    operation("reciprocal", "input", "z[...] = 1/input[...]"),
    operation("rsqrt", "input", "z[...] = 1/sqrt(input[...])"),
)
REDUCTIONS = (
    operation("sum", "input, dim=None, keepdim=False", "s[rest] = sum(input[...], dim)"),
    operation("mean", "input, dim=None, keepdim=False", "s[rest] = mean(input[...], dim)"),
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
    operation(
        "layer_norm",
        "input, normalized_shape, weight=None, bias=None, eps=0.00001",
        f"{NORMALIZED}*weight[dim] + bias[dim]",
        f"{NORMALIZED}*weight[dim]",
        NORMALIZED,
        specimen={"normalized_shape": (3,), "weight": [3], "bias": [3]},
    ),
    operation(
        "rms_norm",
        "input, normalized_shape, weight=None, eps=None",
        f"{ROOT_MEAN}*weight[dim]",
        ROOT_MEAN,
        specimen={"normalized_shape": (3,), "weight": [3], "eps": 0.001},
    ),
    operation(
        "batch_norm",
        "input, running_mean, running_var, weight=None, bias=None, training=False, momentum=0.1, eps=0.00001",
        f"{RUNNING}*weight[c] + bias[c]",
        RUNNING,
        idle=("momentum",),
        hint="In training mode the statistics are the batch's own; call .eval() on the module.",
        specimen={"running_var": [3]},
    ),
)


SCORES = "s[..., q, k] = sum(query[..., q, e]*key[..., k, e], e)/sqrt(count(e))\n"
CAUSAL = "step(q + 1 - k)*exp(s[..., q, k])"
ATTENDED = "\nz[..., q, v] = sum(a[..., q, k]*value[..., k, v], k)"
LOOKING = (
    operation(
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
    operation(
        "amax", "input, dim=None, keepdim=False", "h[rest] = largest(input[...], dim)", specimen={"dim": 1}
    ),
    operation("outer", "input, vec2", "z[j, k] = input[j]*vec2[k]", specimen={"input": [2], "vec2": [3]}),
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
    operation("softmax", "input, dim, dtype=None", "p[...] = softmax(input[...], dim)", specimen={"dim": 1}),
    operation("softmin", "input, dim, dtype=None", "p[...] = softmax(-input[...], dim)", specimen={"dim": 1}),
    operation(
        "log_softmax", "input, dim, dtype=None", "p[...] = log_softmax(input[...], dim)", specimen={"dim": 1}
    ),
    operation(
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
    operation(
        "softplus", "input, beta=1, threshold=20", "h[...] = softplus(input[...])", idle=("threshold",)
    ),
    operation(
        "clamp clip",
        "input, min=None, max=None",
        "h[...] = clamp(input[...], min, max)",
        "h[...] = max(input[...], min)",
        "h[...] = min(input[...], max)",
        specimen={"min": -0.5, "max": 0.5},
    ),
    operation("relu6", "input", "h[...] = hardtanh(input[...], 0, 6)"),
    operation("hardswish", "input", "h[...] = input[...]*hardtanh(input[...] + 3, 0, 6)/6"),
    operation("mish", "input", "h[...] = input[...]*tanh(softplus(input[...]))"),
    operation("logsigmoid", "input", "h[...] = -softplus(-input[...])"),
    operation("tanhshrink", "input", "h[...] = input[...] - tanh(input[...])"),
    operation(
        "prelu",
        "input, weight",
        "h[n, c, ...] = relu(input[n, c, ...]) - weight[c]*relu(-input[n, c, ...])",
        "h[...] = relu(input[...]) - weight*relu(-input[...])",
        specimen={"weight": [1]},
    ),
)


def _of_function(row: Function) -> Operation:
    """The row of a catalogue function: tensors where it has a slope, numbers elsewhere."""
    _, *others = row.arguments
    rest = "".join(
        f", {name}={row.defaults[name]}" if name in row.defaults else f", {name}" for name in others
    )
    shown = [f"{name}[...]" if name in row.slopes else name for name in others]
    call = ", ".join(["input[...]", *shown])
    return operation(row.torch.rpartition(".")[2], f"input{rest}", f"h[...] = {row.name}({call})")


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
    *LOSS_OPERATIONS,
    *VIEWS,
)
