"""What an author may say in place of our words: the same in other words, and no number of their own."""

from __future__ import annotations

import pytest

from derivations.document.senses import turned
from derivations.notation.languages import LANGUAGES
from derivations.notation.locales import locale, texts


@pytest.mark.parametrize(
    ("ours", "theirs", "language", "wrong"),
    [
        ("We start from {}.", "Our first guess is {}.", "en", ""),
        ("Summary", "What we have learnt", "en", ""),
        ("Summary", "Was wir gelernt haben", "de", ""),
        ("negative, so {} grows", "below zero: {} has to grow", "en", "the number 'zero'"),
        ("negative, so {} grows", "negative; that is why {} rises", "en", ""),
        ("negative, so {} grows", "negative, so {} shrinks", "en", "'shrinks', which turns it round"),
        ("negative, so {} grows", "positive, so {} grows", "en", "'positive'"),
        ("negative, so {} grows", "negativ, also schrumpft {}", "de", "'schrumpft'"),
        ("negative, so {} grows", "nicht negativ, also wächst {}", "de", "negations"),
        ("negative, so {} grows", "负，所以 {} 减小", "zh", "减小"),
        ("the values are exact", "the values are rounded", "en", "'rounded'"),
        ("{} is larger than {}", "{1} is larger than {0}", "en", "order"),
        ("{} samples, {} batches", "{1} batches, {0} samples", "en", ""),
        ("Summary", "Summary: the loss is 99", "en", "'99'"),
        ("Summary", "Summary: ninety-nine", "en", "'ninety nine'"),
        ("Summary", "Summary XV", "en", "'XV'"),
        ("Summary", "Summary ９９", "en", "'99'"),
        ("Summary", "Summary 𝟗𝟗", "en", "'99'"),
        ("Summary", "L = l", "en", "the sign '='"),
        ("Summary", "L ≈ l", "en", "the sign '≈'"),
        ("rounded to {} decimal places", "rounded to two and {} decimal places", "en", "'two'"),
        ("with momentum", "without momentum", "en", "'without'"),
    ],
)
def test_the_same_in_other_words(ours: str, theirs: str, language: str, wrong: str) -> None:
    found = turned(ours, theirs, language)
    assert bool(found) == bool(wrong), found
    assert wrong in found


@pytest.mark.few(1)
@pytest.mark.parametrize("language", LANGUAGES)
def test_our_own_translations_say_the_same(language: str) -> None:
    """Every text in our own words of a language, as an author could have written it."""
    spoken = locale(language)
    assert {text: turned(text, spoken.text(text), language) for text in sorted(texts())} == dict.fromkeys(
        sorted(texts()), ""
    )
