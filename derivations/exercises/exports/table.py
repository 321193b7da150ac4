"""The exports of banks: one row each. The home of a row is imported when it is needed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import import_module
from typing import Any, TypeAlias

from derivations.catalogue.outside import with_outside
from derivations.exercises.exports.export import Export
from derivations.formats.table import BY_NAME as FORMATS
from derivations.language.errors import SpecError, nearest

HOME = "derivations.exercises.exports"
Files: TypeAlias = Mapping[str, str | bytes]
SHEETS = ("md", "tex", "pdf", "html", "typ", "myst", "qmd", "fragment")

EXPORTS: tuple[Export, ...] = (
    Export("bank", f"{HOME}.json:files", "all variants with answers and solutions, for programs"),
    Export(
        "moodle",
        f"{HOME}.moodle:files",
        "Moodle XML: cloze questions with feedback for every slip",
        lacks="No gap sees another: an answer is not marked against an earlier one of the student's.",
    ),
    Export(
        "qti21",
        f"{HOME}.qti21:files",
        "QTI 2.1: items with a mark for each answer, errors carried forward, feedback for every slip",
        lacks="Players take a decimal point, no comma. An error is carried forward where a later answer "
        "is made of earlier ones by sums, products, quotients, powers and roots.",
    ),
    Export(
        "qti12",
        f"{HOME}.qti12:files",
        "QTI 1.2 for Canvas: a numerical question for each answer, the slips in its feedback",
        lacks="No question sees another, and wrong numbers have one feedback, which lists all slips. "
        "An answer below 0.0001 that is not 0 is refused; about 0 as much is accepted on both sides. "
        "A decimal comma is read as Canvas is set up.",
    ),
    Export(
        "gift",
        f"{HOME}.gift:files",
        "GIFT: a numerical question for each answer, with feedback for every slip",
        lacks="No question sees another: an answer is not marked against an earlier one of the student's.",
    ),
)
EXPORTS = with_outside("exports", EXPORTS)
BY_NAME = {row.name: row for row in EXPORTS}
KNOWN = (*BY_NAME, *SHEETS)
DEFAULT = ("md", "bank")


def exports_of(given: str | Iterable[str]) -> tuple[str, ...]:
    """The names of exports and of formats for sheets, each once; raises `SpecError` for others."""
    parts = given.split(",") if isinstance(given, str) else given
    wanted = tuple(dict.fromkeys(part.strip() for part in parts if part.strip()))
    for name in wanted:
        if name not in KNOWN:
            hint = nearest(name, KNOWN, "formats of a bank")
            if name in FORMATS:
                hint = f"'{name}' is a format of pages; a bank has {', '.join(KNOWN)}."
            raise SpecError(f"a bank has no format '{name}'", hint=hint)
    return wanted


def export(name: str) -> Callable[[Any, Sequence[Any]], Files]:
    """The function of an export."""
    module, _, attribute = BY_NAME[name].home.partition(":")
    found: Callable[[Any, Sequence[Any]], Files] = getattr(import_module(module), attribute)
    return found
