"""The author's equations as Python's own parser sees them, in an order in which they can be worked."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True)
class Line:
    """One equation; ``recurrent`` if it is worked entry by entry, because it reads its own quantity."""

    target: str
    indices: tuple[str, ...]
    body: ast.expr
    source: str
    recurrent: bool = False

    @property
    def reads(self) -> set[str]:
        """Every name in the right-hand side."""
        return {node.id for node in ast.walk(self.body) if isinstance(node, ast.Name)}


def read_lines(text: str) -> tuple[Line, ...]:
    """The equations of a text, each after those whose results it reads."""
    return tuple(_ordered(list(assignments(text))))


@lru_cache(maxsize=256)
def assignments(text: str) -> tuple[Line, ...]:
    """The lines of a text as they stand: an algorithm, in which ``theta`` becomes something else.

    The row of an optimizer is asked for at every step; its trees are read only.
    """
    found = []
    for node in ast.parse(_joined(text)).body:
        assert isinstance(node, ast.Assign)
        target = node.targets[0]
        name = target.value if isinstance(target, ast.Subscript) else target
        assert isinstance(name, ast.Name)
        names = tuple(ast.unparse(part) for part in parts_of(target))
        found.append(Line(name.id, names, node.value, ast.unparse(node)))
    return tuple(found)


def _joined(text: str) -> str:
    """Equations may be indented as their author likes; for Python they start in column 0."""
    return "\n".join(line.strip() for line in text.splitlines())


def parts_of(node: ast.expr) -> list[ast.expr]:
    """What stands between the brackets of a name."""
    if not isinstance(node, ast.Subscript):
        return []
    return list(node.slice.elts) if isinstance(node.slice, ast.Tuple) else [node.slice]


def _ordered(lines: list[Line]) -> Iterable[Line]:
    """Lines in the order of their reads; those of a circle, and of several lines a name, entry by entry."""
    targets = [line.target for line in lines]
    done: set[str] = set()
    left = list(lines)
    while left:
        waiting = {line.target for line in left}
        ready = [line for line in left if not line.reads & (waiting - {line.target}) - done]
        whole = [line for line in ready if line.target not in line.reads and targets.count(line.target) == 1]
        group = whole[:1] or _circle(left)
        yield from (line if whole else _entrywise(line) for line in group)
        done |= {line.target for line in group}
        left = [line for line in left if line.target not in done]


def _entrywise(line: Line) -> Line:
    return Line(line.target, line.indices, line.body, line.source, recurrent=True)


def _circle(lines: list[Line]) -> list[Line]:
    """The lines that depend on one another, none of which waits for anything else."""
    reads: dict[str, set[str]] = {}
    for line in lines:
        reads.setdefault(line.target, set()).update(line.reads)
    depends = {name: _below(name, reads) for name in reads}
    first = min(reads, key=lambda name: len(depends[name]))
    members = {name for name in depends[first] | {first} if name in reads}
    return [line for line in lines if line.target in members]


def _below(name: str, reads: dict[str, set[str]]) -> set[str]:
    found, new = set[str](), reads[name]
    while new - found:
        found |= new
        new = {deeper for other in found for deeper in reads.get(other, ())}
    return found
