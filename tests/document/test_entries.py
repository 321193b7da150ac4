"""What a step and its words say of entries: gates, columns, padding, parts of formulas."""

from __future__ import annotations

import re
from fractions import Fraction

import pytest

from derivations.document.introduced import padding_words, taken_out
from derivations.language.parser import parse
from derivations.model.example import prepare
from derivations.notation.chain import formula
from derivations.page import build
from derivations.spec.spec import parse_spec

SPEC = """
title = "Entries"
[model]
equations = \"\"\"
{}
\"\"\"
[data]
{}
[parameters]
{}
[training]
optimizer = {{ name = "SGD", lr = 0.1 }}
[page]
show = ["problem", "steps"]
"""
HINGE = ("z[k] = w[k]*x\nL = multiclass_hinge_loss(z[k], y, k)", "x = 1\ny = {}", "w = [13, -7, 11]")
GATED = (
    "q[i] = sum(same(j, c[i])*s[j], j)\nL = mean((q[i] - y[i])**2, i)",
    "c = [1, 2, 1, 3]\ny = [1, 2, 3, 4]",
    "s = [0.5, 1, 2]",
)


@pytest.mark.parametrize("target", [1, 3])
def test_a_gate_that_no_index_decides_stays_a_factor(target: int) -> None:
    equations, data, start = HINGE
    page = build(SPEC.format(equations, data.format(target), start), ("md",))
    found = re.search(r"\[k = y\] z_k = (.*) = (\S+)\n", page["md"])
    assert found
    terms = re.findall(r"(\d) \\cdot \(?(-?\d+)\)?", found[1])
    assert (
        sum(Fraction(gate) * Fraction(z) for gate, z in terms)
        == Fraction(found[2])
        == [13, -7, 11][target - 1]
    )


def test_no_column_has_a_letter_that_nothing_gives() -> None:
    text_of_page = build(SPEC.format(*GATED), ("md",))["md"]
    heads = [line for line in text_of_page.splitlines() if line.startswith("| $i$ |")]
    assert heads
    assert not any("[j = c_i] |" in head.replace("$", "") or r"(q_i - y_i) [j" in head for head in heads)
    slopes = re.findall(r"\\partial s_\d\} = .* = (\S+)$", text_of_page, re.MULTILINE)
    assert list(map(Fraction, slopes[:3])) == [Fraction(-3, 2), Fraction(-1, 2), -1]  # 2/4 Σ (q - y) by hand


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("w*pad(x[t - 1])", ["An entry of {} outside its array is 0."]),
        ("largest(pad(x[t + k - 2]), k)", ["In a maximum, what lies outside its array takes no part."]),
        ("w*x[t]", []),
    ],
)
def test_padding_is_said(body: str, said: list[str]) -> None:
    assert [each.text for each in padding_words([parse(body)])] == said
    assert not list(padding_words([parse(body)], [parse(body)]))


def test_a_part_names_the_formula_that_it_is_a_part_of() -> None:
    equations = "h[0, j] = 0\nh[t, j] = tanh(sum(W[j, k]*h[t-1, k], k)**2 + x[t])\nL = sum(h[t, j]**2, t, j)"
    example = prepare(*parse_spec(SPEC.format(equations, "x = [1, 2]", "W = [[0.5, 1], [1, 2]]")))
    (words,) = taken_out(example)
    assert words.parts[-1] == formula(parse("h[t, j]"))
