"""Where float64 and the exact run part at a kink or a tie: explained by rounding, or refused.

Near a kink the enclosure of a slope reaches from one side to the other, so that whatever lies between would
pass. A number that is far from ours must then be the one that float64 itself gives, worked operation by
operation: torch has taken the other side, and the page says so. Anything else is another rule for the slope.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from derivations.catalogue import functions
from derivations.language.errors import ArithmeticFault, CheckFailed
from derivations.language.tree import Call, Largest, walk
from derivations.model.example import Example
from derivations.numbers.float64 import DOUBLE, double, nearest_float
from derivations.run.training import Step, Trace
from derivations.witnesses.check import Check

FAR, LEAST = 1e-3, 1e-6


def require_sides(trace: Trace, checks: Iterable[Check]) -> None:
    """Raise `CheckFailed` for a number far from ours that float64's rounding does not explain."""
    if not _has_kinks(trace.example):
        return
    steps = {step.number: step for step in trace.steps}
    for check in checks:
        if check.ulps is not None and _far(nearest_float(check.ours), check.theirs):
            found = _in_float64(steps[check.step], check.quantity)
            if found is not None and _far(found, check.theirs):
                raise CheckFailed(
                    f"not verified: {check}",
                    hint="At a kink or among equal entries torch takes another slope than the page.",
                )


def _far(a: float, b: float) -> bool:
    return abs(a - b) > max(LEAST, FAR * max(abs(a), abs(b)))


def _has_kinks(example: Example) -> bool:
    nodes = [node for eq in example.forward for node in walk(eq.body)]
    kinked = (node for node in nodes if isinstance(node, Call) and functions.BY_NAME[node.function].kinks)
    return any(isinstance(node, Largest) for node in nodes) or any(True for _ in kinked)


def _in_float64(step: Step, quantity: str) -> float | None:
    """What float64 makes of a quantity, every operation rounded; None for one that is not of the step."""
    tape = step.layout.tape
    try:
        memory = tape.bind(DOUBLE)([double(value) for value in step.memory[: len(tape.inputs)]])
    except (ArithmeticError, ArithmeticFault, ValueError):
        return None
    found = replace(step, memory=tuple(memory)).labelled.get(quantity)
    return None if found is None else nearest_float(found)
