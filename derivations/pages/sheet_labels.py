"""The words of a spreadsheet, in one place, and how they are said in the language of the page."""

from __future__ import annotations

from derivations.document.blocks import Part, message, phrase
from derivations.document.languages import text_of
from derivations.language.tree import Expr

INPUTS, STEPS, SUMMARY = phrase("Inputs"), phrase("Steps"), phrase("Summary")  # the names of the sheets
HOW = phrase("Change a yellow cell, and everything follows. White cells are formulas.")
HOW_BY_STEP = phrase(
    "Change a yellow cell, and every step, the summary and the chart follow. White cells are formulas."
)
CARRIED = phrase("Nothing is rounded here; the page rounds every value to {} places and carries it on.")
HYPER = phrase("Hyper-parameters of {}")
DATA = phrase("Data")
START = phrase("Start values")
STATES = phrase("Optimizer state at the start")
BEFORE = phrase("Before the step")
FORWARD = phrase("Forward pass")
BACKWARD = phrase("Backward pass")
UPDATE = phrase("Update")
COUNT = phrase("samples in the batch")
STEP, STEP_OF = phrase("step"), phrase("step {}")
EPOCH = phrase("epoch")
SAMPLES = phrase("samples")
LIVE = phrase("The first {} of {} steps are live here; the CSV and JSON files hold all of them.")
CHART = phrase("{} by step")
BACK = phrase("to the summary")
SAMPLE_WORDS = phrase(
    "The sample numbers of a batch are yellow as well: another number brings another sample."
)
CONDITION = phrase(
    "The gradient is a short form that holds only where {}: keep to that when you change data."
)
TITLE = phrase("Step {}"), phrase("Step {}, epoch {}")
TITLE_OF_SAMPLES = phrase("Step {}: {}"), phrase("Step {}, epoch {}: {}")


def said(language: str, text: str, *parts: Expr | Part | int) -> str:
    """A text of ours in a language, its holes filled."""
    return text_of(message(text, *parts), language)
