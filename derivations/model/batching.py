"""Which index is the samples', and how they are cut into mini-batches."""

from __future__ import annotations

import random
from collections.abc import Mapping

from derivations.language.errors import nearest
from derivations.language.program import Program
from derivations.language.ranges import moving_letters
from derivations.language.tree import Ref, refs, walk
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
