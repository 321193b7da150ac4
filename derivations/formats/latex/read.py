"""A finished LaTeX page read back by the few environments that the templates use."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TypeAlias

from derivations.audit.items import Item, Mathematics, Pieces, dollar_pieces, merged

BLOCK = re.compile(
    r"(?:% further (?P<further>columns|rows|lines)\n)?(?P<turned>% turned\n)?(?:"
    r"\\begin\{lstlisting\}(?:\[basicstyle=\\ttfamily\\scriptsize\])?\n(?P<code>.*?)\n\\end\{lstlisting\}"
    r"|(?:\\begingroup(?:\\small|\\footnotesize)?\n)?\\begin\{(?P<table>center|longtable)\}(?P<rows>.*?)"
    r"\\end\{(?P=table)\}(?:\n\\endgroup)?"
    r"|\\nopagebreak\n\\begin\{adjustbox\}\{[^}]*,center\}\n(?P<figure>.*?)\n\\end\{adjustbox\}"
    r"|\\\[\n(?:\\begin\{aligned\}\n)?(?P<display>.*?)\n(?:\\end\{aligned\}\n)?\\\]"
    r"|\\(?:sub)*section\*\{(?P<heading>.*?)\}\n"
    r"|(?:\\begingroup\\emergencystretch=6em\n)?(?P<prose>\S.*?)\\par(?:\\endgroup)?(?=\n|$))",
    re.DOTALL,
)
FURTHER = "% further lines"
LAYOUT = re.compile(
    r"\\needspace\{[^}]*\}\n|(?:\\par\\noindent|\\hfill)\\begin\{minipage\}\[t\]\{0\.48\\linewidth\}\n"
    r"|\n\\end\{minipage\}(?:\\par)?(?=\n|$)"
)
ALIGNED = re.compile(r"\\begin\{aligned\}\[[tb]\] (.*?) \\end\{aligned\}")
Found: TypeAlias = tuple[str, Item]
"""How an item continues the one before it, and the item."""


def read_latex(page: str) -> list[Item]:
    """The items of a LaTeX page or fragment."""
    body = page.partition(r"\begin{document}")[2].partition(r"\end{document}")[0] or page
    return put_together(latex_items(LAYOUT.sub("", body)))


def latex_items(body: str) -> Iterator[Found]:
    """The items of LaTeX source, parts of tables and of chains as they stand."""
    body = body.strip() + "\n"
    at = 0
    for found in BLOCK.finditer(body):
        between = body[at : found.start()].strip()
        if between:
            yield "", Item("unknown", text=between)
        at = found.end()
        yield found["further"] or "", _latex_item(found)
    if body[at:].strip():
        yield "", Item("unknown", text=body[at:].strip())


def _latex_item(found: re.Match[str]) -> Item:
    if found["code"] is not None:
        return Item("Listing", text=found["code"] + "\n")
    if found["figure"] is not None:
        return Item("Figure", text=found["figure"])
    if found["table"] is not None:
        rows = list(_latex_rows(found["rows"]))
        return Item("Table", rows=tuple(zip(*rows, strict=True) if found["turned"] else rows))
    if found["display"] is not None:
        source = _unaligned(ALIGNED.sub(_unaligned, plain(found["display"]))).strip().strip("$")
        return Item("Display", (Mathematics(source.strip()),))
    name = "Heading" if found["heading"] is not None else "Prose"
    return Item(name, dollar_pieces(ALIGNED.sub(_unaligned, plain(found["heading"] or found["prose"]))))


def put_together(found: Iterable[Found]) -> list[Item]:
    """Whole blocks: rows below a repeated header, columns beside a repeated one, further lines.

    What is repeated must be the same; else the parts stay items of their own, which no document has.
    """
    runs: list[list[Found]] = []
    for further, item in found:
        if further and runs:
            runs[-1].append((further, item))
        else:
            runs.append([(further, item)])
    return [item for run in runs for item in (_whole(run) or [item for _, item in run])]


def _whole(run: list[Found]) -> list[Item]:
    """The one item of which these are the parts; empty if they are not."""
    parts = [run[0][1]]
    for further, item in run[1:]:
        if further == "columns":
            parts.append(item)
            continue
        longer = (_below if further == "rows" else _joined)(parts[-1], item)
        if longer is None:
            return []
        parts[-1] = longer
    whole = _beside(parts) if len({len(part.rows) for part in parts}) == 1 else None
    return [whole] if whole else []


def _joined(item: Item, further: Item) -> Item | None:
    if item.kind != further.kind:
        return None
    if item.kind == "Listing":
        return replace(item, text=item.text + further.text)
    if item.kind == "Prose":
        return replace(item, pieces=merged([*item.pieces, " ", *further.pieces]))
    sources = [piece.source for piece in (*item.pieces, *further.pieces) if isinstance(piece, Mathematics)]
    return replace(item, pieces=(Mathematics(" ".join(sources)),)) if item.kind == "Display" else None


def _below(item: Item, further: Item) -> Item | None:
    """A table with further rows; None where the header is another one."""
    if further.kind != "Table" or item.rows[:1] != further.rows[:1]:
        return None
    return replace(item, rows=item.rows + further.rows[1:])


def _beside(parts: list[Item]) -> Item | None:
    """A table of which these are the columns; None where the first column is not repeated."""
    first, *others = parts
    for part in others:
        rows = list(zip(first.rows, part.rows, strict=True))
        if any(row[:1] != more[:1] for row, more in rows):
            return None
        first = replace(first, rows=tuple((*row, *more[1:]) for row, more in rows))
    return first


COVERING = re.compile(r"\\uncover<\d+->\{(?:\{\})?|\\adjustbox\{max width=[\d.]+em\}\{")


def plain(text: str) -> str:
    r"""LaTeX without what covers or shrinks it: ``\uncover<2->{…}`` and ``\adjustbox{…}{…}``."""
    while found := COVERING.search(text):
        end = _closing(text, found.end())
        text = text[: found.start()] + text[found.end() : end] + text[end + 1 :]
    return text


def _closing(text: str, at: int) -> int:
    """Where the group that is open at a place closes."""
    depth = 1
    for token in re.finditer(r"\\.|[{}]", text[at:], re.DOTALL):
        depth += {"{": 1, "}": -1}.get(token[0], 0)
        if not depth:
            return at + token.start()
    return len(text)


def _latex_rows(source: str) -> list[tuple[Pieces, ...]]:
    """The rows of a table; what goes on from one row in the next is one row again."""
    inside = source.partition(r"\toprule")[2].partition(r"\bottomrule")[0]
    inside = plain(inside)
    inside = re.sub(r"\\midrule|\\endhead|\\addlinespace", "", ALIGNED.sub(_unaligned, inside))
    found: list[tuple[Pieces, ...]] = []
    for row in re.split(r"\\\\\*?(?=\n|$)", inside):
        goes_on = row.strip().startswith(FURTHER)
        cells = tuple(_latex_cell(cell) for cell in re.split(r"(?<!\\)&", row.replace(FURTHER, "")))
        if goes_on and found and len(found[-1]) == len(cells):
            pairs = zip(found[-1], cells, strict=True)
            found[-1] = tuple(merged([*own, " ", *more]) if any(more) else own for own, more in pairs)
        elif row.strip():
            found.append(cells)
    return found


def _unaligned(found: re.Match[str] | str) -> str:
    """The rows of an alignment one after another."""
    rows = found if isinstance(found, str) else found[1]
    return rows.replace(r"\\", " ").replace("\n", " ").replace("&", " ")


def _latex_cell(cell: str) -> Pieces:
    cell = cell.replace(r"\displaystyle ", "").strip()
    if cell.startswith("{$") and cell.endswith("$}"):
        return (Mathematics(cell[2:-2].strip()),)
    cell = cell[1:-1] if cell.startswith("{") and cell.endswith("}") else cell
    if re.fullmatch(r"(\\approx )?-?\d[\d.]*(e-?\d+)?", cell):
        return (Mathematics(re.sub(r"e(-?\d+)$", r" \\cdot 10^{\1}", cell), canonical=True),)
    return dollar_pieces(cell)
