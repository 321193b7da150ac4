"""The notebook format: the page with the PyTorch program between its parts, cut at its steps.

Every cell of code holds torch's numbers against those that were worked by hand just above it. The cells
are run before the notebook is written, and what they print is kept as their output.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any
from urllib.parse import quote

from derivations.document.blocks import Block, Display, Document, Figure, Heading, Prose, Table
from derivations.formats.markdown.read import read_markdown
from derivations.formats.markdown.write import check_picture, file_of, written
from derivations.formats.notebook.cells import Cells, StepCells
from derivations.formats.pictures import svg_files
from derivations.formats.press import Press, Printer, audited
from derivations.language.errors import CheckFailed
from derivations.language.names import is_after
from derivations.witnesses.run_listing import run_cells

KERNEL = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
ATTACHED = "attachment:"
PHASES = ("forward", "backward", "update")


def write(press: Press) -> str:
    """The notebook as JSON."""
    import nbformat.v4 as new

    cells = list(_cells(press))
    outputs = iter(run_cells([source for kind, source in cells if kind == "code"]))
    pictures, found = svg_files(press), []
    for place, (kind, source) in enumerate(cells, 1):
        given = {"id": f"cell-{place}", "source": source}
        if kind == "code":
            found.append(new.new_code_cell(**given, outputs=_streams(next(outputs))))
        else:
            found.append(new.new_markdown_cell(**given, **_attached(source, pictures, press.stem)))
    return _text(new.new_notebook(cells=found, metadata=KERNEL))


def _attached(source: str, pictures: Mapping[str, str], stem: str) -> dict[str, Any]:
    """The pictures that a cell of words refers to, inside the cell."""
    files = {f"{stem}{end}": svg for end, svg in pictures.items()}
    own = {n: svg for n, svg in files.items() if f"]({ATTACHED}{quote(n)})" in source}
    encoded = {n: {"image/svg+xml": b64encode(svg.encode()).decode()} for n, svg in own.items()}
    return {"attachments": encoded} if encoded else {}


def _text(notebook: Any) -> str:
    return json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def _streams(printed: str) -> list[Any]:
    import nbformat.v4 as new

    return [new.new_output("stream", name="stdout", text=printed)] if printed else []


def _cells(press: Press) -> Iterator[tuple[str, str]]:
    """Kind and source of every cell: the setup after the problem, each step with its code."""
    code = Cells(press.run.trace)
    steps, is_set_up = code.steps(), False
    for section in _sections(press.document):
        step = next(steps) if _is_step(section) else None
        if step and not is_set_up:
            yield "code", code.setup().rstrip("\n")
            is_set_up = True
        yield from _lesson(section, step, press) if step else [("markdown", _markdown(section, press))]
    if not is_set_up:
        yield "code", code.setup().rstrip("\n")
    for step in steps:  # the page does not show them
        yield from _code_of(step)


def _lesson(section: list[Block], step: StepCells, press: Press) -> Iterator[tuple[str, str]]:
    """What was worked by hand, then the same in code: forward, backward, update."""
    if step.before:
        yield "code", step.before
    parts = list(_phases(section, press))
    for name, blocks in zip(PHASES, parts, strict=True):
        if blocks:
            yield "markdown", _markdown(blocks, press)
        if source := getattr(step, name):
            yield "code", source


def _code_cells(press: Press) -> list[str]:
    """The cells of code alone, in their order."""
    code = Cells(press.run.trace)
    return [code.setup().rstrip("\n"), *(source for step in code.steps() for _, source in _code_of(step))]


def _code_of(step: StepCells) -> Iterator[tuple[str, str]]:
    sources = (step.before, step.forward, step.backward, step.update)
    return (("code", source) for source in sources if source)


def _markdown(blocks: Sequence[Block], press: Press) -> str:
    text = written(replace(press.document, blocks=tuple(blocks)), press).rstrip("\n")
    for block in blocks:
        if isinstance(block, Figure):
            name = file_of(block.name, press)
            text = text.replace(f"]({name})", f"]({ATTACHED}{name})")
    return text


def _sections(document: Document) -> Iterator[list[Block]]:
    """The blocks between headings of the first two levels."""
    blocks = document.blocks
    starts = [at for at, block in enumerate(blocks) if isinstance(block, Heading) and block.level <= 2]
    for start, end in pairwise([*starts, len(blocks)]):
        yield list(blocks[start:end])


def _is_step(section: list[Block]) -> bool:
    heading = section[0]
    return isinstance(heading, Heading) and heading.part == "steps"


def _phases(section: list[Block], press: Press) -> Iterator[list[Block]]:
    """The blocks of a step, cut before its first adjoint and before its first new value.

    A sentence that announces what follows, with a colon, goes with it, and so does a heading.
    """
    marks = [_phase(block, press) for block in section]
    cuts = [0]
    for phase in (1, 2):
        at = next((at for at, mark in enumerate(marks) if mark is not None and mark >= phase), len(section))
        while at > cuts[-1] and marks[at - 1] is None and _announces(section[at - 1]):
            at -= 1
        cuts.append(max(at, cuts[-1]))
    return (section[start:end] for start, end in pairwise([*cuts, len(section)]))


def _announces(block: Block) -> bool:
    if isinstance(block, Heading):
        return block.level > 2
    last = block.words[-1] if isinstance(block, Prose) and block.words else ""
    return isinstance(last, str) and last.rstrip().endswith((":", "：", "："))


def _phase(block: Block, press: Press) -> int | None:
    """0 for the forward pass, 1 for the backward pass, 2 for the update; None for words."""
    match block:
        case Table(kind) if kind in PHASES:
            return PHASES.index(kind)
        case Display(shown):
            first, *rest = shown.sides
            name = getattr(first.expr, "name", "")
            if rest and (rest[0].relation == "←" or is_after(name)):
                return 2
            return int(press.symbols.adjoint(name) is not None)
    return None


def check(text: str, press: Press) -> None:
    """Read the finished notebook: its words and formulas as those of the page, its code and output as run.

    Raises `CheckFailed`.
    """
    import nbformat

    try:
        read = json.loads(text)
        nbformat.validate(nbformat.from_dict(read if isinstance(read, dict) else {}), version=4)
    except (json.JSONDecodeError, nbformat.ValidationError) as fault:
        raise CheckFailed(f"the finished notebook does not read back: {fault}") from None
    notebook = nbformat.reads(text, as_version=4)
    words = "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    audited(read_markdown, str, check_picture)(words.replace(f"]({ATTACHED}", "]("), press)
    pictures = svg_files(press)
    for cell in (cell for cell in notebook.cells if cell.cell_type == "markdown"):
        wanted = _attached(cell.source, pictures, press.stem)
        if cell.get("attachments", {}) != wanted.get("attachments", {}):
            raise CheckFailed("a picture of the finished notebook is not that of the run")
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    if [cell.source for cell in code] != _code_cells(press):
        raise CheckFailed("the code of the finished notebook is not that of the run")
    printed = ["".join(output.text for output in cell.outputs) for cell in code]
    if run_cells([cell.source for cell in code]) != printed or "".join(printed) != press.run.printed:
        raise CheckFailed("the notebook does not print what was verified")


PRINTER = Printer(write, check)
