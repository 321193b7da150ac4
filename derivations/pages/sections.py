"""The parts of a page and their headings."""

from __future__ import annotations

from derivations.pages.blocks import Heading, Message, message

HEADINGS: dict[str, Message] = {
    "problem": message("The problem"),
    "quantities": message("The quantities"),
    "gradient": message("The gradient"),
    "matrix": message("In matrix form"),
    "summary": message("Summary"),
    "program": message("The same in PyTorch"),
    "checks": message("Checks"),
}


def section(part: str) -> Heading:
    """The heading that opens a part."""
    return Heading(2, (HEADINGS[part],), part)
