"""What is asked of a variant: entries of a step, each with its name and its symbol."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from derivations.claims.samples import with_samples
from derivations.language.errors import nearest
from derivations.language.names import adjoint, after
from derivations.language.tree import Ref, number
from derivations.model.example import Example
from derivations.notation.chain import Formula, formula
from derivations.run.training import Layout, Step
from derivations.spec.spec import Source

Batch: TypeAlias = tuple[Layout, tuple[int, ...]]
MOST, USUAL = 40, 12  # entries that one exercise asks for: at most, and where the spec names none


@dataclass(frozen=True)
class Asked:
    """An entry of a step that the student writes down; ``name`` is its label, as ``dL/dw`` or ``yhat[3]``."""

    step: int
    quantity: str
    positions: tuple[int, ...]
    name: str

    @property
    def key(self) -> str:
        """What identifies it in every export, however it is worded: ``1:dL/dw``."""
        return f"{self.step}:{self.name}"

    @property
    def ref(self) -> Ref:
        """The entry in the programs."""
        return Ref(self.quantity, tuple(map(number, self.positions)))

    def symbol(self, step: Step) -> Formula:
        """How it is written: ``∂L/∂w``, ``w'``, samples by their numbers."""
        return with_samples(formula(self.ref), step)


def asked_of(example: Example, layouts: list[Batch], source: Source) -> tuple[Asked, ...]:
    """What ``[exercise] ask`` names, in every step; the gradients and the new parameters if it names nothing.

    ``layouts`` has one for each step that is worked, with its samples. Raises `SpecError` for a name that
    nothing has, or for too many entries.
    """
    table = example.spec.exercise
    named = table is not None and bool(table.ask)
    wanted = table.ask if table and table.ask else tuple(_usual(example))
    found = {name: _entries(name, layouts, source) for name in wanted}
    entries = [each for own in found.values() for each in (own if named else _few(own, found))]
    ordered = sorted(dict.fromkeys(entries), key=lambda each: each.step)
    if len(ordered) > MOST:
        message = f"asks for {len(ordered)} numbers, and an exercise for at most {MOST}"
        raise source.error(message, "exercise", "ask", hint='Name single entries, as "dL/dW[1, 1]".')
    return tuple(ordered)


def _usual(example: Example) -> Iterator[str]:
    yield from (adjoint(example.loss, name) for name in example.start)
    yield from (after(name) for name in example.start if example.updates)


def _few(own: list[Asked], found: Mapping[str, list[Asked]]) -> list[Asked]:
    """All entries of a quantity, or the first of each step where there are so many that nobody works them."""
    if sum(map(len, found.values())) <= USUAL:
        return own
    return [each for place, each in enumerate(own) if each.step not in {one.step for one in own[:place]}]


def _entries(name: str, layouts: list[Batch], source: Source) -> list[Asked]:
    """The entries that a name means: one by its label, or all of a quantity."""
    found: list[Asked] = []
    known: dict[str, None] = {}
    for step, (layout, samples) in enumerate(layouts, 1):
        for quantity, at in layout.tape.plan:
            label = layout.label((quantity, at), samples)
            known |= {quantity: None, label: None}
            if name in (label, quantity):
                found.append(Asked(step, quantity, at, label))
    if not found:
        hint = nearest(name, known, "quantities")
        raise source.error(f"nothing is called '{name}' here", "exercise", "ask", hint=hint)
    return found
