"""Processes that build pages side by side. Each imports torch once; one that dies costs one page.

A worker is given a spec and answers with the files of the page, or with what is wrong. It writes nothing:
files are written by the process that asked, so that nothing is left half done when a worker is killed.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path

from derivations.courses.inputs import key
from derivations.language.errors import DerivationsError

CHECK_FAILED, BAD_SPEC, UNFINISHED = 1, 2, 3


@dataclass(frozen=True)
class Answer:
    """What came of a page: its files, or a message and the exit status that it asks for.

    ``restored``: the files come from memory.

    ``key`` is what it may be remembered under: empty if the spec changed while it was worked.
    """

    seconds: float
    files: Mapping[str, bytes] = field(default_factory=dict)
    key: str = ""
    message: str = ""
    status: int = 0
    restored: bool = False


def work(spec: Path, formats: tuple[str, ...]) -> Answer:
    """Build a page in this process."""
    with _without_collections():
        from derivations.page import build
    start = time.perf_counter()
    before = key(spec, formats)
    files: Mapping[str, bytes] = {}
    message, status = "", 0
    try:
        files = build(spec, formats).files(formats)
    except DerivationsError as fault:
        message, status = str(fault), fault.exit_status
    same = before if key(spec, formats) == before else ""
    return Answer(time.perf_counter() - start, files, same, message, status)


@contextmanager
def _without_collections() -> Iterator[None]:
    """Import torch and SymPy without looking for garbage in them: they stay until the end."""
    if "derivations.page" in sys.modules:
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def _serve(pipe: Connection) -> None:
    """The life of a worker: answer until nobody asks any more. The user's Ctrl-C is its parent's matter."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.dup2(2, 1)  # whatever a library prints, standard output has the names of files
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with suppress(EOFError, OSError):
        while True:
            spec, formats = pipe.recv()
            pipe.send(_survive(spec, formats))


def _survive(spec: Path, formats: tuple[str, ...]) -> Answer:
    start = time.perf_counter()
    try:
        return work(spec, formats)
    except Exception as fault:
        trace = f"\n{traceback.format_exc()}" if os.environ.get("DERIVATIONS_TRACEBACK") else ""
        message = (
            f"{spec}: internal error: {type(fault).__name__}: {fault}\n  This is a fault of derivations."
        )
        return Answer(time.perf_counter() - start, {}, "", message + trace, UNFINISHED)


@dataclass
class _Worker:
    process: BaseProcess
    pipe: Connection
    at: int = -1
    since: float = 0


class Workers:
    """At most ``jobs`` workers, started when there is work and kept for the next."""

    def __init__(self, jobs: int) -> None:
        self.jobs = jobs
        self._idle: list[_Worker] = []
        self._busy: list[_Worker] = []

    def answers(self, specs: Sequence[Path], formats: tuple[str, ...]) -> Iterator[tuple[int, Answer]]:
        """The answers as they come, each with the number of its spec."""
        waiting = list(enumerate(specs))[::-1]
        while waiting or self._busy:
            while waiting and len(self._busy) < self.jobs:
                self._give(*waiting.pop(), formats)
            ready = wait([worker.pipe for worker in self._busy])
            for worker in [worker for worker in self._busy if worker.pipe in ready]:
                self._busy.remove(worker)
                yield worker.at, self._answer(worker, specs[worker.at])

    def _give(self, at: int, spec: Path, formats: tuple[str, ...]) -> None:
        self._idle = [worker for worker in self._idle if worker.process.is_alive()]
        worker = self._idle.pop() if self._idle else _start()
        worker.at, worker.since = at, time.perf_counter()
        self._busy.append(worker)
        with suppress(OSError):  # dead: its pipe is at its end, which is how one finds out
            worker.pipe.send((spec, formats))

    def _answer(self, worker: _Worker, spec: Path) -> Answer:
        try:
            found: Answer = worker.pipe.recv()
        except (EOFError, OSError):
            worker.process.join()
            code = worker.process.exitcode or 0
            how = (
                f"was killed by signal {-code}; perhaps memory ran out"
                if code < 0
                else f"ended with status {code}"
            )
            message = f"{spec}: the process that built this page {how}"
            return Answer(time.perf_counter() - worker.since, message=message, status=UNFINISHED)
        self._idle.append(worker)
        return found

    def close(self) -> None:
        """End every worker, whatever it does."""
        for worker in (*self._idle, *self._busy):
            worker.process.terminate()
        for worker in (*self._idle, *self._busy):
            worker.process.join()
            worker.pipe.close()
        self._idle, self._busy = [], []


def _start() -> _Worker:
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs,), daemon=True)
    with _interrupts_held():
        process.start()
    theirs.close()
    return _Worker(process, ours)


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """A worker is born deaf to Ctrl-C, and says nothing when it comes while it starts."""
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
