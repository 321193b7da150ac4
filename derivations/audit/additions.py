"""What an author adds in words: a number must be one of the run, and a relation must be a formula.

One mechanism for every format. Words are free; a number in them, in any script or in words, must be a value
of the step in which it stands, or outside of the steps one that the spec gives; a relation sign in plain
words is refused, since a formula is written as one and read like all others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from derivations.claims.writer import given, leaf
from derivations.language.tree import Expr, Number, Ref, number
from derivations.notation.chain import Side
from derivations.notation.numerals import Numeral, numerals, relation
from derivations.notation.symbols import Symbols
from derivations.notation.text import text as text_of
from derivations.numbers.digits import Rounding
from derivations.numbers.systems import rational
from derivations.run.training import Step, Trace, numbered

MARKUP = re.compile(
    r"\\(?:begin|end)\{[^}]*\}(?:\[[^\]]*\]|\{[^}]*\})*|\\(?:vspace|hspace|needspace|rule|color)\*?\{[^}]*\}"
    r"|\\(?:usepackage|documentclass|label|ref)(?:\[[^\]]*\])?\{[^}]*\}|\\[A-Za-z@]+\*?(?:\[[^\]]*\])?|\\."
    r"|[{}]|<!--.*?-->|</?[A-Za-z][^<>]*>|^---$|\{\.?[\w-]+\}"
)
"""Commands of LaTeX with lengths, tags, fences: what is no word."""


@dataclass(frozen=True)
class Value:
    """A number that may stand in an addition: of what it is, its sign, and the number as it is printed."""

    of: Expr
    sign: str
    shown: Number

    @property
    def sides(self) -> tuple[Side, ...]:
        """``w = 0.845``."""
        return Side("", self.of), Side(self.sign, self.shown)


@dataclass(frozen=True)
class Known:
    """The numbers that an author may repeat, by the step in which they stand; None: outside of the steps."""

    trace: Trace
    symbols: Symbols
    rounding: Rounding
    language: str

    def at(self, step: Step | None) -> list[Value]:
        """What may be said in a step, or outside."""
        return list(self._given()) if step is None else list(self._of_step(step))

    def _of_step(self, step: Step) -> Iterator[Value]:
        for count in (step.number, step.epoch, len(step.samples), *step.samples):
            yield Value(number(count), "=", number(count))
        for entry, slot in step.layout.tape.slots.items():
            printed = self.rounding(step.memory[slot])
            ref = Ref(entry[0], tuple(map(number, numbered(step, entry))))
            yield Value(ref, "=" if printed.exact else "≈", leaf(printed))

    def _given(self) -> Iterator[Value]:
        example = self.trace.example
        pairs = [(Ref(name), value) for name, value in example.hyper.items()]
        for name, array in {**example.data, **example.start}.items():
            places = zip(array.positions(), array.entries, strict=True)
            pairs += [(Ref(name, tuple(map(number, at))), value) for at, value in places]
        for ref, value in pairs:
            for sign, shown in (given(value, self.rounding), ("≈", leaf(self.rounding(rational(value))))):
                if isinstance(shown, Number):
                    yield Value(ref, "=" if shown.value == value else sign, shown)
        for count in (example.samples, sum(map(len, example.batches)), len(example.batches)):
            yield Value(number(count), "=", number(count))

    def fault(self, words: str, step: Step | None) -> str:
        """What is wrong with words of an author's; empty if nothing is."""
        plain = MARKUP.sub(" ", words)
        if sign := relation(plain):
            return f"'{sign}' in words; write a formula, which is checked"
        found = numerals(plain, self.language, self.symbols.marks)
        return next(filter(None, (self._number_fault(numeral, step) for numeral in found)), "")

    def _number_fault(self, numeral: Numeral, step: Step | None) -> str:
        values = self.at(step)
        if any(value.shown.value == numeral.value for value in values):
            return ""
        where = "the spec" if step is None else f"step {step.number}"
        hint = f"; the nearest is {nearest(numeral.value, values)}" if numeral.value is not None else ""
        return f"'{numeral.text}', which is no value of {where}{hint}"


def nearest(wanted: Fraction, values: list[Value]) -> str:
    """The value that is nearest to a number, with what it is of: ``w = 0.845``."""
    best = min(values, key=lambda value: abs(value.shown.value - wanted))
    shown = text_of(best.shown)
    return f"{text_of(best.of)} {best.sign} {shown}" if isinstance(best.of, Ref) else shown
