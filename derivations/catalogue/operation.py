"""What a row of `derivations.catalogue.operations` is: one operation of torch as equations.

A formula is an equation over the row's arguments, in which ``...`` are all axes that are not named,
``dim`` the axes that the argument of that name chooses and ``rest`` the others. The first formula that
fits is used: every tensor that is given is read, the ranks fit, and the arguments are as in ``when``. An
argument that is neither read nor at its default is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Formula:
    """Equations, one a line, the last one the result; ``when`` are arguments that it stands for."""

    text: str
    when: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Operation:
    """One row.

    ``names`` are torch's, looked up among functions, functionals, operators and tensor methods;
    ``arguments`` are spelled as in Python, and ``idle`` ones do not matter; ``sizes`` gives the ranges of
    letters that no array has. ``view`` names a change of axes that needs no equation, as long as the
    arguments are as in ``when``; ``joins`` marks a sum of padded reads of several tensors. ``hint`` says
    what to do instead where no formula fits; ``specimen`` are arguments to try the row with, shapes of
    tensors as lists.
    """

    names: tuple[str, ...]
    arguments: str
    formulas: tuple[Formula, ...] = ()
    view: str = ""
    when: Mapping[str, Any] = field(default_factory=dict)
    sizes: Mapping[str, str] = field(default_factory=dict)
    joins: bool = False
    idle: tuple[str, ...] = ()
    hint: str = ""
    specimen: Mapping[str, Any] = field(default_factory=dict)


def operation(names: str, arguments: str, *texts: str, **more: Any) -> Operation:
    """A row whose formulas stand for all arguments alike."""
    return Operation(tuple(names.split()), arguments, tuple(map(Formula, texts)), **more)
