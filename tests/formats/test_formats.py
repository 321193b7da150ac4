"""Every format of every page, and what no format may do: take an author's text for anything but text."""

from __future__ import annotations

import pytest

import derivations
from derivations.formats.table import FORMATS
from derivations.language.errors import SpecError
from derivations.spec import gallery
from tests.built import GALLERY, page

TITLES = (
    r"\input{/etc/passwd} $x$ #eval(\"1\") <script>alert(1)</script> {{ 7*7 }} =cmd|'/c calc'!A1",
    '](javascript:alert(1)) `code` :::{exercise} "quoted" & % _ ^ ~ @ref [x] *a* \u202e reversed 😀',
)


@pytest.mark.few(1)
@pytest.mark.parametrize("name", GALLERY)
def test_every_format_of_every_page_is_written_and_read_back(name: str) -> None:
    for row in FORMATS:
        assert page(name).content(row.name), row.name


@pytest.mark.few(4)
@pytest.mark.parametrize("title", TITLES)
@pytest.mark.parametrize("form", [row.name for row in FORMATS])
def test_hostile_titles_stay_text(form: str, title: str) -> None:
    text = gallery.path("linear-regression").read_text()
    quoted = title.replace("\\", "\\\\").replace('"', '\\"')
    spec = text.replace('"Mini-batch SGD on y = 2x + 10"', f'"{quoted}"')
    found = derivations.build(spec, (form,))
    assert found.title == title
    assert found.content(form)


def test_a_format_that_does_not_exist() -> None:
    with pytest.raises(SpecError, match="unknown format 'hmtl'"):
        page("linear-regression").content("hmtl")


def test_the_page_for_a_browser_is_small() -> None:
    assert len(page("linear-regression").file("html")) <= 300_000
