"""What a document is held against: the spec, the run, the proofs; and how formulas are held against them.

Symbols must be equations of the programs or proved; numbers must be the value that the trace has for the
symbol, the entry and the step at which they stand, digit by digit; ``=`` must be true.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from derivations.audit.arithmetic import gives
from derivations.audit.indices import SampleNumbers
from derivations.audit.relations import signs_between
from derivations.claims.claims import Claims, Substitution
from derivations.claims.samples import with_positions
from derivations.claims.writer import given, plain_value, relation
from derivations.document.blocks import Document, Heading, Words
from derivations.language.errors import Mismatch
from derivations.language.names import after
from derivations.language.tree import (
    Add,
    Call,
    Count,
    Div,
    Expr,
    Largest,
    Mean,
    Mul,
    Neg,
    Number,
    Pow,
    Ref,
    Sum,
    free_indices,
    walk,
)
from derivations.notation.chain import Formula, Side
from derivations.notation.printed import as_printed
from derivations.notation.symbols import Symbols
from derivations.notation.text import text
from derivations.numbers.digits import Rounding
from derivations.numbers.systems import EXACT, Value
from derivations.programs.listing import shown_steps
from derivations.run.training import Step, Trace, worked
from derivations.spec.arrays import positions
from derivations.witnesses.work import Verified


def same_number(number: Number, value: Value, policy: Rounding) -> None:
    """Raise `Mismatch` unless a number has the digits of the rounded value."""
    wanted, found = policy(value), number.text or str(number.value)
    if found != wanted.text:
        raise Mismatch(f"{found} instead of {wanted.text}")


@dataclass(frozen=True)
class Evidence:
    """A document, and what it is held against.

    ``composed`` is the document before it was put into a language: its sentences are still messages.
    """

    run: Verified
    document: Document
    composed: Document
    symbols: Symbols
    rounding: Rounding

    @property
    def trace(self) -> Trace:
        """The run, step by step."""
        return self.run.trace

    @cached_property
    def claims(self) -> Claims:
        """What may be claimed in symbols."""
        return Claims(self.run.example, self.run.derivation, self.run.matrices)

    @cached_property
    def samples(self) -> SampleNumbers:
        """Which number of a formula must be that of a sample."""
        return SampleNumbers(self.run.example)

    @cached_property
    def steps(self) -> tuple[Step | None, ...]:
        """For every block of the document the step in which it stands, None where in none."""
        left, step, found = iter(shown_steps(self.run.example)), None, list[Step | None]()
        for block in self.document.blocks:
            if isinstance(block, Heading) and block.level < 3:
                number = next(left, None) if block.part == "steps" else None
                step = None if number is None else self.trace.shown[number - 1]
            found.append(step)
        return tuple(found)

    def words(self, words: Words, step: Step | None) -> None:
        """Every formula of a sentence or a cell."""
        for word in words:
            if isinstance(word, Formula):
                self.chain(word.sides, step)

    def chain(self, sides: tuple[Side, ...], step: Step | None) -> None:
        """One chain, as it reads once printed: symbols by the known claims, numbers by the trace."""
        sides = as_read(sides)
        if step is not None:
            self.samples.check(sides, step)
            sides = with_positions(sides, step)
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
        if step is not None:
            self.part(target, sign, number, step)
            return
        known = self.claims.given(target)
        exact = plain_value(number) == known
        if not exact and plain_value(number) != plain_value(given(known, self.rounding)[1]):
            raise Mismatch(f"{target.name} is {known}")
        same_sign(sign, exact, f"the value of {target.name}")

    def part(self, expr: Expr, sign: str, number: Expr, step: Step) -> None:
        """``1 - y_2 z_2 = 0``: the value of a part of a formula, or of a quantity, in a step."""
        value = entry(expr, step) if isinstance(expr, Ref) else self.value(expr, {}, step)
        if not isinstance(number, Number):
            raise Mismatch(f"the value of {text(expr)} is not a plain number")
        same_number(number, value, self.rounding)
        same_sign(sign, self.rounding(value).exact, f"the value of {text(expr)}")

    def value(self, expr: Expr, env: Mapping[str, int], step: Step) -> Value:
        """The value of an expression in a step; raises `Mismatch` for what does not exist there."""
        self.exists(expr, env, step)
        return worked(expr, env, step, self.trace.system)

    def exists(self, expr: Expr, letters: Iterable[str], step: Step) -> None:
        """Raise `Mismatch` unless a step has all that an expression reads."""
        if unknown := next(_unknown(expr, frozenset(letters), step), ""):
            raise Mismatch(f"step {step.number} has no {unknown}")

    def worked_chain(self, target: Ref, sides: tuple[Side, ...], step: Step) -> None:
        """``target = symbols = numbers = value`` in a step."""
        if sides[1].relation not in ("=", "←"):
            raise Mismatch(f"'{sides[1].relation}' before the formula for {target.name}")
        new = after(target.name) if sides[1].relation == "←" else target.name
        told, last = Ref(new, target.indices), sides[-1].expr
        value, body = entry(told, step), self.claims.body(told, step)
        substitution = Substitution(step, self.trace.system, self.rounding)
        if not substitution.is_form(body, sides[1].expr):
            raise Mismatch(f"the formula for {target.name} is not that of the program")
        form = as_printed(body)
        left_out = len(sides) < 4 and _has_work(form) and plain_value(form) is None  # in 1/2 nothing is put
        if not isinstance(last, Number) or left_out:
            raise Mismatch(f"the chain for {target.name} has no numbers put in, or ends without a value")
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
                self.value_given(name, side.expr, sides[-1].expr)
            if before is not sides[1]:
                wanted = relation(before.expr, side.expr, exact and (whole or side is not sides[-1]))
            else:
                wanted = "=" if (whole if side is sides[-1] else exact) else "≈"
            if (reckoned := signs_between(before.expr, side.expr)) and wanted not in reckoned:
                raise Mismatch(f"'{wanted}' instead of '{reckoned}' in the chain for {name}")
            if side.relation != wanted:
                raise Mismatch(f"'{side.relation}' instead of '{wanted}' in the chain for {name}")

    def value_given(self, name: str, put_in: Expr, last: Expr) -> None:
        """The numbers put in give the value at the end of their line; not asked where each line rounds."""
        places = 0 if self.rounding.significant else self.rounding.digits
        if self.trace.system is EXACT and isinstance(last, Number) and not gives(put_in, last, places):
            raise Mismatch(f"the numbers put in for {name} do not give its value")


def same_sign(sign: str, exact: bool, what: str) -> None:
    """Raise `Mismatch` unless ``=`` stands before an exact value and ``≈`` before a rounded one."""
    if sign != ("=" if exact else "≈"):
        raise Mismatch(f"'{sign}' before {what}")


def _has_digits(expr: Expr) -> bool:
    """Whether an expression is made of numbers alone: the side of a chain is about numbers."""
    nodes = list(walk(expr))
    return any(isinstance(node, Number) for node in nodes) and not any(isinstance(n, Ref) for n in nodes)


def _has_work(expr: Expr) -> bool:
    """Whether something is left to be worked once numbers are put in; a sum may have one term."""
    if isinstance(expr, Neg):
        return _has_work(expr.argument)
    return isinstance(expr, (Add, Mul, Div, Pow)) or (isinstance(expr, Call) and expr.function != "same")


def _unknown(expr: Expr, letters: frozenset[str], step: Step) -> Iterator[str]:
    """The indices, quantities and entries in an expression that a step does not have."""
    slots, sizes = step.layout.tape.slots, step.layout.sizes
    bound = [node.index for node in walk(expr) if isinstance(node, (Sum, Mean, Largest, Count))]
    free = [letter for letter in free_indices(expr, set(sizes)) if letter not in letters]
    yield from (f"index {letter}" for letter in (*free, *bound) if letter in free or letter not in sizes)
    for ref in (node for node in walk(expr) if isinstance(node, Ref)):
        ranks = {len(at) for name, at in slots if name == ref.name}
        if len(ref.indices) not in ranks and (ref.indices or ref.name not in sizes):
            yield f"quantity {ref.name}" + (f" with {len(ref.indices)} indices" if ranks else "")


def entry(expr: Expr, step: Step) -> Value:
    """The value of an entry; raises `Mismatch` for what is none of a step."""
    at = positions(expr) if isinstance(expr, Ref) else ()
    if isinstance(expr, Ref) and len(at) == len(expr.indices) and (expr.name, at) in step.layout.tape.slots:
        return step.at(expr.name, at)
    raise Mismatch(f"step {step.number} has no entry {text(expr)}")


def as_read(sides: Iterable[Side]) -> tuple[Side, ...]:
    """The sides of a formula as its reader finds them."""
    return tuple(Side(side.relation, as_printed(side.expr)) for side in sides)


def read(words: Words) -> tuple[Side, ...]:
    """The sides of the formula that a cell begins with, as its reader finds them."""
    first = words[0] if words else ""
    if not isinstance(first, Formula):
        raise Mismatch("a formula is missing")
    return as_read(first.sides)
