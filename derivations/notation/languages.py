"""The languages of pages, a row each: where its words, its spoken phrases and its marks are found.

A language is its row, a catalogue of messages (gettext) and a module with spoken phrases. Marks of numbers,
lists and plurals come from CLDR by the locale.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from derivations.catalogue.outside import with_outside
from derivations.notation.language import Language
from derivations.notation.spoken.phrases import Phrases

TRANSLATIONS = Path(__file__).resolve().parent.parent / "translations"


def _own(code: str, locale: str, spoken: str, latex: str = "", **more: object) -> Language:
    catalogue = None if code == SOURCE else TRANSLATIONS / f"{code}.po"
    home = f"derivations.notation.spoken.{spoken}:{spoken.upper()}"
    return Language(code, locale, home, catalogue, latex, **more)  # type: ignore[arg-type]


SOURCE = "en"  # the language of the texts in the code
ROWS: tuple[Language, ...] = (
    _own("en", "en_GB", "english"),
    _own("de", "de", "german", "ngerman"),
    _own("fr", "fr", "french", "french", joints={"; ": "\u00a0; "}),
    _own("es", "es", "spanish", "spanish"),
    _own(
        "zh",
        "zh_Hans",
        "chinese",
        joints={", ": "、", "; ": "；", " ": "", "和": " 和 "},
        others=("zh_Hans", "zh-Hans", "zh_CN", "zh-CN"),
    ),
)
ROWS = with_outside("languages", ROWS, "code")
LANGUAGES: Mapping[str, Language] = {row.code: row for row in ROWS}


def phrases_of(language: str) -> Phrases:
    """How a language, ``de``, or one of its regions, ``zh_Hans_CN``, says formulas; raises KeyError."""
    return LANGUAGES[re.split("[-_]", language)[0].lower()].phrases


def code_of(code: str) -> str:
    """The code of a language by any of its codes; what is none stays as it is."""
    return next((row.code for row in ROWS if code in row.others), code)
