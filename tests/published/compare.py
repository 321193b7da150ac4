"""The figures that people printed, the runs of our specs, and whether one comes out as the other."""

from __future__ import annotations

import decimal
import json
from collections.abc import Callable
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

from flint import arb

from derivations.model.example import Example, prepare
from derivations.numbers.systems import Undecided, fraction, precision
from derivations.run.training import Trace, train
from derivations.spec.spec import read_spec

FOLDER = Path(__file__).parents[1] / "cases"
CASES = sorted(path.stem for path in (FOLDER / "published").glob("*.json"))
SPECS = sorted(path.stem for path in FOLDER.glob("*.toml"))
FLOAT_DIGITS = 15  # strings of so many digits are prints of a float64 with its rounding errors
Change: TypeAlias = Callable[[Example], Example]
decimal.getcontext().prec = 60


def as_it_is(example: Example) -> Example:
    return example


@cache
def published(case: str) -> list[dict[str, Any]]:
    """What a source printed: names, strings, and whether they are right."""
    found: list[dict[str, Any]] = json.loads((FOLDER / "published" / f"{case}.json").read_text())["published"]
    return found


def example_of(spec: str, bits: int = 128) -> Example:
    with precision(bits):
        return prepare(*read_spec(FOLDER / f"{spec}.toml"))


@cache
def trace_of(spec: str, bits: int = 128, change: Change = as_it_is) -> Trace:
    """The run of a spec, shared by all tests; or of what a change makes of it."""
    with precision(bits):
        return train(change(example_of(spec, bits)), bits)


def prints(value: Fraction, printed: str) -> set[Decimal]:
    """What people print for a value with the digits of ``printed``: half up, half even, cut off."""
    unit = Decimal(1).scaleb(int(Decimal(printed).as_tuple().exponent))
    quotient = Decimal(value.numerator) / Decimal(value.denominator)
    return {quotient.quantize(unit, rounding) for rounding in (ROUND_HALF_UP, ROUND_HALF_EVEN, ROUND_DOWN)}


def agrees(value: Any, printed: str) -> bool:
    """Whether a value comes out as printed; raises `Undecided` for a ball that is too wide to say.

    The numbers that print as a given string lie side by side, so the ends of a narrow ball decide.
    """
    if not isinstance(value, arb):
        return Decimal(printed) in prints(value if isinstance(value, Fraction) else fraction(value), printed)
    unit = Fraction(10) ** int(Decimal(printed).as_tuple().exponent)
    if not value.is_finite() or value.rad() > arb(float(unit) / 8):
        raise Undecided("a digit")
    ends = [fraction(end.mid().fmpq()) for end in (value.lower(), value.upper())]
    found = {Decimal(printed) in prints(end, printed) for end in ends}
    if len(found) > 1:
        raise Undecided("a digit")
    return found.pop()


def is_float_print(printed: str) -> bool:
    """Whether a string has the digits of a float64, with its rounding errors."""
    return len(Decimal(printed).as_tuple().digits) >= FLOAT_DIGITS


def fraction_of(value: Any) -> Fraction:
    return value if isinstance(value, Fraction) else fraction(value)
