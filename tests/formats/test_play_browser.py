"""Where one plays, in chromium: buttons, inputs, and what follows them; the page without JavaScript."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import derivations
from derivations.model.example import prepare
from derivations.numbers.systems import ball
from derivations.run.training import Trace, train
from derivations.spec import gallery
from derivations.spec.spec import parse_spec
from tests.browser import BEYOND, chromium, opened, violations
from tests.built import page

pytestmark = [pytest.mark.debian("chromium"), pytest.mark.xdist_group("browser")]
FEW = ["linear-regression"]
WIDE = [
    "linear-regression",
    *(pytest.param(name, marks=pytest.mark.slow) for name in ("lstm-step", "optimizer-adam", "max-pooling")),
]
ALL = [pytest.param(name, marks=[] if name in FEW else pytest.mark.slow) for name in gallery.names()]
ROWS = """() => Object.fromEntries([...document.querySelectorAll('#play .values tr:not(.part)')].map(row =>
  [row.cells[0].textContent, [...row.querySelectorAll('.chip math')].map(one => one.textContent)]))"""
STEPS = """() => {
  const { program, given, train } = derivations;
  return train(program, given(program)).map(({ r }) =>
    [...r.arrays].flatMap(([name, own]) => [...own].map(([at, value]) => [name, at, value])));
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as found:
        yield found


@pytest.fixture
def played(browser: Any, tmp_path: Path) -> Any:
    """Opens a page; a fault of the script fails the test."""

    @contextmanager
    def start(name: str, width: int = 1000, text: str = "", **settings: Any) -> Iterator[Any]:
        path = tmp_path / f"{name}.html"
        path.write_text(text or page(name)["html"], encoding="utf-8")
        with opened(browser, path, width, **settings) as shown:
            faults: list[str] = []
            shown.on("pageerror", lambda fault: faults.append(str(fault)))
            yield shown
            assert faults == []

    return start


def said(texts: list[str]) -> list[float]:
    """The numbers behind the last relation signs."""
    found = [re.split("[=≈]", text)[-1].replace("−", "-") for text in texts]
    return [float(re.sub(r"·10(-?\d+)", r"e\1", text)) for text in found]


def lr(text: str) -> str:
    return gallery.find("linear-regression").read_text(encoding="utf-8").replace("lr = 0.01", f"lr = {text}")


def run(text: str) -> Trace:
    return train(prepare(*parse_spec(text)))


@pytest.mark.slow
@pytest.mark.parametrize("name", ALL)
def test_every_value_of_every_step(name: str, played: Any) -> None:
    if page(name).trace.carried:  # a calculator's rounding is not played with
        assert "<script>" not in page(name)["html"]
        return
    with played(name) as shown:
        steps = shown.evaluate(STEPS)
        assert len(steps) == len(page(name).trace.steps)
        for own, step in zip(steps, page(name).trace.steps, strict=True):
            assert len(own) == len(step.layout.tape.slots)
            for entry, at, value in own:
                slot = step.layout.tape.slots[entry, tuple(map(int, at.split(","))) if at else ()]
                wanted = float(ball(step.memory[slot]).mid())
                assert math.isclose(value, wanted, rel_tol=1e-9, abs_tol=1e-12), (entry, at)
        while shown.is_enabled("#play-next"):  # every formula can be shown
            shown.click("#play-next")
            assert shown.locator("#play .now math").count() > 1
            assert "undefined" not in shown.inner_text("#play")
            assert "NaN" not in shown.inner_text("#play")


@pytest.mark.slow
def test_tables_chains_graph_and_pictures_follow_the_learning_rate(played: Any) -> None:
    with played("linear-regression") as shown:
        before = shown.evaluate(ROWS)
        assert said(before["L"]) == [127.125]
        assert said(before["w′"]) == [0.845]
        assert shown.locator("#play .mark").count() == 5
        curve = "document.querySelector('#play .plot .curve').getAttribute('d')"
        old = shown.evaluate(curve)
        shown.fill("#play-lr", "0.1")
        wanted = run(lr("0.1"))
        assert said(shown.evaluate(ROWS)["w′"]) == [float(wanted.steps[0]["w'"])] == [3.95]
        assert (
            shown.locator("#play .mark").count() == 3
        )  # the loss and the gradients of the first step are as before
        assert shown.evaluate(curve) != old
        shown.click("#play-after")
        assert said(shown.evaluate(ROWS)["L"]) == pytest.approx([float(wanted.steps[1]["L"])], abs=1e-6)
        assert "x3=3" in shown.evaluate(ROWS)["x"]
        shown.click("#play-next")
        text = shown.inner_text("#play .now").replace("\n", "").replace(" ", "")
        assert "127" not in text
        assert f"{float(wanted.steps[1]['L']):.3f}"[:-1] in text
        shown.click("#play-reset")
        assert shown.evaluate(ROWS) == before


@pytest.mark.slow
def test_the_slider_moves_the_learning_rate(played: Any) -> None:
    with played("linear-regression") as shown:
        shown.focus("#play-slide")
        for _ in range(50):
            shown.keyboard.press("ArrowRight")
        assert shown.input_value("#play-lr") == "0.1"
        assert shown.get_attribute("#play-slide", "aria-valuetext") == "0.1"
        assert said(shown.evaluate(ROWS)["w′"]) == [3.95]


@pytest.mark.slow
def test_batch_size_epochs_start_values_and_data(played: Any) -> None:
    with played("linear-regression") as shown:
        shown.fill("#play-size", "3")
        shown.fill("#play-epochs", "2")
        assert "of 4" in shown.inner_text("#play-where")
        assert "1, 2, 3" in shown.inner_text("#play-where")
        shown.locator("#play fieldset:nth-of-type(2) input").first.fill("2")
        shown.locator("#play summary").click()
        shown.locator("#play details input").first.fill("1.5")
        rows = shown.evaluate(ROWS)
        assert said(rows["w"]) == [2]
        assert said(rows["x"])[0] == 1.5
        assert (
            said(
                rows["ŷi" if "ŷi" in rows else next(r for r in rows if len(rows[r]) == 3 and r not in "xy")]
            )[0]
            == 4
        )


@pytest.mark.few(1)
@pytest.mark.parametrize(
    ("field", "text", "fault"),
    [
        ("#play-lr", "fast", "“fast” is not a number."),
        ("#play-lr", "", "is not a number."),
        ("#play-lr", "1e999", "is not a number."),
        ("#play-lr", "1e200", "too large"),
        ("#play-size", "0", "whole number from 1 to 6"),
        ("#play-size", "2.5", "whole number from 1 to 6"),
        ("#play-epochs", "1000", "whole number from 1 to"),
        ("#play-lr", "<img src=x onerror=alert(1)>", "“<img src=x onerror=alert(1)>” is not a number."),
    ],
)
def test_what_is_no_number_is_said(field: str, text: str, fault: str, played: Any) -> None:
    with played("linear-regression") as shown:
        before = shown.evaluate(ROWS)
        shown.fill(field, text)
        assert fault in shown.inner_text("#play-fault")
        assert shown.get_attribute(field, "aria-invalid") == "true"
        assert shown.evaluate(ROWS) == before
        shown.fill(field, "1")
        assert shown.inner_text("#play-fault") == ""
        assert shown.get_attribute(field, "aria-invalid") == "false"


@pytest.mark.slow
def test_the_graph_shows_what_is_being_computed(played: Any) -> None:
    boxes = "[...document.querySelectorAll('#play .graph rect:not(.fig-plate)')]"
    lit = f"{boxes}.findIndex(one => one.matches('.lit'))"
    with played("linear-regression") as shown:
        seen = []
        while True:
            node = shown.evaluate(f"derivations.program.nodes[{lit}]")
            back = shown.locator("#play .graph .lit.back").count() == 1
            seen.append((node, back, shown.locator("#play tr.on").count()))
            if len(seen) == 7:
                break
            shown.click("#play-next")
        forward = [("yhat", False, 1), ("L", False, 1)]
        backward = [("yhat", True, 1), ("w", True, 1), ("b", True, 1)]
        assert seen == [*forward, *backward, ("w", False, 1), ("b", False, 1)]
        assert "−34.5" in shown.locator("#play .graph").text_content()
        shown.click("#play-next")
        assert "Step 2 of 3" in shown.inner_text("#play-where")
        shown.click("#play-back")
        assert "Step 1 of 3" in shown.inner_text("#play-where")


@pytest.mark.slow
def test_the_arrows_of_the_graph_say_what_comes_back_on_them(played: Any) -> None:
    """Nothing before it is worked; then the numbers of our own run with the changed learning rate."""
    labels = "[...document.querySelectorAll('#play .graph .fig-contribution')].map(one => one.textContent)"
    with played("linear-regression") as shown:
        shown.fill("#play-lr", "0.03")
        shown.click("#play-after")
        assert shown.evaluate(labels) == ["", "", ""]
        for _ in range(4):  # L, dL/dyhat, dL/dw, dL/db
            shown.click("#play-next")
        step = run(lr("0.03")).steps[1]
        on = dict(
            zip(
                shown.evaluate("derivations.program.edges.map(one => one.start)"),
                shown.evaluate(labels),
                strict=True,
            )
        )
        for name in ("w", "b"):
            assert said([on[name]]) == pytest.approx([float(step[f"dL/d{name}"])], rel=1e-3)
        pair = on["yhat"].lstrip("≈ ").strip("()").split(", ")
        assert said(pair) == pytest.approx([float(step[f"dL/dyhat[{k}]"]) for k in (3, 4)], rel=1e-3)
        assert shown.locator("#play .graph .bright").text_content() == on["b"]


@pytest.mark.slow
def test_a_run_that_diverges_says_so(played: Any) -> None:
    with played("linear-regression") as shown:
        shown.fill("#play-lr", "1e90")
        shown.fill("#play-epochs", "10")
        while shown.is_enabled("#play-after"):
            shown.click("#play-after")
        assert "diverges" in shown.inner_text("#play-where")
        assert re.search("∞|not a number", shown.inner_text("#play .values"))


def test_the_keyboard_is_enough(played: Any) -> None:
    with played("linear-regression") as shown:
        shown.focus("#play-lr")
        shown.keyboard.press("ControlOrMeta+a")
        shown.keyboard.type("0.02")
        for _ in range(20):
            shown.keyboard.press("Tab")
            if shown.evaluate("document.activeElement.id") == "play-next":
                break
        shown.keyboard.press("Enter")
        assert shown.evaluate("document.activeElement.id") == "play-next"
        assert "127.125" in shown.inner_text("#play .now")


def test_without_javascript_the_page_is_as_it_was(played: Any) -> None:
    """With it, the page holds what it holds without it and, in one more section, where one plays."""
    text = "[...document.querySelectorAll('main > :not(#play):not(nav)')].map(one => one.textContent).join()"
    seen = {}
    for on in (True, False):
        with played("linear-regression", java_script_enabled=on) as shown:
            assert shown.locator("#play, button, .to-play").count() == (7 if on else 0)
            seen[on] = shown.evaluate(text)
    assert seen[True] == seen[False]
    assert "127.125" in seen[False]
    assert "Try it out" not in seen[False]


@pytest.mark.slow
@pytest.mark.parametrize("name", WIDE)
def test_nothing_is_beyond_the_edge_of_a_screen(name: str, played: Any) -> None:
    beyond = "the page scrolls sideways"
    for width in (360, 700, 1400):
        with played(name, width) as shown:
            for _ in range(8):
                assert [one for one in shown.evaluate(BEYOND, "#play, #play *") if one != beyond] == [], width
                if shown.is_enabled("#play-next"):
                    shown.click("#play-next")
            wide = shown.evaluate("document.scrollingElement.scrollWidth")
            shown.evaluate("document.querySelector('#play').hidden = true")
            assert shown.evaluate("document.scrollingElement.scrollWidth") == wide


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1000])
def test_axe_finds_nothing(width: int, scheme: str, played: Any) -> None:
    with played("linear-regression", width, color_scheme=scheme) as shown:
        shown.click("#play-next")
        assert violations(shown) == []
        shown.locator("#play summary").click()
        shown.fill("#play-lr", "no")
        assert violations(shown) == []


def test_who_wants_no_motion_gets_none_and_paper_has_no_buttons(played: Any) -> None:
    with played("linear-regression", reduced_motion="reduce") as shown:
        style = "getComputedStyle(document.querySelector('#play .graph rect')).transitionDuration"
        assert shown.evaluate(style) == "0s"
        shown.emulate_media(media="print")
        assert not shown.is_visible("#play")


@pytest.mark.slow
def test_the_words_and_marks_are_those_of_the_language(played: Any) -> None:
    text = gallery.find("linear-regression").read_text(encoding="utf-8") + '\n[page]\nlanguage = "de"\n'
    with played("german", text=derivations.build(text, ("html",))["html"]) as shown:
        assert "Lernrate" in shown.inner_text("#play")
        assert shown.input_value("#play-lr") == "0,01"
        assert "127,125" in shown.inner_text("#play .values")
        shown.fill("#play-lr", "0,1")
        assert "3,95" in shown.inner_text("#play .values")


HOSTILE = """title = "</script><script>document.title = 1</script>"
[model]
equations = \"\"\"
constructor[i] = toString*alert[i]
L = mean((constructor[i] - 1)**2, i)
\"\"\"
[data]
alert = [1, 2]
[parameters]
toString = 0.5
[training]
optimizer = { name = "SGD", lr = 0.1 }
"""


def test_hostile_names_and_titles_stay_text(played: Any) -> None:
    with played("hostile", text=derivations.build(HOSTILE, ("html",))["html"]) as shown:
        assert "script" in shown.title()
        assert shown.locator("script").count() == 1
        for _ in range(4):
            shown.click("#play-next")
        assert said(shown.evaluate(ROWS)["toString′"]) == [0.55]
