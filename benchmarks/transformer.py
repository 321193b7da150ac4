"""Deriving a transformer: the adjoint program, its derivation and its proofs, for 1 block to 12.

A block is pre-norm: layer norm, two heads of attention, residual, layer norm, a GELU network,
residual. Ours derives every adjoint in index notation, whatever the sizes, and proves every line.
Beside it: torch runs forward and backward through the same number of its own blocks, which costs as
much again at each step, while a derivation is made once.

    python benchmarks/transformer.py [--quick]
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace

import torch
from interleaved import medians
from torch import nn

from derivations.catalogue import functions
from derivations.language.backward import backward, put_in_outer
from derivations.language.parser import parse_program
from derivations.language.program import Equation, Program, hoist
from derivations.language.prover import prove
from derivations.language.shortcuts import find, state
from derivations.language.steps import derive

BLOCK = """
ma{n}[i] = mean(x{m}[i, d], d)
va{n}[i] = mean((x{m}[i, d] - ma{n}[i])**2, d)
ha{n}[i, d] = (x{m}[i, d] - ma{n}[i])/sqrt(va{n}[i] + 0.00001)
u{n}[i, d] = ha{n}[i, d]*ga{n}[d] + ca{n}[d]
q{n}[i, h, e] = sum(Wq{n}[h, e, d]*u{n}[i, d], d)
k{n}[i, h, e] = sum(Wk{n}[h, e, d]*u{n}[i, d], d)
w{n}[i, h, e] = sum(Wv{n}[h, e, d]*u{n}[i, d], d)
s{n}[h, i, j] = sum(q{n}[i, h, e]*k{n}[j, h, e], e)/sqrt(2)
a{n}[h, i, j] = softmax(s{n}[h, i, j], j)
o{n}[i, h, e] = sum(a{n}[h, i, j]*w{n}[j, h, e], j)
y{n}[i, d] = x{m}[i, d] + sum(sum(Wo{n}[d, h, e]*o{n}[i, h, e], e), h) + bo{n}[d]
mb{n}[i] = mean(y{n}[i, d], d)
vb{n}[i] = mean((y{n}[i, d] - mb{n}[i])**2, d)
hb{n}[i, d] = (y{n}[i, d] - mb{n}[i])/sqrt(vb{n}[i] + 0.00001)
r{n}[i, d] = hb{n}[i, d]*gb{n}[d] + cb{n}[d]
f{n}[i, l] = gelu(sum(A{n}[l, d]*r{n}[i, d], d) + b{n}[l])
x{n}[i, d] = y{n}[i, d] + sum(B{n}[d, l]*f{n}[i, l], l) + p{n}[d]
"""
PARAMETERS = ["ga", "ca", "Wq", "Wk", "Wv", "Wo", "bo", "gb", "cb", "A", "b", "B", "p"]
WIDTH, HEADS, HIDDEN, TOKENS = 4, 2, 8, 5


def blocks(depth: int) -> tuple[Program, list[str]]:
    """A program of so many blocks with the mean squared error, and its parameters."""
    text = "".join(BLOCK.format(n=n, m=n - 1) for n in range(1, depth + 1))
    text += f"L = mean(mean((x{depth}[i, d] - T[i, d])**2, d), i)\n"
    lines = parse_program(text, functions.NAMES)
    equations = tuple(Equation(line.target, line.body) for line in lines)
    names = [f"{name}{n}" for n in range(1, depth + 1) for name in PARAMETERS]
    return hoist(Program(equations, frozenset("ijdehl"))), names


def derivation(depth: int, *, proved: bool) -> Callable[[], object]:
    """Everything symbolic, from the equations to the last line of the derivation."""
    program, names = blocks(depth)

    def work() -> object:
        adjoints = backward(program, "L", names)
        letters = set(adjoints.indices)
        found = find(program, "L", letters)
        adjoints = put_in_outer(state(adjoints, found, letters), "L", names)
        chains = derive(program, adjoints, "L", tuple(names), None, found)
        results = prove(chains, replace(program, indices=adjoints.indices), "L") if proved else []
        assert all(holds for _, holds in results)
        return chains

    return work


def autograd(depth: int) -> Callable[[], object]:
    """Forward and backward through torch's own blocks, in float64."""
    block = nn.TransformerEncoderLayer(
        WIDTH, HEADS, HIDDEN, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
    )
    model = nn.TransformerEncoder(block, depth, enable_nested_tensor=False).double()
    x, target = (torch.randn(1, TOKENS, WIDTH, dtype=torch.float64) for _ in range(2))

    def work() -> object:
        model.zero_grad()
        loss = ((model(x) - target) ** 2).mean()
        loss.backward()
        return loss

    return work


def main() -> None:
    quick = "--quick" in sys.argv
    depths = (1, 3) if quick else (1, 3, 6, 12)
    print("blocks | derived | proved too | per block, of the first | torch steps in that time")
    first = 0.0
    for depth in depths:
        works = {
            "derived": derivation(depth, proved=False),
            "proved": derivation(depth, proved=True),
            "torch": autograd(depth),
        }
        found = medians(works, 1)
        each = found["proved"] / depth
        first = first or each
        print(
            f"{depth:6} | {found['derived']:5.2f} s | {found['proved']:8.2f} s | "
            f"{each / first:21.2f} | {found['proved'] / found['torch']:10.0f}"
        )


if __name__ == "__main__":
    main()
