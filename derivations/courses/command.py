"""``derivations build``: pages, their index and their record, once or whenever something is saved."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from derivations.cache import forget
from derivations.courses.building import INDEX, Building, exit_status
from derivations.courses.course import Course, in_order, read_course
from derivations.courses.finding import Plan, plan
from derivations.courses.index import write_index
from derivations.courses.outcome import Outcome
from derivations.courses.record import settle
from derivations.courses.telling import Telling
from derivations.courses.workers import Answer, Workers
from derivations.files import finish
from derivations.formats.table import DEFAULT
from derivations.language.errors import DerivationsError


@dataclass(frozen=True)
class Request:
    """What the command line asks for; without ``formats`` the course says, or else the usual ones are built.

    ``after`` writes what belongs to all pages and returns the names of its files, when no page failed.
    """

    words: tuple[str, ...]
    output: Path
    formats: tuple[str, ...] = ()
    fresh: bool = False
    jobs: int = 1
    after: Callable[[], Sequence[str]] | None = None


@dataclass(frozen=True)
class Round:
    """One build: its exit status, and the files that it wrote or found."""

    status: int
    files: frozenset[str] = frozenset()


def build(request: Request) -> int:
    """Build once; the exit status."""
    with closing(Workers(request.jobs)) as workers:
        return build_round(request, workers, {}).status


def watch(request: Request) -> None:
    """Build, and build again whenever something is saved, until Ctrl-C."""
    from derivations.courses.watching import rounds

    failures: dict[str, Answer] = {}
    with closing(Workers(request.jobs)) as workers:
        own: set[str] = set()
        for number, _ in enumerate(rounds(request.words, request.output, own)):
            asked = request if number == 0 else replace(request, fresh=False)
            own |= build_round(asked, workers, failures, again=number > 0).files
            if number == 0:
                Telling(request.output, many=False).say(
                    f"watching {', '.join(request.words)}; Ctrl-C ends it"
                )


def build_round(
    request: Request, workers: Workers, failures: dict[str, Answer], again: bool = False
) -> Round:
    """Build what a request asks for and say so; ``again`` is said only if something happened."""
    try:
        found, course, formats = _asked(request)
    except DerivationsError as fault:
        Telling(request.output, many=False).say(f"error: {fault}")
        return Round(fault.exit_status)
    finish(request.output)
    many = len(found.pages) > 1 or found.root is not None
    building = Building(
        found, request.output, formats, request.fresh, workers if many or again else None, failures
    )
    telling = Telling(request.output, many, table=not again)
    outcomes = _told(building, telling, quiet=again)
    extra, removed = _after(request, building, course, outcomes, telling)
    if not again or removed or any(outcome.status != "unchanged" for outcome in outcomes):
        telling.summary(outcomes, () if again else found.ignored, removed)
    forget()
    files = [file for outcome in outcomes for file in outcome.files]
    return Round(exit_status(outcomes), frozenset((*files, *extra)))


def _asked(request: Request) -> tuple[Plan, Course, tuple[str, ...]]:
    found = plan(request.words, request.output)
    course = read_course(found.root) if found.root else Course("")
    return in_order(found, course), course, request.formats or course.formats or DEFAULT


def _told(building: Building, telling: Telling, quiet: bool) -> list[Outcome]:
    outcomes = []
    try:
        for outcome in building.outcomes(telling.advance):
            outcomes.append(outcome)
            if not quiet or outcome.status != "unchanged":
                telling.outcome(outcome)
    finally:
        telling.end()
    return outcomes


def _after(
    request: Request, building: Building, course: Course, outcomes: list[Outcome], telling: Telling
) -> tuple[Sequence[str], Sequence[str]]:
    """The index and the record of a course, or what else the request has: files written, files removed."""
    if building.plan.root is None or not any(page.read for page in building.plan.pages):
        done = request.after() if request.after and not exit_status(outcomes) else ()
        telling.files(done)
        return done, ()
    removed = settle(request.output, outcomes, building.sources)
    try:
        telling.files(write_index(request.output, course, outcomes, building.formats))
    except DerivationsError as fault:
        telling.say(f"error: {fault}")
    return INDEX, removed
