"""The classes of the rows that another package may add; nothing that reads rows is imported here.

Each class documents its fields; ``CONTRIBUTING.md`` says under which entry point a row is found.
"""

from __future__ import annotations

from derivations.catalogue.algorithm import Clipping, Optimizer, Schedule
from derivations.catalogue.function import Function
from derivations.catalogue.layer import Layer
from derivations.catalogue.loss import Loss, SampleLoss
from derivations.catalogue.slip import InTurn, Memory, OtherBatch, Rewrite, Rounded, Slip
from derivations.formats.format import Format
from derivations.notation.language import Language
from derivations.notation.spoken.english import ENGLISH
from derivations.notation.spoken.phrases import Phrases

__all__ = [
    "ENGLISH",
    "Clipping",
    "Format",
    "Function",
    "InTurn",
    "Language",
    "Layer",
    "Loss",
    "Memory",
    "Optimizer",
    "OtherBatch",
    "Phrases",
    "Rewrite",
    "Rounded",
    "SampleLoss",
    "Schedule",
    "Slip",
]
