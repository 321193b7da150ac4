"""What an author's template adds to a PDF: what is right is taken, what is wrong refused with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from derivations.language.errors import CheckFailed
from derivations.page import build
from derivations.spec.gallery import path

AT_THE_UPDATE = (
    "block.formula.sides[-1].expr.text is defined and block.formula.sides[-1].expr.text == '0.845'"
)
UPDATE = "{% block display %}{{ super() }}{% if " + AT_THE_UPDATE + " %}\n\nADDED\n{% endif %}{% endblock %}"
TITLE = "{% block heading %}{{ super() }}{% if block.level == 1 %}\n\nADDED\n{% endif %}{% endblock %}"


def printed(folder: Path, where: str, added: str, form: str = "pdf") -> bytes:
    (folder / "mine/typst").mkdir(parents=True)
    text = '{% extends "shipped/typst/page.typ.j2" %}\n' + where.replace("ADDED", added)
    (folder / "mine/typst/page.typ.j2").write_text(text)
    (folder / "s.toml").write_text(path("linear-regression").read_text() + '\n[page]\ntemplates = "mine"\n')
    return build(folder / "s.toml", (form,)).file(form)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("where", "added"),
    [
        (UPDATE, "The new weight is 0.845."),
        (UPDATE, "It came from 0.5 and the slope −34.5, in step 1."),
        (UPDATE, "Seen once more: w′ = 0.845."),
        (UPDATE, '#formula("w prime equals zero point eight four five", $ w\' = 0.845 $)'),
        (TITLE, "The weight starts at 0.5, the rate is 0.01."),
        (TITLE, "Dr Who, without any number"),
    ],
)
def test_what_is_right_may_be_added(where: str, added: str, tmp_path: Path) -> None:
    assert printed(tmp_path, where, added)


@pytest.mark.few(1)
@pytest.mark.parametrize(
    ("where", "added", "message"),
    [
        (UPDATE, "The new weight is 0.846.", r"typst/page.typ.j2:\d+: .*'0.846'.* is w′=0.845"),
        (UPDATE, "The new weight is -0.845.", "'−0.845'"),
        (UPDATE, "Seen once more: w′ = 0.846.", r"page.typ.j2:\d+: .*right is w′=0.845"),
        (UPDATE, "Of both: 2w′ = 0.845.", "no formula of this part"),
        (UPDATE, "And so w′ = 0.845 · 2.", "no formula of this part"),
        (UPDATE, "Of another step: w′ = 1.0", "no formula of this part"),
        (UPDATE, "It is w′ ≈ 0.845.", "no formula of this part"),
        (UPDATE, "{{ 800 + 46 }} is a number of Jinja", "'846'"),
        (UPDATE, "That is ½ or 0.845²", "nobody verified"),
        (UPDATE, '#formula("w prime equals two", $ w\' = 0.845 $)', "is said instead of"),
        (TITLE, "The weight starts at 0.845.", "'0.845', no value of the spec; the nearest is"),
    ],
)
def test_what_is_wrong_is_refused_with_what_is_right(
    where: str, added: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(CheckFailed, match=message):
        printed(tmp_path, where, added)


@pytest.mark.few(2)
@pytest.mark.slow
@pytest.mark.parametrize(
    ("added", "message"),
    [
        ("The loss is ninety-nine.", "a template adds 'ninety nine', which is no value of the spec"),
        ("The loss is XCIX.", "a template adds 'XCIX', which is no value of the spec"),
        ("The loss is 𝟗𝟗.", "'99', no value"),
        ('The loss is #numbering("一", 99).', "'numbering'"),
    ],
)
def test_numbers_in_words_count_too(added: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(CheckFailed, match=message):
        printed(tmp_path, TITLE, added)


def test_a_number_that_names_something_is_no_claim(tmp_path: Path) -> None:
    assert printed(tmp_path, TITLE, "Lecture 77, 12 May 2026, by Ada")
