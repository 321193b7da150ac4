"""Texts that no sentence of a document says: each with where it stands, and who asks it there."""

from __future__ import annotations

from collections.abc import Mapping

from derivations.audit.reasons import PREDICATES as REASONS

LINE = "the reason of a line of the derivation, which is asked of the two lines that it joins"
DRAWN = "stands in a drawing, which its figure's own second look holds against the run"
BESIDE = "said beside the document, by a file that the reader of its format holds against what it prints"
REGION = "the label of a part that a format may fold: it claims nothing"

ELSEWHERE: Mapping[str, str] = {
    **dict.fromkeys(REASONS, LINE),
    **dict.fromkeys(("directly", "through {}", "through every {}", "through every {} that reads it"), LINE),
    **dict.fromkeys(
        (
            *("{}: the data and the prediction", "samples", "start", "step {}", "loss {}", "and so on"),
            *("There are {} samples.", "The data, {} over {}, and the prediction {} as a line: {}."),
            *("{}: the computation graph", "{}: the loss by step", "The loss by step. {}.", "step {}: {}"),
            "The loss by step, each that of the step's own mini-batch. {}.",
            "The line is the loss of all samples, at the start and after each step.",
            *("{}: the network", "The network, from the input: layers of {} units, sample {}."),
            *("{} is computed from {}", "The computation graph. {}.", "Values in step {}:", "minimum"),
            *("The path of {} and {} over the contours of {}.", "The path of {} along the curve of {}."),
            *("after each step", "Start: {}.", "After the last step: {}.", "Minimum: {}."),
            *("{}: the path of the parameters", "{}: values and adjoints of step {}"),
            "What comes back along the arrows:",
        ),
        DRAWN,
    ),
    **dict.fromkeys(
        (
            *("Where there is no derivative", "Exercise", "Solution", "The program and what it prints"),
            "What every witness found",
        ),
        REGION,
    ),
    **dict.fromkeys(
        (
            *("The data", "The names of entries", "The derivation, line by line", "Slides", "Back", "On"),
            *("The equations in matrix form", "All steps", "Comparison with torch", "Values", "Contents"),
            *("Skip to the content", "Other colours"),
        ),
        BESIDE,
    ),
}
"""Texts of drawings, of lines, and of the surroundings of a page."""

ROOMS_BESIDE = ("courses/", "exercises/", "formats/play/", "formats/spreadsheet/")
"""Where texts are that only a page to play with, a spreadsheet or an index says."""
