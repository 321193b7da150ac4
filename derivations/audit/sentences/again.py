"""The text of a spec read a second time: batches, epochs, hyper-parameters, by code of its own.

The reader of specs, `derivations.spec`, and the cutting of batches, `derivations.model.batching`, are not
asked: what a page says of them is held against what their definitions say.
"""

from __future__ import annotations

import random
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import Any, TypeAlias

from derivations.catalogue.algorithm import Optimizer
from derivations.catalogue.optimizers import BY_NAME

Epochs: TypeAlias = tuple[tuple[tuple[int, ...], ...], ...]
ALL_SHOWN, FIRST_SHOWN = 12, 3


@dataclass(frozen=True)
class Again:
    """A spec's tables as TOML has them, and how many samples its data have (0 without samples)."""

    tables: Mapping[str, Any]
    samples: int

    @property
    def training(self) -> Mapping[str, Any]:
        """``[training]``."""
        found: Mapping[str, Any] = self.tables.get("training", {})
        return found

    @cached_property
    def epochs(self) -> Epochs:
        """The sample numbers of every batch of every epoch, from the definition.

        In order, ``batch_size`` at a time, the last batch with what is left. With ``shuffle = seed`` every
        epoch draws a number for each sample from one ``random.Random(seed)`` and goes by these numbers.
        ``batches`` are as listed. Without samples an epoch is one step.
        """
        training, epochs = self.training, int(self.training.get("epochs", 1))
        if "batches" in training:
            return (tuple(tuple(map(int, batch)) for batch in training["batches"]),) * epochs
        size = int(training.get("batch_size", self.samples or 1))
        draw = random.Random(training["shuffle"]).random if "shuffle" in training else None
        return tuple(tuple(self._cut(size, draw)) for _ in range(epochs))

    def _cut(self, size: int, draw: Any) -> Iterator[tuple[int, ...]]:
        queue = list(range(1, self.samples + 1))
        if draw is not None:
            drawn = {sample: draw() for sample in queue}
            queue.sort(key=drawn.__getitem__)
        yield tuple(queue[:size])
        while queue := queue[size:]:
            yield tuple(queue[:size])

    @cached_property
    def steps(self) -> tuple[tuple[int, int, int, tuple[int, ...]], ...]:
        """Number, epoch, number in the epoch, and samples of every step, all from 1."""
        cut = [
            (epoch, place, batch)
            for epoch, batches in enumerate(self.epochs, 1)
            for place, batch in enumerate(batches, 1)
        ]
        return tuple((number, *each) for number, each in enumerate(cut, 1))

    def shown(self, wanted: int | Sequence[int] | None) -> tuple[int, ...]:
        """The steps that ``steps`` of ``[page]`` shows: those listed, or the first and the last."""
        count = len(self.steps)
        if isinstance(wanted, Sequence):
            return tuple(number for number in range(1, count + 1) if number in wanted)
        if wanted is None:
            wanted = count if count <= ALL_SHOWN else FIRST_SHOWN
        return tuple(number for number in range(1, count + 1) if number <= wanted or number == count)

    @property
    def cuts(self) -> bool:
        """Whether some step uses a part of the samples only."""
        return any(len(batch) < self.samples for epoch in self.epochs for batch in epoch)

    # --- the optimizer

    @property
    def optimizer(self) -> Optimizer | None:
        """The row that the spec names; None without an optimizer."""
        table = self.training.get("optimizer")
        return BY_NAME[table["name"]] if table else None

    def group(self, parameter: str) -> Mapping[str, Any]:
        """The table of hyper-parameters that holds for a parameter: the optimizer's, and its group's."""
        own = (group for group in self.training.get("groups", ()) if parameter in group["parameters"])
        table = {**self.training.get("optimizer", {}), **next(own, {})}
        return {key: value for key, value in table.items() if key not in ("name", "parameters")}

    def knob(self, parameter: str, name: str) -> Fraction:
        """A hyper-parameter of a parameter: as given, in any word of its row, or the default."""
        row = self.optimizer
        if row is None:
            return Fraction(0)
        words = {name: (name,), **row.words}
        table = self.group(parameter).items()
        given = [_one_of(value, words[key].index(name)) for key, value in table if name in words.get(key, ())]
        return given[0] if given else Fraction(row.hyper.get(name) or "0")


def _one_of(value: Any, place: int) -> Fraction:
    """The number that a word gives, or the one at its place: ``betas = [0.9, 0.999]`` says two."""
    return _number(value[place] if isinstance(value, list) else value)


def _number(value: Any) -> Fraction:
    return Fraction(int(value)) if isinstance(value, bool) else Fraction(value)


def read_again(text: str, samples: int, instead: Mapping[str, Mapping[str, Any]] | None = None) -> Again:
    """A spec's text read again; ``instead`` are values that stand in the place of those of the text."""
    tables = tomllib.loads(text, parse_float=Decimal)
    changed = {table: {**tables.get(table, {}), **values} for table, values in (instead or {}).items()}
    return Again({**tables, **changed}, samples)
