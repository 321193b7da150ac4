"""In how many ways a slip can happen in an example: in which places, in the equations of which quantities.

They are read off the equations and the batches alone, so that all examples of one structure have the same.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from derivations.catalogue.slip import Change, InTurn, Memory, OtherBatch, Rewrite, Rounded, Slip
from derivations.exercises.standing import depending, standing
from derivations.language.backward import instance
from derivations.language.names import adjoint, after, of_adjoint, shifted
from derivations.language.patterns import Bindings, Pattern, count_of, filled, fits, read, rewritten_at
from derivations.language.program import Equation, Program
from derivations.language.tree import Expr, Ref, refs, substitute, transform
from derivations.language.ways import is_plain
from derivations.model.example import Example, backward_of, sample_axes

Batches = tuple[tuple[tuple[int, ...], ...], ...]


@dataclass(frozen=True)
class Way:
    """A slip as it happens: one of its changes, the quantities in whose equations, and where in these.

    ``place`` counts the places in which the pattern fits, from 0; None is everywhere.
    """

    slip: Slip
    change: Change
    targets: tuple[str, ...]
    place: int | None = None


def ways_of(example: Example, slip: Slip) -> tuple[Way, ...]:
    """Every way in which a slip can happen in an example: everywhere at once, then in each place alone."""
    return tuple(dict.fromkeys(way for change in slip.changes for way in _ways(example, slip, change)))


def _ways(example: Example, slip: Slip, change: Change) -> Iterator[Way]:
    match change:
        case Rewrite("slopes" | "gradients"):
            yield from _in_slopes(example, slip, change)
        case Rewrite():
            yield from _in_program(example, slip, change)
        case Memory("theta"):
            own = example.parameters if example.updates and _steps(example) > 1 else ()
            yield from _apart(slip, change, own)
        case Memory():
            gradients = tuple(adjoint(example.loss, name) for name in example.parameters)
            yield from [Way(slip, change, gradients)] if example.updates and _steps(example) > 1 else []
        case InTurn():
            yield from _apart(slip, change, _in_turn(example))
        case OtherBatch(by) if other_batches(example.batches, by) != example.batches:
            yield Way(slip, change, tuple(sample_axes(example)))
        case Rounded():
            yield from _apart(slip, change, _on_the_way(example))


def _apart(slip: Slip, change: Change, targets: Iterable[str], place: int | None = None) -> Iterator[Way]:
    """All targets at once, and each alone."""
    own = tuple(dict.fromkeys(targets))
    if len(own) > 1:
        yield Way(slip, change, own, place)
    yield from (Way(slip, change, (name,), place) for name in own)


def _steps(example: Example) -> int:
    return sum(map(len, example.batches))


def other_batches(batches: Batches, by: int) -> Batches:
    """The batches of every epoch, each step with the samples of the one that comes ``by`` steps later."""
    steps = [samples for epoch in batches for samples in epoch]
    moved = iter([*steps[by % len(steps) :], *steps[: by % len(steps)]])
    return tuple(tuple(next(moved) for _ in epoch) for epoch in batches)


def _on_the_way(example: Example) -> list[str]:
    programs = example.forward + example.backward + example.update
    return [eq.target.name for eq in programs]


def _in_turn(example: Example) -> list[str]:
    """The gradients that depend on a parameter before their own, which can be updated without them."""
    passes, programs = example.forward + example.backward, example.forward + example.backward + example.update
    found = []
    for place, name in enumerate(example.parameters):
        gradient, before = adjoint(example.loss, name), example.parameters[:place]
        circular = {after(other) for other in before} & depending(programs, [gradient])
        if example.updates and gradient in depending(passes, before) and not circular:
            found.append(gradient)
    return found


# --- what is differentiated -----------------------------------------------------------------------------


def pattern_of(example: Example, change: Rewrite, parameter: str = "") -> Pattern:
    """The pattern of a rewriting, its names standing for what an example has; ``theta`` for one, if named."""
    stands, own = standing(example), {parameter, shifted(parameter)}

    def for_one(name: str, expr: Expr) -> bool:
        return stands(name, expr) and (name != "theta" or (isinstance(expr, Ref) and expr.name in own))

    return Pattern(read(change.old), read(change.new), for_one if parameter else stands)


def _in_slopes(example: Example, slip: Slip, change: Rewrite) -> Iterator[Way]:
    if change.of == "gradients":
        yield from _apart(slip, change, _in_gradients(example, slip, change))
        return
    meant = [eq for eq in example.forward if _is_meant(example, change, eq)]
    count = count_of(pattern_of(example, change), tuple(meant))
    seen: set[tuple[tuple[str, ...], tuple[Equation, ...]]] = set()
    for place in [None, *range(count)] if count > 1 else range(count):
        changed = differentiated(example, [Way(slip, change, (), place)])
        for way in _apart(slip, change, changed, place):
            new = way.targets, tuple(eq for name in way.targets for eq in changed[name])
            if new not in seen:
                seen.add(new)
                yield way


def _in_gradients(example: Example, slip: Slip, change: Rewrite) -> list[str]:
    own = [adjoint(example.loss, name) for name in example.parameters]
    return [name for name in own if name in differentiated(example, [Way(slip, change, (name,))], name)]


def differentiated(
    example: Example, ways: Iterable[Way], gradient: str = ""
) -> dict[str, tuple[Equation, ...]]:
    """The adjoints that are others where somebody differentiates the model with slips in it.

    What is asked for is one ``gradient``, or all. Each equation stands for itself: adjoints that ours does
    not read are put in, for in ours they may be those of another way of working.
    """
    equations, parameter = example.forward.equations, of_adjoint(gradient, example.loss)
    for way in ways:
        assert isinstance(way.change, Rewrite)
        pattern = pattern_of(example, way.change, parameter if way.change.of == "gradients" else "")
        meant = tuple(eq for eq in equations if _is_meant(example, way.change, eq))
        new = dict(zip(meant, rewritten_at(pattern, meant, way.place), strict=True))
        equations = tuple(new.get(eq, eq) for eq in equations)
    ours = by_target(backward_of(example, example.forward))
    theirs = by_target(backward_of(example, replace(example.forward, equations=equations)))
    changed = [name for name in ours if name in theirs and theirs[name] != ours[name]]
    wanted = [name for name in changed if gradient in ("", name)]
    return {name: tuple(_by_itself(eq, ours, theirs) for eq in theirs[name]) for name in wanted}


def _by_itself(
    eq: Equation, ours: Mapping[str, tuple[Equation, ...]], theirs: Mapping[str, tuple[Equation, ...]]
) -> Equation:
    """An equation with those adjoints put in that ours does not read, as far as one equation says them."""
    known = {ref.name for own in ours[eq.target.name] for ref in refs(own.body)}
    other = {name: own[0] for name, own in theirs.items() if len(own) == 1 and name not in known}
    for _ in other:
        plain = [ref for ref in refs(eq.body) if ref.name in other and is_plain(ref)]
        eq = replace(eq, body=substitute(eq.body, {ref: instance(other[ref.name], ref) for ref in plain}))
    return eq


def by_target(program: Program) -> dict[str, tuple[Equation, ...]]:
    """The equations of every quantity."""
    found: dict[str, tuple[Equation, ...]] = {}
    for eq in program:
        found[eq.target.name] = (*found.get(eq.target.name, ()), eq)
    return found


# --- what is written ------------------------------------------------------------------------------------


def _in_program(example: Example, slip: Slip, change: Rewrite) -> Iterator[Way]:
    program = program_of(example, change)
    changed = dict.fromkeys(eq.target.name for eq in program if rewritten(example, change, eq) != eq)
    alone = [name for name in changed if _can_be_worked(example, change, name)]
    together: list[str] = []
    left = example
    for name in alone:  # a new read of one may close a circle with that of another
        if _can_be_worked(left, change, name):
            left, together = written(left, change, (name,)), [*together, name]
    if len(together) > 1:
        yield Way(slip, change, tuple(together))
    yield from (Way(slip, change, (name,)) for name in alone)


def _can_be_worked(example: Example, change: Rewrite, name: str) -> bool:
    """Whether the equations of a quantity read only what there is by then, after a rewriting."""
    programs = example.forward + example.backward + example.update
    there = {*programs.targets, *programs.inputs} - depending(programs, [name])
    own = by_target(program_of(example, change))[name]
    return all(_new_reads(rewritten(example, change, eq), eq) <= there for eq in own)


def _new_reads(new: Equation, old: Equation) -> set[str]:
    return {ref.name for ref in refs(new.body)} - {ref.name for ref in refs(old.body)}


def written(example: Example, change: Rewrite, targets: Collection[str]) -> Example:
    """The example with a rewriting made in the equations of some quantities."""
    program = program_of(example, change)
    equations = [rewritten(example, change, eq) if eq.target.name in targets else eq for eq in program]
    new = replace(program, equations=tuple(equations))
    if change.of == "values":
        return replace(example, forward=new)
    return replace(example, backward=new) if change.of == "adjoints" else replace(example, update=new)


def program_of(example: Example, change: Rewrite) -> Program:
    """The program whose equations a rewriting changes."""
    return {"values": example.forward, "adjoints": example.backward, "update": example.update}[change.of]


def rewritten(example: Example, change: Rewrite, eq: Equation) -> Equation:
    """An equation after a rewriting of everything in it that the pattern fits."""
    if change.given:
        return _by_given(example, change, eq)
    meant = _is_meant(example, change, eq)
    return rewritten_at(pattern_of(example, change), (eq,), None)[0] if meant else eq


def _is_meant(example: Example, change: Rewrite, eq: Equation) -> bool:
    """Whether a rewriting is of what an equation computes."""
    return not change.at or any(fits(read(change.at), eq.target, {}, standing(example)))


def _by_given(example: Example, change: Rewrite, eq: Equation) -> Equation:
    """The adjoint of what a forward equation reads, with other quantities of that equation in its slope."""
    stated = {found.equation.target.name for found in example.shortcuts}
    bound = next(_bound(example, change, eq), None)
    if bound is None or eq.target.name in stated:
        return eq
    old = bound[change.old]

    def rule(node: Expr) -> Expr | None:
        if not isinstance(node, Ref) or not isinstance(old, Ref) or node.name != old.name:
            return None
        own = {
            name: replace(ref, indices=node.indices) for name, ref in bound.items() if isinstance(ref, Ref)
        }
        return filled(read(change.new), {**bound, **own})

    return replace(eq, body=transform(eq.body, rule))


def _bound(example: Example, change: Rewrite, eq: Equation) -> Iterator[Bindings]:
    """What the names of the given equation stand for, where its argument is what ``eq`` is the adjoint of."""
    left, _, right = change.given.partition(" = ")
    for own in example.forward:
        for bound in fits(read(left), own.target, {}, standing(example)):
            for more in fits(read(right), own.body, bound, standing(example)):
                inner = [ref for ref in more.values() if isinstance(ref, Ref) and ref.name != own.target.name]
                if any(eq.target.name == adjoint(example.loss, ref.name) for ref in inner):
                    yield more
