"""Convolution and pooling layers; indices count from 1, so output t reads input stride*(t - 1) + k."""

from __future__ import annotations

from derivations.catalogue.layer import WHOLE, Layer

SIZE = "floor(({of} + 2*{{padding{at}}} - {wide})/{{stride{at}}}) + 1"
CORRELATION = "the kernel is not turned round (a cross-correlation); zeros outside; counted as in torch"


def _length(of: str, at: str = "", *, dilated: bool = True) -> str:
    """How many outputs there are along an axis of the given size."""
    wide = f"{{dilation{at}}}*({{kernel_size{at}}} - 1) - 1" if dilated else f"{{kernel_size{at}}}"
    return SIZE.format(of="{" + of + "}", at=at, wide=wide)


def _place(out: str, kernel: str, at: str = "", *, dilated: bool = True) -> str:
    """The input that an output and a place of the kernel meet at."""
    step = f"{{dilation{at}}}*({kernel} - 1)" if dilated else f"({kernel} - 1)"
    return f"{{stride{at}}}*({out} - 1) + {step} + 1 - {{padding{at}}}"


CONVOLUTIONS = (
    Layer(
        "Conv1d",
        arguments={
            "in_channels": WHOLE,
            "out_channels": WHOLE,
            "kernel_size": WHOLE,
            "stride": 1,
            "padding": 0,
            "dilation": 1,
            "bias": True,
        },
        inputs={"x": "..., c, s"},
        equations=f"y[..., o, t] = sum(W[o, c, k]*pad(x[..., c, {_place('t', 'k')}]), c, k){{bias: + b[o]}}",
        sizes={"c": "{in_channels}", "o": "{out_channels}", "k": "{kernel_size}", "t": _length("s")},
        symbol="z",
        torch="torch.nn.Conv1d",
        packed={"weight": "W", "bias": "b"},
        convention=CORRELATION,
        source="torch.nn.Conv1d",
    ),
    Layer(
        "Conv2d",
        arguments={
            "in_channels": WHOLE,
            "out_channels": WHOLE,
            "kernel_size": (WHOLE, WHOLE),
            "stride": (1, 1),
            "padding": (0, 0),
            "dilation": (1, 1),
            "bias": True,
        },
        inputs={"x": "..., c, r, s"},
        equations="y[..., o, p, q] = sum(W[o, c, g, h]*pad(x[..., c, "
        f"{_place('p', 'g', '[0]')}, {_place('q', 'h', '[1]')}]), c, g, h){{bias: + b[o]}}",
        sizes={
            "c": "{in_channels}",
            "o": "{out_channels}",
            "g": "{kernel_size[0]}",
            "h": "{kernel_size[1]}",
            "p": _length("r", "[0]"),
            "q": _length("s", "[1]"),
        },
        symbol="z",
        torch="torch.nn.Conv2d",
        packed={"weight": "W", "bias": "b"},
        convention=CORRELATION,
        source="torch.nn.Conv2d",
    ),
    Layer(
        "MaxPool1d",
        arguments={"kernel_size": WHOLE, "stride": "kernel_size", "padding": 0, "dilation": 1},
        inputs={"x": "..., s"},
        equations=f"y[..., t] = largest(pad(x[..., {_place('t', 'k')}]), k)",
        sizes={"k": "{kernel_size}", "t": _length("s")},
        symbol="p",
        torch="torch.nn.MaxPool1d",
        convention="the largest entry of each window; of equal ones the first passes the derivative on",
        source="torch.nn.MaxPool1d",
    ),
    Layer(
        "MaxPool2d",
        arguments={
            "kernel_size": (WHOLE, WHOLE),
            "stride": "kernel_size",
            "padding": (0, 0),
            "dilation": (1, 1),
        },
        inputs={"x": "..., r, s"},
        equations="y[..., p, q] = largest(pad(x[..., "
        f"{_place('p', 'g', '[0]')}, {_place('q', 'h', '[1]')}]), g, h)",
        sizes={
            "g": "{kernel_size[0]}",
            "h": "{kernel_size[1]}",
            "p": _length("r", "[0]"),
            "q": _length("s", "[1]"),
        },
        symbol="p",
        torch="torch.nn.MaxPool2d",
        convention="the largest entry of each window; of equal ones the first passes the derivative on",
        source="torch.nn.MaxPool2d",
    ),
    Layer(
        "AvgPool1d",
        arguments={"kernel_size": WHOLE, "stride": "kernel_size", "padding": 0},
        inputs={"x": "..., s"},
        equations=f"y[..., t] = mean(pad(x[..., {_place('t', 'k', dilated=False)}]), k)",
        sizes={"k": "{kernel_size}", "t": _length("s", dilated=False)},
        symbol="p",
        torch="torch.nn.AvgPool1d",
        convention="the mean of each window, zeros outside counted",
        source="torch.nn.AvgPool1d, count_include_pad=True",
    ),
    Layer(
        "AvgPool2d",
        arguments={"kernel_size": (WHOLE, WHOLE), "stride": "kernel_size", "padding": (0, 0)},
        inputs={"x": "..., r, s"},
        equations="y[..., p, q] = mean(pad(x[..., "
        f"{_place('p', 'g', '[0]', dilated=False)}, {_place('q', 'h', '[1]', dilated=False)}]), g, h)",
        sizes={
            "g": "{kernel_size[0]}",
            "h": "{kernel_size[1]}",
            "p": _length("r", "[0]", dilated=False),
            "q": _length("s", "[1]", dilated=False),
        },
        symbol="p",
        torch="torch.nn.AvgPool2d",
        convention="the mean of each window, zeros outside counted",
        source="torch.nn.AvgPool2d, count_include_pad=True",
    ),
)
