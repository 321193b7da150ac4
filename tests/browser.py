"""Chromium for tests: pages opened from files, axe-core, what is wider than the screen.

axe-core comes from npm: DERIVATIONS_AXE names axe.min.js, or it lies in node_modules of the checkout.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
OFF = ("quic", "gpu", "background-networking", "component-update", "sync")
ARGUMENTS = ["--no-sandbox", "--no-first-run", *(f"--disable-{what}" for what in OFF)]
REQUIRED = os.environ.get("DERIVATIONS_REQUIRE_DEBIAN") == "1"
BEYOND = """(inside) => {
  const wide = document.documentElement.clientWidth + 0.5, found = [];
  for (const one of document.querySelectorAll(inside)) {
    if (one.closest("caption, .skip")) continue;
    const box = one.getBoundingClientRect();
    if (box.width && (box.right > wide || box.left < -0.5))
      found.push(one.tagName + " " + one.textContent.trim().slice(0, 60));
  }
  if (document.scrollingElement.scrollWidth > innerWidth) found.push("the page scrolls sideways");
  return found;
}"""
OVERLAP = """() => {
  const found = [];
  for (const cell of document.querySelectorAll("th, td")) {
    const own = cell.getBoundingClientRect();
    for (const math of cell.querySelectorAll("math")) {
      const box = math.getBoundingClientRect();
      if (box.width && box.right > own.right + 1) found.push(cell.textContent.slice(0, 60));
    }
  }
  return found;
}"""


@contextmanager
def chromium() -> Iterator[Any]:
    """A browser."""
    sync = pytest.importorskip("playwright.sync_api")
    with sync.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        yield browser
        browser.close()


@contextmanager
def opened(browser: Any, file: Path, width: int = 1000, height: int = 900, **settings: Any) -> Iterator[Any]:
    """A page of a browser that shows a file; nothing may be asked of the network."""
    context = browser.new_context(viewport={"width": width, "height": height}, **settings)
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(file.as_uri())
    page.evaluate("document.fonts.ready")
    yield page
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    context.close()


@cache
def axe() -> str:
    """The source of axe-core."""
    named = os.environ.get("DERIVATIONS_AXE")
    found = Path(named) if named else ROOT / "node_modules" / "axe-core" / "axe.min.js"
    if not found.is_file():
        if REQUIRED:
            pytest.fail(f"axe-core is required here: {found}")
        pytest.skip("axe-core is missing: npm install axe-core")
    return found.read_text(encoding="utf-8")


def violations(page: Any) -> list[str]:
    """What axe-core finds fault with on a page."""
    page.evaluate(axe())
    found = page.evaluate("axe.run({resultTypes: ['violations']})")
    return [f"{one['id']}: {node['html'][:120]}" for one in found["violations"] for node in one["nodes"]]
