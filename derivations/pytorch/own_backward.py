"""Where a backward pass may be no derivative of its forward pass: hooks, and functions of one's own."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import torch

from derivations.pytorch.borrowing import tensors_of


def other_backward(roots: Iterable[Any], loss: torch.Tensor) -> str:
    """The hooks of the modules among the roots, and the functions behind a loss, with their lines."""
    modules = [root for root in roots if isinstance(root, torch.nn.Module)]
    found = (text for part in (*map(_hooks, modules), _functions(loss)) for text in part)
    return ", ".join(dict.fromkeys(found))


def _hooks(root: torch.nn.Module) -> Iterator[str]:
    for path, part in root.named_modules():
        for hook in (*part._backward_hooks.values(), *part._backward_pre_hooks.values()):
            yield f"the hook of {path or type(part).__name__} at {_line(hook)}"
    for path, tensor in tensors_of(root):
        for hooks in (tensor._backward_hooks, getattr(tensor, "_post_accumulate_grad_hooks", None)):
            for hook in (hooks or {}).values():
                yield f"the hook of {path} at {_line(hook)}"


def _functions(loss: torch.Tensor) -> Iterator[str]:
    """The classes below ``torch.autograd.Function`` in the graph that the loss was made by."""
    waiting: list[Any] = [loss.grad_fn]
    seen = set[Any]()
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        waiting += [inner for inner, _ in node.next_functions]
        own = getattr(node, "_forward_cls", None)
        if own and not own.__module__.startswith("torch."):
            yield f"{own.__name__} at {_line(own)}"


def _line(thing: Any) -> str:
    """``net.py:12``, where a function or class can be read."""
    try:
        return f"{Path(inspect.getsourcefile(thing) or '').name}:{inspect.getsourcelines(thing)[1]}"
    except (OSError, TypeError):
        return "an unknown line"
