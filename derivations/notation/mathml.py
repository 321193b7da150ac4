"""Printer of boxes as MathML Core. What is printed is read back by `derivations.notation.read_mathml`."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

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
from derivations.notation.locales import PLAIN, Marks

ACCENTS = {"hat": "^", "bar": "¯", "tilde": "~"}
BOLD_ONE = "𝟏"
APPLIED = "<mo>\u2061</mo>"
INFIX = frozenset("+−·⊙⊘")
SPACE = '<mspace width=".17em"></mspace>'
LETTERS = frozenset("∂∇⊤")  # signs that are set like letters, without space around them


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
            shown = row_of(parts, marks)
            return f"<mrow>{shown}</mrow>" if role == "sign" else shown
        case Fraction(above, below):
            return f"<mfrac>{_one(above, marks)}{_one(below, marks)}</mfrac>"
        case Scripts():
            return with_scripts(box, mathml_of(box.base, marks), marks)
        case Root(body):
            return f"<msqrt>{mathml_of(body, marks)}</msqrt>"
        case Fenced():
            opened, closed = brackets(box)
            return f"<mrow>{opened}{mathml_of(box.body, marks)}{closed}</mrow>"
        case Delimiter(text, height, closes):
            form = "postfix" if closes else "prefix"
            return f'<mo form="{form}" minsize="{height:g}em" maxsize="{height:g}em">{text}</mo>'
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


def row_of(parts: Sequence[Box], marks: Marks) -> str:
    """Boxes side by side; a function is applied to the bracket after it, and apart from a factor before."""
    found = []
    for before, part in zip([None, *parts], parts, strict=False):
        if before is not None and _is_function(part) and not isinstance(before, Sign):
            found.append(SPACE)
        if before is not None and _is_function(before) and isinstance(part, (Fenced, Delimiter)):
            found.append(APPLIED)
        found.append(mathml_of(part, marks))
    return "".join(found)


def _is_function(box: Box) -> bool:
    """Whether a box begins with the name of a function, which stands apart from a factor before it."""
    first = box.parts[0] if isinstance(box, Row) and box.role == "apply" else box
    return isinstance(first, Letter) and first.style == "function"


def brackets(box: Fenced) -> tuple[str, str]:
    """The opening and the closing bracket."""
    if box.open == "‖":
        return '<mo form="prefix" stretchy="false">‖</mo>', '<mo form="postfix" stretchy="false">‖</mo>'
    kind = "" if box.tall else ' stretchy="false"'
    return f"<mo{kind}>{box.open}</mo>", f"<mo{kind}>{box.close}</mo>"


def with_scripts(box: Scripts, base: str, marks: Marks) -> str:
    """Scripts on a base that is printed already; primes stand before what is above."""
    base = f"<mrow>{base}</mrow>" if isinstance(box.base, Row) and box.base.role != "sign" else base
    primes = f"<mo>{'′' * box.primes}</mo>" if box.primes else ""
    above = "" if box.above is None else _one(box.above, marks)
    above = f"<mrow>{primes}{above}</mrow>" if primes and above else primes or above
    below = "" if box.below is None else _one(box.below, marks)
    kind = "msub" * bool(below) + "sup" * bool(above) if below else "msup"
    return f"<{kind}>{base}{below}{above}</{kind}>"


def infix(sign: Sign) -> str:
    """A sign between two terms or factors, where a line begins with it."""
    return f'<mo form="infix">{escape(sign.text)}</mo>'
