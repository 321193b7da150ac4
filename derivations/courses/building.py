"""From a plan to files: what did not change is left alone, the rest is built side by side.

The unchanged path imports nothing heavy: a page is unchanged when its key is remembered and its files
lie in the output byte for byte. A file that was removed or altered is written again from memory.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from derivations.cache import Remembered, recall, remember
from derivations.courses.finding import Plan, Planned, folded
from derivations.courses.inputs import key_of
from derivations.courses.outcome import Outcome
from derivations.courses.record import with_record
from derivations.courses.workers import BAD_SPEC, Answer, Workers, work
from derivations.files import write_together

INDEX = ("index.md", "index.html")


@dataclass(frozen=True)
class Building:
    """A plan at work in an output folder.

    ``failures`` is what failed before, by key: a watch does not build again what cannot have become better.
    Without workers, pages are built in this process.
    """

    plan: Plan
    output: Path
    formats: tuple[str, ...]
    fresh: bool = False
    workers: Workers | None = None
    failures: dict[str, Answer] = field(default_factory=dict)
    claimed: dict[str, str] = field(default_factory=dict)

    def outcomes(self, advance: Callable[[int, int], None]) -> Iterator[Outcome]:
        """The outcome of every page in the order of the plan, its files written.

        ``advance`` hears how many pages were built, of how many.
        """
        known = {at: self._known(page) for at, page in enumerate(self.plan.pages) if page.fault is None}
        missing = [at for at, found in known.items() if found is None]
        answers, came = self._answers(missing), 0
        advance(0, len(missing))
        for at, page in enumerate(self.plan.pages):
            while page.fault is None and known[at] is None:
                number, answer = next(answers)
                known[number] = self._kept(answer)
                came += 1
                advance(came, len(missing))
            yield self._settled(page, known.pop(at, None))

    def _known(self, page: Planned) -> Remembered | Answer | None:
        digest = key_of(page.read, self.formats) if page.read and not self.fresh else ""
        found = recall(digest)
        if found and found.lies_in(self.output / page.within):
            return found
        files = found.files() if found else None
        return self.failures.get(digest) if files is None else Answer(0, files, restored=True)

    def _answers(self, missing: list[int]) -> Iterator[tuple[int, Answer]]:
        specs = [self.plan.pages[at].spec for at in missing]
        if self.workers is None:
            return ((at, work(spec, self.formats)) for at, spec in zip(missing, specs, strict=True))
        return ((missing[number], found) for number, found in self.workers.answers(specs, self.formats))

    def _kept(self, answer: Answer) -> Answer:
        if answer.status == 0:
            remember(answer.key, answer.files)
        elif answer.key:
            self.failures[answer.key] = answer
        return answer

    def _settled(self, page: Planned, found: Remembered | Answer | None) -> Outcome:
        if page.fault is not None or found is None:
            fault = page.fault
            return failed(page, str(fault), fault.exit_status if fault else BAD_SPEC)
        if isinstance(found, Answer) and found.status:
            return failed(page, found.message, found.status, found.seconds)
        names = found.files if isinstance(found, Answer) else found.listed
        paths = tuple(str(page.within / name) for name in names)
        refused = self._refused(page, paths)
        if refused:
            return failed(page, refused, BAD_SPEC)
        if isinstance(found, Remembered):
            return Outcome(page, "unchanged", paths)
        files = dict(zip(paths, found.files.values(), strict=True))
        try:
            whole = files if self.plan.root is None else with_record(self.output, page, files)
            write_together(self.output, whole)
        except OSError as fault:
            return failed(page, f"{self.output}: cannot write here: {fault.strerror}", BAD_SPEC)
        return Outcome(page, "restored" if found.restored else "built", paths, found.seconds)

    def _refused(self, page: Planned, paths: tuple[str, ...]) -> str:
        """Why a page may not be written: another page, the index or a file that is read lies there."""
        for path in paths:
            if self.plan.root is not None and folded(path) in INDEX:
                return f"{page.name}: its page would be the index of the course; choose another name"
            if os.path.join(os.path.realpath(self.output), path) in self.sources:
                return f"{page.name}: '{path}' would overwrite a file that the course reads"
            if self.claimed.setdefault(folded(path), page.name) != page.name:
                other = self.claimed[folded(path)]
                return f"{page.name}: '{path}' is written by '{other}' too; choose another name"
        return ""

    @cached_property
    def sources(self) -> frozenset[str]:
        """The files that are read; nothing is written over them."""
        read = (path for page in self.plan.pages if page.read for path in page.read.paths)
        return frozenset(os.path.realpath(path) for path in read)


def failed(page: Planned, message: str, exit_status: int, seconds: float = 0) -> Outcome:
    """The outcome of a page that was not written."""
    return Outcome(page, "failed", (), seconds, message, exit_status)


def exit_status(outcomes: list[Outcome]) -> int:
    """1 if a check failed, else 2 if a spec is bad, else 3 if a page could not be finished."""
    return min((outcome.exit_status for outcome in outcomes if outcome.exit_status), default=0)
