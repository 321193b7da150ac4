"""Working an expression without sums, node by node, in any number system; the functions of the catalogue.

Operations come in the order of `derivations.numbers.compile`, and what is made of numbers and counts
only is exact there and here, so that a carried calculation rounds in the same places.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import cache, reduce

from derivations.catalogue import functions
from derivations.language.parser import parse
from derivations.language.products import is_coefficient
from derivations.language.tree import Add, Call, Count, Div, Expr, Mul, Neg, Number, Pow, Ref, substitute
from derivations.numbers.systems import EXACT, PRIMITIVES, Binary, NumberSystem, Unary, Value, fraction

TWO = Number(Fraction(2))


def function_of(name: str, system: NumberSystem) -> Binary:
    """A catalogue function of one or two arguments in a number system; one ignores its second operand.

    The formula of a row is worked exactly (or in balls) and only its result goes through the
    number system, as a calculator's key does. Functions of more arguments are written out instead.
    """
    function = system.lift(name, PRIMITIVES[name] if name in PRIMITIVES else formula_of(name, EXACT))
    if len(functions.BY_NAME[name].arguments) > 1:
        return function
    return lambda a, _: function(a)


def is_key(name: str) -> bool:
    """Whether a function is one operation: a primitive, or the formula of a row in one argument."""
    return name in PRIMITIVES or len(functions.BY_NAME[name].arguments) <= 1


def formula_of(name: str, system: NumberSystem) -> Unary:
    """A row's formula in one argument, worked in a number system."""
    formula = parse(functions.BY_NAME[name].formula, functions.NAMES)
    return lambda a: work(formula, lambda _: a, system)


@cache
def formula_with(name: str, arguments: tuple[Expr, ...]) -> Expr:
    """A row's formula with arguments in the place of its letters."""
    row = functions.BY_NAME[name]
    given: dict[Expr, Expr] = dict(zip(map(Ref, row.arguments), arguments, strict=True))
    return substitute(parse(row.formula, functions.NAMES), given)


def _open(_: Expr) -> bool:
    return False


def work(
    node: Expr, read: Callable[[Expr], Value], system: NumberSystem, closed: Callable[[Expr], bool] = _open
) -> Value:
    """The value of a pointwise expression; ``read`` gives that of an entry, a count or a gate.

    ``closed`` says of a product that it is 0 whatever the data: it is not worked then.
    """
    if system is not EXACT and is_coefficient(node):  # exact, whatever the arithmetic of the rest
        return system.number(fraction(work(node, read, EXACT)))

    def inner(part: Expr) -> Value:
        return work(part, read, system, closed)

    match node:
        case Mul() | Div() if closed(node):
            return system.number(Fraction(0))
        case Number(value, _):
            return system.number(value)
        case Neg(a):
            return minus(system, inner(a))
        case Add(parts):
            return reduce(lambda x, part: _plus(system, x, part, inner), parts[1:], inner(parts[0]))
        case Mul(parts):
            return _product(system, parts, inner)
        case Div(a, b):
            return system.div(inner(a), inner(b))
        case Pow(a, b):
            base = inner(a)  # a square is a product, as the tape has it
            return system.mul(base, base) if b == TWO else system.power(base, inner(b))
        case Call(name, parts) if is_key(name):
            return function_of(name, system)(*_two([inner(part) for part in parts]))
        case Call(name, parts):
            return inner(formula_with(name, parts))
        case Count():
            return system.number(Fraction(read(node)))
    return read(node)


def _two(values: list[Value]) -> tuple[Value, Value]:
    """The operands of a binary operation, of which a function may use one or none."""
    return (*values, None, None)[0], (*values, None, None)[1]


def _plus(system: NumberSystem, before: Value, part: Expr, inner: Callable[[Expr], Value]) -> Value:
    if isinstance(part, Neg):
        return system.sub(before, inner(part.argument))
    return system.add(before, inner(part))


def minus(system: NumberSystem, value: Value) -> Value:
    """``0 - value``: how a sign is worked."""
    return system.sub(system.number(Fraction(0)), value)


def _product(system: NumberSystem, parts: tuple[Expr, ...], inner: Callable[[Expr], Value]) -> Value:
    """From the left; what only numbers and counts make in front of the rest is exact."""
    lead = next((at for at, part in enumerate(parts) if not is_coefficient(part)), len(parts))
    if lead > 1 and system is not EXACT:
        parts = (Mul(parts[:lead]), *parts[lead:])
    return reduce(system.mul, map(inner, parts))
