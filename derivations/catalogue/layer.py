"""What a row of the layers says: equations in index notation, and torch's module that computes them.

``equations`` is a template. ``x`` is the input, ``y`` the output, ``...`` stands for all the indices in
front (samples, or none), ``{stride}`` for the value of an argument, ``{t}`` for the size of an index and
``{bias: + b[j]}`` for a piece that is there only if the argument is set (``{not bias:...}``: if it is
not). What is neither computed nor an input is a parameter, its shape that of the indices with which it is
read. ``place`` is the number of an entry among the indices ``...``, counted along the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

WHOLE = int  # the default of an argument that must be given: a whole number from 1


@dataclass(frozen=True)
class Layer:
    """One row: ``Name(arguments)`` with its equations, convention and torch module.

    ``arguments`` are torch's, in its order, with defaults: `WHOLE`, true or false, a whole number, a pair
    of them, a decimal or word in quotes, or the name of another argument. ``sizes`` says how many values
    an index takes, and ``inputs`` the indices of each input; an input that is not given is the one named
    in ``otherwise``, or absent (and then false in the template) if that is empty. ``own`` are arguments that
    torch's module does not have. ``inner`` is the input
    that other layers between the brackets compute from ``x``; ``parts`` are the layers of a row that is
    made of earlier rows, each with the name of torch's part.

    ``packed`` says which parameters torch keeps in which of its tensors, one after the other, ``0`` for
    zeros; ``fixed`` are arguments of torch that are always the same, ``called`` makes the arguments of the
    call from the inputs, ``reference`` is an independent computation where torch has no module.
    ``start`` gives start values that are not drawn; ``shapes`` the indices of a parameter that is read
    with something else. ``symbol`` is the letter of the output, numbered: ``z1``.
    """

    name: str
    convention: str
    source: str
    equations: str = ""
    torch: str = ""
    symbol: str = "h"
    arguments: Mapping[str, Any] = field(default_factory=dict)
    sizes: Mapping[str, str] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=lambda: {"x": "..."})
    otherwise: Mapping[str, str] = field(default_factory=dict)
    inner: str = ""
    parts: tuple[tuple[str, str], ...] = ()
    packed: Mapping[str, str] = field(default_factory=dict)
    fixed: Mapping[str, Any] = field(default_factory=dict)
    own: tuple[str, ...] = ()
    called: Callable[[Any, Mapping[str, Any], Mapping[str, Any]], tuple[Any, ...]] | None = None
    reference: Callable[[Any, Mapping[str, Any], Mapping[str, Any]], Any] | None = None
    start: Mapping[str, str] = field(default_factory=dict)
    shapes: Mapping[str, str] = field(default_factory=dict)
    function: str = ""

    @property
    def usage(self) -> str:
        """How the layer is written: ``Linear(in_features, out_features, bias=True)``."""
        shown = [key if is_required(value) else f"{key}={value}" for key, value in self.arguments.items()]
        named = [
            f"{key}=NAME"
            for key in self.inputs
            if key != "x" and key != self.inner and key not in self.otherwise
        ]
        return f"{self.name}({', '.join([*shown, *named])})"


def is_required(default: Any) -> bool:
    """Whether an argument with this default must be given."""
    return default is WHOLE or default == (WHOLE, WHOLE) or default == ""
