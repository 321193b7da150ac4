"""From a spec to an example: three programs, data, start values and mini-batches, all checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property, lru_cache
from string import ascii_uppercase

from derivations.catalogue import functions
from derivations.language.backward import backward, put_in_outer
from derivations.language.content import Content
from derivations.language.contributions import needed
from derivations.language.errors import LanguageError, nearest
from derivations.language.names import adjoint
from derivations.language.parser import Assignment, parse_program
from derivations.language.program import Equation, Program, hoist
from derivations.language.ranges import compared, computed_shapes, looked_up, sizes_of
from derivations.language.shortcuts import Found, state
from derivations.language.shortcuts import find as find_shortcuts
from derivations.language.tree import (
    REDUCTIONS,
    Count,
    Expr,
    Number,
    Ref,
    Sum,
    refs,
    walk,
)
from derivations.language.ways import Fits, fits_by_sizes
from derivations.model.batching import axes_along, cut_batches, sample_count, sample_index
from derivations.model.checks import (
    check_line,
    check_names,
    check_paths,
    check_samples,
    check_shapes,
)
from derivations.model.differentiated import looked_ahead, with_second
from derivations.model.layers.layers import with_layers
from derivations.model.layers.placed import Placed
from derivations.model.optimizing import State, check_taken, read_rule, read_states
from derivations.model.update import Rule
from derivations.spec.arrays import Array, read_arrays
from derivations.spec.spec import Source, Spec, TrainingTable

REMEMBERED = 64  # structures: equations with their shapes


@dataclass(frozen=True, repr=False)
class Example:
    """A worked example before any number is computed.

    ``forward``, ``backward`` and ``update`` are the programs of one step; ``sample`` is the index
    along which batches are cut, or None if every step uses all data;
    ``states`` are the optimizer's states by their names in the programs, ``rule`` says how the
    update is made.
    """

    spec: Spec
    forward: Program
    backward: Program
    update: Program
    loss: str
    sample: str | None
    data: Mapping[str, Array]
    start: Mapping[str, Array]
    states: Mapping[str, State]
    rule: Rule
    batches: tuple[tuple[tuple[int, ...], ...], ...]
    fits: Fits
    lookups: tuple[str, ...] = ()
    shortcuts: tuple[Found, ...] = ()
    layers: tuple[Placed, ...] = ()

    def __repr__(self) -> str:
        return f"Example({self.spec.title!r}, loss={self.loss!r}, parameters={self.parameters!r})"

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of the parameters, in the author's order."""
        return tuple(self.start)

    @property
    def kept(self) -> dict[str, Array]:
        """What goes from step to step, parameters and optimizer states, each with an array of its shape."""
        return {**self.start, **{name: state.start for name, state in self.states.items()}}

    @property
    def hyper(self) -> Mapping[str, Fraction]:
        """The hyper-parameters of the update, by their names in its program."""
        return self.rule.hyper

    @property
    def updates(self) -> bool:
        """Whether there is an optimizer; without one, one forward and backward pass is worked."""
        return bool(self.update.equations)

    @property
    def samples(self) -> int:
        """How many samples the data set has (0 without a sample index)."""
        return sample_count(self.forward, self.data, self.sample)


def sample_axes(example: Example) -> dict[str, int]:
    """The axis of each data array along which batches are cut."""
    return axes_along(example.forward, set(example.data), example.sample)


@dataclass(frozen=True)
class Model:
    """What a spec says but how it is trained: the forward program over data and start values, checked.

    ``spec`` and ``source`` have the equations of the layers before the author's own.
    """

    spec: Spec
    source: Source
    forward: Program
    loss: str
    sample: str | None
    data: Mapping[str, Array]
    start: Mapping[str, Array]
    axes: Mapping[str, tuple[str, ...]]
    sizes: Content[Fits]
    layers: tuple[Placed, ...]


def prepare(spec: Spec, source: Source) -> Example:
    """Build the three programs of a spec and check that everything fits.

    Raises `SpecError` at the place of the fault: an unknown name or function, a name used before
    it is defined, an index without a range, arrays that do not fit, a parameter without a path
    to the loss, batches outside the data.
    """
    return trained(read_model(spec, source), spec.training)


def read_model(spec: Spec, source: Source) -> Model:
    """The model of a spec, however it is trained (but for what are its samples); raises `SpecError`."""
    data = read_arrays(spec.data, "data", source)
    start = read_arrays(spec.parameters, "parameters", source)
    laid = with_layers(spec, source, data, start)
    spec, source, data, start = laid.spec, laid.source, dict(laid.data), dict(laid.start)
    for name in start:
        if name in data:
            hint = "What is learnt stands in [parameters] only."
            raise source.error(f"'{name}' is a parameter and also data", "parameters", name, hint=hint)
    forward = _forward(spec, source, data, start)
    loss = _loss(spec, source, forward)
    # the parameters of layers are no inputs, frozen or not: their letters number no samples
    of_layers = {own for layer in laid.layers for own in layer.parameters.values()}
    inputs = {name: array for name, array in data.items() if name not in of_layers}
    frozen = {name: array for name, array in data.items() if name in of_layers}
    sample = sample_index(spec, source, forward, inputs, {**start, **frozen})
    check_samples(source, forward, data, sample)
    check_shapes(source, forward, {**data, **start}, spec.model.ranges)
    check_paths(source, forward, loss, start)
    shapes = {name: array.shape for name, array in {**data, **start}.items()}
    ranges = spec.model.ranges
    extents = sizes_of(forward, shapes, ranges)
    fits = fits_by_sizes({**computed_shapes(forward, extents), **shapes}, extents)
    sizes = Content((tuple(shapes.items()), tuple(ranges.items())), fits)
    axes = _parameter_axes(forward, start, fits)
    return Model(spec, source, forward, loss, sample, data, start, axes, sizes, laid.layers)


def trained(model: Model, training: TrainingTable) -> Example:
    """The example of a model that is trained in some way.

    The backward program depends on the equations and the shapes and is worked once for them; what the
    values decide (conditions of short cuts, lookups, batches) is asked every time.
    """
    spec, source = model.spec.model_copy(update={"training": training}), model.source
    forward, data, start, loss = model.forward, model.data, model.start, model.loss
    sample = model.sample
    rule = read_rule(spec, source, model.axes, loss)
    states = read_states(rule, spec, source, start)
    check_taken(rule, states, source, forward, {"data": data, "parameters": start})
    forward = looked_ahead(forward, rule)
    taken = forward.indices.union(*model.axes.values())
    key = forward, taken, loss, tuple(start), model.sizes.key, rule.structure
    asked = Content(key, _Differentiated(forward, taken, loss, start, model.sizes.of, rule))
    try:
        holding = tuple(holds(each.condition, data) for each in _offered(asked)[0])
        shortcuts, adjoints = _stated(asked, holding)
    except TypeError:  # SymPy answers with an infinity or with something that is no formula
        fault = LanguageError("an equation has no derivative", at=forward.equations[0].target.at)
        raise source.misread(fault, "model", "equations") from None
    batches = cut_batches(spec, source, sample_count(forward, data, sample), sample)
    return Example(
        spec,
        forward,
        adjoints,
        rule.update,
        loss,
        sample,
        data,
        start,
        states,
        rule,
        batches,
        model.sizes.of,
        _lookups(forward, data),
        shortcuts,
        model.layers,
    )


@dataclass(frozen=True)
class _Differentiated:
    """What a backward program is made of."""

    forward: Program
    taken: frozenset[str]
    loss: str
    start: Mapping[str, Array]
    fits: Fits
    rule: Rule

    @cached_property
    def adjoints(self) -> Program:
        return backward(replace(self.forward, indices=self.taken), self.loss, self.start, self.fits)


@lru_cache(maxsize=REMEMBERED)
def _offered(asked: Content[_Differentiated]) -> tuple[tuple[Found, ...], frozenset[str]]:
    """The short cuts that the equations offer, and the letters that are taken after them."""
    letters = set(asked.of.adjoints.indices)
    return tuple(find_shortcuts(asked.of.forward, asked.of.loss, letters)), frozenset(letters)


@lru_cache(maxsize=REMEMBERED)
def _stated(asked: Content[_Differentiated], holding: tuple[bool, ...]) -> tuple[tuple[Found, ...], Program]:
    """The short cuts whose conditions hold, and the backward program in which they are stated."""
    one, (offered, letters) = asked.of, _offered(asked)
    shortcuts = tuple(each for each, ok in zip(offered, holding, strict=True) if ok)
    stated = put_in_outer(state(one.adjoints, list(shortcuts), set(letters)), one.loss, one.start)
    return shortcuts, with_second(one.forward, stated, one.rule)


def backward_of(example: Example, forward: Program) -> Program:
    """The backward program that the example would have if its model were another forward program.

    The other program computes the same quantities in other ways, as a slip in a rule of differentiation
    reads them. It is worked once for each structure, as the example's own is.
    """
    shapes = {name: array.shape for name, array in {**example.data, **example.start}.items()}
    sizes = tuple(shapes.items()), tuple(example.spec.model.ranges.items())
    taken = forward.indices.union(*example.rule.axes.values())
    key = forward, taken, example.loss, tuple(example.start), sizes, example.rule.structure
    parts = _Differentiated(forward, taken, example.loss, example.start, example.fits, example.rule)
    asked = Content(key, parts)
    holding = tuple(holds(each.condition, example.data) for each in _offered(asked)[0])
    return _stated(asked, holding)[1]


def _lookups(forward: Program, data: Mapping[str, Array]) -> tuple[str, ...]:
    """The data that are used as indices, or compared with one and whole numbers."""
    inside, beside = _near_indices(forward)
    return tuple(
        name for name, array in data.items() if name in inside or (name in beside and _is_whole(array))
    )


@lru_cache(maxsize=REMEMBERED)
def _near_indices(forward: Program) -> tuple[set[str], set[str]]:
    """What stands inside the brackets of others, and what is compared with an index."""
    return looked_up(forward), compared(forward)


def _is_whole(array: Array) -> bool:
    return all(entry.denominator == 1 for entry in array.entries)


def check_values(example: Example) -> None:
    """Raise `LanguageError` where data were put in that the programs of an example were not made for.

    Ask `prepare` for an example with other values; it makes the programs that hold for them.
    """
    for each in example.shortcuts:
        if not holds(each.condition, example.data):
            raise LanguageError(
                f"the adjoint of '{each.equation.target.name}' was stated for other data",
                at=-1,
                hint="Prepare the example anew with these data; a short cut asks for what they lack.",
            )
    if example.lookups != _lookups(example.forward, example.data):
        raise LanguageError(
            "data that are compared with an index are other numbers than the programs were made for",
            at=-1,
            hint="Prepare the example anew with these data.",
        )


def holds(condition: tuple[Expr, Expr] | None, data: Mapping[str, Array]) -> bool:
    """Whether the data have what a short cut asks for: a sum over the last index that is always the same."""
    if condition is None:
        return True
    match condition:
        case (Sum(Ref(name, indices), bound), Number(wanted, _)) if name in data and indices[-1] == Ref(
            bound
        ):
            entries, width = data[name].entries, data[name].shape[-1]
            rows = (entries[at : at + width] for at in range(0, len(entries), width))
            return all(sum(row) == wanted for row in rows)
    return False


def _loss(spec: Spec, source: Source, forward: Program) -> str:
    """The quantity that is trained on: the one that the spec names, else the last; it is one number."""
    name = spec.model.loss or forward.equations[-1].target.name
    where = ("model", "equations") if spec.model.loss is None else ("model", "loss")
    if name not in forward.targets:
        hint = nearest(name, forward.targets, "quantities")
        raise source.error(f"no equation computes '{name}'", *where, hint=hint)
    target = forward.targets[name].target
    if target.indices:
        what = "the last equation is the loss" if spec.model.loss is None else f"'{name}' is the loss"
        message = f"{what} and must be one number; '{name}' has indices"
        fault = LanguageError(message, at=target.at, hint='Take its sum or mean, or say loss = "L".')
        raise source.misread(fault, "model", "equations")
    return name


# --- the forward program --------------------------------------------------------------------------


def _forward(spec: Spec, source: Source, data: Mapping[str, Array], start: Mapping[str, Array]) -> Program:
    where = ("model", "equations")
    try:
        program = _read_forward(spec.model.equations, set(data), set(start))
    except LanguageError as fault:
        raise source.misread(fault, *where) from None
    if not program.equations:
        raise source.error("there is no equation", *where, hint="The last equation is the loss.")
    return program


def _read_forward(text: str, data: set[str], start: set[str]) -> Program:
    lines = parse_program(text, functions.NAMES)
    indices = _index_names(lines)
    check_names(lines, indices, data, start)
    for line in lines:
        check_line(line, indices)
    return hoist(Program(tuple(Equation(line.target, line.body) for line in lines), indices))


def _index_names(lines: list[Assignment]) -> frozenset[str]:
    """What stands bare on the left between brackets, or is bound by a sum, a mean, or a count.

    On the right a bare word between brackets is an index too; in an expression, ``2*t + k``, each word
    is one, but for what is looked up there, ``token[i]``.
    """
    found = set()
    for line in lines:
        for node in (*walk(line.target), *walk(line.body)):
            if isinstance(node, Ref):
                inside = [inner for part in node.indices for inner in walk(part)]
                found |= {part.name for part in inside if isinstance(part, Ref) and not part.indices}
            elif isinstance(node, (*REDUCTIONS, Count)):
                found.add(node.index)
    return frozenset(found)


# --- shapes and paths -----------------------------------------------------------------------------


def _parameter_axes(program: Program, start: Mapping[str, Array], fits: Fits) -> dict[str, tuple[str, ...]]:
    """The index names of each parameter, as the model reads it, ``W[j, k]``, else letters of its own.

    ``t`` is no such letter: it is the number of the step in an update.
    """
    taken = {*program.indices, *program.targets, *program.inputs, "n", "t"}
    free = iter(letter for letter in (*"jklmpqrsuvabcdefgh", *ascii_uppercase) if letter not in taken)
    found = {name: tuple(next(free) for _ in array.shape) for name, array in start.items()}
    for ref in (ref for eq in reversed(program.equations) for ref in refs(eq.body) if ref.name in start):
        names = [part.name for part in ref.indices if isinstance(part, Ref) and not part.indices]
        whole = all(fits(ref.name, axis, name) for axis, name in enumerate(names))
        if len(set(names)) == len(ref.indices) and whole and "t" not in names:
            found[ref.name] = tuple(names)
    return found


def needed_adjoints(example: Example) -> list[Equation]:
    """The gradients of the parameters, and the adjoints that they need, in the order of the backward pass."""
    wanted = needed(example.backward, *(adjoint(example.loss, name) for name in example.parameters))
    return [eq for eq in example.backward if eq.target.name in wanted]
