"""Operations of torch that only look at an array in another way: no equation, another view.

Each takes the view, the arguments of the call by name and the shape that torch gave its result.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from derivations.pytorch.axes import CannotSay, Fresh, Letter, View, narrow, permute, reshape

Shape = tuple[int, ...]


def reshaped(view: View, arguments: Mapping[str, Any], shape: Shape, fresh: Fresh) -> View:
    """The same entries in the same order: ``flatten``, ``view``, ``squeeze``, ``unsqueeze``, no change."""
    return view if shape == view.shape else reshape(view, shape, fresh)


def transposed(view: View, arguments: Mapping[str, Any], shape: Shape, fresh: Fresh) -> View:
    """Two axes exchanged, the last two where none are named."""
    rank = len(view.axes)
    if rank < 2 and "dim0" not in arguments:
        return view
    a, b = (arguments.get(name, place) % rank for name, place in (("dim0", -2), ("dim1", -1)))
    order = list(range(rank))
    order[a], order[b] = b, a
    return permute(view, order)


def permuted(view: View, arguments: Mapping[str, Any], shape: Shape, fresh: Fresh) -> View:
    """The axes in another order."""
    return permute(view, [axis % len(view.axes) for axis in arguments["dims"]])


def expanded(view: View, arguments: Mapping[str, Any], shape: Shape, fresh: Fresh) -> View:
    """Axes of length 1 repeated, and new ones in front: letters that no bracket reads."""
    axes = [(), *[()] * (len(shape) - len(view.axes) - 1), *view.axes][-len(shape) :] if shape else []
    taken: list[Letter] = list(view.letters)
    for place, size in enumerate(shape):
        if not axes[place] and size > 1:
            axes[place] = (fresh(size, taken),)
            taken += axes[place]
    return replace(view, axes=tuple(axes))


def taken_out(view: View, arguments: Mapping[str, Any], shape: Shape, fresh: Fresh) -> View:
    """``x[:, 0, 1:]``: whole numbers, slices, new axes."""
    given = arguments["index"]
    parts = list(given) if isinstance(given, tuple) else [given]
    if Ellipsis in [part for part in parts if not isinstance(part, View)]:
        at = parts.index(Ellipsis)
        named = sum(part is not None for part in parts) - 1
        parts[at : at + 1] = [slice(None)] * (len(view.axes) - named)
    axis = 0
    for part in parts:
        if part is None:
            continue
        if isinstance(part, slice):
            start, stop, step = part.indices(view.shape[axis])
            view = narrow(view, axis, start, step, len(range(start, stop, step)), fresh)
            axis += 1
        elif isinstance(part, int):
            view = _selected(view, axis, part, fresh)
        else:
            raise CannotSay(f"an index that is {type(part).__name__.lower()}")
    return reshaped(view, arguments, shape, fresh)


def _selected(view: View, axis: int, position: int, fresh: Fresh) -> View:
    size = view.shape[axis]
    view = narrow(view, axis, position % size, 1, 1, fresh)
    return replace(view, axes=(*view.axes[:axis], *view.axes[axis + 1 :]))


def selected(view: View, arguments: Mapping[str, Any], shape: Shape, fresh: Fresh) -> View:
    """One position along an axis."""
    return _selected(view, arguments["dim"] % len(view.axes), arguments["index"], fresh)


def narrowed(view: View, arguments: Mapping[str, Any], shape: Shape, fresh: Fresh) -> View:
    """Neighbouring positions along an axis."""
    axis, start, length = arguments["dim"] % len(view.axes), arguments["start"], arguments["length"]
    return narrow(view, axis, start % view.shape[axis], 1, length, fresh)


def chunked(view: View, arguments: Mapping[str, Any], shapes: Sequence[Shape], fresh: Fresh) -> Any:
    """Neighbouring parts along an axis, each a view: ``chunk``, ``split``, ``unbind``."""
    axis, start, parts = arguments["dim"] % len(view.axes), 0, []
    for shape in shapes:
        length = shape[axis] if len(shape) == len(view.axes) else 1
        part = narrow(view, axis, start, 1, length, fresh)
        parts.append(reshaped(part, {}, shape, fresh))
        start += length
    return tuple(parts)


VIEWS: Mapping[str, Callable[..., Any]] = {
    "reshape": reshaped,
    "transpose": transposed,
    "permute": permuted,
    "expand": expanded,
    "getitem": taken_out,
    "select": selected,
    "narrow": narrowed,
    "chunk": chunked,
}
