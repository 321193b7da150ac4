"""Hyper-parameters from a table of the spec: known words, numbers within their limits, defaults."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any, TypeAlias

from derivations.catalogue.algorithm import Optimizer, Schedule
from derivations.language.errors import nearest
from derivations.spec.spec import Source, TrainingTable

Path: TypeAlias = tuple[str | int, ...]
Row: TypeAlias = Optimizer | Schedule


def named_row(
    given: Mapping[str, Any], what: str, rows: Mapping[str, Any], source: Source, where: Path
) -> Any:
    """The row that a table names; raises `SpecError` for none and for an unknown one."""
    name = given.get("name")
    row = rows.get(str(name))
    if row is None:
        message = f"the {what} has no name" if name is None else f"unknown {what} '{name}'"
        path = where if name is None else (*where, "name")
        usual = f'For example: name = "{next(iter(rows))}"'
        hint = usual if name is None else nearest(str(name), rows, f"{what}s")
        raise source.error(message, *path, hint=hint)
    return row


def without_name(given: Mapping[str, Any]) -> dict[str, Any]:
    """The rest of such a table."""
    return {key: value for key, value in given.items() if key != "name"}


def given_knobs(row: Row, table: Mapping[str, Any], source: Source, where: Path) -> dict[str, Fraction]:
    """The hyper-parameters that a table gives, by the row's own words or torch's, each within its limits."""
    found: dict[str, Fraction] = {}
    for key, given in table.items():
        names = (key,) if key in row.hyper else row.words.get(key, ())
        if not names:
            hint = nearest(key, [*row.hyper, *row.words], "hyper-parameters")
            hint = hint or f"{row.name} has no hyper-parameters."
            hint = f"'{key}' belongs in [training] itself." if key in TrainingTable.model_fields else hint
            raise source.error(f"{row.name} has no hyper-parameter '{key}'", *where, key, hint=hint)
        for name, value in zip(names, _one_each(names, key, given, source, where), strict=True):
            if name in found:
                hint = "Write it once."
                raise source.error(f"'{key}' is another word for '{name}'", *where, key, hint=hint)
            found[name] = _number(row, name, key, value, source, where)
    return found


def _one_each(names: tuple[str, ...], key: str, given: Any, source: Source, where: Path) -> tuple[Any, ...]:
    """A value for each hyper-parameter that a word says: ``betas = [0.9, 0.999]`` has two."""
    if len(names) == 1:
        return (given,)
    if isinstance(given, tuple) and len(given) == len(names):
        return given
    hint = f"It says {' and '.join(names)}."
    raise source.error(f"'{key}' must list {len(names)} numbers", *where, key, hint=hint)


def _number(row: Row, name: str, key: str, value: Any, source: Source, where: Path) -> Fraction:
    if name in row.flags:
        if not isinstance(value, bool):
            raise source.error(f"'{key}' must be true or false", *where, key)
        return Fraction(int(value))
    if isinstance(value, bool) or not isinstance(value, Fraction):
        found = ", found true or false" if isinstance(value, bool) else ""
        raise source.error(f"'{key}' must be a number{found}", *where, key)
    _check_limits(row, name, key, value, source, where)
    if name in getattr(row, "whole", ()) and value.denominator != 1:
        raise source.error(f"'{key}' must be a whole number", *where, key)
    return value


def _check_limits(row: Row, name: str, key: str, value: Fraction, source: Source, where: Path) -> None:
    least, below = row.limits.get(name, (None, None))
    if (least is not None and value < least) or (below is not None and value >= below):
        wanted = f"at least {least}" + (f" and below {below}" if below is not None else "")
        raise source.error(f"'{key}' must be {wanted}", *where, key)


def filled_knobs(row: Row, given: dict[str, Any], source: Source, where: Path) -> dict[str, Any]:
    """The hyper-parameters in the order of the row, with its defaults for those that are not given."""
    for key, default in row.hyper.items():
        if key not in given and default is None:
            hint = f"Add {key} = 0.01" if key == "lr" else f"Add {key} = …"
            raise source.error(f"{row.name} needs the hyper-parameter '{key}'", *where, hint=hint)
    return {key: given.get(key, Fraction(default or "0")) for key, default in row.hyper.items()}


def check_together(row: Optimizer, values: Mapping[str, Fraction], source: Source, where: Path) -> None:
    """No hyper-parameter without the one that gives it a meaning, none beside one that excludes it."""
    words = {names[0]: word for word, names in row.words.items() if len(names) == 1}
    for key, other in row.needs.items():
        if values[key] and not values[other]:
            a, b = words.get(key, key), words.get(other, other)
            raise source.error(f"'{a}' has no meaning without '{b}'", *where, a, hint=f"Add {b} = 0.9")
    for key, other in row.excludes.items():
        if values[key] and values[other]:
            a, b = words.get(key, key), words.get(other, other)
            raise source.error(f"'{a}' cannot stand beside '{b}'", *where, a, hint=f"Leave out {b}.")


def checked_knobs(
    row: Optimizer, table: Mapping[str, Any], source: Source, where: Path
) -> dict[str, Fraction]:
    """All hyper-parameters of an optimizer, given or by default, each and together possible."""
    values = filled_knobs(row, given_knobs(row, table, source, where), source, where)
    check_together(row, values, source, where)
    return values
