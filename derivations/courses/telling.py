"""What a build says: names of files on standard output, everything for people on standard error.

Where standard error is a terminal there are a progress bar and a table, else plain lines. Rich is imported
only for the former.
"""

from __future__ import annotations

import re
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from derivations.courses.outcome import Outcome

SHOWN = 25
UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
COLOURS = {"built": "green", "restored": "green", "unchanged": "", "failed": "bold red"}


class Telling:
    """The words of one build. ``many``: more than one page, so that a summary helps."""

    def __init__(self, output: Path, many: bool, table: bool = True) -> None:
        self.output, self.many, self.start = output, many, time.perf_counter()
        self.table = table and many and sys.stderr.isatty()
        self.progress: Any = None

    def advance(self, done: int, of: int) -> None:
        """So many pages are built of so many."""
        if self.table and of and self.progress is None:
            self._begin(of)
        if self.progress is not None:
            self.progress.update(0, completed=done)

    def _begin(self, of: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (TextColumn("building"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self.progress = Progress(*columns, console=Console(stderr=True), transient=True)
        self.progress.add_task("", total=of)
        self.progress.start()

    def outcome(self, outcome: Outcome) -> None:
        """What came of a page."""
        self.files(outcome.files)
        if outcome.status == "failed":
            self.say(f"error: {outcome.message}")
        elif self.many and not self.table and outcome.status == "built":
            self.say(f"{outcome.status} {outcome.page.name}{_took(outcome.seconds, ' ({})')}")

    def files(self, files: Sequence[str]) -> None:
        """Names of files that were written or found as they should be; a summary on a terminal needs none."""
        if not (self.table and sys.stdout.isatty()):
            for file in files:
                typer.echo(str(self.output / file).encode(errors="surrogateescape"))

    def say(self, text: str) -> None:
        """A line for people."""
        shown = plain(text)
        if self.progress is not None:
            from rich.text import Text

            self.progress.console.print(Text(shown))
        else:
            typer.echo(shown, err=True)

    def end(self) -> None:
        """No more progress."""
        if self.progress is not None:
            self.progress.stop()
            self.progress = None

    def summary(self, outcomes: Sequence[Outcome], ignored: Sequence[str], removed: Sequence[str]) -> None:
        """The table, what was passed over and removed, and the totals."""
        self.end()
        if self.table:
            _show_table(outcomes)
        for what, names in (("no spec, passed over", ignored), ("no longer verified, removed", removed)):
            if names and self.many:
                more = f" and {len(names) - 5} more" if len(names) > 5 else ""
                self.say(f"{what}: {', '.join(names[:5])}{more}")
        pages = [outcome for outcome in outcomes if not outcome.page.spec.is_dir()]
        if self.many and pages:  # a folder without specs is no page
            self.say(self._totals(pages))

    def _totals(self, outcomes: Sequence[Outcome]) -> str:
        count = Counter(outcome.status for outcome in outcomes)
        parts = ", ".join(f"{count[status]} {status}" for status in COLOURS if count[status])
        pages = f"{len(outcomes)} page{'s' if len(outcomes) != 1 else ''}"
        return f"{pages}: {parts} ({_took(time.perf_counter() - self.start, '{}')})"


def plain(text: str) -> str:
    """Text for a terminal: what a name of a file may hold does nothing to it."""
    return UNSEEN.sub("\ufffd", text.encode(errors="replace").decode())


def _took(seconds: float, how: str) -> str:
    return how.format(f"{seconds:.1f} s") if seconds else ""


def _show_table(outcomes: Sequence[Outcome]) -> None:
    """Every page, or of a long course those that were touched."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("page", "status", "seconds", "fault")
    table.columns[2].justify = "right"
    left_out = [o for o in outcomes if o.status == "unchanged"] if len(outcomes) > SHOWN else []
    for outcome in outcomes:
        if outcome.status != "unchanged" or not left_out:
            status = Text(outcome.status, style=COLOURS[outcome.status])
            fault = plain(outcome.message.partition("\n")[0])
            name = Text(plain(outcome.page.name), overflow="fold")
            table.add_row(
                name, status, _took(outcome.seconds, "{}").removesuffix(" s"), Text(fault, overflow="fold")
            )
    if left_out:
        table.add_row(Text(f"{len(left_out)} others"), Text("unchanged"), "", "")
    Console(stderr=True).print(table)
