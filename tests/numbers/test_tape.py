"""The evaluator against a plain reading of the same equations, and its faults."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import flint
import pytest
from flint import arb, fmpq
from hypothesis import example, given, settings

from derivations.catalogue import functions
from derivations.language.errors import ArithmeticFault, DerivationsError, LanguageError
from derivations.language.parser import parse_program
from derivations.language.program import Equation, Program, hoist
from derivations.language.ranges import sizes_of
from derivations.numbers.compile import compile_program
from derivations.numbers.systems import EXACT, Undecided, fraction, precision, rational, rounded
from derivations.numbers.tape import Entry, Tape
from tests.plain import FRACTIONS, work
from tests.strategies import RATIONAL, Model, Quantity, models, positions


def program_of(source: str, letters: str = "") -> Program:
    lines = parse_program(source, functions.NAMES)
    return hoist(Program(tuple(Equation(line.target, line.body) for line in lines), frozenset(letters)))


def taped(source: str, **given: list[str] | str) -> tuple[Tape, list[fmpq]]:
    """The tape of equations over numbers and vectors (along ``i``), and its input values."""
    shapes = {name: (len(v),) if isinstance(v, list) else () for name, v in given.items()}
    size = next((shape[0] for shape in shapes.values() if shape), 1)
    flat = [entry for v in given.values() for entry in (v if isinstance(v, list) else [v])]
    return compile_program(program_of(source, "i"), shapes, {"i": size}), [
        rational(Fraction(v)) for v in flat
    ]


def ran(source: str, entry: Entry = ("L", ()), **given: list[str] | str) -> object:
    tape, values = taped(source, **given)
    return tape.bind(EXACT)(values)[tape.slots[entry]]


# --- values --------------------------------------------------------------------------------------


def assert_same_values(model: Model) -> None:
    tape = compile_program(model.program, model.shapes, model.sizes)
    memory = tape.bind(EXACT)([rational(entry) for entry in model.inputs])
    expected = work(model.equations, model.entries(FRACTIONS), model.sizes, FRACTIONS)
    found = {entry: fraction(memory[slot]) for entry, slot in tape.slots.items() if entry in expected}
    assert found == expected


SHADOWED = Model(
    "h[i] = x[i]*sum(x[i]*w, i) - mean(x[i], i)\nL = sum(x[i]*sum(y[i], i)*h[i], i)",
    (
        Quantity("x", ("i",), (Fraction(1), Fraction(2))),
        Quantity("y", ("i",), (Fraction(3), Fraction(4))),
    ),
    (Quantity("w", (), (Fraction(1, 2),)),),
    {"i": 2},
)


@pytest.mark.slow
@settings(max_examples=200)
@given(models(RATIONAL))
@example(SHADOWED)
def test_values_are_those_of_a_plain_reading(model: Model) -> None:
    assert_same_values(model)


def test_a_letter_that_is_summed_inside_does_not_capture_the_one_outside() -> None:
    # x = (1, 2), y = (3, 4): Σx Σy = 3*7; with the inner letter captured it would be 2 Σxy = 22
    assert ran("L = sum(x[i]*sum(y[i], i), i)", x=["1", "2"], y=["3", "4"]) == 21


@pytest.mark.parametrize(
    ("source", "sizes"),
    [
        # Each index of a computed array has the range of that array.
        ("h[i] = w*x[i]\nL = sum(h[k]**2, k)", {"i": 3, "k": 3}),
        (
            "h[i, j] = x[i]*y[j]\ng[k] = sum(h[k, m], m)\nL = sum(g[n], n)",
            {"i": 3, "j": 2, "k": 3, "m": 2, "n": 3},
        ),
    ],
)
def test_ranges_of_indices_are_inferred_through_computed_arrays(source: str, sizes: dict[str, int]) -> None:
    assert sizes_of(program_of(source, "ijkmn"), {"x": (3,), "y": (2,), "w": ()}) == sizes


@pytest.mark.slow
@settings(max_examples=50)
@given(models(RATIONAL))
def test_a_repeated_operation_is_done_once_and_changes_no_value(model: Model) -> None:
    body = model.equations.splitlines()[-1].removeprefix("L = ")
    twice = Model(f"{model.equations}\nM = {body}", model.data, model.parameters, model.sizes)
    assert_same_values(twice)
    sizes = [len(compile_program(m.program, m.shapes, m.sizes).operations) for m in (model, twice)]
    assert sizes[0] == sizes[1]


def test_work_that_is_known_beforehand_is_not_on_the_tape() -> None:
    tape, _ = taped("L = 1*w*(2*3 - 5)", w="7")  # (2*3 - 5) is 1, and 1*w is w
    assert tape.operations == ()
    assert ran("L = 1*w*(2*3 - 5)", w="7") == 7
    assert ran("L = count(i)*w", w="7", x=["1", "2"]) == 14
    assert ran("L = 2**10*w", w="1") == 1024


def test_indices_count_as_numbers() -> None:
    assert ran("L = sum(i*x[i], i)", x=["5", "7", "11"]) == 5 + 14 + 33


def test_entries_named_by_index_expressions_accumulate() -> None:
    equations = (
        *program_of("d[i] = x[i]", "i"),
        *program_of("d[i + 1] = 10*x[i]", "i"),
    )
    tape = compile_program(Program(equations, frozenset("i")), {"x": (2,)}, {"i": 2})
    memory = tape.bind(EXACT)([fmpq(1), fmpq(2)])
    # d = (1, 2) + 10*(0, 1, 2)
    assert [memory[tape.slots["d", (n,)]] for n in (1, 2, 3)] == [1, 12, 20]


# --- faults --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "entry"),
    [
        ("z = 1\nL = z/w", "L"),
        ("z[i] = x[i]/(x[i] - 2)\nL = sum(z[i], i)", "z[2]"),
        ("z[i] = (x[i] - 3)**-1\nL = sum(z[i], i)", "z[3]"),
        ("L = 1/(2 - 2)", "L"),
        ("z[i] = x[i]\nL = sum(1/(z[i] - 1), i)", "L"),
    ],
)
def test_division_by_zero_names_the_entry(source: str, entry: str) -> None:
    with pytest.raises(ArithmeticFault, match="division by zero") as caught:
        ran(source, w="0", x=["1", "2", "3"])
    assert caught.value.message == f"{entry}: division by zero"


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("L = log(w)", "L: the logarithm of -2"),
        ("L = log(w + 2)", "L: the logarithm of 0"),
        ("L = sqrt(w)", "L: the square root of -2"),
        ("L = w**0.5", "L: the square root of -2"),
        ("L = w**0.3", "L: the logarithm of -2"),
        ("L = exp(exp(exp(9)))*w", "too large"),
        ("L = w**(9**9)", "exponent 387420489 is too large"),
        ("L = 9**9**9", "too large"),
    ],
)
def test_values_that_do_not_exist_are_faults(source: str, what: str) -> None:
    with precision(128), pytest.raises(ArithmeticFault) as caught:
        ran(source, w="-2")
    assert what in caught.value.message


@pytest.mark.slow
def test_what_cannot_be_unrolled_is_refused_in_our_own_words() -> None:
    with pytest.raises(LanguageError, match=r"x\[4\] does not exist: x has shape"):
        ran("L = sum(x[i + 1], i)", x=["1", "2", "3"])
    with pytest.raises(LanguageError, match="whole number"):
        ran("L = sum(x[i/2], i)", x=["1", "2", "3"])
    with pytest.raises(ArithmeticFault, match="200000 operations"):
        compile_program(
            program_of("L = sum(sum(x[i]*x[j]*w, i), j)", "ij"), {"x": (500,), "w": ()}, {"i": 500, "j": 500}
        )


# --- balls ---------------------------------------------------------------------------------------

ROOT = "1.4142135623730950488016887242096980785696718753769480731766797"  # √2 cut off after 61 places
BELOW_ROOT = ROOT[:52]  # √2 - BELOW_ROOT is positive, about 8e-51: seen with 256 bits, not with 64


def test_the_root_of_two_is_what_the_tests_think() -> None:
    low, high = Fraction(ROOT), Fraction(ROOT) + Fraction(1, 10**61)
    assert low**2 < 2 < high**2
    assert Fraction(1, 10**51) < low - Fraction(BELOW_ROOT) < Fraction(1, 10**50)


@pytest.mark.parametrize(
    ("source", "check"),
    [
        ("L = sign(sqrt(2) - w)", lambda v: v == 1),
        ("L = sign(w - sqrt(2))", lambda v: v == -1),
        ("L = step(sqrt(2) - w)", lambda v: v == 1),
        ("L = step(w - sqrt(2))", lambda v: v == 0),
        ("L = relu(sqrt(2) - w)", lambda v: arb("8e-51") < v < arb("9e-51")),
        ("L = abs(w - sqrt(2))", lambda v: arb("8e-51") < v < arb("9e-51")),
        ("L = 1/(sqrt(2) - w)", lambda v: arb("1e50") < v < arb("2e50")),
        ("L = (sqrt(2) - w)**-1", lambda v: arb("1e50") < v < arb("2e50")),
        ("L = log(sqrt(2) - w)", lambda v: arb(-116) < v < arb(-115)),  # ln 8e-51 = 2.08 - 51*2.3026
        ("L = sqrt(sqrt(2) - w)", lambda v: arb("8e-26") < v < arb("1e-25")),
    ],
)
def test_what_a_ball_cannot_decide_is_undecided_until_there_are_bits_enough(
    source: str, check: Callable[[object], bool]
) -> None:
    with precision(64), pytest.raises(Undecided):
        ran(source, w=BELOW_ROOT)
    with precision(256):
        assert check(ran(source, w=BELOW_ROOT))


def test_zero_that_is_only_known_as_a_ball_stays_undecided() -> None:
    for bits in (64, 1024):
        with precision(bits), pytest.raises(Undecided):
            ran("L = sign(sqrt(w)**2 - 2)", w="2")


def test_exact_values_stay_exact_and_precision_is_put_back() -> None:
    before = flint.ctx.prec
    with precision(77):
        assert flint.ctx.prec == 77
        assert ran("L = sqrt(w)", w="9/4") == fmpq(3, 2)
        assert ran("L = w**0.5", w="9/4") == fmpq(3, 2)
        assert ran("L = exp(w - w) + log(w/w) + sigmoid(w - w) + tanh(w - w)", w="3") == fmpq(3, 2)
        assert isinstance(ran("L = sqrt(w)", w="2"), arb)
    assert flint.ctx.prec == before


@pytest.mark.parametrize(
    ("w", "expected"), [("-3", (3, 0, -1, 0)), ("0", (0, 0, 0, 0)), ("2/7", ("2/7", "2/7", 1, 1))]
)
def test_kinks_and_both_sides_of_them(w: str, expected: tuple[object, ...]) -> None:
    found = [ran(f"L = {name}(w)", w=w) for name in ("abs", "relu", "sign", "step")]
    assert [fraction(value) for value in found] == [Fraction(value) for value in expected]


def test_balls_hold_what_mpmath_says() -> None:
    from mpmath import mp

    mp.prec = 300
    points = ["-40", "-3/2", "1/3", "7", "40"]
    rows = {"exp": mp.exp, "tanh": mp.tanh, "sigmoid": lambda x: 1 / (1 + mp.exp(-x))}
    for name, theirs in rows.items():
        for point in points:
            with precision(128):
                ours = ran(f"L = {name}(w)", w=point)
            value = Fraction(point)
            distance = abs(
                mp.mpf(str(ours.mid().str(60, radius=False)))
                - theirs(mp.mpf(value.numerator) / value.denominator)
            )
            assert distance <= mp.mpf(10) ** -34 * max(
                1, abs(theirs(mp.mpf(value.numerator) / value.denominator))
            )


# --- a calculator's rounding ----------------------------------------------------------------------


def test_carried_rounding_is_that_of_a_pupil() -> None:
    # 1/3 -> 0.33; 0.33*2.5 = 0.825 -> 0.83 (half up); 0.83 - 1 = -0.17; (-0.17)**2 = 0.0289 -> 0.03
    tape, values = taped("a = w/3\nb = a*2.5\nc = b - w\nL = c**2", w="1")
    memory = tape.bind(rounded(2))(values)
    shown = [fraction(memory[tape.slots[name, ()]]) for name in ("a", "b", "c", "L")]
    assert shown == [Fraction("0.33"), Fraction("0.83"), Fraction("-0.17"), Fraction("0.03")]


def test_halves_are_rounded_away_from_zero() -> None:
    for given_, expected in {"0.125": "0.13", "-0.125": "-0.13", "0.135": "0.14", "-2.5e-3": "0"}.items():
        tape, values = taped("L = w + 0", w=given_)
        assert fraction(tape.bind(rounded(2))(values)[tape.slots["L", ()]]) == Fraction(expected)


def test_shapes_of_an_array_without_letters() -> None:
    assert list(positions(())) == [()]
    with pytest.raises(DerivationsError):
        ran("L = q", w="1")
