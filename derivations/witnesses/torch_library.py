"""torch's own layers and losses, found through the rows of the catalogue by their formulas."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from derivations.model.layers.placed import Placed
from derivations.model.recognize import Recognized
from derivations.witnesses.author import Pass
from derivations.witnesses.lines import Line
from derivations.witnesses.torch_rows import resolve


def keywords(arguments: str) -> dict[str, Any]:
    """The keyword arguments of a row as values: literals, and quotients of them such as 1/3."""
    call = ast.parse(f"f({arguments})", mode="eval").body
    assert isinstance(call, ast.Call)
    return {part.arg: _literal(part.value) for part in call.keywords if part.arg}


def _literal(node: ast.expr) -> Any:
    match node:
        case ast.BinOp(left=a, op=ast.Div(), right=b):
            return _literal(a) / _literal(b)
        case ast.Tuple(elts=parts):
            return tuple(map(_literal, parts))
    return ast.literal_eval(node)


def module_of(found: Recognized) -> Any:
    """The torch module of a recognized equation, in float64."""
    module = resolve(found.torch)(**keywords(found.arguments))
    return module.double() if isinstance(module, torch.nn.Module) else module


def layer_pass(placed: Placed, tensors: Mapping[str, torch.Tensor], shape: Sequence[int]) -> torch.Tensor:
    """The output of the layer's module on our parameters, connected for autograd.

    The indices in front of a layer are one axis for torch, the samples'.
    """
    row = placed.row
    given = {name: _flat(tensors[quantity], placed.cores[name]) for name, quantity in placed.inputs.items()}
    if row.reference is not None:
        own = {symbol: tensors[name] for symbol, name in placed.parameters.items()}
        output = row.reference(torch, given | own, placed.values)
    else:
        module = resolve(row.torch)(**placed.for_torch).double()
        weights = {
            name: _packed([tensors.get(part) for part in placed.packed[name]], parameter.shape)
            for name, parameter in module.named_parameters()
        }
        inputs = row.called(torch, given, placed.values) if row.called else (given["x"],)
        *operands, options = (*inputs, {}) if not isinstance(inputs[-1], dict) else inputs
        output = torch.func.functional_call(module, weights, tuple(operands), options)
    result: torch.Tensor = output[0] if isinstance(output, tuple) else output
    return result.reshape(tuple(shape))


def _flat(tensor: torch.Tensor, core: tuple[int, ...] | None) -> torch.Tensor:
    return tensor if core is None else tensor.reshape(-1, *core)


def _packed(parts: Sequence[torch.Tensor | None], shape: torch.Size) -> torch.Tensor:
    """Parameters one after the other in one tensor; zeros where there is none."""
    known = sum(part.numel() for part in parts if part is not None)
    blank = sum(part is None for part in parts)
    zeros = torch.zeros((shape.numel() - known) // max(blank, 1), dtype=torch.float64)
    return torch.cat([zeros if part is None else part.reshape(-1) for part in parts]).reshape(shape)


def loss_pass(found: Recognized, tensors: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """torch's loss of the prediction and the target that were recognized."""
    result: torch.Tensor = module_of(found)(tensors[found.input], tensors[found.target])
    return result


def library_pass(found: Mapping[str, Recognized]) -> Callable[[Pass, tuple[Line, ...]], None]:
    """A way of working the lines: torch's own layer or loss where a row was recognized."""
    places = {
        target: key for key, row in found.items() for target in (row.placed.targets if row.placed else (key,))
    }

    def work(forward: Pass, lines: tuple[Line, ...]) -> None:
        own: list[Line] = []  # lines that no row covers, worked together: they may be a recurrence
        for at, line in enumerate(lines):
            key = places.get(line.target)
            if key is None:
                own.append(line)
            elif all(places.get(other.target) != key for other in lines[at + 1 :]):
                forward.run_all(own)
                own = []
                forward.keep(key, _result(found[key], forward, key, lines))
                if (placed := found[key].placed) and placed.recurrent:
                    forward.partial.add(key)
        forward.run_all(own)

    return work


def _result(row: Recognized, forward: Pass, key: str, lines: tuple[Line, ...]) -> torch.Tensor:
    if row.placed is None:
        return loss_pass(row, forward.tensors)
    letters = next(
        line.indices for line in lines if line.target == key and not any(map(_is_number, line.indices))
    )
    return layer_pass(row.placed, forward.tensors, [forward.sizes[letter] for letter in letters])


def _is_number(part: str) -> bool:
    return part.lstrip("-").isdigit()
