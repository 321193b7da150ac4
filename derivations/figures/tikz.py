r"""A drawing as TikZ for LaTeX and Beamer, and TikZ read back.

A pixel is 3/4 of a point. The looks are keys of the picture itself, ``fig curve``, so that a document
needs no more than ``\usepackage{tikz}``; formulas are LaTeX.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from fractions import Fraction

from derivations.figures.drawing import STYLES, Box, Disc, Drawing, Label, Point, Said, Shape, Stroke, decimal
from derivations.language.errors import CheckFailed
from derivations.language.tree import Expr, Number, walk
from derivations.notation.latex import latex, number_latex
from derivations.notation.printed import as_printed
from derivations.notation.read import chain
from derivations.notation.symbols import Symbols

START = r"\begin{tikzpicture}[x=0.75bp,y=-0.75bp,inner sep=0pt,outer sep=0pt]"
END = r"\end{tikzpicture}"
ANCHORS = {"start": "base west", "middle": "base", "end": "base east"}
PLACE = r"\((-?[\d.]+),(-?[\d.]+)\)"
Escape = Callable[[str], str]


def tikz_of(drawing: Drawing, symbols: Symbols, escape: Escape) -> str:
    """The drawing as a TikZ picture; ``escape`` makes words literal text."""
    lines = [_shape(shape, symbols, escape) for shape in drawing.shapes]
    return "\n".join([START, *_settings(drawing), *lines, END])


def _settings(drawing: Drawing) -> list[str]:
    """Colours, looks and the size of the picture."""
    kinds = sorted({shape.kind for shape in drawing.shapes})
    colours = sorted({c for kind in kinds for c in (STYLES[kind].line, STYLES[kind].fill) if c})
    named = [f"\\definecolor{{fig{colour}}}{{HTML}}{{{colour.upper()}}}" for colour in colours]
    looks = [f"\\tikzset{{fig {kind}/.style={{{_look(kind)}}}}}" for kind in kinds]
    width, height = map(decimal, drawing.size)
    return [*named, *looks, f"\\path[use as bounding box] (0,0) rectangle ({width},{height});"]


def _look(kind: str) -> str:
    style = STYLES[kind]
    if not style.line:
        points = Fraction(style.size * 3, 4)
        size = f"\\fontsize{{{decimal(points)}}}{{{decimal(points)}}}\\selectfont"
        return f"text=fig{style.fill},font={size}"
    dash = "".join(f"{'off' if at % 2 else 'on'} {n * 3 / 4:g}bp " for at, n in enumerate(style.dash))
    parts = [f"draw=fig{style.line}", f"line width={float(style.width) * 3 / 4:g}bp", "line join=round"]
    parts += [f"fill=fig{style.fill}"] if style.fill else []
    return ",".join(parts + ([f"dash pattern={dash.strip()}"] if dash else []))


def _at(place: Point) -> str:
    return f"({decimal(place[0])},{decimal(place[1])})"


def _shape(shape: Shape, symbols: Symbols, escape: Escape) -> str:
    look = f"fig {shape.kind}"
    match shape:
        case Label():
            said = said_latex(shape.said, symbols, escape)
            return f"\\node[{look},anchor={ANCHORS[shape.anchor]}] at {_at(shape.at)} {{{said}}};"
        case Stroke():
            return f"\\path[{look}] {_route(shape)};"
        case Box(_, (x, y), (wide, high), radius):
            round_ = f",rounded corners={decimal(radius * 3 / 4)}bp" if radius else ""
            return f"\\path[{look}{round_}] {_at((x, y))} rectangle {_at((x + wide, y + high))};"
        case Disc(_, at, radius):
            return f"\\path[{look}] {_at(at)} circle[radius={decimal(radius * 3 / 4)}bp];"


def _route(stroke: Stroke) -> str:
    """Where a stroke goes, in the words of TikZ."""
    first, *rest = map(_at, stroke.points)
    if stroke.curved:
        threes = zip(rest[::3], rest[1::3], rest[2::3], strict=True)
        return first + "".join(f" .. controls {a} and {b} .. {c}" for a, b, c in threes)
    return " -- ".join([first, *rest]) + (" -- cycle" if stroke.closed else "")


def said_latex(said: Said, symbols: Symbols, escape: Escape) -> str:
    """A label in LaTeX."""
    return "".join(escape(part) if isinstance(part, str) else f"${latex(part, symbols)}$" for part in said)


# --- reading back -----------------------------------------------------------------------------------

LINE = re.compile(r"\\(?P<what>path|node)\[fig (?P<kind>[\w-]+)(?P<more>[^]]*)\] (?P<rest>.*);")


def check_tikz(text: str, drawing: Drawing, symbols: Symbols, escape: Escape) -> None:
    """Raise `CheckFailed` unless a TikZ picture shows a drawing: every shape at its place, every label."""
    lines = text.strip().split("\n")
    opening = [START, *_settings(drawing)]
    shown = lines[len(opening) : -1]
    if lines[: len(opening)] != opening or lines[-1] != END or len(shown) != len(drawing.shapes):
        raise CheckFailed("a picture has other looks or another number of shapes than the drawing")
    for line, shape in zip(shown, drawing.shapes, strict=True):
        found = LINE.fullmatch(line)
        if not found or found["kind"] != shape.kind or not _is(found, shape, symbols, escape):
            raise CheckFailed(f"this shape of a picture is not that of the drawing: {line}")


def _is(found: re.Match[str], shape: Shape, symbols: Symbols, escape: Escape) -> bool:
    """Whether a line of TikZ is a shape."""
    rest, places = found["rest"], [(Fraction(x), Fraction(y)) for x, y in re.findall(PLACE, found["rest"])]
    form = re.sub(PLACE, "@", rest)
    match shape:
        case Label():
            words = re.fullmatch(rf"at {PLACE} \{{(.*)\}}", rest)
            anchored = found["more"] == f",anchor={ANCHORS[shape.anchor]}"
            said = words is not None and _says(words[3], shape.said, symbols, escape)
            return anchored and said and places[:1] == [shape.at]
        case Stroke():
            joint = r"( \.\. controls @ and @ \.\. @)+" if shape.curved else r"( -- @)+"
            end = " -- cycle" if shape.closed else ""
            return re.fullmatch(f"@{joint}{end}", form) is not None and tuple(places) == shape.points
        case Box(_, (x, y), (wide, high), radius):
            corners = f",rounded corners={decimal(radius * 3 / 4)}bp" if radius else ""
            return (
                form == "@ rectangle @"
                and found["more"] == corners
                and places == [(x, y), (x + wide, y + high)]
            )
        case Disc(_, at, radius):
            return form == f"@ circle[radius={decimal(radius * 3 / 4)}bp]" and places == [at]


def _says(text: str, said: Said, symbols: Symbols, escape: Escape) -> bool:
    """Whether a label of the picture says the words, and its formulas are the trees."""
    parts = [part for part in re.split(r"(?<!\\)(\$(?:[^$\\]|\\.)*\$)", text) if part]
    wanted = list(_merged(said, escape))
    return len(parts) == len(wanted) and all(
        part == want
        if isinstance(want, str)
        else part[:1] == "$" and _is_formula(part.strip("$"), want, symbols)
        for part, want in zip(parts, wanted, strict=True)
    )


def _merged(said: Said, escape: Escape) -> Iterator[str | Expr]:
    held = ""
    for part in said:
        if isinstance(part, str):
            held += escape(part)
            continue
        if held:
            yield held
        held = ""
        yield part
    if held:
        yield held


def _is_formula(source: str, expr: Expr, symbols: Symbols) -> bool:
    sides = chain(source, symbols)
    if len(sides) != 1 or sides[0].relation:
        return False
    page, wanted = as_printed(sides[0].expr), as_printed(expr)
    return page == wanted and [*_digits(page)] == [*_digits(wanted)]


def _digits(expr: Expr) -> Iterator[str]:
    """The numbers of a formula, digit by digit."""
    return (number_latex(node.text or str(node.value)) for node in walk(expr) if isinstance(node, Number))
