"""What figures are drawn from, and what a figure is: one row each, with a drawer and a second look."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from derivations.figures.drawing import Drawing, Said
from derivations.figures.lettering import plain
from derivations.language.tree import Expr, Number, Ref
from derivations.model.example import Example
from derivations.notation.locales import locale
from derivations.notation.symbols import Symbols
from derivations.numbers.digits import Printed, Rounding
from derivations.numbers.systems import Value
from derivations.run.training import Trace


@dataclass(frozen=True)
class Scene:
    """A verified run with its symbols and the rounding of its page."""

    trace: Trace
    symbols: Symbols
    rounding: Rounding

    @property
    def example(self) -> Example:
        """The example of the run."""
        return self.trace.example

    def plain(self, *said: str | Expr) -> str:
        """Words and formulas as plain text."""
        return plain(said, self.symbols)

    def said(self, text: str, *parts: object) -> str:
        """A text of ours in the language of the page, its holes filled."""
        return locale(self.example.spec.page.language).text(text).format(*parts)

    def equals(self, ref: Ref, value: Value) -> Said:
        """``w = 0.5``, or ``≈`` where the value is rounded."""
        shown = self.rounding(value)
        return ref, " = " if shown.exact else " ≈ ", leaf(shown)


def leaf(shown: Printed) -> Number:
    """A printed number as a leaf of the tree, with its digits."""
    return Number(shown.value, shown.text)


@dataclass(frozen=True)
class FigureRow:
    """One row: a name, which ends the name of its file; the part of a page it belongs to, and its sentence.

    ``draw`` gives None where there is nothing to show. ``faults`` says, from the places and labels of a
    drawing alone, what in it is not as in the run. ``notes`` are further sentences.
    """

    name: str
    part: Literal["quantities", "steps", "summary"]
    lead: str | Callable[[Scene], str]
    draw: Callable[[Scene], Drawing | None]
    faults: Callable[[Drawing, Scene], Iterator[str]]
    notes: Callable[[Drawing], Iterable[str]] = lambda drawing: ()

    def sentences(self, scene: Scene, drawing: Drawing) -> tuple[str, ...]:
        """The sentences above the figure on this page: what it is, and what is special in this drawing."""
        return (self.lead if isinstance(self.lead, str) else self.lead(scene), *self.notes(drawing))
