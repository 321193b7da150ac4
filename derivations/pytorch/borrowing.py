"""The user's own modules, borrowed: in float64 inside a block, and as they were after it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import fx
from torch.overrides import TorchFunctionMode

from derivations.witnesses.optimizer import default_type

FEWER_DIGITS = frozenset({torch.float32, torch.float16, torch.bfloat16})


@contextmanager
def borrowed(roots: Iterable[Any], others: Iterable[torch.Tensor] = ()) -> Iterator[None]:
    """Inside the block the modules among the roots, and other tensors, are in float64, without gradients.

    They stay the same objects, so that a loss that holds them, a hook and a tied weight still do. After it
    their numbers, gradients, buffers, attributes and modes are what they were, and so are the generators of
    random numbers.
    """
    modules = [root for root in roots if isinstance(root, torch.nn.Module)]
    tensors = {id(tensor): tensor for tensor in others}
    tensors |= {id(tensor): tensor for module in modules for _, tensor in tensors_of(module)}
    with ExitStack() as after:
        _remember_generators(after)
        for part in {id(part): part for module in modules for part in module.modules()}.values():
            _remember_attributes(part, after)
        for tensor in tensors.values():
            _lend(tensor, after)
        for block in (default_type(torch.float64), torch.enable_grad(), InFloat64()):
            after.enter_context(block)
        yield


def _remember_generators(after: ExitStack) -> None:
    after.enter_context(torch.random.fork_rng(devices=[]))
    after.callback(random.setstate, random.getstate())
    after.callback(partial(np.random.set_state, np.random.get_state()))


def _remember_attributes(module: torch.nn.Module, after: ExitStack) -> None:
    """Its attributes, and what is in those that are lists, sets or tables."""
    own = vars(module)
    for value in own.values():
        if isinstance(value, (dict, set)):
            after.callback(_refilled, value, value.copy(), value.update)
        elif isinstance(value, list):
            after.callback(_refilled, value, value.copy(), value.extend)
    after.callback(_refilled, own, own.copy(), own.update)


def _refilled(container: Any, content: Any, fill: Callable[[Any], Any]) -> None:
    container.clear()
    fill(content)


def _lend(tensor: torch.Tensor, after: ExitStack) -> None:
    """A copy of a tensor's numbers for it to work with, its gradient put aside."""
    grad = tensor.grad if tensor.is_leaf else None
    after.callback(_given_back, tensor, tensor.data, grad)
    if tensor.is_leaf:
        tensor.grad = None
    wider = torch.float64 if tensor.is_floating_point() else tensor.dtype
    tensor.data = tensor.data.to(wider, copy=True)


def _given_back(tensor: torch.Tensor, numbers: torch.Tensor, grad: torch.Tensor | None) -> None:
    if tensor.is_leaf:
        tensor.grad = None
    tensor.data = numbers
    if grad is not None:
        tensor.grad = grad


def tensors_of(module: torch.nn.Module) -> Iterator[tuple[str, torch.Tensor]]:
    """Every parameter, buffer and plain tensor of a module and its parts, with its path."""
    for path, part in module.named_modules():
        for name, tensor in {**part._parameters, **part._buffers, **vars(part)}.items():
            if isinstance(tensor, torch.Tensor):
                yield f"{path}.{name}" if path else name, tensor


class InFloat64(TorchFunctionMode):
    """Inside the block torch's functions take numbers with fewer digits as float64."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if not func.__name__.endswith("_"):  # what works in place works on the tensor itself
            args, kwargs = fx.node.map_aggregate((args, kwargs), _widened)
        return func(*args, **kwargs)


def _widened(part: Any) -> Any:
    few = isinstance(part, torch.Tensor) and part.dtype in FEWER_DIGITS
    return part.double() if few else part
