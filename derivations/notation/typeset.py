"""From the tree to boxes, in the author's order: where brackets, dots, fractions and scripts stand."""

from __future__ import annotations

import re

from derivations.language.matrix import NORM, ONES, OVER, TIMES, TRANSPOSED
from derivations.language.names import adjoint, adjoint_of
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
    walk,
)
from derivations.notation import boxes as layout
from derivations.notation.boxes import Box, Fenced, Fraction, Letter, Numeral, Operator, Row, Scripts, Sign
from derivations.notation.symbols import GREEK, SLOPE, Symbol, Symbols
from derivations.notation.text import ATOM, POWER, PRODUCT, SIGN, SUM

DOTS = Ref("...")
BETWEEN = {TIMES: "⊙", OVER: "⊘"}
UNICODE = dict(zip(GREEK, "αβγδϵζηθικλμνξπρστυϕχψωΓΔΘΛΞΠΣΦΨΩ", strict=True)) | {"varepsilon": "ε"}
STEM = re.compile(
    r"(?:\\(?P<accent>hat|bar|tilde) )?(?:\\mathrm\{(?P<word>.*)\}|\\(?P<name>\w+)|(?P<letter>\w))"
)
PLUS, MINUS, DOT, COMMA, PARTIAL, NABLA = (Sign(text) for text in "+−·,∂∇")


def typeset(expr: Expr, symbols: Symbols) -> Box:
    """The expression as boxes."""
    return _set(expr, symbols)[0]


def letter(stem: str, style: str = "upright") -> Letter:
    r"""A stem in the words of LaTeX as a letter: ``\hat y``, ``\eta``, ``\mathrm{net}``, ``w``."""
    found = STEM.fullmatch(stem)
    assert found, stem
    accent = found["accent"] or ""
    if found["word"] is not None:
        return Letter(found["word"], style, accent)  # type: ignore[arg-type]
    name = found["name"]
    if name in UNICODE or not name:
        return Letter(UNICODE[name] if name else found["letter"], "italic", accent)  # type: ignore[arg-type]
    return Letter(name, "function", accent)  # type: ignore[arg-type]


def numeral(text: str) -> tuple[Box, int]:
    """A printed number: a sign before its digits, ``1.2e-7`` as a product with a power of ten."""
    mantissa, _, exponent = text.lower().partition("e")
    digits = mantissa.lstrip("-")
    digits = f"0{digits}" if digits.startswith(".") else digits.removesuffix(".")
    shown: Box = Numeral(digits)
    level = ATOM
    if exponent:
        power = Numeral(str(abs(int(exponent))))
        above: Box = Row((MINUS, power), "sign") if int(exponent) < 0 else power
        shown, level = Row((shown, DOT, Scripts(Numeral("10"), above=above)), "product"), PRODUCT
    return (Row((MINUS, shown), "sign"), SIGN) if mantissa.startswith("-") else (shown, level)


def _set(expr: Expr, symbols: Symbols) -> tuple[Box, int]:
    match expr:
        case Number():
            return _number(expr)
        case Ref():
            return _ref(expr, symbols)
        case Call(name, arguments) if name in BETWEEN:
            boxes = [_within(part, POWER, symbols) for part in arguments]
            return Row(_joined(boxes, Sign(BETWEEN[name])), "product"), PRODUCT
        case Count() | Call():
            return _atom(expr, symbols), ATOM
        case Neg(a):
            return Row((MINUS, _within(a, PRODUCT, symbols, SIGN)), "sign"), SIGN
        case Add(terms):
            return _sum(terms, symbols), SUM
        case Mul(factors):
            return _product(factors, symbols), PRODUCT
        case Div(a, b):
            return Fraction(typeset(a, symbols), typeset(b, symbols)), PRODUCT
        case Pow(a, b):
            return Scripts(_within(a, ATOM, symbols), above=typeset(b, symbols)), POWER
        case Chosen(a, bound, at):
            where = Operator("arg max", letter_of_index(bound, symbols))
            shown = Row((where, _within(a, PRODUCT, symbols, SIGN)), "operator")
            return Fenced("[", Row((typeset(at, symbols), Sign("="), shown), "relation")), ATOM
        case Sum() | Mean() | Largest() | Derivative():
            return _operator(expr, symbols), PRODUCT


def _joined(boxes: list[Box], sign: Sign) -> tuple[Box, ...]:
    return tuple(part for box in boxes for part in (sign, box))[1:]


def letter_of_index(name: str, symbols: Symbols) -> Box:
    """An index letter, or its twin ``i1``, written as it is between brackets."""
    stem, twin = Letter(symbols.letter(name[:1])), name[1:]
    return Scripts(stem, Numeral(twin)) if twin.isdigit() else Letter(symbols.letter(name))


def _atom(expr: Count | Call, symbols: Symbols) -> Box:
    if isinstance(expr, Count):
        count = Letter(symbols.count)
        return count if expr.index == symbols.sample else Scripts(count, letter_of_index(expr.index, symbols))
    boxes = [typeset(part, symbols) for part in expr.arguments]
    if expr.function == "same":
        return Fenced("[", Row(_joined(boxes, Sign("=")), "relation"))
    if expr.function == NORM:
        return Fenced("‖", boxes[0])
    if expr.function == "sqrt":
        return layout.Root(boxes[0])
    name = letter(symbols.functions[expr.function], "function")
    if not boxes:
        return name
    if len(boxes) > 1:
        return Row((name, Fenced("(", Row(_joined(boxes, COMMA), "list"))), "apply")
    return Row((name, _brackets(boxes[0], expr.arguments[0])), "apply")


def _operator(expr: Sum | Mean | Largest | Derivative, symbols: Symbols) -> Box:
    match expr:
        case Sum(body, bound):
            inside = _within(body, PRODUCT, symbols, SIGN)
            return Row((Operator("∑", letter_of_index(bound, symbols)), inside), "operator")
        case Largest(body, bound):
            inside = _within(body, PRODUCT, symbols, SIGN)
            return Row((Operator("max", letter_of_index(bound, symbols)), inside), "operator")
        case Mean(body, bound):
            return typeset(Mul((Div(ONE, Count(bound)), Sum(body, bound))), symbols)
        case Derivative(body, by):
            return _derivative(body, by, symbols)


def _number(expr: Number) -> tuple[Box, int]:
    if not expr.text and expr.value.denominator != 1:
        above, below = (Numeral(str(abs(part))) for part in expr.value.as_integer_ratio())
        shown: Box = Fraction(above, below)
        return (Row((MINUS, shown), "sign"), SIGN) if expr.value < 0 else (shown, PRODUCT)
    found, level = numeral(expr.text or str(expr.value))
    return found, SIGN if expr.value < 0 else level


def _ref(ref: Ref, symbols: Symbols) -> tuple[Box, int]:
    if ref in (DOTS, TRANSPOSED):
        return Sign("…" if ref == DOTS else "⊤"), ATOM
    if ref.name == ONES:
        length = typeset(Count(_index_name(ref.indices[0])), symbols)
        return Scripts(Letter("1", "bold"), length), ATOM
    of = symbols.adjoint(ref.name)
    symbol, rest = symbols.of_entry(ref.name if of is None else of, ref.indices)
    indices = tuple(typeset(part, symbols) for part in rest)
    if of is None:
        return with_scripts(symbol, indices), POWER if symbol.above else ATOM
    return _slope_of_loss(symbol, indices, symbols), POWER


def _slope_of_loss(by: Symbol, indices: tuple[Box, ...], symbols: Symbols) -> Box:
    """``∂L/∂w`` as a fraction, as ``∇_w L``, or as ``δ_w``, with indices ``δ_i^z``."""
    if symbols.derivative == "delta" and indices:
        inside = indices[0] if len(indices) == 1 else Row(_joined(list(indices), COMMA), "indices")
        return Scripts(letter(SLOPE), inside, with_scripts(by))
    shown, loss = with_scripts(by, indices), with_scripts(symbols.of(symbols.loss))
    if symbols.derivative == "delta":
        return Scripts(letter(SLOPE), shown)
    if symbols.derivative == "nabla":
        return Row((Scripts(NABLA, shown), loss), "gradient")
    return _slope(loss, shown)


def _index_name(expr: Expr) -> str:
    assert isinstance(expr, Ref)
    return expr.name


def with_scripts(symbol: Symbol, extra: tuple[Box, ...] = ()) -> Box:
    """A symbol with its own and further subscripts, its primes, and what stands above."""
    own: list[Box] = [_script(text) for text in symbol.subscripts]
    below = [*own, *extra]
    base = letter(symbol.stem)
    above = Fenced("(", _script(symbol.above)) if symbol.above else None
    if not below:
        return Scripts(base, None, above, len(symbol.primes)) if symbol.primes or above else base
    inside = below[0] if len(below) == 1 else Row(_joined(below, COMMA), "indices")
    return Scripts(base, inside, above, len(symbol.primes))


def _script(text: str | Symbol) -> Box:
    """A fixed subscript: ``w_1``, ``net_h1``, ``v_{θ_1}``."""
    if isinstance(text, Symbol):
        return with_scripts(text)
    return Numeral(text) if text.isdigit() else Letter(text)


def _slope(above: Box, below: Box) -> Fraction:
    return Fraction(Row((PARTIAL, above), "operator"), Row((PARTIAL, below), "operator"))


def _derivative(body: Expr, by: Ref, symbols: Symbols) -> Box:
    if body == Ref(symbols.loss):
        return typeset(Ref(adjoint(symbols.loss, by.name), by.indices), symbols)
    below = typeset(by, symbols)
    if isinstance(body, Ref) and symbols.adjoint(body.name) is None:
        return _slope(typeset(body, symbols), below)
    by_what = Fraction(PARTIAL, Row((PARTIAL, below), "operator"))
    return Row((by_what, Fenced("(", typeset(body, symbols), tall=True)), "operator")


def _brackets(shown: Box, expr: Expr) -> Fenced:
    """Round brackets; tall ones around fractions and sums, square ones around long sums of numbers."""
    inside = list(layout.walk(shown))
    fenced = any(isinstance(box, Fenced) for box in inside)
    if isinstance(expr, Add) and fenced and all(map(_is_numeric, expr.terms)):
        return Fenced("[", shown, tall=True)
    tall = any(isinstance(box, Fraction) or (isinstance(box, Operator) and box.text == "∑") for box in inside)
    return Fenced("(", shown, tall)


def _is_numeric(expr: Expr) -> bool:
    return not any(isinstance(node, (Ref, Count)) and node != DOTS for node in walk(expr))


def _within(expr: Expr, least: int, symbols: Symbols, *never: int) -> Box:
    shown, level = _set(expr, symbols)
    return _brackets(shown, expr) if level < least or level in never else shown


def _sum(terms: tuple[Expr, ...], symbols: Symbols) -> Row:
    boxes: list[Box] = [_within(terms[0], PRODUCT, symbols)]
    for part in terms[1:]:
        turned_ = isinstance(part, Neg)
        inside = part.argument if isinstance(part, Neg) else part
        boxes += [MINUS if turned_ else PLUS, _within(inside, PRODUCT, symbols, SIGN)]
    return Row(tuple(boxes), "sum")


def _product(factors: tuple[Expr, ...], symbols: Symbols) -> Row:
    boxes: list[Box] = []
    last = len(factors) - 1
    for place, part in enumerate(factors):
        factor, level = _set(part, symbols)
        open_sum = isinstance(part, (Sum, Mean, Largest)) and place < last
        if level < PRODUCT or level == SIGN or isinstance(part, Mul) or open_sum or _is_entrywise(part):
            factor = _brackets(factor, part)
        if place and _has_dot(factors[place - 1], part, symbols):
            boxes.append(DOT)
        boxes.append(factor)
    return Row(tuple(boxes), "product")


def _is_entrywise(expr: Expr) -> bool:
    return isinstance(expr, Call) and expr.function in BETWEEN


def _has_dot(left: Expr, right: Expr, symbols: Symbols) -> bool:
    """A dot between numbers, between fractions, and after ∇; a thin nothing where letters stand together."""
    if _starts_with_number(right):
        return True
    if symbols.derivative == "nabla" and _is_slope(left, symbols):
        return True
    applied = isinstance(right, (Number, Pow, Call)) and not _is_entrywise(right)
    if isinstance(left, Number) and left.text and applied:
        return True
    if isinstance(left, Number) and isinstance(right, Add) and _is_numeric(right):
        return True
    if _ends_with_number(left) and _is_mixed(right):
        return True
    return all(_is_fraction(part, symbols) for part in (left, right)) or (
        isinstance(right, Derivative) and not isinstance(left, Number)
    )


def _ends_with_number(expr: Expr) -> bool:
    """Whether digits stand last on the line of an expression: ``2``, ``0.5^2``."""
    while isinstance(expr, Pow):
        expr = expr.base
    return isinstance(expr, Number)


def _is_mixed(expr: Expr) -> bool:
    """Whether a number right before an expression would make a mixed number: 2 and 1/3 are not 2 1/3."""
    if isinstance(expr, Mean):
        return True
    return isinstance(expr, Div) and (_starts_with_number(expr.numerator) or _is_numeric(expr))


def _is_fraction(expr: Expr, symbols: Symbols) -> bool:
    if symbols.derivative != "partial" and _is_slope(expr, symbols):
        return False
    return isinstance(expr, (Div, Derivative, Mean)) or (
        isinstance(expr, Ref) and adjoint_of(expr.name) is not None
    )


def _is_slope(expr: Expr, symbols: Symbols) -> bool:
    """Whether an expression is a slope of the loss."""
    if isinstance(expr, Derivative):
        return expr.body == Ref(symbols.loss)
    return isinstance(expr, Ref) and symbols.adjoint(expr.name) is not None


def _starts_with_number(expr: Expr) -> bool:
    while isinstance(expr, (Pow, Mul, Add)):
        if isinstance(expr, Add):
            return False
        expr = expr.base if isinstance(expr, Pow) else expr.factors[0]
    return isinstance(expr, Number)
