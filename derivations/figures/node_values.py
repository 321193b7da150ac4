"""The numbers of a step as they stand in the nodes of the computation graph and below them."""

from __future__ import annotations

from dataclasses import dataclass

from derivations.examples.training import Step
from derivations.figures.axes import SHORT
from derivations.figures.drawing import Said
from derivations.figures.scene import Scene, leaf
from derivations.language.backward import adjoint
from derivations.language.tree import Expr


@dataclass(frozen=True)
class NodeValues:
    """The values of a step; of a quantity with more than ``most`` entries only how many there are."""

    scene: Scene
    step: Step
    most: int

    def entries(self, name: str) -> list[tuple[int, ...]]:
        """The places of the entries of a quantity."""
        return [at for own, at in self.step.layout.tape.slots if own == name]

    def equal(self, name: str) -> Said:
        """What the entries of a quantity are: ``= 0.5``, ``≈ (1.5, 2)``; of many, how many: ``: 2 × 3``."""
        places = self.entries(name)
        if not places:
            return ()
        if len(places) > self.most:
            shape = [max(at[axis] for at in places) for axis in range(len(places[0]))]
            return (": " + " × ".join(map(str, shape)),)
        shown = [SHORT(self.step.at(name, at)) for at in places]
        mark = " = " if all(each.exact for each in shown) else " ≈ "
        if len(places) == 1:
            return mark, leaf(shown[0])
        said: list[str | Expr] = [f"{mark}("]
        for each in shown:
            said += [leaf(each), f"{self.scene.symbols.marks.separator} "]
        return (*said[:-1], ")")

    def below(self, name: str) -> Said:
        """The adjoint of a quantity as it stands below its node: ``-34.5``, ``≈ (1.5, 2)``; none of data."""
        first, *rest = self.equal(adjoint(self.scene.example.loss, name)) or ("",)
        first = str(first).lstrip(" =:")
        return (first, *rest) if first else tuple(rest)
