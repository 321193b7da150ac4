"""Which index is the samples', and how they are cut into mini-batches."""

from __future__ import annotations

import random
from collections.abc import Container, Mapping
from dataclasses import replace

from derivations.language.contributions import needed
from derivations.language.errors import LanguageError, SpecError, nearest
from derivations.language.program import Program
from derivations.language.ranges import moving_letters
from derivations.language.tree import REDUCTIONS, Ref, refs, walk
from derivations.spec.arrays import Array
from derivations.spec.spec import MAX_STEPS, Source, Spec


def axes_along(program: Program, names: set[str], sample: str | None) -> dict[str, int]:
    """The axis of each array along which the samples run."""
    found: dict[str, int] = {}
    for eq in program:
        for ref in (node for node in walk(eq.body) if isinstance(node, Ref)):
            if ref.name in names and sample is not None and Ref(sample) in ref.indices:
                found[ref.name] = ref.indices.index(Ref(sample))
    return found


def sample_index(
    spec: Spec, source: Source, program: Program, data: Mapping[str, Array], start: Mapping[str, Array]
) -> str | None:
    """The index that numbers the samples: the one that the spec names, else the only one that can be meant.

    It stands on data and on no parameter, and entries of different samples never meet. Where several do,
    the first axis of the data is meant. Raises `SpecError` where that leaves more than one reading.
    """
    on_data, on_parameters = _positions(program, data), _positions(program, start)
    chosen = spec.training.sample
    if chosen is False:
        return None
    if chosen is not None:
        if chosen not in on_data:
            hint = nearest(str(chosen), on_data, "indices of the data")
            raise source.error(f"'{chosen}' is not an index of the data", "training", "sample", hint=hint)
        return str(chosen)
    apart = {*on_parameters, *moving_letters(program), *_crossed(program), *_meeting(program)}
    own = [name for name in on_data if name not in apart]
    trained = _positions(_trained(program, spec.model.loss), data)
    own = [name for name in own if name in trained] or own
    found = [name for name in own if name in _written(program)] or own
    leading = [name for name in found if _leads(name, program, data)]
    if len(leading) == 1:
        return leading[0]
    meant = found if leading or len(found) > 1 else _rivals(found, program, data, set(on_parameters))
    if len(meant) > 1:
        raise _asked(source, program, data, meant)
    return next(iter(found), None)


def _trained(program: Program, loss: str | None) -> Program:
    """The equations that lead to the loss: the last one, or the one that the spec names."""
    wanted = needed(program, loss or program.equations[-1].target.name)
    return replace(program, equations=tuple(eq for eq in program if eq.target.name in wanted))


def _written(program: Program) -> set[str]:
    """The letters of what the model computes."""
    return {part.name for eq in program for part in eq.target.indices if isinstance(part, Ref)}


def _reads(program: Program, names: Container[str]) -> list[Ref]:
    nodes = (node for eq in program for node in walk(eq.body))
    return [node for node in nodes if isinstance(node, Ref) and node.name in names]


def _leads(name: str, program: Program, data: Mapping[str, Array]) -> bool:
    """Whether a letter runs along the first axis of every array of the data that it runs along."""
    places = [ref.indices.index(Ref(name)) for ref in _reads(program, data) if Ref(name) in ref.indices]
    return set(places) == {0}


def _rivals(found: list[str], program: Program, data: Mapping[str, Array], parameters: set[str]) -> list[str]:
    """A letter that is summed inside the model, with those in front of it on its arrays; else none.

    In ``S[a, u] = sum(Q[a, d]*K[u, d], d)`` nothing says that ``d`` numbers samples, and not features.
    """
    letter = Ref(next(iter(found), ""))
    summed = any(
        eq.target.indices and isinstance(node, REDUCTIONS) and node.index == letter.name
        for eq in program
        for node in walk(eq.body)
    )
    before = [part for ref in _reads(program, data) if letter in ref.indices for part in ref.indices[:1]]
    others = dict.fromkeys(part.name for part in before if isinstance(part, Ref) and not part.indices)
    return [*others, letter.name] if summed and not parameters.issuperset(others) else []


def _asked(source: Source, program: Program, data: Mapping[str, Array], meant: list[str]) -> SpecError:
    """The question which index is that of the samples, at the first read of the data that has one."""
    letters = " or ".join(", ".join(f"'{name}'" for name in meant).rsplit(", ", 1))
    read = next(ref for ref in _reads(program, data) if {Ref(name) for name in meant} & {*ref.indices})
    fault = LanguageError(
        f"which index numbers the samples is not plain: {letters}",
        at=read.at,
        hint=f'[training] says: sample = "{meant[0]}", or sample = false where there are no samples.',
    )
    return source.misread(fault, "model", "equations")


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


def sample_count(program: Program, data: Mapping[str, Array], sample: str | None) -> int:
    """How many samples there are; 0 without an index of samples."""
    axes = axes_along(program, set(data), sample)
    return next((data[name].shape[axis] for name, axis in axes.items()), 0)


def is_whole(epoch: tuple[tuple[int, ...], ...], count: int) -> bool:
    """Whether an epoch is a single batch of all samples."""
    return len(epoch) == 1 and len(epoch[0]) == count


def cut_batches(
    spec: Spec, source: Source, count: int, sample: str | None
) -> tuple[tuple[tuple[int, ...], ...], ...]:
    """The batches of every epoch, as sample numbers from 1."""
    training = spec.training
    for key in ("batch_size", "batches", "shuffle"):
        if sample is None and getattr(training, key) is not None:
            hint = 'Its letter can be named: [training] sample = "i".' if spec.training.sample is None else ""
            raise source.error(
                "the model has no index of samples to cut batches along", "training", key, hint=hint
            )
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
