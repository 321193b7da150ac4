"""What every block of a workbook needs: letters of indices, number formats, where the inputs stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from flint import arb

from derivations.document.blocks import Part
from derivations.document.columns import parts_of
from derivations.formats.spreadsheet.cells import Place
from derivations.formats.spreadsheet.words import Wording, said
from derivations.language.contributions import needed
from derivations.language.names import adjoint, adjoint_of, unprimed
from derivations.language.program import Equation
from derivations.language.tree import Count, Expr, Mean, Ref, Sum, free_indices, refs, walk
from derivations.model.example import Example
from derivations.numbers.systems import Value
from derivations.numbers.tape import Entry
from derivations.run.training import Step

PLACES, SMALL, LARGE = 6, 1e-4, 1e9
SPARE = "ijklpqrs"


@dataclass(frozen=True)
class Shared:
    """The example with the equations that are shown, and where its inputs and named cells stand."""

    example: Example
    equations: Mapping[str, Sequence[Equation]]
    letters: Mapping[str, tuple[str, ...]]
    forms: Mapping[str, str]
    inputs: Mapping[Entry, Place]
    names: Mapping[str, str]
    language: str
    words: Wording

    def said(self, text: str, *parts: Expr | Part | int) -> str:
        """A text of ours in the language of the page."""
        return said(self.language, text, *parts)

    @cached_property
    def everything(self) -> tuple[Equation, ...]:
        """The equations of all parts."""
        return tuple(eq for part in self.equations.values() for eq in part)

    @cached_property
    def counted(self) -> frozenset[str]:
        """The indices whose number of values is read by an equation."""
        nodes = (node for eq in self.everything for node in walk(eq.body))
        return frozenset(node.index for node in nodes if isinstance(node, Count))

    @cached_property
    def read(self) -> frozenset[str]:
        """The quantities that right-hand sides read."""
        nodes = (node for eq in self.everything for node in walk(eq.body))
        return frozenset(node.name for node in nodes if isinstance(node, Ref))

    @cached_property
    def summed(self) -> dict[str, list[Expr]]:
        """What is summed over the samples and no quantity of its own, by part, bracketed parts first."""
        known, found = {eq.body for eq in self.everything}, dict[Expr, None]()
        for eq in (*self.equations["forward"], *self.equations["backward"]):
            nodes = (
                n for n in walk(eq.body) if isinstance(n, (Sum, Mean)) and n.index == self.example.sample
            )
            bodies = [n.body for n in nodes if not isinstance(n.body, Ref) and self.is_single(n.body)]
            parts = [inner for body in bodies for inner in parts_of(body, self.example.sample or "")]
            found |= dict.fromkeys(e for e in (*parts, *bodies) if self.is_single(e) and e not in known)
        inner = [expr for expr in found if any(expr in walk(other) for other in found if other != expr)]
        ordered = dict.fromkeys([*inner, *found])
        late = {expr for expr in ordered if self.waits(expr)}
        return {
            "forward": [expr for expr in ordered if expr not in late],
            "backward": [expr for expr in ordered if expr in late],
            "update": [],
        }

    def is_single(self, expr: Expr) -> bool:
        """Whether the samples' is the only free index of an expression."""
        letters = self.example.forward.indices | self.example.backward.indices
        return free_indices(expr, letters) == [self.example.sample]

    def waits(self, expr: Expr) -> bool:
        """Whether an expression reads adjoints, so that it belongs to the backward pass."""
        return any(adjoint_of(ref.name, self.example.loss) for ref in refs(expr))

    def letters_of(self, name: str, rank: int) -> tuple[str, ...]:
        """The letters of a quantity's indices, as the author writes them."""
        found = self.letters.get(name) or self.letters.get(unprimed(name), ())
        own = found if len(found) == rank else tuple(SPARE[:rank])
        return tuple(map(self.words.symbols.letter, own))


def shown_equations(example: Example) -> dict[str, list[Equation]]:
    """The equations of a step by part: of the backward pass those that the update needs."""
    gradients = (adjoint(example.loss, name) for name in example.parameters)
    wanted = needed(example.backward, *gradients, *example.update.inputs)
    backward = [eq for eq in example.backward if eq.target.name in wanted]
    return {"forward": list(example.forward), "backward": backward, "update": list(example.update)}


def index_letters(example: Example) -> dict[str, tuple[str, ...]]:
    """The letters that the programs read each quantity with."""
    found = {name: tuple(axes) for name, axes in example.rule.axes.items()}
    for eq in (*example.forward, *example.backward, *example.update):
        for ref in (eq.target, *refs(eq.body)):
            plain = tuple(part.name for part in ref.indices if isinstance(part, Ref) and not part.indices)
            if len(plain) == len(ref.indices) == len(set(plain)):
                found.setdefault(ref.name, plain)
    return found


def number_forms(steps: Sequence[Step]) -> dict[str, str]:
    """How the numbers of each quantity are shown: as they are, with 6 places, or with a power of ten."""
    values: dict[str, list[Value]] = {}
    for step in steps:
        for (name, _), slot in step.layout.tape.slots.items():
            values.setdefault(unprimed(name), []).append(step.memory[slot])
    return {name: form_of(known) for name, known in values.items()}


def form_of(values: list[Value]) -> str:
    """The form in which numbers that belong together are shown."""
    sizes = [abs(float(value.mid() if isinstance(value, arb) else value)) for value in values]
    if any(0 < size < SMALL or size >= LARGE for size in sizes):
        return "power"
    short = all(not isinstance(v, arb) and 10**PLACES % int(v.q) == 0 for v in values)
    return "plain" if short else "places"
