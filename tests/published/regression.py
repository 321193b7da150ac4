"""Places of linear, logistic and softmax regression, perceptrons, and losses of given arrays."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

from flint import arb

from derivations.numbers.systems import fraction
from derivations.run.training import Trace
from tests.published.places import Place, Places, alike, at, worked


def root_mean_square(trace: Trace) -> Fraction:
    """Of the residuals of all samples with the last parameters, exact up to the root."""
    slope, intercept = (fraction(trace.steps[-1].at(name)) for name in ("B1'", "B0'"))
    x, y = (trace.example.data[name].entries for name in "xy")
    squares = [(intercept + slope * a - b) ** 2 for a, b in zip(x, y, strict=True)]
    mean = sum(squares) / len(squares)
    return Fraction((Decimal(mean.numerator) / Decimal(mean.denominator)).sqrt())


def prediction(x: str) -> Place:
    return worked("ng-houses", lambda trace: trace.steps[-1].at("w'") * arb(x) + trace.steps[-1].at("b'"))


def stopped(spec: str, name: str) -> Place:
    """The parameters where the sum of the absolute slopes first falls below 1e-4, or at the end."""

    def read(trace: Trace, *indices: int) -> Any:
        slopes = ((step.at("dL/dw", (1,)), step.at("dL/dw", (2,))) for step in trace.steps)
        small = (k for k, pair in enumerate(slopes) if sum(map(abs, pair)) < arb("1e-4"))
        return trace.steps[next(small, -1)].at(name, indices)

    return worked(spec, read)


def reductions(spec: str, prefix: str) -> dict[str, Place]:
    ours = {"": "L", "_sum": "summed", "_none": "each", "_sw": "weighted", "_sw_sum": "weighted_sum"}
    return {f"{prefix}{theirs}": at(spec, 1, name) for theirs, name in ours.items()}


BROWNLEE: Places = {
    f"B{k}_step{n}": at("brownlee-sgd", n, f"B{k}'") for k in (0, 1) for n in range(1, 21)
} | {"RMSE": worked("brownlee-sgd", root_mean_square)}

FILO: Places = {
    f"{theirs}.{name}": at(f"filo-{spec}", step, ours)
    for theirs, spec, step in (("batch", "batch", 1), ("mb1", "mini", 1), ("mb2", "mini", 2))
    for name, ours in {"dw": "dL/dw", "db": "dL/db", "w": "w'", "b": "b'"}.items()
} | {
    # the second mini-batch holds samples 3 and 4
    f"mb2.{name}": at("filo-mini", 2, name, lambda n: (n + 2,))
    for name in ("yhat", "e")
}

NG: Places = {
    # iteration n is our step n + 1; its cost is printed after the update: the J of the step after it
    f"it{n}.{name}": at("ng-houses", n + later, ours)
    for n in range(0, 10_000, 1_000)
    for name, later, ours in (
        ("cost", 2, "J"),
        ("dw", 1, "dJ/dw"),
        ("db", 1, "dJ/db"),
        ("w", 1, "w'"),
        ("b", 1, "b'"),
    )
} | {
    "w_final": at("ng-houses", 10_000, "w'"),
    "b_final": at("ng-houses", 10_000, "b'"),
    **{f"pred({x})": prediction(x) for x in ("1.0", "1.2", "2.0")},
}

TRASK: Places = {
    **alike("trask-one-input", 1, **{"A.w": "w'", "A.wd": "dL/dw"}),
    "B.W": at("trask-three-inputs", 1, "W'"),
}

LOGISTIC: Places = {
    **alike("ng-logistic", 1, dw="dJ/dw", dw_full="dJ/dw", db="dJ/db", db_full="dJ/db", cost="J"),
}

SOFTMAX: Places = {
    "BT": at("softmax-regression", 10, "B'", lambda c, j: (j, c)),
    **{f"loss{n}": at("softmax-regression", n + 1, "L") for n in range(10)},
}

ELASTIC: Places = {
    f"{v}.{name}": stopped(f"elastic-net-{v.lower()}", f"{name}'") for v in "AB" for name in "wb"
}

PERCEPTRON: Places = {
    f"e{epoch}x{row}.{theirs}": place
    for epoch in (1, 2)
    for row in range(1, 5)
    for theirs, place in {
        # a batch of one: the sample keeps its number
        **{name: at("perceptron", 4 * epoch - 4 + row, f"{name}[{row}]") for name in ("dot", "out", "err")},
        "w": at("perceptron", 4 * epoch - 4 + row, "w'"),
    }.items()
}

SCORES: Places = {
    "s": at("cs231n-losses", 1, "s", lambda j: (1, j)),
    "exp": at("cs231n-losses", 1, "e", lambda j: (1, j)),
    "p": at("cs231n-losses", 1, "p", lambda j: (1, j)),
    **alike("cs231n-losses", 1, hinge="svm", ce="ce"),
}

HINGE: Places = {
    **reductions("keras-hinge", "hinge"),
    **reductions("keras-squared-hinge", "sq"),
    **reductions("keras-categorical-hinge", "cat"),
}

KERAS: Places = {
    **{name: at(f"keras-{name}", 1, "L") for name in ("mse", "mae", "mape", "huber")},
    **reductions("keras-bce-logits", "bce"),
    "bce_logits": at("keras-bce-logits", 1, "L"),
    "bce_prob": at("keras-bce-probabilities", 1, "each"),
    **reductions("keras-cce", "cce"),
    "logcosh": at("keras-log-cosh", 1, "L"),
    "cos": at("keras-cosine", 1, "each"),
    "dice": at("keras-dice", 1, "each"),
    "dice_all": at("keras-dice", 1, "L"),
}

CASES: dict[str, Places] = {
    "brownlee-linear-sgd-20": BROWNLEE,
    "filo-minibatch-linear": FILO,
    "ng-mls-houses-gd": NG,
    "trask-grokking-ch5-multi-output": TRASK,
    "ng-logistic-propagate": LOGISTIC,
    "deepml-softmax-reg-gd": SOFTMAX,
    "deepml-elastic-net-gd": ELASTIC,
    "cornell-perceptron-or": PERCEPTRON,
    "cs231n-svm-softmax": SCORES,
    "keras-hinge-losses": HINGE,
    "keras-losses-docstrings": KERAS,
}
