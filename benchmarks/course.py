"""A course of 200 pages of which none changed, against the bare start of the interpreter; one page changed.

The first build is planted in the memory through the package, so that the course costs no minutes.

    python benchmarks/course.py [--quick]
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path

from interleaved import medians

from derivations.cache import remember
from derivations.courses.inputs import key
from derivations.formats.table import BY_NAME, DEFAULT

PAGES, BYTES = 200, 60_000
COMMAND = ("-m", "derivations", "build", "course")
SPEC = """title = "Page {number}"
[model]
equations = "L = mean((w*x[i] - y[i])**2, i)"
[data]
x = [1, {number}]
y = [2, 3]
[parameters]
w = 1
"""


def python(*arguments: str, folder: Path) -> None:
    done = subprocess.run([sys.executable, *arguments], cwd=folder, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(arguments)} failed:\n{done.stderr}")


def course(folder: Path) -> None:
    """Two hundred specs, their pages remembered as if they had been verified, of the size of real ones."""
    for number in range(PAGES):
        spec = folder / "course" / f"week{number // 20}" / f"page{number}.toml"
        spec.parent.mkdir(parents=True, exist_ok=True)
        spec.write_text(SPEC.format(number=number))
        files = {f"{spec.stem}{BY_NAME[form].suffix}": f"{number} ".encode() * BYTES for form in DEFAULT}
        remember(key(spec, DEFAULT), {name: content[:BYTES] for name, content in files.items()})


def change_one(folder: Path, numbers: count[int]) -> None:
    spec = folder / "course" / "week3" / "page60.toml"
    spec.write_text(SPEC.format(number=1000 + next(numbers)))
    python(*COMMAND, folder=folder)


def main(quick: bool) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["XDG_CACHE_HOME"] = str(folder / "cache")
        course(folder)
        python(*COMMAND, folder=folder)
        works: dict[str, Callable[[], object]] = {
            "bare": partial(python, "-c", "pass", folder=folder),
            "help": partial(python, "-m", "derivations", "--help", folder=folder),
            "unchanged": partial(python, *COMMAND, folder=folder),
            "imports": partial(python, "-c", "import sympy, torch, jinja2, flint", folder=folder),
            "one": partial(change_one, folder, count()),
        }
        found = medians(works, 1 if quick else 7)
    bare, own = found["unchanged"] / found["bare"], found["unchanged"] / found["help"]
    print(f"{PAGES} unchanged pages take {bare:.1f} times as long as a bare start of Python,")
    print(f"  {own:.1f} times as long as `derivations --help`")
    one = found["one"] / found["imports"]
    print(f"one page of {PAGES} changed: {one:.2f} times as long as the imports alone")
    print("  (seconds: " + ", ".join(f"{name} {taken:.2f}" for name, taken in found.items()) + ")")


if __name__ == "__main__":
    main("--quick" in sys.argv[1:])
