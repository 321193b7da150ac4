"""Does a finished file say the document? Asked of every file, by what the reader of its format gives back.

Words are compared letter by letter, formulas by the trees that are read from the file, numbers digit by digit
with the marks of the language, tables cell by cell. Nothing here knows of the run: whether the document is
true is asked once, by `derivations.audit.truth`. What an author's template adds between the blocks is handed
back, to be asked there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from derivations.audit.items import (
    Added,
    Item,
    Mathematics,
    Piece,
    Pieces,
    dollar_pieces,
    merged,
    source_of,
    text_in,
)
from derivations.document.blocks import (
    Block,
    Code,
    Display,
    Document,
    Figure,
    Heading,
    Inline,
    Listing,
    Prose,
    Table,
    Words,
)
from derivations.language.errors import CheckFailed, Mismatch
from derivations.language.tree import Expr, Number, walk
from derivations.notation.chain import Formula, Side
from derivations.notation.latex import number_latex
from derivations.notation.locales import PLAIN
from derivations.notation.printed import as_printed
from derivations.notation.read import chain
from derivations.notation.symbols import Symbols

UNREAD = re.compile(r"\\\(|\\\[|\$\$|\\begin\{(equation|align|gather|multline|displaymath|math)|<math")
"""Mathematics that stands in no item."""
NUMBER = re.compile(r"-?[^- \t\n]+")


@dataclass(frozen=True)
class Fidelity:
    """A document and how a format says it: ``text`` is its escaping, ``figure`` looks at pictures.

    ``figure`` raises `Mismatch` or `CheckFailed` unless an item shows a figure.
    """

    document: Document
    symbols: Symbols
    text: Callable[[str], str]
    figure: Callable[[Item, Figure], None]

    def require(self, items: list[Item]) -> tuple[Added, ...]:
        """Raise `CheckFailed` at the first thing in a file that is not the document's.

        What is returned is what a template adds.
        """
        blocks, left, heading, found = self.document.blocks, items, "", list[Added]()
        if not self.adds and [item.kind for item in items] != [type(block).__name__ for block in blocks]:
            raise _failed("its blocks are not those of the document")
        for place, block in enumerate(blocks):
            heading = text_in(block.words) if isinstance(block, Heading) else heading
            try:
                at = self.found(block, left)
            except Mismatch as fault:
                where = f"below '{heading}': {type(block).__name__.lower()}"
                raise _failed(f"{where}: {fault}", self.of_templates) from None
            found += (one for item in left[:at] for one in self.beside(item, place))
            left = left[at + 1 :]
        return (*found, *(one for item in left for one in self.beside(item, len(blocks))))

    @property
    def adds(self) -> bool:
        """Whether a template of the author's may add to the document."""
        return self.document.templates is not None

    @property
    def of_templates(self) -> str:
        """Which templates of the author's print the file, if any do."""
        own = self.document.templates
        names = [own.place(name) for name, _ in own.files if name.endswith(".j2")] if own else []
        return f" It is printed by your templates: {', '.join(names[:3])}." if names else ""

    def found(self, block: Block, items: list[Item]) -> int:
        """Where the next block stands among the items that are left.

        That is the first of them; beside the words that an author's template adds, the first that fits.
        Raises `Mismatch`.
        """
        first: Mismatch | None = None
        for at, item in enumerate(items if self.adds else items[:1]):
            try:
                self.block(item, block)
            except Mismatch as fault:
                first = first or (fault if item.kind == type(block).__name__ else None)
            else:
                return at
        raise first or Mismatch("it is missing")

    def beside(self, item: Item, place: int) -> Iterator[Added]:
        """The words and formulas that a template adds; what else there is must be read, or is refused."""
        if UNREAD.search(item.text) or item.kind in ("Listing", "Table", "Figure"):
            raise _failed(f"'{(item.text or item.kind)[:40]}', which a template adds, cannot be read back")
        for piece in item.pieces or dollar_pieces(item.text):
            if not isinstance(piece, Mathematics):
                yield Added(place, piece)
                continue
            try:
                yield Added(place, piece.source, self.sides(piece))
            except Mismatch as fault:
                raise _failed(f"'{piece.source}', which a template adds: {fault}") from None

    def block(self, item: Item, block: Block) -> None:
        """Raise `Mismatch` unless an item of the file is the block of the document."""
        if item.kind != type(block).__name__:
            raise Mismatch(f"'{item.kind}' stands in its place")
        match block:
            case Listing():
                if item.text.rstrip("\n") != block.text.rstrip("\n"):
                    raise Mismatch("a listing is not that of the document")
            case Heading(_, words) | Prose(words):
                self.words(item.pieces, words)
            case Display(shown):
                self.words(item.pieces, (shown,))
            case Table():
                self.table(item, block)
            case Figure():
                self.figure(item, block)

    # --- words and formulas

    @cached_property
    def unmarked(self) -> Symbols:
        """The symbols, and numbers in canonical digits."""
        return replace(self.symbols, marks=PLAIN)

    def sides(self, formula: Mathematics) -> tuple[Side, ...]:
        """The sides of a formula of the file."""
        return chain(formula.source, self.unmarked if formula.canonical else self.symbols)

    def words(self, pieces: Pieces, words: Words) -> None:
        """Texts must be the document's, and so must formulas."""
        wanted = merged([self._expected(word) for word in words])
        if [isinstance(p, Mathematics) for p in pieces] != [isinstance(w, Mathematics) for w in wanted]:
            raise Mismatch(f"'{pieces}' has other formulas than the document")
        formulas = iter([word for word in words if isinstance(word, Formula)])
        for piece, want in zip(pieces, wanted, strict=True):
            if isinstance(piece, Mathematics):
                same_formula(self.sides(piece), next(formulas))
            elif isinstance(want, str):
                same_text(piece, want)

    def _expected(self, word: Inline) -> Piece:
        """A word of the document as the reader finds it; a formula is only marked as one."""
        if isinstance(word, Formula):
            return Mathematics("")
        assert isinstance(word, (str, Code)), "the words of a printed document are plain"
        return self.text(word.text if isinstance(word, Code) else word)

    # --- tables

    def table(self, item: Item, table: Table) -> None:
        """A table, cell by cell."""
        wanted = (table.header, *table.rows)
        if [len(row) for row in item.rows] != [len(row) for row in wanted]:
            raise Mismatch("rows or columns are missing")
        for row, want in zip(item.rows, wanted, strict=True):
            for pieces, words in zip(row, want, strict=True):
                self.cell(pieces, words)

    def cell(self, pieces: Pieces, words: Words) -> None:
        """A cell: a formula, perhaps a number without mathematics, or words."""
        match words:
            case (Formula() as wanted,):
                same_formula(self.number(pieces), wanted)
            case (str(text),):
                same_text(source_of(pieces), self.text(text))
            case _:
                self.words(pieces, words)

    def number(self, pieces: Pieces) -> tuple[Side, ...]:
        """The formula of a cell, or its number as plain text in the marks of the language."""
        match pieces:
            case (Mathematics() as formula,):
                return self.sides(formula)
            case (str(text),) if NUMBER.fullmatch(text.replace("−", "-")):
                sign, marks = "-" * text.startswith(("-", "−")), self.symbols.marks
                digits = text.lstrip("-−")
                if marks.numeral(marks.canonical(digits)) != digits:
                    raise Mismatch(f"'{text}' does not have the marks of the language")
                return chain(f"{sign}{marks.canonical(digits)}", self.unmarked)
        raise Mismatch(f"'{source_of(pieces)}' is neither a formula nor a number")


def same_text(file: str, document: str) -> None:
    """Raise `Mismatch` unless two texts are equal but for their white space."""
    if " ".join(file.split()) != " ".join(document.split()):
        raise Mismatch(f"'{file[:80]}' instead of '{document[:80]}'")


def same_formula(sides: tuple[Side, ...], formula: Formula) -> None:
    """Raise `Mismatch` unless a formula of the file is the document's: every sign, side and digit."""
    if [side.relation for side in sides] != [side.relation for side in formula.sides]:
        raise Mismatch("a formula has other relation signs than in the document")
    for side, wanted in zip(sides, formula.sides, strict=True):
        file, document = as_printed(side.expr), as_printed(wanted.expr)
        if file != document or not all(map(_same_digits, walk(file), walk(document))):
            raise Mismatch("a formula is not that of the document")


def _same_digits(file: Expr, document: Expr) -> bool:
    if isinstance(file, Number) and isinstance(document, Number) and document.text:
        return number_latex(file.text) == number_latex(document.text)
    return True


def _failed(what: str, more: str = "") -> CheckFailed:
    return CheckFailed(f"the finished page does not read back: {what}", hint=f"No page was written.{more}")
