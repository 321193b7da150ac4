"""The PyTorch program of an example: complete, runnable, the one that is run to verify the page.

Where the catalogue recognizes every equation the program uses ``nn`` modules; otherwise the
equations stand as tensor expressions. The text is made of names that the spec's grammar allows and
of numbers only; a title or any other free text never enters it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from derivations.language.ranges import sizes_of
from derivations.language.tree import Ref
from derivations.model.example import Example, sample_axes
from derivations.model.numbered import numbered_letters
from derivations.model.recognize import Recognized, recognize
from derivations.programs.code import PADDED, variable
from derivations.programs.loops import forward_code
from derivations.programs.optimizer import (
    back,
    cleared,
    is_written_out,
    needs_default_dtype,
    preparation,
    shown_gradients,
    stepped,
    tensor,
)
from derivations.spec.arrays import Array

SHOWN_AT_MOST, SHOWN_FIRST = 12, 3


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


@dataclass(frozen=True)
class Parts:
    """A program cut where a lesson pauses; ``calls`` is how it calls each parameter."""

    setup: tuple[str, ...]
    forward: tuple[str, ...]
    backward: tuple[str, ...]
    update: tuple[str, ...]
    prints: tuple[str, ...]
    calls: Mapping[str, str]

    @property
    def step(self) -> tuple[str, ...]:
        """Everything that one step does."""
        return (*self.forward, *self.backward, *self.update)


def parts(example: Example) -> Parts:
    """The program of an example: what stands before the steps, and the lines of one step."""
    found = {name: row for name, row in recognize(example).items() if row.torch}
    layer, loss = _single_layer(example, found), found.get(example.loss)
    modules = layer is not None and loss is not None and not is_written_out(example)
    setup, forward, calls = (
        _modules(example, layer, loss) if modules and layer and loss else _tensors(example)
    )
    return Parts(
        ("import torch", *_imports(example, modules), "", *setup),
        (*cleared(example, calls), *forward),
        tuple(back(example, calls)),
        tuple(stepped(example, calls, sizes_code(example))),
        tuple(_prints(example, calls)),
        calls,
    )


def listing(example: Example) -> str:
    """The program as text; its output is one line a step (see `shown_steps`)."""
    program = parts(example)
    return "\n".join([*program.setup, "", *_loop(example, program), ""])


def _imports(example: Example, modules: bool) -> Iterator[str]:
    if not is_written_out(example):
        yield "from torch import nn, optim" if modules else "from torch import optim"
    if needs_default_dtype(example):
        yield ""
        yield "torch.set_default_dtype(torch.float64)"


def _single_layer(example: Example, found: dict[str, Recognized]) -> Recognized | None:
    """The layer, if the model is one recognized layer and one recognized loss."""
    layers = [row for row in found.values() if row.kind == "layer"]
    if len(example.forward.equations) != 2 or len(found) != 2 or len(layers) != 1:
        return None
    target = next(eq.target for eq in example.forward if eq.target.name in found)
    plain = target.indices == (Ref(example.sample or ""),)
    return layers[0] if plain and set(layers[0].parameters.values()) == set(example.start) else None


Code: TypeAlias = tuple[list[str], list[str], dict[str, str]]


def _modules(example: Example, layer: Recognized, loss: Recognized) -> Code:
    """Before the steps, the forward pass, and how parameters are called: with torch's own modules."""
    calls = {name: f"model.{attribute}" for attribute, name in layer.parameters.items()}
    setup = [
        *_data(example),
        f"model = {layer.torch.removeprefix('torch.')}({layer.arguments}, dtype=torch.float64)",
        "with torch.no_grad():",
        *(f"    {call}[:] = {tensor(example.start[name])}  # {name}" for name, call in calls.items()),
        f"loss_function = {loss.torch.removeprefix('torch.')}({loss.arguments})",
        *preparation(example, calls, "model.parameters()"),
    ]
    output = next(eq.target.name for eq in example.forward)
    features = layer.features or 1
    batch = "[rows]" if example.sample else ""
    names = [
        variable(output) if part == output else f"{variable(part)}{batch}"
        for part in (loss.input, loss.target)
    ]
    forward = [
        f"{variable(output)} = model({variable(layer.input)}{batch}.reshape(-1, {features})).reshape(-1)",
        f"{variable(example.loss)} = loss_function({', '.join(names)})",
    ]
    return setup, forward, calls


def _tensors(example: Example) -> Code:
    """The same with tensors, every equation written out."""
    calls = {name: variable(name) for name in example.start}
    axes = sample_axes(example)
    letters = numbered_letters(example.forward, axes, example.sample)
    forward = forward_code(example.forward, axes, sizes_code(example), example.fits, letters)
    start = [
        f"{variable(n)} = {tensor(array)[:-1]}, requires_grad=True)" for n, array in example.start.items()
    ]
    setup = [*_data(example), *start, *preparation(example, calls, f"[{', '.join(calls.values())}]")]
    if any("padded(" in line for line in forward):
        setup += ["", *PADDED.splitlines()]
    return setup, forward, calls


def _data(example: Example) -> Iterator[str]:
    for name, array in example.data.items():
        yield f"{variable(name)} = {tensor(array)}"
    if example.data:
        yield ""


def sizes_code(example: Example) -> dict[str, str]:
    """How many values each index takes, as code: ``len(rows)`` for the samples."""
    shapes = {name: array.shape for name, array in {**example.data, **example.start}.items()}
    sizes = sizes_of(example.forward, shapes, example.spec.model.ranges)
    found = {name: str(size) for name, size in sizes.items()}
    return found | ({example.sample: "len(rows)"} if example.sample else {})


def all_batches(example: Example) -> str:
    """The batches of the whole run as code, those of equal epochs written once."""
    batches = [list(batch) for epoch in example.batches for batch in epoch]
    one_epoch = [list(batch) for batch in example.batches[0]]
    repeated = len(example.batches) > 1 and batches == one_epoch * len(example.batches)
    return f"{one_epoch} * {len(example.batches)}" if repeated else f"{batches}"


ROWS = "rows = torch.tensor(batch) - 1"


def _loop(example: Example, program: Parts) -> Iterator[str]:
    count, shown = sum(map(len, example.batches)), shown_steps(example)
    if example.sample:
        yield f"batches = {all_batches(example)}"
        yield "for step, batch in enumerate(batches, 1):"
        yield f"    {ROWS}"
    else:
        yield f"for step in range(1, {count + 1}):"
    yield from (f"    {line}" for line in program.step)
    indent = "    "
    if len(shown) < count:
        yield f"    if step in {shown}:"
        indent = "        "
    yield from (indent + line for line in program.prints)


def _prints(example: Example, parameters: dict[str, str]) -> Iterator[str]:
    loss = variable(example.loss)
    yield f'print(f"step {{step}}: {example.loss} = {{{loss}.item():.8g}}", end="")'
    gradients = shown_gradients(example, parameters)
    for array, (name, code) in zip(example.start.values(), gradients.items(), strict=True):
        yield from _print_values(name, code, array)
    for name, code in parameters.items():
        yield from _print_values(name, code, example.start[name])
    yield "print()"


def _print_values(name: str, code: str, array: Array) -> Iterator[str]:
    if not array.shape:
        yield f'print(f", {name} = {{{code}.item():.8g}}", end="")'
    else:
        values = f'", ".join(f"{{v:.8g}}" for v in {code}.flatten().tolist())'
        yield f"print(', {name} = [' + {values} + ']', end=\"\")"
