"""From a module of torch to the text of a spec, one equation an operation.

Nodes of the traced graph are looked up in `derivations.catalogue.operations`; a row's formula is filled
in with the letters of the operands (`derivations.pytorch.equations`), and what only looks at an array
in another way stays a view (`derivations.pytorch.views`).
"""

from __future__ import annotations

import operator
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import fx

from derivations.catalogue.operation import Formula, Operation
from derivations.language.errors import LanguageError
from derivations.pytorch.axes import LETTERS, SAMPLE, Alphabet, Axis, CannotSay, Letter, View, whole
from derivations.pytorch.calls import alternative, bound, row_of, same, set_otherwise, spelling
from derivations.pytorch.equations import Call, Filled, fill
from derivations.pytorch.graph import CUT, VALUE, Graph
from derivations.pytorch.templates import words
from derivations.pytorch.views import VIEWS
from derivations.spec.spec import check_name

PARAMETER_NAMES = {"weight": "w", "bias": "b", "running_mean": "mu", "running_var": "var"}
DIGITS = "0123456789"
NO_GRADIENT = "It would be a constant on the page that changes from step to step; take it out of the block."
AXES = {"dim", "keepdim", "normalized_shape"}  # arguments that the words dim and rest stand for


@dataclass
class Translator:
    """What has been translated so far: equations, arrays, and the view of every node."""

    samples: int
    reserved: Set[str]  # names that mean something else
    taken: set[str] = field(default_factory=set)
    alphabet: Alphabet = field(default_factory=Alphabet)
    lines: list[tuple[str, str]] = field(default_factory=list)  # an equation and where it comes from
    data: dict[str, torch.Tensor] = field(default_factory=dict)
    parameters: dict[str, torch.Tensor] = field(default_factory=dict)
    nodes: dict[str, tuple[str, str]] = field(default_factory=dict)  # graph and node of a quantity
    known: dict[int, tuple[torch.Tensor, View]] = field(default_factory=dict)
    owners: list[str] = field(default_factory=list)
    sampled: set[str] = field(default_factory=set)  # data with an axis of samples
    lookups: set[str] = field(default_factory=set)  # data whose numbers are positions
    numbers: set[str] = field(default_factory=set)  # what is read as a number
    reads: Mapping[int, int] = field(default_factory=dict)  # how often each parameter is used
    cut: dict[str, tuple[int, ...]] = field(default_factory=dict)  # shapes other than torch's
    ranges: dict[str, int] = field(default_factory=dict)  # of letters that no array shows

    # --- names and arrays ---

    def name(self, stem: str) -> str:
        """``z1``, ``z2`` …: the next free name; ``zz1`` where the author has a ``z`` of his own."""
        stem = stem if stem not in self.taken else stem * 2
        found = next(name for k in range(1, 10_000) if self.is_free(name := f"{stem}{k}"))
        self.taken.add(found)
        return found

    def is_free(self, name: str) -> bool:
        """Whether no quantity has the name, or looks like it on a page: the second entry of w is not w2."""
        entries = {known for known in self.taken if known.rstrip(DIGITS) == name}
        stem = name.rstrip(DIGITS)
        plain = name not in self.taken and name not in self.reserved
        return plain and not entries and (stem == name or stem not in self.taken)

    def own_name(self, wanted: str) -> str:
        """The author's own name if it can be one, else the nearest that can."""
        plain = re.sub(r"^[^A-Za-z]+", "", re.sub(r"\W", "_", wanted)).strip("_")[:28] or "a"
        try:
            check_name(plain)
        except LanguageError:
            return self.name(plain)
        if not self.is_free(plain) or plain in (SAMPLE, *LETTERS):
            return self.name(plain)
        self.taken.add(plain)
        return plain

    def array(self, name: str, tensor: torch.Tensor, sampled: bool = False) -> View:
        """The view of an array that is given; an axis of length 1 has no letter."""
        axes: list[Axis] = []
        taken: list[Letter] = []
        for place, size in enumerate(tensor.shape):
            letters = [Letter(SAMPLE, size)] if sampled and place == 0 else []
            letters = letters or ([self.alphabet.fresh(size, taken)] if size > 1 else [])
            axes.append(tuple(letters))
            taken += letters
        return whole(name, axes, lookup=not tensor.is_floating_point())

    def given(self, wanted: str, tensor: torch.Tensor) -> View:
        """An input or target as data; its first axis is the samples' if it is as long as they are."""
        name = self.own_name(wanted)
        self.data[name] = tensor
        if tensor.ndim > 0 and len(tensor) == self.samples:
            self.sampled.add(name)
        return self.array(name, tensor, name in self.sampled)

    def leaf(self, tensor: torch.Tensor, path: str) -> View:
        """A parameter (learnt), or a buffer, frozen parameter or constant (data); each once."""
        if id(tensor) not in self.known:
            learnt = isinstance(tensor, torch.nn.Parameter) and tensor.requires_grad
            name = self.parameter_name(path, tensor)
            (self.parameters if learnt else self.data)[name] = tensor
            view = replace(self.array(name, tensor), uncut=self.reads[id(tensor)] == 1)
            self.known[id(tensor)] = tensor, view
        return self.known[id(tensor)][1]

    def parameter_name(self, path: str, tensor: torch.Tensor) -> str:
        """``W1`` and ``b1`` for the first layer with parameters, else the attribute's own name."""
        owner, _, attribute = path.rpartition(".")
        if attribute not in PARAMETER_NAMES:
            return self.own_name(attribute)
        if owner not in self.owners:
            self.owners.append(owner)
        stem = PARAMETER_NAMES[attribute]
        matrix = sum(size > 1 for size in tensor.shape) > 1
        number = self.owners.index(owner) + 1
        name = f"{stem.upper() if matrix else stem}{number}"
        return self.own_name(name if self.is_free(name) else f"{attribute}{number}")

    # --- nodes ---

    def graph(self, graph: Graph, inputs: Sequence[Any], last: str) -> Any:
        """Translate every node that the output needs; the last equation gets a name of its own."""
        env: dict[fx.Node, Any] = dict(zip(graph.inputs.values(), inputs, strict=True))
        final = _producer(graph.output)
        self.reads = _reads(graph)
        for node in graph.needed:
            if node not in env:
                env[node] = self.node(graph, node, env, last if node is final else "")
        return fx.node.map_arg(graph.output, lambda node: env[node])

    def node(self, graph: Graph, node: fx.Node, env: Mapping[fx.Node, Any], last: str) -> Any:
        """The view (or views) that a node stands for; raises `DerivationsError` at its place."""
        if node.op == "get_attr":
            return self.leaf(*graph.leaf(node))
        if node.meta[CUT]:
            raise graph.place(node).error("inside torch.no_grad() no gradient flows back", NO_GRADIENT)
        args, kwargs = fx.node.map_arg((node.args, node.kwargs), lambda inner: env[inner])
        if node.target is getattr:
            args = args[:1]
        if not _has_view((args, kwargs)):
            return node.meta[VALUE]
        if node.target is operator.getitem and isinstance(args[0], tuple):
            return args[0][node.args[1]]  # type: ignore[index]
        try:
            return self.operation(graph, node, args, kwargs, last)
        except CannotSay as fault:
            row = row_of(node)
            hint = (row.hint if row else "") or (alternative(node) if row is None else "")
            message = f"{spelling(node)} cannot be said in index notation: {fault}"
            raise graph.place(node).error(message, hint) from None

    def operation(self, graph: Graph, node: fx.Node, args: Any, kwargs: Any, last: str) -> Any:
        """A call of torch by its row: another view, or equations; raises `CannotSay`."""
        row = row_of(node)
        if row is None:
            raise CannotSay("the table of operations has no row for it")
        values, torchs = bound(row, args, kwargs, node.target), node.meta[VALUE]
        wrong = {key: value for key, value in row.when.items() if not same(values[key], value)}
        if wrong:
            raise CannotSay(f"{', '.join(f'{key}={values[key]!r}' for key in wrong)}")
        if row.view:
            shape = tuple(torchs.shape) if isinstance(torchs, torch.Tensor) else [t.shape for t in torchs]
            view = values.pop("input")
            return VIEWS[row.view](view, values, shape, self.alphabet.fresh)
        if row.joins:
            row, values = joined(row, values, tuple(torchs.shape))
        filled = self.filled(row, values, torchs, last)
        if not last and (same_as := _itself(filled, values)):
            return same_as
        where = str(graph.place(node))
        self.lines += [(line, where) for line in filled.lines]
        self.nodes[filled.result.name] = graph.title, node.name
        self.ranges |= filled.ranges
        self.cut |= filled.cut
        self.lookups |= filled.positions
        self.numbers |= filled.numbers
        if both := self.lookups & self.numbers:
            raise CannotSay(f"'{min(both)}' holds positions in one place and numbers in another")
        return filled.result

    def filled(self, row: Operation, values: Mapping[str, Any], torchs: Any, last: str) -> Filled:
        """The first formula of a row that fits a call."""
        call = Call(values, tuple(torchs.shape), *_chosen(row, values))
        why = CannotSay("no formula of its row fits these arguments")
        for formula in row.formulas:
            if (unfit := _unfit(row, formula, values)) is not None:
                why = why if row.formulas[0] is not formula else CannotSay(unfit)
                continue
            names = self.namer(formula, last)
            try:
                return fill(formula.text, call, self.alphabet, names)
            except CannotSay as fault:
                why = fault
        raise why

    def namer(self, formula: Formula, last: str) -> Callable[[str], str]:
        """Names for the lines of a formula, the last one perhaps given."""
        count, given = len(formula.text.splitlines()), iter(range(10**6))
        return lambda stem: last if last and next(given) == count - 1 else self.name(stem)


def _itself(filled: Filled, values: Mapping[str, Any]) -> View | None:
    """The operand that an equation only repeats: the sum over an axis of length 1."""
    name = filled.lines[-1].partition(" = ")[2]
    views = [part for part in values.values() if isinstance(part, View) and str(part) == name]
    fits = len(filled.lines) == 1 and views and not filled.result.letters
    return replace(views[0], axes=filled.result.axes) if fits else None


def _reads(graph: Graph) -> Counter[int]:
    """How often the operations of a graph read each parameter, buffer or constant."""
    found: Counter[int] = Counter()
    for node in graph.needed:
        if node.op == "get_attr":
            operands = [part for user in node.users for part in (*user.args, *user.kwargs.values())]
            found[id(graph.leaf(node)[0])] += sum(part is node for part in operands)
    return found


def _has_view(parts: Any) -> bool:
    found = []
    fx.node.map_aggregate(parts, lambda part: found.append(isinstance(part, View)))
    return any(found)


def _producer(output: Any) -> Any:
    """The node of the equation that an output shows, behind views of it."""
    node = output
    while (
        isinstance(node, fx.Node) and (row := row_of(node)) and row.view and isinstance(node.args[0], fx.Node)
    ):
        node = node.args[0]
    return node


def _chosen(row: Operation, values: Mapping[str, Any]) -> tuple[tuple[int, ...], dict[str, int]]:
    """The axes that ``dim`` names, and the ranges of letters that the row takes from arguments."""
    first = values.get("input")
    rank = len(first.axes) if isinstance(first, View) else 0
    dim = values.get("dim")
    if "normalized_shape" in values:
        dim = tuple(range(rank - len(values["normalized_shape"]), rank))
    several = dim if isinstance(dim, (tuple, list)) else range(rank) if dim is None else (dim,)
    sizes = {letter: _one(values[word[:-2]], int(word[-1])) for letter, word in row.sizes.items()}
    return tuple(axis % rank for axis in several if rank), sizes


def _one(several: Any, place: int) -> int:
    return int(several[place - 1] if isinstance(several, (tuple, list)) else several)


def _unfit(row: Operation, formula: Formula, values: Mapping[str, Any]) -> str | None:
    """Why a formula does not stand for a call: an argument that it is not made for."""
    mentioned = words(formula.text) | {word[:-2] for word in words(formula.text) if word[-2:-1] == "_"}
    sized = {word[:-2] for word in row.sizes.values()}
    used = mentioned | sized | set(row.idle) | (AXES if {"dim", "rest"} & mentioned else set())
    for name, wanted in formula.when.items():
        if not same(values[name], wanted):
            return f"{name}={_shown(values[name])}"
    for name, value in set_otherwise(row, values).items():
        if name not in used and name not in formula.when:
            return f"{name}={_shown(value)}"
    missing = [name for name in mentioned if name != "dim" and name in values and values[name] is None]
    return f"no {missing[0]}" if missing else None


def _shown(value: Any) -> str:
    return "a tensor" if isinstance(value, View) else repr(value)


def joined(
    row: Operation, values: Mapping[str, Any], shape: tuple[int, ...]
) -> tuple[Operation, dict[str, Any]]:
    """``cat`` and ``stack`` as a sum of padded reads: ``pad(a[i, m]) + pad(b[i, m - 3])``."""
    tensors = dict(zip((f"input{chr(97 + k)}" for k in range(26)), values["tensors"], strict=False))
    axis, names = values["dim"] % len(shape), [f"{'abcdefgh'[k]}x" for k in range(len(shape))]
    names[axis] = "m"
    at, terms = 0, []
    for name, view in tensors.items():
        length = view.shape[axis] if len(view.shape) == len(shape) else 1
        others = names[:axis], names[axis + 1 :]
        if length > 1:
            parts = ", ".join([*others[0], f"m - {at}", *others[1]])
            terms.append(f"pad({name}[{parts}])")
        else:
            kept = ["1"] if len(view.shape) == len(shape) else []
            terms.append(f"same(m, {at + 1})*{name}[{', '.join([*others[0], *kept, *others[1]])}]")
        at += length
    text = f"h[{', '.join(names)}] = {' + '.join(terms)}"
    return replace(row, arguments=", ".join(tensors), formulas=(Formula(text),)), tensors
