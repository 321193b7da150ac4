"""Distances in ulp, and enclosures that hold whatever a float64 evaluation gives."""

from __future__ import annotations

import math
import random
from fractions import Fraction

import numpy as np
import pytest
import torch
from flint import arb
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from derivations.catalogue import functions
from derivations.catalogue.functions import Function
from derivations.language.errors import ArithmeticFault
from derivations.language.parser import parse, parse_program
from derivations.language.program import Equation, Program
from derivations.language.tree import Ref
from derivations.numbers.compile import compile_program
from derivations.numbers.float64 import FLOAT64, Enclosure, enclose, nearest_float, ulps_between
from derivations.numbers.systems import Undecided, precision, rational
from tests.plain import FLOATS, TENSORS, value, work
from tests.strategies import POINTWISE, RATIONAL, SMOOTH, Model, formulas, models

SMALLEST, LARGEST = math.ulp(0.0), 1.7976931348623157e308


# --- distances -------------------------------------------------------------------------------------


def walk(start: float, steps: int) -> float:
    """The float64 that many neighbours above (below for negative steps)."""
    for _ in range(abs(steps)):
        start = math.nextafter(start, math.copysign(math.inf, steps))
    return start


finite = st.floats(allow_nan=False, allow_infinity=False)
near_borders = st.builds(
    lambda exponent, steps, sign: sign * walk(math.ldexp(1.0, exponent), steps),
    st.integers(-1074, 1023),
    st.integers(-40, 40),
    st.sampled_from((1.0, -1.0)),
)


@settings(max_examples=300)
@given(finite | near_borders, st.integers(-40, 40))
@example(0.0, 1)
@example(-0.0, 1)
@example(SMALLEST * 20, -40)  # across zero
@example(2.0**-1022, -3)  # from normal to subnormal numbers
@example(1.0, -1)
@example(LARGEST, -5)
def test_ulps_count_the_steps_of_a_walk(start: float, steps: int) -> None:
    end = walk(start, steps)
    assume(math.isfinite(end))
    assert ulps_between(start, end) == ulps_between(end, start) == abs(steps)


@given(finite, finite, finite)
def test_ulps_are_a_distance(a: float, b: float, c: float) -> None:
    low, middle, high = sorted((a, b, c))
    assert ulps_between(low, middle) + ulps_between(middle, high) == ulps_between(low, high)


def test_the_two_zeros_are_one_number() -> None:
    assert ulps_between(0.0, -0.0) == 0
    assert ulps_between(-SMALLEST, SMALLEST) == 2


@given(st.fractions() | finite.map(Fraction))
def test_the_nearest_float_is_nearest(number: Fraction) -> None:
    found = nearest_float(rational(number))
    assert (
        found == number.numerator / number.denominator
    )  # Python's division of integers is exact to half an ulp
    for other in (walk(found, 1), walk(found, -1)):
        if math.isfinite(other):
            assert abs(Fraction(found) - number) <= abs(Fraction(other) - number)
    with precision(200):
        assert nearest_float(arb(rational(number).p) / arb(rational(number).q)) == found


# --- enclosures ------------------------------------------------------------------------------------


def holds(bound: Enclosure, number: float) -> bool:
    return bool(bound.settled().contains(arb(number)))


def enclosed(written: str, known: dict[str, Fraction]) -> Enclosure:
    """The enclosure of a formula over single numbers."""
    program = Program((Equation(Ref("L"), parse(written, functions.NAMES)),), frozenset())
    tape = compile_program(program, dict.fromkeys(known, ()), {})
    memory = tape.bind(FLOAT64)([enclose(rational(number)) for number in known.values()])
    return memory[tape.slots["L", ()]]


numbers = st.builds(Fraction, st.integers(-(10**6), 10**6), st.integers(1, 10**4))


@given(st.fractions() | finite.map(Fraction))
def test_a_rounded_input_lies_in_its_enclosure(number: Fraction) -> None:
    assume(abs(number) < Fraction(LARGEST))
    with precision(128):
        assert holds(enclose(rational(number)), float(number))
        assert holds(FLOAT64.number(number), float(number))


@pytest.mark.slow
@settings(max_examples=300)
@given(formulas(("a", "b", "c"), 8), st.tuples(numbers, numbers, numbers))
def test_an_enclosure_holds_pythons_and_torchs_and_numpys_value(
    written: str, given_: tuple[Fraction, Fraction, Fraction]
) -> None:
    known = dict(zip("abc", given_, strict=True))
    floats = {(name, ()): float(number) for name, number in known.items()}
    try:
        with precision(128):
            bound = enclosed(written, known)
        python = value(written, floats, FLOATS)
    except (ArithmeticFault, Undecided, ZeroDivisionError, OverflowError):
        assume(False)
    tensors = {entry: torch.tensor(number, dtype=torch.float64) for entry, number in floats.items()}
    numpys = {entry: np.float64(number) for entry, number in floats.items()}
    found = [python, float(value(written, tensors, TENSORS)), float(value(written, numpys, FLOATS))]
    assume(all(map(math.isfinite, found)))
    with precision(128):
        assert all(holds(bound, number) for number in found)


@pytest.mark.slow
@settings(max_examples=100)
@given(models((*RATIONAL, *SMOOTH)))
def test_enclosures_of_random_programs_hold_every_value_of_torch(model: Model) -> None:
    tape = compile_program(model.program, model.shapes, model.sizes)
    with precision(128):
        try:
            memory = tape.bind(FLOAT64)([enclose(rational(entry)) for entry in model.inputs])
        except Undecided:
            assume(False)
        theirs = work(model.equations, model.entries(TENSORS), model.sizes, TENSORS)
        for entry, tensor in theirs.items():
            assert holds(memory[tape.slots[entry]], float(tensor)), entry


@settings(max_examples=100)
@given(
    st.lists(numbers | finite.filter(lambda x: abs(x) < 1e300).map(Fraction), min_size=2, max_size=40),
    st.randoms(),
)
def test_an_enclosed_sum_holds_the_sum_in_any_order(terms: list[Fraction], order: random.Random) -> None:
    known = {f"a{n}": term for n, term in enumerate(terms)}
    floats = [float(term) for term in terms]
    with precision(128):
        bound = enclosed(" + ".join(known), known)
        mean = enclosed(f"({' + '.join(known)})/{len(terms)}", known)
        for _ in range(5):
            order.shuffle(floats)
            array = np.array(floats)
            sums = [sum(floats), math.fsum(floats), float(array.sum()), pairwise(floats)]
            sums.append(float(torch.tensor(floats, dtype=torch.float64).sum()))
            assert all(holds(bound, number) for number in sums)
            means = [number / len(floats) for number in sums] + [
                sums[0] * (1 / len(floats)),
                float(array.mean()),
            ]
            means.append(float(torch.tensor(floats, dtype=torch.float64).mean()))
            assert all(holds(mean, number) for number in means)


def pairwise(numbers: list[float]) -> float:
    if len(numbers) == 1:
        return numbers[0]
    half = len(numbers) // 2
    return pairwise(numbers[:half]) + pairwise(numbers[half:])


@given(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=20))
def test_an_enclosed_dot_product_holds_blas(pairs: list[tuple[Fraction, Fraction]]) -> None:
    known = {f"{name}{n}": pair[at] for n, pair in enumerate(pairs) for at, name in enumerate("ab")}
    with precision(128):
        bound = enclosed(" + ".join(f"a{n}*b{n}" for n in range(len(pairs))), known)
        a, b = (np.array([float(pair[at]) for pair in pairs]) for at in (0, 1))
        for number in (a @ b, float(torch.from_numpy(a) @ torch.from_numpy(b)), math.fsum(a * b)):
            assert holds(bound, float(number))


@pytest.mark.few(4)
@pytest.mark.parametrize("row", POINTWISE, ids=lambda row: row.name)
@given(x=st.floats(-30, 30), y=st.floats(-30, 30), number=st.floats(-2, 2))
def test_an_enclosed_function_holds_torchs_value(row: Function, x: float, y: float, number: float) -> None:
    pair = iter((x, y))
    operands = {name: next(pair) for name in row.arguments if name in row.all_slopes}
    others = [name for name in row.arguments if name not in operands]
    limits = dict(zip(others, (abs(number) + 0.1, abs(number) + 1.5), strict=False))
    known = {name: {**operands, **limits}[name] for name in row.arguments}
    tensors = {name: torch.tensor(value, dtype=torch.float64) for name, value in operands.items()}
    code = functions.torch_expression(row, row.arguments)
    theirs = float(eval(code, {"torch": torch}, known | tensors))
    assume(math.isfinite(theirs))
    try:
        with precision(128):
            called = f"{row.name}({', '.join(row.arguments)})" if row.arguments else row.name
            assert holds(enclosed(called, {name: Fraction(value) for name, value in known.items()}), theirs)
    except (Undecided, ArithmeticFault):
        assert row.domain
        assert x == 0


def test_enclosures_are_not_so_wide_that_they_hold_everything() -> None:
    """A few operations on numbers of one size cost a few ulp; the bound must not be much larger."""
    with precision(128):
        known = {"a": Fraction(1, 3), "b": Fraction(2, 7), "c": Fraction(5, 11)}
        for written in ("a*b + c", "(a + b + c)/3", "sigmoid(a)*b", "(a - b)**2 + c"):
            bound = enclosed(written, known).settled()
            assert float(bound.rad()) < 25 * 2**-53
        assert enclosed("a*b", {"a": Fraction(0), "b": Fraction(3)}).settled().is_zero()


@pytest.mark.parametrize("written", ["0.1*0.3*a", "a/(0.7*0.3)", "(0.1 + 0.2)*0.3*a*b", "1/3*0.3*a - 2/3"])
@given(a=numbers, b=numbers)
def test_constants_that_the_tape_has_folded(written: str, a: Fraction, b: Fraction) -> None:
    with precision(128):
        bound = enclosed(written, {"a": a, "b": b})
        assert holds(bound, value(written, {("a", ()): float(a), ("b", ()): float(b)}, FLOATS))


def test_a_kink_holds_both_sides_but_an_exact_zero_only_one() -> None:
    """0.3*1 - 0.3 may come out a little above or below 0; 0*1 may not."""
    with precision(128):
        near = enclosed("step(a*b - c)", {"a": Fraction("0.3"), "b": Fraction(1), "c": Fraction("0.3")})
        assert holds(near, 0.0)
        assert holds(near, 1.0)
        exact = enclosed("step(a*b)", {"a": Fraction(0), "b": Fraction(1)})
        assert holds(exact, 0.0)
        assert not holds(exact, 1.0)
        size = enclosed("abs(a*b - c)", {"a": Fraction("0.3"), "b": Fraction(1), "c": Fraction("0.3")})
        assert holds(size, 0.0)
        assert float(size.settled().rad()) < 1e-15


def test_the_root_of_what_is_zero_but_for_rounding() -> None:
    """The variance of equal numbers: float64 may find a little more than 0, never less."""
    with precision(128):
        known = {"a": Fraction("0.1"), "b": Fraction("0.3")}
        bound = enclosed("sqrt((3*a - b)**2)", known)
        assert holds(bound, math.sqrt((3 * 0.1 - 0.3) ** 2))
        assert holds(bound, 0.0)
        assert float(bound.settled().rad()) < 1e-14


def test_a_program_of_several_lines() -> None:
    lines = parse_program("s = a + b\nL = s*s - a*a")
    program = Program(tuple(Equation(line.target, line.body) for line in lines), frozenset())
    tape = compile_program(program, {"a": (), "b": ()}, {})
    with precision(128):
        memory = tape.bind(FLOAT64)([enclose(rational(Fraction(n))) for n in ("1e8", "1e-8")])
        assert holds(memory[tape.slots["L", ()]], (1e8 + 1e-8) * (1e8 + 1e-8) - 1e8 * 1e8)
        assert holds(memory[tape.slots["L", ()]], 2.0)  # what it is in exact arithmetic, but for 1e-16
