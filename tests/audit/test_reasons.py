"""The words beside a line of a derivation are claims: what each line does is asked of its two sides alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings

import derivations
from derivations.audit.reasons import PREDICATES, Model, Step, holds, require_reasons, steps
from derivations.catalogue.functions import FUNCTIONS, NAMES
from derivations.catalogue.shortcuts import SHORTCUTS
from derivations.document.blocks import Document, Message, Table, listed, message
from derivations.document.compose import _chain_rows
from derivations.document.words import NOT_DEPENDING, RULES
from derivations.language.errors import CheckFailed, SpecError
from derivations.language.parser import parse
from derivations.language.steps import Chain, condense, derive
from derivations.language.tree import Ref, walk
from derivations.model.example import Example, prepare
from derivations.spec.gallery import find, names
from derivations.spec.spec import parse_spec, read_spec
from tests.strategies import models

MODELS = {
    "pooled": "h[t] = w*x[t]\nm = largest(h[t], t)\nL = (m - 1)**2",
    "quotient": "q[i] = (w + x[i])/(1 + w**2)\nL = mean(q[i]*exp(w*x[i]), i)",
    "two ways": "z[i] = w*x[i]\nr[i] = exp(z[i])\nL = mean(r[i] - 3*z[i], i)",
    "a term alone": "h = mean(relu(w*x[i]), i)\nL = mean(x[i], i) + h + h**2",
    "looked up": "L = sum((E[c[i]] - x[i])**2, i)",
    "log-cosh": "e[i] = w*x[i]\nl[i] = log((exp(e[i]) + exp(-e[i]))/2)\nL = sum(l[i], i) + 0.01*abs(w)",
}


def example_of(name: str) -> Example:
    """An example of the gallery, or one of `MODELS` over three samples."""
    if name not in MODELS:
        return prepare(*read_spec(find(name)))
    start = "E = [0.5, 0.25]" if "E[" in MODELS[name] else "w = 0.5"
    data = "c = [1, 2, 1]\n" if "E[" in MODELS[name] else ""
    text = f'title = "t"\n[model]\nequations = """\n{MODELS[name]}\n"""\n[data]\nx = [1, 2, 4]\n{data}'
    return prepare(*parse_spec(f"{text}[parameters]\n{start}\n"))


def written(chains: tuple[Chain, ...], example: Example) -> Document:
    rows = tuple(row for chain in chains for row in _chain_rows(chain, example))
    return Document("", (Table("derivation", "lll", ((), (), ()), rows),))


def lines(example: Example, *, full: bool) -> list[Step]:
    chains = derive(
        example.forward, example.backward, example.loss, example.parameters, example.fits, example.shortcuts
    )
    page = written(chains if full else condense(chains), example)
    return list(steps(page, Model(example.forward, example.loss)))


@pytest.mark.parametrize("name", [*names(), *MODELS])
def test_every_reason_of_the_gallery_is_true(name: str) -> None:
    example = example_of(name)
    for full in (True, False):
        for line in lines(example, full=full):
            assert holds(line), (line.number, line.said)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
@given(models(("sigmoid", "relu", "abs", "max", "hardtanh", "exp"), whole=True))
def test_every_reason_of_a_random_model_is_true(model: object) -> None:
    try:
        example = prepare(*parse_spec(model.spec()))  # type: ignore[attr-defined]
    except SpecError:
        return
    for line in [*lines(example, full=True), *lines(example, full=False)]:
        assert holds(line), (line.number, line.said, model)


def texts() -> Iterator[str]:
    """Whatever may stand beside a line."""
    yield from (text for text in RULES.values())
    yield from ("constant factor −1", NOT_DEPENDING[0])
    yield from (row.rule for row in (*FUNCTIONS, *SHORTCUTS))


def test_every_text_has_a_predicate() -> None:
    assert set(texts()) == set(PREDICATES)


def test_every_rule_has_a_text() -> None:
    folder = Path(derivations.__file__).parent / "language"
    code = "".join(path.read_text() for path in folder.glob("*.py"))
    rules = set(re.findall(r'Reason\(\s*"(\w+)"', code)) | {"function_chain", "power_chain", "letter"}
    assert rules - {"shortcut", "sum", "function", "function_chain"} <= set(RULES)


# --- A false reason is refused ---------------------------------------------------------------------

# What is as true of a line as what is said of it: these say less than the others.
VAGUE = {"simplified", "the same in another form"}
AS_TRUE = {("simplified", "the constants collected")}  # of ½/½: they are collected, into 1
SHOWN = ("linear-regression", "rnn-two-steps", "logistic-regression", "max-pooling", "layer-norm", *MODELS)


@pytest.mark.few(6)
@pytest.mark.parametrize("name", SHOWN)
def test_any_other_reason_is_refused(name: str) -> None:
    """Each line, with the words of every other rule in the place of its own."""
    for line in lines(example_of(name), full=True):
        for text in set(PREDICATES) - VAGUE - {line.said.text}:
            if (line.said.text, text) in AS_TRUE:
                continue
            rule = next((row.rule for row in FUNCTIONS if row.rule == text), "")
            if rule and line.said.text in {row.rule for row in FUNCTIONS}:
                continue  # rows with the same slope may say it in other words: see the next test
            for parts in (line.said.parts, ()):
                try:
                    found = holds(replace(line, said=Message(text, parts)))
                except (ValueError, IndexError):
                    continue  # a text with holes, and nothing to fill them
                assert not found, (line.number, line.said.text, text)


def test_the_words_of_another_function_are_refused() -> None:
    for line in lines(example_of("two-hidden-layers"), full=True):
        if line.said.text == "derivative of the hyperbolic tangent":
            for row in FUNCTIONS:
                found = holds(replace(line, said=message(row.rule)))
                assert found == (row.name == "tanh"), row.name


def line_of(name: str, number: int) -> Step:
    return lines(example_of(name), full=True)[number - 1]


@pytest.mark.parametrize(
    ("name", "number", "said"),
    [
        # h_0 acts through z_1 only, h_t directly and through z_{t+1}
        ("rnn-two-steps", 4, message("chain rule: {} acts on {} {}", Ref("h", (parse("0"),)), Ref("L"),
            listed([message("through every {}", listed([parse("z[t]")]))]))),
        ("rnn-two-steps", 11, message("chain rule: {} acts on {} {}", parse("h[t]"), Ref("L"),
            listed([message("directly"), message("through {}", listed([parse("z[t]")]))]))),
        ("rnn-two-steps", 11, message("chain rule: {} acts on {} {}", parse("h[t]"), Ref("L"),
            listed([message("through {}", listed([parse("z[t + 1]")]))]))),
        # R is one number
        ("elastic-net", 20, message("chain rule: {} acts on {} {}", parse("w[j]"), Ref("L"),
            listed([message("through every {}", listed([parse("R"), parse("yhat[i]")]))]))),
        # a window reads some entries only
        ("max-pooling", 15, message("chain rule: {} acts on {} {}", parse("h[i, t]"), Ref("L"),
            listed([message("through every {}", listed([parse("m[i, u]")]))]))),
        # lines that are not the ones put in, too many of them, and one that is not the last of its chain
        ("linear-regression", 11, message("put in {}", listed(["(6)"]))),
        ("linear-regression", 11, message("put in {}", listed(["(5)", "(9)"]))),
        ("linear-regression", 16, message("put in {}", listed(["(6)", "(9)", "(14)"]))),
        # another factor, another constant, another term
        ("linear-regression", 2, message("constant factor {}", parse("1/2"))),
        ("linear-regression", 9, message("constant factor {}", parse("w"))),
        ("linear-regression", 5, message("sum rule: {1} does not depend on {2}", "1",
            listed([parse("yhat[i]")]), parse("yhat[i]"))),
        ("linear-regression", 7, message("definition of {}", parse("L"))),
        ("rnn-two-steps", 15, message("the constants collected")),
        ("gru-step", 23, message("the constants collected")),
        ("huber-regression", 14, message("the constants collected")),
        ("causal-attention", 38, message("the constants collected")),
    ],
)  # fmt: skip
def test_a_false_reason_is_refused(name: str, number: int, said: Message) -> None:
    line = line_of(name, number)
    assert holds(line)
    assert not holds(replace(line, said=said))


def test_the_build_fails_at_a_false_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    example = example_of("linear-regression")
    chains = derive(example.forward, example.backward, example.loss, example.parameters)
    require_reasons(written(chains, example), example.forward, example.loss)
    monkeypatch.setitem(RULES, "power_chain", "product rule")
    with pytest.raises(CheckFailed, match=r"line \(4\).*'product rule'"):
        require_reasons(written(chains, example), example.forward, example.loss)


# --- What the writer said falsely, and says rightly now -------------------------------------------------


def said_of(name: str) -> dict[int, str]:
    return {line.number: line.said.text for line in lines(example_of(name), full=True)}


def test_nothing_is_moved_where_there_is_no_sum() -> None:
    for name in ("poisson-regression", "rnn-two-steps"):
        assert "what does not depend on the index goes in front of the sum" not in said_of(name).values()


def test_a_value_called_by_its_name_is_no_collecting() -> None:
    assert said_of("rnn-two-steps")[15] == "{} is {}"  # tanh(z_t) is h_t, although h_0 is written first


def test_no_letter_is_bound_and_free_at_once() -> None:
    """``[p = arg max_q h_q]``: the letter of the maximum is not the one that is compared with it."""
    from derivations.language.tree import Chosen, free_indices, walk

    example = example_of("max-pooling")
    chosen = [node for eq in example.backward for node in walk(eq.body) if isinstance(node, Chosen)]
    assert chosen
    assert all(not free_indices(node.at, {node.index}) for node in chosen)


def test_a_term_that_is_one_entry_has_a_slope_of_its_own() -> None:
    first = next(line for line in lines(example_of("a term alone"), full=True))
    assert first.said.text != "definition of {}"


def test_what_is_simplified_is_simpler() -> None:
    """The derivative of log cosh e is tanh e; a decimal of the author's stays one."""
    found = lines(example_of("log-cosh"), full=True)
    (own,) = [line for line in found if line.said.text == "simplified"]
    assert own.after == parse("(exp(e[i]) - exp(-e[i]))/(exp(e[i]) + exp(-e[i]))", NAMES)
    assert any(line.after == parse("0.01*sign(w)", NAMES) for line in found)
    assert not any(node == parse("1/100") for line in found for node in walk(line.after))
    for worse in ("(1/2*(exp(e[i]) - exp(-e[i])))/(1/2*(exp(e[i]) + exp(-e[i])))", "exp(e[i])*2/4/2"):
        assert not holds(replace(own, after=parse(worse, NAMES)))


def test_what_is_longer_is_not_simplified() -> None:
    longer = [
        line for line in lines(example_of("huber-regression"), full=True) if "another form" in line.said.text
    ]
    assert len(longer) == 2
    assert not any(holds(replace(line, said=message("simplified"))) for line in longer)
