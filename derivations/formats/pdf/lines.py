"""The lines of a finished PDF: bars of fractions, and the shapes of figures, each where it must be.

The compiler keeps the points of a figure as its SVG has them and gives all of them one scale and one
place, so that they can be held against the drawing exactly.
"""

from __future__ import annotations

from collections.abc import Sequence

from derivations.figures.drawing import Box, Disc, Drawing, Label, Shape, Stroke
from derivations.figures.lettering import runs
from derivations.formats.pdf.glyphs import Glyph, Line
from derivations.notation.symbols import Symbols

NEAR = 0.06  # of a pixel: figures are drawn to a tenth
Points = tuple[tuple[float, float], ...]


def is_of_figure(line: Line) -> bool:
    """Whether a line is a figure's: figures are set smaller than their pixels, nothing else is scaled."""
    return abs(line.scale[0] - 1) > 1e-4


def misdrawn(drawing: Drawing, lines: Sequence[Line], glyphs: Sequence[Glyph], symbols: Symbols) -> str:
    """What of a figure is not as in its drawing: a shape, a label that stands elsewhere; empty if nothing."""
    shapes = [shape for shape in drawing.shapes if not isinstance(shape, Label)]
    wide, high = map(float, drawing.size)
    outlines = [((0.0, 0.0), (wide, high)), *map(_outline, shapes)]
    if len(lines) != len(outlines) or len({(line.scale, line.origin, line.page) for line in lines}) != 1:
        return f"{len(lines)} lines instead of {len(outlines)}"
    for line, shape, wanted in zip(lines, [None, *shapes], outlines, strict=True):
        found = line.points if isinstance(shape, Stroke) else _bounds(line.points)
        if not _close(found, wanted):
            return f"a line through {found[:4]} instead of {wanted[:4]}"
    return _mislabelled(drawing, lines[0], glyphs, symbols)


def _outline(shape: Shape) -> Points:
    """The points of a stroke; of a box or a disc two corners."""
    match shape:
        case Stroke(_, points, _, closed):
            return tuple((float(x), float(y)) for x, y in (*points, *(points[:1] if closed else ())))
        case Box(_, (x, y), (wide, high)):
            return (float(x), float(y)), (float(x + wide), float(y + high))
        case Disc(_, (x, y), r):
            return (float(x - r), float(y - r)), (float(x + r), float(y + r))
    raise AssertionError(shape)


def _bounds(points: Points) -> Points:
    xs, ys = zip(*points, strict=True)
    return (min(xs), min(ys)), (max(xs), max(ys))


def _close(found: Points, wanted: Points) -> bool:
    return len(found) == len(wanted) and all(
        abs(a - b) < NEAR
        for one, other in zip(found, wanted, strict=True)
        for a, b in zip(one, other, strict=True)
    )


def _mislabelled(drawing: Drawing, ground: Line, glyphs: Sequence[Glyph], symbols: Symbols) -> str:
    """The first label that does not stand on its line, around its place."""
    at = 0
    for label in (shape for shape in drawing.shapes if isinstance(shape, Label)):
        first, *others = runs(label.said, symbols)
        text = "".join("".join(run.text for run in (first, *others)).split())
        here = glyphs[at : at + len(text)]
        at += len(text)
        x, y = ground.placed(float(label.at[0]), float(label.at[1]))
        if not here or (first.level == 0 and abs(here[0].height - y) > NEAR):
            return f"the label '{text}' stands elsewhere"
        wide = here[-1].left - here[0].left
        due = x - {"start": 0.0, "middle": 0.5, "end": 1.0}[label.anchor] * wide
        if abs(here[0].left - due) > 12:  # the width of a letter
            return f"the label '{text}' stands elsewhere"
    return ""


def has_bar(above: Sequence[Glyph], below: Sequence[Glyph], lines: Sequence[Line]) -> bool:
    """Whether one of a page's lines lies between numerator and denominator, as wide as either."""
    low, high = max(glyph.height for glyph in below), min(glyph.height for glyph in above)
    both = [*above, *below]
    left, right = min(glyph.left for glyph in both), max(glyph.left for glyph in both)
    for line in lines:
        if len(line.points) == 2:
            (start, y), (end, other) = (line.placed(*point) for point in line.points)
            if y == other and low < y < high and start <= left + 1 and right <= end:
                return True
    return False
