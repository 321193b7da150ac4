"""What a row of the optimizers says: the algorithm box of a paper, and torch's class for it.

``theta`` is a parameter, ``g`` its gradient, ``t`` the number of the step (from 1) and, where a row
reads it, ``h`` the second derivative. What is read before it is written is state. Equations without
brackets hold for every entry of a parameter; ``theta[r]`` and ``theta[r, c]`` name the entries, and
then ``matrix`` may hold other equations for parameters with two indices.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

SPELLING = {"momentum": "mu", "dampening": "tau", "weight_decay": "lam"}
WHOLE = "all the data"


def cut(arguments: str) -> list[str]:
    """The arguments of a row, cut at commas outside brackets: ``lr={lr}``, ``betas=({beta1}, {beta2})``."""
    found, depth = [""], 0
    for letter in arguments:
        depth += (letter in "([") - (letter in ")]")
        if letter == "," and not depth:
            found.append("")
        else:
            found[-1] += letter
    return [part.strip() for part in found if part.strip()]


def torch_words(arguments: str) -> dict[str, tuple[str, ...]]:
    """torch's words for hyper-parameters, each with those of the row that it says: ``betas`` says two."""
    pairs = ((part.partition("=")[0], tuple(re.findall(r"\{(\w+)\}", part))) for part in cut(arguments))
    return {word: names for word, names in pairs if names}


@dataclass(frozen=True)
class Optimizer:
    """One row: equations for a single parameter, hyper-parameters with defaults, torch's class.

    A hyper-parameter whose default and value are 0 vanishes from the page, and so does a flag, which is
    true (1) or false (0). ``arguments`` is torch's spelling of the hyper-parameters, ``spelling`` maps
    further words to those of the row, ``states`` names the tensors that torch keeps for each
    state and ``counter`` the one that counts the steps. ``starts`` are the values of states before the
    first step: a number or a hyper-parameter; 0 if it is not there. ``limits`` are the least value of a
    hyper-parameter and the value that it stays below, if any, as torch has them; ``needs`` names
    another one without which it means nothing, ``excludes`` one beside which it cannot stand.
    ``kept`` are states that are wanted for their own sake. The gradient is taken at ``at``. ``indices``
    are the least and largest number of indices of a parameter. ``full_batch`` says that every step uses all
    data, ``casts`` names a type with fewer digits in which torch works inside.
    ``conventions`` are the words for the convention once a hyper-parameter is given, the first that is;
    `WHOLE` stands for steps that all use all the data. ``again`` are the equations written down a second
    time, in another order: what a row is held against that torch does not have.
    """

    name: str
    torch: str
    equations: str
    hyper: Mapping[str, str | None]
    arguments: str
    convention: str
    source: str
    states: Mapping[str, str] = field(default_factory=dict)
    limits: Mapping[str, tuple[int, int | None]] = field(default_factory=dict)
    starts: Mapping[str, str] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    spelling: Mapping[str, str] = field(default_factory=lambda: SPELLING)
    needs: Mapping[str, str] = field(default_factory=dict)
    excludes: Mapping[str, str] = field(default_factory=dict)
    kept: tuple[str, ...] = ()
    at: str = ""
    matrix: str = ""
    indices: tuple[int, int] = (0, 9)
    counter: str = "step"
    full_batch: bool = False
    casts: str = ""
    conventions: Mapping[str, str] = field(default_factory=dict)
    again: str = ""

    @property
    def words(self) -> dict[str, tuple[str, ...]]:
        """What an author may call hyper-parameters instead, torch's words among them."""
        others = {word: (own,) for word, own in self.spelling.items() if own in self.hyper}
        return torch_words(self.arguments) | others


@dataclass(frozen=True)
class Schedule:
    """One row: equations that end in ``lr_t``, hyper-parameters with defaults, torch's class.

    ``lists`` are hyper-parameters that list whole numbers, ``whole`` those that are one; ``every`` says
    what is counted if the author does not. ``limits`` and ``words`` are as an optimizer has them.
    """

    name: str
    torch: str
    equations: str
    hyper: Mapping[str, str | None]
    arguments: str
    convention: str
    source: str
    every: str = "epoch"
    lists: tuple[str, ...] = ()
    whole: tuple[str, ...] = ()
    limits: Mapping[str, tuple[int, int | None]] = field(default_factory=dict)
    flags: tuple[str, ...] = ()

    @property
    def words(self) -> dict[str, tuple[str, ...]]:
        """torch's words for the hyper-parameters; the learning rate is the optimizer's."""
        return {word: names for word, names in torch_words(self.arguments).items() if names != ("lr",)}


@dataclass(frozen=True)
class Clipping:
    """One row: equations over a gradient ``g`` and the limit ``clip``; torch's function for them."""

    name: str
    torch: str
    equations: str
    convention: str
    source: str
    hyper: ClassVar[dict[str, None]] = {"clip": None}
    limits: ClassVar[dict[str, tuple[int, None]]] = {"clip": (0, None)}
    flags: tuple[str, ...] = field(default=(), init=False)
