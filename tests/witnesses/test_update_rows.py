"""Every branch of optimizers, clippings, schedules is held against torch, also where a page does not go."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from derivations.catalogue import clipping, optimizers, schedules
from derivations.catalogue.clipping import CLIPPINGS
from derivations.catalogue.optimizers import OPTIMIZERS
from derivations.catalogue.schedules import SCHEDULES
from derivations.language.content import Content
from derivations.language.errors import CheckFailed
from derivations.model.example import prepare
from derivations.numbers.systems import power, rational
from derivations.spec.gallery import find
from derivations.spec.spec import read_spec
from derivations.witnesses.update_rows import Row, fault_of, require_update_rows, tried
from tests.built import thinned

TABLES: Mapping[str, Any] = {
    **dict.fromkeys((row.name for row in OPTIMIZERS), optimizers.BY_NAME),
    **dict.fromkeys((row.name for row in CLIPPINGS), clipping.BY_NAME),
    **dict.fromkeys((row.name for row in SCHEDULES), schedules.BY_NAME),
}


def by_name(row: Row) -> str:
    return row.name


def flags(row: Row, turned: str = "") -> dict[str, Fraction]:
    """No flag, or one; what excludes it is 0, and so vanishes."""
    excluded = getattr(row, "excludes", {}).get(turned)
    return {name: Fraction(name == turned) for name in row.flags} | (
        {excluded: Fraction(0)} if excluded else {}
    )


def said(row: Row, fixed: Mapping[str, Fraction], rank: int) -> str:
    return fault_of(Content(repr(row), row), tuple(fixed.items()), (rank,))


@pytest.mark.parametrize("row", thinned([*OPTIMIZERS, *CLIPPINGS, *SCHEDULES], 3, by_name))
def test_every_row_takes_the_steps_of_its_witness(row: Row) -> None:
    for turned in ("", *row.flags):
        fixed = flags(row, turned)
        for rank in (1, 2) if row.name == "Adafactor" else (2 if row.name == "Muon" else 0,):
            assert said(row, fixed, rank) == ""
            assert row.name == "Newton" or len(list(tried(row, fixed, (rank,)))) >= 2


WRONG = [  # what has no influence on most pages
    ("Adafactor", "mean(U[r]**2, r)", "mean(U[r]**3, r)"),
    ("Adafactor", "mean(U[r, c]**2, r, c)", "mean(U[r, c]**3, r, c)"),
    ("Adafactor", "max(eps2, sqrt(alpha2))", "max(2*eps2, sqrt(alpha2))"),
    ("Adafactor", "sqrt(u2)/d", "sqrt(u2)*d"),
    ("RAdam", "max(rho_inf, 5)", "max(rho_inf, 6)"),
    ("RAdam", "step(rho_t - 5)", "step(rho_t - 6)"),
    ("ASGD", "max(1, t - t0)", "max(1, t + t0)"),
    ("SGD", "tau*step(t - 1)", "tau*step(t - 2)"),
    ("Rprop", "Delta_min, Delta_max)", "Delta_min, 2*Delta_max)"),
    ("Muon", "max(sqrt(u2), eps)", "max(sqrt(u2), 2*eps)"),
    ("Adam", "max(vmax, v)", "max(vmax, 2*v)"),
    ("Momentum", "v = mu*v", "v = mu*v*step(t - 2)"),
    ("Lion", "beta1*m", "beta2*m"),
    ("value", "max(-clip,", "max(-2*clip,"),
    ("norm", "min(1,", "min(2,"),
    ("norm", "gnorm + 1e-6", "gnorm - 1e-6"),
    ("StepLR", "floor(s/step_size)", "floor(s/step_size + 1/2)"),
    ("MultiStepLR", "step(s + 1 -", "step(s -"),
    ("LinearLR", "min(s, total_iters)", "s"),
    ("OneCycleLR", "step(s - peak)", "step(s - peak - 1)"),
    ("CyclicLR2", "2**(cycle - 1)", "2**(2*cycle - 2)"),
]


@pytest.mark.parametrize(("name", "old", "new"), WRONG)
def test_a_wrong_branch_is_found(name: str, old: str, new: str) -> None:
    row = TABLES[name][name]
    fields = [field for field in ("equations", "matrix") if hasattr(row, field)]
    wrong = replace(row, **{field: getattr(row, field).replace(old, new) for field in fields})
    assert wrong != row
    with pytest.MonkeyPatch.context() as patched:
        patched.setitem(TABLES[name], name, wrong)
        asked = [said(wrong, flags(row, turned), rank) for turned in ("", *row.flags) for rank in (1, 2)]
    assert any(f"the update of {name} " in each for each in asked)


def test_a_page_on_which_the_branch_has_no_influence_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    require_update_rows(prepare(*read_spec(find("optimizer-adafactor"))))
    row = optimizers.BY_NAME["Adafactor"]
    wrong = replace(row, equations=row.equations.replace("U[r]**2", "U[r]**3"))
    monkeypatch.setitem(optimizers.BY_NAME, "Adafactor", wrong)
    with pytest.raises(CheckFailed, match=r"the update of Adafactor .* torch\.optim\.Adafactor"):
        require_update_rows(prepare(*read_spec(find("optimizer-adafactor"))))


def test_a_positive_power_of_nothing_is_nothing() -> None:
    """As in torch: a rate that a polynomial takes to 0 is 0, whatever its power."""
    assert power(rational(Fraction(0)), rational(Fraction(3, 2))) == 0


def test_no_page_pays_for_torchs_compiler() -> None:
    """torch imports it, half as long again as torch itself, wherever an optimizer is made unguarded."""
    built = "import sys, derivations; derivations.build('linear-regression', 'md')"
    code = f"{built}; print('torch._dynamo' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "False\n"
