"""Reader of the tree that writes JavaScript which shows a formula in MathML, numbers in place of letters.

The boxes of `derivations.notation.typeset` decide about brackets, dots and fractions, as everywhere: the tree
is set with a negative number of ten digits where a value will stand, and what MathML it becomes tells whether
a negative value needs brackets there. The result is a template literal, ``<mn>2</mn>${w.number(…)}``; what it
calls is in ``templates/html/show.js``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from fractions import Fraction

from derivations.formats.play.javascript import Scope, Unplayable, closed, code, letter, size
from derivations.language.names import unprimed
from derivations.language.products import product
from derivations.language.tree import (
    Add,
    Call,
    Chosen,
    Count,
    Expr,
    Largest,
    Mul,
    Number,
    Ref,
    Sum,
    transform,
    values,
)
from derivations.notation.boxes import Row
from derivations.notation.mathml import APPLIED, mathml_of
from derivations.notation.printed import as_printed
from derivations.notation.symbols import Symbols
from derivations.notation.typeset import typeset

FIRST = 9_000_000_000  # holes are numbered from here: no number of a formula looks like them
HOLE = r"<mrow><mo>−</mo><mn>(9\d{9})</mn></mrow>"
AGAIN = r"<mrow><mo>−</mo><mn>\1</mn></mrow>"
OPENED = r'<mrow><mo(?: stretchy="false")?>[(\[]</mo>'
CLOSED = r'<mo(?: stretchy="false")?>[)\]]</mo></mrow>'
SHUT = f"{OPENED}{HOLE}{CLOSED}"
SEVERAL = rf"{HOLE}<mo>[+,;]</mo>(?:{AGAIN}|{OPENED}{AGAIN}{CLOSED})"
FURTHER = rf"<mo>\+</mo>{OPENED}{HOLE}{CLOSED}<mo>\+</mo>{OPENED}{AGAIN}{CLOSED}"
ZERO = Number(Fraction(0))


def bare(symbols: Symbols) -> Symbols:
    """The symbols without marks between thousands."""
    return replace(symbols, marks=replace(symbols.marks, group=""))


def literal(markup: str) -> str:
    """Markup as the text of a template literal."""
    if re.search(r"[`\\]|\$\{|</script|<!--", markup):
        raise Unplayable("this markup cannot stand in a template literal")
    return markup


def entry_template(name: str, rank: int, symbols: Symbols) -> str:
    """``at => …``: an entry by its places, with the names that the author gave to some of them."""
    of = symbols.adjoint(name) or unprimed(name)
    cases = ""
    for row in (row for row in symbols.named if row.quantity == of and len(row.places) == rank):
        tests = " && ".join(f"at[{k}] === {at}" for k, at in enumerate(row.places) if at is not None)
        cases += f"{tests} ? `{_entry(name, row.places, symbols)}` : "
    return f"(at) => {cases}`{_entry(name, (None,) * rank, symbols)}`"


def _entry(name: str, places: tuple[int | None, ...], symbols: Symbols) -> str:
    parts = (Number(Fraction(FIRST + k if at is None else at)) for k, at in enumerate(places))
    shown = literal(mathml_of(typeset(Ref(name, tuple(parts)), symbols), symbols.marks))
    return re.sub(r"<mn>9(\d{9})</mn>", lambda hole: f"<mn>${{at[{int(hole[1])}]}}</mn>", shown)


def numbers_template(expr: Expr, scope: Scope, symbols: Symbols, sample: str | None) -> str:
    """The expression of a right-hand side with the numbers put in, as a template literal."""
    printed = as_printed(expr)
    whole = f"`{_Filling(bare(symbols), scope).filled(printed)}`"
    if sample is None or not any(isinstance(node, Sum) and node.index == sample for node in values(printed)):
        return whole
    alone = _Filling(bare(symbols), scope.inside(sample)).filled(_without_sum(printed, sample))
    return f"{size(sample)} === 1 ? ({letter(sample)} => `{alone}`)(1) : {whole}"


def _without_sum(expr: Expr, sample: str) -> Expr:
    """The expression where the sum over the samples has one term."""

    def rule(node: Expr) -> Expr | None:
        if isinstance(node, Mul):
            return product(*(_without_sum(part, sample) for part in node.factors))
        return _without_sum(node.body, sample) if isinstance(node, Sum) and node.index == sample else None

    return transform(expr, rule)


@dataclass(frozen=True)
class _Filling:
    """Puts holes in; ``holes`` are the JavaScript of what will stand there."""

    symbols: Symbols
    scope: Scope
    holes: list[str] = field(default_factory=list)

    def hole(self, inside: str) -> Number:
        """The number that marks a place."""
        self.holes.append(inside)
        mark = FIRST + len(self.holes) - 1
        return Number(Fraction(-mark), f"-{mark}")

    def filled(self, expr: Expr) -> str:
        """The text of the template literal of an expression."""
        return self.markup(mathml_of(typeset(self.put_in(expr), self.symbols), self.symbols.marks))

    def put_in(self, expr: Expr) -> Expr:
        def rule(node: Expr) -> Expr | None:
            if isinstance(node, (Ref, Count, Chosen)) or (isinstance(node, Call) and node.function == "same"):
                return self.hole(code(node, self.scope))
            if isinstance(node, Add):
                return Add(tuple(new for term in node.terms for new in self.term(term)))
            if isinstance(node, Largest):
                mark = self.hole(self.list(node))
                return Call("max", (mark, mark))
            return Add(self.term(node)) if isinstance(node, Sum) else None

        return transform(expr, rule)

    def term(self, term: Expr) -> tuple[Expr, ...]:
        """A term; a sum in a sum is two places with the same mark, and joins the terms around it."""
        if not isinstance(term, Sum):
            return (self.put_in(term),)
        mark = self.hole(self.sum(term))
        return mark, mark

    def sum(self, node: Sum) -> str:
        """The arguments of ``w.terms``: how many, the first and a later term, and which do not count."""
        bound, inner = letter(node.index), _Filling(self.symbols, self.scope.inside(node.index))
        shut = closed(node.body, inner.scope) or "false"
        body = _without_gates(node.body, inner.scope)
        first, later = inner.as_first(body), inner.as_later(body)
        return f"{size(node.index)}, {bound} => `{first}`, {bound} => `{later}`, {bound} => {shut}"

    def list(self, node: Largest) -> str:
        """The code of the list of what a largest value is chosen from."""
        bound, inner = letter(node.index), _Filling(self.symbols, self.scope.inside(node.index))
        shut = closed(node.body, inner.scope) or "false"
        body = inner.list(node.body) if isinstance(node.body, Largest) else f"`{inner.filled(node.body)}`"
        return f"w.list({size(node.index)}, {bound} => {body}, {bound} => {shut})"

    def as_first(self, body: Expr) -> str:
        """A term at the beginning of a sum."""
        return self.part(Add((self.put_in(body), ZERO)), slice(0, 1))

    def as_later(self, body: Expr) -> str:
        """A later term of a sum, with the sign before it."""
        return self.part(Add((ZERO, self.put_in(body))), slice(1, 3))

    def part(self, both: Add, kept: slice) -> str:
        row = typeset(both, self.symbols)
        assert isinstance(row, Row)
        return self.markup("".join(mathml_of(part, self.symbols.marks) for part in row.parts[kept]))

    def markup(self, shown: str) -> str:
        """Markup with the calls in the place of the marks."""
        shown = re.sub(f"{OPENED}{SEVERAL}{CLOSED}", self._fenced, literal(shown))
        shown = re.sub(SEVERAL, lambda found: f"${{w.terms({self.inside(found)})}}", shown)
        shown = re.sub(FURTHER, lambda found: f"${{w.terms({self.inside(found)}, true)}}", shown)
        shown = shown.replace("<mrow><mo>[</mo>", "${w.fenced(`").replace("<mo>]</mo></mrow>", "`)}")
        shown = re.sub(f"<msup>{SHUT}", lambda found: f"<msup>${{w.base({self.inside(found)})}}", shown)
        applied = f"(?<!{re.escape(APPLIED)})"
        shown = re.sub(applied + SHUT, lambda found: f"${{w.within({self.inside(found)})}}", shown)
        return re.sub(HOLE, lambda found: f"${{w.number({self.inside(found)})}}", shown)

    def inside(self, found: re.Match[str]) -> str:
        """The code of the mark that was found."""
        return self.holes[int(found[1]) - FIRST]

    def _fenced(self, found: re.Match[str]) -> str:
        inside = self.inside(found)
        if inside.startswith("w.list"):
            return f"<mrow><mo>(</mo>${{{inside}}}<mo>)</mo></mrow>"
        return f"${{w.fenced(w.terms({inside}))}}"


def _without_gates(expr: Expr, scope: Scope) -> Expr:
    """A product without the factors that compare indices: they are 1 where a term counts."""
    if not isinstance(expr, Mul):
        return expr
    kept = tuple(part for part in expr.factors if not (isinstance(part, Call) and closed(part, scope)))
    return Mul(kept) if len(kept) > 1 else kept[0] if kept else Number(Fraction(1))
