"""What an author's templates add to a file beside words: held against what may stand there.

The lines of a finished file that ours would not have are the author's. A format says which commands, marks
and addresses may stand in them; everything else is refused, with its place in the templates.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace

from derivations.formats.press import Press
from derivations.language.errors import CheckFailed

Judge = Callable[[list[str]], Iterator[tuple[str, str]]]
"""From the lines of an author's to what may not stand in them: the text, and what is wrong with it."""


SHORT = 8  # a line of ours that is shorter may begin anything
WORD = re.compile(r"\\[A-Za-z@]+$")  # a command, which further letters would make another one of


def names(text: str) -> tuple[str, ...]:
    """Names that are written one after another."""
    return tuple(text.split())


def added(text: str, ours: str, always: tuple[str, ...] = ()) -> list[str]:
    """The lines of a text that another one has not, or not so often, in their order; ``always`` these too."""
    known = Counter(line.strip() for line in ours.splitlines() if line.strip() not in always)
    found = []
    for line in text.splitlines():
        if known[line.strip()]:
            known[line.strip()] -= 1
        else:
            found.append(_rest(line, known))
    return found


def _rest(line: str, known: Counter[str]) -> str:
    """A line without one of ours that it begins with: a template may go on where ours ended."""
    before = max((one for one, left in known.items() if left and line.startswith(one)), key=len, default="")
    rest = line[len(before) :]
    if len(before) < SHORT or (WORD.search(before) and rest[:1].isalpha()):
        return line
    known[before] -= 1
    return rest


def without_templates(press: Press) -> Press:
    """The same page as our own templates print it."""
    own = replace(press.document, templates=None)
    return replace(press, evidence=replace(press.evidence, document=own))


def hold(lines: list[str], press: Press, judge: Judge) -> None:
    """Raise `CheckFailed` at the first thing in an author's lines that may not stand there."""
    for text, fault in judge(lines):
        templates = press.document.templates
        where = templates.where(text) if templates else ""
        message = f"{where}the finished page does not read back: {fault.rstrip(',')}, which a template adds"
        raise CheckFailed(message, hint="docs/templates.md says what a template may add.")
