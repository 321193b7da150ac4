"""The tree to SymPy and back, in the author's order.

SymPy differentiates, simplifies and proves; it never prints. Each entry ``u[J]`` becomes one real
symbol, so that ``diff`` is the derivative by that entry and by nothing else. On the way back the
terms and factors are put in the order in which the original expression mentions them.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import cache
from typing import Any

import sympy as sp

from derivations.catalogue import functions
from derivations.language.parser import parse
from derivations.language.products import is_coefficient, product, total
from derivations.language.tree import (
    ONE,
    Add,
    Call,
    Chosen,
    Count,
    Div,
    Expr,
    Mul,
    Neg,
    Number,
    Pow,
    Ref,
    children,
    number,
    rebuild,
    substitute,
    values,
)

# SymPy's sign has a delta function as its derivative; as everywhere in training, ours has 0.
SIGN = type("sign", (sp.sign,), {"_eval_derivative": lambda self, by: sp.S.Zero})
FLOOR = type("floor", (sp.floor,), {"_eval_derivative": lambda self, by: sp.S.Zero})
SYMPY_OWN = {
    "exp": sp.exp,
    "log": sp.log,
    "sqrt": sp.sqrt,
    "tanh": sp.tanh,
    "sin": sp.sin,
    "cos": sp.cos,
    "erf": sp.erf,
    "sign": SIGN,
    "floor": FLOOR,
    "pi": lambda *_: sp.pi,
}


def _step(_: Any, x: Any) -> Any:
    return sp.Integer(bool(x > 0)) if x.is_number and x.is_extended_real else None


def _larger(_: Any, x: Any, y: Any) -> Any:
    return (x if x >= y else y) if x.is_number and y.is_number and (x - y).is_extended_real else None


def _smaller(_: Any, x: Any, y: Any) -> Any:
    return (x if x <= y else y) if x.is_number and y.is_number and (x - y).is_extended_real else None


# what SymPy may know of numbers; of symbols these functions stay as they are
PICKS: dict[str, Any] = {"step": _step, "max": _larger, "min": _smaller}


class Atoms:
    """The symbols that stand for entries and counts, numbered in the order of first appearance."""

    def __init__(self, *exprs: Expr) -> None:
        self.symbols: dict[Expr, sp.Symbol] = {}
        for expr in exprs:
            for node in values(expr):
                if isinstance(node, (Ref, Count, Chosen)):
                    self.symbol(node)

    def symbol(self, node: Expr) -> sp.Symbol:
        """The symbol of an entry (real) or of a count (a positive integer)."""
        if node not in self.symbols:
            name = f"a{len(self.symbols):04d}"
            kind = {"integer": True, "positive": True} if isinstance(node, Count) else {"real": True}
            self.symbols[node] = sp.Symbol(name, **kind)
        return self.symbols[node]

    def node(self, symbol: sp.Symbol) -> Expr:
        """The entry or count that a symbol stands for."""
        return next(node for node, known in self.symbols.items() if known == symbol)


@cache
def function_class(name: str) -> Any:
    """SymPy's function of a row; one that SymPy lacks gets the row's stated slopes as derivatives."""
    if name in SYMPY_OWN:
        return SYMPY_OWN[name]
    row = functions.BY_NAME[name]
    slopes = [parse(row.all_slopes.get(argument, "0"), functions.NAMES) for argument in row.arguments]

    def given(self: Any) -> dict[Expr, Any]:
        return {Ref(argument): part for argument, part in zip(row.arguments, self.args, strict=True)}

    def fdiff(self: Any, argindex: int = 1) -> Any:
        return to_sympy(slopes[argindex - 1], Atoms(), given(self))

    def evalf(self: Any, prec: int) -> Any:
        formula = unfold(Call(name, tuple(map(Ref, row.arguments))))
        return to_sympy(formula, Atoms(), given(self))._eval_evalf(prec)

    own: dict[str, Any] = {"_eval_evalf": evalf} if row.formula else {}
    if name in PICKS:
        own["eval"] = classmethod(PICKS[name])
    return type(name, (sp.Function,), {"fdiff": fdiff, "is_real": True, "nargs": len(row.arguments), **own})


def to_sympy(expr: Expr, atoms: Atoms, given: Mapping[Expr, Any] | None = None) -> Any:
    """The SymPy expression of a pointwise tree; ``given`` replaces entries by what they stand for."""
    given = given or {}

    def convert(node: Expr) -> Any:
        match node:
            case Number(value, _):
                return sp.Rational(value.numerator, value.denominator)
            case Ref() | Count() | Chosen():
                return given[node] if node in given else atoms.symbol(node)
            case Neg(a):
                return -convert(a)
            case Add(parts):
                return sp.Add(*map(convert, parts))
            case Mul(parts):
                return sp.Mul(*map(convert, parts))
            case Div(a, b):
                return convert(a) / convert(b)
            case Pow(a, b):
                return convert(a) ** convert(b)
            case Call(name, parts):
                return function_class(name)(*map(convert, parts))
        raise TypeError(f"not pointwise: {node}")

    return convert(expr)


def unfold(expr: Expr) -> Expr:
    """The expression with every function replaced by its row's formula, down to primitives."""
    if isinstance(expr, Call) and (row := functions.BY_NAME[expr.function]).formula:
        given: dict[Expr, Expr] = dict(zip(map(Ref, row.arguments), expr.arguments, strict=True))
        return unfold(substitute(parse(row.formula, functions.NAMES), given))
    return rebuild(expr, tuple(unfold(part) for part in children(expr)))


def slope(body: Expr, by: Ref) -> Expr:
    """``∂body/∂by``: the local slope, ``by`` differentiated as an atom, in the author's order."""
    atoms = Atoms(body, by)
    derivative = sp.diff(to_sympy(body, atoms), atoms.symbol(by))
    return from_sympy(derivative, atoms)


def from_sympy(expr: Any, atoms: Atoms) -> Expr:
    """A tree from SymPy's answer: coefficient first, then entries in the author's order."""
    if isinstance(expr, sp.Rational):
        return _rational(expr)
    if isinstance(expr, sp.Symbol):
        return atoms.node(expr)
    if isinstance(expr, sp.Add):
        return _sum(expr, atoms)
    if isinstance(expr, sp.Mul):
        return _product(expr, atoms)
    if isinstance(expr, sp.Pow):
        return _power(expr, atoms)
    if expr is sp.E:
        return Call("exp", (ONE,))
    if expr is sp.pi:
        return Call("pi", ())
    if isinstance(expr, sp.Function):
        name = "abs" if isinstance(expr, sp.Abs) else type(expr).__name__
        return Call(name, tuple(from_sympy(a, atoms) for a in expr.args))
    raise TypeError(f"SymPy answered with {type(expr).__name__}: {expr}")


def _rational(value: Any) -> Expr:
    plain = number(Fraction(abs(int(value.p)), int(value.q)))
    shown: Expr = plain
    if plain.value.denominator != 1:
        shown = Div(number(plain.value.numerator), number(plain.value.denominator))
    return Neg(shown) if value < 0 else shown


def _place(expr: Any) -> tuple[int, str]:
    """Where an expression was first mentioned; numbers last."""
    names = sorted(symbol.name for symbol in expr.free_symbols)
    return (0, names[0]) if names else (1, "")


def _is_negative(expr: Any) -> bool:
    return bool(expr.as_coeff_Mul()[0] < 0)


def _sum(expr: Any, atoms: Atoms) -> Expr:
    coefficient, rest = expr.primitive()
    small = any(part.is_Rational for part in expr.args) and coefficient.q != 1  # v + 0.00001 stays as it is
    if small:
        coefficient, rest = sp.Integer(1), expr
    if coefficient != 1:
        return product(_rational(coefficient), from_sympy(rest, atoms))
    parts = sorted(rest.args, key=lambda part: (*_place(part), sp.default_sort_key(part)))
    if _is_negative(parts[0]):
        parts.sort(key=_is_negative)
    return total(*(from_sympy(part, atoms) for part in parts))


def _product(expr: Any, atoms: Atoms) -> Expr:
    coefficient, rest = expr.as_coeff_Mul()
    above, below = list[Any](), list[Any]()
    for factor in sp.Mul.make_args(rest):
        base, exponent = factor.as_base_exp()
        inverted = exponent.is_Rational and exponent < 0 and base is not sp.E
        (below if inverted else above).append(1 / factor if inverted else factor)
    head = [number(int(abs(coefficient.p)))] if abs(coefficient.p) != 1 else []
    foot = [number(int(coefficient.q))] if coefficient.q != 1 else []
    top = [*head, *_ordered(above, atoms)]
    bottom = [*foot, *_ordered(below, atoms)]
    result = _fraction(top, bottom)
    return Neg(result) if coefficient < 0 else result


def _ordered(parts: list[Any], atoms: Atoms) -> list[Expr]:
    parts = sorted(parts, key=lambda part: (_bulk(part), *_place(part), sp.default_sort_key(part)))
    return [from_sympy(part, atoms) for part in parts]


def _bulk(expr: Any) -> int:
    """Entries first, then powers and functions, bracketed sums last."""
    return 0 if expr.is_Symbol else 2 if expr.is_Add else 1


def _fraction(top: list[Expr], bottom: list[Expr]) -> Expr:
    """``2/n * a`` when only numbers and counts stand below, ``a/b`` otherwise."""
    if not bottom:
        return product(*top)
    if all(is_coefficient(part) for part in bottom):
        head = [part for part in top if is_coefficient(part)]
        rest = [part for part in top if not is_coefficient(part)]
        return product(Div(product(*head), product(*bottom)), *rest)
    return Div(product(*top), product(*bottom))


def _power(expr: Any, atoms: Atoms) -> Expr:
    base, exponent = expr.as_base_exp()
    if expr.base is sp.E:
        return Call("exp", (from_sympy(expr.exp, atoms),))
    if exponent == sp.Rational(1, 2):
        return Call("sqrt", (from_sympy(base, atoms),))
    if exponent.is_Rational and exponent < 0:
        return Div(ONE, from_sympy(base**-exponent, atoms))
    return Pow(from_sympy(base, atoms), from_sympy(exponent, atoms))
