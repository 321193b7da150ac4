"""QTI items played by a player that others made, in a browser: the marks and the feedback are the same.

The player takes QTI 3, which is QTI 2.1 with other names. It comes from npm: DERIVATIONS_QTI_PLAYER names the
folder with qti3-item-player and vue in it, or they lie in node_modules of the checkout.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from derivations.exercises.bank import Item
from tests.browser import REQUIRED, ROOT, chromium, opened
from tests.exercises.test_bank import LINEAR, LOGISTIC
from tests.exercises.test_qti21 import ADAM, DEEP, QTI, Made, package, right, worked_from, written

pytestmark = [pytest.mark.debian("chromium"), pytest.mark.slow, pytest.mark.xdist_group("browser")]
THREE = "{http://www.imsglobal.org/xsd/imsqtiasi_v3p0}"
XHTML = {"p", "h5", "table", "thead", "tbody", "tr", "th", "td", "code"}
SCRIPTS = "vue/dist/vue.min.js", "qti3-item-player/dist/qti3Player.umd.min.js"
STYLE = "qti3-item-player/dist/qti3Player.css"
MOUNT = """() => new Promise((done) => {
  const on = {
    notifyQti3PlayerReady: (player) => { window.player = player; done(); },
    notifyQti3ItemReady: () => { window.ready = true; },
    notifyQti3EndAttemptCompleted: (data) => { window.ended = data.state; },
  };
  new Vue({ render: (make) => make(qti3Player, { on }) }).$mount("#app");
})"""
LOAD = """(xml) => {
  window.ready = window.ended = null;
  const sessionControl = { max_attempts: 0, show_feedback: true, validate_responses: false };
  player.loadItemFromXml(xml, { guid: xml, status: "interacting", sessionControl });
}"""
COUNT = count()
SHOWN = """() => [...document.querySelectorAll(".qti3-player-modal.show .qti3-player-modal-body")]
  .map((one) => one.textContent)"""


def player() -> Path:
    """The folder of the player and of Vue."""
    found = Path(os.environ.get("DERIVATIONS_QTI_PLAYER") or ROOT / "node_modules")
    if not all((found / name).is_file() for name in (*SCRIPTS, STYLE)):
        if REQUIRED:
            pytest.fail(f"qti3-item-player is required here: {found}")
        pytest.skip("qti3-item-player is missing: npm install qti3-item-player vue@2")
    return found


def upgraded(element: Any) -> Any:
    """An element of QTI 2.1 as one of QTI 3."""
    name = etree.QName(element)
    if name.namespace != QTI[1:-1]:
        return element
    tag = name.localname if name.localname in XHTML else f"qti-{kebab(name.localname)}"
    attributes = {kebab(key): value for key, value in element.attrib.items()}
    found = etree.Element(f"{THREE}{tag}", attributes, {None: THREE[1:-1]})
    inside = etree.SubElement(found, f"{THREE}qti-content-body") if tag == "qti-modal-feedback" else found
    inside.text, found.tail = element.text, element.tail
    inside.extend(upgraded(child) for child in list(element))
    return found


def kebab(name: str) -> str:
    """``responseDeclaration`` is ``response-declaration`` in QTI 3."""
    return name if name.startswith("{") else re.sub(r"[A-Z]", lambda letter: f"-{letter[0].lower()}", name)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder = player()
    path = tmp_path_factory.mktemp("player") / "page.html"
    path.write_text('<!doctype html><meta charset="utf-8"><title>item</title><div id="app"></div>')
    with chromium() as browser, opened(browser, path) as shown:
        shown.add_style_tag(content=(folder / STYLE).read_text(encoding="utf-8"))
        for script in SCRIPTS:
            shown.add_script_tag(content=(folder / script).read_text(encoding="utf-8"))
        shown.evaluate(MOUNT)
        yield shown


def played(page: Any, made: Made, item: Item, given: dict[str, str]) -> tuple[dict[str, Any], list[str]]:
    """The outcomes of an attempt and the feedback that is seen."""
    root = etree.fromstring(etree.tostring(made.roots[item.key]))
    root.set("title", str(next(COUNT)))  # the player does not begin again with an item that it has
    page.evaluate(LOAD, etree.tostring(upgraded(root), encoding="unicode"))
    page.wait_for_function("window.ready")
    for place, answer in enumerate(item.answers):
        page.locator("input").nth(place).press_sequentially(given[answer.asked.key])
    page.evaluate("player.endAttempt('')")
    page.wait_for_function("window.ended")
    outcomes = page.evaluate("window.ended.outcomeVariables")
    return {each["identifier"]: each["value"] for each in outcomes}, page.evaluate(SHOWN)


def attempts(made: Made, item: Item) -> Iterator[dict[str, str]]:
    """What students hand in: all right; for each answer both ends of it, beyond, a slip, rubbish; carried."""
    yield right(item)
    for place, answer in enumerate(item.answers):
        key, reach, step = answer.asked.key, answer.accepted, 10.0 ** -(made.bank.places + 3)
        for number in sorted({float(reach.low), float(reach.high), float(reach.high) + step}):
            yield right(item) | {key: f"{number:.12f}"}
        for option in answer.wrong[place % 3 :: 12]:
            yield right(item) | {key: written(option.value, made.bank.places)}
        yield right(item) | {key: ("1,5", "x", "", "-")[place % 4]}
    yield from (worked_from(made, item, answer) for answer in item.answers[::3])


@pytest.mark.parametrize("text", [LINEAR, LOGISTIC, DEEP], ids=["exact", "rounded", "deep"])
def test_the_player_gives_the_marks_and_says_what_the_rehearsal_says(text: str, page: Any) -> None:
    made = package(text)
    assert sum(agreed(page, made, given) for given in attempts(made, made.items[0]))


def test_the_player_works_roots(page: Any) -> None:
    made = package(ADAM)
    item = made.items[0]
    assert sum(agreed(page, made, worked_from(made, item, answer)) for answer in item.answers[:2]) == 2


def agreed(page: Any, made: Made, given: dict[str, str]) -> bool:
    """Player and rehearsal have the same outcomes and feedback; whether an answer was carried forward."""
    wanted = made.played(made.items[0], given)
    outcomes, shown = played(page, made, made.items[0], given)
    for name, value in wanted.values.items():
        assert name.startswith("R") or outcomes[name] == value
    assert [plain(one) for one in shown] == [plain(one) for one in wanted.shown()]
    return "carried" in outcomes.values()


def plain(text: str) -> str:
    return " ".join(text.split())
