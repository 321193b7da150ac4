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
        "numbas",
        f"{HOME}.numbas:files",
        "Numbas: a question a variant, errors carried forward, slips as expected errors",
        lacks="An answer is not carried forward where its formula is very long or has a function that Numbas"
        " lacks, as erf.",
    ),
    Export(
        "stack",
        f"{HOME}.stack:files",
        "Moodle XML of STACK questions: errors carried forward, slips with their tests",
        lacks="A decimal comma is not read. An answer is marked once the earlier ones on which it depends are"
        " written; it is not carried forward where its formula is very long.",
    ),
    Export(
        "prairielearn",
        f"{HOME}.prairielearn:files",
        "PrairieLearn: a question that draws a variant, errors carried forward, feedback for slips",
        lacks="Nothing is marked while an answer is no number. An answer is not carried forward where its"
        " formula is very long.",
    ),
    Export(
        "anki",
        f"{HOME}.anki:files",
        "Anki: a card a variant, with the worked solution behind; needs genanki",
        lacks="Nothing is marked. A mended bank takes the place of an imported one if its notes are always"
        " updated.",
    ),
    Export(
        "nbgrader",
        f"{HOME}.nbgrader:files",
        "nbgrader: a notebook with hidden tests, errors carried forward, slips named by the tests",
        lacks="The worked solution has no place in a notebook. A decimal comma is read in quotes only. An"
        " answer is not carried forward where its formula is very long.",
    ),
    Export(
        "qti21",
        f"{HOME}.qti21:files",
        "QTI 2.1: items with a mark for each answer, errors carried forward, feedback for every slip",
        lacks="Players take a decimal point, no comma. An error is carried forward where a later answer "
        "is made of earlier ones by sums, products, quotients, powers and roots, not very many of them.",
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
