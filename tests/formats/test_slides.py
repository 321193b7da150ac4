"""The slides: read back, altered, and as a browser shows them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from derivations.formats.press import printer
from derivations.language.errors import CheckFailed
from derivations.numbers.systems import precision
from derivations.page import Page
from derivations.spec import gallery
from tests.browser import chromium, opened, violations
from tests.built import GALLERY, page

FEW = ["linear-regression", "lstm-step"]
LAYOUT = re.compile(
    r'--[npzix]:[\d.]+|tabindex="-1"|</?h\d|</?svg.*?>|width="[^"]*"|m\w+size="[^"]*"|<style>.*?</style>',
    re.DOTALL,
)
FILLED = """() => [...document.querySelectorAll("section")].map((slide) => {
  const own = slide.getBoundingClientRect();
  let low = 0, right = 0;
  for (const one of slide.querySelectorAll("*")) {
    const box = one.getBoundingClientRect();
    if (!box.width || one.closest("caption")) continue;
    low = Math.max(low, (box.bottom - own.top) / own.height);
    right = Math.max(right, (box.right - own.left) / own.width);
  }
  return [low, right];
})"""


def check(shown: Page, text: str) -> None:
    with precision(shown.trace.bits):
        printer("slides").check(text, shown.press)


@pytest.mark.few(5)
@pytest.mark.parametrize("name", GALLERY)
def test_slides_of_every_page(name: str) -> None:
    text = page(name)["slides"]
    assert text.count("<section") >= 8
    assert "\\" not in re.sub(r"<(style|script|pre).*?</\1>", "", text, flags=re.DOTALL)
    assert re.findall(r"https?://(?!www\.w3\.org/2000/svg)|url\((?!data:font/woff2)|\son\w+=", text) == []


def altered_numbers(text: str) -> Iterator[tuple[str, str]]:
    skip = [found.span() for found in LAYOUT.finditer(text)]
    start, end = text.index("<body>"), text.index("<script>")
    for number in re.finditer(r"\d+", text[start:end]):
        at = start + number.end() - 1
        if not any(low <= at < high for low, high in skip):
            digit = str((int(text[at]) + 1) % 10)
            yield text[at - 50 : at + 20], text[:at] + digit + text[at + 1 :]


@pytest.mark.slow
@pytest.mark.parametrize("every", [3, 7])
def test_altered_numbers_are_caught(every: int) -> None:
    shown = page("linear-regression")
    cases = list(altered_numbers(shown["slides"]))
    assert len(cases) > 400
    for around, altered in cases[::every]:
        with pytest.raises(CheckFailed):
            check(shown, altered)
            pytest.fail(f"not noticed: {around}")


SWAPS = {
    "a sign": ("<mo>−</mo>", "<mo>+</mo>"),
    "a word": ("increases", "decreases"),
    "a spoken name": ('aria-label="w becomes', 'aria-label="b becomes'),
    "a heading that is repeated": ('<h2 class="again">The problem', '<h2 class="again">The answer'),
    "what goes on, as something new": (" below", ""),
    "the script": ("let at = 0", "let at = 1"),
    "another script": ("</main>", "</main><script>1</script>"),
    "the policy": ("script-src 'sha256", "script-src 'unsafe-inline' 'sha256"),
    "a button": ('aria-label="Back"', 'aria-label="Forward"'),
    "words between slides": ("</section>", "</section>See page 7."),
    "words on a slide": ("<section", "<section>7</section><section"),
    "a picture": ('class="fig-plate"', 'class="fig-data"'),
}


@pytest.mark.parametrize("what", SWAPS)
def test_everything_else_that_is_altered_is_caught(what: str) -> None:
    shown = page("linear-regression")
    old, new = SWAPS[what]
    text = shown["slides"]
    assert old in text
    with pytest.raises(CheckFailed):
        check(shown, text.replace(old, new, 1))
        pytest.fail("not noticed")


# --- in a browser ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as found:
        yield found


@pytest.fixture
def file(tmp_path: Path) -> Any:
    def write(name: str) -> Path:
        path = tmp_path / f"{name}.slides.html"
        path.write_text(page(name)["slides"], encoding="utf-8")
        return path

    return write


ALL = [pytest.param(name, marks=[] if name in FEW else pytest.mark.slow) for name in gallery.names()]
in_browser = [pytest.mark.debian("chromium"), pytest.mark.xdist_group("browser")]


def marked(test: Any) -> Any:
    for mark in in_browser:
        test = mark(test)
    return test


@pytest.mark.few(1)
@marked
@pytest.mark.parametrize("name", ALL)
def test_nothing_overflows_a_slide(name: str, browser: Any, file: Any) -> None:
    with opened(browser, file(name), 1280, 720, java_script_enabled=False) as shown:
        filled = shown.evaluate(FILLED)
    assert max(low for low, _ in filled) <= 1
    assert max(right for _, right in filled) <= 0.99


@marked
def test_letters_are_large_enough_for_a_lecture_hall(browser: Any, file: Any) -> None:
    with opened(browser, file("linear-regression"), 1280, 720, java_script_enabled=False) as shown:
        sizes = shown.evaluate(
            "[...document.querySelectorAll('p:not(:last-child), td, th, .display math')]"
            ".map(one => parseFloat(getComputedStyle(one).fontSize))"
        )
    assert min(sizes) >= 24  # a thirtieth of the height


@pytest.mark.slow
@marked
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("live", [True, False])
@pytest.mark.parametrize("width", [1280, 360])
def test_axe_finds_nothing(width: int, live: bool, scheme: str, browser: Any, file: Any) -> None:
    with opened(browser, file("linear-regression"), width, 720, color_scheme=scheme) as shown:
        if not live:
            shown.evaluate("document.documentElement.classList.remove('live')")
        assert violations(shown) == []


@marked
def test_keys_clicks_and_buttons_turn_the_slides_step_by_step(browser: Any, file: Any) -> None:
    at = "[...document.querySelectorAll('section')].findIndex(one => one.offsetParent !== null)"
    hidden = (
        "[...document.querySelectorAll('section.now .step')]"
        ".filter(one => getComputedStyle(one).visibility == 'hidden').length"
    )
    with opened(browser, file("linear-regression"), 1280, 720) as shown:
        assert shown.evaluate(at) == 0
        shown.keyboard.press("ArrowRight")
        assert shown.evaluate(at) == 1
        steps = shown.evaluate(hidden)
        assert steps >= 2
        for left in range(steps - 1, -1, -1):
            shown.keyboard.press(" ")
            assert (shown.evaluate(at), shown.evaluate(hidden)) == (1, left)
        shown.mouse.click(900, 300)
        assert shown.evaluate(at) == 2
        shown.mouse.click(50, 300)
        assert (shown.evaluate(at), shown.evaluate(hidden)) == (1, 0)
        shown.click("#back")
        assert (shown.evaluate(at), shown.evaluate(hidden)) == (1, 1)
        shown.keyboard.press("End")
        last = shown.evaluate("document.querySelectorAll('section').length") - 1
        assert shown.evaluate(at) == last
        assert shown.evaluate("location.hash") == f"#{last + 1}"


@marked
def test_a_slide_is_a_sheet_of_paper_with_all_its_steps(browser: Any, file: Any) -> None:
    with opened(browser, file("linear-regression"), 1280, 720) as shown:
        slides = shown.evaluate("document.querySelectorAll('section').length")
        sheets = len(re.findall(rb"/Type /Page\b", shown.pdf(prefer_css_page_size=True)))
        assert sheets == slides
        shown.emulate_media(media="print")
        hidden = "one => getComputedStyle(one).visibility != 'visible' || !one.closest('main').offsetHeight"
        assert shown.evaluate(f"[...document.querySelectorAll('.step')].filter({hidden}).length") == 0
