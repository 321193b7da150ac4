"""A module written down by torch.fx, with the value that torch itself has at every node.

No module is a leaf, so ``nn.Linear`` appears as the functional call that it makes. Proxies know the
shape of what they stand for: control flow that depends on shapes is followed, control flow that
depends on numbers is refused with its line.
"""

from __future__ import annotations

import inspect
import re
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import fx

from derivations.language.errors import DerivationsError

INTERNAL = str(Path(torch.__file__).parent)
FRAME = re.compile(r'File "(?P<file>[^"]+)", line (?P<line>\d+)')
PACKAGE = str(Path(__file__).parent)
VALUE = "value"


@dataclass(frozen=True)
class Place:
    """Where an operation stands: the line of the user's code and the path of the module."""

    file: str = ""
    line: int | None = None
    module: str = ""

    def __str__(self) -> str:
        return f"{self.module}, {Path(self.file).name}:{self.line}" if self.file else self.module

    def error(self, message: str, hint: str = "") -> DerivationsError:
        """An error that names the place."""
        where = f"{self.module}: " if self.module else ""
        return DerivationsError(f"{where}{message}", hint=hint, file=self.file, line=self.line)


class _Shaped(fx.Proxy):
    """A proxy that answers questions about shapes with numbers."""

    @property
    def known(self) -> Any:
        return self.node.meta[VALUE]

    shape = property(lambda self: self.known.shape)
    ndim = property(lambda self: self.known.ndim)
    dtype = property(lambda self: self.known.dtype)
    device = property(lambda self: self.known.device)

    def dim(self) -> Any:
        return self.known.dim()

    def size(self, *dim: int) -> Any:
        return self.known.size(*dim)

    def numel(self) -> Any:
        return self.known.numel()

    def __len__(self) -> int:
        return len(self.known)

    def __iter__(self) -> Any:
        parts: Any = self
        return (parts[place] for place in range(len(self.known)))


class _Tracer(fx.Tracer):
    """Follows a call with its values, down to torch's own functions."""

    record_stack_traces = True

    def __init__(self, inputs: Sequence[torch.Tensor]) -> None:
        super().__init__()
        self.inputs = list(inputs)

    def is_leaf_module(self, m: torch.nn.Module, module_qualified_name: str) -> bool:
        return False

    def proxy(self, node: fx.Node) -> _Shaped:
        return _Shaped(node, self)

    def create_node(self, kind: str, target: Any, args: Any, kwargs: Any, *rest: Any, **more: Any) -> fx.Node:
        node = super().create_node(kind, target, args, kwargs, *rest, **more)
        with torch.no_grad():
            node.meta[VALUE] = self.work(node)
        return node

    def work(self, node: fx.Node) -> Any:
        """What torch has for a node."""
        if node.op == "placeholder":
            return self.inputs.pop(0) if self.inputs else next(iter(node.args), None)
        args, kwargs = fx.node.map_arg((node.args, node.kwargs), _copied)
        match node.op:
            case "get_attr":
                return _attribute(self.root, str(node.target))
            case "call_function":
                return node.target(*args, **kwargs)  # type: ignore[operator]
            case "call_method":
                owner, *others = args
                return getattr(owner, str(node.target))(*others, **kwargs)
        return None


def _copied(node: fx.Node) -> Any:
    """The value of a node; what works in place changes its own copy."""
    value = node.meta[VALUE]
    return value.clone() if isinstance(value, torch.Tensor) else value


def _attribute(root: torch.nn.Module, path: str) -> Any:
    """What a path names; torch.fx watches the plain way of asking while it traces."""
    found: Any = root
    for part in path.split("."):
        tables = (found._parameters, found._buffers, found._modules, vars(found))
        found = next(table[part] for table in tables if part in table)
    return found


@dataclass(frozen=True)
class Graph:
    """The nodes of a call in order; ``inputs`` are those of its arguments, as its author named them."""

    nodes: tuple[fx.Node, ...]
    inputs: tuple[fx.Node, ...]
    root: torch.nn.Module
    title: str

    @property
    def output(self) -> Any:
        """What the call returns: a node, or a structure of nodes."""
        return self.nodes[-1].args[0]

    @property
    def needed(self) -> list[fx.Node]:
        """The nodes that the output is made of, in order."""
        wanted = set(self.nodes[-1].all_input_nodes)
        for node in reversed(self.nodes):
            if node in wanted:
                wanted |= set(node.all_input_nodes)
        return [node for node in self.nodes if node in wanted]

    def place(self, node: fx.Node) -> Place:
        """The user's line and the module of a node: ``model.3 (Bilinear)``."""
        frames = [(found["file"], int(found["line"])) for found in FRAME.finditer(node.stack_trace or "")]
        stack = list((node.meta.get("nn_module_stack") or {}).values())
        module = f"{self.title}.{stack[-1][0]} ({stack[-1][1].__name__})" if stack else self.title
        return _placed(frames, module)

    def attribute(self, path: str) -> Any:
        """The parameter, buffer or constant that a path names."""
        return _attribute(self.root, path)


def write_down(call: Any, inputs: Sequence[torch.Tensor], title: str) -> Graph:
    """Trace a module, or a function of as many tensors as there are inputs; raises `DerivationsError`."""
    tracer = _Tracer(inputs)
    root = call if isinstance(call, torch.nn.Module) else WRAPPED[len(inputs)](call)
    try:
        nodes = tuple(tracer.trace(root, concrete_args=_defaults(root, len(inputs))).nodes)
    except Exception as fault:  # whatever the user's own code raises belongs to its line
        raise _misfit(fault, title) from None
    arguments = tuple(node for node in nodes if node.op == "placeholder")[: len(inputs)]
    if len(arguments) < len(inputs) or any(str(node.target).startswith("*") for node in arguments):
        names = ", ".join(str(node.target) for node in arguments) or "none"
        raise DerivationsError(f"{title}: {len(inputs)} inputs are given; its arguments are {names}")
    return Graph(nodes, arguments, tracer.root, title)


WRAPPED: dict[int, Callable[[Any], Any]] = {
    1: lambda call: lambda input: call(input),
    2: lambda call: lambda input, target: call(input, target),
}


def _defaults(root: Any, given: int) -> dict[str, Any]:
    """The arguments that are left at their defaults; those without one are missing."""
    call = root.forward if isinstance(root, torch.nn.Module) else root
    parameters = list(inspect.signature(call).parameters.values())[given:]
    plain = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return {p.name: p.default for p in parameters if p.kind in plain and p.default is not p.empty}


def _placed(frames: Sequence[tuple[str, int | None]], module: str) -> Place:
    own = [frame for frame in frames if not frame[0].startswith((INTERNAL, PACKAGE))]
    return Place(*(own[-1] if own else ("", None)), module)


def _misfit(fault: Exception, title: str) -> DerivationsError:
    """What went wrong while tracing, at the innermost line of the user's code."""
    frames = [(frame.filename, frame.lineno) for frame in traceback.extract_tb(fault.__traceback__)]
    place = _placed(frames, title)
    if isinstance(fault, DerivationsError):
        return fault
    if isinstance(fault, fx.proxy.TraceError):
        hint = "Decide by shapes or settings, or choose between numbers with torch.where or relu."
        return place.error("torch.fx cannot follow control flow that depends on numbers", hint)
    return place.error(
        f"{type(fault).__name__}: {str(fault).splitlines()[0] if str(fault) else 'no message'}"
    )
