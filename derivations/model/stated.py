"""What the author's own text states: losses called by name, and quantities that are reported only."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from derivations.catalogue.loss import SampleLoss
from derivations.catalogue.sample_losses import SAMPLE_LOSS_BY_NAME
from derivations.language.contributions import needed
from derivations.language.parser import Token, tokenize
from derivations.language.program import Equation
from derivations.model.example import Example


def named_losses(example: Example) -> dict[str, list[SampleLoss]]:
    """The losses that are called by name, in order, each by the quantity in whose equation it stands."""
    found: dict[str, list[SampleLoss]] = {}
    for line in _lines(example):
        for word, after in pairwise(line):
            if word.text in SAMPLE_LOSS_BY_NAME and after.text == "(":
                found.setdefault(line[0].text, []).append(SAMPLE_LOSS_BY_NAME[word.text])
    return found


def _lines(example: Example) -> Iterator[list[Token]]:
    line: list[Token] = []
    for token in tokenize(example.spec.model.equations):
        if token.kind in ("newline", "end"):
            if line:
                yield line
            line = []
        else:
            line.append(token)


def trained(example: Example) -> list[Equation]:
    """The equations that lead to the loss, and the loss, in the author's order."""
    wanted = needed(example.forward, example.loss)
    return [eq for eq in example.forward if eq.target.name in wanted]


def reported(example: Example) -> list[Equation]:
    """The equations that do not lead to the loss: worked and shown, not trained on."""
    wanted = needed(example.forward, example.loss)
    return [eq for eq in example.forward if eq.target.name not in wanted]


def authored(example: Example) -> set[str]:
    """The names of the quantities for which the author wrote an equation."""
    return {line[0].text for line in _lines(example)}


def reported_numbers(example: Example) -> list[str]:
    """The reported quantities of the author's own that are one number: an accuracy, another loss."""
    own = authored(example)
    names = (eq.target.name for eq in reported(example) if not eq.target.indices)
    return [name for name in names if name in own]
