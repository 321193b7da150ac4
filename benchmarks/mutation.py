"""Single faults put into the program: how many give a page that is false for its reader? There must be none.

Faults in lines that some page runs (`single_faults.py` says which) are drawn, as many from each room. Each
is put into a process that has imported everything and is forked for it, and a few pages that run its line
are built there:

    refused    the build fails with a message: a witness, a proof or the audit saw it
    crashed    the build fails without one
    unchanged  the pages are what they were, letter by letter
    layout     the pages differ, and are as true and as complete: `mutation_layout.toml`, with a reason each
    escaped    the pages differ, and nothing noticed

    python benchmarks/mutation.py                    # 450 faults; prints the ratio of each outcome
    python benchmarks/mutation.py --count 40 --seed 7 --only document
"""

from __future__ import annotations

import argparse
import difflib
import gc
import hashlib
import importlib
import os
import pickle
import pkgutil
import random
import re
import resource
import signal
import sys
import tomllib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, TypeAlias

from single_faults import PACKAGE, ROOMS, Fault, faults, put_in

import derivations
from derivations.language.errors import DerivationsError

HERE = Path(__file__).parent
PAGES = (  # of the gallery, from the quick ones to the slow ones
    "newton",
    "optimizer-momentum",
    "optimizer-rmsprop",
    "gradient-clipping",
    "learning-rate-schedule",
    "optimizer-adadelta",
    "learning-rate-oscillates",
    "optimizer-rprop",
    "dying-relu",
    "linear-regression",
    "optimizer-adam",
    "poisson-regression",
    "rnn-two-steps",
    "convolution-1d",
    "hinge-loss",
    "elastic-net",
    "ridge-regression",
    "linear-regression-by-calculator",
    "optimizer-adafactor",
    "attention",
    "word-embedding",
    "two-two-two-network",
    "causal-attention",
    "huber-regression",
    "max-pooling",
    "logistic-regression",
)
EACH, SECONDS, PATIENCE, MEMORY = 3, 20, 100, 3 * 2**30
FORMATS = ("md", "json")
OUTCOMES = ("refused", "crashed", "unchanged", "layout", "escaped")
Outcome: TypeAlias = tuple[str, str]  # the outcome and what shows it
Line: TypeAlias = tuple[str, int]


@dataclass(frozen=True)
class Specimen:
    """A spec, its pages without a fault by format, and the lines of the package that building them runs."""

    name: str
    spec: str
    pages: dict[str, str]
    lines: set[Line]


# --- a process of its own for each fault -------------------------------------------------------------------


def import_everything() -> None:
    """Import all modules and work a page, so that a child need not; nothing of ours is remembered."""
    import torch

    torch.set_num_threads(1)
    for found in pkgutil.walk_packages(derivations.__path__, "derivations."):
        if not found.name.endswith("__main__"):
            importlib.import_module(found.name)
    built(gallery_specs()["logistic-regression"])  # SymPy and torch remember what they worked
    for name, module in list(sys.modules.items()):
        if name.startswith("derivations"):
            for value in vars(module).values():
                getattr(value, "cache_clear", int)()
    gc.freeze()


def forked(work: Callable[[], object], seconds: int = SECONDS) -> object:
    """What a piece of work gives in a process of its own; None if it ends without an answer."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _answer(work, writing, seconds)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        answer = pipe.read()
    os.waitpid(child, 0)
    return pickle.loads(answer) if answer else None


def _answer(work: Callable[[], object], writing: int, seconds: int) -> None:
    signal.setitimer(signal.ITIMER_PROF, seconds)  # of its own time, however busy the machine is
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
    try:
        answer = pickle.dumps(work())
    except BaseException as fault:  # whatever a fault in the program may do
        answer = pickle.dumps(_failed(fault))
    with os.fdopen(writing, "wb") as pipe:
        pipe.write(answer)
    os._exit(0)


def _failed(fault: BaseException) -> Outcome:
    kind = "refused" if isinstance(fault, DerivationsError) else "crashed"
    return kind, f"{type(fault).__name__}: {fault}"[:300]


def built(spec: str) -> dict[str, str]:
    """The page of a spec in the formats that are compared."""
    page = derivations.build(spec, formats=FORMATS)
    return {form: page[form] for form in FORMATS}


# --- the pages and the lines that they run -----------------------------------------------------------------


def gallery_specs() -> dict[str, str]:
    """The specs of the gallery that are built."""
    from derivations.spec import gallery

    return {name: gallery.path(name).read_text(encoding="utf-8") for name in PAGES}


def own_specs() -> dict[str, str]:
    """Specs for lines that the gallery does not run."""
    found = tomllib.loads((HERE / "mutation_specs.toml").read_text(encoding="utf-8"))
    return {name: f"{table['spec']}\n" for name, table in found.items()}


def specimens() -> list[Specimen]:
    """Every spec, built without a fault."""
    found = []
    for name, spec in (own_specs() | gallery_specs()).items():
        ran = forked(partial(traced, spec), 600)
        if not isinstance(ran, tuple) or not isinstance(ran[1], set):
            raise SystemExit(f"{name} does not build without a fault: {ran}")
        found.append(Specimen(name, spec, *ran))
    return found


def traced(spec: str) -> tuple[dict[str, str], set[Line]]:
    """The page of a spec and the lines of the package that building it runs.

    Code that has shown no new line for `PATIENCE` calls is followed no further.
    """
    ran: set[Line] = set()
    patience: dict[CodeType, int] = {}
    inside = tuple(f"{PACKAGE / room}{os.sep}" for room in ROOMS)

    def entered(frame: FrameType, event: str, _: Any) -> Any:
        code = frame.f_code
        left = patience.get(code)
        if left is None:
            left = PATIENCE if code.co_filename.startswith(inside) else 0
        patience[code] = left - (left > 0)
        return line_of if left else None

    def line_of(frame: FrameType, event: str, _: Any) -> Any:
        line = frame.f_code.co_filename, frame.f_lineno
        if line not in ran:
            ran.add(line)
            patience[frame.f_code] = PATIENCE
        return line_of

    sys.settrace(entered)
    try:
        return built(spec), ran
    finally:
        sys.settrace(None)


# --- a fault and what it does ------------------------------------------------------------------------------


def outcome(fault: Fault, chosen: list[Specimen]) -> Outcome:
    """What a fault does to some pages: the first that is noticed or escapes."""
    for each in chosen:
        now = forked(partial(_built_with, fault, each.spec))
        if now is None:
            return "crashed", f"{each.name}: no answer in {SECONDS} s, or the process died"
        if isinstance(now, tuple):
            return now[0], f"{each.name}: {now[1]}"
        if now != each.pages:
            assert isinstance(now, dict)
            return "escaped", f"{each.name}: {_difference(each.pages, now)}"
    return "unchanged", ""


def _built_with(fault: Fault, spec: str) -> dict[str, str]:
    put_in(fault)
    return built(spec)


def _difference(before: dict[str, str], now: dict[str, str]) -> str:
    form = next(form for form in FORMATS if before[form] != now[form])
    lines = difflib.unified_diff(before[form].splitlines(), now[form].splitlines(), n=0, lineterm="")
    return "\n    ".join([form, *(line[:300] for line in list(lines)[2:14])])


def pages_for(fault: Fault, known: list[Specimen]) -> list[Specimen]:
    """A few pages that run the line of a fault, or name its row: the first, and others by lot."""
    own = [each for each in known if _uses(each, fault)]
    draw = random.Random("/".join(fault.key))
    return own[:1] + draw.sample(own[1:], min(EACH - 1, len(own[1:])))


def _uses(page: Specimen, fault: Fault) -> bool:
    if fault.line:
        return (_file(fault.module), fault.line) in page.lines
    kind, _, rest = fault.owner.partition(" ")
    if kind == "phrase":
        return any(file == _file(fault.module) for file, _ in page.lines)
    row = re.escape(rest.rpartition(":")[0])
    return kind == "Shortcut" or re.search(rf"\b{row}\b", page.spec, re.IGNORECASE) is not None


@cache
def _file(module: str) -> str:
    return importlib.import_module(module).__file__ or ""


def sample(count: int, seed: int, only: str, known: list[Specimen]) -> list[Fault]:
    """Faults that some page shows, as many from each room, no two in one line while there are others.

    Which ones does not depend on other lines: a change elsewhere leaves the sample as it is.
    """
    rooms: dict[str, list[Fault]] = defaultdict(list)
    for fault in faults():
        if only in f"{fault.module}.{fault.owner}" and any(_uses(page, fault) for page in known):
            rooms[fault.module.split(".")[1]].append(fault)
    turns = [_one_a_line(sorted(own, key=partial(_lot, seed))) for own in rooms.values()]
    longest = max(map(len, turns), default=0)
    return [own[turn] for turn in range(longest) for own in turns if turn < len(own)][:count]


def _lot(seed: int, fault: Fault) -> bytes:
    return hashlib.sha256("/".join((str(seed), *fault.key)).encode()).digest()


def _one_a_line(shuffled: list[Fault]) -> list[Fault]:
    """The faults, those in a line that has come before put at the end."""
    seen: Counter[tuple[str, int | str]] = Counter()
    turns = []
    for at, fault in enumerate(shuffled):
        line = fault.module, fault.line or fault.owner
        turns.append((seen[line], at, fault))
        seen[line] += 1
    return [fault for _, _, fault in sorted(turns, key=lambda turn: turn[:2])]


def listed() -> dict[tuple[str, str, str, str], str]:
    """Faults that change only what a reader is not told, with the reason of each."""
    rows = tomllib.loads((HERE / "mutation_layout.toml").read_text(encoding="utf-8")).get("fault", [])
    return {(row["module"], row["owner"], row["text"], row["what"]): row["reason"] for row in rows}


# --- the whole of it ---------------------------------------------------------------------------------------


def judged(chosen: list[Fault], known: list[Specimen]) -> Iterator[tuple[Fault, Outcome]]:
    """The outcome of each of some faults."""
    harmless = listed()
    for fault in chosen:
        found = outcome(fault, pages_for(fault, known))
        if found[0] == "escaped" and fault.key in harmless:
            found = ("layout", harmless[fault.key])
        yield fault, found


def told(fault: Fault, found: Outcome) -> str:
    """A fault and its outcome, as they are printed."""
    where = f"{fault.module}:{fault.line} {fault.owner}: {fault.what}"
    return f"{found[0]}: {where}\n    {fault.text}\n    {found[1]}"


def counts(found: list[tuple[Fault, Outcome]]) -> Iterator[str]:
    """How often each outcome, in all and in each room."""
    rooms = Counter((fault.module.split(".")[1], kind) for fault, (kind, _) in found)
    for kind in OUTCOMES:
        own = [f"{room} {rooms[room, kind]}" for room in ROOMS if rooms[room, kind]]
        number = sum(kind == each for _, (each, _) in found)
        yield f"{kind:<10} {number:>4} of {len(found)}: {number / max(len(found), 1):.3f}   {', '.join(own)}"


def main() -> None:
    """Measure and print; the exit status is 1 if a fault escaped."""
    reader = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    reader.add_argument("--count", type=int, default=450)
    reader.add_argument("--after", type=int, default=0, help="leave out so many: they were judged before")
    reader.add_argument("--seed", type=int, default=1)
    reader.add_argument("--only", default="", help="a part of the names of modules and functions")
    reader.add_argument("--quick", action="store_true", help="a few faults")
    reader.add_argument("--show", default="escaped,crashed", help="the outcomes that are told one by one")
    asked = reader.parse_args()
    import_everything()
    known = specimens()
    chosen = sample(12 if asked.quick else asked.after + asked.count, asked.seed, asked.only, known)
    found = []
    for fault, each in judged(chosen[asked.after :], known):
        found.append((fault, each))
        if each[0] in asked.show.split(","):
            print(told(fault, each), flush=True)
    print(*counts(found), sep="\n")
    sys.exit(any(kind == "escaped" for _, (kind, _) in found))


if __name__ == "__main__":
    main()
