"""What an author may add to Typst: how a page is set, and words; nothing that reads, hides or draws.

The finished PDF is read glyph by glyph, so that what is said on it is known. What glyphs do not show, a line
through a number or white letters, and what reaches out of the page, may not stand in an author's source.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from derivations.formats.added import added, hold, names, without_templates
from derivations.formats.press import Press

REACHING = names("import include eval plugin read json csv toml yaml xml cbor bibliography image sys target")
HIDING = names(
    """hide place strike overline underline highlight line polygon curve path move rotate scale skew circle
    ellipse rect square cancel overlay white transparent aqua yellow lime silver state query locate
    metadata datetime numbering"""
)
WORD = re.compile(rf"(?<![\w.-])(?:{'|'.join((*REACHING, *HIDING))})(?![\w-])")
CODE = re.compile(r"[#(\[{:,=]\s*$|^\s*$")
STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
NOWHERE = "http://127.0.0.1:9"
PROXIES = [name for one in ("http_proxy", "https_proxy", "all_proxy") for name in (one, one.upper())]


def judged(lines: list[str]) -> Iterator[tuple[str, str]]:
    """What may not stand in an author's lines, as code: words in a text are not meant."""
    for line in lines:
        bare = STRING.sub('""', line)
        for found in WORD.finditer(bare):
            called = re.match(r'\s*[(\["]', bare[found.end() :])
            if called or CODE.search(bare[: found.start()]):
                yield found[0], f"'{found[0]}'"


def hold_typst(source: str, press: Press, write: Callable[[Press], str]) -> None:
    """Raise `CheckFailed` where an author's template adds what may not stand in a page."""
    if press.document.templates is not None:
        hold(added(source, write(without_templates(press))), press, judged)


@contextmanager
def offline() -> Iterator[None]:
    """Typst asks the network for packages; here it finds nobody who would pass it on."""
    before = {name: os.environ.get(name) for name in PROXIES}
    os.environ.update(dict.fromkeys(PROXIES, NOWHERE))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
