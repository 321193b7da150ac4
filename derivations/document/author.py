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
from derivations.spec.template_folder import Templates, read_templates, template_folder

MESSAGES = "messages.toml"
Own = tuple[tuple[str, str], ...]


def templates_of(spec: Spec, source: Source) -> Templates | None:
    """The author's templates; raises `SpecError` where there is no folder of that name."""
    name = spec.page.templates
    if name is None:
        return None
    found = template_folder((source.folder or Path.cwd()).resolve(), name)
    if found is None:
        hint = "It is looked for beside the spec and in the folders above it, up to that of the project."
        raise source.error(f"there is no folder '{name}'", "page", "templates", hint=hint)
    return read_templates(found)


def own_words(templates: Templates | None) -> Own:
    """The author's words for ours; raises `SpecError` for a text that no page says, or other holes."""
    if templates is None or MESSAGES not in templates:
        return ()
    text, file = templates.text(MESSAGES), templates.place(MESSAGES)
    try:
        table = tomllib.loads(text)
    except (ValueError, RecursionError) as fault:
        raise SpecError(f"not valid TOML: {fault}", file=file) from None
    for ours, theirs in table.items():
        line = next((n for n, one in enumerate(text.splitlines(), 1) if ours[:20] in one), 1)
        try:
            _check(ours, theirs)
        except SpecError as fault:
            raise SpecError(fault.message, hint=fault.hint, file=file, line=line, column=1) from None
    return tuple(table.items())


def _check(ours: str, theirs: object) -> None:
    if ours not in texts():
        raise SpecError(f"no page says '{ours}'", hint=nearest(ours, texts(), "texts"))
    if not isinstance(theirs, str) or not theirs:
        raise SpecError(f"what stands for '{ours}' is not a text")
    if holes(ours) != holes(theirs):
        hint = f"Write a text with {' and '.join(holes(ours)) or 'no hole'}."
        raise SpecError(f"'{theirs}' has not the holes of '{ours}'", hint=hint)


def holes(text: str) -> list[str]:
    """The holes of a text, counted where they are not numbered; none for a text that is not well made."""
    try:
        names = [name for _, name, _, _ in Formatter().parse(text) if name is not None]
    except ValueError:
        return ["a hole that does not close"]
    return sorted(f"{{{name or place}}}" for place, name in enumerate(names))
