"""What an author sets in place of ours: a folder of templates, and in it words for our words.

``[page] templates = "my-templates"`` names a folder beside the spec or in one of the folders above it. A
template in it stands in the place of ours of the same name; it may extend ours, which begins with
``{% extends "shipped/markdown/page.md.j2" %}``, and override blocks. ``messages.toml`` holds a line for each
text of ours that the author says in other words: ``"We start from {}." = "Our first guess is {}."``.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from string import Formatter

from derivations.document.senses import turned
from derivations.language.errors import SpecError, nearest
from derivations.model.example import Example
from derivations.notation.locales import locale, texts
from derivations.notation.numerals import numerals, unmasked
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


def own_words(templates: Templates | None, language: str) -> Own:
    """The author's words for ours, on a page in a language.

    Raises `SpecError` for a text that no page says, other holes, or words that say something else.
    """
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
            _check(ours, theirs, language)
        except SpecError as fault:
            raise SpecError(fault.message, hint=fault.hint, file=file, line=line, column=1) from None
    return tuple(table.items())


def _check(ours: str, theirs: object, language: str) -> None:
    if ours not in texts():
        raise SpecError(f"no page says '{ours}'", hint=nearest(ours, texts(), "texts"))
    if not isinstance(theirs, str) or not theirs:
        raise SpecError(f"what stands for '{ours}' is not a text")
    if holes(ours) != holes(theirs):
        hint = f"Write a text with {' and '.join(holes(ours)) or 'no hole'}."
        raise SpecError(f"'{theirs}' has not the holes of '{ours}'", hint=hint)
    if fault := turned(ours, theirs, language):
        hint = "An author's words say the same in other words; docs/templates.md says what they may not say."
        raise SpecError(f"'{theirs}' has {fault} and stands for '{ours}'", hint=hint)


def holes(text: str) -> list[str]:
    """The holes of a text, counted where they are not numbered; none for a text that is not well made."""
    try:
        names = [name for _, name, _, _ in Formatter().parse(text) if name is not None]
    except ValueError:
        return ["a hole that does not close"]
    return sorted(f"{{{name or place}}}" for place, name in enumerate(names))


CLAIM = re.compile(r"(?<![^\W_])([^\W\d]\w*)\s*(?:[=≈:]|\bis\b|\bist\b|\best\b|\bes\b|是|为)\s*(.*)")
LOSSES = frozenset(["loss", "verlust", "perte", "pérdida", "损失", "gradient", "gradiente", "slope", "梯度"])
GOES_ON = re.compile(r"\s*(?:[-+−*·/^(]|[^\W\d])")  # a formula, as in ``y = 2x + 10``


def check_title(example: Example, source: Source) -> None:
    """Raise `SpecError` at a title that gives a quantity of the page a value that it does not start with."""
    spec = example.spec
    marks, title = locale(spec.page.language).marks, unmasked(spec.title)
    known = {name: array.entries for name, array in {**example.data, **example.start}.items()}
    known |= {name: (value,) for name, value in example.hyper.items()}
    names = {*known, *example.forward.targets}
    for claim in CLAIM.finditer(title):
        name, said = claim[1], claim[2]
        first = next(numerals(said, spec.page.language, marks), None)
        if first is None or not (name in names or name.lower() in LOSSES):
            continue
        written = re.match(r"\W*" + r"\W*".join(map(re.escape, first.text.split())), said, re.IGNORECASE)
        if not written or GOES_ON.match(said[written.end() :]) or first.value in known.get(name, ()):
            continue
        message = f"a title may not say that '{name}' is {first.text}, which nobody verified"
        raise source.error(message, "title", hint="Leave the number out; the page itself works it out.")
