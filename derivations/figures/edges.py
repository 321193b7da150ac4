"""What each edge of the computation graph adds to the adjoint of the quantity where it starts.

An edge ``u → v`` is every read of ``u`` in the equations of ``v``. What it adds is the sum of those paths of
the chain rule, as equations of their own: they are worked on a step by the arithmetic of the run, and by the
browser of a page that is played with.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TypeAlias

from derivations.language.contributions import contributions
from derivations.language.names import adjoint, edge_name
from derivations.language.products import total
from derivations.language.program import Equation, Program
from derivations.language.tree import Ref
from derivations.language.ways import ways_to
from derivations.model.example import Example
from derivations.numbers.compile import compile_program
from derivations.numbers.systems import NumberSystem, Value, precision
from derivations.run.training import Step, Trace, looked_up, sample_numbers, shapes_at

Edge: TypeAlias = tuple[str, str]  # the quantity that is read, and the one that reads it
Place: TypeAlias = tuple[int, ...]


def edge_programs(example: Example) -> dict[Edge, Program]:
    """The equations of what each edge adds, edge by edge; an edge without a gradient is not there.

    ``dL through yhat/dw = Σ dL/dyhat[i]*x[i]`` for ``w → yhat``. Raises `ValueError` if no letter is left.
    """
    programs = example.forward, example.backward, example.update
    letters = {letter for program in programs for letter in program.indices}
    program = replace(example.forward, indices=frozenset(letters))
    paths = contributions(program, example.loss, example.parameters)
    found: dict[Edge, list[Equation]] = {}
    for edge in dict.fromkeys((path.by.name, path.through.target.name) for path in paths):
        own = [path for path in paths if (path.by.name, path.through.target.name) == edge]
        name = edge_name(example.loss, *edge)
        ways = ways_to(program, edge[0], own, letters, example.fits)
        found[edge] = [
            Equation(Ref(name, target.indices), total(*(way.expr for way in each))) for target, each in ways
        ]
    return {edge: Program(tuple(own), frozenset(letters)) for edge, own in found.items() if own}


@dataclass(frozen=True)
class EdgeValues:
    """What the edges add in a step, entry by entry of the quantity where they start."""

    values: Mapping[Edge, Mapping[Place, Value]]

    def leaving(self, name: str) -> list[Edge]:
        """The edges of a quantity on which a gradient comes back to it."""
        return [edge for edge in self.values if edge[0] == name]


def worked(trace: Trace, step: Step, system: NumberSystem) -> EdgeValues:
    """Work the edges of a step from what the step was given, in an arithmetic.

    Raises `ValueError` where no letter is left for an index.
    """
    example = trace.example
    edges = edge_programs(example)
    shapes, whole = shapes_at(example, len(step.samples)), looked_up(example, step.samples)
    program = sum(edges.values(), example.forward + example.backward)
    tape = compile_program(program, shapes, step.layout.sizes, whole, sample_numbers(example))
    with precision(trace.bits):
        memory = tape.bind(system)(step.memory[: len(tape.inputs)])
    found: dict[Edge, dict[Place, Value]] = {}
    for edge in edges:
        name = edge_name(example.loss, *edge)
        slope = adjoint(example.loss, edge[0])
        places = sorted(at for other, at in step.layout.tape.slots if other == slope)
        nothing = system.number(Fraction(0))  # no path of this edge comes to an entry that another reaches
        slots = {at: tape.slots.get((name, at)) for at in places}
        found[edge] = {at: nothing if slot is None else memory[slot] for at, slot in slots.items()}
    return EdgeValues(found)
