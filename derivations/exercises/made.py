"""The files of a bank: its sheets in formats of pages, and its exports."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from derivations.document.blocks import Document
from derivations.document.languages import translated
from derivations.exercises.bank import Bank, Item
from derivations.exercises.exports.table import SHEETS, export, exports_of
from derivations.exercises.sheets import answer_sheet, student_sheet
from derivations.files import write_together
from derivations.formats.press import Content, Press, printer
from derivations.formats.table import BY_NAME
from derivations.run.training import certified

SHEET_ENDS: Mapping[str, Callable[[Bank, Iterable[Item]], Document]] = {
    "-exercises": student_sheet,
    "-solutions": answer_sheet,
}


def files_of(bank: Bank, formats: str | Iterable[str]) -> dict[str, bytes]:
    """The files of a bank by their names; raises `CheckFailed` if one does not read back."""
    wanted, items, stem = exports_of(formats), list(bank.items()), bank.of.source.stem
    found: dict[str, Content] = {}
    for name in wanted:
        own = _sheets(bank, items, name) if name in SHEETS else export(name)(bank, items).items()
        found |= {f"{stem}{end}": content for end, content in own}
    return {
        name: content.encode() if isinstance(content, str) else content for name, content in found.items()
    }


def save(bank: Bank, formats: str | Iterable[str], folder: Path) -> list[str]:
    """Write the files of a bank into a folder, all or none; their names."""
    files = files_of(bank, formats)
    write_together(folder, files)
    return list(files)


def _sheets(bank: Bank, items: Sequence[Item], form: str) -> Iterator[tuple[str, Content]]:
    """The student's sheet and the answers in a format of pages, read back."""
    evidence = items[0].evidence
    for end, made in SHEET_ENDS.items():
        document = made(bank, items)
        whole = replace(document, own=evidence.composed.own)
        press = Press(replace(evidence, document=translated(whole), composed=whole), "", bank.of.source.stem)
        content = certified(lambda _, press=press: _printed(press, form), bank.bits)  # type: ignore[misc]
        yield f"{end}{BY_NAME[form].suffix}", content


def _printed(press: Press, form: str) -> Content:
    content = printer(form).write(press)
    printer(form).check(content, press)
    return content
