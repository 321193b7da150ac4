"""Printer of boxes as MathML Core, and of long ones in pieces between which a browser may break the line.

A piece is the inside of a ``<math>`` of its own. Pieces are nested: a browser breaks between the outer ones
first (at relations, then at the signs of a sum), and inside one of them only where it alone is too long. What
is printed is read back by `derivations.notation.read_mathml`.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import TypeAlias

from derivations.notation.breaking import finer
from derivations.notation.layout import (
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
from derivations.notation.marks import PLAIN, Marks
from derivations.notation.measure import measure, measure_row

ACCENTS = {"hat": "^", "bar": "¯", "tilde": "~"}
BOLD_ONE = "𝟏"
APPLIED = "<mo>\u2061</mo>"
SPACE = '<mspace width=".17em"></mspace>'
LETTERS = frozenset("∂⊤")  # signs that are set like letters, without space around them
Pieces: TypeAlias = "str | tuple[Pieces, ...]"


def mathml_of(box: Box, marks: Marks = PLAIN) -> str:
    """The boxes as one MathML element, or several side by side: the inside of ``<math>``."""
    match box:
        case Letter():
            return _letter(box)
        case Numeral(text):
            return f"<mn>{escape(marks.numeral(text))}</mn>"
        case Sign(text):
            return _sign(text, marks)
        case Row(parts, role):
            shown = _row(parts, role, marks)
            return f"<mrow>{shown}</mrow>" if role == "sign" else shown
        case Fraction(above, below):
            return f"<mfrac>{_one(above, marks)}{_one(below, marks)}</mfrac>"
        case Scripts():
            return _scripts(box, mathml_of(box.base, marks), marks)
        case Root(body):
            return f"<msqrt>{mathml_of(body, marks)}</msqrt>"
        case Fenced():
            opened, closed = _brackets(box)
            return f"<mrow>{opened}{mathml_of(box.body, marks)}{closed}</mrow>"
        case Delimiter(text):
            return f"<mo>{text}</mo>"
        case Stack(rows):
            shown = "".join(f"<mtr><mtd>{mathml_of(row, marks)}</mtd></mtr>" for row in rows)
            return f"<mtable>{shown}</mtable>"
        case Operator(text, below):
            sign = f'<mo movablelimits="true" lspace="0">{text}</mo>' if text != "∑" else "<mo>∑</mo>"
            return f"<munder>{sign}{_one(below, marks)}</munder>"


def _one(box: Box, marks: Marks) -> str:
    """A box as exactly one element."""
    shown = mathml_of(box, marks)
    return f"<mrow>{shown}</mrow>" if isinstance(box, Row) and box.role != "sign" else shown


def _letter(box: Letter) -> str:
    if box.style == "bold":
        return f"<mi>{BOLD_ONE if box.text == '1' else escape(box.text)}</mi>"
    text = escape(box.text)
    if box.style == "italic":
        shown = f"<mi>{text}</mi>" if len(box.text) == 1 else f"<mtext>{text}</mtext>"
    else:
        shown = f"<mi>{text}</mi>" if len(box.text) > 1 else f'<mi mathvariant="normal">{text}</mi>'
    if not box.accent:
        return shown
    return f'<mover accent="true">{shown}<mo stretchy="false">{ACCENTS[box.accent]}</mo></mover>'


def _sign(text: str, marks: Marks) -> str:
    if text in LETTERS:
        return f"<mi>{text}</mi>"
    return f"<mo>{escape(marks.separator if text == ',' else text)}</mo>"


def _row(parts: tuple[Box, ...], role: str, marks: Marks) -> str:
    shown = [mathml_of(part, marks) for part in parts]
    if role == "apply":
        return APPLIED.join(shown)
    apart = [
        at
        for at, part in enumerate(parts)
        if at and _is_function(part) and not isinstance(parts[at - 1], Sign)
    ]
    return "".join(SPACE * (at in apart) + one for at, one in enumerate(shown))


def _is_function(box: Box) -> bool:
    """Whether a box begins with the name of a function, which stands apart from a factor before it."""
    first = box.parts[0] if isinstance(box, Row) and box.role == "apply" else box
    first = first.base if isinstance(first, Scripts) else first
    return isinstance(first, Letter) and first.style == "function" and len(first.text) > 1


def _brackets(box: Fenced) -> tuple[str, str]:
    if box.open == "‖":
        return '<mo form="prefix" stretchy="false">‖</mo>', '<mo form="postfix" stretchy="false">‖</mo>'
    kind = "" if box.tall else ' stretchy="false"'
    return f"<mo{kind}>{box.open}</mo>", f"<mo{kind}>{box.close}</mo>"


def _scripts(box: Scripts, base: str, marks: Marks) -> str:
    """Scripts on a base that is printed already; primes stand before what is above."""
    base = f"<mrow>{base}</mrow>" if isinstance(box.base, Row) and box.base.role != "sign" else base
    primes = f"<mo>{'′' * box.primes}</mo>" if box.primes else ""
    above = "" if box.above is None else _one(box.above, marks)
    above = f"<mrow>{primes}{above}</mrow>" if primes and above else primes or above
    below = "" if box.below is None else _one(box.below, marks)
    kind = "msub" * bool(below) + "sup" * bool(above) if below else "msup"
    return f"<{kind}>{base}{below}{above}</{kind}>"


# --- pieces -----------------------------------------------------------------------------------------


def pieces(box: Box, fits: float, marks: Marks = PLAIN) -> Pieces:
    """The MathML of boxes, cut where a line may break if they are wider than ``fits`` (in em)."""
    if measure(box).width <= fits:
        return mathml_of(box, marks)
    match box:
        case Row(parts, "sum"):
            return tuple(_glued(s, pieces(p, fits, marks)) for s, p in _by_sign(parts, marks))
        case Row(parts, "list"):
            return tuple(_glued("", pieces(p, fits, marks), s) for p, s in _by_comma(parts, marks))
        case Row(parts, role):
            return _long_row(parts, role, fits, marks)
        case Fenced():
            opened, closed = _brackets(box)
            return _glued(opened, pieces(box.body, fits, marks), closed)
        case Scripts(Fenced() as base) if not box.primes and box.below is None:
            opened, closed = _brackets(base)
            return _glued(opened, pieces(base.body, fits, marks), _scripts(box, closed, marks))
        case Fraction() | Root():
            return "".join(mathml_of(part, marks) for part in finer((box,), fits)[0])
    return mathml_of(box, marks)


def _by_sign(parts: tuple[Box, ...], marks: Marks) -> list[tuple[str, Box]]:
    """The terms of a sum, each with the sign before it."""
    signs = ["", *(_infix(s) for s in parts[1::2] if isinstance(s, Sign))]
    return list(zip(signs, parts[0::2], strict=True))


def _by_comma(parts: tuple[Box, ...], marks: Marks) -> list[tuple[Box, str]]:
    """Arguments, each with the comma after it."""
    return list(zip(parts[0::2], [*(mathml_of(s, marks) for s in parts[1::2]), ""], strict=True))


def _long_row(parts: tuple[Box, ...], role: str, fits: float, marks: Marks) -> Pieces:
    """What is short stands with the long part after it; of many short factors, each may begin a line."""
    long = [measure(part).width > fits for part in parts]
    if role == "product" and not any(long):
        return tuple(_factors(parts, fits, marks))
    joint = APPLIED if role == "apply" else ""
    found: list[Pieces] = []
    held = ""
    for part, is_long in zip(parts, long, strict=True):
        if is_long:
            inner = _glued(held, pieces(part, fits, marks))
            found += inner if isinstance(inner, tuple) else (inner,)
            held = ""
        else:
            held += mathml_of(part, marks) + joint
    if not found:
        return held
    found[-1] = _glued("", found[-1], held)
    return found[0] if len(found) == 1 else tuple(found)


def _factors(parts: tuple[Box, ...], fits: float, marks: Marks) -> Iterable[Pieces]:
    """A product before each of its dots, and where that is not enough, before each factor."""
    places = [at for at, part in enumerate(parts) if at and isinstance(part, Sign)]
    for start, end in zip([0, *places], [*places, len(parts)], strict=True):
        own = parts[start:end]
        shown = [_infix(part) if isinstance(part, Sign) and start else mathml_of(part, marks) for part in own]
        if measure_row(own).width <= fits:
            yield "".join(shown)
        else:
            yield _glued(shown[0], tuple(shown[1:])) if isinstance(own[0], Sign) else tuple(shown)


def _infix(sign: Sign) -> str:
    return f'<mo form="infix">{escape(sign.text)}</mo>'


def _glued(before: str, found: Pieces, after: str = "") -> Pieces:
    """Pieces with MathML before the first and after the last of them."""
    if isinstance(found, str):
        return before + found + after
    if len(found) == 1:
        return (_glued(before, found[0], after),)
    return (_glued(before, found[0]), *found[1:-1], _glued("", found[-1], after))


def flat(found: Pieces) -> Iterable[str]:
    """All pieces in their order."""
    if isinstance(found, str):
        yield found
    else:
        for part in found:
            yield from flat(part)
