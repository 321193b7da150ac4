"""What stands in an HTML file beside the blocks of the document, held against what it may be.

The items of the main part are audited like those of any format. Here everything else is: the title, the
contents, the names by which formulas are spoken, captions and repeated headings, the words of the interface,
the style sheet; and that there is nothing else, no element, attribute or address.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import Any

from derivations.formats.html.read import continuations, formula_of, inline
from derivations.language.errors import CheckFailed
from derivations.notation.locales import PLAIN
from derivations.notation.read import Unreadable, chain
from derivations.notation.spoken.speaker import spoken_chain
from derivations.notation.symbols import Symbols

MATHML = "math mi mn mo mtext mspace mrow mfrac msqrt mover munder msub msup msubsup mtable mtr mtd"
PARTS = "html head meta title style body a header label input main nav ul li h1 h2 h3 p div span"
TABLES = "table caption thead tbody tr th td pre code section"
PICTURES = "figure svg desc path rect circle text tspan"
ELEMENTS = frozenset(f"{MATHML} {PARTS} {TABLES} {PICTURES}".split())
OF_HTML = "lang charset content name http-equiv class href id tabindex type autocomplete scope style role"
OF_MATHML = "accent stretchy form movablelimits lspace rspace width mathvariant minsize maxsize"
OF_PICTURES = """xmlns viewbox height aria-labelledby aria-describedby font-family font-size font-style
    text-anchor stroke-linejoin fill stroke stroke-width stroke-dasharray d x y rx cx cy r dy"""
ATTRIBUTES = frozenset(f"{OF_HTML} {OF_MATHML} {OF_PICTURES} aria-label aria-hidden".split())
STYLE = re.compile(r"--[npzix]:[\d.]+")
SAYS = re.compile(r"content|url|import|font-face|counter|\\", re.IGNORECASE)
HIDES = re.compile(
    r"display|visibility|opacity|transparent|clip|indent|transform|position|filter|mask|z-index|text-decoration"
    r"|order\b|direction|bidi|writing-mode|security|font-size:\s*0|overflow|animation|transition|@|var\(",
    re.IGNORECASE,
)
LIVE = frozenset(["script", "button"])


@dataclass(frozen=True)
class Frame:
    """What an HTML file has around its blocks: ``words`` are those that a reader may see or hear there."""

    title: str
    language: str
    policy: str
    stylesheet: str
    words: Collection[str]
    captions: Collection[str]
    symbols: Symbols
    script: str = ""

    def require(self, page: Any) -> None:
        """Raise `CheckFailed` at the first thing beside the blocks that may not be there."""
        try:
            found = next(self.faults(page), None)
        except Unreadable as fault:  # a formula in the contents or in a repeated heading
            found = str(fault)
        if found is not None:
            raise CheckFailed(f"the finished page does not read back: {found}", hint="No page was written.")

    def faults(self, page: Any) -> Iterator[str]:
        """Everything beside the blocks that may not be there, in words."""
        yield from self.head(page)
        for element in page.iter():
            yield from self.element(element)
        yield from self.around(page)
        yield from self.contents(page)
        yield from self.tables(page)
        yield from self.names(page)

    def head(self, page: Any) -> Iterator[str]:
        """Title, language, policy and style sheet."""
        if [one.text for one in page.find("head").iter("title")] != [self.title]:
            yield "the title is not that of the document"
        if page.get("lang") != self.language:
            yield "the language is not that of the document"
        if [one.get("content") for one in page.iter("meta") if one.get("http-equiv")] != [self.policy]:
            yield "the policy of what may be loaded is another"
        sheets = [(one.text or "").strip() for one in page.iter("style")]
        if len(sheets) != 1 or not sheets[0].startswith(self.stylesheet):
            yield "the style sheet is another"
        elif SAYS.search(sheets[0][len(self.stylesheet) :]):
            yield "what is added to the style sheet may not load anything or put words on the page"
        elif found := HIDES.search(sheets[0][len(self.stylesheet) :]):
            yield f"what is added to the style sheet may not hide or move anything, as '{found[0]}' could"
        if [(one.text or "").strip() for one in page.iter("script")] != [self.script] * bool(self.script):
            yield "the script is another"

    def element(self, element: Any) -> Iterator[str]:
        """An element, its attributes and addresses."""
        tag = element.tag
        if tag not in ELEMENTS and not (self.script and tag in LIVE):
            yield f"there is an element {tag}"
            return
        for name in set(element.keys()) - ATTRIBUTES:
            yield f"there is an attribute {name}"
        if not element.get("href", "#").startswith("#"):
            yield f"there is an address {element.get('href')}"
        if not STYLE.fullmatch(element.get("style", "--n:0")):
            yield "there is a style of its own"
        label = element.get("aria-label")
        if label is not None and tag != "math" and element.get("role") != "math" and label not in self.words:
            yield f"there is a label '{label}'"

    def around(self, page: Any) -> Iterator[str]:
        """Text outside the main part."""
        (body,) = page.iter("body")
        mains = [one for one in body if one.tag == "main"]
        if len(mains) != 1:
            yield "there is not one main part"
        for element in body:
            inside = "" if element.tag in ("main", "script") else element.text_content()
            for text in (inside, element.tail or ""):
                if text.strip() and text.strip() not in self.words:
                    yield f"there is '{text.strip()}' beside the page"

    def contents(self, page: Any) -> Iterator[str]:
        """Links must say what the headings that they lead to say."""
        marks = self.symbols.marks
        targets = {one.get("id"): one for one in page.iter("h1", "h2", "h3")}
        for nav in page.find("body/main").iter("nav"):
            links = list(nav.iter("a"))
            shown = "".join(link.text_content() for link in links)
            if "".join(nav.text_content().split()) != "".join(shown.split()):
                yield "the contents have other words than the headings"
            for link in links:
                heading = targets.get(link.get("href", "")[1:])
                if heading is None or inline(link, marks) != inline(heading, marks):
                    yield f"the contents say '{link.text_content()}'"

    def tables(self, page: Any) -> Iterator[str]:
        """Captions, and headings that are repeated for narrow screens."""
        marks = self.symbols.marks
        for table in page.iter("table"):
            if [
                one.text_content() for one in table.iter("caption") if one.text_content() not in self.captions
            ]:
                yield "a caption is not known"
            header, *rows = table.iter("tr")
            for row in rows:
                if row.get("class") == "again" and [inline(c, marks) for c in row] != [
                    inline(cell, marks) for cell in header
                ]:
                    yield "a heading is repeated otherwise"

    def names(self, page: Any) -> Iterator[str]:
        """Every formula has the name that one would speak who reads it."""
        further = continuations(page)
        for element in page.iter("math", "span", "div"):
            if element.get("aria-hidden"):
                if not any(map(_says_it, element.iterancestors())):
                    yield "a formula is hidden"
            elif element.tag == "math" or element.get("role") == "math":
                yield from self.name([element, *further.get(element, ())])

    def name(self, elements: list[Any]) -> Iterator[str]:
        """The name of a formula, which the first of its elements has."""
        try:
            source = " ".join(formula_of(one, self.symbols.marks).source for one in elements)
            name = spoken_chain(
                chain(source, replace(self.symbols, marks=PLAIN)), self.symbols, self.language
            )
        except Unreadable as fault:
            yield str(fault)
            return
        if name != elements[0].get("aria-label"):
            yield f"a formula is called '{elements[0].get('aria-label')}' instead of '{name}'"


def _says_it(element: Any) -> bool:
    """Whether an element speaks for what is hidden in it, or continues one that does."""
    return element.get("role") == "math" or "more" in (element.get("class") or "").split()
