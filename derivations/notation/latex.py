r"""Printer of the tree as LaTeX mathematics, in the author's order.

The output avoids what the dialects of Markdown eat: no ``\,``, ``\{`` or ``\\``, and subscripts of
one letter without braces. It is read back by `derivations.notation.read`.
"""

from __future__ import annotations

import re
from dataclasses import replace

from derivations.catalogue import functions
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
    children,
    number,
    rebuild,
    walk,
)
from derivations.notation.symbols import Symbol, Symbols
from derivations.notation.text import ATOM, POWER, PRODUCT, SIGN, SUM

DOTS = Ref("...")
BETWEEN = {TIMES: r"\odot", OVER: r"\oslash"}


def latex(expr: Expr, symbols: Symbols) -> str:
    """The expression as LaTeX."""
    return _print(expr, symbols)[0]


def number_latex(text: str) -> str:
    r"""A printed decimal: ``-10.5`` as it is, ``1.2e-7`` as ``1.2 \cdot 10^{-7}``."""
    mantissa, _, exponent = text.lower().partition("e")
    mantissa = f"0{mantissa}" if mantissa.startswith(".") else mantissa.removesuffix(".")
    return f"{mantissa} \\cdot 10^{{{int(exponent)}}}" if exponent else mantissa


def as_printed(expr: Expr) -> Expr:
    """The expression as it reads once printed: means as ``1/n Σ``, ``-2`` as one number."""
    if isinstance(expr, Mean):
        return as_printed(Mul((Div(ONE, Count(expr.index)), Sum(expr.body, expr.index))))
    if isinstance(expr, Ref) and expr.padded:  # what is outside its array is 0: the page says so in words
        expr = replace(expr, padded=False)
    if isinstance(expr, Add):  # "a - 2" keeps its minus, "-2 + a" starts with a number
        first, *rest = expr.terms
        return Add((as_printed(first), *(_later_term(part) for part in rest)))
    found = rebuild(expr, tuple(as_printed(part) for part in children(expr)))
    if isinstance(found, Neg) and isinstance(found.argument, Number):
        return turned(found.argument)
    if isinstance(found, Number) and found.value.denominator != 1 and not found.text:
        return as_printed(Div(number(found.value.numerator), number(found.value.denominator)))
    if isinstance(expr, Mul) and isinstance(expr.factors[-1], Mean) and isinstance(found, Mul):
        *before, mean = found.factors
        assert isinstance(mean, Mul)
        return Mul((*before, *mean.factors))  # "1/2 · 1/n Σ" reads as one product
    return found


def turned(plain: Number) -> Number:
    """The number with the other sign, in the same digits."""
    text = plain.text.removeprefix("-") if plain.value < 0 else f"-{plain.text}"
    return Number(-plain.value, text if plain.text else "")


def _later_term(part: Expr) -> Expr:
    return Neg(as_printed(part.argument)) if isinstance(part, Neg) else as_printed(part)


def _print(expr: Expr, symbols: Symbols) -> tuple[str, int]:
    match expr:
        case Number():
            return _number(expr)
        case Ref():
            return _ref(expr, symbols)
        case Call(name, parts) if name in BETWEEN:
            joint = f" {BETWEEN[name]} "
            return joint.join(_within(part, POWER, symbols) for part in parts), PRODUCT
        case Count() | Call():
            return _atom(expr, symbols), ATOM
        case Neg(a):
            return f"-{_within(a, PRODUCT, symbols, SIGN)}", SIGN
        case Add(parts):
            return _sum(parts, symbols), SUM
        case Mul(parts):
            return _product(parts, symbols), PRODUCT
        case Div(a, b):
            return f"\\frac{{{latex(a, symbols)}}}{{{latex(b, symbols)}}}", PRODUCT
        case Pow(a, b):
            return f"{_within(a, ATOM, symbols)}^{_script(latex(b, symbols))}", POWER
        case Chosen(a, bound, at):
            where = f"\\arg \\max_{_script(bound)} {_within(a, PRODUCT, symbols, SIGN)}"
            return f"[{latex(at, symbols)} = {where}]", ATOM
        case Sum() | Mean() | Largest() | Derivative():
            return _operator(expr, symbols), PRODUCT


def _atom(expr: Count | Call, symbols: Symbols) -> str:
    if isinstance(expr, Count):
        return symbols.count if expr.index == symbols.sample else f"{symbols.count}_{_script(expr.index)}"
    if not expr.arguments:
        return functions.BY_NAME[expr.function].latex
    if expr.function == "same":
        return f"[{' = '.join(latex(part, symbols) for part in expr.arguments)}]"
    if len(expr.arguments) > 1:
        inside = ", ".join(latex(part, symbols) for part in expr.arguments)
        return f"{functions.BY_NAME[expr.function].latex}({inside})"
    (argument,) = expr.arguments
    if expr.function == NORM:
        return f"\\lVert {latex(argument, symbols)} \\rVert"
    if expr.function == "sqrt":
        return f"\\sqrt{{{latex(argument, symbols)}}}"
    return f"{functions.BY_NAME[expr.function].latex}{_brackets(latex(argument, symbols), argument)}"


def _operator(expr: Sum | Mean | Largest | Derivative, symbols: Symbols) -> str:
    match expr:
        case Sum(body, bound):
            return f"\\sum_{_script(bound)} {_within(body, PRODUCT, symbols, SIGN)}"
        case Largest(body, bound):
            return f"\\max_{_script(bound)} {_within(body, PRODUCT, symbols, SIGN)}"
        case Mean(body, bound):
            return latex(Mul((Div(ONE, Count(bound)), Sum(body, bound))), symbols)
        case Derivative(body, by):
            return _derivative(body, by, symbols)


def _number(expr: Number) -> tuple[str, int]:
    if not expr.text and expr.value.denominator != 1:
        sign = "-" if expr.value < 0 else ""
        shown = f"{sign}\\frac{{{abs(expr.value.numerator)}}}{{{expr.value.denominator}}}"
        return shown, SIGN if sign else PRODUCT
    shown = number_latex(expr.text or str(expr.value))
    return shown, SIGN if expr.value < 0 else PRODUCT if "cdot" in shown else ATOM


def _script(text: str) -> str:
    return text if len(text) == 1 else f"{{{text}}}"


def with_scripts(symbol: Symbol, extra: tuple[str, ...] = ()) -> str:
    """A symbol with its own and further subscripts and its primes.

    The subscripts of an upright word stand inside its braces, for Markdown may read ``}_`` as emphasis.
    """
    scripts = ",".join((*symbol.subscripts, *extra))
    below = f"_{_script(scripts)}" if scripts else ""
    inside = symbol.stem.endswith("}")
    return (f"{symbol.stem[:-1]}{below}}}" if inside else symbol.stem + below) + symbol.primes


def _ref(ref: Ref, symbols: Symbols) -> tuple[str, int]:
    if ref in (DOTS, TRANSPOSED):
        return r"\dots" if ref == DOTS else r"\top", ATOM
    if ref.name == ONES:
        length = latex(Count(latex(ref.indices[0], symbols)), symbols)
        return f"\\mathbf 1_{_script(length)}", ATOM
    of = symbols.adjoint(ref.name)
    symbol, rest = symbols.of_entry(ref.name if of is None else of, ref.indices)
    shown = with_scripts(symbol, tuple(latex(part, symbols) for part in rest))
    if of is None:
        return shown, ATOM
    above = with_scripts(symbols.of(symbols.loss))
    return f"\\frac{{\\partial {above}}}{{\\partial {shown}}}", POWER


def _derivative(body: Expr, by: Ref, symbols: Symbols) -> str:
    below = latex(by, symbols)
    if isinstance(body, Ref):
        return f"\\frac{{\\partial {latex(body, symbols)}}}{{\\partial {below}}}"
    shown = f"\\left({latex(body, symbols)}\\right)"
    return f"\\frac{{\\partial}}{{\\partial {below}}} {shown}"


def _brackets(shown: str, expr: Expr) -> str:
    """Round brackets; tall ones around fractions and sums, square ones around long sums of numbers."""
    if isinstance(expr, Add) and ("(" in shown or "[" in shown) and all(map(_is_numeric, expr.terms)):
        return f"\\left[{shown}\\right]"
    tall = "\\frac" in shown or "\\sum" in shown
    return f"\\left({shown}\\right)" if tall else f"({shown})"


def _is_numeric(expr: Expr) -> bool:
    return not any(isinstance(node, (Ref, Count)) and node != DOTS for node in walk(expr))


def _within(expr: Expr, least: int, symbols: Symbols, *never: int) -> str:
    shown, level = _print(expr, symbols)
    return _brackets(shown, expr) if level < least or level in never else shown


def _sum(parts: tuple[Expr, ...], symbols: Symbols) -> str:
    shown = _within(parts[0], PRODUCT, symbols)
    for part in parts[1:]:
        if isinstance(part, Neg):
            shown += f" - {_within(part.argument, PRODUCT, symbols, SIGN)}"
        else:
            shown += f" + {_within(part, PRODUCT, symbols, SIGN)}"
    return shown


def _product(parts: tuple[Expr, ...], symbols: Symbols) -> str:
    shown, last = "", len(parts) - 1
    for place, part in enumerate(parts):
        factor, level = _print(part, symbols)
        open_sum = isinstance(part, (Sum, Mean, Largest)) and place < last
        if level < PRODUCT or level == SIGN or isinstance(part, Mul) or open_sum or _is_entrywise(part):
            factor = _brackets(factor, part)
        if place:
            shown += _joint(parts[place - 1], part)
        shown += factor
    return shown


def _is_entrywise(expr: Expr) -> bool:
    return isinstance(expr, Call) and expr.function in BETWEEN


def _joint(left: Expr, right: Expr) -> str:
    """A dot between numbers and between fractions, a thin nothing where letters stand together."""
    if _starts_with_number(right):
        return r" \cdot "
    applied = isinstance(right, (Number, Pow, Call)) and not _is_entrywise(right)
    if isinstance(left, Number) and left.text and applied:
        return r" \cdot "
    if isinstance(left, Number) and isinstance(right, Add) and _is_numeric(right):
        return r" \cdot "
    fractions = [_is_fraction(left), _is_fraction(right)]
    if all(fractions) or (isinstance(right, Derivative) and not isinstance(left, Number)):
        return r" \cdot "
    return " "


def _is_fraction(expr: Expr) -> bool:
    return isinstance(expr, (Div, Derivative, Mean)) or (
        isinstance(expr, Ref) and expr.name.startswith("d") and "/" in expr.name
    )


def _starts_with_number(expr: Expr) -> bool:
    while isinstance(expr, (Pow, Mul, Add)):
        if isinstance(expr, Add):
            return False
        expr = expr.base if isinstance(expr, Pow) else expr.factors[0]
    return isinstance(expr, Number)


def width(source: str) -> int:
    """A rough width of LaTeX mathematics, in characters of an ordinary line."""
    while (shorter := re.sub(r"\\frac\{([^{}]*)\}\{([^{}]*)\}", _wider, source)) != source:
        source = shorter
    source = re.sub(r"\\(left|right|partial|hat|bar|cdot)\b|[{}_^\s]", "", source)
    return len(re.sub(r"\\[A-Za-z]+", "m", source))


def _wider(found: re.Match[str]) -> str:
    return max(found[1], found[2], key=len)
