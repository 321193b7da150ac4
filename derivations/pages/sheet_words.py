"""How a spreadsheet says expressions: in the syntax of the spec, in the author's words and letters.

Named entries stand by their names, ``w1`` for ``W[1, 1]``, in their gradients and new values too, and
indices by the author's letters. Quantities keep the names of the spec, as they do in code.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

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
        plain = base.rstrip("'")
        before, primes = ref.name.removesuffix(base), base[len(plain) :]
        for row in self.symbols.named:
            rest = row.rest(plain, ref.indices)
            if rest is not None:
                return Ref(f"{before}{row.name}{primes}", rest, padded=ref.padded)
        return ref if ref.indices else Ref(self.symbols.index_name(ref.name))


def _ref(entry: Entry) -> Ref:
    name, at = entry
    return Ref(name, tuple(map(number, at)))
