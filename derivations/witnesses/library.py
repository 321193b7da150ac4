"""torch's own layers and losses, found through the rows of the catalogue by their formulas."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import Any

import torch

from derivations.examples.recognize import Recognized
from derivations.witnesses.author import Pass
from derivations.witnesses.lines import Line
from derivations.witnesses.torch_rows import resolve


def keywords(arguments: str) -> dict[str, Any]:
    """The keyword arguments of a row as values: literals only."""
    call = ast.parse(f"f({arguments})", mode="eval").body
    assert isinstance(call, ast.Call)
    return {part.arg: ast.literal_eval(part.value) for part in call.keywords if part.arg}


def module_of(found: Recognized) -> Any:
    """The torch module of a recognized equation, in float64."""
    module = resolve(found.torch)(**keywords(found.arguments))
    return module.double() if isinstance(module, torch.nn.Module) else module


def layer_pass(found: Recognized, tensors: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """The output of the layer's module on our parameters, connected for autograd."""
    module = module_of(found)
    weights = {
        attribute: tensors[name].reshape(getattr(module, attribute).shape)
        for attribute, name in found.parameters.items()
    }
    features = found.features or 1
    inputs = tensors[found.input].reshape(-1, features)
    output: torch.Tensor = torch.func.functional_call(module, weights, (inputs,))
    return output.reshape(-1)


def loss_pass(found: Recognized, tensors: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """torch's loss of the prediction and the target that were recognized."""
    result: torch.Tensor = module_of(found)(tensors[found.input], tensors[found.target])
    return result


def library_pass(found: Mapping[str, Recognized]) -> Callable[[Pass, tuple[Line, ...]], None]:
    """A way of working a line: torch's own layer or loss where a row was recognized."""

    def work(forward: Pass, lines: tuple[Line, ...]) -> None:
        for line in lines:
            row = found.get(line.target)
            if row is None:
                forward.run_all((line,))
            else:
                result = (loss_pass if row.kind == "loss" else layer_pass)(row, forward.tensors)
                forward.keep(line.target, result)

    return work
