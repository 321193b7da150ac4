"""What comes before a row in an update: groups, the learning rate of the step, clipped gradients."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from derivations.catalogue import functions
from derivations.catalogue.algorithm import Clipping, Schedule
from derivations.language.names import adjoint, state_name
from derivations.language.parser import parse_program
from derivations.language.program import Equation
from derivations.language.tree import Add, Expr, Neg, Pow, Ref, Sum, index, number, refs, substitute
from derivations.model.partial import listed
from derivations.model.rows import owned

CURRENT = "lr_t"


def at(axes: tuple[str, ...]) -> tuple[Expr, ...]:
    """The indices of every entry of a parameter: ``W[j, k]``."""
    return tuple(index(name) for name in axes)


@dataclass(frozen=True)
class Group:
    """Parameters with the same hyper-parameters; what differs from the first group has its own name."""

    parameters: tuple[str, ...]
    values: Mapping[str, Fraction]
    own: tuple[str, ...] = ()
    suffix: str = ""

    def named(self, name: str) -> str:
        """The name of a hyper-parameter in the programs: ``lr``, or ``lr_1`` in a group that sets it."""
        return f"{name}{self.suffix}" if name in self.own else name


@dataclass(frozen=True)
class Pace:
    """A schedule with its hyper-parameters, and what it counts: every ``step`` or every ``epoch``."""

    row: Schedule
    values: Mapping[str, Fraction]
    lists: Mapping[str, tuple[Fraction, ...]]
    every: str


def clipped(row: Clipping, axes: Mapping[str, tuple[str, ...]], loss: str) -> Iterator[Equation]:
    """The clipped gradient of every parameter; what is shared comes first and once."""
    lines = parse_program(row.equations, functions.NAMES)
    own = owned(lines)
    gradients = {name: Ref(adjoint(loss, name), at(letters)) for name, letters in axes.items()}
    if any(Ref("gsquares") in refs(line.body) for line in lines):
        yield Equation(Ref("gsquares"), _squares(list(gradients.values())))
    yield from (Equation(line.target, line.body) for line in lines if line.target.name not in own)
    for name, entry in gradients.items():
        for line in (line for line in lines if line.target.name in own):
            body = substitute(line.body, {Ref("g"): entry})
            yield Equation(Ref(state_name(line.target.name, name), entry.indices), body)


def _squares(entries: list[Ref]) -> Expr:
    """The sum of the squares of all entries."""
    parts: list[Expr] = []
    for entry in entries:
        part: Expr = Pow(entry, number(2))
        for letter in reversed([part.name for part in entry.indices if isinstance(part, Ref)]):
            part = Sum(part, letter)
        parts.append(part)
    return parts[0] if len(parts) == 1 else Add(tuple(parts))


def group_rate(pace: Pace | None, group: Group) -> str:
    """The name of the learning rate that a group has in a step."""
    if pace is None:
        return group.named("lr")
    return f"{CURRENT}{group.suffix}" if "lr" in group.own else CURRENT


def rates(pace: Pace, group: Group) -> Iterator[Equation]:
    """The schedule's equations for a group; what does not depend on its learning rate has one name."""
    clock = "epoch" if pace.every == "epoch" else "t"
    behind = Add((Ref(clock), Neg(number(1))))
    lines = [listed(line, pace.lists) for line in parse_program(pace.row.equations, functions.NAMES)]
    own = {"lr"}
    for line in lines:
        if own & {ref.name for ref in refs(line.body)}:
            own.add(line.target.name)
    suffix = group.suffix if "lr" in group.own else ""
    new: dict[Expr, Expr] = {Ref(name): Ref(f"{name}{suffix}") for name in own}
    new[Ref("s")] = behind
    for line in lines:
        target = new.get(line.target, line.target)
        assert isinstance(target, Ref)
        yield Equation(target, substitute(line.body, new))
