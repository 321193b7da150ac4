"""What a student can reach, against students who try every choice, in code that shares nothing with it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal, localcontext
from fractions import Fraction
from typing import Any

import pytest
from flint import arb, fmpq

import derivations
from derivations.exercises import students
from derivations.exercises.acceptance import (
    Reach,
    Task,
    accepted,
    decided,
    inside,
    places_needed,
    reachable,
    too_long,
)
from derivations.exercises.lines import lines_of
from derivations.language.errors import ArithmeticFault
from derivations.language.names import after
from derivations.model.example import prepare
from derivations.numbers.between import ends, freely_rounded
from derivations.numbers.systems import EXACT, NumberSystem, Undecided, fraction, precision, rational
from derivations.page import opened
from derivations.run.training import Step, Trace, train

Keep = Callable[[Any], Any]


def regression(**values: Any) -> Trace:
    """Some steps of a linear regression, worked without any witness."""
    session = derivations.Session(*opened("linear-regression"))
    return train(session.variants.variant(values).example)


def thirds(*numerators: int) -> list[Fraction]:
    return [Fraction(k, 3) for k in numerators]


# --- students who try everything ---------------------------------------------------------------------------


def half_up(value: Fraction, places: int) -> Fraction:
    """As pupils round, in text: halves away from zero."""
    scaled = abs(value) * 10**places
    whole = scaled.numerator // scaled.denominator
    return Fraction(whole + (scaled - whole >= Fraction(1, 2)), 10**places) * (-1 if value < 0 else 1)


def options(value: Fraction, places: int) -> list[Fraction]:
    return list(dict.fromkeys((value, half_up(value, places), round(value, places))))


def outcomes(work: Callable[[Keep], Any], written: Callable[[Any], list[Any]]) -> Iterator[Any]:
    """What a piece of work gives with every choice at every value that is written down."""
    chosen: list[int] = []
    while True:
        counts: list[int] = []

        def keep(value: Any, counts: list[int] = counts) -> Any:
            found = written(value)
            counts.append(len(found))
            if len(counts) > len(chosen):
                chosen.append(0)
            return found[chosen[len(counts) - 1]]

        yield work(keep)
        while chosen and chosen[-1] + 1 == counts[len(chosen) - 1]:
            chosen.pop()
        if not chosen:
            return
        chosen[-1] += 1


def by_hand(asked: str, x: Sequence[Any], y: Sequence[Any], w: Any, b: Any, lr: Any) -> Callable[[Keep], Any]:
    """One step of a linear regression, as on the page: only the lines that are needed."""
    n = Fraction(len(x))

    def total(keep: Keep, parts: list[Any]) -> Any:
        found = parts[0]
        for part in parts[1:]:
            found = keep(found + part)
        return found

    def scaled(keep: Keep, factor: Fraction, value: Any) -> Any:
        return value if factor == 1 else keep(factor * value)

    def work(keep: Keep) -> Any:
        residuals = [keep(keep(keep(w * a) + b) - c) for a, c in zip(x, y, strict=True)]
        if asked == "L":
            return scaled(keep, 1 / n, total(keep, [keep(r * r) for r in residuals]))
        parts = [keep(a * r) for a, r in zip(x, residuals, strict=True)] if "w" in asked else residuals
        slope = scaled(keep, 2 / n, total(keep, parts))
        return slope if asked.startswith("d") else keep((w if "w" in asked else b) - keep(lr * slope))

    return work


def tried(step: Step, asked: str, places: int) -> Reach:
    """The least and the greatest of everything that can be handed in."""
    x, y = ([Fraction(v) for v in step.array(name).tolist()] for name in ("x", "y"))
    w, b, lr = (fraction(step.at(name)) for name in ("w", "b", "lr"))
    found = set(outcomes(by_hand(asked, x, y, w, b, lr), lambda value: options(value, places)))
    exact = fraction(step.at(asked))
    assert {exact, half_up(exact, places), round(exact, places)} <= found
    return Reach(min(found), max(found))


AWKWARD = (
    {"lr": 0.03},
    {"lr": 0.03, "w": 0.125, "b": -0.375},
    {"lr": Fraction(1, 30), "x": thirds(1, -2, 4, 5, 7, 8)},
    {"lr": 0.03, "x": [0.5, 2.5, 3.5, 4, 5, 6], "y": [-0.125, -0.375, 1, 2, 3, 4]},
)


@pytest.mark.parametrize("asked", ["L", "dL/dw", "dL/db", "w'", "b'"])
@pytest.mark.parametrize("places", [0, 1, 2])
@pytest.mark.parametrize("values", AWKWARD, ids=range(len(AWKWARD)))
def test_it_is_what_trying_everything_gives(values: dict[str, Any], places: int, asked: str) -> None:
    step = regression(**values).steps[0]
    reach = reachable(Task((step,), asked), places)
    assert reach == tried(step, asked, places)
    assert accepted(Task((step,), asked), places) == reach


@pytest.mark.parametrize("asked", ["L", "dL/dw", "w'", "b'"])
@pytest.mark.parametrize("places", [1, 3])
def test_coefficients_stay_exact_and_what_they_multiply_is_rounded(places: int, asked: str) -> None:
    step = regression(lr=0.05, batch_size=3, w=0.25, b=1.5, x=[0.5, -1, 1.5, 2, 3, 4]).steps[0]
    assert reachable(Task((step,), asked), places) == tried(step, asked, places)


def test_a_step_that_is_long_already_lies_inside_what_is_computed() -> None:
    """Too many choices to keep apart: those of a student who decides at random are among them."""
    trace = regression(lr=0.03, x=thirds(1, 2, 4, 5, 7, 8), w=Fraction(1, 7))
    for asked in ("L", "w'", "b'"):
        reach = reachable(Task(trace.steps, asked), 2)
        found = [fraction(value) for value in at_random(trace.steps, asked, 2, 200)]
        assert all(value in reach for value in found)
        assert reach.width <= 2 * (max(found) - min(found))


# --- ties and signs ----------------------------------------------------------------------------------------


def product(w: Any, x: Any) -> Step:
    """A step in which one product is worked, which is the prediction."""
    return regression(w=w, b=0, x=[x] * 6).steps[0]


@pytest.mark.parametrize(
    ("w", "x", "low", "high"),
    [
        (0.5, 0.25, "0.12", "0.13"),  # half up, and half to even
        (0.5, 0.75, "0.375", "0.38"),  # both up
        (-0.5, 0.25, "-0.13", "-0.12"),  # halves away from zero
        (-0.5, 0.75, "-0.38", "-0.375"),
        (0.5, 0.01, "0", "0.01"),  # 0.005
        (-0.5, 0.01, "-0.01", "0"),
        (0.5, "0.2499999", "0.12", "0.12499995"),  # just below a tie
        (0.5, "0.2500001", "0.12500005", "0.13"),
        (0.5, 0.24, "0.12", "0.12"),  # nothing to round
    ],
)
def test_halves_are_rounded_both_ways(w: Any, x: Any, low: str, high: str) -> None:
    step = product(w, Fraction(x) if isinstance(x, str) else x)
    reach = reachable(Task((step,), "yhat", (1,)), 2)
    assert reach == Reach(Fraction(low), Fraction(high))


# --- an exponential, in decimals ---------------------------------------------------------------------------

FIFTY = Context(prec=50)


def decimal(value: Any) -> Decimal:
    found = fraction(value)
    return FIFTY.divide(Decimal(found.numerator), Decimal(found.denominator))


def in_decimals(value: Decimal, places: int) -> list[Decimal]:
    unit = Decimal(1).scaleb(-places)
    found = (value.quantize(unit, how, FIFTY) for how in (ROUND_HALF_UP, ROUND_HALF_EVEN))
    return list(dict.fromkeys((value, *found)))


@pytest.mark.parametrize("asked", ["p", "L", "dL/dw", "w'"])
@pytest.mark.parametrize("places", [2, 4])
def test_it_is_what_trying_everything_gives_with_exponentials(asked: str, places: int) -> None:
    """p = sigmoid(z) is one key of a calculator; the gradient of the loss by z is (p - y)/n."""
    session = derivations.Session(*opened("logistic-regression"))
    values = {"w": 0.3, "b": -0.2, "batch_size": 2, "lr": 0.5, "x": [0.5, 1.25, 1.5, 2.5, 3, 4]}
    step = train(session.variants.variant(values).example).steps[0]
    x, y = ([Decimal(str(float(v))) for v in step.array(name).tolist()] for name in ("x", "y"))
    w, b, lr = (decimal(step.at(name)) for name in ("w", "b", "lr"))

    def work(keep: Keep) -> Any:
        p = [keep(1 / (1 + (-keep(keep(w * a) + b)).exp())) for a in (x if asked != "p" else x[:1])]
        if asked == "p":
            return p[0]
        if asked == "L":  # y is 0 for both, so that 0*log(p) is nothing to work
            assert not any(y)
            logs = [keep((keep(1 - each)).ln()) for each in p]
            return -keep(keep(logs[0] + logs[1]) / 2)
        residuals = [keep(each - label) for each, label in zip(p, y, strict=True)]
        slope = keep(keep(keep(residuals[0] * x[0]) + keep(residuals[1] * x[1])) / 2)
        return slope if asked == "dL/dw" else keep(w - keep(lr * slope))

    with localcontext(FIFTY):
        found = set(outcomes(work, lambda value: in_decimals(value, places)))
    reach = reachable(Task((step,), asked, (1,) if asked == "p" else ()), places)
    tiny = Fraction(1, 10**30)
    assert abs(reach.low - Fraction(min(found))) < tiny
    assert abs(reach.high - Fraction(max(found))) < tiny
    assert reach.whole


def test_the_logarithm_of_what_was_rounded_to_0_is_not_worked_where_it_stands_beside_a_0() -> None:
    """y = 0, p = sigmoid(-5): 0*log(p) is 0 although p is 0.0 when rounded, and 1 - p is 1."""
    session = derivations.Session(*opened("logistic-regression"))
    values = {"w": -5, "b": 0, "batch_size": 1, "x": [1, 2, 3, 4, 5, 6]}
    step = train(session.variants.variant(values).example).steps[0]
    reach = reachable(Task((step,), "L"), 1)
    with localcontext(FIFTY):
        exact = Fraction(-(1 - 1 / (1 + Decimal(5).exp())).ln())
    assert reach.low == 0
    assert abs(reach.high - exact) < Fraction(1, 10**30)


# --- students who decide at random -------------------------------------------------------------------------


def wavering(rng: random.Random, places: int) -> NumberSystem:
    """The arithmetic of a student who decides at every line anew; each has to be made anew."""

    def after_(operation: Callable[..., Any]) -> Callable[..., Any]:
        def work(*operands: Any) -> Any:
            value = operation(*operands)
            middle = value.mid().fmpq() if isinstance(value, arb) else value
            chosen = rng.choice(options(fraction(middle), places))
            return value if chosen == fraction(middle) else rational(chosen)

        return work

    parts = map(after_, (EXACT.add, EXACT.sub, EXACT.mul, EXACT.div, EXACT.power))
    return NumberSystem(f"wavering {rng.random()}", rational, *parts, lambda _, function: after_(function))


def at_random(
    steps: Sequence[Step], name: str, places: int, count: int, at: tuple[int, ...] = ()
) -> list[Any]:
    """What some students hand in who work all steps and decide at random; who divides by 0 does not."""
    rng, found = random.Random(7), []
    for _ in range(count):
        left: dict[Any, Any] = {}
        try:
            with precision(192):
                for step in steps:
                    tape = step.layout.tape
                    inputs = zip(tape.inputs, step.memory, strict=False)
                    given = [left.get((after(entry[0]), entry[1]), value) for entry, value in inputs]
                    memory = tape.bind(wavering(rng, places))(given)
                    left = {entry: memory[slot] for entry, slot in tape.slots.items()}
        except (ArithmeticFault, Undecided):
            continue
        found.append(left[name, at])
    return found


GALLERY = (
    "two-two-two-network",
    "logistic-regression",
    "softmax-regression",
    "xor-mlp",
    "rnn-two-steps",
    "gru-step",
    "lstm-step",
    "layer-norm",
    "attention",
    "word-embedding",
    "optimizer-rmsprop",
    "optimizer-nadam",
    "dying-relu",
)


@pytest.mark.few(5)
@pytest.mark.parametrize("name", GALLERY)
def test_whoever_decides_at_random_lands_inside(name: str) -> None:
    trace = train(derivations.Session(*opened(name)).example)
    step = trace.steps[0]
    wanted = [entry for entry in step.layout.tape.plan if entry[0] in map(after, trace.example.start)][-1]
    for places in (2, 4):
        reach = reachable(Task((step,), *wanted), places)
        for value in at_random([step], wanted[0], places, 30, wanted[1]):
            low, high = ends(value)
            assert reach.low <= fraction(high)
            assert fraction(low) <= reach.high


def test_the_run_of_a_calculator_lies_inside() -> None:
    """`carry` is one of the students: all lines rounded half up, from step to step."""
    trace = train(derivations.Session(*opened("linear-regression-by-calculator")).example)
    places = trace.example.spec.training.carry
    for count, asked in ((1, "L"), (1, "b'"), (2, "w'"), (len(trace.steps), "w'")):
        reach = reachable(Task(trace.steps[:count], asked), places)
        assert fraction(trace.carried[count - 1].at(asked)) in reach


# --- several steps -----------------------------------------------------------------------------------------


def test_parameters_go_on_rounded_or_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """w and b of one sample a step, whose lines are few enough to try everything over two steps.

    What depends on nothing else may be taken together as early as one likes.
    """
    x, y = [1, 3, 2, 3, 4, 5], [-0.5, 1, 2, 3, 4, 5]
    trace = regression(batch_size=1, x=x, y=y, w=0.5, b=0.25, lr=0.05)

    def work(keep: Keep) -> Any:
        w, b, lr = Fraction(1, 2), Fraction(1, 4), Fraction(1, 20)
        for a, c in ((1, Fraction(-1, 2)), (3, 1)):
            residual = keep(keep(keep(w * a) + b) - c)
            slope, shift = keep(2 * keep(a * residual)), keep(2 * residual)
            w, b = keep(w - keep(lr * slope)), keep(b - keep(lr * shift))
        return w

    found = set(outcomes(work, lambda value: options(value, 1)))
    assert reachable(Task(trace.steps[:2], "w'"), 1) == Reach(min(found), max(found))
    monkeypatch.setattr(students, "FEW", 1)
    monkeypatch.setattr(students, "SHORT", 1_000)
    assert reachable(Task(trace.steps[:2], "w'"), 1) == Reach(min(found), max(found))


def test_a_later_step_by_itself_begins_with_what_was_carried_there() -> None:
    trace = regression(lr=0.03, w=Fraction(1, 7))
    second = trace.steps[1]
    w = fraction(second.at("w"))
    rounded = second.at("w") != rational(half_up(w, 1))
    assert rounded
    ways = {trace.steps[1].number: options(w, 1)}[2]
    b = options(fraction(second.at("b")), 1)
    found = {
        value
        for v in ways
        for c in b
        for value in outcomes(lambda keep, v=v, c=c: keep(keep(3 * v) + c), lambda x: options(x, 1))
    }
    assert reachable(Task((second,), "yhat", (1,)), 1) == Reach(min(found), max(found))


# --- as tight as can be ------------------------------------------------------------------------------------


def one_pass(step: Step, name: str, places: int) -> tuple[Fraction, Fraction]:
    tape = step.layout.tape
    found = tape.bind(freely_rounded(places))(list(step.memory[: len(tape.inputs)]))
    low, high = ends(found[tape.slots[name, ()]])
    return fraction(low), fraction(high)


@pytest.mark.parametrize("asked", ["L", "dL/dw", "w'"])
def test_where_every_value_is_read_once_one_pass_of_intervals_is_as_tight(asked: str) -> None:
    step = regression(lr=0.03, x=thirds(1, 2, 4, 5, 7, 8)).steps[0]
    reach = reachable(Task((step,), asked), 2)
    assert (reach.low, reach.high) == one_pass(step, asked, 2)


def test_where_values_are_read_twice_intervals_alone_are_wider() -> None:
    trace = train(derivations.Session(*opened("gru-step")).example)
    step = trace.steps[0]
    reach = reachable(Task((step,), "w_r'"), 3)
    low, high = one_pass(step, "w_r'", 3)
    assert reach.whole
    assert low <= reach.low <= reach.high <= high
    assert reach.width < high - low


def test_decimals_that_fit_are_all_that_is_reached() -> None:
    step = regression(lr=0.01).steps[0]
    for line in lines_of(step):
        assert reachable(Task((step,), *line.entry), 3) == Reach(*[fraction(line.value)] * 2)


@pytest.mark.parametrize("asked", ["L", "dL/dw", "w'"])
@pytest.mark.parametrize("values", AWKWARD[2:], ids=("thirds", "ties"))
def test_with_little_room_for_rows_all_of_it_still_lies_inside(
    monkeypatch: pytest.MonkeyPatch, values: dict[str, Any], asked: str
) -> None:
    """Rows that are taken together hold what they stand for, and `slack` says at most how much more."""
    for name, few in {"MOST": 6, "CELLS": 2, "FEW": 2, "ROOT": 2, "ENOUGH": 20}.items():
        monkeypatch.setattr(students, name, few)
    steps = regression(**values).steps
    for places in (0, 1, 2):
        wanted, found = tried(steps[0], asked, places), reachable(Task(steps[:1], asked), places)
        assert found.low <= wanted.low <= wanted.high <= found.high
        assert found.width - found.slack <= wanted.width
    far = reachable(Task(steps, asked), 1)
    assert all(fraction(value) in far for value in at_random(steps, asked, 1, 100))
    assert far.slack < far.width


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_what_is_left_of_the_smallest_interval_is_said(count: int) -> None:
    steps = regression(lr=0.03, epochs=2).steps[:count]
    reach = reachable(Task(steps, "w'"), 1)
    found = [fraction(value) for value in at_random(steps, "w'", 1, 300)]
    assert all(value in reach for value in found)
    assert reach.slack <= reach.width / 2
    assert reach.whole == (count < 3)


# --- what is told apart ------------------------------------------------------------------------------------


def test_values_of_slips_are_outside_or_not() -> None:
    reach = Reach(Fraction("0.12"), Fraction("0.13"))
    with precision(128):
        near = arb(13) / 100
        far = near + arb(10) ** -20
    values = [
        Fraction("0.119"),
        fmpq(12, 100),
        Fraction("0.125"),
        near,
        far,
        Reach(Fraction(0), Fraction("0.121")),
    ]
    assert inside(reach, values) == (1, 2, 3, 5)
    assert not decided(reach, values)
    assert decided(reach, [Fraction("0.119"), far])


def test_more_places_until_no_slip_is_accepted() -> None:
    """w' is 1.535: a slip is told apart where neither it nor its rounding is what a student can reach."""
    step = regression(lr=0.03).steps[0]
    assert fraction(step.at("w'")) == Fraction("1.535")
    assert places_needed(Task((step,), "w'"), [Fraction("1.6")]) == 1
    assert places_needed(Task((step,), "w'"), [Fraction("1.52")]) == 2  # 1.5 with one place
    assert places_needed(Task((step,), "w'"), [Fraction("1.536")]) == 3  # 1.54 with two
    assert places_needed(Task((step,), "w'"), [Fraction("1.6"), Fraction("1.536")]) == 3
    assert places_needed(Task((step,), "w'"), [Fraction("1.5354")], most=3) is None
    assert places_needed(Task((step,), "w'"), [Fraction("1.535")]) is None
    assert places_needed(Task((step,), "w'"), []) == 0


def test_more_digits_than_asked_for_may_be_handed_in() -> None:
    step = regression(w=Fraction(1, 3), x=[2.0002, 2, 3, 4, 5, 6], b=0, lr=0.03).steps[0]
    value = fraction(step.at("yhat", (1,)))  # 0.66673333...
    plain = accepted(Task((step,), "yhat", (1,)), 1)
    more = accepted(Task((step,), "yhat", (1,)), 1, finer=3)
    assert (plain.low, plain.high) == (value, Fraction("0.7"))
    assert (more.low, more.high) == (Fraction("0.6667"), Fraction("0.7"))


def test_nobody_works_with_long_numbers() -> None:
    step = regression(lr=0.03, x=[0.125, 2, 3, 4, 5, 6], w=Fraction("1.234567")).steps[0]
    assert "yhat[1]" in too_long(Task((step,), "L"), 8)  # 0.154320875 + 1
    assert too_long(Task((step,), "yhat", (2,)), 7) == ()
    assert too_long(Task((step,), "L"), 6, places=3) == ()
    assert too_long(Task((regression(x=thirds(1, 2, 4, 5, 7, 8)).steps[0],), "yhat", (1,)), 50) == (
        "yhat[1]",
    )


def test_what_rounding_makes_impossible_is_said() -> None:
    """Rounded to whole numbers a divisor becomes 0 for some; for others the value is still there."""
    text = """
title = "A quotient"
[model]
equations = '''
s = w*a
L = (1/s)**2
'''
[data]
a = 0.25
[parameters]
w = 1
[training]
optimizer = { name = "SGD", lr = 0.1 }
epochs = 1
"""
    step = train(prepare(*opened(text))).steps[0]
    assert reachable(Task((step,), "s"), 0) == Reach(Fraction(0), Fraction(1, 4))
    assert reachable(Task((step,), "L"), 0) == Reach(Fraction(16), Fraction(16))
    assert reachable(Task((step,), "L"), 1) == Reach(Fraction("10.89"), Fraction(25))


def test_nobody_divides_by_0_where_the_quotient_is_taken_0_times() -> None:
    """y = 0 and s = 0.25: y*(1/s) - 4*s is -1, and 0 for who took s as 0 and left the first part out."""
    text = """
title = "A quotient, 0 times"
[model]
equations = '''
s = w*a
L = y*(1/s) - 4*s
'''
[data]
a = 0.25
y = 0
[parameters]
w = 1
[training]
optimizer = { name = "SGD", lr = 0.1 }
epochs = 1
"""
    step = train(prepare(*opened(text))).steps[0]
    assert reachable(Task((step,), "L"), 0) == Reach(Fraction(-1), Fraction(0))


def test_who_works_in_decimals_alone_rounds_what_is_given_as_a_fraction() -> None:
    """The slope is 2/3 of a sum; with 2/3 taken as 0.7, everything else being whole, it is 7/10 of it."""
    step = regression(lr=0.25, batch_size=3, w=2, b=1, x=[1, 2, 3, 4, 5, 6], y=[0, 0, 0, 1, 1, 1]).steps[0]
    total = Fraction(3 + 2 * 5 + 3 * 7)
    exact = Fraction(2, 3) * total
    assert reachable(Task((step,), "dL/dw"), 1) == Reach(exact, half_up(exact, 1))
    ways = reachable(Task((step,), "dL/dw", decimals=True), 1)
    assert ways == Reach(exact, Fraction(7, 10) * total)
