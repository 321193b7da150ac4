"""The glyphs and lines of a finished PDF in the order of its content, and its spoken texts, by pdfium.

What is marked as an artifact, page numbers and the repeated headers of tables, is kept apart.
"""

from __future__ import annotations

import ctypes
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from derivations.language.errors import CheckFailed

BLANK = frozenset("\u0000\u0002\u00ad\u200b\u200c\u200d\ufeff")


@dataclass(frozen=True, slots=True)
class Glyph:
    """A letter on a page, where its baseline starts there, whether it is an artifact, and follows a blank."""

    letter: str
    left: float
    height: float
    page: int
    artifact: bool
    spaced: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """A line or an outline by its points, and how they stand on the page: scaled, then moved."""

    points: tuple[tuple[float, float], ...]
    scale: tuple[float, float]
    origin: tuple[float, float]
    page: int

    def placed(self, x: float, y: float) -> tuple[float, float]:
        """A place in the line's own measures, on the page."""
        return self.scale[0] * x + self.origin[0], self.scale[1] * y + self.origin[1]


@dataclass(frozen=True, slots=True)
class Finished:
    """What is in a PDF: its glyphs without blanks, its lines, and by page what is said for formulas."""

    glyphs: list[Glyph]
    lines: list[Line]
    spoken: list[list[str]]


def read(pdf: bytes) -> Finished:
    """The glyphs of all pages, letters of formulas as plain letters, and the spoken texts.

    Raises `CheckFailed` for what is no PDF.
    """
    import pypdfium2
    import pypdfium2.raw as pdfium

    try:
        document = pypdfium2.PdfDocument(pdf)
    except pypdfium2.PdfiumError as fault:
        raise CheckFailed(f"the finished PDF does not read back: {fault}") from None
    try:
        pages = list(document)
        found = [glyph for number, page in enumerate(pages, 1) for glyph in _of_page(page, number)]
        drawn = [line for number, page in enumerate(pages, 1) for line in _lines(pdfium, page, number)]
        return Finished(found, drawn, [list(_spoken(pdfium, page)) for page in pages])
    finally:
        document.close()


def _spoken(pdfium: Any, page: Any) -> Iterator[str]:
    """The alternative texts of a page, in the order of its tags."""
    tree = pdfium.FPDF_StructTree_GetForPage(page)
    held = [
        pdfium.FPDF_StructTree_GetChildAtIndex(tree, at)
        for at in range(pdfium.FPDF_StructTree_CountChildren(tree))
    ]
    while held:
        element = held.pop()
        text = _wide(pdfium.FPDF_StructElement_GetAltText, element)
        if text:
            yield text
        inside = range(pdfium.FPDF_StructElement_CountChildren(element))
        held += [
            child
            for at in reversed(inside)
            if (child := pdfium.FPDF_StructElement_GetChildAtIndex(element, at))
        ]
    pdfium.FPDF_StructTree_Close(tree)


def _wide(ask: Any, element: Any) -> str:
    """A text that pdfium gives as UTF-16 into a buffer, after it said how large."""
    size = ask(element, None, 0)
    held = ctypes.create_string_buffer(max(size, 2))
    ask(element, held, size)
    return held.raw[: max(size - 2, 0)].decode("utf-16-le")


def _of_page(page: Any, number: int) -> Iterator[Glyph]:
    """The glyphs of a page object by object: pdfium itself sorts those of a line by their places."""
    import pypdfium2.raw as pdfium

    text = page.get_textpage()
    found: dict[int, list[tuple[str, float, float]]] = {}
    for at in range(text.count_chars()):
        if not pdfium.FPDFText_IsGenerated(text, at):
            shape = ctypes.addressof(pdfium.FPDFText_GetTextObject(text, at).contents)
            found.setdefault(shape, []).append((_letter(pdfium, text, at), *_place(pdfium, text, at)))
    for shape in _shapes(pdfium, page, pdfium.FPDF_PAGEOBJ_TEXT):
        letters = found.pop(ctypes.addressof(shape.contents), [])
        artifact = bool(letters) and _is_artifact(pdfium, shape)
        blanks = [True, *(_is_blank(letter[0]) for letter in letters)]
        yield from (
            Glyph(*letter, number, artifact, blanks[at])
            for at, letter in enumerate(letters)
            if not blanks[at + 1]
        )
    if found:
        raise CheckFailed("the finished PDF does not read back: it has text outside the content of its pages")


def _letter(pdfium: Any, text: Any, at: int) -> str:
    code = pdfium.FPDFText_GetUnicode(text, at)
    if 0xDC00 <= code < 0xE000:  # the second half of a letter; its first half is a blank
        code = 0x10000 + ((pdfium.FPDFText_GetUnicode(text, at - 1) - 0xD800) << 10) + code - 0xDC00
    return "-" if pdfium.FPDFText_IsHyphen(text, at) == 1 else plain(chr(code))


def _place(pdfium: Any, text: Any, at: int) -> tuple[float, float]:
    x, y = ctypes.c_double(), ctypes.c_double()
    pdfium.FPDFText_GetCharOrigin(text, at, x, y)
    return x.value, y.value


def _lines(pdfium: Any, page: Any, number: int) -> Iterator[Line]:
    matrix, x, y = pdfium.FS_MATRIX(), ctypes.c_float(), ctypes.c_float()
    for shape in _shapes(pdfium, page, pdfium.FPDF_PAGEOBJ_PATH):
        pdfium.FPDFPageObj_GetMatrix(shape, matrix)
        points = []
        for at in range(pdfium.FPDFPath_CountSegments(shape)):
            pdfium.FPDFPathSegment_GetPoint(pdfium.FPDFPath_GetPathSegment(shape, at), x, y)
            points.append((x.value, y.value))
        yield Line(tuple(points), (matrix.a, matrix.d), (matrix.e, matrix.f), number)


def _is_blank(letter: str) -> bool:
    return letter.isspace() or letter in BLANK or "\ud800" <= letter < "\udc00"


def _shapes(pdfium: Any, page: Any, kind: int) -> Iterator[Any]:
    """The objects of a kind on a page in the order of its content, those inside groups too."""
    held = [pdfium.FPDFPage_GetObject(page, at) for at in range(pdfium.FPDFPage_CountObjects(page))]
    while held:
        shape = held.pop(0)
        if pdfium.FPDFPageObj_GetType(shape) == pdfium.FPDF_PAGEOBJ_FORM:
            inside = range(pdfium.FPDFFormObj_CountObjects(shape))
            held = [pdfium.FPDFFormObj_GetObject(shape, at) for at in inside] + held
        elif pdfium.FPDFPageObj_GetType(shape) == kind:
            yield shape


def plain(letter: str) -> str:
    """A letter of a mathematical alphabet as the letter that it is: an italic or a bold one."""
    font, _, code = unicodedata.decomposition(letter).partition(" ")
    return chr(int(code, 16)) if font == "<font>" else letter


def _is_artifact(pdfium: Any, shape: Any) -> bool:
    return any(
        _name(pdfium, pdfium.FPDFPageObj_GetMark(shape, at)) == "Artifact"
        for at in range(pdfium.FPDFPageObj_CountMarks(shape))
    )


def _name(pdfium: Any, mark: Any) -> str:
    held, used = (ctypes.c_ushort * 32)(), ctypes.c_ulong()
    pdfium.FPDFPageObjMark_GetName(mark, held, ctypes.sizeof(held), used)
    return bytes(held)[: max(used.value - 2, 0)].decode("utf-16-le")
