"""The LaTeX formats: an article that compiles by itself with pdflatex, and a fragment for \\input."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from markupsafe import Markup

from derivations.figures.tikz import check_tikz, tikz_of
from derivations.notation.latex import width
from derivations.notation.symbols import GREEK, Symbols
from derivations.pages.blocks import Code, Figure, Formula, Table, Words, lone_number
from derivations.pages.finished import Item, read_latex
from derivations.pages.markdown import math, sides_latex
from derivations.pages.press import Press, Printer, audited
from derivations.pages.render import render

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
    "⊙": r"\ensuremath{\odot}",
    "⊘": r"\ensuremath{\oslash}",
}
LETTERS = dict(zip("αβγδεζηθικλμνξ πρστυφχψω".replace(" ", ""), GREEK, strict=False))
MISSING = frozenset("ĦħĸĿŀŉŦŧſ")  # in the range of the fonts, but not in them
LONG_WORD = re.compile(r"[^\s]{40,}")
SECTIONS = {1: r"\section*", 2: r"\subsection*", 3: r"\subsubsection*"}
WIDTH, LINE = 60, 58


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


def display(formula: Formula, symbols: Symbols) -> Markup:
    """A displayed chain, broken at its relations where it would not fit."""
    sides = sides_latex(formula.sides, symbols)
    if len(sides) == 1 and width(sides[0]) > LINE:
        return Markup(f"\\[\n{_scaled(sides[0])}\n\\]")
    if width(" ".join(sides)) <= WIDTH:
        return Markup(f"\\[\n{' '.join(sides)}\n\\]")
    head = sides[0] if not formula.sides[0].relation else ""
    rest = sides[1:] if head else sides
    lines = [line for side in rest for line in _fitted(side)]
    rows = [f"{head} &{lines[0]}", *(f"&{line}" for line in lines[1:])]
    body = " \\\\\n".join(rows)
    return Markup(f"\\begin{{align*}}\n{body}\n\\end{{align*}}")


def _fitted(side: str) -> list[str]:
    """A side on one line; a long one is broken at the plus signs of its bracket, else set smaller."""
    if width(side) <= LINE:
        return [side]
    pieces = _cut(side)
    if len(pieces) == 1 or max(map(width, pieces)) > LINE:
        return [_scaled(side, "0.88")]
    lines = [pieces[0]]
    for piece in pieces[1:]:
        if width(lines[-1]) + width(piece) <= LINE:
            lines[-1] += f" {piece}"
        else:
            lines.append(f"\\quad {piece}")
    return lines


def _cut(side: str) -> list[str]:
    """The side before each plus sign of the bracket that ends it, whose delimiters get a fixed size.

    Where that is not the first bracket, as in a sum of products of brackets, before the outermost ones.
    """
    outer = side.find("\\left[")
    opened = outer >= 0 and side.endswith("\\right]")
    inner = _pluses(side[outer:], 1) if opened and _is_one_bracket(side[outer:]) else []
    places = [outer + at for at in inner] or _pluses(side, 0)
    ends = zip([0, *(at + 1 for at in places)], [*places, len(side)], strict=True)
    pieces = [side[start:end] for start, end in ends]
    if inner:
        pieces[0] = pieces[0].replace("\\left[", "\\Bigl[", 1)
        pieces[-1] = pieces[-1][: -len("\\right]")] + "\\Bigr]"
    return pieces


def _depths(side: str) -> Iterator[tuple[re.Match[str], int]]:
    """The brackets and plus signs of a side, each with how many brackets are open after it."""
    depth = 0
    for token in re.finditer(r"\\left.|\\right.|[{}()]| \+ ", side):
        depth += token[0][0] in "{(" or token[0].startswith("\\left")
        depth -= token[0][0] in "})" or token[0].startswith("\\right")
        yield token, depth


def _pluses(side: str, depth: int) -> list[int]:
    return [token.start() for token, open_ in _depths(side) if token[0] == " + " and open_ == depth]


def _is_one_bracket(side: str) -> bool:
    """Whether the bracket that a text begins with closes at its end, not before."""
    closed = next((token.end() for token, open_ in _depths(side) if open_ == 0), None)
    return closed == len(side)


def _scaled(side: str, share: str = "") -> str:
    return f"\\adjustbox{{max width={share}\\linewidth}}{{$\\displaystyle {side}$}}"


def words_latex(words: Words, symbols: Symbols) -> Markup:
    """A sentence or a cell."""
    return Markup("".join(_inline(word, symbols) for word in words))


def _inline(word: Any, symbols: Symbols) -> str:
    if isinstance(word, Formula):
        return f"${math(word, symbols)}$"
    if isinstance(word, Code):
        return f"\\texttt{{{escape(word.text)}}}"
    return escape(word)


# --- tables ---------------------------------------------------------------------------------------


LONG_TABLE = 40
LARGE = ("derivation", "matrix")  # tables of formulas that are set large, one a line


def table_start(table: Table) -> Markup:
    """A table in one piece, set smaller if it is too wide; a long one that may break across pages."""
    if _is_long(table):
        return Markup(f"\\begin{{longtable}}{columns(table)}")
    return Markup(
        "\\begin{center}\n\\begin{adjustbox}{max width=\\linewidth}\n"
        f"\\begin{{tabular}}{columns(table)}"
    )


def _is_long(table: Table) -> bool:
    return len(table.rows) > LONG_TABLE or table.kind in LARGE


def table_end(table: Table) -> Markup:
    """The end that belongs to `table_start`."""
    if _is_long(table):
        return Markup("\\end{longtable}")
    return Markup("\\end{tabular}\n\\end{adjustbox}\n\\end{center}")


def columns(table: Table) -> Markup:
    """The column types: decimals aligned at the mark by siunitx, formulas, wrapped sentences."""
    found = []
    for place, letter in enumerate(table.align):
        cells = [row[place] for row in table.rows]
        found.append(_decimal_column(cells) if letter == "d" else _column(table, letter, place))
    return Markup("{" + "".join(found) + "}")


def _column(table: Table, letter: str, place: int) -> str:
    if table.kind not in LARGE or (table.kind == "derivation" and place == 0):
        return letter
    if table.kind == "matrix":
        return r"p{80mm}" if place == 0 else r"p{68mm}"
    return r"p{82mm}" if place == 1 else r">{\raggedright\arraybackslash}p{55mm}"


def _decimal_column(cells: list[Words]) -> str:
    numbers = [n for cell in cells for n in [lone_number(cell)] if n is not None]
    texts = [n.text for n in numbers]
    if not numbers or not all(texts):
        return "r"
    mantissas = [text.partition("e")[0].lstrip("-") for text in texts]
    whole = max(len(m.partition(".")[0]) for m in mantissas)
    places = max(len(m.partition(".")[2]) for m in mantissas)
    exponents = [text.partition("e")[2] for text in texts if "e" in text]
    sign = "-" if any(text.startswith("-") for text in texts) else ""
    power = f"e-{max(len(e.lstrip('-')) for e in exponents)}" if exponents else ""
    about = r"\approx" if any(_about(cell) for cell in cells) else ""
    return f"S[table-format={about}{sign}{whole}.{places}{power}]"


def _about(cell: Words) -> bool:
    return any(isinstance(word, Formula) and word.sides[0].relation == "≈" for word in cell)


def header_row(cells: tuple[Words, ...], table: Table, symbols: Symbols) -> Markup:
    """Headings; above a column of decimals they are protected by braces."""
    shown = [words_latex(cell, symbols) for cell in cells]
    letters = zip(table.align, shown, strict=True)
    return Markup(" & ".join(f"{{{text}}}" if letter == "d" else text for letter, text in letters))


def row_latex(cells: tuple[Words, ...], table: Table, symbols: Symbols) -> Markup:
    """A row; numbers in decimal columns are left to siunitx, derivations are set large."""
    return Markup(
        " & ".join(
            _cell(cell, letter, table, symbols) for cell, letter in zip(cells, table.align, strict=True)
        )
    )


def _cell(cell: Words, letter: str, table: Table, symbols: Symbols) -> str:
    found = lone_number(cell) if letter == "d" else None
    if found is not None and found.text:
        return ("\\approx " if _about(cell) else "") + found.text
    if table.kind in LARGE and len(cell) == 1 and isinstance(cell[0], Formula):
        return f"{_scaled(math(cell[0], symbols))}\\rule[-3ex]{{0pt}}{{7ex}}"
    shown = words_latex(cell, symbols)
    protected = letter == "d" or shown.startswith("(")  # a rule above would read a bracket as its own
    return f"{{{shown}}}" if protected and shown else shown


def figure_latex(figure: Figure, symbols: Symbols) -> Markup:
    """A figure as a TikZ picture, set smaller if it is too wide."""
    shown = tikz_of(figure.drawing, symbols, escape)
    return Markup(
        f"\\nopagebreak\n\\begin{{adjustbox}}{{max width=\\linewidth,center}}\n{shown}\n\\end{{adjustbox}}"
    )


def check_figure(item: Item, figure: Figure, press: Press) -> None:
    """Raise `CheckFailed` unless a TikZ picture shows the drawing of a figure."""
    check_tikz(item.text, figure.drawing, press.symbols, escape)


def _filters(symbols: Symbols) -> Mapping[str, Callable[..., Any]]:
    return {
        "figure": lambda figure: figure_latex(figure, symbols),
        "words": lambda words: words_latex(words, symbols),
        "display": lambda formula: display(formula, symbols),
        "table_start": table_start,
        "table_end": table_end,
        "header_row": lambda cells, table: header_row(cells, table, symbols),
        "row": lambda cells, table: row_latex(cells, table, symbols),
        "sectioning": lambda level: Markup(SECTIONS[level]),
        "verbatim": lambda text: Markup(text.rstrip("\n").replace("\\end{lstlisting}", "")),
    }


def _printer(template: str) -> Printer:
    def write(press: Press) -> str:
        return render(press.document, template, escape, _filters(press.symbols))

    return Printer(write, audited(read_latex, escape, check_figure))


ARTICLE = _printer("latex/page.tex.j2")
FRAGMENT = _printer("latex/fragment.tex.j2")
