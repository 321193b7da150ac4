"""The row of a language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

from derivations.notation.spoken.phrases import Phrases


@dataclass(frozen=True, slots=True)
class Language:
    """One row, by its ``code`` in a spec.

    ``locale`` is its name in CLDR, ``spoken`` the ``module:NAME`` of its phrases, ``catalogue`` the file of
    its messages (none for the language of the code), ``latex`` its name for LaTeX's babel, which cuts words.
    ``joints`` say what joins clauses where English does it in another way; ``others`` are further codes.
    """

    code: str
    locale: str
    spoken: str
    catalogue: Path | None = None
    latex: str = ""
    joints: Mapping[str, str] = field(default_factory=dict)
    others: tuple[str, ...] = ()

    @property
    def tag(self) -> str:
        """Its name in HTML: the code, and the script where a page must say it."""
        return self.locale.replace("_", "-") if "_" in self.locale and self.others else self.code

    @property
    def phrases(self) -> Phrases:
        """How formulas are said aloud."""
        module, _, name = self.spoken.partition(":")
        found: Phrases = getattr(import_module(module), name)
        return found
