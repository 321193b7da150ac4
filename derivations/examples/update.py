"""An optimizer's row, with groups, clipping and schedule, as the update program of the parameters at hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from derivations.catalogue import functions
from derivations.catalogue.algorithm import Optimizer
from derivations.catalogue.clipping import Clipping
from derivations.catalogue.schedules import Schedule
from derivations.examples.partial import listed, put_in, shortened, states_of, without_indices
from derivations.language.backward import adjoint
from derivations.language.parser import Assignment, parse_program
from derivations.language.program import Equation, Program
from derivations.language.tree import (
    Add,
    Expr,
    Neg,
    Pow,
    Ref,
    Sum,
    fresh_index,
    index,
    number,
    refs,
    rename_index,
    transform,
    walk,
)

OWN = frozenset({"theta", "g", "h"})  # what each parameter has of its own
CURRENT = "lr_t"


def after(name: str) -> str:
    """The name of a quantity after the update: ``w'``."""
    return f"{name}'"


def state_name(state: str, parameter: str) -> str:
    """The name of a quantity of the optimizer for one parameter: ``m_w``."""
    return f"{state}_{parameter}"


def second(parameter: str) -> str:
    """The name of the second derivative of the loss by a parameter: ``h_w``."""
    return state_name("h", parameter)


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


@dataclass(frozen=True)
class Rule:
    """How an example is updated: row and hyper-parameters of every group, clipping, schedule.

    ``axes`` are the index names of each parameter, ``first`` is the ``t`` of the first step.
    """

    row: Optimizer
    groups: tuple[Group, ...]
    axes: Mapping[str, tuple[str, ...]]
    loss: str
    clip: Clipping | None = None
    limit: Fraction = Fraction(0)
    pace: Pace | None = None
    first: int = 1

    @cached_property
    def lines(self) -> dict[str, list[Assignment]]:
        """The equations of every parameter, in the names of the row."""
        return {name: self._reduced(group, name) for group in self.groups for name in group.parameters}

    def _reduced(self, group: Group, parameter: str) -> list[Assignment]:
        """The row's equations for a parameter, worked as far as its group's numbers allow."""
        lines = put_in(lines_of(self.row, self.axes[parameter]), vanishing(self.row, group.values))
        return shortened(lines, {"theta", *self.row.kept})

    def group(self, parameter: str) -> Group:
        """The group of a parameter."""
        return next(group for group in self.groups if parameter in group.parameters)

    def states(self, parameter: str) -> tuple[str, ...]:
        """The states of the row that a parameter keeps."""
        return states_of(self.lines[parameter], frozenset())

    def name(self, quantity: str, parameter: str) -> str:
        """The name in the programs of what a row writes for a parameter, before the update."""
        if quantity == "theta":
            return parameter
        if quantity in owned(self.lines[parameter]):
            return state_name(quantity, parameter)
        return f"{quantity}{self.group(parameter).suffix}"

    @cached_property
    def clock(self) -> tuple[str, ...]:
        """What is counted: the steps, and the epochs if the schedule goes by them."""
        return ("t", "epoch") if self.pace and self.pace.every == "epoch" else ("t",)

    @cached_property
    def hyper(self) -> dict[str, Fraction]:
        """The hyper-parameters that the update program reads, by their names in it."""
        known = {"clip": self.limit, **(self.pace.values if self.pace else {})}
        known |= {group.named(name): v for group in reversed(self.groups) for name, v in group.values.items()}
        order = [*self.row.hyper, *(group.named(n) for group in self.groups for n in group.own), *known]
        used = {*self.update.inputs, *(ref.name for eq in self.ahead for ref in refs(eq.body))}
        return {name: known[name] for name in dict.fromkeys(order) if name in known and name in used}

    @cached_property
    def states_by_name(self) -> dict[str, tuple[str, tuple[str, ...]]]:
        """Each state by its name in the programs: which one of the row's, and of which parameters."""
        found: dict[str, tuple[str, tuple[str, ...]]] = {}
        for parameter in self.axes:
            for state in self.states(parameter):
                name = self.name(state, parameter)
                found[name] = state, (*found.get(name, ("", ()))[1], parameter)
        return found

    @cached_property
    def ahead(self) -> list[Equation]:
        """The shifted parameters at which the gradient is taken, if the row says so."""
        if not self.row.at:
            return []
        (line,) = parse_program(f"at = {self.row.at}", functions.NAMES)
        return [
            Equation(Ref(shifted(name), _at(axes)), _Naming(self, name).body(line.body))
            for name, axes in self.axes.items()
        ]

    @cached_property
    def update(self) -> Program:
        """The equations of one update: learning rate, clipping, then every parameter's own.

        ``theta = theta - lr*g`` becomes ``w' = w - lr*dL/dw``; what a row writes and later reads is
        read in its new version.
        """
        found = dict.fromkeys([*_rates(self), *_clipping(self)])
        for parameter in self.axes:
            found |= dict.fromkeys(_equations(self, parameter))
        equations = tuple(found)
        nodes = (node for eq in equations for side in (eq.target, eq.body) for node in walk(side))
        letters = {
            part.name
            for node in nodes
            for part in (node.indices if isinstance(node, Ref) else ())
            if isinstance(part, Ref)
        }
        return Program(equations, frozenset(letters))

    def owner(self, name: str) -> str:
        """The parameter to which a quantity of the update belongs; empty for what is shared."""
        plain = name.rstrip("'")
        for parameter, lines in self.lines.items():
            own = {self.name(target, parameter) for target in owned(lines)} | {gradient(self, parameter)}
            if plain in own | {parameter}:
                return parameter
        return ""


def shifted(parameter: str) -> str:
    """The name of a parameter where the gradient is taken: ``wtilde``, shown with a tilde."""
    return f"{parameter}tilde"


def vanishing(row: Optimizer, values: Mapping[str, Fraction]) -> dict[str, Fraction]:
    """The hyper-parameters that are put in as numbers: flags, and what is 0 and would be anyway."""
    return {
        name: value
        for name, value in values.items()
        if name in row.flags or (value == 0 and row.hyper[name] == "0")
    }


def lines_of(row: Optimizer, axes: tuple[str, ...]) -> list[Assignment]:
    """The row's equations for a parameter with these indices."""
    matrix = len(axes) == 2 and row.matrix
    lines = parse_program(row.matrix if matrix else row.equations, functions.NAMES)
    letters = _letters(lines)
    return without_indices(lines, frozenset(letters[len(axes) :])) if letters[len(axes) :] else lines


def _letters(lines: list[Assignment]) -> list[str]:
    theta = next(line.target for line in lines if line.target.name == "theta")
    return [part.name for part in theta.indices if isinstance(part, Ref)]


def _index_letters(lines: list[Assignment]) -> list[str]:
    """Every letter that stands between brackets, in order."""
    nodes = (node for line in lines for side in (line.target, line.body) for node in walk(side))
    found = (part for node in nodes if isinstance(node, Ref) for part in node.indices)
    return list(dict.fromkeys(part.name for part in found if isinstance(part, Ref)))


def shape_of_state(rule: Rule, state: str, parameter: str, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of a state of a parameter: its own, that of some indices, or a single number."""
    lines = rule.lines[parameter]
    if state not in owned(lines):
        return ()
    if not _letters(lines):
        return shape
    return tuple(n for n, along in zip(shape, _along(lines, state), strict=True) if along)


def kept_shape(rule: Rule, state: str, parameter: str, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape in which torch keeps a state: indices that it lacks have one value."""
    lines = rule.lines[parameter]
    if state not in owned(lines) or not _letters(lines):
        return shape_of_state(rule, state, parameter, shape)
    return tuple(n if along else 1 for n, along in zip(shape, _along(lines, state), strict=True))


def _along(lines: list[Assignment], state: str) -> list[bool]:
    """Which indices of the parameter a state has too."""
    target = next(line.target for line in lines if line.target.name == state)
    return [Ref(letter) in target.indices for letter in _letters(lines)]


def owned(lines: list[Assignment]) -> frozenset[str]:
    """What differs from parameter to parameter: all that depends on a parameter or its gradient."""
    found, before = set(OWN), set[str]()
    while found != before:
        before = set(found)
        found |= {line.target.name for line in lines if found & {ref.name for ref in refs(line.body)}}
    return frozenset(found)


def gradient(rule: Rule, parameter: str) -> str:
    """The name of the gradient that the optimizer gets: clipped, if there is clipping."""
    return state_name("gbar", parameter) if rule.clip else adjoint(rule.loss, parameter)


def _at(axes: tuple[str, ...]) -> tuple[Expr, ...]:
    return tuple(index(name) for name in axes)


class _Naming:
    """From the names of a row to those of the programs, for one parameter."""

    def __init__(self, rule: Rule, parameter: str) -> None:
        self.rule, self.parameter = rule, parameter
        self.lines, self.axes = rule.lines[parameter], rule.axes[parameter]
        self.own, group = owned(self.lines), rule.group(parameter)
        self.named = bool(_letters(self.lines))
        self.names = {name: group.named(name) for name in group.values}
        if rule.pace:
            self.names["lr"] = group_rate(rule, group)
        self.names |= {"g": gradient(rule, parameter), "h": second(parameter)}
        self.names |= {name: rule.name(name, parameter) for name in ("theta", *rule.states(parameter))}
        self.new = self._letters()

    def _letters(self) -> dict[str, Expr]:
        """The row's letters for entries as those of the parameter; others stay, or make way."""
        found: dict[str, Expr] = dict(zip(_letters(self.lines), _at(self.axes), strict=False))
        for letter in _index_letters(self.lines):
            if letter not in found:
                taken = {part.name for part in found.values() if isinstance(part, Ref)}
                found[letter] = index(fresh_index(letter, taken) if letter in taken else letter)
        return found

    def body(self, expr: Expr) -> Expr:
        def rule(node: Expr) -> Expr | None:
            if not isinstance(node, Ref) or node.name not in self.names:
                return None
            implicit = _at(self.axes) if node.name in self.own and not self.named else node.indices
            return Ref(self.names[node.name], implicit)

        return transform(rename_index(expr, self.new) if self.named else expr, rule)

    def equation(self, line: Assignment) -> Equation:
        """One line, and from now on its target in its new version."""
        body, name = self.body(line.body), line.target.name
        full = self.rule.name(name, self.parameter)
        kept = name == "theta" or name in self.rule.states(self.parameter)
        self.names[name] = after(full) if kept else full
        target = self.body(line.target)
        assert isinstance(target, Ref)
        return Equation(target, body)


def _equations(rule: Rule, parameter: str) -> Iterator[Equation]:
    naming = _Naming(rule, parameter)
    yield from [naming.equation(line) for line in rule.lines[parameter]]


# --- clipping and schedule ----------------------------------------------------------------------------


def _clipping(rule: Rule) -> Iterator[Equation]:
    """The clipped gradient of every parameter; what is shared comes first and once."""
    if rule.clip is None:
        return
    lines = parse_program(rule.clip.equations, functions.NAMES)
    own = owned(lines)
    gradients = {name: Ref(adjoint(rule.loss, name), _at(axes)) for name, axes in rule.axes.items()}
    if any(Ref("gsquares") in refs(line.body) for line in lines):
        yield Equation(Ref("gsquares"), _squares(list(gradients.values())))
    yield from (Equation(line.target, line.body) for line in lines if line.target.name not in own)
    for name, entry in gradients.items():
        for line in (line for line in lines if line.target.name in own):
            body = transform(line.body, {Ref("g"): entry}.get)
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


def group_rate(rule: Rule, group: Group) -> str:
    """The name of the learning rate that a group has in a step."""
    if rule.pace is None:
        return group.named("lr")
    return f"{CURRENT}{group.suffix}" if "lr" in group.own else CURRENT


def _rates(rule: Rule) -> Iterator[Equation]:
    """The learning rate of the step, once for every group that has one of its own."""
    if rule.pace is None:
        return
    for group in (group for group in rule.groups if group.parameters):
        yield from rates(rule, rule.pace, group)


def rates(rule: Rule, pace: Pace, group: Group) -> Iterator[Equation]:
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
        yield Equation(target, transform(line.body, new.get))
