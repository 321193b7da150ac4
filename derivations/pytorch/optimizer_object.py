"""An optimizer or a scheduler of torch as the tables of a spec, in torch's own words."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import torch

from derivations.catalogue import optimizers, schedules
from derivations.catalogue.algorithm import Optimizer, Schedule
from derivations.language.errors import DerivationsError, nearest
from derivations.witnesses.torch_rows import find

HOW = frozenset({"params", "foreach", "fused", "capturable", "differentiable"})  # how torch works, not what
HAND = "Give a table instead: {}."


def training_tables(training: Mapping[str, Any], parameters: Mapping[str, torch.Tensor]) -> dict[str, Any]:
    """The keys of ``[training]``, with torch's objects among them written out for these parameters."""
    optimizer, schedule = training.get("optimizer"), training.get("schedule")
    found = dict(training)
    if isinstance(schedule, torch.optim.lr_scheduler.LRScheduler):
        found["schedule"] = _schedule(schedule)
    if isinstance(optimizer, torch.optim.Optimizer):
        if "groups" in training:
            raise DerivationsError("the groups are those of the optimizer", hint="Leave out 'groups'.")
        found |= _optimizer(optimizer, parameters, scheduled=schedule is not None)
    elif optimizer is not None and not isinstance(optimizer, Mapping):
        kind = optimizer.__name__ if isinstance(optimizer, type) else type(optimizer).__name__
        hint = 'Write {"name": "SGD", "lr": 0.1}, or torch.optim.SGD(model.parameters(), lr=0.1).'
        raise DerivationsError(
            f"optimizer: expected a table or an optimizer of torch, found {kind}", hint=hint
        )
    return found


def _optimizer(
    optimizer: torch.optim.Optimizer, parameters: Mapping[str, torch.Tensor], *, scheduled: bool
) -> dict[str, Any]:
    """The optimizer as a table and, where torch has more groups than one, the groups."""
    row = _row(type(optimizer), optimizers.OPTIMIZERS, "optimizer")
    if any(float(state.get("step", 1)) for state in optimizer.state.values() if state):
        hint = "Make a new one; a run in the middle starts with start = { t = 5, ... } in a spec."
        raise DerivationsError(f"this {row.name} has made steps already", hint=hint)
    groups = [(names, group) for group in optimizer.param_groups if (names := _names(group, parameters))]
    _check_all_held([name for names, _ in groups for name in names], parameters)
    values = [_knobs(row, type(optimizer), group, scheduled=scheduled) for _, group in groups]
    first = {word: value for word, value in values[0].items() if value != _usual(row, word)}
    others = [
        {"parameters": names, **{word: value for word, value in own.items() if value != values[0][word]}}
        for (names, _), own in zip(groups[1:], values[1:], strict=True)
    ]
    return {"optimizer": {"name": row.name, **first}, **({"groups": others} if others else {})}


def _row(kind: type, rows: Sequence[Any], what: str) -> Any:
    """The row that a class of torch is, of those that share a class the one that has its name."""
    fits = [row for row in rows if row.torch and find(row.torch) is kind]
    if not fits:
        hint = nearest(kind.__name__, [row.name for row in rows if row.torch], f"{what}s")
        raise DerivationsError(f"the catalogue has no {what} '{kind.__module__}.{kind.__name__}'", hint=hint)
    return next((row for row in fits if row.name == kind.__name__), fits[0])


def _names(group: Mapping[str, Any], parameters: Mapping[str, torch.Tensor]) -> list[str]:
    held = {id(parameter) for parameter in group["params"]}
    return [name for name, parameter in parameters.items() if id(parameter) in held]


def _check_all_held(names: Sequence[str], parameters: Mapping[str, torch.Tensor]) -> None:
    missing = [name for name in parameters if name not in names]
    if missing or not names:
        hint = "Give it all parameters; what is not learnt has .requires_grad_(False)."
        raise DerivationsError(
            f"the optimizer does not hold {', '.join(missing) or 'any parameter'}", hint=hint
        )


def _knobs(row: Optimizer, kind: type, group: Mapping[str, Any], *, scheduled: bool) -> dict[str, Any]:
    """torch's words for the hyper-parameters of a group, with their values."""
    usual = inspect.signature(kind).parameters
    for word, value in group.items():
        fixed = word in HOW or word in row.words or word not in usual
        if not fixed and not _same(value, usual[word].default):
            hint = "AdamW has the weight decay apart." if word == "decoupled_weight_decay" else ""
            raise DerivationsError(f"{row.name}: {word}={value!r} is not in the catalogue", hint=hint)
    given = {**group, **({"lr": group["initial_lr"]} if scheduled and "initial_lr" in group else {})}
    return {word: _chosen(row, word, given[word]) for word in row.words if given.get(word) is not None}


def _chosen(row: Optimizer, word: str, value: Any) -> Any:
    """A value with the row's default where torch itself chooses: Adafactor's first epsilon."""
    parts = _plain(value)
    if not isinstance(parts, list) or None not in parts:
        return parts
    return [usual if part is None else part for part, usual in zip(parts, _usual(row, word), strict=True)]


def _plain(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return value.tolist()
    return [_plain(part) for part in value] if isinstance(value, (tuple, list)) else value


def _same(value: Any, usual: Any) -> bool:
    return bool(value is usual or value == usual)


def _usual(row: Optimizer | Schedule, word: str) -> Any:
    """The default of a word as torch's objects have it, or None where there is none."""
    found = [row.hyper[name] for name in row.words[word]]
    if any(value is None for value in found):
        return None
    flag = row.words[word][0] in row.flags
    numbers = [bool(int(value or "0")) if flag else float(Fraction(value or "0")) for value in found]
    return numbers if len(numbers) > 1 else numbers[0]


def _schedule(scheduler: Any) -> dict[str, Any]:
    """The scheduler as a table, where it still has what it was made of."""
    row = _row(type(scheduler), schedules.SCHEDULES, "schedule")
    missing = [word for word in row.words if not hasattr(scheduler, word)]
    if missing or scheduler.last_epoch > 0:
        table = ", ".join([f'"name": "{row.name}"', *(f'"{word}": …' for word in row.words)])
        why = "has made steps already" if not missing else f"does not tell its {missing[0]}"
        raise DerivationsError(f"this {row.name} {why}", hint=HAND.format(f"schedule={{{table}}}"))
    values = {word: getattr(scheduler, word) for word in row.words}
    return {"name": row.name, **{word: _listed(value) for word, value in values.items()}}


def _listed(value: Any) -> Any:
    """The milestones of torch are counted by a table."""
    return sorted(value.elements()) if hasattr(value, "elements") else _plain(value)
