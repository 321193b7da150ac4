"""An optimizer's row, with groups, clipping and schedule, as the update program of the parameters at hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property, lru_cache
from typing import Any

from derivations.catalogue import functions
from derivations.catalogue.algorithm import Clipping, Optimizer
from derivations.language.content import Content
from derivations.language.names import adjoint, after, second, shifted, state_name, unprimed
from derivations.language.parser import Assignment, parse_program
from derivations.language.program import Equation, Program
from derivations.language.tree import (
    Count,
    Expr,
    Mean,
    Ref,
    Sum,
    fresh_index,
    index,
    refs,
    transform,
    walk,
)
from derivations.model.pace import Group, Pace, at, clipped, group_rate, rates
from derivations.model.partial import put_in, shortened, states_of
from derivations.model.rows import along, index_letters, letters, lines_of, owned, vanishing


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
    def structure(self) -> Content[Rule]:
        """What the programs of the rule depend on: everything but the numbers that stay letters in them."""
        groups = tuple(
            (
                each.parameters,
                each.own,
                each.suffix,
                tuple(each.values),
                _items(vanishing(self.row, each.values)),
            )
            for each in self.groups
        )
        row = (self.row.name, self.row.equations, self.row.matrix, self.row.at, self.row.kept)
        pace = self.pace and (self.pace.row.equations, _items(self.pace.lists), self.pace.every)
        clip = self.clip and self.clip.equations
        return Content((row, groups, _items(self.axes), self.loss, clip, pace), self)

    @cached_property
    def _programs(self) -> _Programs:
        return _programs(self.structure)

    @property
    def lines(self) -> dict[str, list[Assignment]]:
        """The equations of every parameter, in the names of the row."""
        return self._programs.lines

    def _lines(self) -> dict[str, list[Assignment]]:
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

    @property
    def ahead(self) -> list[Equation]:
        """The shifted parameters at which the gradient is taken, if the row says so."""
        return self._programs.ahead

    def _ahead(self) -> list[Equation]:
        if not self.row.at:
            return []
        (line,) = parse_program(f"at = {self.row.at}", functions.NAMES)
        return [
            Equation(Ref(shifted(name), at(axes)), _Naming(self, name).body(line.body))
            for name, axes in self.axes.items()
        ]

    @property
    def update(self) -> Program:
        """The equations of one update: learning rate, clipping, then every parameter's own.

        ``theta = theta - lr*g`` becomes ``w' = w - lr*dL/dw``; what a row writes and later reads is
        read in its new version.
        """
        return self._programs.update

    def _update(self) -> Program:
        found: dict[Equation, None] = {}
        for group in (group for group in self.groups if group.parameters and self.pace):
            found |= dict.fromkeys(rates(self.pace, group) if self.pace else ())
        found |= dict.fromkeys(clipped(self.clip, self.axes, self.loss) if self.clip else ())
        for parameter in self.axes:
            found |= dict.fromkeys(_equations(self, parameter))
        equations = tuple(found)
        nodes = (node for eq in equations for side in (eq.target, eq.body) for node in walk(side))
        named = {
            part.name
            for node in nodes
            for part in (node.indices if isinstance(node, Ref) else ())
            if isinstance(part, Ref)
        }
        return Program(equations, frozenset(named))

    def owner(self, name: str) -> str:
        """The parameter to which a quantity of the update belongs; empty for what is shared."""
        plain = unprimed(name)
        for parameter, lines in self.lines.items():
            own = {self.name(target, parameter) for target in owned(lines)} | {gradient(self, parameter)}
            if plain in own | {parameter}:
                return parameter
        return ""


class _Programs:
    """The programs of a rule, each worked when it is first asked for."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule

    @cached_property
    def lines(self) -> dict[str, list[Assignment]]:
        return self.rule._lines()

    @cached_property
    def ahead(self) -> list[Equation]:
        return self.rule._ahead()

    @cached_property
    def update(self) -> Program:
        return self.rule._update()


@lru_cache(maxsize=256)
def _programs(structure: Content[Rule]) -> _Programs:
    return _Programs(structure.of)


def _items(mapping: Mapping[str, Any]) -> tuple[tuple[str, Any], ...]:
    return tuple(mapping.items())


def shape_of_state(rule: Rule, state: str, parameter: str, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of a state of a parameter: its own, that of some indices, or a single number."""
    lines = rule.lines[parameter]
    if state not in owned(lines):
        return ()
    if not letters(lines):
        return shape
    return tuple(n for n, has in zip(shape, along(lines, state), strict=True) if has)


def kept_shape(rule: Rule, state: str, parameter: str, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape in which torch keeps a state: indices that it lacks have one value."""
    lines = rule.lines[parameter]
    if state not in owned(lines) or not letters(lines):
        return shape_of_state(rule, state, parameter, shape)
    return tuple(n if has else 1 for n, has in zip(shape, along(lines, state), strict=True))


def gradient(rule: Rule, parameter: str) -> str:
    """The name of the gradient that the optimizer gets: clipped, if there is clipping."""
    return state_name("gbar", parameter) if rule.clip else adjoint(rule.loss, parameter)


class _Naming:
    """From the names of a row to those of the programs, for one parameter."""

    def __init__(self, rule: Rule, parameter: str) -> None:
        self.rule, self.parameter = rule, parameter
        self.lines, self.axes = rule.lines[parameter], rule.axes[parameter]
        self.own, group = owned(self.lines), rule.group(parameter)
        self.named = bool(letters(self.lines))
        self.names = {name: group.named(name) for name in group.values}
        if rule.pace:
            self.names["lr"] = group_rate(rule.pace, group)
        self.names |= {"g": gradient(rule, parameter), "h": second(parameter)}
        self.names |= {name: rule.name(name, parameter) for name in ("theta", *rule.states(parameter))}
        self.new = self.entries()

    def entries(self) -> dict[str, str]:
        """The row's letters for entries as those of the parameter; others stay, or make way."""
        found = dict(zip(letters(self.lines), self.axes, strict=False))
        for letter in index_letters(self.lines):
            if letter not in found:
                taken = {*found.values(), *index_letters(self.lines)}
                found[letter] = fresh_index(letter, taken) if letter in found.values() else letter
        return found

    def body(self, expr: Expr) -> Expr:
        def rule(node: Expr) -> Expr | None:
            if not isinstance(node, Ref) or node.name not in self.names:
                return None
            implicit = at(self.axes) if node.name in self.own and not self.named else node.indices
            return Ref(self.names[node.name], implicit)

        return transform(_relettered(expr, self.new) if self.named else expr, rule)

    def equation(self, line: Assignment) -> Equation:
        """One line, and from now on its target in its new version."""
        body, name = self.body(line.body), line.target.name
        full = self.rule.name(name, self.parameter)
        kept = name == "theta" or name in self.rule.states(self.parameter)
        self.names[name] = after(full) if kept else full
        target = self.body(line.target)
        assert isinstance(target, Ref)
        return Equation(target, body)


def _relettered(expr: Expr, new: Mapping[str, str]) -> Expr:
    """The expression with other letters, those of its sums too; no two become one."""

    def rule(node: Expr) -> Expr | None:
        if isinstance(node, Ref) and not node.indices and node.name in new:
            return index(new[node.name])
        if isinstance(node, (Sum, Mean)):
            return replace(node, body=transform(node.body, rule), index=new.get(node.index, node.index))
        return Count(new.get(node.index, node.index)) if isinstance(node, Count) else None

    return transform(expr, rule)


def _equations(rule: Rule, parameter: str) -> Iterator[Equation]:
    naming = _Naming(rule, parameter)
    yield from [naming.equation(line) for line in rule.lines[parameter]]
