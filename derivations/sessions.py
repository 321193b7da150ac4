"""A session: the structure of a spec proved once, and verified runs of it with other values.

>>> import derivations
>>> session = derivations.session("linear-regression")
>>> session.gradient("w").text
'dL/dw = 2/count(i)*sum(x[i]*(yhat[i] - y[i]), i)'
>>> session.with_(lr=0.02, batch_size=3)["w'"]
(3/2, 1394/375)

A run is verified by torch step by step, as a page is; nothing is composed or printed until it is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from derivations.document.symbols import symbols_of
from derivations.exercises.bank import Bank, bank_of
from derivations.language.errors import LanguageError, SpecError, nearest
from derivations.language.names import adjoint, of_adjoint
from derivations.language.program import Equation
from derivations.language.symbolic import indexed
from derivations.model.example import Example
from derivations.model.variants import Variant, Variants, each_of
from derivations.notation.chain import formula
from derivations.notation.latex import math
from derivations.notation.symbols import Symbols
from derivations.notation.text import text
from derivations.numbers.systems import Value
from derivations.page import Page, make, opened
from derivations.run.many import groups
from derivations.run.training import Step, Trace, certified, train
from derivations.spec.spec import (
    Source,
    Spec,
)
from derivations.witnesses.check import Report
from derivations.witnesses.many import confirmed
from derivations.witnesses.verify import verify
from derivations.witnesses.work import structure_of


def session(spec: str | Path) -> Session:
    """A session with a spec: a path, a gallery name, or the text of a spec (with line breaks).

    The derivation of its gradient is proved here, once; raises `DerivationsError`.
    """
    found = Session(*opened(spec))
    _prove(found.example)
    return found


@dataclass(frozen=True)
class Session:
    """A spec whose derivation is proved; its runs differ in their values only."""

    spec: Spec = field(repr=False)
    source: Source = field(repr=False)

    @cached_property
    def variants(self) -> Variants:
        """The spec with other values."""
        return Variants(self.spec, self.source)

    @property
    def example(self) -> Example:
        """The example with the values of the spec."""
        return self.variants.example

    def with_(self, **values: Any) -> Run:
        """The verified run with other values: data, start values, hyper-parameters, keys of ``[training]``.

        A number is an int, a Fraction, or a float, which means the decimal that Python prints for it; an
        array is nested lists or anything of NumPy's kind. What the values decide (short cuts, lookups,
        shapes, batches) is asked again. Raises `SpecError` for a word that is unknown or a value that does
        not fit, `CheckFailed` if a witness disagrees.
        """
        return _verified(self.variants.variant(values))

    def many(self, **values: Any) -> tuple[Run, ...]:
        """The verified runs with the first, second … value of every list; a single number stands for all.

        Each is the run that `with_` gives. Torch takes all that have one structure as one batch.
        """
        variants = [self.variants.variant(each) for each in each_of(values)]
        examples = [variant.example for variant in variants]
        found: dict[int, Run] = {}
        for group in groups(examples):
            _prove(group.columns.first)
            for place, trace, ok in zip(group.places, group.traces, confirmed(group), strict=True):
                # who disagrees is asked alone
                found[place] = Run(variants[place], trace) if ok else _verified(variants[place])
        return tuple(found[place] for place in range(len(variants)))

    def gradient(self, name: str) -> Gradient:
        """The formula of the slope of the loss by a parameter or a quantity of the model."""
        wanted = adjoint(self.example.loss, name)
        own = tuple(eq for eq in self.example.backward if eq.target.name == wanted)
        if not own:
            known = [of_adjoint(eq.target.name, self.example.loss) for eq in self.example.backward]
            raise SpecError(f"nothing is derived by '{name}'", hint=nearest(name, known, "quantities"))
        return Gradient(own, symbols_of(self.example))

    def exercises(self, **table: Any) -> Bank:
        """The bank of exercises of this spec; keywords are keys of ``[exercise]``: ``count=40, seed=7``.

        Raises `SpecError` where there are not so many variants.
        """
        return bank_of(self.variants, **table)


# --- Runs ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Run:
    """A verified run: its steps, with every value by its name, and its page when it is asked for."""

    variant: Variant
    trace: Trace = field(repr=False)

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps, each with all its values: ``run.steps[0]["dL/dw"]``."""
        return self.trace.steps

    def __getitem__(self, name: str) -> tuple[Value, ...]:
        """The values of an entry in all steps: ``run["dL/dw"]``."""
        has = [step.number for step in self.steps if name in step.values]
        if len(has) == len(self.steps):
            return tuple(step[name] for step in self.steps)
        if has:
            shown = f"step{'s' * (len(has) > 1)} {', '.join(map(str, has))}"
            hint = f'For example: run.steps[{has[0] - 1}]["{name}"].'
            raise SpecError(f"'{name}' is not a value of every step, only of {shown}", hint=hint)
        known = dict.fromkeys(known for step in self.steps for known in step.values)
        raise SpecError(f"there is no value '{name}'", hint=nearest(name, known, "values"))

    def frame(self, *names: str, exact: bool = False) -> Any:
        """The values of every step, or those of some names, as a data frame of pandas, a step a row.

        In float64 or, if so wished, of exact values. Raises ImportError where there is no pandas.
        """
        return self.trace.frame(*names, exact=exact)

    @cached_property
    def report(self) -> Report:
        """What every witness says about this run, number by number."""
        return verify(self.trace)

    def page(self, *formats: str) -> Page:
        """The verified page of this run in some formats: ``run.page("md")["md"]``."""
        return make(self.variant.spec, self.variant.named, formats)


def _verified(variant: Variant) -> Run:
    """The run of a variant by itself, with bits enough; raises `CheckFailed`."""
    _prove(variant.example)

    def attempt(bits: int) -> Run:
        trace = train(variant.example, bits)
        verify(trace).require()
        return Run(variant, trace)

    return certified(attempt)


def _prove(example: Example) -> None:
    """The derivation of an example, proved now or remembered; raises `CheckFailed`."""
    Report((), structure_of(example).proofs).require()


# --- Formulas ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Gradient:
    """``dL/dw = …``: the equation of an adjoint, or several that add up or say other entries."""

    equations: tuple[Equation, ...]
    symbols: Symbols = field(repr=False)

    @property
    def text(self) -> str:
        """In the syntax of a spec, a line an equation."""
        return "\n".join(f"{text(eq.target)} = {text(eq.body)}" for eq in self.equations)

    @property
    def latex(self) -> str:
        r"""In LaTeX, as a page prints it; several equations with ``\\`` between them."""
        return r" \\ ".join(math(formula(eq.target, eq.body), self.symbols) for eq in self.equations)

    def sympy(self) -> Any:
        """The right-hand side in SymPy: entries are ``Indexed``, sums over an index are ``Sum`` from 1.

        Raises `LanguageError` where SymPy has no such formula: several equations, a largest entry.
        """
        if len(self.equations) > 1:
            raise LanguageError("several equations say this; take them one by one from 'equations'", at=-1)
        return indexed(self.equations[0].body)

    def _repr_latex_(self) -> str:
        return f"${self.latex}$"
