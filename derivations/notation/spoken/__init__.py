"""The languages in which formulas are said aloud, by the code of the language."""

from __future__ import annotations

from collections.abc import Mapping

from derivations.notation.spoken.english import ENGLISH
from derivations.notation.spoken.phrases import Phrases

LANGUAGES: Mapping[str, Phrases] = {"en": ENGLISH}
