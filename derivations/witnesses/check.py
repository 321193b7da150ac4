"""What a witness found: data, not an assertion. Only the edge decides what to do about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from flint import arb

from derivations.language.errors import CheckFailed
from derivations.numbers.digits import Rounding
from derivations.numbers.float64 import Enclosure, nearest_float, ulps_between
from derivations.numbers.systems import Undecided, ball, precise

PROGRAM = "PyTorch program"  # the witness that only prints, some of its digits
MODULE = "module"  # the module of torch that a spec was translated from


NARROW, VANISHING = 2.0**-40, 1e-25


@dataclass(frozen=True)
class Check:
    """One comparison of a number of ours with a witness's.

    ``ulps`` counts the float64 numbers between theirs and the float64 nearest to ours (None where
    only some digits of theirs were printed);
    ``allowed`` is how far apart float64 rounding alone can bring them, computed by enclosure.
    """

    quantity: str
    step: int
    witness: str
    ours: Any = field(repr=False)
    theirs: float
    ulps: int | None
    allowed: float
    ok: bool

    @property
    def gap(self) -> float:
        """The absolute difference, rounded up to a float."""
        with precise(self.ours):
            return float(abs(ball(self.ours) - arb(self.theirs)).abs_upper())

    @property
    def distance(self) -> str:
        """The distance in words."""
        return "in the printed digits" if self.ulps is None else f"{self.ulps} ulp apart"

    def __str__(self) -> str:
        shown = Rounding(significant=17)
        return (
            f"step {self.step}: {self.quantity}: by hand {shown(self.ours).text}, "
            f"{self.witness} {self.theirs!r} ({self.distance}; rounding allows {self.allowed:.2g})"
        )


@dataclass(frozen=True)
class Proof:
    """One identity of formulas, decided by SymPy."""

    statement: str
    witness: str
    ok: bool

    def __str__(self) -> str:
        return f"{self.witness}: {self.statement} {'holds' if self.ok else 'does not hold'}"


@dataclass(frozen=True)
class Absent:
    """Why a witness had nothing to say: a text with holes, and the names and numbers in them."""

    text: str
    parts: tuple[str, ...]

    def __str__(self) -> str:
        return self.text.format(*self.parts)


@dataclass(frozen=True, repr=False)
class Report:
    """Everything the witnesses said about a run; ``absent`` says which had nothing to say, and why."""

    checks: tuple[Check, ...]
    proofs: tuple[Proof, ...] = ()
    absent: tuple[Absent, ...] = ()

    @property
    def failures(self) -> list[Check | Proof]:
        """What does not agree, the earliest step first."""
        wrong = sorted((c for c in self.checks if not c.ok), key=lambda check: check.step)
        return [*(p for p in self.proofs if not p.ok), *wrong]

    def __repr__(self) -> str:
        wrong = len(self.failures)
        verdict = f"{wrong} disagree" if wrong else "all agree"
        return f"Report({len(self.checks)} checks, {len(self.proofs)} proofs: {verdict})"

    def require(self) -> None:
        """Raise `CheckFailed` naming the first disagreement."""
        if self.failures:
            first, rest = self.failures[0], len(self.failures) - 1
            more = f"{rest} more disagree" if rest else "nothing else disagrees"
            raise CheckFailed(f"not verified: {first}", hint=f"No page was written; {more}.")


def compare(quantity: str, step: int, witness: str, ours: Any, theirs: float, bound: Enclosure) -> Check:
    """Compare a value with a witness's float64: both must lie in the enclosure."""
    enclosure = bound.settled()
    if isinstance(ours, arb) and not ours.rad() <= abs(ours.mid()) * NARROW + VANISHING:
        raise Undecided(f"the value of {quantity} in step {step}")  # too wide to be compared at all
    allowed = float(2 * enclosure.rad())
    possible = theirs == theirs and abs(theirs) != float("inf") and enclosure.is_finite()
    ok = possible and bool(enclosure.contains(arb(theirs))) and bool(enclosure.overlaps(ball(ours)))
    same = possible and bool(ball(ours).contains(arb(theirs)))  # a ball around zero, and zero
    ulps = 0 if same else ulps_between(nearest_float(ours), theirs) if possible else None
    return Check(quantity, step, witness, ours, theirs, ulps, allowed, ok)
