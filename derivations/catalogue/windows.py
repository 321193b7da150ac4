"""Convolution and pooling: operations of torch that read an array through a moving window."""

from __future__ import annotations

import re

from derivations.catalogue.operation import Formula, Operation


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
