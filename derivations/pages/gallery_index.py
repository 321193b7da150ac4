"""The index of the built gallery: every example with its picture, a sentence, and its files."""

from __future__ import annotations

from dataclasses import dataclass

from derivations.examples.gallery import contents, titles
from derivations.pages.formats import BY_NAME, DEFAULT, Format
from derivations.pages.markdown import escape
from derivations.pages.render import environment, tidied

INDEX = "README.md"
BUILT = (*DEFAULT, "svg")


@dataclass(frozen=True)
class Row:
    """One example of the index."""

    name: str
    title: str
    sentence: str
    formats: tuple[Format, ...] = tuple(BY_NAME[form] for form in DEFAULT)


def index() -> str:
    """The index as Markdown, in the order of teaching."""
    known = titles()
    sections = [
        (heading, [Row(name, known[name], sentence) for name, sentence in rows.items()])
        for heading, rows in contents().items()
    ]
    template = environment(escape, {}).get_template("markdown/gallery.md.j2")
    return tidied(template.render(sections=sections, examples=sum(len(rows) for _, rows in sections)))
