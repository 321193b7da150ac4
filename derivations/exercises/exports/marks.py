"""What a system that can calculate is told, to mark as the bank does.

An answer in the interval of the bank is right. If it is not, but an earlier one was wrong, it is held against
what follows from that (error carried forward): with ``c`` the formula of the answer in the earlier ones, in
which each that is accepted stands for our value and each that is not for itself,

    min(c − below, c rounded) ≤ answer ≤ max(c + above, c rounded)

where ``below`` and ``above`` say how far the interval reaches on both sides of our value. So with right
earlier answers it is the interval itself. A number to which slips lead gets no mark, and their words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import floor

from derivations.exercises.bank import Answer, Bank, Item, at_places, decimal
from derivations.exercises.carried import formulas, tree_of
from derivations.exercises.fragment import said
from derivations.exercises.merging import Option
from derivations.language.tree import (
    Call,
    Expr,
    Neg,
    Number,
    Pow,
    Ref,
    children,
    number,
    rebuild,
    refs,
    substitute,
    values,
)
from derivations.notation.text import text
from derivations.numbers.systems import PRIMITIVES
from derivations.numbers.walker import formula_with

DIGITS = 12  # decimals of the ends of an interval, rounded outwards
SLACK = 6  # what is worked in float64 may be off by one in so many places behind the last that is asked for
MOST, LONGEST = 12, 2_000  # wrong numbers that are told apart; nodes of a formula


@dataclass(frozen=True)
class Wrong:
    """A number to which slips lead, as it is handed in: within the ends, and what is said of it."""

    printed: str
    low: Fraction
    high: Fraction
    words: str


@dataclass(frozen=True)
class Mark:
    """How one answer is marked; ``letter`` stands for it in formulas.

    ``carried`` is its formula in the letters of earlier answers, None if it depends on none. ``value`` is
    ours, ``below`` and ``above`` are how far what is accepted reaches from it.
    """

    answer: Answer
    letter: str
    low: Fraction
    high: Fraction
    value: Fraction
    carried: Expr | None
    wrong: tuple[Wrong, ...]
    places: int

    @property
    def below(self) -> Fraction:
        """How far what is accepted reaches below our value, rounded up."""
        return max(-rounded_down(self.low - self.value), Fraction(0))

    @property
    def above(self) -> Fraction:
        """How far it reaches above, rounded up."""
        return max(-rounded_down(self.value - self.high), Fraction(0))

    @property
    def slack(self) -> Fraction:
        """What float64 may be off by."""
        return slack_of(self.places)

    @property
    def earlier(self) -> tuple[str, ...]:
        """The letters of the answers on which it depends."""
        return () if self.carried is None else tuple(ref.name for ref in refs(self.carried))

    def carried_in(self, names: Callable[[str], str]) -> Expr:
        """The formula with other names for the letters; only where there is one."""
        assert self.carried is not None
        return substitute(self.carried, {ref: Ref(names(ref.name)) for ref in refs(self.carried)})


def slack_of(places: int) -> Fraction:
    """What float64 may be off by where so many decimal places are asked for."""
    return Fraction(1, 10 ** (places + SLACK))


def marks_of(item: Item, bank: Bank, letter: str = "a") -> tuple[Mark, ...]:
    """How the answers of a variant are marked; they are called ``a1``, ``a2`` … in their order."""
    names = {answer.asked.key: f"{letter}{n}" for n, answer in enumerate(item.answers, 1)}
    carried = formulas(item.steps, bank.example, bank.asked)
    renamed: dict[Expr, Expr] = {Ref(key): Ref(name) for key, name in names.items()}
    found = []
    for answer in item.answers:
        key, accepted = answer.asked.key, answer.accepted
        own = substitute(carried[key], renamed) if key in carried else None
        ends = rounded_down(accepted.low), -rounded_down(-accepted.high)
        wrong = tuple(_wrong(option, bank, item) for option in answer.wrong[:MOST])
        found.append(Mark(answer, names[key], *ends, near(answer), own, wrong, bank.places))
    return tuple(found)


def _wrong(option: Option, bank: Bank, item: Item) -> Wrong:
    printed = at_places(option.value, bank.places)
    room = Fraction(0) if printed.exact else Fraction(1, 2 * 10**bank.places)
    return Wrong(printed.text, printed.value - room, printed.value + room, said(option.explanation, item))


def near(answer: Answer) -> Fraction:
    """Our value: exact if it is rational, else a decimal of so many significant digits."""
    found = tree_of(answer.value)
    sign, plain = (-1, found.argument) if isinstance(found, Neg) else (1, found)
    if isinstance(plain, Number):
        return sign * plain.value
    above, below = (part.value for part in children(plain) if isinstance(part, Number))
    return sign * above / below


def rounded_down(value: Fraction) -> Fraction:
    """The greatest decimal of `DIGITS` places that is not above a number."""
    return Fraction(floor(value * 10**DIGITS), 10**DIGITS)


# --- formulas in the language of a system ------------------------------------------------------------------


@dataclass(frozen=True)
class Dialect:
    """How a language that calculates writes a power and the functions; ``{}`` stands for the arguments."""

    power: str
    functions: Mapping[str, str]

    def knows(self, expr: Expr | None) -> bool:
        """Whether an expression can be written in it, and is not too long."""
        if expr is None or length(expr) > LONGEST:
            return False
        return {node.function for node in values(spelt(expr)) if isinstance(node, Call)} <= set(
            self.functions
        )

    def code(self, expr: Expr) -> str:
        """An expression, the letters as they are."""
        return text(self._tree(spelt(expr)))

    def number(self, value: Fraction) -> str:
        """A number: a decimal if it ends as one."""
        return self.code(Neg(number(-value)) if value < 0 else number(value))

    def _tree(self, expr: Expr) -> Expr:
        parts = tuple(map(self._tree, children(expr)))
        if isinstance(expr, Number):
            return Ref(decimal(expr.value)) if ends(expr.value) else Ref(f"({expr.value})")
        if isinstance(expr, Pow):
            return Ref(self.power.format(*map(text, parts)))
        if isinstance(expr, Call):
            return Ref(self.functions[expr.function].format(*map(text, parts)))
        return rebuild(expr, parts)


PYTHON = Dialect(
    "(({})**({}))",
    {
        "pi": "math.pi",
        "sin": "math.sin({})",
        "cos": "math.cos({})",
        "cospi": "math.cos(math.pi*({}))",
        "erf": "math.erf({})",
        "floor": "math.floor({})",
        "max": "max({}, {})",
        "min": "min({}, {})",
        "exp": "math.exp({})",
        "log": "math.log({})",
        "sqrt": "math.sqrt({})",
        "sign": "((({0}) > 0) - (({0}) < 0))",
        "step": "(1 if ({}) > 0 else 0)",
    },
)


def ends(value: Fraction) -> bool:
    """Whether a number ends as a decimal."""
    rest = value.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    return rest == 1


def spelt(expr: Expr) -> Expr:
    """An expression with the formulas of functions in the place of their names, down to the primitives."""
    parts = tuple(map(spelt, children(expr)))
    if isinstance(expr, Call) and expr.function not in PRIMITIVES:
        return spelt(formula_with(expr.function, parts))
    return rebuild(expr, parts)


def length(expr: Expr, known: dict[int, int] | None = None) -> int:
    """How many nodes an expression has, written out; what it has twice is gone through once."""
    known = {} if known is None else known
    if id(expr) not in known:
        known[id(expr)] = 1 + sum(length(part, known) for part in children(expr))
    return known[id(expr)]
