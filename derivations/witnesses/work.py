"""Working and verifying an example: everything that happens before a page is printed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from importlib.metadata import version

from derivations.language.content import Content
from derivations.language.prover import prove
from derivations.language.steps import Chain, condense, derive
from derivations.model.checks import check_slopes
from derivations.model.example import REMEMBERED, Example
from derivations.programs.listing import listing
from derivations.run.training import Trace, certified, train
from derivations.witnesses.check import Check, Proof, Report
from derivations.witnesses.matrix_forms import MatrixForm, matrix_forms, matrix_proofs
from derivations.witnesses.run_listing import listing_checks, run_listing
from derivations.witnesses.second_hand import carried_proofs
from derivations.witnesses.sides import require_sides
from derivations.witnesses.slopes import require_slopes
from derivations.witnesses.update_rows import require_update_rows
from derivations.witnesses.verify import verify

# --- The versions of what works and verifies a page, without importing any of it --------------

PARTS = {"SymPy": "sympy", "python-flint": "python-flint", "torch": "torch"}


@cache
def versions() -> dict[str, str]:
    """Public versions, without local build labels such as ``+cpu``."""
    return {name: version(package).partition("+")[0] for name, package in PARTS.items()}


@dataclass(frozen=True)
class Verified:
    """A run that every witness confirmed, with its derivation and its PyTorch program."""

    example: Example
    trace: Trace
    derivation: tuple[Chain, ...]
    program: str
    printed: str
    report: Report
    matrices: tuple[MatrixForm, ...] = ()

    def with_bits(self, bits: int) -> Verified:
        """The same run with narrower balls, for digits that were not certain."""
        return self if bits == self.trace.bits else replace(self, trace=train(self.example, bits))


@dataclass(frozen=True)
class Structure:
    """What depends on the equations alone: the derivation of the gradient, line by line, and its proofs."""

    derivation: tuple[Chain, ...]
    proofs: tuple[Proof, ...]


def structure_of(example: Example) -> Structure:
    """The derivation of an example's gradient, proved once for all its values, remembered by content."""
    require_update_rows(example)
    shapes = tuple((name, array.shape) for name, array in {**example.data, **example.start}.items())
    stated = tuple(each.equation for each in example.shortcuts)
    key = (
        (example.forward, example.backward, stated, example.loss, example.parameters),
        (shapes, tuple(example.spec.model.ranges.items()), example.spec.page.detail == "full"),
    )
    return _derived(Content(key, example))


@lru_cache(maxsize=REMEMBERED)
def _derived(asked: Content[Example]) -> Structure:
    example = asked.of
    programs = example.forward, example.backward
    check_slopes(example.backward, example.loss, example.parameters)
    require_slopes(*programs)
    derivation = derive(*programs, example.loss, example.parameters, example.fits, example.shortcuts)
    if example.spec.page.detail != "full":
        derivation = condense(derivation)
    conditions = [each.condition for each in example.shortcuts if each.condition]
    forward = replace(example.forward, indices=example.backward.indices)
    proved = prove(derivation, forward, example.loss, conditions)
    return Structure(derivation, tuple(Proof(what, "SymPy", ok) for what, ok in proved))


def work(example: Example, *others: Callable[[Trace], tuple[Check, ...]]) -> Verified:
    """Work a run by hand, derive its gradient, run its PyTorch program, and ask every witness.

    ``others`` are witnesses that only this example has. Raises `CheckFailed` naming the first quantity and
    step that differ.
    """
    structure = structure_of(example)
    program = listing(example)
    output = cache(lambda: run_listing(program))

    def attempt(bits: int) -> Verified:
        trace = train(example, bits)
        report = verify(trace)
        printed = output()
        heard = (check for witness in others for check in witness(trace))
        checks = (*report.checks, *heard, *listing_checks(trace, printed))
        forms = matrix_forms(example, trace.steps[0])
        more = (*structure.proofs, *carried_proofs(trace), *matrix_proofs(forms, trace))
        report = Report(checks, report.proofs + more, report.absent)
        report.require()
        require_sides(trace, checks)
        return Verified(example, trace, structure.derivation, program, printed, report, forms)

    return certified(attempt)
