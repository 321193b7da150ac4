"""A drawing as SVG, and SVG read back.

Colours stand in attributes, which a style sheet of the page that holds the picture may overrule by
class: ``fig-curve``, ``fig-plate`` for the white ground. Ids begin with a prefix of the caller's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from html import escape
from xml.etree import ElementTree

from derivations.figures.drawing import STYLES, Box, Disc, Drawing, Label, Point, Shape, Stroke, decimal
from derivations.figures.lettering import Run, flat, plain, runs
from derivations.language.errors import CheckFailed
from derivations.notation.symbols import Symbols

SPACE = "{http://www.w3.org/2000/svg}"
CLASS = "fig-"
SHIFT = {-1: Fraction(3, 10), 0: Fraction(0), 1: Fraction(-4, 10)}  # of the size of letters, downwards


def svg_of(drawing: Drawing, symbols: Symbols, prefix: str = "figure") -> str:
    """The drawing as SVG text; ``prefix`` keeps its ids apart from those of other pictures of a page."""
    width, height = map(decimal, drawing.size)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}"'
        f' height="{height}" role="img" aria-labelledby="{escape(prefix)}-title"'
        f' aria-describedby="{escape(prefix)}-desc" font-family="sans-serif" text-anchor="middle"'
        ' stroke-linejoin="round">',
        f'<title id="{escape(prefix)}-title">{escape(drawing.title)}</title>',
        f'<desc id="{escape(prefix)}-desc">{escape(drawing.description)}</desc>',
        f'<rect class="{CLASS}plate" width="{width}" height="{height}" fill="#ffffff"/>',
        *(_shape(shape, symbols) for shape in drawing.shapes),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _shape(shape: Shape, symbols: Symbols) -> str:
    look = f'class="{CLASS}{shape.kind}" {_look(shape)}'
    match shape:
        case Label():
            return _label(shape, look, symbols)
        case Stroke():
            name, place = "path", f'd="{path(shape)}"'
        case Box(_, (x, y), (wide, high), radius):
            name = "rect"
            place = f'x="{decimal(x)}" y="{decimal(y)}" width="{decimal(wide)}" height="{decimal(high)}"'
            place += f' rx="{decimal(radius)}"' if radius else ""
        case Disc(_, (x, y), radius):
            name, place = "circle", f'cx="{decimal(x)}" cy="{decimal(y)}" r="{decimal(radius)}"'
    about = f"><title>{escape(shape.about)}</title></{name}>" if shape.about else "/>"
    return f"<{name} {look} {place}{about}"


def _look(shape: Shape) -> str:
    style = STYLES[shape.kind]
    if isinstance(shape, Label):
        return f'fill="#{style.fill}" font-size="{style.size}"'
    is_line = isinstance(shape, Stroke) and not shape.closed
    fill = f"#{style.fill}" if style.fill and not is_line else "none"
    dash = f' stroke-dasharray="{" ".join(map(str, style.dash))}"' if style.dash else ""
    wide = f' stroke-width="{style.width}"' if style.width != "1" else ""
    return f'fill="{fill}" stroke="#{style.line}"{wide}{dash}' if style.line else f'fill="{fill}"'


def path(stroke: Stroke) -> str:
    """The points of a stroke in the words of SVG."""
    first, *rest = (f"{decimal(x)} {decimal(y)}" for x, y in stroke.points)
    return f"M{first}{'C' if stroke.curved else 'L'}{' '.join(rest)}{'Z' if stroke.closed else ''}"


def _label(label: Label, look: str, symbols: Symbols) -> str:
    anchor = "" if label.anchor == "middle" else f' text-anchor="{label.anchor}"'
    size = STYLES[label.kind].size
    inside, level = "", 0
    for run in runs(label.said, symbols):
        inside += _run(run, size, SHIFT[run.level] - SHIFT[level])
        level = run.level
    at = f'x="{decimal(label.at[0])}" y="{decimal(label.at[1])}"'
    return f"<text {look} {at}{anchor}>{inside}</text>"


def _run(run: Run, size: int, down: Fraction) -> str:
    look = f' dy="{decimal(down * size)}"' if down else ""
    look += f' class="{LEVELS[run.level]}" font-size="{size * 3 // 4}"' if run.level else ""
    look += ' font-style="italic"' if run.italic else ""
    return f"<tspan{look}>{escape(run.text)}</tspan>" if look else escape(run.text)


LEVELS = {-1: "sub", 1: "sup"}
LOOK = "class fill stroke stroke-width stroke-dasharray"
ATTRIBUTES = {
    "svg": "viewBox width height role aria-labelledby aria-describedby font-family text-anchor"
    " stroke-linejoin",
    "title": "id",
    "desc": "id",
    "path": f"{LOOK} d",
    "rect": f"{LOOK} x y width height rx",
    "circle": f"{LOOK} cx cy r",
    "text": "class fill font-size x y text-anchor",
    "tspan": "class dy font-size font-style",
}


# --- reading back -----------------------------------------------------------------------------------


def check_svg(text: str, drawing: Drawing, symbols: Symbols) -> None:
    """Raise `CheckFailed` unless SVG text shows a drawing: every shape at its place, every label."""
    try:
        top = ElementTree.fromstring(text)
    except ElementTree.ParseError as fault:
        raise CheckFailed(f"the finished picture does not read back: {fault}") from None
    _check_frame(top)
    title, desc = top.findtext(f"{SPACE}title"), top.findtext(f"{SPACE}desc")
    if (title, desc) != (drawing.title, drawing.description):
        raise CheckFailed("the title or the description of a picture is not that of the drawing")
    size = " ".join(map(decimal, drawing.size))
    if top.get("viewBox") != f"0 0 {size}":
        raise CheckFailed("the picture has another size than the drawing")
    shown = [_read(element) for element in top if _is_shape(element)]
    if len(shown) != len(drawing.shapes):
        raise CheckFailed(f"the picture has {len(shown)} shapes, the drawing {len(drawing.shapes)}")
    for found, shape in zip(shown, drawing.shapes, strict=True):
        wanted = _wanted(shape, symbols)
        if found != wanted:
            raise CheckFailed(f"the picture shows {found}, the drawing {wanted}")


def _check_frame(top: ElementTree.Element) -> None:
    """Raise `CheckFailed` at an element or an attribute that no drawing has."""
    for element in top.iter():
        tag = element.tag.removeprefix(SPACE)
        if tag not in ATTRIBUTES or set(element.keys()) - set(ATTRIBUTES[tag].split()):
            raise CheckFailed(f"the picture has an element {tag} that no drawing has")
    ids = [element.get("id") for element in top.iter() if element.get("id")]
    named = [top.get("aria-labelledby"), top.get("aria-describedby")]
    if ids != named or len(ids) != 2 or top.get("role") != "img":
        raise CheckFailed("the picture does not name its title and its description")


def _is_shape(element: ElementTree.Element) -> bool:
    return element.tag not in (f"{SPACE}title", f"{SPACE}desc") and element.get("class") != f"{CLASS}plate"


Read = tuple[str, str, tuple[Fraction, ...], str]


def _read(element: ElementTree.Element) -> Read:
    """A shape of a picture: what it is, its kind and look, its numbers, its words."""
    what = element.tag.removeprefix(SPACE)
    keys = {"path": ("d",), "rect": ("x", "y", "width", "height", "rx"), "circle": ("cx", "cy", "r")}
    places = [element.get(key, "") for key in keys.get(what, ("x", "y"))]
    numbers = tuple(Fraction(n) for place in places for n in re.findall(r"-?\d+(?:\.\d+)?", place))
    letters = re.sub(r"[^A-Z]", "", places[0]) if what == "path" else element.get("text-anchor", "middle")
    look = "fill", "stroke", "stroke-width", "stroke-dasharray", "font-size"
    kind = " ".join([element.get("class", ""), letters, *(element.get(key, "") for key in look)])
    if what != "text":
        return what, kind, numbers, element.findtext(f"{SPACE}title") or ""
    return what, kind, numbers, flat(list(_letters(element)))


def _letters(element: ElementTree.Element) -> Iterator[tuple[str, int]]:
    level = {"sub": -1, "sup": 1}.get(element.get("class", ""), 0)
    if element.text:
        yield element.text, level
    for inner in element:
        yield from _letters(inner)
        if inner.tail:
            yield inner.tail, level


def _wanted(shape: Shape, symbols: Symbols) -> Read:
    style = STYLES[shape.kind]
    match shape:
        case Label():
            look = f"{CLASS}{shape.kind} {shape.anchor} #{style.fill}    {style.size}"
            return "text", look, shape.at, plain(shape.said, symbols)
        case Stroke():
            what, numbers = "path", tuple(n for at in shape.points for n in at)
            letters = f"M{'C' if shape.curved else 'L'}{'Z' if shape.closed else ''}"
        case Box():
            what, letters = "rect", "middle"
            numbers = (*shape.at, *shape.size, *([shape.radius] if shape.radius else []))
        case Disc():
            what, letters, numbers = "circle", "middle", (*shape.at, shape.radius)
    bare = isinstance(shape, Stroke) and not shape.closed
    parts = [f"{CLASS}{shape.kind}", letters, "none" if bare or not style.fill else f"#{style.fill}"]
    parts += [f"#{style.line}" if style.line else "", style.width if style.width != "1" else ""]
    return what, " ".join([*parts, " ".join(map(str, style.dash)), ""]), numbers, shape.about


def points_of(stroke: Stroke) -> tuple[Point, ...]:
    """The places that a stroke passes through, without what bends it."""
    return stroke.points[::3] if stroke.curved else stroke.points
