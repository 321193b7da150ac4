"""One training step of a 2-2-2 network: worked by hand, by ``sympy.diff`` on scalars, by autograd.

By hand is `derivations.run.training.train` on a prepared example: every value and adjoint of the
step with proved bounds, and the update. SymPy differentiates the written-out loss by its twelve
parameters and evaluates the derivatives at the same numbers. torch does one forward and backward
pass and an optimizer step on float64 tensors.

    python benchmarks/network_step.py [--quick]
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import sympy as sp
import torch
from interleaved import medians
from sympy.core.cache import clear_cache

from derivations.model.example import prepare
from derivations.run.training import train
from derivations.spec.spec import parse_spec

SPEC = '''
title = "A 2-2-2 network"
[model]
equations = """
z[j] = sum(W[j, k]*x[k], k) + b[j]
h[j] = sigmoid(z[j])
s[m] = sum(V[m, j]*h[j], j) + c[m]
o[m] = sigmoid(s[m])
E = 1/2*sum((t1[m] - o[m])**2, m)
"""
[data]
x = [0.25, -0.5]
t1 = [0.1, 0.9]
[parameters]
W = [[0.1, 0.2], [0.3, -0.4]]
V = [[0.5, -0.6], [0.7, 0.8]]
b = [0.1, 0.2]
c = [0.3, -0.1]
[training]
optimizer = { name = "SGD", lr = 0.5 }
'''


def by_hand() -> Callable[[], object]:
    example = prepare(*parse_spec(SPEC))
    return lambda: train(example)


def by_sympy() -> Callable[[], object]:
    """The loss on scalars, differentiated and evaluated anew each time."""
    W, V = (sp.Matrix(2, 2, sp.symbols(f"{name}:4")) for name in "WV")
    b, c = (sp.Matrix(sp.symbols(f"{name}:2")) for name in "bc")
    x, target = sp.Matrix([0.25, -0.5]), sp.Matrix([0.1, 0.9])

    def sigmoid(z: sp.Matrix) -> sp.Matrix:
        return z.applyfunc(lambda entry: 1 / (1 + sp.exp(-entry)))

    symbols = [*W, *V, *b, *c]
    numbers = [0.1, 0.2, 0.3, -0.4, 0.5, -0.6, 0.7, 0.8, 0.1, 0.2, 0.3, -0.1]
    at = dict(zip(symbols, numbers, strict=True))

    def work() -> object:
        clear_cache()
        residual = target - sigmoid(V * sigmoid(W * x + b) + c)
        loss = (residual.T * residual)[0] / 2
        return [sp.diff(loss, symbol).evalf(subs=at) for symbol in symbols]

    return work


def by_autograd() -> Callable[[], object]:
    def leaf(*rows: object) -> torch.Tensor:
        return torch.tensor(list(rows), dtype=torch.float64, requires_grad=True)

    W, V, b, c = leaf([0.1, 0.2], [0.3, -0.4]), leaf([0.5, -0.6], [0.7, 0.8]), leaf(0.1, 0.2), leaf(0.3, -0.1)
    x = torch.tensor([0.25, -0.5], dtype=torch.float64)
    target = torch.tensor([0.1, 0.9], dtype=torch.float64)
    optimizer = torch.optim.SGD([W, V, b, c], lr=0.5)

    def work() -> object:
        optimizer.zero_grad()
        output = torch.sigmoid(V @ torch.sigmoid(W @ x + b) + c)
        loss = ((target - output) ** 2).sum() / 2
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        return loss

    return work


def main() -> None:
    rounds = 5 if "--quick" in sys.argv else 25
    works = {"by hand": by_hand(), "sympy.diff": by_sympy(), "autograd": by_autograd()}
    found = medians(works, rounds)
    ours = found["by hand"]
    print(f"one step by hand takes {1000 * ours:.1f} ms (target: at most 20 ms)")
    print(f"sympy.diff on scalars / by hand: {found['sympy.diff'] / ours:.1f}")
    print(f"by hand / autograd and torch.optim: {ours / found['autograd']:.1f}")


if __name__ == "__main__":
    main()
