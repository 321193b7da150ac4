"""Which index numbers the samples: taken where one can be meant, asked for where several can."""

from __future__ import annotations

import pytest

from derivations.language.errors import SpecError
from derivations.model.example import prepare
from derivations.page import build
from derivations.spec.spec import parse_spec

ATTENTION = """Q[a, d] = wq*X[a, d]
K[u, d] = wk*X[u, d]
S[a, u] = sum(Q[a, d]*K[u, d], d)
L = sum(S[a, u]**2, a, u)"""
SPEC = """title = "Which samples?"
[model]
equations = \"\"\"
{}
\"\"\"
[data]
X = [[1, 2], [3, 4], [5, 6]]
x = [1, 2]
y = [1, 2, 3]
[parameters]
wq = 0.5
wk = 0.25
[training]
{}
[page]
show = ["problem"]
"""


def taken(equations: str, training: str = "") -> str | None:
    return prepare(*parse_spec(SPEC.format(equations, training))).sample


@pytest.mark.parametrize(
    ("equations", "letters"),
    [
        (ATTENTION, "'a', 'u' or 'd'"),
        ("S[a, u] = wq*x[a]*wk*y[u]\nL = sum(S[a, u]**2, a, u)", "'a' or 'u'"),
        ("r[j] = wq*sum(X[t + 1, j] - X[t, j], t)\nq = wk*sum(x[j]**2, j)\nL = sum(r[j]**2, j) + q", None),
        ("a[i] = wq*y[i]\nb[k] = wk*x[k]\nL = sum(a[i], i)*sum(b[k]**2, k)", "'i' or 'k'"),
    ],
)
def test_where_several_can_be_meant_the_author_is_asked(equations: str, letters: str | None) -> None:
    if letters is None:
        assert taken(equations) == "j"
        return
    with pytest.raises(SpecError) as found:
        taken(equations)
    assert letters in found.value.message
    assert 'sample = "a"' in str(found.value.hint) or 'sample = "i"' in str(found.value.hint)
    assert "sample = false" in str(found.value.hint)
    assert (found.value.line or 0) >= 4


@pytest.mark.parametrize(
    ("equations", "sample"),
    [
        ("yhat[i] = wq*y[i] + wk\nL = mean(yhat[i]**2, i)", "i"),
        ("m = mean(y[i], i)\nz[i] = wq*(y[i] - m)\nL = wk*mean(z[i]**2, i)", "i"),
        ("z[i, k] = wq*X[i, k] + wk\nL = mean(sum(z[i, k]**2, k), i)", "i"),
        ("h[i] = wq*sum(X[i, k], k) + wk\nL = mean(h[i]**2, i)", "i"),
        ("L = wq*sum(y[i], i) + wk", "i"),
        ("trial[k] = wq + x[k]\nL = mean((wq*y[i] + wk)**2, i)", "i"),
    ],
)
def test_where_one_can_be_meant_it_is_taken(equations: str, sample: str) -> None:
    assert taken(equations) == sample


def test_the_author_names_it_or_says_that_there_are_none() -> None:
    assert taken(ATTENTION, 'sample = "a"') == "a"
    assert taken(ATTENTION, 'sample = "d"') == "d"
    assert taken(ATTENTION, "sample = false") is None
    with pytest.raises(SpecError, match="no index of samples"):
        taken(ATTENTION, "sample = false\nbatch_size = 1")


@pytest.mark.parametrize("value", ["5", "true", '"ab"', '"q"', "[1]"])
def test_what_is_no_index_is_refused_at_its_place(value: str) -> None:
    with pytest.raises(SpecError) as found:
        taken(ATTENTION, f"sample = {value}")
    assert (found.value.line, "sample" in str(found.value) or "'q'" in str(found.value)) == (17, True)


def test_a_page_without_samples_gives_its_data_as_they_are() -> None:
    text = build(SPEC.format(ATTENTION, "sample = false"), ("md",))["md"]
    assert "Given: $X_{1,1} = 1$, $X_{1,2} = 2$, $X_{2,1} = 3$" in text
    assert "samples" not in text.partition("## The problem")[2].partition("##")[0]
