"""The course that a folder describes in ``course.toml``: its title, its formats, the order of its pages.

What was validated is remembered by content, so that a course that did not change is read without pydantic.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from derivations.cache import recall, remember
from derivations.courses.finding import COURSE, Plan, Planned, near, one_line
from derivations.courses.inputs import digest_of, inputs
from derivations.language.errors import SpecError, nearest


@dataclass(frozen=True)
class Course:
    """A title, formats (empty: what the command says), and pages or folders in the order of teaching.

    ``language`` is that of the index; empty: that of its pages.
    """

    title: str
    formats: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    language: str = ""


def read_course(root: Path) -> Course:
    """What ``course.toml`` says, or else a course named like its folder; raises `SpecError`."""
    file = root / COURSE
    untitled = Course(one_line(root.name) or "Course")
    if not file.exists():
        return untitled
    read = inputs(file)
    digest = digest_of([b"course"], read.files) if read else ""
    known = recall(digest)
    files = known.files() if known else None
    if files is None:
        from derivations.courses.course_table import read_table

        table = read_table(file)
        files = {COURSE: json.dumps(table.model_dump()).encode()}
        remember(digest, files)
    found = {name: value for name, value in json.loads(files[COURSE]).items() if value}
    lists = {name: tuple(value) for name, value in found.items() if isinstance(value, list)}
    return replace(untitled, **(found | lists))


def in_order(plan: Plan, course: Course) -> Plan:
    """The pages in the order of the course, those that it does not name behind; raises `SpecError`."""
    if not course.order or plan.root is None:
        return plan
    pages = [page for page in plan.pages if page.fault is None]
    for at, wanted in enumerate(course.order):
        if not any(_belongs(page, wanted) for page in pages):
            raise _unknown(plan.root / COURSE, wanted, at, pages)
    ranked = sorted(plan.pages, key=lambda page: _rank(page, course.order))
    return replace(plan, pages=tuple(ranked))


def _belongs(page: Planned, wanted: str) -> bool:
    wanted = wanted.strip("/").removesuffix(".toml")
    return page.place == wanted or page.place.startswith(f"{wanted}/")


def _rank(page: Planned, order: Sequence[str]) -> int:
    return next((at for at, wanted in enumerate(order) if _belongs(page, wanted)), len(order))


def _unknown(file: Path, wanted: str, at: int, pages: list[Planned]) -> SpecError:
    from derivations.spec.locate import locate

    line, column = locate(file.read_text(encoding="utf-8-sig"), ("order", at))
    known = {page.place for page in pages} | {str(page.within) for page in pages} - {"."}
    hint = nearest(wanted, known, "pages and folders")
    message = f"the order names '{wanted}', which is neither a page nor a folder"
    return SpecError(message, hint=hint, file=str(near(file)), line=line, column=column)


def described(course: Course) -> bytes:
    """The course as bytes, for digests."""
    return json.dumps(asdict(course)).encode()
