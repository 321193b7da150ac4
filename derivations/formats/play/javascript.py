"""Reader of the tree that writes JavaScript: an equation as a function of its letters, in float64.

Names of the author never become JavaScript names: a letter gets a ``$`` before it, a quantity is a string.
What the functions call (``r.read``, ``r.sum`` …) is in ``templates/html/run.js``, which works entries in the
order of their dependencies, as `derivations.numbers.compile` does, so that equations may stand in any order.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction

from derivations.catalogue import functions
from derivations.language.parser import parse
from derivations.language.program import Equation
from derivations.language.tree import (
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
    free_indices,
    rebuild,
    values,
    walk,
)
from derivations.notation.text import text
from derivations.numbers.float64 import LARGEST

BUILT_IN = frozenset(
    "exp log sqrt pi sin cos cospi erf step sign floor max min abs tanh softplus log_cosh".split()  # noqa: SIM905
)
ENDING = re.compile(r"<(?=[/!]|script)", re.IGNORECASE)
LETTER = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


class Unplayable(Exception):
    """Why the equations of a page cannot be worked by a browser."""


def quoted(value: object) -> str:
    """A value as JSON that means the same in a script: nothing in it ends it or begins a comment."""
    shown = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return re.sub(ENDING, r"\\u003c", shown)


def letter(name: str) -> str:
    """An index letter as a JavaScript name that means nothing else."""
    if not LETTER.fullmatch(name):
        raise Unplayable(f"the index {name!r} is no name in JavaScript")
    return f"${name}"


def decimal(value: Fraction) -> str:
    """The nearest float64, in the shortest digits that give it back; raises `Unplayable` beyond them all."""
    if abs(value) > LARGEST:
        raise Unplayable("a number is beyond the largest of float64")
    found = float(value)
    return str(int(found)) if found.is_integer() and abs(found) < 1e15 else repr(found)


@dataclass(frozen=True)
class Scope:
    """The letters that have a value here, and the data that are used as indices."""

    letters: frozenset[str]
    lookups: frozenset[str] = frozenset()
    numbered: Mapping[str, str] = field(default_factory=dict)

    def inside(self, bound: str) -> Scope:
        """The scope inside a sum."""
        return replace(self, letters=self.letters | {bound})


def code(expr: Expr, scope: Scope) -> str:
    """The JavaScript of an expression."""
    return text(_code(expr, scope))


def _code(expr: Expr, scope: Scope) -> Expr:
    match expr:
        case Number(value):
            return Neg(Ref(decimal(-value))) if value < 0 else Ref(decimal(value))
        case Ref(name, ()) if name in scope.letters and name in scope.numbered:
            return Ref(f"r.read({quoted(scope.numbered[name])}, {letter(name)})")
        case Ref(name, ()) if name in scope.letters:
            return Ref(letter(name))
        case Ref():
            return Ref(f"r.read({_entry(expr, scope)})")
        case Count(bound):
            return Ref(size(bound))
        case Sum() | Mean() | Largest() | Chosen():
            return Ref(_reduction(expr, scope))
        case Call("same", (a, b)) if _is_index(expr, scope):
            return Ref(f"+({code(a, scope)} === {code(b, scope)})")
        case Call(name, parts):
            return Ref(f"f.{name}({', '.join(code(part, scope) for part in parts)})")
        case Pow(a, b):
            return Ref(f"Math.pow({code(a, scope)}, {code(b, scope)})")
        case Mul() | Div() if shut := closed(expr, scope):
            whole = text(rebuild(expr, tuple(_code(part, scope) for part in children(expr))))
            return Ref(f"({shut} ? 0 : {whole})")
    return rebuild(expr, tuple(_code(part, scope) for part in children(expr)))


def size(bound: str) -> str:
    """The code of the number of values of an index."""
    return f"r.size.{letter(bound)}"


def _entry(ref: Ref, scope: Scope) -> str:
    places = replace(scope, numbered={})  # between brackets a letter is a place
    return ", ".join([quoted(ref.name), *(code(part, places) for part in ref.indices)])


def _reduction(node: Sum | Mean | Largest | Chosen, scope: Scope) -> str:
    """``r.sum(size, $i => body)``; a third argument says where the body does not count."""
    inner, bound = scope.inside(node.index), letter(node.index)
    name = type(node).__name__.lower()
    body = f"({code(node.body, inner)})"
    shut = closed(node.body, inner) if isinstance(node, (Largest, Chosen)) else ""
    given = [size(node.index), f"{bound} => {body}", f"{bound} => {shut or 'false'}"]
    if isinstance(node, Chosen):
        return f"r.chosen({', '.join([*given, code(node.at, scope)])})"
    return f"r.{name}({', '.join(given if shut else given[:2])})"


def closed(expr: Expr, scope: Scope) -> str:
    """The code that says whether a product is 0 whatever the data; empty if it never is."""
    match expr:
        case Mul(parts):
            return " || ".join(filter(None, (closed(part, scope) for part in parts)))
        case Neg(a) | Div(a, _):
            return closed(a, scope)
        case Ref(padded=True):
            return f"!r.has({_entry(expr, scope)})"
        case Largest(a, bound):
            inner = closed(a, scope.inside(bound))
            return f"r.every({size(bound)}, {letter(bound)} => {inner})" if inner else ""
        case Call("same", (a, b)) if _is_index(expr, scope):
            return f"{code(a, scope)} !== {code(b, scope)}"
    return ""


def _is_index(node: Call, scope: Scope) -> bool:
    """Whether a comparison is one of indices, numbers and data that are used as indices."""
    return all(
        isinstance(part, (Number, Neg, Add, Mul))
        or (isinstance(part, Ref) and part.name in scope.letters | scope.lookups)
        for argument in node.arguments
        for part in values(argument)
    )


# --- equations and functions ----------------------------------------------------------------------


def letters_of(eq: Equation, names: frozenset[str]) -> list[str]:
    """The letters of a left-hand side, each once."""
    found = (name for part in eq.target.indices for name in free_indices(part, names))
    return list(dict.fromkeys(found))


def equation(eq: Equation, names: frozenset[str], outer: Scope) -> dict[str, str]:
    """The pieces of an equation: its name, its letters, what it writes, its value, its plain indices.

    ``plain`` are the indices as they stand, a letter as its name and a number as a number: an adjoint has
    the entries of what it is the adjoint of.
    """
    own = letters_of(eq, names)
    scope = replace(outer, letters=frozenset(own))
    given = ", ".join(["r", *map(letter, own)])
    at = ", ".join(code(part, replace(scope, numbered={})) for part in eq.target.indices)
    return {
        "name": quoted(eq.target.name),
        "letters": quoted([letter(name) for name in own]),
        "plain": quoted([_plain(part) for part in eq.target.indices]),
        "at": f"({given}) => [{at}]",
        "value": f"({given}) => {code(eq.body, scope)}",
    }


def _plain(part: Expr) -> str | int:
    return letter(part.name) if isinstance(part, Ref) else int(part.value) if isinstance(part, Number) else ""


def called(bodies: Iterator[Expr]) -> dict[str, str]:
    """The functions that formulas call and that JavaScript lacks, each after those that it calls itself."""
    found: dict[str, str] = {}
    for body in bodies:
        for node in walk(body):
            if isinstance(node, Call) and node.function not in {*BUILT_IN, *found}:
                row = functions.BY_NAME[node.function]
                formula = parse(row.formula, functions.NAMES)
                found |= {n: c for n, c in called(iter([formula])).items() if n not in found}
                found[row.name] = _function(row.arguments, formula)
    return found


def _function(arguments: tuple[str, ...], formula: Expr) -> str:
    given = ", ".join(map(letter, arguments))
    return f"({given}) => {code(formula, Scope(frozenset(arguments)))}"


def members(pieces: Mapping[str, str], indent: str = "") -> str:
    """An object literal, one member a line."""
    return "{" + ",".join(f"\n{indent}  {name}: {value}" for name, value in pieces.items()) + f"\n{indent}}}"
