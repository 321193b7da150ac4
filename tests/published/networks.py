"""Places of scalar graphs, networks, normalization, convolution, recurrences and attention."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from derivations.run.training import Trace
from tests.published.places import Places, alike, at, worked


def after_epochs(name: str, number: int) -> Callable[..., Any]:
    """A weight after 20 epochs of 10 rows; the last entry of a neuron is its bias."""

    def read(trace: Trace, k: int, j: int) -> Any:
        step = trace.steps[199]
        return step.at(f"b{number}'", (k,)) if j == 3 else step.at(f"W{number}'", (k, j))

    return read


def epoch_error(epoch: int) -> Callable[[Trace], Any]:
    """The errors of the rows, each taken before that row is used, added up over an epoch."""
    return lambda trace: sum(step.at("error") for step in trace.steps if step.epoch == epoch + 1)


def slope_of_sigmoid(name: str, *entry: int) -> Callable[[Trace], Any]:
    return lambda trace: trace.steps[0].at(name, entry) * (1 - trace.steps[0].at(name, entry))


def product(first: str, second: str) -> Callable[[Trace], Any]:
    return lambda trace: trace.steps[0].labelled[first] * trace.steps[0].labelled[second]


BROWNLEE: Places = {
    **{f"error_epoch{n}": worked("brownlee-network", epoch_error(n)) for n in range(23)},
    **{f"W{k}b": worked("brownlee-network", after_epochs(f"W{k}", k)) for k in (1, 2)},
    # the last row of the 20th epoch is step 200, and a batch of one: sample 10
    "h": at("brownlee-network", 200, "h", lambda j: (10, j)),
    "o": at("brownlee-network", 200, "o", lambda k: (10, k)),
    "delta_h": worked("brownlee-network", lambda trace, j: -trace.steps[199].at("dL/dz1", (1, j))),
    "delta_o": worked("brownlee-network", lambda trace, k: -trace.steps[199].at("dL/dz2", (1, k))),
}

MAZUR: Places = {
    **alike("mazur", 1, net_h1="z1[1]", out_h1="h[1]", out_h2="h[2]", net_o1="z2[1]"),
    **alike("mazur", 1, out_o1="o[1]", out_o2="o[2]", E_o1="E[1]", E_o2="E[2]", E_total="L"),
    "dE/dout_o1": at("mazur", 1, "dL/do[1]"),
    "dout_o1/dnet_o1": worked("mazur", slope_of_sigmoid("o", 1)),
    "dE/dw5": at("mazur", 1, "dL/dW2[1, 1]"),
    "dEo1/dnet_o1": at("mazur", 1, "dL/dz2[1]"),
    "dEo1/dout_h1": worked("mazur", product("dL/dz2[1]", "W2[1, 1]")),
    "dEo2/dout_h1": worked("mazur", product("dL/dz2[2]", "W2[2, 1]")),
    "dE/dout_h1": at("mazur", 1, "dL/dh[1]"),
    "dout_h1/dnet_h1": worked("mazur", slope_of_sigmoid("h", 1)),
    "dE/dw1": at("mazur", 1, "dL/dW1[1, 1]"),
    **{f"w{k}+": at("mazur", 1, f"W1'[{1 + (k > 2)}, {2 - k % 2}]") for k in range(1, 5)},
    **{f"w{k}+": at("mazur", 1, f"W2'[{1 + (k > 6)}, {2 - k % 2}]") for k in range(5, 9)},
    "E_after_1": at("mazur", 2, "L"),
    "E_after_10000": at("mazur-10000", 10_001, "L"),
    "E_after_10000_b": at("mazur-10000", 10_001, "L"),
    "o1_after_10000": at("mazur-10000", 10_001, "o[1]"),
    "o2_after_10000": at("mazur-10000", 10_001, "o[2]"),
}

FIQLAB: Places = {
    f"{theirs}{k}": at("fiqlab", 1, f"{ours}[{k}]")
    for k in (1, 2)
    for theirs, ours in {"net_h": "z1", "out_h": "h"}.items()
} | {
    **{f"exp(-net_h{k})": at("fiqlab", 1, f"e1[{k}]") for k in (1, 2)},
    **{f"1+exp(-net_h{k})": at("fiqlab", 1, f"q1[{k}]") for k in (1, 2)},
    **{f"w{k + 4}*out_h{k}": at("fiqlab", 1, f"u[{k}]") for k in (1, 2)},
    **alike("fiqlab", 1, **{"net_o1": "z2", "exp(-net_o1)": "e2", "1+exp(-net_o1)": "q2", "out_o1": "o"}),
}

NIELSEN: Places = {f"{v}.a{n}": at(f"nielsen-{v.lower()}", n + 1, "a") for v in "AB" for n in (0, 300)}


def until_small(trace: Trace) -> Any:
    """The bias after the first step that changes it by less than 0.001."""
    steps = ((step.at("b3'"), step.at("b3")) for step in trace.steps)
    return next(new for new, old in steps if abs(new - old) * 1000 < 1)


STATQUEST: Places = {
    "yhat": at("statquest", 1, "yhat"),
    **{f"SSR_b{k}": at("statquest", 1, f"trial[{k + 1}]") for k in range(4)},
    **{f"grad{n}": at("statquest", n, "dSSR/db3") for n in (1, 2)},
    **{
        f"step{n}": worked("statquest", lambda trace, n=n: trace.steps[n - 1].at("dSSR/db3") / 10)
        for n in (1, 2)
    },
    **{f"b3_{n}": at("statquest", n, "b3'") for n in (1, 2)},
    "yhat2": at("statquest", 2, "yhat"),
    "b3_final": worked("statquest", until_small),
}

NEURON: Places = alike(
    "cs231n-neuron",
    1,
    **{"w0*x0": "u", "w1*x1": "v", "w0x0+w1x1": "s", "dot": "dot", "-dot": "m", "exp(-dot)": "e"},
    **{"1+exp(-dot)": "q", "f": "f", "d(1+exp)": "df/dq", "d(exp)": "df/de", "d(-dot)": "df/dm"},
    **{"d(dot)": "df/ddot", "df/ddot_text": "df/ddot"},
    **{f"d{name}": f"df/d{name}" for name in ("w0", "x0", "w1", "x1", "w2")},
)

MICROGRAD: Places = alike("micrograd", 1, **{"g": "g", "dg/da": "dg/da", "dg/db": "dg/db"})

BLITZ: Places = {
    **alike("autograd-blitz", 1, out="out", z="z[1, 1]"),
    "x.grad": at("autograd-blitz", 1, "dout/dx"),
}

GRU: Places = alike("gru-cell", 1, zpre="zpre", z="z", rpre="rpre", r="r", hpre="hpre", hh="hh", h="hnew")


def from_before(trace: Trace) -> Any:
    """What reaches the first output through the second time step."""
    return trace.steps[0].labelled["dL/dout[1]"] - trace.steps[0].labelled["Delta[1]"]


GOMEZ: Places = {
    # their times 0 and 1 are our 1 and 2; a delta of a gate is the adjoint before its activation
    **{f"{name}{t}": at("gomez-lstm", 1, f"{name}[{t + 1}]") for t in (0, 1) for name in ("state", "out")},
    **{f"{name}{t}": at("gomez-lstm", 1, f"{name}[{t + 1}]") for t in (0, 1) for name in "aifo"},
    **{f"Delta{t}": at("gomez-lstm", 1, f"Delta[{t + 1}]") for t in (0, 1)},
    **{f"d{name}{t}": at("gomez-lstm", 1, f"dL/dz{name}[{t + 1}]") for t in (0, 1) for name in "aifo"},
    **{f"dstate{t}": at("gomez-lstm", 1, f"dL/dstate[{t + 1}]") for t in (0, 1)},
    "dout0": at("gomez-lstm", 1, "dL/dout[1]"),
    "Dout0": worked("gomez-lstm", from_before),
    **{f"{name}{gate}+": at("gomez-lstm", 1, f"{name}{gate}'") for name in "WUb" for gate in "aifo"},
}

KARIM: Places = {name: at("karim-attention", 1, name) for name in "KQVSAO"}

POVINELLI: Places = {
    **alike("povinelli-attention", 1, A="A", L="L"),
    **{f"dW{name}": at("povinelli-attention", 1, f"dL/dW{name}") for name in "qkv"},
}


def mean_of_data(trace: Trace) -> Any:
    entries = trace.example.data["dA"].entries
    return sum(entries) / len(entries)


POOLING: Places = {
    "max": at("ng-pool-max-forward", 1, "y", lambda i, c: (i, 1, 1, c)),
    "avg": at("ng-pool-average-forward", 1, "y", lambda i, c: (i, 1, 1, c)),
    "dA_mean": worked("ng-pool-max-backward", mean_of_data),
    "dmax": at("ng-pool-max-backward", 1, "dL/dx"),
    "davg": at("ng-pool-average-backward", 1, "dL/dx"),
}

RNN: Places = alike("ng-rnn", 1, dx="dL/dx", da0="dL/da0", dWax="dL/dWax", dWaa="dL/dWaa", dba="dL/dba")

LAYER_NORM: Places = {
    "A_full": at("layer-norm-a", 1, "y"),
    **{v: at(f"layer-norm-{v.lower()}", 1, "y") for v in "BC"},
}

BATCH_NORM: Places = {v: at(f"batch-norm-{v.lower()}", 1, "y") for v in "AB"}

CNN: Places = {
    f"{v}.{theirs}": at(f"cnn-{v.lower()}", -1, f"{theirs}'", entry)
    for v in "ABC"
    for theirs, entry in {
        "Wc": lambda *at: at,
        "bc": lambda *at: at,
        "Wd": lambda k: (1, k),
        "bd": lambda *at: at,
    }.items()
}

CASES: dict[str, Places] = {
    "brownlee-backprop-train-20": BROWNLEE,
    "mazur-2-2-2-backprop": MAZUR,
    "fiqlab-2-2-1-manual": FIQLAB,
    "nielsen-single-neuron": NIELSEN,
    "statquest-softplus-network-b3": STATQUEST,
    "cs231n-sigmoid-neuron": NEURON,
    "micrograd-readme": MICROGRAD,
    "torch-autograd-blitz": BLITZ,
    "click4ai-gru-cell": GRU,
    "gomez-lstm-numeric": GOMEZ,
    "karim-self-attention": KARIM,
    "povinelli-attention-backward-unscaled": POVINELLI,
    "ng-pooling": POOLING,
    "ng-rnn-backward-bptt": RNN,
    "deepml-layer-norm": LAYER_NORM,
    "deepml-batch-norm": BATCH_NORM,
    "deepml-cnn-backprop": CNN,
}
