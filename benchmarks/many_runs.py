"""Many verified runs of one structure against bare exact runs; ten thousand variants of a step in one pass.

A hundred learning rates of the linear example go through one session: its derivation is proved once, the
exact runs share one tape, and torch verifies all of them as one batch. A bare run is `train` alone, which
nobody checked. The second part puts a step of 1,000 and of 10,000 start values through one pass of the tape,
exactly and as enclosures of float64; memory and time should grow tenfold.

    python benchmarks/many_runs.py [--quick]
"""

from __future__ import annotations

import random
import sys
import tracemalloc
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np
from flint import fmpq
from interleaved import medians

import derivations
from derivations.numbers.systems import EXACT
from derivations.numbers.variants import FLOAT64_ARRAYS, enclose_all, over_arrays
from derivations.run.training import layout_of, train

RATES = [Fraction(k, 1_000) for k in range(1, 101)]
FEW, MANY, MOST = 1_000, 10_000, 3.0


def hundred_rates(rounds: int) -> float:
    """How many times as long verified runs take as bare ones."""
    session = derivations.session("linear-regression")
    examples = [run.variant.example for run in session.many(lr=RATES)]

    def bare() -> None:
        for example in examples:
            train(example)

    found = medians({"many": lambda: session.many(lr=RATES), "bare": bare}, rounds)
    return found["many"] / found["bare"]


def passes(count: int) -> dict[str, Callable[[], Any]]:
    """A step of so many variants of w, in one pass of its tape."""
    example = derivations.session("linear-regression").example
    tape, dice = layout_of(example, (1, 2)).tape, random.Random(1)
    step = train(example).steps[0]
    drawn = [fmpq(dice.randint(-900, 900), 7) for _ in range(count)]
    column = np.empty(count, dtype=object)
    column[:] = drawn
    known = [[step.memory[slot]] for slot in range(len(tape.inputs))]
    place = tape.inputs.index(("w", ()))
    exact = [column if slot == place else values[0] for slot, values in enumerate(known)]
    floats = [enclose_all(drawn if slot == place else values) for slot, values in enumerate(known)]
    return {
        "exact": partial(tape.bind(over_arrays(EXACT)), exact),
        "float64": partial(tape.bind(FLOAT64_ARRAYS), floats),
    }


def peak(work: Callable[[], Any]) -> int:
    """The most bytes that a work holds at once."""
    tracemalloc.start()
    work()
    found = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return found


def main(quick: bool) -> None:
    rounds = 3 if quick else 9
    ratio = hundred_rates(rounds)
    print(
        f"100 learning rates, verified by torch in one batch / bare exact runs: {ratio:.2f} (limit {MOST:g})"
    )
    few, many = passes(FEW), passes(MANY)
    works = {f"{name} {FEW}": work for name, work in few.items()}
    times = medians(works | {f"{name} {MANY}": work for name, work in many.items()}, rounds)
    for name in few:
        growth = times[f"{name} {MANY}"] / times[f"{name} {FEW}"]
        memory = peak(many[name]) / peak(few[name])
        print(
            f"10,000 variants of a step / 1,000, {name}: time {growth:.1f}, memory {memory:.1f}"
            f" ({1000 * times[f'{name} {MANY}']:.0f} ms)"
        )


if __name__ == "__main__":
    main("--quick" in sys.argv[1:])
