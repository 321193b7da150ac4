"""What objects show of themselves in a notebook."""

from __future__ import annotations

import re
from html import unescape

import derivations
from derivations.spec import gallery

SPEC = gallery.path("linear-regression").read_text().replace("Mini-batch SGD", "<b>Mini-batch</b> SGD")
PAGE = derivations.build(SPEC, ("md",))


def test_a_page_shows_itself() -> None:
    assert PAGE._repr_markdown_() == PAGE["md"]
    assert PAGE._repr_latex_() == derivations.build(SPEC, ("fragment",))["fragment"]
    shown = PAGE._repr_html_()
    framed = re.fullmatch(r'<iframe title="(.*?)" style=".*?" srcdoc="([^"]*)"></iframe>', shown, re.DOTALL)
    assert framed
    assert unescape(framed[1]) == PAGE.title
    assert unescape(framed[2]) == derivations.build(SPEC, ("html",))["html"]


def test_a_step_and_a_run_show_themselves() -> None:
    step = PAGE.trace.steps[0]
    assert "<td>dL/dw</td><td>-34.5</td>" in step._repr_html_()
    assert "| `dL/dw` | `-34.5` |" in step._repr_markdown_()
    run = PAGE.trace
    assert run._repr_html_().count("<tr>") == 1 + len(run.steps)
    assert "| `2` | `3, 4` | `≈ 164.62181` | `0.845` | `1.225` |" in run._repr_markdown_()
