"""Number systems over arrays: each variant exactly as alone, and intervals that hold what float64 makes."""

from __future__ import annotations

import random
import tracemalloc
from fractions import Fraction

import numpy as np
import pytest
from flint import arb, fmpq

from derivations.numbers.float64 import FLOAT64, enclose, nearest_float
from derivations.numbers.systems import EXACT, Undecided, precision, rational, rounded
from derivations.numbers.variants import FLOAT64_ARRAYS, Enclosures, enclose_all, over_arrays
from tests.numbers.test_tape import taped

FORMULAS = (
    "L = w*w + 3*w - 1/7",
    "L = (w + 1)**5/(w*w + 2)",
    "L = exp(-w)*tanh(w) + sigmoid(w)",
    "L = relu(w - 1) + abs(w)",
    "L = sqrt(w*w + 1) - w/3 + w - 1e6*w + 1e6*w",
)
POINTS = [Fraction(k, 7) for k in range(-12, 13)]


def column(values: list[fmpq]) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
    found = np.empty(len(values), dtype=object)
    found[:] = values
    return found


@pytest.mark.parametrize("source", FORMULAS)
@pytest.mark.parametrize("system", [EXACT, rounded(3)], ids=["exact", "carried"])
def test_every_variant_is_worked_as_alone(source: str, system: object) -> None:
    tape, _ = taped(source, w="1")
    values = [rational(point) for point in POINTS]
    with precision(128):
        together = tape.bind(over_arrays(system))([column(values)])[tape.slots["L", ()]]  # type: ignore[arg-type]
        for value, found in zip(values, together, strict=True):
            alone = tape.bind(system)([value])[tape.slots["L", ()]]  # type: ignore[arg-type]
            assert str(found) == str(alone)
            assert type(found) is type(alone)


@pytest.mark.parametrize("source", FORMULAS)
def test_intervals_hold_the_exact_values_and_no_more_than_needed(source: str) -> None:
    """Against the balls of one variant at a time: the same middle, and at most three times as wide."""
    tape, _ = taped(source, w="1")
    values = [rational(point) for point in POINTS]
    with precision(128):
        found = tape.bind(FLOAT64_ARRAYS)([enclose_all(values)])[tape.slots["L", ()]]
        for place, value in enumerate(values):
            exact = tape.bind(EXACT)([value])[tape.slots["L", ()]]
            alone = tape.bind(FLOAT64)([enclose(value)])[tape.slots["L", ()]].settled()
            middle, room = found.middle[place], found.room[place]
            assert abs(exact - arb(middle)) <= arb(room) if isinstance(exact, arb) else True
            assert bool(found.holds(np.array([nearest_float(exact)] * len(values)))[place])
            assert alone.overlaps(arb(middle, room))
            if value.q > 1:  # whole numbers are told apart only where all variants have them
                assert room <= 3 * float(alone.rad())


def test_what_numpy_makes_of_a_formula_lies_inside_however_it_is_added() -> None:
    dice = random.Random(3)
    texts = {name: [dice.randint(-999, 999) for _ in range(40)] for name in "abcde"}
    tape, _ = taped("L = (a + b + c + d + e)*a - b*c/7 + d*d", **dict.fromkeys("abcde", "1"))
    given = [enclose_all([fmpq(value, 13) for value in texts[name]]) for name in "abcde"]
    bound = tape.bind(FLOAT64_ARRAYS)(given)[tape.slots["L", ()]]
    a, b, c, d, e = (np.array(texts[name]) / 13 for name in "abcde")
    for total in (a + b + c + d + e, e + (d + (c + (b + a))), (a + e) + (b + d) + c):
        assert bound.holds(total * a - b * c / 7 + d * d).all()
        assert bound.holds(d * d + (total * a - c * b * (1 / 7))).all()
    assert not bound.holds((a + b + c + d + e) * a * (1 + 1e-12) - b * c / 7 + d * d).all()


def test_whole_numbers_have_no_room_at_all() -> None:
    found = FLOAT64_ARRAYS.mul(enclose_all([fmpq(3), fmpq(5)]), enclose_all([fmpq(7)]))
    assert found.room.tolist() == [0, 0]
    assert found.holds(np.array([21.0, 35.0])).tolist() == [True, True]
    assert found.holds(np.array([np.nextafter(21, 22), np.nan])).tolist() == [True, False]


def test_a_divisor_that_may_be_zero_is_undecided() -> None:
    one, zero = enclose_all([fmpq(1), fmpq(1)]), Enclosures(np.zeros(2), np.full(2, 1e-9), np.ones(2))
    with pytest.raises(Undecided):
        FLOAT64_ARRAYS.div(one, zero)


def test_memory_grows_with_the_number_of_variants_and_no_faster() -> None:
    tape, _ = taped("L = (w*w + 3*w)*(w - 1)", w="1")

    def peak(count: int) -> int:
        values = enclose_all([fmpq(k, 7) for k in range(count)])
        tracemalloc.start()
        tape.bind(FLOAT64_ARRAYS)([values])
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak(10)
    assert peak(20_000) < 12 * peak(2_000)
