"""Patterns of formulas: where one fits is decided on trees written by hand, and by putting numbers in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from derivations.catalogue import functions
from derivations.language.parser import parse
from derivations.language.patterns import Pattern, count_of, read, rewritten_at
from derivations.language.program import Equation
from derivations.language.tree import Expr, Ref
from derivations.notation.text import text

ENTRIES = frozenset({"theta", "lr", "eps", "y"})


def standing(name: str, expr: Expr) -> bool:
    """Names of entries stand for entries that are called so, any other for anything."""
    return name not in ENTRIES or (isinstance(expr, Ref) and expr.name.startswith(name))


def pattern(old: str, new: str) -> Pattern:
    return Pattern(read(old), read(new), standing)


def rewritten(rule: Pattern, formula: str, place: int | None = None) -> str:
    equation = Equation(Ref("v"), parse(formula, functions.NAMES))
    return text(rewritten_at(rule, (equation,), place)[0].body)


@pytest.mark.parametrize(
    ("old", "new", "formula", "wanted"),
    [
        ("a**2", "a**2/2", "mean((p[i] - y[i])**2, i)", "mean((p[i] - y[i])**2/2, i)"),
        ("mean(a, i)", "sum(a, i)", "1/2*mean(q[k]**2, k)", "1/2*sum(q[k]**2, k)"),
        ("a/count(i)", "a", "1/count(k)*sum(q[k], k)", "sum(q[k], k)"),
        ("a - y", "y - a", "2*(p[i] - y[i])", "2*(y[i] - p[i])"),
        ("a - y", "y - a", "w*x[i] + b - y[i]", "y[i] - (w*x[i] + b)"),
        ("a - y", "y - a", "1 - p[i]", "1 - p[i]"),
        ("theta*a", "theta", "u*theta[1]*v + b", "theta[1] + b"),
        ("theta*a", "theta", "theta + b", "theta + b"),
        ("sqrt(a) + eps", "sqrt(a + eps)", "g/(sqrt(s) + eps)", "g/sqrt(s + eps)"),
        ("sqrt(a) + eps", "sqrt(a + eps)", "g/(sqrt(s) + u)", "g/(sqrt(s) + u)"),
        ("a/(1 - b**t)", "a", "m/(1 - c**t)", "m"),
        ("a/(1 - b**t)", "a", "m/(c - 1**t)", "m/(c - 1**t)"),
        ("W[j, k]", "W[k, j]", "sum(V[m, n]*h[n], n)", "sum(V[n, m]*h[n], n)"),
        ("theta", "theta'", "v*theta[k]", "v*theta'[k]"),
        ("f(a)", "a", "tanh(z[i])*v", "z[i]*v"),
        ("a*a", "a", "x*x", "x"),
        ("a*a", "a", "x*y", "x*y"),
    ],
)
def test_what_stands_in_the_place(old: str, new: str, formula: str, wanted: str) -> None:
    assert rewritten(pattern(old, new), formula) == wanted


def test_places_are_counted_as_they_are_read() -> None:
    squares = pattern("a**2", "a")
    formula = "x**2 + 3*(y**2 + 1)**2"
    assert count_of(squares, (Equation(Ref("v"), parse(formula)),)) == 3
    assert rewritten(squares, formula, 0) == "x + 3*(y**2 + 1)**2"
    assert rewritten(squares, formula, 1) == "x**2 + 3*(y**2 + 1)"
    assert rewritten(squares, formula, 2) == "x**2 + 3*(y + 1)**2"
    assert rewritten(squares, formula) == "x + 3*(y + 1)"


def test_what_stands_between_brackets_is_left_alone() -> None:
    assert rewritten(pattern("a - y", "a"), "x[t - y]*(t - y)") == "x[t - y]*t"


@given(st.lists(st.sampled_from("pqrs"), min_size=2, max_size=6), st.data())
def test_terms_may_stand_in_any_order(names: list[str], data: st.DataObject) -> None:
    """``a - y -> y - a`` turns the sign of the whole sum, wherever the target stands."""
    place = data.draw(st.integers(0, len(names)))
    terms = [f"+ {name}" for name in names[:place]] + ["- y"] + [f"+ {name}" for name in names[place:]]
    formula = " ".join(terms).removeprefix("+ ")
    values = {"p": 2, "q": 3, "r": 5, "s": 7, "y": 11}

    def value(written: str) -> int:
        signs = written.replace("(", "").replace(")", "") if "(" not in written else ""
        inner = written[written.index("(") + 1 : -1] if not signs else ""
        if inner:
            return values["y"] - value(inner)
        total, sign = 0, 1
        for word in written.split():
            sign = {"+": 1, "-": -1}.get(word, sign)
            total += (
                sign * values.get(word.lstrip("-"), 0) * (-1 if word.startswith("-") and len(word) > 1 else 1)
            )
        return total

    assert value(rewritten(pattern("a - y", "y - a"), formula)) == -value(formula)
