"""All formats of the linear example, worked, printed and read back, against the imports that they need.

Prints the time of one build of every format, divided by that of the imports in a fresh process; then what it
takes to read the nine formats of text back, divided by the one time that the document itself is asked whether
it is true. Run with ``--quick`` for fewer repetitions.
"""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import time
start = time.perf_counter()
import typst, pypdfium2, lxml.html, nbformat.v4, xlsxwriter, babel.messages.pofile, torch, sympy, markdown_it
import derivations
from dataclasses import replace
from derivations.audit.truth import require
from derivations.formats.table import FORMATS
from derivations.formats.press import printer
from derivations.numbers.systems import precision
from derivations.page import build
for row in FORMATS:
    printer(row.name)
ready = time.perf_counter()
page = build("linear-regression", tuple(row.name for row in FORMATS))
built = time.perf_counter()
with precision(page.trace.bits):
    asked = time.process_time()
    require(replace(page.press.evidence))
    true = time.process_time()
    for form in ("md", "myst", "qmd", "tex", "fragment", "beamer", "html", "slides", "ipynb"):
        printer(form).check(page.content(form), page.press)
print(ready - start, built - ready, true - asked, time.process_time() - true)
"""


def main() -> None:
    """Print the ratio, the smallest of several runs."""
    found = []
    for _ in range(1 if "--quick" in sys.argv else 5):
        run = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
        found.append(tuple(map(float, run.stdout.split())))
    imports, formats, truth, read = (min(times) for times in zip(*found, strict=True))
    print(f"all formats of the linear example / the imports: {formats / imports:.2f} ({formats:.2f} s)")
    print(f"nine formats read back / the document asked: {read / truth:.2f} ({read:.2f} s, {truth:.2f} s)")


if __name__ == "__main__":
    main()
