"""What float64 makes of the published examples, in the order of the publishers' operations.

The programs are read by `tests.plain`, which shares nothing with the package.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction
from functools import cache

from flint import arb

from derivations.numbers.float64 import FLOAT64, enclose
from derivations.numbers.systems import precision, rational
from tests.plain import FLOATS, Entries, work
from tests.published.compare import example_of, trace_of
from tests.published.places import At, Place, key_of

NETWORK = """
z1[j] = b1[j] + W1[j, 1]*x[1] + W1[j, 2]*x[2]
h[j] = sigmoid(z1[j])
z2[j] = b2[j] + W2[j, 1]*h[1] + W2[j, 2]*h[2]
o[j] = sigmoid(z2[j])
delta_o[j] = (y[j] - o[j])*(o[j]*(1 - o[j]))
delta_h[j] = (W2[1, j]*delta_o[1] + W2[2, j]*delta_o[2])*(h[j]*(1 - h[j]))
new_W1[j, k] = W1[j, k] + 0.5*delta_h[j]*x[k]
new_W2[j, k] = W2[j, k] + 0.5*delta_o[j]*h[k]
new_b1[j] = b1[j] + 0.5*delta_h[j]
new_b2[j] = b2[j] + 0.5*delta_o[j]
"""
ONE_INPUT = "d[k] = w[k]*x - y[k]\nwd[k] = x*d[k]\nnew[k] = w[k] - 0.1*wd[k]"
THREE_INPUTS = "d[k] = sum(W[k, j]*x[j], j) - y[k]\nnew[k, j] = W[k, j] - 0.01*(x[j]*d[k])"
LOGISTIC = """
a[i] = sigmoid(w[1]*X[1, i] + w[2]*X[2, i] + b)
dw_full[j] = 1/3*sum(X[j, i]*(a[i] - Y[i]), i)
db_full = 1/3*sum(a[i] - Y[i], i)
cost = -1/3*sum(Y[i]*log(a[i]) + (1 - Y[i])*log(1 - a[i]), i)
"""


def start_of(spec: str) -> Entries:
    """Data and start values of a spec as float64."""
    example = example_of(spec)
    arrays = {**example.data, **example.start}.items()
    return {(name, at): float(array[at]) for name, array in arrays for at in array.positions()}


@cache
def network() -> Entries:
    """Twenty epochs over the ten rows."""
    given = start_of("brownlee-network")
    now = {entry: value for entry, value in given.items() if entry[0] not in "xy"}
    for row in list(range(1, 11)) * 20:
        sample = {(name, (k,)): given[name, (row, k)] for name in "xy" for k in (1, 2)}
        found = work(NETWORK, {**now, **sample}, {"j": 2, "k": 2}, FLOATS)
        now = {(name, at): found[f"new_{name}", at] for name, at in now}
    return found


def of_network(name: str) -> float:
    key, at = _key(name, "h", "o", "delta_h", "delta_o", "W1b", "W2b")
    if key.endswith("b"):
        return network()[f"new_b{key[1]}", at[:1]] if at[1] == 3 else network()[f"new_{key[:2]}", at]
    return float(network()[key, at])


def of_one_input(name: str) -> float:
    found = work(ONE_INPUT, start_of("trask-one-input"), {"k": 3}, FLOATS)
    key, at = _key(name, "A.w", "A.wd")
    return found[{"A.w": "new", "A.wd": "wd"}[key], at]


def of_three_inputs(name: str) -> float:
    found = work(THREE_INPUTS, start_of("trask-three-inputs"), {"k": 3, "j": 3}, FLOATS)
    return found["new", _key(name, "B.W")[1]]


def of_logistic(name: str) -> float:
    found = work(LOGISTIC, start_of("ng-logistic"), {"i": 3, "j": 2}, FLOATS)
    return float(found[_key(name, "dw_full", "db_full", "cost")])


def _key(name: str, *known: str) -> tuple[str, At]:
    key = key_of(dict.fromkeys(known), name)
    assert key is not None
    return key


FLOAT_PROGRAMS: Mapping[str, Callable[[str], float]] = {
    "brownlee-network": of_network,
    "trask-one-input": of_one_input,
    "trask-three-inputs": of_three_inputs,
    "ng-logistic": of_logistic,
}


def enclosed(place: Place, indices: At, printed: str) -> bool:
    """Whether a string lies in the proved enclosure of any float64 evaluation of a single step."""
    with precision(128):
        trace = trace_of(place.spec)
        (step,) = trace.steps
        tape = step.layout.tape
        bounds = tape.bind(FLOAT64)([enclose(value) for value in step.memory[: len(tape.inputs)]])
        around = replace(step, memory=tuple(bound.settled() for bound in bounds))
        found = place.read(replace(trace, steps=(around,)), indices)
        assert found.rad() <= abs(found.mid()) * arb("1e-10"), (found, place.spec)
        return bool(found.contains(arb(rational(Fraction(printed)))))
