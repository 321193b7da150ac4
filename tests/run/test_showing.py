"""What objects show of themselves in a notebook."""

from __future__ import annotations

import re
from functools import cache
from html import unescape

import derivations
from derivations.page import Page
from derivations.spec import gallery

SPEC = gallery.path("linear-regression").read_text().replace("Mini-batch SGD", "<b>Mini-batch</b> SGD")


@cache
def page() -> Page:
    return derivations.build(SPEC, ("md",))


def test_a_page_shows_itself() -> None:
    assert page()._repr_markdown_() == page()["md"]
    assert page()._repr_latex_() == derivations.build(SPEC, ("fragment",))["fragment"]
    shown = page()._repr_html_()
    framed = re.fullmatch(r'<iframe title="(.*?)" style=".*?" srcdoc="([^"]*)"></iframe>', shown, re.DOTALL)
    assert framed
    assert unescape(framed[1]) == page().title
    assert unescape(framed[2]) == derivations.build(SPEC, ("html",))["html"]


def test_a_step_and_a_run_show_themselves() -> None:
    step = page().trace.steps[0]
    assert "<td>dL/dw</td><td>-34.5</td>" in step._repr_html_()
    assert "| `dL/dw` | `-34.5` |" in step._repr_markdown_()
    run = page().trace
    assert run._repr_html_().count("<tr>") == 1 + len(run.steps)
    assert "| `2` | `3, 4` | `≈ 164.62181` | `0.845` | `1.225` |" in run._repr_markdown_()
