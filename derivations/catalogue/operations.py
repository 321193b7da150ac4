"""Operations of torch as equations: what `derivations.from_module` can translate.

One row is one operation under every spelling that torch has for it (``torch.add``,
``torch.Tensor.add``, ``+``). A formula is an equation over the row's arguments, in which ``...`` are
all axes that are not named, ``dim`` the axes that the argument of that name chooses and ``rest`` the
others. The first formula that fits is used: every tensor that is given is read, the ranks fit, and the
arguments are as in ``when``. An argument that is neither read nor at its default is refused.

Functions and losses are not repeated here: they come from their own rows.
"""

from __future__ import annotations

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
NORMALIZED = "m[rest] = mean(input[...], dim)\nv[rest] = mean((input[...] - m[rest])**2, dim)\n"
RUNNING = "(input[n, c, ...] - running_mean[c])/sqrt(running_var[c] + eps)"
NORMALIZATION = (
    _operation(
        "layer_norm",
        "input, normalized_shape, weight=None, bias=None, eps=0.00001",
        NORMALIZED + "h[...] = (input[...] - m[rest])/sqrt(v[rest] + eps)*weight[dim] + bias[dim]",
        NORMALIZED + "h[...] = (input[...] - m[rest])/sqrt(v[rest] + eps)*weight[dim]",
        NORMALIZED + "h[...] = (input[...] - m[rest])/sqrt(v[rest] + eps)",
        specimen={"input": [2, 3], "normalized_shape": (3,)},
    ),
    Operation(
        ("batch_norm",),
        "input, running_mean, running_var, weight=None, bias=None, training=False, momentum=0.1, eps=0.00001",
        (
            Formula(f"h[n, c, ...] = {RUNNING}*weight[c] + bias[c]", {"training": False}),
            Formula(f"h[n, c, ...] = {RUNNING}", {"training": False}),
        ),
        idle=("momentum",),
        hint="In training mode the statistics are the batch's own; call .eval() on the module.",
    ),
)


def _view(names: str, arguments: str, view: str, **specimen: Any) -> Operation:
    return Operation(tuple(names.split()), arguments, view=view, specimen=specimen)


VIEWS = (
    _view("flatten", "input, start_dim=0, end_dim=-1", "reshape", input=[2, 3, 4], start_dim=1),
    _view("view reshape", "input, *shape", "reshape", input=[2, 6], shape=(2, 3, 2)),
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
    _operation("softmin", "input, dim, dtype=None", "p[...] = softmax(-input[...], dim)", specimen={"dim": 1}),
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
    _operation("softplus", "input, beta=1, threshold=20", "h[...] = softplus(input[...])", idle=("threshold",)),
    _operation(
        "clamp clip",
        "input, min=None, max=None",
        "h[...] = clamp(input[...], min, max)",
        "h[...] = max(input[...], min)",
        "h[...] = min(input[...], max)",
        specimen={"min": -0.5, "max": 0.5},
    ),
    _operation("relu6", "input", "h[...] = hardtanh(input[...], 0, 6)"),
    _operation("hardsigmoid", "input", "h[...] = hardtanh(input[...] + 3, 0, 6)/6"),
    _operation("hardswish", "input", "h[...] = input[...]*hardtanh(input[...] + 3, 0, 6)/6"),
    _operation("mish", "input", "h[...] = input[...]*tanh(softplus(input[...]))"),
    _operation("logsigmoid", "input", "h[...] = -softplus(-input[...])"),
    _operation("tanhshrink", "input", "h[...] = input[...] - tanh(input[...])"),
    _operation("prelu", "input, weight", "h[...] = relu(input[...]) - weight*relu(-input[...])", specimen={"weight": [1]}),
)


def _of_function(row: Function) -> Operation:
    """The row of a catalogue function: tensors where it has a slope, numbers elsewhere."""
    first, *others = row.arguments
    rest = "".join(f", {name}={row.defaults[name]}" if name in row.defaults else f", {name}" for name in others)
    shown = [f"{name}[...]" if name in row.slopes else name for name in others]
    call = ", ".join(["input[...]", *shown])
    return _operation(row.torch.rpartition(".")[2], f"input{rest}", f"h[...] = {row.name}({call})")


def _of_loss(torch: str, function: str) -> Operation:
    """The rows of one loss, over all axes at once, each for its ``reduction``."""
    formulas = []
    for row in LOSSES:
        if row.torch == torch and "[i]" in row.equation:
            text = row.equation.replace("a[i]", "input[...]").replace("b[i]", "target[...]")
            reduction = "sum" if "sum" in row.arguments else "mean"
            formulas.append(Formula(f"L = {text.replace(', i)', ', ...)')}", {"reduction": reduction}))
    return Operation((function,), LOSS_ARGUMENTS, tuple(formulas), hint=LOSS_HINT)


ELEMENTWISE = tuple(
    _of_function(row)
    for row in FUNCTIONS
    if row.arguments and not row.over and not {" ", "{"} & set(row.torch) and row.name not in ("gelu", "clamp")
)
LOSS_ARGUMENTS = "input, target, size_average=None, reduce=None, reduction='mean', weight=None"
LOSS_HINT = "The catalogue of losses has it with reduction 'mean' or 'sum' and without weights."
LOSS_FUNCTIONS = {
    "torch.nn.MSELoss": "mse_loss",
    "torch.nn.L1Loss": "l1_loss",
    "torch.nn.BCELoss": "binary_cross_entropy",
}
IDLE = ("inplace", "_stacklevel", "memory_format")  # of every operation
OPERATIONS = (
    *AFFINE,
    *ARITHMETIC,
    *REDUCTIONS,
    *NORMALIZATION,
    *ACTIVATIONS,
    *ELEMENTWISE,
    *(_of_loss(torch, function) for torch, function in LOSS_FUNCTIONS.items()),
    *VIEWS,
)
