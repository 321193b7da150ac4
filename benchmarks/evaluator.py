"""The evaluator against straight-line Python: three SGD steps of linear regression, in fractions.

Both do the same 18 operations a step with FLINT's rationals. Ours is compiled once from the three
programs and keeps every value for the page; the other is what a person would write for just this
model and just this batch size, where the factor 2/n is 1, and keeps only what the next step needs.

    python benchmarks/evaluator.py [--quick]
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from flint import fmpq
from interleaved import medians

from derivations.language.names import after
from derivations.model.example import prepare
from derivations.numbers.systems import EXACT, rational
from derivations.run.training import layout_of, schedule
from derivations.spec.spec import parse_spec

SPEC = """
title = "Linear regression"
[model]
equations = '''
yhat[i] = w*x[i] + b
L = mean((yhat[i] - y[i])**2, i)
'''
[data]
x = [1, 2, 3, 4, 5, 6]
y = [12, 14, 17, 19, 20, 23]
[parameters]
w = 0.5
b = 1
[training]
optimizer = { name = "SGD", lr = 0.01 }
batch_size = 2
"""
Result = tuple[Any, Any, list[Any]]  # w, b, the loss of every step


def ours() -> Callable[[], Result]:
    """Compile the example; the result runs its three steps."""
    example = prepare(*parse_spec(SPEC))
    tape = layout_of(example, (1, 2)).tape
    run, slots = tape.bind(EXACT), tape.slots
    place = {entry: slot for slot, entry in enumerate(tape.inputs)}
    steps = []
    for number, _, samples in schedule(example):
        known = {"lr": [example.hyper["lr"]], "t": [Fraction(number)]}
        known |= {name: list(array.take(samples, 0)) for name, array in example.data.items()}
        known |= {name: list(array.entries) for name, array in example.start.items()}
        steps.append([rational(known[name][at[0] - 1 if at else 0]) for name, at in tape.inputs])
    w, b, loss = place["w", ()], place["b", ()], slots["L", ()]
    new_w, new_b = slots[after("w"), ()], slots[after("b"), ()]

    def work() -> Result:
        state, losses = (steps[0][w], steps[0][b]), []
        for inputs in steps:
            inputs[w], inputs[b] = state
            memory = run(inputs)
            state = memory[new_w], memory[new_b]
            losses.append(memory[loss])
        steps[0][w], steps[0][b] = fmpq(1, 2), fmpq(1)
        return *state, losses

    return work


def by_hand() -> Callable[[], Result]:
    """The same arithmetic for this one model, written out."""
    batches = [tuple(map(fmpq, batch)) for batch in ((1, 2, 12, 14), (3, 4, 17, 19), (5, 6, 20, 23))]
    rate, half = fmpq(1, 100), fmpq(1, 2)

    def work() -> Result:
        w, b, losses = fmpq(1, 2), fmpq(1), []
        for x1, x2, y1, y2 in batches:
            e1 = w * x1 + b - y1
            e2 = w * x2 + b - y2
            losses.append(half * (e1 * e1 + e2 * e2))
            w, b = w - rate * (x1 * e1 + x2 * e2), b - rate * (e1 + e2)
        return w, b, losses

    return work


def repeated(work: Callable[[], Result], times: int) -> Callable[[], None]:
    def loop() -> None:
        for _ in range(times):
            work()

    return loop


def main(quick: bool) -> None:
    tape, hand = ours(), by_hand()
    assert tape() == hand(), "the two do not give the same fractions"
    times, rounds = (200, 3) if quick else (2_000, 15)
    found = medians({"tape": repeated(tape, times), "hand": repeated(hand, times)}, rounds)
    print(f"the tape takes {found['tape'] / found['hand']:.2f} times as long as Python written out by hand")
    rates = {name: f"{times / taken:,.0f}" for name, taken in found.items()}
    print(f"  (equal fractions; {rates['tape']} against {rates['hand']} runs a second)")


if __name__ == "__main__":
    main("--quick" in sys.argv[1:])
