"""The spec of a module: traced, translated and written as TOML, with the module's own numbers."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence, Set
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import numpy as np
import torch
from torch import fx

from derivations.catalogue import optimizers
from derivations.catalogue.operations import OPERATIONS
from derivations.language.errors import DerivationsError, SpecError, moved, nearest
from derivations.pytorch.axes import SAMPLE, View
from derivations.pytorch.borrowing import borrowed, tensors_of
from derivations.pytorch.graph import VALUE, Graph, Owners, write_down
from derivations.pytorch.optimizer_object import training_tables
from derivations.pytorch.translate import Translator

MODEL, CRITERION = "model", "loss"
OUTPUT, LOSS = "yhat", "L"
LONGEST = 60  # signs of a line that a message repeats


@dataclass(frozen=True)
class Translation:
    """A module in the language of the package.

    ``text`` is the spec; ``module`` and ``loss`` are the user's own objects. ``nodes`` says of which graph
    and node a quantity is the value, ``parameters`` are their own; ``inputs`` and ``targets`` are the
    arrays that go in, each with a tensor of its type, ``positions`` those that count from 1 and
    ``sampled`` those with an axis of samples.
    """

    text: str
    module: torch.nn.Module
    loss: Any
    nodes: Mapping[str, tuple[str, str]]
    parameters: Mapping[str, torch.Tensor]
    inputs: Mapping[str, torch.Tensor]
    targets: Mapping[str, torch.Tensor]
    positions: Set[str]
    sampled: Set[str]

    def graphs(self, inputs: Sequence[torch.Tensor], targets: Sequence[torch.Tensor]) -> tuple[Graph, Graph]:
        """The module and its loss traced, as functions of the same parameters, with the values of now."""
        owners = Owners.of(self.module, self.loss)
        model = write_down(self.module, inputs, MODEL, owners)
        return model, write_down(self.loss, [_output(model), *targets], CRITERION, owners)

    @property
    def borrowed(self) -> AbstractContextManager[None]:
        """The block in which module and loss work in float64."""
        return borrowed((self.module, self.loss), self.parameters.values())


def translate(
    module: torch.nn.Module,
    sample_input: Any,
    loss: Any,
    target: Any,
    title: str,
    training: Mapping[str, Any],
) -> Translation:
    """The module as a spec; raises `DerivationsError` naming what cannot be translated and its line."""
    inputs, targets = _tensors(sample_input, "sample_input"), _tensors(target, "target")
    samples = len(inputs[0]) if inputs and inputs[0].ndim else 0
    if samples == 0:
        raise DerivationsError("sample_input has no first axis for the samples", hint="Use x.unsqueeze(0).")
    seen, aims = ([_doubled(tensor, samples) for tensor in given] for given in (inputs, targets))
    found = Translation("", _module(module), _loss(loss), {}, {}, {}, {}, frozenset(), frozenset())
    for root in (found.module, found.loss):
        for path, tensor in tensors_of(root) if isinstance(root, torch.nn.Module) else ():
            _check_digits(path, tensor)
    with found.borrowed:
        return _filled(found, samples, (inputs, seen), (targets, aims), title, training)


def _filled(
    found: Translation,
    samples: int,
    inputs: tuple[Sequence[torch.Tensor], Sequence[torch.Tensor]],
    targets: tuple[Sequence[torch.Tensor], Sequence[torch.Tensor]],
    title: str,
    training: Mapping[str, Any],
) -> Translation:
    """The translation of borrowed objects; inputs and targets as they are given and as they are seen."""
    (own_inputs, seen), (own_targets, aims) = inputs, targets
    model, criterion = found.graphs(seen, aims)
    work = Translator(max(samples, 2), _reserved())
    views = [work.given(_plain(name), one) for name, one in zip(model.inputs, seen, strict=True)]
    output = work.graph(model, views, OUTPUT)
    wanted = [work.given("y", tensor) for tensor in aims]
    result = work.graph(criterion, [output, *wanted], LOSS)
    if not isinstance(result, View) or result.axes or result.name != LOSS:
        raise DerivationsError("the loss is not one number that is worked from the module's output")
    own = [*own_inputs, *own_targets]
    given = {view.name: tensor for view, tensor in zip([*views, *wanted], own, strict=True)}
    text = spec_text(title, work, given, training_tables(training, work.parameters))
    return replace(
        found,
        text=text,
        nodes=work.nodes,
        parameters=work.parameters,
        inputs={view.name: given[view.name] for view in views},
        targets={view.name: given[view.name] for view in wanted},
        positions=work.lookups,
        sampled=work.sampled,
    )


def _check_digits(name: str, tensor: torch.Tensor) -> None:
    """Numbers with so few digits were made for another arithmetic: the page would visibly differ from it."""
    if tensor.is_floating_point() and tensor.dtype not in (torch.float32, torch.float64):
        message = f"'{name}' is {str(tensor.dtype).removeprefix('torch.')}; a page works in float64"
        hint = "If it may have other digits than the module, call .float() on a copy first."
        raise DerivationsError(message, hint=hint)


def _plain(name: str) -> str:
    """What torch's own modules call ``input`` is x on a page."""
    return "x" if name == "input" else name


def _tensors(given: Any, what: str) -> list[torch.Tensor]:
    """One array or several, a tuple or a list of arrays, as tensors; what is in floats becomes float64."""
    several = isinstance(given, tuple)
    several |= isinstance(given, list) and any(hasattr(part, "shape") for part in given)
    found = [_tensor(part, what) for part in ([] if given is None else given if several else [given])]
    for tensor in found:
        _check_digits(what, tensor)
    return [tensor.double() if tensor.is_floating_point() else tensor for tensor in found]


def _tensor(given: Any, what: str) -> torch.Tensor:
    """A tensor, or whatever NumPy makes an array of numbers of."""
    if isinstance(given, torch.Tensor):
        return given
    try:
        array = np.array(given)
    except ValueError as fault:  # rows of different lengths, or what is no number
        raise DerivationsError(f"{what}: {fault}") from None
    if array.dtype.kind not in "biuf":
        raise DerivationsError(
            f"{what}: expected a tensor or an array of numbers, found {type(given).__name__}"
        )
    return torch.from_numpy(array)


def _doubled(tensor: torch.Tensor, samples: int) -> torch.Tensor:
    """A single sample twice, so that the axis of the samples is seen apart from axes of length 1."""
    alone = samples == 1 and tensor.ndim > 0 and len(tensor) == 1
    return torch.cat([tensor, tensor]) if alone else tensor


def _module(module: Any) -> torch.nn.Module:
    if not isinstance(module, torch.nn.Module):
        raise DerivationsError(f"expected a torch.nn.Module, found {type(module).__name__}")
    return module


def _loss(loss: Any) -> Any:
    """A loss module or function, or torch's by its name."""
    if not isinstance(loss, str):
        return loss
    classes = {name: getattr(torch.nn, name) for name in dir(torch.nn) if name.endswith("Loss")}
    names = {name for row in OPERATIONS if "target" in row.arguments for name in row.names}
    if loss in classes:
        return classes[loss]()
    if loss not in names:
        raise DerivationsError(f"unknown loss '{loss}'", hint=nearest(loss, {*classes, *names}, "losses"))
    return getattr(torch.nn.functional, loss)


def _output(model: Graph) -> torch.Tensor:
    output = model.output
    if not isinstance(output, fx.Node) or not isinstance(output.meta[VALUE], torch.Tensor):
        raise DerivationsError("the module returns something other than one tensor")
    found: torch.Tensor = output.meta[VALUE]
    return found


def _reserved() -> set[str]:
    """Names that the optimizers use for themselves."""
    knobs = {name for row in optimizers.OPTIMIZERS for name in row.hyper}
    return {*knobs, "theta", "g", "t", OUTPUT, LOSS}


def in_the_module(fault: SpecError, text: str) -> SpecError:
    """A fault in the spec of a module at what the user wrote: a line of code, a keyword, a tensor's name."""
    lines = text.splitlines()
    line = lines[fault.line - 1] if fault.line and fault.line <= len(lines) else ""
    key, _, value = line.partition(" = ")
    equation = text.find(line) < text.find("[data]")
    place = value.rpartition("# ")[2] if equation and "# " in value else f"{key} = {value}"
    shown = place if len(place) <= LONGEST else key
    return moved(fault, shown) if line else fault


# --- the text of the spec -----------------------------------------------------------------------------


def spec_text(
    title: str, work: Translator, given: Mapping[str, torch.Tensor], training: Mapping[str, Any]
) -> str:
    """The spec as TOML; decimals are the exact values of the module's numbers."""
    width = max(len(line) for line, _ in work.lines)
    lines = [f"{line:{width}}  # {place}" for line, place in work.lines]
    shown = ", ".join(f"{letter} = {size}" for letter, size in sorted(work.ranges.items()))
    ranges = [f"ranges = {{ {shown} }}"] if shown else []
    data = {name: given.get(name, tensor) for name, tensor in work.data.items()}
    return "\n".join(
        [
            f"title = {_toml(title)}",
            "",
            "[model]",
            'equations = """',
            *lines,
            '"""',
            *ranges,
            "",
            "[data]",
            *(f"{name} = {_written(name, tensor, work)}" for name, tensor in data.items()),
            "",
            "[parameters]",
            *(f"{name} = {_written(name, tensor, work)}" for name, tensor in work.parameters.items()),
            "",
            "[training]",
            *([] if "sample" in training else [f"sample = {_toml(_sample(work))}"]),
            *(f"{key} = {_toml(value)}" for key, value in training.items() if value is not None),
            "",
        ]
    )


def _sample(work: Translator) -> str | bool:
    """The letter of the first axis of torch's tensors; false where no equation reads data along it."""
    names = "|".join(sorted(work.sampled & work.data.keys()))
    read = names and any(re.search(rf"\b(?:{names})\[{SAMPLE}\b", line) for line, _ in work.lines)
    return SAMPLE if read else False


def _toml(value: Any) -> str:
    """A setting as TOML."""
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{key} = {_toml(part)}' for key, part in value.items())} }}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(value, ensure_ascii=False)


def _written(name: str, tensor: torch.Tensor, work: Translator) -> str:
    """An array as nested lists without its axes of length 1, perhaps cut; positions count from 1."""
    sampled = name in work.sampled
    shape = [size for place, size in enumerate(tensor.shape) if size > 1 or (place == 0 and sampled)]
    plain = tensor.detach().reshape(work.cut.get(name, shape)) + (1 if name in work.lookups else 0)
    return _nested(plain.tolist())


def _nested(values: Any) -> str:
    if isinstance(values, list):
        return f"[{', '.join(map(_nested, values))}]"
    exact = Decimal(values)
    if not exact.is_finite():
        raise DerivationsError(f"a number of the module or of its data is {values}")
    return str(exact)
