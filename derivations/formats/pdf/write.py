"""The PDF format: the Typst source compiled by the wheel ``typst``, tagged, PDF/UA-1, without LaTeX."""

from __future__ import annotations

from functools import lru_cache
from tempfile import TemporaryDirectory

from derivations.formats.pdf.audit import require
from derivations.formats.pdf.held import hold_typst, offline
from derivations.formats.pdf.source import write as source
from derivations.formats.pdf.text import is_chinese
from derivations.formats.press import Press, Printer
from derivations.language.errors import CheckFailed


@lru_cache(maxsize=2)  # the source and the PDF of a page are checked one after the other
def compiled(text: str, language: str = "en") -> bytes:
    """The PDF of a Typst source, with the fonts of the wheel only, so that every machine gives the same.

    Only a Chinese page is set with a font of the machine.

    Raises `CheckFailed` where Typst refuses it or warns: for a glyph that no font has, a formula without
    spoken text.
    """
    import typst

    try:
        with TemporaryDirectory() as empty, offline():  # it may read nothing, and load no package
            pdf, warnings = typst.compile_with_warnings(  # type: ignore[type-var]
                text.encode(),
                root=empty,
                package_path=empty,
                package_cache_path=empty,
                pdf_standards=["ua-1"],
                ignore_system_fonts=not is_chinese(language),
            )
    except typst.TypstError as fault:
        raise CheckFailed(f"Typst refuses the page: {fault}", hint="No page was written.") from None
    for warning in warnings:
        raise CheckFailed(f"Typst warns about the page: {warning}", hint="No page was written.")
    assert isinstance(pdf, bytes)
    return pdf


def write(press: Press) -> bytes:
    """The page as PDF."""
    text = source(press)
    hold_typst(text, press, source)
    return compiled(text, press.document.language)


def check(pdf: bytes, press: Press) -> None:
    """Read the finished PDF back: every glyph and every spoken text is the document's, in reading order."""
    require(pdf, press)


def check_source(text: str, press: Press) -> None:
    """Compile a Typst source and read the PDF back, so that the source is held against the document too."""
    hold_typst(text, press, source)
    check(compiled(text, press.document.language), press)


PRINTER = Printer(write, check)
SOURCE = Printer(source, check_source)
