"""From the table of training to the rule of the update: knobs, groups, clipping, schedule, start."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from derivations.catalogue import clipping, optimizers, schedules
from derivations.catalogue.algorithm import Clipping, Optimizer, Schedule
from derivations.language.errors import LanguageError, nearest
from derivations.language.names import is_after
from derivations.language.program import Program
from derivations.model.knobs import (
    Path,
    check_together,
    checked_knobs,
    filled_knobs,
    given_knobs,
    named_row,
    without_name,
)
from derivations.model.pace import Group, Pace
from derivations.model.update import Rule, shape_of_state
from derivations.spec.arrays import Array
from derivations.spec.spec import GroupTable, Source, Spec, flat, shape_of

Axes = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class State:
    """A state of the optimizer: which one of its row, of which parameters, and its first value."""

    of: str
    parameters: tuple[str, ...]
    start: Array


def read_rule(spec: Spec, source: Source, axes: Axes, loss: str) -> Rule:
    """How the spec wants its parameters to be updated; without an optimizer nothing is.

    Raises `SpecError` at the place of an unknown name, a missing or impossible number, a parameter that
    the row cannot update.
    """
    training = spec.training
    if not training.optimizer:
        for key in ("clip", "groups", "schedule", "start"):
            if getattr(training, key):
                hint = 'For example: optimizer = { name = "SGD", lr = 0.01 }'
                raise source.error("there is no optimizer", "training", key, hint=hint)
        return Rule(optimizers.NONE, (), {}, loss)
    where: Path = ("training", "optimizer")
    row = named_row(training.optimizer, "optimizer", optimizers.BY_NAME, source, where)
    values = checked_knobs(row, without_name(training.optimizer), source, where)
    _check_indices(row, axes, source)
    _check_whole(row, spec, source)
    clip, limit = _clip(training.clip, source)
    groups = _groups(row, values, training.groups, axes, source)
    pace = _pace(row, training.schedule, source)
    first = training.start.get("t", Fraction(1))
    return Rule(row, groups, axes, loss, clip, limit, pace, _first(first, training.start, source))


# --- what a row can update -----------------------------------------------------------------------------


def _check_indices(row: Optimizer, axes: Axes, source: Source) -> None:
    least, most = row.indices
    for name, letters in axes.items():
        if not least <= len(letters) <= most:
            wanted = f"{least}" if least == most else f"{least} to {most}"
            hint = f"Its parameters have {wanted} indices." if most else "Its parameters are single numbers."
            hint += " Adam and SGD take any." if most else " SGD takes any."
            raise source.error(f"{row.name} cannot update '{name}'", "parameters", name, hint=hint)
    if row.indices == (0, 0) and len(axes) > 1:
        hint = "It works in one dimension; move the others to [data]."
        raise source.error(f"{row.name} learns one parameter", "parameters", list(axes)[1], hint=hint)


def _check_whole(row: Optimizer, spec: Spec, source: Source) -> None:
    for key in ("batch_size", "batches", "shuffle"):
        if row.full_batch and getattr(spec.training, key) is not None:
            hint = f"Leave out '{key}', or use SGD for mini-batches."
            raise source.error(f"{row.name} uses all the data in every step", "training", key, hint=hint)


# --- clipping, schedule, groups, start -------------------------------------------------------------------


def _clip(table: Mapping[str, Any], source: Source) -> tuple[Clipping | None, Fraction]:
    where = ("training", "clip")
    if not table:
        return None, Fraction(0)
    key, value = next(iter(table.items()))
    if len(table) > 1 or key not in clipping.BY_NAME:
        wrong = key if key not in clipping.BY_NAME else list(table)[1]
        ways = " or ".join(f"clip = {{ {name} = 1 }}" for name in clipping.BY_NAME)
        raise source.error(f"unknown way of clipping '{wrong}'", *where, wrong, hint=f"Write {ways}.")
    if isinstance(value, bool) or not isinstance(value, Fraction) or value < 0:
        raise source.error(f"'{key}' must be a number and at least 0", *where, key)
    return clipping.BY_NAME[key], value


def _pace(optimizer: Optimizer, table: Mapping[str, Any], source: Source) -> Pace | None:
    where = ("training", "schedule")
    if not table:
        return None
    row: Schedule = named_row(table, "schedule", schedules.BY_NAME, source, where)
    if "lr" not in optimizer.hyper:
        raise source.error(f"{optimizer.name} has no learning rate to schedule", *where)
    every = table.get("every", row.every)
    if every not in ("step", "epoch"):
        raise source.error('\'every\' must be "step" or "epoch"', *where, "every")
    lists = {key: _whole_numbers(table[key], source, (*where, key)) for key in row.lists if key in table}
    rest = {key: value for key, value in table.items() if key not in {"name", "every", *row.lists}}
    given: dict[str, Any] = given_knobs(row, rest, source, where)
    values = filled_knobs(row, {**given, **lists}, source, where)
    return Pace(row, {key: v for key, v in values.items() if key not in row.lists}, lists, every)


def _whole_numbers(value: Any, source: Source, where: Path) -> tuple[Fraction, ...]:
    whole = isinstance(value, tuple) and value and all(isinstance(part, Fraction) for part in value)
    if not whole or any(part.denominator != 1 or part < 1 for part in value):
        raise source.error(f"'{where[-1]}' lists whole numbers from 1, as [2, 4]", *where)
    return tuple(sorted(value))


def _groups(
    row: Optimizer, values: dict[str, Fraction], tables: tuple[GroupTable, ...], axes: Axes, source: Source
) -> tuple[Group, ...]:
    """The parameters without a group of their own first, then the groups in the author's order."""
    found, placed = [], dict[str, int]()
    for place, table in enumerate(tables):
        where = ("training", "groups", place)
        for name in table.parameters:
            if name not in axes:
                hint = nearest(name, axes, "parameters")
                raise source.error(f"'{name}' is not a parameter", *where, "parameters", hint=hint)
            if name in placed:
                raise source.error(f"'{name}' is in two groups", *where, "parameters")
            placed[name] = place
        given = given_knobs(row, table.__pydantic_extra__, source, where)
        merged = {**values, **given}
        check_together(row, merged, source, where)
        own = tuple(key for key in row.hyper if key in given)
        found.append(Group(tuple(table.parameters), merged, own, f"_{place + 1}"))
    rest = tuple(name for name in axes if name not in placed)
    return (Group(rest, values), *found)


def _first(first: Any, table: Mapping[str, Any], source: Source) -> int:
    if not isinstance(first, Fraction) or first.denominator != 1 or not 1 <= first <= 10**6:
        raise source.error("'t' must be a whole number from 1 to 1000000", "training", "start", "t")
    if first == 1 and len(table) > ("t" in table):
        state = next(key for key in table if key != "t")
        hint = "Say which step comes next: t = 2, or more."
        raise source.error("a state comes from earlier steps", "training", "start", state, hint=hint)
    return int(first)


def read_states(rule: Rule, spec: Spec, source: Source, start: Mapping[str, Array]) -> dict[str, State]:
    """The states of the optimizer with their values before the first step."""
    given = {key: value for key, value in spec.training.start.items() if key != "t"}
    found = {}
    for name, (state, parameters) in rule.states_by_name.items():
        shape = shape_of_state(rule, state, parameters[0], start[parameters[0]].shape)
        key = name if name in given else state if state in given else ""
        value = given[key] if key else _usual(rule, state, parameters[0])
        found[name] = State(state, parameters, _filled_array(value, shape, source, key))
    words = {*found, *(state.of for state in found.values())}
    for key in given:
        if key not in words:
            hint = nearest(key, words, "states") or "It has no state."
            raise source.error(f"{rule.row.name} has no state '{key}'", "training", "start", key, hint=hint)
    return found


def _usual(rule: Rule, state: str, parameter: str) -> Fraction:
    """What the row says a state is before the first step: a number or a hyper-parameter."""
    said, values = rule.row.starts.get(state, "0"), rule.group(parameter).values
    return values[said] if said in values else Fraction(said)


def _filled_array(value: Any, shape: tuple[int, ...], source: Source, key: str) -> Array:
    """One number for every entry, or a list of the right shape."""
    if isinstance(value, Fraction):
        count = 1
        for extent in shape:
            count *= extent
        return Array(shape, (value,) * count)
    where = ("training", "start", key)
    if not isinstance(value, tuple):
        raise source.error(f"'{key}' must be a number or a list of numbers", *where)
    if shape_of(value) != shape:
        raise source.error(f"'{key}' has shape {shape_of(value)}, expected {shape}", *where)
    return Array(shape, flat(value))


def check_taken(
    rule: Rule, states: Mapping[str, State], source: Source, forward: Program, tables: Mapping[str, Any]
) -> None:
    """No name of the author's is a hyper-parameter, a state or another quantity of the update."""
    others = (name for name in rule.update.targets if not is_after(name))
    taken = {*rule.hyper, *states, *others, *(eq.target.name for eq in rule.ahead)}
    taken |= rule.update.indices - forward.indices
    hint = "Choose another name."
    for key, name in _names(tables):
        if name in taken:
            raise source.error(f"'{name}' is a name of {rule.row.name}'s own", key, name, hint=hint)
    for eq in forward:
        if eq.target.name in taken:
            message = f"'{eq.target.name}' is a name of {rule.row.name}'s own"
            fault = LanguageError(message, at=eq.target.at, hint=hint)
            raise source.misread(fault, "model", "equations")


def _names(tables: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield from ((key, name) for key, table in tables.items() for name in table)
