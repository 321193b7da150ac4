"""Auditing sentences and formulas: words letter by letter, symbols by proof, numbers by the trace."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

from derivations.claims.claims import Claims, Substitution
from derivations.claims.samples import with_positions
from derivations.claims.writer import given, plain_value, relation
from derivations.document.blocks import Code, Formula, Inline, Words
from derivations.formats.markdown.read import Mathematics, Piece, Pieces, merged
from derivations.language.tree import Expr, Number, Ref, walk
from derivations.notation.latex import number_latex
from derivations.notation.locales import PLAIN, Locale
from derivations.notation.printed import as_printed
from derivations.notation.read import Side, chain
from derivations.notation.symbols import Symbols
from derivations.numbers.digits import Rounding
from derivations.numbers.systems import Value
from derivations.run.training import Step, Trace, worked
from derivations.spec.arrays import positions
from derivations.witnesses.check import Report


class Mismatch(Exception):
    """Something on the page is not what was verified."""


def same(page: str, document: str) -> None:
    """Raise `Mismatch` unless two texts are equal but for their white space."""
    if " ".join(page.split()) != " ".join(document.split()):
        raise Mismatch(f"'{page[:80]}' instead of '{document[:80]}'")


def same_number(number: Number, value: Value, policy: Rounding) -> None:
    """Raise `Mismatch` unless a number has the digits of the rounded value."""
    wanted = policy(value)
    if number.text != wanted.text:
        raise Mismatch(f"{number.text or number.value} instead of {wanted.text}")


@dataclass(frozen=True)
class Evidence:
    """What a page is held against; ``text`` brings the document's words into the reader's form."""

    trace: Trace
    report: Report
    claims: Claims
    symbols: Symbols
    rounding: Rounding
    text: Callable[[str], str]
    language: Locale | str = "en"

    @cached_property
    def unmarked(self) -> Symbols:
        """The symbols, and numbers in canonical digits."""
        return replace(self.symbols, marks=PLAIN)

    def read(self, formula: Mathematics) -> tuple[Side, ...]:
        """The sides of a formula of the page."""
        return chain(formula.source, self.unmarked if formula.canonical else self.symbols)

    def cell(self, pieces: Pieces) -> tuple[Side, ...]:
        """A cell that is a formula, or a number as plain text in the marks of the language."""
        if len(pieces) == 1 and isinstance(pieces[0], Mathematics):
            return self.read(pieces[0])
        text = "".join(piece.source if isinstance(piece, Mathematics) else piece for piece in pieces)
        text = text.replace("−", "-")
        digits, marks = text.removeprefix("-"), self.symbols.marks
        if marks.numeral(marks.canonical(digits)) != digits:
            raise Mismatch(f"'{text}' does not have the marks of the language")
        return chain(f"{text[: -len(digits)]}{marks.canonical(digits)}", self.unmarked)

    def words(self, pieces: Pieces, words: Words, step: Step | None) -> None:
        """Texts must be the document's; formulas are parsed and checked."""
        wanted = merged([self._expected(word) for word in words])
        if [isinstance(p, Mathematics) for p in pieces] != [isinstance(w, Mathematics) for w in wanted]:
            raise Mismatch(f"'{pieces}' has other formulas than the document")
        formulas = iter([word for word in words if isinstance(word, Formula)])
        for piece, want in zip(pieces, wanted, strict=True):
            if isinstance(piece, Mathematics):
                sides = self.read(piece)
                self.chain(sides, step)
                same_formula(sides, next(formulas))
            elif isinstance(want, str):
                same(piece, want)

    def _expected(self, word: Inline) -> Piece:
        """A word of the document as the reader finds it; a formula is only marked as one."""
        if isinstance(word, Formula):
            return Mathematics("")
        assert isinstance(word, (str, Code)), "the words of a printed document are plain"
        return self.text(word.text if isinstance(word, Code) else word)

    def chain(self, sides: tuple[Side, ...], step: Step | None) -> None:
        """One chain: symbols by the known claims, numbers by the trace."""
        sides = sides if step is None else with_positions(sides, step)
        target, rest = sides[0].expr, [side.expr for side in sides[1:]]
        given = step is not None or (isinstance(target, Ref) and self.claims.gives(target))
        if isinstance(target, Ref) and given and len(rest) == 1 and plain_value(rest[0]) is not None:
            self.given(target, sides[1].relation, rest[0], step)
        elif isinstance(target, Ref) and step is not None and (len(rest) > 1 or any(map(_has_digits, rest))):
            self.worked_chain(target, sides, step)
        elif step is not None and len(rest) == 1 and isinstance(rest[0], Number):
            self.part(target, sides[1].relation, rest[0], step)
        else:
            self.claims.require(sides)

    def given(self, target: Ref, sign: str, number: Expr, step: Step | None) -> None:
        """``w = 0.5``: a start value, a hyper-parameter, a datum, or the value at the step's start."""
        exact = True
        if step is not None:
            value = step.at(target.name, positions(target))
            if not isinstance(number, Number):
                raise Mismatch(f"{target.name} is not a plain number")
            same_number(number, value, self.rounding)
            exact = self.rounding(value).exact
        else:
            known = self.claims.given(target)
            exact = plain_value(number) == known
            if not exact and plain_value(number) != plain_value(given(known, self.rounding)[1]):
                raise Mismatch(f"{target.name} is {known}")
        if sign != ("=" if exact else "≈"):
            raise Mismatch(f"'{sign}' before the value of {target.name}")

    def part(self, expr: Expr, sign: str, number: Number, step: Step) -> None:
        """``1 - y_2 z_2 = 0``: the value of a part of a formula in a step."""
        value = worked(expr, {}, step, self.trace.system)
        same_number(number, value, self.rounding)
        if sign != ("=" if self.rounding(value).exact else "≈"):
            raise Mismatch(f"'{sign}' before the value of a part of a formula")

    def worked_chain(self, target: Ref, sides: tuple[Side, ...], step: Step) -> None:
        """``target = symbols = numbers = value`` in a step."""
        new = "'" if sides[1].relation == "←" else ""
        entry = Ref(f"{target.name}{new}", target.indices)
        body = self.claims.body(entry)
        substitution = Substitution(step, self.trace.system, self.rounding)
        if not substitution.is_form(body, sides[1].expr):
            raise Mismatch(f"the formula for {target.name} is not that of the program")
        value, last = worked(entry, {}, step, self.trace.system), sides[-1].expr
        if not isinstance(last, Number):
            raise Mismatch(f"the chain for {target.name} ends without a value")
        same_number(last, value, self.rounding)
        self.numbers(target.name, body, sides, step, self.rounding(value).exact)

    def numbers(self, name: str, body: Expr, sides: tuple[Side, ...], step: Step, whole: bool) -> None:
        """The sides after the symbols: the trace's numbers in their places, and a true sign before each."""
        substitution = Substitution(step, self.trace.system, self.rounding)
        exact = True
        for before, side in pairwise(sides[1:]):
            if side is not sides[-1]:
                matched = substitution.is_exact(body, side.expr)
                if matched is None:
                    raise Mismatch(f"the numbers put in for {name} are not those of the trace")
                exact = exact and matched
            if before is not sides[1]:
                wanted = relation(before.expr, side.expr, exact and (whole or side is not sides[-1]))
            else:
                wanted = "=" if (whole if side is sides[-1] else exact) else "≈"
            if side.relation != wanted:
                raise Mismatch(f"'{side.relation}' instead of '{wanted}' in the chain for {name}")


def same_formula(sides: tuple[Side, ...], formula: Formula) -> None:
    """Raise `Mismatch` unless a formula of the page is the document's: every sign, side and digit."""
    if [side.relation for side in sides] != [side.relation for side in formula.sides]:
        raise Mismatch("a formula has other relation signs than in the document")
    for side, wanted in zip(sides, formula.sides, strict=True):
        page, document = as_printed(side.expr), as_printed(wanted.expr)
        if page != document or not all(map(_same_digits, walk(page), walk(document))):
            raise Mismatch("a formula is not that of the document")


def _same_digits(page: Expr, document: Expr) -> bool:
    if isinstance(page, Number) and isinstance(document, Number) and document.text:
        return number_latex(page.text) == number_latex(document.text)
    return True


def _has_digits(expr: Expr) -> bool:
    """Whether an expression is made of numbers alone: the side of a chain is about numbers."""
    nodes = list(walk(expr))
    return any(isinstance(node, Number) for node in nodes) and not any(isinstance(n, Ref) for n in nodes)
