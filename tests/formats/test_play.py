"""Where one plays: the program of a page in JavaScript, run by node, against our own runs of the spec."""

from __future__ import annotations

import json
import math
import re
import subprocess
from fractions import Fraction
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from lxml import html

import derivations
from derivations.catalogue.functions import FUNCTIONS, Function
from derivations.document.symbols import symbols_of
from derivations.formats.play.javascript import called, decimal, members, quoted
from derivations.formats.play.program import functions_of, program_of
from derivations.formats.play.write import left_out, script
from derivations.formats.render import templates_folder
from derivations.language.errors import ArithmeticFault, CheckFailed
from derivations.language.tree import Call, number
from derivations.model.example import prepare
from derivations.numbers.float64 import FLOAT64, enclose
from derivations.numbers.systems import EXACT, ball, precision
from derivations.numbers.walker import NOWHERE, evaluated
from derivations.run.training import Step, Trace, certified, train
from derivations.spec import gallery
from derivations.spec.spec import parse_spec, read_spec
from tests.built import GALLERY, page

node = pytest.mark.debian("node")
ASKED = """
for (const change of changes) {
  const settings = given(program);
  Object.assign(settings.hyper, change.hyper || {});
  Object.assign(settings.start, change.start || {});
  Object.assign(settings.data, change.data || {});
  if (change.size) settings.size = change.size;
  if (change.epochs) settings.epochs = change.epochs;
  const values = (arrays) => [...arrays].flatMap(([name, own]) =>
    [...own].map(([at, value]) => [name, numbers(at), Number.isFinite(value) ? value : String(value)]));
  console.log(JSON.stringify(train(program, settings).map(({ samples, r }) => [samples, values(r.arrays)])));
}
"""


@cache
def trace(name: str) -> Trace:
    example = prepare(*read_spec(gallery.find(name)))
    return certified(lambda bits: train(example, bits))


def code(run: Trace) -> str:
    """The part of a page's script that computes."""
    runtime = (templates_folder() / "html" / "run.js").read_text(encoding="utf-8")
    pieces = program_of(run, symbols_of(run.example), "en")
    functions = members(functions_of(run.example))
    return f"{runtime}\nObject.assign(f, {functions});\nconst program = {members(pieces)};\n"


def played(run: Trace, folder: Path, *changes: dict[str, Any]) -> list[list[Any]]:
    """Samples and values of every step, as node works them, for each change of the settings."""
    file = folder / "play.js"
    file.write_text(f"{code(run)}const changes = {json.dumps(changes)};{ASKED}", encoding="utf-8")
    done = subprocess.run(["node", file], capture_output=True, text=True, timeout=120)
    assert not done.returncode, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def assert_same(step: Step, played_step: Any, loose: float = 1e-9) -> None:
    """Every value of a step, relative to its size; what is 0 in ours may be tiny."""
    samples, values = played_step
    assert tuple(samples) == step.samples
    found = {(name, tuple(at)): value for name, at, value in values}
    assert set(found) == set(step.layout.tape.slots)
    for entry, slot in step.layout.tape.slots.items():
        wanted = float(ball(step.memory[slot]).mid())
        assert math.isclose(found[entry], wanted, rel_tol=loose, abs_tol=1e-12), (entry, wanted)


@pytest.mark.few(5)
@node
@pytest.mark.parametrize("name", GALLERY)
def test_every_value_of_every_step(name: str, tmp_path: Path) -> None:
    run = trace(name)
    (steps,) = played(run, tmp_path, {})
    for step, own in zip(run.steps, steps, strict=True):
        assert_same(step, own)


@node
@pytest.mark.parametrize(
    "name", ["linear-regression", "two-hidden-layers", "optimizer-adam", "softmax-regression"]
)
def test_the_first_step_is_within_what_float64_allows(name: str, tmp_path: Path) -> None:
    """The enclosure of any float64 evaluation, which knows how much a formula may lose."""
    run = trace(name)
    (steps,) = played(run, tmp_path, {})
    tape = run.steps[0].layout.tape
    given = [enclose(run.steps[0].memory[slot]) for slot in range(len(tape.inputs))]
    allowed = tape.bind(FLOAT64)(given)
    found = {(entry, tuple(at)): value for entry, at, value in steps[0][1]}
    for entry, slot in tape.slots.items():
        assert allowed[slot].settled().overlaps(ball_of(found[entry])), entry


def ball_of(value: float) -> Any:
    from flint import arb

    return arb(value)


# --- other numbers ---------------------------------------------------------------------------------------


def retold(name: str, new: dict[str, str]) -> Trace:
    """Our own run of a spec of the gallery in which other text stands."""
    text = gallery.find(name).read_text(encoding="utf-8")
    for old, replacement in new.items():
        assert old in text
        text = text.replace(old, replacement)
    example = prepare(*parse_spec(text))
    return certified(lambda bits: train(example, bits))


CHANGES = """
linear-regression | lr = 0.01 > lr = 0.03 | epochs = 1 > epochs = 4 | {"hyper": {"lr": 0.03}, "epochs": 4}
linear-regression | batch_size = 2 > batch_size = 4 | {"size": 4}
linear-regression | batch_size = 2 > batch_size = 1 | {"size": 1}
linear-regression | w = 0.5 > w = -2.25 | {"start": {"w": [-2.25]}}
linear-regression | 2*x > 3*x | {"data": {"y": [13, 16, 19, 22, 25, 28]}}
logistic-regression | batch_size = 3 > batch_size = 4 | {"size": 4}
optimizer-adam | lr = 0.1 > lr = 0.3, beta1 = 0.5 | {"hyper": {"lr": 0.3, "beta1": 0.5}}
optimizer-adam | w2 = 1 > w2 = -0.5 | epochs = 3 > epochs = 7 | {"start": {"w2": [-0.5]}, "epochs": 7}
optimizer-nesterov-look-ahead | momentum = 0.9 > momentum = 0.5 | {"hyper": {"mu": 0.5}}
optimizer-asgd | lr = 0.1 > lr = 0.05 | {"hyper": {"lr": 0.05}}
two-two-two-network | lr = 1 > lr = 0.25 | c = [-0.2 > c = [0.3 | {"hyper": {"lr": 0.25}, "start": {"c": [0.3, 0.4]}}
rnn-two-steps | u = -0.3 > u = 0.8 | h_start = 0 > h_start = 0.5 | {"start": {"u": [0.8]}, "data": {"h_start": [0.5]}}
softmax-regression | lr = 0.5 > lr = 2 | {"hyper": {"lr": 2}}
softmax-regression | lr = 0.5 } > lr = 0.5 }; batch_size = 2; epochs = 2 | {"size": 2, "epochs": 2}
word-embedding | lr = 1 } > lr = 1 }; batch_size = 2; epochs = 2 | {"size": 2, "epochs": 2}
max-pooling | lr = 0.1 } > lr = 0.1 }; batch_size = 1; epochs = 2 | {"size": 1, "epochs": 2}
batch-norm | lr = 0.5 } > lr = 0.5 }; batch_size = 3; epochs = 2 | {"size": 3, "epochs": 2}
gradient-clipping | norm = 5 > norm = 20 | batch_size = 1 > batch_size = 2 | {"hyper": {"clip": 20}, "size": 2}
learning-rate-schedule | gamma = 0.5 > gamma = 0.25 | epochs = 4 > epochs = 6 | {"hyper": {"gamma": 0.25}, "epochs": 6}
""".strip().splitlines()  # noqa: E501


@pytest.mark.few(6)
@node
@pytest.mark.parametrize("case", CHANGES)
def test_other_numbers_are_those_of_our_own_run(case: str, tmp_path: Path) -> None:
    """The script of the page as it is in the gallery, changed, against a spec that says so."""
    name, *text, change = case.split(" | ")
    wanted = retold(name, dict(pair.replace("; ", "\n").split(" > ") for pair in text))
    (steps,) = played(trace(name), tmp_path, json.loads(change))
    for step, own in zip(wanted.steps, steps, strict=True):
        assert_same(step, own)


SHUFFLED = """title = "Shuffled"
[model]
equations = \"\"\"
e[i] = w*x[i] - y[i]
L = mean(e[i]**2, i)
\"\"\"
[data]
x = [1, 2, 3, 4, 5]
y = [2, 3, 5, 7, 11]
[parameters]
w = 0.5
[training]
optimizer = { name = "Adagrad", lr = 0.5, initial_accumulator_value = 0.25 }
shuffle = 7
batch_size = SIZE
epochs = 3
"""


@node
def test_shuffled_samples_keep_their_order_in_batches_of_another_size(tmp_path: Path) -> None:
    examples = [prepare(*parse_spec(SHUFFLED.replace("SIZE", size))) for size in "23"]
    runs = [train(example) for example in examples]
    for steps, run in zip(played(runs[0], tmp_path, {}, {"size": 3}), runs, strict=True):
        for step, own in zip(run.steps, steps, strict=True):
            assert_same(step, own)


@node
def test_a_run_that_diverges_ends_with_infinities_and_not_with_a_fault(tmp_path: Path) -> None:
    (steps,) = played(trace("linear-regression"), tmp_path, {"hyper": {"lr": 1e60}, "epochs": 20})
    assert len(steps) == 60
    last = {value for _, _, value in steps[-1][1]}
    assert last & {"Infinity", "-Infinity", "NaN"}


# --- the finished page ------------------------------------------------------------------------------------


def test_a_string_in_the_script_cannot_end_it() -> None:
    hostile = "</script><!-- \u2028 ` ${1} \\ \" ' &amp;"
    assert json.loads(quoted(hostile)) == hostile
    assert not re.search(r"</|<!|<script|[^ -~]", quoted(hostile))


HOSTILE = """title = "</script><script>alert(1)</script>`${alert(2)}` \\\\ <!--"
[model]
equations = \"\"\"
constructor[i] = __NAME__*var[i]
L = mean(constructor[i]**2, i)
\"\"\"
[data]
var = [1, 2]
[parameters]
__NAME__ = 0.5
[training]
optimizer = { name = "SGD", lr = 0.1 }
"""


@pytest.mark.few(3)
@node
@pytest.mark.parametrize("name", ["hasOwnProperty", "alert", "f", "r", "toString", "program"])
def test_names_of_javascript_are_only_names(name: str, tmp_path: Path) -> None:
    found = derivations.build(HOSTILE.replace("__NAME__", name), ("html",))
    (script,) = html.document_fromstring(found["html"]).iter("script")
    assert "alert(1)" not in script.text
    assert "alert(2)" not in script.text
    (steps,) = played(found.trace, tmp_path, {})
    assert_same(found.trace.steps[0], steps[0])


def test_without_javascript_there_is_nothing_of_it() -> None:
    shown = html.document_fromstring(page("linear-regression")["html"])
    (script,) = shown.iter("script")
    assert script.getparent().tag == "body"
    assert not list(shown.iter("button", "form", "template"))
    assert "Try it out" not in "".join(shown.find("body/main").itertext())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("eq.value(r, ...letters)", "eq.value(r, ...letters) + 1"),
        ("lr:", "lr :"),
        ('"use strict";', ""),
        ("</script>", "</script>\n<script>1</script>"),
        ("<script>", '<script type="module">'),
        ("script-src 'sha256", "script-src 'unsafe-inline' 'sha256"),
    ],
)
def test_another_script_is_noticed(old: str, new: str) -> None:
    shown = page("linear-regression")
    text = shown["html"]
    old = old if old in text else '"lr":'
    with pytest.raises(CheckFailed):
        shown.check("html", text.replace(old, new, 1))


@pytest.mark.few(2)
@pytest.mark.parametrize("name", GALLERY)
def test_every_page_of_the_gallery_has_it(name: str) -> None:
    text = page(name)["html"]
    carried = trace(name).example.spec.training.carry is not None
    assert ("<script>" in text) is not carried


def test_a_page_may_leave_it_out() -> None:
    text = gallery.find("optimizer-sgd").read_text(encoding="utf-8")
    text = text.replace("[page]", "[page]\ninteractive = false")
    assert "<script" not in derivations.build(text, ("html",))["html"]
    assert "script-src" not in derivations.build(text, ("html",))["html"]


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("[page]", "[page]\ninteractive = false", "the spec does not want it"),
        ("[training]", "[training]\ncarry = 3", "a browser does not round as a calculator does"),
        ("epochs = 2", "epochs = 201", "the run has 201 steps, and 200 can be played"),
        ("epochs = 2", "epochs = 2", ""),
    ],
)
def test_it_says_why_it_is_left_out(old: str, new: str, reason: str) -> None:
    text = PLAYED.replace(old, new)
    assert text != PLAYED or not reason
    press = derivations.build(text, ("json",)).press
    assert left_out(press) == reason
    assert bool(script(press)) is not bool(reason)


def test_a_fault_of_our_own_does_not_leave_it_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise KeyError("ours")

    press = page("linear-regression").press
    monkeypatch.setattr("derivations.formats.play.program._fixed", broken)
    with pytest.raises(KeyError, match="ours"):
        script(press)


PLAYED = """
title = "Played"
[model]
equations = '''
L = (w - a)**2
'''
[data]
a = 3
[parameters]
w = 1
[training]
optimizer = { name = "SGD", lr = 0.1 }
epochs = 2
[page]
steps = 1
"""


# --- functions --------------------------------------------------------------------------------------------

POINTS = (Fraction(-5, 2), Fraction(-1, 3), Fraction(0), Fraction(1, 4), Fraction(1), Fraction(17, 8))


@node
def test_every_function_of_the_catalogue(tmp_path: Path) -> None:
    """At a few places, against the exact arithmetic; those that JavaScript lacks come from formulas."""
    rows = [row for row in FUNCTIONS if not row.over]
    calls = [(row, at) for row in rows for at in product(POINTS, repeat=len(row.arguments))]
    calls = [(row, at) for row, at in calls if not row.domain or at[0] > 0]
    calls = [call for call in calls if value_of(*call) is not None]
    shown = called(Call(row.name, tuple(map(number, at))) for row, at in calls)
    asked = ", ".join(f"f.{row.name}({', '.join(map(decimal, at))})" for row, at in calls)
    file = tmp_path / "functions.js"
    runtime = (templates_folder() / "html" / "run.js").read_text(encoding="utf-8")
    file.write_text(
        f"{runtime}\nObject.assign(f, {members(shown)});\nconsole.log(JSON.stringify([{asked}]));",
        encoding="utf-8",
    )
    done = subprocess.run(["node", file], capture_output=True, text=True, timeout=60)
    assert not done.returncode, done.stderr
    for (row, at), found in zip(calls, json.loads(done.stdout), strict=True):
        assert math.isclose(found, value_of(row, at), rel_tol=1e-12, abs_tol=1e-14), (row.name, at)


def value_of(row: Function, at: tuple[Fraction, ...]) -> float | None:
    """The exact value of a call; None where there is none."""
    call = Call(row.name, tuple(map(number, at)))
    try:
        with precision(128):
            return float(ball(evaluated(call, NOWHERE, EXACT)).mid())
    except ArithmeticFault:
        return None


@node
def test_the_number_of_a_sample_is_that_of_the_data_set(tmp_path: Path) -> None:
    equations = "yhat[i] = w*i + b*same(i, 3)\nL = mean((yhat[i] - y[i])**2, i)"
    spec, source = parse_spec(
        f'title = "Numbers"\n[model]\nequations = """\n{equations}\n"""\n[data]\ny = [1, 2, 3, 4]\n'
        "[parameters]\nw = 0.5\nb = 1\n[training]\nbatches = [[4, 1], [3]]\n"
        'optimizer = { name = "SGD", lr = 0.1 }\n'
    )
    run = train(prepare(spec, source))
    for step, theirs in zip(run.steps, played(run, tmp_path, {})[0], strict=True):
        assert_same(step, theirs)
