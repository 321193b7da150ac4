"""What a page may claim in symbols, and whether numbers are put in for symbols correctly."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import TypeAlias

from derivations.claims.standing import chosen_from, terms_of
from derivations.claims.writer import HEAD, LONG_SUM, TAIL, ZERO_PRINTED
from derivations.language.errors import Mismatch
from derivations.language.names import adjoint, unprimed
from derivations.language.ranges import settled
from derivations.language.steps import Chain, local_slopes
from derivations.language.tree import (
    Add,
    Call,
    Count,
    Expr,
    Largest,
    Number,
    Ref,
    Sum,
    children,
    rename_index,
)
from derivations.model.example import Example
from derivations.notation.chain import Side
from derivations.notation.printed import as_printed
from derivations.notation.typeset import DOTS
from derivations.numbers.digits import Printed, Rounding
from derivations.numbers.systems import NumberSystem
from derivations.run.training import Step, at_entry, size_of, worked
from derivations.spec.arrays import positions
from derivations.witnesses.matrix_forms import MatrixForm

Env: TypeAlias = Mapping[str, int]
Parts: TypeAlias = list[tuple[Expr, Env]]


@dataclass(frozen=True)
class Claims:
    """Everything that was proved or defined about an example in symbols."""

    example: Example
    derivation: tuple[Chain, ...]
    matrices: tuple[MatrixForm, ...] = ()

    @cached_property
    def equations(self) -> list[tuple[Expr, str, Expr]]:
        """``left = right`` for definitions, new values and local slopes, ``left ← right`` for updates."""
        example = self.example
        programs = (*example.forward, *example.backward, *example.update)
        found: list[tuple[Expr, str, Expr]] = [(eq.target, "=", eq.body) for eq in programs]
        for eq in example.update:
            name = unprimed(eq.target.name)
            found.append((Ref(name, eq.target.indices), "←", eq.body))
        for _, subject, slope in local_slopes(example.forward, example.loss, example.parameters):
            found.append((subject, "=", slope))
            if subject.body == Ref(example.loss):
                found.append((Ref(adjoint(example.loss, subject.by.name), subject.by.indices), "=", slope))
        return found

    @cached_property
    def known(self) -> set[tuple[Expr, str, Expr]]:
        """The equations as they read once printed."""
        return {(as_printed(a), sign, as_printed(b)) for a, sign, b in self.equations}

    @cached_property
    def lines(self) -> dict[str, tuple[Expr, Expr, bool]]:
        """Each line of the derivation by its label: subject, expression, whether it is the first."""
        return {
            f"({line.number})": (as_printed(chain.subject), as_printed(line.expr), place == 0)
            for chain in self.derivation
            for place, line in enumerate(chain.lines)
        }

    def require(self, sides: tuple[Side, ...]) -> None:
        """Raise `Mismatch` unless every side of a symbolic chain is a known equal of the first."""
        first = as_printed(sides[0].expr)
        for side in sides[1:]:
            other = as_printed(side.expr)
            if _is_letter(first) and _is_letter(other) and side.relation == "=":
                continue  # two index letters: "k = i"
            claim = first, side.relation, other
            if claim not in self.known and not self._is_instance(*claim):
                raise Mismatch("a formula that nobody proved")

    def _is_instance(self, target: Expr, sign: str, body: Expr) -> bool:
        """Whether two sides are a known equation at whole-number indices: ``z[i, 1] = …``."""
        if not isinstance(target, Ref):
            return False
        return any(
            own == sign and as_printed(_at(left, right, target)) == body
            for left, own, right in self.known
            if isinstance(left, Ref) and (left.name, len(left.indices)) == (target.name, len(target.indices))
        )

    def matrix(self, index_form: tuple[Side, ...], sides: tuple[Side, ...]) -> None:
        """Raise `Mismatch` unless a matrix form is the one that was evaluated, of the equation beside it."""
        self.require(index_form)
        target = index_form[0].expr
        forms = [form for form in self.matrices if form.equation.target == target]
        wanted = [[Ref(form.equation.target.name), as_printed(form.expr)] for form in forms[:1]]
        signs = [side.relation for side in (*index_form[1:], *sides[1:])]
        if [as_printed(side.expr) for side in sides] not in wanted or signs != ["=", "="]:
            raise Mismatch("this is not the matrix form of the equation beside it")

    def line(self, sides: tuple[Side, ...], label: str) -> None:
        """Raise `Mismatch` unless a line of the derivation stands as it was proved, at its number."""
        if label not in self.lines:
            raise Mismatch(f"there is no line {label}")
        subject, expr, first = self.lines[label]
        shown = [as_printed(side.expr) for side in sides]
        if shown != ([subject, expr] if first else [expr]) or sides[-1].relation != "=":
            raise Mismatch(f"line {label} is not the line that was proved")

    def body(self, target: Ref, step: Step) -> Expr:
        """The right-hand side of the program's equation for one entry in a step."""
        example = self.example
        for program in (example.forward, example.backward, example.update):
            if eq := program.writer(target.name, positions(target)):
                pairs = zip(eq.target.indices, positions(target), strict=True)
                places = {part.name: at for part, at in pairs if isinstance(part, Ref)}
                return settled(at_entry(eq.body, places, step))
        raise Mismatch(f"nothing computes {target.name}")

    def gives(self, target: Ref) -> bool:
        """Whether the spec gives a number for this name."""
        example = self.example
        return target.name == "t" or target.name in {**example.hyper, **example.start, **example.data}

    def given(self, target: Ref) -> Fraction:
        """A number that the spec gives: a start value, a hyper-parameter, a datum, the first step.

        Raises `Mismatch` for an entry that there is not.
        """
        example = self.example
        if target.name == "t":
            return Fraction(example.rule.first)
        if target.name in example.hyper:
            return example.hyper[target.name]
        array = example.start.get(target.name) or example.data[target.name]
        if positions(target) not in array.positions():
            raise Mismatch(f"{target.name} has no such entry")
        return array[positions(target)]


def _is_letter(expr: Expr) -> bool:
    return isinstance(expr, Ref) and not expr.indices


def _at(target: Ref, body: Expr, entry: Ref) -> Expr:
    """The body of an equation for one entry of its target."""
    pairs = zip(target.indices, entry.indices, strict=True)
    return settled(rename_index(body, {a.name: b for a, b in pairs if isinstance(a, Ref)}))


@dataclass(frozen=True)
class Substitution:
    """Whether numbers are put in for symbols correctly: the printed values of one step.

    A printed number may stand for any part: a letter, a bracket, a whole sum. It must be the
    rounded value of that part in this step. Long sums may be shortened by dots.
    """

    step: Step
    system: NumberSystem
    rounding: Rounding
    letters: bool = False

    def is_form(self, symbols: Expr, written: Expr) -> bool:
        """Whether a side in symbols is this one, perhaps with sums written out: ``w_1 x_1 + w_2 x_2``."""
        reader = replace(self, letters=True)
        return reader._parts(as_printed(symbols), as_printed(written), {}) is not None

    def is_exact(self, symbols: Expr, numbers: Expr) -> bool | None:
        """Whether every number put in is a whole value; None unless all are the values of their parts."""
        parts = self._parts(as_printed(symbols), as_printed(numbers), {})
        return None if parts is None else all(self._value(*part).exact for part in parts)

    def _parts(self, a: Expr, b: Expr, env: Env) -> Parts | None:
        """The parts of ``a`` that have numbers in their place in ``b``; None if ``b`` is not such a form."""
        if self.letters and at_entry(a, env, self.step) == b:
            return []
        if isinstance(b, Number):
            return self._leaf(a, b, env)
        if isinstance(a, Sum) and self.letters and isinstance(b, Sum) and a.index == b.index:
            return self._parts(a.body, b.body, env)
        if isinstance(a, Sum):
            return self._expanded(a, b, env)
        if isinstance(a, Largest):
            chosen = b.arguments if isinstance(b, Call) and b.function == "max" else ()
            return self._all(list(chosen_from(a, env, self.step)), chosen)
        if isinstance(a, Add) and isinstance(b, Add) and len(a.terms) < len(b.terms):
            b = Add(tuple(self._gathered(a.terms, list(b.terms), env)))
        if type(a) is not type(b) or isinstance(a, Ref):
            return None
        if isinstance(a, Call) and isinstance(b, Call) and a.function != b.function:
            return None
        return self._all([(part, env) for part in children(a)], children(b))

    def _all(self, left: Parts, right: tuple[Expr, ...]) -> Parts | None:
        if len(left) != len(right):
            return None
        found: Parts = []
        for (a, env), b in zip(left, right, strict=True):
            parts = self._parts(a, b, env)
            if parts is None:
                return None
            found += parts
        return found

    def _leaf(self, a: Expr, b: Number, env: Env) -> Parts | None:
        if isinstance(a, Number) or self.letters:
            return [] if isinstance(a, Number) and a.value == b.value else None
        printed = self._value(a, env)
        same = printed.text == (b.text if b.value else b.text.lstrip("-"))  # -x is printed -0 where x is 0
        right = printed.value == b.value and (same or isinstance(a, Count))
        return [(a, env)] if right else None

    def _expanded(self, a: Sum, b: Expr, env: Env) -> Parts | None:
        """A sum written out term by term; what dots stand for has the parts of the first term."""
        places = self._terms(a, env)
        if not places:
            return [] if b == ZERO_PRINTED else None
        terms = b.terms if isinstance(b, Add) and len(places) > 1 else (b,)
        hidden: Parts = []
        if DOTS in terms and len(places) > LONG_SUM:
            cut = terms.index(DOTS)
            tail = len(places) - (len(terms) - cut - 1)
            hidden, places = places[cut:tail], places[:cut] + places[tail:]
            terms = terms[:cut] + terms[cut + 1 :]
        shown = self._all(places, terms)
        if not shown or not hidden:
            return shown
        first = places[0][1][a.index]
        own = [(part, here) for part, here in shown if here.get(a.index) == first]
        return shown + [(part, {**here, a.index: at[a.index]}) for _, at in hidden for part, here in own]

    def _terms(self, a: Sum, env: Env) -> Parts:
        """The terms of a sum: of numbers those that are open, of letters all."""
        if not self.letters:
            return terms_of(a, env, self.step)
        return [(a.body, {**env, a.index: k}) for k in range(1, size_of(self.step, a.index) + 1)]

    def _gathered(self, terms: tuple[Expr, ...], written: list[Expr], env: Env) -> Iterator[Expr]:
        """The terms of a written-out sum put together again where a Σ stands beside other terms."""
        for term in terms:
            own = written[: self._length(term, env) if written and not isinstance(written[0], Sum) else 1]
            del written[: len(own)]
            yield own[0] if len(own) == 1 else Add(tuple(own))
        yield from written

    def _length(self, term: Expr, env: Env) -> int:
        """How many terms a term has once its sum is written out."""
        places = self._terms(term, env) if isinstance(term, Sum) else []
        if len(places) == 1:  # a sum of one term, which may be a sum itself
            return self._length(*places[0])
        size = max(len(places), 1)
        return HEAD + 1 + TAIL if size > LONG_SUM else size

    def _value(self, expr: Expr, env: Env) -> Printed:
        return self.rounding(worked(expr, env, self.step, self.system))
