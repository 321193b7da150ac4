"""The computation graph as a picture: quantities in layers, an arrow from each to those that read it."""

from __future__ import annotations

import html
import re
import unicodedata
from dataclasses import dataclass

from derivations.examples.example import Example
from derivations.language.errors import CheckFailed
from derivations.language.ranges import is_letter
from derivations.language.tree import refs
from derivations.notation.symbols import Symbol
from derivations.pages.press import Press

COLUMN, ROW, EDGE, HALF_WIDTH, HALF_HEIGHT, BELOW = 68, 30, 26, 17, 11, 22
COMBINING = {r"\hat": "\u0302", r"\bar": "\u0304", r"\tilde": "\u0303"}


@dataclass(frozen=True)
class Node:
    """A quantity: its name, its symbol as text, what it is, and where its middle stands."""

    name: str
    stem: str
    below: str
    kind: str
    x: int
    y: int


@dataclass(frozen=True)
class Arrow:
    """From a quantity to one that reads it; ``back`` where a recurrence reads an earlier entry."""

    start: Node
    end: Node
    back: bool

    @property
    def path(self) -> str:
        """A gentle curve; below the nodes where it goes back."""
        a, b = self.start, self.end
        if self.back:
            low, deep = a.y + HALF_HEIGHT, max(a.y, b.y) + HALF_HEIGHT + BELOW
            return f"M{a.x + 5} {low}C{a.x} {deep} {b.x} {deep} {b.x - 5} {b.y + HALF_HEIGHT + 3}"
        left, right = a.x + HALF_WIDTH, b.x - HALF_WIDTH - 3
        middle = (left + right) // 2
        return f"M{left} {a.y}C{middle} {a.y} {middle} {b.y} {right} {b.y}"


@dataclass(frozen=True)
class Graph:
    """Nodes and arrows, and how large the picture is."""

    nodes: tuple[Node, ...]
    arrows: tuple[Arrow, ...]
    width: int
    height: int

    @property
    def words(self) -> str:
        """Every arrow in words."""
        ends = dict.fromkeys(arrow.end.name for arrow in self.arrows)
        from_ = {end: [arrow.start.name for arrow in self.arrows if arrow.end.name == end] for end in ends}
        return "; ".join(f"{end} is computed from {', '.join(starts)}" for end, starts in from_.items()) + "."


def graph(press: Press) -> Graph:
    """The quantities of the forward pass in layers, inputs right before what reads them first."""
    example = press.run.example
    reads = reads_of(example)
    layers = _layers(example)
    last = max(layers.values())
    columns = [[name for name in layers if layers[name] == layer] for layer in range(last + 1)]
    tallest = max(map(len, columns))
    nodes = {
        name: _node(name, press, EDGE + COLUMN * layer, EDGE + ROW * at + ROW * (tallest - len(column)) // 2)
        for layer, column in enumerate(columns)
        for at, name in enumerate(column)
    }
    arrows = tuple(
        Arrow(nodes[start], nodes[end], layers[start] >= layers[end])
        for end, starts in reads.items()
        for start in starts
    )
    width = 2 * EDGE + COLUMN * (len(columns) - 1)
    below = BELOW - 8 if any(arrow.back for arrow in arrows) else 0
    return Graph(tuple(nodes.values()), arrows, width, 2 * EDGE + ROW * (tallest - 1) + below)


def reads_of(example: Example, plainly: bool = False) -> dict[str, tuple[str, ...]]:
    """What each quantity is computed from, in the order of the equations; ``plainly`` by letters alone."""
    found: dict[str, dict[str, None]] = {}
    known = {**example.data, **example.start, **example.forward.targets}
    for eq in example.forward:
        own = [ref for ref in refs(eq.body) if not plainly or all(map(is_letter, ref.indices))]
        read = dict.fromkeys(ref.name for ref in own if ref.name in known)
        found.setdefault(eq.target.name, {}).update(read)
    return {name: tuple(read) for name, read in found.items()}


def _layers(example: Example) -> dict[str, int]:
    """The layer of each name; in a recurrence, reads of earlier entries (``h[t - 1]``) do not count."""
    reads, now = reads_of(example), reads_of(example, plainly=True)
    found: dict[str, int] = {}
    waiting = list(reads)
    while waiting:
        ready = [name for name in waiting if not ({*reads[name]} - {name}) & {*waiting}]
        ready = ready or [name for name in waiting if not {*now[name]} & {*waiting}]
        name = (ready or waiting)[0]
        waiting.remove(name)
        found[name] = 1 + max((found.get(part, 0) for part in reads[name]), default=0)
    inputs = dict.fromkeys(part for parts in reads.values() for part in parts if part not in reads)
    first = {part: min(found[name] for name in reads if part in reads[name]) - 1 for part in inputs}
    return first | found


def _node(name: str, press: Press, x: int, y: int) -> Node:
    example = press.run.example
    kind = "data" if name in example.data else "parameter" if name in example.start else "quantity"
    stem, below = text_of(press.symbols.of(name))
    return Node(name, stem, below, "loss" if name == example.loss else kind, x, y)


def text_of(symbol: Symbol) -> tuple[str, str]:
    """A symbol as text: the letter with its accent, and what stands below it."""
    accent, _, letter = symbol.stem.rpartition(" ")
    return _letter(letter) + COMBINING.get(accent, ""), ",".join(map(_letter, symbol.subscripts))


def _letter(latex: str) -> str:
    upright = re.fullmatch(r"\\mathrm\{(.*)\}", latex)
    if upright or not latex.startswith("\\"):
        return upright[1] if upright else latex
    name = latex[1:].replace("var", "").replace("lambda", "lamda").replace("Lambda", "Lamda")
    size = "CAPITAL" if name[0].isupper() else "SMALL"
    return unicodedata.lookup(f"GREEK {size} LETTER {name.upper()}")


def check_graph(text: str, press: Press) -> None:
    """A finished picture has a node for every quantity and an arrow for everything that is read."""
    read = reads_of(press.run.example)
    wanted = {f"{start} → {end}" for end, starts in read.items() for start in starts}
    names = {name for end, starts in read.items() for name in (end, *starts)}
    if set(map(html.unescape, re.findall(r"<path[^>]*><title>(.*?)</title>", text))) != wanted:
        raise CheckFailed("the arrows of the picture are not those of the equations")
    if set(re.findall(r'<g class="\w+" id="(\w+)"', text)) != names:
        raise CheckFailed("the nodes of the picture are not those of the equations")
