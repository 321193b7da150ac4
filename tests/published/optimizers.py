"""Places of optimizers with given gradients, their averages, and schedules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flint import arb

from derivations.run.training import Trace
from tests.published.conventions import (
    epsilon_beside_the_maximum,
    epsilon_under_the_root,
    product_for_sum,
)
from tests.published.places import Place, Places, at, worked


def change(step: int, name: str) -> Callable[[Trace], Any]:
    """By how much a step lowers a parameter."""
    return lambda trace: trace.steps[step - 1].at(name) - trace.steps[step - 1].at(f"{name}'")


def adam_by_hand(n: int) -> dict[str, Place]:
    spec = "gbasran-adam"
    ours = {"g": "dL/dx", "m": "m_x'", "v": "v_x'", "mhat": "m_hat_x", "vhat": "v_hat_x"}
    found = {
        f"{prefix}{theirs}{n}": at(spec, n, name)
        for prefix in ("", "table.")
        for theirs, name in ours.items()
    }
    table = {f"table.theta_old{n}": at(spec, n, "x"), f"table.theta_new{n}": at(spec, n, "x'")}
    return {**found, **table, f"theta{n}": at(spec, n, "x'"), f"table.step{n}": worked(spec, change(n, "x"))}


def correction(step: int) -> Callable[[Trace], Any]:
    """1 - beta1**t, by which the first moment is divided."""
    return lambda trace: trace.steps[step - 1].at("m_w'") / trace.steps[step - 1].at("m_hat_w")


def effective(step: int) -> Callable[[Trace], Any]:
    """The learning rate over the root of the second moment."""
    return lambda trace: arb("0.001") / arb(trace.steps[step - 1].at("v_hat_w")).sqrt()


EMA: Places = {
    **{f"{prefix}m{n}": at("gbasran-moments", n, "m_w'") for n in range(1, 6) for prefix in ("", "table.")},
    **{f"table.mhat{n}": at("gbasran-moments", n, "m_hat_w") for n in range(1, 6)},
    "mhat5_text": at("gbasran-moments", 5, "m_hat_w"),
    **{f"table.avg{n}": at("gbasran-averages", 1, f"avg[{n}]") for n in range(1, 6)},
    **{f"const.m{n}": at("gbasran-constant", n, "m_w'") for n in (1, 2, 5, 10, 20, 50, 100)},
    **{f"const.corr{n}": worked("gbasran-constant", correction(n)) for n in (1, 2, 5, 10, 20, 50)},
    **{
        f"p{k}.v{n}": at(f"gbasran-{kind}", n, "v_w'")
        for k, kind in ((1, "large"), (2, "small"))
        for n in (1, 2)
    },
    **{
        f"p{k}.vhat{n}": at(f"gbasran-{kind}", n, "v_hat_w")
        for k, kind in ((1, "large"), (2, "small"))
        for n in (1, 2)
    },
    **{
        f"p{k}.eff{n}": worked(f"gbasran-{kind}", effective(n))
        for k, kind in ((1, "large"), (2, "small"))
        for n in (1, 2)
    },
    **{f"adamax.v{n}": at("gbasran-spread", n, "v_w'") for n in (1, 2, 3)},
    **{f"adamax.u{n}": at("gbasran-adamax", n, "u_w'") for n in (2, 3)},
}

D2L: Places = {
    f"{theirs}.{name}": at(f"d2l-{spec}", 20, f"{name}'", change=epsilon_under_the_root)
    for theirs, spec in {
        "adagrad0.4": "adagrad-04",
        "adagrad2": "adagrad-2",
        "rmsprop0.4": "rmsprop-04",
    }.items()
    for name in ("x1", "x2")
}

MOMENTUM: Places = {
    f"{theirs}{k}.{name}": at(f"{spec}-step-{k}", 1, ours)
    for theirs, spec, count in (("mom", "momentum", 4), ("nag", "nesterov", 5))
    for k in range(count)
    for name, ours in {"th": "x'", "v": "v_x'"}.items()
}

NG_MOMENTUM: Places = {
    **{name: at("ng-momentum", 1, f"{name}'") for name in ("W1", "b1", "W2", "b2")},
    **{f"v.{name}": at("ng-momentum", 1, f"m_{name}'") for name in ("W1", "b1", "W2", "b2")},
}

SCHEDULES: Places = {
    # epoch 0 is our first
    f"{theirs}{k}.e{n}": at(f"{spec}-lr-{k}", n + 1, "lr_t")
    for theirs, spec, numbers in (("step", "step", 3), ("exp", "exponential", 2), ("cos", "cosine", 2))
    for k in range(numbers)
    for n in range(51)
}

CASES: dict[str, Places] = {
    "deepml-adam-10-steps": {v: at(f"adam-ten-steps-{v.lower()}", 10, "x'") for v in "AB"},
    "gbasran-adam-by-hand": {**adam_by_hand(1), **adam_by_hand(2), **adam_by_hand(3)},
    "gbasran-ema-bias-correction": EMA,
    "d2l-adagrad-rmsprop-2d": D2L,
    "keras-golden-adamax": {
        "single": at("keras-adamax-one", 1, "x'", change=epsilon_beside_the_maximum),
        **{
            f"golden{n}": at("keras-adamax-five", n + 1, "x'", change=epsilon_beside_the_maximum)
            for n in range(5)
        },
    },
    "deepml-momentum-nesterov-step": MOMENTUM,
    "ng-optim-momentum-step": NG_MOMENTUM,
    "tf-docs-sgd-momentum": {
        "A.var": at("tf-sgd", 1, "var'"),
        **{f"B.step{n}": worked("tf-momentum", change(n, "var")) for n in (1, 2)},
        "as_written_r23": worked("tf-momentum", change(2, "var"), product_for_sum),
    },
    "deepml-lr-schedules": SCHEDULES,
}
