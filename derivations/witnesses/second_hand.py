"""A second hand for the carried calculation: every equation worked again in Python's `decimal`.

torch does not round after every operation, so it cannot witness a run with ``carry``. This one works each
equation by itself instead of the tape, with Python's own decimal arithmetic and rounding, from the values
that the run itself carried. The order of the operations is that of the equation, here and there.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext
from fractions import Fraction
from typing import Any

from derivations.language.names import after
from derivations.language.program import Equation
from derivations.language.symbolic import unfold
from derivations.language.tree import Call, Expr, Number, Ref
from derivations.numbers.systems import NumberSystem, fraction
from derivations.numbers.walker import NOWHERE, evaluated
from derivations.run.training import Step, Trace, at_entry, worked
from derivations.witnesses.check import Proof

WITNESS = "decimal arithmetic"
PRECISION = 120


def carried_proofs(trace: Trace) -> Iterator[Proof]:
    """One proof an entry and step: the carried value is what the equation gives, rounded."""
    places = trace.example.spec.training.carry
    if places is None:
        return
    system = decimal_system(places)
    example = trace.example
    with localcontext(Context(prec=PRECISION)):
        for before, step in zip((None, *trace.carried), trace.carried, strict=False):
            for eq in (*example.forward, *example.backward, *example.update):
                for at in _entries(step, eq):
                    theirs = _plain(worked(_body(eq, at, step), {}, step, system))
                    name = step.layout.label((eq.target.name, at), step.samples)
                    ok = theirs == fraction(step.at(eq.target.name, at))
                    yield Proof(f"the carried value of {name} in step {step.number}", WITNESS, ok)
            yield from _handed_over(trace, before, step)


def _entries(step: Step, eq: Equation) -> list[tuple[int, ...]]:
    return [at for name, at in step.layout.tape.slots if name == eq.target.name]


def _body(eq: Equation, at: tuple[int, ...], step: Step) -> Expr:
    names = [part.name for part in eq.target.indices if isinstance(part, Ref)]
    return at_entry(eq.body, dict(zip(names, at, strict=True)), step)


def _handed_over(trace: Trace, before: Step | None, step: Step) -> Iterator[Proof]:
    """A step starts where the one before ended, the first one from the spec."""
    for name, array in trace.example.start.items():
        for at, start in zip(array.positions(), array.entries, strict=True):
            wanted = start if before is None else fraction(before.at(after(name), at))
            ok = fraction(step.at(name, at)) == wanted
            yield Proof(f"the start of {name} in step {step.number}", WITNESS, ok)


def decimal_system(places: int) -> NumberSystem:
    """The arithmetic of a calculator, in `decimal` instead of FLINT."""
    unit = Decimal(1).scaleb(-places)
    return _system(WITNESS, lambda value: Fraction(_decimal(value).quantize(unit, ROUND_HALF_UP)))


def _system(name: str, settle: Callable[[Fraction], Fraction]) -> NumberSystem:
    """An arithmetic of fractions whose every result is settled."""

    def settled(operation: Callable[[Fraction, Fraction], Fraction]) -> Callable[[Any, Any], Fraction]:
        return lambda a, b: settle(operation(_plain(a), _plain(b)))

    return NumberSystem(
        name,
        Fraction,
        add=settled(operator.add),
        sub=settled(operator.sub),
        mul=settled(operator.mul),
        div=settled(operator.truediv),
        power=settled(_power),
        lift=lambda function, _: lambda *given: settle(_function(function, *map(_plain, given))),
    )


def _plain(value: Any) -> Fraction:
    return value if isinstance(value, Fraction) else fraction(value)


def _decimal(value: Fraction) -> Decimal:
    return Decimal(value.numerator) / Decimal(value.denominator)


def _power(a: Fraction, b: Fraction) -> Fraction:
    return a ** int(b) if b.denominator == 1 else Fraction(_decimal(a) ** _decimal(b))


def _function(name: str, *given: Fraction) -> Fraction:
    """A primitive in decimals, or the formula of the function's row worked in one go."""
    if name in PRIMITIVES:
        return PRIMITIVES[name](*given)
    return _plain(evaluated(unfold(Call(name, tuple(map(Number, given)))), NOWHERE, IN_ONE_GO))


def _through_decimal(function: Callable[[Decimal], Decimal]) -> Callable[[Fraction], Fraction]:
    return lambda x: Fraction(function(_decimal(x)))


PRIMITIVES: dict[str, Callable[..., Fraction]] = {
    "exp": _through_decimal(Decimal.exp),
    "log": _through_decimal(Decimal.ln),
    "sqrt": _through_decimal(Decimal.sqrt),
    "sign": lambda x: Fraction((x > 0) - (x < 0)),
    "step": lambda x: Fraction(int(x > 0)),
    "floor": lambda x: Fraction(x // 1),
    "max": max,
    "min": min,
}


IN_ONE_GO = _system("decimal, unrounded", lambda value: value)
