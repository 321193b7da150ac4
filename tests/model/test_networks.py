"""Pages of networks: every scalar worked, entries with names, one sample in full, parts left out."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import derivations
from derivations.audit.gaps import Gaps
from derivations.document.blocks import Block, Display, Heading, Listing, Table
from derivations.document.tables import MAX_COLUMNS
from derivations.language.errors import CheckFailed, SpecError
from derivations.language.tree import Ref, number
from derivations.page import Page
from tests.test_page import compile_latex

NAMES = """
"W1[1, 1]" = "w1"
"W1[1, 2]" = "w2"
"W1[2, 1]" = "w3"
"W1[2, 2]" = "w4"
"W2[1, 1]" = "w5"
"W2[1, 2]" = "w6"
"W2[2, 1]" = "w7"
"W2[2, 2]" = "w8"
"""
OWN = """
"z1[{}1]" = "net_h1"
"z1[{}2]" = "net_h2"
"h[{}1]" = "out_h1"
"h[{}2]" = "out_h2"
"""
START = """
[parameters]
W1 = [[0.15, 0.2], [0.25, 0.3]]
b1 = 0.35
W2 = [[0.4, 0.45], [0.5, 0.55]]
b2 = 0.6
[training]
optimizer = { name = "SGD", lr = 0.5 }
"""
SINGLE = (
    """title = "2-2-2"
[model]
equations = '''
z1[j] = sum(W1[j, k]*x[k], k) + b1
h[j] = sigmoid(z1[j])
z2[m] = sum(W2[m, j]*h[j], j) + b2
o[m] = sigmoid(z2[m])
E = sum(1/2*(y[m] - o[m])**2, m)
'''
[data]
x = [0.05, 0.1]
y = [0.01, 0.99]
"""
    + START
)
BATCH = (
    """title = "2-2-2"
[model]
equations = '''
z1[i, j] = sum(W1[j, k]*x[i, k], k) + b1
h[i, j] = sigmoid(z1[i, j])
z2[i, m] = sum(W2[m, j]*h[i, j], j) + b2
o[i, m] = sigmoid(z2[i, m])
E = mean(sum(1/2*(y[i, m] - o[i, m])**2, m), i)
'''
[data]
x = [[0.05, 0.1], [0.2, -0.1], [0.3, 0.4]]
y = [[0.01, 0.99], [0.5, 0.5], [0, 1]]
"""
    + START
    + "batch_size = 2\n"
)


def spec(text: str = SINGLE, page: str = "", names: str = "") -> str:
    return f"{text}[page]\n{page}\n[page.names]\n{names}\n"


@cache
def build(text: str) -> Page:
    return derivations.build(text, ("md", "tex", "fragment", "json"))


def single() -> Page:
    return build(spec(SINGLE, names=NAMES + OWN.format("", "", "", "")))


def batched() -> Page:
    return build(spec(BATCH, names=NAMES + OWN.format(*["i, "] * 4)))


# --- every scalar ------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_well_known_network_has_its_well_known_numbers() -> None:
    """The values that many courses print: E = 0.298371, w5 becomes 0.358916, w1 becomes 0.149781."""
    text = single()["md"]
    lines = [
        r"\mathrm{net_{h1}} = w_1 x_1 + w_2 x_2 + b_1 = 0.15 \cdot 0.05 + 0.2 \cdot 0.1 + 0.35 = 0.3775",
        r"\mathrm{out_{h1}} = \sigma(\mathrm{net_{h1}}) = \sigma(0.3775) \approx 0.593270",
        r"\frac{\partial E}{\partial w_5} = \mathrm{out_{h1}} \frac{\partial E}{\partial z_{2,1}}",
        r"w_5 \leftarrow w_5 - \eta \frac{\partial E}{\partial w_5} \approx 0.4 - 0.5 \cdot 0.082167",
        r"w_1 \leftarrow w_1 - \eta \frac{\partial E}{\partial w_1} \approx 0.15 - 0.5 \cdot 0.000439",
    ]
    for line in lines:
        assert line in text
    for value in ("0.298371", "0.358916", "0.149781", "0.751365", "0.772928"):
        assert value in text


@pytest.mark.slow
def test_every_scalar_of_a_network_has_its_chain() -> None:
    page = single()
    chains = [block.formula.sides for block in page.press.document.blocks if isinstance(block, Display)]
    told = {repr(sides[0].expr) for sides in chains if len(sides) > 2}
    for name, at in page.trace.steps[0].layout.tape.slots:
        if name in ("z1", "h", "z2", "o", "dE/do", "dE/dz2", "dE/dh", "dE/dz1", "dE/dW1", "dE/dW2"):
            assert repr(Ref(name, tuple(number(place) for place in at))) in told


@pytest.mark.slow
def test_one_sample_in_full_then_all_in_a_table() -> None:
    text = batched()["md"]
    part = text[text.index("## Mini-batch 2") :]
    assert r"\mathrm{net_{h1,3}} = w_1 x_{3,1} + w_2 x_{3,2} + b_1 \approx" in part
    text = text[text.index("## Mini-batch 1") : text.index("## Mini-batch 2")]
    order = ["Sample 1 in full:", "All samples of the mini-batch in a table:", "$$\nE ="]
    assert [text.index(words) for words in order] == sorted(text.index(words) for words in order)
    assert r"| $i$ | $\mathrm{out_{h1,i}}$ | $\mathrm{out_{h2,i}}$ |" in text
    assert "We have" in part
    assert "x_{3,1} = 0.3" in part  # a batch of one sample says its data


@pytest.mark.slow
def test_no_table_is_wide() -> None:
    for page in (single(), batched()):
        tables = [block for block in page.press.document.blocks if isinstance(block, Table)]
        wide = [table.kind for table in tables if len(table.align) > MAX_COLUMNS + 1]
        assert wide == []


@pytest.mark.slow
@pytest.mark.parametrize("form", ["md", pytest.param("tex", marks=pytest.mark.slow)])
@pytest.mark.parametrize("page", [single, pytest.param(batched, marks=pytest.mark.slow)])
def test_every_altered_number_of_a_network_is_caught(page: Callable[[], Page], form: str) -> None:
    shown = page()
    text = shown[form]
    start, end = text.index("In matrix form"), text.index("The same in PyTorch")
    numbers = [found for found in re.finditer(r"\d+\.\d+|(?<=[_{,])\d", text) if start < found.start() < end]
    assert len(numbers) > 200
    for found in numbers[::7]:
        before = text[found.start() - 30 : found.start()]
        if re.search(r"format=[^]]*$|max width=[^}]*$|\\rule\S*$|p\{\d*$", before):
            continue
        digit = str((int(found[0][-1]) + 1) % 10)
        with pytest.raises(CheckFailed):
            shown.check(form, text[: found.end() - 1] + digit + text[found.end() :])
            pytest.fail(f"not noticed: {before}{found[0]}")


@pytest.mark.slow
@pytest.mark.debian("pdflatex", "pdftotext")
@pytest.mark.parametrize("page", [single, batched])
def test_the_latex_of_a_network_fits_on_its_lines(page: Callable[[], Page], tmp_path: Path) -> None:
    log, text = compile_latex(page()["tex"], tmp_path)
    assert not re.findall(r"^(?:Overfull.*|! .*|Missing character.*)$", log, re.MULTILINE)
    assert "In matrix form" in text


# --- names -------------------------------------------------------------------------------------------

REFUSED = {
    '"W1[3, 1]" = "w9"': ("there is no entry W1[3, 1]", "go up to 2, 2"),
    '"W1[1]" = "w9"': ("there is no entry W1[1]", "go up to 2, 2"),
    '"b1[1]" = "w9"': ("there is no entry b1[1]", "'b1' has no index"),
    '"w[1]" = "w9"': ("unknown name 'w'", "Known quantities"),
    '"W1" = "w9"': ("'W1' is not an entry of a quantity", "W[1, 2]"),
    '"W1[j, k]" = "w9"': ("'W1[j, k]' is not one entry", "whole number"),
    '"W1[1, 1]" = "w9"\n"W1[1, k]" = "v"': ("an entry of 'W1' has two names", ""),
    '"W1[1, 1]" = "w9"\n"W1[1, 2]" = "w_9"': ("looks like another", "another name"),
    '"W1[1, 1]" = "x1"': ("looks like another", "another name"),
    '"W1[1, 1]" = "b1"': ("looks like another", "another name"),
    '"W1[1, 1]" = "lambda"': ("'lambda' is a word of Python", ""),
    '"W1[1, 1]" = "2w"': ("names", ""),
    '"W1[1,, 1]" = "w9"': ("expected", ""),
}


@pytest.mark.parametrize("names", REFUSED)
def test_a_name_that_cannot_be_is_refused_in_its_place(names: str) -> None:
    message, hint = REFUSED[names]
    with pytest.raises(SpecError) as fault:
        derivations.build(spec(names=names))
    assert message in str(fault.value)
    assert hint in str(fault.value)
    assert fault.value.line


# --- parts, steps, detail --------------------------------------------------------------------------------


def headings(page: Page) -> list[str]:
    return re.findall(r"^## (.*)$", page["md"], re.MULTILINE)


@pytest.mark.slow
def test_the_steps_that_are_asked_for() -> None:
    many = SINGLE.rstrip() + "\nepochs = 40\n"
    assert [h for h in headings(build(spec(many, "steps = [1, 2, 40]"))) if "Step" in h] == [
        "Step 1",
        "Step 2",
        "Step 40",
    ]
    first = build(spec(many, "steps = 2"))
    assert [h for h in headings(first) if "Step" in h] == ["Step 1", "Step 2", "Step 40"]
    assert first["md"].count("step 40: E = ") == 1
    with pytest.raises(SpecError, match="step 41 does not exist; there are 40"):
        derivations.build(spec(many, "steps = [1, 41]"))


def test_parts_are_shown_and_hidden() -> None:
    shown = build(spec(page='show = ["matrix", "steps"]'))
    assert headings(shown) == ["In matrix form", "Step 1"]
    assert shown.report.checks
    hidden = build(spec(page='hide = ["gradient", "program", "checks"]'))
    assert headings(hidden) == ["The problem", "The quantities", "In matrix form", "Step 1", "Summary"]
    for wrong in (
        'hide = ["steps"]\nshow = ["steps"]',
        'hide = ["stepz"]',
        'detail = "all"',
        "steps = 0",
        "steps = []",
    ):
        with pytest.raises(SpecError):
            derivations.build(spec(page=wrong))


@pytest.mark.slow
def test_detail_brief_and_full() -> None:
    brief, standard, full = (
        build(spec(BATCH, f'detail = "{word}"')) for word in ("brief", "standard", "full")
    )
    assert len(brief["md"]) < len(standard["md"]) < len(full["md"])
    assert "linear in" in standard["md"]
    assert "linear in" not in full["md"]
    assert "in full" not in brief["md"]
    assert "Sample 2 in full" in full["md"]
    assert "Sample 2 in full" not in standard["md"]
    assert (
        r"We get $h_1 \approx 0.593270$ and $h_2 \approx 0.596884$."
        in build(spec(page='detail = "brief"'))["md"]
    )


def about(name: str) -> Callable[[Block], bool]:
    """Whether a block is the chain of an entry of a quantity."""
    return lambda block: (
        isinstance(block, Display) and getattr(block.formula.sides[0].expr, "name", "") == name
    )


def heading(words: str) -> Callable[[Block], bool]:
    return lambda block: isinstance(block, Heading) and words in block.words[0]


LEFT_OUT: dict[str, tuple[Callable[[Block], bool], str]] = {
    "a chain": (about("o"), "o[3, 1] is missing below 'Mini-batch 2: sample 3'"),  # batch 1 has a table
    "a gradient": (about("dE/dW2"), "dE/dW2[1, 1] is missing below 'Mini-batch 1: samples 1 and 2'"),
    "an update": (about("W1"), "W1'[1, 1] is missing below 'Mini-batch 1: samples 1 and 2'"),
    "tables": (lambda b: isinstance(b, Table) and b.kind == "forward", "z1[2, 1] is missing below"),
    "a part": (heading("The quantities"), "its parts are not those"),
    "the matrix form": (heading("In matrix form"), "its parts are not those"),
    "a step": (heading("Mini-batch 2"), "its parts are not those"),
    "the program": (lambda b: isinstance(b, Listing), "the listings are not the program"),
}


@pytest.mark.slow
@pytest.mark.parametrize("what", LEFT_OUT)
def test_what_a_document_leaves_out_is_noticed(what: str) -> None:
    press = batched().press
    leave, said = LEFT_OUT[what]
    listings = (press.run.program, press.run.printed)
    assert not list(Gaps(press.document, press.run.trace, listings, has_matrices=True).faults())
    left = replace(press.document, blocks=tuple(b for b in press.document.blocks if not leave(b)))
    faults = list(Gaps(left, press.run.trace, listings, has_matrices=True).faults())
    assert any(said in fault for fault in faults), faults


# --- random networks --------------------------------------------------------------------------------------


@st.composite
def networks(draw: st.DrawFn) -> str:
    """Fully connected networks of random sizes, with samples in rows or without, in random detail."""
    sizes = draw(st.lists(st.integers(1, 4), min_size=2, max_size=3))
    samples = draw(st.integers(0, 3))
    row = "i, " if samples else ""
    letters, lines, parameters, last = "abcd", [], [], "x"
    number = st.integers(-9, 9).map(lambda n: n / 10)
    for layer, (size, before) in enumerate(zip(sizes[1:], sizes, strict=False), 1):
        j, k = letters[layer], letters[layer - 1]
        lines.append(f"z{layer}[{row}{j}] = sum(W{layer}[{j}, {k}]*{last}[{row}{k}], {k}) + b{layer}[{j}]")
        lines.append(
            f"h{layer}[{row}{j}] = {draw(st.sampled_from(['tanh', 'sigmoid', 'relu']))}(z{layer}[{row}{j}])"
        )
        last = f"h{layer}"
        rows = [[draw(number) for _ in range(before)] for _ in range(size)]
        parameters += [f"W{layer} = {rows}", f"b{layer} = {[draw(number) for _ in range(size)]}"]
    error = f"sum((y[{row}{j}] - {last}[{row}{j}])**2, {j})"
    lines.append(f"L = mean({error}, i)" if samples else f"L = {error}")
    shape = range(max(samples, 1))
    data = {"x": [[draw(number) for _ in range(sizes[0])] for _ in shape]}
    data["y"] = [[draw(number) for _ in range(sizes[-1])] for _ in shape]
    given_data = [f"{name} = {rows if samples else rows[0]}" for name, rows in data.items()]
    detail = draw(st.sampled_from(["brief", "standard", "full"]))
    parts = ['title = "random"', "[model]", "equations = '''", *lines, "'''", "[data]", *given_data]
    parts += ["[parameters]", *parameters, "[training]", 'optimizer = { name = "SGD", lr = 0.1 }']
    return "\n".join([*parts, f'[page]\ndetail = "{detail}"', ""])


@pytest.mark.slow
@given(networks())
@settings(max_examples=6)
def test_a_random_network_is_worked_audited_and_has_its_matrix_form(text: str) -> None:
    page = derivations.build(text, ("md", "tex"))
    forms = {form.equation.target.name for form in page.press.run.matrices}
    assert forms == {
        eq.target.name for eq in (*page.press.run.example.forward, *page.press.run.example.backward)
    }
