"""A shorter telling of a derivation: a slope that linearity alone gives is one line, not four.

``∂z/∂w = x`` of ``z = w*x + b`` needs no rule but that a derivative is linear. The shorter chains are
claims like the longer ones: `derivations.language.proof` decides their lines.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from derivations.language.rules import Reason
from derivations.language.steps import Chain, Line
from derivations.language.tree import Derivative

LINEAR = {"definition", "sum", "sum_own", "sum_terms", "constant_factor", "collect", "front"}


def condense(chains: Iterable[Chain]) -> tuple[Chain, ...]:
    """The chains with each linear slope told in one line, numbered anew."""
    found: list[Chain] = []
    numbers: dict[int, int] = {}  # of a line now, by its number before
    count = 0
    for chain in chains:
        kept = _one_line(chain)
        before, count = count, count + len(kept.lines)
        for place, line in enumerate(chain.lines):
            numbers[line.number] = min(before + place + 1, count)
        lines = [_renumbered(line, number, numbers) for number, line in enumerate(kept.lines, before + 1)]
        found.append(Chain(chain.subject, tuple(lines)))
    return tuple(found)


def _one_line(chain: Chain) -> Chain:
    subject, last = chain.subject, chain.lines[-1]
    if not isinstance(subject, Derivative) or not {line.reason.rule for line in chain.lines} <= LINEAR:
        return chain
    return Chain(subject, (replace(last, reason=Reason("linear", (subject.by,))),))


def _renumbered(line: Line, number: int, numbers: dict[int, int]) -> Line:
    lines = tuple(dict.fromkeys(numbers[old] for old in line.reason.lines))
    return Line(number, line.expr, replace(line.reason, lines=lines))
