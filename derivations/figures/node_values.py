"""The numbers of a step as they stand in the computation graph: in its nodes and on its edges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from derivations.figures.axes import SHORT
from derivations.figures.drawing import Said
from derivations.figures.edges import Edge, EdgeValues, Place
from derivations.figures.scene import Scene, leaf
from derivations.language.names import adjoint
from derivations.language.tree import Expr
from derivations.numbers.systems import Value
from derivations.run.training import Step

SUM, MANY = "Σ", "(…)"  # before an adjoint that is the sum of several edges; entries that are not listed


@dataclass(frozen=True)
class NodeValues:
    """The values of a step; of what has more than ``most`` entries only how many there are."""

    scene: Scene
    step: Step
    edges: EdgeValues
    most: int

    def entries(self, name: str) -> list[Place]:
        """The places of the entries of a quantity, whichever of them was worked first."""
        return sorted(at for own, at in self.step.layout.tape.slots if own == name)

    def equal(self, name: str) -> Said:
        """What the entries of a quantity are: ``= 0.5``, ``≈ (1.5, 2)``; of many, how many: ``: 2 × 3``."""
        mark, said = self._listed({at: self.step.at(name, at) for at in self.entries(name)})
        return (f"{mark} " if mark == ":" else f" {mark} ", *said) if said else ()

    def on(self, edge: Edge) -> Said:
        """What an edge adds to an adjoint: ``-34.5``, ``≈ (1.5, 2)``; nothing without a gradient."""
        mark, said = self._listed(self.edges.values.get(edge, {}))
        return (MANY,) if mark == ":" else ("≈ ", *said) if mark == "≈" else said

    def total(self, name: str) -> Said:
        """The adjoint of a quantity if it is the sum of several edges: ``Σ = -34.5``; none of many."""
        slope = adjoint(self.scene.example.loss, name)
        if len(self.edges.leaving(name)) < 2 or len(self.entries(slope)) > self.most:
            return ()
        return (SUM, *self.equal(slope))

    def _listed(self, values: Mapping[Place, Value]) -> tuple[str, Said]:
        """Whether the entries are exact, and the entries; of many, how many."""
        if not values:
            return "", ()
        if len(values) > self.most:
            shape = [max(at[axis] for at in values) for axis in range(len(next(iter(values))))]
            return ":", (" × ".join(map(str, shape)),)
        shown = [SHORT(value) for value in values.values()]
        mark = "=" if all(each.exact for each in shown) else "≈"
        if len(shown) == 1:
            return mark, (leaf(shown[0]),)
        said: list[str | Expr] = ["("]
        for at, each, after in zip(values, shown, [*[*values][1:], ()], strict=True):
            said += [leaf(each), self._between(at, after)]
        return mark, (*said[:-1], ")")

    def _between(self, one: Place, other: Place) -> str:
        """What stands between two entries; between rows, and between matrices, something else."""
        kept = next((axis for axis, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), 0)
        return self.scene.symbols.marks.between(len(one) - 1 - kept)
