"""The words of LaTeX that the pages use, as the reader knows them."""

from __future__ import annotations

import re
from functools import cache

from derivations.catalogue import functions
from derivations.language.matrix import TRANSPOSED
from derivations.language.tree import Call, Expr, Largest, Sum
from derivations.notation.latex import SIGNS
from derivations.notation.marks import PLAIN, Marks
from derivations.notation.typeset import BETWEEN, DOTS

WORD = re.compile(r"(\\mathrm\{[^{}_]*)(?:_([^{}]|\{[^{}]*\}))?\}")
STACK = r"\begin{array}{@{}l@{}}", r"\end{array}", r"\\"
TOKEN = (
    "|".join(map(re.escape, STACK)) + r"|\\mathbf 1|\\mathrm\{[^{}_]*(?:_(?:[^{}]|\{[^{}]*\}))?\}|\\[A-Za-z]+"
    r"|NUMBER|[A-Za-z]|[-+=(){}\[\]^_',/≈]|\S"
)


@cache
def token(marks: Marks = PLAIN) -> re.Pattern[str]:
    """A token of LaTeX, numbers with the marks of a language."""
    return re.compile(TOKEN.replace("NUMBER", marks.reads))


RELATIONS = {"=": "=", r"\approx": "≈", r"\leftarrow": "←"}
SIZES = {f"\\{size}{side}" for size in ("big", "Big", "bigg", "Bigg") for side in "lr"}
LAYOUT = {r"\left", r"\right", r"\quad", r"\qquad", r"\displaystyle", "&", *SIZES, *STACK}
ACCENTS = {r"\hat", r"\bar", r"\tilde"}
OPEN, CLOSE = {"(", "["}, {")", "]"}
END = {*CLOSE, "}", "+", "-", ",", ";", "=", r"\rVert", r"\odot", r"\oslash"}
NABLA = SIGNS["∇"]

REDUCTIONS: dict[str, type[Sum] | type[Largest]] = {r"\sum": Sum, r"\max": Largest}
CONSTANTS: dict[str, Expr] = {
    **{row.latex: Call(row.name, ()) for row in functions.FUNCTIONS if not row.arguments},
    r"\dots": DOTS,
    r"\top": TRANSPOSED,
}
ENTRYWISE = {SIGNS[sign]: name for name, sign in BETWEEN.items()}
