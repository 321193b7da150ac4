"""Double braces in a title are text for what reads Markdown further: Liquid, MyST, Quarto."""

from __future__ import annotations

import pytest
from markdown_it import MarkdownIt

from derivations.formats.markdown.write import escape
from derivations.page import build
from tests.spec.test_hostile import spec


@pytest.mark.parametrize("text", ["{{ 7*7 }}", "{% raw %}", "{{{x}}}", "{{< include /etc/passwd >}}"])
def test_double_braces_are_no_tag(text: str) -> None:
    shown = escape(text)
    assert "{{" not in shown
    assert "{%" not in shown
    inline = MarkdownIt().parseInline(shown)[0].children
    assert "".join(token.content for token in inline or ()) == text


def test_a_title_with_double_braces_is_read_back() -> None:
    page = build(spec(title="{{ 7*7 }} {% raw %}"), ("md", "myst", "qmd", "ipynb"))
    for form in ("md", "myst", "qmd", "ipynb"):
        assert "{{" not in page[form].splitlines()[0]
