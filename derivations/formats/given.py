"""What a template is given: plain data made from the document, and nothing else.

A block is a frozen mapping of texts, numbers and tuples; words and formulas are texts. None of it has a
method that reaches a file, an object of ours, or anything beside the document. Filters, which work outside
of the sandbox, get back the words, formula or block that a piece of this data stands for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import wraps
from types import MappingProxyType
from typing import Any

from markupsafe import Markup

from derivations.document.blocks import (
    Code,
    Display,
    Document,
    Figure,
    Heading,
    Listing,
    Prose,
    Table,
)
from derivations.document.regions import Region
from derivations.figures.drawing import Drawing
from derivations.layout.frames import Frame
from derivations.layout.widths import Sheet
from derivations.notation.chain import Formula, Side
from derivations.notation.text import text

FIELDS: Mapping[type, tuple[str, ...]] = {
    Document: ("title", "language", "blocks"),
    Heading: ("level", "words", "part"),
    Prose: ("words", "kink", "exercise"),
    Display: ("formula",),
    Table: ("kind", "align", "header", "rows", "total"),
    Listing: ("language", "text"),
    Figure: ("name", "drawing"),
    Drawing: ("description",),
    Region: ("kind", "number", "blocks"),
    Frame: ("heading", "number", "pieces"),
    Sheet: ("table", "widths", "scale", "continues", "turned"),
}
"""What of the document a template may read. Anything else is opaque to it."""


class Text(str):
    """Words or a formula as plain text; ``at`` is the number of what it stands for.

    ``sides`` are those of a formula, each a mapping of its ``relation`` and the ``text`` of its ``expr``.
    """

    __slots__ = ("at", "sides")
    at: int
    sides: tuple[Mapping[str, Any], ...]


class Given:
    """The plain data of one rendering, and what each piece of it stands for.

    ``shapes`` are further dataclasses, of a format, whose fields a template may read.
    """

    def __init__(self, shapes: Sequence[type] = ()) -> None:
        self.shown = {**FIELDS, **{one: tuple(part.name for part in fields(one)) for one in shapes}}
        self.originals: list[Any] = []
        self.known: dict[int, Any] = {}  # by id; the originals are kept, so that no id is used again

    def of(self, value: Any) -> Any:
        """A value as plain data."""
        if value is None or isinstance(value, (bool, int, float, str)):
            return value
        if id(value) not in self.known:
            found = self._plain(value)
            self.originals.append(value)
            self.known[id(value)] = found
        return self.known[id(value)]

    def _plain(self, value: Any) -> Any:
        if _is_words(value) or isinstance(value, Formula):
            return self._text(value)
        if isinstance(value, (tuple, list)):
            return tuple(map(self.of, value))
        if isinstance(value, Mapping):
            return MappingProxyType({str(key): self.of(one) for key, one in value.items()})
        shown = {"type": type(value).__name__, "at": len(self.originals)}
        names = self.shown.get(type(value), ())
        self.originals.append(value)
        return MappingProxyType(shown | {name: self.of(getattr(value, name)) for name in names})

    def _text(self, value: Any) -> Text:
        found = Text(spelled(value))
        found.at = len(self.originals)
        found.sides = tuple(map(_side, value.sides)) if isinstance(value, Formula) else ()
        self.originals.append(value)
        return found

    def back(self, value: Any) -> Any:
        """What plain data stands for."""
        if isinstance(value, Text) or (isinstance(value, MappingProxyType) and "at" in value):
            return self.originals[value.at if isinstance(value, Text) else value["at"]]
        if isinstance(value, (tuple, list)):
            return tuple(map(self.back, value))
        return value

    def filter(self, work: Callable[..., Any]) -> Callable[..., Any]:
        """A filter of ours as a template calls it: plain data goes in and comes out."""

        @wraps(work)
        def filtered(*values: Any) -> Any:
            return self.of(work(*map(self.back, values)))

        return filtered


def _is_words(value: Any) -> bool:
    return isinstance(value, tuple) and all(
        isinstance(word, (str, Formula, Code)) and not isinstance(word, Markup) for word in value
    )


def spelled(value: Formula | tuple[str | Formula | Code, ...]) -> str:
    """Words, or a formula, as plain text: ``w = 0.5``."""
    if isinstance(value, Formula):
        return "".join(f" {side.relation} {text(side.expr)}" for side in value.sides).strip()
    return "".join(
        word if isinstance(word, str) else word.text if isinstance(word, Code) else spelled(word)
        for word in value
    )


def _side(side: Side) -> Mapping[str, Any]:
    shown = MappingProxyType({"text": text(side.expr)})
    return MappingProxyType({"relation": side.relation, "expr": shown})


def is_plain(value: Any) -> bool:
    """Whether a value is plain data through and through."""
    if isinstance(value, (tuple, MappingProxyType)):
        parts = value.values() if isinstance(value, MappingProxyType) else value
        return all(map(is_plain, parts))
    if isinstance(value, Text) and not is_plain(value.sides):
        return False
    return not is_dataclass(value) and (value is None or isinstance(value, (bool, int, float, str)))
