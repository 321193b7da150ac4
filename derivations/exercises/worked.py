"""The programs of a student who makes slips: each slip is a rewriting of equations, and the rest runs on.

The order in which slips are put in does not follow the order in which they are named: first what is
differentiated, then the backward pass, the forward pass and the update as they are written, then what is
remembered, the order of the updates, the samples, the rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from fractions import Fraction

from derivations.catalogue.slip import InTurn, Memory, OtherBatch, Rewrite, Rounded
from derivations.exercises.ways import Way, by_target, other_batches, pattern_of, rewritten
from derivations.language.names import adjoint, after, of_adjoint, state_name
from derivations.language.patterns import filled, read, rewritten_at
from derivations.language.products import terms, total
from derivations.language.program import Equation, Program
from derivations.language.tree import Expr, Ref, transform
from derivations.model.example import Example, backward_of
from derivations.model.interventions import rounded
from derivations.model.optimizing import State
from derivations.spec.arrays import Array

Ways = tuple[Way, ...]
PROGRAMS = {"adjoints": "backward", "values": "forward", "update": "update"}


def worked(example: Example, ways: Ways) -> Example:
    """The example as somebody works it who makes these slips; ``train`` gives the numbers."""
    for stage in (_slopes, _written, _remembered, _in_turn, _batches, _rounded):
        example = stage(example, ways)
    return example


# --- equations ------------------------------------------------------------------------------------------


def _slopes(example: Example, ways: Ways) -> Example:
    """Adjoints as they follow from the model with slips in it, each from those that happen in its equation."""
    sloped = [way for way in ways if isinstance(way.change, Rewrite) and way.change.of in ("slopes", "gradients")]
    targets = dict.fromkeys(name for way in sloped for name in way.targets)
    new: dict[str, tuple[Equation, ...]] = {}
    letters = example.backward.indices
    for name in targets:
        program = backward_of(example, _differentiated(example, [way for way in sloped if name in way.targets]))
        new[name], letters = by_target(program).get(name, ()), letters | program.indices
    return replace(example, backward=_with(example.backward, new, letters)) if new else example


def _differentiated(example: Example, ways: Iterable[Way]) -> Program:
    """The forward program as somebody differentiates it."""
    equations = example.forward.equations
    for way in ways:
        assert isinstance(way.change, Rewrite)
        equations = rewritten_at(pattern_of(example, way.change), equations, way.place)
    return replace(example.forward, equations=equations)


def _with(program: Program, new: Mapping[str, tuple[Equation, ...]], letters: frozenset[str]) -> Program:
    """The program with other equations for some quantities, each where its first one stood."""
    found: list[Equation] = []
    written: set[str] = set()
    for eq in program:
        name = eq.target.name
        if name not in written:
            found += new.get(name, ()) if name in new else by_target(program)[name]
        written.add(name)
    return Program(tuple(found), letters)


def _written(example: Example, ways: Ways) -> Example:
    """Equations as they are written down, adjoints before what they follow from."""
    for of, field in PROGRAMS.items():
        for way in ways:
            if isinstance(way.change, Rewrite) and way.change.of == of:
                program = getattr(example, field)
                new = tuple(_one(example, way, way.change, eq) for eq in program)
                example = replace(example, **{field: Program(new, program.indices)})
    return example


def _one(example: Example, way: Way, change: Rewrite, eq: Equation) -> Equation:
    return rewritten(example, change, eq) if eq.target.name in way.targets else eq


# --- what is remembered -----------------------------------------------------------------------------------


def _remembered(example: Example, ways: Ways) -> Example:
    for way in ways:
        if isinstance(way.change, Memory):
            own = [name for name in example.parameters if {name, adjoint(example.loss, name)} & {*way.targets}]
            for name in own:
                example = _kept(example, way.change, name)
    return example


def _kept(example: Example, memory: Memory, parameter: str) -> Example:
    """The example with a state more, which holds a parameter or its gradient of the step before."""
    letters = tuple(map(Ref, example.rule.axes[parameter]))
    name = state_name(memory.name, parameter)
    old = Ref(parameter if memory.old == "theta" else adjoint(example.loss, parameter), letters)
    update = Program((*example.update, Equation(Ref(after(name), letters), old)), example.update.indices)
    example = replace(
        example,
        update=replace(update, indices=update.indices | {part.name for part in letters}),
        states={**example.states, name: State(memory.name, (parameter,), _start(example, memory, parameter))},
    )
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
        return replace(
            program, equations=tuple(replace(eq, body=transform(eq.body, rule)) for eq in program)
        )

    return replace(example, forward=read_so(example.forward), backward=read_so(example.backward))


def with_memories(example: Example, ways: Ways) -> Mapping[str, State]:
    """The states of an example and those that slips keep, with the start values of this example."""
    kept = [(way.change, way.targets) for way in ways if isinstance(way.change, Memory)]
    found = dict(example.states)
    for memory, targets in kept:
        for name in example.parameters:
            if {name, adjoint(example.loss, name)} & {*targets}:
                own = _start(example, memory, name)
                found[state_name(memory.name, name)] = State(memory.name, (name,), own)
    return found


# --- order, samples, rounding -----------------------------------------------------------------------------


def _in_turn(example: Example, ways: Ways) -> Example:
    targets = {name for way in ways if isinstance(way.change, InTurn) for name in way.targets}
    for place, name in enumerate(example.parameters):
        if adjoint(example.loss, name) in targets:
            example = _worked_again(example, name, place)
    return example


def _worked_again(example: Example, parameter: str, place: int) -> Example:
    """The gradient of a parameter from passes of its own, in which those before it are updated."""
    loss, before = example.loss, example.parameters[:place]
    own = {adjoint(loss, name) for name in example.parameters}
    names = {name: _again(name, place) for name in example.forward.targets}
    names |= {name: after(name) for name in before}
    between = [eq for eq in example.backward if eq.target.name not in own]
    names |= {
        eq.target.name: adjoint(loss, _again(of_adjoint(eq.target.name, loss), place)) for eq in between
    }

    def rule(node: Expr) -> Expr | None:
        if not isinstance(node, Ref) or node.name not in names:
            return None
        return replace(node, name=names[node.name], indices=tuple(transform(p, rule) for p in node.indices))

    def again(eq: Equation, target: Ref) -> Equation:
        return Equation(target, transform(eq.body, rule))

    copies = [again(eq, _named(eq.target, names)) for eq in (*example.forward, *between)]
    kept = [again(eq, eq.target) if eq.target.name == adjoint(loss, parameter) else eq for eq in example.backward]
    letters = example.forward.indices | example.backward.indices
    return replace(example, backward=Program((*copies, *kept), letters))


def _again(name: str, times: int) -> str:
    """The name of a quantity that is worked again after so many parameters were updated."""
    for _ in range(times):
        name = after(name)
    return name


def _named(target: Ref, names: Mapping[str, str]) -> Ref:
    return replace(target, name=names[target.name])


def _batches(example: Example, ways: Ways) -> Example:
    by = sum(way.change.by for way in ways if isinstance(way.change, OtherBatch))
    return replace(example, batches=other_batches(example.batches, by)) if by else example


def _rounded(example: Example, ways: Ways) -> Example:
    places: dict[str, int] = {}
    for way in ways:
        if isinstance(way.change, Rounded):
            places = {**dict.fromkeys(way.targets, way.change.places), **places}
    return rounded(example, places) if places else example
