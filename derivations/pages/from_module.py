"""From a module of PyTorch to a verified page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from derivations.formats.table import DEFAULT
from derivations.pages.page import Page, make
from derivations.pytorch.from_module import translate
from derivations.pytorch.module_itself import module_witness
from derivations.spec.spec import parse_spec

if TYPE_CHECKING:
    from derivations.pytorch.from_module import Translation


def from_module(
    module: Any,
    sample_input: Any,
    loss: Any,
    target: Any = None,
    optimizer: Mapping[str, Any] | None = None,
    *,
    title: str = "",
    formats: tuple[str, ...] = DEFAULT,
    **training: Any,
) -> Page:
    """The verified page of a ``torch.nn.Module`` on a batch of samples.

    ``sample_input`` is a tensor whose first axis is the samples', or a tuple of tensors; ``loss`` is a
    module, a function of the output and the target, or torch's name of one. ``optimizer`` is
    ``{"name": "SGD", "lr": 0.1}``; without one a single forward and backward pass is worked.
    ``batch_size``, ``epochs`` and other keys of ``[training]`` may follow. Parameters have the module's own
    values, exactly; frozen ones and buffers are data. The page is verified against the module itself.

    Raises `DerivationsError` for what cannot be translated, naming the line of the module's code.
    """
    found = _translated(module, sample_input, loss, target, optimizer, title, training)
    return make(*parse_spec(found.text), formats, (module_witness(found),))


def spec_from_module(
    module: Any,
    sample_input: Any,
    loss: Any,
    target: Any = None,
    optimizer: Mapping[str, Any] | None = None,
    *,
    title: str = "",
    **training: Any,
) -> str:
    """The text of the spec that `from_module` makes, to be saved and edited."""
    return _translated(module, sample_input, loss, target, optimizer, title, training).text


def _translated(
    module: Any,
    sample_input: Any,
    loss: Any,
    target: Any,
    optimizer: Mapping[str, Any] | None,
    title: str,
    training: Mapping[str, Any],
) -> Translation:
    name = title or f"{type(module).__name__} of PyTorch"
    keys = {"optimizer": optimizer, "sample": "i", **training}
    return translate(module, sample_input, loss, target, name, keys)
