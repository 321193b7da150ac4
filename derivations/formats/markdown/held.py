"""What an author may add to Markdown: words, plain marks and links; no markup that runs, loads or includes.

Front matter may say a few things about a page, and nothing that makes a tool run code or include files.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator

from derivations.formats.added import added, hold, names, without_templates
from derivations.formats.press import Press

TAGS = names("details summary br hr sub sup kbd b i em strong u p div span center small")
TAG = re.compile(r"<\s*[/!?A-Za-z][^>]*>?")
PLAIN_TAG = re.compile(rf"</?(?:{'|'.join(TAGS)})\s*/?>|<!--[^<>{{}}]*-->|<https?://[^\s<>]*>")
LINK = re.compile(r"\]\(\s*<?([^\s)>]*)|^\s*\[[^\]]*\]:\s*<?(\S+)")
ADDRESS = re.compile(r"(?:https?://|mailto:|#)\S*|(?!/|\.\.)[^:\\]*")
BOXES = [
    "note",
    "tip",
    "important",
    "warning",
    "caution",
    "seealso",
    "hint",
    "attention",
    "admonition",
    "callout-note",
    "callout-tip",
]
BOX = re.compile(rf":{{3,}}\s*(?:\{{\.?(?:{'|'.join(BOXES)})\}}[^{{}}]*)?")
ROLES = names("ref doc term abbr eq numref cite sub sup")
RUNS = re.compile(rf"\{{\{{|\{{%|`\s*r\s|`\{{|(?<!\\)\{{(?!(?:{'|'.join(ROLES)})\}}`)[\w.+:-]+\}}`")
KEYS = names(
    """title subtitle author authors lang date description abstract keywords categories tags toc toc-depth
    toc-title number-sections license copyright draft permalink nav_order parent layout weight slug"""
)
ENTRY = re.compile(r"([\w-]+):(?:\s+(.*))?")
VALUE = re.compile(
    r"""(?!.*:\s)[^\s{}|>!&*?%@`"'\[\]<#-][^{}<>`#]*|"[^"\\<>]*"|'[^'<>]*'|\[[^\[\]{}<>]*\]|\d+"""
)


FENCES = ("---", "...")


def judged(lines: list[str]) -> Iterator[tuple[str, str]]:
    """What may not stand in an author's lines. Front matter may stand anywhere, for some tools read it so."""
    inside = False
    for at, line in enumerate(lines):
        follows = lines[at + 1] if at + 1 < len(lines) else ""
        if line.strip() in FENCES:
            inside = not inside and bool(ENTRY.match(follows.strip()))
        elif inside:
            if fault := _entry(line):
                yield line, fault
        else:
            yield from _line(line)


def _entry(line: str) -> str:
    found = ENTRY.fullmatch(line.rstrip())
    item = re.fullmatch(r"\s*-\s+(.*)", line.rstrip())
    value = (item[1] if item else found[2] or "" if found else line).strip()
    if not line.strip() or (value and not VALUE.fullmatch(value)) or not (found or item):
        return f"'{line.strip()[:60]}' in the front matter, which may be plain lines of 'key: words',"
    if found and found[1] not in KEYS:
        return f"'{found[1]}' in the front matter, which is none of {', '.join(KEYS)},"
    return ""


def _line(line: str) -> Iterator[tuple[str, str]]:
    plain = html.unescape(line)
    squeezed = re.sub(r"[\s\x00-\x20\u200b-\u200f]", "", plain).lower()
    for scheme in ("javascript:", "vbscript:", "data:text", "data:image"):
        if scheme in squeezed:
            yield scheme, f"'{scheme}'"
    for found in TAG.finditer(line):
        if not PLAIN_TAG.fullmatch(found[0]):
            yield found[0], f"the markup '{found[0][:40]}'"
    for found in LINK.finditer(plain):
        target = found[1] or found[2] or ""
        if not ADDRESS.fullmatch(target):
            yield target, f"the address '{target[:60]}'"
    if "![" in line:
        yield "![", "a picture"
    if line.lstrip().startswith(":::") and not BOX.fullmatch(line.strip()):
        yield line, f"'{line.strip()[:40]}'"
    if found_run := RUNS.search(line):
        yield found_run[0], f"'{found_run[0]}', which some tools run or fill in,"


def hold_markdown(page: str, press: Press, write: Callable[[Press], str]) -> None:
    """Raise `CheckFailed` where an author's template adds what may not stand in a page."""
    if press.document.templates is not None:
        hold(added(page, write(without_templates(press)), FENCES), press, judged)
