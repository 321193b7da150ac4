"""Auditing a finished PDF: every glyph on its pages against the document, in reading order.

The document was held against the run before it was printed, number by number, so what is left to show for
a PDF is that it holds this document and nothing else. Compared are all letters,
digits, signs and brackets, of formulas, cells, sentences, headings and listings, each where it is due; and
of formulas that numerators, exponents and indices stand above or below what they must, with a bar between
numerator and denominator; of figures every line, box and disc, and where their labels stand; and what is
said aloud for every formula and figure. Not seen are the line over a root, the rules of tables, and colours.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from derivations.document.blocks import (
    Block,
    Code,
    Display,
    Document,
    Figure,
    Heading,
    Listing,
    Prose,
    Table,
    Words,
)
from derivations.figures.drawing import Label
from derivations.figures.lettering import runs
from derivations.figures.svg import check_svg
from derivations.formats.pdf.additions import Additions, places
from derivations.formats.pdf.glyphs import Glyph, Line, read
from derivations.formats.pdf.lines import has_bar, is_of_figure, misdrawn
from derivations.formats.pdf.source import (
    LINE,
    broken_width,
    heading_width,
    is_plain_number,
    svg_of_figure,
)
from derivations.formats.pdf.text import shown
from derivations.formats.press import Press
from derivations.language.errors import CheckFailed
from derivations.layout.paper import Paper, on_paper
from derivations.layout.widths import Sheet, head_width
from derivations.notation.breaking import lines
from derivations.notation.chain import Formula
from derivations.notation.glyphs import Glyphs
from derivations.notation.spoken.speaker import spoken_chain
from derivations.notation.symbols import Symbols
from derivations.notation.typeset import typeset

HINT = "No page was written."


def require(pdf: bytes, press: Press) -> None:
    """Raise `CheckFailed` at the first glyph or spoken text of the PDF that is not the document's."""
    finished, symbols = read(pdf), press.symbols
    paper = on_paper(press.document, symbols, LINE)
    document = paper.document
    additions = Additions(press) if document.templates else None
    _spoken(finished.spoken, list(heard(document, symbols)), additions)
    found = finished.glyphs
    body = [glyph for glyph in found if not glyph.artifact]
    bars = defaultdict(list)
    for line in finished.lines:
        if not is_of_figure(line):
            bars[line.page].append(line)
    drawn = [line for line in finished.lines if is_of_figure(line)]
    at, before = 0, None
    for where, wanted, figure, place in expected(paper, symbols):
        if additions:
            at, fault = additions.behind(body, at, wanted.text, before)
            _no_fault(where, fault)
        before = place
        here = body[at : at + len(wanted.text)]
        at += len(wanted.text)
        _same(here, wanted, bars, where)
        if figure is not None:
            count = 1 + sum(not isinstance(shape, Label) for shape in figure.drawing.shapes)
            if fault := misdrawn(figure.drawing, drawn[:count], here, symbols):
                raise _fault(where, fault)
            drawn = drawn[count:]
    if additions:
        _no_fault("its end", additions.fault(body[at:], before))
        at = len(body)
    if drawn:
        raise _fault("its end", "there are more drawings")
    if at < len(body):
        raise _fault("its end", f"there is more: '{_text(body[at : at + 40])}'")
    headers = [header.text for header in _headers(paper, symbols)]
    for number in range(1, max((glyph.page for glyph in found), default=0) + 1):
        margin = _text([glyph for glyph in found if glyph.artifact and glyph.page == number])
        _artifacts(margin, headers, number, found[-1].page, adds=bool(document.templates))


def _spoken(pages: list[list[str]], heard: list[tuple[str, int | None]], additions: Additions | None) -> None:
    """What is said aloud, in order; what goes on from one page to the next is tagged on both.

    An author's template may add what is right where it stands, and repeat what is said elsewhere.
    """
    at, wanted = 0, [text for text, _ in heard]
    for number, texts in enumerate(pages, 1):
        for place, text in enumerate(texts):
            if [text] == wanted[at : at + 1]:
                at += 1
            elif (place or [text] != wanted[at - 1 : at]) and not (
                additions and (text in wanted or text in additions.said(heard[at - 1][1] if at else None))
            ):
                due = wanted[at] if at < len(wanted) else "nothing"
                raise _fault(f"page {number}", f"'{text}' is said instead of '{due}'")
    if at < len(wanted):
        raise _fault("its end", f"'{wanted[at]}' is not said")


def _same(here: list[Glyph], wanted: Glyphs, bars: Mapping[int, list[Line]], where: str) -> None:
    text = _text(here)
    if text != wanted.text:
        pairs = enumerate(zip(text, wanted.text, strict=False))
        place = next((k for k, (a, b) in pairs if a != b), len(text))
        start = max(place - 20, 0)
        raise _fault(where, f"'{text[start : place + 20]}' instead of '{wanted.text[start : place + 20]}'")
    _no_fault(where, wanted.misplaced([glyph.height + 1e4 * (1e3 - glyph.page) for glyph in here]))
    for (start, end), (low, below) in wanted.wholly:
        if not has_bar(here[start:end], here[low:below], bars.get(here[start].page, [])):
            raise _fault(where, f"no bar between '{text[start:end]}' and '{text[low:below]}'")


def _artifacts(text: str, headers: list[str], number: int, last: int, *, adds: bool) -> None:
    """What stands on a page beside its content: the header of a table that goes on, and its number.

    An author's template (``adds``) may write words there.
    """
    left = next(
        (text.replace(header, "", 1) for header in sorted(headers, key=len, reverse=True) if header in text),
        text,
    )
    left = left.replace(f"{number}/{last}", "", 1)
    if left and adds:
        if any(letter.isnumeric() or letter in "=≈" for letter in left):
            raise _fault(f"the margin of page {number}", f"a template adds '{left[:40]}', and no number may")
    elif text not in [f"{header}{number}/{last}" for header in ("", *headers)]:
        raise _fault(f"page {number}", f"'{text[:40]}' in its margin")


def _no_fault(where: str, fault: str) -> None:
    if fault:
        raise _fault(where, fault)


def _fault(where: str, what: str) -> CheckFailed:
    return CheckFailed(f"the finished PDF does not read back: {where}: {what}", hint=HINT)


def _text(found: list[Glyph]) -> str:
    return "".join(glyph.letter for glyph in found)


# --- what must be there -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Reader:
    """Writes down which glyphs the words of a document must give."""

    symbols: Symbols
    language: str

    def words(self, words: Words) -> Glyphs:
        """The glyphs of a sentence or a cell."""
        found = Glyphs()
        for word in words:
            if isinstance(word, Formula):
                self.formula(word, found)
            else:
                found.write(shown(word.text if isinstance(word, Code) else str(word), self.language))
        return found

    def display(self, formula: Formula, width: float) -> Glyphs:
        """The glyphs of a chain that may be broken: those of the chain, and a dot where a product is cut."""
        found, whole = Glyphs(), self.words((formula,))
        for line in lines(formula.sides, self.symbols, width):
            for box in (*line.before, *line.parts):
                found.box(box, self.symbols.marks)
        if found.text.replace("·", "") != whole.text.replace("·", ""):
            raise _fault("a formula", f"it was broken into '{found.text}'")
        return found

    def labels(self, figure: Figure) -> Glyphs:
        """The glyphs of the labels of a figure, whose SVG must read back as its drawing."""
        symbols = self.symbols
        check_svg(svg_of_figure(figure, symbols, self.language), figure.drawing, symbols)
        labels = (shape for shape in figure.drawing.shapes if isinstance(shape, Label))
        found = Glyphs()
        for label in labels:
            found.write("".join(run.text for run in runs(label.said, symbols)))
        return found

    def listing(self, block: Listing) -> Glyphs:
        """The glyphs of a listing."""
        found = Glyphs()
        for line in block.text.split("\n"):
            found.write(shown(line, self.language))
        return found

    def cell(self, words: Words, sheet: Sheet, place: int) -> Glyphs:
        """The glyphs of a cell; a formula alone may be broken to its column."""
        return self.fitted(words, broken_width(words, sheet, sheet.widths[place], self.symbols))

    def heading(self, words: Words, sheet: Sheet, place: int) -> Glyphs:
        """The glyphs of a heading."""
        width = sheet.widths[place] or head_width(sheet.table.align[place])
        return self.fitted(words, heading_width(words, width, self.symbols))

    def fitted(self, words: Words, width: float | None) -> Glyphs:
        """The glyphs of words, or of a formula that is broken to a width."""
        return self.words(words) if width is None else self.display(words[0], width)  # type: ignore[arg-type]

    def formula(self, formula: Formula, found: Glyphs) -> None:
        """The glyphs of a chain."""
        for side in formula.sides:
            found.write(side.relation)
            found.box(typeset(side.expr, self.symbols), self.symbols.marks)


def heard(document: Document, symbols: Symbols) -> Iterator[tuple[str, int | None]]:
    """What is said aloud, in order, with the place of its step.

    That are formulas but plain numbers in a column of numbers, and figures.
    """
    for block, place in zip(document.blocks, places(document.blocks), strict=True):
        if isinstance(block, Figure):
            yield shown(block.drawing.description, document.language), place
        for formula in _formulas(block):
            yield spoken_chain(formula.sides, symbols, document.language), place


def _formulas(block: Block) -> Iterator[Formula]:
    match block:
        case Heading(_, words) | Prose(words):
            cells = [words]
        case Display(formula):
            cells = [(formula,)]
        case Table():
            cells = [*block.header]
            for row in block.rows:
                cells += [cell for place, cell in enumerate(row) if not is_plain_number(cell, block, place)]
        case _:
            cells = []
    return (word for cell in cells for word in cell if isinstance(word, Formula))


def expected(paper: Paper, symbols: Symbols) -> Iterator[tuple[str, Glyphs, Figure | None, int | None]]:
    """The glyphs of a document by pieces: where it stands, in words; the figures; the place of its step."""
    heading, document = "the start", paper.document
    for block, place in zip(document.blocks, places(document.blocks), strict=True):
        if isinstance(block, Heading):
            heading = Reader(symbols, document.language).words(block.words).text
        for where, found in _of_block(block, paper, Reader(symbols, document.language)):
            yield f"under '{heading}', {where}", found, block if isinstance(block, Figure) else None, place


def _of_block(block: Block, paper: Paper, reader: Reader) -> Iterator[tuple[str, Glyphs]]:
    match block:
        case Heading(_, words) | Prose(words):
            yield type(block).__name__.lower(), reader.words(words)
        case Display(formula):
            yield "a formula", reader.display(formula, LINE)
        case Table():
            sheet = paper.sheet(block)
            for place, cell in enumerate(block.header):
                yield f"the header of column {place + 1}", reader.heading(cell, sheet, place)
            for line, row in enumerate(block.rows, 1):
                for place, cell in enumerate(row):
                    found = reader.cell(cell, sheet, place)
                    yield f"row {line}, column {place + 1}", found
        case Figure():
            yield f"the figure '{block.name}'", reader.labels(block)
        case Listing():
            yield "a listing", reader.listing(block)


def _headers(paper: Paper, symbols: Symbols) -> Iterator[Glyphs]:
    reader = Reader(symbols, paper.document.language)
    for block in paper.document.blocks:
        if isinstance(block, Table):
            found = Glyphs()
            for place, cell in enumerate(block.header):
                found.write(reader.heading(cell, paper.sheet(block), place).text)
            yield found
