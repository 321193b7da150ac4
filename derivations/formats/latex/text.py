"""Text as literal text for pdflatex: nothing in it is a command, a formula or a comment."""

from __future__ import annotations

import re

from derivations.notation.languages import LANGUAGES
from derivations.notation.locales import locale
from derivations.notation.symbols import GREEK

SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "`": r"\textasciigrave{}",
    "=": "=",
    "≈": r"\ensuremath{\approx}",
    "\u00a0": "~",
    "\u202f": r"\,",
    "\u200b": r"\allowbreak{}",
    "←": r"\ensuremath{\leftarrow}",
    "·": r"\textperiodcentered{}",
    "−": r"\ensuremath{-}",
    "Σ": r"\ensuremath{\Sigma}",
    "⊙": r"\ensuremath{\odot}",
    "⊘": r"\ensuremath{\oslash}",
}
LETTERS = dict(zip("αβγδεζηθικλμνξ πρστυφχψω".replace(" ", ""), GREEK, strict=False))
MISSING = frozenset("ĦħĸĿŀŉŦŧſ")  # in the range of the fonts, but not in them
LONG_WORD = re.compile(r"[^\s]{40,}")


def escape(text: str) -> str:
    """Text as literal text for pdflatex; a letter that its fonts lack is shown as its code point."""
    text = re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+", " ", text)
    found = "".join(map(_letter, LONG_WORD.sub(lambda word: "\u200b".join(word[0]), text)))
    return re.sub(r"([-,'])(?=\1)", r"\1{}", found)  # no ligatures


def _letter(letter: str) -> str:
    if letter in SPECIAL:
        return SPECIAL[letter]
    if letter in LETTERS:
        return f"\\ensuremath{{\\{LETTERS[letter]}}}"
    if letter in MISSING:
        return f"\\texttt{{[U+{ord(letter):04X}]}}"
    if letter.isascii() or "\u00a1" <= letter <= "\u017f" or letter in "–—‘’“”„…€•":
        return letter
    return letter if _is_chinese(letter) else f"\\texttt{{[U+{ord(letter):04X}]}}"


def _is_chinese(letter: str) -> bool:
    """Whether a letter is one of the Chinese font; a page that holds one loads CJKutf8."""
    return letter > "\u2e80" and len(letter.encode("gb2312", "ignore")) == 2


def holds_chinese(text: str) -> bool:
    """Whether LaTeX holds a letter of the Chinese font, which must then be loaded."""
    return max(text, default="") > "⺀"


def numerals(language: str) -> str:
    """How siunitx writes the numbers of a language: what separates thousands, and the decimal mark."""
    marks = locale(language).marks
    group = r"{\,}" if marks.group.isspace() else f"{{{marks.group}}}"
    decimal = "" if marks.decimal == "." else f",output-decimal-marker={{{marks.decimal}}}"
    return f"group-separator={group}{decimal}"


def babel(language: str) -> str:
    """What LaTeX's babel calls a language; empty where it is not asked."""
    return LANGUAGES[language].latex


LANGUAGE = {"holds_chinese": holds_chinese, "numerals": numerals, "babel": babel}
"""What the template of the language asks."""
