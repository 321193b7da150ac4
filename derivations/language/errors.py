"""Errors that speak to the author: what is wrong, where, what was expected, what would work."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class DerivationsError(Exception):
    """A fault in what the user gave us. ``exit_status`` is what the command line returns."""

    exit_status = 2

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        at: int | None = None,
        file: str = "",
        line: int | None = None,
        column: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message, self.hint, self.at = message, hint, at
        self.file, self.line, self.column = file, line, column

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part)
        text = f"{place}: {self.message}" if place else self.message
        return f"{text}\n  {self.hint}" if self.hint else text


class LanguageError(DerivationsError):
    """An equation that cannot be read; ``at`` is the offset in its text."""


class SpecError(DerivationsError):
    """A spec that cannot be understood or worked; carries file, line and column."""


class ArithmeticFault(DerivationsError):
    """A value that does not exist or cannot be printed: a division by zero, a diverging run.

    ``quantity`` is the entry that was being computed, as ``yhat[3]``, if it is known.
    """

    quantity = ""

    def about(self, quantity: str, where: str = "") -> ArithmeticFault:
        """The same fault, said of a quantity (and of a step)."""
        fault = ArithmeticFault(f"{where}{self.message}", hint=self.hint)
        fault.quantity = self.quantity or quantity
        return fault


class UnknownName(DerivationsError, KeyError):
    """A name that a run does not have."""


class CheckFailed(DerivationsError):
    """A witness disagrees, so nothing is written."""

    exit_status = 1


class Mismatch(Exception):
    """Something in a document, or in a finished file, is not what was verified: a fault of the page.

    Whoever asks a page catches this and nothing else, so that a fault of our own stays one.
    """


def nearest(word: str, known: Iterable[str], what: str = "") -> str:
    """A hint that names the closest known word, or lists what there is."""
    names = sorted(set(known))
    close = difflib.get_close_matches(word, names, n=9, cutoff=0.6)
    if close:
        return f"Did you mean '{max(close, key=lambda name: _likeness(word, name))}'?"
    return f"Known {what or 'names'}: {', '.join(names)}." if names else ""


def _likeness(word: str, name: str) -> tuple[float, float]:
    """How alike two words are; of those that are equally so, the one that is alike but for its capitals."""
    pairs = (name, word), (name.casefold(), word.casefold())
    plain, folded = (difflib.SequenceMatcher(None, *pair).ratio() for pair in pairs)
    return plain, folded


def moved(fault: DerivationsError, where: str) -> SpecError:
    """The same fault at another place: at what a caller wrote, which stands in no file."""
    return SpecError(fault.message, hint=fault.hint, file=where)
