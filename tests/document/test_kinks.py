"""Warnings at values that sit on a kink: one for each row with kinks, none beside it, and audited."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
import torch

from derivations.catalogue import functions
from derivations.catalogue.functions import FUNCTIONS, Function
from derivations.claims.writer import Writer
from derivations.document import kinks as kinks_room
from derivations.document import step as batch
from derivations.document.blocks import Digits, Message, Words
from derivations.document.compose import rounding_of
from derivations.document.kinks import ELSEWHERE, Kinks
from derivations.language.errors import CheckFailed, SpecError
from derivations.language.tree import Expr, Largest
from derivations.model.example import prepare
from derivations.page import build, from_module
from derivations.run.training import train
from derivations.spec.spec import parse_spec
from tests.catalogue.test_catalogue import by_name, spec

KINKED = [row for row in FUNCTIONS if row.kinks]
SENTENCE = re.compile(
    r"In \$.*\$ the value \$w = (.*)\$ sits on a kink, where the slope is taken as (\S+), as torch"
)


def page(tmp_path: Path, equations: str, parameters: str, data: str = "x = 1") -> str:
    path = tmp_path / "kinks.toml"
    path.write_text(spec(equations, parameters, data, 'optimizer = { name = "SGD", lr = 0.25 }'))
    return str(build(path, ("md", "tex"))["md"])


def arguments(row: Function) -> list[str]:
    """The arguments after the first: operands are data, limits are numbers."""
    numbers = iter(("-1", "2"))
    return ["c" if name in row.all_slopes else next(numbers) for name in row.arguments[1:]]


def kinks(row: Function) -> list[str]:
    """Where the kinks of the row are with these arguments."""
    known = dict(zip(row.arguments[1:], arguments(row), strict=True))
    values = {"c": "0.5", "floor(x)": "3"}
    return [values.get(known.get(kink, kink), known.get(kink, kink)) for kink in row.kinks]


def torchs_slope(row: Function, at: str) -> float:
    w = torch.tensor(float(Fraction(at)), dtype=torch.float64, requires_grad=True)
    numbers = [torch.tensor(0.5, dtype=torch.float64) if t == "c" else float(t) for t in arguments(row)]
    known = dict(zip(row.arguments, [w, *numbers], strict=True))
    value = eval(functions.torch_expression(row, row.arguments), {"torch": torch}, known)
    return float(torch.autograd.grad(value, w)[0]) if value.requires_grad else 0.0


@pytest.mark.few(4)
@pytest.mark.parametrize("row", KINKED, ids=by_name)
def test_a_page_warns_of_a_value_on_a_kink(row: Function, tmp_path: Path) -> None:
    call = f"{row.name}({', '.join(['w', *arguments(row)])})"
    for at in kinks(row):
        text = page(
            tmp_path, f"L = {call}*x + w**2", f"w = {at}", "x = 1\nc = 0.5" if "c" in call else "x = 1"
        )
        (found,) = SENTENCE.findall(text.replace("−", "-"))
        assert Fraction(found[0]) == Fraction(at)
        assert abs(float(found[1]) - torchs_slope(row, at)) <= 5e-7  # printed with six places
        beside = str(float(Fraction(at) + Fraction("0.015625")))
        text = page(
            tmp_path, f"L = {call}*x + w**2", f"w = {beside}", "x = 1\nc = 0.5" if "c" in call else "x = 1"
        )
        assert "a kink" not in text


def test_elu_with_slope_one_has_no_kink(tmp_path: Path) -> None:
    assert "a kink" not in page(tmp_path, "L = elu(w)*x", "w = 0")
    assert "slope is taken as 0.5" in page(tmp_path, "L = elu(w, 0.5)*x", "w = 0")


def test_a_part_of_a_formula_on_a_kink(tmp_path: Path) -> None:
    text = page(tmp_path, "L = sum(hinge(w*x[i]), i)", "w = 0.5", "x = [1, 2, -1]")
    assert "the value $w x_2 = 1$ sits on a kink" in text
    assert text.count("sits on a kink") == 1


def test_a_maximum_that_entries_share(tmp_path: Path) -> None:
    text = page(tmp_path, "h[i] = w*x[i]\nL = largest(h[i], i)", "w = 2", "x = [1, 3, 3]")
    assert "stands more than once among its entries; the derivative goes to the first" in text
    text = page(tmp_path, "h[i] = w*x[i]\nL = largest(h[i], i)", "w = 2", "x = [1, 3, 2]")
    assert "more than once" not in text


def test_no_warning_where_no_derivative_is_asked_for(tmp_path: Path) -> None:
    text = page(tmp_path, "r = relu(x - 1)\nL = (w*r - 1)**2 + w", "w = 2")
    assert "a kink" not in text


def test_many_are_counted(tmp_path: Path) -> None:
    text = page(tmp_path, "h[i] = relu(w*x[i])\nL = sum(h[i], i)", "w = 0", "x = [1, 2, 3, 4, 5, 6]")
    assert text.count("sits on a kink") == 4
    assert "So do 2 more values of this step" in text


class _Silent(Kinks):
    def blocks(self):  # type: ignore[no-untyped-def]
        return iter(())


class _Wrong(Kinks):
    def blocks(self):  # type: ignore[no-untyped-def]
        for block in super().blocks():
            said = block.words[0]
            yield replace(block, words=(replace(said, parts=(*said.parts[:2], Digits("1"))),))


@pytest.mark.parametrize("writer", [_Silent, _Wrong])
def test_a_page_that_hides_or_changes_a_kink_is_refused(
    writer: type[Kinks], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "Kinks", writer)
    with pytest.raises(CheckFailed, match=r"kink|the page is not true"):
        page(tmp_path, "L = relu(w)*x + w", "w = 0")


def _no_tie(kinks: Kinks, node: Largest) -> Iterator[Words]:
    return iter(())


def _not_the_last(kinks: Kinks, node: Expr, letters: list[str]) -> Iterator[Expr]:
    return iter(list(INSTANCES(kinks, node, letters))[:-1])


def _everywhere(kinks: Kinks, expr: Expr) -> bool:
    return True


def _nowhere_in_sums(expr: Expr, bound: tuple[str, ...] = ()) -> Iterator[tuple[Expr, tuple[str, ...]]]:
    return (pair for pair in KINKED_IN(expr, bound) if not pair[1])


INSTANCES, KINKED_IN = Kinks.instances, kinks_room._kinked


@pytest.mark.parametrize(
    ("what", "wrong", "loss", "w", "x"),
    [
        ("Kinks.largest", _no_tie, "largest(h[i], i)", "2", "[1, 3, 3]"),
        ("Kinks.instances", _not_the_last, "sum(relu(h[i]), i)", "2", "[1, 3, 0]"),
        ("Kinks.is_zero", _everywhere, "sum(relu(h[i]), i)", "2", "[1, 3, 0]"),
        ("_kinked", _nowhere_in_sums, "sum(relu(h[i]), i) + abs(h[2])", "2", "[1, 0, 0]"),
        ("active", lambda program, parameters: set(), "sum(relu(h[i]), i)", "2", "[1, 3, 0]"),
        ("Kinks.moves", _everywhere, "sum(relu(h[i]), i)", "2", "[1, 3, 0]"),
    ],
)
def test_the_check_of_kinks_shares_nothing_with_their_writer(
    what: str,
    wrong: object,
    loss: str,
    w: str,
    x: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    equations, given = f"h[i] = w*x[i]\nL = {loss}", f"w = {w}"
    page(tmp_path, equations, given, f"x = {x}")
    monkeypatch.setattr(f"derivations.document.kinks.{what}", wrong)
    with pytest.raises(CheckFailed, match="the page is not true"):
        page(tmp_path, equations, given, f"x = {x}")


@pytest.mark.parametrize("row", [row for row in FUNCTIONS if row.slope == "0" and row.arguments], ids=by_name)
def test_a_parameter_without_any_slope_is_refused_in_words(row: Function, tmp_path: Path) -> None:
    call = f"{row.name}({', '.join(['w', *arguments(row)])})"
    with pytest.raises(SpecError, match="the derivative of 'L' by 'w' is 0 everywhere"):
        page(
            tmp_path,
            f"L = ({call} - x)**2",
            "w = 1",
            "x = 1\nc = 0.5" if "c" in call.split(",")[-1] else "x = 1",
        )


# --- Where float64 stands on another side than the exact run ---------------------------------------

ROUNDED = """
title = "0 by hand, 5.6e-17 in float64"
[model]
equations = '''
z = a + b - c
L = {}
'''
[data]
a = 0.1
b = 0.2
[parameters]
c = 0.3
"""
TIED = """
title = "equal by hand, the second larger in float64"
[model]
ranges = {{ t = 2 }}
equations = '''
h[1] = c
h[2] = {}
L = largest(h[t], t)**2 + a
'''
[data]
a = 0.1
b = 0.2
[parameters]
c = 0.3
"""


def kinks_of(text: str) -> list[str]:
    """The texts of what a page says of the kinks of its first step."""
    trace = train(prepare(*parse_spec(text)), 64)
    writer = Writer(trace.steps[0], rounding_of(trace.example), trace.system)
    blocks = list(Kinks(trace.example, writer).blocks())
    return [word.text for block in blocks for word in block.words if isinstance(word, Message)]


@pytest.mark.parametrize("loss", ["relu(z)", "abs(z)", "max(z, 0)", "leaky_relu(z, 0.1)"])
def test_a_kink_that_float64_misses_is_told(loss: str) -> None:
    """0.1 + 0.2 - 0.3 is 0, and 5.6e-17 in float64: torch's slope is that of the right side."""
    assert 0.1 + 0.2 - 0.3 > 0
    assert ELSEWHERE in kinks_of(ROUNDED.format(loss))


def test_a_kink_that_float64_meets_is_not_said_to_be_missed() -> None:
    exact = ROUNDED.replace("0.1", "0.25").replace("0.2\n", "0.5\n").replace("0.3", "0.75")
    assert (said := kinks_of(exact.format("relu(z)")))
    assert ELSEWHERE not in said


def test_a_tie_that_float64_breaks_is_told() -> None:
    assert ELSEWHERE in kinks_of(TIED.format("a + b"))
    assert ELSEWHERE not in kinks_of(TIED.format("c*1"))


def test_a_tie_that_torch_shares_is_refused() -> None:
    """torch.amax halves the slope between two equal entries, the page gives all of it to the first."""

    class Largest(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.w = torch.nn.Parameter(torch.tensor([0.6, 0.6, 0.3], dtype=torch.float64))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.amax(self.w * x, dim=1)

    x, y = torch.ones(1, 3, dtype=torch.float64), torch.zeros(1, dtype=torch.float64)
    with pytest.raises(CheckFailed, match=r"dL/dw\[1\]: by hand 1.2.*, module 0.6"):
        from_module(Largest(), x, "MSELoss", y)
