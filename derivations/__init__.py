"""Worked examples of how models learn, with every line proved and every number verified.

>>> import derivations
>>> page = derivations.build("linear-regression")
>>> page.trace.steps[0]["w'"]
169/200

What is heavy (SymPy, torch) is imported when the first page is built.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = [
    "Absent",
    "Check",
    "DerivationsError",
    "Entries",
    "Example",
    "Page",
    "Proof",
    "Real",
    "Report",
    "Run",
    "Session",
    "Spec",
    "Step",
    "Trace",
    "Undecided",
    "__version__",
    "build",
    "from_module",
    "session",
    "spec_from_module",
    "train",
    "verify",
]

if TYPE_CHECKING:
    from derivations.language.errors import DerivationsError
    from derivations.model.example import Example
    from derivations.numbers.real import Real
    from derivations.numbers.systems import Undecided
    from derivations.page import Page, build, from_module, spec_from_module
    from derivations.run.entries import Entries
    from derivations.run.training import Step, Trace, train
    from derivations.sessions import Run, Session, session
    from derivations.spec.spec import Spec
    from derivations.witnesses.check import Absent, Check, Proof, Report
    from derivations.witnesses.verify import verify

_HOMES = {
    "Absent": "derivations.witnesses.check",
    "Check": "derivations.witnesses.check",
    "DerivationsError": "derivations.language.errors",
    "Entries": "derivations.run.entries",
    "Example": "derivations.model.example",
    "Page": "derivations.page",
    "Proof": "derivations.witnesses.check",
    "Real": "derivations.numbers.real",
    "Report": "derivations.witnesses.check",
    "Spec": "derivations.spec.spec",
    "Step": "derivations.run.training",
    "Trace": "derivations.run.training",
    "Undecided": "derivations.numbers.systems",
    "build": "derivations.page",
    "from_module": "derivations.page",
    "Run": "derivations.sessions",
    "Session": "derivations.sessions",
    "session": "derivations.sessions",
    "spec_from_module": "derivations.page",
    "train": "derivations.run.training",
    "verify": "derivations.witnesses.verify",
}


if not TYPE_CHECKING:  # a type checker would take every name for one of these

    def __getattr__(name: str) -> Any:
        if name not in _HOMES:
            raise AttributeError(f"module 'derivations' has no attribute '{name}'")
        from importlib import import_module

        return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
