"""A title is the author's: it may name and count, and gives no quantity of the page a value of its own."""

from __future__ import annotations

import pytest

from derivations.document.author import check_title
from derivations.language.errors import SpecError
from derivations.model.example import prepare
from derivations.spec import gallery
from derivations.spec.spec import parse_spec

TEXT = gallery.path("linear-regression").read_text()


def checked(title: str) -> None:
    first, _, rest = TEXT.partition("title = ")
    _, _, rest = rest.partition("\n")
    check_title(*_prepared(f"{first}title = '{title}'\n{rest}"))


def _prepared(text: str):  # type: ignore[no-untyped-def]
    spec, source = parse_spec(text)
    return prepare(spec, source), source


@pytest.mark.parametrize(
    "title",
    [
        "L = 99",
        "The loss is 99",
        "loss: ninety-nine",
        "Here w = 7",
        "w ≈ ７",
        "Loss = XCIX",
        "w = ٧",
        "L is −3",
    ],
)
def test_a_value_that_nobody_verified(title: str) -> None:
    with pytest.raises(SpecError, match=r":\d+:\d+: a title may not say"):
        checked(title)


@pytest.mark.parametrize(
    "title",
    [
        "Mini-batch SGD on y = 2x + 10",
        "A network of 2, 2 and 2 units",
        "SGD from w = 0.5, with lr = 0.01",
        "1986. a year",
        "50% off, L2 and the loss of Adam in 3 steps",
    ],
)
def test_a_title_names_and_counts(title: str) -> None:
    checked(title)
