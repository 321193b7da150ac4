"""The languages in which formulas are said aloud, by the code of the language."""

from __future__ import annotations

import re
from collections.abc import Mapping

from derivations.notation.spoken.chinese import CHINESE
from derivations.notation.spoken.english import ENGLISH
from derivations.notation.spoken.french import FRENCH
from derivations.notation.spoken.german import GERMAN
from derivations.notation.spoken.phrases import Phrases
from derivations.notation.spoken.spanish import SPANISH

LANGUAGES: Mapping[str, Phrases] = {
    "en": ENGLISH,
    "de": GERMAN,
    "fr": FRENCH,
    "es": SPANISH,
    "zh": CHINESE,
}


def phrases_of(language: str) -> Phrases:
    """The phrases of a language, ``de``, or of one of its regions, ``zh_Hans_CN``; raises KeyError."""
    return LANGUAGES[re.split("[-_]", language)[0].lower()]
