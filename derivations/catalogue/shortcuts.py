"""Short cuts that textbooks state: the slope of several equations at once. The machine proves each one.

In ``equations`` every name stands for a quantity of the model, recognized by the formulas; the last
equation may be the loss ``L``. ``slope`` is the adjoint of ``of``; a name in ``adjoints`` stands for
the adjoint of a quantity. ``condition`` says what must hold of the data, which is checked on them.
Before it is used, a short cut is proved by the chain rule for the equations at hand.
``lead`` is a letter in front that may stand for no index or for several, as heads and time steps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Shortcut:
    """One row: ``dL/d(of) = slope`` for a model that has these equations."""

    name: str
    equations: tuple[str, ...]
    of: str
    slope: str
    rule: str
    source: str
    adjoints: Mapping[str, str] = field(default_factory=dict)
    condition: str = ""
    lead: str = ""


SHORTCUTS = (
    Shortcut(
        "sigmoid with binary cross-entropy",
        equations=("p[i] = sigmoid(z[i])", "L = -mean(y[i]*log(p[i]) + (1 - y[i])*log(1 - p[i]), i)"),
        of="z[i]",
        slope="1/count(i)*(p[i] - y[i])",
        rule="short cut: the sigmoid with the binary cross-entropy leaves prediction minus target",
        source="Bishop 2006, equation 4.91",
    ),
    Shortcut(
        "sigmoid with binary cross-entropy of one sample",
        equations=("p = sigmoid(z)", "L = -(y*log(p) + (1 - y)*log(1 - p))"),
        of="z",
        slope="p - y",
        rule="short cut: the sigmoid with the binary cross-entropy leaves prediction minus target",
        source="Bishop 2006, equation 4.91",
    ),
    Shortcut(
        "softmax with cross-entropy",
        equations=(
            "s[i] = sum(exp(z[i, k]), k)",
            "p[i, k] = exp(z[i, k])/s[i]",
            "L = -mean(sum(y[i, k]*log(p[i, k]), k), i)",
        ),
        of="z[i, k]",
        slope="1/count(i)*(p[i, k] - y[i, k])",
        rule="short cut: the softmax with the cross-entropy leaves prediction minus target, "
        "since the targets of a sample sum to 1",
        source="Bishop 2006, equation 4.109",
        condition="sum(y[i, k], k) = 1",
    ),
    Shortcut(
        "softmax with cross-entropy, summed",
        equations=(
            "s[i] = sum(exp(z[i, k]), k)",
            "p[i, k] = exp(z[i, k])/s[i]",
            "L = -sum(sum(y[i, k]*log(p[i, k]), k), i)",
        ),
        of="z[i, k]",
        slope="p[i, k] - y[i, k]",
        rule="short cut: the softmax with the cross-entropy leaves prediction minus target, "
        "since the targets of a sample sum to 1",
        source="Bishop 2006, equation 4.109",
        condition="sum(y[i, k], k) = 1",
    ),
    Shortcut(
        "softmax with cross-entropy of one sample",
        equations=("s = sum(exp(z[k]), k)", "p[k] = exp(z[k])/s", "L = -sum(y[k]*log(p[k]), k)"),
        of="z[k]",
        slope="p[k] - y[k]",
        rule="short cut: the softmax with the cross-entropy leaves prediction minus target, "
        "since the targets sum to 1",
        source="Bishop 2006, equation 4.109",
        condition="sum(y[k], k) = 1",
    ),
    Shortcut(
        "softmax",
        equations=("s[i] = sum(exp(z[i, k]), k)", "p[i, k] = exp(z[i, k])/s[i]"),
        of="z[i, k]",
        slope="p[i, k]*(dp[i, k] - sum(p[i, j]*dp[i, j], j))",
        adjoints={"dp": "p"},
        lead="i",
        rule="short cut: the softmax passes on its adjoints less their mean, weighted by the probabilities",
        source="Goodfellow, Bengio and Courville 2016, section 6.2.2.3",
    ),
    Shortcut(
        "layer normalization",
        equations=(
            "m[i] = mean(x[i, j], j)",
            "v[i] = mean((x[i, j] - m[i])**2, j)",
            "h[i, j] = (x[i, j] - m[i])/sqrt(v[i] + eps)",
        ),
        of="x[i, j]",
        slope="(dh[i, j] - 1/count(j)*sum(dh[i, k], k) - h[i, j]/count(j)*sum(h[i, k]*dh[i, k], k))"
        "/sqrt(v[i] + eps)",
        adjoints={"dh": "h"},
        lead="i",
        rule="short cut: normalization takes the mean of the adjoints away, and their part along h",
        source="Ba, Kiros and Hinton 2016",
    ),
    Shortcut(
        "batch normalization",
        equations=(
            "m[j] = mean(x[i, j], i)",
            "v[j] = mean((x[i, j] - m[j])**2, i)",
            "h[i, j] = (x[i, j] - m[j])/sqrt(v[j] + eps)",
        ),
        of="x[i, j]",
        slope="(dh[i, j] - 1/count(i)*sum(dh[k, j], k) - h[i, j]/count(i)*sum(h[k, j]*dh[k, j], k))"
        "/sqrt(v[j] + eps)",
        adjoints={"dh": "h"},
        rule="short cut: normalization takes the mean of the adjoints away, and their part along h",
        source="Ioffe and Szegedy 2015",
    ),
)
