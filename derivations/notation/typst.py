r"""Printer of boxes as Typst mathematics, what stands between the dollars of a formula.

Brackets, commas and semicolons are escaped, so that Typst neither pairs nor stretches them by itself
and no argument of a function ends early; signs and letters are Unicode. Every part stands between
blanks, for Typst reads letters side by side as one name.
"""

from __future__ import annotations

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
    merged,
)
from derivations.notation.locales import PLAIN, Marks
from derivations.notation.symbols import Symbols
from derivations.notation.typeset import typeset

ACCENTS = {"hat": "hat", "bar": "macron", "tilde": "tilde"}
BIG = {"∑": "∑", "max": 'op("max", limits: #true)', "arg max": 'op("arg max", limits: #true)'}
ESCAPED = frozenset(r"""\"#$&'()*+-/:;<=>@[]^_`{|}~,.!?""")


def typst(expr: Expr, symbols: Symbols) -> str:
    """The expression as Typst mathematics."""
    return typst_of(typeset(expr, symbols), symbols.marks)


def typst_of(box: Box, marks: Marks = PLAIN) -> str:
    """The boxes as Typst mathematics, decimals with the marks of a language."""
    match box:
        case Letter():
            return _letter(box)
        case Numeral(text):
            return _numeral(text, marks)
        case Sign(text):
            return sign(marks.separator if text == "," else text)
        case Row(parts, role):
            inside = (part if role == "indices" else None for part in parts)
            return " ".join(
                sign(",") if part == Sign(",") else typst_of(piece, marks)
                for piece, part in zip(parts, inside, strict=True)
            )
        case Fraction(above, below):
            return f"frac({typst_of(above, marks)}, {typst_of(below, marks)})"
        case Scripts():
            return _scripts(box, marks)
        case Root(body):
            return f"sqrt({typst_of(body, marks)})"
        case Fenced():
            return _fenced(box, marks)
        case Delimiter(text, height):
            return f"lr(size: #{height:g}em, {_fence(text)})"
        case Stack(rows):
            return " \\ ".join(f"& {typst_of(row, marks)}" for row in rows)
        case Operator(text, below):
            return f"{BIG[text]}_({typst_of(below, marks)})"


def sign(text: str) -> str:
    """A sign; what Typst would read as its own is escaped, ``=`` is aligned and broken by the page."""
    return "".join(f"\\{letter}" if letter in ESCAPED and letter not in "=+" else letter for letter in text)


def quoted(text: str) -> str:
    """A string of Typst that means the text, whatever is in it."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _letter(box: Letter) -> str:
    if box.style == "bold":
        shown = f"bold({_glyphs(box.text)})"
    elif box.style == "italic":
        shown = _glyphs(box.text)
    else:
        shown = f"op({quoted(box.text)})" if len(box.text) > 1 else f"upright({_glyphs(box.text)})"
    return f"{ACCENTS[box.accent]}({shown})" if box.accent else shown


def _glyphs(text: str) -> str:
    """Letters one by one: ``i1`` is the letter and its number, not a name of Typst."""
    return " ".join(f"\\{letter}" if letter in ESCAPED else letter for letter in text)


def _numeral(text: str, marks: Marks) -> str:
    """Digits; a mark that is no point gets the class of a digit, so that no gap follows it."""
    shown = marks.numeral(text)
    if all(letter.isdigit() or letter == "." for letter in shown) and shown.count(".") < 2:
        return shown
    return " ".join(letter if letter.isdigit() else f'class("normal", {_mark(letter)})' for letter in shown)


def _mark(letter: str) -> str:
    return f"\\u{{{ord(letter):x}}}" if letter.isspace() else _glyphs(letter)


def _scripts(box: Scripts, marks: Marks) -> str:
    box = merged(box)
    base = typst_of(box.base, marks)
    is_bracket = isinstance(box.base, Fenced) and not box.base.tall and box.base.open != "‖"
    if not is_bracket and not isinstance(box.base, (Letter, Numeral, Operator)):
        below = "" if box.below is None else f", b: {typst_of(box.below, marks)}"
        above = "" if box.above is None else f", t: {typst_of(box.above, marks)}"
        return f"attach({base}{below}{above})"
    below = "" if box.below is None else f"_({typst_of(box.below, marks)})"
    above = "" if box.above is None else f"^({typst_of(box.above, marks)})"
    return f"{base}{chr(39) * box.primes}{below}{above}"


def _fenced(box: Fenced, marks: Marks) -> str:
    inside = typst_of(box.body, marks)
    if box.open == "‖":
        return f"lr(‖ {inside} ‖)"
    shown = f"{_fence(box.open)} {inside} {_fence(box.close)}"
    return f"lr({shown})" if box.tall else shown


def _fence(text: str) -> str:
    return f"\\{text}" if text in "()[]" else text
