"""Affine forms hold the value at every point inside, and know what two values have in common."""

from __future__ import annotations

import random
from fractions import Fraction
from typing import Any

import pytest
from flint import fmpq
from hypothesis import given, settings
from hypothesis import strategies as st

import derivations
from derivations.catalogue import functions
from derivations.language.errors import ArithmeticFault
from derivations.numbers.affine import affine, range_of, sources_of
from derivations.numbers.between import Between, ends, freely_rounded, roundings
from derivations.numbers.systems import EXACT, NumberSystem, Undecided, precision, rational
from derivations.numbers.walker import operation_of
from derivations.page import opened
from derivations.run.training import train

KEYS = [name for name, row in functions.BY_NAME.items() if len(row.arguments) == 1 and not row.over]
CHAIN = st.lists(
    st.tuples(
        st.sampled_from(["add", "sub", "mul", "div", "max", "min", "power", *KEYS]),
        st.integers(0, 7),
        st.integers(0, 7),
    ),
    min_size=2,
    max_size=8,
)
GIVEN = st.lists(st.fractions(-3, 3, max_denominator=50), min_size=3, max_size=3)


def wavering(seed: int, places: int) -> NumberSystem:
    """A student who decides anew at every operation; the middle of a ball, where something is irrational."""
    rng = random.Random(seed)

    def after(operation: Any) -> Any:
        def work(*operands: Any) -> Any:
            value = operation(*operands)
            value = value if isinstance(value, fmpq) else value.mid().fmpq()
            return rng.choice([value, *roundings(value, places)])

        return work

    parts = map(after, (EXACT.add, EXACT.sub, EXACT.mul, EXACT.div, EXACT.power))
    return NumberSystem(f"wavering {seed}", rational, *parts, lambda _, function: after(function))


def worked(system: NumberSystem, given: list[Any], chain: list[tuple[str, int, int]]) -> list[Any]:
    memory = list(given)
    for name, a, b in chain:
        memory.append(operation_of(name, system)(memory[a % len(memory)], memory[b % len(memory)]))
    return memory


@settings(max_examples=150)
@given(given=GIVEN, chain=CHAIN, places=st.integers(0, 3))
def test_whoever_decides_at_random_lands_inside(given: list[Fraction], chain: Any, places: int) -> None:
    values = [rational(value) for value in given]
    with precision(128):
        try:
            forms = worked(affine(places), values, chain)
        except (ArithmeticFault, Undecided):
            return
        for seed in range(6):
            for form, value in zip(forms, worked(wavering(seed, places), values, chain), strict=True):
                low, high = ends(range_of(form))
                room = fmpq(1, 2**90) * (1 + abs(value))
                assert low - room <= value <= high + room


def rounded_once() -> Any:
    """A third, kept or rounded to one place."""
    return affine(1).div(fmpq(1), fmpq(3))


def test_what_two_values_have_in_common_cancels() -> None:
    """x - x**2/2 over x and its own square: first order terms meet, intervals alone do not see it."""
    third = rounded_once()
    system = affine(9)
    twice = system.sub(system.mul(third, fmpq(5)), system.mul(third, fmpq(4)))
    (low, high), (least, most) = ends(range_of(third)), ends(range_of(twice))
    assert (low, high) == (fmpq(3, 10), fmpq(1, 3))
    assert most - least <= (high - low) * fmpq(1001, 1000)
    plain = freely_rounded(9)
    wide = ends(plain.sub(plain.mul(Between(low, high), fmpq(5)), plain.mul(Between(low, high), fmpq(4))))
    assert wide[1] - wide[0] >= 8 * (high - low)


def test_a_value_is_divided_by_itself() -> None:
    third = rounded_once()
    assert range_of(affine(9).div(third, third)) == 1
    assert range_of(affine(9).sub(third, third)) == 0
    assert sources_of(fmpq(1)) == {}


def test_the_form_of_a_square_holds_it_by_itself() -> None:
    """From the middle as far as all sources reach, without the interval that is known besides."""
    system, third = affine(9), rounded_once()
    square = system.mul(third, third)
    reach = sum(map(abs, square.parts.values()), fmpq(0))
    for end in ends(range_of(third)):
        assert square.middle - reach <= end**2 <= square.middle + reach


@pytest.mark.parametrize("name", ["optimizer-muon", "layer-norm", "gru-step"])
def test_it_is_never_wider_than_intervals_alone(name: str) -> None:
    step = train(derivations.Session(*opened(name)).example).steps[0]
    tape, places = step.layout.tape, 4
    given = list(step.memory[: len(tape.inputs)])
    with precision(128):
        forms, alone = (tape.bind(system)(given) for system in (affine(places), freely_rounded(places)))
    for form, interval in zip(forms, alone, strict=True):
        (low, high), (least, most) = ends(range_of(form)), ends(interval)
        assert least <= low <= high <= most
