"""A module written down by torch.fx, with the value that torch itself has at every node.

No module is a leaf, so ``nn.Linear`` appears as the functional call that it makes. Proxies know the
shape of what they stand for: control flow that depends on shapes is followed, control flow that
depends on numbers is refused with its line.

A parameter is known by its identity, however the code gets hold of it (an attribute, ``parameters()``, a
closure, a list, a global): every function of torch that is given one is written down. What requires a
gradient and is no parameter, or is read as a plain number, would become a constant, and is refused.
"""

from __future__ import annotations

import inspect
import itertools
import re
import traceback
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import fx
from torch.overrides import TorchFunctionMode

from derivations.language.errors import DerivationsError
from derivations.pytorch.borrowing import InFloat64, tensors_of

INTERNAL = str(Path(torch.__file__).parent)
FRAME = re.compile(r'File "(?P<file>[^"]+)", line (?P<line>\d+)')
PACKAGE = str(Path(__file__).parent)
VALUE = "value"
LEARNT, CUT = "learnt", "cut"  # a node that parameters act on; one where torch.no_grad stops them
ABOUT = frozenset(  # what may be asked of a parameter without reading its numbers
    {
        *("shape", "ndim", "dtype", "device", "requires_grad", "is_leaf", "layout", "grad", "grad_fn"),
        *("size", "dim", "ndimension", "numel", "nelement", "stride", "element_size", "itemsize", "nbytes"),
        *("is_floating_point", "is_complex", "is_contiguous", "is_sparse", "is_cuda", "get_device"),
        *("data_ptr", "_version", "names", "__len__", "__hash__", "__repr__", "__format__"),
    }
)
NUMBERS = frozenset(
    {"item", "tolist", "numpy", "__float__", "__int__", "__bool__", "__index__", "__array__", "__contains__"}
)
AS_A_NUMBER = "a number is taken out of torch that the parameters act on"
NO_NUMBER = "It would be a constant on the page; keep it a tensor."
FOREIGN = "a tensor that requires a gradient is no parameter of the module or of its loss"
NO_FOREIGN = "Make it an nn.Parameter of one of them, or .detach() it before."


class _Refused(Exception):
    """What cannot be written down, and what to do instead; its line is that of the user's code."""


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

    def __float__(self) -> float:
        raise _Refused(AS_A_NUMBER, NO_NUMBER)

    __int__ = __float__

    def __radd__(self, other: Any) -> Any:
        """Python's ``sum`` starts from 0."""
        return self if type(other) is int and other == 0 else super().__radd__(other)  # type: ignore[misc]

    def __iter__(self) -> Any:
        parts: Any = self
        return (parts[place] for place in range(len(self.known)))


@dataclass(frozen=True)
class Owners:
    """The modules that a call may use, in order; each tensor and module has the path of its first owner."""

    modules: Mapping[torch.nn.Module, str]
    paths: Mapping[int, str]

    @classmethod
    def of(cls, *roots: Any) -> Owners:
        """Of those among the roots that are modules."""
        modules: dict[torch.nn.Module, str] = {}
        paths: dict[int, str] = {}
        for root in (root for root in roots if isinstance(root, torch.nn.Module)):
            for path, module in root.named_modules():
                modules.setdefault(module, path)
            for path, tensor in tensors_of(root):
                paths.setdefault(id(tensor), path)
        return cls(modules, paths)


class _Tracer(fx.Tracer):
    """Follows a call with its values, down to torch's own functions."""

    record_stack_traces = True

    def __init__(self, inputs: Sequence[torch.Tensor], owners: Owners) -> None:
        super().__init__()
        self.inputs, self.owners = list(inputs), owners
        self.paths = dict(owners.paths)
        self.leaves: dict[str, tuple[str, torch.Tensor]] = {}
        self.nodes: dict[int, fx.Node] = {}
        self.working = False

    def _filter_traceback_frames(self, frames: Any) -> Any:
        return frames  # torch.fx would leave out those that no ``forward`` calls: a loss that is a function

    # --- modules: none is a leaf, and those that the owners lack have no path ---

    def is_leaf_module(self, m: torch.nn.Module, module_qualified_name: str) -> bool:
        return False

    def path_of_module(self, mod: torch.nn.Module) -> str:
        return self.owners.modules.get(mod, "")

    def call_module(self, m: torch.nn.Module, forward: Any, args: Any, kwargs: Any) -> Any:
        if m not in self.owners.modules:  # what a loss gets hold of otherwise: its parameters are learnt too
            for path, tensor in tensors_of(m):
                self.paths.setdefault(id(tensor), f"{type(m).__name__}.{path}")
        return super().call_module(m, forward, args, kwargs)

    # --- tensors: parameters by identity, others are constants ---

    def getattr(self, attr: str, attr_val: Any, parameter_proxy_cache: Any) -> Any:
        return self.proxy(self.leaf(attr_val)) if isinstance(attr_val, torch.nn.Parameter) else attr_val

    def create_arg(self, a: Any) -> Any:
        return self.leaf(a) if isinstance(a, torch.Tensor) else super().create_arg(a)

    def leaf(self, tensor: torch.Tensor) -> fx.Node:
        """The node of a parameter, buffer or constant; each once."""
        if id(tensor) not in self.nodes:
            path = self.paths.get(id(tensor), "")
            if tensor.requires_grad and not (path and isinstance(tensor, torch.nn.Parameter)):
                raise _Refused(FOREIGN, NO_FOREIGN)
            constants = sum(known.startswith("_tensor_constant") for known, _ in self.leaves.values())
            target = f"leaf_{len(self.leaves)}"
            self.leaves[target] = path or f"_tensor_constant{constants}", tensor
            self.nodes[id(tensor)] = self.create_node("get_attr", target, (), {})
        return self.nodes[id(tensor)]

    def called(self, function: Any, args: Any, kwargs: Any) -> Any:
        """A function of torch that is given tensors: what parameters act on is written down."""
        name = function.__self__.__name__ if function.__name__ == "__get__" else function.__name__
        if self.working or name in ABOUT or not _learns((args, kwargs)):
            return function(*args, **kwargs)
        if name in NUMBERS:
            raise _Refused(AS_A_NUMBER, NO_NUMBER)
        args, kwargs = fx.node.map_aggregate((args, kwargs), self.standing)
        if function.__name__ == "__get__":
            return getattr(args[0], name)
        if name.startswith("__"):
            return getattr(args[0], name)(*args[1:], **kwargs)
        return fx.Proxy.__torch_function__(function, (), args, kwargs)

    def standing(self, part: Any) -> Any:
        """What stands for an argument while it is written down."""
        return self.proxy(self.leaf(part)) if isinstance(part, torch.Tensor) else part

    # --- nodes and their values ---

    def proxy(self, node: fx.Node) -> _Shaped:
        return _Shaped(node, self)

    def create_node(self, kind: str, target: Any, args: Any, kwargs: Any, *rest: Any, **more: Any) -> fx.Node:
        node = super().create_node(kind, target, args, kwargs, *rest, **more)
        node.meta[LEARNT] = any(operand.meta[LEARNT] for operand in node.all_input_nodes)
        node.meta[CUT] = node.meta[LEARNT] and not (torch.is_grad_enabled() or _in_own_function())
        self.working = True  # torch's own functions work on values here: nothing to write down
        try:
            with torch.no_grad(), InFloat64():
                node.meta[VALUE] = self.work(node)
        finally:
            self.working = False
        if kind == "get_attr":
            node.meta[LEARNT] = node.meta[VALUE].requires_grad
        return node

    def work(self, node: fx.Node) -> Any:
        """What torch has for a node."""
        if node.op == "placeholder":
            return self.inputs.pop(0) if self.inputs else next(iter(node.args), None)
        args, kwargs = fx.node.map_arg((node.args, node.kwargs), _copied)
        match node.op:
            case "get_attr":
                return self.leaves[str(node.target)][1]
            case "call_function":
                return node.target(*args, **kwargs)  # type: ignore[operator]
            case "call_method":
                owner, *others = args
                return getattr(owner, str(node.target))(*others, **kwargs)
        return None


class _Watching(TorchFunctionMode):
    """Inside the block the tracer hears of every function of torch."""

    def __init__(self, tracer: _Tracer) -> None:
        super().__init__()
        self.tracer = tracer

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return self.tracer.called(func, args, kwargs or {})


def _in_own_function() -> bool:
    """Whether the code that runs is the forward pass of somebody's ``torch.autograd.Function``."""
    frames = (frame for frame, _ in traceback.walk_stack(None))
    return any(frame.f_globals.get("__name__") == "torch.autograd.function" for frame in frames)


def _learns(parts: Any) -> bool:
    """Whether a tensor that requires a gradient is among the arguments of a call."""
    found = []
    fx.node.map_aggregate(
        parts, lambda part: found.append(isinstance(part, torch.Tensor) and part.requires_grad)
    )
    return any(found)


def _copied(node: fx.Node) -> Any:
    """The value of a node; what works in place changes its own copy."""
    value = node.meta[VALUE]
    return value.clone() if isinstance(value, torch.Tensor) else value


@dataclass(frozen=True)
class Graph:
    """The nodes of a call in order; ``inputs`` are those of its arguments, by the author's names for them."""

    nodes: tuple[fx.Node, ...]
    inputs: Mapping[str, fx.Node]
    title: str
    leaves: Mapping[str, tuple[str, torch.Tensor]] = field(repr=False)

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
        path, kind = stack[-1] if stack else ("", None)
        return _placed(frames, f"{self.title}.{path} ({kind.__name__})" if path and kind else self.title)

    def leaf(self, node: fx.Node) -> tuple[torch.Tensor, str]:
        """The parameter, buffer or constant that a node reads, and its path."""
        path, tensor = self.leaves[str(node.target)]
        return tensor, path


def write_down(call: Any, inputs: Sequence[torch.Tensor], title: str, owners: Owners) -> Graph:
    """Trace a module, or a function of as many tensors as there are inputs; raises `DerivationsError`."""
    tracer = _Tracer(inputs, owners)
    names = _names(call, len(inputs), title)
    try:
        with _Watching(tracer), warnings.catch_warnings():
            warnings.filterwarnings("ignore", "For backward hooks to be called")  # a proxy needs none
            nodes = tuple(tracer.trace(WRAPPED[len(inputs)](call)).nodes)
    except Exception as fault:  # whatever the user's own code raises belongs to its line
        raise misfit(fault, title) from None
    arguments = [node for node in nodes if node.op == "placeholder"]
    return Graph(nodes, dict(zip(names, arguments, strict=True)), title, tracer.leaves)


WRAPPED: dict[int, Callable[[Any], Any]] = {
    1: lambda call: lambda a: call(a),
    2: lambda call: lambda a, b: call(a, b),
    3: lambda call: lambda a, b, c: call(a, b, c),
    4: lambda call: lambda a, b, c, d: call(a, b, c, d),
}


def _names(call: Any, given: int, title: str) -> list[str]:
    """What the author calls the arguments that are given."""
    known = _signature(call.forward if isinstance(call, torch.nn.Module) else call)
    plain = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    names = [name for name, parameter in known.items() if parameter.kind in plain]
    if given > max(WRAPPED) or (len(names) < given and isinstance(call, torch.nn.Module)):
        shown = ", ".join(str(parameter) for parameter in known.values()) or "none"
        raise DerivationsError(f"{title}: {given} inputs are given; its arguments are {shown}")
    return [*names, *(f"input{place}" for place in range(len(names), given))][:given]


def _signature(call: Any) -> Mapping[str, inspect.Parameter]:
    try:
        return inspect.signature(call).parameters
    except (TypeError, ValueError):  # a built-in function tells nothing
        return {}


def _placed(frames: Sequence[tuple[str, int | None]], module: str) -> Place:
    """The innermost line of the user's, of those that are called from here."""
    inside = itertools.dropwhile(lambda frame: not frame[0].startswith(PACKAGE), frames)
    own = [frame for frame in inside if not frame[0].startswith((INTERNAL, PACKAGE))]
    return Place(*(own[-1] if own else ("", None)), module)


def misfit(fault: Exception, title: str) -> DerivationsError:
    """What went wrong in the user's code, at the innermost line of the user's code."""
    frames = [(frame.filename, frame.lineno) for frame in traceback.extract_tb(fault.__traceback__)]
    place = _placed(frames, title)
    if isinstance(fault, DerivationsError):
        return fault
    if isinstance(fault, _Refused):
        return place.error(*fault.args)
    if isinstance(fault, fx.proxy.TraceError):
        hint = "Decide by shapes or settings, or choose between numbers with torch.where or relu."
        return place.error("torch.fx cannot follow control flow that depends on numbers", hint)
    return place.error(
        f"{type(fault).__name__}: {str(fault).splitlines()[0] if str(fault) else 'no message'}"
    )
