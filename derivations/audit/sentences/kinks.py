"""What a page says where a value has no derivative: that it sits there, and which slope is taken.

Which values those are is found here from the rows of the catalogue and the values of the step, entry by
entry of what the model computes; the writer of these sentences is not asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TypeAlias

from flint import arb

from derivations.audit.sentences.place import Place, Predicate, Sight, entries_of, places, reach, whole
from derivations.catalogue import functions
from derivations.claims.samples import with_positions
from derivations.claims.standing import chosen_from
from derivations.document.blocks import Digits, Message, Prose
from derivations.language.errors import ArithmeticFault
from derivations.language.parser import parse
from derivations.language.tree import (
    Call,
    Chosen,
    Expr,
    Largest,
    Mean,
    Ref,
    Sum,
    children,
    number,
    refs,
    substitute,
)
from derivations.model.example import Example
from derivations.notation.chain import Formula
from derivations.numbers.digits import Rounding
from derivations.numbers.float64 import DOUBLE, double, nearest_float
from derivations.numbers.systems import EXACT, NumberSystem, Value
from derivations.run.training import Step, at_entry, worked
from derivations.witnesses.check import Check

ON = "In {} the value {} sits on a kink, where the slope is taken as {}, as torch does."
SHARED = "{} stands more than once among its entries; the derivative goes to the first, as torch does."
SIDE = (
    "Rounding in float64 brings {} to another side of a kink: PyTorch takes the slope of that side, so that "
    "its numbers and those of the program differ from the ones worked here."
)
MORE = "So does {} more value of this step, on a kink of its own."

Sitting: TypeAlias = tuple[str, Expr]  # what is to be said, and of which call or maximum
Env: TypeAlias = Mapping[str, int]


@dataclass(frozen=True)
class Sittings:
    """The calls and maxima of the forward pass that a step has on a kink."""

    example: Example
    step: Step = field(repr=False)
    system: NumberSystem

    @cached_property
    def found(self) -> frozenset[Sitting]:
        """All that is to be said, once each."""
        pairs = self._kinked()
        return frozenset(
            (said, at_entry(node, env, self.step)) for node, env in pairs for said in self._said(node, env)
        )

    def _kinked(self) -> Iterator[tuple[Expr, Env]]:
        """Every call or maximum on a way from a parameter to the loss, at every entry that is computed."""
        telling = reach(self.example, self.example.loss)
        for eq in (eq for eq in self.example.forward if eq.target.name in telling):
            for at in entries_of(self.step, eq.target.name):
                pairs = list(zip(eq.target.indices, at, strict=True))
                if all(isinstance(part, Ref) or part == number(place) for part, place in pairs):
                    env = {part.name: place for part, place in pairs if isinstance(part, Ref)}
                    yield from self._inside(eq.body, env)

    def _inside(self, expr: Expr, env: Env) -> Iterator[tuple[Expr, Env]]:
        row = functions.BY_NAME[expr.function] if isinstance(expr, Call) else None
        if (isinstance(expr, Largest) or (row and row.kinks)) and self._is_learnt(expr):
            yield expr, env
        if isinstance(expr, (Sum, Mean)):
            for place in range(1, self.step.layout.sizes[expr.index] + 1):
                yield from self._inside(expr.body, {**env, expr.index: place})
        elif not isinstance(expr, (Ref, Largest, Chosen)):
            for part in children(expr):
                yield from self._inside(part, env)

    def _is_learnt(self, expr: Expr) -> bool:
        return any(not reach(self.example, ref.name).isdisjoint(self.example.start) for ref in refs(expr))

    def _said(self, node: Expr, env: Env) -> Iterator[str]:
        of_largest = isinstance(node, Largest)
        apart = self._shares if of_largest else self._distances
        exact = apart(node, env, self.step, self.system)
        if sum(map(_is_zero, exact)) > of_largest:  # a maximum has no distance from one entry at least
            yield SHARED if of_largest else ON
        rounded = apart(node, env, self.floats, DOUBLE) if self.floats is not None else exact
        side = _first if of_largest else _sides
        if side(rounded) != side(exact):
            yield SIDE

    def _distances(self, node: Expr, env: Env, step: Step, system: NumberSystem) -> list[Value]:
        """How far the argument of a call is above each kink of its row; none where the row is smooth."""
        assert isinstance(node, Call)
        row = functions.BY_NAME[node.function]
        given: dict[Expr, Expr] = dict(zip(map(Ref, row.arguments), node.arguments, strict=True))

        def value(text: str) -> Value:
            return worked(substitute(parse(text, functions.NAMES), given), env, step, system)

        if row.smooth and _is_zero(value(row.smooth)):
            return []
        argument = worked(node.arguments[0], env, step, system)
        return [argument - value(kink) for kink in row.kinks]

    def _shares(self, node: Expr, env: Env, step: Step, system: NumberSystem) -> list[Value]:
        """How far each entry is from the largest of them."""
        largest = worked(node, env, step, system)
        return [worked(body, at, step, system) - largest for body, at in chosen_from(node, env, step)]

    @cached_property
    def floats(self) -> Step | None:
        """The step in float64, operation by operation; None where it is not worked exactly, or cannot be."""
        tape, memory = self.step.layout.tape, self.step.memory
        if self.system is not EXACT:
            return None
        try:
            return replace(
                self.step, memory=tuple(tape.bind(DOUBLE)([double(v) for v in memory[: len(tape.inputs)]]))
            )
        except (ArithmeticError, ArithmeticFault):
            return None


def _sides(apart: list[Value]) -> object:
    """On which side of each kink a value is."""
    return [0 if _is_zero(value) else 1 if value > 0 else -1 for value in apart]


def _first(apart: list[Value]) -> object:
    """Which is the first of the largest entries."""
    return next((at for at, value in enumerate(apart) if _is_zero(value)), None)


def _is_zero(value: Value) -> bool:
    return bool(value.is_zero() if isinstance(value, arb) else value == 0)


# --- Sentences ---------------------------------------------------------------------------------------


def untold(sight: Sight) -> Iterator[str]:
    """Values on a kink that are told twice, or not at all; warnings without such a value."""
    told: dict[int, list[Message]] = {}
    for said, place in places(sight):
        if place.step is not None and said.text in PREDICATES:
            told.setdefault(place.step.number, []).append(said)
    shown_steps = sight.shown if "steps" in sight.example.spec.page.parts else ()
    for step in (sight.trace.shown[at - 1] for at in shown_steps):
        wanted, shown = sittings(sight, step).found, told.get(step.number, [])
        own = [_sitting(said, step) for said in shown if said.text != MORE]
        count = len(own) + sum(said.count for said in shown if said.text == MORE)
        if len(set(own)) < len(own) or not wanted.issuperset(own) or count != len(wanted):
            yield f"step {step.number}: the values that sit on a kink are not those that are told"


def sittings(sight: Sight, step: Step) -> Sittings:
    """What a step has on kinks, in the arithmetic of the page."""
    return Sittings(sight.example, step, sight.trace.system)


def _sitting(said: Message, step: Step) -> Sitting:
    """What a warning says, and of which call or maximum."""
    node = said.parts[0]
    return said.text, with_positions(node.sides, step)[0].expr if isinstance(node, Formula) else Ref("")


def is_so(said: Message, place: Place) -> bool:
    """A warning of something that the step has on a kink."""
    if place.step is None or not isinstance(place.block, Prose) or not place.block.kink:
        return False
    return _sitting(said, place.step) in sittings(place.sight, place.step).found


def on_a_kink(said: Message, place: Place) -> bool:
    """The argument has in this step a value at which the row has a kink, and the slope is that of the row."""
    step, (_, shown, slope) = place.step, said.parts
    if step is None or not is_so(said, place) or not isinstance(shown, Formula):
        return False
    call = _sitting(said, step)[1]
    assert isinstance(call, Call)
    argument = with_positions(shown.sides, step)[0].expr
    row = functions.BY_NAME[call.function]
    given: dict[Expr, Expr] = dict(zip(map(Ref, row.arguments), call.arguments, strict=True))
    system = place.sight.trace.system
    found = worked(substitute(parse(row.slope, functions.NAMES), given), {}, step, system)
    page = place.sight.example.spec.page
    rounding = Rounding(max(page.digits, place.sight.example.spec.training.carry or 0), page.significant)
    said_so = isinstance(slope, Digits) and rounding(found).text == slope.text
    return call.arguments[0] == argument and said_so


def more(said: Message, place: Place) -> bool:
    """A number of further values, right after those that are named; `untold` counts them all."""
    above = next(place.before())
    return isinstance(above, Prose) and above.kink and said.count == whole(said.parts[0]) > 0


def other_side(said: Message, place: Place) -> bool:
    """So it is in float64, and torch has in this step a number that is far from ours."""
    checks = place.sight.report.checks
    own = (check for check in checks if place.step is not None and check.step == place.step.number)
    return is_so(said, place) and any(map(_is_far, own))


def _is_far(check: Check) -> bool:
    ours = nearest_float(check.ours)
    return abs(ours - check.theirs) > 1e-9 * max(abs(ours), abs(check.theirs))


PREDICATES: dict[str, Predicate] = {SIDE: other_side, ON: on_a_kink, SHARED: is_so, MORE: more}
