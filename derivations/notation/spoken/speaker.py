"""Reader of the tree that says formulas aloud, for those who do not see the page.

``dL/dw = 2/n Σ_i (ŷ_i - y_i) x_i`` is "the partial derivative of L with respect to w equals two over n
times the sum over i of the quantity y hat sub i minus y sub i, end quantity, times x sub i". What is said
is what is printed. Brackets are said where grouping would be lost; a sum runs on until what holds it
ends, and where more follows it has words at its end. Two formulas that are printed differently are
never said alike, even if no pause is heard.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from derivations.language.matrix import NORM, ONES, OVER, TIMES, TRANSPOSED
from derivations.language.tree import (
    ONE,
    Add,
    Call,
    Chosen,
    Count,
    Derivative,
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
    number,
)
from derivations.notation.chain import Side
from derivations.notation.languages import phrases_of
from derivations.notation.spoken.letters import Letters, decimal
from derivations.notation.spoken.phrases import Phrases
from derivations.notation.symbols import Symbols
from derivations.notation.typeset import DOTS

SUM, PRODUCT, SIGN, POWER, APPLY, ATOM = range(6)
POWERS = {"2": "squared", "3": "cubed"}


def spoken(expr: Expr, symbols: Symbols, language: str = "en") -> str:
    """The expression in words; ``language`` is a code of `derivations.notation.languages`."""
    return spoken_chain((Side("", expr),), symbols, language)


def spoken_chain(sides: Iterable[Side], symbols: Symbols, language: str = "en") -> str:
    """A chain ``a = b ≈ c`` in words."""
    phrases = phrases_of(language)
    speaker = _Speaker(symbols, phrases, Letters(symbols, phrases))
    relations = {"": "", "=": phrases.equals, "≈": phrases.approximately, "←": phrases.becomes}
    pause = ", " if phrases.spaced else "，"
    said = [f"{relations[side.relation]} {speaker.say(side.expr)[0]}" for side in sides]
    return _smooth(pause.join([" ".join(said[:2]), *said[2:]]), phrases)


def _smooth(text: str, phrases: Phrases) -> str:
    """One pause where several meet, none at the end, words that meet and spaces as the language has them."""
    text = re.sub(r"\s+", " ", text)
    text = re.sub(r" ?([,，])(?: ?[,，])*", r"\1", text).strip(" ,，")
    for words, joint in phrases.joints.items():
        text = re.sub(words, joint, text)
    return text if phrases.spaced else re.sub(r"(?<![ -~]) | (?![ -~])", "", text)


@dataclass(frozen=True)
class _Speaker:
    """Says trees with the symbols of a page in one language.

    ``say`` gives the words and how tightly they hold together. ``is_last`` is whether nothing follows
    within the same brackets: a sum may then be left open.
    """

    symbols: Symbols
    phrases: Phrases
    letters: Letters

    def say(self, expr: Expr, is_last: bool = True) -> tuple[str, int]:
        match expr:
            case Number():
                return self.number(expr)
            case Ref():
                return self.ref(expr)
            case Neg(a):
                return f"{self.phrases.negative} {self.turned(a, is_last)}", SIGN
            case Add(terms):
                return self.sum(terms, is_last), SUM
            case Mean(body, bound):
                return self.say(Mul((Div(ONE, Count(bound)), Sum(body, bound))), is_last)
            case Mul(factors):
                return self.product(factors, is_last), PRODUCT
            case Div(a, b):
                return self.fraction(a, b)
            case Pow(a, b):
                return self.power(a, b), POWER
            case Count() | Chosen():
                return self.counted(expr), ATOM
            case Call():
                return self.call(expr)
            case Sum() | Largest():
                return self.reduced(expr, is_last)
            case Derivative(body, by):
                return self.derivative(body, by), APPLY

    def within(self, expr: Expr, least: int, *never: int, is_last: bool = False) -> str:
        """The expression, in spoken brackets if it does not hold together well enough."""
        shown, level = self.say(expr, is_last)
        return self.bracketed(expr) if level < least or level in never else shown

    def bracketed(self, expr: Expr) -> str:
        return self.phrases.quantity.format(self.say(expr)[0])

    def number(self, expr: Number) -> tuple[str, int]:
        if not expr.text and expr.value.denominator != 1:
            above, below = (number(part) for part in expr.value.as_integer_ratio())
            plain = Div(number(abs(above.value)), below)
            return self.say(Neg(plain) if expr.value < 0 else plain)
        text = (expr.text or str(expr.value)).lower()
        mantissa, _, exponent = text.lstrip("-").partition("e")
        shown, level = decimal(mantissa, self.phrases), ATOM
        if exponent:
            power = self.phrases.power.format(decimal("10", self.phrases), self.whole(int(exponent)))
            shown, level = f"{shown} {self.phrases.times} {power}", PRODUCT
        return (f"{self.phrases.negative} {shown}", SIGN) if text.startswith("-") else (shown, level)

    def whole(self, value: int) -> str:
        return self.number(number(value))[0]

    def ref(self, ref: Ref) -> tuple[str, int]:
        if ref == DOTS:
            return self.phrases.dots, ATOM
        if ref.name == ONES and isinstance(index := ref.indices[0], Ref):
            return self.phrases.ones.format(self.counted(Count(index.name))), ATOM
        of = self.symbols.adjoint(ref.name)
        return (self.entry(ref), ATOM) if of is None else self.slope(self.entry(Ref(of, ref.indices)))

    def slope(self, by: str) -> tuple[str, int]:
        """The slope of the loss, as it is printed."""
        if self.symbols.derivative == "delta":
            return self.phrases.delta.format(by), APPLY
        phrases, loss = self.phrases, self.entry(Ref(self.symbols.loss))
        phrase = phrases.gradient if self.symbols.derivative == "nabla" else phrases.derivative
        return phrase.format(loss, by), APPLY

    def entry(self, ref: Ref) -> str:
        """A symbol with its subscripts: ``w prime sub one comma two``."""
        symbol, rest = self.symbols.of_entry(ref.name, ref.indices)
        base = self.letters.bare(symbol)
        own = [self.letters.subscript(text) for text in symbol.subscripts]
        below = [*own, *(self.say(part)[0] for part in rest)]
        if not below:
            return base
        if all(map(_is_plain_index, rest)):
            return f"{base} {self.phrases.sub} {f' {self.phrases.comma} '.join(below)}"
        return f"{base} {self.phrases.index.format(f'{self.phrases.next_index} '.join(below))}"

    def turned(self, expr: Expr, is_last: bool) -> str:
        """What stands after a sign; there a product may begin with a minus, "plus minus two times x"."""
        if isinstance(expr, Mul):
            return self.product(expr.factors, is_last, after_sign=True)
        return self.say(expr)[0] if _is_bare(expr) else self.within(expr, PRODUCT, SIGN, is_last=is_last)

    def sum(self, terms: tuple[Expr, ...], is_last: bool) -> str:
        found = [self.within(terms[0], PRODUCT)]
        for place, part in enumerate(terms[1:], 2):
            sign = self.phrases.minus if isinstance(part, Neg) else self.phrases.plus
            inside = part.argument if isinstance(part, Neg) else part
            found += [sign, self.turned(inside, is_last and place == len(terms))]
        return " ".join(found)

    def product(self, factors: tuple[Expr, ...], is_last: bool, after_sign: bool = False) -> str:
        if isinstance(mean := factors[-1], Mean):  # "1/2 · 1/n Σ" is one product
            factors = (*factors[:-1], Div(ONE, Count(mean.index)), Sum(mean.body, mean.index))
        last = len(factors) - 1
        found = (
            self.factor(part, place > 0 or after_sign, is_last and place == last)
            for place, part in enumerate(factors)
        )
        return f" {self.phrases.times} ".join(found)

    def factor(self, expr: Expr, is_later: bool, is_last: bool) -> str:
        """A factor; only a later one may begin with a minus, "x times minus two"."""
        if isinstance(expr, (Mul, Mean)) or _is_entrywise(expr):
            return self.bracketed(expr)
        if is_later and _is_bare(expr):
            return self.say(expr)[0]
        return self.within(expr, PRODUCT, SIGN, is_last=is_last)

    def fraction(self, above: Expr, below: Expr) -> tuple[str, int]:
        if self.is_short(above) and self.is_short(below):
            return self.phrases.over.format(self.say(above)[0], self.say(below)[0]), PRODUCT
        return self.phrases.fraction.format(self.say(above)[0], self.say(below)[0]), ATOM

    def is_short(self, expr: Expr) -> bool:
        """A number or an entry, which may stand in a fraction without further words."""
        if isinstance(expr, Ref) and not all(map(_is_plain_index, expr.indices)):
            return False
        return isinstance(expr, (Number, Ref, Count)) and self.say(expr)[1] == ATOM

    def power(self, base: Expr, exponent: Expr) -> str:
        below = self.within(base, ATOM)
        if exponent == TRANSPOSED:
            return self.phrases.transpose.format(below)
        if isinstance(exponent, Number):
            written = exponent.text or str(exponent.value)
            if written in POWERS:
                return str(getattr(self.phrases, POWERS[written])).format(below)
        return self.phrases.power.format(below, self.argument(exponent, ATOM))

    def counted(self, expr: Count | Chosen) -> str:
        if isinstance(expr, Chosen):
            body = self.within(expr.body, PRODUCT, SIGN, is_last=True)
            return self.phrases.chosen.format(self.say(expr.at)[0], self.letters.index(expr.index), body)
        letter = self.letters.stem(self.symbols.count)
        below = f" {self.phrases.sub} {self.letters.index(expr.index)}"
        return letter if expr.index == self.symbols.sample else letter + below

    def call(self, expr: Call) -> tuple[str, int]:
        name, parts = expr.function, expr.arguments
        if name in (TIMES, OVER):
            sign = self.phrases.entrywise_times if name == TIMES else self.phrases.entrywise_over
            return f" {sign} ".join(self.within(part, POWER) for part in parts), PRODUCT
        if name == NORM:
            return self.phrases.norm.format(self.say(parts[0])[0]), ATOM
        if name == "same":
            return self.phrases.same.format(*(self.say(part)[0] for part in parts)), ATOM
        called = self.letters.function(name)
        if not parts:
            return called, ATOM
        phrase = called if "{}" in called else self.phrases.apply.format(called, "{}")
        if len(parts) == 1:
            return phrase.format(self.argument(parts[0])), APPLY
        inside = f" {self.phrases.argument} ".join(self.say(part)[0] for part in parts)
        return self.phrases.arguments.format(phrase.format(inside)), ATOM

    def argument(self, expr: Expr, least: int = APPLY) -> str:
        return self.say(expr)[0] if _is_bare(expr) else self.within(expr, least)

    def reduced(self, expr: Sum | Largest, is_last: bool) -> tuple[str, int]:
        phrases = self.phrases
        over, end = (
            (phrases.sum, phrases.end_sum)
            if isinstance(expr, Sum)
            else (phrases.largest, phrases.end_largest)
        )
        shown = over.format(
            self.letters.index(expr.index), self.within(expr.body, PRODUCT, SIGN, is_last=is_last)
        )
        return (shown, PRODUCT) if is_last else (end.format(shown), ATOM)

    def derivative(self, body: Expr, by: Ref) -> str:
        below = self.within(by, ATOM)
        if body == Ref(self.symbols.loss):
            return self.slope(below)[0]
        if isinstance(body, Ref) and self.say(body)[1] == ATOM:
            return self.phrases.derivative.format(self.say(body)[0], below)
        return self.phrases.derivative_of.format(below, self.within(body, APPLY))


def _is_bare(expr: Expr) -> bool:
    """A minus and a decimal or an entry: "times minus two" needs no brackets."""
    match expr:
        case Number():
            return expr.value < 0 and _is_decimal(expr)
        case Neg(Number() as part):
            return part.value >= 0 and _is_decimal(part)
        case Neg(Ref() | Count()):
            return True
    return False


def _is_decimal(expr: Number) -> bool:
    """Whether a number is written without a fraction and without a power of ten."""
    return "e" not in expr.text.lower() if expr.text else expr.value.denominator == 1


def _is_entrywise(expr: Expr) -> bool:
    return isinstance(expr, Call) and expr.function in (TIMES, OVER)


def _is_plain_index(expr: Expr) -> bool:
    """An index letter or a whole number."""
    if isinstance(expr, Number):
        return expr.value.denominator == 1 and expr.value >= 0 and _is_decimal(expr)
    return isinstance(expr, Ref) and not expr.indices
