"""Figures as SVG files: those that Markdown refers to, and the format of one picture a page."""

from __future__ import annotations

from collections.abc import Mapping

from derivations.document.blocks import Figure
from derivations.figures.drawing import Drawing
from derivations.figures.rows import FIGURES
from derivations.figures.scene import FigureRow, Scene
from derivations.figures.svg import check_svg, svg_of
from derivations.formats.press import Press, Printer
from derivations.language.errors import CheckFailed


def svg_files(press: Press) -> Mapping[str, str]:
    """A file for every figure of the document, by what follows the stem; each is read back."""
    found: dict[str, str] = {}
    for block in press.document.blocks:
        if isinstance(block, Figure):
            text = svg_of(block.drawing, press.symbols, block.name)
            check_svg(text, block.drawing, press.symbols)
            found[f"-{block.name}.svg"] = text
    return found


def chosen(press: Press) -> tuple[FigureRow, Drawing]:
    """The figure that stands for a page: the first that there is something to show for.

    One of the document is taken as it is there; a page may have no figures and still be shown by one.
    """
    known = _of_document(press)
    drawn = ((row, known.get(row.name) or row.draw(_scene(press))) for row in FIGURES)
    return next((row, drawing) for row, drawing in drawn if drawing is not None)


def _scene(press: Press) -> Scene:
    return Scene(press.run.trace, press.symbols, press.rounding)


def _of_document(press: Press) -> dict[str, Drawing]:
    return {block.name: block.drawing for block in press.document.blocks if isinstance(block, Figure)}


def write(press: Press) -> str:
    """The figure that stands for the page as SVG text."""
    row, drawing = chosen(press)
    return svg_of(drawing, press.symbols, row.name)


def check(text: str, press: Press) -> None:
    """Read a finished picture: well-formed, every shape and label that of the drawing, which is the run's.

    What the document shows was held against the run with it.
    """
    row, drawing = chosen(press)
    check_svg(text, drawing, press.symbols)
    for fault in () if row.name in _of_document(press) else row.faults(drawing, _scene(press)):
        raise CheckFailed(f"the figure {row.name} is not that of the run: {fault}")


PRINTER = Printer(write, check)
