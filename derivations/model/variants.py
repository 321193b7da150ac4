"""A spec with other values: what keywords mean, and the example that they give.

The structure is read once; what the values decide (short cuts, lookups, shapes, batches) is asked again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Any

from derivations.catalogue import optimizers, schedules
from derivations.language.errors import SpecError, moved, nearest
from derivations.model.example import Example, Model, read_model, trained
from derivations.spec.spec import (
    Source,
    Spec,
    Tables,
    TrainingTable,
    plain_values,
    with_arrays,
    with_training,
)


@dataclass(frozen=True)
class Variants:
    """A spec, and what it gives with other values in the place of its own."""

    spec: Spec = field(repr=False)
    source: Source = field(repr=False)

    @cached_property
    def model(self) -> Model:
        """What the spec says but how it is trained."""
        return read_model(self.spec, self.source)

    @cached_property
    def example(self) -> Example:
        """The example with the values of the spec."""
        return trained(self.model, self.spec.training)

    @cached_property
    def _words(self) -> _Words:
        return _Words(self.spec, self.example)

    def variant(self, values: Mapping[str, Any]) -> Variant:
        """The spec with other values; what does not fit is said of the keywords, which no file has."""
        try:
            return self._changed(values)
        except SpecError as fault:
            shown = ", ".join(f"{key}={value!r}" for key, value in values.items())
            raise moved(fault, f"with_({shown})") from None

    def _changed(self, values: Mapping[str, Any]) -> Variant:
        spec, groups = self.spec, self._words.sorted(values)
        if "training" in groups:
            spec = with_training(spec, groups["training"])
        arrays = {key: groups[key] for key in ("data", "parameters") if key in groups}
        if not arrays and spec.training.sample == self.spec.training.sample:
            example = trained(self.model, spec.training)
        else:
            spec = with_arrays(spec, **arrays)
            example = trained(read_model(spec, self.source), spec.training)
        return Variant(spec, self.source, example, tuple(values.items()), groups)


def each_of(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One table of values for each variant."""
    lists = {key: list(value) for key, value in values.items() if _is_list(value)}
    if not lists:
        raise SpecError("there is no list of values", hint="For example: many(lr=[0.01, 0.02, 0.05]).")
    counts = {len(value) for value in lists.values()}
    if len(counts) > 1:
        shown = ", ".join(f"'{key}' has {len(value)}" for key, value in lists.items())
        raise SpecError(f"the lists have different lengths: {shown}", hint="Give one value a variant.")
    shared = {key: value for key, value in values.items() if key not in lists}
    return [shared | {key: value[place] for key, value in lists.items()} for place in range(counts.pop())]


def _is_list(value: Any) -> bool:
    return (
        not isinstance(value, str | Mapping) and hasattr(value, "__len__") and getattr(value, "ndim", 1) > 0
    )


class _Words:
    """What the keywords of a session mean: data, parameters, keys of training, hyper-parameters."""

    def __init__(self, spec: Spec, example: Example) -> None:
        self.spec, training = spec, spec.training
        self.arrays = {**dict.fromkeys(example.data, "data"), **dict.fromkeys(example.start, "parameters")}
        self.rows = {
            "optimizer": optimizers.BY_NAME.get(str((training.optimizer or {}).get("name"))),
            "schedule": schedules.BY_NAME.get(str(training.schedule.get("name"))),
        }

    @cached_property
    def known(self) -> dict[str, str]:
        """Every word and the table in which it stands, the nearest first."""
        found = dict.fromkeys(TrainingTable.model_fields, "training")
        for table, row in reversed(self.rows.items()):
            found |= dict.fromkeys((*row.hyper, *row.words) if row else (), table)
        return found | self.arrays

    def sorted(self, values: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        """The values by the tables of the spec in which they stand."""
        known, found = self.known, dict[str, dict[str, Any]]()
        for key, value in values.items():
            if key not in known:
                raise SpecError(f"nothing is called '{key}' here", hint=nearest(key, known, "words"))
            table = known[key]
            if table in self.rows:
                training = found.setdefault("training", {})
                before = training.get(table, getattr(self.spec.training, table))
                training[table] = self._with(before, key, _number(value, key), table)
            else:
                found.setdefault(table, {})[key] = plain_values(value, key)
        return found

    def _with(self, before: Mapping[str, Any], key: str, value: Any, table: str) -> dict[str, Any]:
        """A table with another hyper-parameter, whichever of its words is used there and here."""
        row = self.rows[table]
        words = row.words if row else {}

        def names(word: str) -> tuple[str, ...]:
            return words.get(word, (word,))

        found: dict[str, Any] = {}
        for word, given in before.items():
            several = len(names(word)) > 1
            found |= zip(names(word), given if several else (given,), strict=True)
        return {word: given for word, given in found.items() if word not in names(key)} | {key: value}


def _number(value: Any, key: str) -> Any:
    """A hyper-parameter: a number, perhaps as text (``"1/3"``), a flag, or a list of numbers."""
    if not isinstance(value, str):
        return plain_values(value, key)
    try:
        return Fraction(value)
    except (ValueError, ZeroDivisionError):
        raise SpecError(f"'{key}' must be a number, found {value!r}", hint='Write 0.1 or "1/3".') from None


@dataclass(frozen=True)
class Variant:
    """A spec with other values, and the example that it gives."""

    spec: Spec = field(repr=False)
    source: Source = field(repr=False)
    example: Example = field(repr=False)
    values: tuple[tuple[str, Any], ...]
    tables: Tables = field(default_factory=dict, repr=False)

    @property
    def named(self) -> Source:
        """The text of the spec, and behind it what was changed: the digest of a page tells variants apart."""
        if not self.values:
            return self.source
        changed = ", ".join(f"{key} = {value}" for key, value in self.values).replace("\n", " ")
        return self.source.with_values(self.tables, f"{self.source.text}\n# with {changed}\n")
