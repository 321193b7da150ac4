"""For which equations a matrix form must stand: by hand, by the writer, and on a page that lacks one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings

from derivations.audit.evidence import Evidence
from derivations.audit.matrices import is_sayable, must_have
from derivations.audit.truth import require
from derivations.document.blocks import Block, Heading, Table
from derivations.language.backward import backward
from derivations.language.errors import CheckFailed
from derivations.language.matrix import matrix_form
from derivations.language.program import Program
from derivations.numbers.systems import precision
from tests.built import page
from tests.language.test_matrix import FORMS, WITHOUT, equation
from tests.strategies import Model, models

LETTERS = frozenset("ijkm")
SAID = (  # beside those of the textbook
    "Z[i, j] = (X[i, j] - c)**2",
    "z = c**3",
    "L = mean(mean((X[i, j] - Y[j, i])**2, i), j)",
    "z[k] = sum(sum(A[k, i]*B[i, j]*x[j], j), i)",
    "z[i] = sum(sum(A[i, j]*B[i, k]*X[j, k], j), k)",
    "z[i] = sum(A[i, k]*x[k] + B[i, k]*y[k], k)",
)
UNSAID = (
    "L = sum(A[i, i], i)",  # a trace has no rows and columns
    "z[i] = c",  # a number in every entry
    "Z[i, j] = x[2*i]*y[j]",
    "Z[i, j] = sum(tanh(A[i, k] + B[k, j]), k)",  # three indices in hand
    "Z[i, j] = sum(A[i, k]*B[i, j]*X[k, j] + k, k)",  # an index is a number here
)


def sayable(text: str) -> bool:
    eq = equation(text)
    return is_sayable(eq, Program((eq,), LETTERS))


@pytest.mark.parametrize("text", [*FORMS, *SAID])
def test_what_a_textbook_says_with_matrices_must_be_said(text: str) -> None:
    assert sayable(text)


@pytest.mark.parametrize("text", [*WITHOUT, *UNSAID])
def test_what_matrices_cannot_say_need_not_be_said(text: str) -> None:
    assert not sayable(text)


@given(models(called=("tanh", "sigmoid")))
@settings(max_examples=40)
def test_it_is_what_the_writer_can_write(model: Model) -> None:
    forward = model.program
    for program in (forward, backward(forward, model.loss, model.names)):
        for eq in program:
            assert is_sayable(eq, program) == (matrix_form(eq) is not None)


# --- on a page -------------------------------------------------------------------------------------------


def left_out(known: Evidence, is_left_out: Callable[[str], bool]) -> Evidence:
    """The page without some of its matrix forms, which nobody wrote either."""
    kept = tuple(form for form in known.run.matrices if not is_left_out(form.equation.target.name))

    def one(block: Block) -> tuple[Block, ...]:
        if isinstance(block, Table) and block.kind == "matrix":
            rows = tuple(row for row in block.rows if not is_left_out(row[0][0].sides[0].expr.name))  # type: ignore[union-attr]
            return (replace(block, rows=rows),) if rows else ()
        return () if isinstance(block, Heading) and block.part == "matrix" and not kept else (block,)

    blocks = tuple(new for block in known.document.blocks for new in one(block))
    return replace(
        known, run=replace(known.run, matrices=kept), document=replace(known.document, blocks=blocks)
    )


@pytest.mark.parametrize(
    ("name", "says"), [("h", "matrix form of h "), ("dE/dV", "of dE/dV "), ("", "its parts are not")]
)
def test_a_matrix_form_that_is_left_out_is_missed(name: str, says: str) -> None:
    known = page("two-two-two-network").press.evidence
    with precision(known.trace.bits):
        require(known)
        with pytest.raises(CheckFailed, match=says):
            require(left_out(known, lambda own: own == name or not name))


def test_without_a_matrix_no_form_is_wanted() -> None:
    run = page("linear-regression").press.evidence.run
    assert must_have(run.example, run.trace.steps[0]) == set()
    network = page("two-two-two-network").press.evidence.run
    wanted = {ref.name for ref in must_have(network.example, network.trace.steps[0])}
    assert {"h", "E", "dE/dV", "dE/dW"} <= wanted
