"""The texts that the message catalogues must hold: those of the code, and those of the rows.

``python -m derivations.translations.extraction`` brings every catalogue beside it up to date: new texts come
in with an empty translation, texts that nobody says any more go. A test fails as long as one is empty.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import TypeAlias

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import write_po

from derivations.catalogue.clipping import CLIPPINGS
from derivations.catalogue.functions import FUNCTIONS
from derivations.catalogue.losses import LOSSES
from derivations.catalogue.optimizers import OPTIMIZERS
from derivations.catalogue.sample_losses import SAMPLE_LOSSES
from derivations.catalogue.schedules import SCHEDULES
from derivations.catalogue.shortcuts import SHORTCUTS
from derivations.catalogue.slips import SLIPS
from derivations.notation.language import Language
from derivations.notation.languages import ROWS, TRANSLATIONS
from derivations.notation.locales import messages

Text: TypeAlias = str | tuple[str, ...]
KEYWORDS = {
    **dict.fromkeys(("say", "said", "message", "phrase", "absent", "Absent")),
    "counted": (1, 2),
    "phrases": (1, 2),
}
DAY = datetime(2026, 1, 1, tzinfo=UTC)  # of every catalogue, so that the same texts are the same bytes
PACKAGE = Path(__file__).resolve().parent.parent


def texts() -> list[Text]:
    """Every text of ours, and every pair for one and several, in the order of the alphabet."""
    found = extract_from_dir(PACKAGE, [("**.py", "python")], keywords=KEYWORDS)
    return sorted(
        {*(text for _, _, text, _, _ in found), *_of_rows()}, key=lambda text: (str(text).lower(), str(text))
    )


def _of_rows() -> Iterator[str]:
    """What rows of the catalogue say on pages: rules, names, conventions."""
    yield from (row.rule for row in FUNCTIONS)
    yield from (shortcut.rule for shortcut in SHORTCUTS)
    yield from (row.meaning for row in FUNCTIONS if row.meaning)
    for row in LOSSES:
        yield from (row.name, row.convention)
    for sample_loss in SAMPLE_LOSSES:
        yield from (sample_loss.title, sample_loss.convention)
    for optimizer in OPTIMIZERS:
        yield from (optimizer.convention, *optimizer.conventions.values())
    for clipping in CLIPPINGS:
        yield from (clipping.name, clipping.convention)
    yield from (schedule.convention for schedule in SCHEDULES)
    for slip in SLIPS:
        yield from (slip.title, slip.explanation, slip.absent)


def brought_up_to_date(language: Language, wanted: list[Text]) -> Catalog:
    """The catalogue of a language with exactly these texts, as far as they are translated."""
    known, name = messages(language.code), language.locale
    header = f"# What the pages of derivations say, {name}."
    found = Catalog(name, header_comment=header, fuzzy=False, creation_date=DAY, revision_date=DAY)
    found.project, found.version = "derivations", "1"
    found.last_translator = found.language_team = "the derivations authors"
    found.msgid_bugs_address = ""
    for text in wanted:
        entry = known.get(text)
        found.add(text, entry.string if entry else None)
    return found


def _forms(entry: Message) -> tuple[str, ...]:
    """The translation, or its forms for one and several."""
    found = entry.string or ""
    return (found,) if isinstance(found, str) else tuple(found)


def main() -> None:
    """Bring every catalogue up to date and say what is missing."""
    wanted = texts()
    for language in ROWS:
        if language.catalogue is not None and language.catalogue.parent == TRANSLATIONS:
            found = brought_up_to_date(language, wanted)
            language.catalogue.write_bytes(written(found))
            missing = sum(not all(_forms(each)) for each in found if each.id)
            print(f"{language.catalogue.name}: {len(found)} texts, {missing} to be translated")


def written(found: Catalog) -> bytes:
    """The file of a catalogue."""
    file = BytesIO()
    write_po(file, found, width=110)
    return file.getvalue()


if __name__ == "__main__":
    main()
