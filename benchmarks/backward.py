"""Reverse mode against SymPy: the gradient of a multi-layer perceptron, from 1 layer to 8.

Ours is `derivations.language.backward.backward`: one adjoint equation for each quantity, whatever
the sizes of the arrays. The other is ``sympy.diff`` of the loss written out, for one sample and
layers two wide, by every parameter; it goes on as long as a depth takes a few seconds.
SymPy's cache is emptied before every run of either.

    python benchmarks/backward.py [--quick]
"""

from __future__ import annotations

import itertools
import random
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import sympy as sp
from flint import arb, fmpq
from interleaved import medians, seconds
from sympy.core.cache import clear_cache

from derivations.catalogue import functions
from derivations.language.backward import backward
from derivations.language.names import adjoint
from derivations.language.parser import parse_program
from derivations.language.program import Equation, Program, hoist
from derivations.numbers.compile import compile_program
from derivations.numbers.systems import EXACT, ball, precision

DEPTHS = range(1, 9)
WIDTH, FEW_SECONDS = 2, 4.0
Gradient = dict[str, list[Any]]


def perceptron(depth: int) -> tuple[Program, list[str]]:
    """``depth`` trained layers, sigmoid between them, and the mean squared error; the parameters."""
    lines, before = [], "x[i, k0]"
    for n in range(1, depth + 1):
        lines.append(f"z{n}[i, k{n}] = sum(W{n}[k{n}, k{n - 1}]*{before}, k{n - 1}) + b{n}[k{n}]")
        before = f"z{n}[i, k{n}]"
        if n < depth:
            lines.append(f"h{n}[i, k{n}] = sigmoid({before})")
            before = f"h{n}[i, k{n}]"
    lines.append(f"L = mean(sum(({before} - y[i, k{depth}])**2, k{depth}), i)")
    found = parse_program("\n".join(lines), functions.NAMES)
    indices = frozenset(["i", *(f"k{n}" for n in range(depth + 1))])
    program = hoist(Program(tuple(Equation(line.target, line.body) for line in found), indices))
    return program, [f"{kind}{n}" for n in range(1, depth + 1) for kind in "Wb"]


def ours(program: Program, parameters: list[str]) -> Program:
    clear_cache()
    return backward(program, "L", parameters)


def written_out(depth: int) -> tuple[Any, dict[str, list[Any]]]:
    """The loss as one SymPy expression of entries, and the entries by their arrays."""
    entries = {"x": list(sp.symbols(f"x1:{WIDTH + 1}")), "y": list(sp.symbols(f"y1:{WIDTH + 1}"))}
    values = entries["x"]
    for n in range(1, depth + 1):
        weights = sp.symbols(f"W{n}_1:{WIDTH + 1}_1:{WIDTH + 1}")
        biases = sp.symbols(f"b{n}_1:{WIDTH + 1}")
        entries |= {f"W{n}": list(weights), f"b{n}": list(biases)}
        rows = [weights[k * WIDTH : (k + 1) * WIDTH] for k in range(WIDTH)]
        sums = [sum(w * v for w, v in zip(row, values, strict=True)) for row in rows]
        values = [total + bias for total, bias in zip(sums, biases, strict=True)]
        if n < depth:
            values = [1 / (1 + sp.exp(-value)) for value in values]
    return sum((v - y) ** 2 for v, y in zip(values, entries["y"], strict=True)), entries


def theirs(loss: Any, entries: dict[str, list[Any]]) -> Gradient:
    clear_cache()
    return {name: [sp.diff(loss, e) for e in group] for name, group in entries.items() if name not in "xy"}


def agree(depth: int) -> bool:
    """Whether both gradients have the same value at one point, to 20 digits."""
    dice, (loss, entries) = random.Random(1), written_out(depth)
    point = {entry: sp.Rational(dice.randint(-9, 9), 4) for group in entries.values() for entry in group}
    program, parameters = perceptron(depth)
    shapes = {name: (WIDTH, WIDTH) if name[0] == "W" else (WIDTH,) for name in parameters}
    shapes |= {"x": (1, WIDTH), "y": (1, WIDTH)}
    sizes = {"i": 1, **{f"k{n}": WIDTH for n in range(depth + 1)}}
    tape = compile_program(program + ours(program, parameters), shapes, sizes)
    values = [point[entry] for name in shapes for entry in entries[name]]
    with precision(256):
        memory = tape.bind(EXACT)([fmpq(int(value.p), int(value.q)) for value in values])
        return all(
            abs(ball(memory[tape.slots[adjoint("L", name), at]]) - arb(str(slope.subs(point).evalf(40))))
            < 1e-20
            for name, slopes in theirs(loss, entries).items()
            for at, slope in zip(positions(shapes[name]), slopes, strict=True)
        )


def positions(shape: tuple[int, ...]) -> list[tuple[int, ...]]:
    return list(itertools.product(*(range(1, extent + 1) for extent in shape)))


def possible(limit: float) -> dict[int, Callable[[], object]]:
    """SymPy's work at the depths that it can do in the time, judged by how it grows."""
    works: dict[int, Callable[[], object]] = {}
    last, growth = 0.0, 1.0
    for depth in DEPTHS:
        if last * growth > limit:
            break
        works[depth] = partial(theirs, *written_out(depth))
        taken = seconds(works[depth])
        last, growth = taken, max(taken / last if last else 4.0, 4.0)
    return works


def main(quick: bool) -> None:
    assert all(agree(depth) for depth in ((1, 2) if quick else (1, 2, 3))), "the gradients differ"
    programs = {depth: perceptron(depth) for depth in DEPTHS}
    sympy = possible(0.5 if quick else FEW_SECONDS)
    works: dict[str, Callable[[], object]] = {f"ours {d}": partial(ours, *programs[d]) for d in DEPTHS}
    works |= {f"sympy {depth}": work for depth, work in sympy.items()}
    found = medians(works, 2 if quick else 7)
    print("layers  equations  SymPy / ours  ours / ours one layer before  ms an equation")
    for depth in DEPTHS:
        taken, size = found[f"ours {depth}"], len(programs[depth][0].equations)
        ratio = f"{found[f'sympy {depth}'] / taken:.2f}" if depth in sympy else "too long"
        growth = f"{taken / found[f'ours {depth - 1}']:.2f}" if depth > 1 else ""
        print(f"{depth:6}  {size:9}  {ratio:>12}  {growth:>27}  {1000 * taken / size:14.2f}")


if __name__ == "__main__":
    main("--quick" in sys.argv[1:])
