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
    "DerivationsError",
    "Page",
    "Spec",
    "Trace",
    "__version__",
    "build",
    "from_module",
    "spec_from_module",
    "train",
    "verify",
]

if TYPE_CHECKING:
    from derivations.language.errors import DerivationsError
    from derivations.page import Page, build, from_module, spec_from_module
    from derivations.run.training import Trace, train
    from derivations.spec.spec import Spec
    from derivations.witnesses.verify import verify

_HOMES = {
    "DerivationsError": "derivations.language.errors",
    "Page": "derivations.page",
    "Spec": "derivations.spec.spec",
    "Trace": "derivations.run.training",
    "build": "derivations.page",
    "from_module": "derivations.page",
    "spec_from_module": "derivations.page",
    "train": "derivations.run.training",
    "verify": "derivations.witnesses.verify",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'derivations' has no attribute '{name}'")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
