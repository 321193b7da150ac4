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
from derivations.language.errors import LanguageError
from derivations.language.parser import parse
from derivations.language.products import is_coefficient, product, total
from derivations.language.program import Program
from derivations.language.tree import (
    ONE,
    Add,
    Call,
    Chosen,
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
    children,
    number,
    rebuild,
    refs,
    substitute,
    values,
    walk,
)

# --- How high the powers in a formula may become: a bound on the size of what SymPy has to expand ---

HUGE = 10**9


def degree(expr: Expr, known: Mapping[str, int]) -> int:
    """The degree in the entries that it reads, quotients counted like products.

    ``known`` gives the degree of a quantity in earlier ones; others count as 1. A power of numbers
    counts by its exponent, so that ``9**9**9`` is as high as it looks.
    """
    match expr:
        case Ref(name, _):
            return known.get(name, 1)
        case Add(parts):
            return max(degree(part, known) for part in parts)
        case Mul(parts):
            return min(HUGE, sum(degree(part, known) for part in parts))
        case Div(a, b):
            return min(HUGE, degree(a, known) + degree(b, known))
        case Neg(a) | Sum(a, _) | Mean(a, _) | Largest(a, _):
            return degree(a, known)
        case Call(_, parts):
            return max((degree(part, known) for part in parts), default=0)
        case Pow(a, b):
            return min(HUGE, max(1, degree(a, known)) * _exponent(b))
    return 0


def _exponent(expr: Expr) -> int:
    match expr:
        case Number(value, _):
            return min(HUGE, abs(int(value)) + 1)
        case Neg(a):
            return _exponent(a)
        case Pow(a, b):
            base, exponent = _exponent(a), _exponent(b)
            return HUGE if exponent > 20 else min(HUGE, base**exponent)
        case Add(parts) | Mul(parts):
            highest: int = max(_exponent(part) for part in parts) ** len(parts)
            return min(HUGE, max(1, len(parts)) * highest)
    return 1


def program_degree(program: Program) -> int:
    """The highest degree of any quantity of a program in its inputs."""
    known: dict[str, int] = {}
    for eq in program:
        known[eq.target.name] = degree(eq.body, known)
    return max(known.values(), default=0)


# --- Whether an expression of SymPy's vanishes: refuted by a number, quickly; proved by algebra alone ---

SHORT = 120  # operations; the numerator of a longer fraction may have too many terms


def is_zero(expr: Any) -> bool:
    """Whether SymPy proves that an expression vanishes.

    A number can only refute it, quickly; that it vanishes is decided by algebra alone.
    """
    if expr == 0 or sp.expand(plain := _opaque(expr)) == 0:
        return True
    if _is_refuted(expr):
        return False
    if sp.count_ops(plain) <= SHORT and sp.expand(sp.numer(sp.together(plain))) == 0:
        return True
    if sp.expand(expr) == 0:
        return True
    if sp.cancel(sp.together(expr)) == 0:
        return True
    return bool(sp.simplify(expr.rewrite(sp.exp)) == 0)


def _opaque(expr: Any) -> Any:
    """A symbol in the place of every value of a function: what vanishes for all values vanishes for these."""
    symbols: dict[Any, Any] = {}

    def symbol(value: Any) -> Any:
        if isinstance(value, sp.exp) and value.args[0].could_extract_minus_sign():
            return 1 / symbol(sp.exp(-value.args[0]))
        return symbols.setdefault(value, sp.Dummy())

    return expr.replace(lambda part: isinstance(part, sp.Function), symbol)


def _at(expr: Any, known: dict[Any, Any]) -> Any:
    """The value at a point to some 30 digits; every part is worked once, however often it occurs."""
    if expr not in known:
        parts = [_at(part, known) for part in expr.args]
        known[expr] = expr.func(*parts).evalf(30) if parts else expr
    return known[expr]


def _is_refuted(expr: Any) -> bool:
    """Whether the expression is plainly not zero at one point; doubtful values refute nothing."""
    symbols = sorted(expr.free_symbols, key=lambda symbol: str(symbol.name))
    point = {symbol: sp.Rational(2 * place + 3, 2 * place + 7) for place, symbol in enumerate(symbols)}
    try:
        value = _at(expr, point)
    except (ValueError, TypeError, NotImplementedError, LookupError, AttributeError):
        return False  # a function that SymPy has no numbers for
    return bool(value.is_Number and value.is_finite and abs(value) > sp.Float("1e-12"))


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
    """The symbols that stand for entries and counts, numbered in the order of first appearance.

    Beside them what the author's way of writing decides: the decimals, and the order of the functions.
    """

    def __init__(self, *exprs: Expr) -> None:
        self.symbols: dict[Expr, sp.Symbol] = {}
        self.decimals: dict[Fraction, Number] = {}
        self.calls: dict[Any, int] = {}
        for expr in exprs:
            for node in values(expr):
                if isinstance(node, (Ref, Count, Chosen)):
                    self.symbol(node)
                if isinstance(node, Number) and "." in node.text:
                    self.decimals[node.value] = node

    def place(self, expr: Any) -> tuple[int, str, int]:
        """Where an expression was first mentioned, by its entries, then by its functions; numbers last."""
        called = min((self.calls[part] for part in expr.atoms(sp.Function) & self.calls.keys()), default=-1)
        return (*_place(expr), called)

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
                found = function_class(name)(*map(convert, parts))
                atoms.calls.setdefault(found, len(atoms.calls))
                return found
        raise TypeError(f"not pointwise: {node}")

    return convert(expr)


def indexed(expr: Expr) -> Any:
    """An expression in index notation as SymPy writes it: ``Indexed`` entries, ``Sum`` over letters from 1.

    Letters are integers, ``count(i)`` is ``n_i``. Raises `LanguageError` for a largest entry, which SymPy
    has no formula for.
    """

    nodes = list(walk(expr))
    inside = (part for node in nodes if isinstance(node, Ref) for part in node.indices)
    letters = {ref.name for part in inside for ref in refs(part) if not ref.indices}
    letters |= {node.index for node in nodes if isinstance(node, Sum | Count)}

    def letter(name: str) -> Any:
        return sp.Symbol(name, integer=True, positive=True)

    def convert(node: Expr) -> Any:
        match node:
            case Ref(name, ()):
                return letter(name) if name in letters else sp.Symbol(name, real=True)
            case Ref(name, parts, padded=False):
                return sp.IndexedBase(name, real=True)[tuple(map(convert, parts))]
            case Count(name):
                return letter(f"n_{name}")
            case Sum(body, name):
                return sp.Sum(convert(body), (letter(name), 1, letter(f"n_{name}")))
            case Call("same", (a, b)):
                return sp.KroneckerDelta(convert(a), convert(b))
            case Chosen() | Largest() | Ref():
                raise LanguageError("SymPy has no formula for a largest entry, or for a padded read", at=-1)
        given: dict[Expr, Any] = {
            Ref(f"part {place}"): convert(part) for place, part in enumerate(children(node))
        }
        return to_sympy(rebuild(node, tuple(given)), Atoms(), given)

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
        return _rational(expr, atoms)
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


def _rational(value: Any, atoms: Atoms) -> Expr:
    plain = number(Fraction(abs(int(value.p)), int(value.q)))
    shown: Expr = atoms.decimals.get(plain.value, plain)
    if shown is not plain:
        return Neg(shown) if value < 0 else shown
    if plain.value.denominator != 1:
        shown = Div(number(plain.value.numerator), number(plain.value.denominator))
    return Neg(shown) if value < 0 else shown


def _place(expr: Any) -> tuple[int, str]:
    """Where an expression was first mentioned; numbers last."""
    names = sorted(symbol.name for symbol in expr.free_symbols)
    return (0, names[0]) if names else (1, "")


def _is_negative(expr: Any) -> bool:
    return bool(expr.as_coeff_Mul()[0] < 0)


def _primitive(expr: Any) -> tuple[Any, Any]:
    """The number in front of a sum, and the rest."""
    coefficient, rest = expr.primitive()
    small = any(part.is_Rational for part in expr.args) and coefficient.q != 1  # v + 0.00001 stays as it is
    return (sp.Integer(1), expr) if small else (coefficient, rest)


def _sum(expr: Any, atoms: Atoms) -> Expr:
    coefficient, rest = _primitive(expr)
    if coefficient != 1:
        return product(_rational(coefficient, atoms), from_sympy(rest, atoms))
    parts = sorted(rest.args, key=lambda part: (*atoms.place(part), sp.default_sort_key(part)))
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
    coefficient, above, below = _cancelled(coefficient, above, below)
    head = [number(int(abs(coefficient.p)))] if abs(coefficient.p) != 1 else []
    foot = [number(int(coefficient.q))] if coefficient.q != 1 else []
    if written := atoms.decimals.get(Fraction(abs(int(coefficient.p)), int(coefficient.q))):
        head, foot = [written], []
    top = [*head, *_ordered(above, atoms)]
    bottom = [*foot, *_ordered(below, atoms)]
    result = _fraction(top, bottom)
    return Neg(result) if coefficient < 0 else result


def _cancelled(coefficient: Any, above: list[Any], below: list[Any]) -> tuple[Any, list[Any], list[Any]]:
    """The numbers in front of sums taken out of a fraction where a number above has one below to meet."""
    one = sp.Integer(1)
    pairs = [[_primitive(part) if part.is_Add else (one, part) for part in side] for side in (above, below)]
    top, bottom = (sp.prod([number for number, _ in side], start=one) for side in pairs)
    met = sp.gcd(coefficient.p * top.p * bottom.q, coefficient.q * top.q * bottom.p) != 1
    if one in (top, bottom) and not met:
        return coefficient, above, below
    return coefficient * top / bottom, *([part for _, part in side] for side in pairs)


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
