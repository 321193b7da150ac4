"""One walker over two algebras: the tape that it builds and the values that it gives at once."""

from __future__ import annotations

from fractions import Fraction
from functools import cache

import pytest
from flint import arb
from hypothesis import given, settings

from derivations.catalogue import functions
from derivations.language.errors import LanguageError
from derivations.language.names import after
from derivations.language.parser import parse, parse_program
from derivations.language.program import Equation
from derivations.language.tree import Expr, Ref, number, rename_index
from derivations.model.example import prepare
from derivations.numbers.compile import compile_program
from derivations.numbers.systems import EXACT, ball, fraction, rational, rounded
from derivations.numbers.walker import NOWHERE, Place, evaluated
from derivations.run.training import Step, Trace, train, worked
from derivations.spec.gallery import find
from derivations.spec.spec import parse_spec, read_spec
from derivations.witnesses.work import work
from tests.strategies import Model, models

CARRIED = """
title = "The larger of two"
[model]
equations = '''
m[i] = max(w*x[i], 0.3)
L = sum(m[i]/3, i)
'''
[data]
x = [1, 2, 3]
[parameters]
w = 0.125
[training]
optimizer = { name = "SGD", lr = 0.1 }
carry = 2
"""


@cache
def trace_of(name: str) -> Trace:
    return train(prepare(*read_spec(find(name))))


def entries(step: Step, eq: Equation) -> list[tuple[tuple[int, ...], Expr]]:
    """Every entry that an equation writes, with its right-hand side at that place."""
    names = [part.name for part in eq.target.indices if isinstance(part, Ref)]
    found = [at for name, at in step.layout.tape.slots if name == eq.target.name]
    return [(at, rename_index(eq.body, dict(zip(names, map(number, at), strict=True)))) for at in found]


def same(a: object, b: object) -> bool:
    if isinstance(a, arb) or isinstance(b, arb):
        return bool(ball(a).overlaps(ball(b)))
    return bool(a == b)


@pytest.mark.parametrize(
    "name",
    [
        "linear-regression",
        "linear-regression-by-calculator",
        "two-two-two-network",
        "max-pooling",
        "convolution-1d",
        "optimizer-adam",
        "causal-attention",
    ],
)
def test_a_step_read_again_gives_what_the_tape_gave(name: str) -> None:
    """Every entry that one equation writes, in the arithmetic of the page, its rounding included."""
    trace = trace_of(name)
    programs = (*trace.example.forward, *trace.example.backward, *trace.example.update)
    once = [eq for eq in programs if sum(eq.target.name == other.target.name for other in programs) == 1]
    assert len(once) > 2
    for step in trace.shown[:2]:
        for eq in once:
            if any(not isinstance(part, Ref) for part in eq.target.indices):
                continue
            for at, body in entries(step, eq):
                assert same(worked(body, {}, step, trace.system), step.at(eq.target.name, at)), (eq, at)


@settings(max_examples=25, deadline=None)
@given(models())
def test_both_algebras_agree_on_any_program(model: Model) -> None:
    tape = compile_program(model.program, model.shapes, model.sizes)
    for system in (EXACT, rounded(3)):
        memory = tape.bind(system)([rational(entry) for entry in model.inputs])
        known = {entry: memory[slot] for entry, slot in tape.slots.items()}
        place = Place(model.sizes, lambda _, entry, known=known: known[entry])
        for entry, plan in tape.plan.items():
            if len(plan) == 1:
                eq, env = plan[0]
                assert evaluated(eq.body, place, system, env) == known[entry]


@pytest.mark.parametrize(
    ("text", "exact", "by_calculator"),
    [
        ("2/3*w", Fraction(1, 3), "0.33"),  # 2/3 is a coefficient, which stays exact
        ("w/3*2", Fraction(1, 3), "0.34"),  # 0.17*2
        ("1*w", Fraction(1, 2), "0.5"),
        ("(1/3 + 1/3)*w", Fraction(1, 3), "0.33"),
        ("w**2/3", Fraction(1, 12), "0.08"),
    ],
)
def test_what_is_made_of_numbers_alone_stays_exact(text: str, exact: Fraction, by_calculator: str) -> None:
    expr = parse(text, functions.NAMES)
    place = Place({}, lambda *_: rational(Fraction(1, 2)))
    assert fraction(evaluated(expr, place, EXACT)) == exact
    assert fraction(evaluated(expr, place, rounded(2))) == Fraction(by_calculator)


def test_an_index_is_a_number_that_is_known() -> None:
    """``t/3`` at t = 2 is made of numbers alone: 2/3*0.5 rounds once, to 0.33, and not 0.67*0.5 = 0.34."""
    expr = parse("t/3*w", functions.NAMES)
    place = Place({"t": 2}, lambda *_: rational(Fraction(1, 2)))
    assert fraction(evaluated(expr, place, rounded(2), {"t": 2})) == Fraction("0.33")


def test_letters_where_there_are_only_numbers() -> None:
    with pytest.raises(LanguageError, match="'w' is no number"):
        evaluated(parse("w + 1", functions.NAMES), NOWHERE, EXACT)


def test_a_carried_run_with_the_larger_of_two() -> None:
    """w*x: 0.13, 0.25, 0.38; the larger of each and 0.3: 0.3, 0.3, 0.38; a third of each: 0.1, 0.1, 0.13."""
    run = work(prepare(*parse_spec(CARRIED)))
    step = run.trace.carried[0]
    assert [Fraction(step[f"m[{i}]"]) for i in (1, 2, 3)] == [Fraction(n) for n in ("0.3", "0.3", "0.38")]
    assert Fraction(step["L"]) == Fraction("0.33")
    assert Fraction(step[after("w")]) == Fraction("0.03")  # 0.125 - 0.1*(1/3*3) = 0.025, half up


def test_a_sum_over_a_letter() -> None:
    (line,) = parse_program("L = sum(x[i]*x[i], i)", functions.NAMES)
    values = {("x", (k,)): rational(Fraction(k)) for k in (1, 2, 3)}
    assert evaluated(line.body, Place({"i": 3}, lambda _, entry: values[entry]), EXACT) == 14
