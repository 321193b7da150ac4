"""What separates entries, rows and matrices, in every language."""

from __future__ import annotations

import pytest

from derivations.notation.locales import locale


@pytest.mark.parametrize("language", ["en", "de", "fr", "es", "zh"])
def test_entries_rows_and_matrices_are_told_apart(language: str) -> None:
    marks = locale(language).marks
    found = [marks.between(axis).strip() for axis in range(5)]
    assert len(set(found)) == len(found)
    assert marks.decimal not in found


def test_a_matrix_in_a_language_with_decimal_commas() -> None:
    german, english = locale("de").marks, locale("en").marks
    assert [german.between(0), german.between(1)] == ["; ", " | "]
    assert [english.between(0), english.between(1)] == [", ", "; "]
