"""The PyTorch program of an example: complete, runnable, the one that is run to verify the page.

Where the catalogue recognizes every equation the program uses ``nn`` modules; otherwise the
equations stand as tensor expressions. The text is made of names that the spec's grammar allows and
of numbers only; a title or any other free text never enters it.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from derivations.examples.arrays import Array
from derivations.examples.example import Example, sample_axes
from derivations.examples.recognize import Recognized, recognize
from derivations.language.tree import Ref, refs
from derivations.notation.torch_code import assignment, variable

SHOWN_AT_MOST, SHOWN_FIRST = 12, 3
LARGEST_INTEGER, MOST_PLACES = 2**53, 40


def shown_steps(example: Example) -> tuple[int, ...]:
    """Which steps a page and a program print: those that the spec lists, or its first few and the last.

    Where the spec says nothing: all of a few steps, else the first three and the last.
    """
    count, wanted = sum(map(len, example.batches)), example.spec.page.steps
    if isinstance(wanted, tuple):
        return tuple(sorted({number for number in wanted if number <= count}))
    if wanted is None:
        wanted = count if count <= SHOWN_AT_MOST else SHOWN_FIRST
    return tuple(sorted({*range(1, min(wanted, count) + 1), count}))


def decimal(value: Fraction) -> str:
    """A number as Python reads it back: ``0.01`` for 1/100, a quotient where there is no decimal."""
    if value.denominator == 1:
        large = abs(value.numerator) > LARGEST_INTEGER  # torch takes such a number as a float only
        return f"{value.numerator}.0" if large else str(value.numerator)
    places = next((n for n in range(1, 1_000) if 10**n % value.denominator == 0), None)
    if places is None:
        return f"{value.numerator}/{value.denominator}"
    if places >= MOST_PLACES:
        return f"{value.numerator * 10**places // value.denominator}e-{places}"
    digits = str(abs(value.numerator) * 10**places // value.denominator).rjust(places + 1, "0")
    return ("-" if value < 0 else "") + f"{digits[:-places]}.{digits[-places:]}"


def optimizer_arguments(example: Example) -> str:
    """The arguments of the optimizer as torch spells them: ``lr=0.01``."""
    known = {name: decimal(value) for name, value in example.hyper.items()}
    return example.optimizer.arguments.format(**known)


def listing(example: Example) -> str:
    """The program as text; its output is one line a step (see `shown_steps`)."""
    found = {name: row for name, row in recognize(example).items() if row.torch}
    layer, loss = _single_layer(example, found), found.get(example.loss)
    body = _modules(example, layer, loss) if layer and loss else _tensors(example)
    return "\n".join(
        ["import torch", "from torch import nn, optim" if layer else "from torch import optim", "", *body, ""]
    )


def _single_layer(example: Example, found: dict[str, Recognized]) -> Recognized | None:
    """The layer, if the model is one recognized layer and one recognized loss."""
    layers = [row for row in found.values() if row.kind == "layer"]
    if len(example.forward.equations) != 2 or len(found) != 2 or len(layers) != 1:
        return None
    return layers[0] if set(layers[0].parameters.values()) == set(example.start) else None


def _modules(example: Example, layer: Recognized, loss: Recognized) -> Iterator[str]:
    yield from _data(example)
    yield f"model = {layer.torch.removeprefix('torch.')}({layer.arguments}, dtype=torch.float64)"
    yield "with torch.no_grad():"
    for attribute, name in layer.parameters.items():
        yield f"    model.{attribute}[:] = {_tensor(example.start[name])}  # {name}"
    yield f"loss_function = {loss.torch.removeprefix('torch.')}({loss.arguments})"
    yield f"optimizer = {_optimizer(example, 'model.parameters()')}"
    yield ""
    output = next(eq.target.name for eq in example.forward)
    features = layer.features or 1
    batch = "[rows]" if example.sample else ""
    names = [
        variable(output) if part == output else f"{variable(part)}{batch}"
        for part in (loss.input, loss.target)
    ]
    yield from _loop(
        example,
        [
            f"{variable(output)} = model({variable(layer.input)}{batch}.reshape(-1, {features})).reshape(-1)",
            f"{variable(example.loss)} = loss_function({', '.join(names)})",
        ],
        {name: f"model.{attribute}" for attribute, name in layer.parameters.items()},
    )


def _tensors(example: Example) -> Iterator[str]:
    yield from _data(example)
    for name, array in example.start.items():
        yield f"{variable(name)} = {_tensor(array)[:-1]}, requires_grad=True)"
    names = ", ".join(variable(name) for name in example.start)
    yield f"optimizer = {_optimizer(example, f'[{names}]')}"
    yield ""
    sizes = _sizes(example)
    axes = sample_axes(example)
    forward = [assignment(eq, axes, sizes) for eq in example.forward]
    yield from _loop(example, forward, {name: variable(name) for name in example.start})


def _data(example: Example) -> Iterator[str]:
    for name, array in example.data.items():
        yield f"{variable(name)} = {_tensor(array)}"
    yield ""


def _tensor(array: Array) -> str:
    return f"torch.tensor({_nested(array.shape, [decimal(v) for v in array.entries])}, dtype=torch.float64)"


def _nested(shape: tuple[int, ...], entries: list[str]) -> str:
    if not shape:
        return entries[0]
    size = len(entries) // shape[0]
    rows = [_nested(shape[1:], entries[k * size : (k + 1) * size]) for k in range(shape[0])]
    return f"[{', '.join(rows)}]"


def _optimizer(example: Example, parameters: str) -> str:
    name = example.optimizer.torch.removeprefix("torch.")
    return f"{name}({parameters}, {optimizer_arguments(example)})"


def _sizes(example: Example) -> dict[str, str]:
    """How many values each index takes, as code: ``len(rows)`` for the samples."""
    found: dict[str, str] = {}
    arrays = {**example.data, **example.start}
    for eq in example.forward:
        for ref in refs(eq.body):
            for axis, part in enumerate(ref.indices):
                if ref.name in arrays and isinstance(part, Ref):
                    found.setdefault(part.name, str(arrays[ref.name].shape[axis]))
    return found | ({example.sample: "len(rows)"} if example.sample else {})


def _loop(example: Example, forward: list[str], parameters: dict[str, str]) -> Iterator[str]:
    batches = [list(batch) for epoch in example.batches for batch in epoch]
    one_epoch = [list(batch) for batch in example.batches[0]]
    repeated = len(example.batches) > 1 and batches == one_epoch * len(example.batches)
    if example.sample:
        yield f"batches = {one_epoch} * {len(example.batches)}" if repeated else f"batches = {batches}"
        yield "for step, batch in enumerate(batches, 1):"
        yield "    rows = torch.tensor(batch) - 1"
    else:
        yield f"for step in range(1, {len(batches) + 1}):"
    yield "    optimizer.zero_grad()"
    yield from (f"    {line}" for line in forward)
    yield f"    {variable(example.loss)}.backward()"
    yield "    optimizer.step()"
    shown = shown_steps(example)
    indent = "    "
    if len(shown) < len(batches):
        yield f"    if step in {shown}:"
        indent = "        "
    yield from (indent + line for line in _prints(example, parameters))


def _prints(example: Example, parameters: dict[str, str]) -> Iterator[str]:
    loss = variable(example.loss)
    yield f'print(f"step {{step}}: {example.loss} = {{{loss}.item():.8g}}", end="")'
    for name, code in parameters.items():
        yield from _print_values(f"d{example.loss}/d{name}", f"{code}.grad", example.start[name])
    for name, code in parameters.items():
        yield from _print_values(name, code, example.start[name])
    yield "print()"


def _print_values(name: str, code: str, array: Array) -> Iterator[str]:
    if not array.shape:
        yield f'print(f", {name} = {{{code}.item():.8g}}", end="")'
    else:
        values = f'", ".join(f"{{v:.8g}}" for v in {code}.flatten().tolist())'
        yield f"print(', {name} = [' + {values} + ']', end=\"\")"
