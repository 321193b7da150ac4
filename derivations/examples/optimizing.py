"""From the table of training to the rule of the update: knobs, groups, clipping, schedule, start."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Protocol

from derivations.catalogue import clipping, optimizers, schedules
from derivations.catalogue.algorithm import Optimizer
from derivations.catalogue.clipping import Clipping
from derivations.catalogue.schedules import Schedule
from derivations.examples.arrays import Array
from derivations.examples.spec import GroupTable, Source, Spec, flat, shape_of
from derivations.examples.update import Group, Pace, Rule, shape_of_state
from derivations.language.errors import LanguageError, nearest
from derivations.language.program import Program

Axes = Mapping[str, tuple[str, ...]]
Path = tuple[str | int, ...]


@dataclass(frozen=True)
class State:
    """A state of the optimizer: which one of its row, of which parameters, and its first value."""

    of: str
    parameters: tuple[str, ...]
    start: Array


class Row(Protocol):
    """What rows with hyper-parameters have in common."""

    @property
    def name(self) -> str: ...
    @property
    def hyper(self) -> Mapping[str, str | None]: ...
    @property
    def limits(self) -> Mapping[str, tuple[int, int | None]]: ...
    @property
    def flags(self) -> tuple[str, ...]: ...


NOTHING = Optimizer("", torch="", equations="", hyper={}, arguments="", convention="", source="")


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
        return Rule(NOTHING, (), {}, loss)
    where: Path = ("training", "optimizer")
    row = _row(training.optimizer, "optimizer", optimizers.BY_NAME, source, where)
    values = _checked(row, _without_name(training.optimizer), source, where)
    _check_indices(row, axes, source)
    _check_whole(row, spec, source)
    clip, limit = _clip(training.clip, source)
    groups = _groups(row, values, training.groups, axes, source)
    pace = _pace(row, training.schedule, source)
    first = training.start.get("t", Fraction(1))
    return Rule(row, groups, axes, loss, clip, limit, pace, _first(first, training.start, source))


def _row(given: Mapping[str, Any], what: str, rows: Mapping[str, Any], source: Source, where: Path) -> Any:
    name = given.get("name")
    row = rows.get(str(name))
    if row is None:
        message = f"the {what} has no name" if name is None else f"unknown {what} '{name}'"
        path = where if name is None else (*where, "name")
        raise source.error(message, *path, hint=nearest(str(name or ""), rows, f"{what}s"))
    return row


def _without_name(given: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in given.items() if key != "name"}


# --- hyper-parameters -----------------------------------------------------------------------------------


def _given(row: Row, table: Mapping[str, Any], source: Source, where: Path) -> dict[str, Fraction]:
    """The hyper-parameters that a table gives, by the row's own words, each within its limits."""
    found: dict[str, Fraction] = {}
    spelling = getattr(row, "spelling", {})
    for key, value in table.items():
        name = spelling.get(key, key)
        name = name if name in row.hyper else key
        if name not in row.hyper:
            words = [*row.hyper, *(word for word, own in spelling.items() if own in row.hyper)]
            hint = nearest(key, words, "hyper-parameters") or f"{row.name} has no hyper-parameters."
            raise source.error(f"{row.name} has no hyper-parameter '{key}'", *where, key, hint=hint)
        if name in found:
            hint = "Write it once."
            raise source.error(f"'{key}' is another word for '{name}'", *where, key, hint=hint)
        found[name] = _number(row, name, key, value, source, where)
    return found


def _number(row: Row, name: str, key: str, value: Any, source: Source, where: Path) -> Fraction:
    if name in row.flags:
        if not isinstance(value, bool):
            raise source.error(f"'{key}' must be true or false", *where, key)
        return Fraction(int(value))
    if isinstance(value, bool) or not isinstance(value, Fraction):
        raise source.error(f"'{key}' must be a number", *where, key)
    _check_limits(row, name, key, value, source, where)
    if name in getattr(row, "whole", ()) and value.denominator != 1:
        raise source.error(f"'{key}' must be a whole number", *where, key)
    return value


def _check_limits(row: Row, name: str, key: str, value: Fraction, source: Source, where: Path) -> None:
    least, below = row.limits.get(name, (None, None))
    if (least is not None and value < least) or (below is not None and value >= below):
        wanted = f"at least {least}" + (f" and below {below}" if below is not None else "")
        raise source.error(f"'{key}' must be {wanted}", *where, key)


def _filled(row: Row, given: dict[str, Any], source: Source, where: Path) -> dict[str, Any]:
    """The hyper-parameters in the order of the row, with its defaults for those that are not given."""
    for key, default in row.hyper.items():
        if key not in given and default is None:
            hint = f"Add {key} = 0.01" if key == "lr" else f"Add {key} = …"
            raise source.error(f"{row.name} needs the hyper-parameter '{key}'", *where, hint=hint)
    return {key: given.get(key, Fraction(default or "0")) for key, default in row.hyper.items()}


def _checked(row: Optimizer, table: Mapping[str, Any], source: Source, where: Path) -> dict[str, Fraction]:
    values = _filled(row, _given(row, table, source, where), source, where)
    _check_together(row, values, source, where)
    return values


def _check_together(row: Optimizer, values: Mapping[str, Fraction], source: Source, where: Path) -> None:
    """No hyper-parameter without the one that gives it a meaning, none beside one that excludes it."""
    words = {own: word for word, own in row.spelling.items()}
    for key, other in row.needs.items():
        if values[key] and not values[other]:
            a, b = words.get(key, key), words.get(other, other)
            raise source.error(f"'{a}' has no meaning without '{b}'", *where, a, hint=f"Add {b} = 0.9")
    for key, other in row.excludes.items():
        if values[key] and values[other]:
            a, b = words.get(key, key), words.get(other, other)
            raise source.error(f"'{a}' cannot stand beside '{b}'", *where, a, hint=f"Leave out {b}.")


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
    row: Schedule = _row(table, "schedule", schedules.BY_NAME, source, where)
    if "lr" not in optimizer.hyper:
        raise source.error(f"{optimizer.name} has no learning rate to schedule", *where)
    every = table.get("every", row.every)
    if every not in ("step", "epoch"):
        raise source.error("'every' must be \"step\" or \"epoch\"", *where, "every")
    lists = {key: _whole_numbers(table[key], source, (*where, key)) for key in row.lists if key in table}
    rest = {key: value for key, value in table.items() if key not in {"name", "every", *row.lists}}
    given: dict[str, Any] = _given(row, rest, source, where)
    values = _filled(row, {**given, **lists}, source, where)
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
        given = _given(row, table.__pydantic_extra__, source, where)
        merged = {**values, **given}
        _check_together(row, merged, source, where)
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
    others = (name for name in rule.update.targets if not name.endswith("'"))
    taken = {*rule.hyper, *states, *others, *(eq.target.name for eq in rule.ahead)}
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
