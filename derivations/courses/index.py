"""The index of a course: every page that was verified, by folder, with its formats and its picture.

A page that failed is not in it. The index is in the language of the course, or else in that of its pages
if they share one. The index is remembered by content, so that jinja2 is imported only when
something changed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path
from urllib.parse import quote

from derivations.cache import recall, remember
from derivations.courses.building import INDEX
from derivations.courses.course import Course
from derivations.courses.finding import one_line
from derivations.courses.inputs import digest_of
from derivations.courses.outcome import Outcome
from derivations.files import write_together
from derivations.formats.table import BY_NAME
from derivations.language.errors import SpecError
from derivations.notation.languages import LANGUAGES, SOURCE
from derivations.notation.locales import locale, phrase

PICTURES = (BY_NAME["svg"].suffix, "-loss.svg", "-graph.svg")
FIRST = ("html", "pdf", "md")
TEXTS = {
    "verified": phrase("Every page was verified before it was written."),
    "picture": phrase("A picture of {}"),
}


@dataclass(frozen=True)
class Link:
    """A format of a page."""

    name: str
    href: str


@dataclass(frozen=True)
class Row:
    """A page; ``href`` is the format to read first, ``picture`` is empty if none was built.

    ``language`` is that of the page where it is not that of the index.
    """

    title: str
    href: str
    links: tuple[Link, ...]
    picture: str
    language: str


@dataclass(frozen=True)
class Section:
    """The pages of a folder."""

    heading: str
    rows: tuple[Row, ...]


def write_index(
    output: Path, course: Course, outcomes: Iterable[Outcome], formats: tuple[str, ...]
) -> list[str]:
    """Write the index of a course in Markdown and HTML; the names of its files. Raises `SpecError`."""
    verified = [outcome for outcome in outcomes if outcome.status != "failed"]
    language = course.language or _shared_language(verified)
    sections = sections_of(verified, formats, language)
    stated = json.dumps([course.title, language, *map(asdict, sections)]).encode()
    digest = digest_of([b"index", stated])
    known = recall(digest)
    files = known.files() if known else None
    if files is None:
        files = {name: _rendered(name, course.title, sections, language).encode() for name in INDEX}
        remember(digest, files)
    try:
        write_together(output, files)
    except OSError as fault:
        raise SpecError(f"cannot write here: {fault.strerror}", file=str(output)) from None
    return list(files)


def _shared_language(outcomes: list[Outcome]) -> str:
    """The language of all pages; English where they have several."""
    found = {outcome.page.language for outcome in outcomes}
    return (found.pop() or SOURCE) if len(found) == 1 else SOURCE


def sections_of(outcomes: Iterable[Outcome], formats: tuple[str, ...], language: str) -> list[Section]:
    """The pages of a course, folder by folder, in their order."""
    return [
        Section(
            one_line("" if folder == "." else folder),
            tuple(_row(outcome, formats, language) for outcome in group),
        )
        for folder, group in groupby(outcomes, key=lambda outcome: str(outcome.page.within))
    ]


def _row(outcome: Outcome, formats: tuple[str, ...], language: str) -> Row:
    rows = [BY_NAME[form] for form in formats]
    links = {row.name: Link(row.name, _url(f"{outcome.page.place}{row.suffix}")) for row in rows}
    first = next((links[name] for name in (*FIRST, *links) if name in links), Link("", ""))
    pictures = (f"{outcome.page.place}{end}" for end in PICTURES)
    picture = next((file for file in pictures if file in outcome.files), "")
    own = outcome.page.language if outcome.page.language != language else ""
    return Row(outcome.page.title, first.href, tuple(links.values()), _url(picture), own)


def _url(file: str) -> str:
    return quote(file, errors="surrogateescape")


def _rendered(name: str, title: str, sections: list[Section], language: str) -> str:
    from markupsafe import escape as escape_html

    from derivations.formats.markdown.write import escape as escape_markdown
    from derivations.formats.render import environment, tidied

    escape = escape_html if name.endswith(".html") else escape_markdown
    template = environment(escape, {}).get_template(f"course/{name}.j2")
    said = {key: locale(language).text(text) for key, text in TEXTS.items()}
    tag = LANGUAGES[language].tag
    shown = {"title": title, "sections": sections, "language": tag}
    return tidied(template.render(**shown, **said, pictured=lambda row: said["picture"].format(row.title)))
