"""How a spreadsheet says expressions: in the syntax of the spec, in the author's words and letters.

Named entries stand by their names, ``w1`` for ``W[1, 1]``, in their gradients and new values too, and
indices by the author's letters. Quantities keep the names of the spec, as they do in code.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from derivations.document.blocks import Part, message, phrase
from derivations.document.languages import text_of
from derivations.language.names import primes, unprimed
from derivations.language.tree import (
    Chosen,
    Count,
    Expr,
    Largest,
    Mean,
    Ref,
    Sum,
    children,
    number,
    rebuild,
)
from derivations.notation.symbols import Symbols
from derivations.notation.text import text
from derivations.numbers.tape import Entry

# --- The words of a spreadsheet, in one place, and how they are said in the language of the page ---

INPUTS, STEPS, SUMMARY = phrase("Inputs"), phrase("Steps"), phrase("Summary")  # the names of the sheets
HOW = phrase("Change a yellow cell, and everything follows. White cells are formulas.")
HOW_BY_STEP = phrase(
    "Change a yellow cell, and every step, the summary and the chart follow. White cells are formulas."
)
CARRIED = phrase("Nothing is rounded here; the page rounds every value to {} places and carries it on.")
HYPER = phrase("Hyper-parameters of {}")
DATA = phrase("Data")
START = phrase("Start values")
STATES = phrase("Optimizer state at the start")
BEFORE = phrase("Before the step")
FORWARD = phrase("Forward pass")
BACKWARD = phrase("Backward pass")
UPDATE = phrase("Update")
COUNT = phrase("samples in the batch")
STEP, STEP_OF = phrase("step"), phrase("step {}")
EPOCH = phrase("epoch")
SAMPLES = phrase("samples")
LIVE = phrase("The first {} of {} steps are live here; the CSV and JSON files hold all of them.")
CHART = phrase("{} by step")
BACK = phrase("to the summary")
SAMPLE_WORDS = phrase(
    "The sample numbers of a batch are yellow as well: another number brings another sample."
)
CONDITION = phrase(
    "The gradient is a short form that holds only where {}: keep to that when you change data."
)
TITLE = phrase("Step {}"), phrase("Step {}, epoch {}")
TITLE_OF_SAMPLES = phrase("Step {}: {}"), phrase("Step {}, epoch {}: {}")


def said(language: str, text: str, *parts: Expr | Part | int) -> str:
    """A text of ours in a language, its holes filled."""
    return text_of(message(text, *parts), language)


@dataclass(frozen=True)
class Wording:
    """The author's words for the expressions of an example."""

    symbols: Symbols

    def text(self, expr: Expr) -> str:
        """An expression as text."""
        return text(self._own(expr))

    def called(self, entry: Entry) -> str:
        """The name of an entry, ``dL/dw1``; empty if the author gave it none."""
        ref = _ref(entry)
        return self.text(ref) if self.symbols.is_named(ref) else ""

    def entry(self, entry: Entry) -> str:
        """An entry as text, by its name or by its place."""
        return self.text(_ref(entry))

    def _own(self, expr: Expr) -> Expr:
        found = rebuild(expr, tuple(map(self._own, children(expr))))
        match found:
            case Ref():
                return self._ref(found)
            case Sum() | Mean() | Largest() | Chosen() | Count():
                return replace(found, index=self.symbols.letter(found.index))
        return found

    def _ref(self, ref: Ref) -> Ref:
        of = self.symbols.adjoint(ref.name)
        base = ref.name if of is None else of
        plain = unprimed(base)
        in_front = ref.name.removesuffix(base)
        for row in self.symbols.named:
            rest = row.rest(plain, ref.indices)
            if rest is not None:
                return Ref(f"{in_front}{row.name}{primes(base)}", rest, padded=ref.padded)
        return ref if ref.indices else Ref(self.symbols.index_name(ref.name))


def _ref(entry: Entry) -> Ref:
    name, at = entry
    return Ref(name, tuple(map(number, at)))
