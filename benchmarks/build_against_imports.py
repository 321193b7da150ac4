"""A whole build against what its imports alone cost, in fresh processes.

The build derives, trains, verifies with torch and writes three formats. Importing SymPy, torch,
jinja2 and flint is what no program of this kind can do without, so it is the unit.

    python benchmarks/build_against_imports.py [--quick]
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from interleaved import medians

COMMAND = "from derivations.cli import main; main()"
BUILD = ("build", "linear-regression", "--format", "md,tex,json", "--output")


def python(program: str, *arguments: str, cache: Path) -> None:
    """Run a program in a fresh interpreter that keeps its cache in a folder of ours."""
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache)}
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], env=environment, capture_output=True, text=True
    )
    if done.returncode:
        sys.exit(f"{' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")


def first_build(cache: Path, output: Path) -> None:
    for folder in (cache, output):
        shutil.rmtree(folder, ignore_errors=True)
    python(COMMAND, *BUILD, str(output), cache=cache)


def main(quick: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        cache, output = Path(folder, "cache"), Path(folder, "output")
        works: dict[str, Callable[[], object]] = {
            "bare": partial(python, "", cache=cache),
            "imports": partial(python, "import sympy, torch, jinja2, flint", cache=cache),
            "help": partial(python, COMMAND, "--help", cache=cache),
            "first": partial(first_build, cache, output),
            "second": partial(python, COMMAND, *BUILD, str(output), cache=cache),
        }
        found = medians(works, 1 if quick else 7)
        assert any(output.rglob("*.md")), "the build wrote no page"
    print(f"the first build takes {found['first'] / found['imports']:.2f} times as long as the imports alone")
    print(f"a second build, nothing changed: {found['second'] / found['imports']:.2f} times")
    print(f"derivations --help: {found['help'] / found['imports']:.2f} times")
    print("  (seconds: " + ", ".join(f"{name} {taken:.2f}" for name, taken in found.items()) + ")")


if __name__ == "__main__":
    main("--quick" in sys.argv[1:])
