"""What a row of the slips says: how a student's equations differ from ours, and what is said of it.

A slip is written in the language of specs, as formulas over names that stand for something:

=========  ==========================================================================================
a, b       any expression
x          an expression that reads more than numbers
yhat       an expression that depends on the parameters
g          an expression that depends on the gradient; as a target, the gradient of a parameter
y          an entry of the data
theta      an entry of a parameter; ``W[j, k]`` one of a square matrix, by its letters
s          an entry of a sum of exponentials
lr, eps    the learning rate, the small number beside a root
m'         an entry of a state of the optimizer after the update, ``m`` before it
t          the number of the step
f(a)       a call of any activation of the catalogue
=========  ==========================================================================================
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Stage: TypeAlias = Literal["slopes", "gradients", "values", "adjoints", "update"]


@dataclass(frozen=True)
class Rewrite:
    """``old`` becomes ``new`` in the equations of one stage.

    ``values`` are the equations of the forward pass as they are worked; ``slopes`` are the same equations
    as they are differentiated, so that every adjoint follows from the slip; ``gradients`` are slopes too,
    of which only the gradients of parameters are taken over. ``adjoints`` and ``update`` are the equations
    of the backward pass and of the update as they are written. ``at`` is what is computed, ``theta'`` or
    the loss ``L``, if not everything is meant. With ``given``, a forward equation ``h = f(z)``, the adjoint
    of ``z`` is rewritten, and the names are those of that equation.
    """

    of: Stage
    old: str
    new: str
    at: str = ""
    given: str = ""

    def __str__(self) -> str:
        where = f" in {self.at}" if self.at else f" where {self.given}" if self.given else ""
        return f"{self.of}: {self.old} -> {self.new}{where}"


@dataclass(frozen=True)
class Memory:
    """Something of the step before is kept in a ``name`` of its own and read: a state of the update.

    ``old``, ``theta`` or ``g``, becomes ``new``: every read of a parameter in forward and backward pass, or
    the gradient as it is worked. ``name`` is ``start`` before the first step, a number or the parameter
    itself, and what ``old`` is after each.
    """

    old: Literal["theta", "g"]
    new: str
    name: str
    start: str

    def __str__(self) -> str:
        return f"{self.old} -> {self.new}, {self.name}' = {self.old}, at first {self.start}"


@dataclass(frozen=True)
class InTurn:
    """The parameters are updated in turn: the gradient of each is worked with those before it updated."""

    def __str__(self) -> str:
        return "one parameter after another"


@dataclass(frozen=True)
class OtherBatch:
    """Every step uses the samples of the step that comes ``by`` steps later."""

    by: int

    def __str__(self) -> str:
        return f"samples of step t {'+' if self.by > 0 else '-'} {abs(self.by)}"


@dataclass(frozen=True)
class Rounded:
    """A quantity is rounded to so many decimal ``places``, halves away from zero, and carried on rounded."""

    places: int

    def __str__(self) -> str:
        return f"rounded to {self.places} places"


Change: TypeAlias = Rewrite | Memory | InTurn | OtherBatch | Rounded


@dataclass(frozen=True)
class Slip:
    """One row: a slip that students make, as the ``changes`` of equations that make it, one or another.

    ``title`` is a line in the middle of a sentence, ``explanation`` is said to a student whose number follows
    from the slip, ``absent`` says why an exercise has no room for it. ``source`` is where it is described.
    """

    name: str
    title: str
    explanation: str
    absent: str
    changes: tuple[Change, ...]
    source: str = ""
