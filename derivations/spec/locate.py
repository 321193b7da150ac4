"""Line and column of a key in a TOML text, found by a parser that keeps positions.

Only errors need this, so the parser is imported when there is one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any


def locate(text: str, path: Sequence[str | int], at: int | None = None) -> tuple[int, int]:
    """Where the key stands (from 1), or its nearest parent; ``at`` is an offset in its text value."""
    import tree_sitter_toml
    from tree_sitter import Language, Parser

    source = text.encode()
    root = Parser(Language(tree_sitter_toml.language())).parse(source).root_node
    best: Any = None
    for found, key, value in _pairs(root, ()):
        wanted = tuple(path[: len(found)])
        if found == wanted and (best is None or len(found) > best[0]):
            best = (len(found), key, value)
    if best is None:
        return 1, 1
    _, key, value = best
    if at is not None and value is not None and value.type == "string":
        return _inside(source, value, at)
    value = _element(value, path[best[0] :])
    if at is not None and len(path) > best[0] and value is not None and value.type == "string":
        return _inside(source, value, at)
    spot = value if len(path) > best[0] and value is not None else key
    return _point(source, spot.start_byte)


def _pairs(node: Any, prefix: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], Any, Any]]:
    """Every key with its path: tables, pairs, and the pairs of inline tables."""
    elements: dict[tuple[str | int, ...], int] = {}
    for child in node.named_children:
        if child.type in ("table", "table_array_element"):
            keys = [part for part in child.named_children if "key" in part.type]
            path = (*prefix, *_names(keys[0])) if keys else prefix
            if child.type == "table_array_element":  # [[training.groups]], the first, the second …
                elements[path] = elements.get(path, -1) + 1
                path = (*path, elements[path])
            yield path, child, None
            yield from _pairs(child, path)
        elif child.type == "pair":
            key, value = child.named_children[0], child.named_children[-1]
            path = (*prefix, *_names(key))
            yield path, key, value
            if value.type == "inline_table":
                yield from _pairs(value, path)


def _names(key: Any) -> list[str]:
    if key.type == "dotted_key":
        return [name for part in key.named_children for name in _names(part)]
    return [key.text.decode().strip("\"'")]


def _element(value: Any, rest: Sequence[str | int]) -> Any:
    for part in rest:
        if value is None or value.type != "array" or not isinstance(part, int):
            return None
        items = [child for child in value.named_children if child.type != "comment"]
        value = items[part] if part < len(items) else None
    return value


def _inside(source: bytes, value: Any, at: int) -> tuple[int, int]:
    """The place of an offset in a text; texts with escapes are located as if they had none."""
    raw = source[value.start_byte : value.end_byte]
    quotes = 3 if raw[:3] in (b'"""', b"'''") else 1
    start = value.start_byte + quotes
    if quotes == 3 and source[start : start + 1] == b"\n":
        start += 1
    text = source[start:].decode()
    return _point(source, start + len(text[:at].encode()))


def _point(source: bytes, offset: int) -> tuple[int, int]:
    before = source[:offset].decode(errors="replace")
    return before.count("\n") + 1, len(before) - before.rfind("\n")
