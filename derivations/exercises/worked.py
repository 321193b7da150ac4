"""The programs of a student who makes slips: each slip is a rewriting of equations, and the rest runs on.

The order in which slips are put in does not follow the order in which they are named: first what is
differentiated, then the backward pass, the forward pass and the update as they are written, then what is
remembered, the order of the updates, the samples, the rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction

from derivations.catalogue.slip import InTurn, Memory, OtherBatch, Rewrite, Rounded
from derivations.exercises.ways import Way, by_target, differentiated, other_batches, written
from derivations.language.names import adjoint, adjoint_of, after, state_name
from derivations.language.patterns import filled, read
from derivations.language.products import terms, total
from derivations.language.program import Equation, Program, hoist
from derivations.language.tree import REDUCTIONS, Count, Expr, Ref, refs, transform, walk
from derivations.model.example import Example
from derivations.model.interventions import rounded
from derivations.model.optimizing import State
from derivations.spec.arrays import Array

Ways = tuple[Way, ...]
SLOPES = ("slopes", "gradients")
WRITTEN = ("adjoints", "values", "update")


def worked(example: Example, ways: Ways) -> Example:
    """The example as somebody works it who makes these slips; ``train`` gives the numbers."""
    for stage in (_slopes, _written, _remembered, _in_turn, _batches, _rounded):
        example = stage(example, ways)
    return example


# --- equations ------------------------------------------------------------------------------------------


def _slopes(example: Example, ways: Ways) -> Example:
    """Adjoints as they follow from the model with slips in it, each with those of its equation."""
    sloped = [way for way in ways if isinstance(way.change, Rewrite) and way.change.of in SLOPES]
    new: dict[str, tuple[Equation, ...]] = {}
    for name in dict.fromkeys(name for way in sloped for name in way.targets):
        found = differentiated(example, [way for way in sloped if name in way.targets], name)
        new |= {name: found[name]} if name in found else {}
    return replace(example, backward=_with(example.backward, new)) if new else example


def _with(program: Program, new: Mapping[str, tuple[Equation, ...]]) -> Program:
    """The program with other equations for some quantities, each where its first one stood."""
    found: list[Equation] = []
    written: set[str] = set()
    for eq in program:
        name = eq.target.name
        if name not in written:
            found += new[name] if name in new else by_target(program)[name]
        written.add(name)
    nodes = (node for eq in found for node in walk(eq.body))
    letters = {node.index for node in nodes if isinstance(node, (*REDUCTIONS, Count))}
    return hoist(Program(tuple(found), program.indices | letters))


def _written(example: Example, ways: Ways) -> Example:
    """Equations as they are written down, adjoints before what they follow from."""
    for of in WRITTEN:
        for way in ways:
            if isinstance(way.change, Rewrite) and way.change.of == of:
                example = written(example, way.change, way.targets)
    return example


# --- what is remembered -----------------------------------------------------------------------------------


def _remembered(example: Example, ways: Ways) -> Example:
    for way in ways:
        if isinstance(way.change, Memory):
            for name in _own(example, way):
                example = _kept(example, way.change, name)
    return example


def _kept(example: Example, memory: Memory, parameter: str) -> Example:
    """The example with a state more, which holds a parameter or its gradient of the step before."""
    letters = tuple(map(Ref, example.rule.axes[parameter]))
    name = state_name(memory.name, parameter)
    old = Ref(parameter if memory.old == "theta" else adjoint(example.loss, parameter), letters)
    indices = example.update.indices | {part.name for part in letters}
    update = Program((*example.update, Equation(Ref(after(name), letters), old)), indices)
    state = State(memory.name, (parameter,), _start(example, memory, parameter))
    example = replace(example, update=update, states={**example.states, name: state})
    if memory.old == "theta":
        return _in_passes(example, lambda node: _read_before(node, memory, parameter, name))
    added = total(*(term for term in terms(read(memory.new)) if term != Ref(memory.old)))
    more = Equation(old, filled(added, {memory.name: Ref(name, letters)}))
    return replace(example, backward=Program((*example.backward, more), example.backward.indices))


def _start(example: Example, memory: Memory, parameter: str) -> Array:
    """What a memory holds before the first step."""
    own = example.start[parameter]
    known = memory.start == "theta"
    return own if known else Array(own.shape, (Fraction(memory.start),) * len(own.entries))


def _read_before(node: Expr, memory: Memory, parameter: str, name: str) -> Expr | None:
    if not isinstance(node, Ref) or node.name != parameter:
        return None
    return filled(read(memory.new), {memory.old: node, memory.name: replace(node, name=name)})


def _in_passes(example: Example, rule: Callable[[Expr], Expr | None]) -> Example:
    """The example with other reads in the forward and the backward pass."""

    def read_so(program: Program) -> Program:
        return replace(program, equations=tuple(replace(eq, body=transform(eq.body, rule)) for eq in program))

    return replace(example, forward=read_so(example.forward), backward=read_so(example.backward))


def with_memories(example: Example, ways: Ways) -> Mapping[str, State]:
    """The states of an example and those that slips keep, with the start values of this example."""
    found = dict(example.states)
    for way in ways:
        if isinstance(memory := way.change, Memory):
            for name in _own(example, way):
                state = State(memory.name, (name,), _start(example, memory, name))
                found[state_name(memory.name, name)] = state
    return found


def memories(example: Example, ways: Ways) -> dict[str, str]:
    """The states that slips keep and that start as a parameter does, with the parameter."""
    own = ((way, way.change) for way in ways if isinstance(way.change, Memory))
    pairs = ((memory, name) for way, memory in own if memory.start == "theta" for name in _own(example, way))
    return {state_name(memory.name, name): name for memory, name in pairs}


def _own(example: Example, way: Way) -> list[str]:
    """The parameters that a way names, itself or by their gradients."""
    return [name for name in example.parameters if {name, adjoint(example.loss, name)} & {*way.targets}]


# --- order, samples, rounding -----------------------------------------------------------------------------


def _in_turn(example: Example, ways: Ways) -> Example:
    targets = {name for way in ways if isinstance(way.change, InTurn) for name in way.targets}
    backward = list(example.backward)
    copies: list[Equation] = []
    for place, parameter in enumerate(example.parameters):
        gradient = adjoint(example.loss, parameter)
        if gradient in targets:
            names = _names_again(example, place)
            backward = [_read_again(eq, names) if eq.target.name == gradient else eq for eq in backward]
            copies += [_read_again(eq, names) for eq in _passes(example)]
    letters = example.forward.indices | example.backward.indices
    program = Program((*_needed(copies, backward), *backward), letters)
    return replace(example, backward=program) if targets else example


def _passes(example: Example) -> list[Equation]:
    """Forward and backward pass, but for the gradients of parameters."""
    own = {adjoint(example.loss, name) for name in example.parameters}
    return [*example.forward, *(eq for eq in example.backward if eq.target.name not in own)]


def _names_again(example: Example, place: int) -> dict[str, str]:
    """The names of what is worked again with the parameters updated that stand before a place."""
    names = {name: after(name) for name in example.parameters[:place]}
    for eq in _passes(example):
        name = eq.target.name
        of = adjoint_of(name, example.loss)
        names[name] = _again(name, place) if of is None else adjoint(example.loss, _again(of, place))
    return names


def _read_again(eq: Equation, names: Mapping[str, str]) -> Equation:
    def rule(node: Expr) -> Expr | None:
        if not isinstance(node, Ref) or node.name not in names:
            return None
        return Ref(
            names[node.name], tuple(transform(part, rule) for part in node.indices), padded=node.padded
        )

    target = transform(eq.target, rule)
    assert isinstance(target, Ref)
    return Equation(target, transform(eq.body, rule))


def _needed(copies: list[Equation], wanted: list[Equation]) -> list[Equation]:
    """Those of the copies that something reads."""
    read = {ref.name for eq in wanted for ref in refs(eq.body)}
    for _ in copies:
        read |= {ref.name for eq in copies if eq.target.name in read for ref in refs(eq.body)}
    return [eq for eq in copies if eq.target.name in read]


def _again(name: str, times: int) -> str:
    """The name of a quantity that is worked again after so many parameters were updated."""
    for _ in range(times):
        name = after(name)
    return name


def _batches(example: Example, ways: Ways) -> Example:
    by = sum(way.change.by for way in ways if isinstance(way.change, OtherBatch))
    return replace(example, batches=other_batches(example.batches, by)) if by else example


def _rounded(example: Example, ways: Ways) -> Example:
    places: dict[str, int] = {}
    for way in ways:
        if isinstance(way.change, Rounded):
            places = {**dict.fromkeys(way.targets, way.change.places), **places}
    return rounded(example, places) if places else example
