"""From a spec to an example: three programs, data, start values and mini-batches, all checked."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from string import ascii_uppercase

from derivations.catalogue import functions
from derivations.examples.arrays import Array, read_arrays
from derivations.examples.checks import (
    check_line,
    check_names,
    check_paths,
    check_samples,
    check_shapes,
)
from derivations.examples.differentiated import looked_ahead, with_second
from derivations.examples.layers import with_layers
from derivations.examples.optimizing import State, check_taken, read_rule, read_states
from derivations.examples.placed import Placed
from derivations.examples.spec import MAX_STEPS, Source, Spec
from derivations.examples.update import Rule
from derivations.language.backward import backward, put_in_outer
from derivations.language.errors import LanguageError, nearest
from derivations.language.parser import Assignment, parse_program
from derivations.language.program import Equation, Program, hoist
from derivations.language.ranges import compared, looked_up, moving_letters, sizes_of
from derivations.language.shortcuts import Found, state
from derivations.language.shortcuts import find as find_shortcuts
from derivations.language.tree import REDUCTIONS, Count, Expr, Number, Ref, Sum, refs, walk
from derivations.language.ways import Fits, fits_by_sizes


@dataclass(frozen=True)
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
        return _sample_count(self.forward, self.data, self.sample)


def sample_axes(example: Example) -> dict[str, int]:
    """The axis of each data array along which batches are cut."""
    return _axes(example.forward, set(example.data), example.sample)


def _axes(program: Program, names: set[str], sample: str | None) -> dict[str, int]:
    found: dict[str, int] = {}
    for eq in program:
        for ref in (node for node in walk(eq.body) if isinstance(node, Ref)):
            if ref.name in names and sample is not None and Ref(sample) in ref.indices:
                found[ref.name] = ref.indices.index(Ref(sample))
    return found


def prepare(spec: Spec, source: Source) -> Example:
    """Build the three programs of a spec and check that everything fits.

    Raises `SpecError` at the place of the fault: an unknown name or function, a name used before
    it is defined, an index without a range, arrays that do not fit, a parameter without a path
    to the loss, batches outside the data.
    """
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
    sample = _sample_index(spec, source, forward, data, start)
    check_samples(source, forward, data, sample)
    check_shapes(source, forward, {**data, **start}, spec.model.ranges)
    check_paths(source, forward, loss, start)
    shapes = {name: array.shape for name, array in {**data, **start}.items()}
    fits = fits_by_sizes(shapes, sizes_of(forward, shapes, spec.model.ranges))
    axes = _parameter_axes(forward, start, fits)
    rule = read_rule(spec, source, axes, loss)
    states = read_states(rule, spec, source, start)
    check_taken(rule, states, source, forward, {"data": data, "parameters": start})
    forward = looked_ahead(forward, rule)
    taken = forward.indices.union(*axes.values())
    try:
        adjoints = backward(replace(forward, indices=taken), loss, start, fits)
        letters = set(adjoints.indices)
        shortcuts = [each for each in find_shortcuts(forward, loss, letters) if _holds(each.condition, data)]
        adjoints = put_in_outer(state(adjoints, shortcuts, letters), loss, start)
        adjoints = with_second(forward, adjoints, rule)
    except TypeError:  # SymPy answers with an infinity or with something that is no formula
        fault = LanguageError("an equation has no derivative", at=forward.equations[0].target.at)
        raise source.misread(fault, "model", "equations") from None
    count = _sample_count(forward, data, sample)
    batches = _batches(spec, source, count, sample)
    programs = forward, adjoints, rule.update
    whole = {name for name, array in data.items() if all(n.denominator == 1 for n in array.entries)}
    lookups = tuple(name for name in data if name in looked_up(forward) | (whole & compared(forward)))
    return Example(
        spec,
        *programs,
        loss,
        sample,
        data,
        start,
        states,
        rule,
        batches,
        fits,
        lookups,
        tuple(shortcuts),
        laid.layers,
    )


def _holds(condition: tuple[Expr, Expr] | None, data: Mapping[str, Array]) -> bool:
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
        lines = parse_program(spec.model.equations, functions.NAMES)
    except LanguageError as fault:
        raise source.misread(fault, *where) from None
    if not lines:
        raise source.error("there is no equation", *where, hint="The last equation is the loss.")
    indices = _index_names(lines)
    try:
        check_names(lines, indices, set(data), set(start))
        for line in lines:
            check_line(line, indices)
    except LanguageError as fault:
        raise source.misread(fault, *where) from None
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


# --- optimizer and batches --------------------------------------------------------------------------


def _sample_index(
    spec: Spec, source: Source, program: Program, data: Mapping[str, Array], start: Mapping[str, Array]
) -> str | None:
    """The index of data that no parameter has, one of a computed quantity before one of a sum."""
    on_data, on_parameters = _positions(program, data), _positions(program, start)
    chosen = spec.training.sample
    if chosen is not None and chosen not in on_data:
        hint = nearest(chosen, on_data, "indices of the data")
        raise source.error(f"'{chosen}' is not an index of the data", "training", "sample", hint=hint)
    computed = {part.name for eq in program for part in eq.target.indices if isinstance(part, Ref)}
    shared = {*on_parameters, *moving_letters(program), *_crossed(program), *_meeting(program)}
    own = [name for name in on_data if name not in shared]
    return chosen or next((name for name in own if name in computed), next(iter(own), None))


def _crossed(program: Program) -> set[str]:
    """The letters of a computed quantity that is read by another letter too: its entries meet."""
    reads = [node for eq in program for node in walk(eq.body) if isinstance(node, Ref)]
    return {
        mine.name
        for eq in program
        for ref in reads
        if ref.name == eq.target.name
        for mine, theirs in zip(eq.target.indices, ref.indices, strict=False)
        if isinstance(mine, Ref) and mine != theirs
    }


def _meeting(program: Program) -> set[str]:
    """Letters that run along one axis of an array and stand together on a left-hand side: ``a[t, u]``."""
    axes: dict[tuple[str, int], set[str]] = {}
    for eq in program:
        for ref in (eq.target, *refs(eq.body)):
            for axis, part in enumerate(ref.indices):
                axes.setdefault((ref.name, axis), set()).add(getattr(part, "name", ""))
    left = [{getattr(part, "name", "") for part in eq.target.indices} for eq in program]
    pairs = [group & letters for group in axes.values() for letters in left]
    return {letter for pair in pairs if len(pair) > 1 for letter in pair}


def _positions(program: Program, arrays: Mapping[str, Array]) -> list[str]:
    found = [
        part.name
        for eq in program
        for ref in walk(eq.body)
        if isinstance(ref, Ref) and ref.name in arrays
        for part in ref.indices
        if isinstance(part, Ref) and not part.indices
    ]
    return list(dict.fromkeys(found))


def _sample_count(program: Program, data: Mapping[str, Array], sample: str | None) -> int:
    axes = _axes(program, set(data), sample)
    return next((data[name].shape[axis] for name, axis in axes.items()), 0)


def _batches(
    spec: Spec, source: Source, count: int, sample: str | None
) -> tuple[tuple[tuple[int, ...], ...], ...]:
    """The batches of every epoch, as sample numbers from 1."""
    training = spec.training
    for key in ("batch_size", "batches", "shuffle"):
        if sample is None and getattr(training, key) is not None:
            raise source.error("the model has no index of samples to cut batches along", "training", key)
    if training.batch_size is not None and training.batch_size > count:
        raise source.error(f"there are only {count} samples", "training", "batch_size")
    if training.batches is not None:
        epoch = _listed(training.batches, source, count)
        epochs = (epoch,) * training.epochs
    else:
        size, order = training.batch_size or max(count, 1), list(range(1, count + 1))
        generator = random.Random(training.shuffle)
        epochs = tuple(
            _cut(order if training.shuffle is None else _shuffled(order, generator), size)
            for _ in range(training.epochs)
        )
    steps = sum(len(epoch) for epoch in epochs)
    if steps > MAX_STEPS:
        raise source.error(f"{steps} steps; {MAX_STEPS} can be worked", "training", "epochs")
    return epochs


def _listed(batches: list[list[int]], source: Source, count: int) -> tuple[tuple[int, ...], ...]:
    for number, batch in enumerate(batches):
        place = ("training", "batches", number)
        if not batch or len(set(batch)) < len(batch):
            raise source.error("a batch lists one or more different samples", *place)
        if max(batch) > count:
            raise source.error(f"sample {max(batch)} does not exist; there are {count}", *place)
    if not batches:
        raise source.error("there is no batch", "training", "batches")
    return tuple(tuple(batch) for batch in batches)


def _shuffled(order: list[int], generator: random.Random) -> list[int]:
    """A shuffle that every version of Python repeats: `Random.random` alone is promised to."""
    keys = [generator.random() for _ in order]
    return [number for _, number in sorted(zip(keys, order, strict=True))]


def _cut(order: list[int], size: int) -> tuple[tuple[int, ...], ...]:
    starts = range(0, len(order), size) if order else [0]
    return tuple(tuple(order[at : at + size]) for at in starts)
