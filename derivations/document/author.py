"""What an author sets in place of ours: a folder of templates, and in it words for our words.

``[page] templates = "my-templates"`` names a folder beside the spec or in one of the folders above it. A
template in it stands in the place of ours of the same name; it may extend ours, which begins with
``{% extends "shipped/markdown/page.md.j2" %}``, and override blocks. ``messages.toml`` holds a line for each
text of ours that the author says in other words: ``"We start from {}." = "Our first guess is {}."``.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from string import Formatter

from derivations.language.errors import SpecError, nearest
from derivations.notation.locales import texts
from derivations.spec.spec import Source, Spec
from derivations.spec.template_folder import template_folder

MESSAGES, LARGEST = "messages.toml", 1_000_000
Own = tuple[tuple[str, str], ...]


def folder_of(spec: Spec, source: Source) -> Path | None:
    """The folder of the author's templates; raises `SpecError` where there is none of that name."""
    name = spec.page.templates
    if name is None:
        return None
    found = template_folder((source.folder or Path.cwd()).resolve(), name)
    if found is None:
        hint = "It is looked for beside the spec and in the folders above it."
        raise source.error(f"there is no folder '{name}'", "page", "templates", hint=hint)
    return found


def own_words(folder: Path | None) -> Own:
    """The author's words for ours; raises `SpecError` for a text that no page says, or other holes."""
    path = folder / MESSAGES if folder else None
    if path is None or not path.is_file():
        return ()
    try:
        if path.stat().st_size > LARGEST:
            raise SpecError("this file is too large", file=str(path))
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as fault:
        raise SpecError(f"not valid TOML: {fault}", file=str(path)) from None
    for ours, theirs in table.items():
        _check(ours, theirs, path)
    return tuple(table.items())


def _check(ours: str, theirs: object, path: Path) -> None:
    line = next((n for n, text in enumerate(path.read_text().splitlines(), 1) if ours[:20] in text), 1)
    where = {"file": str(path), "line": line, "column": 1}
    if ours not in texts():
        raise SpecError(f"no page says '{ours}'", hint=nearest(ours, texts(), "texts"), **where)  # type: ignore[arg-type]
    if not isinstance(theirs, str) or not theirs:
        raise SpecError(f"what stands for '{ours}' is not a text", **where)  # type: ignore[arg-type]
    if holes(ours) != holes(theirs):
        hint = f"Write a text with {' and '.join(holes(ours)) or 'no hole'}."
        raise SpecError(f"'{theirs}' has not the holes of '{ours}'", hint=hint, **where)  # type: ignore[arg-type]


def holes(text: str) -> list[str]:
    """The holes of a text, counted where they are not numbered; none for a text that is not well made."""
    try:
        names = [name for _, name, _, _ in Formatter().parse(text) if name is not None]
    except ValueError:
        return ["a hole that does not close"]
    return sorted(f"{{{name or place}}}" for place, name in enumerate(names))
