r"""Printer of boxes as LaTeX mathematics.

The output avoids what the dialects of Markdown eat: no ``\,``, ``\{`` or ``\\``, and subscripts of
one letter without braces. It is read back by `derivations.notation.read`.
"""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass, replace
from typing import Any

from derivations.language.tree import Expr
from derivations.notation.boxes import (
    Box,
    Delimiter,
    Fenced,
    Fraction,
    Letter,
    Numeral,
    Operator,
    Root,
    Row,
    Scripts,
    Sign,
    Stack,
)
from derivations.notation.chain import Formula, Side
from derivations.notation.locales import PLAIN, Marks
from derivations.notation.symbols import Symbols
from derivations.notation.typeset import COMMA, UNICODE, numeral, typeset

COMMANDS = {letter: f"\\{name}" for name, letter in UNICODE.items()}
FUNCTIONS = frozenset(["exp", "ln", "log", "sin", "cos", "tanh", "max", "min"])
SIGNS = {
    "−": "-",
    "·": r"\cdot",
    "⊙": r"\odot",
    "⊘": r"\oslash",
    "≈": r"\approx",
    "←": r"\leftarrow",
    "∂": r"\partial",
    "∇": r"\nabla",
    "⊤": r"\top",
    "…": r"\dots",
}
OPERATORS = {"∑": r"\sum", "max": r"\max", "arg max": r"\arg \max"}
HEIGHTS = ((1.0, ""), (1.2, "big"), (1.8, "Big"), (2.4, "bigg"), (3.0, "Bigg"))
JOINTS = {"sign": "", "apply": "", "indices": ""}


def latex(expr: Expr, symbols: Symbols) -> str:
    """The expression as LaTeX."""
    return latex_of(typeset(expr, symbols), symbols.marks)


def number_latex(text: str) -> str:
    r"""A printed decimal: ``-10.5`` as it is, ``1.2e-7`` as ``1.2 \cdot 10^{-7}``."""
    return latex_of(numeral(text)[0])


def latex_of(box: Box, marks: Marks = PLAIN) -> str:
    """The boxes as LaTeX, decimals with the marks of a language."""
    if marks != PLAIN:
        return latex_of(_marked(box, marks))
    match box:
        case Letter():
            return _letter(box)
        case Numeral(text):
            return text
        case Sign(text):
            return SIGNS.get(text, text)
        case Row(parts, role):
            shown = JOINTS.get(role, " ").join(map(latex_of, parts))
            return re.sub(" ([,;]) ", r"\1 ", shown) if role == "list" else shown
        case Fraction(above, below):
            return f"\\frac{{{latex_of(above)}}}{{{latex_of(below)}}}"
        case Scripts():
            return _scripts(box)
        case Root(body):
            return f"\\sqrt{{{latex_of(body)}}}"
        case Fenced():
            return _fenced(box)
        case Delimiter():
            return _delimiter(box)
        case Stack(rows):
            inside = " \\\\ ".join(map(latex_of, rows))
            return f"\\begin{{array}}{{@{{}}l@{{}}}} {inside} \\end{{array}}"
        case Operator(text, below):
            return f"{OPERATORS[text]}_{_script(latex_of(below))}"


def _marked(box: Any, marks: Marks) -> Any:
    """Boxes whose numbers and arguments have the marks of a language; indices stay as they are."""
    match box:
        case Numeral(text):
            return Numeral(marks.latex(text))
        case Row(parts, "list"):
            return Row(
                tuple(Sign(marks.separator) if p == COMMA else _marked(p, marks) for p in parts), "list"
            )
        case Scripts(base, _, above):
            return replace(box, base=_marked(base, marks), above=_marked(above, marks))
        case tuple():
            return tuple(_marked(part, marks) for part in box)
    if not is_dataclass(box) or isinstance(box, (type, Operator)):
        return box
    return replace(box, **{each.name: _marked(getattr(box, each.name), marks) for each in fields(box)})


def _letter(box: Letter) -> str:
    if box.style == "bold":
        return rf"\mathbf {box.text}"
    shown = COMMANDS.get(box.text, box.text)
    if box.style == "function" and shown in FUNCTIONS:
        shown = f"\\{shown}"
    elif box.style != "italic":
        shown = rf"\mathrm{{{shown}}}"
    return f"\\{box.accent} {shown}" if box.accent else shown


def _scripts(box: Scripts) -> str:
    """The subscripts of an upright word stand inside its braces, for Markdown may read ``}_`` as emphasis."""
    shown = latex_of(box.base)
    if box.below is not None:
        below = f"_{_script(latex_of(box.below))}"
        inside = isinstance(box.base, Letter) and shown.endswith("}")
        shown = f"{shown[:-1]}{below}}}" if inside else shown + below
    shown += "'" * box.primes
    return shown if box.above is None else f"{shown}^{_script(latex_of(box.above))}"


def _fenced(box: Fenced) -> str:
    inside = latex_of(box.body)
    if box.open == "‖":
        return f"\\lVert {inside} \\rVert"
    return f"\\left{box.open}{inside}\\right{box.close}" if box.tall else f"{box.open}{inside}{box.close}"


def _delimiter(box: Delimiter) -> str:
    size = next((name for height, name in HEIGHTS if height >= box.height), HEIGHTS[-1][1])
    shown = (r"\rVert" if box.closes else r"\lVert") if box.text == "‖" else box.text
    return f"\\{size}{'r' if box.closes else 'l'}{shown}" if size else shown


def _script(text: str) -> str:
    return text if len(text) == 1 else f"{{{text}}}"


RELATIONS = {"=": "=", "≈": r"\approx", "←": r"\leftarrow"}


def sides_latex(sides: tuple[Side, ...], symbols: Symbols) -> list[str]:
    """Every side of a chain with the relation before it."""
    return [
        f"{RELATIONS[s.relation]} {latex(s.expr, symbols)}".lstrip() if s.relation else latex(s.expr, symbols)
        for s in sides
    ]


def math(formula: Formula, symbols: Symbols) -> str:
    """A chain as LaTeX on one line."""
    return " ".join(sides_latex(formula.sides, symbols))
