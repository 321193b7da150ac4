"""The SVG format: the loss by step of a run of three steps and more, else the computation graph."""

from __future__ import annotations

import html
from xml.etree import ElementTree

from derivations.language.errors import CheckFailed
from derivations.pages.graph_layers import check_graph, graph
from derivations.pages.loss_curve import check_curve, curve
from derivations.pages.press import Press, Printer
from derivations.pages.render import environment, tidied

STEPS_OF_A_CURVE = 3


def is_curve(press: Press) -> bool:
    """Whether there are enough steps for a curve."""
    return len(press.run.trace.shown) >= STEPS_OF_A_CURVE


def write(press: Press) -> str:
    """The picture as SVG text."""
    kind, picture = ("loss", curve(press)) if is_curve(press) else ("graph", graph(press))
    template = environment(html.escape, {}).get_template(f"svg/{kind}.svg.j2")
    return tidied(template.render(picture=picture, title=press.run.example.spec.title))


def check(text: str, press: Press) -> None:
    """Read a finished picture: well-formed, and every point, node and arrow as in the run."""
    try:
        ElementTree.fromstring(text)
    except ElementTree.ParseError as fault:
        raise CheckFailed(f"the finished picture does not read back: {fault}") from None
    (check_curve if is_curve(press) else check_graph)(text, press)


PRINTER = Printer(write, check)
