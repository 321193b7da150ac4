"""Reading MathML back: the inverse of `derivations.notation.mathml`, from elements to boxes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from derivations.notation.boxes import Box, Fraction, Letter, Numeral, Operator, Root, Row, Scripts, Sign
from derivations.notation.latex import latex_of
from derivations.notation.locales import Marks
from derivations.notation.mathml import ACCENTS, APPLIED, BOLD_ONE, LETTERS
from derivations.notation.read import Unreadable

APPLY = APPLIED[4:-5]
NAMES = {mark: name for name, mark in ACCENTS.items()}
NORMS = {"prefix": r"\lVert", "postfix": r"\rVert"}


def latex_of_math(elements: list[Any], marks: Marks) -> str:
    """The LaTeX of ``<math>`` elements that stand side by side. Raises `Unreadable`."""
    return " ".join(latex_of(Row(_parts(one, marks), "product")) for one in elements)


def _parts(element: Any, marks: Marks) -> tuple[Box, ...]:
    """The boxes of what is inside an element; nothing but elements may stand there."""
    if (element.text or "").strip() or any((child.tail or "").strip() for child in element):
        raise Unreadable(f"text beside the elements of <{element.tag}>")
    found: list[Box] = []
    children = [child for child in element if child.tag != "mspace"]
    for at, child in enumerate(children):
        after = children[at + 1] if at + 1 < len(children) else None
        applied = after is not None and after.tag == "mo" and after.text == APPLY
        if child.tag == "mo" and child.text == APPLY:
            continue
        found.append(_box(child, marks, applied))
    return tuple(found)


def _box(element: Any, marks: Marks, applied: bool = False) -> Box:
    tag = element.tag
    if tag in ("mi", "mn", "mo", "mtext"):
        if len(element):
            raise Unreadable(f"elements inside <{tag}>")
        return _token(tag, element, marks, applied)
    if tag not in MADE:
        raise Unreadable(f"an element <{tag}>")
    return MADE[tag](_parts(element, marks))


def _token(tag: str, element: Any, marks: Marks, applied: bool) -> Box:
    text = element.text or ""
    if tag == "mn":
        if marks.numeral(marks.canonical(text)) != text:
            raise Unreadable(f"'{text}' does not have the marks of the language")
        return Numeral(marks.canonical(text))
    if tag == "mtext":
        return Letter(text)
    if tag == "mo":
        if text == "‖":
            return Sign(NORMS.get(element.get("form"), "?"))
        return Sign("," if text == marks.separator else text)
    if text in LETTERS:
        return Sign(text)
    if text == BOLD_ONE:
        return Letter("1", "bold")
    plain = len(text) == 1 and element.get("mathvariant") is None
    return Letter(text, "italic" if plain else "function" if applied else "upright")


def _fraction(parts: tuple[Box, ...]) -> Box:
    above, below = parts
    return Fraction(above, below)


def _with_accent(parts: tuple[Box, ...]) -> Box:
    base, mark = parts
    if not isinstance(base, Letter) or not isinstance(mark, Sign) or mark.text not in NAMES:
        raise Unreadable("something over a letter that is not an accent")
    return Letter(base.text, base.style, NAMES[mark.text])  # type: ignore[arg-type]


def _operator(parts: tuple[Box, ...]) -> Box:
    sign, below = parts
    if not isinstance(sign, Sign) or sign.text not in ("∑", "max", "arg max"):
        raise Unreadable("something under a sign that is not an operator")
    return Operator(sign.text, below)  # type: ignore[arg-type]


def _scripts(base: Box, below: Box | None, above: Box | None) -> Box:
    first, rest = _primes(above)
    return Scripts(base, below, rest, first)


def _primes(above: Box | None) -> tuple[int, Box | None]:
    """How many primes a superscript begins with, and what is left of it."""
    if isinstance(above, Sign) and above.text.strip("′") == "":
        return len(above.text), None
    if isinstance(above, Row) and isinstance(above.parts[0], Sign) and not above.parts[0].text.strip("′"):
        rest = above.parts[1:]
        return len(above.parts[0].text), rest[0] if len(rest) == 1 else Row(rest, "product")
    return 0, above


def _sub(parts: tuple[Box, ...]) -> Box:
    base, below = parts
    return _scripts(base, below, None)


def _sup(parts: tuple[Box, ...]) -> Box:
    base, above = parts
    return _scripts(base, None, above)


def _both(parts: tuple[Box, ...]) -> Box:
    base, below, above = parts
    return _scripts(base, below, above)


MADE: dict[str, Callable[[tuple[Box, ...]], Box]] = {
    "mrow": lambda parts: Row(parts, "product"),
    "mtable": lambda parts: Row(parts, "product"),
    "mtr": lambda parts: Row(parts, "product"),
    "mtd": lambda parts: Row(parts, "product"),
    "mfrac": _fraction,
    "msqrt": lambda parts: Root(Row(parts, "product")),
    "mover": _with_accent,
    "munder": _operator,
    "msub": _sub,
    "msup": _sup,
    "msubsup": _both,
}
